//! What the judge says of one component, and on which evidence.

use serde::Serialize;
use std::fmt;

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It does what it is for, and there is fresh evidence of it.
    Healthy,
    /// It works, but not as it should.
    Degraded,
    /// There is no evidence, or too little: nothing good is assumed.
    Unknown,
    /// It can be reached, but what it last said is too old.
    Stale,
    /// It is alive and does not advance.
    Stalled,
    /// It cannot be reached.
    Disconnected,
    /// It has failed.
    Failed,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Stalled => "stalled",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
        }
    }
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nobody need look.
    Ok,
    /// Somebody should look.
    Warning,
    /// Money may be lost while nobody looks.
    Critical,
}

impl Severity {
    /// The word on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Where the fault lies, as seen from the component: the same word that an alert of it carries.
pub use crate::domain::alert::Locality;

/// What can be done about it without moving funds. A closed set: nothing in it opens a position or allows more.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SafeAction {
    /// No new entries.
    Pause,
    /// Only what makes positions smaller.
    ReduceOnly,
    /// The strategy may not trade.
    Disarm,
    /// A new session.
    Reconnect,
    /// Everything is fetched and compared anew.
    Refresh,
    /// Orders that would open or enlarge a position are taken back.
    CancelRestingEntries,
}

impl SafeAction {
    /// Every action.
    pub const ALL: [Self; 6] = [
        Self::Pause,
        Self::ReduceOnly,
        Self::Disarm,
        Self::Reconnect,
        Self::Refresh,
        Self::CancelRestingEntries,
    ];

    /// The word on the wire and in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::ReduceOnly => "reduce_only",
            Self::Disarm => "disarm",
            Self::Reconnect => "reconnect",
            Self::Refresh => "refresh",
            Self::CancelRestingEntries => "cancel_resting_entries",
        }
    }
}

/// An alert: its code and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key {
    /// One of the interface's codes; the runbook has its name.
    pub code: &'static str,
    /// What it is about, such as `paper/BTCUSDT`.
    pub scope: String,
}

impl Key {
    /// A key.
    #[must_use]
    pub fn new(code: &'static str, scope: impl Into<String>) -> Self {
        Self { code, scope: scope.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.code, self.scope)
    }
}

/// One piece of evidence, and how old it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cite {
    /// Which, such as `feed.last_data`.
    pub fact: &'static str,
    /// What it says.
    pub value: String,
    /// Milliseconds since it was true; `None` when it never was.
    pub age_ms: Option<u64>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which component, such as `feed/paper/BTCUSDT`.
    pub component: String,
    /// How it is.
    pub status: Status,
    /// How much that matters.
    pub severity: Severity,
    /// In a sentence.
    pub reason: String,
    /// Age of the evidence that decides, milliseconds; `None` when there is none.
    pub age_ms: Option<u64>,
    /// Where the fault lies.
    pub locality: Locality,
    /// What can be done about it.
    pub safe_actions: Vec<SafeAction>,
    /// The page that says what to do.
    pub runbook: Option<&'static str>,
    /// The alert that stands while this verdict does.
    pub alert: Option<Key>,
    /// The alert that this is a consequence of.
    pub cause: Option<Key>,
    /// What the verdict rests on.
    pub evidence: Vec<Cite>,
}

impl Verdict {
    /// One that says that all is well.
    #[must_use]
    pub fn healthy(component: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            status: Status::Healthy,
            severity: Severity::Ok,
            reason: reason.into(),
            age_ms: None,
            locality: Locality::Local,
            safe_actions: Vec::new(),
            runbook: None,
            alert: None,
            cause: None,
            evidence: Vec::new(),
        }
    }

    /// One that says that something is not.
    #[must_use]
    pub fn bad(
        component: impl Into<String>,
        status: Status,
        severity: Severity,
        reason: impl Into<String>,
    ) -> Self {
        Self { status, severity, ..Self::healthy(component, reason) }
    }

    /// With the alert that stands while it does; the runbook has the code's name.
    #[must_use]
    pub fn raising(mut self, code: &'static str, scope: impl Into<String>) -> Self {
        self.runbook = Some(code);
        self.alert = Some(Key::new(code, scope));
        self
    }

    /// With the age of what decides.
    #[must_use]
    pub const fn aged(mut self, age_ms: Option<u64>) -> Self {
        self.age_ms = age_ms;
        self
    }

    /// With where the fault lies.
    #[must_use]
    pub const fn at(mut self, locality: Locality) -> Self {
        self.locality = locality;
        self
    }

    /// With what can be done.
    #[must_use]
    pub fn safe(mut self, actions: &[SafeAction]) -> Self {
        self.safe_actions = actions.to_vec();
        self
    }

    /// With one more piece of evidence.
    #[must_use]
    pub fn citing(mut self, fact: &'static str, value: impl Into<String>, age_ms: Option<u64>) -> Self {
        self.evidence.push(Cite { fact, value: value.into(), age_ms });
        self
    }

    /// Is the component as it should be?
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        matches!(self.status, Status::Healthy)
    }
}

/// Everything that was judged at one instant, by component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdicts(pub Vec<Verdict>);

impl Verdicts {
    /// Of one component.
    #[must_use]
    pub fn of(&self, component: &str) -> Option<&Verdict> {
        self.0.iter().find(|verdict| verdict.component == component)
    }

    /// The alerts that stand.
    pub fn alerts(&self) -> impl Iterator<Item = (&Key, &Verdict)> {
        self.0.iter().filter_map(|verdict| verdict.alert.as_ref().map(|key| (key, verdict)))
    }

    /// Does this alert stand?
    #[must_use]
    pub fn stands(&self, key: &Key) -> bool {
        self.alerts().any(|(standing, _)| standing == key)
    }
}
