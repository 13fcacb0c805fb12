//! Settings of the drift sentry: how streams are watched, how loud their drift is, and what follows from it.
//!
//! Owns the keys under `drift`.

use super::problems::Problems;
use super::strategies::StrategySettings;
use crate::domain::alert::Severity;
use crate::domain::detectors::{AdwinSettings, PageHinkleySettings, ParameterError, Parameters};
use crate::domain::drift::{BASELINE_MAX, BASELINE_MIN, NAME_CHARS_MAX, river_adwin, river_page_hinkley};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Allowed numbers of streams.
pub const STREAMS: RangeInclusive<u64> = 1..=16_384;
/// Allowed budgets, observations between false alarms.
pub const ARL0: RangeInclusive<u64> = 1_000..=1_000_000_000_000;
/// Allowed lengths of a baseline.
pub const BASELINE: RangeInclusive<u64> = 500..=5_000;
/// Allowed stretches of calm that end an alert.
pub const CLEAR_AFTER: RangeInclusive<u64> = 1..=1_000_000;
/// Declared patterns, at most.
pub const DECLARED_MAX: usize = 1_024;

const _: () = assert!(BASELINE_MIN == 500 && BASELINE_MAX == 5_000);

/// What follows from drift of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnDrift {
    /// People are told.
    #[default]
    Inform,
    /// The strategy's entries are cut to `factor` of what they ask for, until a person lifts it.
    Reduce,
    /// The strategy enters nothing new, until a person lifts it.
    Pause,
}

/// What about a stream is watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Its mean and its spread.
    #[default]
    Both,
    /// Its mean alone.
    Mean,
    /// Its spread alone.
    Spread,
}

/// Which way of a stream's mean harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// A rise, as of a latency.
    Rise,
    /// A fall, as of a hit rate.
    Fall,
    /// Either.
    Both,
}

/// A detector that watches a stream within its budget of false alarms: its thresholds follow from `arl0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetedDetector {
    /// Sums of residuals: a mean that moves.
    Cusum,
    /// Sum of their squares: a spread that grows.
    VarianceCusum,
    /// Page-Hinkley against the baseline's mean: a mean that moves.
    PageHinkley,
    /// ADWIN: a mean that moves.
    Adwin,
    /// Variance of the newest values over the baseline's: a spread that grows or shrinks.
    VarianceRatio,
}

/// Detectors exactly as river has them, on the numbers as they come, with raw parameters and outside of the budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RiverCompat {
    /// min_instances, delta, threshold, alpha and mode; river's defaults where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub page_hinkley: Option<BTreeMap<String, String>>,
    /// delta, clock, max_buckets, min_window_length and grace_period; river's defaults where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub adwin: Option<BTreeMap<String, String>>,
}

fn parameters(given: &BTreeMap<String, String>) -> Result<Parameters, ParameterError> {
    let texts: Vec<String> = given.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Parameters::read(texts.iter().map(String::as_str))
}

impl RiverCompat {
    /// Page-Hinkley's settings, where it is asked for.
    ///
    /// # Errors
    /// When a parameter cannot be, or is none of its own.
    pub fn page_hinkley(&self) -> Result<Option<PageHinkleySettings>, ParameterError> {
        self.page_hinkley.as_ref().map(|given| parameters(given).and_then(river_page_hinkley)).transpose()
    }

    /// ADWIN's settings, where it is asked for.
    ///
    /// # Errors
    /// When a parameter cannot be, or is none of its own.
    pub fn adwin(&self) -> Result<Option<AdwinSettings>, ParameterError> {
        self.adwin.as_ref().map(|given| parameters(given).and_then(river_adwin)).transpose()
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Streams of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeclaredStream {
    /// A stream's name, or the beginning of names with `*` behind it, as `slippage:*`.
    pub name: String,
    /// The mean, the spread, or both: by the sums, where `detectors` is empty.
    pub watch: Watched,
    /// Which way of the mean is told: that which harms. By its kind when left out: a rise of feed_gap, feed_latency,
    /// order_stage, slippage and reject_ratio, a fall of fill_ratio, hit_rate and trade_return, and of all others both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm: Option<Harm>,
    /// What watches it, each within its share of the budget; in place of `watch`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detectors: Vec<BudgetedDetector>,
    /// What watches it besides, with raw parameters.
    #[serde(skip_serializing_if = "RiverCompat::is_empty")]
    pub river_compat: RiverCompat,
    /// Budget: observations between two false alarms; that of the section when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_000, max = 1_000_000_000_000_u64))]
    pub arl0: Option<u64>,
    /// Observations (or means of some) that a baseline rests on; that of the section when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 500, max = 5_000))]
    pub baseline: Option<u64>,
    /// How loud its alert is: info, warning or critical.
    pub severity: Severity,
    /// The page that helps.
    pub runbook: String,
    /// What follows.
    pub consequence: OnDrift,
    /// The share of an entry that `reduce` leaves, above 0 and below 1.
    #[schemars(with = "String")]
    pub factor: String,
    /// Whose stream it is, for one that is posted from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
}

impl Default for DeclaredStream {
    fn default() -> Self {
        Self {
            name: String::new(),
            watch: Watched::Both,
            harm: None,
            detectors: Vec::new(),
            river_compat: RiverCompat::default(),
            arl0: None,
            baseline: None,
            severity: Severity::Warning,
            runbook: "drift_detected".to_owned(),
            consequence: OnDrift::Inform,
            factor: "0.5".to_owned(),
            strategy: None,
        }
    }
}

impl DeclaredStream {
    /// The share of an entry that is left, when it is a legal one.
    #[must_use]
    pub fn share(&self) -> Option<Decimal> {
        let share = Decimal::from_str_exact(&self.factor).ok()?;
        (share > Decimal::ZERO && share < Decimal::ONE).then_some(share)
    }
}

/// The drift sentry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DriftSettings {
    /// Whether series are watched at all.
    pub enabled: bool,
    /// Streams that there may be, declared or not.
    #[schemars(range(min = 1, max = 16_384))]
    pub streams_max: u64,
    /// Budget: observations between two false alarms of one stream.
    #[schemars(range(min = 1_000, max = 1_000_000_000_000_u64))]
    pub arl0: u64,
    /// Observations (or means of some) that a baseline rests on.
    #[schemars(range(min = 500, max = 5_000))]
    pub baseline: u64,
    /// An alert is over after so many calm values.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub clear_after: u64,
    /// Streams that are watched otherwise than the section says; the first that fits a name holds.
    pub streams: Vec<DeclaredStream>,
}

impl Default for DriftSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            streams_max: 2_048,
            arl0: 100_000,
            baseline: 500,
            clear_after: 200,
            streams: Vec::new(),
        }
    }
}

impl DriftSettings {
    pub(super) fn validate(&self, problems: &mut Problems, strategies: &[StrategySettings]) {
        problems.range("drift.streams_max", self.streams_max, &STREAMS);
        problems.range("drift.arl0", self.arl0, &ARL0);
        problems.range("drift.baseline", self.baseline, &BASELINE);
        problems.range("drift.clear_after", self.clear_after, &CLEAR_AFTER);
        if self.streams.len() > DECLARED_MAX {
            let (found, advice) = (self.streams.len(), format!("declare at most {DECLARED_MAX}; use `*`"));
            problems.rule("drift.streams", "too_many_streams", format!("{found} are declared"), advice);
        }
        for (index, stream) in self.streams.iter().enumerate().take(DECLARED_MAX) {
            stream.validate(problems, &format!("drift.streams.{index}"), strategies);
        }
    }
}

impl DeclaredStream {
    fn validate(&self, problems: &mut Problems, path: &str, strategies: &[StrategySettings]) {
        let key = |name: &str| format!("{path}.{name}");
        let plain = self.name.strip_suffix('*').unwrap_or(&self.name);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        if self.name.is_empty() || plain.len() > NAME_CHARS_MAX || !plain.chars().all(fits) {
            let shown: String = self.name.chars().take(NAME_CHARS_MAX).collect();
            let advice =
                "use letters, digits, `_`, `-`, `.` and `:`, and `*` at the end for all that begin so";
            let problem = format!("`{shown}` names no stream");
            problems.rule(key("name").as_str(), "bad_stream_name", problem, advice);
        }
        let compat = &self.river_compat;
        for (detector, wrong) in
            [("page_hinkley", compat.page_hinkley().err()), ("adwin", compat.adwin().err())]
        {
            let Some(wrong) = wrong else { continue };
            let path = key(&format!("river_compat.{detector}"));
            problems.rule(
                path.as_str(),
                "bad_detector",
                wrong.to_string(),
                "see docs/drift.md for its parameters",
            );
        }
        problems.range_if(key("arl0").as_str(), self.arl0, &ARL0);
        problems.range_if(key("baseline").as_str(), self.baseline, &BASELINE);
        if self.share().is_none() {
            let problem = format!("`{}` is no share", self.factor.chars().take(40).collect::<String>());
            problems.rule(key("factor").as_str(), "bad_factor", problem, "give a figure above 0 and below 1");
        }
        if let Some(strategy) = &self.strategy
            && !strategies.iter().any(|known| known.name == *strategy)
        {
            let problem = format!("no strategy is named `{}`", strategy.chars().take(40).collect::<String>());
            problems.rule(key("strategy").as_str(), "unknown_strategy", problem, "name one of `strategies`");
        }
        if self.runbook.is_empty()
            || !self.runbook.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        {
            let problem = "the page's name is not letters, digits, `_` and `-`";
            problems.rule(key("runbook").as_str(), "bad_runbook", problem, "as `drift_detected`");
        }
    }
}
