//! Who is told next, and when: the steps of a policy as stored deadlines.
//!
//! The deadline stands in the alert's record. After a restart every step that is overdue is taken once, in order; an
//! acknowledgement stops the steps and its end lets them go on. It sends nothing.

use super::alert::Policy;
use super::alert::later;
use super::time::WallMs;
use serde::{Deserialize, Serialize};

/// How far an alert's escalation is. See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Which policy.
    pub policy: String,
    /// From when its steps count.
    pub base: WallMs,
    /// The step that is due next, from 0.
    pub step: u32,
    /// How often everything was begun again.
    pub round: u32,
    /// When the next step is due; `None` after the last.
    pub next_at: Option<WallMs>,
    /// Messages of the kind "it still stands" so far.
    pub reminders: u32,
}

/// A step that is taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Which, from 1.
    pub step: u32,
    /// In which round, from 0.
    pub round: u32,
    /// Whom it tells.
    pub channels: Vec<String>,
}

impl Escalation {
    /// Begins a policy.
    #[must_use]
    pub fn begin(policy: &Policy, now: WallMs) -> Self {
        let first = policy.steps.first().map(|step| later(now, step.after_ms));
        Self { policy: policy.name.clone(), base: now, step: 0, round: 0, next_at: first, reminders: 0 }
    }

    /// Takes the next step if it is due. Call it until it answers `None`: several may be overdue.
    pub fn take(&mut self, policy: &Policy, now: WallMs) -> Option<Taken> {
        let due = self.next_at.filter(|at| *at <= now)?;
        let index = usize::try_from(self.step).unwrap_or(usize::MAX);
        let Some(step) = policy.steps.get(index) else {
            // The policy was shortened meanwhile.
            self.next_at = None;
            return None;
        };
        let taken =
            Taken { step: self.step.saturating_add(1), round: self.round, channels: step.channels.clone() };
        self.step = taken.step;
        match (policy.steps.get(index.saturating_add(1)), policy.repeat_ms) {
            (Some(next), _) => self.next_at = Some(later(self.base, next.after_ms)),
            (None, Some(pause)) if self.round < policy.repeats => {
                // What was missed while the process was down is not made up for: one round, then the pause again.
                self.base = later(due.max(now), pause);
                (self.round, self.step) = (self.round.saturating_add(1), 0);
                self.next_at = policy.steps.first().map(|first| later(self.base, first.after_ms));
            }
            (None, _) => self.next_at = None,
        }
        Some(taken)
    }

    /// Nobody could be told: a further step of this round is due now. The steps after it keep their times, and nothing
    /// that was told before is said again. False when there is no such step.
    pub fn hurry(&mut self, now: WallMs) -> bool {
        let further = self.step > 0 && self.next_at.is_some_and(|at| at > now);
        if further {
            self.next_at = Some(now);
        }
        further
    }

    /// An acknowledgement has ended: whoever would have been told next is told now.
    pub fn resume(&mut self, policy: &Policy, now: WallMs) {
        let index = usize::try_from(self.step).unwrap_or(usize::MAX);
        // The remaining steps keep their distances.
        let offset = policy.steps.get(index).or(policy.steps.last()).map_or(0, |step| step.after_ms);
        if index >= policy.steps.len() {
            self.step = u32::try_from(policy.steps.len().saturating_sub(1)).unwrap_or(0);
        }
        self.base = WallMs(now.0.saturating_sub(i64::try_from(offset).unwrap_or(0)));
        self.next_at = (!policy.steps.is_empty()).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::{Severity, Step};
    use super::*;

    fn policy(repeat_ms: Option<u64>, repeats: u32) -> Policy {
        let step = |after_ms, channel: &str| Step { after_ms, channels: vec![channel.to_owned()] };
        Policy {
            name: "p".to_owned(),
            severities: vec![Severity::Critical],
            codes: Vec::new(),
            steps: vec![step(0, "mail"), step(300, "sms"), step(900, "second")],
            repeat_ms,
            repeats,
        }
    }

    fn all(escalation: &mut Escalation, policy: &Policy, now: i64) -> Vec<(u32, u32)> {
        std::iter::from_fn(|| escalation.take(policy, WallMs(now))).map(|t| (t.round, t.step)).collect()
    }

    #[test]
    fn each_step_once_in_order_at_its_time() {
        let policy = policy(None, 0);
        let mut escalation = Escalation::begin(&policy, WallMs(1_000));
        assert_eq!(all(&mut escalation, &policy, 1_000), [(0, 1)]);
        assert_eq!(all(&mut escalation, &policy, 1_299), []);
        assert_eq!(all(&mut escalation, &policy, 1_300), [(0, 2)]);
        assert_eq!(all(&mut escalation, &policy, 9_000), [(0, 3)]);
        assert_eq!((escalation.next_at, all(&mut escalation, &policy, i64::MAX)), (None, vec![]));
    }

    #[test]
    fn what_is_overdue_after_a_restart_is_taken_once_and_in_order() {
        let policy = policy(Some(1_000), 2);
        let mut escalation = Escalation::begin(&policy, WallMs(0));
        let stored = serde_json::to_string(&escalation).unwrap();
        escalation = serde_json::from_str(&stored).unwrap();
        assert_eq!(all(&mut escalation, &policy, 50_000), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(escalation.next_at, Some(WallMs(51_000)));
        assert_eq!(all(&mut escalation, &policy, 51_000), [(1, 1)]);
        assert_eq!(all(&mut escalation, &policy, 99_000), [(1, 2), (1, 3)]);
        assert_eq!(all(&mut escalation, &policy, 200_000), [(2, 1), (2, 2), (2, 3)]);
        assert_eq!(all(&mut escalation, &policy, i64::MAX), [], "two repetitions and no more");
    }

    #[test]
    fn an_acknowledgement_that_ends_lets_the_steps_go_on_with_their_distances() {
        let policy = policy(None, 0);
        let mut escalation = Escalation::begin(&policy, WallMs(0));
        assert_eq!(all(&mut escalation, &policy, 0), [(0, 1)]);
        escalation.next_at = None;
        escalation.resume(&policy, WallMs(5_000));
        assert_eq!(all(&mut escalation, &policy, 5_000), [(0, 2)]);
        assert_eq!(all(&mut escalation, &policy, 5_599), []);
        assert_eq!(all(&mut escalation, &policy, 5_600), [(0, 3)]);
        escalation.resume(&policy, WallMs(9_000));
        assert_eq!(all(&mut escalation, &policy, 9_000), [(0, 3)], "the last one is told again");
    }
}
