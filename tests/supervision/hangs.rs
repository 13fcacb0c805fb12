//! Hangs, on real threads in real time: found, replaced or escalated, and no thread left behind.

use crate::support::*;
use plimsoll::supervision::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_millis(100);
/// The limit, two ticks of the watchdog, and what a busy machine may add.
const FOUND_WITHIN: Duration = Duration::from_millis(2_000);

fn limited(placement: Placement) -> ChildSpec {
    let hang = HangLimits { handler: LIMIT, wait: LIMIT, action: OnHang::Replace };
    ChildSpec { placement, hang, ..spec() }
}

async fn started(root: SupervisorDecl, options: TreeOptions) -> Tree {
    let tree = Tree::start(root, options).unwrap();
    tree.up().await.unwrap();
    tree
}

/// A hundred asks queued behind a hang are all answered by the next incarnation.
async fn queued_asks_are_answered(handle: &Handle<Probe>) {
    let before = Instant::now();
    let asks = (0..100).map(|_| handle.ask(Epoch, ASK));
    for answer in futures_util::future::join_all(asks).await {
        assert_eq!(answer, Ok(2));
    }
    let waited = before.elapsed();
    assert!(waited < FOUND_WITHIN, "{waited:?}");
}

#[test]
fn a_wedged_wait_is_replaced_with_its_queue() {
    real(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", limited(Placement::OwnThread));
        let tree = started(supervisor("root").child(a), watched()).await;
        let handle = cast.handle("a");
        handle.tell(Wedge).unwrap();
        queued_asks_are_answered(handle).await;
        let failure = node(&tree, "root/a").last_failure.unwrap();
        assert!(failure.contains("hung in ctx.wait"), "{failure}");
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        assert_eq!(cast.log.take(), "a+ a+ a-", "no hook ran on the wedged value");
    });
}

#[test]
fn a_blocked_thread_is_given_up_and_its_zombie_fenced() {
    real(async {
        let fences: Arc<Mutex<Vec<Fence>>> = Arc::default();
        let kept = Arc::clone(&fences);
        let mut cast = Cast::default();
        let a = cast.cell("a", limited(Placement::OwnThread));
        let (other, other_cell) = cell("fenced", limited(Placement::OwnThread), move |ctx| {
            kept.lock().unwrap().push(ctx.fence());
            Ok(Blocker)
        });
        let tree = started(supervisor("root").child(a).child(other_cell), watched()).await;
        let gate = Gate::default();
        let _released = Releases(gate.clone());
        let zombie = tokio::spawn({
            let (handle, gate) = (cast.handle("a").clone(), gate.clone());
            async move { handle.ask(Hold(gate), ASK).await }
        });
        gate.entered().await;
        queued_asks_are_answered(cast.handle("a")).await;
        let gate2 = Gate::default();
        let _released2 = Releases(gate2.clone());
        other.tell(BlockAt(gate2.clone())).unwrap();
        gate2.entered().await;
        until(|| fences.lock().unwrap().len() == 2).await;
        let current: Vec<bool> = fences.lock().unwrap().iter().map(Fence::is_current).collect();
        assert_eq!(current, [false, true], "the zombie's ports say no while it is still inside");
        // It wakes: its own ask is answered late, and it takes no further message.
        gate.release();
        gate2.release();
        assert_eq!(zombie.await.unwrap(), Ok(1));
        for _ in 0..100 {
            assert_eq!(cast.handle("a").ask(Epoch, ASK).await, Ok(2));
        }
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        assert_eq!(cast.log.take(), "a+ a+ a-");
    });
}

#[test]
fn a_neighbour_on_the_same_arbiter_is_moved() {
    real(async {
        let shared = || Placement::Shared("common".into());
        let mut cast = Cast::default();
        let a = cast.cell("a", limited(shared()));
        let patient = ChildSpec { hang: spec().hang, ..limited(shared()) };
        let b = cast.cell("b", patient);
        let apart = cast.cell("apart", limited(Placement::OwnThread));
        let root = supervisor("root").intensity(1, seconds(60)).child(a).child(b).child(apart);
        let tree = started(root, watched()).await;
        let gate = Gate::default();
        let _released = Releases(gate.clone());
        cast.handle("a").tell(Hold(gate.clone())).unwrap();
        gate.entered().await;
        let (one, two) = tokio::join!(cast.handle("a").ask(Epoch, ASK), cast.handle("b").ask(Epoch, ASK));
        assert_eq!((one, two), (Ok(2), Ok(2)));
        assert_eq!(cast.handle("apart").ask(Epoch, ASK).await, Ok(1));
        let failure = node(&tree, "root/b").last_failure.unwrap();
        assert!(failure.contains("was moved from a blocked thread"), "{failure}");
        assert!(tree.is_up(), "one failure, not two: b's move is not on the account");
        gate.release();
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
    });
}

/// Options whose handler keeps the emergencies.
fn keeping() -> (TreeOptions, Arc<Mutex<Vec<Emergency>>>) {
    let kept: Arc<Mutex<Vec<Emergency>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let on_emergency: EmergencyHandler =
        Arc::new(move |emergency| keep.lock().unwrap().push(emergency.clone()));
    (TreeOptions { on_emergency, ..watched() }, kept)
}

#[test]
fn on_hang_abort_is_an_emergency() {
    real(async {
        let (options, kept) = keeping();
        let hang = HangLimits { action: OnHang::Abort, ..limited(Placement::OwnThread).hang };
        let mut cast = Cast::default();
        let a = cast.cell("a", ChildSpec { hang, ..limited(Placement::OwnThread) });
        let b = cast.cell("b", spec());
        let tree = started(supervisor("root").child(a).child(b), options).await;
        cast.handle("a").tell(Wedge).unwrap();
        let Ended::Emergency(Emergency::ChildHung(why)) = tree.ended().await else { panic!("no emergency") };
        assert!(why.contains("root/a") && why.contains("ctx.wait"), "{why}");
        assert_eq!(kept.lock().unwrap().len(), 1, "the handler ran once");
        assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed));
        let alive = |n: &Node| !matches!(n.state, NodeState::Stopped | NodeState::Failed);
        assert_eq!(tree.snapshot().iter().filter(|n| alive(n)).count(), 0, "I10: nobody claims to run");
    });
}

#[test]
fn too_many_abandoned_threads_are_an_emergency() {
    real(async {
        let (options, kept) = keeping();
        let options = TreeOptions { abandoned_threads_max: 2, ..options };
        let mut cast = Cast::default();
        let a = cast.cell("a", limited(Placement::OwnThread));
        let tree = started(supervisor("root").intensity(99, seconds(60)).child(a), options).await;
        let gate = Gate::default();
        let _released = Releases(gate.clone());
        for _ in 0..3 {
            cast.handle("a").tell(Hold(gate.clone())).unwrap();
        }
        let ended = tree.ended().await;
        assert_eq!(ended, Ended::Emergency(Emergency::TooManyAbandonedThreads(3)));
        assert_eq!(kept.lock().unwrap().len(), 1);
    });
}

/// The watchdog's own thread runs the handler: the control loop cannot.
#[test]
fn a_blocked_control_thread_is_noticed() {
    real(async {
        let (options, kept) = keeping();
        let options = TreeOptions { control_hang: LIMIT, ..options };
        let tree = started(supervisor("root"), options).await;
        let limit = std::time::Instant::now() + seconds(10);
        while kept.lock().unwrap().is_empty() && std::time::Instant::now() < limit {
            // This is the control loop's thread.
            std::thread::sleep(millis(10));
        }
        let kept = kept.lock().unwrap().clone();
        assert!(matches!(kept.as_slice(), [Emergency::ControlHung(silent)] if *silent > LIMIT), "{kept:?}");
        assert_eq!(tree.shutdown(GRACE).await, CLEAN, "that it came back changes nothing here");
    });
}

/// Each tree has a watchdog, a thread for tasks and one for each child; all end with it. A panic, a hang
/// and a replacement are part of its life. Runs in a process of its own, so that no other test is counted.
#[test]
fn fifty_trees_leave_no_thread_behind() {
    const ALONE: &str = "PLIMSOLL_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().unwrap();
        let run = std::process::Command::new(this)
            .args(["--exact", "hangs::fifty_trees_leave_no_thread_behind", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        return;
    }
    real(async {
        let count = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let before = count();
        for n in 0..50 {
            let mut cast = Cast::default();
            let a = cast.cell("a", limited(Placement::OwnThread));
            let b = cast.cell("b", limited(Placement::Shared("common".into())));
            let tree = started(supervisor("root").child(a).child(b), watched()).await;
            assert!(count() >= before + 4, "watchdog, tasks, a, common");
            assert_eq!(cast.handle("b").ask(Panic, ASK).await, Err(AskError::Lost));
            if n % 10 == 0 {
                let gate = Gate::default();
                cast.handle("a").tell(Hold(gate.clone())).unwrap();
                gate.entered().await;
                assert_eq!(cast.handle("a").ask(Epoch, ASK).await, Ok(2));
                gate.release();
            }
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        }
        until(|| count() <= before).await;
    });
}
