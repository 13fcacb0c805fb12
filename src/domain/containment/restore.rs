//! Containment after a start: what was under way, what was spent, what was done about alerts that may still stand.

use super::core::{Containment, KEPT_MAX, Live, Stage};
use super::intent::{Now, Restored, State};
use crate::domain::alert::{AlertKey, codes};
use crate::domain::health::Key;

/// How long alerts of before the start have to be judged again, milliseconds.
const GRACE_MS: u64 = 30_000;

/// The key of an alert by its name; `None` for a code that this version does not know.
fn key(name: &str) -> Option<Key> {
    let named = name.split_once(':').map(|(code, scope)| AlertKey::new(code, scope))?;
    Some(Key::new(codes::find(named.code())?.name, named.scope()))
}

impl Containment {
    /// Goes on where the process before ended. What was under way is not carried out again: it is seen to have worked,
    /// or it has failed. Budgets are what the rows say.
    pub fn restore(&mut self, restored: Restored, now: Now) {
        self.next = self.next.max(restored.last_number);
        self.settle_until = now.mono.plus(GRACE_MS);
        for intent in restored.intents {
            let age = now.wall.0.saturating_sub(intent.requested_at.0).max(0);
            let at = i64::try_from(now.mono.0).unwrap_or(i64::MAX).saturating_sub(age);
            let policy = self
                .policies
                .iter()
                .position(|policy| policy.on == intent.code && policy.action == intent.action);
            if intent.state == State::Recommended {
                if let Some(key) = key(&intent.because) {
                    self.recommended.insert((intent.action, intent.target.clone()), (key, at));
                }
            } else if let Some(policy) = policy {
                self.spent.entry(policy).or_default().push_back(at);
            }
            if let (Some(key), false) = (key(&intent.because), intent.state == State::Recommended) {
                self.done.entry(key).or_default().insert(intent.action, Self::word(&intent));
            }
            if intent.state.is_final() {
                self.keep(intent);
            } else {
                let deadline = now.mono.plus(intent.within_ms());
                let live = Live { since: now.mono, deadline, before: None, stage: Stage::Asked, intent };
                self.open.push(live);
            }
        }
        while self.ended.len() > KEPT_MAX {
            self.ended.pop_front();
        }
    }
}
