//! The service manager: told when the process is ready and when it stops, and, when it watches, that it still works.
//!
//! The watchdog's word comes from a thread of its own that shares nothing with the actors but the vitals it reads, at
//! half the interval that systemd asks for, and only while every vital is fresh. A runtime that no longer judges,
//! commits or delivers is therefore killed and started again (`Restart=on-watchdog`), however lively its other threads
//! look. Without systemd all of it does nothing.

use crate::actors::dead_man::{Vital, judge};
use crate::domain::alert::life::Lapse;
use sd_notify::NotifyState;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest status text, characters.
const STATUS_CHARS_MAX: usize = 200;

/// Tells systemd, and logs when it cannot be told; without systemd there is nobody to tell.
fn tell(states: &[NotifyState<'_>]) -> io::Result<()> {
    sd_notify::notify(false, states)
}

/// The process serves.
pub(super) fn ready() {
    if let Err(error) = tell(&[NotifyState::Ready]) {
        tracing::warn!(error = %error, "the service manager could not be told that the process is ready");
    }
}

/// The process ends.
pub(super) fn stopping() {
    if let Err(error) = tell(&[NotifyState::Stopping]) {
        tracing::warn!(error = %error, "the service manager could not be told that the process stops");
    }
}

/// The thread that speaks for the process; it ends with this value.
#[derive(Debug)]
pub(super) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts the thread when systemd watches this process; `None` when it does not.
    pub(super) fn start(vitals: Vec<Vital>) -> Option<Self> {
        let mut micros = 0;
        if !sd_notify::watchdog_enabled(false, &mut micros) || micros == 0 {
            return None;
        }
        let every = Duration::from_micros(micros / 2);
        tracing::info!(event = "watchdog", every_ms = every.as_millis(), "the service manager watches");
        Self::run(every, move || judge(&vitals), tell)
    }

    fn run(
        every: Duration,
        judge: impl Fn() -> Option<Lapse> + Send + 'static,
        tell: impl Fn(&[NotifyState<'_>]) -> io::Result<()> + Send + 'static,
    ) -> Option<Self> {
        let (stop, stopped) = channel();
        let mut was_silent = false;
        let work = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let told = match judge() {
                    None => {
                        was_silent = false;
                        tell(&[NotifyState::Watchdog])
                    }
                    // Said once; silence says the rest.
                    Some(_) if was_silent => Ok(()),
                    Some(lapse) => {
                        was_silent = true;
                        let words: String =
                            format!("no sign of life: {lapse}").chars().take(STATUS_CHARS_MAX).collect();
                        tracing::error!(
                            event = "watchdog",
                            runbook = "sentinel_stale",
                            "{words}; the service manager will restart the process"
                        );
                        tell(&[NotifyState::Status(&words)])
                    }
                };
                if let Err(error) = told {
                    tracing::warn!(error = %error, "the service manager could not be told");
                }
            }
        };
        match std::thread::Builder::new().name("watchdog-notify".to_owned()).spawn(work) {
            Ok(thread) => Some(Self { stop: Some(stop), thread: Some(thread) }),
            Err(error) => {
                // The service manager hears nothing and starts the process again.
                tracing::error!(error = %error, "the watchdog's thread cannot be started");
                None
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been logged; nothing is left to do for it.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};

    #[test]
    fn it_speaks_while_the_vitals_are_fresh_and_is_silent_when_they_are_not() {
        let fresh = Arc::new(AtomicBool::new(true));
        let (said, heard) = mpsc::channel();
        let seen = Arc::clone(&fresh);
        let judge = move || (!seen.load(Ordering::SeqCst)).then_some(Lapse::Never { name: "sentinel" });
        let tell = move |states: &[NotifyState<'_>]| {
            said.send(states.iter().map(ToString::to_string).collect::<String>()).unwrap();
            Ok(())
        };
        let dog = Watchdog::run(Duration::from_millis(5), judge, tell).unwrap();
        let next = || heard.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!((next(), next()), ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
        fresh.store(false, Ordering::SeqCst);
        let status = std::iter::repeat_with(next).find(|word| word != "WATCHDOG=1").unwrap();
        assert_eq!(status, "STATUS=no sign of life: sentinel: never yet");
        let quiet = heard.recv_timeout(Duration::from_millis(100));
        assert_eq!(quiet, Err(RecvTimeoutError::Timeout), "nothing more is said");
        fresh.store(true, Ordering::SeqCst);
        assert_eq!(next(), "WATCHDOG=1");
        drop(dog);
        assert!(heard.iter().all(|word| word == "WATCHDOG=1"), "the thread has ended");
    }
}
