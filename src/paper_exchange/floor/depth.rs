//! Collects book changes between two announcements.
//!
//! Promises contiguous ids: each announcement begins right after the last one ended, whatever was
//! collected in between. Holds one entry per touched level, so a burst on one level stays small.

use crate::paper_exchange::engine::{BookChange, Price, Qty};
use crate::paper_exchange::market::Level;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Book changes not yet announced.
#[derive(Debug, Default)]
pub struct DepthGather {
    ids: Option<(u64, u64)>,
    bids: BTreeMap<Reverse<Price>, Qty>,
    asks: BTreeMap<Price, Qty>,
}

/// What one announcement holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// First and last update id.
    pub ids: (u64, u64),
    /// Bids, best first.
    pub bids: Vec<Level>,
    /// Asks, best first.
    pub asks: Vec<Level>,
}

impl DepthGather {
    /// Adds a change.
    pub fn add(&mut self, change: &BookChange) {
        let first = self.ids.map_or(change.first_update_id, |(first, _)| first);
        self.ids = Some((first, change.last_update_id));
        self.bids.extend(change.bids.iter().map(|(price, quantity)| (Reverse(*price), *quantity)));
        self.asks.extend(change.asks.iter().copied());
    }

    /// Forgets what was collected, because nobody listens.
    pub fn clear(&mut self) {
        if self.ids.is_some() {
            *self = Self::default();
        }
    }

    /// Everything collected since the last call.
    pub fn take(&mut self) -> Option<Gathered> {
        let ids = self.ids.take()?;
        let bids = std::mem::take(&mut self.bids).into_iter().map(|(Reverse(price), qty)| (price, qty));
        let asks = std::mem::take(&mut self.asks);
        Some(Gathered { ids, bids: bids.collect(), asks: asks.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper_exchange::engine::Symbol;

    fn change(ids: (u64, u64), bids: &[(&str, &str)]) -> BookChange {
        let level = |(price, qty): &(&str, &str)| (price.parse().unwrap(), qty.parse().unwrap());
        BookChange {
            symbol: Symbol::new("AB").unwrap(),
            at_ms: 0,
            first_update_id: ids.0,
            last_update_id: ids.1,
            bids: bids.iter().map(level).collect(),
            asks: Vec::new(),
        }
    }

    #[test]
    fn changes_merge_and_ids_stay_contiguous() {
        let mut gather = DepthGather::default();
        assert_eq!(gather.take(), None);
        gather.add(&change((5, 7), &[("1", "1"), ("3", "1")]));
        gather.add(&change((8, 8), &[("1", "0"), ("2", "4")]));
        let taken = gather.take().unwrap();
        assert_eq!(taken.ids, (5, 8));
        let prices: Vec<String> = taken.bids.iter().map(|(price, qty)| format!("{price}x{qty}")).collect();
        assert_eq!(prices, ["3.00000000x1.00000000", "2.00000000x4.00000000", "1.00000000x0.00000000"]);
        gather.add(&change((9, 9), &[]));
        assert_eq!(gather.take().unwrap().ids, (9, 9));
    }
}
