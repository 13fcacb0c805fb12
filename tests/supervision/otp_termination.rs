//! OTP's supervisor suite: normal, shutdown and abnormal termination, and the restart intensity.

mod normal_termination {
    use crate::support::*;
    use plimsoll::supervision::*;

    #[test]
    fn permanent() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Permanent));
            let tree = up(supervisor("root").child(a)).await;
            cast.leave("a").await;
            assert_eq!(cast.log.take(), "a+ a- a+");
            assert_eq!(node(&tree, "root/a").last_failure, None, "a clean end is no failure");
        });
    }

    #[test]
    fn transient() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Transient));
            let tree = up(supervisor("root").child(a)).await;
            cast.leave("a").await;
            assert_eq!(cast.log.take(), "a+ a-");
            assert_eq!(children(&tree).await, "a:Stopped", "its spec stays");
            assert_eq!(cast.handle("a").ask(Count, ASK).await, Err(AskError::Closed));
        });
    }

    #[test]
    fn temporary() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Temporary));
            let tree = up(supervisor("root").child(a)).await;
            cast.leave("a").await;
            assert_eq!(children(&tree).await, "", "its spec goes with it");
            assert_eq!(cast.handle("a").ask(Count, ASK).await, Err(AskError::Closed));
        });
    }
}

/// A child that ends with reason `shutdown` is here a supervisor that shut itself down.
mod shutdown_termination {
    use crate::support::*;
    use plimsoll::supervision::*;

    fn below(cast: &mut Cast, restart: Restart) -> SupervisorDecl {
        let last = ChildSpec { significant: true, ..with(Restart::Transient) };
        let a = cast.cell("a", last);
        supervisor("below").auto_shutdown(AutoShutdown::AnySignificant).restart(restart).child(a)
    }

    #[test]
    fn permanent() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root").child(below(&mut cast, Restart::Permanent))).await;
            cast.leave("a").await;
            assert_eq!(cast.log.take(), "a+ a- a+");
            assert_eq!(node(&tree, "root/below").restarts, 1);
        });
    }

    #[test]
    fn transient() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root").child(below(&mut cast, Restart::Transient))).await;
            cast.leave("a").await;
            assert_eq!(
                (cast.log.take().as_str(), children(&tree).await.as_str()),
                ("a+ a-", "below:Stopped")
            );
        });
    }

    #[test]
    fn temporary() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root").child(below(&mut cast, Restart::Temporary))).await;
            cast.leave("a").await;
            assert_eq!((cast.log.take().as_str(), children(&tree).await.as_str()), ("a+ a-", ""));
        });
    }

    /// The root shuts itself down: the application ends in good order, without an emergency.
    #[test]
    fn faulty_application_shutdown() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.cell("b", ChildSpec { significant: true, ..with(Restart::Temporary) });
            let c = probe_with("c", &cast.log, spec(), OnStop::Panic);
            let root = supervisor("root").auto_shutdown(AutoShutdown::AnySignificant);
            let tree = up(root.child(a).child(b).child(c.cell)).await;
            cast.crash("b").await;
            assert_eq!(tree.ended().await, CLEAN);
            assert_eq!(cast.log.take(), "a+ b+ c+ a-", "the faulty end of c holds nobody up");
        });
    }
}

mod abnormal_termination {
    use crate::support::*;
    use plimsoll::supervision::*;

    #[test]
    fn permanent() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Permanent));
            let tree = up(supervisor("root").child(a)).await;
            cast.crash("a").await;
            assert_eq!((cast.log.take().as_str(), children(&tree).await.as_str()), ("a+ a+", "a:Running"));
        });
    }

    #[test]
    fn transient() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Transient));
            let tree = up(supervisor("root").child(a)).await;
            cast.crash("a").await;
            assert_eq!((cast.log.take().as_str(), children(&tree).await.as_str()), ("a+ a+", "a:Running"));
        });
    }

    #[test]
    fn temporary() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", with(Restart::Temporary));
            let tree = up(supervisor("root").child(a)).await;
            cast.crash("a").await;
            assert_eq!((cast.log.take().as_str(), children(&tree).await.as_str()), ("a+", ""));
            assert!(tree.is_up());
        });
    }

    /// A temporary child is not restarted with its group, and is gone afterwards.
    #[test]
    fn temporary_bystander() {
        paused(async {
            for (strategy, victim) in [(Strategy::OneForAll, "c"), (Strategy::RestForOne, "a")] {
                let mut cast = Cast::default();
                let a = cast.cell("a", spec());
                let b = cast.cell("b", with(Restart::Temporary));
                let c = cast.cell("c", spec());
                let root = supervisor("root").strategy(strategy).child(a).child(b).child(c);
                let tree = up(root).await;
                cast.log.take();
                cast.crash(victim).await;
                let expected = if victim == "c" { "b- a- a+ c+" } else { "c- b- a+ c+" };
                assert_eq!(cast.log.take(), expected, "{strategy:?}");
                assert_eq!(children(&tree).await, "a:Running c:Running", "{strategy:?}");
                assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed), "{strategy:?}");
            }
        });
    }
}

mod intensity {
    use crate::support::*;
    use plimsoll::supervision::*;

    /// Twenty failures, each just outside the window of the one before: never more than tolerated.
    #[test]
    fn multiple_restarts() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").intensity(1, seconds(1)).child(a)).await;
            for _ in 0..20 {
                cast.crash("a").await;
                tokio::time::sleep(millis(1001)).await;
            }
            assert_eq!(node(&tree, "root/a").restarts, 20);
            assert!(tree.is_up());
            cast.crash("a").await;
            cast.crash("a").await;
            assert!(matches!(tree.ended().await, Ended::Emergency(Emergency::Meltdown(_))));
        });
    }
}
