//! The fixed clock of observations: periods, their step, and which observations are kept as they grow old.
//!
//! It promises that every coarser clock's moments are among the finer one's, so that thinning makes a curve coarser and
//! never wrong. It owns no clock.

use crate::domain::time::WallMs;
use serde::Serialize;

/// Milliseconds of a minute, an hour and a day.
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;
/// Milliseconds of a year of 365 days, in markets that never close.
const YEAR: i64 = 365 * DAY;

/// Observations older than the first are kept only at multiples of the second, milliseconds; oldest rule last.
pub const THINNING: [(i64, i64); 3] = [(2 * DAY, 15 * MINUTE), (60 * DAY, HOUR), (400 * DAY, DAY)];
/// Observations older than this are not kept, milliseconds.
pub const KEPT_MS: i64 = 10 * YEAR;

/// How far back figures look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Period {
    /// The last 24 hours, on a clock of a quarter of an hour.
    #[serde(rename = "1d")]
    Day,
    /// The last seven days, hourly.
    #[default]
    #[serde(rename = "7d")]
    Week,
    /// The last 30 days, daily.
    #[serde(rename = "30d")]
    Month,
    /// Everything that was observed, daily.
    #[serde(rename = "all")]
    All,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::All];

    /// As people write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "all",
        }
    }

    /// Reads the word; `None` for another.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.word() == word)
    }

    /// Where it begins.
    #[must_use]
    pub const fn begins(self, now: WallMs) -> WallMs {
        let back = match self {
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::All => KEPT_MS,
        };
        WallMs(now.0.saturating_sub(back))
    }

    /// The clock of its returns, milliseconds.
    #[must_use]
    pub const fn clock(self) -> i64 {
        match self {
            Self::Day => 15 * MINUTE,
            Self::Week => HOUR,
            Self::Month | Self::All => DAY,
        }
    }
}

/// Periods of a clock in a year of 365 days.
#[must_use]
pub fn periods_per_year(clock_ms: i64) -> f64 {
    let per_year = YEAR.checked_div(clock_ms).unwrap_or(0);
    f64::from(u32::try_from(per_year).unwrap_or(u32::MAX))
}

/// The clock's last moment at or before `now`; `now` itself for a clock that does not tick.
#[must_use]
pub const fn tick_at(now: WallMs, clock_ms: i64) -> WallMs {
    match now.0.checked_rem_euclid(clock_ms) {
        Some(over) => WallMs(now.0.saturating_sub(over)),
        None => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarser_clocks_tick_with_the_finer_ones() {
        let mut finer = MINUTE;
        for (older, step) in THINNING {
            assert_eq!((step % finer, DAY % step), (0, 0));
            assert!(older > 0);
            finer = step;
        }
        // What a period's clock needs is not thinned away within the period.
        for period in Period::ALL {
            let reach = WallMs(0).0 - period.begins(WallMs(0)).0;
            for (older, step) in THINNING {
                assert!(older >= reach || period.clock() % step == 0, "{period:?}");
            }
            assert_eq!(Period::parse(period.word()), Some(period));
        }
        assert_eq!(tick_at(WallMs(HOUR + 7), HOUR), WallMs(HOUR));
        assert!((periods_per_year(DAY) - 365.0).abs() < f64::EPSILON);
    }
}
