//! The process monitor: memory, file descriptors and threads, once a second.
//!
//! It promises a reading at most one interval old while it lives, and a warning before descriptors run
//! out. It receives no messages. When it dies it is replaced; the last reading stays visible with its
//! age in the tree. It reads `/proc/self` and changes nothing; elsewhere than on Linux it declines to
//! start.

use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, StartFailure, cell};
use actix::{Actor, AsyncContext};
use parking_lot::RwLock;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(1);
/// Above this share of the limit the operator is warned.
const FDS_PERCENT_MAX: u64 = 80;

/// One reading of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessReading {
    /// Resident memory, bytes.
    pub resident_bytes: u64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// Soft limit of open file descriptors.
    pub max_fds: u64,
    /// Threads.
    pub threads: u64,
}

/// The latest reading, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct ProcessReadings(Arc<RwLock<Option<ProcessReading>>>);

impl ProcessReadings {
    /// The latest reading; `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<ProcessReading> {
        *self.0.read()
    }
}

/// See the module's head.
struct ProcessMonitor {
    readings: ProcessReadings,
    /// Whether the operator was told, so that one shortage is one line.
    warned: bool,
}

impl Actor for ProcessMonitor {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look();
        ctx.run_interval(INTERVAL, |monitor, _| monitor.look());
    }
}

impl ProcessMonitor {
    fn look(&mut self) {
        match read() {
            Ok(reading) => {
                let scarce =
                    reading.open_fds.saturating_mul(100) > reading.max_fds.saturating_mul(FDS_PERCENT_MAX);
                if scarce && !self.warned {
                    tracing::error!(
                        event = "descriptors_scarce",
                        open = reading.open_fds,
                        limit = reading.max_fds,
                        "file descriptors are running out: raise the limit or find the leak"
                    );
                }
                self.warned = scarce;
                *self.readings.0.write() = Some(reading);
            }
            Err(error) => tracing::warn!(error = %error, "the process could not be read"),
        }
    }
}

fn read() -> std::io::Result<ProcessReading> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    // The directory listing itself holds one descriptor.
    let open = std::fs::read_dir("/proc/self/fd")?.count().saturating_sub(1);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    Ok(ProcessReading {
        resident_bytes: field(&status, "VmRSS:").saturating_mul(1024),
        open_fds: u64::try_from(open).unwrap_or(u64::MAX),
        max_fds: limit.unwrap_or(u64::MAX),
        threads: field(&status, "Threads:"),
    })
}

/// The number behind a label of `/proc/self/status`; zero when the kernel does not tell.
fn field(status: &str, label: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(label));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Declares the cell.
#[must_use]
pub fn declare(readings: ProcessReadings) -> impl Into<crate::supervision::ChildDecl> {
    let (_, cell): (Handle<ProcessMonitor>, Cell<ProcessMonitor>) =
        cell("process_monitor", spec(), move |_| {
            if !Path::new("/proc/self/status").exists() {
                return Err(StartFailure::Ignore);
            }
            Ok(ProcessMonitor { readings: readings.clone(), warned: false })
        });
    cell
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("housekeeping".to_owned()),
        metadata: vec![("workload".to_owned(), "reads /proc, 1/s".to_owned())],
        ..ChildSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_read() {
        let reading = read().unwrap();
        assert!(reading.resident_bytes > 1_000_000 && reading.threads > 0, "{reading:?}");
        assert!(reading.open_fds > 2 && reading.max_fds >= reading.open_fds, "{reading:?}");
    }

    #[test]
    fn a_missing_label_reads_as_zero() {
        assert_eq!(field("VmRSS:\t  12 kB\nThreads:\t3\n", "VmRSS:"), 12);
        assert_eq!(field("", "VmRSS:"), 0);
    }
}
