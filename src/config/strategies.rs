//! Settings of the strategies: who may place orders, where, and with which parameters.
//!
//! Owns the keys under `strategies`. The parameters belong to the kind; they are read and checked by it, so that
//! `config check` finds what a start would find.

use super::problems::Problems;
use super::venues::Venue;
use crate::domain::ids::StrategyId;
use crate::domain::strategy::{Fraction, KINDS, kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Strategies in one process.
pub const STRATEGIES_MAX: usize = 64;
/// The kind whose orders come over HTTP.
pub const MANUAL: &str = "manual";
/// The name under which adopted orders stand.
const EXTERNAL: &str = "external";

/// What becomes of an order that the venue provably does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// The venue's word is taken: an absent order is closed.
    Adopt,
    /// An absent order is sent again under the same id, within the age and price guard; else held.
    Requeue,
    /// An absent order is closed; one that turns out to live is cancelled.
    Cancel,
    /// Nothing is done without an operator; an alert stands.
    #[default]
    Hold,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StrategySettings {
    /// Its name on every order: 1 to 32 of `A-Z a-z 0-9 - _`. `external` is taken.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    pub name: String,
    /// What it does: `manual` for orders over HTTP, or a built-in kind.
    pub kind: String,
    /// Where it trades. `manual` may leave it out and trade at every venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// What it trades. `manual` may leave it out and trade every instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// May it trade from the start? It can be switched at run time.
    pub enabled: bool,
    /// What becomes of its orders that the venue provably does not know.
    pub on_unknown: OnUnknown,
    /// An order of its that waited longer is never sent, in milliseconds; `orders.max_age_ms` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 86_400_000))]
    pub max_order_age_ms: Option<u64>,
    /// How far the market may have moved from the price of an order that is sent again, as a share of it.
    #[schemars(with = "String")]
    pub price_guard: String,
    /// Parameters of the kind; see docs/strategies.md.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub parameters: BTreeMap<String, String>,
}

impl Default for StrategySettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: MANUAL.to_owned(),
            venue: None,
            symbol: None,
            enabled: true,
            on_unknown: OnUnknown::default(),
            max_order_age_ms: None,
            price_guard: "0.001".to_owned(),
            parameters: BTreeMap::new(),
        }
    }
}

impl StrategySettings {
    /// Does it place orders by itself?
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.kind != MANUAL
    }

    fn validate(&self, problems: &mut Problems, path: &str, venues: &[Venue]) {
        let at = |field: &str| format!("{path}.{field}");
        if let Err(error) = StrategyId::new(&self.name) {
            problems.rule(
                at("name").as_str(),
                "bad_name",
                error.to_string(),
                "name the strategy, such as `quoter`",
            );
        }
        if self.name == EXTERNAL {
            problems.rule(
                at("name").as_str(),
                "name_taken",
                "`external` stands for adopted orders",
                "choose another name",
            );
        }
        if let Some(age) = self.max_order_age_ms {
            problems.range(at("max_order_age_ms").as_str(), age, &super::orders::MAX_AGE_MS);
        }
        if let Err(problem) = Fraction::parse(&self.price_guard) {
            problems.rule(at("price_guard").as_str(), "bad_fraction", problem, "write a share such as 0.001");
        }
        self.validate_market(problems, path, venues);
        self.validate_parameters(problems, path);
    }

    fn validate_market(&self, problems: &mut Problems, path: &str, venues: &[Venue]) {
        let at = |field: &str| format!("{path}.{field}");
        let names: Vec<&str> = venues.iter().map(|venue| venue.name.as_str()).collect();
        let venue = self.venue.as_ref().map(|name| venues.iter().find(|venue| venue.name == *name));
        match (&self.venue, venue) {
            (None, _) if self.is_built_in() => {
                problems.rule(
                    at("venue").as_str(),
                    "venue_missing",
                    "it names no venue",
                    format!("name one of: {}", names.join(", ")),
                );
            }
            (Some(name), Some(None)) => {
                problems.rule(
                    at("venue").as_str(),
                    "unknown_venue",
                    format!("`{name}` is not configured"),
                    format!("name one of: {}", names.join(", ")),
                );
            }
            _ => {}
        }
        let symbols = venue.flatten().map(|venue| venue.symbols.as_slice()).unwrap_or_default();
        match &self.symbol {
            None if self.is_built_in() => {
                problems.rule(
                    at("symbol").as_str(),
                    "symbol_missing",
                    "it names no instrument",
                    format!("name one of: {}", symbols.join(", ")),
                );
            }
            Some(symbol) if venue.flatten().is_some() && !symbols.contains(symbol) => {
                problems.rule(
                    at("symbol").as_str(),
                    "unknown_symbol",
                    format!("`{symbol}` is not among the venue's symbols"),
                    format!("name one of: {}", symbols.join(", ")),
                );
            }
            _ => {}
        }
    }

    fn validate_parameters(&self, problems: &mut Problems, path: &str) {
        if !self.is_built_in() {
            if !self.parameters.is_empty() {
                let at = format!("{path}.parameters");
                problems.rule(at.as_str(), "no_parameters", "`manual` has no parameters", "remove them");
            }
            return;
        }
        let Some(known) = kind(&self.kind) else {
            let names: Vec<&str> =
                KINDS.iter().map(|kind| kind.name).chain(std::iter::once(MANUAL)).collect();
            let at = format!("{path}.kind");
            problems.rule(
                at.as_str(),
                "unknown_kind",
                format!("`{}` is not a kind of strategy", self.kind),
                format!("use one of: {}", names.join(", ")),
            );
            return;
        };
        for problem in (known.build)(&self.parameters).err().unwrap_or_default() {
            let at = match problem.key.as_str() {
                "" => format!("{path}.parameters"),
                key => format!("{path}.parameters.{key}"),
            };
            problems.rule(at.as_str(), "bad_parameter", problem.problem, problem.advice);
        }
    }
}

/// Checks all strategies.
pub(super) fn validate(strategies: &[StrategySettings], venues: &[Venue], problems: &mut Problems) {
    if strategies.len() > STRATEGIES_MAX {
        problems.rule(
            "strategies",
            "too_many_strategies",
            format!("{} strategies", strategies.len()),
            format!("at most {STRATEGIES_MAX}"),
        );
    }
    let mut names = BTreeSet::new();
    for (index, strategy) in strategies.iter().enumerate() {
        let path = format!("strategies.{index}");
        strategy.validate(problems, &path, venues);
        if !names.insert(&strategy.name) {
            problems.rule(
                format!("{path}.name").as_str(),
                "name_twice",
                format!("`{}` stands twice", strategy.name),
                "give each strategy its own name",
            );
        }
    }
}
