//! The journal as the order management sees it, with the disk's two halves: what was written, and what was
//! synced. A crash keeps the synced half only.
//!
//! That is what a process kill cannot show: after `kill -9` the kernel still holds what was never synced.

use plimsoll::domain::ids::{Symbol, TradeId, VenueId};
use plimsoll::domain::journal::{Batch, Row, Seq, Snapshot};
use plimsoll::domain::ledger::BookedFill;
use plimsoll::domain::oms::Event;
use plimsoll::domain::order::{Order, OrderNumber};
use plimsoll::domain::time::WallMs;
use std::collections::{BTreeMap, VecDeque};

#[derive(Debug, Default)]
pub struct Store {
    pub rows: Vec<Row>,
    /// The latest, and the number of rows that it stands on.
    pub snapshot: Option<(usize, Snapshot)>,
    pub orders: BTreeMap<OrderNumber, Order>,
    pub fills: BTreeMap<(VenueId, Symbol, TradeId), BookedFill>,
    pub pending: VecDeque<Batch>,
    pub writable: bool,
    refusals: u64,
    told_unwritable: bool,
}

impl Store {
    pub fn new() -> Self {
        let mut store = Self { writable: true, ..Self::default() };
        store.row("genesis", "start", WallMs(0), "{}");
        store
    }

    fn row(&mut self, kind: &str, correlation: &str, at: WallMs, payload: &str) {
        let seq = Seq(u64::try_from(self.rows.len()).unwrap() + 1);
        let correlation = correlation.parse().unwrap();
        self.rows.push(Row { seq, kind: kind.to_owned(), correlation, at, payload: payload.to_owned() });
    }

    /// Syncs what is pending. Returns what is to be told and which batches became durable.
    pub fn sync(&mut self) -> (Vec<Event>, Vec<Batch>) {
        let (mut told, mut written) = (vec![], vec![]);
        if !self.writable {
            if !self.told_unwritable && !self.pending.is_empty() {
                self.told_unwritable = true;
                told.push(Event::Journal { writable: false });
            }
            let refused: Vec<_> = self.pending.iter().filter(|b| b.refusable).map(|b| b.ticket).collect();
            self.pending.retain(|batch| !batch.refusable);
            for ticket in refused {
                self.refusals += 1;
                told.push(Event::NotDurable { ticket, why: "no space".to_owned() });
            }
            return (told, written);
        }
        if self.told_unwritable {
            self.told_unwritable = false;
            told.push(Event::Journal { writable: true });
        }
        for batch in std::mem::take(&mut self.pending) {
            for row in &batch.rows {
                self.row(row.kind, row.correlation.as_str(), row.at, &row.payload);
            }
            for order in &batch.orders {
                self.orders.insert(order.number, order.clone());
            }
            for fill in &batch.fills {
                let key = (fill.venue.clone(), fill.fill.symbol.clone(), fill.fill.trade_id.clone());
                self.fills.insert(key, fill.clone());
            }
            if let Some(snapshot) = &batch.snapshot
                && snapshot.refusals_seen == self.refusals
            {
                self.snapshot = Some((self.rows.len(), snapshot.clone()));
            }
            written.push(batch);
        }
        if let Some(last) = written.last() {
            told.push(Event::Durable { ticket: last.ticket });
        }
        (told, written)
    }

    /// The unsynced half is lost; a new session of the writer begins.
    pub fn crash(&mut self) {
        self.pending.clear();
        self.refusals = 0;
        self.told_unwritable = false;
    }

    pub fn durable(&self, kind: &'static str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }
}
