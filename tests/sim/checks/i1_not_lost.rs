//! I1: an order that was acknowledged to its caller is in the journal, and is final or being reconciled.

use super::{Checker, Moment, View};
use plimsoll::domain::oms::{Answer, Effect};

pub struct NotLost;

impl Checker for NotLost {
    fn name(&self) -> &'static str {
        "I1 no order lost"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        match moment {
            Moment::Effect(Effect::Reply(_, Answer::Accepted(order))) => {
                let durable = view.store.orders.contains_key(&order.number);
                durable
                    .then_some(())
                    .ok_or_else(|| format!("{} was acknowledged, not synced", order.client_order_id))
            }
            Moment::Started | Moment::End => {
                for (id, number) in &view.people.accepted {
                    let Some(written) = view.store.orders.get(number) else {
                        return Err(format!("{id} is not in the journal"));
                    };
                    let watched = view.oms.orders().any(|order| order.number == *number);
                    if !watched && !written.state.is_final() && !view.people.cold {
                        return Err(format!("{id} is {:?} and nobody watches it", written.state));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
