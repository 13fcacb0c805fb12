//! The exchange: commands in, answers and events out.
//!
//! Owns the order of work of one command: carry it out, wake the stop orders its trades reached,
//! announce. It promises that a refused command changes nothing but the count of refused duplicates
//! (and, for a cancel-replace, the half that succeeded), and that equal commands at equal times in equal
//! states give equal events. Time is the caller's and should not run backwards.
//!
//! It does not know signatures, rate limits, sockets or faults: those stand before it.

use super::accounts::Account;
use super::command::{CancelOrder, CancelReplace, Command, MarketBook, MarketTrade, NewOco, NewOrder};
use super::core::{Core, Limits};
use super::event::{BalanceUpdate, ExchangeEvent};
use super::ids::{AccountId, Asset, Symbol};
use super::market::Market;
use super::money::{Amount, Rate, UNITS_PER_ONE};
use super::outcome::{CancelReplaced, Cancelled, OcoPlaced, Outcome, Placed};
use super::pit::Pit;
use super::refusal::Refusal;
use super::symbol::SymbolSpec;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    pub(super) core: Core,
    pub(super) markets: BTreeMap<Symbol, Market>,
}

impl Exchange {
    /// An exchange without symbols or accounts.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { core: Core { limits, ..Core::default() }, markets: BTreeMap::new() }
    }

    /// Carries out one command at `now_ms` (milliseconds since the epoch) and appends what it caused to
    /// `events`.
    ///
    /// # Errors
    /// A [`Refusal`] with the venue's code.
    pub fn apply(
        &mut self,
        now_ms: i64,
        command: &Command,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<Outcome, Refusal> {
        match command {
            Command::ListSymbol(spec) => self.list_symbol(*spec).map(|()| Outcome::Done),
            Command::SetStatus { symbol, status } => {
                let market = self.markets.get_mut(symbol).ok_or(Refusal::UnknownSymbol)?;
                market.spec.status = *status;
                Ok(Outcome::Done)
            }
            Command::OpenAccount { account, maker, taker } => {
                self.open_account(now_ms, *account, *maker, *taker).map(|()| Outcome::Done)
            }
            Command::SetTrading { account, can_trade } => {
                let account = self.core.bank.accounts.get_mut(account).ok_or(Refusal::UnknownAccount)?;
                account.can_trade = *can_trade;
                Ok(Outcome::Done)
            }
            Command::Adjust { account, asset, delta } => {
                self.adjust(now_ms, *account, *asset, *delta, events).map(|()| Outcome::Done)
            }
            Command::Place(new) => {
                self.place(now_ms, new, events).map(|placed| Outcome::Placed(Box::new(placed)))
            }
            Command::PlaceOco(new) => {
                self.place_oco(now_ms, new, events).map(|placed| Outcome::OcoPlaced(Box::new(placed)))
            }
            Command::Cancel(request) => {
                self.cancel(now_ms, request, events).map(|done| Outcome::Cancelled(Box::new(done)))
            }
            Command::CancelAll { account, symbol } => {
                self.cancel_all(now_ms, *account, *symbol, events).map(Outcome::AllCancelled)
            }
            Command::CancelReplace(request) => self
                .cancel_replace(now_ms, request, events)
                .map(|done| Outcome::CancelReplaced(Box::new(done))),
            Command::MarketBook(change) => self.market_book(now_ms, change, events).map(|()| Outcome::Done),
            Command::MarketTrade(trade) => self.market_trade(now_ms, trade, events).map(|()| Outcome::Done),
        }
    }

    /// Lists a symbol.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`], [`Refusal::TooMany`].
    pub fn list_symbol(&mut self, spec: SymbolSpec) -> Result<(), Refusal> {
        if self.markets.contains_key(&spec.symbol) {
            return Err(Refusal::AlreadyExists);
        }
        if self.markets.len() >= self.core.limits.symbols {
            return Err(Refusal::TooMany);
        }
        self.markets.insert(spec.symbol, Market::new(spec));
        Ok(())
    }

    /// Opens an account with its commission rates.
    ///
    /// # Errors
    /// [`Refusal::AlreadyExists`], [`Refusal::TooMany`]; [`Refusal::NotPositive`] when a rate is one or
    /// more, which would take all that a trade brings.
    pub fn open_account(
        &mut self,
        now_ms: i64,
        account: AccountId,
        maker: Rate,
        taker: Rate,
    ) -> Result<(), Refusal> {
        let one = Rate::from_units(UNITS_PER_ONE);
        if !(Rate::ZERO..one).contains(&maker) || !(Rate::ZERO..one).contains(&taker) {
            return Err(Refusal::NotPositive { parameter: "commission" });
        }
        if self.core.bank.accounts.contains_key(&account) {
            return Err(Refusal::AlreadyExists);
        }
        if self.core.bank.accounts.len() >= self.core.limits.accounts {
            return Err(Refusal::TooMany);
        }
        self.core.bank.accounts.insert(account, Account::new(maker, taker, now_ms));
        Ok(())
    }

    /// Pays into (or, negative, out of) the free part of a balance.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`], [`Refusal::BadAdjustment`].
    pub fn adjust(
        &mut self,
        now_ms: i64,
        account: AccountId,
        asset: Asset,
        delta: Amount,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<(), Refusal> {
        if !self.core.bank.accounts.contains_key(&account) {
            return Err(Refusal::UnknownAccount);
        }
        if !self.core.bank.adjust(account, asset, delta, now_ms) {
            return Err(Refusal::BadAdjustment);
        }
        events.push(ExchangeEvent::Balance(BalanceUpdate { account, at_ms: now_ms, asset, delta }));
        self.core.touched.push((account, asset));
        std::mem::swap(&mut self.core.out, events);
        self.core.announce_private(now_ms);
        std::mem::swap(&mut self.core.out, events);
        Ok(())
    }

    /// Places one order.
    ///
    /// # Errors
    /// Any refusal of `place`: filters, duplicate id, balance and so on.
    pub fn place(
        &mut self,
        now_ms: i64,
        new: &NewOrder,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<Placed, Refusal> {
        self.on(new.symbol, now_ms, events, |pit| pit.place(new))
    }

    /// What [`Exchange::place`] would refuse, without placing (`POST /order/test`).
    ///
    /// # Errors
    /// As [`Exchange::place`].
    pub fn test(&mut self, now_ms: i64, new: &NewOrder) -> Result<(), Refusal> {
        let market = self.markets.get_mut(&new.symbol).ok_or(Refusal::UnknownSymbol)?;
        Pit { core: &mut self.core, market, now_ms }.prepare(new).map(|_| ())
    }

    /// Places a one-cancels-the-other pair.
    ///
    /// # Errors
    /// As [`Exchange::place`], and [`Refusal::ListPrices`].
    pub fn place_oco(
        &mut self,
        now_ms: i64,
        new: &NewOco,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<OcoPlaced, Refusal> {
        self.on(new.symbol, now_ms, events, |pit| pit.place_oco(new))
    }

    /// Cancels one order, or the undecided pair it belongs to.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`], [`Refusal::CancelRestricted`].
    pub fn cancel(
        &mut self,
        now_ms: i64,
        request: &CancelOrder,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<Cancelled, Refusal> {
        self.on(request.symbol, now_ms, events, |pit| pit.cancel(request))
    }

    /// Cancels every open order of an account on a symbol, oldest first.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] when there is none.
    pub fn cancel_all(
        &mut self,
        now_ms: i64,
        account: AccountId,
        symbol: Symbol,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<Vec<Cancelled>, Refusal> {
        self.on(symbol, now_ms, events, |pit| pit.cancel_all(account))
    }

    /// Cancels one order and places another. `Ok` holds both halves; ask
    /// [`CancelReplaced::refusal`] for the verdict.
    ///
    /// # Errors
    /// Only what stops the request before either half: account, symbol, status, filters.
    pub fn cancel_replace(
        &mut self,
        now_ms: i64,
        request: &CancelReplace,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<CancelReplaced, Refusal> {
        self.on(request.order.symbol, now_ms, events, |pit| pit.cancel_replace(request))
    }

    /// Applies a change of the market's visible book. Emits exactly one book change, also for an empty
    /// update, so that recorded ids pass through without a gap.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`] for a level that cannot be, [`Refusal::TruthFull`].
    pub fn market_book(
        &mut self,
        now_ms: i64,
        change: &MarketBook,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<(), Refusal> {
        let market = self.markets.get_mut(&change.symbol).ok_or(Refusal::UnknownSymbol)?;
        std::mem::swap(&mut self.core.out, events);
        let mut pit = Pit { core: &mut self.core, market, now_ms };
        let answer = pit.market_book(change);
        if answer.is_ok() {
            pit.trigger_stops();
            let first = pit.market.updates.last.saturating_add(1);
            pit.market.updates.market(change.last_update_id);
            pit.announce_book_since(first);
        }
        self.core.announce_private(now_ms);
        std::mem::swap(&mut self.core.out, events);
        answer
    }

    /// Applies a trade between strangers on the market.
    ///
    /// # Errors
    /// [`Refusal::NotPositive`], [`Refusal::TruthFull`].
    pub fn market_trade(
        &mut self,
        now_ms: i64,
        trade: &MarketTrade,
        events: &mut Vec<ExchangeEvent>,
    ) -> Result<(), Refusal> {
        self.on(trade.symbol, now_ms, events, |pit| pit.market_trade(trade))
    }

    fn on<T>(
        &mut self,
        symbol: Symbol,
        now_ms: i64,
        events: &mut Vec<ExchangeEvent>,
        work: impl FnOnce(&mut Pit<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let market = self.markets.get_mut(&symbol).ok_or(Refusal::UnknownSymbol)?;
        // The caller's buffer takes the events directly: the exchange keeps no queue of its own.
        std::mem::swap(&mut self.core.out, events);
        let mut pit = Pit { core: &mut self.core, market, now_ms };
        let answer = work(&mut pit);
        pit.trigger_stops();
        pit.announce_book();
        self.core.announce_private(now_ms);
        std::mem::swap(&mut self.core.out, events);
        answer
    }
}
