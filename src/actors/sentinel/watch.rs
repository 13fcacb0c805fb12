//! Who watches the sentinel: a thread of its own that needs nothing of it, and raises `sentinel_stale` without it.
//!
//! It promises: while the tree is up and no judgement is good any more, the alert stands; a fresh judgement ends it. It
//! ends with its handle. It restarts nothing: the sentinel's supervisor does that, and the lease has run out by itself.

use super::readings::SentinelReadings;
use crate::actors::alert_board::AlertBoard;
use crate::supervision::Tree;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::Duration;

/// The alert; the runbook's name as well.
const CODE: &str = "sentinel_stale";
const SCOPE: &str = "process";
/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Ending {
    over: Mutex<bool>,
    wake: Condvar,
}

/// See the module's head. Dropping it ends the thread.
#[derive(Debug)]
pub struct SentinelWatch(Arc<Ending>);

impl SentinelWatch {
    /// Starts to watch.
    ///
    /// # Errors
    /// The system's, when there is no thread to be had.
    pub fn start(readings: SentinelReadings, alerts: AlertBoard, tree: Tree) -> std::io::Result<Self> {
        let ending = Arc::new(Ending::default());
        let own = Arc::clone(&ending);
        let watch = move || {
            let mut over = own.over.lock();
            while !*over {
                own.wake.wait_for(&mut over, INTERVAL);
                // A tree that starts or ends judges nothing, and is not meant to.
                if !*over && tree.is_up() {
                    look(&readings, &alerts);
                }
            }
        };
        std::thread::Builder::new().name("sentinel-watch".to_owned()).spawn(watch)?;
        Ok(Self(ending))
    }
}

impl Drop for SentinelWatch {
    fn drop(&mut self) {
        *self.0.over.lock() = true;
        self.0.wake.notify_all();
    }
}

fn look(readings: &SentinelReadings, alerts: &AlertBoard) {
    let now = crate::clock::monotonic();
    if readings.is_stale(now) {
        let (age, lasts) = (readings.age(now).as_secs_f64(), readings.lasts().as_secs_f64());
        let reason = format!(
            "nothing was judged for {age:.1} s; a judgement is good for {lasts:.1} s, and no order goes out without one"
        );
        alerts.raise(CODE, SCOPE, reason);
    } else {
        alerts.clear(CODE, SCOPE);
    }
}
