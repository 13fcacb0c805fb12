//! How enumerations are spelt in the database, and read back.

use crate::domain::order::{OrderKind, OrderState, Origin};
use crate::domain::order_types::{Liquidity, OtherWord, Side, TimeInForce};

/// Before a time-in-force that this version does not know.
const OTHER: &str = "other:";

pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(super) fn side_of(word: &str) -> Option<Side> {
    [Side::Buy, Side::Sell].into_iter().find(|one| side(*one) == word)
}

pub(super) const fn kind(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Limit => "limit",
        OrderKind::Market => "market",
        OrderKind::LimitMaker => "limit_maker",
    }
}

pub(super) fn kind_of(word: &str) -> Option<OrderKind> {
    [OrderKind::Limit, OrderKind::Market, OrderKind::LimitMaker].into_iter().find(|one| kind(*one) == word)
}

pub(super) const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Intent => "intent",
        Origin::Adopted => "adopted",
    }
}

pub(super) fn origin_of(word: &str) -> Option<Origin> {
    [Origin::Intent, Origin::Adopted].into_iter().find(|one| origin(*one) == word)
}

pub(super) const fn liquidity(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
    }
}

pub(super) fn liquidity_of(word: &str) -> Option<Liquidity> {
    [Liquidity::Maker, Liquidity::Taker].into_iter().find(|one| liquidity(*one) == word)
}

pub(super) fn time_in_force(rule: &TimeInForce) -> String {
    match rule {
        TimeInForce::Gtc => "gtc".to_owned(),
        TimeInForce::Ioc => "ioc".to_owned(),
        TimeInForce::Fok => "fok".to_owned(),
        TimeInForce::Other(word) => format!("{OTHER}{}", word.as_str()),
    }
}

pub(super) fn time_in_force_of(word: &str) -> Option<TimeInForce> {
    match word {
        "gtc" => Some(TimeInForce::Gtc),
        "ioc" => Some(TimeInForce::Ioc),
        "fok" => Some(TimeInForce::Fok),
        other => other.strip_prefix(OTHER).map(|word| TimeInForce::Other(OtherWord::new(word))),
    }
}

pub(super) fn state_of(word: &str) -> Option<OrderState> {
    OrderState::ALL.into_iter().find(|state| state.word() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for state in OrderState::ALL {
            assert_eq!(state_of(state.word()), Some(state));
        }
        for one in [Side::Buy, Side::Sell] {
            assert_eq!(side_of(side(one)), Some(one));
        }
        for one in [OrderKind::Limit, OrderKind::Market, OrderKind::LimitMaker] {
            assert_eq!(kind_of(kind(one)), Some(one));
        }
        for one in [Origin::Intent, Origin::Adopted] {
            assert_eq!(origin_of(origin(one)), Some(one));
        }
        for one in [Liquidity::Maker, Liquidity::Taker] {
            assert_eq!(liquidity_of(liquidity(one)), Some(one));
        }
        let other = TimeInForce::Other(OtherWord::new("GTD"));
        for one in [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, other] {
            assert_eq!(time_in_force_of(&time_in_force(&one)), Some(one));
        }
        assert_eq!(state_of("filed"), None);
    }
}
