//! I4: every fill is booked exactly once, as the venue has it.

use super::{Checker, Moment, View};
use plimsoll::domain::ids::TradeId;
use plimsoll::domain::journal::Batch;
use plimsoll::domain::oms::Fact;
use std::collections::BTreeSet;

#[derive(Default)]
pub struct BookedOnce {
    booked: BTreeSet<TradeId>,
    busted: BTreeSet<TradeId>,
}

impl BookedOnce {
    fn written(&mut self, batch: &Batch, view: &View<'_>) -> Result<(), String> {
        for row in &batch.rows {
            match Fact::from_row(row.kind, &row.payload) {
                Ok(Some(Fact::Fill(fill))) => {
                    let ours = &fill.booked.fill;
                    if !self.booked.insert(ours.trade_id.clone()) {
                        return Err(format!("trade {} was booked twice", ours.trade_id));
                    }
                    let theirs =
                        view.exchange.trades.iter().find(|trade| trade.fill.trade_id == ours.trade_id);
                    let Some(theirs) = theirs else { return Err(format!("{} never traded", ours.trade_id)) };
                    let same = (ours.quantity, ours.price, ours.side, ours.fee)
                        == (theirs.fill.quantity, theirs.fill.price, theirs.fill.side, theirs.fill.fee);
                    if !same {
                        return Err(format!("trade {} was booked as {ours:?}", ours.trade_id));
                    }
                }
                Ok(Some(Fact::Bust(fill))) if !self.busted.insert(fill.booked.fill.trade_id.clone()) => {
                    return Err(format!("trade {} was taken back twice", fill.booked.fill.trade_id));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Checker for BookedOnce {
    fn name(&self) -> &'static str {
        "I4 booked exactly once"
    }

    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String> {
        match moment {
            Moment::Written(batch) => self.written(batch, view),
            Moment::End if !view.people.cold => {
                let missing = view
                    .exchange
                    .trades
                    .iter()
                    .find(|trade| !trade.busted && !self.booked.contains(&trade.fill.trade_id));
                missing.map_or(Ok(()), |trade| Err(format!("trade {} was never booked", trade.fill.trade_id)))
            }
            _ => Ok(()),
        }
    }
}
