//! The one function that says how everything is.

use super::causes;
use super::rules::{self, Case, RULES};
use super::settings::HealthSettings;
use super::table::{Table, TreeWord};
use super::verdict::{Verdict, Verdicts};
use crate::domain::time::Mono;

/// Judges a table at an instant, which may lie after the one at which it was gathered: evidence ages by itself.
///
/// Pure. Evidence that is absent never makes a component healthy. While the run ends no alert stands, because what
/// ends is meant to.
#[must_use]
pub fn judge(table: &Table, settings: &HealthSettings, now: Mono) -> Verdicts {
    let case = Case { table, settings, now };
    let mut all: Vec<Verdict> = Vec::new();
    for rule in RULES {
        rule(&case, &mut all);
    }
    causes::assign(table, &mut all);
    rules::armed(&case, &mut all);
    if table.tree == TreeWord::Ending {
        for verdict in &mut all {
            verdict.alert = None;
            verdict.cause = None;
        }
    }
    Verdicts(all)
}
