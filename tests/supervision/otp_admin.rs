//! OTP's supervisor suite: groups admin, counting and saved state.

mod admin {
    use crate::support::*;
    use plimsoll::supervision::machine::{AdminError, AdminOutcome};
    use plimsoll::supervision::*;

    #[test]
    fn child_adm() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").child(a)).await;
            let twin = probe("a", &cast.log, spec());
            assert_eq!(
                tree.start_child("root", twin.cell).await,
                Err(AdminError::AlreadyPresent("a".into())),
                "a name is taken once"
            );
            assert_eq!(twin.handle.ask(Count, ASK).await, Err(AskError::Closed), "the refused one is closed");
            assert_eq!(tree.restart_child("root/a").await, Err(AdminError::Running));
            assert_eq!(tree.delete_child("root/a").await, Err(AdminError::Running));
            assert_eq!(tree.terminate_child("root/a").await, Ok(AdminOutcome::Done));
            assert_eq!(tree.terminate_child("root/a").await, Ok(AdminOutcome::Done), "twice is no error");
            assert_eq!(cast.handle("a").ask(Count, ASK).await, Err(AskError::Closed));
            let twin = probe("a", &cast.log, spec());
            assert!(tree.start_child("root", twin.cell).await.is_err(), "its spec still holds the name");
            assert!(is_up(&tree.restart_child("root/a").await));
            assert!(cast.answers("a").await, "the same handle reaches it again");
            tree.terminate_child("root/a").await.unwrap();
            assert_eq!(tree.delete_child("root/a").await, Ok(AdminOutcome::Done));
            for refused in [
                tree.terminate_child("root/a").await,
                tree.restart_child("root/a").await,
                tree.delete_child("root/a").await,
                tree.terminate_child("root/never").await,
                tree.terminate_child("nowhere").await,
            ] {
                assert_eq!(refused, Err(AdminError::NotFound));
            }
            let late = cast.cell("late", spec());
            assert!(is_up(&tree.start_child("root", late).await));
            let lost = cast.cell("lost", spec());
            assert_eq!(tree.start_child("root/none", lost).await, Err(AdminError::NotFound));
            assert_eq!(cast.handle("lost").ask(Count, ASK).await, Err(AskError::Closed));
            assert_eq!(cast.log.take(), "a+ a- a+ a- late+");
        });
    }

    #[test]
    fn child_adm_simple() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root").children_max(2)).await;
            for name in ["w#1", "w#2"] {
                let cell = cast.cell(name, spec());
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            let third = cast.cell("w#3", spec());
            assert_eq!(tree.start_instance("root", third).await, Err(AdminError::TooMany(2)));
            assert_eq!(cast.handle("w#3").ask(Count, ASK).await, Err(AskError::Closed));
            assert_eq!(tree.restart_child("root/w#1").await, Err(AdminError::Running));
            assert_eq!(tree.terminate_child("root/w#1").await, Ok(AdminOutcome::Done));
            assert_eq!(tree.restart_child("root/w#1").await, Err(AdminError::NotFound), "no spec is kept");
            assert_eq!(tree.delete_child("root/w#1").await, Err(AdminError::NotFound));
            assert_eq!(children(&tree).await, "w#2:Running");
        });
    }

    /// A bad child spec is named with its path and field; the good ones before it never start.
    #[test]
    fn child_specs() {
        paused(async {
            let mut cast = Cast::default();
            let bad: Vec<(&str, SupervisorDecl)> = vec![
                ("two children are named", {
                    let (a, twin) = (cast.cell("a", spec()), cast.cell("a", spec()));
                    supervisor("root").child(a).child(twin)
                }),
                ("child name", supervisor("root").child(cast.cell("a b", spec()))),
                ("at most 1", {
                    let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
                    supervisor("root").children_max(1).child(a).child(b)
                }),
            ];
            for (what, decl) in bad {
                let Err(error) = Tree::start(decl, manual()) else { panic!("{what}: accepted") };
                assert!(error.to_string().contains(what), "{what}: {error}");
            }
            settle().await;
            assert_eq!(cast.log.take(), "");
        });
    }

    /// The specs in force are shown as they are.
    #[test]
    fn child_specs_map() {
        paused(async {
            let mut cast = Cast::default();
            let odd = ChildSpec {
                shutdown: Shutdown::Graceful(millis(250)),
                metadata: vec![("workload".into(), "order path".into())],
                intensity: Some(Intensity::new(7, seconds(9))),
                ..with(Restart::Transient)
            };
            let a = cast.cell("a", odd);
            let tree = up(supervisor("root").strategy(Strategy::RestForOne).child(a)).await;
            let shown = node(&tree, "root/a");
            let limit = |name: &str| shown.limits[name].clone();
            assert_eq!(limit("restart"), "transient");
            assert_eq!(limit("shutdown_seconds"), 0.25);
            assert_eq!((limit("restarts_max"), limit("restart_period_seconds")), (7.into(), 9.0.into()));
            assert_eq!(shown.metadata["workload"], "order path");
            assert_eq!(node(&tree, "root").limits["strategy"], "rest_for_one");
        });
    }

    #[test]
    fn sup_flags() {
        paused(async {
            for (what, decl) in [
                ("intensity.period", supervisor("root").intensity(1, seconds(0))),
                ("children_max", supervisor("root").children_max(0)),
                ("child name", supervisor("")),
            ] {
                let Err(error) = Tree::start(decl, manual()) else { panic!("{what}: accepted") };
                assert!(error.to_string().contains(what), "{what}: {error}");
            }
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").intensity(0, seconds(1)).child(a)).await;
            cast.crash("a").await;
            let ended = tree.ended().await;
            assert!(matches!(ended, Ended::Emergency(Emergency::Meltdown(_))), "intensity 0: {ended:?}");
        });
    }

    /// A child that would rather not be stopped is stopped all the same.
    #[test]
    fn child_unlink() {
        paused(async {
            let log = Log::default();
            let a = probe_with("a", &log, spec(), OnStop::Veto);
            let tree = up(supervisor("root").child(a.cell)).await;
            assert_eq!(a.handle.ask(Stop, ASK).await, Ok(()));
            assert_eq!(a.handle.ask(Epoch, ASK).await, Ok(1), "its own wish it may take back");
            assert_eq!(tree.terminate_child("root/a").await, Ok(AdminOutcome::Done));
            assert_eq!(log.take(), "a+ a-");
        });
    }

    /// A nested tree: each failure is dealt with by the nearest supervisor that can.
    #[test]
    fn tree() {
        paused(async {
            let mut cast = Cast::default();
            let left = supervisor("left")
                .strategy(Strategy::OneForAll)
                .intensity(1, seconds(60))
                .child(cast.cell("a", spec()))
                .child(cast.cell("b", spec()));
            let right = supervisor("right").child(cast.cell("c", spec())).child(cast.cell("d", spec()));
            let tree = up(supervisor("root").child(left).child(right)).await;
            assert_eq!(cast.log.take(), "a+ b+ c+ d+");
            cast.crash("d").await;
            assert_eq!(cast.log.take(), "d+");
            cast.crash("a").await;
            assert_eq!(cast.log.take(), "b- a+ b+");
            assert_eq!(node(&tree, "root/left").restarts, 0);
            cast.crash("b").await;
            assert_eq!(cast.log.take(), "a- a+ b+", "left melts down and is started anew by the root");
            assert_eq!(node(&tree, "root/left").restarts, 1);
            let failure = node(&tree, "root/left").last_failure.unwrap();
            assert!(failure.contains("escalated") && failure.contains("told to"), "{failure}");
            tree.terminate_child("root/left").await.unwrap();
            assert_eq!(cast.log.take(), "b- a-");
            assert_eq!(cast.handle("a").ask(Count, ASK).await, Err(AskError::Closed));
            assert!(is_up(&tree.restart_child("root/left").await));
            assert_eq!(cast.log.take(), "a+ b+");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "d- c- b- a-");
        });
    }

    /// The order of the declaration outlives crashes, terminations and deletions.
    #[test]
    fn order_of_children() {
        paused(async {
            let mut cast = Cast::default();
            let mut root = supervisor("root").strategy(Strategy::RestForOne).intensity(9, seconds(60));
            for name in ["a", "b", "c"] {
                root = root.child(cast.cell(name, spec()));
            }
            let tree = up(root).await;
            let d = cast.cell("d", spec());
            assert!(is_up(&tree.start_child("root", d).await));
            cast.crash("b").await;
            tree.terminate_child("root/a").await.unwrap();
            assert!(is_up(&tree.restart_child("root/a").await));
            cast.crash("c").await;
            cast.log.take();
            let (shown, _) = tree.children("root").await.unwrap();
            let names: Vec<&str> = shown.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(names, ["a", "b", "c", "d"]);
            tree.terminate_child("root/c").await.unwrap();
            cast.crash("a").await;
            assert_eq!(cast.log.take(), "c- d- b- a+ b+ d+", "c was told to stay down, and does");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "d- b- a-");
        });
    }
}

mod counting {
    use crate::support::*;
    use plimsoll::supervision::*;

    #[test]
    fn count_children() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.scripted("b", spec(), [Start::Ignore]);
            let tree = up(supervisor("root").child(a).child(b)).await;
            assert_eq!(counts(&tree).await, (2, 1, 0));
            for n in 1..=50 {
                let cell = cast.cell(&format!("w#{n}"), with(Restart::Temporary));
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            assert_eq!(counts(&tree).await, (52, 51, 0));
            for n in 1..=50 {
                cast.leave(&format!("w#{n}")).await;
            }
            assert_eq!(counts(&tree).await, (2, 1, 0));
            tree.terminate_child("root/a").await.unwrap();
            assert_eq!(counts(&tree).await, (2, 0, 0));
        });
    }

    /// Which of the children are supervisors is in the snapshot.
    #[test]
    fn count_children_supervisor() {
        paused(async {
            let mut cast = Cast::default();
            let below = supervisor("below").child(cast.cell("b", spec())).child(cast.cell("c", spec()));
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").child(a).child(below)).await;
            assert_eq!(counts(&tree).await, (2, 2, 0), "grandchildren are not children");
            let kinds: Vec<(String, NodeKind)> =
                tree.snapshot().into_iter().map(|n| (n.path, n.kind)).collect();
            let expected = [
                ("root", NodeKind::Supervisor),
                ("root/a", NodeKind::Worker),
                ("root/below", NodeKind::Supervisor),
                ("root/below/b", NodeKind::Worker),
                ("root/below/c", NodeKind::Worker),
            ];
            let expected: Vec<(String, NodeKind)> =
                expected.iter().map(|(p, k)| ((*p).to_owned(), *k)).collect();
            assert_eq!(kinds, expected);
            assert!(tree.children("root/nobody").await.is_none());
        });
    }

    #[test]
    fn count_restarting_children() {
        paused(async {
            let mut cast = Cast::default();
            let mut root = supervisor("root").intensity(9, seconds(60));
            for name in ["a", "b", "c"] {
                root = root.child(cast.cell(name, delayed(seconds(1))));
            }
            let tree = up(root).await;
            cast.crash("a").await;
            cast.crash("c").await;
            assert_eq!(counts(&tree).await, (3, 1, 2));
            assert_eq!(children(&tree).await, "a:Backoff b:Running c:Backoff");
            assert_eq!(node(&tree, "root/a").state, NodeState::Backoff);
            tokio::time::sleep(seconds(2)).await;
            assert_eq!(counts(&tree).await, (3, 3, 0));
        });
    }

    #[test]
    fn which_children() {
        paused(async {
            let mut cast = Cast::default();
            let (a, b) = (cast.cell("a", spec()), cast.cell("b", with(Restart::Transient)));
            let tree = up(supervisor("root").child(a).child(b)).await;
            assert_eq!(children(&tree).await, "a:Running b:Running");
            cast.leave("b").await;
            assert_eq!(children(&tree).await, "a:Running b:Stopped");
        });
    }

    #[test]
    fn which_children_simple_one_for_one() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root")).await;
            for name in ["w#1", "w#2"] {
                let cell = cast.cell(name, with(Restart::Transient));
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            assert_eq!(children(&tree).await, "w#1:Running w#2:Running");
            cast.leave("w#1").await;
            assert_eq!(children(&tree).await, "w#2:Running");
        });
    }
}

mod saved_state {
    use crate::support::*;
    use plimsoll::supervision::*;
    use std::sync::Arc;

    /// What the factory of a temporary child captured is let go with it.
    #[test]
    fn do_not_save_start_parameters_for_temporary_children() {
        paused(async {
            let tree = up(supervisor("root")).await;
            let argument = Arc::new(());
            for (n, instance) in [(1, false), (2, true)] {
                let captured = Arc::clone(&argument);
                let (handle, cell) = cell(&format!("t#{n}"), with(Restart::Temporary), move |_| {
                    Ok(Keeper { _argument: Arc::clone(&captured) })
                });
                let started = if instance {
                    tree.start_instance("root", cell).await
                } else {
                    tree.start_child("root", cell).await
                };
                assert!(is_up(&started));
                assert_eq!(Arc::strong_count(&argument), 3, "the factory's and the actor's");
                assert_eq!(handle.ask(Leave, ASK).await, Ok(()));
                settle().await;
                assert_eq!(Arc::strong_count(&argument), 1, "instance: {instance}");
            }
        });
    }

    #[test]
    fn do_not_save_child_specs_for_temporary_children() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root")).await;
            for round in 1..=3 {
                for how in ["leave", "crash", "terminate"] {
                    let t = cast.cell("t", with(Restart::Temporary));
                    assert!(is_up(&tree.start_child("root", t).await), "{round} {how}: the name is free");
                    match how {
                        "leave" => cast.leave("t").await,
                        "crash" => cast.crash("t").await,
                        _ => drop(tree.terminate_child("root/t").await.unwrap()),
                    }
                    assert_eq!(counts(&tree).await, (0, 0, 0), "{round} {how}");
                    assert_eq!(tree.snapshot().len(), 1, "{round} {how}: its card is gone");
                    assert_eq!(cast.handle("t").ask(Count, ASK).await, Err(AskError::Closed));
                }
            }
        });
    }
}
