//! The rules of an instrument: steps, bounds and limits, as the venue publishes them.
//!
//! Owns the checks that can be made before sending. The venue stays the judge: rules that this version
//! does not know are kept by name in `unknown_filters`, so that nobody believes the list complete.

use super::ids::{Asset, Symbol};
use super::money::{Amount, Price, Quantity};
use super::order_types::OtherWord;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its name.
    pub symbol: Symbol,
    /// What is bought and sold.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
    /// May it be traded now?
    pub trading: bool,
    /// Price bounds and tick.
    pub price: Step,
    /// Quantity bounds and step for resting kinds.
    pub lot: Step,
    /// Quantity bounds and step for market orders, where they differ.
    pub market_lot: Option<Step>,
    /// Least notional, and whether it binds market orders.
    pub min_notional: Option<(Amount, bool)>,
    /// Most notional, and whether it binds market orders.
    pub max_notional: Option<(Amount, bool)>,
    /// Most open orders.
    pub max_open_orders: Option<u32>,
    /// Rules that this version does not interpret.
    pub unknown_filters: Vec<OtherWord>,
}

/// Bounds and step of a figure; zero disables each, as venues define it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Step {
    /// Least.
    pub min: Decimal,
    /// Most.
    pub max: Decimal,
    /// Step; the value minus `min` must be a multiple.
    pub step: Decimal,
}

/// Which rule a figure breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleBroken {
    /// Below the least.
    #[error("{value} is below the minimum {min}")]
    BelowMin {
        /// Given.
        value: Decimal,
        /// Least.
        min: Decimal,
    },
    /// Above the most.
    #[error("{value} is above the maximum {max}")]
    AboveMax {
        /// Given.
        value: Decimal,
        /// Most.
        max: Decimal,
    },
    /// Between two steps.
    #[error("{value} is not a multiple of {step}")]
    OffStep {
        /// Given.
        value: Decimal,
        /// Step.
        step: Decimal,
    },
}

impl Step {
    /// Does `value` keep the bounds and the step?
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, value: Decimal) -> Result<(), RuleBroken> {
        if !self.min.is_zero() && value < self.min {
            return Err(RuleBroken::BelowMin { value, min: self.min });
        }
        if !self.max.is_zero() && value > self.max {
            return Err(RuleBroken::AboveMax { value, max: self.max });
        }
        let off = value.checked_sub(self.min).and_then(|rest| rest.checked_rem(self.step));
        if !self.step.is_zero() && !off.is_some_and(|rest| rest.is_zero()) {
            return Err(RuleBroken::OffStep { value, step: self.step });
        }
        Ok(())
    }

    /// The largest legal value that is not above `value`; `None` when that falls below the minimum.
    #[must_use]
    pub fn floor(&self, value: Decimal) -> Option<Decimal> {
        if value < self.min {
            return None;
        }
        let capped = if !self.max.is_zero() && value > self.max { self.max } else { value };
        let floored = if self.step.is_zero() {
            capped
        } else {
            let rest = capped.checked_sub(self.min)?.checked_rem(self.step)?;
            capped.checked_sub(rest)?
        };
        (floored >= self.min && !floored.is_sign_negative()).then_some(floored)
    }
}

impl Instrument {
    /// Rounds a price down to the tick.
    #[must_use]
    pub fn floor_price(&self, price: Price) -> Option<Price> {
        self.price.floor(price.get()).and_then(|value| Price::new(value).ok())
    }

    /// Rounds a quantity down to the lot step.
    #[must_use]
    pub fn floor_quantity(&self, quantity: Quantity) -> Option<Quantity> {
        self.lot.floor(quantity.get()).and_then(|value| Quantity::new(value).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn odd_ticks_are_exact() {
        let step = Step { min: d("0.05"), max: d("100"), step: d("0.07") };
        assert!(step.check(d("0.19")).is_ok());
        assert_eq!(step.check(d("0.20")), Err(RuleBroken::OffStep { value: d("0.20"), step: d("0.07") }));
        assert_eq!(step.floor(d("0.25")), Some(d("0.19")));
        assert_eq!(step.floor(d("0.01")), None);
        assert!(matches!(step.check(d("101")), Err(RuleBroken::AboveMax { .. })));
        assert!(matches!(step.check(d("0.01")), Err(RuleBroken::BelowMin { .. })));
    }

    #[test]
    fn zeros_disable() {
        assert!(Step::default().check(d("123.456789")).is_ok());
        assert_eq!(Step::default().floor(d("123.456789")), Some(d("123.456789")));
    }
}
