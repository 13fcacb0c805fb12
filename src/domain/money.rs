//! Exact decimals with their meaning in the type: [`Price`], [`Quantity`], [`Amount`].
//!
//! Backed by `rust_decimal` (96-bit mantissa, at most 28 fractional digits); never a float. Text keeps its
//! scale, so what a venue sent is what we print. Comparison and hashing are by value. Arithmetic is checked:
//! an overflow is `None`, never a panic and never a rounded figure.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Longest decimal text that is read: 29 digits, a point and a sign fit with room to spare.
const MAX_TEXT: usize = 40;

/// Why a text or a number is not a legal figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with at most one point (no exponent, no separators, no spaces).
    #[error("{kind}: {text:?} is not a plain decimal number")]
    Syntax {
        /// Which figure.
        kind: &'static str,
        /// The text, cut to a printable length.
        text: String,
    },
    /// Below zero where that has no meaning.
    #[error("{kind}: {value} is negative")]
    Negative {
        /// Which figure.
        kind: &'static str,
        /// What was given.
        value: Decimal,
    },
}

/// Digits that fit an `i64` whatever they are: most figures on the wire are shorter.
const SHORT_DIGITS: u32 = 18;

/// Reads a short, unsigned, well-formed figure in one pass; `None` sends everything else the long way.
fn parse_short(text: &str) -> Option<Decimal> {
    let (mut value, mut digits, mut scale) = (0_i64, 0_u32, None::<u32>);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(byte.checked_sub(b'0')?))?;
                digits = digits.checked_add(1)?;
                scale = scale.map(|places| places.saturating_add(1));
            }
            b'.' if scale.is_none() && digits > 0 => scale = Some(0),
            _ => return None,
        }
    }
    let ends_well = digits > 0 && digits <= SHORT_DIGITS && scale != Some(0);
    ends_well.then(|| Decimal::new(value, scale.unwrap_or(0)))
}

fn parse(kind: &'static str, text: &str, signed: bool) -> Result<Decimal, MoneyError> {
    if let Some(value) = parse_short(text) {
        return Ok(value);
    }
    let refuse = || MoneyError::Syntax { kind, text: text.chars().take(MAX_TEXT).collect() };
    let digits = if signed { text.strip_prefix('-').unwrap_or(text) } else { text };
    let plain = digits.len() <= MAX_TEXT
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && digits.bytes().last().is_some_and(|b| b.is_ascii_digit());
    if !plain {
        return Err(refuse());
    }
    Decimal::from_str_exact(text).map_err(|_| refuse())
}

macro_rules! figure {
    ($(#[$doc:meta])* $name:ident, signed: $signed:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Decimal);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Wraps a decimal.
            ///
            /// # Errors
            /// [`MoneyError::Negative`] when the type has no sign and the value is below zero.
            pub fn new(value: Decimal) -> Result<Self, MoneyError> {
                if !$signed && value.is_sign_negative() && !value.is_zero() {
                    return Err(MoneyError::Negative { kind: stringify!($name), value });
                }
                Ok(Self(value))
            }

            /// Reads a plain decimal text such as `0.00120000`.
            ///
            /// # Errors
            /// [`MoneyError::Syntax`] for anything else: exponents, separators, signs where none belong,
            /// more than 28 digits.
            pub fn parse(text: &str) -> Result<Self, MoneyError> {
                parse(stringify!($name), text, $signed).map(Self)
            }

            /// The decimal inside.
            #[must_use]
            pub fn get(self) -> Decimal {
                self.0
            }

            /// Is it zero?
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }

            /// Without trailing zeros, as order parameters are sent.
            #[must_use]
            pub fn normalized(self) -> Self {
                Self(self.0.normalize())
            }

            /// The sum, or `None` on overflow.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, or `None` on overflow or when an unsigned figure would fall below zero.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).and_then(|value| Self::new(value).ok())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a decimal number as a JSON string")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).map_err(E::custom)
                    }
                }
                d.deserialize_str(Text)
            }
        }
    };
}

figure!(
    /// A price per unit of the base asset, in quote units. Never negative.
    Price, signed: false
);
figure!(
    /// A quantity in base units. Never negative: the direction is in [`super::order_types::Side`].
    Quantity, signed: false
);
figure!(
    /// A sum of an asset: notional, fee, balance, profit. Signed.
    Amount, signed: true
);

impl Price {
    /// Price times quantity in quote units, or `None` on overflow.
    #[must_use]
    pub fn notional(self, quantity: Quantity) -> Option<Amount> {
        self.0.checked_mul(quantity.0).map(Amount)
    }

    /// Halfway between two prices, or `None` on overflow.
    #[must_use]
    pub fn midpoint(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0)?.checked_div(Decimal::TWO).map(Self)
    }
}

impl Amount {
    /// This amount divided by a quantity as a price; `None` for a zero quantity or a negative amount.
    #[must_use]
    pub fn per(self, quantity: Quantity) -> Option<Price> {
        self.0.checked_div(quantity.0).and_then(|value| Price::new(value).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_with_its_scale() {
        assert_eq!(Price::parse("61837.63000000").unwrap().to_string(), "61837.63000000");
        assert_eq!(Price::parse("61837.63").unwrap(), Price::parse("61837.630").unwrap());
        assert_eq!(Amount::parse("-0.5").unwrap().to_string(), "-0.5");
        assert_eq!(Price::parse("1.50000000").unwrap().normalized().to_string(), "1.5");
    }

    #[test]
    fn hostile_texts_are_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1e5",
            "-1",
            "+1",
            "1_000",
            " 1",
            "1 ",
            "NaN",
            "1.2.3",
            "0x1",
            "١",
            "99999999999999999999999999999999",
            "0.00000000000000000000000000000000001",
        ] {
            assert!(Price::parse(text).is_err(), "{text:?} was read");
        }
        assert!(Quantity::new(Decimal::NEGATIVE_ONE).is_err());
        assert!(serde_json::from_str::<Price>("1.5").is_err(), "a JSON number is a float");
    }

    #[test]
    fn overflow_is_none() {
        let huge = Price::new(Decimal::MAX).unwrap();
        assert_eq!(huge.notional(Quantity::parse("2").unwrap()), None);
        assert_eq!(huge.checked_add(huge), None);
        assert_eq!(Quantity::ZERO.checked_sub(Quantity::parse("1").unwrap()), None);
        assert_eq!(Amount::parse("1").unwrap().per(Quantity::ZERO), None);
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            let _ = Amount::parse(&text);
        }

        /// The short way reads what the long way reads, and nothing else.
        #[test]
        fn both_ways_agree(text in "[0-9]{0,20}[.]?[0-9]{0,20}") {
            if let Some(short) = parse_short(&text) {
                let long = Decimal::from_str_exact(&text).unwrap();
                proptest::prop_assert_eq!(short.to_string(), long.to_string());
                proptest::prop_assert!(!text.ends_with('.') && !text.starts_with('.'));
            }
        }

        #[test]
        fn eight_decimals_are_exact(units in 0_i64..i64::MAX) {
            let text = format!("{}.{:08}", units / 100_000_000, units % 100_000_000);
            proptest::prop_assert_eq!(Quantity::parse(&text).unwrap().to_string(), text);
        }
    }
}
