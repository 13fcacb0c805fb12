//! The kill switch's latch: what its two copies say together, and what may change it.
//!
//! Engaging is idempotent and always possible; the first cause stays, later ones are counted. Disengaging needs a
//! person who names the generation that they saw and a reason, and is refused while a cause stands or the copies are
//! not on disk. A reading is disengaged only when both copies are good and agree: whatever is unreadable, missing
//! where there must be something, or contradicting, is engaged. Knows no files, clocks or sockets.

use super::time::WallMs;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest reason that is kept, in characters.
pub const REASON_CHARS_MAX: usize = 240;
/// Longest name of an actor that is kept, in characters.
pub const ACTOR_CHARS_MAX: usize = 64;

/// What engaged the latch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person, over HTTP or the command line.
    Operator,
    /// A limit of the risk chain.
    RiskBreach,
    /// The supervision tree gave up.
    Meltdown,
    /// The journal cannot be trusted.
    JournalFault,
    /// The watcher beside the process.
    Sentinel,
    /// `SIGUSR1`.
    Signal,
    /// The file `HALT` in the data directory.
    HaltFile,
    /// The latch's own copies are unreadable, missing or contradicting.
    Unreadable,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 8] = [
        Self::Operator,
        Self::RiskBreach,
        Self::Meltdown,
        Self::JournalFault,
        Self::Sentinel,
        Self::Signal,
        Self::HaltFile,
        Self::Unreadable,
    ];

    /// As it is printed and stored everywhere.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::RiskBreach => "risk_breach",
            Self::Meltdown => "meltdown",
            Self::JournalFault => "journal_fault",
            Self::Sentinel => "sentinel",
            Self::Signal => "signal",
            Self::HaltFile => "halt_file",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One state of the latch. Generations rise by one with every change and are never used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatchRecord {
    /// Which change this is; 1 is the first record of a data directory.
    pub generation: u64,
    /// What engaged it; `None` while it is not engaged.
    pub cause: Option<Cause>,
    /// Who engaged it, or reset it.
    pub actor: String,
    /// Why, in a sentence.
    pub reason: String,
    /// When (wall clock).
    pub at: WallMs,
}

impl LatchRecord {
    /// May nothing go out?
    #[must_use]
    pub const fn is_engaged(&self) -> bool {
        self.cause.is_some()
    }

    /// The record that a data directory begins with.
    #[must_use]
    pub fn first(at: WallMs) -> Self {
        let (actor, reason) = ("plimsoll".to_owned(), "first start in this data directory".to_owned());
        Self { generation: 1, cause: None, actor, reason, at }
    }
}

/// What one copy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// There is none.
    Missing,
    /// There is something, and it cannot be trusted; why.
    Unreadable(String),
    /// A record whose checksum holds.
    Good(LatchRecord),
}

impl Copied {
    fn good(&self) -> Option<&LatchRecord> {
        match self {
            Self::Good(record) => Some(record),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }

    fn says(&self) -> String {
        match self {
            Self::Missing => "missing".to_owned(),
            Self::Unreadable(why) => format!("unreadable ({why})"),
            Self::Good(record) => {
                let word = record.cause.map_or("not engaged", Cause::word);
                format!("generation {}, {word}", record.generation)
            }
        }
    }
}

/// What the copies say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The state to begin with.
    pub record: LatchRecord,
    /// Both copies hold exactly that; otherwise they are to be written anew.
    pub intact: bool,
}

/// Reads the two copies. `used_before` says that this data directory has a history, so that a copy must exist.
///
/// The rule, in this order: nothing at all in a new directory is the beginning; an engaged copy wins, the younger of
/// two; two equal copies are what they say; everything else is engaged with [`Cause::Unreadable`].
#[must_use]
pub fn read(a: &Copied, b: &Copied, used_before: bool, now: WallMs) -> Reading {
    let begun = |copy: &Copied| match copy {
        Copied::Missing => true,
        // The first start was cut off between its two writes.
        Copied::Good(record) => record.generation == 1 && !record.is_engaged(),
        Copied::Unreadable(_) => false,
    };
    let equal = matches!((a.good(), b.good()), (Some(a), Some(b)) if a == b);
    if !used_before && !equal && begun(a) && begun(b) {
        return Reading { record: LatchRecord::first(now), intact: false };
    }
    let engaged = [a, b].into_iter().filter_map(Copied::good).filter(|record| record.is_engaged());
    if let Some(record) = engaged.max_by_key(|record| record.generation) {
        let used = [a, b].into_iter().filter_map(Copied::good).map(|record| record.generation).max();
        // A reset that reached one copy only was never answered: it did not happen. Its number is not used again.
        let generation = match used {
            Some(used) if used > record.generation => used.saturating_add(1),
            _ => record.generation,
        };
        return Reading { record: LatchRecord { generation, ..record.clone() }, intact: equal };
    }
    match (a.good(), equal) {
        (Some(record), true) => Reading { record: record.clone(), intact: true },
        _ => Reading { record: unreadable(a, b, now), intact: false },
    }
}

fn unreadable(a: &Copied, b: &Copied, now: WallMs) -> LatchRecord {
    let known = [a, b].into_iter().filter_map(Copied::good).map(|record| record.generation).max();
    LatchRecord {
        generation: known.unwrap_or(0).saturating_add(1),
        cause: Some(Cause::Unreadable),
        actor: "plimsoll".to_owned(),
        reason: bounded(
            &format!("the latch cannot be trusted: copy a {}, copy b {}", a.says(), b.says()),
            REASON_CHARS_MAX,
        ),
        at: now,
    }
}

/// What engaging came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It was not engaged; now it is, with this record, which is to be written.
    Engaged(LatchRecord),
    /// It was engaged already; the first cause stays.
    Already(LatchRecord),
}

/// What a reset is judged by.
#[derive(Debug, Clone, Copy)]
pub struct ResetAsk<'a> {
    /// The generation that the person saw.
    pub generation: u64,
    /// Who.
    pub actor: &'a str,
    /// Why it may trade again.
    pub reason: &'a str,
    /// Causes that still stand, in words; the caller knows them.
    pub standing: &'a [String],
    /// Is the file `HALT` there (or cannot be looked for)?
    pub halt_file: bool,
    /// Does the disk hold the engaged record, in both copies?
    pub durable: bool,
}

/// Why a reset was refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResetRefused {
    /// There is nothing to reset.
    #[error("KILL_SWITCH_NOT_ENGAGED: generation={generation}")]
    NotEngaged {
        /// The latch's.
        generation: u64,
    },
    /// The latch has changed since the person looked.
    #[error("KILL_SWITCH_CHANGED: seen={seen}, generation={generation}")]
    Changed {
        /// The one that was named.
        seen: u64,
        /// The latch's.
        generation: u64,
    },
    /// A reset names who and why.
    #[error("KILL_SWITCH_UNNAMED: missing={missing}")]
    Unnamed {
        /// Which of the two is missing.
        missing: &'static str,
    },
    /// The file `HALT` is in the data directory; remove it first.
    #[error("KILL_SWITCH_HALT_FILE: remove the file HALT from the data directory first")]
    HaltFile,
    /// What engaged it, or something as grave, has not ended.
    #[error("KILL_SWITCH_CAUSE_STANDS: standing={}", standing.join("; "))]
    CauseStands {
        /// In words.
        standing: Vec<String>,
    },
    /// The latch's files cannot be written, so a reset would not be remembered, nor the next halt.
    #[error("KILL_SWITCH_NOT_DURABLE: {why}")]
    NotDurable {
        /// The system's answer.
        why: String,
    },
    /// Somebody engaged it while the reset was being written.
    #[error("KILL_SWITCH_ENGAGED_AGAIN: generation={generation}")]
    EngagedAgain {
        /// The latch's.
        generation: u64,
    },
}

impl ResetRefused {
    /// The code at the beginning of its words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEngaged { .. } => "KILL_SWITCH_NOT_ENGAGED",
            Self::Changed { .. } => "KILL_SWITCH_CHANGED",
            Self::Unnamed { .. } => "KILL_SWITCH_UNNAMED",
            Self::HaltFile => "KILL_SWITCH_HALT_FILE",
            Self::CauseStands { .. } => "KILL_SWITCH_CAUSE_STANDS",
            Self::NotDurable { .. } => "KILL_SWITCH_NOT_DURABLE",
            Self::EngagedAgain { .. } => "KILL_SWITCH_ENGAGED_AGAIN",
        }
    }
}

/// The latch in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latch {
    record: LatchRecord,
    repeats: u64,
    last_repeat: Option<Cause>,
}

impl Latch {
    /// Begins where the copies are.
    #[must_use]
    pub const fn new(record: LatchRecord) -> Self {
        Self { record, repeats: 0, last_repeat: None }
    }

    /// How it stands.
    #[must_use]
    pub const fn record(&self) -> &LatchRecord {
        &self.record
    }

    /// How often it was engaged again since it is, and by what last.
    #[must_use]
    pub const fn repeats(&self) -> (u64, Option<Cause>) {
        (self.repeats, self.last_repeat)
    }

    /// Engages it. Never refused.
    pub fn engage(&mut self, now: WallMs, cause: Cause, actor: &str, reason: &str) -> Turn {
        if self.record.is_engaged() {
            self.repeats = self.repeats.saturating_add(1);
            self.last_repeat = Some(cause);
            return Turn::Already(self.record.clone());
        }
        self.record = LatchRecord {
            generation: self.record.generation.saturating_add(1),
            cause: Some(cause),
            actor: named(actor),
            reason: bounded(reason, REASON_CHARS_MAX),
            at: now,
        };
        Turn::Engaged(self.record.clone())
    }

    /// Judges a reset; the record to write, after which [`Latch::accept`] takes it.
    ///
    /// # Errors
    /// [`ResetRefused`], the first reason in the order of its kinds.
    pub fn judge(&self, now: WallMs, ask: ResetAsk<'_>) -> Result<LatchRecord, ResetRefused> {
        let generation = self.record.generation;
        if !self.record.is_engaged() {
            return Err(ResetRefused::NotEngaged { generation });
        }
        if ask.generation != generation {
            return Err(ResetRefused::Changed { seen: ask.generation, generation });
        }
        let (actor, reason) = (bounded(ask.actor, ACTOR_CHARS_MAX), bounded(ask.reason, REASON_CHARS_MAX));
        for (missing, text) in [("actor", &actor), ("reason", &reason)] {
            if text.is_empty() {
                return Err(ResetRefused::Unnamed { missing });
            }
        }
        if ask.halt_file {
            return Err(ResetRefused::HaltFile);
        }
        if !ask.standing.is_empty() {
            return Err(ResetRefused::CauseStands { standing: ask.standing.to_vec() });
        }
        if !ask.durable {
            let why = "the engaged latch is not on disk in both copies".to_owned();
            return Err(ResetRefused::NotDurable { why });
        }
        Ok(LatchRecord { generation: generation.saturating_add(1), cause: None, actor, reason, at: now })
    }

    /// Takes a reset that is on disk, unless the latch has moved on since it was judged; `false` then.
    pub fn accept(&mut self, reset: LatchRecord) -> bool {
        let follows = reset.generation == self.record.generation.saturating_add(1);
        if reset.is_engaged() || !follows {
            return false;
        }
        *self = Self::new(reset);
        true
    }

    /// A reset may have reached the disk and was not accepted: its generation is not used again.
    pub fn skip(&mut self) -> LatchRecord {
        self.record.generation = self.record.generation.saturating_add(2);
        self.record.clone()
    }
}

fn named(actor: &str) -> String {
    let name = bounded(actor, ACTOR_CHARS_MAX);
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// A bounded copy on one line, without control characters and space around it.
#[must_use]
pub fn bounded(text: &str, chars_max: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    // The bound comes first, so that a long text costs no more than a short one.
    plain.take(chars_max.saturating_mul(4)).collect::<String>().trim().chars().take(chars_max).collect()
}

#[cfg(test)]
#[path = "kill_switch_tests.rs"]
mod tests;
