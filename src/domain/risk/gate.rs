//! The last hop: may this order go out, now? Asked when its row is on disk, at the instant of sending.
//!
//! Everything is passed in. An order that passed once is asked about again before a second sending. It is
//! the one place where an [`Approved`] is made; a refusal is an outcome with a code.

use super::approved::Approved;
use crate::domain::money::Price;
use crate::domain::oms::{Mark, Refusal, RefusalKind};
use crate::domain::order::{Order, OrderKind};
use crate::domain::order_types::{NewOrder, OrderType, TimeInForce};
use crate::domain::run_state::Level;
use rust_decimal::Decimal;

/// What the decision rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// How long the order has waited, milliseconds.
    pub age_ms: u64,
    /// How long it may wait, milliseconds.
    pub max_age_ms: u64,
    /// Trading is halted.
    pub halted: bool,
    /// How much operators allow.
    pub level: Level,
    /// Does the order make the position smaller, whatever else executes? Asked where `level` is not running.
    pub reduces: bool,
    /// Nobody has judged lately whether what is known is true.
    pub lapsed: bool,
    /// The run is ending.
    pub draining: bool,
    /// May its strategy trade?
    pub strategy_enabled: bool,
    /// Can orders go out to its venue? The reason when they cannot.
    pub venue_closed: Option<String>,
    /// For a second sending: how far the market may have moved.
    pub guard: Option<PriceGuard>,
}

/// How far the market may have moved from the order's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceGuard {
    /// As a fraction of the order's price.
    pub fraction: Decimal,
    /// The market now; `None` when nobody knows, which forbids.
    pub mark: Option<Mark>,
}

/// Decides.
///
/// # Errors
/// The [`Refusal`]. `VENUE_GATE_CLOSED` may pass with time, everything else stands.
pub fn approve(order: &Order, inputs: &Inputs) -> Result<Approved<NewOrder>, Refusal> {
    let conflict = |code, detail: String| Err(Refusal { code, detail, kind: RefusalKind::Conflict });
    if inputs.halted {
        return conflict("TRADING_HALTED", format!("order={}", order.client_order_id));
    }
    if inputs.draining {
        return conflict("DRAINING", format!("order={}", order.client_order_id));
    }
    if inputs.lapsed {
        let detail = format!("order={}", order.client_order_id);
        return Err(Refusal { code: "TRUTH_LEASE_EXPIRED", detail, kind: RefusalKind::Unavailable });
    }
    match inputs.level {
        Level::Running => {}
        Level::ReduceOnly if inputs.reduces => {}
        Level::Paused if inputs.reduces && order.reduce_only => {}
        Level::ReduceOnly => return conflict("REDUCE_ONLY", format!("order={}", order.client_order_id)),
        Level::Paused => return conflict("TRADING_PAUSED", format!("order={}", order.client_order_id)),
    }
    if order.cancel_requested {
        return conflict("CANCEL_REQUESTED", format!("order={}", order.client_order_id));
    }
    if !inputs.strategy_enabled {
        return conflict("STRATEGY_DISABLED", format!("strategy={}", order.strategy));
    }
    if inputs.age_ms > inputs.max_age_ms {
        let detail = format!("age_ms={}, max_age_ms={}", inputs.age_ms, inputs.max_age_ms);
        return conflict("ORDER_TOO_OLD", detail);
    }
    if let (Some(guard), Some(price)) = (&inputs.guard, order.price) {
        check_price(price, guard)?;
    }
    if let Some(why) = &inputs.venue_closed {
        let detail = format!("venue={}, why={why}", order.venue);
        return Err(Refusal { code: "VENUE_GATE_CLOSED", detail, kind: RefusalKind::Unavailable });
    }
    Ok(Approved::mint(to_send(order)))
}

fn check_price(price: Price, guard: &PriceGuard) -> Result<(), Refusal> {
    let refuse = |code, detail| Err(Refusal { code, detail, kind: RefusalKind::Conflict });
    let Some(middle) = guard.mark.and_then(|mark| mark.bid.midpoint(mark.ask)) else {
        return refuse("NO_FRESH_MARK", format!("price={price}"));
    };
    let moved = middle.get().checked_sub(price.get()).map(|gap| gap.abs());
    let allowed = price.get().checked_mul(guard.fraction);
    match (moved, allowed) {
        (Some(moved), Some(allowed)) if moved <= allowed => Ok(()),
        _ => refuse("PRICE_MOVED", format!("price={price}, market={middle}, allowed={}", guard.fraction)),
    }
}

fn to_send(order: &Order) -> NewOrder {
    let (order_type, time_in_force) = match order.kind {
        OrderKind::Limit => (OrderType::Limit, Some(order.time_in_force.clone().unwrap_or(TimeInForce::Gtc))),
        OrderKind::Market => (OrderType::Market, None),
        OrderKind::LimitMaker => (OrderType::LimitMaker, None),
    };
    NewOrder {
        client_order_id: order.venue_client_order_id.clone(),
        symbol: order.symbol.clone(),
        side: order.side,
        order_type,
        quantity: order.quantity.normalized(),
        price: order.price.map(Price::normalized),
        stop_price: None,
        time_in_force,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::risk::testing::{d, order};

    fn inputs() -> Inputs {
        Inputs {
            age_ms: 0,
            max_age_ms: 1_000,
            halted: false,
            level: Level::Running,
            reduces: false,
            lapsed: false,
            draining: false,
            strategy_enabled: true,
            venue_closed: None,
            guard: None,
        }
    }

    fn buy() -> Order {
        order(1, 0, 0, crate::domain::order_types::Side::Buy, 2, 100)
    }

    fn code(order: &Order, inputs: &Inputs) -> &'static str {
        approve(order, inputs).map_or_else(|refusal| refusal.code, |_| "APPROVED")
    }

    #[test]
    fn each_reason_refuses_alone() {
        let guard = PriceGuard { fraction: d("0.01"), mark: None };
        let cases = [
            (Inputs { halted: true, ..inputs() }, "TRADING_HALTED"),
            (Inputs { draining: true, ..inputs() }, "DRAINING"),
            (Inputs { lapsed: true, ..inputs() }, "TRUTH_LEASE_EXPIRED"),
            (Inputs { level: Level::Paused, ..inputs() }, "TRADING_PAUSED"),
            (Inputs { level: Level::ReduceOnly, ..inputs() }, "REDUCE_ONLY"),
            (Inputs { strategy_enabled: false, ..inputs() }, "STRATEGY_DISABLED"),
            (Inputs { age_ms: 1_001, ..inputs() }, "ORDER_TOO_OLD"),
            (Inputs { guard: Some(guard), ..inputs() }, "NO_FRESH_MARK"),
            (Inputs { venue_closed: Some("away".to_owned()), ..inputs() }, "VENUE_GATE_CLOSED"),
        ];
        for (inputs, wanted) in cases {
            assert_eq!(code(&buy(), &inputs), wanted);
        }
        assert_eq!(code(&Order { cancel_requested: true, ..buy() }, &inputs()), "CANCEL_REQUESTED");
        let sent = approve(&buy(), &inputs()).unwrap().into_inner();
        assert_eq!((sent.quantity.get(), sent.order_type), (d("2"), OrderType::Limit));
        // Nothing forbids what has waited exactly as long as it may.
        assert_eq!(code(&buy(), &Inputs { age_ms: 1_000, ..inputs() }), "APPROVED");
    }

    #[test]
    fn what_reduces_passes_where_only_that_may() {
        let said = Order { reduce_only: true, ..buy() };
        let at = |level, reduces| Inputs { level, reduces, ..inputs() };
        // Reduce only: what reduces, whether or not it says so of itself; saying so is not enough.
        assert_eq!(code(&buy(), &at(Level::ReduceOnly, true)), "APPROVED");
        assert_eq!(code(&said, &at(Level::ReduceOnly, false)), "REDUCE_ONLY");
        // Paused: both.
        assert_eq!(code(&said, &at(Level::Paused, true)), "APPROVED");
        assert_eq!(code(&buy(), &at(Level::Paused, true)), "TRADING_PAUSED");
        assert_eq!(code(&said, &at(Level::Paused, false)), "TRADING_PAUSED");
    }

    #[test]
    fn a_second_sending_follows_the_market_up_to_its_limit() {
        let price = |text: &str| Price::new(d(text)).unwrap();
        let at = |bid: &str, ask: &str| {
            let mark = Some(Mark { bid: price(bid), ask: price(ask) });
            Inputs { guard: Some(PriceGuard { fraction: d("0.01"), mark }), ..inputs() }
        };
        for (bid, ask, wanted) in [
            ("101", "101", "APPROVED"),
            ("99", "99", "APPROVED"),
            ("101", "101.02", "PRICE_MOVED"),
            ("98.98", "99", "PRICE_MOVED"),
        ] {
            assert_eq!(code(&buy(), &at(bid, ask)), wanted, "{bid} {ask}");
        }
        let market = Order { price: None, kind: OrderKind::Market, ..buy() };
        assert_eq!(code(&market, &at("500", "500")), "APPROVED", "without a price nothing has moved");
    }
}
