//! What all symbols share: accounts, the record of every order and trade, and the events of the running
//! command.
//!
//! Owns the truth of a run. Orders, fills and lists are arenas: an id is an index plus one, nothing is
//! ever removed, and `Limits` bounds them by refusing new orders instead of forgetting old ones.

use super::accounts::Bank;
use super::event::{AccountPosition, ExchangeEvent, ExecutionReport, ExecutionType, ListReport, ListStatus};
use super::ids::{AccountId, Asset, ClientOrderId, ListId, OrderId, Symbol, TradeId};
use super::money::{Amount, Price, Qty};
use super::order::{Order, Side};
use super::outcome::OrderList;
use super::refusal::Refusal;
use serde::{Deserialize, Serialize};

/// How much a run may record. An order takes about 0.5 KiB with its indexes, a fill about 0.25 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Orders ever accepted. The next one is refused with [`Refusal::TruthFull`].
    pub orders: usize,
    /// Fills ever made, per order side. From then on orders and market events are refused with
    /// [`Refusal::TruthFull`]; one command may exceed the figure by what it matches.
    pub fills: usize,
    /// Symbols.
    pub symbols: usize,
    /// Accounts.
    pub accounts: usize,
    /// Visible levels per side and symbol; the worst are dropped beyond it.
    pub market_levels: usize,
}

impl Default for Limits {
    /// A million orders, two million fills, 64 symbols, 1 024 accounts, 10 000 levels.
    fn default() -> Self {
        Self { orders: 1_000_000, fills: 2_000_000, symbols: 64, accounts: 1_024, market_levels: 10_000 }
    }
}

/// One order's side of one trade. A trade between two of our accounts has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Unique within the symbol.
    pub trade_id: TradeId,
    /// The order.
    pub order_id: OrderId,
    /// Its list.
    pub list_id: Option<ListId>,
    /// Its owner.
    pub account: AccountId,
    /// The symbol.
    pub symbol: Symbol,
    /// The order's side.
    pub side: Side,
    /// Trade price.
    pub price: Price,
    /// Base quantity.
    pub quantity: Qty,
    /// Quote amount.
    pub quote: Amount,
    /// Commission paid.
    pub commission: Amount,
    /// In which asset.
    pub commission_asset: Asset,
    /// Whether this order was the maker.
    pub is_maker: bool,
    /// Whether the other side was a stranger on the market rather than one of our accounts.
    pub against_market: bool,
    /// In milliseconds since the epoch.
    pub at_ms: i64,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Core {
    pub(super) limits: Limits,
    pub(super) bank: Bank,
    pub(super) orders: Vec<Order>,
    pub(super) fills: Vec<Fill>,
    pub(super) lists: Vec<OrderList>,
    pub(super) counters: Counters,
    /// Events of the running command.
    pub(super) out: Vec<ExchangeEvent>,
    /// Balances the running command touched.
    pub(super) touched: Vec<(AccountId, Asset)>,
    /// Lists the running command changed.
    pub(super) lists_changed: Vec<ListId>,
}

/// Numbers that rise through the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Counters {
    /// Execution reports.
    pub(super) executions: u64,
    /// Prevented matches.
    pub(super) preventions: u64,
    /// Refused duplicates of client order ids.
    pub(super) duplicates_refused: u64,
}

/// Where an arena keeps a number.
pub(super) fn index(number: u64) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX)
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl Core {
    /// An order by number.
    pub(super) fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(index(id.0))
    }

    /// An order by number.
    pub(super) fn order_mut(&mut self, id: OrderId) -> Option<&mut Order> {
        self.orders.get_mut(index(id.0))
    }

    /// A list by number.
    pub(super) fn list(&self, id: ListId) -> Option<&OrderList> {
        self.lists.get(index(id.0))
    }

    /// A list by number.
    pub(super) fn list_mut(&mut self, id: ListId) -> Option<&mut OrderList> {
        self.lists.get_mut(index(id.0))
    }

    /// The number of the next order.
    pub(super) fn next_order_id(&self) -> OrderId {
        OrderId(number(self.orders.len()) + 1)
    }

    /// The number of the next list.
    pub(super) fn next_list_id(&self) -> ListId {
        ListId(number(self.lists.len()) + 1)
    }

    /// Refuses when `more` orders would not fit into the record.
    pub(super) fn room_for(&self, more: usize) -> Result<(), Refusal> {
        let fits = self.orders.len().saturating_add(more) <= self.limits.orders;
        if fits && self.fills.len() < self.limits.fills { Ok(()) } else { Err(Refusal::TruthFull) }
    }

    /// The number of the next report.
    pub(super) fn next_execution(&mut self) -> u64 {
        self.counters.executions += 1;
        self.counters.executions
    }

    /// Reports where an order stands, with what `detail` adds.
    pub(super) fn report(
        &mut self,
        id: OrderId,
        execution_type: ExecutionType,
        now_ms: i64,
        detail: impl FnOnce(&mut ExecutionReport),
    ) {
        let execution_id = self.next_execution();
        let Some(order) = self.orders.get(index(id.0)) else { return };
        let mut report = ExecutionReport::of(order, execution_type, now_ms, execution_id);
        detail(&mut report);
        self.out.push(ExchangeEvent::Execution(Box::new(report)));
    }

    /// A free name for an order or cancel that came without one: readable, and the same in every replay.
    pub(super) fn generated_id(prefix: char, number: u64, attempt: u32) -> Option<ClientOrderId> {
        let text =
            if attempt == 0 { format!("{prefix}-{number}") } else { format!("{prefix}-{number}-{attempt}") };
        ClientOrderId::new(&text).ok()
    }

    /// Announces the lists and balances the command changed.
    pub(super) fn announce_private(&mut self, now_ms: i64) {
        let mut lists = std::mem::take(&mut self.lists_changed);
        lists.sort_unstable();
        lists.dedup();
        for id in lists.drain(..) {
            self.announce_list(id, now_ms);
        }
        self.lists_changed = lists;
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for group in touched.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((account_id, _)) = group.first() else { continue };
            let Some(account) = self.bank.accounts.get_mut(account_id) else { continue };
            account.updated_ms = now_ms;
            let balances = group.iter().map(|(_, asset)| account.balance(*asset)).collect();
            self.out.push(ExchangeEvent::Position(AccountPosition {
                account: *account_id,
                at_ms: now_ms,
                balances,
            }));
        }
        touched.clear();
        self.touched = touched;
    }

    fn announce_list(&mut self, id: ListId, now_ms: i64) {
        let Some(list) = self.list(id) else { return };
        let legs = list.legs.iter().filter_map(|leg| Some((*leg, self.order(*leg)?.client_order_id)));
        let report = ListReport {
            account: list.account,
            at_ms: now_ms,
            symbol: list.symbol,
            list_id: id,
            list_client_order_id: list.list_client_order_id,
            status: if list.done { ListStatus::AllDone } else { ListStatus::Executing },
            orders: legs.collect(),
        };
        self.out.push(ExchangeEvent::List(Box::new(report)));
    }
}
