//! How old each source of figures is: sessions, comparisons, strategies, the journal, the risk reading.

use super::books::Books;
use super::view::{Ms, Source, clock_time};
use crate::clock;
use crate::domain::connection::State as Session;
use crate::domain::evidence::EvidenceView;
use crate::domain::time::{Mono, WallMs};
use crate::web::state::WebState;
use std::time::{Duration, Instant};

/// The journal proves itself every two seconds.
const JOURNAL_LATE: Duration = Duration::from_secs(5);
/// As readiness has it.
const JOURNAL_STALE: Duration = Duration::from_secs(10);
/// Risk is read once a second.
const RISK_LATE: Duration = Duration::from_secs(3);
const RISK_STALE: Duration = Duration::from_secs(10);
/// The alert router looks at its clock all the time.
const ALERTING_LATE: Duration = Duration::from_secs(5);
const ALERTING_STALE: Duration = Duration::from_secs(10);

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The wall-clock time of an instant of a session's own clock.
fn wall(then: Option<Mono>, now: Mono, at: Ms) -> Option<Ms> {
    then.and_then(|then| Ms::try_from(now.since(then)).ok()).map(|age| at.saturating_sub(age))
}

fn wall_of(instant: Instant, at: Ms) -> Ms {
    let age = clock::monotonic().saturating_duration_since(instant);
    at.saturating_sub(Ms::try_from(age.as_millis()).unwrap_or(Ms::MAX))
}

fn broken(evidence: &EvidenceView) -> Option<String> {
    (!matches!(evidence.state, Session::Live | Session::Stale)).then(|| evidence.state.name().to_owned())
}

/// All sources, in the order of the row.
pub(super) fn all(state: &WebState, books: &Books, at: Ms) -> Vec<Source> {
    let mut sources = Vec::new();
    let stale = ms(state.price_age_max);
    for (venue, readings) in &state.readings.market {
        let seen = readings.latest();
        sources.push(Source {
            id: format!("market/{venue}"),
            label: format!("market {venue}"),
            last: seen.as_ref().and_then(|seen| wall(seen.market.last_data, seen.now, at)),
            late_ms: Some(stale / 2),
            stale_ms: Some(stale),
            broken: seen.as_ref().and_then(|seen| broken(&seen.market)),
            note: seen.map_or_else(String::new, |seen| {
                feeds(seen.feeds.iter().map(|feed| (feed.symbol.as_str(), feed.book_in_step)))
            }),
        });
    }
    for (venue, readings) in &state.readings.orders {
        let seen = readings.latest();
        // An account in which nothing happens says nothing: only the session itself can be broken.
        sources.push(Source {
            id: format!("orders/{venue}"),
            label: format!("orders {venue}"),
            last: seen.as_ref().and_then(|seen| wall(seen.orders.last_data, seen.now, at)),
            late_ms: None,
            stale_ms: None,
            broken: seen.map_or_else(|| Some("not connected yet".to_owned()), |seen| broken(&seen.orders)),
            note: String::new(),
        });
    }
    if state.parts.oms.is_none() {
        return sources;
    }
    let every = ms(state.compared_every);
    sources.push(Source {
        id: "reconcile".to_owned(),
        label: "compared".to_owned(),
        last: books.last_compared(),
        late_ms: Some(every.saturating_mul(3)),
        stale_ms: Some(every.saturating_mul(6)),
        ..Source::default()
    });
    sources.push(Source {
        id: "decision".to_owned(),
        label: "last order".to_owned(),
        last: books.last_order(),
        ..Source::default()
    });
    sources.push(alerting(state, at));
    let journal = state.readings.journal.latest();
    sources.push(Source {
        id: "journal".to_owned(),
        label: "journal".to_owned(),
        last: journal.last_write.map(|instant| wall_of(instant, at)),
        late_ms: Some(ms(JOURNAL_LATE)),
        stale_ms: Some(ms(JOURNAL_STALE)),
        broken: journal.failure.clone(),
        note: String::new(),
    });
    sources.push(Source {
        id: "risk".to_owned(),
        label: "risk".to_owned(),
        last: state.readings.oms.risk().at.map(|WallMs(at)| at),
        late_ms: Some(ms(RISK_LATE)),
        stale_ms: Some(ms(RISK_STALE)),
        ..Source::default()
    });
    sources
}

/// The way that alerts take: as old as its last judgement.
fn alerting(state: &WebState, at: Ms) -> Source {
    let reading = state.readings.alerting.latest();
    let failing = reading.channels.iter().filter(|channel| channel.reading.failures > 0).count();
    let delivered = reading.channels.iter().filter_map(|channel| channel.reading.last_ok).max();
    let note = match (failing, delivered) {
        (0, None) => String::new(),
        (0, Some(then)) => format!("delivered {}", clock_time(then.0, at)),
        (failing, _) => format!("{failing} channels fail"),
    };
    Source {
        id: "alerts".to_owned(),
        label: "alerting".to_owned(),
        last: reading.judged_at.map(|instant| wall_of(instant, at)),
        late_ms: Some(ms(ALERTING_LATE)),
        stale_ms: Some(ms(ALERTING_STALE)),
        broken: (!reading.ready).then(|| "not ready".to_owned()),
        note,
    }
}

/// Which books are out of step, of these: symbol, and whether it is in step.
fn feeds<'a>(feeds: impl ExactSizeIterator<Item = (&'a str, bool)>) -> String {
    let all = feeds.len();
    let lost: Vec<&str> = feeds.filter(|(_, in_step)| !in_step).map(|(symbol, _)| symbol).collect();
    match lost.as_slice() {
        [] => String::new(),
        [one] => format!("{one} out of step"),
        many => format!("{} of {all} books out of step", many.len()),
    }
}
