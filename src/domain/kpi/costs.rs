//! What was given to each strategy to trade with, and what trading costs besides fees.
//!
//! It promises that a sum of budgets is there only when every strategy in it has one. It reads no settings.

use super::summary::CostModel;
use super::tracker::Scope;
use crate::domain::ids::{Asset, StrategyId, VenueId};
use rust_decimal::Decimal;

/// What one strategy was given and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotment {
    /// Which.
    pub strategy: StrategyId,
    /// Where it trades; `None` for everywhere.
    pub venue: Option<VenueId>,
    /// Its budget in the currency; `None` when none is set.
    pub budget: Option<Decimal>,
    /// Fixed running costs a day in the currency.
    pub running_per_day: Decimal,
    /// Variants that were tried before it was chosen, and the variance of their yearly Sharpe ratios.
    pub trials: Option<(u64, Decimal)>,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allotments {
    /// The asset of budgets and costs.
    pub currency: Asset,
    /// Funding of what is held a day, as a fraction of its value.
    pub funding_per_day: Decimal,
    /// Every configured strategy.
    pub strategies: Vec<Allotment>,
}

impl Allotments {
    /// The cost model of a scope: the sums over its strategies.
    #[must_use]
    pub fn of(&self, scope: &Scope) -> CostModel {
        let inside = |one: &&Allotment| {
            scope.strategy.as_ref().is_none_or(|own| *own == one.strategy)
                && (scope.venue.is_none() || one.venue.is_none() || scope.venue == one.venue)
        };
        let mut own = self.strategies.iter().filter(inside).peekable();
        if own.peek().is_none() {
            return CostModel { funding_per_day: self.funding_per_day, ..CostModel::default() };
        }
        let (mut budget, mut running, mut trials) = (Some(Decimal::ZERO), Decimal::ZERO, None);
        for one in own {
            budget = budget.zip(one.budget).and_then(|(sum, own)| sum.checked_add(own));
            running = running.saturating_add(one.running_per_day);
            // A choice was made for one strategy; several together were not chosen.
            trials = scope.strategy.as_ref().and(one.trials);
        }
        CostModel {
            budget: budget.map(|budget| (self.currency.clone(), budget)),
            running_per_day: running,
            funding_per_day: self.funding_per_day,
            trials,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, venue: Option<&str>, budget: Option<i64>) -> Allotment {
        Allotment {
            strategy: StrategyId::new(name).unwrap(),
            venue: venue.map(|venue| VenueId::new(venue).unwrap()),
            budget: budget.map(Decimal::from),
            running_per_day: Decimal::ONE,
            trials: Some((40, Decimal::ONE)),
        }
    }

    #[test]
    fn budgets_add_up_only_when_all_are_known() {
        let all = |strategies| Allotments {
            currency: Asset::new("USDT").unwrap(),
            funding_per_day: Decimal::ZERO,
            strategies,
        };
        let budget = |from: &Allotments, scope: &Scope| from.of(scope).budget.map(|(_, budget)| budget);
        let known =
            all(vec![one("a", Some("x"), Some(10)), one("b", None, Some(5)), one("c", Some("y"), Some(2))]);
        let at = |venue: &str| Scope { strategy: None, venue: Some(VenueId::new(venue).unwrap()) };
        assert_eq!(budget(&known, &Scope::default()), Some(Decimal::from(17)));
        assert_eq!(budget(&known, &at("x")), Some(Decimal::from(15)));
        let own = Scope { strategy: Some(StrategyId::new("a").unwrap()), venue: None };
        assert_eq!((known.of(&own).trials, known.of(&at("y")).trials), (Some((40, Decimal::ONE)), None));
        assert_eq!(known.of(&at("y")).running_per_day, Decimal::TWO);
        let unknown = all(vec![one("a", None, Some(10)), one("b", None, None)]);
        assert_eq!(budget(&unknown, &Scope::default()), None);
        let external = Scope { strategy: Some(StrategyId::new("external").unwrap()), venue: None };
        assert_eq!(budget(&known, &external), None);
    }
}
