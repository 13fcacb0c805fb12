//! Conditions that hold now, of every component outside the order management: one shared, bounded set.
//!
//! It promises: a condition is its code and scope together and holds until whoever asserted it retracts it; the first
//! reason of a plain raise stays, a full report replaces what was said before; whoever listens hears of every
//! condition that came and went, even one that did both between two looks. It never blocks and never waits. It does
//! not decide what becomes an alert: the router does. A board outlives every incarnation of the router.

use super::oms::OpenAlert;
use crate::domain::alert::{AlertKey, Condition, Held};
use crate::domain::time::WallMs;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Conditions that can hold at once. Codes times scopes are bounded by components, venues and streams.
pub const STANDING_MAX: usize = 16_384;
/// Conditions that came and went unseen which are kept for the router; beyond them they are counted.
const BLIPS_MAX: usize = 1_024;

/// What changed since the last look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Conditions that came and went in between.
    pub blips: Vec<Held>,
    /// Conditions that hold, asserted or reported anew since then.
    pub holding: Vec<Held>,
    /// Keys that hold no longer.
    pub ended: Vec<AlertKey>,
}

#[derive(Debug, Default)]
struct Set {
    /// Boxed: a node of the map has room for eleven, and half of it is empty.
    holding: BTreeMap<AlertKey, Box<Held>>,
    changed: BTreeSet<AlertKey>,
    /// Keys that the listener was told to hold.
    told: BTreeSet<AlertKey>,
    blips: Vec<Held>,
}

#[derive(Debug, Default)]
struct Shared {
    set: RwLock<Set>,
    wake: Notify,
    refused: AtomicU64,
}

/// See the module's head. Clones are ends of the same board.
#[derive(Debug, Clone, Default)]
pub struct AlertBoard(Arc<Shared>);

impl AlertBoard {
    /// Asserts a condition unless it holds; the code is the runbook's name as well.
    pub fn raise(&self, code: &'static str, scope: impl Into<String>, reason: impl Into<String>) {
        self.assert(Condition::new(code, scope, reason), false);
    }

    /// Asserts a condition, or says anew what is known of one that holds.
    pub fn report(&self, condition: Condition) {
        self.assert(condition, true);
    }

    fn assert(&self, condition: Condition, replace: bool) {
        let key = condition.key();
        let (code, scope, reason) = (condition.code, condition.scope.clone(), condition.reason.clone());
        let first = {
            let mut set = self.0.set.write();
            let full = set.holding.len() >= STANDING_MAX;
            match set.holding.get_mut(&key) {
                Some(held) if !replace || held.condition == condition => return,
                Some(held) => {
                    held.condition = condition;
                    set.changed.insert(key);
                    false
                }
                None if full => {
                    self.0.refused.fetch_add(1, Ordering::Relaxed);
                    true
                }
                None => {
                    let at = WallMs(crate::clock::wall_millis());
                    set.holding.insert(key.clone(), Box::new(Held { condition, at }));
                    set.changed.insert(key);
                    true
                }
            }
        };
        if first {
            // Beyond the bound it is told all the same.
            tracing::error!(alert.code = code, alert.scope = scope, runbook = code, "{reason}");
        }
        self.0.wake.notify_one();
    }

    /// Retracts a condition, if it holds.
    pub fn clear(&self, code: &'static str, scope: &str) {
        let key = AlertKey::new(code, scope);
        {
            let mut set = self.0.set.write();
            let Some(held) = set.holding.remove(&key) else { return };
            if !set.told.contains(&key) {
                // Nobody has seen it yet: it must not be lost.
                set.changed.remove(&key);
                if set.blips.len() < BLIPS_MAX {
                    set.blips.push(*held);
                }
            } else {
                set.changed.insert(key);
            }
        }
        tracing::info!(alert.code = code, alert.scope = scope, "cleared");
        self.0.wake.notify_one();
    }

    /// Every condition that holds, by code and scope.
    #[must_use]
    pub fn open(&self) -> Vec<OpenAlert> {
        let show = |held: &Held| OpenAlert {
            code: held.condition.code,
            scope: held.condition.scope.clone(),
            reason: held.condition.reason.clone(),
            raised_at: held.at,
        };
        self.0.set.read().holding.values().map(|held| show(held)).collect()
    }

    /// How many hold.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.set.read().holding.len()
    }

    /// Conditions that found no room since the process began.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Everything that holds, for a listener that knows nothing yet.
    #[must_use]
    pub fn all(&self) -> Changes {
        let mut set = self.0.set.write();
        set.changed.clear();
        set.told = set.holding.keys().cloned().collect();
        let holding = set.holding.values().map(|held| Held::clone(held)).collect();
        Changes { blips: std::mem::take(&mut set.blips), holding, ended: Vec::new() }
    }

    /// What changed since the last look; at most `max` of it. More is left for the next look.
    #[must_use]
    pub fn changes(&self, max: usize) -> Changes {
        let mut set = self.0.set.write();
        let mut changes = Changes { blips: std::mem::take(&mut set.blips), ..Changes::default() };
        for _ in 0..max {
            let Some(key) = set.changed.pop_first() else { break };
            match set.holding.get(&key).map(|held| Held::clone(held)) {
                Some(held) => {
                    changes.holding.push(held);
                    set.told.insert(key);
                }
                None => {
                    set.told.remove(&key);
                    changes.ended.push(key);
                }
            }
        }
        changes
    }

    /// Does a condition hold?
    #[must_use]
    pub fn holds(&self, key: &AlertKey) -> bool {
        self.0.set.read().holding.contains_key(key)
    }

    /// Is there something that nobody has looked at?
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let set = self.0.set.read();
        !set.changed.is_empty() || !set.blips.is_empty()
    }

    /// Resolves when something changed since it last resolved. For one listener.
    pub async fn changed(&self) {
        self.0.wake.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(board: &AlertBoard) -> Vec<(&'static str, String, String)> {
        board.open().into_iter().map(|alert| (alert.code, alert.scope, alert.reason)).collect()
    }

    fn scopes(held: &[Held]) -> Vec<&str> {
        held.iter().map(|held| held.condition.scope.as_str()).collect()
    }

    #[test]
    fn a_condition_holds_once_until_it_is_cleared() {
        let board = AlertBoard::default();
        let other_end = board.clone();
        board.raise("heartbeat_missed", "paper", "first");
        other_end.raise("heartbeat_missed", "paper", "second");
        other_end.raise("heartbeat_missed", "other", "third");
        let entry = |scope: &str, reason: &str| ("heartbeat_missed", scope.to_owned(), reason.to_owned());
        assert_eq!(codes(&board), [entry("other", "third"), entry("paper", "first")]);
        board.report(Condition::new("heartbeat_missed", "paper", "said better"));
        board.clear("heartbeat_missed", "other");
        board.clear("heartbeat_missed", "other");
        board.clear("reconnect_storm", "other");
        assert_eq!(codes(&other_end), [entry("paper", "said better")]);
        board.raise("heartbeat_missed", "other", "again");
        assert_eq!(board.count(), 2);
    }

    #[test]
    fn a_listener_hears_of_what_came_went_and_did_both() {
        let board = AlertBoard::default();
        board.raise("heartbeat_missed", "a", "x");
        board.raise("heartbeat_missed", "b", "x");
        board.clear("heartbeat_missed", "b");
        let seen = board.changes(10);
        assert_eq!((scopes(&seen.holding), scopes(&seen.blips)), (vec!["a"], vec!["b"]));
        board.clear("heartbeat_missed", "a");
        board.raise("heartbeat_missed", "a", "x");
        assert_eq!(scopes(&board.changes(10).holding), ["a"], "it holds again");
        board.clear("heartbeat_missed", "a");
        assert_eq!(board.changes(10).ended, [AlertKey::new("heartbeat_missed", "a")]);
        assert!(!board.has_changes() && board.changes(10) == Changes::default());
    }

    #[test]
    fn a_listener_that_begins_anew_is_told_everything() {
        let board = AlertBoard::default();
        board.raise("heartbeat_missed", "a", "x");
        assert_eq!(scopes(&board.changes(10).holding), ["a"]);
        assert_eq!(scopes(&board.all().holding), ["a"]);
        assert!(!board.has_changes());
    }

    #[test]
    fn a_look_takes_no_more_than_asked_for() {
        let board = AlertBoard::default();
        for scope in ["a", "b", "c"] {
            board.raise("heartbeat_missed", scope, "x");
        }
        assert_eq!(scopes(&board.changes(2).holding), ["a", "b"]);
        assert!(board.has_changes());
        assert_eq!(scopes(&board.changes(2).holding), ["c"]);
    }

    #[test]
    fn the_board_is_bounded() {
        let board = AlertBoard::default();
        for n in 0..STANDING_MAX + 10 {
            board.raise("heartbeat_missed", n.to_string(), "x");
        }
        assert_eq!((board.count(), board.refused()), (STANDING_MAX, 10));
        board.clear("heartbeat_missed", "0");
        board.raise("heartbeat_missed", "late", "x");
        assert_eq!(board.count(), STANDING_MAX);
    }
}
