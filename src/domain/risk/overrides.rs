//! An operator lets one order through that the chain denies: scope, reason, expiry; used up by that order.
//!
//! Overrides do not survive a restart: who still wants the order grants it again.

use super::checks::CHECKS;
use super::figures::Granted;
use super::proposal::Proposal;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::money::Quantity;
use crate::domain::oms::{Refusal, RefusalKind};
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use serde::Serialize;

/// Overrides that can stand at once.
pub const OVERRIDES_MAX: usize = 16;
/// Longest name or reason, characters.
pub const TEXT_MAX: usize = 256;
/// Most codes that one override lifts.
pub const LIFTS_MAX: usize = 8;

/// Codes of denials that an override can lift: those of the checks that are soft.
pub const LIFTABLE: &[&str] = &[
    "QUANTITY_BELOW_MINIMUM",
    "QUANTITY_ABOVE_MAXIMUM",
    "PRICE_OUTSIDE_COLLAR",
    "PRICE_THROUGH_TOUCH",
    "VALUE_BELOW_MINIMUM",
    "VALUE_ABOVE_MAXIMUM",
    "SELF_MATCH",
    "DUPLICATE_ORDER",
    "ORDER_RATE_EXCEEDED",
    "MESSAGE_BUDGET_SPENT",
    "OPEN_ORDER_LIMIT",
    "POSITION_LIMIT",
    "GROSS_EXPOSURE",
    "NET_EXPOSURE",
    "ASSET_EXPOSURE",
    "LEVERAGE",
    "EQUITY_BUDGET",
    "DAILY_LOSS",
    "DRAWDOWN",
    "DRAWDOWN_THROTTLE",
    "STOP_LOSS_MISSING",
    "STOP_LOSS_WRONG_SIDE",
    "STOP_LOSS_TOO_FAR",
    "STOP_LOSS_RISK",
    "KELLY_SIZE",
    "VOLATILITY_SIZE",
];

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Override {
    /// Whose order.
    pub strategy: StrategyId,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Not more than this.
    pub max_quantity: Quantity,
    /// Codes that it lifts, of [`LIFTABLE`].
    pub lifts: Vec<String>,
    /// Why.
    pub reason: String,
    /// The named person.
    pub by: String,
    /// Until when.
    pub expires: Mono,
}

impl Override {
    fn covers(&self, now: Mono, asked: &Proposal) -> bool {
        now < self.expires
            && self.strategy == asked.strategy
            && self.venue == asked.venue
            && self.symbol == asked.symbol
            && self.side == asked.side
            && asked.quantity <= self.max_quantity
    }

    fn check(&self, now: Mono) -> Result<(), Refusal> {
        let invalid =
            |detail: String| Err(Refusal { code: "OVERRIDE_INVALID", detail, kind: RefusalKind::Invalid });
        for (name, text) in [("by", &self.by), ("reason", &self.reason)] {
            if text.trim().is_empty() || text.chars().count() > TEXT_MAX {
                return invalid(format!("field={name}, wanted=1 to {TEXT_MAX} characters"));
            }
        }
        if self.expires <= now {
            return invalid("field=expires, wanted=later than now".to_owned());
        }
        if self.max_quantity.is_zero() {
            return invalid("field=max_quantity, wanted=above zero".to_owned());
        }
        if self.lifts.is_empty() || self.lifts.len() > LIFTS_MAX {
            return invalid(format!("field=lifts, wanted=1 to {LIFTS_MAX} codes"));
        }
        match self.lifts.iter().find(|code| !LIFTABLE.contains(&code.as_str())) {
            Some(code) => invalid(format!("field=lifts, code={code}, wanted=one of {}", LIFTABLE.join(" "))),
            None => Ok(()),
        }
    }
}

/// Those that stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides(Vec<Override>);

impl Overrides {
    pub(super) fn grant(&mut self, now: Mono, one: Override) -> Result<(), Refusal> {
        one.check(now)?;
        self.0.retain(|known| now < known.expires);
        if self.0.len() >= OVERRIDES_MAX {
            let detail = format!("standing={OVERRIDES_MAX}, limit={OVERRIDES_MAX}");
            return Err(Refusal { code: "TOO_MANY_OVERRIDES", detail, kind: RefusalKind::Conflict });
        }
        self.0.push(one);
        Ok(())
    }

    /// The first that covers the order and lifts this code.
    pub(super) fn find(&self, now: Mono, asked: &Proposal, code: &str) -> Option<(usize, Granted)> {
        let mut all = self.0.iter().enumerate();
        let (place, one) =
            all.find(|(_, one)| one.covers(now, asked) && one.lifts.iter().any(|lift| lift == code))?;
        let granted = Granted { by: one.by.clone(), reason: one.reason.clone(), lifts: one.lifts.clone() };
        Some((place, granted))
    }

    pub(super) fn consume(&mut self, place: usize) {
        if place < self.0.len() {
            self.0.remove(place);
        }
    }

    pub(super) fn standing(&self, now: Mono) -> impl Iterator<Item = &Override> {
        self.0.iter().filter(move |one| now < one.expires)
    }
}

/// Is it the name of a check that research mode may relax?
#[must_use]
pub fn is_relaxable(name: &str) -> bool {
    CHECKS.iter().any(|check| check.soft && check.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_used_up_that_does_not_stand() {
        let mut none = Overrides::default();
        none.consume(0);
        assert_eq!(none.standing(Mono(0)).count(), 0);
    }
}
