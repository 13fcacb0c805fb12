//! Collects what `validate()` finds wrong.
//!
//! Owns the common checks (ranges) and that a check never stops at the first problem. Problems are
//! (path, fact); [`super::load`] gives each its line and column. Reads no settings by itself.

use super::fault::Fault;
use super::path::KeyPath;
use std::ops::RangeInclusive;

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(Vec<(KeyPath, Fault)>);

impl Problems {
    /// Notes a problem at `path`.
    pub fn add(&mut self, path: impl Into<KeyPath>, fault: Fault) {
        self.0.push((path.into(), fault));
    }

    /// Notes a broken rule: its stable name, what is wrong, what would be right.
    pub fn rule(
        &mut self,
        path: impl Into<KeyPath>,
        code: &'static str,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(path, Fault::Rule { code, problem: problem.into(), advice: advice.into() });
    }

    /// Demands that `found` lies in `allowed`.
    pub fn range(&mut self, path: impl Into<KeyPath>, found: u64, allowed: &RangeInclusive<u64>) {
        if !allowed.contains(&found) {
            let fault =
                Fault::OutOfRange { found: found.to_string(), min: *allowed.start(), max: *allowed.end() };
            self.add(path, fault);
        }
    }

    /// Demands that `found`, if set, lies in `allowed`.
    pub fn range_if(&mut self, path: impl Into<KeyPath>, found: Option<u64>, allowed: &RangeInclusive<u64>) {
        if let Some(found) = found {
            self.range(path, found, allowed);
        }
    }
}

impl IntoIterator for Problems {
    type Item = (KeyPath, Fault);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
