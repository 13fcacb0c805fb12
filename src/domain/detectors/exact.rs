//! A float written so that exactly the same float is read back.
//!
//! `serde_json` prints the shortest decimal that denotes a float, yet reads one only to the nearest neighbour but one
//! in rare cases; and it has no infinity. A state that is read back must be the state that was written, so floats
//! of states travel as text, which the standard library prints and reads exactly.

/// One float.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the shortest decimal text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When the text is no float.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a number")))
    }
}

/// One float or none.
pub mod option {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the shortest decimal text, or null.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When the text is no float.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let wrong = |text: &str| D::Error::custom(format!("{text:?} is not a number"));
        text.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }
}

/// A list of floats.
pub mod list {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes one text, numbers separated by spaces.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let texts: Vec<String> = values.iter().map(f64::to_string).collect();
        serializer.serialize_str(&texts.join(" "))
    }

    /// Reads them back.
    ///
    /// # Errors
    /// When one text is no float.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number =
            |one: &str| one.parse().map_err(|_| D::Error::custom(format!("{one:?} is not a number")));
        text.split_ascii_whitespace().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Both {
        #[serde(with = "super::number")]
        one: f64,
        #[serde(with = "super::list")]
        many: Vec<f64>,
        #[serde(default, with = "super::option")]
        some: Option<f64>,
    }

    #[test]
    fn what_is_read_back_is_what_was_written_to_the_last_bit() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..2000 {
            let many: Vec<f64> =
                (0..5).map(|_| f64::from_bits(random.u64(..))).filter(|x| !x.is_nan()).collect();
            let both = Both { one: f64::INFINITY, many: many.clone(), some: many.first().copied() };
            let read: Both = serde_json::from_str(&serde_json::to_string(&both).unwrap()).unwrap();
            assert_eq!(read.some.map(f64::to_bits), both.some.map(f64::to_bits));
            assert_eq!(read.one.to_bits(), f64::INFINITY.to_bits());
            let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&read.many), bits(&many));
        }
        assert_eq!(serde_json::from_str::<Both>(r#"{"one":"1","many":""}"#).unwrap().some, None);
        assert!(serde_json::from_str::<Both>(r#"{"one":"1","many":"","some":"x"}"#).is_err());
        assert!(serde_json::from_str::<Both>(r#"{"one":"x","many":""}"#).is_err());
        assert!(serde_json::from_str::<Both>(r#"{"one":"1","many":"1 y"}"#).is_err());
    }
}
