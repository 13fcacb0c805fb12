//! Balances: what the ledger expects against what the venue says.
//!
//! A difference counts only when nothing is unsettled, when several reads in a row agree on it with no
//! movement between them, and when the venue was asked for fills that may have been missed. Then it halts
//! trading: an operator decides. Nothing is ever booked to make the two equal.

use super::core::{Oms, own_actor};
use super::effect::{Effect, NoticeLevel};
use super::fact::{BalanceMoved, Fact};
use super::out::Out;
use super::timers::Alarm;
use super::watch::Stage;
use crate::domain::ids::{Asset, VenueId};
use crate::domain::journal::BalanceRow;
use crate::domain::money::Amount;
use crate::domain::order::OrderState;
use crate::domain::order_types::Balance;
use crate::domain::outcome::ReadError;
use crate::domain::time::{Mono, WallMs};
use std::collections::{BTreeMap, BTreeSet};

impl Oms {
    /// Asks a venue for its balances, unless an answer is awaited.
    pub(super) fn ask_balances(&mut self, out: &mut Out, venue: &VenueId) {
        if self.await_balances(out, venue) {
            out.push(Effect::FetchBalances(venue.clone()));
        }
    }

    /// A heartbeat asks: its answer is compared like one of our own questions.
    pub(super) fn balances_asked(&mut self, out: &mut Out, venue: &VenueId) {
        if self.venues.get(venue).is_some_and(|run| run.live && run.compared) {
            self.await_balances(out, venue);
        }
    }

    /// Notes the moment of a question; `false` when an answer is awaited already.
    fn await_balances(&mut self, out: &Out, venue: &VenueId) -> bool {
        let (now, timeout) = (out.now.mono, self.settings.knobs.fetch_timeout_ms);
        let Some(run) = self.venues.get_mut(venue) else { return false };
        if run.audit.asked.is_some_and(|(asked, _)| now.since(asked) < timeout) {
            return false;
        }
        run.audit.asked = Some((now, run.activity));
        self.timers.set(Alarm::Balances(venue.clone()), Some(now.plus(timeout)));
        true
    }

    pub(super) fn balances_due(&mut self, out: &mut Out, venue: &VenueId) {
        let (now, knobs) = (out.now.mono, &self.settings.knobs);
        let interval = knobs.position_check_interval_ms.max(1);
        let Some(run) = self.venues.get_mut(venue) else { return };
        if run.audit.asked.is_some_and(|(asked, _)| now.since(asked) >= knobs.fetch_timeout_ms) {
            run.audit.asked = None;
        }
        if run.live && run.compared {
            self.ask_balances(out, venue);
        } else {
            self.timers.set(Alarm::Balances(venue.clone()), Some(now.plus(interval)));
        }
    }

    pub(super) fn on_balances(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        answer: Result<Vec<Balance>, ReadError>,
    ) {
        let (now, knobs) = (out.now.mono, self.settings.knobs.clone());
        let Some(run) = self.venues.get_mut(venue) else { return };
        let asked = run.audit.asked.take();
        let Ok(balances) = answer else {
            run.audit.not_before = now.plus(knobs.position_recheck_ms.max(1));
            self.timers.set(Alarm::Balances(venue.clone()), Some(now.plus(knobs.position_recheck_ms.max(1))));
            return;
        };
        let Some(asked) = asked else { return };
        if self.books.begun.contains(venue) {
            self.report_balances(out, venue, &balances);
        }
        self.beginning_read(venue, &balances);
        let settled = self.audit(out, venue, &balances, asked);
        let pause = match settled {
            true => knobs.position_check_interval_ms,
            false => knobs.position_recheck_ms,
        };
        let next = now.plus(pause.max(1));
        self.timers.set(Alarm::Balances(venue.clone()), Some(next));
        // A gate that waits for this answer asks again, but at the pace of the checks.
        if let Some(run) = self.venues.get_mut(venue).filter(|run| !settled || !run.audit.judged) {
            run.audit.not_before = now.plus(knobs.position_recheck_ms.max(1));
        }
        self.progress(out, venue);
    }

    /// Tells listeners and the projection what was compared; an unchanged balance has a new time of comparison.
    pub(super) fn report_balances(&mut self, out: &mut Out, venue: &VenueId, balances: &[Balance]) {
        let expected = self.books.ledger.expected(venue).unwrap_or_default();
        for balance in balances {
            out.balance(row(venue, balance, &expected, out.now.wall));
        }
    }

    /// Is anything under way at a venue that may move a balance without our having booked it yet?
    fn unsettled(&self, venue: &VenueId) -> Unsettled {
        let moving = |order: &crate::domain::order::Order| {
            let watch = self.watch.get(&order.number);
            let held = watch.is_some_and(|watch| watch.inquiry.as_ref().is_some_and(|inquiry| inquiry.held));
            match order.state {
                OrderState::Unknown if held => Unsettled::HeldOnly,
                OrderState::Unknown | OrderState::Submitted => Unsettled::Yes,
                _ if watch.is_some_and(|watch| watch.stage == Stage::InFlight) => Unsettled::Yes,
                _ => Unsettled::No,
            }
        };
        let unbooked = self.books.index.unbooked.iter();
        let unbooked = unbooked.filter_map(|number| self.books.orders.get(number)).any(|o| o.venue == *venue);
        let shelf = self.shelf.parked.iter().any(|(at, _)| at == venue)
            || self.shelf.checking.keys().any(|(at, _, _)| at == venue);
        let candidates = self.books.index.unacknowledged.iter().chain(&self.books.index.unknown);
        let orders = candidates
            .filter(|(at, _, _)| at == venue)
            .filter_map(|(_, _, number)| self.books.orders.get(number))
            .map(moving)
            .max()
            .unwrap_or(Unsettled::No);
        if unbooked || shelf { Unsettled::Yes } else { orders }
    }

    /// Compares. `true` when the question is settled for now, `false` when it is to be asked again soon.
    fn audit(&mut self, out: &mut Out, venue: &VenueId, balances: &[Balance], asked: (Mono, u64)) -> bool {
        let Some(expected) = self.books.ledger.expected(venue) else { return true };
        let unsettled = self.unsettled(venue);
        let Some(run) = self.venues.get_mut(venue) else { return true };
        if run.beginning.as_ref().is_some_and(|beginning| !beginning.recorded) || !run.compared {
            return true;
        }
        match unsettled {
            Unsettled::Yes => return run.judged_later(),
            // An order that waits for an operator makes every comparison void; it has its own alert.
            Unsettled::HeldOnly => {
                run.audit.judged = true;
                run.audit.strikes = 0;
                return true;
            }
            Unsettled::No if run.activity != asked.1 => return run.judged_later(),
            Unsettled::No => {}
        }
        let off = differences(&expected, balances, &self.settings.tolerance);
        let activity = run.activity;
        let Some(off) = off else {
            run.audit.fetched_late = false;
            run.audit.judged = true;
            run.audit.strikes = 0;
            run.audit.fills_asked = None;
            if run.audit.diverged.take().is_some() {
                self.clear(out, "position_divergence", venue.to_string());
            }
            let agreed = self.last_trades(venue);
            if let Some(run) = self.venues.get_mut(venue) {
                run.audit.agreed = agreed;
            }
            return true;
        };
        if run.audit.strikes == 0 || run.audit.strikes_at != activity {
            run.audit.strikes = 0;
            run.audit.strikes_at = activity;
            run.audit.fills_asked = Some(out.now.mono);
            run.audit.fetched_late = false;
        }
        // The venue may show a balance before it shows the trade behind it.
        let window = self.settings.venues.iter().find(|known| known.id == *venue);
        let window = window.map_or(0, |known| known.absence_proof_after_ms);
        let shown = run.audit.fills_asked.unwrap_or(out.now.mono).plus(window);
        let late = out.now.mono >= shown && !run.audit.fetched_late;
        run.audit.fetched_late |= late;
        run.audit.strikes = run.audit.strikes.saturating_add(1);
        let (strikes, agreed) = (run.audit.strikes, run.audit.agreed.clone());
        let already = run.audit.diverged.is_some();
        let symbols = self.symbols(venue);
        if strikes == 1 || late {
            // A lost frame looks just like this: the list of orders and the fills would show it. Asked for is
            // all since the two agreed: a trade that was hidden may be older than the latest booked one.
            for symbol in &symbols {
                self.fetch(out, venue, symbol, agreed.get(symbol).copied());
            }
            self.open_check_due(out, venue);
        }
        let looked = symbols.iter().all(|symbol| {
            let fetch = self.fetches.get(&(venue.clone(), symbol.clone()));
            fetch.and_then(|fetch| fetch.done).is_some_and(|(asked, _)| asked >= shown)
        });
        if strikes < self.settings.knobs.position_check_retries || !looked {
            return false;
        }
        if already {
            // Known, said and halted for; the gate need not wait for it again after a reconnect.
            if let Some(run) = self.venues.get_mut(venue) {
                run.audit.judged = true;
            }
        } else {
            self.diverged(out, venue, off);
        }
        true
    }

    fn diverged(&mut self, out: &mut Out, venue: &VenueId, off: String) {
        if let Some(run) = self.venues.get_mut(venue) {
            run.audit.judged = true;
            run.audit.diverged = Some(off.clone());
        }
        let fields = vec![("venue.name", venue.to_string()), ("difference", off.clone())];
        out.notice(NoticeLevel::Error, "position_divergence", fields);
        let why = format!("the ledger and {venue} differ: {off}");
        self.raise(out, "position_divergence", venue.to_string(), why.clone());
        self.halt(out, own_actor(&why));
    }

    /// A deposit, withdrawal or transfer.
    pub(super) fn on_balance_moved(&mut self, out: &mut Out, venue: VenueId, asset: Asset, delta: Amount) {
        self.active(&venue);
        // Before the books begin, the balances that they begin with contain it.
        if self.books.begun.contains(&venue) {
            self.record(out, Fact::BalanceMoved(BalanceMoved { venue, asset, delta }));
        }
    }
}

/// How much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unsettled {
    No,
    HeldOnly,
    Yes,
}

impl super::watch::VenueRun {
    /// Nothing can be said now; while the gate waits for it, soon again.
    fn judged_later(&mut self) -> bool {
        self.audit.strikes = 0;
        self.audit.judged
    }
}

fn row(venue: &VenueId, balance: &Balance, expected: &BTreeMap<Asset, Amount>, at: WallMs) -> BalanceRow {
    BalanceRow {
        venue: venue.clone(),
        asset: balance.asset.clone(),
        free: balance.free,
        locked: balance.locked,
        expected: Some(expected.get(&balance.asset).copied().unwrap_or(Amount::ZERO)),
        compared_at: Some(at),
    }
}

/// The differences beyond tolerance, in words; `None` when there are none.
fn differences(
    expected: &BTreeMap<Asset, Amount>,
    balances: &[Balance],
    tolerance: &BTreeMap<Asset, Amount>,
) -> Option<String> {
    let mut theirs: BTreeMap<&Asset, Option<Amount>> = BTreeMap::new();
    for balance in balances {
        theirs.insert(&balance.asset, balance.free.checked_add(balance.locked));
    }
    let assets: BTreeSet<&Asset> = expected.keys().chain(theirs.keys().copied()).collect();
    let mut off = Vec::new();
    for asset in assets {
        let ours = expected.get(asset).copied().unwrap_or(Amount::ZERO);
        let Some(there) = theirs.get(asset).copied().unwrap_or(Some(Amount::ZERO)) else {
            off.push(format!("{asset}: a figure that does not fit"));
            continue;
        };
        let allowed = tolerance.get(asset).copied().unwrap_or(Amount::ZERO);
        let gap = there.checked_sub(ours).map(|gap| gap.get().abs());
        if gap.is_none_or(|gap| gap > allowed.get()) {
            off.push(format!("{asset}: expected {ours}, venue {there}"));
        }
    }
    (!off.is_empty()).then(|| off.join("; "))
}
