//! All figures of a return series, under the names that they are published with.
//!
//! It promises every name in every answer: a figure that does not exist answers its reason. The annualisation factor is
//! given, never guessed. It rounds nothing.

use super::drawdown::Path;
use super::figure::{Figure, Maybe, Undefined};
use super::moments::Moments;
use super::numbers::{count, sum};
use super::sharpe::{Estimate, Trials};
use super::tail::Tail;
use super::wins::Wins;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What the figures are held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Basis {
    /// Returns in a year: 252 trading days, 365 days of a market that never closes. Above zero.
    pub periods_per_year: f64,
    /// Sharpe ratio per year that is to be beaten.
    pub benchmark: f64,
    /// Confidence of the shortest track record, 0.95 for 95 %.
    pub confidence: f64,
    /// Variants tried, where that was recorded; their variance is per period.
    pub trials: Option<Trials>,
}

impl Basis {
    /// Against a Sharpe ratio of zero with 95 %, trials not recorded.
    #[must_use]
    pub const fn yearly(periods_per_year: f64) -> Self {
        Self { periods_per_year, benchmark: 0.0, confidence: 0.95, trials: None }
    }
}

/// The figures of a return series.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnFigures {
    /// What they are held against.
    pub basis: Basis,
    /// Observations.
    pub n: usize,
    /// Mean, spread and shape.
    pub moments: Moments,
    /// Mean over standard deviation times the root of the periods in a year.
    pub sharpe: Figure,
    /// Root of the mean square of the losses, all observations counted.
    pub downside: Figure,
    /// Mean over downside deviation times the root of the periods in a year.
    pub sortino: Figure,
    /// Compounded equity and its falls.
    pub path: Path,
    /// Wins and losses.
    pub wins: Wins,
    /// The bad end.
    pub tail: Tail,
    /// Probability that the true Sharpe ratio is above the benchmark.
    pub probabilistic_sharpe: Figure,
    /// Observations after which it would be, with the basis' confidence.
    pub minimum_track_record: Figure,
    /// Probability that it is above what the best of all trials shows by chance.
    pub deflated_sharpe: Figure,
}

impl ReturnFigures {
    /// Computes everything from finite returns.
    #[must_use]
    pub fn of(returns: &[f64], basis: Basis) -> Self {
        let moments = Moments::of(returns);
        let root = basis.periods_per_year.sqrt();
        let wins = Wins::of(returns);
        let downside = downside(returns);
        let sortino = || match (moments.n(), wins.counts().1) {
            (0, _) => Err(Undefined::TooFewObservations { have: 0, need: 1 }),
            (_, 0) => Err(Undefined::NoLosses),
            (..) => Ok(moments.mean().get()? / downside.get().and_then(above_zero)? * root),
        };
        let estimate = || {
            Ok(Estimate {
                ratio: moments.ratio().get()?,
                n: moments.n(),
                skew: moments.skew().get()?,
                kurtosis: moments.kurtosis().get()?,
            })
        };
        let estimate: Result<Estimate, Undefined> = estimate();
        let benchmark = basis.benchmark / root;
        let judged = |by: &dyn Fn(Estimate) -> Figure| match estimate {
            Ok(estimate) => by(estimate),
            Err(why) => Figure::Undefined(why),
        };
        Self {
            basis,
            n: returns.len(),
            moments,
            sharpe: moments.ratio().map(|ratio| ratio * root),
            downside,
            sortino: sortino().into(),
            path: Path::of(returns),
            wins,
            tail: Tail::of(returns),
            probabilistic_sharpe: judged(&|estimate| estimate.probabilistic(benchmark)),
            minimum_track_record: judged(&|estimate| {
                estimate.minimum_track_record(benchmark, basis.confidence)
            }),
            deflated_sharpe: match basis.trials {
                // Not recorded is the reason, whatever else is missing.
                None => Figure::Undefined(Undefined::TrialsUnknown),
                trials => judged(&|estimate| estimate.deflated(trials)),
            },
        }
    }

    /// Names and values of the figures, in the order in which they are shown.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, Figure)> {
        let periods = self.basis.periods_per_year;
        let growth = self.path.annual_growth(periods);
        let named = |name: &str, figure: Figure| (name.to_owned(), figure);
        vec![
            named("mean", self.moments.mean()),
            named("std_ddof1", self.moments.deviation()),
            named("ann_vol", self.moments.deviation().map(|deviation| deviation * periods.sqrt())),
            named("sharpe_ann", self.sharpe),
            named("sharpe_per_period", self.moments.ratio()),
            named("downside_dev", self.downside),
            named("sortino_ann", self.sortino),
            named("total_return", self.path.total_return()),
            (format!("cagr_{periods}"), growth),
            named("max_drawdown", self.path.maximum()),
            (format!("calmar_{periods}"), self.path.calmar(periods)),
            named("profit_factor", self.wins.profit_factor()),
            named("win_rate_ex_zero", self.wins.rate()),
            named("win_rate_all", self.wins.rate_of_all()),
            named("avg_win", self.wins.average_win()),
            named("avg_loss", self.wins.average_loss()),
            named("payoff", self.wins.payoff()),
            named("expectancy_per_period", self.wins.expectancy()),
            named("kelly_binary", self.wins.kelly()),
            named("kelly_continuous", self.moments.mean_over_variance()),
            named("skew_population", self.moments.skew()),
            named("kurt_population", self.moments.kurtosis()),
            named("skew_G1", self.moments.skew_corrected()),
            named("excess_kurt_G2", self.moments.excess_kurtosis_corrected()),
            named("var95_hist", self.tail.value_at_risk),
            named("cvar95_hist", self.tail.expected_shortfall),
            named("ulcer", self.path.ulcer()),
            named("probabilistic_sharpe", self.probabilistic_sharpe),
            named("min_track_record_observations", self.minimum_track_record),
            named("min_track_record_years", self.minimum_track_record.map(|n| n / periods)),
            named("deflated_sharpe", self.deflated_sharpe),
        ]
    }

    /// Names and places of the deepest fall; a height that was not reached again is `null`.
    #[must_use]
    pub fn places(&self) -> [(&'static str, Maybe<Option<usize>>); 3] {
        let place = |of: fn(&super::drawdown::Deepest) -> Option<usize>| {
            Maybe(self.path.deepest().0.map(|deepest| of(&deepest)))
        };
        [
            ("max_drawdown_peak_index", place(|deepest| Some(deepest.peak))),
            ("max_drawdown_trough_index", place(|deepest| Some(deepest.trough))),
            ("max_drawdown_recovery_index", place(|deepest| deepest.recovery)),
        ]
    }
}

/// What the indices count.
const INDEX_NOTE: &str = "equity index 0 = starting capital 1.0, k = after k returns";

impl Serialize for ReturnFigures {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("periods_per_year", &self.basis.periods_per_year)?;
        for (name, figure) in self.figures() {
            map.serialize_entry(&name, &figure)?;
            if name == "max_drawdown" {
                for (name, place) in self.places() {
                    map.serialize_entry(name, &place)?;
                }
                map.serialize_entry("index_note", INDEX_NOTE)?;
            }
        }
        map.serialize_entry("benchmark_sharpe_ann", &self.basis.benchmark)?;
        map.serialize_entry("confidence", &self.basis.confidence)?;
        map.serialize_entry("trials", &self.basis.trials.map(|trials| trials.n))?;
        map.end()
    }
}

const fn above_zero(value: f64) -> Result<f64, Undefined> {
    if value > 0.0 { Ok(value) } else { Err(Undefined::OutOfRange) }
}

fn downside(returns: &[f64]) -> Figure {
    match returns.len() {
        0 => Figure::Undefined(Undefined::TooFewObservations { have: 0, need: 1 }),
        n => Figure::of((sum(returns.iter().map(|value| value.min(0.0).powi(2))) / count(n)).sqrt()),
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
