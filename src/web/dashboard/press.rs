//! The latest edition of the page, made at most once a second for all pages together, and what changed since the ones
//! before.
//!
//! A change of state or of the kill switch makes an edition at once. Pages that missed no more than a few editions get
//! the changes; others get everything. Whoever asks while an edition is being made waits for that one.

use super::books::Books;
use super::chronicle::Chronicle;
use super::gather::{self, Gathered};
use super::trends::Trends;
use super::view::{Edition, change};
use crate::clock;
use crate::web::events::event;
use crate::web::state::WebState;
use actix_web::web::Bytes;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long an edition serves.
const SERVES_FOR: Duration = Duration::from_secs(1);
/// Changes that are kept for pages that are behind.
const CHANGES_KEPT: usize = 8;

/// What must not wait for the next second: the state's version and the switch.
type Urgent = (u64, u64, bool);

#[derive(Default)]
struct Slot {
    made: Option<(Instant, Urgent)>,
    edition: Arc<Edition>,
    /// By the edition that each leads to.
    changes: VecDeque<(u64, Bytes)>,
    full: Option<Bytes>,
    books: Books,
    sampled_at: i64,
}

/// See the module's head.
#[derive(Default)]
pub(in crate::web) struct Press {
    slot: Mutex<Slot>,
    /// For the charts.
    pub(super) trends: Trends,
    /// For the line of time.
    pub(super) chronicle: Chronicle,
}

/// What a page gets that has seen an edition.
pub(super) enum Word {
    /// Nothing is new.
    None,
    /// The bytes to send, and the edition that the page then shows.
    Bytes(Bytes, u64),
}

fn urgent(state: &WebState) -> Urgent {
    let version = state.readings.oms.view().version;
    let switch = state.parts.kill.as_ref().map(|kill| kill.view());
    switch.map_or((version, 0, false), |switch| (version, switch.generation, switch.engaged))
}

impl Press {
    /// The latest edition, made anew when it is old.
    pub(super) async fn current(&self, state: &WebState) -> Arc<Edition> {
        let mut slot = self.slot.lock().await;
        self.renew(&mut slot, state).await;
        Arc::clone(&slot.edition)
    }

    /// Everything, for a page that has seen nothing.
    pub(super) async fn full(&self, state: &WebState) -> (Bytes, u64) {
        let mut slot = self.slot.lock().await;
        self.renew(&mut slot, state).await;
        (self.whole(&mut slot), slot.edition.number)
    }

    /// What is new to a page that shows edition `seen`.
    pub(super) async fn after(&self, state: &WebState, seen: u64) -> Word {
        let mut slot = self.slot.lock().await;
        self.renew(&mut slot, state).await;
        let number = slot.edition.number;
        if number == seen {
            return Word::None;
        }
        let since: Vec<Bytes> =
            slot.changes.iter().filter(|(to, _)| *to > seen).map(|(_, bytes)| bytes.clone()).collect();
        let missed = number.saturating_sub(seen);
        match since.as_slice() {
            [one] if missed == 1 => Word::Bytes(one.clone(), number),
            several if u64::try_from(several.len()).is_ok_and(|count| count == missed) => {
                Word::Bytes(several.concat().into(), number)
            }
            _ => Word::Bytes(self.whole(&mut slot), number),
        }
    }

    fn whole(&self, slot: &mut Slot) -> Bytes {
        if let Some(full) = &slot.full {
            return full.clone();
        }
        let mut everything = change(None, &slot.edition);
        put(&mut everything, "trend", self.trends.show());
        let bytes = Bytes::from(event("full", None, &everything));
        slot.full = Some(bytes.clone());
        bytes
    }

    async fn renew(&self, slot: &mut Slot, state: &WebState) {
        let (now, urgent) = (clock::monotonic(), urgent(state));
        let is_fresh = slot
            .made
            .is_some_and(|(made, known)| known == urgent && now.saturating_duration_since(made) < SERVES_FOR);
        if is_fresh {
            return;
        }
        let Gathered { desk, books, equity } = gather::desk(state, std::mem::take(&mut slot.books)).await;
        self.trends.set_equity(desk.at, equity);
        let next = Edition::of(slot.edition.number.saturating_add(1), &desk);
        let mut changed = change(Some(&slot.edition), &next);
        if let Some(sample) = self.trends.last().filter(|sample| sample.at > slot.sampled_at) {
            slot.sampled_at = sample.at;
            put(&mut changed, "sample", sample.show());
        }
        if slot.changes.len() >= CHANGES_KEPT {
            slot.changes.pop_front();
        }
        slot.changes.push_back((next.number, event("change", None, &changed).into()));
        slot.edition = Arc::new(next);
        slot.books = books;
        slot.full = None;
        slot.made = Some((now, urgent));
    }
}

fn put(value: &mut Value, name: &str, member: Value) {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
}
