//! Time under a paused clock: intensity windows, backoff, start and stop limits, escalation.

use crate::support::*;
use plimsoll::supervision::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn meltdown(ended: &Ended) -> &str {
    let Ended::Emergency(Emergency::Meltdown(why)) = ended else { panic!("no meltdown: {ended:?}") };
    why
}

/// Three within ten seconds are tolerated, the fourth is not; the window's edge belongs to it.
#[test]
fn the_window_slides() {
    paused(async {
        for (gap, melts) in [(millis(3333), true), (millis(3334), false)] {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").intensity(3, seconds(10)).child(a)).await;
            for _ in 0..3 {
                cast.crash("a").await;
                tokio::time::sleep(gap).await;
            }
            cast.crash("a").await;
            assert_eq!(tree.is_up(), !melts, "{gap:?}");
            if melts {
                assert!(meltdown(&tree.ended().await).contains("at most 3"));
            }
        }
    });
}

/// The failures of all children count together; a child's own budget is counted beside it.
#[test]
fn budgets_of_child_and_supervisor() {
    paused(async {
        let own = ChildSpec { intensity: Some(Intensity::new(1, seconds(10))), ..spec() };
        let mut cast = Cast::default();
        let (a, b) = (cast.cell("a", own.clone()), cast.cell("b", spec()));
        let tree = up(supervisor("root").intensity(100, seconds(10)).child(a).child(b)).await;
        for _ in 0..20 {
            cast.crash("b").await;
        }
        cast.crash("a").await;
        assert!(tree.is_up(), "b's failures are not on a's account");
        tokio::time::sleep(seconds(11)).await;
        cast.crash("a").await;
        assert!(tree.is_up(), "a's window slides for itself");
        cast.crash("a").await;
        let why = meltdown(&tree.ended().await).to_owned();
        assert!(why.starts_with("a ") && why.contains("at most 1"), "{why}");

        let mut cast = Cast::default();
        let (a, b) = (cast.cell("a", own), cast.cell("b", spec()));
        let tree = up(supervisor("root").intensity(1, seconds(10)).child(a).child(b)).await;
        cast.crash("a").await;
        cast.crash("b").await;
        assert!(meltdown(&tree.ended().await).starts_with("b "), "the supervisor's budget is all children's");
    });
}

/// Times between each failure and the start that follows, for `n` failures in a row.
async fn delays(backoff: Backoff, seed: u64, n: usize, ran: Duration) -> Vec<Duration> {
    let starts: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let seen = Arc::clone(&starts);
    let (handle, cell) = cell("a", ChildSpec { backoff, ..spec() }, move |_| {
        seen.lock().unwrap().push(Instant::now());
        Ok(Carrier)
    });
    let options = TreeOptions { jitter_seed: seed, ..manual() };
    let root = supervisor("root").intensity(1_000, seconds(1)).child(cell);
    let tree = Tree::start(root, options).unwrap();
    tree.up().await.unwrap();
    let mut delays = Vec::new();
    for _ in 0..n {
        tokio::time::sleep(ran).await;
        let failed = Instant::now();
        assert_eq!(handle.ask(Explode, ASK).await, Err(AskError::Lost));
        // Answered by the next incarnation.
        assert_eq!(handle.ask(Carried(1), seconds(3600)).await, Ok(1));
        delays.push(starts.lock().unwrap().last().unwrap().duration_since(failed));
    }
    delays
}

fn doubling(jitter: Jitter) -> Backoff {
    Backoff { jitter, ..Backoff::exponential(seconds(1), seconds(60)) }
}

#[test]
fn the_backoff_series_is_exact() {
    paused(async {
        let series = delays(doubling(Jitter::None), 7, 8, seconds(0)).await;
        assert_eq!(series, [1, 2, 4, 8, 16, 32, 60, 60].map(seconds));
    });
}

#[test]
fn the_series_begins_anew_after_good_running() {
    paused(async {
        let just_short = delays(doubling(Jitter::None), 7, 4, millis(59_999)).await;
        assert_eq!(just_short, [1, 2, 4, 8].map(seconds));
        let long_enough = delays(doubling(Jitter::None), 7, 4, seconds(60)).await;
        assert_eq!(long_enough, [1, 1, 1, 1].map(seconds));
    });
}

/// A start that fails is part of the series: it never ran.
#[test]
fn failed_starts_back_off_too() {
    paused(async {
        let mut cast = Cast::default();
        let backoff = doubling(Jitter::None);
        let a = cast.cell("a", ChildSpec { backoff, ..spec() });
        let _tree = up(supervisor("root").intensity(9, seconds(60)).child(a)).await;
        cast.script("a").then([Start::Fail, Start::PanicInStarted, Start::Fail]);
        let before = Instant::now();
        assert_eq!(cast.handle("a").ask(Panic, ASK).await, Err(AskError::Lost));
        assert_eq!(cast.handle("a").ask(Epoch, seconds(60)).await, Ok(5));
        assert_eq!(before.elapsed(), seconds(1 + 2 + 4 + 8));
    });
}

#[test]
fn full_jitter_stays_in_bounds_and_follows_its_seed() {
    paused(async {
        let bounds = [1, 2, 4, 8, 16, 32, 60, 60].map(seconds);
        let one = delays(doubling(Jitter::Full), 7, 8, seconds(0)).await;
        let again = delays(doubling(Jitter::Full), 7, 8, seconds(0)).await;
        let other = delays(doubling(Jitter::Full), 8, 8, seconds(0)).await;
        assert_eq!(one, again, "a seed decides");
        assert_ne!(one, other, "another seed decides otherwise");
        for (delay, bound) in one.iter().chain(&other).zip(bounds.iter().cycle()) {
            // The timer's grain is a millisecond.
            assert!(*delay <= *bound + millis(1), "{delay:?} exceeds {bound:?}");
        }
        assert!(one.iter().zip(&bounds).any(|(delay, bound)| delay < bound));
    });
}

/// Siblings under one seed must not come back in step.
#[test]
fn siblings_draw_their_own_jitter() {
    paused(async {
        let starts: Arc<Mutex<Vec<(usize, Instant)>>> = Arc::default();
        let mut root = supervisor("root").intensity(1_000, seconds(60));
        let mut handles = Vec::new();
        for n in 0..8 {
            let seen = Arc::clone(&starts);
            let spec = ChildSpec { backoff: doubling(Jitter::Full), ..spec() };
            let (handle, cell) = cell(&format!("c{n}"), spec, move |_| {
                seen.lock().unwrap().push((n, Instant::now()));
                Ok(Carrier)
            });
            handles.push(handle);
            root = root.child(cell);
        }
        let _tree = up(root).await;
        starts.lock().unwrap().clear();
        for handle in &handles {
            assert_eq!(handle.ask(Explode, ASK).await, Err(AskError::Lost));
        }
        tokio::time::sleep(seconds(2)).await;
        let mut times: Vec<Instant> = starts.lock().unwrap().iter().map(|(_, at)| *at).collect();
        assert_eq!(times.len(), 8);
        times.sort_unstable();
        times.dedup();
        assert!(times.len() >= 7, "{} different times of 8", times.len());
    });
}

#[test]
fn a_start_that_takes_too_long_is_a_failed_start() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.scripted("a", spec(), [Start::Slow(millis(999))]);
        let b = cast.scripted("b", spec(), [Start::Slow(millis(1001))]);
        let before = Instant::now();
        let tree = Tree::start(supervisor("root").child(a).child(b), manual()).unwrap();
        let Err(Ended::StartFailed(why)) = tree.up().await else { panic!("it came up") };
        assert!(why.starts_with("b ") && why.contains("start timeout"), "{why}");
        assert_eq!(before.elapsed(), millis(1999), "a within its time, then b over it");
    });
}

#[test]
fn a_restart_that_takes_too_long_is_tried_again() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", spec());
        let tree = up(supervisor("root").child(a)).await;
        cast.script("a").then([Start::Slow(seconds(60))]);
        let before = Instant::now();
        assert_eq!(cast.handle("a").ask(Panic, ASK).await, Err(AskError::Lost));
        assert_eq!(cast.handle("a").ask(Epoch, ASK).await, Ok(3));
        assert_eq!(before.elapsed(), seconds(1), "its start timeout");
        let failure = node(&tree, "root/a").last_failure.unwrap();
        assert!(failure.contains("start timeout"), "{failure}");
    });
}

/// A leaf's failures end its supervisor, whose end counts for the next one up, and so on to the top.
#[test]
fn escalation_goes_through_two_levels() {
    paused(async {
        let mut cast = Cast::default();
        let leaf = cast.cell("leaf", spec());
        let inner = supervisor("inner").intensity(1, seconds(60)).child(leaf);
        let middle = supervisor("middle").intensity(1, seconds(60)).child(inner);
        let before = cast.cell("before", spec());
        let after = cast.cell("after", spec());
        let root = supervisor("root").strategy(Strategy::RestForOne).intensity(1, seconds(60));
        let tree = up(root.child(before).child(middle).child(after)).await;
        let restarts = |path: &str| node(&tree, path).restarts;
        cast.log.take();
        // Every second crash of the leaf ends inner; every second end of inner ends middle.
        for (crash, middles) in [(1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1)] {
            cast.crash("leaf").await;
            assert_eq!(restarts("root/middle"), middles, "crash {crash}");
            let expected = if crash == 4 { "after- leaf+ after+" } else { "leaf+" };
            assert_eq!(cast.log.take(), expected, "crash {crash}");
        }
        cast.crash("leaf").await;
        let why = meltdown(&tree.ended().await).to_owned();
        assert!(why.starts_with("middle ") && why.contains("inner") && why.contains("told to"), "{why}");
        assert_eq!(cast.log.take(), "after- before-");
    });
}

/// The emergency handler latches before anything is stopped, and runs once.
#[test]
fn the_meltdown_handler_runs_before_children_stop() {
    paused(async {
        let mut cast = Cast::default();
        let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
        let log = cast.log.clone();
        let on_emergency: EmergencyHandler = Arc::new(move |emergency| {
            log.push(if matches!(emergency, Emergency::Meltdown(_)) { "latched" } else { "other" });
            panic!("its own panic changes nothing");
        });
        let options = TreeOptions { on_emergency, ..manual() };
        let tree =
            Tree::start(supervisor("root").intensity(0, seconds(1)).child(a).child(b), options).unwrap();
        tree.up().await.unwrap();
        cast.crash("a").await;
        meltdown(&tree.ended().await);
        assert_eq!(cast.log.take(), "a+ b+ latched b-");
    });
}

/// Readiness must fall with the first sign of the end, not with its completion.
#[test]
fn the_tree_says_where_it_stands() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.scripted("a", spec(), [Start::Slow(millis(500))]);
        let tree = Tree::start(supervisor("root").child(a), manual()).unwrap();
        settle().await;
        assert!(!tree.is_up());
        assert_eq!(node(&tree, "root").state, NodeState::Starting);
        tree.up().await.unwrap();
        assert!(tree.is_up());
        let task = TaskSpec { name: "slow".into(), metadata: Default::default(), shutdown: seconds(5) };
        tree.tasks().spawn(task, |_| tokio::time::sleep(seconds(2))).unwrap();
        let ending = tokio::task::spawn_local({
            let tree = tree.clone();
            async move { tree.shutdown(GRACE).await }
        });
        settle().await;
        assert!(!tree.is_up(), "it ends");
        assert_eq!(node(&tree, "root").state, NodeState::Stopping);
        assert_eq!(ending.await.unwrap(), CLEAN);
        assert_eq!(node(&tree, "root").state, NodeState::Stopped);
    });
}

/// Rest_for_one in time: stops right to left, waits the failed child's backoff, starts left to right.
#[test]
fn rest_for_one_waits_once_for_the_whole_group() {
    paused(async {
        let mut cast = Cast::default();
        let mut root = supervisor("root").strategy(Strategy::RestForOne);
        for name in ["a", "b", "c", "d"] {
            root = root.child(cast.cell(name, delayed(seconds(2))));
        }
        let _tree = up(root).await;
        cast.log.take();
        let before = Instant::now();
        cast.crash("b").await;
        assert_eq!(cast.log.take(), "d- c-");
        assert_eq!(cast.handle("d").ask(Epoch, ASK).await, Ok(2));
        assert_eq!(before.elapsed(), seconds(2));
        assert_eq!(cast.log.take(), "b+ c+ d+");
    });
}
