//! A small desk for the tests: two venues with two instruments each, strategies, orders, positions, fills.

use super::{Consequence, Decision, Limit, LossLimit, Proposal, Risk, RiskSettings, SymbolLimits};
use crate::domain::ids::{
    Asset, ClientOrderId, Correlation, StrategyId, Symbol, TradeId, VenueId, VenueOrderId,
};
use crate::domain::instrument::{Instrument, Step};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::oms::{Mark, Now};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use crate::domain::order_types::{Fill, Liquidity, Side};
use crate::domain::time::{Mono, WallMs};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

pub(super) fn d(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(super) fn whole(n: i64) -> Decimal {
    Decimal::from(n)
}

pub(super) fn strategy(n: usize) -> StrategyId {
    StrategyId::new(&format!("s{n}")).unwrap()
}

pub(super) fn venue(n: usize) -> VenueId {
    VenueId::new(&format!("v{}", n / 2)).unwrap()
}

pub(super) fn symbol(n: usize) -> Symbol {
    Symbol::new(if n.is_multiple_of(2) { "BTCUSDT" } else { "ETHUSDT" }).unwrap()
}

pub(super) fn now(ms: u64) -> Now {
    Now { mono: Mono(ms), wall: WallMs(i64::try_from(ms).unwrap()) }
}

pub(super) fn instrument(n: usize) -> Instrument {
    Instrument {
        symbol: symbol(n),
        base: Asset::new(if n.is_multiple_of(2) { "BTC" } else { "ETH" }).unwrap(),
        quote: Asset::new("USDT").unwrap(),
        trading: true,
        price: Step::default(),
        lot: Step::default(),
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    }
}

pub(super) fn order(number: u64, who: usize, at: usize, side: Side, quantity: i64, price: i64) -> Order {
    let id = ClientOrderId::new(&format!("o-{number}")).unwrap();
    Order {
        number: OrderNumber(number),
        client_order_id: id.clone(),
        venue_client_order_id: id,
        venue_order_id: None,
        venue: venue(at),
        symbol: symbol(at),
        side,
        kind: OrderKind::Limit,
        quantity: Quantity::new(whole(quantity)).unwrap(),
        price: Price::new(whole(price)).ok(),
        time_in_force: None,
        stop_loss: None,
        reduce_only: false,
        strategy: strategy(who),
        correlation: Correlation::new("c").unwrap(),
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
    }
}

pub(super) fn position(
    who: usize,
    at: usize,
    held: Decimal,
    average: Option<Decimal>,
    realised: Decimal,
) -> Position {
    Position {
        venue: venue(at),
        symbol: symbol(at),
        strategy: strategy(who),
        quantity: Amount::new(held).unwrap(),
        average_price: average.map(|price| Price::new(price).unwrap()),
        realised_pnl: Amount::new(realised).unwrap(),
        fees: BTreeMap::new(),
        turnover: Amount::ZERO,
        updated_at: WallMs(0),
    }
}

pub(super) fn mark(bid: i64, ask: i64) -> Option<Mark> {
    Some(Mark { bid: Price::new(whole(bid)).unwrap(), ask: Price::new(whole(ask)).unwrap() })
}

/// Four instruments (two venues, two symbols), three strategies, narrow limits.
pub(super) fn narrow() -> RiskSettings {
    let mut settings = RiskSettings::for_rehearsal(Asset::new("USDT").unwrap());
    let at = |text: &str| Limit::At(d(text));
    settings.account.gross = at("6000");
    settings.account.net = at("4000");
    settings.account.assets = vec![(None, at("3500"))];
    settings.account.capital = at("5000");
    settings.account.leverage = at("1");
    settings.account.open_orders = Limit::At(14);
    settings.account.daily_loss = Limit::At(LossLimit { most: d("900"), then: Consequence::Kill });
    settings.venues[0].gross = at("4000");
    settings.venues[0].net = at("3000");
    settings.venues[0].open_orders = Limit::At(9);
    settings.symbols.push(SymbolLimits {
        position: at("18"),
        open_orders: Limit::At(6),
        ..SymbolLimits::default()
    });
    let one = &mut settings.strategies[0];
    one.positions = vec![(None, at("12"))];
    one.gross = at("2500");
    one.net = at("2000");
    one.budget = at("3000");
    one.open_orders = Limit::At(6);
    settings
}

pub(super) fn risk(settings: RiskSettings) -> Risk {
    let mut risk = Risk::new(settings);
    for n in 0..4 {
        risk.instrument(&venue(n), &instrument(n));
        risk.mark(Mono(0), &venue(n), &symbol(n), mark(99, 101));
    }
    risk
}

pub(super) fn proposal(who: usize, at: usize, side: Side, quantity: i64, price: i64) -> Proposal {
    Proposal::of_order(&order(0, who, at, side, quantity, price)).without_number()
}

impl Proposal {
    fn without_number(mut self) -> Self {
        self.number = None;
        self
    }
}

pub(super) fn fill(who: usize, at: usize, side: Side, id: u64) -> BookedFill {
    BookedFill {
        venue: venue(at),
        fill: Fill {
            trade_id: TradeId::from(id),
            symbol: symbol(at),
            venue_order_id: VenueOrderId::from(id),
            client_order_id: None,
            side,
            quantity: Quantity::parse("1").unwrap(),
            price: Price::parse("100").unwrap(),
            fee: Amount::ZERO,
            fee_asset: None,
            liquidity: Liquidity::Taker,
            at: WallMs(0),
        },
        client_order_id: None,
        strategy: strategy(who),
        correlation: Correlation::new("c").unwrap(),
        booked_at: WallMs(0),
        busted: false,
    }
}

pub(super) fn code(decision: &Decision) -> &str {
    decision.refusal().map_or("ok", |refusal| refusal.code)
}
