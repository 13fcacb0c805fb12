//! What changed at the venue while nobody was listening: known state against a fresh account snapshot.
//!
//! After every reconnect the connector fetches open orders, fills and balances, compares them here, and
//! only then lets orders out again. Absence is evidence, not proof: a venue may hide an order for a while,
//! so `missing_at_venue` is to be queried one by one, never booked as cancelled.

use super::ids::{Asset, ClientOrderId, Symbol, TradeId, VenueOrderId};
use super::order_types::{Balance, Fill, OrderReport};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Trade ids (per instrument) and closed orders remembered, to tell news from a repetition.
const REMEMBERED: usize = 4_096;
/// Most open orders that are tracked. Beyond it the comparison would lie, so `note` refuses.
pub const MAX_OPEN_ORDERS: usize = 50_000;

/// What the venue says, fetched as one set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountSnapshot {
    /// Every open order.
    pub open_orders: Vec<OrderReport>,
    /// Fills after the last known trade id of each instrument, oldest first.
    pub fills: Vec<Fill>,
    /// Every balance.
    pub balances: Vec<Balance>,
}

/// What the comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Open at the venue, unknown here.
    pub unknown_here: Vec<ClientOrderId>,
    /// Believed open here, not open at the venue: query each.
    pub missing_at_venue: Vec<(Symbol, ClientOrderId)>,
    /// Open on both sides, with more executed at the venue than was reported.
    pub executed_more: Vec<ClientOrderId>,
    /// Fills not seen before.
    pub new_fills: Vec<Fill>,
    /// Assets whose balance moved.
    pub balances_moved: Vec<Asset>,
}

impl Differences {
    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The latest distinct items, at most [`REMEMBERED`].
#[derive(Debug)]
struct Recent<T> {
    order: VecDeque<T>,
    set: BTreeSet<T>,
}

impl<T: Ord + Clone> Recent<T> {
    fn new() -> Self {
        Self { order: VecDeque::new(), set: BTreeSet::new() }
    }

    /// Adds an item; `false` when it is among the latest already.
    fn add(&mut self, item: &T) -> bool {
        if !self.set.insert(item.clone()) {
            return false;
        }
        self.order.push_back(item.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
        true
    }
}

#[derive(Debug)]
struct Seen {
    last: Option<u64>,
    trades: Recent<TradeId>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { last: None, trades: Recent::new() }
    }
}

/// The connector's own view of its account, kept from answers and reports.
#[derive(Debug)]
pub struct AccountView {
    open: BTreeMap<ClientOrderId, OrderReport>,
    closed: Recent<(ClientOrderId, VenueOrderId)>,
    trades: BTreeMap<Symbol, Seen>,
    balances: BTreeMap<Asset, Balance>,
    overflowed: bool,
}

impl Default for AccountView {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            closed: Recent::new(),
            trades: BTreeMap::new(),
            balances: BTreeMap::new(),
            overflowed: false,
        }
    }
}

impl AccountView {
    /// Takes note of an order's state. A report can be late, so executed quantity never falls, and a final
    /// state is never undone within this view.
    pub fn note_report(&mut self, report: &OrderReport) {
        for fill in &report.fills {
            self.note_fill(fill);
        }
        let key = (report.client_order_id.clone(), report.venue_order_id.clone());
        if !report.status.is_live() {
            self.open.remove(&report.client_order_id);
            self.closed.add(&key);
        } else if self.closed.set.contains(&key) {
            // A report that was overtaken by the final one.
        } else if let Some(held) = self.open.get_mut(&report.client_order_id) {
            if report.executed >= held.executed {
                *held = report.clone();
            }
        } else if self.open.len() < MAX_OPEN_ORDERS {
            self.open.insert(report.client_order_id.clone(), report.clone());
        } else {
            self.overflowed = true;
        }
    }

    /// Takes note of a fill; `false` when it was seen before.
    pub fn note_fill(&mut self, fill: &Fill) -> bool {
        let seen = self.trades.entry(fill.symbol.clone()).or_default();
        if !seen.trades.add(&fill.trade_id) {
            return false;
        }
        seen.last = seen.last.max(fill.trade_id.number());
        true
    }

    /// Takes note of balances.
    pub fn note_balances(&mut self, balances: &[Balance]) {
        for balance in balances {
            self.balances.insert(balance.asset.clone(), balance.clone());
        }
    }

    /// The last known trade id of an instrument, on venues that count.
    #[must_use]
    pub fn last_trade(&self, symbol: &Symbol) -> Option<u64> {
        self.trades.get(symbol).and_then(|seen| seen.last)
    }

    /// Sets where fill recovery begins, from the journal at start-up.
    pub fn set_last_trade(&mut self, symbol: Symbol, trade: u64) {
        let seen = self.trades.entry(symbol).or_default();
        seen.last = seen.last.max(Some(trade));
    }

    /// Orders believed open.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.open.len()
    }

    /// Were there ever more open orders than can be tracked?
    #[must_use]
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Compares with what the venue says, and takes the venue's state over.
    pub fn compare(&mut self, fetched: &AccountSnapshot) -> Differences {
        let mut found = Differences::default();
        let theirs: BTreeMap<&ClientOrderId, &OrderReport> =
            fetched.open_orders.iter().map(|order| (&order.client_order_id, order)).collect();
        for (id, order) in &theirs {
            match self.open.get(*id) {
                None => found.unknown_here.push((*id).clone()),
                Some(held) if order.executed > held.executed => found.executed_more.push((*id).clone()),
                Some(_) => {}
            }
        }
        found.missing_at_venue = self
            .open
            .values()
            .filter(|held| !theirs.contains_key(&held.client_order_id))
            .map(|held| (held.symbol.clone(), held.client_order_id.clone()))
            .collect();
        found.new_fills = fetched.fills.iter().filter(|fill| self.note_fill(fill)).cloned().collect();
        for balance in &fetched.balances {
            if self.balances.get(&balance.asset).is_some_and(|held| held != balance) {
                found.balances_moved.push(balance.asset.clone());
            }
        }
        for order in &fetched.open_orders {
            self.note_report(order);
        }
        // Each of them is handed out for a query; kept, it would be reported at every reconnect for ever.
        for (_, id) in &found.missing_at_venue {
            self.open.remove(id);
        }
        self.balances.clear();
        self.note_balances(&fetched.balances);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::money::{Amount, Price, Quantity};
    use super::super::order_types::{Liquidity, OrderStatus, OrderType, Side, TimeInForce};
    use super::super::time::WallMs;
    use super::*;

    fn symbol() -> Symbol {
        Symbol::new("BTCUSDT").unwrap()
    }

    fn order(id: &str, status: OrderStatus, executed: &str) -> OrderReport {
        OrderReport {
            client_order_id: ClientOrderId::new(id).unwrap(),
            venue_order_id: VenueOrderId::from(1),
            symbol: symbol(),
            side: Side::Buy,
            order_type: OrderType::Limit,
            time_in_force: TimeInForce::Gtc,
            status,
            execution: None,
            price: Price::parse("1").unwrap(),
            quantity: Quantity::parse("5").unwrap(),
            executed: Quantity::parse(executed).unwrap(),
            executed_quote: Amount::ZERO,
            fills: vec![],
            reject_reason: None,
            at: WallMs(0),
        }
    }

    fn fill(trade: u64) -> Fill {
        Fill {
            trade_id: TradeId::from(trade),
            symbol: symbol(),
            venue_order_id: VenueOrderId::from(1),
            client_order_id: None,
            side: Side::Buy,
            quantity: Quantity::parse("1").unwrap(),
            price: Price::parse("1").unwrap(),
            fee: Amount::ZERO,
            fee_asset: None,
            liquidity: Liquidity::Maker,
            at: WallMs(0),
        }
    }

    fn usdt(free: &str) -> Balance {
        Balance {
            asset: Asset::new("USDT").unwrap(),
            free: Amount::parse(free).unwrap(),
            locked: Amount::ZERO,
        }
    }

    #[test]
    fn every_kind_of_difference_is_found_once() {
        let mut view = AccountView::default();
        view.note_report(&order("same", OrderStatus::New, "0"));
        view.note_report(&order("gone", OrderStatus::New, "0"));
        view.note_report(&order("more", OrderStatus::PartiallyFilled, "1"));
        view.note_fill(&fill(7));
        view.note_balances(&[usdt("10")]);
        let fetched = AccountSnapshot {
            open_orders: vec![
                order("same", OrderStatus::New, "0"),
                order("more", OrderStatus::PartiallyFilled, "2"),
                order("new", OrderStatus::New, "0"),
            ],
            fills: vec![fill(7), fill(8)],
            balances: vec![usdt("9")],
        };
        let found = view.compare(&fetched);
        assert_eq!(found.unknown_here, vec![ClientOrderId::new("new").unwrap()]);
        assert_eq!(found.missing_at_venue, vec![(symbol(), ClientOrderId::new("gone").unwrap())]);
        assert_eq!(found.executed_more, vec![ClientOrderId::new("more").unwrap()]);
        assert_eq!(found.new_fills, vec![fill(8)]);
        assert_eq!(found.balances_moved, vec![Asset::new("USDT").unwrap()]);
        assert_eq!(view.last_trade(&symbol()), Some(8));
        assert!(view.compare(&fetched).is_empty(), "the second comparison finds nothing new");
    }

    #[test]
    fn a_late_report_does_not_lower_the_executed_quantity() {
        let mut view = AccountView::default();
        view.note_report(&order("a", OrderStatus::PartiallyFilled, "3"));
        view.note_report(&order("a", OrderStatus::New, "0"));
        let fetched = AccountSnapshot {
            open_orders: vec![order("a", OrderStatus::PartiallyFilled, "3")],
            ..AccountSnapshot::default()
        };
        assert!(view.compare(&fetched).executed_more.is_empty());
        view.note_report(&order("a", OrderStatus::Filled, "5"));
        view.note_report(&order("a", OrderStatus::New, "0"));
        assert_eq!(view.open_orders(), 0, "an overtaken report does not reopen an order");
    }

    #[test]
    fn memory_is_bounded() {
        let mut view = AccountView::default();
        for trade in 0..10_000 {
            view.note_fill(&fill(trade));
        }
        assert_eq!(view.trades.get(&symbol()).unwrap().trades.set.len(), REMEMBERED);
        assert_eq!(view.last_trade(&symbol()), Some(9_999));
    }
}
