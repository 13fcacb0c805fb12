//! One file per kind of component: what its evidence says. Adding one is a file and a line in [`RULES`].

mod alerting;
mod armed;
mod clock;
mod execution;
mod feed;
mod heartbeat;
mod ingest;
mod journal;
mod nodes;
mod page;
mod strategy;

use super::settings::HealthSettings;
use super::table::{Table, TreeWord};
use super::verdict::Verdict;
use crate::domain::time::Mono;

/// What a rule reads.
pub(super) struct Case<'a> {
    pub(super) table: &'a Table,
    pub(super) settings: &'a HealthSettings,
    pub(super) now: Mono,
}

impl Case<'_> {
    /// Milliseconds since then; `None` for never.
    pub(super) fn age(&self, at: Option<Mono>) -> Option<u64> {
        at.map(|at| self.now.since(at))
    }

    /// Was it within the last `ms`? Never is not.
    pub(super) fn within(&self, at: Option<Mono>, ms: u64) -> bool {
        self.age(at).is_some_and(|age| age <= ms)
    }

    /// How long it has been missing: since then, or since anybody looks.
    pub(super) fn missing(&self, at: Option<Mono>) -> u64 {
        self.now.since(at.unwrap_or(self.table.began).max(self.table.began))
    }

    /// Is it too early to expect anything?
    pub(super) fn is_starting(&self) -> bool {
        self.table.tree == TreeWord::Starting || self.now.since(self.table.began) < self.settings.start_ms
    }
}

/// Judges some components.
pub(super) type Rule = fn(&Case<'_>, &mut Vec<Verdict>);

/// All rules of single components. What depends on their verdicts ([`armed`]) comes after.
pub(super) const RULES: &[Rule] = &[
    ingest::judge,
    feed::judge,
    execution::judge,
    heartbeat::judge,
    strategy::judge,
    journal::judge,
    clock::judge,
    page::judge,
    alerting::judge,
    nodes::judge,
];

pub(super) use armed::judge as armed;

/// Milliseconds as a person reads them.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms.div_euclid(1_000), ms.rem_euclid(1_000).div_euclid(100))
}

/// The same of an age that may be absent.
pub(super) fn ago(age: Option<u64>) -> String {
    age.map_or_else(|| "never".to_owned(), |age| format!("{} ago", seconds(age)))
}
