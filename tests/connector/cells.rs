//! The connector and the market data as supervised cells, in front of a paper exchange.

use super::desk::{btc, config, limit};
use actix::{Actor, Handler};
use plimsoll::actors::connector::{self, FromVenue, Heard, ToVenue, VenueReadings};
use plimsoll::actors::market_data::{self, MarketOutlets};
use plimsoll::domain::connection::State;
use plimsoll::domain::ids::{Correlation, StrategyId, VenueId};
use plimsoll::domain::money::{Amount, Quantity};
use plimsoll::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use plimsoll::domain::order_types::{NewOrder, OrderStatus, Side};
use plimsoll::domain::outcome::Outcome;
use plimsoll::domain::risk::{Approved, Inputs, approve};
use plimsoll::domain::run_state::Level;
use plimsoll::domain::time::WallMs;
use plimsoll::paper_exchange::{PaperConfig, PaperExchange};
use plimsoll::supervision::{ChildSpec, Ctx, Fault, Placement, Tree, TreeOptions, cell, supervisor};
use plimsoll::venues::OrderEvent;
use plimsoll::venues::binance::{Binance, BinanceConfig};
use std::time::Duration;
use tokio::sync::mpsc;

/// Orders reach a connector through the gate only; so do these.
fn approved(order: &NewOrder) -> Approved<NewOrder> {
    let order = Order {
        number: OrderNumber(1),
        client_order_id: order.client_order_id.clone(),
        venue_client_order_id: order.client_order_id.clone(),
        venue_order_id: None,
        venue: VenueId::new("paper").unwrap(),
        symbol: order.symbol.clone(),
        side: order.side,
        kind: OrderKind::Limit,
        quantity: order.quantity,
        price: order.price,
        time_in_force: order.time_in_force.clone(),
        stop_loss: None,
        reduce_only: false,
        strategy: StrategyId::new("test").unwrap(),
        correlation: Correlation::new("test").unwrap(),
        origin: Origin::Intent,
        state: OrderState::PendingSubmit,
        executed: Quantity::ZERO,
        booked: Quantity::ZERO,
        booked_quote: Amount::ZERO,
        reason: None,
        attempts: 0,
        cancel_requested: false,
        replaces: None,
        decision_price: None,
        fills_after: None,
        created_at: WallMs(0),
        updated_at: WallMs(0),
    };
    let inputs = Inputs {
        age_ms: 0,
        max_age_ms: 1,
        halted: false,
        level: Level::Running,
        reduces: false,
        lapsed: false,
        draining: false,
        strategy_enabled: true,
        venue_closed: None,
        guard: None,
    };
    approve(&order, &inputs).unwrap()
}

/// Stands where the order component will stand: keeps what it is told.
struct Ear(mpsc::Sender<FromVenue>);

impl Actor for Ear {
    type Context = Ctx<Self>;
}

impl Handler<Heard> for Ear {
    type Result = ();
    fn handle(&mut self, message: Heard, _: &mut Self::Context) {
        assert_eq!(message.venue.as_str(), "test");
        self.0.try_send(message.what).unwrap();
    }
}

async fn until<T>(heard: &mut mpsc::Receiver<FromVenue>, mut pick: impl FnMut(FromVenue) -> Option<T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            if let Some(found) = pick(heard.recv().await.unwrap()) {
                return found;
            }
        }
    })
    .await
    .unwrap()
}

#[test]
fn orders_and_books_through_the_cells() {
    let running = PaperExchange::start(PaperConfig::default()).unwrap();
    actix_rt::System::new().block_on(async {
        let (tell, mut heard) = mpsc::channel(10_000);
        let shared = ChildSpec { placement: Placement::Shared("hot".to_owned()), ..ChildSpec::default() };
        let (ear, ear_cell) = cell("ear", shared, move |_: &mut Ctx<Ear>| Ok(Ear(tell.clone())));
        let readings = VenueReadings::default();
        let settings = config(running.addr());
        let orders = BinanceConfig { follow_market: false, ..settings.clone() };
        let open = move || Binance::start(orders.clone()).map_err(|error| error.to_string());
        let (connector, connector_cell) =
            connector::declare("connector", "hot", open, ear.port(), readings.clone());
        let outlets = MarketOutlets::default();
        let market = BinanceConfig { credentials: None, ..settings };
        let follow = move || Binance::start(market.clone()).map_err(|error| error.to_string());
        let (_, market_cell) = market_data::declare("market_data", follow, outlets.clone());
        let root = supervisor("root").child(ear_cell).child(connector_cell).child(market_cell);
        let tree = Tree::start(root, TreeOptions::default()).unwrap();

        let live = |message: &FromVenue| {
            matches!(message, FromVenue::Event(OrderEvent::Session { to: State::Live, .. }))
        };
        assert!(matches!(heard.recv().await, Some(FromVenue::Started { epoch: 1 })));
        until(&mut heard, |message| live(&message).then_some(())).await;
        connector.tell(ToVenue::Place(approved(&limit("cell-1", Side::Buy, "0.0005", "58000")))).unwrap();
        let placed = until(&mut heard, |message| match message {
            FromVenue::Placed(id, outcome) => Some((id, outcome)),
            _ => None,
        });
        let (id, outcome) = placed.await;
        let Outcome::Confirmed(report) = outcome else { panic!("{outcome:?}") };
        assert_eq!((id.as_str(), report.status), ("cell-1", OrderStatus::New));
        connector.tell(ToVenue::Query(btc(), id)).unwrap();
        let found = until(&mut heard, |message| match message {
            FromVenue::Looked(_, answer) => Some(answer),
            _ => None,
        });
        assert!(found.await.is_ok());
        for _ in 0..400 {
            if outlets.board.of(&btc()).is_some_and(|seen| seen.book.is_some()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let seen = outlets.board.of(&btc()).unwrap();
        assert!(seen.book.unwrap().mid().is_some());
        for _ in 0..400 {
            if readings.latest().is_some_and(|evidence| evidence.orders.state == State::Live) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(readings.latest().unwrap().orders.state, State::Live);

        // The connector dies and is replaced: a new epoch, and a comparison that still shows the order.
        assert!(tree.inject("root/connector", Fault::Panic).await);
        until(&mut heard, |message| matches!(message, FromVenue::Started { epoch: 2 }).then_some(())).await;
        let found = until(&mut heard, |message| match message {
            FromVenue::Event(OrderEvent::Reconciled(found)) => Some(found),
            _ => None,
        });
        assert_eq!(found.await.snapshot.open_orders[0].client_order_id.as_str(), "cell-1");
        until(&mut heard, |message| live(&message).then_some(())).await;
        tree.shutdown(Duration::from_secs(5)).await;
    });
    running.stop().unwrap();
}
