//! What happened, youngest first: words of operators, changes of state and fills in one line of time.

use super::edition::Row;
use super::model::Desk;
use super::model_system::{Event, EventKind};
use super::words::{Mark, clock_time};
use askama::Template;

#[derive(Template)]
#[template(path = "row_event.html")]
struct EventRow<'a> {
    event: &'a Event,
    class: &'static str,
    word: &'static str,
    mark: Mark,
    at: String,
}

pub(super) fn rows(desk: &Desk) -> Vec<Row> {
    let row = |event: &Event| {
        let (class, word, mark) = match event.kind {
            EventKind::Operator => ("operator", "operator", "person"),
            EventKind::Refused => ("refused", "refused", "warn"),
            EventKind::State => ("state", "state", "info"),
            EventKind::Fill => ("fill", "fill", "fill"),
            EventKind::Alert => ("warned", "alert", "warn"),
            EventKind::Strategy => ("state", "strategy", "info"),
        };
        let at = clock_time(event.at, desk.at);
        Row::new(event.key.clone(), &EventRow { event, class, word, mark: Mark(mark), at })
    };
    desk.timeline.iter().map(row).collect()
}
