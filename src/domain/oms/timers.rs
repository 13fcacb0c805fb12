//! What is to be looked at again, and when. Pure: time comes in, what is due comes out.
//!
//! One alarm per key; setting it again moves it. A tick costs what is due, never what is waiting.

use crate::domain::ids::{Symbol, VenueId};
use crate::domain::order::OrderNumber;
use crate::domain::time::Mono;
use std::collections::{BTreeMap, BTreeSet};

/// What an alarm is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// An order: its sending, its doubt, its cancel or its missing fills.
    Order(OrderNumber),
    /// Queries of a venue that wait for their turn.
    Queries(VenueId),
    /// The list of open orders is due.
    OpenCheck(VenueId),
    /// Balances are due.
    Balances(VenueId),
    /// Fills of an instrument were asked for, or are to be asked for.
    Fetch(VenueId, Symbol),
    /// The end of a drain.
    Drain,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Mono, Alarm)>,
    by_alarm: BTreeMap<Alarm, Mono>,
}

impl Timers {
    /// Sets an alarm, or clears it with `None`.
    pub(super) fn set(&mut self, alarm: Alarm, at: Option<Mono>) {
        let before = match at {
            Some(at) => self.by_alarm.insert(alarm.clone(), at),
            None => self.by_alarm.remove(&alarm),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, alarm.clone()));
        }
        if let Some(at) = at {
            self.by_time.insert((at, alarm));
        }
    }

    /// Sets an alarm unless an earlier one of the same key stands.
    pub(super) fn no_later(&mut self, alarm: Alarm, at: Mono) {
        if self.by_alarm.get(&alarm).is_none_or(|standing| *standing > at) {
            self.set(alarm, Some(at));
        }
    }

    /// Takes the earliest alarm that is due.
    pub(super) fn due(&mut self, now: Mono) -> Option<Alarm> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, alarm) = self.by_time.pop_first()?;
        self.by_alarm.remove(&alarm);
        Some(alarm)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Mono> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_moves_and_fires_once() {
        let mut timers = Timers::default();
        timers.set(Alarm::Drain, Some(Mono(10)));
        timers.set(Alarm::Drain, Some(Mono(20)));
        timers.no_later(Alarm::Drain, Mono(30));
        assert_eq!((timers.due(Mono(19)), timers.next()), (None, Some(Mono(20))));
        assert_eq!(timers.due(Mono(20)), Some(Alarm::Drain));
        assert_eq!((timers.due(Mono(99)), timers.next()), (None, None));
        timers.set(Alarm::Order(OrderNumber(1)), Some(Mono(5)));
        timers.set(Alarm::Order(OrderNumber(1)), None);
        assert_eq!(timers.next(), None);
    }
}
