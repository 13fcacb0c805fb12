//! The memory of containment, and what follows from a judgement.

use super::intent::{Effect, Intent, Now, Policy, Standing, State, Target};
use super::look::{counter, precondition, seen, targets, verify};
use crate::domain::health::{Key, SafeAction, Table, Verdict, Verdicts};
use crate::domain::time::Mono;
use std::collections::{BTreeMap, VecDeque};

/// Ended intents that are kept to be shown.
pub(super) const KEPT_MAX: usize = 64;
/// Intents that may be under way at once, and recommendations that are remembered: bounded by policies times venues and
/// strategies.
const OPEN_MAX: usize = 64;
/// How long an intent waits for the disk, milliseconds.
const UNWRITTEN_MS: u64 = 1_000;
/// The same is not recommended again sooner, milliseconds.
const RECOMMEND_MS: i64 = 600_000;

/// How far an intent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its row is not known to be on disk.
    Writing,
    /// It was handed to whoever carries it out.
    Asked,
}

/// An intent under way.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) intent: Intent,
    pub(super) stage: Stage,
    /// Since when it is in this stage.
    pub(super) since: Mono,
    /// Its effect is to be seen before this.
    pub(super) deadline: Mono,
    /// Counts sessions before the action; `None` after a restart.
    pub(super) before: Option<u64>,
}

/// See [`super`].
#[derive(Debug, Clone, Default)]
pub struct Containment {
    pub(super) policies: Vec<Policy>,
    pub(super) next: u64,
    pub(super) open: Vec<Live>,
    pub(super) ended: VecDeque<Intent>,
    /// When each policy acted, milliseconds on the monotonic clock; before the process began it is less than nothing.
    pub(super) spent: BTreeMap<usize, VecDeque<i64>>,
    /// Policies whose end of the budget was told.
    told: BTreeMap<usize, Mono>,
    /// What was done about an alert while it stands.
    pub(super) done: BTreeMap<Key, BTreeMap<SafeAction, String>>,
    /// What was recommended, because of which alert and when.
    pub(super) recommended: BTreeMap<(SafeAction, Target), (Key, i64)>,
    /// Until then alerts of before the start count as standing.
    pub(super) settle_until: Mono,
}

/// What one look rests on.
#[derive(Clone, Copy)]
struct Look<'a> {
    now: Now,
    table: &'a Table,
    standing: &'a Standing,
}

fn signed(at: Mono) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
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

    /// The longest window of any policy, milliseconds: rows that are younger count.
    #[must_use]
    pub fn window_ms(&self) -> u64 {
        let recommended = u64::try_from(RECOMMEND_MS).unwrap_or(0);
        self.policies.iter().map(|policy| policy.window_ms).max().unwrap_or(0).max(recommended)
    }

    /// Intents that ended, the latest last, and those under way.
    #[must_use]
    pub fn intents(&self) -> Vec<Intent> {
        self.ended.iter().chain(self.open.iter().map(|live| &live.intent)).cloned().collect()
    }

    /// What was done about an alert that stands, in words.
    #[must_use]
    pub fn contained(&self, key: &Key) -> Option<String> {
        let done = self.done.get(key)?;
        let words: Vec<String> =
            done.iter().map(|(action, word)| format!("{}: {word}", action.word())).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn take(&mut self, number: u64) -> Option<Live> {
        let at = self.open.iter().position(|live| live.intent.number == number)?;
        Some(self.open.remove(at))
    }

    /// An intent is on disk: it is carried out now, unless it was already.
    pub fn written(&mut self, now: Now, number: u64) -> Vec<Effect> {
        let mut out = Vec::new();
        let waits = |live: &&mut Live| live.intent.number == number && live.stage == Stage::Writing;
        if let Some(live) = self.open.iter_mut().find(waits) {
            begin(live, now, &mut out);
        }
        out
    }

    /// Whoever carries an intent out has taken it.
    pub fn carried_out(&mut self, now: Now, number: u64) -> Vec<Effect> {
        let mut out = Vec::new();
        let asked = |live: &&mut Live| live.intent.number == number && live.stage == Stage::Asked;
        if let Some(live) = self.open.iter_mut().find(asked) {
            live.intent.state = State::CarriedOut;
            live.intent.carried_out_at = Some(now.wall);
            out.push(Effect::Write(live.intent.clone()));
        }
        out
    }

    /// An action was refused outright.
    pub fn refused(&mut self, now: Now, number: u64, why: String) -> Vec<Effect> {
        let mut out = Vec::new();
        if let Some(live) = self.take(number) {
            self.end(now, live.intent, State::Refused, why, &mut out);
        }
        out
    }

    /// Looks at what was judged: ends what is seen to have worked or is overdue, and begins what is asked for.
    pub fn step(&mut self, now: Now, table: &Table, verdicts: &Verdicts, standing: &Standing) -> Vec<Effect> {
        let mut out = Vec::new();
        let look = Look { now, table, standing };
        if now.mono >= self.settle_until {
            self.done.retain(|key, _| verdicts.stands(key));
        }
        for live in std::mem::take(&mut self.open) {
            self.look_at(live, look, &mut out);
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
                    self.consider((at, &policy), &key, target, look, &mut out);
                }
            }
        }
        self.recommend(verdicts, look, &mut out);
        out
    }

    /// What became of one intent.
    fn look_at(&mut self, mut live: Live, look: Look<'_>, out: &mut Vec<Effect>) {
        let now = look.now;
        let worked = seen(&live.intent, live.before, look.table, look.standing);
        match live.stage {
            Stage::Writing if worked => {
                let why = "it held already before anything was done".to_owned();
                self.end(now, live.intent, State::Refused, why, out);
            }
            Stage::Writing if now.mono.since(live.since) < UNWRITTEN_MS => self.open.push(live),
            // Taking less risk waits for no disk; its row follows when there is one.
            Stage::Writing if live.intent.restricts() => {
                live.intent.outcome =
                    "carried out before it was on disk: the journal took nothing".to_owned();
                begin(&mut live, now, out);
                self.open.push(live);
            }
            Stage::Writing => {
                let why = format!("not carried out: the journal took nothing for {UNWRITTEN_MS} ms");
                self.end(now, live.intent, State::Refused, why, out);
            }
            Stage::Asked if worked => self.end(now, live.intent, State::Verified, String::new(), out),
            Stage::Asked if now.mono >= live.deadline => {
                let waited = now.mono.since(live.since);
                let why = match live.before {
                    Some(_) => format!("not seen within {waited} ms: {}", live.intent.verify),
                    None => format!("not seen within {waited} ms of the restart: {}", live.intent.verify),
                };
                self.end(now, live.intent, State::Failed, why, out);
            }
            Stage::Asked => self.open.push(live),
        }
    }

    fn consider(
        &mut self,
        (at, policy): (usize, &Policy),
        key: &Key,
        target: Target,
        look: Look<'_>,
        out: &mut Vec<Effect>,
    ) {
        let (action, now) = (policy.action, look.now.mono);
        let busy = |live: &Live| live.intent.action == action && live.intent.target == target;
        if self.open.iter().any(busy) || self.open.len() >= OPEN_MAX {
            return;
        }
        // A precondition that holds again asks again: somebody has armed the desk meanwhile. A session that was pushed
        // gets its time.
        let Some(held) = precondition(action, &target, look.table, look.standing) else { return };
        let again = self.done.get(key).is_some_and(|done| done.contains_key(&action));
        if again
            && matches!(action, SafeAction::Reconnect | SafeAction::Refresh)
            && !self.rested(now, at, policy)
        {
            return;
        }
        let window = i64::try_from(policy.window_ms).unwrap_or(i64::MAX);
        let spent = self.spent.entry(at).or_default();
        while spent.front().is_some_and(|first| signed(now).saturating_sub(*first) > window) {
            spent.pop_front();
        }
        if spent.len() >= policy.budget {
            // Told once until it may act again.
            if let std::collections::btree_map::Entry::Vacant(untold) = self.told.entry(at) {
                untold.insert(now);
                let word = format!("stopped after {} times; a person must act", policy.budget);
                self.done.entry(key.clone()).or_default().insert(action, word.clone());
                out.push(Effect::Exhausted { because: key.to_string(), action });
                let intent = self.intent(key, action, target, held, look);
                let intent = Intent { budget: policy.budget, window_ms: policy.window_ms, ..intent };
                self.say(intent, word, look.now, out);
            }
            return;
        }
        spent.push_back(signed(now));
        let spent = spent.len();
        self.told.remove(&at);
        let before = counter(action, &target, look.table, look.standing);
        let intent = self.intent(key, action, target, held, look);
        let (budget, window_ms) = (policy.budget, policy.window_ms);
        let intent = Intent { budget, window_ms, spent, ..intent };
        self.done.entry(key.clone()).or_default().insert(action, Self::word(&intent));
        let (stage, since, deadline) = (Stage::Writing, now, now.plus(intent.within_ms()));
        out.push(Effect::Write(intent.clone()));
        self.open.push(Live { intent, stage, since, deadline, before: Some(before) });
    }

    /// An intent that nothing was done about yet.
    fn intent(
        &mut self,
        key: &Key,
        action: SafeAction,
        target: Target,
        precondition: String,
        look: Look<'_>,
    ) -> Intent {
        self.next = self.next.saturating_add(1);
        Intent {
            number: self.next,
            because: key.to_string(),
            code: key.code.to_owned(),
            precondition,
            action,
            target,
            verify: verify(action).to_owned(),
            budget: 0,
            window_ms: 0,
            spent: 0,
            state: State::Proposed,
            outcome: String::new(),
            requested_at: look.now.wall,
            carried_out_at: None,
            ended_at: None,
        }
    }

    /// What would be safe and is not done by itself: said once while its alert stands.
    fn recommend(&mut self, verdicts: &Verdicts, look: Look<'_>, out: &mut Vec<Effect>) {
        let now = signed(look.now.mono);
        let fresh = |at: i64| now.saturating_sub(at) < RECOMMEND_MS;
        self.recommended.retain(|_, (key, at)| fresh(*at) || verdicts.stands(key));
        for (key, verdict) in verdicts.alerts() {
            for action in &verdict.safe_actions {
                let listed = |policy: &Policy| policy.on == key.code && policy.action == *action;
                if self.policies.iter().any(listed) {
                    continue;
                }
                for target in targets(*action, key, verdict, look.table) {
                    let named = (*action, target.clone());
                    if self.recommended.contains_key(&named) || self.recommended.len() >= OPEN_MAX {
                        continue;
                    }
                    let Some(held) = precondition(*action, &target, look.table, look.standing) else {
                        continue;
                    };
                    self.recommended.insert(named, (key.clone(), now));
                    let intent = self.intent(key, *action, target, held, look);
                    let word = "the configuration does not let it happen by itself".to_owned();
                    self.say(intent, word, look.now, out);
                }
            }
        }
    }

    fn say(&mut self, intent: Intent, why: String, now: Now, out: &mut Vec<Effect>) {
        let ended_at = Some(now.wall);
        let intent = Intent { state: State::Recommended, outcome: why, ended_at, ..intent };
        self.keep(intent.clone());
        out.push(Effect::Write(intent));
    }

    /// Has this policy's last act had its time?
    fn rested(&self, now: Mono, at: usize, policy: &Policy) -> bool {
        let budget = u64::try_from(policy.budget).unwrap_or(1).max(1);
        let pause = i64::try_from(policy.window_ms.div_euclid(budget)).unwrap_or(i64::MAX);
        let last = self.spent.get(&at).and_then(|spent| spent.back());
        last.is_none_or(|last| signed(now).saturating_sub(*last) >= pause)
    }

    /// What an alert's own line says of an intent.
    pub(super) fn word(intent: &Intent) -> String {
        match intent.state {
            State::Proposed | State::CarriedOut => "asked for".to_owned(),
            State::Verified => "done and seen".to_owned(),
            State::Failed | State::Refused => format!("failed: {}", intent.outcome),
            State::Recommended => format!("recommended: {}", intent.outcome),
        }
    }

    fn end(&mut self, now: Now, intent: Intent, state: State, why: String, out: &mut Vec<Effect>) {
        let outcome = if why.is_empty() { intent.outcome.clone() } else { why };
        let intent = Intent { state, outcome, ended_at: Some(now.wall), ..intent };
        for (key, done) in &mut self.done {
            if key.to_string() == intent.because {
                done.insert(intent.action, Self::word(&intent));
            }
        }
        self.keep(intent.clone());
        out.push(Effect::Write(intent.clone()));
        out.push(Effect::Ended(intent));
    }

    pub(super) fn keep(&mut self, intent: Intent) {
        if self.ended.len() >= KEPT_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(intent);
    }
}

/// Hands an intent to whoever carries it out; its time begins now.
fn begin(live: &mut Live, now: Now, out: &mut Vec<Effect>) {
    (live.stage, live.since) = (Stage::Asked, now.mono);
    live.deadline = now.mono.plus(live.intent.within_ms());
    out.push(Effect::Do(live.intent.clone()));
}
