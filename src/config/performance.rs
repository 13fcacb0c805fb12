//! Settings of the performance figures: how often they are observed, and what trading costs besides fees.
//!
//! Owns the keys under `performance`. Budgets are not here: they are limits of risk.

use super::path::KeyPath;
use super::problems::Problems;
use super::strategies::StrategySettings;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Allowed seconds between observations.
pub const SAMPLE_SECONDS: RangeInclusive<u64> = 1..=900;
/// Every observation clock must tick with the coarsest step within an hour that is kept.
const QUARTER_SECONDS: u64 = 900;
/// Fewest variants that are a record of trials.
const TRIALS_MIN: u64 = 2;
/// The name of all strategies.
const ALL: &str = "*";

/// The performance figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Performance {
    /// Seconds between observations, 1 to 900; 900 must be a multiple of it.
    #[schemars(range(min = 1, max = 900))]
    pub sample_seconds: u64,
    /// Fixed running costs a day by strategy, in the risk currency; `"*"` for each that has no entry of its own.
    pub running_costs_per_day: BTreeMap<String, String>,
    /// Funding a day of what is held, as a share of its value.
    #[schemars(with = "String")]
    pub funding_per_day: String,
    /// How many variants were tried before a strategy was chosen; without it there is no Deflated Sharpe.
    pub trials: BTreeMap<String, TrialRecord>,
}

/// What is on record of the variants of a strategy that were tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrialRecord {
    /// Variants, the chosen one included; two at least.
    pub n: u64,
    /// Variance of their yearly Sharpe ratios.
    #[schemars(with = "String")]
    pub sharpe_variance: String,
}

impl Default for Performance {
    fn default() -> Self {
        Self {
            sample_seconds: 60,
            running_costs_per_day: BTreeMap::new(),
            funding_per_day: "0".to_owned(),
            trials: BTreeMap::new(),
        }
    }
}

fn figure(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<Decimal>().ok().filter(|value| plain && *value >= Decimal::ZERO)
}

impl Performance {
    pub(super) fn validate(&self, problems: &mut Problems, strategies: &[StrategySettings]) {
        problems.range("performance.sample_seconds", self.sample_seconds, &SAMPLE_SECONDS);
        if SAMPLE_SECONDS.contains(&self.sample_seconds)
            && QUARTER_SECONDS.checked_rem(self.sample_seconds) != Some(0)
        {
            problems.rule(
                "performance.sample_seconds",
                "sample_out_of_step",
                format!("a quarter of an hour is no multiple of {} seconds", self.sample_seconds),
                "use a divisor of 900, such as 1, 5, 10, 15, 30 or 60",
            );
        }
        let is_share = figure(&self.funding_per_day).is_some_and(|share| share <= Decimal::ONE);
        if !is_share {
            problems.rule(
                "performance.funding_per_day",
                "bad_share",
                format!("{:?} is not a share of one", self.funding_per_day),
                "write a decimal from 0 to 1 in quotes, such as \"0.0003\"",
            );
        }
        for (name, trials) in &self.trials {
            let path = || KeyPath::from("performance.trials").child(name.clone());
            if !strategies.iter().any(|strategy| strategy.name == *name) {
                let advice = "name a configured strategy";
                problems.rule(path(), "unknown_strategy", format!("`{name}` is not configured"), advice);
            }
            if trials.n < TRIALS_MIN
                || figure(&trials.sharpe_variance).is_none_or(|variance| variance.is_zero())
            {
                let advice =
                    "write {n: 40, sharpe_variance: \"0.5\"}: two variants or more, a variance above 0";
                problems.rule(path(), "bad_trials", "this is no record of trials", advice);
            }
        }
        for (name, cost) in &self.running_costs_per_day {
            let path = || KeyPath::from("performance.running_costs_per_day").child(name.clone());
            if name != ALL && !strategies.iter().any(|strategy| strategy.name == *name) {
                let advice = "name a configured strategy, or `*` for all";
                problems.rule(path(), "unknown_strategy", format!("`{name}` is not configured"), advice);
            }
            if figure(cost).is_none() {
                let advice = "write a decimal of 0 or more in quotes, such as \"1.50\"";
                problems.rule(path(), "bad_amount", format!("{cost:?} is not an amount"), advice);
            }
        }
    }

    /// Running costs a day of a strategy; zero where none are set.
    #[must_use]
    pub fn running(&self, strategy: &str) -> Decimal {
        let own = self.running_costs_per_day.get(strategy).or_else(|| self.running_costs_per_day.get(ALL));
        own.and_then(|text| figure(text)).unwrap_or_default()
    }

    /// Variants of a strategy that were tried, and the variance of their yearly Sharpe ratios.
    #[must_use]
    pub fn trials(&self, strategy: &str) -> Option<(u64, Decimal)> {
        let record = self.trials.get(strategy)?;
        Some((record.n, figure(&record.sharpe_variance)?))
    }

    /// Funding a day as a fraction.
    #[must_use]
    pub fn funding(&self) -> Decimal {
        figure(&self.funding_per_day).unwrap_or_default()
    }
}
