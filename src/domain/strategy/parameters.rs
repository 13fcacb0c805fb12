//! Parameters of a strategy: flat words from the configuration, read into types with every problem named.
//!
//! Each value arrives as the text that stands in the file, so that a decimal never passes through a float.

use crate::domain::money::{Price, Quantity};
use rust_decimal::Decimal;
use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use std::collections::BTreeMap;
use std::fmt;

/// Parameter names and the texts of their values.
pub type Parameters = BTreeMap<String, String>;

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}; {advice}")]
pub struct ParameterProblem {
    /// Which; empty when it concerns them all.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub advice: String,
}

impl ParameterProblem {
    /// A problem of one key.
    pub(super) fn new(key: &str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into(), advice: advice.into() }
    }
}

/// A share of one, 0 to 1, as an exact decimal: 0.001 is a tenth of a per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fraction(Decimal);

impl Fraction {
    /// Zero.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads a decimal text between 0 and 1.
    ///
    /// # Errors
    /// A sentence, when it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value = Price::parse(text).map_err(|_| format!("{text:?} is not a plain decimal number"))?.get();
        if value > Decimal::ONE {
            return Err(format!("{value} is above 1; a tenth of a per cent is 0.001"));
        }
        Ok(Self(value))
    }

    /// The decimal.
    #[must_use]
    pub const fn get(self) -> Decimal {
        self.0
    }

    /// Is it zero?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// This share of a price; `None` on overflow.
    #[must_use]
    pub fn of(self, price: Price) -> Option<Price> {
        price.get().checked_mul(self.0).and_then(|value| Price::new(value).ok())
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Fraction;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal between 0 and 1")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Fraction, E> {
                Fraction::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Reads parameters into their type.
///
/// # Errors
/// The first that is unknown, missing or of the wrong form.
pub(super) fn read<T: DeserializeOwned>(parameters: &Parameters) -> Result<T, Vec<ParameterProblem>> {
    let values = parameters.iter().map(|(key, text)| (key.as_str(), Text(text)));
    serde_path_to_error::deserialize(MapDeserializer::<_, de::value::Error>::new(values)).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { String::new() } else { path };
        vec![ParameterProblem::new(&key, error.into_inner().to_string(), "see docs/strategies.md")]
    })
}

/// Collects what is wrong with figures whose form is right.
#[derive(Debug, Default)]
pub(super) struct Checks(pub(super) Vec<ParameterProblem>);

impl Checks {
    /// A quantity that must be above zero.
    pub(super) fn positive(&mut self, key: &str, quantity: Quantity) {
        if quantity.is_zero() {
            self.0.push(ParameterProblem::new(key, "it is zero", "give a quantity in base units above zero"));
        }
    }

    /// A count or a time within bounds.
    pub(super) fn range(&mut self, key: &str, value: u64, least: u64, most: u64) {
        if !(least..=most).contains(&value) {
            let advice = format!("give {least} to {most}");
            self.0.push(ParameterProblem::new(key, format!("{value} is out of range"), advice));
        }
    }

    /// A rule between values.
    pub(super) fn rule(&mut self, holds: bool, key: &str, problem: &str, advice: &str) {
        if !holds {
            self.0.push(ParameterProblem::new(key, problem, advice));
        }
    }

    pub(super) fn done<T>(self, value: T) -> Result<T, Vec<ParameterProblem>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// One value's text; what it means is the target type's decision.
#[derive(Debug, Clone, Copy)]
struct Text<'a>(&'a str);

impl<'de> IntoDeserializer<'de, de::value::Error> for Text<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty, $words:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            let refuse = |_| de::Error::custom(format!("{:?} is not {}", self.0, $words));
            visitor.$visit(self.0.parse::<$type>().map_err(refuse)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    parsed! {
        deserialize_bool visit_bool bool, "true or false";
        deserialize_u16 visit_u16 u16, "a whole number up to 65535";
        deserialize_u32 visit_u32 u32, "a whole number, zero or more";
        deserialize_u64 visit_u64 u64, "a whole number, zero or more";
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Some {
        share: Fraction,
        count: u32,
        #[serde(default)]
        on: bool,
        size: Quantity,
    }

    fn with(pairs: &[(&str, &str)]) -> Result<Some, Vec<ParameterProblem>> {
        read(&pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn texts_are_read_exactly() {
        let some = with(&[("share", "0.0001"), ("count", "3"), ("on", "true"), ("size", "0.10")]).unwrap();
        assert_eq!(some.share.get().to_string(), "0.0001");
        assert_eq!((some.count, some.on, some.size.to_string().as_str()), (3, true, "0.10"));
        assert_eq!(some.share.of(Price::parse("60000").unwrap()).unwrap(), Price::parse("6").unwrap());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = [("share", "0.1"), ("count", "3"), ("size", "1")];
        for (key, text, said) in [
            ("share", "1.5", "above 1"),
            ("share", "-0.1", "not a plain decimal"),
            ("share", "1e-3", "not a plain decimal"),
            ("count", "3.5", "not a whole number"),
            ("size", "NaN", "not a plain decimal"),
            ("on", "yes", "true or false"),
        ] {
            let mut pairs = good.to_vec();
            pairs.retain(|(known, _)| *known != key);
            pairs.push((key, text));
            let problems = with(&pairs).unwrap_err();
            assert_eq!(problems[0].key, key, "{problems:?}");
            assert!(problems[0].problem.contains(said), "{problems:?}");
        }
        assert!(with(&good[..2]).unwrap_err()[0].problem.contains("size"));
        let unknown = with(&[("share", "0.1"), ("count", "3"), ("size", "1"), ("sice", "2")]).unwrap_err();
        assert!(unknown[0].problem.contains("sice"), "{unknown:?}");
    }
}
