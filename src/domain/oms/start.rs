//! Start: cold and warm. Both compare with every venue first; neither takes an order before that.
//!
//! A warm start goes on with the books as the journal left them: orders without a word from the venue are in
//! doubt and asked about. A cold start makes the same comparison, and then closes the books: positions and
//! balances begin anew, a halt is lifted, and who did it stands in the journal.

use super::core::Oms;
use super::effect::{Effect, NoticeLevel};
use super::event::{Actor, OpenOrdersAtColdStart, StartHow};
use super::fact::{ColdStart, Fact, Moved, WarmStart};
use super::out::Out;
use super::timers::Alarm;
use super::watch::{Chase, Stage, Watch};
use crate::domain::ids::VenueId;
use crate::domain::order::{OrderNumber, OrderState};
use std::collections::BTreeSet;

pub(super) use super::beginning::Beginning;
pub(super) use super::drain::DrainRun;

/// A start under way or done.
#[derive(Debug)]
pub(super) struct StartRun {
    pub(super) how: StartHow,
    pub(super) by: Actor,
    pub(super) done: bool,
    pub(super) refused: bool,
    /// Venues that showed an empty list after everything was cancelled.
    pub(super) cleared: BTreeSet<VenueId>,
}

impl StartRun {
    pub(super) fn is_cold(&self) -> bool {
        matches!(self.how, StartHow::Cold(_))
    }

    fn cancels(&self) -> bool {
        self.how == StartHow::Cold(OpenOrdersAtColdStart::Cancel) && !self.done
    }
}

impl Oms {
    pub(super) fn on_start(&mut self, out: &mut Out, how: StartHow, by: Actor) {
        if self.start.as_ref().is_some_and(|start| !start.refused) {
            return;
        }
        self.start = Some(StartRun { how, by, done: false, refused: false, cleared: BTreeSet::new() });
        let open = self.books.index.open.len();
        if how == StartHow::Cold(OpenOrdersAtColdStart::Refuse) && open > 0 {
            let why = format!("the journal holds {open} open orders; say whether to cancel or to adopt them");
            return self.refuse_start(out, why);
        }
        self.renew_risk();
        self.take_up(out);
        let venues: Vec<VenueId> = self.venues.keys().cloned().collect();
        for venue in venues {
            let early = self.venues.get_mut(&venue).and_then(|run| run.early.take());
            if let Some(snapshot) = early {
                self.on_reconciled(out, &venue, *snapshot, &[]);
            }
        }
        if self.venues.is_empty() {
            self.finish_start(out);
        }
    }

    /// Puts every order of the books under watch. What the journal does not say to be at the venue may be
    /// there or not: it is in doubt.
    fn take_up(&mut self, out: &mut Out) {
        let now = out.now.mono;
        let open: Vec<OrderNumber> = self.books.index.open.iter().copied().collect();
        for number in open {
            self.watch.insert(number, Watch::new(Stage::Settled, now));
            let Some(order) = self.books.orders.get(&number) else { continue };
            let (venue, id) = (order.venue.clone(), order.client_order_id.clone());
            if matches!(
                order.state,
                OrderState::PendingSubmit | OrderState::Submitted | OrderState::PendingCancel
            ) {
                let moved = Moved {
                    order: number,
                    state: OrderState::Unknown,
                    executed: order.executed,
                    venue_order_id: None,
                    reason: Some(format!("{} when the last run ended", order.state.word())),
                    sent: true,
                };
                self.record(out, Fact::Moved(moved));
            }
            match self.venues.get_mut(&venue) {
                Some(run) => {
                    run.unconfirmed.insert(number);
                }
                None => {
                    let reason = format!("{id} is open at {venue}, which is not configured any more");
                    self.raise(out, "order_outcome_unknown", format!("{venue}/{id}"), reason);
                }
            }
        }
        let unbooked: Vec<OrderNumber> = self.books.index.unbooked.iter().copied().collect();
        for number in unbooked {
            let watch = self.watch.entry(number).or_insert_with(|| Watch::new(Stage::Settled, now));
            watch.chase = Some(Chase { tries: 0, next: now.plus(self.settings.knobs.fill_grace_ms) });
            self.arm(number);
        }
    }

    pub(super) fn refuse_start(&mut self, out: &mut Out, why: String) {
        if let Some(start) = self.start.as_mut().filter(|start| !start.done) {
            start.refused = true;
            out.notice(NoticeLevel::Error, "start_refused", vec![("why", why.clone())]);
            out.push(Effect::StartRefused { why });
        }
    }

    /// A cold start that cancels: everything open at a compared venue, until its list is empty.
    pub(super) fn progress_cold_cancel(&mut self, out: &mut Out, venue: &VenueId) {
        let Some(start) =
            self.start.as_ref().filter(|start| start.cancels() && !start.cleared.contains(venue))
        else {
            return;
        };
        let by = start.by.clone();
        if !self.venues.get(venue).is_some_and(|run| run.live && run.compared) {
            return;
        }
        let at_venue = |order: &&crate::domain::order::Order| order.venue == *venue;
        let open: Vec<(OrderNumber, bool)> =
            self.books.open().filter(at_venue).map(|order| (order.number, order.cancel_requested)).collect();
        for (number, asked) in &open {
            if !asked {
                self.request_cancel(out, *number, &by);
            }
        }
        let asked = self.venues.get(venue).is_some_and(|run| run.open_check.is_some());
        if open.is_empty() && !asked {
            self.open_check_due(out, venue);
        }
    }

    /// A list of open orders came while a cold start cancels.
    pub(super) fn cold_list(&mut self, venue: &VenueId, empty: bool) {
        let none_here = !self.books.open().any(|order| order.venue == *venue);
        if let Some(start) = self.start.as_mut().filter(|start| start.cancels())
            && empty
            && none_here
        {
            start.cleared.insert(venue.clone());
        }
    }

    /// Completes the start when every venue is ready.
    pub(super) fn finish_start(&mut self, out: &mut Out) {
        let Some(start) = self.start.as_ref().filter(|start| !start.done && !start.refused) else { return };
        let (how, by, cold) = (start.how, start.by.clone(), start.is_cold());
        let cancels = start.cancels();
        let cleared = start.cleared.clone();
        let venues: Vec<VenueId> = self.venues.keys().cloned().collect();
        for venue in &venues {
            let ready = self.venues.get(venue).is_some_and(|run| run.ready_once);
            if !ready || (cancels && !cleared.contains(venue)) {
                return;
            }
        }
        if cold {
            let unsettled: Vec<VenueId> =
                venues.iter().filter(|venue| !self.beginning_holds(venue)).cloned().collect();
            for venue in &unsettled {
                if let Some(run) = self.venues.get_mut(venue) {
                    run.ready_once = false;
                }
                self.progress_beginning(out, venue);
            }
            if !unsettled.is_empty() {
                return;
            }
            let kept: Vec<OrderNumber> = self.books.index.open.iter().copied().collect();
            if !kept.is_empty() && how != StartHow::Cold(OpenOrdersAtColdStart::Adopt) {
                let why = format!("{} orders are open; say whether to cancel or to adopt them", kept.len());
                return self.refuse_start(out, why);
            }
            self.begin_cold(out, &venues, by, kept);
        } else {
            let open = u64::try_from(self.books.index.open.len()).unwrap_or(u64::MAX);
            self.record(out, Fact::WarmStart(WarmStart { by: by.clone(), open }));
            self.tell_positions(out);
            let fields = vec![
                ("actor", by.name),
                ("reason", by.reason),
                ("open_orders", open.to_string()),
                ("positions", self.books.ledger.positions().count().to_string()),
            ];
            out.notice(NoticeLevel::Info, "warm_start", fields);
        }
        if let Some(start) = self.start.as_mut() {
            start.done = true;
        }
        self.take_back_after_kill(out);
        self.note_limits(out);
        let (now, knobs) = (out.now.mono, self.settings.knobs.clone());
        for venue in &venues {
            self.timers
                .no_later(Alarm::OpenCheck(venue.clone()), now.plus(knobs.open_check_interval_ms.max(1)));
            let balances = now.plus(knobs.position_check_interval_ms.max(1));
            self.timers.set(Alarm::Balances(venue.clone()), Some(balances));
        }
        for venue in &venues {
            self.progress(out, venue);
        }
    }

    fn begin_cold(&mut self, out: &mut Out, venues: &[VenueId], by: Actor, kept: Vec<OrderNumber>) {
        let lifted = self.books.halted.as_ref().map(|halt| halt.by.clone());
        let count = kept.len();
        self.record(out, Fact::ColdStart(ColdStart { by: by.clone(), kept, lifted: lifted.clone() }));
        self.renew_risk();
        let orders = &self.books.orders;
        self.watch.retain(|number, _| orders.contains_key(number));
        for venue in venues {
            self.record_baseline(out, venue);
            if let Some(run) = self.venues.get_mut(venue) {
                run.audit.diverged = None;
            }
        }
        // The desk stays halted until the shell says that it is lifted.
        if self.latched.is_some() {
            out.push(Effect::LiftLatch(by.clone()));
        }
        let standing: Vec<(&'static str, String)> =
            self.alerts.keys().filter(|(code, _)| *code != "order_outcome_unknown").cloned().collect();
        for (code, scope) in standing {
            self.clear(out, code, scope);
        }
        let mut fields = vec![("actor", by.name), ("reason", by.reason), ("kept_orders", count.to_string())];
        if let Some(lifted) = lifted {
            fields.push(("lifted_halt", lifted.reason));
        }
        out.notice(NoticeLevel::Warn, "cold_start", fields);
    }

    /// One line and one message per position.
    fn tell_positions(&self, out: &mut Out) {
        for position in self.books.ledger.positions() {
            let fields = vec![
                ("venue.name", position.venue.to_string()),
                ("symbol", position.symbol.to_string()),
                ("strategy", position.strategy.to_string()),
                ("quantity", position.quantity.to_string()),
                ("realised_pnl", position.realised_pnl.to_string()),
            ];
            out.notice(NoticeLevel::Info, "position_snapshot", fields);
            out.push(Effect::Publish(super::effect::Change::Position(Box::new(position))));
        }
    }
}
