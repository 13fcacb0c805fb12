//! I2: per client order id the venue accepts at most one order, ever.

use super::{Checker, Moment, View};

#[derive(Default)]
pub struct NotTwice {
    looked_at: usize,
}

impl Checker for NotTwice {
    fn name(&self) -> &'static str {
        "I2 no duplicate order"
    }

    fn see(&mut self, _: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        if self.looked_at == view.exchange.orders.len() {
            return Ok(());
        }
        self.looked_at = view.exchange.orders.len();
        match view.exchange.accepted.iter().find(|(_, count)| **count > 1) {
            Some((id, count)) => Err(format!("the venue accepted {id} {count} times")),
            None => Ok(()),
        }
    }
}
