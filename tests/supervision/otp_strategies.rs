//! OTP's supervisor suite: the three strategies and simple_one_for_one.

mod one_for_one {
    use crate::support::*;
    use plimsoll::supervision::*;

    #[test]
    fn one_for_one() {
        paused(async {
            let mut cast = Cast::default();
            let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
            let tree = up(supervisor("root").child(a).child(b)).await;
            cast.crash("a").await;
            assert_eq!(cast.log.take(), "a+ b+ a+");
            assert_eq!((node(&tree, "root/a").epoch, node(&tree, "root/b").epoch), (2, 1));
            assert_eq!(children(&tree).await, "a:Running b:Running", "in the order of their declaration");
        });
    }

    #[test]
    fn escalation() {
        paused(async {
            let mut cast = Cast::default();
            let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
            let root = supervisor("root").intensity(1, seconds(60)).child(a).child(b);
            let tree = up(root).await;
            cast.crash("a").await;
            cast.crash("a").await;
            let Ended::Emergency(Emergency::Meltdown(why)) = tree.ended().await else {
                panic!("no meltdown")
            };
            assert!(why.contains("at most 1"), "{why}");
            assert_eq!(cast.log.take(), "a+ b+ a+ b-", "the other child was stopped in good order");
            assert_eq!(node(&tree, "root/a").state, NodeState::Failed);
            assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed));
        });
    }
}

mod one_for_all {
    use crate::support::*;
    use plimsoll::supervision::*;

    fn root(cast: &mut Cast) -> SupervisorDecl {
        let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
        supervisor("root").strategy(Strategy::OneForAll).intensity(3, seconds(60)).child(a).child(b)
    }

    #[test]
    fn one_for_all() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(&mut cast)).await;
            cast.crash("a").await;
            assert_eq!(cast.log.take(), "a+ b+ b- a+ b+");
            cast.crash("b").await;
            assert_eq!(cast.log.take(), "a- a+ b+");
            assert_eq!(children(&tree).await, "a:Running b:Running");
        });
    }

    #[test]
    fn escalation() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(&mut cast).intensity(1, seconds(60))).await;
            cast.crash("a").await;
            cast.log.take();
            cast.crash("b").await;
            assert!(matches!(tree.ended().await, Ended::Emergency(Emergency::Meltdown(_))));
            assert_eq!(cast.log.take(), "a-");
        });
    }

    /// While the group restarts after a's failure, b fails to start: everybody begins again, a first.
    #[test]
    fn other_child_fails_restart() {
        paused(async {
            for failure in [Start::Fail, Start::PanicInFactory, Start::PanicInStarted] {
                let mut cast = Cast::default();
                let tree = up(root(&mut cast)).await;
                cast.log.take();
                cast.script("b").then([failure]);
                cast.crash("a").await;
                assert_eq!(cast.log.take(), "b- a+ a- a+ b+", "{failure:?}");
                assert_eq!(children(&tree).await, "a:Running b:Running");
                let both = (node(&tree, "root/a").epoch, node(&tree, "root/b").epoch);
                assert_eq!(both, (3, 3), "{failure:?}: one incarnation for each turn");
            }
        });
    }
}

mod rest_for_one {
    use crate::support::*;
    use plimsoll::supervision::*;

    fn root(cast: &mut Cast) -> SupervisorDecl {
        let (a, b, c) = (cast.cell("a", spec()), cast.cell("b", spec()), cast.cell("c", spec()));
        let root = supervisor("root").strategy(Strategy::RestForOne).intensity(9, seconds(60));
        root.child(a).child(b).child(c)
    }

    #[test]
    fn rest_for_one() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(&mut cast)).await;
            cast.crash("b").await;
            assert_eq!(cast.log.take(), "a+ b+ c+ c- b+ c+");
            cast.crash("c").await;
            assert_eq!(cast.log.take(), "c+", "nobody after it");
            assert_eq!(children(&tree).await, "a:Running b:Running c:Running");
        });
    }

    #[test]
    fn escalation() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(&mut cast).intensity(1, seconds(60))).await;
            cast.crash("b").await;
            cast.log.take();
            cast.crash("a").await;
            assert!(matches!(tree.ended().await, Ended::Emergency(Emergency::Meltdown(_))));
            assert_eq!(cast.log.take(), "c- b-");
        });
    }

    /// While b and c restart after b's failure, c fails to start: b stays, c is tried again.
    #[test]
    fn other_child_fails_restart() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(&mut cast)).await;
            cast.log.take();
            cast.script("c").then([Start::Fail]);
            cast.crash("b").await;
            assert_eq!(cast.log.take(), "c- b+ c+");
            cast.script("b").then([Start::PanicInStarted]);
            cast.crash("a").await;
            assert_eq!(cast.log.take(), "c- b- a+ b+ c+", "b failed once between a and b");
            assert_eq!(children(&tree).await, "a:Running b:Running c:Running");
        });
    }
}

mod simple_one_for_one {
    use crate::support::*;
    use plimsoll::supervision::*;

    async fn three(cast: &mut Cast, root: SupervisorDecl, restart: Restart) -> Tree {
        let tree = up(root).await;
        for name in ["w#1", "w#2", "w#3"] {
            let cell = cast.cell(name, with(restart));
            assert!(is_up(&tree.start_instance("root", cell).await));
        }
        cast.log.take();
        tree
    }

    #[test]
    fn base() {
        paused(async {
            let mut cast = Cast::default();
            let tree = three(&mut cast, supervisor("root"), Restart::Permanent).await;
            cast.crash("w#2").await;
            assert_eq!(cast.log.take(), "w#2+", "the others are left alone");
            assert_eq!(children(&tree).await, "w#1:Running w#2:Running w#3:Running");
        });
    }

    #[test]
    fn shutdown() {
        paused(async {
            let mut cast = Cast::default();
            let tree = three(&mut cast, supervisor("root"), Restart::Permanent).await;
            tree.terminate_child("root/w#2").await.unwrap();
            assert_eq!(children(&tree).await, "w#1:Running w#3:Running", "forgotten with its end");
            assert_eq!(cast.handle("w#2").ask(Count, ASK).await, Err(AskError::Closed));
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "w#2- w#3- w#1-");
        });
    }

    /// Each instance has its own argument, and its replacement gets the same one.
    #[test]
    fn extra() {
        paused(async {
            let mut cast = Cast::default();
            three(&mut cast, supervisor("root"), Restart::Permanent).await;
            for name in ["w#3", "w#1"] {
                cast.crash(name).await;
                assert_eq!(cast.log.take(), format!("{name}+"));
            }
        });
    }

    #[test]
    fn escalation() {
        paused(async {
            let mut cast = Cast::default();
            let root = supervisor("root").intensity(1, seconds(60));
            let tree = three(&mut cast, root, Restart::Permanent).await;
            cast.crash("w#1").await;
            cast.crash("w#2").await;
            assert!(matches!(tree.ended().await, Ended::Emergency(Emergency::Meltdown(_))));
            assert_eq!(cast.log.take(), "w#1+ w#3- w#1-");
            for name in ["w#1", "w#2", "w#3"] {
                assert_eq!(cast.handle(name).ask(Count, ASK).await, Err(AskError::Closed), "{name}");
            }
        });
    }

    /// Restarting instances over and over mixes up neither their records nor their arguments.
    #[test]
    fn corruption() {
        paused(async {
            let mut cast = Cast::default();
            let root = supervisor("root").intensity(100, seconds(60));
            let tree = three(&mut cast, root, Restart::Permanent).await;
            for round in 1..=20_u64 {
                for name in ["w#1", "w#3"] {
                    cast.crash(name).await;
                    assert_eq!(cast.log.take(), format!("{name}+"), "round {round}");
                    assert_eq!(cast.handle(name).ask(Epoch, ASK).await, Ok(round + 1));
                }
            }
            assert_eq!(cast.handle("w#2").ask(Epoch, ASK).await, Ok(1));
            assert_eq!(counts(&tree).await, (3, 3, 0));
        });
    }

    /// An instance that declines its restart is gone.
    #[test]
    fn restart_ignore() {
        paused(async {
            for restart in [Restart::Permanent, Restart::Transient] {
                let mut cast = Cast::default();
                let tree = three(&mut cast, supervisor("root"), restart).await;
                cast.script("w#1").then([Start::Ignore]);
                cast.crash("w#1").await;
                assert_eq!(children(&tree).await, "w#2:Running w#3:Running");
                assert!(tree.is_up());
            }
        });
    }
}
