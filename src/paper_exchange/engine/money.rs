//! Exact decimals of the paper exchange: fixed point with eight decimal places, no floats.
//!
//! Owns parsing and printing of the venue's decimal strings and the one product (price times quantity)
//! that rounds. It promises that `parse(print(x)) == x`, that nothing wraps silently, and that the only
//! rounding is the documented one to `1e-8` of an asset. It knows no tick or lot size: filters do.
//!
//! Units: one unit of [`Price`], [`Qty`], [`Rate`] and [`Amount`] is `1e-8` of the quote asset per base
//! asset, of the base asset, of one, and of any asset. `i64` holds up to 92 233 720 368.54775807.
//! [`Amount`] is `i128`, so sums over every trade the exchange may keep cannot overflow.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// Units in one whole: the venue prints eight decimal places.
pub const UNITS_PER_ONE: i64 = 100_000_000;
/// [`UNITS_PER_ONE`] for 128-bit arithmetic.
const ONE: i128 = 100_000_000;
const PLACES: usize = 8;
/// More digits than this before the point cannot be a number the venue takes.
const MAX_WHOLE_DIGITS: usize = 20;

/// Why a decimal string is not a number of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Empty, a stray sign, an exponent, or any character but digits and one point.
    #[error("not a decimal number: digits with at most one point are expected")]
    Malformed,
    /// A non-zero digit after the eighth decimal place (the venue's code -1111).
    #[error("more than {PLACES} decimal places")]
    TooPrecise,
    /// Does not fit the type.
    #[error("out of range")]
    OutOfRange,
}

fn parse_units(text: &str) -> Result<i128, DecimalError> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some(parts) => parts,
        None => (text, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    if whole.len() > MAX_WHOLE_DIGITS {
        return Err(DecimalError::OutOfRange);
    }
    let mut units: i128 = 0;
    for digit in whole.bytes() {
        units = units * 10 + i128::from(digit - b'0');
    }
    let mut places = fraction.bytes();
    for _ in 0..PLACES {
        units = units * 10 + i128::from(places.next().unwrap_or(b'0') - b'0');
    }
    if places.any(|digit| digit != b'0') {
        return Err(DecimalError::TooPrecise);
    }
    Ok(units)
}

fn print_units(units: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let magnitude = units.unsigned_abs();
    let one = ONE.unsigned_abs();
    write!(f, "{sign}{}.{:08}", magnitude / one, magnitude % one)
}

macro_rules! decimal {
    ($(#[$meta:meta])* $name:ident($inner:ty), signed: $signed:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($inner);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(<$inner>::MAX);

            /// From units of `1e-8`.
            #[must_use]
            pub const fn from_units(units: $inner) -> Self {
                Self(units)
            }

            /// Units of `1e-8`.
            #[must_use]
            pub const fn units(self) -> $inner {
                self.0
            }

            /// Above zero.
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Exactly zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl FromStr for $name {
            type Err = DecimalError;

            fn from_str(text: &str) -> Result<Self, DecimalError> {
                let units = match text.strip_prefix('-') {
                    Some(rest) if $signed => -parse_units(rest)?,
                    _ => parse_units(text)?,
                };
                <$inner>::try_from(units).map(Self).map_err(|_| DecimalError::OutOfRange)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print_units(i128::from(self.0), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                print_units(i128::from(self.0), f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a decimal string with at most eight decimal places")
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl std::ops::Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl std::ops::AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl std::ops::SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
    };
}

decimal!(
    /// Quote asset per one base asset. Never negative when parsed.
    Price(i64), signed: false
);
decimal!(
    /// A quantity of the base asset. Never negative when parsed.
    Qty(i64), signed: false
);
decimal!(
    /// A commission rate or price multiplier, as a fraction of one (0.001 is ten basis points).
    Rate(i64), signed: false
);
decimal!(
    /// An amount of any asset: balances, notionals, fees. May be negative (a withdrawal, a net flow).
    Amount(i128), signed: true
);

impl Amount {
    /// `self + other`, or `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The commission on this amount, rounded down to `1e-8` (in the customer's favour).
    #[must_use]
    pub fn commission(self, rate: Rate) -> Self {
        Self(self.0 * i128::from(rate.0) / ONE)
    }

    /// How much base asset this amount of quote asset buys at `price`, rounded down to `1e-8` and
    /// limited to what [`Qty`] can hold. Zero when the price is not positive.
    #[must_use]
    pub fn buys_at(self, price: Price) -> Qty {
        if price.0 <= 0 || self.0 <= 0 {
            return Qty::ZERO;
        }
        let units = self.0.saturating_mul(ONE) / i128::from(price.0);
        Qty(i64::try_from(units).unwrap_or(i64::MAX))
    }
}

impl Price {
    /// What a trade of `quantity` costs: the product rounded DOWN to `1e-8` of the quote asset.
    /// Buyer and seller use the same figure, so rounding never creates or destroys anything.
    #[must_use]
    pub fn notional(self, quantity: Qty) -> Amount {
        Amount(i128::from(self.0) * i128::from(quantity.0) / ONE)
    }

    /// What must be reserved for `quantity`: the product rounded UP. For every split of a quantity the
    /// parts' notionals stay within it, because `ceil(a) - ceil(b) >= floor(a - b)`.
    #[must_use]
    pub fn reserve(self, quantity: Qty) -> Amount {
        Amount((i128::from(self.0) * i128::from(quantity.0) + (ONE - 1)) / ONE)
    }

    /// This price times a multiplier, rounded down; `None` when it does not fit.
    #[must_use]
    pub fn scaled(self, multiplier: Rate) -> Option<Price> {
        i64::try_from(i128::from(self.0) * i128::from(multiplier.0) / ONE).ok().map(Price)
    }
}

impl Qty {
    /// The same quantity as an amount of the base asset.
    #[must_use]
    pub fn amount(self) -> Amount {
        Amount(i128::from(self.0))
    }

    /// The largest multiple of `step` within this quantity; all of it when `step` is zero.
    #[must_use]
    pub fn floor_to(self, step: Qty) -> Qty {
        if step.0 <= 0 { self } else { Qty(self.0 - self.0 % step.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_eight_places_and_reads_what_clients_send() {
        for (text, printed) in [
            ("1", "1.00000000"),
            ("0.1", "0.10000000"),
            ("64000.01", "64000.01000000"),
            ("0.00000001", "0.00000001"),
            ("007.5", "7.50000000"),
            ("1.0000000000", "1.00000000"),
            ("92233720368.54775807", "92233720368.54775807"),
        ] {
            assert_eq!(text.parse::<Price>().unwrap().to_string(), printed);
        }
        assert_eq!("-0.5".parse::<Amount>().unwrap().to_string(), "-0.50000000");
    }

    #[test]
    fn refuses_what_is_not_a_number_of_the_venue() {
        for (text, error) in [
            ("", DecimalError::Malformed),
            (".5", DecimalError::Malformed),
            ("5.", DecimalError::Malformed),
            ("1e3", DecimalError::Malformed),
            ("-1", DecimalError::Malformed),
            ("+1", DecimalError::Malformed),
            ("1.2.3", DecimalError::Malformed),
            ("NaN", DecimalError::Malformed),
            ("0.000000001", DecimalError::TooPrecise),
            ("92233720368.54775808", DecimalError::OutOfRange),
            ("999999999999999999999", DecimalError::OutOfRange),
        ] {
            assert_eq!(text.parse::<Qty>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(units in 0..=i64::MAX) {
            let price = Price::from_units(units);
            prop_assert_eq!(price.to_string().parse::<Price>(), Ok(price));
        }

        #[test]
        fn a_reserve_covers_every_split(price in 1..=i64::MAX, whole in 1..=i64::MAX, part in 0..=i64::MAX) {
            let (price, whole) = (Price::from_units(price), Qty::from_units(whole));
            let part = Qty::from_units(part % (whole.units()));
            let left = price.reserve(whole) - price.notional(part);
            prop_assert!(left >= price.reserve(whole - part));
        }

        #[test]
        fn what_an_amount_buys_costs_no_more_than_it(price in 1..1_000_000_000_000i64, units in 0..1_000_000_000_000_000i64) {
            let (price, quote) = (Price::from_units(price), Amount::from_units(i128::from(units)));
            let bought = quote.buys_at(price);
            prop_assert!(price.notional(bought) <= quote);
            prop_assert!(price.reserve(bought) <= quote);
        }
    }
}
