//! When a market trades: windows of the week in UTC. Outside them silence is no outage.

use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

const DAY_MINUTES: u16 = 24 * 60;
const MINUTE_MS: i64 = 60_000;
/// 1970-01-01 was a Thursday.
const EPOCH_WEEKDAY: i64 = 3;

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// Monday first.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
}

/// Why a window cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not `HH:MM`.
    #[error("{0:?} is no time of day; write HH:MM from 00:00 to 24:00")]
    Time(String),
    /// Ends before it begins.
    #[error("{from} to {to} is empty; a window that passes midnight is two windows")]
    Empty {
        /// Begin.
        from: String,
        /// End.
        to: String,
    },
}

/// Hours on some days: from `from` on, up to but without `to`; minutes since midnight, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    days: Vec<Day>,
    from: u16,
    to: u16,
}

impl Window {
    /// A window; no days mean all of them.
    ///
    /// # Errors
    /// [`HoursError`].
    pub fn new(days: &[Day], from: &str, to: &str) -> Result<Self, HoursError> {
        let (begin, end) = (minutes(from)?, minutes(to)?);
        if begin >= end {
            return Err(HoursError::Empty { from: from.to_owned(), to: to.to_owned() });
        }
        Ok(Self { days: days.to_vec(), from: begin, to: end })
    }

    fn holds(&self, day: Day, minute: u16) -> bool {
        (self.days.is_empty() || self.days.contains(&day)) && (self.from..self.to).contains(&minute)
    }
}

fn minutes(text: &str) -> Result<u16, HoursError> {
    let wrong = || HoursError::Time(text.chars().take(16).collect());
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let two = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (two(hours).ok_or_else(wrong)?, two(minutes).ok_or_else(wrong)?);
    let total = hours.saturating_mul(60).saturating_add(minutes);
    if minutes < 60 && total <= DAY_MINUTES { Ok(total) } else { Err(wrong()) }
}

/// See the module's head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours(Vec<Window>);

impl Hours {
    /// A market that never closes.
    #[must_use]
    pub const fn always() -> Self {
        Self(Vec::new())
    }

    /// These windows; none mean always.
    #[must_use]
    pub const fn of(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// Does it trade then?
    #[must_use]
    pub fn open_at(&self, wall: WallMs) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let minutes = wall.0.div_euclid(MINUTE_MS);
        let days = minutes.div_euclid(i64::from(DAY_MINUTES));
        let weekday = usize::try_from((days.saturating_add(EPOCH_WEEKDAY)).rem_euclid(7)).unwrap_or(0);
        let minute = u16::try_from(minutes.rem_euclid(i64::from(DAY_MINUTES))).unwrap_or(0);
        let Some(day) = Day::ALL.get(weekday) else { return true };
        self.0.iter().any(|window| window.holds(*day, minute))
    }

    /// Did it trade the whole time from `ms` before then on? A market that has just opened owes nothing yet.
    #[must_use]
    pub fn open_since(&self, wall: WallMs, ms: u64) -> bool {
        let before = i64::try_from(ms).map_or(WallMs(i64::MIN), |ms| WallMs(wall.0.saturating_sub(ms)));
        self.open_at(wall) && self.open_at(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn at(text: &str) -> WallMs {
        WallMs(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    #[test]
    fn a_market_is_open_in_its_windows_only() {
        use Day::*;
        let window = Window::new(&[Mon, Tue, Wed, Thu, Fri], "13:30", "20:00").unwrap();
        let hours = Hours::of(vec![window]);
        // A Friday, a Saturday, and the edges.
        assert!(hours.open_at(at("2026-11-20T13:30:00Z")) && hours.open_at(at("2026-11-20T19:59:59Z")));
        assert!(!hours.open_at(at("2026-11-20T13:29:59Z")) && !hours.open_at(at("2026-11-20T20:00:00Z")));
        assert!(!hours.open_at(at("2026-11-21T15:00:00Z")));
        assert!(Hours::always().open_at(at("2026-11-21T15:00:00Z")));
        assert!(!hours.open_since(at("2026-11-20T13:30:03Z"), 5_000), "it has just opened");
        assert!(hours.open_since(at("2026-11-20T13:30:05Z"), 5_000));
        assert!(
            Hours::of(vec![Window::new(&[], "00:00", "24:00").unwrap()]).open_at(at("1969-12-31T23:59:00Z"))
        );
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for (from, to) in
            [("9:00", "10:00"), ("09:60", "10:00"), ("09:00", "24:01"), ("x", "10:00"), ("", "")]
        {
            assert!(matches!(Window::new(&[], from, to), Err(HoursError::Time(_))), "{from} {to}");
        }
        assert!(matches!(Window::new(&[], "22:00", "02:00"), Err(HoursError::Empty { .. })));
        assert!(matches!(Window::new(&[], "02:00", "02:00"), Err(HoursError::Empty { .. })));
    }
}
