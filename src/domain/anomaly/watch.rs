//! Every anomaly of every venue, and the verdicts that stand while one is open.

use super::flow::{Flow, Mismatch};
use super::rate::{Limits, Open, Rate, Side};
use crate::domain::health::{
    HealthSettings, Key, Locality, Severity, Stage, Status, Table, TreeWord, Verdict, Verdicts,
};
use crate::domain::ids::VenueId;
use crate::domain::time::Mono;
use std::collections::BTreeMap;

/// The alert of a feed that thins out; the runbook's name as well.
const COLLAPSE: &str = "quote_rate_collapse";
/// The alert of a session that is lost again and again; the runbook's name as well.
const STORM: &str = "reconnect_storm";
/// The alert of a flow that does not add up; the runbook's name as well.
const MISMATCH: &str = "flow_mismatch";

/// What counts as unusual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnomalySettings {
    /// Are they looked for?
    pub enabled: bool,
    /// Length of an interval of quotes, milliseconds.
    pub interval_ms: u64,
    /// Intervals before anything is said.
    pub history_min: usize,
    /// Intervals that make a baseline.
    pub history_max: usize,
    /// Alarms of one kind and scope in an hour.
    pub per_hour: usize,
}

impl Default for AnomalySettings {
    fn default() -> Self {
        Self { enabled: true, interval_ms: 10_000, history_min: 12, history_max: 180, per_hour: 6 }
    }
}

#[derive(Debug, Clone)]
struct One {
    quotes: Rate,
    reconnects: Rate,
    flow: Flow,
}

/// See the module's head. Bounded by the configured venues.
#[derive(Debug, Clone, Default)]
pub struct Anomalies {
    settings: AnomalySettings,
    venues: BTreeMap<VenueId, One>,
}

impl Anomalies {
    /// With these settings and no history.
    #[must_use]
    pub const fn new(settings: AnomalySettings) -> Self {
        Self { settings, venues: BTreeMap::new() }
    }

    /// Looks at one table and says what is unusual. `verdicts` are those of the hard rules, which come first.
    pub fn step(&mut self, table: &Table, health: &HealthSettings, verdicts: &Verdicts) -> Vec<Verdict> {
        if !self.settings.enabled || table.tree != TreeWord::Up {
            return Vec::new();
        }
        let (now, settings) = (table.at, self.settings);
        let mut said = Vec::new();
        for venue in &table.venues {
            let one = self.venues.entry(venue.venue.clone()).or_insert_with(|| One::new(settings));
            let Some(session) = &venue.market else { continue };
            let id = &venue.venue;
            let all_open = venue
                .feeds
                .iter()
                .all(|feed| health.feed(id, &feed.symbol).hours.open_since(table.wall, settings.interval_ms));
            let ruled = hard_rule(verdicts, id);
            let received = session.stage(Stage::Received).map_or(0, |fact| fact.count);
            if ruled {
                one.quotes.yield_to_rule();
            } else if all_open {
                one.quotes.step(now, received);
            } else {
                one.quotes.skip();
            }
            one.reconnects.step(now, session.reconnects);
            one.flow.step(now, session, settings.per_hour);
            said.extend(one.quotes.open().map(|open| rate(now, COLLAPSE, id, "quotes", open)));
            said.extend(one.reconnects.open().map(|open| rate(now, STORM, id, "market", open)));
            said.extend(one.flow.open().map(|found| flow(id, found)));
        }
        said
    }
}

impl One {
    fn new(settings: AnomalySettings) -> Self {
        let AnomalySettings { interval_ms, history_min, history_max, per_hour, .. } = settings;
        let quotes = Limits {
            side: Side::Few,
            interval_ms,
            sigmas: 6.0,
            share: 0.2,
            least: 10.0,
            in_a_row: 2,
            kept_max: history_max,
            history_min,
            per_hour,
        };
        let reconnects = Limits {
            side: Side::Many,
            // A storm is counted over longer than a quote.
            interval_ms: interval_ms.saturating_mul(6),
            sigmas: 6.0,
            share: 3.0,
            least: 4.0,
            in_a_row: 1,
            // A session that is never lost has a baseline of nothing, which one interval shows as well as many.
            history_min: 1,
            ..quotes
        };
        Self { quotes: Rate::new(quotes), reconnects: Rate::new(reconnects), flow: Flow::default() }
    }
}

/// Does a hard rule speak of this venue's feed already?
fn hard_rule(verdicts: &Verdicts, venue: &VenueId) -> bool {
    let of_venue = |key: &Key| key.scope.split('/').next() == Some(venue.as_str());
    let codes = ["venue_ingest_disconnected", "venue_quotes_stale", "venue_publish_stale"];
    verdicts.alerts().any(|(key, _)| codes.contains(&key.code) && of_venue(key))
}

fn rate(now: Mono, code: &'static str, venue: &VenueId, what: &str, open: &Open) -> Verdict {
    let (median, sigma) = (open.spread.median, open.spread.sigma);
    let reason = format!(
        "{:.1} in an interval; usual are {median:.1} (width {sigma:.1}), the threshold is {:.1}",
        open.observed, open.threshold
    );
    let age = Some(now.since(open.since));
    Verdict::bad(format!("anomaly/{venue}/{what}"), Status::Degraded, Severity::Warning, reason)
        .aged(age)
        .at(Locality::Local)
        .citing("baseline", format!("{median:.1} +- {sigma:.1}"), None)
        .citing("observed", format!("{:.1}", open.observed), age)
        .citing("threshold", format!("{:.1}", open.threshold), None)
        .raising(code, format!("{venue}/{what}"))
}

fn flow(venue: &VenueId, found: &Mismatch) -> Verdict {
    let Mismatch { of, went_in, came_out, dropped } = *found;
    let stage = if of == Stage::Decoded { "decoded" } else { "consumed" };
    let reason =
        format!("{went_in} went in, {came_out} were {stage}, {dropped} were dropped: the rest is missing");
    Verdict::bad(format!("anomaly/{venue}/flow"), Status::Degraded, Severity::Warning, reason)
        .at(Locality::Pipeline)
        .citing("baseline", "in = out + dropped".to_owned(), None)
        .citing("observed", format!("{went_in} = {came_out} + {dropped}"), None)
        .citing("threshold", "what may wait between the two".to_owned(), None)
        .raising(MISMATCH, format!("{venue}/market"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::{judge, samples};

    /// A minute and more of tables, each with so many more frames than the one before.
    fn run(anomalies: &mut Anomalies, table: &mut Table, frames: &[u64]) -> Vec<Vec<&'static str>> {
        let health = HealthSettings::default();
        let each = |more: &u64| {
            table.at = table.at.plus(10_000);
            let session = table.venues[0].market.as_mut().unwrap();
            for fact in &mut session.stages {
                fact.count += more;
            }
            let verdicts = judge(table, &health, samples::NOW);
            let said = anomalies.step(table, &health, &verdicts);
            said.iter().filter_map(|verdict| verdict.alert.as_ref().map(|key| key.code)).collect()
        };
        frames.iter().map(each).collect()
    }

    #[test]
    fn a_feed_that_thins_out_is_a_warning_with_its_figures() {
        let (mut anomalies, mut table) = (Anomalies::new(AnomalySettings::default()), samples::healthy());
        assert!(run(&mut anomalies, &mut table, &[500; 20]).iter().all(Vec::is_empty));
        assert_eq!(run(&mut anomalies, &mut table, &[20, 20]), [vec![], vec!["quote_rate_collapse"]]);
        let health = HealthSettings::default();
        let said = anomalies.step(&table, &health, &Verdicts::default());
        let facts: Vec<&str> = said[0].evidence.iter().map(|cite| cite.fact).collect();
        assert_eq!((facts, said[0].severity), (vec!["baseline", "observed", "threshold"], Severity::Warning));
        assert_eq!(said[0].alert, Some(Key::new("quote_rate_collapse", "paper/quotes")));
    }

    #[test]
    fn a_hard_rule_speaks_for_both() {
        let (mut anomalies, mut table) = (Anomalies::new(AnomalySettings::default()), samples::healthy());
        run(&mut anomalies, &mut table, &[500; 20]);
        for feed in &mut table.venues[0].feeds {
            (feed.heard, feed.last_data) = (Some(Mono(1)), Some(Mono(1)));
        }
        assert!(run(&mut anomalies, &mut table, &[0; 10]).iter().all(Vec::is_empty));
    }

    #[test]
    fn a_storm_of_the_market_session_is_seen() {
        let (mut anomalies, mut table) = (Anomalies::new(AnomalySettings::default()), samples::healthy());
        run(&mut anomalies, &mut table, &[500; 20]);
        let mut found = Vec::new();
        for _ in 0..12 {
            table.venues[0].market.as_mut().unwrap().reconnects += 1;
            found.extend(run(&mut anomalies, &mut table, &[500]).concat());
        }
        assert!(found.contains(&"reconnect_storm"), "{found:?}");
        assert_eq!(found.iter().filter(|code| **code != "reconnect_storm").count(), 0);
    }
}
