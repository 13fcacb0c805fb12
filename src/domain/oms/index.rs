//! Indexes over the orders in the books, so that no step walks through all of them.
//!
//! Follows [`super::books::Books`] and is rebuilt from the orders; it holds no truth of its own.

use crate::domain::ids::{ClientOrderId, Symbol, VenueId, VenueOrderId};
use crate::domain::order::{Order, OrderNumber, OrderState};
use std::collections::{BTreeMap, BTreeSet};

/// Orders per instrument.
pub(super) type PerSymbol = BTreeSet<(VenueId, Symbol, OrderNumber)>;

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Index {
    pub(super) by_client: BTreeMap<ClientOrderId, OrderNumber>,
    pub(super) by_venue: BTreeMap<(VenueId, ClientOrderId), OrderNumber>,
    pub(super) by_venue_order: BTreeMap<(VenueId, Symbol, VenueOrderId), OrderNumber>,
    pub(super) open: BTreeSet<OrderNumber>,
    /// Not final, and without a venue's id.
    pub(super) unacknowledged: PerSymbol,
    pub(super) unknown: PerSymbol,
    /// The venue says more than was booked.
    pub(super) unbooked: BTreeSet<OrderNumber>,
    /// Orders that stand in the queue of the closed.
    pub(super) retired: BTreeSet<OrderNumber>,
    /// Orders per state.
    pub(super) counts: BTreeMap<OrderState, u64>,
}

impl Index {
    pub(super) fn enter(&mut self, order: &Order) {
        self.by_client.insert(order.client_order_id.clone(), order.number);
        self.by_venue.insert((order.venue.clone(), order.venue_client_order_id.clone()), order.number);
        self.count(None, Some(order.state));
        self.states(order);
    }

    /// Follows a change of state that stands in memory alone, or is part of another change.
    pub(super) fn count(&mut self, before: Option<OrderState>, after: Option<OrderState>) {
        if before == after {
            return;
        }
        if let Some(state) = before
            && let Some(count) = self.counts.get_mut(&state)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&state);
            }
        }
        if let Some(state) = after {
            let count = self.counts.entry(state).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn leave(&mut self, order: &Order) {
        self.count(Some(order.state), None);
        self.by_client.remove(&order.client_order_id);
        let key = (order.venue.clone(), order.venue_client_order_id.clone());
        // The venue lets a name be used again; a younger order may own it by now.
        if self.by_venue.get(&key) == Some(&order.number) {
            self.by_venue.remove(&key);
        }
        if let Some(id) = &order.venue_order_id {
            self.by_venue_order.remove(&(order.venue.clone(), order.symbol.clone(), id.clone()));
        }
        self.open.remove(&order.number);
        self.unbooked.remove(&order.number);
        self.retired.remove(&order.number);
        let key = (order.venue.clone(), order.symbol.clone(), order.number);
        self.unacknowledged.remove(&key);
        self.unknown.remove(&key);
    }

    /// Follows a change of state, of venue id or of quantities. Names never change.
    pub(super) fn replace(&mut self, before: &Order, after: &Order) {
        let same = before.state == after.state
            && before.venue_order_id == after.venue_order_id
            && before.is_booked() == after.is_booked();
        if !same {
            self.count(Some(before.state), Some(after.state));
            self.states(after);
        }
    }

    fn states(&mut self, order: &Order) {
        fn set<T: Ord>(set: &mut BTreeSet<T>, key: T, present: bool) {
            if present {
                set.insert(key);
            } else {
                set.remove(&key);
            }
        }
        let open = !order.state.is_final();
        if let Some(id) = &order.venue_order_id {
            let key = (order.venue.clone(), order.symbol.clone(), id.clone());
            self.by_venue_order.insert(key, order.number);
        }
        set(&mut self.open, order.number, open);
        set(&mut self.unbooked, order.number, !order.is_booked());
        let key = (order.venue.clone(), order.symbol.clone(), order.number);
        set(&mut self.unacknowledged, key.clone(), open && order.venue_order_id.is_none());
        set(&mut self.unknown, key, order.state == OrderState::Unknown);
    }

    /// The orders of one instrument.
    pub(super) fn at<'a>(
        set: &'a PerSymbol,
        venue: &VenueId,
        symbol: &Symbol,
    ) -> impl Iterator<Item = OrderNumber> + 'a {
        let first = (venue.clone(), symbol.clone(), OrderNumber(0));
        let last = (venue.clone(), symbol.clone(), OrderNumber(u64::MAX));
        set.range(first..=last).map(|(_, _, number)| *number)
    }
}
