//! Background tasks: they appear, vanish, are bounded, and end with the tree.

use crate::support::*;
use plimsoll::supervision::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn task(name: &str, shutdown: Duration) -> TaskSpec {
    let metadata = [("file".to_owned(), "export.csv".to_owned())].into();
    TaskSpec { name: name.into(), metadata, shutdown }
}

fn shown(tree: &Tree) -> Vec<Node> {
    tree.snapshot().into_iter().filter(|n| n.kind == NodeKind::Task).collect()
}

#[test]
fn a_task_is_shown_while_it_runs() {
    paused(async {
        let tree = up(supervisor("root")).await;
        tree.tasks().spawn(task("export", seconds(1)), |_| tokio::time::sleep(seconds(3))).unwrap();
        tree.tasks().spawn(task("export", seconds(1)), |_| tokio::time::sleep(seconds(5))).unwrap();
        tokio::time::sleep(seconds(2)).await;
        let both = shown(&tree);
        assert_eq!(both.len(), 2);
        assert_ne!(both[0].path, both[1].path, "a number tells namesakes apart");
        assert!(both[0].path.starts_with("root/tasks/export#"), "{}", both[0].path);
        assert_eq!((both[0].state, both[0].age_seconds), (NodeState::Running, 2.0));
        assert_eq!(both[0].metadata["file"], "export.csv");
        assert_eq!(both[0].limits["shutdown_seconds"], 1.0);
        tokio::time::sleep(seconds(2)).await;
        assert_eq!((shown(&tree).len(), tree.tasks().running()), (1, 1));
        tokio::time::sleep(seconds(2)).await;
        assert_eq!((shown(&tree).len(), tree.tasks().running()), (0, 0));
    });
}

#[test]
fn a_panicking_task_is_counted_and_gone() {
    paused(async {
        let tree = up(supervisor("root")).await;
        tree.tasks().spawn(task("bad", seconds(1)), |_| async { panic!("in a task") }).unwrap();
        tree.tasks().spawn(task("good", seconds(1)), |token| token.cancelled_owned()).unwrap();
        settle().await;
        assert_eq!((tree.tasks().panicked(), tree.tasks().running()), (1, 1));
        assert!(tree.is_up());
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
    });
}

#[test]
fn tasks_are_bounded() {
    paused(async {
        let options = TreeOptions { background_tasks_max: 2, ..manual() };
        let tree = Tree::start(supervisor("root"), options).unwrap();
        tree.up().await.unwrap();
        for _ in 0..2 {
            tree.tasks().spawn(task("t", seconds(1)), |_| tokio::time::sleep(seconds(1))).unwrap();
        }
        let refused = tree.tasks().spawn(task("third", seconds(1)), |_| async {});
        assert_eq!(refused, Err(TaskError::TooMany { name: "third".into(), max: 2 }));
        tokio::time::sleep(seconds(2)).await;
        assert!(tree.tasks().spawn(task("later", seconds(1)), |_| async {}).is_ok(), "room again");
    });
}

#[test]
fn shutdown_asks_and_waits() {
    paused(async {
        let tree = up(supervisor("root")).await;
        let finished = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&finished);
        let body = |token: tokio_util::sync::CancellationToken| async move {
            token.cancelled().await;
            tokio::time::sleep(millis(900)).await;
            done.store(true, Ordering::Relaxed);
        };
        tree.tasks().spawn(task("polite", seconds(1)), body).unwrap();
        let before = tokio::time::Instant::now();
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
        assert!(finished.load(Ordering::Relaxed));
        assert_eq!(before.elapsed(), millis(900));
        let late = tree.tasks().spawn(task("late", seconds(1)), |_| async {});
        assert_eq!(late, Err(TaskError::Closed { name: "late".into() }));
    });
}

#[test]
fn shutdown_aborts_what_is_late() {
    paused(async {
        let tree = up(supervisor("root")).await;
        let dropped = Arc::new(());
        let held = Arc::clone(&dropped);
        let body = |_| async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        tree.tasks().spawn(task("deaf", seconds(2)), body).unwrap();
        let before = tokio::time::Instant::now();
        assert_eq!(tree.shutdown(GRACE).await, Ended::Shutdown { forced: true });
        assert_eq!(before.elapsed(), seconds(2), "its own time, not the whole grace");
        settle().await;
        assert_eq!(Arc::strong_count(&dropped), 1, "its future is gone");
        assert!(shown(&tree).is_empty());
    });
}

/// The tree's grace bounds everything: a child's long limit, and tasks.
#[test]
fn the_grace_is_the_last_word() {
    paused(async {
        let tree = up(supervisor("root")).await;
        let deaf = |_| std::future::pending::<()>();
        tree.tasks().spawn(task("deaf", seconds(60)), deaf).unwrap();
        let before = tokio::time::Instant::now();
        assert_eq!(tree.shutdown(seconds(3)).await, Ended::Shutdown { forced: true });
        assert_eq!(before.elapsed(), seconds(3));
    });
}

/// On the thread of their own that they have in production.
#[test]
fn tasks_run_beside_the_control_loop() {
    real(async {
        let tree = Tree::start(supervisor("root"), watched()).unwrap();
        tree.up().await.unwrap();
        let gate = Gate::default();
        let _released = Releases(gate.clone());
        let inside = gate.clone();
        tree.tasks().spawn(task("blocking", seconds(5)), |_| async move { inside.pass() }).unwrap();
        gate.entered().await;
        assert_eq!(shown(&tree).len(), 1, "the control loop lives while a task blocks");
        gate.release();
        until(|| tree.tasks().running() == 0).await;
        assert_eq!(tree.shutdown(GRACE).await, CLEAN);
    });
}
