//! What a drill found: one line per thing that had to happen, with its time and its limit.

use serde_json::json;
use std::io::Write;
use std::time::Duration;

/// One thing that had to happen.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// What.
    pub(super) what: &'static str,
    /// How long after the fault, or after its healing; `None` when it did not happen.
    pub(super) after: Option<Duration>,
    /// In which time it had to.
    pub(super) within: Duration,
    /// What was seen.
    pub(super) evidence: String,
}

impl Line {
    fn passed(&self) -> bool {
        self.after.is_some_and(|after| after <= self.within)
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The drill's name.
    pub(super) name: &'static str,
    /// All lines, in the order in which they are told.
    pub(super) lines: Vec<Line>,
}

impl Report {
    /// Did everything happen in time?
    pub(super) fn passed(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(Line::passed)
    }

    /// The table, or the same as JSON.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn print(&self, as_json: bool, out: &mut dyn Write) -> std::io::Result<()> {
        if as_json {
            let lines: Vec<_> = self
                .lines
                .iter()
                .map(|line| {
                    json!({
                        "what": line.what,
                        "after_seconds": line.after.map(|after| after.as_secs_f64()),
                        "within_seconds": line.within.as_secs_f64(),
                        "met": line.passed(),
                        "evidence": line.evidence,
                    })
                })
                .collect();
            return writeln!(out, "{}", json!({"drill": self.name, "passed": self.passed(), "lines": lines}));
        }
        writeln!(out, "{:<6} {:>9} {:>9}  {:<44} EVIDENCE", "MET", "AFTER", "WITHIN", "WHAT")?;
        for line in &self.lines {
            let after = line
                .after
                .map_or_else(|| "never".to_owned(), |after| format!("{:.3} s", after.as_secs_f64()));
            let within = format!("{:.3} s", line.within.as_secs_f64());
            let met = if line.passed() { "yes" } else { "NO" };
            writeln!(out, "{met:<6} {after:>9} {within:>9}  {:<44} {}", line.what, line.evidence)?;
        }
        writeln!(out, "{} {}", self.name, if self.passed() { "passed" } else { "FAILED" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_late_or_never_came_fails_the_drill() {
        let line = |after| Line { what: "x", after, within: Duration::from_secs(3), evidence: String::new() };
        let passed = |lines: Vec<Line>| Report { name: "d", lines }.passed();
        assert!(passed(vec![line(Some(Duration::from_secs(3)))]));
        assert!(!passed(vec![line(Some(Duration::from_millis(3_001)))]));
        assert!(!passed(vec![line(None)]) && !passed(Vec::new()), "nothing seen is nothing passed");
    }
}
