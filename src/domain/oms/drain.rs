//! The end of a run: intake closed first, then working orders ended or kept, then the venue's word.
//!
//! No order is made or sent after a drain began. It ends when nothing is left, or at its deadline with the
//! names of what is; either way only after the last row is on disk, or that proved impossible.

use super::core::Oms;
use super::effect::{Effect, NoticeLevel, RefusalKind};
use super::event::{Actor, DrainHow};
use super::fact::{Fact, Shutdown};
use super::out::{Out, refusal};
use super::timers::Alarm;
use super::watch::Stage;
use crate::domain::ids::{ClientOrderId, VenueId};
use crate::domain::order::{OrderNumber, OrderState, Origin};
use crate::domain::time::Mono;
use std::collections::BTreeSet;

/// How often a drain looks whether it is complete.
const LOOK_MS: u64 = 50;
/// How long the last row may take to reach the disk.
const LAST_ROW_MS: u64 = 5_000;

/// A drain under way.
#[derive(Debug)]
pub(super) struct DrainRun {
    how: DrainHow,
    by: Actor,
    since: Mono,
    deadline: Mono,
    /// Venues whose list was read after nothing of ours was open any more.
    checked: BTreeSet<VenueId>,
    /// The list that counts was asked for no earlier than this.
    quiet_since: Option<Mono>,
    /// The ticket of the last row, when it was written, and what was left over.
    last: Option<(u64, Mono, Vec<ClientOrderId>)>,
    pub(super) done: bool,
}

impl Oms {
    pub(super) fn on_drain(&mut self, out: &mut Out, how: DrainHow, by: Actor) {
        if self.drain.is_some() {
            return;
        }
        let now = out.now.mono;
        self.drain = Some(DrainRun {
            how,
            by: by.clone(),
            since: now,
            deadline: now.plus(self.settings.knobs.drain_timeout_ms),
            checked: BTreeSet::new(),
            quiet_since: None,
            last: None,
            done: false,
        });
        for (_, waiting) in std::mem::take(&mut self.replacing) {
            out.refuse(
                waiting.reply,
                refusal("DRAINING", RefusalKind::Unavailable, format!("by={}", by.name)),
            );
        }
        let waiting = self.watch.iter().filter(|(_, watch)| watch.stage == Stage::Waiting);
        let waiting: Vec<OrderNumber> = waiting.map(|(number, _)| *number).collect();
        for number in waiting {
            // The gate says no from now on, which ends what was not sent.
            self.release(out, number);
        }
        if how == DrainHow::Cancel {
            let ours: Vec<OrderNumber> =
                self.books.open().filter(|order| order.origin == Origin::Intent).map(|o| o.number).collect();
            for number in ours {
                self.request_cancel(out, number, &by);
            }
        }
        self.timers.set(Alarm::Drain, Some(now));
    }

    /// Orders that the drain waits for.
    fn outstanding(&self, how: DrainHow) -> usize {
        let under_way =
            |number: &OrderNumber| self.watch.get(number).is_some_and(|watch| watch.stage != Stage::Settled);
        let counts = |order: &&crate::domain::order::Order| match how {
            DrainHow::Cancel => {
                let held = self.watch.get(&order.number).and_then(|watch| watch.inquiry.as_ref());
                let held = order.state == OrderState::Unknown && held.is_some_and(|inquiry| inquiry.held);
                order.origin == Origin::Intent && !held
            }
            DrainHow::Keep => under_way(&order.number),
        };
        self.books.open().filter(counts).count().saturating_add(self.books.index.unbooked.len())
    }

    pub(super) fn drain_due(&mut self, out: &mut Out) {
        let now = out.now.mono;
        let Some(drain) = self.drain.as_ref().filter(|drain| !drain.done) else { return };
        self.timers.set(Alarm::Drain, Some(now.plus(LOOK_MS)));
        let (how, deadline) = (drain.how, drain.deadline);
        if drain.last.is_some() {
            return self.drain_last(out);
        }
        let outstanding = self.outstanding(how);
        let live: BTreeSet<VenueId> =
            self.venues.iter().filter(|(_, run)| run.live).map(|(venue, _)| venue.clone()).collect();
        let Some(drain) = self.drain.as_mut() else { return };
        if outstanding > 0 {
            drain.quiet_since = None;
            drain.checked.clear();
        } else {
            drain.quiet_since.get_or_insert(now);
        }
        let checked = how == DrainHow::Keep || live.iter().all(|venue| drain.checked.contains(venue));
        let quiet = drain.quiet_since.is_some();
        if (quiet && checked) || now >= deadline {
            return self.drain_record(out);
        }
        if quiet {
            let unchecked: Vec<VenueId> =
                live.into_iter().filter(|venue| !drain.checked.contains(venue)).collect();
            for venue in unchecked {
                if self.venues.get(&venue).is_some_and(|run| run.open_check.is_none()) {
                    self.open_check_due(out, &venue);
                }
            }
        }
    }

    /// A list of open orders was read, and its orders taken in.
    pub(super) fn drain_list(&mut self, venue: &VenueId, asked: Mono) {
        if let Some(drain) = self.drain.as_mut()
            && drain.quiet_since.is_some_and(|since| asked >= since)
        {
            drain.checked.insert(venue.clone());
        }
    }

    fn drain_record(&mut self, out: &mut Out) {
        let left_over: Vec<ClientOrderId> = self
            .books
            .open()
            .filter(|order| order.origin == Origin::Intent)
            .map(|order| order.client_order_id.clone())
            .collect();
        let Some(drain) = self.drain.as_mut() else { return };
        // Its batch is the next one: rows of a step go out together, before the step ends.
        drain.last = Some((self.ticket.saturating_add(1), out.now.mono, left_over.clone()));
        let by = drain.by.clone();
        self.record(out, Fact::Shutdown(Shutdown { by, left_over }));
        out.snapshot = true;
    }

    /// Everything is said; the last row has to reach the disk.
    fn drain_last(&mut self, out: &mut Out) {
        let Some(drain) = self.drain.as_mut() else { return };
        let Some((ticket, at, left_over)) = drain.last.clone() else { return };
        let durable = self.durable >= ticket;
        if !durable && out.now.mono.since(at) < LAST_ROW_MS {
            return;
        }
        drain.done = true;
        let fields = vec![
            ("actor", drain.by.name.clone()),
            ("reason", drain.by.reason.clone()),
            ("left_over", left_over.len().to_string()),
            ("durable", durable.to_string()),
            ("took_ms", out.now.mono.since(drain.since).to_string()),
        ];
        self.timers.set(Alarm::Drain, None);
        let level = if durable && left_over.is_empty() { NoticeLevel::Info } else { NoticeLevel::Warn };
        out.notice(level, "loop_shutdown", fields);
        out.push(Effect::Drained { left_over });
    }
}
