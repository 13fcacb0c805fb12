//! From SIGKILL to ready: the runtime as a child, killed with orders open, started again on the same folder.

use super::desk::Desk;
use crate::clock;
use anyhow::{Context as _, bail};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for the child to be ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts, kills, starts again; answers the time from the kill to ready.
pub(super) fn measure(desk: &Desk) -> anyhow::Result<Duration> {
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build()?;
    let mut first = Runtime::spawn(desk)?;
    local.block_on(first.until_ready(&http))?;
    let killed = clock::monotonic();
    first.0.kill()?;
    first.0.wait()?;
    let mut second = Runtime::spawn(desk)?;
    let ready = local.block_on(second.until_ready(&http))?;
    Ok(ready.saturating_duration_since(killed))
}

/// A child that ends with this value.
struct Runtime(Child);

impl Runtime {
    fn spawn(desk: &Desk) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        let child = Command::new(program)
            .arg("run")
            .arg("--config")
            .arg(desk.config())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting `plimsoll run`")?;
        Ok(Self(child))
    }

    async fn until_ready(&mut self, http: &reqwest::Client) -> anyhow::Result<Instant> {
        let mut line = String::new();
        if let Some(stdout) = self.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let Some(url) = line.trim().rsplit(' ').next().filter(|url| url.starts_with("http")) else {
            bail!("`plimsoll run` named no address: {line:?}");
        };
        let began = clock::monotonic();
        loop {
            let answer = http.get(format!("{url}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(clock::monotonic());
            }
            if clock::monotonic().saturating_duration_since(began) > PATIENCE {
                bail!("the runtime was not ready within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
