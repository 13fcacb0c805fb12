//! How many messages a channel may still get: tiers of limits over sliding windows, kept across restarts.
//!
//! Carriers block numbers that are called too often, and a person who is paged every second stops reading. Beyond a
//! limit messages wait and go out as one.

use super::delivery::later;
use super::settings::Tier;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Messages that are remembered: the most that any tier may count.
pub const REMEMBERED_MAX: usize = 1_000;

/// When messages went out. See the module's head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    sent: VecDeque<WallMs>,
}

impl Budget {
    /// When the next message may go out: now, or later.
    #[must_use]
    pub fn free_at(&self, now: WallMs, tiers: &[Tier]) -> WallMs {
        let of = |tier: &Tier| {
            let allowed = usize::try_from(tier.messages).unwrap_or(usize::MAX);
            // The message that must leave the window before another one fits in.
            let back = self.sent.len().checked_sub(allowed)?;
            let free = later(*self.sent.get(back)?, tier.within_ms);
            (free > now).then_some(free)
        };
        tiers.iter().filter_map(of).max().unwrap_or(now)
    }

    /// A message goes out.
    pub fn spend(&mut self, now: WallMs, tiers: &[Tier]) {
        if tiers.is_empty() {
            return;
        }
        let longest = tiers.iter().map(|tier| tier.within_ms).max().unwrap_or(0);
        while self.sent.front().is_some_and(|at| later(*at, longest) <= now)
            || self.sent.len() >= REMEMBERED_MAX
        {
            self.sent.pop_front();
        }
        self.sent.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_holds() {
        let tiers = [Tier { messages: 1, within_ms: 10 }, Tier { messages: 3, within_ms: 100 }];
        let mut budget = Budget::default();
        let mut sent = Vec::new();
        let mut now = WallMs(0);
        while sent.len() < 7 {
            now = budget.free_at(now, &tiers);
            budget.spend(now, &tiers);
            sent.push(now.0);
        }
        assert_eq!(sent, [0, 10, 20, 100, 110, 120, 200]);
        let text = serde_json::to_string(&budget).unwrap();
        let back: Budget = serde_json::from_str(&text).unwrap();
        assert_eq!(back.free_at(now, &tiers), WallMs(210), "a restart changes nothing");
        assert_eq!(back.free_at(WallMs(5), &[]), WallMs(5));
    }

    #[test]
    fn memory_is_bounded() {
        let tiers = [Tier { messages: u32::MAX, within_ms: u64::MAX }];
        let mut budget = Budget::default();
        for n in 0..5_000 {
            budget.spend(WallMs(n), &tiers);
        }
        assert_eq!(budget.sent.len(), REMEMBERED_MAX);
    }
}
