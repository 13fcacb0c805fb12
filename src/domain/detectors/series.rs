//! A series from a file: one number per line, or JSON `{"input": [...]}`, or a bare JSON list.
//!
//! Numbers are read by the standard library, which finds the nearest float always; a JSON reader may be off by the
//! last bit. `nan` and `inf` are read as such: what to do with them is the detector's decision.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest series that is read.
pub const MAX_SERIES: usize = 10_000_000;
/// Longest text that an error shows.
const SHOWN: usize = 40;

/// Why a file is no series.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// A line that is no number.
    #[error("line {line}: {text:?} is not a number")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What stands there, cut.
        text: String,
    },
    /// An element that is no number.
    #[error("{member}[{index}]: {text:?} is not a number")]
    Element {
        /// Which list.
        member: &'static str,
        /// Counted from 0.
        index: usize,
        /// What stands there, cut.
        text: String,
    },
    /// JSON of another shape.
    #[error("JSON of a series is {{\"{member}\": [numbers]}}: {detail}")]
    Json {
        /// The member that is wanted.
        member: &'static str,
        /// What the reader said.
        detail: String,
    },
    /// Too long.
    #[error("{given} numbers are more than {MAX_SERIES}")]
    Long {
        /// How many there are.
        given: usize,
    },
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// A float as Python's and Rust's writers print them.
fn number(text: &str) -> Option<f64> {
    let plain = text.trim().trim_matches('"');
    if plain == "null" { Some(f64::NAN) } else { plain.parse().ok() }
}

/// Python's writer prints NaN and Infinity bare, which is no JSON: they are quoted before the reader sees them.
fn quoted(text: &str) -> String {
    ["-Infinity", "Infinity", "NaN"].iter().enumerate().fold(text.to_owned(), |text, (at, word)| {
        // The first pass has quoted the negative ones; "Infinity" must not quote them again.
        if at == 1 {
            let text = text.replace("\"-Infinity\"", "\"-inf\"");
            return text.replace(word, "\"inf\"");
        }
        text.replace(word, &format!("\"{word}\""))
    })
}

#[derive(Deserialize)]
struct Holder<'a> {
    #[serde(borrow)]
    input: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    returns: Option<Vec<&'a RawValue>>,
}

/// Reads a series; `member` is the JSON member that holds it, `input` or `returns`.
///
/// # Errors
/// Names the line or the element that is no number.
pub fn read_series(text: &str, member: &'static str) -> Result<Vec<f64>, SeriesError> {
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    if start.starts_with('{') || start.starts_with('[') {
        // Quoted only where it has to be: the words may stand in a description as well.
        return match read_json(start, member) {
            Err(SeriesError::Json { .. }) if start.contains("NaN") || start.contains("Infinity") => {
                read_json(&quoted(start), member)
            }
            read => read,
        };
    }
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim().trim_end_matches(',');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || SeriesError::Line { line: at.saturating_add(1), text: cut(line) };
        found.push(line.parse().map_err(|_| wrong())?);
    }
    bounded(found)
}

fn read_json(text: &str, member: &'static str) -> Result<Vec<f64>, SeriesError> {
    let wrong = |detail: String| SeriesError::Json { member, detail };
    let elements: Vec<&RawValue> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?
    } else {
        let holder: Holder<'_> = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let list = if member == "returns" { holder.returns } else { holder.input };
        list.ok_or_else(|| wrong(format!("there is no {member}")))?
    };
    let read = |(index, element): (usize, &&RawValue)| {
        number(element.get()).ok_or_else(|| SeriesError::Element { member, index, text: cut(element.get()) })
    };
    bounded(elements.iter().enumerate().map(read).collect::<Result<_, _>>()?)
}

fn bounded(found: Vec<f64>) -> Result<Vec<f64>, SeriesError> {
    if found.len() > MAX_SERIES { Err(SeriesError::Long { given: found.len() }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_json_give_the_same_floats() {
        let wanted = [0.1, -2.0, 1e-300, 123456.789];
        for text in [
            "0.1\n-2\n\n# a comment\n1e-300\r\n123456.789\n",
            r#"{"input":[0.1,-2,1e-300,123456.789]}"#,
            r#" [0.1, -2.0, 1e-300, 123456.789]"#,
            r#"{"name":"x","n":4,"input":[0.1,-2,1e-300,123456.789],"detectors":{}}"#,
        ] {
            assert_eq!(read_series(text, "input").unwrap(), wanted, "{text}");
        }
        let described = r#"{"note":"no NaN, no Infinity","input":[1]}"#;
        assert_eq!(read_series(described, "input").unwrap(), [1.0]);
        assert_eq!(read_series("", "input").unwrap(), Vec::<f64>::new());
        assert_eq!(read_series(r#"{"returns":[1]}"#, "returns").unwrap(), [1.0]);
    }

    #[test]
    fn the_nearest_float_is_read_where_a_quick_reader_is_off() {
        let mut random = fastrand::Rng::with_seed(2);
        let all: Vec<f64> = (0..5000).map(|_| random.f64() * 10f64.powi(random.i32(-200..200))).collect();
        let texts: Vec<String> = all.iter().map(f64::to_string).collect();
        let read = read_series(&format!("{{\"input\":[{}]}}", texts.join(",")), "input").unwrap();
        assert!(read.iter().zip(&all).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn numbers_that_are_not_finite_are_read_as_such() {
        let json = read_series(r#"{"input":[1,NaN,Infinity,-Infinity,null]}"#, "input").unwrap();
        let text = read_series("1\nnan\ninf\n-inf\nNaN", "input").unwrap();
        for (list, last) in [(json, "json"), (text, "text")] {
            assert!(list[1].is_nan() && list[2] == f64::INFINITY && list[3] == f64::NEG_INFINITY, "{last}");
            assert!(list[4].is_nan());
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        let said = |text: &str| read_series(text, "input").unwrap_err().to_string();
        assert_eq!(said("1\n2\nthree"), "line 3: \"three\" is not a number");
        assert_eq!(said(r#"{"input":[1,{}]}"#), "input[1]: \"{}\" is not a number");
        assert!(said(r#"{"output":[1]}"#).contains("there is no input"));
        assert!(said("{\"input\":[1").contains("JSON of a series"));
    }
}
