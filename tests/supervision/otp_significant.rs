//! OTP's supervisor suite: group significant (EEP 56).

mod significant {
    use crate::support::*;
    use plimsoll::supervision::*;

    fn important(restart: Restart) -> ChildSpec {
        ChildSpec { significant: true, ..with(restart) }
    }

    const BOTH: [AutoShutdown; 2] = [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant];

    #[test]
    fn nonsignificant_temporary() {
        paused(async {
            for auto in BOTH {
                let mut cast = Cast::default();
                let (a, b) =
                    (cast.cell("a", with(Restart::Temporary)), cast.cell("b", with(Restart::Temporary)));
                let tree = up(supervisor("root").auto_shutdown(auto).child(a).child(b)).await;
                cast.leave("a").await;
                cast.crash("b").await;
                assert!(tree.is_up() && children(&tree).await.is_empty(), "{auto:?}");
            }
        });
    }

    #[test]
    fn nonsignificant_transient() {
        paused(async {
            for auto in BOTH {
                let mut cast = Cast::default();
                let a = cast.cell("a", with(Restart::Transient));
                let tree = up(supervisor("root").auto_shutdown(auto).child(a)).await;
                cast.crash("a").await;
                assert_eq!(children(&tree).await, "a:Running", "{auto:?}");
                cast.leave("a").await;
                assert_eq!(children(&tree).await, "a:Stopped", "{auto:?}");
                assert!(tree.is_up(), "{auto:?}");
            }
        });
    }

    #[test]
    fn significant_temporary() {
        paused(async {
            // However it ends; under all_significant with the last of them.
            for crash in [false, true] {
                for auto in BOTH {
                    let mut cast = Cast::default();
                    let a = cast.cell("a", important(Restart::Temporary));
                    let b = cast.cell("b", important(Restart::Temporary));
                    let c = cast.cell("c", spec());
                    let root = supervisor("root").auto_shutdown(auto).child(a).child(b).child(c);
                    let tree = up(root).await;
                    if crash {
                        cast.crash("a").await
                    } else {
                        cast.leave("a").await
                    }
                    if auto == AutoShutdown::AllSignificant {
                        assert_eq!(children(&tree).await, "b:Running c:Running");
                        if crash { cast.crash("b").await } else { cast.leave("b").await }
                    }
                    assert_eq!(tree.ended().await, CLEAN, "{auto:?}");
                    assert_eq!(cast.handle("c").ask(Count, ASK).await, Err(AskError::Closed), "{auto:?}");
                }
            }
        });
    }

    #[test]
    fn significant_transient() {
        paused(async {
            for auto in BOTH {
                let mut cast = Cast::default();
                let a = cast.cell("a", important(Restart::Transient));
                let b = cast.cell("b", important(Restart::Transient));
                let tree = up(supervisor("root").auto_shutdown(auto).child(a).child(b)).await;
                cast.crash("a").await;
                assert_eq!(children(&tree).await, "a:Running b:Running", "a failure is a restart, no end");
                cast.leave("a").await;
                if auto == AutoShutdown::AllSignificant {
                    assert_eq!(children(&tree).await, "a:Stopped b:Running");
                    cast.leave("b").await;
                }
                assert_eq!(tree.ended().await, CLEAN, "{auto:?}");
            }
        });
    }

    #[test]
    fn simple() {
        paused(async {
            for auto in BOTH {
                let mut cast = Cast::default();
                let tree = up(supervisor("root").auto_shutdown(auto)).await;
                for name in ["w#1", "w#2"] {
                    let cell = cast.cell(name, important(Restart::Transient));
                    assert!(is_up(&tree.start_instance("root", cell).await));
                }
                cast.leave("w#1").await;
                if auto == AutoShutdown::AllSignificant {
                    assert_eq!(children(&tree).await, "w#2:Running");
                    cast.leave("w#2").await;
                }
                assert_eq!(tree.ended().await, CLEAN, "{auto:?}");
            }
        });
    }

    /// A significant child that its supervisor stopped, for whatever reason, has not ended by itself.
    #[test]
    fn bystander() {
        paused(async {
            for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
                for auto in BOTH {
                    let mut cast = Cast::default();
                    let a = cast.cell("a", spec());
                    let b = cast.cell("b", important(Restart::Temporary));
                    let c = cast.cell("c", important(Restart::Transient));
                    let root = supervisor("root").strategy(strategy).auto_shutdown(auto);
                    let tree = up(root.child(a).child(b).child(c)).await;
                    cast.crash("a").await;
                    assert_eq!(children(&tree).await, "a:Running c:Running", "{strategy:?} {auto:?}");
                    tree.terminate_child("root/c").await.unwrap();
                    assert_eq!(children(&tree).await, "a:Running c:Stopped", "nor one that was told to");
                    assert!(tree.is_up());
                }
            }
        });
    }

    /// The end of a supervisor that shut itself down is an end like any other for its parent.
    #[test]
    fn escalation() {
        paused(async {
            let mut cast = Cast::default();
            let last = cast.cell("last", important(Restart::Temporary));
            let below = supervisor("below")
                .auto_shutdown(AutoShutdown::AnySignificant)
                .restart(Restart::Transient)
                .significant(true)
                .child(last);
            let other = cast.cell("other", spec());
            let root = supervisor("root").auto_shutdown(AutoShutdown::AllSignificant);
            let tree = up(root.child(other).child(below)).await;
            cast.crash("last").await;
            assert_eq!(tree.ended().await, CLEAN);
            assert_eq!(cast.log.take(), "other+ last+ other-");
        });
    }

    /// A significant child that ends while its supervisor still starts waits for the others.
    #[test]
    fn all_significant_counts_those_that_have_not_had_their_turn() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.scripted("a", important(Restart::Transient), [Start::StopInStarted]);
            let slow = cast.scripted("slow", spec(), [Start::Slow(millis(500))]);
            let b = cast.cell("b", important(Restart::Transient));
            let root = supervisor("root").auto_shutdown(AutoShutdown::AllSignificant);
            let tree = up(root.child(a).child(slow).child(b)).await;
            assert_eq!(children(&tree).await, "a:Stopped slow:Running b:Running");
            cast.leave("b").await;
            assert_eq!(tree.ended().await, CLEAN);
        });
    }
}
