//! Settings given as `key=value`, as on a command line: every key is asked for once, and none may be left over.

use super::Sides;
use std::collections::BTreeMap;

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// No `=`, or an empty key.
    #[error("{given:?} is not key=value")]
    Syntax {
        /// The text.
        given: String,
    },
    /// The same key twice.
    #[error("{key} is given twice")]
    Twice {
        /// Which.
        key: String,
    },
    /// A value that cannot be.
    #[error("{key}={given}: {wanted} is wanted")]
    Value {
        /// Which.
        key: String,
        /// The text.
        given: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// Keys that this detector does not have.
    #[error("{detector} has no {key}; it has {known}")]
    Unknown {
        /// Which detector.
        detector: &'static str,
        /// The first such key.
        key: String,
        /// The keys that it has.
        known: String,
    },
    /// No detector of that name.
    #[error("there is no detector {name:?}; there are {known}")]
    Detector {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Settings that wait to be asked for.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    given: BTreeMap<String, String>,
    asked: Vec<&'static str>,
}

impl Parameters {
    /// Reads a list of `key=value`.
    ///
    /// # Errors
    /// When one is not of that form or a key comes twice.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ParameterError> {
        let mut given = BTreeMap::new();
        for text in texts {
            let syntax = || ParameterError::Syntax { given: text.to_owned() };
            let (key, value) = text.split_once('=').ok_or_else(syntax)?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            if key.is_empty() {
                return Err(syntax());
            }
            if given.insert(key.clone(), value).is_some() {
                return Err(ParameterError::Twice { key });
            }
        }
        Ok(Self { given, asked: Vec::new() })
    }

    fn take(&mut self, key: &'static str) -> Option<String> {
        self.asked.push(key);
        self.given.remove(key)
    }

    /// Whether this key was given and has not been asked for.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.given.contains_key(key)
    }

    /// A finite number for which `fits` holds, or the default.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(
        &mut self,
        key: &'static str,
        default: f64,
        wanted: &'static str,
        fits: impl Fn(f64) -> bool,
    ) -> Result<f64, ParameterError> {
        let Some(given) = self.take(key) else { return Ok(default) };
        let number = given.parse::<f64>().ok().filter(|x| x.is_finite() && fits(*x));
        number.ok_or(ParameterError::Value { key: key.to_owned(), given, wanted })
    }

    /// A count of at least `least`, or the default. `30` and `30.0` are the same.
    ///
    /// # Errors
    /// When it is none.
    pub fn count(
        &mut self,
        key: &'static str,
        default: u32,
        least: u32,
        wanted: &'static str,
    ) -> Result<u32, ParameterError> {
        let Some(given) = self.take(key) else { return Ok(default) };
        let count = given.strip_suffix(".0").unwrap_or(&given).parse::<u32>().ok();
        count.filter(|n| *n >= least).ok_or(ParameterError::Value { key: key.to_owned(), given, wanted })
    }

    /// Which way to look, or both.
    ///
    /// # Errors
    /// When it is none of the words.
    pub fn sides(&mut self, key: &'static str) -> Result<Sides, ParameterError> {
        let Some(given) = self.take(key) else { return Ok(Sides::Both) };
        match given.as_str() {
            "both" | "two" | "2" => Ok(Sides::Both),
            "up" | "upper" | "one" | "1" => Ok(Sides::Up),
            "down" | "lower" => Ok(Sides::Down),
            _ => Err(ParameterError::Value { key: key.to_owned(), given, wanted: "both, up or down" }),
        }
    }

    /// Nothing may be left over.
    ///
    /// # Errors
    /// Names the first key that nobody asked for, and those that there are.
    pub fn finish(self, detector: &'static str) -> Result<(), ParameterError> {
        let known = self.asked.join(", ");
        match self.given.into_keys().next() {
            None => Ok(()),
            Some(key) => Err(ParameterError::Unknown { detector, key, known }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_once_and_none_is_left() {
        let mut set = Parameters::read(["delta=.25", "clock = 32.0", "mode=up"]).unwrap();
        let positive = |x: f64| x > 0.0;
        assert_eq!(set.number("delta", 1.0, "a number", positive), Ok(0.25));
        assert_eq!(set.count("clock", 1, 1, "a count"), Ok(32));
        assert_eq!(set.sides("mode"), Ok(Sides::Up));
        assert_eq!(set.number("absent", 7.0, "a number", positive), Ok(7.0));
        assert_eq!(set.finish("x"), Ok(()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(matches!(Parameters::read(["delta"]), Err(ParameterError::Syntax { .. })));
        assert!(matches!(Parameters::read(["=1"]), Err(ParameterError::Syntax { .. })));
        assert!(matches!(Parameters::read(["a=1", "a=2"]), Err(ParameterError::Twice { .. })));
        for bad in ["a=nan", "a=inf", "a=-1", "a=x", "a="] {
            let number = Parameters::read([bad]).unwrap().number("a", 0.0, "a number above 0", |x| x > 0.0);
            assert!(number.is_err(), "{bad}");
            assert!(Parameters::read([bad]).unwrap().count("a", 1, 1, "a count").is_err(), "{bad}");
            assert!(Parameters::read([bad]).unwrap().sides("a").is_err(), "{bad}");
        }
        let mut set = Parameters::read(["lambda=3"]).unwrap();
        set.count("clock", 1, 1, "a count").unwrap();
        let said = set.finish("adwin").unwrap_err().to_string();
        assert_eq!(said, "adwin has no lambda; it has clock");
    }
}
