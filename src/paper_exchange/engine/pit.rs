//! One command at work on one symbol: the bookkeeping that every way of trading shares.
//!
//! Owns how a fill, a prevented match and the end of an order change orders, balances, book and desks
//! together, so that they cannot disagree. It promises: `executed <= quantity`; an order's lock is
//! exactly what it still needs; an ended order leaves book, stop index, desk and lock at once; a leg of
//! an undecided pair trades only after its sibling ended.
//! It does not decide who trades with whom: `matching`, `flow` and `stops` do.

use super::core::{self, Core, Fill};
use super::event::{BookChange, ExchangeEvent, ExecutionType, Prevention, PublicTrade, RejectReason};
use super::ids::{AccountId, Asset, ClientOrderId, OrderId, TradeId};
use super::market::Market;
use super::money::{Amount, Price, Qty};
use super::order::{Order, OrderStatus, OrderType, QueuePlace, Side};

/// The command's view of the exchange.
pub(super) struct Pit<'a> {
    pub(super) core: &'a mut Core,
    pub(super) market: &'a mut Market,
    pub(super) now_ms: i64,
}

/// One side of a trade.
#[derive(Debug, Clone, Copy)]
struct HalfTrade {
    trade_id: TradeId,
    price: Price,
    quantity: Qty,
    is_maker: bool,
    against_market: bool,
}

/// What an order that rests or waits must keep locked, in the asset it pays with.
pub(super) fn need(order: &Order) -> Amount {
    match order.side {
        Side::Sell => order.remaining().amount(),
        Side::Buy => {
            let price = order.price.or(order.stop_price).unwrap_or_default();
            price.reserve(order.remaining())
        }
    }
}

impl Pit<'_> {
    /// The asset orders of this side pay with.
    pub(super) const fn pays(&self, side: Side) -> Asset {
        match side {
            Side::Buy => self.market.spec.quote,
            Side::Sell => self.market.spec.base,
        }
    }

    /// Trades between two of our orders at the maker's price.
    pub(super) fn trade(
        &mut self,
        maker: OrderId,
        taker: OrderId,
        taker_side: Side,
        price: Price,
        quantity: Qty,
    ) {
        self.decide_list(maker);
        let trade_id = self.market.next_own_trade();
        let half = HalfTrade { trade_id, price, quantity, is_maker: true, against_market: false };
        self.fill(maker, half);
        self.fill(taker, HalfTrade { is_maker: false, ..half });
        self.print(trade_id, price, quantity, taker_side);
    }

    /// Trades between one of our orders and a stranger on the market. `aggressor` is the taking side.
    pub(super) fn trade_with_market(
        &mut self,
        order: OrderId,
        aggressor: Side,
        price: Price,
        quantity: Qty,
        is_maker: bool,
    ) {
        self.decide_list(order);
        let trade_id = self.market.next_own_trade();
        self.fill(order, HalfTrade { trade_id, price, quantity, is_maker, against_market: true });
        self.print(trade_id, price, quantity, aggressor);
    }

    fn print(&mut self, trade_id: TradeId, price: Price, quantity: Qty, aggressor: Side) {
        let trade = PublicTrade {
            symbol: self.market.spec.symbol,
            trade_id,
            price,
            quantity,
            at_ms: self.now_ms,
            buyer_is_maker: aggressor == Side::Sell,
        };
        self.market.print(trade);
        self.core.out.push(ExchangeEvent::Trade(trade));
    }

    /// Books one side of a trade: order and money, record, book, report.
    fn fill(&mut self, id: OrderId, half: HalfTrade) {
        let Some(fill) = self.settle(id, half) else { return };
        let Some(order) = self.core.order(id) else { return };
        let (place, limit, ended) = (order.place, order.price, order.remaining().is_zero());
        if let Some(desk) = self.market.desks.get_mut(&fill.account) {
            desk.fills.push(self.core.fills.len());
        }
        self.core.fills.push(fill);
        if let (Some(place), Some(limit)) = (place, limit) {
            self.take_off_book(fill.side, limit, place.sequence, fill.quantity, ended);
        }
        self.core.report(id, ExecutionType::Trade, self.now_ms, |report| {
            report.last_quantity = fill.quantity;
            report.last_price = fill.price;
            report.last_quote = fill.quote;
            report.commission = fill.commission;
            report.commission_asset = Some(fill.commission_asset);
            report.trade_id = Some(fill.trade_id);
            report.is_maker = fill.is_maker;
        });
        if ended {
            self.leave(id);
        }
    }

    /// Moves the quantities of an order and the money of its owner; the answer is the record of it.
    fn settle(&mut self, id: OrderId, half: HalfTrade) -> Option<Fill> {
        let (base, quote_asset) = (self.market.spec.base, self.market.spec.quote);
        let Core { bank, orders, touched, .. } = &mut *self.core;
        let order = orders.get_mut(core::index(id.0))?;
        let account = bank.accounts.get_mut(&order.account)?;
        let quote = half.price.notional(half.quantity);
        let (pay_asset, paid, get_asset, got) = match order.side {
            Side::Buy => (quote_asset, quote, base, half.quantity.amount()),
            Side::Sell => (base, half.quantity.amount(), quote_asset, quote),
        };
        let commission = got.commission(if half.is_maker { account.maker } else { account.taker });
        order.executed += half.quantity;
        order.executed_quote += quote;
        order.updated_ms = self.now_ms;
        let left = order.remaining();
        order.status = match (left.is_zero(), order.prevented.is_zero()) {
            (true, true) => OrderStatus::Filled,
            (true, false) => OrderStatus::ExpiredInMatch,
            (false, _) => OrderStatus::PartiallyFilled,
        };
        let keep = match (left.is_zero(), order.price) {
            (true, _) => Amount::ZERO,
            (false, Some(_)) => need(order),
            // A market order keeps the rest of its reservation until it ends.
            (false, None) => order.locked - paid,
        };
        account.settle(pay_asset, paid, order.locked - paid - keep);
        order.locked = keep;
        account.receive(get_asset, got - commission);
        *bank.ledger.fees.entry(get_asset).or_default() += commission;
        if half.against_market {
            *bank.ledger.strangers.entry(pay_asset).or_default() += paid;
            *bank.ledger.strangers.entry(get_asset).or_default() -= got;
        }
        touched.extend([(order.account, pay_asset), (order.account, get_asset)]);
        Some(Fill {
            trade_id: half.trade_id,
            order_id: id,
            list_id: order.list_id,
            account: order.account,
            symbol: order.symbol,
            side: order.side,
            price: half.price,
            quantity: half.quantity,
            quote,
            commission,
            commission_asset: get_asset,
            is_maker: half.is_maker,
            against_market: half.against_market,
            at_ms: self.now_ms,
        })
    }

    fn take_off_book(&mut self, side: Side, limit: Price, sequence: u64, quantity: Qty, gone: bool) {
        let book = self.market.side_mut(side);
        let rank = book.rank(limit);
        book.reduce(rank, sequence, quantity, gone);
        self.market.dirty.push((side, rank));
    }

    /// Ends an open order with its remaining quantity untraded.
    pub(super) fn close(
        &mut self,
        id: OrderId,
        status: OrderStatus,
        execution_type: ExecutionType,
        reason: RejectReason,
        cancel_id: Option<ClientOrderId>,
    ) {
        self.end(id, status);
        self.core.report(id, execution_type, self.now_ms, |report| {
            report.reject_reason = reason;
            if let Some(cancel_id) = cancel_id {
                report.original_client_order_id = Some(report.client_order_id);
                report.client_order_id = cancel_id;
            }
        });
        self.leave(id);
    }

    /// Ends an order on the exchange's own initiative.
    pub(super) fn expire(&mut self, id: OrderId) {
        self.close(id, OrderStatus::Expired, ExecutionType::Expired, RejectReason::None, None);
    }

    /// Status, book and lock of an order that ends now; no report.
    fn end(&mut self, id: OrderId, status: OrderStatus) {
        let now_ms = self.now_ms;
        let Some(order) = self.core.order_mut(id) else { return };
        let remaining = order.remaining();
        order.status = status;
        order.updated_ms = now_ms;
        let (side, limit, place) = (order.side, order.price, order.place);
        if let (Some(place), Some(limit)) = (place, limit)
            && remaining.is_positive()
        {
            self.take_off_book(side, limit, place.sequence, remaining, true);
        }
        self.release(id);
    }

    /// Frees whatever an order still has locked.
    pub(super) fn release(&mut self, id: OrderId) {
        let Some(order) = self.core.order_mut(id) else { return };
        let (account_id, side, locked) = (order.account, order.side, std::mem::take(&mut order.locked));
        self.unlock(account_id, side, locked);
    }

    /// Frees locked money of the asset orders of `side` pay with.
    pub(super) fn unlock(&mut self, account_id: AccountId, side: Side, amount: Amount) {
        let asset = self.pays(side);
        if let Some(account) = self.core.bank.accounts.get_mut(&account_id)
            && amount.is_positive()
        {
            account.settle(asset, Amount::ZERO, amount);
            self.core.touched.push((account_id, asset));
        }
    }

    /// Self-trade prevention removes quantity from an order; it ends when nothing is left.
    pub(super) fn prevent(
        &mut self,
        id: OrderId,
        quantity: Qty,
        price: Price,
        counter: OrderId,
        match_id: u64,
    ) {
        let now_ms = self.now_ms;
        let Some(order) = self.core.order_mut(id) else { return };
        order.prevented += quantity;
        order.updated_ms = now_ms;
        let prevented_quantity = order.prevented;
        let ended = order.remaining().is_zero();
        let (account_id, side, limit, place) = (order.account, order.side, order.price, order.place);
        let mut released = Amount::ZERO;
        if ended {
            order.status = OrderStatus::ExpiredInMatch;
            released = std::mem::take(&mut order.locked);
        } else if limit.is_some() && order.locked.is_positive() {
            let keep = need(order);
            released = order.locked - keep;
            order.locked = keep;
        }
        if let (Some(place), Some(limit)) = (place, limit) {
            self.take_off_book(side, limit, place.sequence, quantity, ended);
        }
        self.unlock(account_id, side, released);
        self.core.report(id, ExecutionType::TradePrevention, now_ms, |report| {
            report.prevention = Some(Prevention {
                prevented_match_id: match_id,
                prevented_quantity,
                last_prevented_quantity: quantity,
                price,
                counter_order_id: counter,
            });
        });
        if ended {
            self.leave(id);
        }
    }

    /// Takes an ended order out of every index of open orders.
    fn leave(&mut self, id: OrderId) {
        let Some(order) = self.core.order_mut(id) else { return };
        order.place = None;
        let (account, kind, list_id) = (order.account, order.kind, order.list_id);
        if let (Some(stop), true) = (order.stop_price, kind.is_algo()) {
            self.market.rising.remove(&(stop, id));
            self.market.falling.remove(&(stop, id));
        }
        if let Some(desk) = self.market.desks.get_mut(&account)
            && desk.open.remove(&id)
            && kind.is_algo()
        {
            desk.open_algo = desk.open_algo.saturating_sub(1);
        }
        if list_id.is_some() {
            self.leg_ended(id);
        }
    }

    /// Puts a working limit order at the end of its queue.
    pub(super) fn rest(&mut self, id: OrderId) {
        let sequence = self.market.next_sequence;
        self.market.next_sequence += 1;
        let Some(order) = self.core.order_mut(id) else { return };
        let Some(limit) = order.price else { return };
        let (side, remaining) = (order.side, order.remaining());
        let book = self.market.side_mut(side);
        let rank = book.rank(limit);
        order.place = Some(QueuePlace { sequence, ahead: book.market_at(rank) });
        book.rest(rank, sequence, id, remaining);
        self.market.dirty.push((side, rank));
    }

    /// The type and side decide which way the price must move to trigger a stop order.
    pub(super) const fn triggers_rising(side: Side, kind: OrderType) -> bool {
        let take_profit = matches!(kind, OrderType::TakeProfit | OrderType::TakeProfitLimit);
        matches!(side, Side::Buy) != take_profit
    }

    /// Announces the levels the command changed, under the next own update id.
    pub(super) fn announce_book(&mut self) {
        if !self.market.dirty.is_empty() {
            let first = self.market.updates.last.saturating_add(1);
            self.market.updates.own();
            self.announce_book_since(first);
        }
    }

    /// Announces the changed levels as updates `first` to the last id given out.
    pub(super) fn announce_book_since(&mut self, first_update_id: u64) {
        let mut dirty = std::mem::take(&mut self.market.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        let level = |wanted: Side| {
            let book = self.market.side(wanted);
            let of_side = dirty.iter().filter(move |(side, _)| *side == wanted);
            of_side.map(|(_, rank)| (book.price(*rank), book.public_at(*rank))).collect()
        };
        let change = BookChange {
            symbol: self.market.spec.symbol,
            at_ms: self.now_ms,
            first_update_id,
            last_update_id: self.market.updates.last,
            bids: level(Side::Buy),
            asks: level(Side::Sell),
        };
        dirty.clear();
        self.market.dirty = dirty;
        self.core.out.push(ExchangeEvent::Book(change));
    }
}
