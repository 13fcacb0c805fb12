//! From verdicts to conditions on the board: asserted once, said anew when they change, retracted when they end.
//!
//! It outlives the sentinel's incarnations, so that none leaves a condition behind that nobody retracts.

use crate::actors::alert_board::AlertBoard;
use crate::domain::alert::{AlertKey, Condition, Severity as Grade};
use crate::domain::health::{Key, Severity, Status, Verdict, Verdicts};
use crate::domain::time::WallMs;
use std::collections::{BTreeMap, BTreeSet};

/// What was last said of a condition. Its reason holds ages that change with every look and is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    status: Status,
    severity: Severity,
    cause: Option<Key>,
    contained: Option<String>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Reporter {
    said: BTreeMap<Key, Said>,
}

impl Reporter {
    /// Says what changed. `contained` tells what was done about an alert.
    pub(super) fn tell(
        &mut self,
        board: &AlertBoard,
        wall: WallMs,
        verdicts: &Verdicts,
        contained: impl Fn(&Key) -> Option<String>,
    ) {
        let mut standing = BTreeSet::new();
        for (key, verdict) in verdicts.alerts() {
            // The first component that raises a key speaks for it.
            if !standing.insert(key.clone()) {
                continue;
            }
            let said = Said {
                status: verdict.status,
                severity: verdict.severity,
                cause: verdict.cause.clone(),
                contained: contained(key),
            };
            if self.said.get(key) != Some(&said) {
                board.report(condition(key, verdict, &said, wall));
                self.said.insert(key.clone(), said);
            }
        }
        let over: Vec<Key> = self.said.keys().filter(|key| !standing.contains(*key)).cloned().collect();
        for key in over {
            board.clear(key.code, &key.scope);
            self.said.remove(&key);
        }
    }
}

fn condition(key: &Key, verdict: &Verdict, said: &Said, wall: WallMs) -> Condition {
    let age = verdict.age_ms.and_then(|age| i64::try_from(age).ok());
    Condition {
        severity: match verdict.severity {
            Severity::Ok => None,
            Severity::Warning => Some(Grade::Warning),
            Severity::Critical => Some(Grade::Critical),
        },
        cause: said.cause.as_ref().map(|cause| AlertKey::new(cause.code, &cause.scope)),
        locality: verdict.locality,
        evidence: serde_json::to_value(verdict).ok(),
        contained: said.contained.clone(),
        since: age.map(|age| WallMs(wall.0.saturating_sub(age))),
        ..Condition::new(key.code, key.scope.as_str(), verdict.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(age: u64) -> Verdicts {
        let verdict = Verdict::bad("feed/paper/X", Status::Stale, Severity::Critical, format!("{age} ms"))
            .aged(Some(age))
            .raising("venue_quotes_stale", "paper/X");
        Verdicts(vec![verdict])
    }

    #[test]
    fn a_condition_is_said_once_and_anew_only_when_it_changes() {
        let (board, mut reporter) = (AlertBoard::default(), Reporter::default());
        let nothing = |_: &Key| None;
        reporter.tell(&board, WallMs(10_000), &stale(6_000), nothing);
        assert_eq!(board.changes(9).holding.len(), 1);
        reporter.tell(&board, WallMs(10_250), &stale(6_250), nothing);
        assert!(!board.has_changes(), "only its age changed");
        reporter.tell(&board, WallMs(10_500), &stale(6_500), |_| Some("paused".to_owned()));
        let changed = board.changes(9).holding;
        assert_eq!(changed[0].condition.contained.as_deref(), Some("paused"));
        assert_eq!(changed[0].condition.since, Some(WallMs(4_000)));
        reporter.tell(&board, WallMs(11_000), &Verdicts::default(), nothing);
        assert_eq!((board.count(), board.changes(9).ended.len()), (0, 1));
    }
}
