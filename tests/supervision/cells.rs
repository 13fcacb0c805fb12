//! One cell: what survives a failure and what does not.

use crate::support::*;
use plimsoll::supervision::*;
use std::time::Duration;

#[test]
fn a_panic_loses_the_message_in_hand_and_nothing_else() {
    paused(async {
        let log = Log::default();
        let a = probe("a", &log, spec());
        let tree = Tree::start(supervisor("root").child(a.cell), manual()).unwrap();
        tree.up().await.unwrap();
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
    });
}
