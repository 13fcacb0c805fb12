//! The eight defects that a prototype of this layer had, each by its number in the reference.

use crate::support::*;
use actix::prelude::*;
use plimsoll::supervision::*;

/// 6.1: every mailbox of a finished tree is closed; asks and tells fail at once.
#[test]
fn d6_1_a_finished_tree_leaves_nobody_waiting() {
    paused(async {
        let mut cast = Cast::default();
        let below = supervisor("below").child(cast.cell("deep", spec()));
        let a = cast.cell("a", spec());
        let tree = up(supervisor("root").child(a).child(below)).await;
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        let before = tokio::time::Instant::now();
        for name in ["a", "deep"] {
            let handle = cast.handle(name);
            assert_eq!(handle.ask(Count, ASK).await, Err(AskError::Closed), "{name}");
            assert!(matches!(handle.tell(Count), Err(TellError::Closed(Count))), "{name}");
            assert!(!handle.is_open() && !handle.addr().connected(), "{name}: raw addresses, too");
        }
        assert_eq!(before.elapsed(), seconds(0), "nobody waited");
        assert!(tree.snapshot().iter().all(|n| n.state == NodeState::Stopped));
    });
}

/// 6.2: a tell to a closed child gives the message back.
#[test]
fn d6_2_a_tell_to_a_closed_child_is_refused() {
    paused(async {
        let (handle, cell) = cell("a", spec(), |_| Ok(Carrier));
        let tree = up(supervisor("root").child(cell)).await;
        tree.terminate_child("root/a").await.unwrap();
        let Err(refused) = handle.tell(Carried(9)) else { panic!("taken and lost") };
        assert_eq!(refused.into_inner(), Carried(9));
        assert_eq!(handle.ledger().depth(), 0);
    });
}

/// 6.3: each future is dropped under its own guard.
#[test]
fn d6_3_several_panicking_destructors_do_not_abort() {
    #[derive(Message)]
    #[rtype(result = "()")]
    struct SpawnBomb;
    impl Handler<SpawnBomb> for Probe {
        type Result = ();
        fn handle(&mut self, _: SpawnBomb, ctx: &mut Self::Context) {
            let bomb = Bomb;
            ctx.spawn(actix::fut::wrap_future(async move {
                std::future::pending::<()>().await;
                drop(bomb);
            }));
        }
    }
    #[derive(Message)]
    #[rtype(result = "()")]
    struct WaitBombAndPanic;
    impl Handler<WaitBombAndPanic> for Probe {
        type Result = ();
        fn handle(&mut self, _: WaitBombAndPanic, ctx: &mut Self::Context) {
            let bomb = Bomb;
            ctx.wait(actix::fut::wrap_future(async move {
                std::future::pending::<()>().await;
                drop(bomb);
            }));
            panic!("told to");
        }
    }
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", spec());
        let tree = up(supervisor("root").child(a)).await;
        let handle = cast.handle("a");
        for _ in 0..3 {
            assert_eq!(handle.ask(SpawnBomb, ASK).await, Ok(()));
        }
        assert_eq!(handle.ask(ArmBomb, ASK).await, Ok(()));
        assert_eq!(handle.ask(WaitBombAndPanic, ASK).await, Err(AskError::Lost));
        assert_eq!(handle.ask(Epoch, ASK).await, Ok(2));
        let failure = node(&tree, "root/a").last_failure.unwrap();
        assert!(failure.contains("told to"), "the first failure is the one reported: {failure}");
    });
}

/// 6.4: a temporary child is never started again, not even as a bystander, nor on a closed mailbox.
#[test]
fn d6_4_a_dead_temporary_child_stays_dead() {
    paused(async {
        let mut cast = Cast::default();
        let (a, t) = (cast.cell("a", spec()), cast.cell("t", with(Restart::Temporary)));
        let tree = up(supervisor("root").strategy(Strategy::OneForAll).child(a).child(t)).await;
        cast.crash("t").await;
        cast.crash("a").await;
        assert_eq!(cast.log.take(), "a+ t+ a+");
        assert_eq!(node(&tree, "root/t").state, NodeState::Stopped);
        assert!(!cast.handle("t").is_open());
    });
}

/// 6.5: an arbiter that stops under its child is a failure of the child, which starts on a new one.
#[test]
fn d6_5_a_lost_thread_is_noticed() {
    #[derive(Message)]
    #[rtype(result = "()")]
    struct StopArbiter;
    impl Handler<StopArbiter> for Probe {
        type Result = ();
        fn handle(&mut self, _: StopArbiter, _: &mut Self::Context) {
            actix_rt::Arbiter::current().stop();
        }
    }
    real(async {
        for placement in [Placement::OwnThread, Placement::Shared("common".into())] {
            let mut cast = Cast::default();
            let a = cast.cell("a", ChildSpec { placement: placement.clone(), ..spec() });
            let tree = up(supervisor("root").child(a)).await;
            let handle = cast.handle("a");
            assert_eq!(handle.ask(StopArbiter, ASK).await, Ok(()));
            until(|| node(&tree, "root/a").epoch == 2).await;
            assert_eq!(handle.ask(Epoch, ASK).await, Ok(2), "{placement:?}");
            let failure = node(&tree, "root/a").last_failure.unwrap();
            assert!(failure.contains("lost its thread"), "{failure}");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        }
    });
}

/// 6.6: one restart plan for each supervisor; start order is always left to right.
#[test]
fn d6_6_a_second_failure_widens_the_plan() {
    paused(async {
        let mut cast = Cast::default();
        let mut root = supervisor("root").strategy(Strategy::RestForOne);
        for name in ["a", "b", "c"] {
            root = root.child(cast.cell(name, delayed(millis(100))));
        }
        let tree = up(root).await;
        cast.log.take();
        cast.crash("c").await;
        tokio::time::sleep(millis(50)).await;
        cast.crash("a").await;
        assert_eq!(cast.log.take(), "b-");
        // c alone would be due at 100 ms, a's group at 150 ms.
        tokio::time::sleep(millis(60)).await;
        assert_eq!(cast.log.take(), "", "c does not start before those it depends on");
        tokio::time::sleep(millis(60)).await;
        assert_eq!(cast.log.take(), "a+ b+ c+");
        assert_eq!(children(&tree).await, "a:Running b:Running c:Running");
    });
}

/// 6.7: a slow start holds up nobody.
#[test]
fn d6_7_a_siblings_slow_start_delays_no_restart() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", ChildSpec { start_timeout: seconds(10), ..spec() });
        let b = cast.cell("b", spec());
        let tree = up(supervisor("root").child(a).child(b)).await;
        cast.script("a").then([Start::Slow(seconds(3))]);
        cast.crash("a").await;
        assert_eq!(children(&tree).await, "a:Starting b:Running");
        let before = tokio::time::Instant::now();
        assert_eq!(cast.handle("b").ask(Panic, ASK).await, Err(AskError::Lost));
        assert_eq!(cast.handle("b").ask(Epoch, ASK).await, Ok(2));
        assert_eq!(before.elapsed(), seconds(0));
        assert_eq!(cast.handle("a").ask(Epoch, ASK).await, Ok(2), "its mail waits for it");
        assert_eq!(before.elapsed(), seconds(3));
    });
}

/// 6.8: children of the same name and position under two supervisors are watched each for itself.
#[test]
fn d6_8_namesakes_are_watched_apart() {
    paused(async {
        let (mut left, mut right) = (Cast::default(), Cast::default());
        let x1 = left.cell("x", spec());
        let x2 = right.cell("x", spec());
        let root =
            supervisor("root").child(supervisor("left").child(x1)).child(supervisor("right").child(x2));
        let tree = up(root).await;
        left.handle("x").tell(Wedge).unwrap();
        settle().await;
        for _ in 0..40 {
            tree.scan();
            tokio::time::sleep(seconds(1)).await;
        }
        assert_eq!(left.handle("x").ask(Epoch, ASK).await, Ok(2), "the hang was found");
        assert_eq!(right.handle("x").ask(Epoch, ASK).await, Ok(1), "and the namesake left alone");
    });
}
