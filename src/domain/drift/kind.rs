//! What kind of number a stream holds: one of those that are measured here, or somebody else's.
//!
//! A bounded set of words, fit for a label. Names of a kind that is measured here are written by built-in code alone.

use super::name::StreamName;

/// See the module's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind(&'static str);

/// What is measured here: the words before the first `:` of a stream's name.
const BUILT_IN: &[Kind] = &[
    Kind::FEED_GAP,
    Kind::FEED_LATENCY,
    Kind::SPREAD,
    Kind::ORDER_STAGE,
    Kind::SLIPPAGE,
    Kind::FILL_RATIO,
    Kind::REJECT_RATIO,
    Kind::HIT_RATE,
    Kind::TRADE_RETURN,
    Kind::SIGNAL,
];

impl Kind {
    /// Seconds between events of a market session.
    pub const FEED_GAP: Self = Self("feed_gap");
    /// Seconds from a venue's stamp to the arrival.
    pub const FEED_LATENCY: Self = Self("feed_latency");
    /// Quote units between bid and ask.
    pub const SPREAD: Self = Self("spread");
    /// Seconds that a stage of an order took.
    pub const ORDER_STAGE: Self = Self("order_stage");
    /// Basis points of a fill against the price that its decision saw.
    pub const SLIPPAGE: Self = Self("slippage");
    /// Share of an order that executed.
    pub const FILL_RATIO: Self = Self("fill_ratio");
    /// Whether the venue refused an order.
    pub const REJECT_RATIO: Self = Self("reject_ratio");
    /// Whether a closed part of a position earned.
    pub const HIT_RATE: Self = Self("hit_rate");
    /// Basis points that it earned.
    pub const TRADE_RETURN: Self = Self("trade_return");
    /// What a strategy decides by.
    pub const SIGNAL: Self = Self("signal");
    /// Of streams that programs outside post.
    pub const OTHER: Self = Self("other");

    /// The kind of a name.
    #[must_use]
    pub fn of(name: &StreamName) -> Self {
        let head = name.as_str().split_once(':').map(|(head, _)| head);
        BUILT_IN.iter().copied().find(|known| head == Some(known.0)).unwrap_or(Self::OTHER)
    }

    /// Every kind there is.
    pub fn all() -> impl Iterator<Item = Self> {
        BUILT_IN.iter().copied().chain(std::iter::once(Self::OTHER))
    }

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.0
    }

    /// Is it measured here?
    #[must_use]
    pub fn is_built_in(self) -> bool {
        self != Self::OTHER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_here_is_told_from_what_is_posted() {
        for (name, word) in [
            ("slippage:maker", "slippage"),
            ("order_stage:fill:paper", "order_stage"),
            ("slippage", "other"),
            ("slippage.maker", "other"),
            ("my.slippage:maker", "other"),
            ("model", "other"),
        ] {
            let kind = Kind::of(&StreamName::new(name).unwrap());
            assert_eq!((kind.word(), kind.is_built_in()), (word, word != "other"), "{name}");
        }
        assert_eq!(Kind::all().count(), BUILT_IN.len() + 1);
    }
}
