//! [`Binance`]: the venue as the runtime sees it. Starts the two sessions and hands requests to the gateway.
//!
//! Must be started inside a `tokio::task::LocalSet` or an actix arbiter. Dropping it ends both sessions.

use super::config::{BinanceConfig, ConfigError};
use super::gateway::Gateway;
use super::rest::Rest;
use super::session::{Dialler, Opened};
use super::shared::Shared;
use super::stream::{self, MarketCommand, MarketSession};
use super::user_data;
use super::ws_api::{Command, OrderSession};
use crate::domain::book::OrderBook;
use crate::domain::evidence::Evidence;
use crate::domain::ids::{ClientOrderId, Symbol, TradeId, VenueId};
use crate::domain::market::{Level, MarketEvent};
use crate::domain::order_types::{Balance, CancelOrder, Fill, NewOrder, OrderReport, Side};
use crate::domain::outcome::{Outcome, ReadError};
use crate::domain::time::Mono;
use crate::venues::{
    Capabilities, ExchangeInfo, FeedView, Lookup, OrderEvent, Venue, VenueEvidence, VenueFuture,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// A connection to Binance Spot, its testnet, or a paper exchange.
pub struct Binance {
    shared: Rc<Shared>,
    gateway: Rc<Gateway>,
    commands: mpsc::Sender<Command>,
    market_commands: mpsc::Sender<MarketCommand>,
    order_events: RefCell<Option<mpsc::Receiver<OrderEvent>>>,
    market_events: RefCell<Option<mpsc::Receiver<MarketEvent>>>,
    tasks: Vec<AbortHandle>,
}

impl Binance {
    /// Checks the settings and starts the market session, and the order session when there is a key.
    ///
    /// # Errors
    /// [`ConfigError`] when the settings cannot work. A venue that cannot be reached is not an error: the
    /// sessions keep trying and their evidence says so.
    pub fn start(config: BinanceConfig) -> Result<Self, ConfigError> {
        let signer = config.checked()?;
        let trades = signer.is_some();
        let rest = Rc::new(Rest::new(&config.rest_url)?);
        let (commands, command_queue) = mpsc::channel(config.request_queue);
        let (order_sender, order_events) = mpsc::channel(config.order_event_queue);
        let (market_sender, market_events) = mpsc::channel(config.market_event_queue);
        let (market_commands, market_queue) = mpsc::channel(4);
        let shared = Rc::new(Shared::new(config, signer));
        let gateway = Rc::new(Gateway::new(shared.clone(), rest.clone(), commands.clone()));
        let mut tasks = Vec::new();
        let dial_market = dialler(&shared, |shared, opened| {
            Box::pin(async move { stream::establish(&shared, opened).await })
        });
        if shared.config.follow_market {
            let market = MarketSession::new(
                shared.clone(),
                rest,
                gateway.clone(),
                dial_market,
                market_queue,
                market_sender,
            );
            tasks.push(tokio::task::spawn_local(market.run()).abort_handle());
        }
        if trades {
            let dial = dialler(&shared, |shared, opened| {
                Box::pin(async move { user_data::establish(&shared, opened).await })
            });
            let orders =
                OrderSession::new(shared.clone(), gateway.clone(), dial, command_queue, order_sender);
            tasks.push(tokio::task::spawn_local(orders.run()).abort_handle());
        }
        Ok(Self {
            shared,
            gateway,
            commands,
            market_commands,
            order_events: RefCell::new(Some(order_events)),
            market_events: RefCell::new(Some(market_events)),
            tasks,
        })
    }

    /// Where fill recovery of an instrument begins: the last trade id that the journal holds. To be called
    /// before the first connect completes, that is, right after [`Binance::start`].
    pub fn resume_after(&self, symbol: &Symbol, last: &TradeId) {
        if let Some(number) = last.number() {
            self.shared.view.borrow_mut().set_last_trade(symbol.clone(), number);
        }
    }

    /// A silence (Retry-After, ban) that was still in force when the process ended, so that a restart obeys
    /// it as well. Milliseconds from now.
    pub fn resume_hold(&self, remaining_ms: u64) {
        self.shared.hold(Some(remaining_ms));
    }

    /// The sessions' evidence, orders and market, for readers on other threads.
    #[must_use]
    pub fn shared_evidence(&self) -> (Arc<Evidence>, Arc<Evidence>) {
        (self.shared.orders.clone(), self.shared.market.clone())
    }

    /// Now, on the clock of the evidence.
    #[must_use]
    pub fn now(&self) -> Mono {
        self.shared.clock.now()
    }
}

type Establish =
    fn(Rc<Shared>, Opened) -> VenueFuture<'static, Result<super::socket::Socket, super::socket::DialFailure>>;

fn dialler(shared: &Rc<Shared>, establish: Establish) -> Dialler {
    let shared = shared.clone();
    Rc::new(move |opened| establish(shared.clone(), opened))
}

impl Drop for Binance {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Venue for Binance {
    fn id(&self) -> &VenueId {
        &self.shared.config.venue
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            client_order_ids: true,
            stop_orders: true,
            fills_by_trade_id: true,
            visibility_window_ms: self.shared.config.visibility_window_ms,
        }
    }

    fn exchange_info<'a>(
        &'a self,
        symbols: &'a [Symbol],
    ) -> VenueFuture<'a, Result<ExchangeInfo, ReadError>> {
        Box::pin(self.gateway.exchange_info(symbols))
    }

    fn place(&self, order: NewOrder) -> VenueFuture<'_, Outcome<OrderReport>> {
        Box::pin(self.gateway.place(order))
    }

    fn cancel(&self, cancel: CancelOrder) -> VenueFuture<'_, Outcome<OrderReport>> {
        Box::pin(self.gateway.cancel(cancel))
    }

    fn query<'a>(
        &'a self,
        symbol: &'a Symbol,
        order: &'a ClientOrderId,
    ) -> VenueFuture<'a, Result<Lookup, ReadError>> {
        Box::pin(self.gateway.query(symbol, order))
    }

    fn open_orders<'a>(
        &'a self,
        symbol: Option<&'a Symbol>,
    ) -> VenueFuture<'a, Result<Vec<OrderReport>, ReadError>> {
        Box::pin(self.gateway.open_orders(symbol))
    }

    fn fills_since<'a>(
        &'a self,
        symbol: &'a Symbol,
        after: Option<&'a TradeId>,
    ) -> VenueFuture<'a, Result<Vec<Fill>, ReadError>> {
        Box::pin(self.gateway.fills_since(symbol, after))
    }

    fn balances(&self) -> VenueFuture<'_, Result<Vec<Balance>, ReadError>> {
        Box::pin(self.gateway.balances())
    }

    fn take_order_events(&self) -> Option<mpsc::Receiver<OrderEvent>> {
        self.order_events.borrow_mut().take()
    }

    fn take_market_events(&self) -> Option<mpsc::Receiver<MarketEvent>> {
        self.market_events.borrow_mut().take()
    }

    fn depth(&self, symbol: &Symbol, levels: usize) -> Option<(Vec<Level>, Vec<Level>)> {
        let feeds = self.shared.feeds.borrow();
        let book: &OrderBook = feeds.get(symbol)?.sync.book()?;
        let side = |side| book.levels(side).take(levels).collect();
        Some((side(Side::Buy), side(Side::Sell)))
    }

    fn evidence(&self) -> VenueEvidence {
        let now = self.shared.clock.now();
        let pacer = self.shared.pacer.borrow();
        let sample = self.shared.offset.borrow().sample();
        let (used_weight, weight_cap) = pacer.weight();
        let feeds = self.shared.feeds.borrow();
        let feeds = feeds.iter().map(|(symbol, feed)| FeedView {
            symbol: symbol.clone(),
            last_data: feed.last_data,
            book_in_step: feed.sync.book().is_some(),
            update_id: feed.sync.book().map_or(0, OrderBook::update_id),
            resyncs: feed.sync.resyncs(),
        });
        VenueEvidence {
            orders: self.shared.orders.view(),
            market: self.shared.market.view(),
            feeds: feeds.collect(),
            clock_offset_ms: sample.map(|sample| sample.offset_ms),
            round_trip_ms: sample.map(|sample| sample.round_trip_ms),
            used_weight,
            weight_cap,
            hold_until: pacer.hold_until(now),
            now,
        }
    }

    fn reconnect(&self) {
        // A full queue means that one is under way, a closed one that there is no such session.
        let _ = self.market_commands.try_send(MarketCommand::Reconnect);
        let _ = self.commands.try_send(Command::Reconnect);
    }

    fn stop(&self) {
        // A full queue means that a stop is under way, a closed one that it is done.
        let _ = self.market_commands.try_send(MarketCommand::Stop);
        if self.commands.try_send(Command::Stop).is_err() {
            for task in &self.tasks {
                task.abort();
            }
        }
    }
}
