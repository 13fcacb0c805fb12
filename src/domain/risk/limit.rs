//! One limit: a figure, the word that there is none on purpose, or nothing, which forbids.

use serde::{Deserialize, Serialize};

/// A limit as configured. What nobody configured is not unlimited: whatever needs it is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit<T> {
    /// Nobody said anything: denies.
    #[default]
    NotSet,
    /// An operator said in words that this check is done without.
    NotRequired,
    /// The figure.
    At(T),
}

impl<T> Limit<T> {
    /// The figure, where there is one.
    #[must_use]
    pub const fn figure(&self) -> Option<&T> {
        match self {
            Self::At(figure) => Some(figure),
            Self::NotSet | Self::NotRequired => None,
        }
    }
}

impl<T: Copy + PartialOrd> Limit<T> {
    /// Both hold: the lower figure. A figure beats a word, a word beats silence.
    #[must_use]
    pub fn lower(self, other: Self) -> Self {
        self.merged(other, |a, b| if b < a { b } else { a })
    }

    /// Both hold: the higher figure, for what is a least.
    #[must_use]
    pub fn higher(self, other: Self) -> Self {
        self.merged(other, |a, b| if b > a { b } else { a })
    }

    fn merged(self, other: Self, choose: fn(T, T) -> T) -> Self {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(choose(a, b)),
            (Self::At(a), _) | (_, Self::At(a)) => Self::At(a),
            (Self::NotRequired, _) | (_, Self::NotRequired) => Self::NotRequired,
            (Self::NotSet, Self::NotSet) => Self::NotSet,
        }
    }
}

/// What follows when a loss limit is broken. Ordered by how much it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// New orders in the scope are denied while it lasts; nothing else.
    Throttle,
    /// The process goes to `reduce_only`.
    ReduceOnly,
    /// The kill switch is engaged.
    #[default]
    Kill,
}

/// The most that may be lost in a UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossLimit {
    /// In the risk currency.
    pub most: rust_decimal::Decimal,
    /// What follows beyond it.
    pub then: Consequence,
}

/// How far equity may lie below its trailing peak, as fractions of the peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawdownLimit {
    /// From here on sizes shrink.
    pub soft: rust_decimal::Decimal,
    /// Here they are zero.
    pub hard: rust_decimal::Decimal,
    /// What follows at the hard level.
    pub then: Consequence,
}

/// Fills that may happen without a person before the strategy is latched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatLimit {
    /// So many fills of one strategy, instrument and side ...
    pub fills: u32,
    /// ... within so many milliseconds latch it.
    pub window_ms: u64,
}

/// What is asked of a stop-loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopLimit {
    /// Farthest from the entry price, as a fraction of it.
    pub distance: rust_decimal::Decimal,
    /// Most that may be lost at the stop, in the risk currency.
    pub loss: rust_decimal::Decimal,
}

/// Fractional Kelly as a cap on the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KellyLimit {
    /// The share of the full Kelly stake that is taken, above 0 and at most 1.
    pub fraction: rust_decimal::Decimal,
    /// Closed trades below which the size is zero.
    pub trades_min: u32,
}

/// Volatility target as a cap on the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolatilityLimit {
    /// Target standard deviation of a day's return, as a fraction.
    pub target: rust_decimal::Decimal,
    /// Largest weight, as a multiple of the strategy's equity.
    pub weight_max: rust_decimal::Decimal,
    /// Returns below which the size is zero.
    pub samples_min: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_of_all_holds_and_silence_is_no_limit() {
        let at = Limit::At(5);
        assert_eq!(at.lower(Limit::At(3)), Limit::At(3));
        assert_eq!(at.lower(Limit::At(7)), at);
        assert_eq!(at.lower(at), at);
        assert_eq!(at.higher(Limit::At(3)), at);
        assert_eq!(at.higher(Limit::At(7)), Limit::At(7));
        for word in [Limit::NotSet, Limit::NotRequired] {
            assert_eq!(at.lower(word), at);
            assert_eq!(word.higher(at), at);
        }
        assert_eq!(Limit::<u32>::NotSet.lower(Limit::NotRequired), Limit::NotRequired);
        assert_eq!(Limit::<u32>::NotRequired.lower(Limit::NotSet), Limit::NotRequired);
        assert_eq!(Limit::<u32>::NotSet.lower(Limit::NotSet), Limit::NotSet);
        assert_eq!(at.figure(), Some(&5));
        assert_eq!(Limit::<u32>::NotRequired.figure(), None);
    }

    #[test]
    fn consequences_rise() {
        assert!(
            Consequence::Throttle < Consequence::ReduceOnly && Consequence::ReduceOnly < Consequence::Kill
        );
        assert_eq!(Consequence::default(), Consequence::Kill, "what nobody chose stops the most");
    }
}
