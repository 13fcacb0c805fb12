//! The connector: owns one venue's order session and speaks with it for everybody else.
//!
//! It promises: each [`ToVenue`] is answered by exactly one [`FromVenue::Placed`] or [`FromVenue::Cancelled`] (or its read's answer)
//! while this incarnation lives; order events are handed on in order and never dropped here: when the
//! receiver is full, nothing more is read from the session until it has room, and the session's own bound
//! then leads to a new comparison. The order component sends to it. When it dies, every request without an
//! answer is UNKNOWN: the receiver learns it from [`FromVenue::Started`] with a new epoch, and from the
//! comparison that precedes the next order. It decides nothing about orders.

pub use super::venue_readings::VenueReadings;
use crate::domain::ids::{ClientOrderId, Symbol, TradeId, VenueId};
use crate::domain::losses::LossCause;
use crate::domain::money::Amount;
use crate::domain::order_types::{Balance, CancelOrder, Fill, NewOrder, OrderReport};
use crate::domain::outcome::{Denial, Outcome, ReadError};
use crate::domain::risk::Approved;
use crate::supervision::{Cell as Declared, ChildSpec, Ctx, Handle, Placement, Port, StartFailure, cell};
use crate::venues::{ExchangeInfo, Lookup, OrderEvent, Venue};
use actix::{Actor, ActorContext, AsyncContext, Handler, Message};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Requests under way at once; beyond it they are denied here.
const MAX_UNDER_WAY: usize = 4_096;
/// How often the evidence is copied for readers.
const EVIDENCE_INTERVAL: Duration = Duration::from_millis(250);

/// A request to the venue.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub enum ToVenue {
    /// Place an order.
    Place(Approved<NewOrder>),
    /// Cancel an order.
    Cancel(CancelOrder),
    /// What became of an order?
    Query(Symbol, ClientOrderId),
    /// Which orders are open?
    OpenOrders(Option<Symbol>),
    /// Which fills came after this one?
    FillsSince(Symbol, Option<TradeId>),
    /// What is in the account?
    Balances,
    /// What are the rules of these instruments?
    Instruments(Vec<Symbol>),
}

/// What a venue said, and which.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Heard {
    /// Which.
    pub venue: VenueId,
    /// What.
    pub what: FromVenue,
}

/// What the venue said.
#[derive(Debug, Clone)]
pub enum FromVenue {
    /// A (new) incarnation began; requests of older epochs that have no answer are UNKNOWN.
    Started {
        /// 1 for the first.
        epoch: u64,
    },
    /// An event of the order session, in order.
    Event(OrderEvent),
    /// The outcome of a placement.
    Placed(ClientOrderId, Outcome<OrderReport>),
    /// The outcome of a cancel.
    Cancelled(ClientOrderId, Outcome<OrderReport>),
    /// The answer to a query.
    Looked(ClientOrderId, Result<Lookup, ReadError>),
    /// The answer about open orders.
    Open(Result<Vec<OrderReport>, ReadError>),
    /// The answer about fills.
    Fills(Symbol, Result<Vec<Fill>, ReadError>),
    /// A heartbeat asks for balances; the answer is the next [`FromVenue::Account`].
    BalancesAsked,
    /// The answer about balances.
    Account(Result<Vec<Balance>, ReadError>),
    /// The answer about instruments.
    Instruments(Result<ExchangeInfo, ReadError>),
}

/// Asks the venue for a sign of life: balances, which are handed on to the order management as well, and open orders.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Beat {
    /// Where the answer goes. Dropped unanswered when the connector ends first.
    pub answer: oneshot::Sender<Result<BeatRead, ReadError>>,
}

/// What a venue answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeatRead {
    /// Assets of which the account holds something.
    pub balances: usize,
    /// Orders that the venue shows as open.
    pub open_orders: usize,
}

/// Hang up and connect anew.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Reconnect;

/// The sessions ended by themselves (a panic in one of them): start over.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct SessionsEnded;

/// See the module's head.
pub struct Connector {
    venue: Rc<dyn Venue>,
    to: Port<Heard>,
    readings: VenueReadings,
    /// Counts the order management's own questions about balances.
    balance_questions: Rc<Cell<u64>>,
    tasks: JoinSet<()>,
}

/// Declares the connector of one venue.
///
/// `open` starts the venue on the cell's thread, once per incarnation. `arbiter` names the thread that it
/// shares with the component that feeds it.
pub fn declare<V: Venue + 'static>(
    name: &str,
    arbiter: &str,
    open: impl Fn() -> Result<V, String> + Send + Sync + 'static,
    to: Port<Heard>,
    readings: VenueReadings,
) -> (Handle<Connector>, Declared<Connector>) {
    let spec = ChildSpec {
        placement: Placement::Shared(arbiter.to_owned()),
        metadata: vec![("workload".to_owned(), "order path".to_owned())],
        ..ChildSpec::default()
    };
    cell(name, spec, move |_: &mut Ctx<Connector>| {
        let venue = open().map_err(StartFailure::Failed)?;
        Ok(Connector {
            venue: Rc::new(venue),
            to: to.clone(),
            readings: readings.clone(),
            balance_questions: Rc::default(),
            tasks: JoinSet::new(),
        })
    })
}

impl Actor for Connector {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(events) = self.venue.take_order_events() else {
            return ctx.stop();
        };
        let (to, own, epoch) = (self.to.clone(), ctx.handle(), ctx.epoch());
        let (venue, readings) = (self.venue.id().clone(), self.readings.clone());
        if epoch > 1 {
            readings.lost(LossCause::Restarted);
        }
        self.tasks.spawn_local(async move {
            hand_over(&to, &venue, FromVenue::Started { epoch }).await;
            pump(events, &to, &venue, &readings).await;
            // Closed means that this cell has ended already.
            let _ = own.tell(SessionsEnded);
        });
        self.readings.set(self.venue.evidence());
        ctx.run_interval(EVIDENCE_INTERVAL, |connector, _| {
            connector.readings.set(connector.venue.evidence());
            while connector.tasks.try_join_next().is_some() {}
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.venue.stop();
    }
}

impl Handler<ToVenue> for Connector {
    type Result = ();

    fn handle(&mut self, request: ToVenue, _: &mut Self::Context) {
        while self.tasks.try_join_next().is_some() {}
        if matches!(request, ToVenue::Balances) {
            self.balance_questions.set(self.balance_questions.get().wrapping_add(1));
        }
        let (venue, to) = (self.venue.clone(), self.to.clone());
        let full = self.tasks.len() > MAX_UNDER_WAY;
        self.tasks.spawn_local(async move {
            let answer = if full { refuse(request) } else { ask(venue.as_ref(), request).await };
            hand_over(&to, venue.id(), answer).await;
        });
    }
}

impl Handler<Beat> for Connector {
    type Result = ();

    fn handle(&mut self, beat: Beat, _: &mut Self::Context) {
        while self.tasks.try_join_next().is_some() {}
        if self.tasks.len() > MAX_UNDER_WAY {
            let denial = Denial::QueueFull { limit: MAX_UNDER_WAY };
            // Whoever asked may have given up.
            let _ = beat.answer.send(Err(denial.into()));
            return;
        }
        let (venue, to) = (self.venue.clone(), self.to.clone());
        let questions = Rc::clone(&self.balance_questions);
        self.tasks.spawn_local(async move {
            let before = questions.get();
            // What it will hear is compared with its books as they are now.
            hand_over(&to, venue.id(), FromVenue::BalancesAsked).await;
            let read = sign_of_life(venue.as_ref()).await;
            let read = match read {
                Ok((balances, read)) => {
                    // A question of the order management's own that came meanwhile waits for something younger.
                    if questions.get() == before {
                        hand_over(&to, venue.id(), FromVenue::Account(Ok(balances))).await;
                    }
                    Ok(read)
                }
                Err(error) => {
                    if questions.get() == before {
                        hand_over(&to, venue.id(), FromVenue::Account(Err(error.clone()))).await;
                    }
                    Err(error)
                }
            };
            let _ = beat.answer.send(read);
        });
    }
}

impl Handler<Reconnect> for Connector {
    type Result = ();

    fn handle(&mut self, _: Reconnect, _: &mut Self::Context) {
        tracing::warn!(event = "reconnect", venue.name = %self.venue.id(), session = "orders", "asked to connect anew");
        self.venue.reconnect();
    }
}

impl Handler<SessionsEnded> for Connector {
    type Result = ();

    fn handle(&mut self, _: SessionsEnded, ctx: &mut Self::Context) {
        tracing::error!(venue.name = %self.venue.id(), runbook = "actor_restarted", "the venue's sessions ended");
        ctx.stop();
    }
}

async fn ask(venue: &dyn Venue, request: ToVenue) -> FromVenue {
    match request {
        ToVenue::Place(order) => {
            let order = order.into_inner();
            let id = order.client_order_id.clone();
            FromVenue::Placed(id, venue.place(order).await)
        }
        ToVenue::Cancel(cancel) => {
            let id = cancel.client_order_id.clone();
            FromVenue::Cancelled(id, venue.cancel(cancel).await)
        }
        ToVenue::Query(symbol, id) => {
            let answer = venue.query(&symbol, &id).await;
            FromVenue::Looked(id, answer)
        }
        ToVenue::OpenOrders(symbol) => FromVenue::Open(venue.open_orders(symbol.as_ref()).await),
        ToVenue::FillsSince(symbol, after) => {
            let answer = venue.fills_since(&symbol, after.as_ref()).await;
            FromVenue::Fills(symbol, answer)
        }
        ToVenue::Balances => FromVenue::Account(venue.balances().await),
        ToVenue::Instruments(symbols) => FromVenue::Instruments(venue.exchange_info(&symbols).await),
    }
}

fn refuse(request: ToVenue) -> FromVenue {
    let denial = Denial::QueueFull { limit: MAX_UNDER_WAY };
    match request {
        ToVenue::Place(order) => {
            FromVenue::Placed(order.into_inner().client_order_id, Outcome::DeniedHere(denial))
        }
        ToVenue::Cancel(cancel) => FromVenue::Cancelled(cancel.client_order_id, Outcome::DeniedHere(denial)),
        ToVenue::Query(_, id) => FromVenue::Looked(id, Err(denial.into())),
        ToVenue::OpenOrders(_) => FromVenue::Open(Err(denial.into())),
        ToVenue::FillsSince(symbol, _) => FromVenue::Fills(symbol, Err(denial.into())),
        ToVenue::Balances => FromVenue::Account(Err(denial.into())),
        ToVenue::Instruments(_) => FromVenue::Instruments(Err(denial.into())),
    }
}

async fn sign_of_life(venue: &dyn Venue) -> Result<(Vec<Balance>, BeatRead), ReadError> {
    let balances = venue.balances().await?;
    let open_orders = venue.open_orders(None).await?.len();
    let held =
        balances.iter().filter(|held| held.free != Amount::ZERO || held.locked != Amount::ZERO).count();
    Ok((balances, BeatRead { balances: held, open_orders }))
}

async fn pump(
    mut events: mpsc::Receiver<OrderEvent>,
    to: &Port<Heard>,
    venue: &VenueId,
    readings: &VenueReadings,
) {
    while let Some(event) = events.recv().await {
        if let OrderEvent::Session { from, to, why } = &event
            && from.is_open()
            && !to.is_open()
            && let Some(cause) = LossCause::of(*why)
        {
            readings.lost(cause);
        }
        if !hand_over(to, venue, FromVenue::Event(event)).await {
            return;
        }
    }
}

/// Hands a message over, waiting while the receiver is full; `false` when it has ended.
async fn hand_over(to: &Port<Heard>, venue: &VenueId, what: FromVenue) -> bool {
    to.tell_waiting(Heard { venue: venue.clone(), what }).await
}
