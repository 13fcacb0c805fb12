//! One cell: what survives a failure and what does not.

use crate::acts::*;
use crate::support::*;
use actix::prelude::*;
use plimsoll::supervision::*;

#[test]
fn a_panic_loses_the_message_in_hand_and_nothing_else() {
    paused(async {
        let log = Log::default();
        let a = probe("a", &log, spec());
        let tree = up(supervisor("root").child(a.cell)).await;
        assert_eq!(a.handle.ask(Count, ASK).await, Ok(1));
        let (lost, one, two) =
            tokio::join!(a.handle.ask(Panic, ASK), a.handle.ask(Count, ASK), a.handle.ask(Count, ASK));
        assert_eq!(lost, Err(AskError::Lost));
        assert_eq!((one, two), (Ok(1), Ok(2)), "a fresh value serves what was queued");
        assert_eq!(log.take(), "a+ a+", "no hook ran on the broken value");
        let node = node(&tree, "root/a");
        assert_eq!((node.state, node.restarts, node.epoch), (NodeState::Running, 1, 2));
        let failure = node.last_failure.unwrap();
        assert!(failure.contains("told to") && failure.contains("support.rs"), "{failure}");
        assert_eq!(a.handle.ledger().dead_letters(DeadLetter::InHand), 1);
    });
}

/// Wherever it panics, the report says where, the queue is kept and a fresh value serves it.
#[test]
fn panics_in_futures_are_failures_like_any_other() {
    async fn check<M>(message: M, what: &str)
    where
        Probe: Handler<M>,
        M: Message<Result = ()> + Send + 'static,
    {
        let mut cast = Cast::default();
        let a = cast.cell("a", spec());
        let tree = up(supervisor("root").child(a)).await;
        let handle = cast.handle("a");
        let (_, next) = tokio::join!(handle.ask(message, ASK), handle.ask::<Epoch>(Epoch, ASK));
        assert!(next.is_ok(), "{what}: the queued ask was answered: {next:?}");
        settle().await;
        assert_eq!(handle.ask::<Epoch>(Epoch, ASK).await, Ok(2), "{what}");
        assert_eq!(cast.log.take(), "a+ a+", "{what}: no closing hook ran");
        let failure = node(&tree, "root/a").last_failure.unwrap();
        assert!(failure.contains(what), "{what}: {failure}");
    }
    paused(async {
        check(PanicInSpawn, "ctx.spawn").await;
        check(PanicInWait, "ctx.wait").await;
    });
}

#[test]
fn panics_while_starting_are_failed_starts() {
    paused(async {
        for (start, what) in [(Start::PanicInFactory, "factory"), (Start::PanicInStarted, "started")] {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").child(a)).await;
            cast.script("a").then([start]);
            let handle = cast.handle("a");
            let (lost, kept) = tokio::join!(handle.ask(Panic, ASK), handle.ask(Epoch, ASK));
            assert_eq!(
                (lost, kept),
                (Err(AskError::Lost), Ok(3)),
                "{what}: the queue outlives both failures"
            );
            let failure = node(&tree, "root/a").last_failure.unwrap();
            assert!(failure.contains(&format!("panicked in {what}")), "{failure}");
        }
    });
}

#[test]
fn panics_in_closing_hooks_neither_abort_nor_hold_up() {
    paused(async {
        for (on_stop, what) in [(OnStop::PanicInStopping, "stopping"), (OnStop::Panic, "stopped")] {
            let log = Log::default();
            let a = probe_with("a", &log, spec(), on_stop);
            let tree = up(supervisor("root").child(a.cell)).await;
            assert_eq!(a.handle.ask(Stop, ASK).await, Ok(()));
            assert_eq!(a.handle.ask(Epoch, ASK).await, Ok(2), "{what}");
            let failure = node(&tree, "root/a").last_failure.unwrap();
            assert!(failure.contains(&format!("panicked in {what}")), "{failure}");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN, "{what}");
        }
    });
}

#[test]
fn a_destructor_that_panics_is_a_failure_of_its_own() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", spec());
        let tree = up(supervisor("root").child(a)).await;
        // After a panic, and after a clean stop.
        for (round, how) in ["crash", "leave"].iter().enumerate() {
            assert_eq!(cast.handle("a").ask(ArmBomb, ASK).await, Ok(()));
            if *how == "crash" {
                cast.crash("a").await
            } else {
                cast.leave("a").await
            }
            assert_eq!(node(&tree, "root/a").restarts, round as u64 + 1, "{how}");
            assert!(cast.answers("a").await, "{how}");
        }
        let failure = node(&tree, "root/a").last_failure.unwrap();
        assert!(failure.contains("panicked in drop: bomb"), "{failure}");
    });
}

#[test]
fn an_actor_may_take_back_its_own_stop() {
    paused(async {
        let log = Log::default();
        let a = probe_with("a", &log, spec(), OnStop::Veto);
        let tree = up(supervisor("root").child(a.cell)).await;
        let (_, next) = tokio::join!(a.handle.ask(Stop, ASK), a.handle.ask(Count, ASK));
        assert_eq!(next, Ok(1), "the same value goes on with its queue");
        assert_eq!(node(&tree, "root/a").restarts, 0);
        assert_eq!(a.handle.ask(Panic, ASK).await, Err(AskError::Lost), "and a panic after it is a panic");
        assert_eq!(a.handle.ask(Count, ASK).await, Ok(1));
        assert_eq!(log.take(), "a+ a+");
    });
}

/// Stock actix spins for ever in one poll here.
#[test]
fn stop_inside_started_is_a_restart_that_counts() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.scripted("a", spec(), [Start::StopInStarted; 9]);
        let tree = Tree::start(supervisor("root").intensity(3, seconds(60)).child(a), manual()).unwrap();
        let ended = tree.ended().await;
        assert!(matches!(ended, Ended::Emergency(Emergency::Meltdown(_))), "{ended:?}");
        assert_eq!(cast.log.take(), "a+ a- a+ a- a+ a- a+ a-");
    });
}

/// In stock actix the numbers begin anew with the restart, and an old handle cancels a new timer.
#[test]
fn a_cancel_handle_reaches_its_own_incarnation_alone() {
    paused(async {
        let (handle, cell) = timed("t", spec());
        let tree = up(supervisor("root").child(cell)).await;
        assert_eq!(handle.ask(Ticks, ASK).await, Ok(0));
        tokio::time::sleep(millis(105)).await;
        assert_eq!(handle.ask(Ticks, ASK).await, Ok(10), "one each 10 ms");
        // Cancels its own timer and stops in the same breath.
        assert_eq!(handle.ask(CancelAndStop, ASK).await, Ok(true));
        settle().await;
        tokio::time::sleep(millis(105)).await;
        assert_eq!(handle.ask(Ticks, ASK).await, Ok(10), "the new incarnation's timer runs");
        assert_eq!(node(&tree, "root/t").restarts, 1);
    });
}

#[test]
fn cancel_future_says_whether_there_was_one() {
    paused(async {
        let (handle, cell) = timed("t", spec());
        let _tree = up(supervisor("root").child(cell)).await;
        assert_eq!(handle.ask(CancelTwice, ASK).await, Ok((true, false)));
        tokio::time::sleep(millis(100)).await;
        assert_eq!(handle.ask(Ticks, ASK).await, Ok(0));
        assert_eq!(handle.ask(CancelFinished, ASK).await, Ok(()));
        settle().await;
        assert_eq!(handle.ask(FinishedWasFound, ASK).await, Ok(Some(false)));
    });
}

/// Timers, streams and pending answers die with their incarnation and are never doubled.
#[test]
fn what_an_incarnation_spawned_dies_with_it() {
    paused(async {
        let (handle, cell) = timed("t", spec());
        let tree = up(supervisor("root").intensity(9, seconds(60)).child(cell)).await;
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        assert_eq!(handle.ask(Listen(receiver), ASK).await, Ok(()));
        sender.send(5).unwrap();
        settle().await;
        assert_eq!(handle.ask(Heard, ASK).await, Ok(5), "add_stream");
        assert_eq!(handle.ask(NotifySelf(7), ASK).await, Ok(()));
        settle().await;
        assert_eq!(handle.ask(Heard, ASK).await, Ok(12), "notify");
        assert_eq!(handle.ask(AnswerLater(millis(30)), ASK).await, Ok(30), "ResponseActFuture");
        assert_eq!(handle.ask(AnswerAtomically(millis(30)), ASK).await, Ok(30), "AtomicResponse");
        let (pending, ()) = tokio::join!(handle.ask(AnswerLater(seconds(1)), ASK), async {
            settle().await;
            assert_eq!(handle.ask(Fail, ASK).await, Err(AskError::Lost));
        });
        assert_eq!(pending, Err(AskError::Lost), "it had been taken: what became of it is unknown");
        assert!(
            sender.send(5).is_err() || {
                settle().await;
                handle.ask(Heard, ASK).await == Ok(0)
            }
        );
        tokio::time::sleep(millis(1000)).await;
        let ticks = handle.ask(Ticks, ASK).await.unwrap();
        assert!((95..=101).contains(&ticks), "one timer, not two: {ticks}");
        drop(tree);
    });
}
