//! The books: every booked fill, folded per venue, instrument and strategy; part of the snapshots.
//!
//! Promises (I4): a trade id is booked at most once, in whatever order and however often fills arrive. A
//! figure that does not fit exactly is an error and leaves the books as they were.

use super::accounts::{Account, Accounts};
use super::exact;
use super::holding::{Flow, Holding, average};
use super::memory::{Memory, Seen};
use super::types::{BookedFill, Net, Position};
use crate::domain::ids::{Asset, StrategyId, Symbol, TradeId, VenueId};
use crate::domain::money::{Amount, Price};
use crate::domain::order_types::{Balance, Fill};
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why something was not booked. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The trade is in the books already.
    #[error("trade {trade} of {symbol} at {venue} was booked before")]
    AlreadyBooked {
        /// Where.
        venue: VenueId,
        /// Instrument.
        symbol: Symbol,
        /// Which.
        trade: TradeId,
    },
    /// A sum has more digits than the books can hold (28).
    #[error("{what} of {of} at {venue} does not fit into 28 digits")]
    Overflow {
        /// Where.
        venue: VenueId,
        /// Instrument or asset.
        of: String,
        /// What was being done.
        what: &'static str,
    },
}

/// What a booking changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// The strategy's position after it.
    pub position: Position,
    /// Change of the base asset, without fee.
    pub base: Amount,
    /// Change of the quote asset, without fee.
    pub quote: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct VenueBooks {
    holdings: BTreeMap<Symbol, BTreeMap<StrategyId, Holding>>,
    memory: BTreeMap<Symbol, Memory>,
    accounts: Accounts,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    venues: BTreeMap<VenueId, VenueBooks>,
}

impl Ledger {
    /// What is known of a trade.
    #[must_use]
    pub fn seen(&self, venue: &VenueId, symbol: &Symbol, trade: &TradeId) -> Seen {
        let memory = self.venues.get(venue).and_then(|books| books.memory.get(symbol));
        memory.map_or(Seen::New, |memory| memory.seen(trade))
    }

    /// Takes note of a trade that is not to be booked again, without booking it.
    pub fn note(&mut self, venue: &VenueId, symbol: &Symbol, trade: &TradeId) {
        self.memory(venue, symbol).note(trade);
    }

    /// The highest trade number booked of an instrument: where asking for fills begins.
    #[must_use]
    pub fn last_trade(&self, venue: &VenueId, symbol: &Symbol) -> Option<TradeId> {
        let memory = self.venues.get(venue).and_then(|books| books.memory.get(symbol));
        memory.and_then(Memory::last).map(TradeId::from)
    }

    /// Everything up to this trade number happened before the books: the baseline contains it.
    pub fn open_after(&mut self, venue: &VenueId, symbol: &Symbol, last: u64) {
        self.memory(venue, symbol).open_after(last);
    }

    /// Books a fill. One that is too old for memory is taken at the caller's word.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing changed.
    pub fn book(&mut self, fill: &BookedFill, base: &Asset, quote: &Asset) -> Result<Booked, LedgerError> {
        let (venue, symbol, trade) = (&fill.venue, &fill.fill.symbol, &fill.fill.trade_id);
        if self.seen(venue, symbol, trade) == Seen::Booked {
            return Err(LedgerError::AlreadyBooked {
                venue: venue.clone(),
                symbol: symbol.clone(),
                trade: trade.clone(),
            });
        }
        let booked = self.fold(fill, base, quote, "booking a fill", Holding::book, Some)?;
        self.memory(venue, symbol).note(trade);
        Ok(booked)
    }

    /// Takes back a fill that was booked. That it was, and not taken back before, is the caller's word; the
    /// trade stays remembered, so that a late copy of it is not booked again.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`]; nothing changed.
    pub fn bust(&mut self, fill: &BookedFill, base: &Asset, quote: &Asset) -> Result<Booked, LedgerError> {
        self.fold(fill, base, quote, "taking a fill back", Holding::bust, exact::negated)
    }

    fn fold(
        &mut self,
        fill: &BookedFill,
        base: &Asset,
        quote: &Asset,
        what: &'static str,
        change: fn(&mut Holding, &Fill, &Asset, WallMs) -> Option<Flow>,
        fee: fn(Amount) -> Option<Amount>,
    ) -> Result<Booked, LedgerError> {
        let (venue, symbol) = (&fill.venue, &fill.fill.symbol);
        let overflow =
            || LedgerError::Overflow { venue: venue.clone(), of: symbol.as_str().to_owned(), what };
        // A fee whose asset the venue left out is taken to be in the quote asset; the comparison of balances
        // finds it out if that is wrong.
        let fee_asset = fill.fill.fee_asset.as_ref().unwrap_or(quote);
        let books = self.venues.entry(venue.clone()).or_default();
        let strategies = books.holdings.entry(symbol.clone()).or_default();
        let mut holding = strategies.get(&fill.strategy).cloned().unwrap_or_default();
        let accounts = &mut books.accounts;
        let done = (|| {
            let flow = change(&mut holding, &fill.fill, fee_asset, fill.booked_at)?;
            let position = holding.position(venue, symbol, &fill.strategy)?;
            let fees = fee(fill.fill.fee)?;
            accounts.change(&[
                (base, Account { flows: flow.base, ..Account::default() }),
                (quote, Account { flows: flow.quote, ..Account::default() }),
                (fee_asset, Account { fees, ..Account::default() }),
            ])?;
            Some(Booked { position, base: flow.base, quote: flow.quote })
        })();
        let booked = done.ok_or_else(overflow)?;
        strategies.insert(fill.strategy.clone(), holding);
        Ok(booked)
    }

    /// Every position that ever was since the books began, flat ones included.
    pub fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        self.venues.iter().flat_map(|(venue, books)| {
            books.holdings.iter().flat_map(move |(symbol, strategies)| {
                strategies
                    .iter()
                    .filter_map(move |(strategy, holding)| holding.position(venue, symbol, strategy))
            })
        })
    }

    /// One strategy's position; `None` when it never had one.
    #[must_use]
    pub fn position(&self, venue: &VenueId, symbol: &Symbol, strategy: &StrategyId) -> Option<Position> {
        self.holding(venue, symbol, strategy)?.position(venue, symbol, strategy)
    }

    /// Exact profit and loss of what one strategy holds, at a price; `None` on overflow. Zero when it never
    /// held anything.
    #[must_use]
    pub fn unrealised(
        &self,
        venue: &VenueId,
        symbol: &Symbol,
        strategy: &StrategyId,
        mark: Price,
    ) -> Option<Amount> {
        self.holding(venue, symbol, strategy).map_or(Some(Amount::ZERO), |holding| holding.unrealised(mark))
    }

    /// All strategies of one instrument together; `None` when nobody ever traded it, and on overflow.
    #[must_use]
    pub fn net(&self, venue: &VenueId, symbol: &Symbol) -> Option<Net> {
        let mut sum = Holding::default();
        for holding in self.venues.get(venue)?.holdings.get(symbol)?.values() {
            sum.quantity = exact::add(sum.quantity, holding.quantity)?;
            sum.cash = exact::add(sum.cash, holding.cash)?;
            sum.cost = exact::add(sum.cost, holding.cost)?;
            sum.turnover = exact::add(sum.turnover, holding.turnover)?;
            for (asset, fee) in &holding.fees {
                exact::add_to(&mut sum.fees, asset, *fee)?;
            }
        }
        Some(Net {
            quantity: sum.quantity,
            average_price: average(sum.cost, sum.quantity),
            realised_pnl: sum.realised()?,
            cash: sum.cash,
            fees: sum.fees,
            turnover: sum.turnover,
        })
    }

    /// Signed base quantity that all strategies together hold of one instrument.
    #[must_use]
    pub fn quantity(&self, venue: &VenueId, symbol: &Symbol) -> Amount {
        self.net(venue, symbol).map_or(Amount::ZERO, |net| net.quantity)
    }

    /// The venue's balances are the new beginning of what its accounts are expected to hold.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`]; nothing changed.
    pub fn set_baseline(&mut self, venue: &VenueId, balances: &[Balance]) -> Result<(), LedgerError> {
        let books = self.venues.entry(venue.clone()).or_default();
        books.accounts.begin(balances).ok_or_else(|| LedgerError::Overflow {
            venue: venue.clone(),
            of: "balances".to_owned(),
            what: "setting the baseline",
        })
    }

    /// A deposit, withdrawal or transfer.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`]; nothing changed.
    pub fn moved(&mut self, venue: &VenueId, asset: &Asset, delta: Amount) -> Result<(), LedgerError> {
        let books = self.venues.entry(venue.clone()).or_default();
        let change = Account { moves: delta, ..Account::default() };
        books.accounts.change(&[(asset, change)]).ok_or_else(|| LedgerError::Overflow {
            venue: venue.clone(),
            of: asset.as_str().to_owned(),
            what: "booking a transfer",
        })
    }

    /// What a venue's balances (free and locked together) should be; `None` before the first baseline. An
    /// asset that is not listed is expected to be at zero.
    #[must_use]
    pub fn expected(&self, venue: &VenueId) -> Option<BTreeMap<Asset, Amount>> {
        self.venues.get(venue)?.accounts.expected()
    }

    /// The parts of one asset's expected balance.
    #[must_use]
    pub fn account(&self, venue: &VenueId, asset: &Asset) -> Option<Account> {
        self.venues.get(venue)?.accounts.assets.get(asset).copied()
    }

    /// Closes the books for a cold start: no positions, no baselines. Returns the positions that there were,
    /// set to nothing. Trades stay remembered: the past is closed, not to be booked once more.
    pub fn clear(&mut self, at: WallMs) -> Vec<Position> {
        let closed = self.positions().map(|position| Position {
            quantity: Amount::ZERO,
            average_price: None,
            realised_pnl: Amount::ZERO,
            fees: BTreeMap::new(),
            turnover: Amount::ZERO,
            updated_at: at,
            ..position
        });
        let closed = closed.collect();
        for books in self.venues.values_mut() {
            books.holdings.clear();
            books.accounts = Accounts::default();
        }
        closed
    }

    fn holding(&self, venue: &VenueId, symbol: &Symbol, strategy: &StrategyId) -> Option<&Holding> {
        self.venues.get(venue)?.holdings.get(symbol)?.get(strategy)
    }

    fn memory(&mut self, venue: &VenueId, symbol: &Symbol) -> &mut Memory {
        let books = self.venues.entry(venue.clone()).or_default();
        books.memory.entry(symbol.clone()).or_default()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
