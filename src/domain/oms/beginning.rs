//! The beginning of a venue's books: balances and last trades that belong together.
//!
//! Orders, fills and balances cannot be read at one instant. They are read again until a whole round shows
//! nothing new; only then are they the baseline that every later comparison rests on.

use super::core::Oms;
use super::fact::{Baseline, Fact};
use super::out::Out;
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::ids::{Symbol, TradeId, VenueId};
use crate::domain::order_types::{Balance, Fill};
use std::collections::{BTreeMap, BTreeSet};

/// Rounds before the start is given up.
const ROUNDS: u32 = 100;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    balances: Vec<Balance>,
    after: BTreeMap<Symbol, u64>,
    /// Instruments whose fills this round has not seen.
    pending: BTreeSet<Symbol>,
    read: bool,
    asked: bool,
    dirty: bool,
    rounds: u32,
    /// The activity count at the beginning of the round.
    activity: u64,
    done: bool,
    /// The baseline stands in the journal.
    pub(super) recorded: bool,
}

impl Beginning {
    pub(super) fn settled(&self) -> bool {
        self.done
    }

    /// What was under way has no answer: the round begins anew.
    pub(super) fn restart(&mut self) {
        if !self.recorded {
            (self.asked, self.done) = (false, false);
        }
    }
}

fn total(balances: &[Balance]) -> BTreeMap<&crate::domain::ids::Asset, Option<crate::domain::money::Amount>> {
    let sums = balances.iter().map(|balance| (&balance.asset, balance.free.checked_add(balance.locked)));
    sums.filter(|(_, sum)| sum.is_none_or(|sum| !sum.is_zero())).collect()
}

impl Oms {
    /// A comparison at a venue whose books have no beginning, or are to begin anew.
    pub(super) fn begin_books(&mut self, _: &mut Out, venue: &VenueId, snapshot: &AccountSnapshot) {
        let mut after = self.last_trades(venue);
        for fill in &snapshot.fills {
            note(&mut after, fill);
        }
        if let Some(run) = self.venues.get_mut(venue) {
            run.beginning =
                Some(Beginning { balances: snapshot.balances.clone(), after, ..Beginning::default() });
        }
    }

    /// Fills that were read.
    pub(super) fn beginning_saw(&mut self, venue: &VenueId, symbol: &Symbol, fills: &[Fill]) {
        let beginning = self.venues.get_mut(venue).and_then(|run| run.beginning.as_mut());
        let Some(beginning) = beginning.filter(|beginning| beginning.asked && !beginning.done) else {
            return;
        };
        beginning.pending.remove(symbol);
        for fill in fills {
            beginning.dirty |= note(&mut beginning.after, fill);
        }
    }

    /// Balances that were read.
    pub(super) fn beginning_read(&mut self, venue: &VenueId, balances: &[Balance]) {
        let beginning = self.venues.get_mut(venue).and_then(|run| run.beginning.as_mut());
        let Some(beginning) = beginning.filter(|beginning| beginning.asked && !beginning.done) else {
            return;
        };
        beginning.dirty |= total(&beginning.balances) != total(balances);
        beginning.balances = balances.to_vec();
        beginning.read = true;
    }

    /// Goes on with the round, or begins the next.
    pub(super) fn progress_beginning(&mut self, out: &mut Out, venue: &VenueId) {
        let cold = self.start.as_ref().is_some_and(|start| start.is_cold() && !start.done);
        let symbols = self.symbols(venue);
        let Some(run) = self.venues.get_mut(venue) else { return };
        let activity = run.activity;
        let (live, unconfirmed) = (run.live && run.compared, !run.unconfirmed.is_empty());
        let Some(beginning) = run.beginning.as_mut().filter(|beginning| !beginning.recorded) else { return };
        if !live || unconfirmed {
            return;
        }
        if beginning.asked && beginning.pending.is_empty() && beginning.read {
            let still = !beginning.dirty && beginning.activity == activity;
            beginning.done = still;
            if still {
                if !cold {
                    self.record_baseline(out, venue);
                }
                return;
            }
            beginning.asked = false;
        }
        if beginning.asked {
            return;
        }
        beginning.rounds = beginning.rounds.saturating_add(1);
        if beginning.rounds > ROUNDS {
            let why = format!("the balances of {venue} do not hold still for a beginning of its books");
            return self.refuse_start(out, why);
        }
        (beginning.asked, beginning.read, beginning.dirty, beginning.done) = (true, false, false, false);
        beginning.activity = activity;
        beginning.pending = symbols.iter().cloned().collect();
        let after = beginning.after.clone();
        for symbol in &symbols {
            self.fetch(out, venue, symbol, after.get(symbol).copied());
        }
        if let Some(run) = self.venues.get_mut(venue) {
            run.audit.asked = None;
        }
        self.ask_balances(out, venue);
    }

    /// Did anything move since the round that settled it?
    pub(super) fn beginning_holds(&mut self, venue: &VenueId) -> bool {
        let Some(run) = self.venues.get_mut(venue) else { return false };
        let activity = run.activity;
        let Some(beginning) = run.beginning.as_mut() else { return false };
        let holds = beginning.done && beginning.activity == activity;
        if !holds {
            (beginning.asked, beginning.done) = (false, false);
        }
        holds
    }

    pub(super) fn record_baseline(&mut self, out: &mut Out, venue: &VenueId) {
        let Some(beginning) = self.venues.get_mut(venue).and_then(|run| run.beginning.as_mut()) else {
            return;
        };
        beginning.recorded = true;
        let balances = beginning.balances.clone();
        let after = beginning.after.iter().map(|(symbol, last)| (symbol.clone(), TradeId::from(*last)));
        let after = after.collect();
        let fact = Fact::Baseline(Baseline { venue: venue.clone(), balances: balances.clone(), after });
        self.record(out, fact);
        self.report_balances(out, venue, &balances);
        if let Some(run) = self.venues.get_mut(venue) {
            run.audit.judged = true;
        }
    }
}

/// Raises the last trade of an instrument; `true` when that is news.
fn note(after: &mut BTreeMap<Symbol, u64>, fill: &Fill) -> bool {
    let Some(number) = fill.trade_id.number() else { return false };
    let last = after.entry(fill.symbol.clone()).or_insert(0);
    let news = number > *last;
    *last = number.max(*last);
    news
}
