//! Venues in this run: their sessions, the comparison with their lists, and the gate before each.
//!
//! A gate is open while the order session is up, the comparison after it came up is through, every order of
//! ours is confirmed, final or held, and the balances were judged. It closes with the session. The same
//! comparison of open orders is made on a timer.

use super::core::Oms;
use super::effect::{Effect, NoticeLevel};
use super::event::{OpenOrdersAtColdStart, StartHow};
use super::out::Out;
use super::timers::Alarm;
use super::watch::Stage;
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::ids::{ClientOrderId, Symbol, VenueId};
use crate::domain::order::OrderNumber;
use crate::domain::order_types::{Fill, OrderReport};
use crate::domain::outcome::ReadError;
use crate::domain::reconcile::missing_there;
use std::collections::BTreeMap;

impl Oms {
    /// A new incarnation of a connector: what the old one had under way has no answer.
    pub(super) fn on_venue_started(&mut self, out: &mut Out, venue: &VenueId, epoch: u64) {
        let Some(run) = self.venues.get_mut(venue) else { return };
        if epoch <= run.epoch {
            return;
        }
        run.epoch = epoch;
        run.audit.asked = None;
        run.open_check = None;
        if let Some(beginning) = run.beginning.as_mut() {
            beginning.restart();
        }
        self.close_gate(out, venue, "the connector starts");
        let in_flight: Vec<OrderNumber> = self
            .books
            .open()
            .filter(|order| order.venue == *venue)
            .filter(|order| self.watch.get(&order.number).is_some_and(|watch| watch.stage == Stage::InFlight))
            .map(|order| order.number)
            .collect();
        for number in in_flight {
            self.doubt(out, number, "the connector ended before the answer", false);
        }
        let lost: Vec<Symbol> = self.symbols(venue);
        for symbol in lost {
            if let Some(fetch) = self.fetches.get_mut(&(venue.clone(), symbol.clone()))
                && let Some((_, after)) = fetch.asked.take()
            {
                self.fetch(out, venue, &symbol, after);
            }
        }
    }

    pub(super) fn on_venue_live(&mut self, out: &mut Out, venue: &VenueId, live: bool) {
        let Some(run) = self.venues.get_mut(venue) else { return };
        run.live = live;
        if live {
            self.progress(out, venue);
        } else {
            self.close_gate(out, venue, "no order session");
        }
    }

    fn close_gate(&mut self, out: &mut Out, venue: &VenueId, why: &str) {
        let Some(run) = self.venues.get_mut(venue) else { return };
        let was_open = run.open;
        run.open = false;
        run.live = false;
        run.compared = false;
        run.early = None;
        run.audit.judged = false;
        run.why = why.to_owned();
        if was_open {
            let fields = vec![("venue.name", venue.to_string()), ("why", why.to_owned())];
            out.notice(NoticeLevel::Warn, "venue_gate_closed", fields);
        }
    }

    /// The comparison after a (re)connect.
    pub(super) fn on_reconciled(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        snapshot: AccountSnapshot,
        missing: &[(Symbol, ClientOrderId)],
    ) {
        let Some(run) = self.venues.get_mut(venue) else { return };
        let Some(start) = &self.start else {
            run.early = Some(Box::new(snapshot));
            return;
        };
        let refuse = start.how == StartHow::Cold(OpenOrdersAtColdStart::Refuse) && !start.done;
        if refuse && let Some(first) = snapshot.open_orders.first() {
            let count = snapshot.open_orders.len();
            let why = format!(
                "{venue} holds {count} open orders, the first is {}; say whether to cancel or to adopt them",
                first.client_order_id
            );
            return self.refuse_start(out, why);
        }
        run.compared = true;
        run.audit.judged = false;
        let before = self.last_trades(venue);
        for report in &snapshot.open_orders {
            self.on_report(out, venue, report, false);
        }
        self.ask_about_missing(out, venue, &snapshot.open_orders, None);
        for (_, id) in missing {
            if let Some(number) = self.books.by_venue(venue, id).map(|order| order.number)
                && self.books.index.open.contains(&number)
            {
                self.inquire(out, number);
            }
        }
        for fill in &snapshot.fills {
            self.on_fill(out, venue, fill, None);
        }
        self.reach_back(out, venue, &before, &snapshot.fills);
        let cold = self.start.as_ref().is_some_and(|start| start.is_cold() && !start.done);
        if cold || !self.books.begun.contains(venue) {
            self.begin_books(out, venue, &snapshot);
        }
        let fields = vec![
            ("venue.name", venue.to_string()),
            ("open_there", snapshot.open_orders.len().to_string()),
            ("open_here", self.books.index.open.len().to_string()),
            ("fills", snapshot.fills.len().to_string()),
        ];
        out.notice(NoticeLevel::Info, "reconciled", fields);
        self.progress(out, venue);
    }

    /// Our open orders that a list does not show: each is asked about by name. With `asked`, only those that
    /// gave no sign of life since the list was asked for.
    fn ask_about_missing(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        listed: &[OrderReport],
        asked: Option<crate::domain::time::Mono>,
    ) {
        let ours = self.books.open().filter(|order| order.venue == *venue);
        for number in missing_there(ours, listed) {
            let stage = self.watch.get(&number).map_or(Stage::Settled, |watch| watch.stage);
            let seen = self.watch.get(&number).and_then(|watch| watch.confirmed);
            let settled = stage == Stage::Settled;
            match asked {
                None if matches!(stage, Stage::InFlight | Stage::Settled) => {
                    if let Some(run) = self.venues.get_mut(venue) {
                        run.unconfirmed.insert(number);
                    }
                    if settled {
                        self.say_missing(out, venue, number);
                        self.inquire(out, number);
                    }
                }
                Some(asked) if settled && seen.is_none_or(|seen| seen < asked) => self.inquire(out, number),
                _ => {}
            }
        }
    }

    fn say_missing(&mut self, out: &mut Out, venue: &VenueId, number: OrderNumber) {
        let Some(id) = self.books.orders.get(&number).map(|order| order.client_order_id.clone()) else {
            return;
        };
        self.decision(out, NoticeLevel::Info, venue, &id, "asked_about");
    }

    /// The fills of a comparison may begin after a gap: what lies between the last one booked and the first
    /// of them is asked for.
    fn reach_back(&mut self, out: &mut Out, venue: &VenueId, before: &BTreeMap<Symbol, u64>, fills: &[Fill]) {
        let mut first: BTreeMap<&Symbol, u64> = BTreeMap::new();
        for fill in fills {
            if let Some(number) = fill.trade_id.number() {
                let least = first.entry(&fill.symbol).or_insert(number);
                *least = number.min(*least);
            }
        }
        for (symbol, least) in first {
            if let Some(last) = before.get(symbol).copied().filter(|last| least > last.saturating_add(1)) {
                self.fetch(out, venue, symbol, Some(last));
            }
        }
    }

    /// The last trade booked of each instrument.
    pub(super) fn last_trades(&self, venue: &VenueId) -> BTreeMap<Symbol, u64> {
        let last = |symbol: Symbol| {
            let number = self.books.ledger.last_trade(venue, &symbol)?.number()?;
            Some((symbol, number))
        };
        self.symbols(venue).into_iter().filter_map(last).collect()
    }

    /// The instruments of a venue.
    pub(super) fn symbols(&self, venue: &VenueId) -> Vec<Symbol> {
        self.instruments.keys().filter(|(at, _)| at == venue).map(|(_, symbol)| symbol.clone()).collect()
    }

    // ---- the gate

    /// Looks at every venue whose gate is closed: any event may have been the last thing missing.
    pub(super) fn progress_all(&mut self, out: &mut Out) {
        let closed = self.venues.iter().filter(|(_, run)| !run.open && run.live);
        let closed: Vec<VenueId> = closed.map(|(venue, _)| venue.clone()).collect();
        for venue in &closed {
            self.progress(out, venue);
        }
    }

    /// Looks whether a venue got further: books begun, balances judged, gate open, start complete.
    pub(super) fn progress(&mut self, out: &mut Out, venue: &VenueId) {
        if self.start.as_ref().is_none_or(|start| start.refused) {
            return;
        }
        self.progress_beginning(out, venue);
        self.progress_cold_cancel(out, venue);
        let in_doubt = self.unaccounted(venue);
        let Some(run) = self.venues.get_mut(venue) else { return };
        if run.open {
            return;
        }
        let beginning = run.beginning.as_ref().is_some_and(|beginning| !beginning.settled());
        run.why = match () {
            () if !run.live => "no order session".to_owned(),
            () if !run.compared => "STREAM_RECONCILING".to_owned(),
            () if in_doubt > 0 => format!("{in_doubt} orders are not accounted for"),
            () if beginning => "waiting for balances to hold still".to_owned(),
            () if run.beginning.is_none() && !run.audit.judged => "comparing balances".to_owned(),
            () => String::new(),
        };
        if run.why.is_empty() {
            run.ready_once = true;
            let started = self.start.as_ref().is_some_and(|start| start.done);
            if started {
                run.open = true;
                let fields = vec![("venue.name", venue.to_string())];
                out.notice(NoticeLevel::Info, "venue_gate_open", fields);
            } else {
                run.why = "waiting for the other venues".to_owned();
                self.finish_start(out);
            }
        } else if run.why == "comparing balances"
            && run.audit.asked.is_none()
            && run.audit.not_before <= out.now.mono
        {
            self.ask_balances(out, venue);
        }
    }

    /// Orders at a venue that are neither confirmed since the comparison, nor final, nor held.
    fn unaccounted(&mut self, venue: &VenueId) -> usize {
        let Some(run) = self.venues.get_mut(venue) else { return 0 };
        // From the front only: each is looked at once, however often this is asked.
        while let Some(first) = run.unconfirmed.first().copied() {
            if self.books.index.open.contains(&first) {
                break;
            }
            run.unconfirmed.remove(&first);
        }
        run.unconfirmed.len()
    }

    // ---- the list of open orders, on a timer

    pub(super) fn open_check_due(&mut self, out: &mut Out, venue: &VenueId) {
        let (now, knobs) = (out.now.mono, &self.settings.knobs);
        self.timers.set(Alarm::OpenCheck(venue.clone()), Some(now.plus(knobs.open_check_interval_ms.max(1))));
        let Some(run) = self.venues.get_mut(venue) else { return };
        let waiting = run.open_check.is_some_and(|asked| now.since(asked) < knobs.fetch_timeout_ms);
        if run.live && !waiting {
            run.open_check = Some(now);
            out.push(Effect::FetchOpenOrders(venue.clone()));
        }
    }

    pub(super) fn on_open_orders(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        answer: Result<Vec<OrderReport>, ReadError>,
    ) {
        let Some(run) = self.venues.get_mut(venue) else { return };
        let Some(asked) = run.open_check.take() else { return };
        let Ok(listed) = answer else { return };
        for report in &listed {
            self.on_report(out, venue, report, false);
        }
        self.ask_about_missing(out, venue, &listed, Some(asked));
        self.cold_list(venue, listed.is_empty());
        self.drain_list(venue, asked);
        self.progress(out, venue);
    }

    /// One line per decision of a comparison.
    pub(super) fn decision(
        &mut self,
        out: &mut Out,
        level: NoticeLevel,
        venue: &VenueId,
        id: &ClientOrderId,
        what: &'static str,
    ) {
        let fields = vec![
            ("venue.name", venue.to_string()),
            ("order.id", id.to_string()),
            ("decision", what.to_owned()),
        ];
        out.notice(level, "reconcile_decision", fields);
    }
}
