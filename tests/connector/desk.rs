//! A connector under test: started against an address, with its events collected as they come.

use plimsoll::domain::connection::State;
use plimsoll::domain::ids::{ClientOrderId, Symbol, VenueId};
use plimsoll::domain::market::MarketEvent;
use plimsoll::domain::money::{Price, Quantity};
use plimsoll::domain::order_types::{NewOrder, OrderType, Side, TimeInForce};
use plimsoll::venues::binance::signing::Secret;
use plimsoll::venues::binance::{Binance, BinanceConfig};
use plimsoll::venues::{OrderEvent, Venue};
use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Longest that any awaited event may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test on one thread, as an arbiter would.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test());
}

pub fn btc() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

/// Settings with short times, for a peer on loopback.
pub fn config(addr: SocketAddr) -> BinanceConfig {
    let mut config = BinanceConfig::at(VenueId::new("test").unwrap(), &addr.to_string(), vec![btc()]);
    config.credentials = Some(("demo".into(), Secret::Hmac("demo-secret".into())));
    config.order_timeout_ms = 400;
    config.order_session.backoff_first_ms = 20;
    config.market_session.backoff_first_ms = 20;
    config.market_session.stale_after_ms = None;
    // Tests reconnect more often than a venue allows.
    config.order_session.connect_cap = 100_000;
    config.market_session.connect_cap = 100_000;
    config
}

pub fn limit(name: &str, side: Side, quantity: &str, price: &str) -> NewOrder {
    NewOrder {
        client_order_id: ClientOrderId::new(name).unwrap(),
        symbol: btc(),
        side,
        order_type: OrderType::Limit,
        quantity: Quantity::parse(quantity).unwrap(),
        price: Some(Price::parse(price).unwrap()),
        stop_price: None,
        time_in_force: Some(TimeInForce::Gtc),
    }
}

/// A venue and what it told.
pub struct Desk<V: Venue = Binance> {
    pub venue: Rc<V>,
    orders: RefCell<mpsc::Receiver<OrderEvent>>,
    market: RefCell<mpsc::Receiver<MarketEvent>>,
}

impl Desk {
    pub fn open(config: BinanceConfig) -> Self {
        Self::over(Binance::start(config).unwrap())
    }

    /// Starts and waits until orders may go out.
    pub async fn live(config: BinanceConfig) -> Self {
        let desk = Self::open(config);
        desk.until_state(State::Live).await;
        desk
    }
}

impl<V: Venue> Desk<V> {
    /// Takes a venue's streams.
    pub fn over(venue: V) -> Self {
        let venue = Rc::new(venue);
        let orders = RefCell::new(venue.take_order_events().unwrap());
        let market = RefCell::new(venue.take_market_events().unwrap());
        Self { venue, orders, market }
    }

    /// The next order event that `pick` wants; what comes before it is dropped.
    #[expect(clippy::await_holding_refcell_ref, reason = "one reader")]
    pub async fn until_order<T>(&self, what: &str, mut pick: impl FnMut(OrderEvent) -> Option<T>) -> T {
        let mut events = self.orders.borrow_mut();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = pick(events.recv().await.unwrap()) {
                    return found;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}; {:?}", self.venue.evidence()))
    }

    /// Waits for the order session to enter a state.
    pub async fn until_state(&self, state: State) {
        self.until_order(state.name(), |event| {
            matches!(event, OrderEvent::Session { to, .. } if to == state).then_some(())
        })
        .await;
    }

    /// The next market event that `pick` wants.
    #[expect(clippy::await_holding_refcell_ref, reason = "one reader")]
    pub async fn until_market<T>(&self, what: &str, mut pick: impl FnMut(MarketEvent) -> Option<T>) -> T {
        let mut events = self.market.borrow_mut();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(found) = pick(events.recv().await.unwrap()) {
                    return found;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}; {:?}", self.venue.evidence()))
    }
}
