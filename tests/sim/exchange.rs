//! The venue's truth: orders, trades and balances. It may be slow, but it never errs; all lies are told by
//! the way between it and us.
//!
//! As real venues do, it refuses an id only while an order of that id is open: an order that was filled and
//! is sent again is accepted again. That is the duplicate that must never be.

use plimsoll::domain::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueOrderId};
use plimsoll::domain::money::{Amount, Price, Quantity};
use plimsoll::domain::order_types::{
    Balance, ExecutionType, Fill, Liquidity, NewOrder, OrderReport, OrderStatus, OrderType, OtherWord, Side,
    TimeInForce,
};
use plimsoll::domain::outcome::{RejectClass, Rejection};
use plimsoll::domain::time::WallMs;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub struct VenueOrder {
    pub number: u64,
    pub asked: NewOrder,
    pub executed: Decimal,
    pub quote: Decimal,
    pub status: OrderStatus,
    /// Hidden from queries and lists before.
    pub shown_at: u64,
}

#[derive(Debug, Clone)]
pub struct Trade {
    pub fill: Fill,
    pub shown_at: u64,
    pub busted: bool,
}

#[derive(Debug, Default)]
pub struct Exchange {
    pub orders: Vec<VenueOrder>,
    pub accepted: BTreeMap<ClientOrderId, u32>,
    pub trades: Vec<Trade>,
    pub balances: BTreeMap<Asset, Decimal>,
    /// Prices in cents.
    pub middle: BTreeMap<Symbol, i64>,
    /// What the stream is to tell.
    pub said: Vec<OrderReport>,
    pub fee_asset: Option<Asset>,
    pub overfilled: bool,
}

pub fn asset(text: &str) -> Asset {
    Asset::new(text).unwrap()
}

/// The base asset of a test instrument such as `AAUSDT`.
pub fn base(symbol: &Symbol) -> Asset {
    asset(symbol.as_str().strip_suffix("USDT").unwrap())
}

pub fn amount(value: Decimal) -> Amount {
    Amount::new(value).unwrap()
}

impl VenueOrder {
    pub fn is_live(&self) -> bool {
        self.status.is_live()
    }

    pub fn left(&self) -> Decimal {
        self.asked.quantity.get() - self.executed
    }

    pub fn report(&self, execution: Option<ExecutionType>, fills: Vec<Fill>, now: u64) -> OrderReport {
        OrderReport {
            client_order_id: self.asked.client_order_id.clone(),
            venue_order_id: VenueOrderId::from(self.number),
            symbol: self.asked.symbol.clone(),
            side: self.asked.side,
            order_type: self.asked.order_type.clone(),
            time_in_force: self.asked.time_in_force.clone().unwrap_or(TimeInForce::Gtc),
            status: self.status.clone(),
            execution,
            price: self.asked.price.unwrap_or(Price::ZERO),
            quantity: self.asked.quantity,
            executed: Quantity::new(self.executed).unwrap(),
            executed_quote: amount(self.quote),
            fills,
            reject_reason: None,
            at: WallMs(i64::try_from(now).unwrap()),
        }
    }
}

fn refuse(class: RejectClass) -> Rejection {
    Rejection { code: -2010, reason: "refused".to_owned(), class }
}

impl Exchange {
    /// Places an order; what crosses `take` of it executes at once.
    pub fn place(
        &mut self,
        now: u64,
        asked: NewOrder,
        hide_ms: u64,
        take: Decimal,
    ) -> Result<OrderReport, Rejection> {
        let id = asked.client_order_id.clone();
        if self.orders.iter().any(|order| order.is_live() && order.asked.client_order_id == id) {
            return Err(refuse(RejectClass::DuplicateClientOrderId));
        }
        *self.accepted.entry(id).or_default() += 1;
        let index = self.orders.len();
        let number = u64::try_from(index).unwrap() + 1;
        let at_once = asked.order_type == OrderType::Market || asked.time_in_force == Some(TimeInForce::Ioc);
        let price = asked.price.map_or(self.price(&asked.symbol), Price::get);
        let quantity = (asked.quantity.get() * take).round_dp(3);
        self.orders.push(VenueOrder {
            number,
            asked,
            executed: Decimal::ZERO,
            quote: Decimal::ZERO,
            status: OrderStatus::New,
            shown_at: now + hide_ms,
        });
        self.say(index, ExecutionType::New, vec![], now);
        let mut fills = vec![];
        if !quantity.is_zero() {
            fills.push(self.execute(index, quantity, price, now, hide_ms));
        }
        if at_once && self.orders[index].is_live() {
            self.end(index, OrderStatus::Expired, ExecutionType::Expired, now);
        }
        Ok(self.orders[index].report(None, fills, now))
    }

    pub fn price(&self, symbol: &Symbol) -> Decimal {
        Decimal::new(self.middle.get(symbol).copied().unwrap_or(10_000), 2)
    }

    /// Executes a part of an order.
    pub fn execute(
        &mut self,
        index: usize,
        quantity: Decimal,
        price: Decimal,
        now: u64,
        hide_ms: u64,
    ) -> Fill {
        let trade_id = TradeId::from(u64::try_from(self.trades.len()).unwrap() * 3 + 100);
        let order = &mut self.orders[index];
        order.executed += quantity;
        order.quote += quantity * price;
        let full = order.executed >= order.asked.quantity.get();
        order.status = if full { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
        let sign = if order.asked.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let fee_asset = self.fee_asset.clone().unwrap_or_else(|| base(&order.asked.symbol));
        let fee = (quantity * price * Decimal::new(1, 3)).round_dp(8);
        let fill = Fill {
            trade_id,
            symbol: order.asked.symbol.clone(),
            venue_order_id: VenueOrderId::from(order.number),
            client_order_id: order.number.is_multiple_of(2).then(|| order.asked.client_order_id.clone()),
            side: order.asked.side,
            quantity: Quantity::new(quantity).unwrap(),
            price: Price::new(price).unwrap(),
            fee: amount(fee),
            fee_asset: Some(fee_asset.clone()),
            liquidity: Liquidity::Maker,
            at: WallMs(i64::try_from(now).unwrap()),
        };
        *self.balances.entry(base(&fill.symbol)).or_default() += sign * quantity;
        *self.balances.entry(asset("USDT")).or_default() -= sign * quantity * price;
        *self.balances.entry(fee_asset).or_default() -= fee;
        self.trades.push(Trade { fill: fill.clone(), shown_at: now + hide_ms, busted: false });
        self.say(index, ExecutionType::Trade, vec![fill.clone()], now);
        fill
    }

    /// More than was asked for: a fault of the venue's that real venues have had.
    pub fn overfill(&mut self, index: usize, now: u64) {
        self.overfilled = true;
        let price = self.price(&self.orders[index].asked.symbol);
        let quantity = self.orders[index].left() + Decimal::ONE;
        self.execute(index, quantity, price, now, 0);
    }

    pub fn cancel(&mut self, now: u64, id: &ClientOrderId) -> Result<OrderReport, Rejection> {
        let index =
            self.orders.iter().rposition(|order| order.is_live() && order.asked.client_order_id == *id);
        let index = index.ok_or_else(|| refuse(RejectClass::UnknownOrder))?;
        self.end(index, OrderStatus::Canceled, ExecutionType::Canceled, now);
        Ok(self.orders[index].report(None, vec![], now))
    }

    pub fn end(&mut self, index: usize, status: OrderStatus, why: ExecutionType, now: u64) {
        let rejected = status == OrderStatus::Rejected;
        self.orders[index].status = status;
        self.say(index, why, vec![], now);
        if rejected && let Some(report) = self.said.last_mut() {
            report.reject_reason = Some(OtherWord::new("late"));
        }
    }

    /// Takes a trade back.
    pub fn bust(&mut self, index: usize) -> Fill {
        let trade = &mut self.trades[index];
        trade.busted = true;
        let fill = trade.fill.clone();
        let sign = if fill.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        *self.balances.entry(base(&fill.symbol)).or_default() -= sign * fill.quantity.get();
        *self.balances.entry(asset("USDT")).or_default() += sign * fill.quantity.get() * fill.price.get();
        *self.balances.entry(fill.fee_asset.clone().unwrap()).or_default() += fill.fee.get();
        fill
    }

    fn say(&mut self, index: usize, execution: ExecutionType, fills: Vec<Fill>, now: u64) {
        let report = self.orders[index].report(Some(execution), fills, now);
        self.said.push(report);
    }

    pub fn live(&self) -> impl Iterator<Item = (usize, &VenueOrder)> {
        self.orders.iter().enumerate().filter(|(_, order)| order.is_live())
    }

    /// The latest order of that id, as a query finds it.
    pub fn find(&self, id: &ClientOrderId) -> Option<&VenueOrder> {
        self.orders.iter().rev().find(|order| order.asked.client_order_id == *id)
    }

    pub fn shown_orders(&self, now: u64) -> Vec<OrderReport> {
        self.live().filter(|(_, o)| o.shown_at <= now).map(|(_, o)| o.report(None, vec![], now)).collect()
    }

    /// Trades after one, or the latest.
    pub fn shown_fills(&self, symbol: &Symbol, after: Option<u64>, now: u64) -> Vec<Fill> {
        let shown = self.trades.iter().filter(|t| t.fill.symbol == *symbol && t.shown_at <= now && !t.busted);
        let fills: Vec<Fill> = shown.map(|t| t.fill.clone()).collect();
        match after {
            Some(after) => fills.into_iter().filter(|f| f.trade_id.number() > Some(after)).collect(),
            None => fills.iter().skip(fills.len().saturating_sub(50)).cloned().collect(),
        }
    }

    pub fn balances(&self) -> Vec<Balance> {
        let all = self.balances.iter();
        all.map(|(asset, sum)| Balance { asset: asset.clone(), free: amount(*sum), locked: Amount::ZERO })
            .collect()
    }

    /// Signed sum of the trades that stand.
    pub fn position(&self, symbol: &Symbol) -> Decimal {
        let standing = self.trades.iter().filter(|t| t.fill.symbol == *symbol && !t.busted);
        standing
            .map(|t| if t.fill.side == Side::Buy { t.fill.quantity.get() } else { -t.fill.quantity.get() })
            .sum()
    }
}
