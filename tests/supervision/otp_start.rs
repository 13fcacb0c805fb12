//! OTP's supervisor suite: groups sup_start and sup_start_map.

mod sup_start {
    use crate::support::*;
    use plimsoll::supervision::machine::AdminError;
    use plimsoll::supervision::*;

    #[test]
    fn normal() {
        paused(async {
            let tree = up(supervisor("root")).await;
            assert_eq!(children(&tree).await, "");
            assert!(tree.is_up());
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        });
    }

    #[test]
    fn ignore_child() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.scripted("b", spec(), [Start::Ignore]);
            let tree = up(supervisor("root").child(a).child(b)).await;
            assert_eq!(children(&tree).await, "a:Running b:Stopped");
            assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed));
            assert!(is_up(&tree.restart_child("root/b").await), "it may be started later");
        });
    }

    #[test]
    fn ignore_temporary_child() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.scripted("b", with(Restart::Temporary), [Start::Ignore]);
            let tree = up(supervisor("root").child(a).child(b)).await;
            assert_eq!(children(&tree).await, "a:Running", "a temporary child that declined is not kept");
            assert_eq!(counts(&tree).await, (1, 1, 0));
        });
    }

    #[test]
    fn ignore_temporary_child_start_child() {
        paused(async {
            let mut cast = Cast::default();
            let b = cast.scripted("b", with(Restart::Temporary), [Start::Ignore]);
            let tree = up(supervisor("root")).await;
            assert!(is_ignored(&tree.start_child("root", b).await));
            assert_eq!(children(&tree).await, "");
            assert!(tree.snapshot().iter().all(|n| n.path != "root/b"));
        });
    }

    #[test]
    fn ignore_temporary_child_start_child_simple() {
        paused(async {
            let mut cast = Cast::default();
            let b = cast.scripted("b#1", with(Restart::Temporary), [Start::Ignore]);
            let tree = up(supervisor("root")).await;
            assert!(is_ignored(&tree.start_instance("root", b).await));
            assert_eq!(children(&tree).await, "");
        });
    }

    #[test]
    fn ignore_permanent_child_start_child_simple() {
        paused(async {
            let mut cast = Cast::default();
            let b = cast.scripted("b#1", with(Restart::Permanent), [Start::Ignore]);
            let tree = up(supervisor("root")).await;
            assert!(is_ignored(&tree.start_instance("root", b).await));
            assert_eq!(children(&tree).await, "", "an instance that declined is not kept, permanent or not");
            assert_eq!(cast.handle("b#1").ask(Count, ASK).await, Err(AskError::Closed));
        });
    }

    #[test]
    fn error_return() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let refused = Tree::start(supervisor("no/slashes").child(a), manual());
            let Err(BuildError::Spec(error)) = refused else { panic!("accepted") };
            assert_eq!(error, SpecError::BadName { name: "no/slashes".into() });
            settle().await;
            assert_eq!(cast.log.take(), "", "nothing was started");
            assert_eq!(cast.handle("a").ask(Count, ASK).await, Err(AskError::Closed), "nor waits for mail");
        });
    }

    #[test]
    fn fail() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.scripted("a", spec(), [Start::PanicInFactory]);
            let tree = Tree::start(supervisor("root").child(a), manual()).unwrap();
            let Err(Ended::StartFailed(why)) = tree.up().await else { panic!("it came up") };
            assert!(why.contains('a') && why.contains("in factory"), "{why}");
            assert_eq!(node(&tree, "root").state, NodeState::Failed);
        });
    }

    #[test]
    fn child_returns_error() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.cell("b", spec());
            let c = cast.scripted("c", spec(), [Start::Fail]);
            let d = cast.cell("d", spec());
            let root = supervisor("root").child(a).child(b).child(c).child(d);
            let tree = Tree::start(root, manual()).unwrap();
            let Err(Ended::StartFailed(why)) = tree.up().await else { panic!("it came up") };
            assert!(why.starts_with("c ") && why.contains("scripted"), "{why}");
            assert_eq!(cast.log.take(), "a+ b+ b- a-", "what had started stops in reverse; d never starts");
            for name in ["a", "b", "c", "d"] {
                assert_eq!(cast.handle(name).ask(Count, ASK).await, Err(AskError::Closed), "{name}");
            }
        });
    }

    #[test]
    fn restart_child_returns_error() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").child(a)).await;
            tree.terminate_child("root/a").await.unwrap();
            cast.script("a").then([Start::Fail]);
            let Err(AdminError::StartFailed(ExitReason::StartFailed(why))) =
                tree.restart_child("root/a").await
            else {
                panic!("it came up")
            };
            assert_eq!(why, "scripted");
            assert_eq!(children(&tree).await, "a:Stopped", "kept, not retried");
            assert!(is_up(&tree.restart_child("root/a").await));
        });
    }

    #[test]
    fn child_returns_error_simple() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.scripted("a#1", spec(), [Start::Fail]);
            let tree = up(supervisor("root")).await;
            assert!(matches!(tree.start_instance("root", a).await, Err(AdminError::StartFailed(_))));
            assert_eq!(counts(&tree).await, (0, 0, 0));
            assert!(tree.is_up(), "the supervisor does not mind");
        });
    }
}

mod sup_start_map {
    use crate::support::*;
    use plimsoll::supervision::machine::AdminError;
    use plimsoll::supervision::*;

    #[test]
    fn map() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", ChildSpec { placement: Placement::Local, ..ChildSpec::default() });
            let tree = up(supervisor("root").child(a)).await;
            assert_eq!(children(&tree).await, "a:Running", "a spec of defaults is a good spec");
        });
    }

    #[test]
    fn map_simple() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a#1", ChildSpec { placement: Placement::Local, ..ChildSpec::default() });
            let tree = up(supervisor("root")).await;
            assert!(is_up(&tree.start_instance("root", a).await));
            assert_eq!(children(&tree).await, "a#1:Running");
        });
    }

    /// Every contradiction is refused before anything starts, at declaration and at run time alike.
    #[test]
    fn map_faulty_specs() {
        let faulty: Vec<(&str, ChildSpec)> = vec![
            ("significant", ChildSpec { significant: true, ..spec() }),
            ("auto_shutdown", ChildSpec { significant: true, ..with(Restart::Transient) }),
            ("infinity", ChildSpec { shutdown: Shutdown::Infinity, ..spec() }),
            ("start_timeout", ChildSpec { start_timeout: seconds(0), ..spec() }),
            ("hang.handler", ChildSpec { hang: HangLimits { handler: seconds(0), ..spec().hang }, ..spec() }),
            ("hang.wait", ChildSpec { hang: HangLimits { wait: seconds(0), ..spec().hang }, ..spec() }),
            (
                "mailbox.capacity",
                ChildSpec { mailbox: MailboxPolicy { capacity: 0, ..spec().mailbox }, ..spec() },
            ),
            ("intensity.period", ChildSpec { intensity: Some(Intensity::new(1, seconds(0))), ..spec() }),
        ];
        paused(async {
            for (what, faulty) in faulty {
                let mut cast = Cast::default();
                let a = cast.cell("a", faulty.clone());
                let Err(BuildError::Spec(error)) = Tree::start(supervisor("root").child(a), manual()) else {
                    panic!("{what} was accepted")
                };
                assert!(error.to_string().contains(what), "{what}: {error}");
                assert!(error.to_string().contains("root/a"), "{what}: {error}");
                let tree = up(supervisor("root")).await;
                let late = cast.cell("a", faulty);
                let Err(AdminError::StartFailed(error)) = tree.start_child("root", late).await else {
                    panic!("{what} was accepted at run time")
                };
                assert!(error.to_string().contains(what), "{what}: {error}");
                assert_eq!(cast.log.take(), "");
            }
        });
    }
}
