//! Mailboxes: what refuses, what waits, what is dropped and how it is counted; fences and fairness.

use crate::acts::*;
use crate::support::*;
use plimsoll::supervision::*;
use std::sync::{Arc, Mutex};

fn small(capacity: usize, on_restart: OnRestart) -> ChildSpec {
    ChildSpec { mailbox: MailboxPolicy { capacity, on_restart }, ..delayed(seconds(10)) }
}

#[test]
fn a_full_mailbox_refuses_and_gives_the_message_back() {
    paused(async {
        let (handle, cell) = cell("a", small(2, OnRestart::Keep), |_| Ok(Carrier));
        handle.tell(Carried(1)).unwrap();
        handle.tell(Carried(2)).unwrap();
        let Err(TellError::Full(Carried(3))) = handle.tell(Carried(3)) else { panic!("taken or lost") };
        assert_eq!(handle.ask(Carried(4), ASK).await, Err(AskError::Full));
        assert_eq!((handle.ledger().depth(), handle.ledger().dead_letters(DeadLetter::Full)), (2, 2));
        let port = handle.port::<Carried>();
        assert!(
            matches!(port.tell(Carried(5)), Err(TellError::Full(Carried(5)))),
            "a clone has no free slot"
        );
        let tree = up(supervisor("root").child(cell)).await;
        settle().await;
        assert_eq!((handle.ledger().depth(), handle.ledger().handled()), (0, 2), "mail waits for the start");
        assert_eq!(handle.ask(Carried(6), ASK).await, Ok(6));
        tree.shutdown(GRACE).await;
        let Err(TellError::Closed(Carried(7))) = handle.tell(Carried(7)) else { panic!("taken or lost") };
        assert!(!handle.is_open());
    });
}

#[test]
fn what_must_not_be_missed_waits_for_room_and_learns_of_the_end() {
    paused(async {
        let (handle, cell) = cell("a", small(1, OnRestart::Keep), |_| Ok(Carrier));
        handle.tell(Carried(1)).unwrap();
        let port = handle.port::<Carried>();
        let waits = port.tell_waiting(Carried(2));
        tokio::pin!(waits);
        assert!(tokio::time::timeout(seconds(1), &mut waits).await.is_err(), "there is no room");
        assert_eq!(handle.ledger().depth(), 1);
        let refused = || handle.ledger().dead_letters(DeadLetter::Full);
        assert_eq!(refused(), 0, "who waits has lost nothing");
        assert!(matches!(port.tell(Carried(9)), Err(TellError::Full(Carried(9)))));
        assert_eq!(refused(), 1);
        let tree = up(supervisor("root").child(cell)).await;
        assert!(waits.await, "there is room");
        settle().await;
        assert_eq!((handle.ledger().depth(), handle.ledger().handled()), (0, 2));
        tree.shutdown(GRACE).await;
        assert!(!port.tell_waiting(Carried(3)).await, "it has ended");
    });
}

/// Four ways not to get an answer, each by its own name.
#[test]
fn an_ask_says_what_became_of_the_message() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", small(2, OnRestart::Keep));
        let tree = up(supervisor("root").child(a)).await;
        let a = cast.handle("a").clone();
        assert_eq!(a.ask(Panic, ASK).await, Err(AskError::Lost));
        settle().await;
        // In its backoff of ten seconds nobody serves it.
        assert_eq!(a.ask(Count, seconds(1)).await, Err(AskError::Timeout(seconds(1))));
        let waiting = (a.clone(), a.clone());
        let both = futures_util::future::join(waiting.0.ask(Count, ASK), async {
            settle().await;
            let full = waiting.1.ask(Count, ASK).await;
            tree.terminate_child("root/a").await.unwrap();
            full
        });
        let (closed, full) = both.await;
        assert_eq!((closed, full), (Err(AskError::Closed), Err(AskError::Full)));
        let books = a.ledger();
        assert_eq!((books.depth(), books.dead_letters(DeadLetter::Closed)), (0, 2));
        assert_eq!(books.dead_letters(DeadLetter::Full), 1);
    });
}

#[test]
fn asks_whose_caller_gave_up_are_skipped_and_counted() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", small(100, OnRestart::Keep));
        let _tree = up(supervisor("root").child(a)).await;
        let a = cast.handle("a").clone();
        cast.crash("a").await;
        for _ in 0..5 {
            assert_eq!(a.ask(Count, millis(10)).await, Err(AskError::Timeout(millis(10))));
        }
        assert_eq!(a.ask(Count, seconds(60)).await, Ok(1), "the abandoned five did not count");
        assert_eq!(a.ledger().dead_letters(DeadLetter::Abandoned), 5);
        assert_eq!(a.ledger().depth(), 0);
    });
}

/// Keep serves all, Drop none, KeepYoungerThan what is young at the restart.
#[test]
fn restart_policies_sort_the_queue() {
    let policies = [
        (OnRestart::Keep, 3, 0),
        (OnRestart::Drop, 0, 3),
        (OnRestart::KeepYoungerThan(seconds(5)), 1, 2),
        (OnRestart::KeepYoungerThan(seconds(60)), 3, 0),
    ];
    paused(async {
        for (policy, served, dropped) in policies {
            let mut cast = Cast::default();
            let a = cast.cell("a", small(100, policy));
            let tree = up(supervisor("root").child(a)).await;
            let a = cast.handle("a").clone();
            cast.crash("a").await;
            for _ in 0..3 {
                tree.scan();
                a.tell(Count).unwrap();
                tokio::time::sleep(seconds(3)).await;
            }
            assert_eq!(a.ledger().depth(), 3, "{policy:?}");
            // Stamped at 0, 3 and 6 s; the restart comes at 10 s.
            tokio::time::sleep(seconds(2)).await;
            assert_eq!(a.ask(Count, ASK).await, Ok(served + 1), "{policy:?}");
            assert_eq!(a.ledger().dead_letters(DeadLetter::TooOldAfterRestart), dropped, "{policy:?}");
            assert_eq!(a.ledger().depth(), 0, "{policy:?}");
        }
    });
}

/// The books of a mailbox add up, whatever became of its messages.
#[test]
fn a_message_that_panics_when_discarded_is_counted_once() {
    paused(async {
        let (handle, cell) = cell("a", small(9, OnRestart::Keep), |_| Ok(Carrier));
        let tree = up(supervisor("root").child(cell)).await;
        assert_eq!(handle.ask(Explode, ASK).await, Err(AskError::Lost));
        settle().await;
        handle.tell(Fragile(Some(Bomb))).unwrap();
        handle.tell(Carried(1)).unwrap();
        tree.terminate_child("root/a").await.unwrap();
        let books = handle.ledger();
        assert_eq!(books.dead_letters(DeadLetter::PanickedInDrop), 1);
        assert_eq!(books.dead_letters(DeadLetter::Closed), 1);
        assert_eq!(books.depth(), 0);
        assert!(tree.is_up(), "the control loop did not notice");
    });
}

#[test]
fn a_raw_ask_that_was_abandoned_leaves_the_depth_alone() {
    paused(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", small(100, OnRestart::Keep));
        let _tree = up(supervisor("root").child(a)).await;
        let a = cast.handle("a").clone();
        cast.crash("a").await;
        for _ in 0..3 {
            assert!(a.addr().send(Count).timeout(millis(1)).await.is_err());
        }
        tokio::time::sleep(seconds(11)).await;
        assert_eq!(a.ledger().depth(), 0);
        cast.crash("a").await;
        a.tell(Count).unwrap();
        assert_eq!(a.ledger().depth(), 1);
    });
}

/// The fence of a replaced, failed, stopped or terminated incarnation says no, and its successor's yes.
#[test]
fn a_fence_belongs_to_one_incarnation() {
    paused(async {
        let fences: Arc<Mutex<Vec<Fence>>> = Arc::default();
        let kept = Arc::clone(&fences);
        let (handle, cell) = cell("a", delayed(seconds(1)), move |ctx| {
            kept.lock().unwrap().push(ctx.fence());
            Ok(Carrier)
        });
        let tree = up(supervisor("root").child(cell)).await;
        let current = || fences.lock().unwrap().iter().map(Fence::is_current).collect::<Vec<_>>();
        assert_eq!(current(), [true]);
        assert_eq!(handle.ask(Explode, ASK).await, Err(AskError::Lost));
        settle().await;
        assert_eq!(current(), [false], "in its backoff nobody may act");
        tokio::time::sleep(seconds(2)).await;
        assert_eq!(current(), [false, true]);
        let epochs: Vec<u64> = fences.lock().unwrap().iter().map(Fence::epoch).collect();
        assert_eq!(epochs, [1, 2]);
        tree.terminate_child("root/a").await.unwrap();
        assert_eq!(current(), [false, false]);
        tree.restart_child("root/a").await.unwrap();
        assert_eq!(current(), [false, false, true]);
        tree.shutdown(GRACE).await;
        assert_eq!(current(), [false, false, false]);
    });
}

/// A flooded actor does its timers, and its neighbours on the same thread have their turn.
#[test]
fn a_flood_starves_neither_timers_nor_neighbours() {
    paused(async {
        let flooded = ChildSpec { mailbox: MailboxPolicy { capacity: 100_000, ..spec().mailbox }, ..spec() };
        let (busy, cell_busy) = timed("busy", flooded);
        let mut cast = Cast::default();
        let quiet = cast.cell("quiet", spec());
        let _tree = up(supervisor("root").child(cell_busy).child(quiet)).await;
        for _ in 0..50_000 {
            busy.tell(NotifySelf(1)).unwrap();
        }
        tokio::time::advance(millis(11)).await;
        assert_eq!(cast.handle("quiet").ask(Count, ASK).await, Ok(1));
        let left = busy.ledger().depth();
        assert!(left > 1_000, "the neighbour was answered with {left} of 50,000 still queued");
        // One turn of the thread is enough for the timer, long before the queue is empty.
        assert!(busy.ask(Ticks, ASK).await.unwrap() >= 1);
    });
}

/// So does an actor that feeds itself with notifications, and it can be stopped.
#[test]
fn an_actor_that_notifies_itself_for_ever_can_be_stopped() {
    paused(async {
        let (busy, cell) = timed("busy", spec());
        let mut cast = Cast::default();
        let quiet = cast.cell("quiet", spec());
        let tree = up(supervisor("root").child(cell).child(quiet)).await;
        busy.tell(Spin).unwrap();
        settle().await;
        assert_eq!(cast.handle("quiet").ask(Count, ASK).await, Ok(1));
        assert!(busy.ask(Heard, ASK).await.unwrap() > 100);
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
    });
}

/// The depth is exact while the actor's thread is blocked, and costs the snapshot no waiting.
#[test]
fn the_depth_of_a_blocked_actor_is_exact() {
    real(async {
        let mut cast = Cast::default();
        let a = cast.cell("a", ChildSpec { placement: Placement::OwnThread, ..spec() });
        let tree = up(supervisor("root").child(a)).await;
        let gate = Gate::default();
        let _released = Releases(gate.clone());
        let a = cast.handle("a").clone();
        a.tell(Hold(gate.clone())).unwrap();
        gate.entered().await;
        for queued in 1..=3_000 {
            a.tell(Count).unwrap();
            if queued % 1_000 == 0 {
                assert_eq!(node(&tree, "root/a").mailbox_depth, queued);
            }
        }
        gate.release();
        assert_eq!(a.ask(Count, ASK).await, Ok(3_001));
        assert_eq!(node(&tree, "root/a").mailbox_depth, 0);
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        assert_eq!(node(&tree, "root/a").handled, 3_002);
    });
}
