//! How fast the market runs: in real time, so many times faster, or as fast as the clients read.
//!
//! Whole thousandths instead of floats, so that due times are exact.

use std::str::FromStr;
use std::time::Duration;

/// A multiple of real time, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    /// The fastest multiple: 1000 times real time.
    pub const MAX_MILLI: u32 = 1_000_000;

    /// From thousandths of real time; `None` outside 0.001 to 1000.
    #[must_use]
    pub fn from_milli(milli: u32) -> Option<Self> {
        (1..=Self::MAX_MILLI).contains(&milli).then_some(Self(milli))
    }

    /// How long after the start an event of market time `at_ns` is due.
    #[must_use]
    pub fn due(self, at_ns: u64) -> Duration {
        let scaled = u128::from(at_ns) * 1_000 / u128::from(self.0);
        Duration::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

/// How a feed is paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// By the clock.
    Clock(Speed),
    /// As fast as every market session takes it; nobody is cut for being slow.
    Unpaced,
}

impl Default for Pace {
    fn default() -> Self {
        Self::Clock(Speed(1_000))
    }
}

/// A speed that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no speed: expected a number from 0.001 to 1000 with at most three decimals, or \"max\"")]
pub struct PaceError {
    /// As given.
    pub text: String,
}

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        if text == "max" {
            return Ok(Self::Unpaced);
        }
        let error = || PaceError { text: text.to_owned() };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
            return Err(error());
        }
        let milli: u32 = format!("{whole}{fraction:0<3}").parse().map_err(|_| error())?;
        Speed::from_milli(milli).map(Self::Clock).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_exactly() {
        let due = |text: &str| match text.parse::<Pace>().unwrap() {
            Pace::Clock(speed) => speed.due(3_000_000),
            Pace::Unpaced => Duration::MAX,
        };
        assert_eq!(due("1"), Duration::from_millis(3));
        assert_eq!(due("0.5"), Duration::from_millis(6));
        assert_eq!(due("1000"), Duration::from_micros(3));
        assert_eq!(due("max"), Duration::MAX);
        assert_eq!(Pace::default(), "1".parse().unwrap());
    }

    #[test]
    fn nonsense_is_refused_with_what_would_be_right() {
        for bad in ["", "0", "-1", "1e3", "1001", "fast", "0.0001", "NaN", "1.", ".5"] {
            let error = bad.parse::<Pace>().unwrap_err().to_string();
            assert!(error.contains("0.001 to 1000"), "{bad}: {error}");
        }
    }
}
