//! One configured strategy: brings it what happens and performs what it wants.
//!
//! It promises: the strategy decides nothing before it was told its open orders and position ([`Hello`]), and
//! is built anew from such a word whenever this cell is not sure to have heard everything; what it wants goes
//! out at once or is dropped, counted, and told to it, never queued here. It hears the market data of its
//! venue and what the order component says about its own orders. When it dies it is replaced alone and asks
//! for a new greeting; when it dies too often its own supervisor ends, and nothing else with it: its open
//! orders are then the order component's to take back. It judges no risk: that is decided behind the port.

mod readings;

pub use readings::{StrategyReading, StrategyReadings};

use super::market_data::MarketUpdate;
use crate::clock;
use crate::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::ledger::Position;
use crate::domain::market::MarketEvent;
use crate::domain::money::Amount;
use crate::domain::oms::{Change, Phase};
use crate::domain::order::{Order, OrderRequest, ReplaceRequest};
use crate::domain::strategy::{Brief, Input, Intent, Make, Strategy};
use crate::domain::time::Mono;
use crate::supervision::{
    Backoff, Cell, ChildSpec, Ctx, Handle, MailboxPolicy, OnRestart, Placement, Port, Restart,
    SupervisorDecl, cell, supervisor,
};
use crate::venues::mono::MonoClock;
use actix::{Actor, AsyncContext, Handler, Message, SpawnHandle};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Timers that a strategy may have armed at once; more are not armed and counted.
const TIMERS_MAX: usize = 16;
/// Pause before an unanswered greeting is repeated.
const GREET_AGAIN: Duration = Duration::from_millis(500);
/// Failures within a minute after which the strategy stays stopped.
const RESTARTS_MAX: u32 = 5;

/// What is configured of a strategy.
#[derive(Clone)]
pub struct StrategySetup {
    /// Its name.
    pub strategy: StrategyId,
    /// Where it trades.
    pub venue: VenueId,
    /// What it trades.
    pub symbol: Symbol,
    /// Makes it.
    pub make: Arc<Make>,
}

/// What strategies ask of the order component. One that finds its port full is dropped.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub enum StrategyRequest {
    /// "Tell me where I stand." Everything asked before through the same port is answered for in the reply.
    Greet {
        /// Who.
        strategy: StrategyId,
        /// Comes back in [`Hello`].
        greeting: u64,
    },
    /// A new order. Its refusal is to be told as [`StrategyNews::Refused`]; its order as a change.
    Submit(Box<OrderRequest>),
    /// A cancel.
    Cancel {
        /// Who.
        strategy: StrategyId,
        /// Which, by the caller's id.
        order: ClientOrderId,
    },
    /// Cancel and place anew.
    Replace {
        /// Who.
        strategy: StrategyId,
        /// What.
        request: Box<ReplaceRequest>,
    },
}

/// Where a strategy stands.
#[derive(Debug, Clone)]
pub struct Hello {
    /// From [`StrategyRequest::Greet`].
    pub greeting: u64,
    /// Its orders that are not final or not fully booked, intents that are not yet durable among them.
    pub orders: Vec<Order>,
    /// Its positions.
    pub positions: Vec<Position>,
    /// The instruments that its venue offers, or at least its own.
    pub instruments: Vec<Instrument>,
    /// May it trade?
    pub enabled: bool,
    /// The order component's phase.
    pub phase: Phase,
}

/// What the order component tells a strategy: the changes of that strategy's own things, in order.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub enum StrategyNews {
    /// The answer to a greeting.
    Hello(Box<Hello>),
    /// An order, fill or position of its own changed, or the phase, or its switch. Others are ignored.
    Changed(Change),
    /// A request for an order came to nothing.
    Refused(Correlation),
    /// Words may have been lost (no room here, or the order component began anew): greet again.
    Lost,
}

/// A strategy that was told where it stands.
struct Live {
    strategy: Box<dyn Strategy>,
    enabled: bool,
    phase: Phase,
}

impl Live {
    /// `None`: it neither trades nor takes back, because others decide now (start, drain).
    const fn may_trade(&self) -> Option<bool> {
        may_trade(self.phase, self.enabled)
    }
}

const fn may_trade(phase: Phase, enabled: bool) -> Option<bool> {
    match phase {
        // What would make a position larger is refused then, one by one.
        Phase::Running | Phase::ReduceOnly => Some(enabled),
        Phase::Halted => Some(false),
        // What becomes of resting orders at a pause was said with it.
        Phase::Starting | Phase::Reconciling | Phase::Paused | Phase::Draining => None,
    }
}

/// See the module's head.
pub struct StrategyCell {
    setup: StrategySetup,
    to: Port<StrategyRequest>,
    readings: StrategyReadings,
    clock: MonoClock,
    live: Option<Live>,
    greeting: u64,
    timers: BTreeMap<u64, SpawnHandle>,
}

/// Where to send what.
#[derive(Debug, Clone)]
pub struct StrategyPorts {
    /// For [`super::market_data::Subscriber`].
    pub market: Port<MarketUpdate>,
    /// For the order component.
    pub news: Port<StrategyNews>,
}

/// Declares one strategy under a supervisor of its own, named after it, that is never restarted: a strategy
/// that fails too often ends there, alone. All strategies share one thread.
#[must_use]
pub fn declare(
    setup: StrategySetup,
    to: Port<StrategyRequest>,
    readings: StrategyReadings,
) -> (StrategyPorts, SupervisorDecl) {
    let spec = ChildSpec {
        placement: Placement::Shared("strategies".to_owned()),
        // What was queued for a dead incarnation is answered for in the greeting of the next.
        mailbox: MailboxPolicy { capacity: 4096, on_restart: OnRestart::Drop },
        backoff: Backoff::exponential(Duration::from_millis(100), Duration::from_secs(5)),
        metadata: vec![("workload".to_owned(), "strategy".to_owned())],
        ..ChildSpec::default()
    };
    let name = setup.strategy.to_string();
    let (handle, cell): (Handle<StrategyCell>, Cell<StrategyCell>) =
        cell("strategy", spec, move |ctx: &mut Ctx<StrategyCell>| {
            *readings.0.write() = StrategyReading::default();
            Ok(StrategyCell {
                setup: setup.clone(),
                to: to.clone(),
                readings: readings.clone(),
                clock: MonoClock::new(),
                live: None,
                // Greetings of different incarnations never meet.
                greeting: ctx.epoch().wrapping_shl(32),
                timers: BTreeMap::new(),
            })
        });
    let ports = StrategyPorts { market: handle.port(), news: handle.port() };
    let alone = supervisor(&name)
        .intensity(RESTARTS_MAX, Duration::from_secs(60))
        .restart(Restart::Temporary)
        .child(cell);
    (ports, alone)
}

impl Actor for StrategyCell {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.greet();
        ctx.run_interval(GREET_AGAIN, |cell, _| {
            if cell.live.is_none() {
                cell.greet();
            }
        });
    }
}

impl Handler<StrategyNews> for StrategyCell {
    type Result = ();

    fn handle(&mut self, news: StrategyNews, ctx: &mut Self::Context) {
        match news {
            StrategyNews::Hello(hello) if hello.greeting == self.greeting && self.live.is_none() => {
                self.begin(*hello, ctx);
            }
            StrategyNews::Hello(_) => {}
            StrategyNews::Changed(change) => self.changed(change, ctx),
            StrategyNews::Refused(correlation) => {
                self.readings.0.write().refused += 1;
                self.tell(&Input::Refused(correlation), ctx);
            }
            StrategyNews::Lost => {
                self.live = None;
                self.readings.0.write().greeted = false;
                self.greet();
            }
        }
    }
}

impl Handler<MarketUpdate> for StrategyCell {
    type Result = ();

    fn handle(&mut self, update: MarketUpdate, ctx: &mut Self::Context) {
        let missed = {
            let mut readings = self.readings.0.write();
            readings.market = readings.market.saturating_add(1);
            readings.market_at = Some(clock::monotonic());
            std::mem::replace(&mut readings.missed, update.missed)
        };
        let own = &self.setup.symbol;
        let input = match update.event {
            MarketEvent::Book { symbol, top } if symbol == *own => Input::Top(top),
            MarketEvent::BookLost { symbol, .. } if symbol == *own => Input::Top(None),
            // What was missed may have been the loss of the book; the next one heals it.
            _ if missed != update.missed => Input::Top(None),
            MarketEvent::Trade(trade) if trade.symbol == *own => Input::Trade(Box::new(trade)),
            _ => return,
        };
        let decides = self.live.as_ref().is_some_and(|live| live.may_trade().is_some());
        if decides {
            self.tell(&input, ctx);
        }
    }
}

impl StrategyCell {
    fn now(&self) -> Mono {
        self.clock.now()
    }

    fn greet(&mut self) {
        self.greeting = self.greeting.wrapping_add(1);
        let greeting = self.greeting;
        // A full port is tried again soon; a closed one means that the process ends.
        let _ = self.to.tell(StrategyRequest::Greet { strategy: self.setup.strategy.clone(), greeting });
    }

    /// Builds the strategy anew from where it stands.
    fn begin(&mut self, hello: Hello, ctx: &mut Ctx<Self>) {
        let StrategySetup { strategy, venue, symbol, make } = self.setup.clone();
        let Some(instrument) = hello.instruments.into_iter().find(|found| found.symbol == symbol) else {
            tracing::debug!(strategy = %strategy, symbol = %symbol, "the instrument's rules are not known yet");
            return;
        };
        let own = |position: &&Position| {
            position.venue == venue && position.symbol == symbol && position.strategy == strategy
        };
        let position = hello.positions.iter().find(own).map_or(Amount::ZERO, |position| position.quantity);
        let (enabled, phase) = (hello.enabled, hello.phase);
        let brief = Brief {
            prefix: prefix(&strategy, self.greeting),
            strategy,
            venue,
            symbol,
            instrument,
            orders: hello.orders,
            position,
            enabled: may_trade(phase, enabled) == Some(true),
        };
        let live = Live { strategy: make(&brief), enabled, phase };
        for (_, timer) in std::mem::take(&mut self.timers) {
            ctx.cancel_future(timer);
        }
        self.live = Some(live);
        self.readings.0.write().greeted = true;
        self.switch(ctx);
    }

    fn changed(&mut self, change: Change, ctx: &mut Ctx<Self>) {
        let (strategy, venue, symbol) = (&self.setup.strategy, &self.setup.venue, &self.setup.symbol);
        let input = match change {
            Change::Order(order) if order.strategy == *strategy => Input::Order(order),
            Change::Fill { fill, .. } if fill.strategy == *strategy => Input::Fill(fill),
            Change::Position(position)
                if position.strategy == *strategy
                    && position.venue == *venue
                    && position.symbol == *symbol =>
            {
                Input::Position(position.quantity)
            }
            Change::Phase { phase, .. } => return self.set(|live| live.phase = phase, ctx),
            Change::Strategy { strategy: which, enabled } if which == *strategy => {
                return self.set(|live| live.enabled = enabled, ctx);
            }
            _ => return,
        };
        self.tell(&input, ctx);
    }

    /// Changes what decides whether it may trade, and tells it when the answer changed.
    fn set(&mut self, change: impl FnOnce(&mut Live), ctx: &mut Ctx<Self>) {
        let Some(live) = &mut self.live else { return };
        let before = live.may_trade();
        change(live);
        if live.may_trade() != before {
            self.switch(ctx);
        }
    }

    fn switch(&mut self, ctx: &mut Ctx<Self>) {
        let may_trade = self.live.as_ref().and_then(Live::may_trade);
        self.readings.0.write().trading = may_trade == Some(true);
        match may_trade {
            Some(true) => self.tell(&Input::Enabled, ctx),
            Some(false) => self.tell(&Input::Disabled, ctx),
            None => {}
        }
    }

    fn tell(&mut self, input: &Input, ctx: &mut Ctx<Self>) {
        let now = self.now();
        let Some(live) = &mut self.live else { return };
        self.readings.0.write().inputs += 1;
        let wanted = live.strategy.on(now, input);
        self.readings.1.note(now, live.strategy.signal());
        for intent in wanted {
            self.perform(now, intent, ctx);
        }
    }

    fn perform(&mut self, now: Mono, intent: Intent, ctx: &mut Ctx<Self>) {
        let strategy = self.setup.strategy.clone();
        let may_trade = self.live.as_ref().and_then(Live::may_trade);
        let request = match intent {
            Intent::Timer { id, at } => return self.arm(now, id, at, ctx),
            Intent::Submit(request) => StrategyRequest::Submit(request),
            Intent::Cancel(order) => StrategyRequest::Cancel { strategy, order },
            Intent::Replace(request) => StrategyRequest::Replace { strategy, request },
        };
        let is_cancel = matches!(request, StrategyRequest::Cancel { .. });
        let correlation = match &request {
            StrategyRequest::Submit(request) => request.correlation.clone(),
            _ => None,
        };
        let allowed = may_trade == Some(true) || (is_cancel && may_trade.is_some());
        if allowed && self.to.tell(request).is_ok() {
            let mut readings = self.readings.0.write();
            if is_cancel {
                readings.cancels += 1
            } else {
                readings.submits += 1
            };
            return;
        }
        self.readings.0.write().dropped += 1;
        // It answers a refusal with nothing, by its contract; whatever it answers is not performed.
        if let (Some(live), Some(correlation)) = (&mut self.live, correlation) {
            drop(live.strategy.on(now, &Input::Refused(correlation)));
        }
    }

    fn arm(&mut self, now: Mono, id: u64, at: Mono, ctx: &mut Ctx<Self>) {
        if let Some(armed) = self.timers.remove(&id) {
            ctx.cancel_future(armed);
        }
        if self.timers.len() >= TIMERS_MAX {
            self.readings.0.write().timers_dropped += 1;
            return;
        }
        let wait = Duration::from_millis(at.since(now).max(1));
        let timer = ctx.run_later(wait, move |cell, ctx| {
            cell.timers.remove(&id);
            let decides = cell.live.as_ref().is_some_and(|live| live.may_trade().is_some());
            if decides {
                cell.tell(&Input::Timer(id), ctx);
            } else {
                // Others decide now: it comes when they are done.
                let now = cell.now();
                cell.arm(now, id, now.plus(250), ctx);
            }
        });
        self.timers.insert(id, timer);
    }
}

/// Begins the correlations of one life of a strategy; see [`Brief::prefix`].
fn prefix(strategy: &StrategyId, greeting: u64) -> String {
    let name: String = strategy.as_str().chars().take(16).collect();
    format!("{name}-{:x}-{:x}", clock::wall_millis(), greeting)
}

#[cfg(test)]
mod tests;
