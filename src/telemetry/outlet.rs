//! Log lines on their way out: handed over without waiting, written by a thread of their own.
//!
//! A terminal that is held, a pipe that nobody reads and a busy disk stop whoever writes to them, for seconds. Orders
//! must not stop with them: a line is put into a bounded queue or, when that is full, dropped and counted, and the
//! next line that goes out is preceded by one that says how many are missing.

use parking_lot::Mutex;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait.
const LINES_MAX: usize = 16_384;
/// Bytes that may wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long an end waits for lines that are not out yet.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

enum Item {
    Line(Vec<u8>),
    /// Everything before it is out.
    Mark(SyncSender<()>),
}

#[derive(Debug, Default)]
struct Load {
    bytes: AtomicUsize,
    /// Lost since the last line that said so.
    untold: AtomicU64,
    lost: AtomicU64,
}

/// See the module's head. Clones are ends of the same queue.
#[derive(Clone)]
pub struct Outlet {
    sender: SyncSender<Item>,
    load: Arc<Load>,
}

/// The outlets of this process, for those who end it or count what was lost.
static ALL: Mutex<Vec<Outlet>> = Mutex::new(Vec::new());

impl Outlet {
    /// Starts the thread that writes. `write` gets whole lines; `missing` makes the line that tells of lost ones.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(
        name: &str,
        mut write: impl FnMut(&[u8]) + Send + 'static,
        missing: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(LINES_MAX);
        let load = Arc::new(Load::default());
        let seen = Arc::clone(&load);
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || pump(&receiver, &seen, &mut write, &missing))?;
        Ok(Self { sender, load })
    }

    /// Lets [`flush_logs`] and [`lines_lost`] know of it.
    pub(super) fn enlist(self) -> Self {
        ALL.lock().push(self.clone());
        self
    }

    fn line(&self, bytes: &[u8]) {
        let waiting = self.load.bytes.fetch_add(bytes.len(), Relaxed);
        let full = waiting.saturating_add(bytes.len()) > BYTES_MAX;
        if full || self.sender.try_send(Item::Line(bytes.to_vec())).is_err() {
            self.load.bytes.fetch_sub(bytes.len(), Relaxed);
            self.load.untold.fetch_add(1, Relaxed);
            self.load.lost.fetch_add(1, Relaxed);
        }
    }

    /// Waits until everything before this call is out; `false` when that takes longer.
    fn flush(&self, within: Duration) -> bool {
        let (told, out) = sync_channel(1);
        let until = crate::clock::monotonic() + within;
        let mut item = Item::Mark(told);
        loop {
            match self.sender.try_send(item) {
                Ok(()) => break,
                Err(std::sync::mpsc::TrySendError::Full(back)) if crate::clock::monotonic() < until => {
                    item = back;
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err(_) => return false,
            }
        }
        out.recv_timeout(until.saturating_duration_since(crate::clock::monotonic())).is_ok()
    }
}

fn pump(
    receiver: &Receiver<Item>,
    load: &Load,
    write: &mut dyn FnMut(&[u8]),
    missing: &dyn Fn(u64) -> String,
) {
    while let Ok(item) = receiver.recv() {
        match item {
            Item::Line(bytes) => {
                let lost = load.untold.swap(0, Relaxed);
                if lost > 0 {
                    write(missing(lost).as_bytes());
                }
                write(&bytes);
                load.bytes.fetch_sub(bytes.len(), Relaxed);
            }
            // Whoever asked may have gone.
            Item::Mark(told) => drop(told.send(())),
        }
    }
}

/// Waits until every line so far is out, each outlet for at most a second. For the end of a run or of the process.
pub fn flush_logs() {
    let all = ALL.lock().clone();
    for outlet in all {
        outlet.flush(FLUSH_WITHIN);
    }
}

/// Lines of this process that were dropped because nobody took them fast enough.
#[must_use]
pub fn lines_lost() -> u64 {
    ALL.lock().iter().map(|outlet| outlet.load.lost.load(Relaxed)).sum()
}

/// One line's way into the queue.
pub struct Line(Outlet);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.line(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Outlet {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlet(gate: Receiver<()>) -> (Outlet, Arc<Mutex<Vec<String>>>) {
        let out = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&out);
        let write = move |bytes: &[u8]| {
            // Stands still until it is let go, then writes everything.
            let _ = gate.recv();
            kept.lock().push(String::from_utf8(bytes.to_vec()).unwrap());
        };
        (Outlet::start("test", write, |lost| format!("{lost} missing")).unwrap(), out)
    }

    #[test]
    fn whoever_logs_does_not_wait_for_who_writes() {
        let (open, gate) = sync_channel::<()>(0);
        let (outlet, out) = outlet(gate);
        for n in 0..LINES_MAX + 101 {
            outlet.make_writer().write_all(n.to_string().as_bytes()).unwrap();
        }
        // The one that is being written has left the queue, or has not yet.
        let lost = outlet.load.lost.load(Relaxed);
        assert!((100..=101).contains(&lost), "{lost}");
        assert!(!outlet.flush(Duration::from_millis(20)), "nothing gets out");
        drop(open);
        assert!(outlet.flush(Duration::from_secs(10)));
        let out = out.lock();
        assert!(out.iter().take(3).any(|line| line.ends_with(" missing")), "{:?}", out.get(..3));
        assert!(out.contains(&"0".to_owned()) && out.contains(&(LINES_MAX - 1).to_string()), "in order");
        assert_eq!(outlet.load.bytes.load(Relaxed), 0);
    }

    #[test]
    fn what_waits_is_bounded_in_bytes_too() {
        let (open, gate) = sync_channel::<()>(0);
        let (outlet, out) = outlet(gate);
        let long = vec![b'x'; BYTES_MAX / 4 + 1];
        for _ in 0..6 {
            outlet.line(&long);
        }
        assert!(outlet.load.lost.load(Relaxed) >= 2);
        drop(open);
        assert!(outlet.flush(Duration::from_secs(10)));
        assert!(out.lock().len() < 6);
    }
}
