//! The shape of a bench report: `{machine{}, figures[]{name, value, unit, cpu_seconds, target, met}}`.

use serde::Serialize;
use std::io::Write;
use std::time::Duration;

/// All figures of one run and the machine they were measured on.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The machine.
    pub machine: Machine,
    /// The figures, in the order they were measured.
    pub figures: Vec<Figure>,
}

/// The machine at the time of the run.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Logical processors available to the process.
    pub cpus: usize,
    /// Model name, when the system tells.
    pub cpu_model: Option<String>,
    /// One-minute load average before the run, when the system tells.
    pub load_average: Option<String>,
    /// Kernel release, when the system tells.
    pub kernel: Option<String>,
    /// Whether the program was built with optimisations.
    pub optimised: bool,
}

/// One measured figure.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// CPU time of the whole process while it was measured, seconds.
    pub cpu_seconds: f64,
    /// What it should be.
    pub target: Option<Target>,
    /// Whether it is.
    pub met: Option<bool>,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// This exactly.
    Exactly(f64),
}

impl Target {
    fn met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
            Self::Exactly(wanted) => (value - wanted).abs() < 1e-9,
        }
    }
}

impl Figure {
    /// A figure without a target.
    #[must_use]
    pub fn plain(name: impl Into<String>, value: f64, unit: &'static str, cpu: Duration) -> Self {
        Self { name: name.into(), value, unit, cpu_seconds: cpu.as_secs_f64(), target: None, met: None }
    }

    /// A figure with a target.
    #[must_use]
    pub fn with_target(self, target: Target) -> Self {
        Self { met: Some(target.met(self.value)), target: Some(target), ..self }
    }
}

impl Machine {
    /// Reads the machine's description.
    #[must_use]
    pub fn read() -> Self {
        let cpu_model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            line.split_once(": ").map(|(_, model)| model.to_owned())
        });
        let load_average = std::fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split_whitespace().next().map(str::to_owned));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|s| s.trim().to_owned());
        Self {
            cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cpu_model,
            load_average,
            kernel,
            optimised: !cfg!(debug_assertions),
        }
    }
}

impl Report {
    /// Prints a table for people.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let machine = &self.machine;
        writeln!(
            out,
            "machine: {} cpus, {}, load {}, kernel {}{}",
            machine.cpus,
            machine.cpu_model.as_deref().unwrap_or("unknown cpu"),
            machine.load_average.as_deref().unwrap_or("unknown"),
            machine.kernel.as_deref().unwrap_or("unknown"),
            if machine.optimised { "" } else { "  (NOT an optimised build)" },
        )?;
        for figure in &self.figures {
            let verdict = match (figure.target, figure.met) {
                (Some(target), Some(met)) => {
                    format!("{}  target {}", if met { "ok  " } else { "MISS" }, describe(target))
                }
                _ => String::new(),
            };
            writeln!(
                out,
                "{:<58} {:>14.3} {:<6} cpu {:>7.3} s  {verdict}",
                figure.name, figure.value, figure.unit, figure.cpu_seconds
            )?;
        }
        Ok(())
    }
}

fn describe(target: Target) -> String {
    match target {
        Target::AtMost(limit) => format!("<= {limit}"),
        Target::AtLeast(limit) => format!(">= {limit}"),
        Target::Exactly(wanted) => format!("= {wanted}"),
    }
}

/// CPU time of the whole process so far, all threads.
#[must_use]
pub fn process_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// The `percent`-th percentile of sorted values (nearest rank); zero without values.
#[must_use]
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// Microseconds with fractions.
#[must_use]
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Milliseconds with fractions.
#[must_use]
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(50));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(99));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn targets_include_their_limit() {
        assert!(Target::AtMost(1.2).met(1.2) && !Target::AtMost(1.2).met(1.21));
        assert!(Target::AtLeast(2.0).met(2.0) && !Target::AtLeast(2.0).met(1.9));
        assert!(Target::Exactly(2000.0).met(2000.0) && !Target::Exactly(2000.0).met(1999.0));
    }
}
