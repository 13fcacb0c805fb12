//! I9: the rows are contiguous, and say all: what is rebuilt from them, with or without a snapshot, is the
//! same, and is the state that was live when nothing was under way.

use super::{Checker, Moment, View};
use plimsoll::domain::journal::Seq;
use plimsoll::domain::oms::{Fact, Oms};

pub struct Journal;

fn replay(view: &View<'_>) -> Result<Oms, String> {
    let mut oms = Oms::new(view.settings.clone()).map_err(|error| error.to_string())?;
    for (row, seq) in view.store.rows.iter().zip(1..) {
        if row.seq != Seq(seq) {
            return Err(format!("row {seq} is numbered {}", row.seq.0));
        }
        if let Some(fact) = Fact::from_row(&row.kind, &row.payload).map_err(|error| error.to_string())? {
            oms.apply(&fact, row.at).map_err(|error| format!("row {seq}: {error}"))?;
        }
    }
    Ok(oms)
}

/// The next order number may lie ahead of the rows: numbers of refused intents are not used again.
fn without_next(text: String) -> String {
    let Some((head, rest)) = text.split_once("\"next\":") else { return text };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{head}{rest}")
}

impl Checker for Journal {
    fn name(&self) -> &'static str {
        "I9 journal"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        if !matches!(moment, Moment::Started | Moment::End) {
            return Ok(());
        }
        let text = |oms: &Oms| oms.snapshot().map(without_next).map_err(|error| error.to_string());
        let (rebuilt, live) = (text(&replay(view)?)?, text(view.oms)?);
        let Some(at) = rebuilt.bytes().zip(live.bytes()).position(|(a, b)| a != b) else { return Ok(()) };
        let around = |text: &str| text.chars().skip(at.saturating_sub(300)).take(400).collect::<String>();
        Err(format!("the rows say ..{}.., the state is ..{}..", around(&rebuilt), around(&live)))
    }
}
