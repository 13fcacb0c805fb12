//! The section `risk` itself: what holds for all of it, and the four kinds of scope.

use super::super::problems::Problems;
use super::super::strategies::StrategySettings;
use super::super::venues::{Mode, Venue};
use super::scopes::{AccountRisk, StrategyRisk, SymbolRisk, VenueRisk};
use crate::domain::risk::is_relaxable;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The word for a check that is done without.
pub const NOT_REQUIRED: &str = "not_required";
/// Allowed age of a mark, in milliseconds.
pub const MARK_MAX_AGE_MS: RangeInclusive<u64> = 50..=600_000;
/// Entries of one list.
pub const ENTRIES_MAX: usize = 500;

/// Do all checks deny?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskMode {
    /// All of them.
    #[default]
    Enforce,
    /// Those named in `relaxed` only tell. Refused when real money is at stake at any venue.
    Research,
}

/// What becomes of an order that would meet one of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SelfMatch {
    /// It is denied.
    Refuse,
    /// The check is done without.
    NotRequired,
}

/// Limits before every order. Of all that match an order, the tightest holds; one that nobody set denies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Risk {
    /// The asset in which every value is measured.
    pub currency: String,
    /// Do all checks deny?
    pub mode: RiskMode,
    /// In research mode: names of the checks that only tell, such as `price_collar`.
    pub relaxed: Vec<String>,
    /// A market price that is older is none, in milliseconds.
    #[schemars(range(min = 50, max = 600_000))]
    pub mark_max_age_ms: u64,
    /// Fixed prices in the currency, for assets without an instrument against it.
    #[schemars(with = "BTreeMap<String, String>")]
    pub asset_prices: BTreeMap<String, String>,
    /// Instruments that may not be traded: `BTCUSDT`, or `paper/BTCUSDT` at one venue.
    pub restricted: Vec<String>,
    /// Over everything.
    pub account: AccountRisk,
    /// Per venue.
    pub venues: Vec<VenueRisk>,
    /// Per instrument.
    pub symbols: Vec<SymbolRisk>,
    /// Per strategy.
    pub strategies: Vec<StrategyRisk>,
}

impl Default for Risk {
    fn default() -> Self {
        Self {
            currency: "USDT".to_owned(),
            mode: RiskMode::default(),
            relaxed: Vec::new(),
            mark_max_age_ms: 5_000,
            asset_prices: BTreeMap::new(),
            restricted: Vec::new(),
            account: AccountRisk::default(),
            venues: Vec::new(),
            symbols: Vec::new(),
            strategies: Vec::new(),
        }
    }
}

impl Risk {
    /// Is any limit written down? Without one, every order is denied and there is nothing to compare.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.account != AccountRisk::default()
            || !self.venues.is_empty()
            || !self.symbols.is_empty()
            || !self.strategies.is_empty()
    }

    pub(in super::super) fn validate(
        &self,
        problems: &mut Problems,
        venues: &[Venue],
        strategies: &[StrategySettings],
    ) {
        problems.range("risk.mark_max_age_ms", self.mark_max_age_ms, &MARK_MAX_AGE_MS);
        for (path, entries) in [
            ("risk.venues", self.venues.len()),
            ("risk.symbols", self.symbols.len()),
            ("risk.strategies", self.strategies.len()),
            ("risk.restricted", self.restricted.len()),
            ("risk.asset_prices", self.asset_prices.len()),
        ] {
            if entries > ENTRIES_MAX {
                let advice = format!("at most {ENTRIES_MAX}");
                problems.rule(path, "too_many_entries", format!("{entries} entries"), advice);
            }
        }
        self.validate_mode(problems, venues);
        let settings = self.read(problems);
        if let Some(settings) = settings.filter(|_| self.is_written()) {
            super::cross::check(self, &settings, venues, strategies, problems);
        }
    }

    fn validate_mode(&self, problems: &mut Problems, venues: &[Venue]) {
        if self.mode == RiskMode::Enforce && !self.relaxed.is_empty() {
            problems.rule(
                "risk.relaxed",
                "relaxed_without_research",
                "checks are relaxed in mode `enforce`",
                "set `risk.mode: research` on a venue without real money, or remove the list",
            );
        }
        let live = venues.iter().find(|venue| venue.mode() == Mode::Live);
        if let (RiskMode::Research, Some(venue)) = (self.mode, live) {
            problems.rule(
                "risk.mode",
                "research_on_live",
                format!("real money is at stake at `{}`", venue.name),
                "set `risk.mode: enforce`",
            );
        }
        for (index, name) in self.relaxed.iter().enumerate() {
            if !is_relaxable(name) {
                let known =
                    crate::domain::risk::CHECKS.iter().filter(|check| check.soft).map(|check| check.name);
                problems.rule(
                    format!("risk.relaxed.{index}").as_str(),
                    "unknown_check",
                    format!("`{name}` is not a check that can be relaxed"),
                    format!("name one of: {}", known.collect::<Vec<_>>().join(", ")),
                );
            }
        }
    }
}
