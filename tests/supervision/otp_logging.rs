//! OTP's supervisor suite: group logging, as trace events.

mod logging {
    use crate::support::*;
    use plimsoll::supervision::*;
    use std::cell::RefCell;
    use std::fmt::Write;
    use std::sync::Once;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    thread_local!(static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) });

    /// The events of this thread, each as `LEVEL name=value ...`.
    struct Captured;

    impl Captured {
        fn with(&self, event: &str) -> Vec<String> {
            let wanted = format!(" event={event} ");
            let lines = LINES.with_borrow(|lines| lines.clone().unwrap_or_default());
            lines.into_iter().filter(|line| line.contains(&wanted)).collect()
        }
    }

    /// One subscriber for the whole process that keeps what a capturing thread says. A subscriber of the
    /// thread alone would not do: another test's thread that meets an event first may switch it off for all.
    struct PerThread;

    struct Line(String);
    impl Visit for Line {
        fn record_str(&mut self, field: &Field, value: &str) {
            write!(self.0, "{}={value} ", field.name()).unwrap();
        }
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            write!(self.0, "{}={value:?} ", field.name()).unwrap();
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for PerThread {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            LINES.with_borrow_mut(|lines| {
                let Some(lines) = lines else { return };
                let mut line = Line(format!("{} ", event.metadata().level()));
                event.record(&mut line);
                lines.push(line.0);
            });
        }
    }

    fn captured<F: Future>(test: impl FnOnce(Captured) -> F) -> F::Output {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let subscriber = tracing_subscriber::registry().with(PerThread);
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        LINES.set(Some(Vec::new()));
        paused(test(Captured))
    }

    /// A declared tree says once that it is up; a child started later from outside adds no second one.
    #[test]
    fn external_start_no_progress_log() {
        captured(async |log| {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let tree = up(supervisor("root").child(a)).await;
            let late = cast.cell("late", spec());
            assert!(is_up(&tree.start_child("root", late).await));
            assert_eq!(log.with("tree_up").len(), 1);
            let starting = log.with("actor_starting");
            assert_eq!(starting.len(), 2);
            assert!(starting.iter().all(|line| line.starts_with("DEBUG")), "{starting:?}");
            assert!(log.with("actor_down").is_empty() && log.with("actor_restarted").is_empty());
        });
    }

    /// A failure and its restart: one structured event each, with path, epoch and reason.
    #[test]
    fn format_log_1() {
        captured(async |log| {
            let mut cast = Cast::default();
            let a = cast.cell("a", delayed(millis(250)));
            let tree = up(supervisor("root").child(a)).await;
            cast.crash("a").await;
            let down = log.with("actor_down");
            assert_eq!(down.len(), 1, "{down:?}");
            for part in ["WARN", "actor.path=root/a", "actor.epoch=1", "told to", "support.rs"] {
                assert!(down[0].contains(part), "{part} in {}", down[0]);
            }
            let restart = log.with("actor_restarted");
            assert_eq!(restart.len(), 1, "{restart:?}");
            for part in ["WARN", "actor.path=root/a", "attempt=1", "delay_seconds=0.25"] {
                assert!(restart[0].contains(part), "{part} in {}", restart[0]);
            }
            tokio::time::sleep(seconds(1)).await;
            cast.leave("a").await;
            let down = log.with("actor_down");
            assert!(down[1].starts_with("INFO") && down[1].contains("actor.epoch=2"), "{down:?}");
            drop(tree);
        });
    }

    /// A meltdown: one error that names its runbook, then the emergency, then the ordered end.
    #[test]
    fn format_log_2() {
        captured(async |log| {
            let mut cast = Cast::default();
            let a = cast.cell("a", spec());
            let b = cast.cell("b", ChildSpec { shutdown: Shutdown::BrutalKill, ..spec() });
            let tree = up(supervisor("root").intensity(0, seconds(5)).child(a).child(b)).await;
            cast.crash("a").await;
            tree.ended().await;
            let meltdown = log.with("supervisor_meltdown");
            assert_eq!(meltdown.len(), 1, "{meltdown:?}");
            for part in ["ERROR", "actor.path=root/a", "restarts=1", "runbook=supervisor_meltdown", "told to"]
            {
                assert!(meltdown[0].contains(part), "{part} in {}", meltdown[0]);
            }
            assert_eq!(log.with("emergency").len(), 1);
            assert_eq!(log.with("actor_killed").len(), 1, "b was fenced");
            let ended = log.with("tree_ended");
            assert!(ended.len() == 1 && ended[0].contains("Meltdown"), "{ended:?}");
        });
    }
}
