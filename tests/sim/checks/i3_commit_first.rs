//! I3: nothing is sent that was not committed: the first sending after its intent, each further one after a
//! `resend` row of its own.

use super::{Checker, Moment, View};
use crate::wire::Request;
use plimsoll::domain::ids::ClientOrderId;
use plimsoll::domain::oms::{Effect, Fact};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct CommitFirst {
    /// Sendings that durable rows allow.
    allowed: BTreeMap<ClientOrderId, u32>,
    sent: BTreeMap<ClientOrderId, u32>,
}

impl Checker for CommitFirst {
    fn name(&self) -> &'static str {
        "I3 commit first"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        match moment {
            Moment::Written(batch) => {
                for row in &batch.rows {
                    match Fact::from_row(row.kind, &row.payload) {
                        Ok(Some(Fact::Intent(order))) => {
                            self.allowed.insert(order.venue_client_order_id.clone(), 1);
                        }
                        Ok(Some(Fact::Resend(resend))) => {
                            let order = view.store.orders.get(&resend.order).ok_or("a resend of nothing")?;
                            *self.allowed.entry(order.venue_client_order_id.clone()).or_default() += 1;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Moment::Effect(Effect::Submit(_, order)) => {
                let id = &order.get().client_order_id;
                let sent = self.sent.entry(id.clone()).or_default();
                *sent += 1;
                let allowed = self.allowed.get(id).copied().unwrap_or(0);
                if *sent <= allowed {
                    return Ok(());
                }
                Err(format!("{id} is sent for the {sent}. time, durable rows allow {allowed}"))
            }
            // It did not leave after all.
            Moment::Denied(Request::Place(order)) => {
                *self.sent.entry(order.client_order_id.clone()).or_default() -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
