//! What can be read of the exchange: public market data, an account's own view, and the whole truth.
//!
//! Owns no state and changes none. Lists are bounded by the caller's limit or by `Limits`.

use super::cancel::resolve;
use super::command::OrderRef;
use super::core::{Fill, Limits};
use super::event::{Balance, PublicTrade};
use super::exchange::Exchange;
use super::ids::{AccountId, Asset, ListId, OrderId, Symbol, TradeId};
use super::market::Market;
use super::money::{Amount, Price, Qty, Rate};
use super::order::Order;
use super::outcome::OrderList;
use super::refusal::Refusal;
use super::symbol::SymbolSpec;
use serde::Serialize;

/// The public book: market and our accounts' orders merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookView {
    /// The last update id it contains.
    pub last_update_id: u64,
    /// Bids, best first.
    pub bids: Vec<(Price, Qty)>,
    /// Asks, best first.
    pub asks: Vec<(Price, Qty)>,
}

/// The best level of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BestView {
    /// The last update id it contains.
    pub last_update_id: u64,
    /// Best bid.
    pub bid: Option<(Price, Qty)>,
    /// Best ask.
    pub ask: Option<(Price, Qty)>,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountView {
    /// The account.
    pub account: AccountId,
    /// Commission of resting orders.
    pub maker: Rate,
    /// Commission of taking orders.
    pub taker: Rate,
    /// Whether it may place orders.
    pub can_trade: bool,
    /// Last change, in milliseconds since the epoch.
    pub updated_ms: i64,
    /// Every asset it ever held, by name.
    pub balances: Vec<Balance>,
}

/// Which of an account's fills to list; absent bounds do not bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FillQuery {
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Only from this trade id on. Without it the NEWEST fills are listed, as on the venue.
    pub from: Option<TradeId>,
    /// Not before, in milliseconds since the epoch.
    pub start_ms: Option<i64>,
    /// Not after, in milliseconds since the epoch.
    pub end_ms: Option<i64>,
}

impl Exchange {
    fn market(&self, symbol: Symbol) -> Result<&Market, Refusal> {
        self.markets.get(&symbol).ok_or(Refusal::UnknownSymbol)
    }

    /// What the run may record.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.core.limits
    }

    /// Every symbol's rules, by name.
    pub fn symbols(&self) -> impl Iterator<Item = &SymbolSpec> {
        self.markets.values().map(|market| &market.spec)
    }

    /// A symbol's rules.
    #[must_use]
    pub fn symbol(&self, symbol: Symbol) -> Option<&SymbolSpec> {
        self.markets.get(&symbol).map(|market| &market.spec)
    }

    /// The best `depth` public levels of each side.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn book(&self, symbol: Symbol, depth: usize) -> Result<BookView, Refusal> {
        let market = self.market(symbol)?;
        Ok(BookView {
            last_update_id: market.updates.last,
            bids: market.bids.public(depth),
            asks: market.asks.public(depth),
        })
    }

    /// The best public level of each side.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn best(&self, symbol: Symbol) -> Result<BestView, Refusal> {
        let book = self.book(symbol, 1)?;
        Ok(BestView {
            last_update_id: book.last_update_id,
            bid: book.bids.first().copied(),
            ask: book.asks.first().copied(),
        })
    }

    /// Price of the last trade, of strangers or ours.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn last_price(&self, symbol: Symbol) -> Result<Option<Price>, Refusal> {
        self.market(symbol).map(|market| market.last_price)
    }

    /// Volume-weighted average price of the last `minutes` (at most [`SymbolSpec::MAX_AVERAGE_MINUTES`]);
    /// the last price when nothing traded in them.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn average_price(&self, now_ms: i64, symbol: Symbol, minutes: u8) -> Result<Option<Price>, Refusal> {
        self.market(symbol).map(|market| market.average_price(now_ms, minutes))
    }

    /// The newest `limit` public trades (at most 1 000 are kept), oldest first.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn recent_trades(&self, symbol: Symbol, limit: usize) -> Result<Vec<PublicTrade>, Refusal> {
        let tape = self.market(symbol)?.tape();
        let skip = tape.len().saturating_sub(limit);
        Ok(tape.skip(skip).copied().collect())
    }

    /// Every account's number.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.core.bank.accounts.keys().copied()
    }

    /// One account.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`].
    pub fn account(&self, id: AccountId) -> Result<AccountView, Refusal> {
        let account = self.core.bank.accounts.get(&id).ok_or(Refusal::UnknownAccount)?;
        Ok(AccountView {
            account: id,
            maker: account.maker,
            taker: account.taker,
            can_trade: account.can_trade,
            updated_ms: account.updated_ms,
            balances: account.funds.keys().map(|asset| account.balance(*asset)).collect(),
        })
    }

    /// One order of an account.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`], [`Refusal::NoSuchOrder`].
    pub fn order(&self, account: AccountId, symbol: Symbol, wanted: OrderRef) -> Result<&Order, Refusal> {
        resolve(&self.core, self.market(symbol)?, account, wanted).ok_or(Refusal::NoSuchOrder)
    }

    /// An account's open orders, by symbol and age.
    pub fn open_orders(&self, account: AccountId, symbol: Option<Symbol>) -> impl Iterator<Item = &Order> {
        self.markets
            .iter()
            .filter(move |(name, _)| symbol.is_none_or(|symbol| symbol == **name))
            .filter_map(move |(_, market)| market.desks.get(&account))
            .flat_map(|desk| desk.open.iter())
            .filter_map(|id| self.core.order(*id))
    }

    /// An account's orders on a symbol, oldest first: from `from` on, or without it the newest `limit`.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn all_orders(
        &self,
        account: AccountId,
        symbol: Symbol,
        from: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<&Order>, Refusal> {
        let ids = self.market(symbol)?.desks.get(&account).map_or(&[][..], |desk| desk.orders.as_slice());
        let skip = match from {
            Some(from) => ids.partition_point(|id| *id < from),
            None => ids.len().saturating_sub(limit),
        };
        Ok(ids.iter().skip(skip).take(limit).filter_map(|id| self.core.order(*id)).collect())
    }

    /// At most `limit` of an account's fills on a symbol, oldest first.
    ///
    /// # Errors
    /// [`Refusal::UnknownSymbol`].
    pub fn fills_of(
        &self,
        account: AccountId,
        symbol: Symbol,
        query: FillQuery,
        limit: usize,
    ) -> Result<Vec<&Fill>, Refusal> {
        let indexes = self.market(symbol)?.desks.get(&account).map_or(&[][..], |desk| desk.fills.as_slice());
        let matches = |fill: &&Fill| {
            query.order.is_none_or(|order| fill.order_id == order)
                && query.from.is_none_or(|from| fill.trade_id >= from)
                && query.start_ms.is_none_or(|start| fill.at_ms >= start)
                && query.end_ms.is_none_or(|end| fill.at_ms <= end)
        };
        let all = indexes.iter().filter_map(|index| self.core.fills.get(*index)).filter(matches);
        if query.from.is_some() {
            return Ok(all.take(limit).collect());
        }
        let mut newest: Vec<_> = all.rev().take(limit).collect();
        newest.reverse();
        Ok(newest)
    }

    /// An order list.
    #[must_use]
    pub fn order_list(&self, id: ListId) -> Option<&OrderList> {
        self.core.list(id)
    }

    /// Every order list ever accepted.
    #[must_use]
    pub fn order_lists(&self) -> &[OrderList] {
        &self.core.lists
    }

    /// Truth: every order ever accepted, oldest first.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        &self.core.orders
    }

    /// Truth: every fill ever made, oldest first; two per trade between our accounts.
    #[must_use]
    pub fn fills(&self) -> &[Fill] {
        &self.core.fills
    }

    /// Truth: how many orders were refused because their client order id was in use.
    #[must_use]
    pub const fn duplicate_client_order_ids_refused(&self) -> u64 {
        self.core.counters.duplicates_refused
    }

    /// Truth: collected commission per asset.
    pub fn fees(&self) -> impl Iterator<Item = (Asset, Amount)> {
        self.core.bank.ledger.fees.iter().map(|(asset, amount)| (*asset, *amount))
    }
}
