//! A venue's heartbeat: asks on an interval, counts what is missed, and tells a storm of reconnections from one.
//!
//! One question at a time. An interval is missed when it ends without a good answer: none yet, an error, or one that
//! came too late. Two missed intervals in a row raise `heartbeat_missed`; a good answer clears it. As many losses of
//! the session as configured within the window raise `reconnect_storm`; a window without any clears it. Pure: time and
//! answers come in, questions and words go out.

use super::losses::LossCause;
use super::time::Mono;
use std::collections::VecDeque;

/// The alert of missed intervals; the runbook's name as well.
pub const MISSED: &str = "heartbeat_missed";
/// The alert of persistent reconnections; the runbook's name as well.
pub const STORM: &str = "reconnect_storm";
/// Missed intervals in a row that raise the alert.
const MISSED_IN_A_ROW: u32 = 2;
/// A question without any end is given up after so long, but not before its interval is over. Reads end earlier, so
/// this is for an answer that was lost with its bearer.
const GIVE_UP_MS: u64 = 15_000;

/// Times and limits, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knobs {
    /// From one question to the next.
    pub interval_ms: u64,
    /// Losses within the window that are a storm; at least 1.
    pub storm_reconnects: usize,
    /// The window.
    pub storm_window_ms: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// A question was answered.
    Answered {
        /// Which.
        number: u64,
    },
    /// A question has no usable answer.
    Failed {
        /// Which.
        number: u64,
        /// In words.
        why: String,
    },
    /// The session was lost.
    Lost {
        /// Why.
        cause: LossCause,
        /// How often since the last word about it.
        times: u64,
    },
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the venue.
    Ask {
        /// The question's number.
        number: u64,
    },
    /// A good answer, to be logged.
    Beat {
        /// From question to answer.
        latency_ms: u64,
    },
    /// An interval was missed.
    Missed {
        /// How many in a row.
        in_a_row: u32,
        /// In words.
        why: String,
    },
    /// An alert begins to stand.
    Raise {
        /// Which.
        code: &'static str,
        /// In a sentence.
        reason: String,
    },
    /// An alert stands no more.
    Clear {
        /// Which.
        code: &'static str,
    },
}

/// The figures to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Good answers.
    pub beats: u64,
    /// Missed intervals.
    pub misses: u64,
    /// Missed intervals in a row, up to now.
    pub in_a_row: u32,
    /// Of the last answer, good or late.
    pub latency_ms: Option<u64>,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    knobs: Knobs,
    counts: Counts,
    asked: Option<Asked>,
    last_number: u64,
    due: Option<Mono>,
    missed: bool,
    /// The latest losses, as many as make a storm.
    losses: VecDeque<Mono>,
    last_loss: Option<Mono>,
    storm: bool,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    number: u64,
    at: Mono,
    /// Its interval was missed.
    late: bool,
}

impl Heartbeat {
    /// One that has not asked yet.
    #[must_use]
    pub const fn new(knobs: Knobs) -> Self {
        Self {
            knobs,
            counts: Counts { beats: 0, misses: 0, in_a_row: 0, latency_ms: None },
            asked: None,
            last_number: 0,
            due: None,
            missed: false,
            losses: VecDeque::new(),
            last_loss: None,
            storm: false,
        }
    }

    /// The figures.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes an event.
    pub fn step(&mut self, now: Mono, event: Event) -> Vec<Effect> {
        let mut out = Vec::new();
        match event {
            Event::Tick => {
                self.tick(now, &mut out);
                self.calm(now, &mut out);
            }
            Event::Answered { number } => self.answered(now, number, &mut out),
            Event::Failed { number, why } => {
                if let Some(asked) = self.take(number) {
                    // The end of its interval has counted a late one already.
                    if !asked.late {
                        self.miss(why, &mut out);
                    }
                }
            }
            Event::Lost { cause, times } => self.lost(now, cause, times, &mut out),
        }
        out
    }

    fn take(&mut self, number: u64) -> Option<Asked> {
        self.asked.take_if(|asked| asked.number == number)
    }

    fn tick(&mut self, now: Mono, out: &mut Vec<Effect>) {
        let due = self.due.unwrap_or(now);
        if now < due {
            return;
        }
        // On the grid; whoever was away for long does not make up for it.
        let interval = self.knobs.interval_ms.max(1);
        let next = due.plus(interval);
        self.due = Some(if next <= now { now.plus(interval) } else { next });
        if let Some(asked) = &mut self.asked {
            asked.late = true;
            let waited = now.since(asked.at);
            let forgotten = waited >= GIVE_UP_MS.max(interval);
            self.miss(format!("no answer within {waited} ms"), out);
            if !forgotten {
                return;
            }
        }
        self.last_number = self.last_number.saturating_add(1);
        self.asked = Some(Asked { number: self.last_number, at: now, late: false });
        out.push(Effect::Ask { number: self.last_number });
    }

    fn answered(&mut self, now: Mono, number: u64, out: &mut Vec<Effect>) {
        let Some(asked) = self.take(number) else { return };
        let latency_ms = now.since(asked.at);
        self.counts.latency_ms = Some(latency_ms);
        if asked.late || latency_ms > self.knobs.interval_ms {
            if !asked.late {
                self.miss(format!("the answer took {latency_ms} ms"), out);
            }
            return;
        }
        self.counts.beats = self.counts.beats.saturating_add(1);
        self.counts.in_a_row = 0;
        out.push(Effect::Beat { latency_ms });
        if std::mem::take(&mut self.missed) {
            out.push(Effect::Clear { code: MISSED });
        }
    }

    fn miss(&mut self, why: String, out: &mut Vec<Effect>) {
        self.counts.misses = self.counts.misses.saturating_add(1);
        self.counts.in_a_row = self.counts.in_a_row.saturating_add(1);
        let in_a_row = self.counts.in_a_row;
        if in_a_row >= MISSED_IN_A_ROW && !self.missed {
            self.missed = true;
            let reason = format!("{in_a_row} intervals in a row without a good answer; the last: {why}");
            out.push(Effect::Raise { code: MISSED, reason });
        }
        out.push(Effect::Missed { in_a_row, why });
    }

    fn lost(&mut self, now: Mono, cause: LossCause, times: u64, out: &mut Vec<Effect>) {
        let limit = self.knobs.storm_reconnects.max(1);
        for _ in 0..times.min(u64::try_from(limit).unwrap_or(u64::MAX)) {
            if self.losses.len() >= limit {
                self.losses.pop_front();
            }
            self.losses.push_back(now);
            self.last_loss = Some(now);
        }
        let full = self.losses.len() >= limit;
        let recent = self.losses.front().is_some_and(|first| now.since(*first) <= self.knobs.storm_window_ms);
        if full && recent && !self.storm {
            self.storm = true;
            let (window, cause) = (self.knobs.storm_window_ms, cause.word());
            let reason =
                format!("the session was lost {limit} times within {window} ms; the last cause: {cause}");
            out.push(Effect::Raise { code: STORM, reason });
        }
    }

    fn calm(&mut self, now: Mono, out: &mut Vec<Effect>) {
        let quiet = self.last_loss.is_none_or(|last| now.since(last) > self.knobs.storm_window_ms);
        if self.storm && quiet {
            self.storm = false;
            out.push(Effect::Clear { code: STORM });
        }
    }
}

#[cfg(test)]
#[path = "heartbeat_tests.rs"]
mod tests;
