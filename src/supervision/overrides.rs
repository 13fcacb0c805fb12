//! What operators set for one child or supervisor, over what the program declares.

use super::decl::{ChildDecl, SupervisorDecl};
use super::spec::{Backoff, ChildSpec, Intensity, Jitter, Shutdown, SupervisorSpec};
use std::collections::BTreeMap;
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

    /// The first setting that the child cannot have, with the reason.
    fn refused_by(&self, declared: Declared) -> Option<(&'static str, String)> {
        if declared.is_supervisor {
            let worker_only = [
                ("hang.handler_ms", self.hang_handler.is_some()),
                ("hang.wait_ms", self.hang_wait.is_some()),
                ("start_timeout_ms", self.start_timeout.is_some()),
                ("shutdown_ms", self.shutdown.is_some()),
                ("mailbox_capacity", self.mailbox_capacity.is_some()),
            ];
            if let Some((field, _)) = worker_only.into_iter().find(|(_, set)| *set) {
                return Some((field, "it is a supervisor and has no such limit".to_owned()));
            }
        }
        let Backoff { base, cap, .. } = self.backoff(declared.backoff);
        let changed = self.backoff_base.is_some() || self.backoff_cap.is_some();
        if changed && cap < base {
            let field = if self.backoff_cap.is_some() { "backoff.cap_ms" } else { "backoff.base_ms" };
            let (cap, base) = (cap.as_millis(), base.as_millis());
            return Some((field, format!("the longest delay would be {cap} ms and the first one {base} ms")));
        }
        None
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
            cap: self.backoff_cap.unwrap_or(declared.cap),
            reset_after: self.backoff_reset_after.unwrap_or(declared.reset_after),
            jitter: self.jitter.unwrap_or(declared.jitter),
        }
    }
}

/// What an override is held against.
#[derive(Debug, Clone, Copy)]
struct Declared {
    is_supervisor: bool,
    backoff: Backoff,
}

/// Why an override cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// It names no child.
    #[error("no child has the path {path:?}; known paths: {}", known.join(", "))]
    Unknown {
        /// The path in question.
        path: String,
        /// All paths there are.
        known: Vec<String>,
    },
    /// It sets what the child cannot have.
    #[error("{path}: {field}: {problem}")]
    Refused {
        /// The path in question.
        path: String,
        /// The setting, as operators write it.
        field: &'static str,
        /// Why.
        problem: String,
    },
}

impl SupervisorDecl {
    /// Everything that is wrong with `overrides` for the tree under this root; nothing is built.
    #[must_use]
    pub fn check_overrides(&self, overrides: &BTreeMap<String, ChildOverride>) -> Vec<OverrideError> {
        let mut declared = BTreeMap::new();
        let root = Declared { is_supervisor: true, backoff: self.spec.backoff };
        declared.insert(self.name.clone(), root);
        self.declare_below("", &mut declared);
        let judge = |(path, set): (&String, &ChildOverride)| match declared.get(path) {
            None => {
                let known = declared.keys().cloned().collect();
                Some(OverrideError::Unknown { path: path.clone(), known })
            }
            Some(child) => set.refused_by(*child).map(|(field, problem)| OverrideError::Refused {
                path: path.clone(),
                field,
                problem,
            }),
        };
        overrides.iter().filter_map(judge).collect()
    }

    fn declare_below(&self, prefix: &str, declared: &mut BTreeMap<String, Declared>) {
        for child in &self.children {
            match child {
                ChildDecl::Cell(cell) => {
                    let facts = Declared { is_supervisor: false, backoff: cell.spec.backoff };
                    declared.insert(format!("{prefix}{}", cell.name), facts);
                }
                ChildDecl::Supervisor(below) => {
                    let facts = Declared { is_supervisor: true, backoff: below.spec.backoff };
                    let path = format!("{prefix}{}", below.name);
                    below.declare_below(&format!("{path}/"), declared);
                    declared.insert(path, facts);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decl::supervisor;
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

    #[test]
    fn what_a_child_cannot_have_is_named() {
        let tree = supervisor("root").child(supervisor("infra"));
        let millis = |n| Some(Duration::from_millis(n));
        let wrong = |path: &str, set| {
            let overrides = BTreeMap::from([(path.to_owned(), set)]);
            tree.check_overrides(&overrides).into_iter().next()
        };
        let unset = ChildOverride::default();
        assert_eq!(wrong("infra", unset), None);
        assert!(
            matches!(wrong("infre", unset), Some(OverrideError::Unknown { known, .. }) if known.len() == 2)
        );
        let shutdown = ChildOverride { shutdown: millis(5), ..unset };
        let refused = wrong("infra", shutdown);
        assert!(matches!(refused, Some(OverrideError::Refused { field: "shutdown_ms", .. })), "{refused:?}");
        // The declared cap of a supervisor is zero: a first delay above it needs a cap of its own.
        let base = ChildOverride { backoff_base: millis(100), ..unset };
        let refused = wrong("infra", base);
        assert!(
            matches!(refused, Some(OverrideError::Refused { field: "backoff.base_ms", .. })),
            "{refused:?}"
        );
        assert_eq!(wrong("infra", ChildOverride { backoff_cap: millis(200), ..base }), None);
    }
}
