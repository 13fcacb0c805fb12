//! A series of returns as it was read: from text with one return per line, or from JSON.
//!
//! It promises finite numbers with all their digits, and a refusal that names the place of the first thing that is not
//! one. It reads no file.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest series.
pub const RETURNS_MAX: usize = 5_000_000;
/// Longest piece of bad input that is quoted.
const QUOTED_MAX: usize = 40;

/// Why a text is not a series of returns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeriesError {
    /// A line that is not a finite number.
    #[error("line {line}: {text:?} is not a finite number; one return per line is read, 0.01 for 1 %")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What stands there, cut.
        text: String,
    },
    /// An element that is not a finite number.
    #[error("returns[{index}]: {text} is not a finite number; 0.01 stands for 1 %")]
    Element {
        /// Counted from 0.
        index: usize,
        /// What stands there, cut.
        text: String,
    },
    /// JSON of another shape.
    #[error("{says}; {{\"returns\": [0.01, -0.02]}} is read, or one return per line")]
    Json {
        /// What the parser says, with line and column.
        says: String,
    },
    /// More than is read.
    #[error("there are more than {max} returns")]
    TooMany {
        /// Most that are read.
        max: usize,
    },
}

/// A series from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Returns per period, 0.01 for 1 %; finite.
    pub returns: Vec<f64>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    returns: Vec<&'a RawValue>,
}

fn cut(text: &str) -> String {
    text.chars().take(QUOTED_MAX).collect()
}

/// Rust's own reading is correctly rounded; a JSON parser's fast path may be off by a bit.
fn finite(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let value = text.parse::<f64>().ok().filter(|value| plain && value.is_finite())?;
    Some(value)
}

impl Series {
    /// Reads either form; JSON begins with a brace.
    ///
    /// # Errors
    /// [`SeriesError`] with the place of what cannot be read.
    pub fn parse(text: &str) -> Result<Self, SeriesError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let returns = if text.trim_start().starts_with('{') { json(text)? } else { lines(text)? };
        Ok(Self { returns })
    }
}

fn json(text: &str) -> Result<Vec<f64>, SeriesError> {
    let document: Document<'_> =
        serde_json::from_str(text).map_err(|error| SeriesError::Json { says: error.to_string() })?;
    if document.returns.len() > RETURNS_MAX {
        return Err(SeriesError::TooMany { max: RETURNS_MAX });
    }
    let element = |(index, raw): (usize, &&RawValue)| {
        finite(raw.get()).ok_or_else(|| SeriesError::Element { index, text: cut(raw.get()) })
    };
    document.returns.iter().enumerate().map(element).collect()
}

fn lines(text: &str) -> Result<Vec<f64>, SeriesError> {
    let mut returns = Vec::new();
    // Lines may end the file empty; between returns an empty line is a value that is missing.
    for (index, line) in text.trim_end().lines().enumerate() {
        if returns.len() >= RETURNS_MAX {
            return Err(SeriesError::TooMany { max: RETURNS_MAX });
        }
        let bad = || SeriesError::Line { line: index.saturating_add(1), text: cut(line.trim()) };
        returns.push(finite(line.trim()).ok_or_else(bad)?);
    }
    Ok(returns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_the_same() {
        let wanted = vec![0.01, -0.02, 1e-3, 0.0];
        assert_eq!(Series::parse("0.01\n-0.02\r\n 1e-3\n0\n\n").unwrap().returns, wanted);
        let json = r#" {"name": "x", "returns": [0.01, -0.02, 1e-3, 0]} "#;
        assert_eq!(Series::parse(json).unwrap().returns, wanted);
        assert_eq!(Series::parse("").unwrap().returns, Vec::<f64>::new());
        assert_eq!(Series::parse(r#"{"returns":[]}"#).unwrap().returns, Vec::<f64>::new());
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_place() {
        let says = |text: &str| Series::parse(text).unwrap_err().to_string();
        assert!(says("0.1\nnan\n").starts_with(r#"line 2: "nan" is not"#));
        assert!(says("0.1\n\n0.2").starts_with(r#"line 2: "" is not"#));
        assert!(says("inf").starts_with("line 1"));
        assert!(says("0.1 0.2").starts_with("line 1"));
        assert!(says("1e999").starts_with("line 1"));
        assert!(says(r#"{"returns":[0.1,null]}"#).starts_with("returns[1]: null"));
        assert!(says(r#"{"returns":[1e999]}"#).starts_with("returns[0]: 1e999"));
        assert!(says(r#"{"returns":[0.1,"2"]}"#).starts_with("returns[1]"));
        assert!(says(r#"{"returns":[0.1,NaN]}"#).contains("line 1 column"));
        assert!(says(r#"{"return":[0.1]}"#).contains("missing field `returns`"));
    }

    proptest::proptest! {
        #[test]
        fn any_finite_double_comes_back_whole(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
            let text = format!("{value:e}");
            proptest::prop_assert_eq!(Series::parse(&text).unwrap().returns[0].to_bits(), value.to_bits());
        }
    }
}
