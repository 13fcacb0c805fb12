//! One session with a venue as a pure state machine: when to dial, when to give up, when to trust.
//!
//! `step(now, event) -> effects`; it owns no socket, no clock and no randomness but the seed it was given.
//! It promises: at most `connect_cap` dials per `connect_window_ms`, whatever happens; a session that was
//! silent for `dead_after_ms` is hung up; a session that pings without data turns [`State::Stale`]; nothing
//! is [`State::Live`] before `Synced`. A replacement (renewal) is dialled while the old session still works.

use super::types::{Policy, State, Why};
use crate::domain::time::Mono;
use std::collections::VecDeque;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The owner wants the session.
    Start,
    /// The owner no longer wants it.
    Stop,
    /// The socket is open.
    Opened,
    /// Logged on and subscribed.
    Authenticated,
    /// Snapshots taken and compared.
    Synced,
    /// A frame came; `data` unless it was a ping, a pong or an answer to housekeeping.
    Frame {
        /// Does it count as data?
        data: bool,
    },
    /// The attempt or the session failed.
    Lost(Why),
    /// Something is missing: synchronise again on the same session.
    Resync,
    /// The venue announced that it will close this session.
    Announced,
    /// The replacement is connected, authenticated and subscribed.
    ReplacementReady,
    /// The replacement failed.
    ReplacementFailed,
    /// The venue asked for silence until then.
    HoldUntil(Mono),
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Open a socket.
    Dial,
    /// Log on and subscribe on it.
    Authenticate,
    /// Take snapshots, fetch, compare.
    Sync,
    /// Open, authenticate and subscribe a second socket while the first keeps working.
    DialReplacement,
    /// Send on the second socket from now on; let the first drain, then close it.
    Promote,
    /// Close whatever is open, forget whatever is being opened.
    HangUp(Why),
    /// Tell the world.
    Changed {
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// Cause.
        why: Why,
    },
}

/// The session's state.
#[derive(Debug, Clone)]
pub struct Connection {
    policy: Policy,
    state: State,
    entered: Mono,
    opened: Mono,
    last_frame: Mono,
    last_data: Mono,
    failures: u32,
    dials: VecDeque<Mono>,
    retry_at: Mono,
    hold_until: Mono,
    replacing: Option<Mono>,
    replace_not_before: Mono,
    seed: u64,
}

impl Connection {
    /// A session that is not wanted yet. The seed spreads the back-off of many processes.
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        let zero = Mono(0);
        Self {
            policy,
            state: State::Disconnected,
            entered: zero,
            opened: zero,
            last_frame: zero,
            last_data: zero,
            failures: 0,
            dials: VecDeque::new(),
            retry_at: zero,
            hold_until: zero,
            replacing: None,
            replace_not_before: zero,
            seed,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Failures since the last forgiven time.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes an event and answers what to do, in order.
    pub fn step(&mut self, now: Mono, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        match (event, self.state) {
            (Event::Start, State::Disconnected) => self.wait_or_dial(now, Why::Asked, &mut out),
            (Event::Stop, _) => {
                out.push(Effect::HangUp(Why::Asked));
                self.replacing = None;
                self.enter(now, State::Disconnected, Why::Asked, &mut out);
            }
            (Event::Opened, State::Connecting) => {
                (self.opened, self.last_frame, self.last_data) = (now, now, now);
                self.enter(now, State::Authenticating, Why::Progress, &mut out);
                out.push(Effect::Authenticate);
            }
            (Event::Authenticated, State::Authenticating) => {
                self.last_frame = now;
                self.enter(now, State::Syncing, Why::Progress, &mut out);
                out.push(Effect::Sync);
            }
            (Event::Synced, State::Syncing) => {
                self.last_data = now;
                self.enter(now, State::Live, Why::Progress, &mut out);
            }
            (Event::Frame { data }, state) if state.is_open() => self.frame(now, data, &mut out),
            (Event::Lost(Why::AuthRefused), state) if state != State::Disconnected => {
                out.push(Effect::HangUp(Why::AuthRefused));
                self.replacing = None;
                self.enter(now, State::Disconnected, Why::AuthRefused, &mut out);
            }
            (Event::Lost(why), state) if !matches!(state, State::Disconnected | State::Backoff) => {
                self.lose(now, why, &mut out);
            }
            (Event::Resync, State::Live | State::Stale) => {
                self.enter(now, State::Syncing, Why::ContinuityLost, &mut out);
                out.push(Effect::Sync);
            }
            (Event::Announced, State::Live | State::Stale | State::Syncing) => self.renew(now, &mut out),
            (Event::ReplacementReady, state) if state.is_open() && self.replacing.is_some() => {
                self.replacing = None;
                (self.opened, self.last_frame) = (now, now);
                out.push(Effect::Promote);
            }
            (Event::ReplacementFailed, _) if self.replacing.is_some() => self.replacement_failed(now),
            (Event::HoldUntil(until), _) => self.hold_until = self.hold_until.max(until),
            (Event::Tick, _) => self.tick(now, &mut out),
            // Everything else is late news of a connection that is gone.
            _ => {}
        }
        out
    }

    fn frame(&mut self, now: Mono, data: bool, out: &mut Vec<Effect>) {
        self.last_frame = now;
        if !data {
            return;
        }
        self.last_data = now;
        if self.state == State::Stale {
            self.enter(now, State::Live, Why::DataAgain, out);
        }
    }

    fn tick(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.replacing.is_some_and(|at| now.since(at) >= self.policy.setup_timeout_ms.saturating_mul(3)) {
            self.replacement_failed(now);
        }
        match self.state {
            State::Disconnected => return,
            State::Backoff => {
                if now >= self.retry_at.max(self.hold_until) {
                    self.wait_or_dial(now, Why::Progress, out);
                }
                return;
            }
            State::Connecting | State::Authenticating | State::Syncing
                if now.since(self.entered) >= self.policy.setup_timeout_ms =>
            {
                return self.lose(now, Why::SetupTimeout, out);
            }
            State::Connecting => return,
            State::Stale
                if self.policy.stale_hangup_ms.is_some_and(|limit| now.since(self.entered) >= limit) =>
            {
                return self.lose(now, Why::Mute, out);
            }
            _ => {}
        }
        if now.since(self.last_frame) >= self.policy.dead_after_ms {
            return self.lose(now, Why::Silent, out);
        }
        if self.state == State::Live {
            if now.since(self.entered) >= self.policy.forgive_after_ms {
                self.failures = 0;
            }
            if self.policy.stale_after_ms.is_some_and(|limit| now.since(self.last_data) >= limit) {
                self.enter(now, State::Stale, Why::Mute, out);
            }
        }
        if now.since(self.opened) >= self.policy.renew_after_ms
            && matches!(self.state, State::Live | State::Stale)
        {
            self.renew(now, out);
        }
    }

    fn renew(&mut self, now: Mono, out: &mut Vec<Effect>) {
        // Remembered, so that `next_tick` names an instant that lies ahead.
        self.replace_not_before = self.replace_not_before.max(self.earliest_dial(now));
        if self.replacing.is_some() || now < self.replace_not_before {
            return;
        }
        self.replacing = Some(now);
        self.count_dial(now);
        out.push(Effect::DialReplacement);
    }

    fn replacement_failed(&mut self, now: Mono) {
        self.replacing = None;
        self.failures = self.failures.saturating_add(1);
        self.replace_not_before = now.plus(self.backoff().max(self.policy.backoff_first_ms));
    }

    fn lose(&mut self, now: Mono, why: Why, out: &mut Vec<Effect>) {
        out.push(Effect::HangUp(why));
        self.replacing = None;
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.plus(self.backoff());
        self.enter(now, State::Backoff, why, out);
    }

    fn wait_or_dial(&mut self, now: Mono, why: Why, out: &mut Vec<Effect>) {
        let earliest = self.earliest_dial(now);
        if now < earliest {
            self.retry_at = earliest;
            return self.enter(now, State::Backoff, why, out);
        }
        self.count_dial(now);
        self.enter(now, State::Connecting, why, out);
        out.push(Effect::Dial);
    }

    fn count_dial(&mut self, now: Mono) {
        self.dials.push_back(now);
        while self.dials.len() > self.policy.connect_cap {
            self.dials.pop_front();
        }
    }

    /// The first instant at which another dial keeps the cap and the venue's wish for silence.
    fn earliest_dial(&self, now: Mono) -> Mono {
        let capped = match self.dials.front() {
            Some(oldest) if self.dials.len() >= self.policy.connect_cap => {
                oldest.plus(self.policy.connect_window_ms)
            }
            _ => now,
        };
        capped.max(self.hold_until)
    }

    /// Full jitter: anything between nothing and the ceiling, so that many clients never march in step.
    fn backoff(&mut self) -> u64 {
        let doubled = 1_u64.checked_shl(self.failures.saturating_sub(1).min(40)).unwrap_or(u64::MAX);
        let ceiling = self.policy.backoff_first_ms.saturating_mul(doubled).min(self.policy.backoff_max_ms);
        self.random().checked_rem(ceiling.saturating_add(1)).unwrap_or(0)
    }

    /// splitmix64: small, seeded, and good enough to spread reconnects.
    fn random(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn enter(&mut self, now: Mono, to: State, why: Why, out: &mut Vec<Effect>) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            self.entered = now;
            out.push(Effect::Changed { from, to, why });
        }
    }

    /// When a [`Event::Tick`] is due next; `None` while nothing is timed.
    #[must_use]
    pub fn next_tick(&self) -> Option<Mono> {
        let p = &self.policy;
        let base = match self.state {
            State::Disconnected => return None,
            State::Backoff => return Some(self.retry_at.max(self.hold_until)),
            State::Connecting => return Some(self.entered.plus(p.setup_timeout_ms)),
            State::Authenticating | State::Syncing => Some(self.entered.plus(p.setup_timeout_ms)),
            State::Live => p.stale_after_ms.map(|limit| self.last_data.plus(limit)),
            State::Stale => p.stale_hangup_ms.map(|limit| self.entered.plus(limit)),
        };
        let dead = Some(self.last_frame.plus(p.dead_after_ms));
        let renew = match self.replacing {
            Some(at) => Some(at.plus(p.setup_timeout_ms.saturating_mul(3))),
            None => Some(self.opened.plus(p.renew_after_ms).max(self.replace_not_before)),
        };
        [base, dead, renew].into_iter().flatten().min()
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
