//! The market's own flow, recorded or synthetic, and what it does to our accounts' orders.
//!
//! Owns the fill model of resting orders against strangers:
//! * A trade strictly through an order's price fills the order in full at its own price: the stranger
//!   would have met it first. This holds on either side, whoever was the aggressor.
//! * A trade at its price first uses up the quantity that was ahead of it, then fills it.
//! * A book update that shows the other side at or beyond an order's price fills it, up to the shown
//!   quantity, which is then taken off the book.
//!
//! What the model does not do: strangers never react to our orders, a recorded trade is printed in full
//! even where our order took its place (our fill is printed beside it), and a level that the market
//! refreshes is whole again whatever we took from it before.

use super::command::{MarketBook, MarketTrade};
use super::event::{ExchangeEvent, PublicTrade};
use super::ids::TradeId;
use super::money::{Price, Qty};
use super::order::Side;
use super::pit::Pit;
use super::refusal::Refusal;
use super::side::Rank;
use std::collections::BTreeSet;

impl Pit<'_> {
    /// Applies a change of the market's visible book. Its numbering is the caller's.
    pub(super) fn market_book(&mut self, change: &MarketBook) -> Result<(), Refusal> {
        self.core.room_for(0)?;
        for (price, quantity) in change.bids.iter().chain(&change.asks) {
            if !price.is_positive() || *quantity < Qty::ZERO {
                return Err(Refusal::NotPositive { parameter: "level" });
            }
        }
        for (side, levels) in [(Side::Buy, &change.bids), (Side::Sell, &change.asks)] {
            if change.replace {
                self.forget_levels(side, levels);
            }
            for (price, quantity) in levels {
                let rank = self.market.side(side).rank(*price);
                self.set_level(side, rank, *quantity);
            }
            while self.market.side(side).market_len() > self.core.limits.market_levels {
                let Some(rank) = self.market.side_mut(side).drop_worst_market() else { break };
                self.set_level(side, rank, Qty::ZERO);
            }
        }
        for side in [Side::Buy, Side::Sell] {
            self.fill_crossed(side);
        }
        Ok(())
    }

    /// Empties every level of the market that `kept` does not name.
    fn forget_levels(&mut self, side: Side, kept: &[(Price, Qty)]) {
        let book = self.market.side(side);
        let kept: BTreeSet<Rank> = kept.iter().map(|(price, _)| book.rank(*price)).collect();
        let gone: Vec<_> =
            book.market_levels().map(|(rank, _)| rank).filter(|rank| !kept.contains(rank)).collect();
        for rank in gone {
            self.set_level(side, rank, Qty::ZERO);
        }
    }

    /// Shows a quantity at a level. No more can stand ahead of our orders there than that.
    fn set_level(&mut self, side: Side, rank: Rank, quantity: Qty) {
        self.market.side_mut(side).set_market(rank, quantity);
        self.market.dirty.push((side, rank));
        for id in self.market.side(side).own_at(rank) {
            if let Some(place) = self.core.order_mut(id).and_then(|order| order.place.as_mut()) {
                place.ahead = place.ahead.min(quantity);
            }
        }
    }

    /// Fills our orders that the market's other side now reaches, best first.
    fn fill_crossed(&mut self, side: Side) {
        let opposite = side.opposite();
        while let Some((rank, id)) = self.market.side(side).best_own() {
            let price = self.market.side(side).price(rank);
            let book = self.market.side_mut(opposite);
            let reach = book.rank(price);
            let Some((met, shown)) = book.best_market().filter(|(met, _)| *met <= reach) else { return };
            let Some(remaining) = self.core.order(id).map(|order| order.remaining()) else { return };
            let quantity = remaining.min(shown);
            book.set_market(met, shown - quantity);
            self.market.dirty.push((opposite, met));
            self.trade_with_market(id, opposite, price, quantity, true);
        }
    }

    /// Applies a trade between strangers.
    pub(super) fn market_trade(&mut self, trade: &MarketTrade) -> Result<(), Refusal> {
        self.core.room_for(0)?;
        if !trade.price.is_positive() {
            return Err(Refusal::NotPositive { parameter: "price" });
        }
        if !trade.quantity.is_positive() {
            return Err(Refusal::NotPositive { parameter: "quantity" });
        }
        for side in [Side::Buy, Side::Sell] {
            self.fill_through(side, trade.price);
        }
        self.fill_at(trade.aggressor.opposite(), trade.price, trade.quantity);
        let trade_id = TradeId(self.market.trade_ids.market(trade.trade_id));
        let public = PublicTrade {
            symbol: trade.symbol,
            trade_id,
            price: trade.price,
            quantity: trade.quantity,
            at_ms: self.now_ms,
            buyer_is_maker: trade.aggressor == Side::Sell,
        };
        self.market.print(public);
        self.core.out.push(ExchangeEvent::Trade(public));
        Ok(())
    }

    /// Fills our orders whose price is strictly better than the trade's.
    fn fill_through(&mut self, side: Side, traded: Price) {
        let reach = self.market.side(side).rank(traded);
        while let Some((rank, id)) = self.market.side(side).best_own().filter(|(rank, _)| *rank < reach) {
            let price = self.market.side(side).price(rank);
            let Some(remaining) = self.core.order(id).map(|order| order.remaining()) else { return };
            self.trade_with_market(id, side.opposite(), price, remaining, true);
        }
    }

    /// Spends the traded quantity on the queue at its price: strangers ahead, our order, strangers
    /// behind it, our next order.
    fn fill_at(&mut self, side: Side, price: Price, traded: Qty) {
        let rank = self.market.side(side).rank(price);
        let mut left = traded;
        while left.is_positive() {
            let first = self.market.side(side).first_own_at(rank);
            let Some(order) = first.and_then(|id| self.core.order(id)) else { return };
            let ahead = order.place.map_or(Qty::ZERO, |place| place.ahead).min(left);
            let (id, quantity) = (order.order_id, order.remaining().min(left - ahead));
            left -= ahead + quantity;
            if ahead.is_positive() {
                self.pass(side, rank, ahead);
            }
            if quantity.is_positive() {
                self.trade_with_market(id, side.opposite(), price, quantity, true);
            }
        }
    }
}
