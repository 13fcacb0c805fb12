//! Containment: what is done by itself when an alert stands. Pure: judged truth comes in, intents and their ends go out.
//!
//! Each act is an intent: a precondition that held, one action of a closed set that moves no funds, a deadline, and a
//! condition that is *seen* to hold afterwards; an action that was carried out and changed nothing has failed. Each has
//! a budget in a window; beyond it nothing is done any more and that is said. Only what the configuration lists happens
//! by itself. Nothing here ever allows more than before: what was paused stays paused until a person resumes.

use super::health::{Key, SafeAction, Table, Verdict, Verdicts};
use super::ids::{StrategyId, VenueId};
use super::oms::Phase;
use super::time::Mono;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// How long an action may take to be seen, milliseconds.
pub const DEADLINE_MS: u64 = 3_000;
/// A new session needs longer.
const RECONNECT_MS: u64 = 15_000;
/// Ended intents that are kept to be shown.
const KEPT_MAX: usize = 64;
/// Intents that may be under way at once: bounded by policies times venues and strategies.
const OPEN_MAX: usize = 64;

/// One line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The alert's code.
    pub on: String,
    /// What is done.
    pub action: SafeAction,
    /// How often within the window.
    pub budget: usize,
    /// The window, milliseconds.
    pub window_ms: u64,
}

/// What an action is done to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The whole desk.
    Desk,
    /// A strategy.
    Strategy(String),
    /// A venue's market session.
    Market(String),
    /// A venue's order session.
    Orders(String),
}

/// How an intent stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Asked for; its effect was not seen yet.
    Open,
    /// Its effect was seen.
    Verified,
    /// It was refused, or its effect was not seen in time.
    Failed(String),
}

/// One intent: why, what, to what, until when, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Rises.
    pub number: u64,
    /// The alert that asked for it.
    pub because: String,
    /// What held before.
    pub precondition: String,
    /// What is done.
    pub action: SafeAction,
    /// To what.
    pub target: Target,
    /// When it was asked for.
    pub at: Mono,
    /// Its effect is to be seen before this.
    pub deadline: Mono,
    /// What is to be seen.
    pub verify: String,
    /// How it stands.
    pub outcome: Outcome,
    /// When it ended.
    pub ended: Option<Mono>,
    /// Counts sessions before the action, for a reconnection.
    before: u64,
}

/// What is to be done, or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Carry this out.
    Do(Intent),
    /// It ended; to be told.
    Ended(Intent),
    /// The budget is used up: nothing more is done by itself, somebody must.
    Exhausted {
        /// The alert that asked.
        because: String,
        /// What is not done any more.
        action: SafeAction,
    },
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub struct Containment {
    policies: Vec<Policy>,
    next: u64,
    open: Vec<Intent>,
    ended: VecDeque<Intent>,
    /// When each policy last acted.
    spent: BTreeMap<usize, VecDeque<Mono>>,
    /// Policies whose end of the budget was told.
    told: BTreeMap<usize, Mono>,
    /// What was done about an alert while it stands.
    done: BTreeMap<Key, BTreeMap<SafeAction, String>>,
}

/// What is known beside the table: which strategies may trade by their switch, and how many entries rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Each strategy's switch.
    pub enabled: BTreeMap<StrategyId, bool>,
    /// Open orders that would open or enlarge a position.
    pub entries: usize,
    /// How often each venue was asked for everything anew, and answered.
    pub refreshed: BTreeMap<VenueId, u64>,
}

impl Containment {
    /// With these policies.
    #[must_use]
    pub fn new(policies: Vec<Policy>) -> Self {
        Self { policies, ..Self::default() }
    }

    /// Is there anything that happens by itself?
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        !self.policies.is_empty()
    }

    /// Intents that ended, the latest last, and those under way.
    #[must_use]
    pub fn intents(&self) -> Vec<Intent> {
        self.ended.iter().chain(&self.open).cloned().collect()
    }

    /// What was done about an alert that stands, in words.
    #[must_use]
    pub fn contained(&self, key: &Key) -> Option<String> {
        let done = self.done.get(key)?;
        let words: Vec<String> =
            done.iter().map(|(action, word)| format!("{}: {word}", action.word())).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// An action was refused outright.
    pub fn refused(&mut self, now: Mono, number: u64, why: String) -> Vec<Effect> {
        let mut out = Vec::new();
        if let Some(at) = self.open.iter().position(|intent| intent.number == number) {
            let intent = self.open.remove(at);
            self.end(now, intent, Outcome::Failed(why), &mut out);
        }
        out
    }

    /// Looks at what was judged: ends what is seen to have worked or is overdue, and begins what is asked for.
    pub fn step(
        &mut self,
        now: Mono,
        table: &Table,
        verdicts: &Verdicts,
        standing: &Standing,
    ) -> Vec<Effect> {
        let mut out = Vec::new();
        self.done.retain(|key, _| verdicts.stands(key));
        for intent in std::mem::take(&mut self.open) {
            if seen(&intent, table, standing) {
                self.end(now, intent, Outcome::Verified, &mut out);
            } else if now >= intent.deadline {
                let why = format!("not seen within {} ms: {}", now.since(intent.at), intent.verify);
                self.end(now, intent, Outcome::Failed(why), &mut out);
            } else {
                self.open.push(intent);
            }
        }
        for at in 0..self.policies.len() {
            let Some(policy) = self.policies.get(at).cloned() else { continue };
            let asking: Vec<(Key, Verdict)> = verdicts
                .alerts()
                .filter(|(key, _)| key.code == policy.on)
                .map(|(key, verdict)| (key.clone(), verdict.clone()))
                .collect();
            for (key, verdict) in asking {
                for target in targets(policy.action, &key, &verdict, table) {
                    self.consider(now, at, &policy, &key, target, (table, standing), &mut out);
                }
            }
        }
        out
    }

    #[expect(clippy::too_many_arguments, reason = "one call, everything that the decision rests on")]
    fn consider(
        &mut self,
        now: Mono,
        at: usize,
        policy: &Policy,
        key: &Key,
        target: Target,
        (table, standing): (&Table, &Standing),
        out: &mut Vec<Effect>,
    ) {
        let action = policy.action;
        let busy = self.open.iter().any(|intent| intent.action == action && intent.target == target);
        if busy || self.open.len() >= OPEN_MAX {
            return;
        }
        // A precondition that holds again asks again: somebody has armed the desk meanwhile. A session that was pushed
        // gets its time.
        let Some(precondition) = precondition(action, &target, table, standing) else { return };
        let again = self.done.get(key).is_some_and(|done| done.contains_key(&action));
        if again
            && matches!(action, SafeAction::Reconnect | SafeAction::Refresh)
            && !self.rested(now, at, policy)
        {
            return;
        }
        let spent = self.spent.entry(at).or_default();
        while spent.front().is_some_and(|first| now.since(*first) > policy.window_ms) {
            spent.pop_front();
        }
        if spent.len() >= policy.budget {
            if !self.told.contains_key(&at) {
                self.told.insert(at, now);
                let word = format!("stopped after {} times; a person must act", policy.budget);
                self.done.entry(key.clone()).or_default().insert(action, word);
                out.push(Effect::Exhausted { because: key.to_string(), action });
            }
            return;
        }
        spent.push_back(now);
        self.told.remove(&at);
        self.next = self.next.saturating_add(1);
        let within = if action == SafeAction::Reconnect { RECONNECT_MS } else { DEADLINE_MS };
        let intent = Intent {
            number: self.next,
            because: key.to_string(),
            precondition,
            action,
            before: counter(action, &target, table, standing),
            verify: verify(action).to_owned(),
            target,
            at: now,
            deadline: now.plus(within),
            outcome: Outcome::Open,
            ended: None,
        };
        self.done.entry(key.clone()).or_default().insert(action, "asked for".to_owned());
        self.open.push(intent.clone());
        out.push(Effect::Do(intent));
    }

    /// Has this policy's last act had its time?
    fn rested(&self, now: Mono, at: usize, policy: &Policy) -> bool {
        let budget = u64::try_from(policy.budget).unwrap_or(1).max(1);
        let pause = policy.window_ms.div_euclid(budget);
        self.spent.get(&at).and_then(|spent| spent.back()).is_none_or(|last| now.since(*last) >= pause)
    }

    fn end(&mut self, now: Mono, intent: Intent, outcome: Outcome, out: &mut Vec<Effect>) {
        let word = match &outcome {
            Outcome::Verified => "done and seen".to_owned(),
            Outcome::Failed(why) => format!("failed: {why}"),
            Outcome::Open => "asked for".to_owned(),
        };
        for (key, done) in &mut self.done {
            if key.to_string() == intent.because {
                done.insert(intent.action, word.clone());
            }
        }
        let intent = Intent { outcome, ended: Some(now), ..intent };
        if self.ended.len() >= KEPT_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(intent.clone());
        out.push(Effect::Ended(intent));
    }
}

/// What an action is to be done to, for this alert.
fn targets(action: SafeAction, key: &Key, verdict: &Verdict, table: &Table) -> Vec<Target> {
    let venue = key.scope.split('/').next().unwrap_or_default();
    let known = table.venues.iter().any(|one| one.venue.as_str() == venue);
    match action {
        SafeAction::Pause | SafeAction::ReduceOnly | SafeAction::CancelRestingEntries => vec![Target::Desk],
        SafeAction::Disarm => {
            let named = key.scope.strip_prefix("strategy/");
            let all = table.strategies.iter();
            let hit = all.filter(|one| match named {
                Some(name) => one.strategy.as_str() == name,
                None if known => {
                    one.venue.as_str() == venue
                        && key.scope.split_once('/').is_none_or(|(_, symbol)| one.symbol.as_str() == symbol)
                }
                None => true,
            });
            hit.map(|one| Target::Strategy(one.strategy.to_string())).collect()
        }
        SafeAction::Reconnect | SafeAction::Refresh if !known => Vec::new(),
        SafeAction::Reconnect if verdict.component.starts_with("execution/") => {
            vec![Target::Orders(venue.to_owned())]
        }
        SafeAction::Reconnect => vec![Target::Market(venue.to_owned())],
        SafeAction::Refresh => vec![Target::Orders(venue.to_owned())],
    }
}

fn phase(table: &Table) -> Option<Phase> {
    table.executor.as_ref().map(|executor| executor.phase)
}

/// What makes the action worth doing, in words; `None` when there is nothing to contain.
fn precondition(action: SafeAction, target: &Target, table: &Table, standing: &Standing) -> Option<String> {
    let phase = phase(table)?;
    let armed = matches!(phase, Phase::Running | Phase::ReduceOnly);
    match action {
        SafeAction::Pause => armed.then(|| format!("state={}", phase.word())),
        SafeAction::ReduceOnly => (phase == Phase::Running).then(|| "state=running".to_owned()),
        SafeAction::Disarm => match target {
            Target::Strategy(name) => {
                let on = standing.enabled.iter().any(|(one, on)| one.as_str() == name && *on);
                on.then(|| format!("strategy={name}, enabled=true"))
            }
            _ => None,
        },
        SafeAction::CancelRestingEntries => {
            (standing.entries > 0).then(|| format!("resting_entries={}", standing.entries))
        }
        SafeAction::Reconnect => session(target, table).map(|state| format!("session={state}")),
        SafeAction::Refresh => Some("asked".to_owned()),
    }
}

fn session(target: &Target, table: &Table) -> Option<&'static str> {
    let find = |name: &str| table.venues.iter().find(|one| one.venue.as_str() == name);
    let session = match target {
        Target::Market(name) => find(name)?.market.as_ref()?,
        Target::Orders(name) => find(name)?.orders.as_ref()?,
        _ => return None,
    };
    // One that is on its way already needs no push.
    session.state.is_open().then(|| session.state.name())
}

/// What must have risen for the action to have worked.
fn counter(action: SafeAction, target: &Target, table: &Table, standing: &Standing) -> u64 {
    let find = |name: &str| table.venues.iter().find(|one| one.venue.as_str() == name);
    match (action, target) {
        (SafeAction::Reconnect, Target::Market(name)) => {
            find(name).and_then(|one| one.market.as_ref()).map_or(0, |session| session.reconnects)
        }
        (SafeAction::Reconnect, Target::Orders(name)) => {
            find(name).and_then(|one| one.orders.as_ref()).map_or(0, |session| session.reconnects)
        }
        (SafeAction::Refresh, Target::Orders(name)) => {
            let all = standing.refreshed.iter();
            all.filter(|(one, _)| one.as_str() == name).map(|(_, count)| *count).next().unwrap_or(0)
        }
        _ => 0,
    }
}

const fn verify(action: SafeAction) -> &'static str {
    match action {
        SafeAction::Pause => "the desk takes no new entries",
        SafeAction::ReduceOnly => "the desk takes only what reduces",
        SafeAction::Disarm => "the strategy's switch is off",
        SafeAction::Reconnect => "a newer session than before",
        SafeAction::Refresh => "the venue has answered anew",
        SafeAction::CancelRestingEntries => "no entry rests",
    }
}

/// Did it work? Read from what is, never from what was answered.
fn seen(intent: &Intent, table: &Table, standing: &Standing) -> bool {
    let Some(phase) = phase(table) else { return false };
    match intent.action {
        SafeAction::Pause => matches!(phase, Phase::Paused | Phase::Halted | Phase::Draining),
        SafeAction::ReduceOnly => !matches!(phase, Phase::Running | Phase::Starting | Phase::Reconciling),
        SafeAction::Disarm => match &intent.target {
            Target::Strategy(name) => standing.enabled.iter().any(|(one, on)| one.as_str() == name && !*on),
            _ => false,
        },
        SafeAction::CancelRestingEntries => standing.entries == 0,
        SafeAction::Reconnect | SafeAction::Refresh => {
            counter(intent.action, &intent.target, table, standing) > intent.before
        }
    }
}

#[cfg(test)]
#[path = "containment_tests.rs"]
mod tests;
