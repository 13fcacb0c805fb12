//! What operators set for one child or supervisor, over what the program declares.

use super::spec::{Backoff, ChildSpec, Intensity, Jitter, Shutdown, SupervisorSpec};
use std::time::Duration;

/// Overrides by path below the root (`safety/sentinel`); what is `None` stays as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChildOverride {
    /// Restarts within the period: the child's own budget, or the supervisor's.
    pub max_restarts: Option<u32>,
    /// The period.
    pub period: Option<Duration>,
    /// Delay before the first restart.
    pub backoff_base: Option<Duration>,
    /// Longest delay.
    pub backoff_cap: Option<Duration>,
    /// Good running time after which the series begins anew.
    pub backoff_reset_after: Option<Duration>,
    /// Spread of the delay.
    pub jitter: Option<Jitter>,
    /// Longest handler.
    pub hang_handler: Option<Duration>,
    /// Longest `ctx.wait`.
    pub hang_wait: Option<Duration>,
    /// Longest start.
    pub start_timeout: Option<Duration>,
    /// Longest stop.
    pub shutdown: Option<Duration>,
    /// Mailbox bound.
    pub mailbox_capacity: Option<usize>,
}

impl ChildOverride {
    /// Applies them to a worker; a budget given in part takes the rest from the supervisor's.
    pub(super) fn apply(&self, spec: &mut ChildSpec, supervisor: Intensity) {
        if self.max_restarts.is_some() || self.period.is_some() {
            spec.intensity = Some(self.intensity(spec.intensity.unwrap_or(supervisor)));
        }
        spec.backoff = self.backoff(spec.backoff);
        spec.hang.handler = self.hang_handler.unwrap_or(spec.hang.handler);
        spec.hang.wait = self.hang_wait.unwrap_or(spec.hang.wait);
        spec.start_timeout = self.start_timeout.unwrap_or(spec.start_timeout);
        spec.shutdown = self.shutdown.map_or(spec.shutdown, Shutdown::Graceful);
        spec.mailbox.capacity = self.mailbox_capacity.unwrap_or(spec.mailbox.capacity);
    }

    /// Applies them to a supervisor.
    pub(super) fn apply_to_supervisor(&self, spec: &mut SupervisorSpec) {
        spec.intensity = self.intensity(spec.intensity);
        spec.backoff = self.backoff(spec.backoff);
    }

    /// The first field that means nothing for a supervisor, if any is set.
    pub(super) fn worker_only(&self) -> Option<&'static str> {
        let fields = [
            ("hang.handler_ms", self.hang_handler.is_some()),
            ("hang.wait_ms", self.hang_wait.is_some()),
            ("start_timeout_ms", self.start_timeout.is_some()),
            ("shutdown_ms", self.shutdown.is_some()),
            ("mailbox_capacity", self.mailbox_capacity.is_some()),
        ];
        fields.into_iter().find(|(_, set)| *set).map(|(name, _)| name)
    }

    fn intensity(&self, declared: Intensity) -> Intensity {
        Intensity {
            max_restarts: self.max_restarts.unwrap_or(declared.max_restarts),
            period: self.period.unwrap_or(declared.period),
        }
    }

    fn backoff(&self, declared: Backoff) -> Backoff {
        let base = self.backoff_base.unwrap_or(declared.base);
        Backoff {
            base,
            cap: self.backoff_cap.unwrap_or(declared.cap).max(base),
            reset_after: self.backoff_reset_after.unwrap_or(declared.reset_after),
            jitter: self.jitter.unwrap_or(declared.jitter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_in_part_takes_the_rest_from_the_supervisor() {
        let mut spec = ChildSpec::default();
        let set = ChildOverride { max_restarts: Some(1), ..ChildOverride::default() };
        set.apply(&mut spec, Intensity::new(3, Duration::from_secs(60)));
        assert_eq!(spec.intensity, Some(Intensity::new(1, Duration::from_secs(60))));
    }

    #[test]
    fn nothing_set_changes_nothing() {
        let mut spec = ChildSpec::default();
        ChildOverride::default().apply(&mut spec, Intensity::new(3, Duration::from_secs(60)));
        assert_eq!(spec, ChildSpec::default());
    }
}
