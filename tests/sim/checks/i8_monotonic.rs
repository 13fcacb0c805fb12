//! I8: what an order executed never falls, and never exceeds its quantity unless the venue says so, in
//! which case trading is halted.

use super::{Checker, Moment, View};
use plimsoll::domain::money::Quantity;
use plimsoll::domain::order::OrderNumber;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Monotonic {
    executed: BTreeMap<OrderNumber, Quantity>,
}

impl Checker for Monotonic {
    fn name(&self) -> &'static str {
        "I8 monotonic"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        let Moment::Written(batch) = moment else { return Ok(()) };
        for order in &batch.orders {
            let before = self.executed.insert(order.number, order.executed).unwrap_or(Quantity::ZERO);
            let id = &order.client_order_id;
            if order.executed < before {
                return Err(format!("{id} had executed {before}, now {}", order.executed));
            }
            let too_much = order.executed > order.quantity || order.booked > order.quantity;
            if too_much && !view.exchange.overfilled {
                return Err(format!("{id}: {} of {} executed", order.executed, order.quantity));
            }
            if too_much && view.store.durable("halt").next().is_none() {
                return Err(format!("{id} was overfilled and trading goes on"));
            }
        }
        Ok(())
    }
}
