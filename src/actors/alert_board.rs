//! Alerts that stand, of components outside the order management: one shared, bounded list.
//!
//! Raising is idempotent: an alert is its code and scope together, the first reason stays, and it stands until
//! whoever raised it clears it. Told in the log at both ends. Kept in memory only.

use super::oms::OpenAlert;
use crate::domain::time::WallMs;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Alerts that can stand at once. Codes times scopes are bounded by components and venues, far below this.
const STANDING_MAX: usize = 1_024;

/// See the module's head. Clones are ends of the same board.
#[derive(Debug, Clone, Default)]
pub struct AlertBoard(Arc<RwLock<BTreeMap<(&'static str, String), OpenAlert>>>);

impl AlertBoard {
    /// Raises an alert unless it stands; the code is the runbook's name as well.
    pub fn raise(&self, code: &'static str, scope: impl Into<String>, reason: impl Into<String>) {
        let (scope, reason) = (scope.into(), reason.into());
        let raised_at = WallMs(crate::clock::wall_millis());
        let alert = OpenAlert { code, scope: scope.clone(), reason: reason.clone(), raised_at };
        {
            let mut standing = self.0.write();
            let key = (code, scope.clone());
            if standing.contains_key(&key) {
                return;
            }
            if standing.len() < STANDING_MAX {
                standing.insert(key, alert);
            }
        }
        // Beyond the bound it is told all the same.
        tracing::error!(alert.code = code, alert.scope = scope, runbook = code, "{reason}");
    }

    /// Clears an alert, if it stands.
    pub fn clear(&self, code: &'static str, scope: &str) {
        let cleared = self.0.write().remove(&(code, scope.to_owned())).is_some();
        if cleared {
            tracing::info!(alert.code = code, alert.scope = scope, "cleared");
        }
    }

    /// Every alert that stands, by code and scope.
    #[must_use]
    pub fn open(&self) -> Vec<OpenAlert> {
        self.0.read().values().cloned().collect()
    }

    /// How many stand.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.read().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(board: &AlertBoard) -> Vec<(&'static str, String, String)> {
        board.open().into_iter().map(|alert| (alert.code, alert.scope, alert.reason)).collect()
    }

    #[test]
    fn an_alert_stands_once_until_it_is_cleared() {
        let board = AlertBoard::default();
        let other_end = board.clone();
        board.raise("heartbeat_missed", "paper", "first");
        other_end.raise("heartbeat_missed", "paper", "second");
        other_end.raise("heartbeat_missed", "other", "third");
        let entry = |scope: &str, reason: &str| ("heartbeat_missed", scope.to_owned(), reason.to_owned());
        assert_eq!(codes(&board), [entry("other", "third"), entry("paper", "first")]);
        board.clear("heartbeat_missed", "paper");
        board.clear("heartbeat_missed", "paper");
        board.clear("reconnect_storm", "other");
        assert_eq!(codes(&other_end), [entry("other", "third")]);
        board.raise("heartbeat_missed", "paper", "again");
        assert_eq!(board.count(), 2);
    }

    #[test]
    fn the_board_is_bounded() {
        let board = AlertBoard::default();
        for n in 0..STANDING_MAX + 10 {
            board.raise("heartbeat_missed", n.to_string(), "x");
        }
        assert_eq!(board.count(), STANDING_MAX);
        board.clear("heartbeat_missed", "0");
        board.raise("heartbeat_missed", "late", "x");
        assert_eq!(board.count(), STANDING_MAX);
    }
}
