//! A figure or the reason why there is none.
//!
//! It promises that what is shown is finite: an infinity, a NaN or a zero that stands for "cannot be said" does not
//! get through. It computes nothing.

use serde::{Serialize, Serializer};

/// Why a figure has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "undefined", rename_all = "snake_case")]
pub enum Undefined {
    /// Fewer observations than the formula needs.
    TooFewObservations {
        /// Observations that there are.
        have: usize,
        /// Observations that the formula needs.
        need: usize,
    },
    /// All observations are equal: nothing to divide by.
    ZeroVariance,
    /// No observation is below zero.
    NoLosses,
    /// No observation is above zero.
    NoWins,
    /// Every observation is zero.
    NoWinsOrLosses,
    /// The equity never fell below an earlier height.
    NoDrawdown,
    /// The equity fell below zero, and what was lost more than once cannot be compounded.
    EquityBelowZero {
        /// Index of the first equity point below zero; 0 is the starting capital.
        at: usize,
    },
    /// The Sharpe ratio is not above the one that it is held against, so no track record is long enough.
    NotAboveBenchmark,
    /// The moments leave the estimate of the Sharpe ratio no spread (observations of two values only).
    DegenerateMoments,
    /// How many variants of the strategy were tried was not recorded.
    TrialsUnknown,
    /// The result does not fit a double.
    OutOfRange,
    /// No price is known for an instrument that is held.
    NoMark,
    /// A fee was paid in an asset that has no price in the quote asset.
    NoFeeConversion,
    /// Sums in different assets are not added up.
    MixedQuoteAssets,
    /// No budget is set for the strategy.
    NoBudget,
    /// Nothing was traded in the period.
    NoFills,
    /// No position was closed in the period.
    NoRoundTrips,
    /// No order was decided on in the period.
    NoOrders,
    /// No price was seen when the order was decided on.
    NoDecisionPrice,
    /// More history than is looked through at once lies in the period.
    TooMuchHistory,
    /// The observations do not reach back to the beginning of the period.
    NotObserved,
}

/// A statistic: a finite number, or the reason why there is none. JSON: the number, or
/// `{"undefined": "<reason>", ...}`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// A finite number.
    Defined(f64),
    /// No number.
    Undefined(Undefined),
}

impl Figure {
    /// The number when it is finite, else [`Undefined::OutOfRange`].
    #[must_use]
    pub fn of(value: f64) -> Self {
        match value.is_finite() {
            // A negative zero prints as "-0.0" and means nothing else.
            true => Self::Defined(value + 0.0),
            false => Self::Undefined(Undefined::OutOfRange),
        }
    }

    /// The number, if there is one.
    #[must_use]
    pub const fn value(self) -> Option<f64> {
        match self {
            Self::Defined(value) => Some(value),
            Self::Undefined(_) => None,
        }
    }

    /// Computes on; a result that is not finite is [`Undefined::OutOfRange`].
    #[must_use]
    pub fn map(self, next: impl FnOnce(f64) -> f64) -> Self {
        match self {
            Self::Defined(value) => Self::of(next(value)),
            Self::Undefined(why) => Self::Undefined(why),
        }
    }

    /// The number or the reason, to go on with `?`.
    ///
    /// # Errors
    /// [`Undefined`]: the reason.
    pub const fn get(self) -> Result<f64, Undefined> {
        match self {
            Self::Defined(value) => Ok(value),
            Self::Undefined(why) => Err(why),
        }
    }
}

impl std::fmt::Display for Undefined {
    /// As on the wire, for people: `too_few_observations (have 1, need 2)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = serde_json::to_value(self).unwrap_or_default();
        let mut members = shown.as_object().into_iter().flatten();
        let word = members.next().and_then(|(_, word)| word.as_str()).unwrap_or("undefined");
        f.write_str(word)?;
        for (index, (name, value)) in members.enumerate() {
            write!(f, "{}{name} {value}", if index == 0 { " (" } else { ", " })?;
        }
        f.write_str(if shown.as_object().is_some_and(|all| all.len() > 1) { ")" } else { "" })
    }
}

impl From<Result<f64, Undefined>> for Figure {
    fn from(result: Result<f64, Undefined>) -> Self {
        match result {
            Ok(value) => Self::of(value),
            Err(why) => Self::Undefined(why),
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Defined(value) => s.serialize_f64(*value),
            Self::Undefined(why) => why.serialize(s),
        }
    }
}

/// A value of any kind, or the reason why there is none. JSON as for [`Figure`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maybe<T>(pub Result<T, Undefined>);

impl<T: Serialize> Serialize for Maybe<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(value) => value.serialize(s),
            Err(why) => why.serialize(s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_has_a_reason() {
        let text = |figure: Figure| serde_json::to_string(&figure).unwrap();
        assert_eq!(text(Figure::of(0.5)), "0.5");
        assert_eq!(text(Figure::of(-0.0)), "0.0");
        assert_eq!(text(Figure::of(f64::NAN)), r#"{"undefined":"out_of_range"}"#);
        assert_eq!(text(Figure::of(f64::INFINITY)), r#"{"undefined":"out_of_range"}"#);
        assert_eq!(Undefined::NoMark.to_string(), "no_mark");
        let few = Undefined::TooFewObservations { have: 1, need: 2 };
        assert_eq!(few.to_string(), "too_few_observations (have 1, need 2)");
        assert_eq!(text(Err(few).into()), r#"{"undefined":"too_few_observations","have":1,"need":2}"#);
        assert_eq!(text(Figure::of(1e300).map(|value| value * value)), r#"{"undefined":"out_of_range"}"#);
    }
}
