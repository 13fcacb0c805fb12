//! Finds what makes no progress, from a thread of its own.
//!
//! It compares readings between its ticks: no clock is read on the hot path. The same thread moves the
//! coarse clock and watches the control loop, which cannot watch itself. Under a paused clock there is
//! no thread; the test calls [`Watchdog::scan`].

use super::clock::{CoarseClock, Moment};
use super::control::Control;
use super::deadline::Deadlines;
use super::panics;
use super::pulse::{Pulse, Reading};
use super::reporter::Reporter;
use super::spec::HangLimits;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

struct Watched {
    pulse: Arc<Pulse>,
    limits: HangLimits,
    reporter: Reporter,
    last: Reading,
    since: Moment,
    /// The reading that was reported, so that one hang is one report.
    told: Option<Reading>,
}

#[derive(Default)]
struct ControlWatch {
    sent: u64,
    since: Moment,
    told: bool,
}

/// See the module's head.
pub(super) struct Watchdog {
    watched: Mutex<Vec<Watched>>,
    control: UnboundedSender<Control>,
    control_limit: Duration,
    control_watch: Mutex<ControlWatch>,
    control_seen: AtomicU64,
    coarse: CoarseClock,
    deadlines: Option<Arc<Deadlines>>,
    on_control_hang: Box<dyn Fn(Duration) + Send + Sync>,
    stopped: Mutex<bool>,
    wake: Condvar,
}

impl Watchdog {
    pub(super) fn new(
        control: UnboundedSender<Control>,
        control_limit: Duration,
        coarse: CoarseClock,
        deadlines: Option<Arc<Deadlines>>,
        on_control_hang: Box<dyn Fn(Duration) + Send + Sync>,
    ) -> Arc<Self> {
        Arc::new(Self {
            watched: Mutex::default(),
            control,
            control_limit,
            control_watch: Mutex::default(),
            control_seen: AtomicU64::new(0),
            coarse,
            deadlines,
            on_control_hang,
            stopped: Mutex::new(false),
            wake: Condvar::new(),
        })
    }

    /// Starts the thread; it ends with [`Watchdog::stop`].
    pub(super) fn spawn(
        self: &Arc<Self>,
        tick: Duration,
        now: impl Fn() -> Moment + Send + 'static,
    ) -> std::io::Result<()> {
        let watchdog = Arc::clone(self);
        let body = move || {
            loop {
                {
                    let mut stopped = watchdog.stopped.lock();
                    if !*stopped {
                        watchdog.wake.wait_for(&mut stopped, tick);
                    }
                    if *stopped {
                        return;
                    }
                }
                watchdog.scan(now());
            }
        };
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(body).map(drop)
    }

    pub(super) fn stop(&self) {
        *self.stopped.lock() = true;
        self.wake.notify_all();
        if let Some(deadlines) = &self.deadlines {
            deadlines.close();
        }
    }

    /// Watches one incarnation until it is over.
    pub(super) fn watch(&self, pulse: Arc<Pulse>, limits: HangLimits, reporter: Reporter, now: Moment) {
        let last = pulse.reading();
        self.watched.lock().push(Watched { pulse, limits, reporter, last, since: now, told: None });
    }

    /// The control loop answers a ping.
    pub(super) fn pong(&self, ping: u64) {
        self.control_seen.store(ping, Ordering::Release);
    }

    /// One look at everything.
    pub(super) fn scan(&self, now: Moment) {
        self.coarse.advance(now);
        if let Some(deadlines) = &self.deadlines {
            deadlines.tick(u64::try_from(now.since_origin().as_millis()).unwrap_or(u64::MAX));
        }
        self.scan_control(now);
        let mut watched = self.watched.lock();
        watched.retain(|w| !w.pulse.is_over());
        for one in watched.iter_mut() {
            let reading = one.pulse.reading();
            if reading != one.last {
                one.last = reading;
                one.since = now;
                continue;
            }
            let Some(kind) = reading.inside() else { continue };
            let limit = match kind {
                super::exit::HangKind::Handler => one.limits.handler,
                super::exit::HangKind::Wait => one.limits.wait,
            };
            if one.told != Some(reading) && now.since(one.since) > limit {
                one.told = Some(reading);
                one.reporter.hung(kind);
            }
        }
    }

    fn scan_control(&self, now: Moment) {
        let mut watch = self.control_watch.lock();
        if self.control_seen.load(Ordering::Acquire) == watch.sent {
            watch.sent = watch.sent.wrapping_add(1);
            watch.since = now;
            watch.told = false;
            // Fails only when the tree has ended.
            let _ = self.control.send(Control::Ping(watch.sent));
            return;
        }
        let silent = now.since(watch.since);
        if silent > self.control_limit && !watch.told {
            watch.told = true;
            drop(watch);
            // A panic in the handler must not take the watchdog with it.
            if panics::guarded(|| (self.on_control_hang)(silent)).is_err() {
                tracing::error!("the emergency handler panicked");
            }
        }
    }
}
