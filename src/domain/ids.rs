//! Names of things: venues, accounts, symbols, orders and trades.
//!
//! Each is a bounded, printable ASCII text that is cheap to clone. Text from the wire is checked once, here;
//! nothing behind this boundary meets an empty, oversized or unprintable name.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Why a text is not a legal id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Shorter than one or longer than the kind allows.
    #[error("{kind} is {len} characters long; 1 to {max} are allowed")]
    Length {
        /// Which id.
        kind: &'static str,
        /// Characters (bytes) given.
        len: usize,
        /// Most that are allowed.
        max: usize,
    },
    /// A character outside the kind's alphabet.
    #[error("{kind} holds the byte 0x{byte:02x} at position {at}; allowed are {allowed}")]
    Byte {
        /// Which id.
        kind: &'static str,
        /// The offending byte.
        byte: u8,
        /// Its position, from 0.
        at: usize,
        /// The alphabet in words.
        allowed: &'static str,
    },
}

fn check(
    kind: &'static str,
    text: &str,
    max: usize,
    legal: fn(u8) -> bool,
    allowed: &'static str,
) -> Result<(), IdError> {
    if text.is_empty() || text.len() > max {
        return Err(IdError::Length { kind, len: text.len(), max });
    }
    match text.bytes().enumerate().find(|(_, byte)| !legal(*byte)) {
        Some((at, byte)) => Err(IdError::Byte { kind, byte, at, allowed }),
        None => Ok(()),
    }
}

/// Reads a text without a copy of its own: what is read is checked and kept once.
struct Text<T>(fn(&str) -> Result<T, IdError>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $max:literal, $legal:expr, $allowed:literal, read: $read:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Most characters that this id may have.
            pub const MAX_LEN: usize = $max;

            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, too long, or holds a byte outside the alphabet.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check(stringify!($name), text, $max, $legal, $allowed)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                d.deserialize_str(Text(Self::$read))
            }
        }
    };
}

fn dashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn graphic(byte: u8) -> bool {
    byte.is_ascii_graphic()
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':')
}

text_id!(
    /// A configured venue, for example `paper` or `binance`.
    VenueId, 32, dashed, "A-Z a-z 0-9 - _", read: new
);
text_id!(
    /// An account at a venue, as the configuration names it (never the key itself).
    AccountId, 64, dashed, "A-Z a-z 0-9 - _", read: new
);
text_id!(
    /// A tradable instrument in the venue's own spelling, for example `BTCUSDT`.
    Symbol, 32, upper, "A-Z 0-9 - _ . / :", read: new
);
text_id!(
    /// A currency or token, for example `USDT`.
    Asset, 64, graphic, "printable ASCII without spaces", read: new
);
text_id!(
    /// The id that we give an order and that the venue echoes: what makes a resend safe.
    ///
    /// What is read back is as wide as [`ClientOrderId::from_venue`]: the journal holds adopted orders too, and
    /// a row that can be written must be readable. Requests check theirs by themselves.
    ClientOrderId, 36, dashed, "A-Z a-z 0-9 - _", read: from_venue
);
text_id!(
    /// The id that the venue gave an order. Numeric on Binance, text elsewhere.
    VenueOrderId, 64, graphic, "printable ASCII without spaces", read: new
);
text_id!(
    /// Who an order is attributed to: a configured strategy, `manual`, or `external` for adopted orders.
    StrategyId, 32, dashed, "A-Z a-z 0-9 - _", read: new
);
text_id!(
    /// One thread of cause and effect: from the request to the journal row, the order, the fill, the alert.
    Correlation, 64, graphic, "printable ASCII without spaces", read: new
);
text_id!(
    /// The id of one execution, unique per (venue, account, symbol).
    TradeId, 64, graphic, "printable ASCII without spaces", read: new
);

impl ClientOrderId {
    /// Wraps an id that a venue reported. Orders that people or other programs placed may use characters
    /// that we never generate (Binance also allows `.`, `:` and `/`); they must be tracked, not dropped.
    ///
    /// # Errors
    /// [`IdError`] when it is empty, longer than 64, or not printable ASCII.
    pub fn from_venue(text: &str) -> Result<Self, IdError> {
        check("ClientOrderId", text, 64, graphic, "printable ASCII without spaces")?;
        Ok(Self(Arc::from(text)))
    }
}

impl TradeId {
    /// The id as a number, on venues that count their trades.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl From<u64> for TradeId {
    fn from(id: u64) -> Self {
        Self(Arc::from(id.to_string()))
    }
}

impl From<u64> for VenueOrderId {
    fn from(id: u64) -> Self {
        Self(Arc::from(id.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_order_ids_are_what_the_venue_accepts() {
        assert!(ClientOrderId::new("pl-01HZX_9").is_ok());
        assert!(ClientOrderId::new(&"a".repeat(36)).is_ok());
        assert_eq!(
            ClientOrderId::new(&"a".repeat(37)).unwrap_err(),
            IdError::Length { kind: "ClientOrderId", len: 37, max: 36 }
        );
        assert!(matches!(ClientOrderId::new("a b"), Err(IdError::Byte { at: 1, byte: b' ', .. })));
        assert!(ClientOrderId::new("").is_err());
    }

    #[test]
    fn foreign_ids_are_tracked() {
        assert!(ClientOrderId::new("web/7.a:b").is_err());
        assert_eq!(ClientOrderId::from_venue("web/7.a:b").unwrap().as_str(), "web/7.a:b");
        assert!(ClientOrderId::from_venue("a\u{0}b").is_err());
        let foreign = ClientOrderId::from_venue("web/7.a:b").unwrap();
        let text = serde_json::to_string(&foreign).unwrap();
        assert_eq!(
            serde_json::from_str::<ClientOrderId>(&text).unwrap(),
            foreign,
            "what is written is readable"
        );
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<Symbol>("\"BTCUSDT\"").is_ok());
        assert!(serde_json::from_str::<Symbol>("\"btc usdt\"").is_err());
        assert!(serde_json::from_str::<Symbol>("7").is_err());
    }

    #[test]
    fn trade_ids_count() {
        assert_eq!(TradeId::from(7).number(), Some(7));
        assert_eq!(TradeId::new("x7").unwrap().number(), None);
    }
}
