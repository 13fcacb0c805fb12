//! The order management's shell: translates mail into events, steps the pure machine, performs its effects.
//!
//! It owns the machine, the session with the journal and the callers that wait. It promises I1 to I4 and I8 as
//! far as the machine does, because it adds no decision: batches go to the journal in order, and orders to the
//! connector only when the machine says so. Everybody sends to it: the web, strategies, connectors, the
//! journal. When it dies its mailbox is kept, its callers learn that their request was lost in hand, and the
//! next incarnation rebuilds the state from the journal and compares with the venues before it takes orders.
//! An incarnation that hangs ends the process: a zombie with orders in hand must not wake up beside its heir.

use super::load::{self, Loaded, NotLoaded};
use super::readings::{OmsReadings, Stamped, TOLD_TOGETHER_MAX};
use super::wiring::{OmsPlan, Wires};
use crate::actors::connector::ToVenue;
use crate::actors::journal::Append;
use crate::actors::run_control::Word;
use crate::actors::strategy::{Hello, StrategyNews};
use crate::domain::ids::{Correlation, StrategyId, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::journal::{Batch, Ticket};
use crate::domain::kill_switch::Cause;
use crate::domain::oms::{Answer, Change, Effect, Event, Now, Oms, ReplyTo, StartHow};
use crate::domain::outcome::{Denial, Outcome, ReadError};
use crate::domain::time::{Mono, WallMs};
use crate::supervision::Ctx;
use actix::fut::ActorFutureExt;
use actix::{Actor, ActorContext, AsyncContext, Handler, Message, WrapFuture};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often time passes for the machine.
const TICK: Duration = Duration::from_millis(20);
/// How often marks are read from the boards.
const MARKS_INTERVAL: Duration = Duration::from_millis(100);
/// How often the shared view is renewed.
const VIEW_INTERVAL: Duration = Duration::from_millis(50);
/// How often the limits' fill is shared.
const RISK_INTERVAL: Duration = Duration::from_millis(500);
/// Rows that are handed to the journal at the latest. Fewer serve small crowds and cost large ones more groups.
const OUTBOX_ROWS: usize = 256;

/// Who waits for an answer.
pub(super) enum Waiter {
    /// A caller of the handle.
    Caller(oneshot::Sender<Answer>),
    /// A strategy, which wants to know of refusals only.
    Strategy(StrategyId, Correlation),
}

/// What is told once it is on disk.
pub(super) enum Held {
    /// To everybody.
    Change(Change),
    /// To one strategy, behind the changes that came before.
    Hello(StrategyId, Box<Hello>),
}

impl Waiter {
    pub(super) fn gave_up(&self) -> bool {
        matches!(self, Self::Caller(caller) if caller.is_closed())
    }
}

/// See the module's head.
pub struct OmsCell {
    pub(super) plan: OmsPlan,
    pub(super) wires: Wires,
    pub(super) readings: OmsReadings,
    pub(super) core: Option<Oms>,
    pub(super) instruments: BTreeMap<VenueId, Vec<Instrument>>,
    /// Strategies that had no room for a word.
    pub(super) deaf: BTreeSet<StrategyId>,
    /// Strategies that have stopped for good, and whose orders were taken back.
    pub(super) ended: BTreeSet<StrategyId>,
    pub(super) session: u64,
    origin: Instant,
    outbox: Vec<Batch>,
    outbox_rows: usize,
    flush_wanted: bool,
    /// Words that wait for their batch.
    held: VecDeque<(Ticket, Held)>,
    pub(super) durable: Ticket,
    /// The last batch that the machine made.
    handed: Ticket,
    pub(super) journal_writable: bool,
    pub(super) waiting: BTreeMap<ReplyTo, Waiter>,
    pub(super) next_reply: u64,
    next_change: u64,
    /// Published in this step, and not told to listeners yet.
    untold: Vec<Arc<Stamped>>,
    /// Answers of this step, not handed out yet.
    unanswered: Vec<(ReplyTo, Answer)>,
    /// Does the lease on the truth hold, as the machine was last told?
    pub(super) leased: Option<bool>,
    /// Venue mail that came back because a connector was full or gone.
    bounced: VecDeque<Event>,
    pub(super) show: super::show::Show,
}

/// Hands what has gathered to the journal; follows everything that was in the mailbox before it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Flush;

impl OmsCell {
    pub(super) fn new(plan: OmsPlan, wires: Wires, readings: OmsReadings) -> Self {
        Self {
            plan,
            wires,
            readings,
            core: None,
            instruments: BTreeMap::new(),
            deaf: BTreeSet::new(),
            ended: BTreeSet::new(),
            session: 0,
            origin: crate::clock::monotonic(),
            outbox: Vec::new(),
            outbox_rows: 0,
            flush_wanted: false,
            held: VecDeque::new(),
            durable: Ticket::default(),
            handed: Ticket::default(),
            journal_writable: true,
            waiting: BTreeMap::new(),
            next_reply: 0,
            next_change: 0,
            untold: Vec::new(),
            unanswered: Vec::new(),
            leased: None,
            bounced: VecDeque::new(),
            show: super::show::Show::default(),
        }
    }

    /// Batches that are not known to be on disk.
    pub(super) fn undurable(&self) -> usize {
        usize::try_from(self.handed.0.saturating_sub(self.durable.0)).unwrap_or(usize::MAX)
    }

    /// Is it the word of this incarnation's journal session?
    pub(super) fn is_session(&self, session: u64) -> bool {
        self.core.is_some() && session == self.session
    }

    pub(super) fn now(&self) -> Now {
        let since = crate::clock::monotonic().saturating_duration_since(self.origin);
        Now {
            mono: Mono(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            wall: WallMs(crate::clock::wall_millis()),
        }
    }

    /// The state is loaded: begin.
    fn begin(&mut self, loaded: Loaded, ctx: &mut Ctx<Self>) {
        self.session = loaded.session;
        self.core = Some(loaded.core);
        self.share_cursors();
        let first = ctx.epoch() == 1;
        let how = if first { self.plan.how } else { StartHow::Warm };
        self.look_at_latch(ctx);
        self.look_at_lease(ctx);
        self.step(Event::Start { how, by: self.plan.by.clone() }, ctx);
        self.renew_view();
        ctx.run_interval(TICK, |oms, ctx| {
            oms.look_at_lease(ctx);
            oms.step(Event::Tick, ctx);
        });
        ctx.run_interval(MARKS_INTERVAL, |oms, ctx| oms.mark(ctx));
        self.renew_risk();
        ctx.run_interval(RISK_INTERVAL, |oms, _| oms.renew_risk());
        ctx.run_interval(VIEW_INTERVAL, |oms, ctx| {
            oms.look_after_strategies(ctx);
            oms.renew_view();
        });
    }

    pub(super) fn step(&mut self, event: Event, ctx: &mut Ctx<Self>) {
        self.bounced.push_back(event);
        // A full connector answers at once, in the same breath; each such answer ends in a final or a timed state.
        while let Some(event) = self.bounced.pop_front() {
            let now = self.now();
            let Some(core) = self.core.as_mut() else {
                self.refuse_standing(event);
                continue;
            };
            let effects = core.step(now, event);
            self.perform(effects, ctx);
        }
        self.tell_all();
    }

    fn perform(&mut self, effects: Vec<Effect>, ctx: &mut Ctx<Self>) {
        let mut written_in = None;
        for effect in effects {
            match effect {
                Effect::Persist(batch) => {
                    written_in = Some(batch.ticket);
                    self.show.batch(&batch);
                    self.persist(batch, ctx);
                }
                Effect::Submit(venue, order) => {
                    let id = order.get().client_order_id.clone();
                    self.send(&venue, ToVenue::Place(order), |venue, denial| Event::Placed {
                        venue,
                        order: id,
                        outcome: Outcome::DeniedHere(denial),
                    });
                }
                Effect::Cancel(venue, cancel) => {
                    let id = cancel.client_order_id.clone();
                    self.send(&venue, ToVenue::Cancel(cancel), |venue, denial| Event::CancelAnswered {
                        venue,
                        order: id,
                        outcome: Outcome::DeniedHere(denial),
                    });
                }
                Effect::Query(venue, symbol, id) => {
                    let order = id.clone();
                    self.send(&venue, ToVenue::Query(symbol, id), |venue, denial| Event::Looked {
                        venue,
                        order,
                        answer: Err(ReadError::Denied(denial)),
                    });
                }
                Effect::FetchOpenOrders(venue) => {
                    self.send(&venue, ToVenue::OpenOrders(None), |venue, denial| Event::OpenOrders {
                        venue,
                        answer: Err(ReadError::Denied(denial)),
                    });
                }
                Effect::FetchFills(venue, symbol, after) => {
                    let of = symbol.clone();
                    self.send(&venue, ToVenue::FillsSince(symbol, after), |venue, denial| Event::Fills {
                        venue,
                        symbol: of,
                        answer: Err(ReadError::Denied(denial)),
                    });
                }
                Effect::FetchBalances(venue) => {
                    self.send(&venue, ToVenue::Balances, |venue, denial| Event::Balances {
                        venue,
                        answer: Err(ReadError::Denied(denial)),
                    });
                }
                Effect::CheckFill(venue, fill) => self.check_fill(venue, fill, ctx),
                Effect::Reply(to, answer) => self.unanswered.push((to, answer)),
                Effect::Publish(change) => {
                    // Behind its own batch, and behind every word that already waits.
                    let behind = written_in.or(self.held.back().map(|(ticket, _)| *ticket));
                    match behind {
                        Some(ticket) if self.journal_writable && ticket > self.durable => {
                            self.held.push_back((ticket, Held::Change(change)));
                        }
                        _ => self.publish(change),
                    }
                }
                Effect::Notice(notice) => super::show::tell(&notice),
                Effect::Raise { code, scope, reason } => self.show.raise(code, scope, reason),
                Effect::Clear { code, scope } => self.show.clear(code, &scope),
                Effect::Drained { left_over } => {
                    self.flush(ctx);
                    self.say(Word::Drained { left_over });
                }
                Effect::EngageLatch { reason } => self.engage_latch(Cause::RiskBreach, &reason),
                Effect::LiftLatch(by) => self.lift_latch(&by),
                Effect::StartRefused { why } => self.say(Word::StartRefused(why)),
            }
        }
    }

    fn say(&self, word: Word) {
        if !self.wires.run.say(word) {
            tracing::error!("the process did not take a word of the order management");
        }
    }

    /// Hands a request to a venue's connector; one that takes none answers at once.
    fn send(&mut self, venue: &VenueId, request: ToVenue, bounced: impl FnOnce(VenueId, Denial) -> Event) {
        let port = self.wires.connectors.get().and_then(|all| all.get(venue));
        let sent = port.is_some_and(|port| port.tell(request).is_ok());
        if !sent {
            self.bounced.push_back(bounced(venue.clone(), Denial::NotConnected { state: "no connector" }));
        }
    }

    fn persist(&mut self, batch: Batch, ctx: &mut Ctx<Self>) {
        self.outbox_rows = self.outbox_rows.saturating_add(batch.rows.len());
        self.handed = batch.ticket;
        self.outbox.push(batch);
        // What arrived together is handed over together: the flush stands behind the mail that waits now.
        let queued = self.flush_wanted || ctx.handle().tell(Flush).is_ok();
        self.flush_wanted = queued;
        if !queued || self.outbox_rows >= OUTBOX_ROWS {
            self.flush(ctx);
        }
    }

    fn flush(&mut self, ctx: &mut Ctx<Self>) {
        self.outbox_rows = 0;
        let batches = std::mem::take(&mut self.outbox);
        if batches.is_empty() {
            return;
        }
        let append = Append { session: self.session, batches, done: ctx.handle().port() };
        if self.wires.journal.tell(append).is_err() {
            // The journal is gone or overrun: what happened is no longer being written down. Ending this
            // incarnation loses nothing that was promised, and the next one begins from what is on disk.
            tracing::error!(
                runbook = "journal_writer_stalled",
                "the journal does not take rows; starting over"
            );
            ctx.stop();
        }
    }

    /// Tells a change as soon as this step is over, together with those before it.
    fn publish(&mut self, change: Change) {
        self.show.change(&change, &self.readings);
        // Whoever steers reads the state right after its answer.
        if matches!(change, Change::Phase { .. }) {
            self.renew_view();
        }
        self.tell_strategies(&change);
        self.next_change = self.next_change.saturating_add(1);
        let stamped = Stamped { id: self.next_change, at: WallMs(crate::clock::wall_millis()), change };
        self.untold.push(Arc::new(stamped));
        if self.untold.len() >= TOLD_TOGETHER_MAX {
            self.tell_all();
        }
    }

    /// Tells listeners what was published and callers what was answered. Every way out of a step ends here: each of
    /// them is woken once for all of it, and after the orders of the step are on their way to the connector.
    fn tell_all(&mut self) {
        if !self.untold.is_empty() {
            self.readings.publish(std::mem::take(&mut self.untold));
        }
        for (to, answer) in std::mem::take(&mut self.unanswered) {
            self.answer(to, answer);
        }
    }

    /// Publishes what is on disk by now. The step that follows tells it.
    pub(super) fn release(&mut self) {
        let is_due = |held: &(Ticket, Held), durable: Ticket, writable: bool| !writable || held.0 <= durable;
        while self.held.front().is_some_and(|held| is_due(held, self.durable, self.journal_writable)) {
            match self.held.pop_front() {
                Some((_, Held::Change(change))) => self.publish(change),
                Some((_, Held::Hello(strategy, hello))) => {
                    self.tell_one(&strategy, StrategyNews::Hello(hello));
                }
                None => {}
            }
        }
    }

    /// A strategy's standing is told in its turn: changes that it contains already must not come after it.
    pub(super) fn greet_in_turn(&mut self, strategy: &StrategyId, hello: Box<Hello>) {
        match self.held.back() {
            Some((ticket, _)) => self.held.push_back((*ticket, Held::Hello(strategy.clone(), hello))),
            None => self.tell_one(strategy, StrategyNews::Hello(hello)),
        }
    }
}

impl Actor for OmsCell {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let loading = load::load(self.wires.journal.clone(), self.plan.clone()).into_actor(self);
        ctx.wait(loading.map(|loaded, oms, ctx| match loaded {
            Ok(loaded) => oms.begin(loaded, ctx),
            Err(NotLoaded::Corrupt(why)) => oms.stand_still(why),
            Err(NotLoaded::Unreadable(why)) => {
                tracing::error!(why, runbook = "journal_writer_stalled", "the orders' state cannot be read");
                ctx.stop();
            }
        }));
    }
}

impl Handler<Flush> for OmsCell {
    type Result = ();

    fn handle(&mut self, _: Flush, ctx: &mut Ctx<Self>) {
        self.flush_wanted = false;
        self.flush(ctx);
    }
}
