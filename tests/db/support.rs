//! Batches, orders and fills to write, and a directory to write them to.

use plimsoll::db::{Options, Writer};
use plimsoll::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, TradeId, VenueId, VenueOrderId};
use plimsoll::domain::journal::{BalanceRow, Batch, NewRow, Snapshot, Ticket};
use plimsoll::domain::ledger::{BookedFill, Position};
use plimsoll::domain::money::{Amount, Price, Quantity};
use plimsoll::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use plimsoll::domain::order_types::{Fill, Liquidity, Side, TimeInForce};
use plimsoll::domain::time::WallMs;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A writer that does not wait long for locks.
pub fn writer(dir: &Path) -> Writer {
    Writer::open(dir, quick()).unwrap()
}

pub fn quick() -> Options {
    Options { busy_timeout: Duration::from_millis(50), pages_max: None }
}

pub fn row(n: u64) -> NewRow {
    let payload = format!(r#"{{"n":{n},"note":"{}"}}"#, "x".repeat(200));
    NewRow {
        kind: "note",
        correlation: Correlation::new(&format!("c-{n}")).unwrap(),
        at: WallMs(1_700_000_000_000),
        payload,
    }
}

pub fn rows(ticket: u64, count: u64) -> Batch {
    let rows = (0..count).map(|n| row(ticket * 1_000 + n)).collect();
    Batch { ticket: Ticket(ticket), rows, ..Batch::default() }
}

/// Rows and the state after them.
pub fn with_snapshot(ticket: u64, count: u64, state: &str) -> Batch {
    Batch { snapshot: Some(Snapshot { state: state.to_owned(), refusals_seen: 0 }), ..rows(ticket, count) }
}

pub fn order(number: u64, state: OrderState) -> Order {
    Order {
        number: OrderNumber(number),
        client_order_id: ClientOrderId::new(&format!("mine-{number}")).unwrap(),
        venue_client_order_id: ClientOrderId::new(&format!("plabcdef-{number:08}")).unwrap(),
        venue_order_id: Some(VenueOrderId::from(number * 7)),
        venue: VenueId::new("paper").unwrap(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        side: Side::Buy,
        kind: OrderKind::Limit,
        quantity: Quantity::parse("0.00120000").unwrap(),
        price: Some(Price::parse("60000.10").unwrap()),
        time_in_force: Some(TimeInForce::Gtc),
        stop_loss: None,
        reduce_only: false,
        strategy: StrategyId::new(if number.is_multiple_of(2) { "quoter" } else { "taker" }).unwrap(),
        correlation: Correlation::new(&format!("c-{number}")).unwrap(),
        origin: Origin::Intent,
        state,
        executed: Quantity::parse("0.0005").unwrap(),
        booked: Quantity::parse("0.0005").unwrap(),
        booked_quote: Amount::parse("30.00005").unwrap(),
        reason: Some("because".to_owned()),
        attempts: 1,
        cancel_requested: false,
        replaces: None,
        decision_price: Some(Price::parse("61000.25").unwrap()),
        fills_after: Some(TradeId::from(41)),
        created_at: WallMs(1),
        updated_at: WallMs(2),
    }
}

pub fn fill(trade: u64) -> BookedFill {
    BookedFill {
        venue: VenueId::new("paper").unwrap(),
        fill: Fill {
            trade_id: TradeId::from(trade),
            symbol: Symbol::new("BTCUSDT").unwrap(),
            venue_order_id: VenueOrderId::from(7),
            client_order_id: Some(ClientOrderId::new("plabcdef-00000001").unwrap()),
            side: Side::Sell,
            quantity: Quantity::parse("0.0005").unwrap(),
            price: Price::parse("60000.10").unwrap(),
            fee: Amount::parse("-0.003").unwrap(),
            fee_asset: None,
            liquidity: Liquidity::Maker,
            at: WallMs(3),
        },
        client_order_id: Some(ClientOrderId::new("mine-1").unwrap()),
        strategy: StrategyId::new("quoter").unwrap(),
        correlation: Correlation::new("c-1").unwrap(),
        booked_at: WallMs(4),
        busted: false,
    }
}

pub fn position(quantity: &str) -> Position {
    Position {
        venue: VenueId::new("paper").unwrap(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        strategy: StrategyId::new("quoter").unwrap(),
        quantity: Amount::parse(quantity).unwrap(),
        average_price: Some(Price::parse("60000.1").unwrap()),
        realised_pnl: Amount::parse("-1.5").unwrap(),
        fees: BTreeMap::from([("USDT".parse().unwrap(), Amount::parse("0.2").unwrap())]),
        turnover: Amount::parse("3").unwrap(),
        updated_at: WallMs(5),
    }
}

pub fn balance(free: &str) -> BalanceRow {
    BalanceRow {
        venue: VenueId::new("paper").unwrap(),
        asset: "USDT".parse().unwrap(),
        free: Amount::parse(free).unwrap(),
        locked: Amount::ZERO,
        expected: None,
        compared_at: Some(WallMs(6)),
    }
}

/// Runs a statement on a plain connection.
pub fn sql(dir: &Path, statement: &str) -> diesel::QueryResult<()> {
    execute(&mut plain(dir), statement)
}

/// A plain connection, as somebody with a shell would have.
pub fn plain(dir: &Path) -> diesel::SqliteConnection {
    use diesel::Connection as _;
    diesel::SqliteConnection::establish(dir.join(plimsoll::db::DATABASE).to_str().unwrap()).unwrap()
}

pub fn execute(connection: &mut diesel::SqliteConnection, statement: &str) -> diesel::QueryResult<()> {
    use diesel::connection::SimpleConnection as _;
    connection.batch_execute(statement)
}
