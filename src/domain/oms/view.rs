//! What the shell may read of the order management: copies and references, nothing that changes it.

use super::books::Halt;
use super::core::{Alert, Oms};
use super::phase::Phase;
use crate::domain::ids::{ClientOrderId, StrategyId, VenueId};
use crate::domain::ledger::Ledger;
use crate::domain::order::{Order, OrderState};
use crate::domain::time::Mono;
use std::collections::BTreeMap;

impl Oms {
    /// The phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Why it is in this phase.
    #[must_use]
    pub fn phase_reason(&self) -> &str {
        &self.phase_by.reason
    }

    /// The standing halt.
    #[must_use]
    pub const fn halted(&self) -> Option<&Halt> {
        self.books.halted.as_ref()
    }

    /// Open orders and the remembered closed ones, oldest first.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.books.orders.values()
    }

    /// Orders that are not final, oldest first.
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.books.open()
    }

    /// An order by the caller's id, as far as it is remembered.
    #[must_use]
    pub fn order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.books.by_client(id)
    }

    /// Positions, fees and expected balances.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.books.ledger
    }

    /// Orders in memory per state.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<OrderState, u64> {
        self.books.index.counts.clone()
    }

    /// Every configured venue; the reason while its gate is closed.
    pub fn gates(&self) -> impl Iterator<Item = (&VenueId, Option<&str>)> {
        self.venues.iter().map(|(venue, run)| (venue, (!run.open).then_some(run.why.as_str())))
    }

    /// Every configured strategy, and whether it may trade.
    pub fn strategies(&self) -> impl Iterator<Item = (&StrategyId, bool)> {
        self.settings.strategies.iter().map(|known| (&known.id, self.enabled(&known.id)))
    }

    /// Alerts that stand: code, scope, and since when for which reason.
    pub fn alerts(&self) -> impl Iterator<Item = (&'static str, &str, &Alert)> {
        self.alerts.iter().map(|((code, scope), alert)| (*code, scope.as_str(), alert))
    }

    /// When something is due next; a [`super::Event::Tick`] then, and not later, keeps every promise on time.
    #[must_use]
    pub fn next_due(&self) -> Option<Mono> {
        self.timers.next()
    }

    /// Can the journal write, as far as this component was told?
    #[must_use]
    pub const fn writable(&self) -> bool {
        self.writable
    }
}
