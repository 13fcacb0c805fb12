//! Which trades were booked: exact for the newest of an instrument, honest about the rest.
//!
//! Venues number the trades of an instrument upwards, so the newest [`REMEMBERED`] numbers and a floor below
//! which nothing is remembered decide every number exactly: at or above the floor a number that is not in
//! the set is new. Ids that are no numbers have no floor; once some were forgotten, an id that is not
//! remembered may be one of those.

use crate::domain::ids::TradeId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// Trade ids remembered per instrument.
pub const REMEMBERED: usize = 16_384;
/// Ids below the floor that were booked after all, remembered until the database surely holds them.
const LATE: usize = 4_096;

/// What is known of a trade id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Never booked.
    New,
    /// Booked before.
    Booked,
    /// Older than memory: only the database can say.
    TooOld,
    /// From before the books were opened: the first balances contain it, and it must not be booked.
    BeforeBooks,
}

/// The memory of one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Memory {
    numbers: BTreeSet<u64>,
    floor: u64,
    opened_after: Option<u64>,
    late: VecDeque<TradeId>,
    words: VecDeque<TradeId>,
    word_set: BTreeSet<TradeId>,
    words_lost: bool,
}

/// As stored: the numbers as distances from one to the next, which are short.
#[derive(Serialize, Deserialize)]
struct Stored {
    steps: Vec<u64>,
    floor: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_after: Option<u64>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    late: VecDeque<TradeId>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    words: VecDeque<TradeId>,
    #[serde(default)]
    words_lost: bool,
}

impl From<Memory> for Stored {
    fn from(memory: Memory) -> Self {
        let mut last = 0_u64;
        let steps = memory.numbers.iter().map(|number| {
            let step = number.saturating_sub(last);
            last = *number;
            step
        });
        Self {
            steps: steps.collect(),
            floor: memory.floor,
            opened_after: memory.opened_after,
            late: memory.late,
            words: memory.words,
            words_lost: memory.words_lost,
        }
    }
}

impl From<Stored> for Memory {
    fn from(stored: Stored) -> Self {
        let mut last = 0_u64;
        let numbers = stored.steps.iter().map(|step| {
            last = last.saturating_add(*step);
            last
        });
        Self {
            numbers: numbers.collect(),
            floor: stored.floor,
            opened_after: stored.opened_after,
            late: stored.late,
            word_set: stored.words.iter().cloned().collect(),
            words: stored.words,
            words_lost: stored.words_lost,
        }
    }
}

impl Memory {
    pub(super) fn seen(&self, id: &TradeId) -> Seen {
        let Some(number) = id.number() else {
            return match (self.word_set.contains(id), self.words_lost) {
                (true, _) => Seen::Booked,
                (false, true) => Seen::TooOld,
                (false, false) => Seen::New,
            };
        };
        let before_books = self.opened_after.is_some_and(|last| number <= last);
        if self.numbers.contains(&number) {
            Seen::Booked
        } else if number >= self.floor && !before_books {
            Seen::New
        } else if self.late.contains(id) {
            Seen::Booked
        } else if before_books {
            Seen::BeforeBooks
        } else {
            Seen::TooOld
        }
    }

    pub(super) fn note(&mut self, id: &TradeId) {
        match id.number() {
            Some(number) if number < self.floor => self.note_late(id.clone()),
            Some(number) => {
                self.numbers.insert(number);
                if self.numbers.len() > REMEMBERED
                    && let Some(oldest) = self.numbers.pop_first()
                {
                    self.floor = oldest.saturating_add(1);
                    // It may come again before the database has it; a number at the edge is the likeliest.
                    self.note_late(TradeId::from(oldest));
                }
            }
            None if !self.word_set.insert(id.clone()) => {}
            None => {
                self.words.push_back(id.clone());
                if self.words.len() > REMEMBERED
                    && let Some(oldest) = self.words.pop_front()
                {
                    self.word_set.remove(&oldest);
                    self.words_lost = true;
                }
            }
        }
    }

    fn note_late(&mut self, id: TradeId) {
        self.late.push_back(id);
        if self.late.len() > LATE {
            self.late.pop_front();
        }
    }

    /// The highest number booked, from which fills are asked for; at least where the books were opened.
    pub(super) fn last(&self) -> Option<u64> {
        self.numbers.last().copied().max(self.opened_after)
    }

    /// Everything up to `last` belongs to the time before the books.
    pub(super) fn open_after(&mut self, last: u64) {
        self.opened_after = self.opened_after.max(Some(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_exact() {
        let mut memory = Memory::default();
        let many = u64::try_from(REMEMBERED + LATE).unwrap() + 10;
        for number in 0..many {
            assert_eq!(memory.seen(&TradeId::from(number * 2)), Seen::New);
            memory.note(&TradeId::from(number * 2));
            assert_eq!(memory.seen(&TradeId::from(number * 2)), Seen::Booked);
        }
        assert_eq!(memory.numbers.len(), REMEMBERED);
        assert_eq!(memory.late.len(), LATE);
        assert_eq!(memory.seen(&TradeId::from(0)), Seen::TooOld, "booked, but forgotten");
        assert_eq!(memory.seen(&TradeId::from(1)), Seen::TooOld, "never booked, but nobody here knows");
        assert_eq!(memory.seen(&TradeId::from(memory.floor)), Seen::New, "a gap above the floor");
        memory.note(&TradeId::from(1));
        assert_eq!(memory.seen(&TradeId::from(1)), Seen::Booked, "a late one is remembered too");
        assert_eq!(memory.last(), Some((many - 1) * 2));
        let text = serde_json::to_string(&memory).unwrap();
        assert_eq!(serde_json::from_str::<Memory>(&text).unwrap(), memory);
        assert!(text.len() < 110_000, "{} bytes", text.len());
    }

    #[test]
    fn words_are_remembered_in_their_order() {
        let mut memory = Memory::default();
        let word = |n: usize| TradeId::new(&format!("x{n}")).unwrap();
        for n in 0..REMEMBERED {
            memory.note(&word(n));
        }
        assert_eq!(memory.seen(&word(REMEMBERED)), Seen::New);
        memory.note(&word(REMEMBERED));
        assert_eq!((memory.seen(&word(0)), memory.seen(&word(1))), (Seen::TooOld, Seen::Booked));
        assert_eq!(memory.last(), None);
    }

    #[test]
    fn what_came_before_the_books_is_told_apart() {
        let mut memory = Memory::default();
        memory.note(&TradeId::from(5));
        memory.open_after(9);
        assert_eq!(memory.seen(&TradeId::from(5)), Seen::Booked);
        assert_eq!(memory.seen(&TradeId::from(9)), Seen::BeforeBooks);
        assert_eq!(memory.seen(&TradeId::from(10)), Seen::New);
        assert_eq!(memory.last(), Some(9));
    }
}
