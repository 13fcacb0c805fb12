//! The strip that never scrolls away: whose screen it is and what is at stake.

use super::edition::render;
use super::model::Desk;
use super::words::Mark;
use askama::Template;

/// A skew of a venue's clock from which on requests are near refusal, milliseconds.
const SKEW_LATE_MS: u64 = 500;

#[derive(Template)]
#[template(path = "strip.html")]
struct Strip<'a> {
    desk: &'a Desk,
    venues: String,
    skew: String,
    skew_class: &'static str,
    stake_mark: Mark,
    hash: &'a str,
}

pub(super) fn strip(desk: &Desk) -> String {
    let who = &desk.identity;
    let skews: Vec<String> = who
        .skews
        .iter()
        .map(|(venue, skew)| match skew {
            Some(ms) => format!("{venue} {ms:+} ms"),
            None => format!("{venue} not measured"),
        })
        .collect();
    let late = who.skews.iter().any(|(_, skew)| skew.is_none_or(|ms| ms.unsigned_abs() >= SKEW_LATE_MS));
    let hash = who.config_hash.get(..12).unwrap_or(&who.config_hash);
    render(&Strip {
        desk,
        venues: who.venues.join(", "),
        skew: skews.join(", "),
        skew_class: if late { "warn" } else { "" },
        stake_mark: Mark(who.stake.class()),
        hash,
    })
}
