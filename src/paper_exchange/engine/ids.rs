//! Names and numbers by which the exchange knows things.
//!
//! Owns their legal forms. Text ids are stored inline, so that orders copy without allocating and a name
//! can never be longer than the venue allows. It does not know whether a name exists: [`Exchange`] does.
//!
//! [`Exchange`]: super::Exchange

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// Why a name is not legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be 1 to {longest} characters of {legal}")]
pub struct NameError {
    /// Which kind of name.
    pub what: &'static str,
    /// The longest legal length, in bytes.
    pub longest: usize,
    /// The legal characters, as a character class.
    pub legal: &'static str,
}

macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $what:literal, $longest:literal, $legal:literal, $accepts:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            // Zero padded and compared first, so the derived order is the text's own.
            bytes: [u8; $longest],
            len: u8,
        }

        impl $name {
            /// Checks and stores a name.
            ///
            /// # Errors
            /// [`NameError`] when it is empty, too long or holds other characters than the legal ones.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let error = NameError { what: $what, longest: $longest, legal: $legal };
                let accepts: fn(u8) -> bool = $accepts;
                let mut bytes = [0; $longest];
                let room = bytes.get_mut(..text.len()).ok_or(error)?;
                if text.is_empty() || !text.bytes().all(accepts) {
                    return Err(error);
                }
                room.copy_from_slice(text.as_bytes());
                let len = u8::try_from(text.len()).map_err(|_| error)?;
                Ok(Self { bytes, len })
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let text = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

name!(
    /// A client's own order id: `^[a-zA-Z0-9-_]{1,36}$` on Binance Spot.
    ClientOrderId, "client order id", 36, "[a-zA-Z0-9-_]",
    |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
);
name!(
    /// A symbol such as `BTCUSDT`: `^[A-Z0-9-_.]{1,20}$`.
    Symbol, "symbol", 20, "[A-Z0-9-_.]",
    |b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.')
);
name!(
    /// An asset such as `BTC`: `^[A-Z0-9]{1,16}$`.
    Asset, "asset", 16, "[A-Z0-9]",
    |b| b.is_ascii_uppercase() || b.is_ascii_digit()
);

macro_rules! number {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// An account of the exchange, chosen by whoever opens it.
    AccountId(u32)
);
number!(
    /// The exchange's own order number: unique over all symbols, rising with acceptance, from 1.
    OrderId(u64)
);
number!(
    /// The number of an order list (OCO), from 1.
    ListId(u64)
);
number!(
    /// A trade's number: rising, unique within its symbol only.
    TradeId(u64)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names_survive_and_others_are_refused() {
        let id = ClientOrderId::new("x-abc_DEF-0123456789-0123456789-01234").map(|id| id.to_string());
        assert!(id.is_err(), "37 characters: {id:?}");
        assert_eq!(ClientOrderId::new("x-abc_DEF").unwrap().as_str(), "x-abc_DEF");
        for bad in ["", "a b", "a.b", "ä", "a\0"] {
            let error = ClientOrderId::new(bad).unwrap_err();
            assert_eq!(error.longest, 36, "{bad}");
        }
        assert!(Symbol::new("btcusdt").is_err());
        assert!(Asset::new("BTC-X").is_err());
    }

    #[test]
    fn names_order_as_their_text_does() {
        let mut names: Vec<_> = ["B", "AB", "A", "ABC"].iter().map(|n| Asset::new(n).unwrap()).collect();
        names.sort_unstable();
        let texts: Vec<_> = names.iter().map(Asset::as_str).collect();
        assert_eq!(texts, ["A", "AB", "ABC", "B"]);
    }

    #[test]
    fn names_travel_as_json_strings() {
        let symbol = Symbol::new("BTCUSDT").unwrap();
        let json = serde_json::to_string(&symbol).unwrap();
        assert_eq!(json, "\"BTCUSDT\"");
        assert_eq!(serde_json::from_str::<Symbol>(&json).unwrap(), symbol);
        assert!(serde_json::from_str::<Symbol>("\"btc usdt\"").is_err());
    }
}
