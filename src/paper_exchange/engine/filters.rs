//! The venue's filters, applied to one new order.
//!
//! Owns the order in which they are tried and the price a market order is valued at. Each failure is a
//! [`Refusal::Filter`] (code -1013). It changes nothing.
//! Rules: the filters of Binance Spot's public documentation.

use super::command::Terms;
use super::market::{Desk, Market};
use super::money::{Amount, Price, Qty};
use super::order::Side;
use super::refusal::{Filter, Refusal};
use super::symbol::LotSize;

/// Tries every filter on one order; `desk` is the account's, if it ever traded the symbol.
pub(super) fn check(
    market: &Market,
    desk: Option<&Desk>,
    side: Side,
    terms: &Terms,
    now_ms: i64,
) -> Result<(), Refusal> {
    positive(terms)?;
    for price in terms.price().into_iter().chain(terms.stop_price()) {
        price_filter(market, price)?;
    }
    if let Some(price) = terms.price() {
        percent_price(market, side, price, now_ms)?;
    }
    let takes_market = matches!(
        terms,
        Terms::Market { .. } | Terms::MarketQuote { .. } | Terms::StopLoss { .. } | Terms::TakeProfit { .. }
    );
    if let Some(quantity) = terms.quantity() {
        lot(market.spec.lot, quantity, Filter::LotSize)?;
        if takes_market {
            lot(market.spec.market_lot, quantity, Filter::MarketLotSize)?;
        }
    }
    notional(market, terms, now_ms)?;
    counts(market, desk, terms.kind().is_algo(), 1)
}

/// `MAX_NUM_ORDERS` and `MAX_NUM_ALGO_ORDERS` for `orders` more orders, of which one is an algo order
/// when `algo`.
pub(super) fn counts(market: &Market, desk: Option<&Desk>, algo: bool, orders: usize) -> Result<(), Refusal> {
    let (open, open_algo) = desk.map_or((0, 0), |desk| (desk.open.len(), desk.open_algo));
    let most = usize::try_from(market.spec.max_num_orders).unwrap_or(usize::MAX);
    if most > 0 && open.saturating_add(orders) > most {
        return Err(Refusal::Filter(Filter::MaxNumOrders));
    }
    if algo && market.spec.max_num_algo_orders > 0 && open_algo >= market.spec.max_num_algo_orders {
        return Err(Refusal::Filter(Filter::MaxNumAlgoOrders));
    }
    Ok(())
}

fn positive(terms: &Terms) -> Result<(), Refusal> {
    let parameter = match terms {
        Terms::MarketQuote { quote_quantity } if !quote_quantity.is_positive() => "quoteOrderQty",
        _ if terms.quantity().is_some_and(|quantity| !quantity.is_positive()) => "quantity",
        _ if terms.price().is_some_and(|price| !price.is_positive()) => "price",
        _ if terms.stop_price().is_some_and(|price| !price.is_positive()) => "stopPrice",
        _ => return Ok(()),
    };
    Err(Refusal::NotPositive { parameter })
}

fn price_filter(market: &Market, price: Price) -> Result<(), Refusal> {
    let rule = market.spec.price;
    let below = price < rule.min_price;
    let above = rule.max_price.is_positive() && price > rule.max_price;
    // Ticks count from the minimum price, as on the venue: (price - minPrice) % tickSize == 0.
    let between = rule.tick_size.is_positive()
        && (price.units() - rule.min_price.units()) % rule.tick_size.units() != 0;
    if below || above || between { Err(Refusal::Filter(Filter::PriceFilter)) } else { Ok(()) }
}

fn percent_price(market: &Market, side: Side, price: Price, now_ms: i64) -> Result<(), Refusal> {
    let Some(rule) = market.spec.percent_price else { return Ok(()) };
    let Some(average) = market.average_price(now_ms, rule.avg_price_mins) else { return Ok(()) };
    let (down, up) = match side {
        Side::Buy => (rule.bid_multiplier_down, rule.bid_multiplier_up),
        Side::Sell => (rule.ask_multiplier_down, rule.ask_multiplier_up),
    };
    let below = down.is_positive() && average.scaled(down).is_some_and(|least| price < least);
    let above = up.is_positive() && average.scaled(up).is_some_and(|most| price > most);
    if below || above { Err(Refusal::Filter(Filter::PercentPriceBySide)) } else { Ok(()) }
}

/// One lot filter; steps count from the minimum quantity.
pub(super) fn lot(rule: LotSize, quantity: Qty, filter: Filter) -> Result<(), Refusal> {
    let below = quantity < rule.min_qty;
    let above = rule.max_qty.is_positive() && quantity > rule.max_qty;
    let between = rule.step_size.is_positive()
        && (quantity.units() - rule.min_qty.units()) % rule.step_size.units() != 0;
    if below || above || between { Err(Refusal::Filter(filter)) } else { Ok(()) }
}

fn notional(market: &Market, terms: &Terms, now_ms: i64) -> Result<(), Refusal> {
    let rule = market.spec.notional;
    let average = || market.average_price(now_ms, rule.avg_price_mins);
    let (value, is_market) = match terms {
        Terms::MarketQuote { quote_quantity } => (Some(*quote_quantity), true),
        Terms::Market { quantity } => (average().map(|price| price.notional(*quantity)), true),
        Terms::StopLoss { quantity, stop_price } | Terms::TakeProfit { quantity, stop_price } => {
            (Some(stop_price.notional(*quantity)), true)
        }
        _ => (terms.price().zip(terms.quantity()).map(|(price, quantity)| price.notional(quantity)), false),
    };
    let Some(value) = value else { return Ok(()) };
    let below = value < rule.min_notional && (!is_market || rule.apply_min_to_market);
    let above = rule.max_notional > Amount::ZERO
        && value > rule.max_notional
        && (!is_market || rule.apply_max_to_market);
    if below || above { Err(Refusal::Filter(Filter::Notional)) } else { Ok(()) }
}
