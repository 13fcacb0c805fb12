//! Open alerts: what, how bad, since when, who has it, where it went, and where it goes next.

use super::edition::{Row, render};
use super::model::{Alert, Channel, Desk, Severity};
use super::words::{Age, Mark, clock_time};
use askama::Template;

#[derive(Template)]
#[template(path = "alerts.html")]
struct Head {
    open: usize,
    untaken: usize,
    critical: usize,
}

pub(super) fn head(desk: &Desk) -> String {
    let untaken = desk.alerts.iter().filter(|alert| alert.acked.is_none()).count();
    let critical = desk.alerts.iter().filter(|alert| alert.severity == Severity::Critical).count();
    render(&Head { open: desk.alerts.len(), untaken, critical })
}

#[derive(Template)]
#[template(path = "row_alert.html")]
struct AlertRow<'a> {
    alert: &'a Alert,
    age: Age,
    at: String,
    acked: Option<(&'a str, String)>,
    next: Option<String>,
}

pub(super) fn rows(desk: &Desk) -> Vec<Row> {
    let row = |alert: &Alert| {
        let template = AlertRow {
            alert,
            age: Age(alert.raised_at),
            at: clock_time(alert.raised_at, desk.at),
            acked: alert.acked.as_ref().map(|(who, at)| (who.as_str(), clock_time(*at, desk.at))),
            next: alert.next_hop.as_ref().map(|(at, whom)| format!("{whom} at {}", clock_time(*at, desk.at))),
        };
        Row::new(alert.id.clone(), &template)
    };
    desk.alerts.iter().map(row).collect()
}

struct ChannelItem<'a> {
    channel: &'a Channel,
    class: &'static str,
    mark: Mark,
    word: &'static str,
    last_ok: Option<Age>,
}

#[derive(Template)]
#[template(path = "channels.html")]
struct Channels<'a> {
    items: Option<Vec<ChannelItem<'a>>>,
}

fn channel(channel: &Channel) -> ChannelItem<'_> {
    let (class, mark, word) = match channel.good {
        Some(true) => ("ok", Mark("ok"), "delivers"),
        Some(false) => ("crit", Mark("crit"), "fails"),
        None => ("quiet", Mark("stale"), "not tried yet"),
    };
    ChannelItem { channel, class, mark, word, last_ok: channel.last_ok.map(Age) }
}

/// How the alerts leave the process.
pub(super) fn channels(desk: &Desk) -> String {
    render(&Channels { items: desk.channels.as_ref().map(|all| all.iter().map(channel).collect()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_somebody_took_stays_with_the_name_of_who_took_it() {
        let alert = Alert {
            id: "a-1".to_owned(),
            code: "venue_quotes_stale".to_owned(),
            reason: "</li><script>alert(1)</script>".to_owned(),
            acked: Some(("night <shift>".to_owned(), 5_000)),
            ..Alert::default()
        };
        let desk = Desk { alerts: vec![alert], ..Desk::default() };
        let rows = rows(&desk);
        let html = &rows.first().unwrap().html;
        assert!(html.contains("night") && html.contains("acknowledged"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<shift>"), "{html}");
        assert!(head(&desk).contains("0 not taken"), "{}", head(&desk));
    }
}
