//! The order management itself: one event in, effects out.
//!
//! It promises I1 to I5 and I8 of the invariants: nothing is sent that was not reported durable, no order is
//! sent twice without proof of absence and then under the same id, every fill is booked once, an order is
//! final or under watch, and a halt stops every sending until it is lifted. It owns no clock, no socket and
//! no disk: the shell tells it what happened and does what it asks, in order.
//!
//! This file holds the state, the dispatch and the way from a fact to the journal; the decisions stand in
//! the files beside it.

use super::books::{ApplyError, Books, Keep};
use super::effect::{Answer, Change, Effect, NoticeLevel};
use super::event::{Actor, Event};
use super::fact::Fact;
use super::out::{Draft, Out};
use super::phase::Phase;
use super::settings::Settings;
use super::snapshot::{self, SnapshotError};
use super::start::{DrainRun, StartRun};
use super::timers::{Alarm, Timers};
use super::watch::{Fetch, Marked, Replacement, Shelf, VenueRun, Watch};
use crate::domain::ids::{Correlation, IdError, StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::journal::{NewRow, Ticket};
use crate::domain::order::OrderNumber;
use crate::domain::risk::{Risk, Verdict};
use crate::domain::time::{Mono, WallMs};
use std::collections::BTreeMap;

/// Most alarms that one tick works off; the next tick goes on.
const ALARMS_PER_TICK: usize = 2_000;

/// The instant of a step, on both clocks. The first decides, the second explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Monotonic.
    pub mono: Mono,
    /// Wall clock.
    pub wall: WallMs,
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The tag leaves no room for the number, or holds characters that venues refuse.
    #[error("the journal's tag {tag:?} cannot begin an order id: {why}")]
    Tag {
        /// The tag.
        tag: String,
        /// What is wrong.
        why: IdError,
    },
    /// A name that this component needs cannot be made.
    #[error(transparent)]
    Name(#[from] IdError),
}

/// Why a state cannot be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It belongs to another journal.
    #[error("the snapshot belongs to the journal {found:?}, not to {expected:?}")]
    Tag {
        /// In the snapshot.
        found: String,
        /// In the settings.
        expected: String,
    },
}

/// See the module's head.
#[derive(Debug)]
pub struct Oms {
    pub(super) settings: Settings,
    pub(super) books: Books,
    /// What rows belong to that belong to no order.
    pub(super) own: Correlation,
    pub(super) external: StrategyId,
    pub(super) phase: Phase,
    pub(super) phase_by: Actor,
    pub(super) phase_since: WallMs,
    /// The kill switch is engaged: by whom, as far as this run was told.
    pub(super) latched: Option<Actor>,
    /// The judge of the truth has fallen silent. Nothing new is taken or sent; cancels and queries go on.
    pub(super) lapsed: bool,
    pub(super) ticket: u64,
    pub(super) durable: u64,
    pub(super) refusals: u64,
    pub(super) facts: u64,
    pub(super) writable: bool,
    pub(super) waiting: BTreeMap<Ticket, Draft>,
    pub(super) writing: usize,
    pub(super) watch: BTreeMap<OrderNumber, Watch>,
    pub(super) venues: BTreeMap<VenueId, VenueRun>,
    pub(super) instruments: BTreeMap<(VenueId, Symbol), Instrument>,
    pub(super) timers: Timers,
    pub(super) marks: BTreeMap<(VenueId, Symbol), Marked>,
    pub(super) fetches: BTreeMap<(VenueId, Symbol), Fetch>,
    pub(super) shelf: Shelf,
    pub(super) replacing: BTreeMap<OrderNumber, Replacement>,
    pub(super) alerts: BTreeMap<(&'static str, String), Alert>,
    pub(super) start: Option<StartRun>,
    pub(super) drain: Option<DrainRun>,
    pub(super) denials: (Mono, u32, u64),
    pub(super) risk: Risk,
}

/// An alert that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// In a sentence.
    pub reason: String,
    /// Since when (wall clock).
    pub raised_at: WallMs,
}

impl Oms {
    /// An order management with empty books.
    ///
    /// # Errors
    /// [`SettingsError`] when the journal's tag cannot begin an order id.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let keep = keep(&settings);
        let books = Books::new(settings.tag.clone(), keep);
        Self::with(settings, books)
    }

    /// An order management with the books of a snapshot. Rows after it are to be given to [`Self::apply`].
    ///
    /// # Errors
    /// [`RestoreError`] when the snapshot cannot be used.
    pub fn restore(settings: Settings, snapshot: &str) -> Result<Self, RestoreError> {
        let books = snapshot::read(snapshot, keep(&settings))?;
        if books.tag != settings.tag {
            return Err(RestoreError::Tag { found: books.tag, expected: settings.tag });
        }
        Ok(Self::with(settings, books)?)
    }

    fn with(settings: Settings, books: Books) -> Result<Self, SettingsError> {
        super::intake::venue_order_id(&settings.tag, OrderNumber(1))
            .map_err(|why| SettingsError::Tag { tag: settings.tag.clone(), why })?;
        let mut instruments = BTreeMap::new();
        let mut venues = BTreeMap::new();
        for venue in &settings.venues {
            venues.insert(venue.id.clone(), VenueRun::new());
            for instrument in &venue.instruments {
                instruments.insert((venue.id.clone(), instrument.symbol.clone()), instrument.clone());
            }
        }
        Ok(Self {
            own: Correlation::new("oms")?,
            external: StrategyId::new("external")?,
            books,
            phase: Phase::Starting,
            phase_by: own_actor("not started"),
            phase_since: WallMs::default(),
            latched: None,
            lapsed: false,
            ticket: 0,
            durable: 0,
            refusals: 0,
            facts: 0,
            writable: true,
            waiting: BTreeMap::new(),
            writing: 0,
            watch: BTreeMap::new(),
            venues,
            instruments,
            timers: Timers::default(),
            marks: BTreeMap::new(),
            fetches: BTreeMap::new(),
            shelf: Shelf::default(),
            replacing: BTreeMap::new(),
            alerts: BTreeMap::new(),
            start: None,
            drain: None,
            denials: (Mono(0), 0, 0),
            risk: Risk::new(settings.risk.clone()),
            settings,
        })
    }

    /// Applies a row that was read back. Only before the first [`Self::step`].
    ///
    /// # Errors
    /// [`ApplyError`] when the fact does not fit the books: the journal has a hole or is damaged.
    pub fn apply(&mut self, fact: &Fact, at: WallMs) -> Result<(), ApplyError> {
        self.books.apply(fact, at)?;
        // Counted towards the next snapshot like those of this session: a process that is killed again and again
        // before it has written enough of its own would otherwise replay more with every start, for ever.
        self.facts = self.facts.saturating_add(1);
        Ok(())
    }

    /// The durable state as one text.
    ///
    /// # Errors
    /// Only where a value cannot be written as JSON, which none is.
    pub fn snapshot(&self) -> Result<String, SnapshotError> {
        snapshot::write(&self.books)
    }

    /// Takes the rules of a venue's instruments, as just fetched.
    pub fn set_instruments(&mut self, venue: &VenueId, instruments: Vec<Instrument>) {
        for instrument in instruments {
            self.risk.instrument(venue, &instrument);
            self.instruments.insert((venue.clone(), instrument.symbol.clone()), instrument);
        }
    }

    /// One event in, effects out. Rows to be written come first.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let mut out = Out::new(now);
        self.dispatch(&mut out, event);
        self.progress_all(&mut out);
        self.settle_phase(&mut out);
        self.flatten(&mut out);
        self.finish(out)
    }

    fn dispatch(&mut self, out: &mut Out, event: Event) {
        match event {
            Event::Start { how, by } => self.on_start(out, how, by),
            Event::Submit { request, reply } => self.on_submit(out, request, reply),
            Event::Cancel { order, by, reply } => self.on_cancel(out, &order, by, reply),
            Event::CancelAll { scope, by, reply } => self.on_cancel_all(out, &scope, &by, reply),
            Event::Replace { request, by, reply } => self.on_replace(out, request, by, reply),
            Event::Resolve { order, resolution, by, reply } => {
                self.on_resolve(out, &order, resolution, &by, reply);
            }
            Event::SwitchStrategy { strategy, enabled, by, reply } => {
                self.on_switch(out, strategy, enabled, by, reply);
            }
            Event::Halt { by } => self.halt(out, by),
            Event::Killed { by } => self.on_killed(out, by),
            Event::LatchCleared { reply } => self.on_latch_cleared(out, reply),
            Event::Steer { steering, reply } => self.on_steer(out, steering, reply),
            Event::Drain { how, by } => self.on_drain(out, how, by),
            Event::Durable { ticket } => self.on_durable(out, ticket),
            Event::NotDurable { ticket, why } => self.on_not_durable(out, ticket, &why),
            Event::Journal { writable } => self.writable = writable,
            Event::Lease { held } => self.lapsed = !held,
            Event::VenueStarted { venue, epoch } => self.on_venue_started(out, &venue, epoch),
            Event::VenueLive { venue, live } => self.on_venue_live(out, &venue, live),
            Event::Reconciled { venue, snapshot, missing } => {
                self.on_reconciled(out, &venue, snapshot, &missing);
            }
            Event::Report { venue, report } => self.on_report(out, &venue, &report, true),
            Event::Placed { venue, order, outcome } => self.on_placed(out, &venue, &order, outcome),
            Event::CancelAnswered { venue, order, outcome } => {
                self.on_cancel_answered(out, &venue, &order, outcome);
            }
            Event::Looked { venue, order, answer } => self.on_looked(out, &venue, &order, answer),
            Event::OpenOrders { venue, answer } => self.on_open_orders(out, &venue, answer),
            Event::Fills { venue, symbol, answer } => self.on_fills(out, &venue, &symbol, answer),
            Event::BalancesAsked { venue } => self.balances_asked(out, &venue),
            Event::Balances { venue, answer } => self.on_balances(out, &venue, answer),
            Event::BalanceMoved { venue, asset, delta } => self.on_balance_moved(out, venue, asset, delta),
            Event::FillChecked { venue, fill, booked } => self.on_fill_checked(out, &venue, fill, booked),
            Event::Busted { venue, fill } => self.on_busted(out, &venue, fill),
            Event::Marked { venue, symbol, mark } => {
                self.risk.mark(out.now.mono, &venue, &symbol, mark);
                match mark {
                    Some(mark) => self.marks.insert((venue, symbol), (mark, out.now.mono)),
                    None => self.marks.remove(&(venue, symbol)),
                };
            }
            Event::Noted { note, event } => {
                out.note = Some(*note);
                return self.dispatch(out, *event);
            }
            Event::Explain { proposal, reply } => {
                let explained = Answer::Explained(Box::new(self.explain(out.now, &proposal)));
                out.reply(reply, explained);
            }
            Event::ReEnable { strategy, by, reply } => self.on_re_enable(out, strategy, by, reply),
            Event::Restrain { strategy, stream, factor, by, reply } => {
                self.on_restrain(out, strategy, stream, factor, by, reply);
            }
            Event::Release { strategy, stream, by, reply } => {
                self.on_release(out, strategy, stream, by, reply);
            }
            Event::Grant { over, reply } => self.on_grant(out, over, reply),
            Event::Tick => self.watch_risk(out),
        }
        self.alarms(out);
    }

    fn alarms(&mut self, out: &mut Out) {
        for _ in 0..ALARMS_PER_TICK {
            let Some(alarm) = self.timers.due(out.now.mono) else { return };
            match alarm {
                Alarm::Order(number) => self.order_due(out, number),
                Alarm::Queries(venue) => self.pump_queries(out, &venue),
                Alarm::OpenCheck(venue) => self.open_check_due(out, &venue),
                Alarm::Balances(venue) => self.balances_due(out, &venue),
                Alarm::Fetch(venue, symbol) => self.fetch_due(out, &venue, &symbol),
                Alarm::Drain => self.drain_due(out),
            }
        }
    }

    // ---- from a fact to the journal

    /// Decides a fact: it changes the books now and goes to the journal with this step. `false` when it does
    /// not fit, which is said out loud and halts: the books would no longer be the truth.
    pub(super) fn record(&mut self, out: &mut Out, fact: Fact) -> bool {
        let at = out.now.wall;
        let touched = match self.books.apply(&fact, at) {
            Ok(touched) => touched,
            Err(error) => {
                let fields = vec![("fact.kind", fact.kind().to_owned()), ("error", error.to_string())];
                out.notice(NoticeLevel::Error, "books_refused", fields);
                let already = matches!(
                    error,
                    ApplyError::Ledger(crate::domain::ledger::LedgerError::AlreadyBooked { .. })
                );
                if !already && self.books.halted.is_none() {
                    self.halt(out, own_actor(&format!("a fact did not fit the books: {error}")));
                }
                return false;
            }
        };
        let order = touched.order.and_then(|number| self.books.orders.get(&number));
        if let Some(order) = order {
            self.risk.order(order);
        }
        for position in &touched.positions {
            self.risk.position(position);
        }
        if let (Fact::Fill(_), Some(fill)) = (&fact, &touched.fill) {
            self.risk.filled(out.now, fill);
        }
        let correlation = match (&fact, order) {
            (Fact::Fill(fill) | Fact::Bust(fill), _) => fill.booked.correlation.clone(),
            (_, Some(order)) => order.correlation.clone(),
            _ => self.own.clone(),
        };
        let Ok(payload) = fact.payload() else { return false };
        // A decision stands beside its intent: neither is durable without the other.
        let approved =
            matches!(&fact, Fact::Decision(record) if matches!(record.verdict, Verdict::Approved { .. }));
        let decided = order.and_then(|order| order.decision_price);
        let intent = matches!(fact, Fact::Intent(_)) || approved;
        let draft = if intent { &mut out.intents } else { &mut out.evidence };
        draft.rows.push(NewRow { kind: fact.kind(), correlation, at, payload });
        draft.orders.extend(touched.order);
        for position in touched.positions {
            draft.positions.push(position.clone());
            out.effects.push(Effect::Publish(Change::Position(Box::new(position))));
        }
        if let Some(fill) = touched.fill {
            draft.fills.push(fill.clone());
            out.effects.push(Effect::Publish(Change::Fill { fill: Box::new(fill), decided }));
        }
        self.facts = self.facts.saturating_add(1);
        true
    }

    /// Raises an alert, once while it stands.
    pub(super) fn raise(&mut self, out: &mut Out, code: &'static str, scope: String, reason: String) {
        let key = (code, scope.clone());
        if self.alerts.contains_key(&key) {
            return;
        }
        self.alerts.insert(key, Alert { reason: reason.clone(), raised_at: out.now.wall });
        out.push(Effect::Raise { code, scope, reason });
    }

    /// Clears an alert that stands.
    pub(super) fn clear(&mut self, out: &mut Out, code: &'static str, scope: String) {
        if self.alerts.remove(&(code, scope.clone())).is_some() {
            out.push(Effect::Clear { code, scope });
        }
    }
}

/// This program, as the one who acts.
pub(super) fn own_actor(reason: &str) -> Actor {
    Actor { name: "plimsoll".to_owned(), reason: reason.to_owned() }
}

fn keep(settings: &Settings) -> Keep {
    let limits = &settings.limits;
    Keep { count: limits.closed_orders, for_ms: limits.closed_for_ms, max: limits.closed_orders_max }
}
