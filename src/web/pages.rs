//! Lists in pages: `{items[], next}`, where `next` is the cursor for `after` and null at the end.

use super::problem::{FieldError, Problem};
use crate::domain::ids::IdError;
use serde::Serialize;
use serde_json::{Value, json};
use std::str::FromStr;

/// Items of a page when the caller names no limit.
const LIMIT_DEFAULT: u32 = 100;
/// Most items of a page.
pub(super) const LIMIT_MAX: u32 = 1_000;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Only what comes after this place.
    pub(super) after: Option<u64>,
    /// Most items.
    pub(super) limit: u32,
}

impl Page {
    /// Reads the two query parameters of every list.
    pub(super) fn read(after: Option<&str>, limit: Option<&str>) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let mut refuse = |name: &str, detail: String| {
            errors.push(FieldError { pointer: format!("?{name}"), detail });
        };
        let after = match after.map(str::parse::<u64>) {
            None => None,
            Some(Ok(after)) => Some(after),
            Some(Err(_)) => {
                refuse("after", "is not a cursor; use the `next` of an earlier answer".to_owned());
                None
            }
        };
        let limit = match limit.map(str::parse::<u32>) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(_) => {
                refuse("limit", format!("must be a number from 1 to {LIMIT_MAX}"));
                LIMIT_DEFAULT
            }
        };
        if errors.is_empty() { Ok(Self { after, limit }) } else { Err(Problem::invalid(errors)) }
    }

    /// The answer: `items`, and `last`'s place as the cursor when the page is full.
    pub(super) fn answer<T: Serialize>(self, items: &[T], last: Option<u64>) -> Value {
        let full = u32::try_from(items.len()).is_ok_and(|count| count >= self.limit);
        let next = last.filter(|_| full).map(|place| place.to_string());
        json!({"items": items, "next": next})
    }
}

/// The answer of a list that has one page.
pub(super) fn whole<T: Serialize>(items: &[T]) -> Value {
    json!({"items": items, "next": null})
}

/// A query parameter that names something; missing is `None`.
pub(super) fn query_id<T: FromStr<Err = IdError>>(
    parameter: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    text.map(str::parse::<T>).transpose().map_err(|error| wrong_query(parameter, error.to_string()))
}

/// 422 for one query parameter.
pub(super) fn wrong_query(name: &str, detail: impl Into<String>) -> Problem {
    Problem::invalid(vec![FieldError { pointer: format!("?{name}"), detail: detail.into() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_with_null() {
        let page = Page::read(Some("7"), Some("2")).unwrap();
        assert_eq!(page, Page { after: Some(7), limit: 2 });
        assert_eq!(page.answer(&[1, 2], Some(9)), json!({"items": [1, 2], "next": "9"}));
        assert_eq!(page.answer(&[1], Some(8)), json!({"items": [1], "next": null}));
    }

    #[test]
    fn wrong_pages_are_named_together() {
        let problem = Page::read(Some("-1"), Some("1001")).unwrap_err();
        let names: Vec<&str> = problem.errors().iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(names, ["?after", "?limit"]);
        assert!(Page::read(None, Some("0")).is_err());
        assert_eq!(Page::read(None, None).unwrap(), Page { after: None, limit: 100 });
    }
}
