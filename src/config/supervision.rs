//! Settings of the supervision tree: the watchdog, shutdown, and limits per child.
//!
//! Owns the keys under `supervision` and their ranges. A child's override names only what it changes;
//! everything left out stays as the child's own specification says. Which children exist is not known
//! here: whoever builds the tree refuses an unknown one with [`unknown_child`].

use super::error::ConfigError;
use super::fault::{Fault, suggest};
use super::load::Document;
use super::path::KeyPath;
use super::position::Position;
use super::problems::Problems;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Allowed watchdog period, in milliseconds.
pub const WATCHDOG_TICK_MS: RangeInclusive<u64> = 1..=1_000;
/// Allowed silence of the control thread, in milliseconds.
pub const CONTROL_HANG_MS: RangeInclusive<u64> = 100..=600_000;
/// Allowed time for an ordered shutdown, in milliseconds.
pub const SHUTDOWN_GRACE_MS: RangeInclusive<u64> = 1..=600_000;
/// Allowed number of threads given up as hung before the process ends.
pub const ABANDONED_THREADS_MAX: RangeInclusive<u64> = 0..=64;
/// Allowed number of ad-hoc background tasks at a time.
pub const BACKGROUND_TASKS_MAX: RangeInclusive<u64> = 1..=10_000;
/// Allowed restarts within a period.
pub const MAX_RESTARTS: RangeInclusive<u64> = 0..=1_000;
/// Allowed period over which restarts are counted, in milliseconds: up to a day.
pub const PERIOD_MS: RangeInclusive<u64> = 1..=86_400_000;
/// Allowed waits before a restart, in milliseconds.
pub const BACKOFF_MS: RangeInclusive<u64> = 0..=600_000;
/// Allowed healthy time after which the backoff starts over, in milliseconds: up to a day.
pub const RESET_AFTER_MS: RangeInclusive<u64> = 0..=86_400_000;
/// Allowed time for one message in a handler, and for starting or stopping a child, in milliseconds.
pub const HANDLER_MS: RangeInclusive<u64> = 1..=600_000;
/// Allowed time for `ctx.wait`, in milliseconds.
pub const WAIT_MS: RangeInclusive<u64> = 1..=3_600_000;
/// Allowed mailbox capacity, in messages.
pub const MAILBOX_CAPACITY: RangeInclusive<u64> = 1..=1_000_000;
/// Most children that may be overridden.
pub const CHILDREN_MAX: usize = 1_000;
/// Longest path of a child, in characters.
const CHILD_PATH_CHARS_MAX: usize = 200;

/// The supervision tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Supervision {
    /// Period of the watchdog thread, in milliseconds.
    #[schemars(range(min = 1, max = 1000))]
    pub watchdog_tick_ms: u64,
    /// Silence of the control thread that counts as a hang, in milliseconds.
    #[schemars(range(min = 100, max = 600_000))]
    pub control_hang_ms: u64,
    /// Time for an ordered shutdown, in milliseconds; what exceeds it is logged and ended.
    #[schemars(range(min = 1, max = 600_000))]
    pub shutdown_grace_ms: u64,
    /// Threads given up as hung before the process ends.
    #[schemars(range(min = 0, max = 64))]
    pub abandoned_threads_max: u64,
    /// Ad-hoc background tasks at a time.
    #[schemars(range(min = 1, max = 10_000))]
    pub background_tasks_max: u64,
    /// Overrides by the child's path in the tree.
    pub children: BTreeMap<String, ChildOverride>,
}

impl Default for Supervision {
    fn default() -> Self {
        Self {
            watchdog_tick_ms: 10,
            control_hang_ms: 5_000,
            shutdown_grace_ms: 20_000,
            abandoned_threads_max: 3,
            background_tasks_max: 256,
            children: BTreeMap::new(),
        }
    }
}

/// What one child does differently. A key left out changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChildOverride {
    /// How many restarts in which period are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intensity: Option<IntensityOverride>,
    /// Waits before a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<BackoffOverride>,
    /// What counts as a hang.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang: Option<HangOverride>,
    /// Time for the acknowledged start, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600_000))]
    pub start_timeout_ms: Option<u64>,
    /// Time for an orderly stop, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600_000))]
    pub shutdown_ms: Option<u64>,
    /// Messages the mailbox holds before it refuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub mailbox_capacity: Option<u64>,
}

/// Restart intensity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IntensityOverride {
    /// Restarts allowed within the period; one more escalates. 0 never restarts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub max_restarts: Option<u64>,
    /// The period, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub period_ms: Option<u64>,
}

/// Exponential backoff.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackoffOverride {
    /// First wait, in milliseconds; doubles with each failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 600_000))]
    pub base_ms: Option<u64>,
    /// Longest wait, in milliseconds; not below `base_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 600_000))]
    pub cap_ms: Option<u64>,
    /// Healthy time after which the next failure waits `base_ms` again, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400_000))]
    pub reset_after_ms: Option<u64>,
    /// Randomness of the wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
}

/// Randomness of a backoff wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Exactly the computed wait.
    None,
    /// Anything from zero to the computed wait.
    Full,
}

/// Hang limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HangOverride {
    /// Time for one message in a handler, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600_000))]
    pub handler_ms: Option<u64>,
    /// Time for one `ctx.wait`, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3_600_000))]
    pub wait_ms: Option<u64>,
}

impl Supervision {
    /// Checks ranges, and rules between values, of the tree and of every child.
    pub fn validate(&self, problems: &mut Problems) {
        let own = |key: &str| KeyPath::from("supervision").child(key);
        problems.range(own("watchdog_tick_ms"), self.watchdog_tick_ms, &WATCHDOG_TICK_MS);
        problems.range(own("control_hang_ms"), self.control_hang_ms, &CONTROL_HANG_MS);
        problems.range(own("shutdown_grace_ms"), self.shutdown_grace_ms, &SHUTDOWN_GRACE_MS);
        problems.range(own("abandoned_threads_max"), self.abandoned_threads_max, &ABANDONED_THREADS_MAX);
        problems.range(own("background_tasks_max"), self.background_tasks_max, &BACKGROUND_TASKS_MAX);
        if self.children.len() > CHILDREN_MAX {
            let problem = format!("{} children are overridden", self.children.len());
            problems.rule(own("children"), "too_many_children", problem, format!("at most {CHILDREN_MAX}"));
        }
        for (name, child) in self.children.iter().take(CHILDREN_MAX) {
            let path = own("children").child(name);
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
            if name.len() > CHILD_PATH_CHARS_MAX || !name.chars().all(is_allowed) {
                let advice = "use the path that `plimsoll supervision` shows, such as `venues/connector`";
                problems.rule(path.clone(), "bad_child_path", "not the path of a child", advice);
            }
            child.validate(&path, problems);
        }
    }
}

impl ChildOverride {
    fn validate(&self, path: &KeyPath, problems: &mut Problems) {
        problems.range_if(path.child("start_timeout_ms"), self.start_timeout_ms, &HANDLER_MS);
        problems.range_if(path.child("shutdown_ms"), self.shutdown_ms, &HANDLER_MS);
        problems.range_if(path.child("mailbox_capacity"), self.mailbox_capacity, &MAILBOX_CAPACITY);
        if let Some(intensity) = &self.intensity {
            let path = path.child("intensity");
            problems.range_if(path.child("max_restarts"), intensity.max_restarts, &MAX_RESTARTS);
            problems.range_if(path.child("period_ms"), intensity.period_ms, &PERIOD_MS);
        }
        if let Some(hang) = &self.hang {
            let path = path.child("hang");
            problems.range_if(path.child("handler_ms"), hang.handler_ms, &HANDLER_MS);
            problems.range_if(path.child("wait_ms"), hang.wait_ms, &WAIT_MS);
        }
        if let Some(backoff) = &self.backoff {
            backoff.validate(&path.child("backoff"), problems);
        }
    }
}

impl BackoffOverride {
    fn validate(&self, path: &KeyPath, problems: &mut Problems) {
        problems.range_if(path.child("base_ms"), self.base_ms, &BACKOFF_MS);
        problems.range_if(path.child("cap_ms"), self.cap_ms, &BACKOFF_MS);
        problems.range_if(path.child("reset_after_ms"), self.reset_after_ms, &RESET_AFTER_MS);
        if let (Some(base), Some(cap)) = (self.base_ms, self.cap_ms)
            && cap < base
        {
            let problem = format!("the longest wait, {cap}, is below the first wait, {base}");
            problems.rule(
                path.child("cap_ms"),
                "cap_below_base",
                problem,
                "give `cap_ms` at least `base_ms`",
            );
        }
    }
}

/// Where the override of this child stands in the file: the place of its name.
#[must_use]
pub fn child_override_position(document: &Document, child: &str) -> Option<Position> {
    document.key_position(&child_path(child))
}

/// The refusal of an override whose child is not in the tree, with its line and the nearest child there is.
#[must_use]
pub fn unknown_child(document: &Document, child: &str, existing: &[String]) -> ConfigError {
    let fault = Fault::Rule {
        code: "unknown_child",
        problem: format!("there is no child `{child}` in the supervision tree"),
        advice: suggest(child, existing),
    };
    document.key_problem(child_path(child), fault)
}

/// The refusal of a setting that this child cannot have (`backoff.cap_ms`, say), with its line.
#[must_use]
pub fn refused_child_setting(
    document: &Document,
    child: &str,
    setting: &str,
    problem: String,
) -> ConfigError {
    let path = setting.split('.').fold(child_path(child), |path, key| path.child(key));
    let advice = "take it away, or give what fits this child (see `plimsoll supervision`)".to_owned();
    document.problem(path, Fault::Rule { code: "child_setting", problem, advice })
}

fn child_path(child: &str) -> KeyPath {
    KeyPath::from("supervision.children").child(child)
}
