//! I7: with the faults healed, everything settles: orders final or confirmed by the venue, positions and
//! balances equal to the venue's, nothing waiting, and nobody left without an answer.

use super::{Checker, Moment, View};
use crate::exchange::{amount, asset};
use plimsoll::domain::order_types::OrderStatus;
use rust_decimal::Decimal;

/// Says what has not settled yet.
pub fn settled(view: &View<'_>) -> Result<(), String> {
    if !view.store.pending.is_empty() {
        return Err("rows wait for the disk".to_owned());
    }
    for order in view.oms.orders() {
        let there = view.exchange.find(&order.venue_client_order_id);
        let live = there.is_some_and(|found| found.is_live());
        let id = &order.client_order_id;
        if live == order.state.is_final() {
            return Err(format!("{id} is {:?} here and {:?} there", order.state, there.map(|o| &o.status)));
        }
        let executed = there.map_or(Decimal::ZERO, |found| found.executed);
        if order.executed.get() != executed || order.booked.get() != executed {
            return Err(format!(
                "{id}: executed {executed} there, {} and booked {} here",
                order.executed, order.booked
            ));
        }
    }
    for (_, order) in view.exchange.live() {
        let id = &order.asked.client_order_id;
        if !view.oms.orders().any(|ours| ours.venue_client_order_id == *id) {
            return Err(format!("nobody watches {id} ({:?})", OrderStatus::New));
        }
    }
    balances(view)
}

fn balances(view: &View<'_>) -> Result<(), String> {
    let ledger = view.oms.ledger();
    let expected = ledger.expected(view.venue).ok_or("no baseline")?;
    for (name, held) in &view.exchange.balances {
        let ours = expected.get(name).map_or(Decimal::ZERO, |sum| sum.get());
        if ours != *held {
            return Err(format!("{name}: {held} at the venue, {ours} expected"));
        }
    }
    for symbol in view.symbols {
        let (ours, theirs) = (ledger.quantity(view.venue, symbol), amount(view.exchange.position(symbol)));
        if ours != theirs && !view.people.cold {
            return Err(format!("position in {symbol}: {theirs} at the venue, {ours} here"));
        }
    }
    Ok(())
}

/// Why a halt by the order management itself would be right: the venue did something that it never told, or
/// executed more than was asked for.
pub fn excuse(view: &View<'_>) -> Option<String> {
    if view.exchange.overfilled {
        return Some("overfilled".to_owned());
    }
    let told = view.oms.ledger().account(view.venue, &asset("USDT")).map_or(Decimal::ZERO, |a| a.moves.get());
    let made = view.people.moves.get(&asset("USDT")).copied().unwrap_or_default();
    if told != made {
        return Some(format!("moved {made}, told {told}"));
    }
    let untold = view.exchange.trades.iter().find(|trade| {
        let ours = view.store.fills.values().find(|fill| fill.fill.trade_id == trade.fill.trade_id);
        trade.busted && ours.is_some_and(|fill| !fill.busted)
    });
    untold.map(|trade| format!("trade {} was taken back, untold", trade.fill.trade_id))
}

/// Everybody who asked was answered, once.
pub struct Answered;

impl Checker for Answered {
    fn name(&self) -> &'static str {
        "I7 liveness"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        match moment {
            Moment::End if view.people.waiting() > 0 => {
                Err(format!("{} callers still wait for an answer", view.people.waiting()))
            }
            _ => Ok(()),
        }
    }
}
