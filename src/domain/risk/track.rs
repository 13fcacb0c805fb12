//! Profit and loss over time, of one scope: where the day began, the trailing peak, and what is confirmed.
//!
//! A level counts as reached when three consecutive readings show it, so that one bad price neither halts
//! trading nor raises the peak. Figures are profits since the journal began, so that a changed capital does not
//! look like a gain.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Readings that must agree.
pub const READINGS: usize = 3;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Track {
    /// The UTC day of the readings, in days since 1970.
    pub day: Option<i64>,
    /// Profit and loss when it began.
    pub day_start: Option<Decimal>,
    /// Readings of this day, as far as they matter for where it began.
    #[serde(default)]
    pub of_day: usize,
    /// The highest confirmed.
    pub peak: Decimal,
    /// The last readings, oldest first.
    pub readings: Vec<Decimal>,
}

impl Track {
    /// Takes a reading. True when something changed that must survive a restart.
    pub(super) fn read(&mut self, day: i64, pnl: Decimal) -> bool {
        let before = (self.day, self.day_start, self.peak);
        self.readings.push(pnl);
        let extra = self.readings.len().saturating_sub(READINGS);
        self.readings.drain(..extra);
        // A clock that was set back does not begin a day again.
        if self.day.is_none_or(|known| day > known) {
            self.day = Some(day);
            self.of_day = 0;
        }
        // The first readings may still stand beside old ones, from before a stop; the third stands for itself.
        if self.of_day < READINGS {
            self.of_day = self.of_day.saturating_add(1);
            if self.of_day == 1 || self.of_day == READINGS {
                self.day_start = Some(self.median(pnl));
            }
        }
        if let Some(low) = self.confirmed_low() {
            self.peak = self.peak.max(low);
        }
        before != (self.day, self.day_start, self.peak)
    }

    /// One wrong price at midnight would spoil the whole day.
    fn median(&self, last: Decimal) -> Decimal {
        let mut sorted = self.readings.clone();
        sorted.sort();
        let middle = sorted.len() / 2;
        sorted.get(middle).copied().unwrap_or(last)
    }

    fn full(&self) -> bool {
        self.readings.len() >= READINGS
    }

    /// All readings are at least this.
    fn confirmed_low(&self) -> Option<Decimal> {
        self.readings.iter().min().copied().filter(|_| self.full())
    }

    /// All readings are at most this.
    fn confirmed_high(&self) -> Option<Decimal> {
        self.readings.iter().max().copied().filter(|_| self.full())
    }

    /// Loss of the day at this profit and loss; before the first reading the day began at zero.
    pub(super) fn day_loss(&self, pnl: Decimal) -> Option<Decimal> {
        self.day_start.unwrap_or_default().checked_sub(pnl)
    }

    /// Loss of the day that three readings agree on.
    pub(super) fn confirmed_day_loss(&self) -> Option<Decimal> {
        self.confirmed_high().and_then(|high| self.day_loss(high))
    }

    /// Drawdown that three readings agree on, as a fraction of the equity at the peak; zero before the third.
    /// `None` when it does not fit. Without any equity at the peak it is whole.
    pub(super) fn confirmed_drawdown(&self, capital: Decimal) -> Option<Decimal> {
        let Some(high) = self.confirmed_high() else { return Some(Decimal::ZERO) };
        let top = capital.checked_add(self.peak)?;
        let fallen = self.peak.checked_sub(high)?.max(Decimal::ZERO);
        if top <= Decimal::ZERO {
            return Some(Decimal::ONE);
        }
        fallen.checked_div(top)
    }

    /// An operator accepts what was lost: the peak is where things stand.
    pub(super) fn rebase(&mut self) {
        if let Some(high) = self.confirmed_high() {
            self.peak = high;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(n: i64) -> Decimal {
        Decimal::from(n)
    }

    fn drawdown(track: &Track) -> Decimal {
        track.confirmed_drawdown(d(1_000)).unwrap()
    }

    #[test]
    fn a_level_takes_three_readings() {
        let mut track = Track::default();
        for pnl in [0, 0, 0] {
            track.read(1, d(pnl));
        }
        track.read(1, d(-500));
        assert_eq!(drawdown(&track), d(0));
        track.read(1, d(-500));
        assert_eq!(drawdown(&track), d(0));
        track.read(1, d(-100));
        assert_eq!(drawdown(&track), Decimal::new(1, 1), "the least of the three");
        assert_eq!(track.confirmed_day_loss(), Some(d(100)));
        track.read(1, d(0));
        assert_eq!(drawdown(&track), d(0), "one good reading ends it");
    }

    #[test]
    fn fewer_than_three_readings_confirm_nothing() {
        let mut track = Track::default();
        for pnl in [50, 40] {
            track.read(1, d(pnl));
            assert_eq!(
                (track.peak, track.confirmed_day_loss(), drawdown(&track)),
                (d(0), None, d(0)),
                "{pnl}"
            );
        }
        track.read(1, d(45));
        assert_eq!((track.peak, track.confirmed_day_loss()), (d(40), Some(d(-5))));
    }

    #[test]
    fn one_wild_price_raises_no_peak() {
        let mut track = Track::default();
        assert!(track.read(1, d(0)), "the day began");
        assert!(!track.read(1, d(900)));
        assert!(track.read(1, d(10)), "where the day began is settled");
        assert_eq!((track.peak, track.day_start), (d(0), Some(d(10))), "900 was seen once");
        assert!(track.read(1, d(10)));
        assert!(!track.read(1, d(10)), "known already");
        assert_eq!(track.peak, d(10));
        track.read(1, d(-500));
        assert_eq!(track.peak, d(10));
    }

    #[test]
    fn a_day_begins_once_at_the_middle_of_what_was_read() {
        let mut track = Track::default();
        assert_eq!(track.day_loss(d(-7)), Some(d(7)), "before the first reading");
        track.read(1, d(50));
        assert_eq!(track.day_start, Some(d(50)));
        let mut second = track.clone();
        second.read(2, d(60));
        assert_eq!(second.day_start, Some(d(60)), "of two the higher, from where more is lost");
        track.read(1, d(52));
        assert!(track.read(2, d(9_000)), "a wild price at midnight");
        assert_eq!(track.day_start, Some(d(52)));
        track.read(1, d(53));
        assert_eq!((track.day, track.day_start), (Some(2), Some(d(52))), "the clock was set back");
        track.read(2, d(54));
        assert_eq!(track.day_start, Some(d(54)), "the middle of 9000, 53 and 54");
        track.read(2, d(99));
        assert_eq!(track.day_start, Some(d(54)), "settled for the day");
        assert_eq!(track.day_loss(d(60)), Some(d(-6)));
    }

    #[test]
    fn no_equity_is_a_whole_drawdown_and_what_does_not_fit_is_unknown() {
        let mut track = Track::default();
        for _ in 0..3 {
            track.read(1, d(-1));
        }
        assert_eq!(track.confirmed_drawdown(d(0)), Some(d(1)));
        assert_eq!(track.confirmed_drawdown(d(-5)), Some(d(1)));
        track.readings = vec![Decimal::MIN; 3];
        track.peak = Decimal::MAX;
        assert_eq!(track.confirmed_drawdown(d(1)), None);
    }

    #[test]
    fn a_rebase_starts_from_here() {
        let mut track = Track::default();
        for pnl in [100, 100, 100, 40, 30, 50] {
            track.read(1, d(pnl));
        }
        assert!(drawdown(&track) > d(0));
        track.rebase();
        assert_eq!(track.peak, d(50));
        assert_eq!(drawdown(&track), d(0));
    }
}
