//! Times, ages and marks in words.

use super::model::{Ms, Severity, Stake, State};
use askama::filters::HtmlSafe;
use chrono::{DateTime, Utc};
use std::fmt;

/// An age in at most two units: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. A time to come is no age: `0 s`.
pub(crate) fn age(since: Ms, now: Ms) -> String {
    let seconds = now.saturating_sub(since).max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days} d {} h", hours % 24)
    } else if hours > 0 {
        format!("{hours} h {} min", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

fn calendar(at: Ms) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at)
}

/// The time of day, UTC; with the date unless it is the day of `now`.
pub(crate) fn clock_time(at: Ms, now: Ms) -> String {
    let Some(time) = calendar(at) else { return "?".to_owned() };
    let today = calendar(now).is_some_and(|now| now.date_naive() == time.date_naive());
    let format = if today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    time.format(format).to_string()
}

/// A time, RFC 3339.
pub(super) fn stamp(at: Ms) -> String {
    calendar(at).map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

/// An age that the page's script keeps counting. Its mark-up names the instant alone, so that what did not change is the
/// same from one edition to the next; [`with_ages`] writes the words in where there may be no script.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age(pub(super) Ms);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time class=\"age\" datetime=\"{}\" data-t=\"{}\"></time>", stamp(self.0), self.0)
    }
}

impl HtmlSafe for Age {}

/// Writes every age of a page in words.
pub(crate) fn with_ages(page: &str, now: Ms) -> String {
    let mut out = String::with_capacity(page.len().saturating_add(1_024));
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("\"></time>") {
        out.push_str(before);
        out.push_str("\">");
        let since = before.rsplit_once("data-t=\"").and_then(|(_, digits)| digits.parse::<Ms>().ok());
        if let Some(since) = since {
            out.push_str(&age(since, now));
        }
        out.push_str("</time>");
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A mark from the page's own set of shapes, so that no state is told by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(pub(super) &'static str);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<svg class=\"mark\" aria-hidden=\"true\"><use href=\"#m-{}\"/></svg>", self.0)
    }
}

impl HtmlSafe for Mark {}

impl Severity {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    pub(super) const fn mark(self) -> Mark {
        match self {
            Self::Info => Mark("info"),
            Self::Warning => Mark("warn"),
            Self::Critical => Mark("crit"),
        }
    }

    /// The class of its colour.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Critical => "crit",
        }
    }
}

impl Stake {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Paper => "PAPER",
            Self::Testnet => "TESTNET",
            Self::Live => "LIVE",
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Testnet => "testnet",
            Self::Live => "live",
        }
    }

    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Paper => "no real orders",
            Self::Testnet => "test money",
            Self::Live => "real money",
        }
    }
}

impl State {
    /// The word of the API.
    #[must_use]
    pub(crate) const fn wire(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Reconciling => "reconciling",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::ReduceOnly => "reduce_only",
            Self::Halted => "halted",
            Self::Draining => "draining",
        }
    }

    /// The state of a word of the API; what is not known counts as not started.
    #[must_use]
    pub(crate) fn of(word: &str) -> Self {
        let all =
            [Self::Reconciling, Self::Running, Self::Paused, Self::ReduceOnly, Self::Halted, Self::Draining];
        all.into_iter().find(|state| state.wire() == word).unwrap_or(Self::Starting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_two_units_at_most() {
        let of = |seconds: i64| age(0, seconds * 1_000);
        assert_eq!([of(0), of(59), of(60), of(3_599)], ["0 s", "59 s", "1 min 0 s", "59 min 59 s"]);
        assert_eq!([of(3_600), of(86_399), of(90_000)], ["1 h 0 min", "23 h 59 min", "1 d 1 h"]);
        assert_eq!(age(5_000, 0), "0 s", "a clock ahead of ours is no negative age");
    }

    #[test]
    fn a_page_without_a_script_has_its_ages_in_words() {
        let page = format!("<p>{} and {}</p>", Age(1_000), Age(60_000));
        let shown = with_ages(&page, 61_000);
        assert!(shown.contains(">1 min 0 s</time>") && shown.contains(">1 s</time>"), "{shown}");
        assert_eq!(with_ages("<p>\"></time>", 0), "<p>\"></time>", "what names no instant stays empty");
    }

    #[test]
    fn another_day_is_named() {
        let noon = 1_700_000_000_000;
        assert_eq!(clock_time(noon, noon), "22:13:20");
        assert_eq!(clock_time(noon, noon + 86_400_000), "2023-11-14 22:13:20");
        assert_eq!(clock_time(i64::MAX, 0), "?");
    }

    #[test]
    fn every_word_of_the_api_has_its_state() {
        for word in ["starting", "reconciling", "running", "paused", "reduce_only", "halted", "draining"] {
            assert_eq!(State::of(word).wire(), word);
        }
        assert_eq!(State::of("nonsense"), State::Starting, "never healthier than known");
    }
}
