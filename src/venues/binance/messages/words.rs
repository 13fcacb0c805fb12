//! The venue's spelling of sides, kinds and states, both ways. One table per word list.
//!
//! A word that is not in its table becomes `Other` with the word kept; only a side must be known, because
//! an order whose direction is unclear cannot be booked.

use crate::domain::order_types::{ExecutionType, OrderStatus, OrderType, OtherWord, Side, TimeInForce};

macro_rules! words {
    ($read:ident, $write:ident, $kind:ident, $doc:literal, { $($word:literal => $value:ident),+ $(,)? }) => {
        #[doc = concat!("Reads ", $doc, "; an unknown word is kept.")]
        #[must_use]
        pub fn $read(word: &str) -> $kind {
            match word {
                $($word => $kind::$value,)+
                other => $kind::Other(OtherWord::new(other)),
            }
        }

        #[doc = concat!("Spells ", $doc, ".")]
        #[must_use]
        pub fn $write(value: &$kind) -> &str {
            match value {
                $($kind::$value => $word,)+
                $kind::Other(word) => word.as_str(),
            }
        }
    };
}

words!(read_type, write_type, OrderType, "a kind of order", {
    "LIMIT" => Limit,
    "MARKET" => Market,
    "LIMIT_MAKER" => LimitMaker,
    "STOP_LOSS" => StopLoss,
    "STOP_LOSS_LIMIT" => StopLossLimit,
    "TAKE_PROFIT" => TakeProfit,
    "TAKE_PROFIT_LIMIT" => TakeProfitLimit,
});
words!(read_tif, write_tif, TimeInForce, "a time in force", {
    "GTC" => Gtc,
    "IOC" => Ioc,
    "FOK" => Fok,
});
words!(read_status, write_status, OrderStatus, "an order's state", {
    "NEW" => New,
    "PENDING_NEW" => PendingNew,
    "PARTIALLY_FILLED" => PartiallyFilled,
    "FILLED" => Filled,
    "CANCELED" => Canceled,
    "PENDING_CANCEL" => PendingCancel,
    "REJECTED" => Rejected,
    "EXPIRED" => Expired,
    "EXPIRED_IN_MATCH" => ExpiredInMatch,
});
words!(read_execution, write_execution, ExecutionType, "the cause of a report", {
    "NEW" => New,
    "CANCELED" => Canceled,
    "REPLACED" => Replaced,
    "REJECTED" => Rejected,
    "TRADE" => Trade,
    "EXPIRED" => Expired,
    "TRADE_PREVENTION" => TradePrevention,
});

/// Reads a side; `None` for anything but `BUY` and `SELL`.
#[must_use]
pub fn read_side(word: &str) -> Option<Side> {
    match word {
        "BUY" => Some(Side::Buy),
        "SELL" => Some(Side::Sell),
        _ => None,
    }
}

/// Spells a side.
#[must_use]
pub fn write_side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_round_trips_and_unknown_ones_are_kept() {
        for word in ["LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"] {
            assert_eq!(write_type(&read_type(word)), word);
            assert!(!matches!(read_type(word), OrderType::Other(_)));
        }
        for word in ["NEW", "FILLED", "EXPIRED_IN_MATCH", "PENDING_NEW", "SOMETHING_NEW"] {
            assert_eq!(write_status(&read_status(word)), word);
        }
        assert_eq!(read_status("SOMETHING_NEW"), OrderStatus::Other(OtherWord::new("SOMETHING_NEW")));
        assert_eq!(read_side("buy"), None);
    }
}
