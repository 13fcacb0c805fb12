//! What the shell does on the side: marks, instruments, cursors, the shared view, old fills, strategies' news.

use super::cell::{OmsCell, Waiter};
use super::readings::{OmsView, PriceGate, RiskReading, VenueGate};
use crate::actors::connector::ToVenue;
use crate::actors::strategy::{Hello, StrategyNews};
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::journal::Ticket;
use crate::domain::money::Amount;
use crate::domain::oms::{Actor as By, Answer, Change, Event, Mark, Phase, ReplyTo};
use crate::domain::order::CancelScope;
use crate::domain::order_types::Fill;
use crate::domain::outcome::ReadError;
use crate::supervision::Ctx;
use crate::venues::ExchangeInfo;
use actix::{AsyncContext, Handler, Message};
use std::time::Duration;

/// Pause before a venue is asked again for its instruments.
const INSTRUMENTS_RETRY: Duration = Duration::from_secs(1);
/// Callers that may wait at once; the mailbox is bounded as well, this bounds what was read from it.
const WAITING_MAX: usize = 16_384;

/// The database's word on an old fill.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Checked {
    venue: VenueId,
    fill: Fill,
    booked: Option<bool>,
}

impl OmsCell {
    pub(super) fn await_with(&mut self, waiter: Waiter) -> ReplyTo {
        self.next_reply = self.next_reply.saturating_add(1);
        let to = ReplyTo(self.next_reply);
        if self.waiting.len() >= WAITING_MAX {
            // Callers that gave up leave their place; a full house of live ones cannot grow further.
            self.waiting.retain(|_, waiter| !waiter.gave_up());
        }
        if self.waiting.len() < WAITING_MAX {
            self.waiting.insert(to, waiter);
        }
        to
    }

    /// Hands an answer to whoever waits for it.
    pub(super) fn answer(&mut self, to: ReplyTo, answer: Answer) {
        match self.waiting.remove(&to) {
            // Whoever gave up waiting reads the order instead.
            Some(Waiter::Caller(caller)) => drop(caller.send(answer)),
            Some(Waiter::Strategy(strategy, correlation)) => {
                if let Answer::Refused(refusal) = answer {
                    tracing::debug!(strategy.name = %strategy, code = refusal.code, detail = refusal.detail, "refused");
                    self.tell_one(&strategy, StrategyNews::Refused(correlation));
                }
            }
            None => {}
        }
    }

    /// Tells a strategy where it stands. Without the venue's instruments there is nothing to say yet; it asks
    /// again.
    pub(super) fn greet(&mut self, strategy: &StrategyId, greeting: u64) {
        let Some(core) = &self.core else { return };
        let instruments: Vec<_> = self.instruments.values().flatten().cloned().collect();
        if instruments.is_empty() {
            return;
        }
        let hello = Hello {
            greeting,
            orders: core.open_orders().filter(|order| order.strategy == *strategy).cloned().collect(),
            positions: core.ledger().positions().filter(|held| held.strategy == *strategy).collect(),
            instruments,
            enabled: core.enabled(strategy),
            phase: core.phase(),
        };
        self.greet_in_turn(strategy, Box::new(hello));
    }

    /// Tells a strategy; one without room is told so as soon as it has.
    pub(super) fn tell_one(&mut self, strategy: &StrategyId, news: StrategyNews) {
        let Some(port) = self.wires.strategies.get().and_then(|all| all.get(strategy)) else { return };
        if self.deaf.contains(strategy) {
            if port.tell(StrategyNews::Lost).is_err() {
                return;
            }
            self.deaf.remove(strategy);
        }
        if port.tell(news).is_err() {
            self.deaf.insert(strategy.clone());
        }
    }

    /// A strategy that has stopped for good cannot look after its orders any more: they are taken back. When the
    /// run itself ends, strategies end first, and what becomes of orders was said with the drain.
    pub(super) fn look_after_strategies(&mut self, ctx: &mut Ctx<Self>) {
        if self.core.as_ref().is_none_or(|core| core.phase() == Phase::Draining) {
            return;
        }
        let all = self.wires.strategies.get().into_iter().flatten();
        let ended: Vec<StrategyId> = all
            .filter(|(strategy, port)| !port.is_open() && !self.ended.contains(*strategy))
            .map(|(strategy, _)| strategy.clone())
            .collect();
        for strategy in ended {
            tracing::error!(
                strategy.name = %strategy, runbook = "actor_restarted",
                "the strategy has stopped for good; its orders are taken back"
            );
            let scope = CancelScope { strategy: Some(strategy.clone()), ..CancelScope::default() };
            let by =
                By { name: "plimsoll".to_owned(), reason: "the strategy has stopped for good".to_owned() };
            self.ended.insert(strategy);
            self.step(Event::CancelAll { scope, by, reply: None }, ctx);
        }
    }

    pub(super) fn note_durable(&mut self, ticket: Ticket) {
        self.durable = self.durable.max(ticket);
        self.release();
    }

    pub(super) fn note_writable(&mut self, writable: bool) {
        self.journal_writable = writable;
        self.release();
    }

    pub(super) fn ask_instruments(&mut self, venue: &VenueId) {
        let symbols = self.plan.symbols.get(venue).cloned().unwrap_or_default();
        let port = self.wires.connectors.get().and_then(|all| all.get(venue));
        let sent = port.is_some_and(|port| port.tell(ToVenue::Instruments(symbols)).is_ok());
        if !sent {
            tracing::warn!(venue.name = %venue, "the connector took no question about instruments");
        }
    }

    pub(super) fn instruments(
        &mut self,
        venue: VenueId,
        answer: Result<ExchangeInfo, ReadError>,
        ctx: &mut Ctx<Self>,
    ) {
        match answer {
            Ok(info) => {
                if let Some(core) = self.core.as_mut() {
                    core.set_instruments(&venue, info.instruments.clone());
                }
                self.instruments.insert(venue, info.instruments);
            }
            Err(error) => {
                tracing::warn!(venue.name = %venue, error = %error, "the venue's instruments are not known yet");
                ctx.run_later(INSTRUMENTS_RETRY, move |oms, _| oms.ask_instruments(&venue));
            }
        }
    }

    pub(super) fn share_cursors(&self) {
        let Some(core) = &self.core else { return };
        let ledger = core.ledger();
        let all = self.plan.symbols.iter().flat_map(|(venue, all)| all.iter().map(move |one| (venue, one)));
        let cursors = all.filter_map(|(venue, symbol)| {
            ledger.last_trade(venue, symbol).map(|trade| ((venue.clone(), symbol.clone()), trade))
        });
        self.wires.cursors.set(cursors.collect());
    }

    /// Reads the boards and tells the machine what changed.
    pub(super) fn mark(&mut self, ctx: &mut Ctx<Self>) {
        let mut events = Vec::new();
        let now = crate::clock::monotonic();
        let oldest = Duration::from_millis(self.plan.settings.risk.mark_max_age_ms);
        for (venue, symbols) in &self.plan.symbols {
            let Some(board) = self.wires.boards.get(venue) else { continue };
            for symbol in symbols {
                let top = board.of(symbol).and_then(|seen| seen.fresh_book(now, oldest));
                let mark = top.map(|top| Mark { bid: top.bid.price, ask: top.ask.price });
                self.readings.set_mark(venue, symbol, mark);
                events.push(Event::Marked { venue: venue.clone(), symbol: symbol.clone(), mark });
            }
        }
        for event in events {
            self.step(event, ctx);
        }
    }

    pub(super) fn renew_view(&mut self) {
        let Some(core) = &self.core else { return };
        let state = core.state_view();
        let view = OmsView {
            phase: state.phase,
            reason: state.reason,
            actor: state.actor,
            since: state.since,
            version: state.version,
            orders: core
                .counts()
                .into_iter()
                .map(|(state, count)| (state, usize::try_from(count).unwrap_or(usize::MAX)))
                .collect(),
            totals: self.show.totals(),
            gates: core
                .gates()
                .map(|(venue, closed)| VenueGate {
                    venue: venue.clone(),
                    open: closed.is_none(),
                    reason: closed.unwrap_or("compared").to_owned(),
                })
                .collect(),
            prices: self.prices(),
            alerts: self.show.alerts(),
            strategies: core.strategies().map(|(strategy, may)| (strategy.clone(), may)).collect(),
            open_entries: core
                .open_orders()
                .filter(|order| !order.reduce_only && !order.state.is_final())
                .count(),
            open_positions: core.ledger().positions().filter(|held| held.quantity != Amount::ZERO).count(),
            undurable: self.undurable(),
            journal_writable: self.journal_writable,
        };
        self.readings.set_view(view);
        self.share_cursors();
    }

    /// Which instruments have a price: without one, risk lets nothing through.
    fn prices(&self) -> Vec<PriceGate> {
        let all = self.plan.symbols.iter().flat_map(|(venue, all)| all.iter().map(move |one| (venue, one)));
        all.map(|(venue, symbol)| PriceGate {
            venue: venue.clone(),
            symbol: symbol.clone(),
            known: self.readings.mark(venue, symbol).is_some(),
        })
        .collect()
    }

    /// Shares how full the limits are.
    pub(super) fn renew_risk(&self) {
        let Some(core) = &self.core else { return };
        let now = self.now();
        self.readings.set_risk(RiskReading {
            limits: Some(core.limits_id().clone()),
            gauges: core.gauges(now),
            breaches: core.breaches(),
            latches: core.latches(),
            restraints: core.restraints(),
            at: Some(now.wall),
        });
    }

    /// Asks the database, off this thread.
    pub(super) fn check_fill(&mut self, venue: VenueId, fill: Fill, ctx: &mut Ctx<Self>) {
        let (readers, own) = (self.wires.readers.clone(), ctx.handle());
        actix_rt::task::spawn_blocking(move || {
            let booked = readers.fill_is_booked(&venue, &fill.symbol, &fill.trade_id);
            if let Err(error) = &booked {
                tracing::warn!(error = %error, "the database could not say whether a fill was booked");
            }
            // A cell that has ended asks again when it begins anew.
            let _ = own.tell(Checked { venue, fill, booked: booked.ok() });
        });
    }

    /// Tells a strategy what concerns it.
    pub(super) fn tell_strategies(&mut self, change: &Change) {
        let of: StrategyId = match change {
            Change::Order(order) => order.strategy.clone(),
            Change::Fill { fill, .. } => fill.strategy.clone(),
            Change::Position(position) => position.strategy.clone(),
            Change::Strategy { strategy, .. } => strategy.clone(),
            Change::Phase { .. } => {
                let all = self.wires.strategies.get().map(|all| all.keys().cloned().collect::<Vec<_>>());
                for strategy in all.unwrap_or_default() {
                    self.tell_one(&strategy, StrategyNews::Changed(change.clone()));
                }
                return;
            }
            Change::Balance(_) => return,
        };
        let listens = self.wires.strategies.get().is_some_and(|all| all.contains_key(&of));
        if listens {
            self.tell_one(&of, StrategyNews::Changed(change.clone()));
        }
    }
}

impl Handler<Checked> for OmsCell {
    type Result = ();

    fn handle(&mut self, checked: Checked, ctx: &mut Ctx<Self>) {
        let Checked { venue, fill, booked } = checked;
        self.step(Event::FillChecked { venue, fill, booked }, ctx);
    }
}
