//! The small forms that every rendering shares: JSON text, and the wire's word for "none".

use serde::Serialize;

/// Renders a value; a value of ours always renders, so a failure becomes JSON `null` rather than a panic.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| String::from("null"))
}

/// The wire's form of an absent list, prevented match or trade number.
pub(crate) const NONE: i64 = -1;

/// A number as the wire's signed integer, `-1` when absent.
pub(crate) fn or_none(number: Option<u64>) -> i64 {
    number.and_then(|number| i64::try_from(number).ok()).unwrap_or(NONE)
}
