//! The paper exchange in a process of its own, and what the system says of a process.

use anyhow::{Context as _, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running exchange; it ends with this value.
pub(super) struct Exchange {
    child: Child,
    /// `host:port`.
    pub(super) address: String,
}

impl Exchange {
    /// Starts `plimsoll venue` on a free port with the market held still.
    pub(super) fn spawn(more: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        let mut child = Command::new(program)
            .args(["venue", "--listen", "127.0.0.1:0", "--seed", "1", "--hold"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting `plimsoll venue`")?;
        let mut address = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        if address.trim().is_empty() {
            bail!("`plimsoll venue` named no address: {:?}", child.wait()?);
        }
        Ok(Self { child, address: address.trim().to_owned() })
    }

    /// Its process id, as `/proc` spells it.
    pub(super) fn pid(&self) -> String {
        self.child.id().to_string()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process, user and system, in hundredths of a second; zero when the system does not tell.
pub(super) fn cpu_of(process: &str) -> Duration {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return Duration::ZERO };
    // The name in parentheses may hold blanks; what follows it does not.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(10))
}

/// Resident memory of a process in MiB; zero when the system does not tell.
pub(super) fn resident_mib(process: &str) -> f64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) else { return 0.0 };
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: u32 = line.split_whitespace().next().and_then(|figure| figure.parse().ok()).unwrap_or(0);
    f64::from(kib) / 1024.0
}
