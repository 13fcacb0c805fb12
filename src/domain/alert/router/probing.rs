//! A channel that is degraded and has nothing to say is tried by itself: a canary now and then, at growing distances, so
//! that it is known to work again before it is needed and without anybody having to think of it.
//!
//! Only where the configuration has it, because a canary may cost money or wake somebody.

use super::super::delivery::{later, pause_ms};
use super::super::settings::Retry;
use super::core::{Due, Router};
use super::lane::Lane;
use super::out::Out;
use crate::domain::time::WallMs;

/// Who tests, as it stands in the journal.
const PROBE: &str = "probe";

impl Router {
    fn probes(&self, channel: &str) -> bool {
        self.settings.channel(channel).is_some_and(|plan| plan.probe)
    }

    /// Plans the next look at a degraded channel; whatever was planned before is void.
    pub(super) fn plan_probe(&mut self, channel: &str, lane: &mut Lane, now: WallMs) {
        if !self.probes(channel) {
            return;
        }
        let (first_ms, max_ms) = (self.settings.probe_first_ms, self.settings.probe_max_ms);
        let pauses = Retry { first_ms, max_ms, ..Retry::default() };
        let at = later(now, pause_ms(channel, lane.probes.saturating_add(1), &pauses));
        lane.probe_at = Some(at);
        self.agenda.insert((at, Due::Probe(channel.to_owned())));
    }

    /// Looks at a channel that failed: tests it, unless what waits for it does so anyway.
    pub(super) fn probe(&mut self, channel: &str, out: &mut Out) {
        let Some(mut lane) = self.lanes.remove(channel) else { return };
        let due = lane.probe_at.is_none_or(|at| at <= out.now);
        if due {
            self.judge(channel, &mut lane, out);
        }
        let tests = due && lane.degraded && lane.is_idle() && self.probes(channel);
        if tests {
            lane.probes = lane.probes.saturating_add(1);
        }
        if due && lane.degraded {
            self.plan_probe(channel, &mut lane, out.now);
        }
        self.lanes.insert(channel.to_owned(), lane);
        if tests {
            self.canary_to(channel, PROBE, out);
        }
    }
}
