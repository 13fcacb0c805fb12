//! The freshness row: how old each source of figures is. Ages are counted by the page's script from the instants in the
//! markup, and cross from ok to late to stale by the limits beside them.

use super::edition::render;
use super::model::{Desk, Ms, Source};
use super::words::Age;
use askama::Template;

/// What a source's age means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    Ok,
    Late,
    Stale,
    /// Silence is no fault of it, or it has not spoken yet.
    Quiet,
}

impl Freshness {
    const fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Quiet => "quiet",
        }
    }
}

pub(super) fn judge(source: &Source, now: Ms) -> Freshness {
    if source.broken.is_some() {
        return Freshness::Stale;
    }
    let Some(last) = source.last else {
        return if source.stale_ms.is_some() { Freshness::Stale } else { Freshness::Quiet };
    };
    let age = u64::try_from(now.saturating_sub(last)).unwrap_or_default();
    let beyond = |limit: Option<u64>| limit.is_some_and(|limit| age >= limit);
    if beyond(source.stale_ms) {
        Freshness::Stale
    } else if beyond(source.late_ms) {
        Freshness::Late
    } else if source.stale_ms.is_some() || source.late_ms.is_some() {
        Freshness::Ok
    } else {
        Freshness::Quiet
    }
}

struct Item<'a> {
    source: &'a Source,
    age: Option<Age>,
    class: &'static str,
    late: String,
    stale: String,
}

#[derive(Template)]
#[template(path = "fresh.html")]
struct Fresh<'a> {
    items: Vec<Item<'a>>,
}

pub(super) fn fresh(desk: &Desk) -> String {
    let limit = |limit: Option<u64>| limit.map_or_else(String::new, |ms| ms.to_string());
    let items = desk.sources.iter().map(|source| Item {
        source,
        age: source.last.map(Age),
        class: judge(source, desk.at).class(),
        late: limit(source.late_ms),
        stale: limit(source.stale_ms),
    });
    render(&Fresh { items: items.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_cross_from_ok_to_late_to_stale() {
        let mut source =
            Source { last: Some(0), late_ms: Some(2_000), stale_ms: Some(5_000), ..Source::default() };
        let at = |source: &Source, now| judge(source, now);
        assert_eq!(at(&source, 1_999), Freshness::Ok);
        assert_eq!(at(&source, 2_000), Freshness::Late);
        assert_eq!(at(&source, 5_000), Freshness::Stale);
        source.broken = Some("backoff".to_owned());
        assert_eq!(at(&source, 0), Freshness::Stale, "a session that is down is stale whatever it said last");
    }

    #[test]
    fn what_never_spoke_is_stale_where_it_should_speak() {
        let mut source = Source { stale_ms: Some(5_000), ..Source::default() };
        assert_eq!(judge(&source, 0), Freshness::Stale);
        source.stale_ms = None;
        assert_eq!(judge(&source, 0), Freshness::Quiet);
        source.last = Some(0);
        assert_eq!(judge(&source, 1_000_000), Freshness::Quiet, "a strategy may be silent");
    }
}
