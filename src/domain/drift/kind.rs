//! What kind of number a stream holds: one of those that are measured here, or somebody else's.
//!
//! A bounded set of words, fit for a label. Names of a kind that is measured here are written by built-in code alone.

use super::name::StreamName;
use crate::domain::detectors::Sides;

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

    /// Which way of its mean harms: orders that are acknowledged sooner need nobody's attention. A spread and a signal are
    /// what a strategy rests on, whichever way they go, and of others nothing is known.
    #[must_use]
    pub fn harm(self) -> Sides {
        match self {
            Self::FEED_GAP | Self::FEED_LATENCY | Self::ORDER_STAGE | Self::SLIPPAGE | Self::REJECT_RATIO => {
                Sides::Up
            }
            Self::FILL_RATIO | Self::HIT_RATE | Self::TRADE_RETURN => Sides::Down,
            _ => Sides::Both,
        }
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

    #[test]
    fn which_way_harms() {
        let of = |sides: Sides| {
            Kind::all().filter(|kind| kind.harm() == sides).map(Kind::word).collect::<Vec<_>>()
        };
        let up = ["feed_gap", "feed_latency", "order_stage", "slippage", "reject_ratio"];
        assert_eq!(of(Sides::Up), up);
        assert_eq!(of(Sides::Down), ["fill_ratio", "hit_rate", "trade_return"]);
        assert_eq!(of(Sides::Both), ["spread", "signal", "other"]);
    }
}
