//! One instrument: its assets, its mark, what all strategies hold and work in it, and its own prices.

use super::super::statistics::Volatility;
use super::worst::Worst;
use crate::domain::ids::{Asset, Symbol, VenueId};
use crate::domain::oms::Mark;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// See the module's head.
#[derive(Debug, Clone)]
pub(in super::super) struct InstrumentBook {
    pub(in super::super) venue: VenueId,
    pub(in super::super) symbol: Symbol,
    /// Place of the venue in the book's list.
    pub(super) venue_place: usize,
    /// `None` until the venue's rules were heard.
    pub(in super::super) base: Option<Asset>,
    pub(in super::super) quote: Option<Asset>,
    /// Paid with the risk currency itself.
    pub(super) in_currency: bool,
    mark: Option<(Mark, Mono)>,
    pub(in super::super) worst: Worst,
    pub(in super::super) open: u32,
    /// Prices of our open buys and sells, and how many stand at each.
    buys: BTreeMap<Decimal, u32>,
    sells: BTreeMap<Decimal, u32>,
    pub(in super::super) volatility: Volatility,
}

impl InstrumentBook {
    pub(super) fn new(venue: VenueId, symbol: Symbol, venue_place: usize) -> Self {
        Self {
            venue,
            symbol,
            venue_place,
            base: None,
            quote: None,
            in_currency: false,
            mark: None,
            worst: Worst::default(),
            open: 0,
            buys: BTreeMap::new(),
            sells: BTreeMap::new(),
            volatility: Volatility::default(),
        }
    }

    /// Takes a mark; one that makes no sense is none.
    pub(super) fn set_mark(&mut self, now: Mono, mark: Option<Mark>) {
        let sound = mark.filter(|mark| !mark.bid.is_zero() && mark.bid <= mark.ask);
        if let Some(middle) = sound.and_then(|mark| mark.bid.midpoint(mark.ask)) {
            self.volatility.note(now.0, middle.get());
        }
        self.mark = sound.map(|mark| (mark, now));
    }

    /// The mark, if it is fresh.
    pub(in super::super) fn mark(&self, now: Mono, max_age_ms: u64) -> Option<Mark> {
        self.mark.filter(|(_, at)| now.since(*at) <= max_age_ms).map(|(mark, _)| mark)
    }

    /// The middle of the fresh mark.
    pub(super) fn middle(&self, now: Mono, max_age_ms: u64) -> Option<Decimal> {
        let mark = self.mark(now, max_age_ms)?;
        mark.bid.midpoint(mark.ask).map(|middle| middle.get())
    }

    /// The middle of the last mark, however old: for statistics only.
    pub(super) fn last_middle(&self) -> Option<Decimal> {
        self.middle(Mono(0), u64::MAX)
    }

    pub(super) fn opened(&mut self, side: Side, price: Decimal) {
        self.open = self.open.saturating_add(1);
        let count = self.prices(side).entry(price).or_insert(0);
        *count = count.saturating_add(1);
    }

    pub(super) fn closed(&mut self, side: Side, price: Decimal) {
        self.open = self.open.saturating_sub(1);
        let prices = self.prices(side);
        if let Some(count) = prices.get_mut(&price) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                prices.remove(&price);
            }
        }
    }

    const fn prices(&mut self, side: Side) -> &mut BTreeMap<Decimal, u32> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    /// The price of ours that an order of this side would meet first.
    pub(in super::super) fn own_opposite(&self, side: Side) -> Option<Decimal> {
        match side {
            Side::Buy => self.sells.keys().next().copied(),
            Side::Sell => self.buys.keys().next_back().copied(),
        }
    }
}
