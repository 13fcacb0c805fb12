//! OTP's supervisor suite: group sup_stop.

mod sup_stop {
    use crate::support::*;
    use plimsoll::supervision::*;

    /// On a thread of its own, with this long to stop.
    fn threaded(shutdown: Shutdown) -> ChildSpec {
        ChildSpec { placement: Placement::OwnThread, shutdown, ..spec() }
    }

    /// A supervisor below is waited for as long as its children take, whatever that is.
    #[test]
    fn infinity() {
        real(async {
            let mut cast = Cast::default();
            let slow = cast.cell("slow", threaded(Shutdown::Graceful(seconds(20))));
            let below = supervisor("below").child(slow);
            let tree = up(supervisor("root").child(below)).await;
            let gate = Gate::default();
            cast.handle("slow").tell(Hold(gate.clone())).unwrap();
            gate.entered().await;
            let ending = tokio::spawn({
                let tree = tree.clone();
                async move { tree.shutdown(GRACE).await }
            });
            until(|| node(&tree, "root/below/slow").state == NodeState::Stopping).await;
            assert_eq!(node(&tree, "root/below").state, NodeState::Stopping);
            gate.release();
            assert_eq!(ending.await.unwrap(), CLEAN);
            assert_eq!(cast.log.take(), "slow+ slow-");
        });
    }

    #[test]
    fn timeout() {
        real(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", threaded(Shutdown::Graceful(seconds(5))));
            let b = cast.cell("b", threaded(Shutdown::Graceful(millis(50))));
            let tree = up(supervisor("root").child(a).child(b)).await;
            let gate = Gate::default();
            cast.handle("b").tell(Hold(gate.clone())).unwrap();
            gate.entered().await;
            assert_eq!(tree.shutdown(GRACE).await, CLEAN, "its own time was over, not the tree's grace");
            assert_eq!(cast.log.take(), "a+ b+ a-", "b was fenced, then a stopped in good order");
            assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed));
            gate.release();
        });
    }

    #[test]
    fn timeout_dynamic() {
        real(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root")).await;
            let mut gates = Vec::new();
            for n in 1..=3 {
                let name = format!("w#{n}");
                let cell = cast.cell(&name, threaded(Shutdown::Graceful(millis(30))));
                assert!(is_up(&tree.start_instance("root", cell).await));
                let gate = Gate::default();
                cast.handle(&name).tell(Hold(gate.clone())).unwrap();
                gate.entered().await;
                gates.push(gate);
            }
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "w#1+ w#2+ w#3+", "no closing hook ran on any of them");
            for gate in gates {
                gate.release();
            }
        });
    }

    #[test]
    fn brutal_kill() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.cell("b", ChildSpec { shutdown: Shutdown::BrutalKill, ..spec() });
            let tree = up(supervisor("root").child(a).child(b)).await;
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "a+ b+ a-", "no hook of b ran");
            assert_eq!(cast.handle("b").ask(Count, ASK).await, Err(AskError::Closed));
        });
    }

    #[test]
    fn brutal_kill_dynamic() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root")).await;
            for n in 1..=3 {
                let brutal = ChildSpec { shutdown: Shutdown::BrutalKill, ..spec() };
                let cell = cast.cell(&format!("w#{n}"), brutal);
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            tree.terminate_child("root/w#2").await.unwrap();
            assert_eq!(children(&tree).await, "w#1:Running w#3:Running");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "w#1+ w#2+ w#3+");
        });
    }

    /// Children that end by themselves while the supervisor ends: each ends once, nothing comes back.
    #[test]
    fn race() {
        paused(async {
            for round in 0..20_usize {
                let mut cast = Cast::default();
                let mut root = supervisor("root");
                for name in ["a", "b", "c", "d"] {
                    root = root.child(cast.cell(name, spec()));
                }
                let tree = up(root).await;
                cast.log.take();
                let ending = tokio::task::spawn_local({
                    let tree = tree.clone();
                    async move { tree.shutdown(GRACE).await }
                });
                for _ in 0..round {
                    tokio::task::yield_now().await;
                }
                for name in ["a", "b", "c", "d"] {
                    // Whoever has ended already refuses it.
                    let _ = cast.handle(name).tell(Stop);
                }
                assert_eq!(ending.await.unwrap(), CLEAN, "round {round}");
                let mut stopped: Vec<String> =
                    cast.log.take().split(' ').filter(|e| e.ends_with('-')).map(Into::into).collect();
                stopped.sort_unstable();
                assert_eq!(stopped, ["a-", "b-", "c-", "d-"], "round {round}");
                settle().await;
                assert_eq!(cast.log.take(), "", "round {round}: nothing moves after the end");
            }
        });
    }

    #[test]
    fn non_shutdown_exit_dynamic() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(supervisor("root")).await;
            let good = cast.cell("w#1", spec());
            let bad = probe_with("w#2", &cast.log, spec(), OnStop::Panic);
            assert!(is_up(&tree.start_instance("root", good).await));
            assert!(is_up(&tree.start_instance("root", bad.cell).await));
            assert_eq!(tree.shutdown(GRACE).await, CLEAN, "a bad end is noted and changes nothing");
            assert_eq!(cast.log.take(), "w#1+ w#2+ w#1-");
        });
    }
}
