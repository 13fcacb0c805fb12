//! OTP's supervisor suite: groups scale, restart loops, global and logging.

mod scale {
    use crate::support::*;
    use plimsoll::supervision::*;

    /// Processor time of this thread so far, in nanoseconds: the whole tree runs on it.
    fn cpu_nanos() -> u64 {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        stat.split(' ').next().unwrap().trim().parse().unwrap()
    }

    /// Starts `n` temporary instances and lets each end by itself, youngest last.
    fn start_and_leave(n: u64) -> u64 {
        paused(async {
            let tree = up(supervisor("root").children_max(20_000)).await;
            let mut handles = Vec::new();
            let before = cpu_nanos();
            for i in 0..n {
                let (handle, cell) = cell(&format!("w#{i}"), with(Restart::Temporary), |_| {
                    Ok(Keeper { _argument: std::sync::Arc::default() })
                });
                assert!(is_up(&tree.start_instance("root", cell).await));
                handles.push(handle);
            }
            for handle in handles {
                assert_eq!(handle.ask(Leave, ASK).await, Ok(()));
            }
            while counts(&tree).await.0 > 0 {
                settle().await;
            }
            cpu_nanos() - before
        })
    }

    /// Ten times the children, at most 18 times the processor time. Linear work measures 11 to 12; a list
    /// searched at each end made it 20, and what is quadratic throughout makes it a hundred. Three tries,
    /// because a busy machine's caches are not this test's business: one that is not linear fails them all.
    fn is_linear(work: fn(u64) -> u64) {
        work(100);
        let tries: Vec<(u64, u64)> = (0..3).map(|_| (work(1_000), work(10_000))).collect();
        let linear = tries.iter().any(|(small, large)| *large < small * 18);
        assert!(linear, "nanoseconds for 1k and 10k children: {tries:?}");
    }

    #[test]
    fn simple_one_for_one_scale_many_temporary_children() {
        is_linear(start_and_leave);
    }

    /// Starts `n` children and has an operator terminate each, oldest first.
    fn start_stop(n: u64) -> u64 {
        paused(async {
            let tree = up(supervisor("root").children_max(20_000)).await;
            let before = cpu_nanos();
            for i in 0..n {
                let (_, cell) =
                    cell(&format!("w#{i}"), spec(), |_| Ok(Keeper { _argument: std::sync::Arc::default() }));
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            for i in 0..n {
                tree.terminate_child(&format!("root/w#{i}")).await.unwrap();
            }
            assert_eq!(counts(&tree).await, (0, 0, 0));
            cpu_nanos() - before
        })
    }

    #[test]
    fn scale_start_stop_many_children() {
        is_linear(start_stop);
    }
}

/// A child whose restart hangs or fails for ever: its supervisor stays responsive all the while.
mod restart_loops {
    use crate::support::*;
    use plimsoll::supervision::machine::AdminError;
    use plimsoll::supervision::*;

    /// After its first start it takes its whole start timeout, fails, and is tried again, for ever.
    async fn loops(cast: &mut Cast, tree: &Tree, name: &str) {
        cast.script(name).then([Start::Slow(seconds(3600)); 50]);
        cast.crash(name).await;
        // Well into the loop: several attempts have timed out.
        tokio::time::sleep(millis(3500)).await;
        assert_eq!(node(tree, &format!("root/{name}")).state, NodeState::Starting);
    }

    fn root(strategy: Strategy) -> SupervisorDecl {
        supervisor("root").strategy(strategy).intensity(1_000, seconds(1))
    }

    #[test]
    fn hanging_restart_loop() {
        paused(async {
            let mut cast = Cast::default();
            let (a, b) = (cast.cell("a", spec()), cast.cell("b", spec()));
            let tree = up(root(Strategy::OneForOne).child(a).child(b)).await;
            loops(&mut cast, &tree, "a").await;
            cast.log.take();
            assert_eq!(children(&tree).await, "a:Starting b:Running");
            assert!(cast.answers("b").await);
            cast.crash("b").await;
            assert_eq!(cast.log.take(), "b+", "a sibling restarts at once");
            let late = cast.cell("late", spec());
            assert!(is_up(&tree.start_child("root", late).await));
            assert_eq!(tree.restart_child("root/a").await, Err(AdminError::Running));
            assert_eq!(tree.delete_child("root/a").await, Err(AdminError::Running));
            tree.terminate_child("root/a").await.unwrap();
            assert_eq!(children(&tree).await, "a:Stopped b:Running late:Running", "the loop is over");
            cast.script("a").clear();
            assert!(is_up(&tree.restart_child("root/a").await));
            loops(&mut cast, &tree, "a").await;
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        });
    }

    #[test]
    fn hanging_restart_loop_rest_for_one() {
        paused(async {
            let mut cast = Cast::default();
            let (a, b, c) = (cast.cell("a", spec()), cast.cell("b", spec()), cast.cell("c", spec()));
            let tree = up(root(Strategy::RestForOne).child(a).child(b).child(c)).await;
            loops(&mut cast, &tree, "b").await;
            assert_eq!(children(&tree).await, "a:Running b:Starting c:Backoff");
            assert!(cast.answers("a").await);
            assert_eq!(tree.restart_child("root/c").await, Err(AdminError::Restarting));
            assert_eq!(tree.delete_child("root/c").await, Err(AdminError::Restarting));
            tree.terminate_child("root/b").await.unwrap();
            settle().await;
            assert_eq!(children(&tree).await, "a:Running b:Stopped c:Running", "c waited for b alone");
            cast.log.take();
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
            assert_eq!(cast.log.take(), "c- a-");
        });
    }

    #[test]
    fn hanging_restart_loop_simple() {
        paused(async {
            let mut cast = Cast::default();
            let tree = up(root(Strategy::OneForOne)).await;
            for name in ["w#1", "w#2"] {
                let cell = cast.cell(name, spec());
                assert!(is_up(&tree.start_instance("root", cell).await));
            }
            loops(&mut cast, &tree, "w#1").await;
            assert!(cast.answers("w#2").await);
            let third = cast.cell("w#3", spec());
            assert!(is_up(&tree.start_instance("root", third).await));
            assert_eq!(counts(&tree).await, (3, 3, 0));
            tree.terminate_child("root/w#1").await.unwrap();
            assert_eq!(children(&tree).await, "w#2:Running w#3:Running");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        });
    }

    /// A flood of requests must not keep the control loop from looking at the time.
    #[test]
    fn a_flood_of_events_does_not_starve_the_timers() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", delayed(seconds(1)));
            let tree = up(supervisor("root").child(a)).await;
            cast.crash("a").await;
            let mut flood = Vec::new();
            for _ in 0..1_000 {
                let tree = tree.clone();
                flood.push(tokio::task::spawn_local(async move {
                    loop {
                        tree.children("root").await;
                    }
                }));
            }
            tokio::task::yield_now().await;
            tokio::time::advance(seconds(2)).await;
            let mut turns = 0;
            while node(&tree, "root/a").state != NodeState::Running && turns < 1_000 {
                tokio::task::yield_now().await;
                turns += 1;
            }
            for one in flood {
                one.abort();
            }
            assert!(turns < 1_000, "its backoff is over, and nobody saw it");
        });
    }
}

/// Registered names are here the handles: one for the whole life of a cell, across supervisors' restarts.
mod global {
    use crate::support::*;
    use plimsoll::supervision::*;

    #[test]
    fn simple_global_supervisor() {
        paused(async {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let below = supervisor("below").intensity(1, seconds(5)).child(a);
            let tree = up(supervisor("root").intensity(1, seconds(5)).child(below)).await;
            cast.crash("a").await;
            assert_eq!(cast.handle("a").ask(Epoch, ASK).await, Ok(2), "the worker is replaced");
            cast.crash("a").await;
            assert_eq!(
                cast.handle("a").ask(Epoch, ASK).await,
                Ok(3),
                "and with its supervisor, under one name"
            );
            assert_eq!(node(&tree, "root/below").restarts, 1);
            tokio::time::sleep(seconds(6)).await;
            cast.crash("a").await;
            assert_eq!(node(&tree, "root/below").restarts, 1, "the new supervisor counts anew");
            assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        });
    }

    /// What a child needs is taken by somebody outside: the start fails and says so.
    #[test]
    fn already_started_outside_supervisor() {
        paused(async {
            let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let address = taken.local_addr().unwrap();
            let (handle, cell) = cell("port", spec(), move |_| {
                let bound = std::net::TcpListener::bind(address);
                bound.map_err(|error| StartFailure::Failed(format!("{address}: {error}")))?;
                Ok(Keeper { _argument: std::sync::Arc::default() })
            });
            let tree = Tree::start(supervisor("root").child(cell), manual()).unwrap();
            let Err(Ended::StartFailed(why)) = tree.up().await else { panic!("it came up") };
            assert!(why.contains("port") && why.contains(&address.to_string()), "{why}");
            assert_eq!(handle.ask(Leave, ASK).await, Err(AskError::Closed));
        });
    }
}
