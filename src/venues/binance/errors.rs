//! The venue's error codes and what each means for us: one flat table, read top to bottom.
//!
//! Promises: nothing that leaves the outcome of an order open is ever mapped to a refusal. A code that is
//! not in the table is a definite refusal when it came with HTTP 4xx, and UNKNOWN with 5xx.

use crate::domain::order_types::OtherWord;
use crate::domain::outcome::{RejectClass, Rejection, UnknownWhy, bounded};

/// What a code makes us do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The venue does not know either: an order is UNKNOWN, a read is tried again.
    Unknown,
    /// Refused for a reason that is in the text.
    Refused,
    /// Refused: malformed by us.
    Malformed,
    /// Refused before the engine, by a filter named in the text.
    Filter,
    /// Refused: key, signature or permission. Stop trading, tell somebody.
    Authentication,
    /// Too much; close the gate for as long as the venue says.
    BackOff,
    /// Too many orders.
    TooManyOrders,
    /// The clock left the window: measure it, retry once with the same client order id.
    ResyncClock,
    /// The order does not exist, as far as this query can see.
    Absent,
    /// A cancel found nothing to cancel, or may not.
    CancelRefused,
    /// The engine refused the order.
    OrderRefused,
    /// Cancel-replace failed partly or wholly.
    ReplaceFailed,
}

/// One row: an inclusive range of codes, from the number nearest to zero to the farthest.
#[derive(Debug, Clone, Copy)]
pub struct CodeRow {
    /// Nearest to zero.
    pub from: i64,
    /// Farthest from zero.
    pub to: i64,
    /// Reaction.
    pub reaction: Reaction,
    /// Meaning in our words.
    pub meaning: &'static str,
}

const fn row(from: i64, to: i64, reaction: Reaction, meaning: &'static str) -> CodeRow {
    CodeRow { from, to, reaction, meaning }
}

/// Every code that decides behaviour.
pub const CODES: &[CodeRow] = &[
    row(-1000, -1001, Reaction::Unknown, "unknown error, internal disconnect"),
    row(-1002, -1002, Reaction::Authentication, "not authorised"),
    row(-1003, -1003, Reaction::BackOff, "too much weight, or banned"),
    row(-1006, -1007, Reaction::Unknown, "unexpected bus answer, backend timeout"),
    row(-1008, -1008, Reaction::Unknown, "overloaded: query before any resubmit"),
    row(-1013, -1013, Reaction::Filter, "refused before the engine"),
    row(-1014, -1014, Reaction::Malformed, "unsupported order combination"),
    row(-1015, -1015, Reaction::TooManyOrders, "too many orders"),
    row(-1016, -1016, Reaction::Refused, "service shutting down"),
    row(-1020, -1020, Reaction::Malformed, "unsupported operation"),
    row(-1021, -1021, Reaction::ResyncClock, "timestamp outside the window"),
    row(-1022, -1022, Reaction::Authentication, "bad signature"),
    row(-1099, -1099, Reaction::Authentication, "not found, unauthenticated or unauthorised"),
    row(-1100, -1199, Reaction::Malformed, "malformed request"),
    row(-2010, -2010, Reaction::OrderRefused, "new order refused by the engine"),
    row(-2011, -2011, Reaction::CancelRefused, "cancel refused"),
    row(-2013, -2013, Reaction::Absent, "order does not exist"),
    row(-2014, -2015, Reaction::Authentication, "key format; key, address or permission"),
    row(-2021, -2022, Reaction::ReplaceFailed, "cancel-replace failed partly or wholly"),
    row(-2026, -2026, Reaction::Refused, "archived: closed without a fill over 90 days ago"),
    row(-2038, -2039, Reaction::Refused, "amend refused"),
];

/// The engine's words behind -2010 and -2011, lower case, and what they mean.
const WORDS: &[(&str, RejectClass)] = &[
    ("unknown order", RejectClass::UnknownOrder),
    ("duplicate order", RejectClass::DuplicateClientOrderId),
    ("insufficient balance", RejectClass::InsufficientBalance),
    ("immediately match and take", RejectClass::WouldTake),
    ("trigger immediately", RejectClass::WouldTrigger),
    ("market is closed", RejectClass::MarketClosed),
    ("may not place or cancel", RejectClass::NotPermitted),
    ("may not cancel", RejectClass::NotPermitted),
    ("disabled on this account", RejectClass::NotPermitted),
    ("not permitted", RejectClass::NotPermitted),
    ("cancel restrictions", RejectClass::NotPermitted),
];

/// What an error answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Definite.
    Refused(Rejection),
    /// Open.
    Unknown(UnknownWhy),
    /// The order is not visible.
    Absent(Rejection),
    /// Measure the clock and retry once.
    ResyncClock(Rejection),
    /// Nothing was done; be silent for a while.
    BackOff(Rejection),
}

/// The table's row for a code.
#[must_use]
pub fn row_of(code: i64) -> Option<&'static CodeRow> {
    CODES.iter().find(|row| (row.to..=row.from).contains(&code))
}

/// Judges an error answer by HTTP status (or the WebSocket API's `status`), code and text.
#[must_use]
pub fn judge(status: u16, code: i64, message: &str) -> Verdict {
    let rejection = |class| Rejection { code, reason: bounded(message), class };
    let reaction = row_of(code).map(|row| row.reaction);
    // A gateway's own 429 and 418 may carry any body: the status alone means that nothing was done.
    if matches!(status, 418 | 429) {
        return match reaction {
            Some(Reaction::TooManyOrders) => Verdict::BackOff(rejection(RejectClass::TooManyOrders)),
            _ => Verdict::BackOff(rejection(RejectClass::RateLimited)),
        };
    }
    if reaction == Some(Reaction::Unknown) {
        return Verdict::Unknown(UnknownWhy::VenueCode { code, reason: bounded(message) });
    }
    if status >= 500 && reaction != Some(Reaction::BackOff) {
        return Verdict::Unknown(UnknownWhy::ServerError { status });
    }
    match reaction {
        Some(Reaction::BackOff) => Verdict::BackOff(rejection(RejectClass::RateLimited)),
        Some(Reaction::ResyncClock) => Verdict::ResyncClock(rejection(RejectClass::ClockSkew)),
        Some(Reaction::Absent) => Verdict::Absent(rejection(RejectClass::UnknownOrder)),
        Some(Reaction::Malformed) => Verdict::Refused(rejection(RejectClass::Malformed)),
        Some(Reaction::Filter) => Verdict::Refused(rejection(filter_class(message))),
        Some(Reaction::Authentication) => Verdict::Refused(rejection(RejectClass::Authentication)),
        Some(Reaction::TooManyOrders) => Verdict::Refused(rejection(RejectClass::TooManyOrders)),
        Some(Reaction::ReplaceFailed) => Verdict::Refused(rejection(RejectClass::ReplaceFailed)),
        Some(Reaction::OrderRefused | Reaction::CancelRefused) => {
            Verdict::Refused(rejection(words_class(message)))
        }
        Some(Reaction::Refused | Reaction::Unknown) | None => Verdict::Refused(rejection(RejectClass::Other)),
    }
}

fn words_class(message: &str) -> RejectClass {
    let lower = message.to_ascii_lowercase();
    if let Some((_, class)) = WORDS.iter().find(|(words, _)| lower.contains(words)) {
        return class.clone();
    }
    match filter_class(message) {
        RejectClass::Filter(name) => RejectClass::Filter(name),
        _ => RejectClass::Other,
    }
}

fn filter_class(message: &str) -> RejectClass {
    match message.split_once("Filter failure:") {
        Some((_, name)) => RejectClass::Filter(OtherWord::new(name.trim())),
        None => RejectClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_do_not_overlap_and_are_in_order() {
        for pair in CODES.windows(2) {
            let [a, b] = pair else { continue };
            assert!(a.to <= a.from && b.from < a.to, "{} then {}", a.to, b.from);
        }
    }

    #[test]
    fn what_is_open_is_never_a_refusal() {
        for (status, code) in [
            (400, -1000),
            (400, -1001),
            (400, -1006),
            (400, -1007),
            (400, -1008),
            (504, -1007),
            (503, 0),
            (500, -2010),
            (502, -1013),
            (599, -99_999),
        ] {
            assert!(matches!(judge(status, code, "x"), Verdict::Unknown(_)), "{status} {code}");
        }
    }

    #[test]
    fn words_behind_a_code() {
        let class = |code, text| match judge(400, code, text) {
            Verdict::Refused(rejection) => rejection.class,
            other => panic!("{other:?}"),
        };
        assert_eq!(class(-2010, "Duplicate order sent."), RejectClass::DuplicateClientOrderId);
        assert_eq!(class(-2011, "Unknown order sent."), RejectClass::UnknownOrder);
        assert_eq!(
            class(-2010, "Account has insufficient balance for requested action."),
            RejectClass::InsufficientBalance
        );
        assert_eq!(class(-1013, "Filter failure: LOT_SIZE"), RejectClass::Filter(OtherWord::new("LOT_SIZE")));
        assert_eq!(class(-1121, "Invalid symbol."), RejectClass::Malformed);
        assert_eq!(class(-4242, "news to us"), RejectClass::Other);
    }

    #[test]
    fn silence_is_kept_when_asked_for() {
        for (status, code) in [(429, -1003), (418, -1003), (400, -1003), (503, -1003), (429, 0)] {
            assert!(matches!(judge(status, code, ""), Verdict::BackOff(_)), "{status} {code}");
        }
        assert!(matches!(judge(400, -1021, ""), Verdict::ResyncClock(_)));
        assert!(matches!(judge(400, -2013, ""), Verdict::Absent(_)));
    }
}
