//! Looking things up in the books: orders by either id, open ones, those in doubt.

use super::books::Books;
use super::index::Index;
use crate::domain::ids::{ClientOrderId, Symbol, TradeId, VenueId};
use crate::domain::order::Order;

impl Books {
    pub(super) fn open(&self) -> impl Iterator<Item = &Order> {
        self.index.open.iter().filter_map(|number| self.orders.get(number))
    }

    pub(super) fn by_client(&self, id: &ClientOrderId) -> Option<&Order> {
        self.index.by_client.get(id).and_then(|number| self.orders.get(number))
    }

    pub(super) fn by_venue(&self, venue: &VenueId, id: &ClientOrderId) -> Option<&Order> {
        let number = self.index.by_venue.get(&(venue.clone(), id.clone()))?;
        self.orders.get(number)
    }

    /// Fills that an order of this instrument could own without our knowing its venue id yet.
    pub(super) fn unacknowledged(&self, venue: &VenueId, symbol: &Symbol) -> impl Iterator<Item = &Order> {
        Index::at(&self.index.unacknowledged, venue, symbol).filter_map(|number| self.orders.get(&number))
    }

    pub(super) fn unknown(&self, venue: &VenueId, symbol: &Symbol) -> impl Iterator<Item = &Order> {
        Index::at(&self.index.unknown, venue, symbol).filter_map(|number| self.orders.get(&number))
    }

    pub(super) fn fills_after(&self, venue: &VenueId, symbol: &Symbol) -> Option<TradeId> {
        self.ledger.last_trade(venue, symbol)
    }

    pub(super) fn is_busted(&self, venue: &VenueId, symbol: &Symbol, trade: &TradeId) -> bool {
        self.busted.iter().any(|(v, s, t)| v == venue && s == symbol && t == trade)
    }
}
