//! What is asked of the figures: whose, how far back, on which clock; and the observations that answer it.

use super::super::pages::{query_id, wrong_query};
use super::super::problem::Problem;
use super::super::state::WebState;
use crate::actors::performance::PerformancePlan;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::kpi::{CostModel, Period, Point, Scope, Summary, curve_clock};
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// The parameters as they were sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Parameters {
    strategy: Option<String>,
    venue: Option<String>,
    period: Option<String>,
    clock_seconds: Option<String>,
}

/// See the module's head.
pub(super) struct Question {
    /// Named in the question; all of it unless asked otherwise.
    pub(super) scope: Scope,
    pub(super) period: Period,
    /// Milliseconds, where it was asked for.
    clock: Option<i64>,
    pub(super) plan: PerformancePlan,
}

/// A scope's figures.
#[derive(Serialize)]
pub(super) struct Figures {
    /// `null` for all.
    pub(super) strategy: Option<StrategyId>,
    /// `null` for all.
    pub(super) venue: Option<VenueId>,
    #[serde(flatten)]
    pub(super) summary: Summary,
}

impl Question {
    /// Reads the parameters; 422 names those that are wrong, 404 a strategy or venue that is not there.
    pub(super) fn read(state: &WebState, parameters: &Parameters) -> Result<Self, Problem> {
        state.oms()?;
        let plan = state.readings.performance.plan();
        let plan =
            plan.ok_or_else(|| Problem::unavailable("nothing trades, so nothing is observed"))?.clone();
        let strategy = query_id::<StrategyId>("strategy", parameters.strategy.as_deref())?;
        let venue = query_id::<VenueId>("venue", parameters.venue.as_deref())?;
        let period = match parameters.period.as_deref() {
            None => Period::default(),
            Some(word) => {
                Period::parse(word).ok_or_else(|| wrong_query("period", "must be one of 1d, 7d, 30d, all"))?
            }
        };
        let sample = i64::try_from(plan.sample.as_secs()).unwrap_or(i64::MAX);
        let clock = match parameters.clock_seconds.as_deref().map(str::parse::<i64>) {
            None => None,
            Some(Ok(seconds))
                if (sample..=86_400).contains(&seconds)
                    && seconds.checked_rem(sample) == Some(0)
                    && 86_400_i64.checked_rem(seconds) == Some(0) =>
            {
                Some(seconds.saturating_mul(1_000))
            }
            Some(_) => {
                let right = format!("must be a multiple of {sample} that divides 86400");
                return Err(wrong_query("clock_seconds", right));
            }
        };
        let known = state.readings.performance.latest().scopes;
        let configured = &plan.allotments.strategies;
        if let Some(own) = &strategy
            && !configured.iter().any(|one| one.strategy == *own)
            && !known.iter().any(|scope| scope.strategy.as_ref() == Some(own))
        {
            return Err(Problem::not_found(format!("there is no strategy {own}")));
        }
        let is_venue = |own: &VenueId| state.readings.boards.contains_key(own);
        if let Some(own) = venue.as_ref().filter(|own| !is_venue(own)) {
            return Err(Problem::not_found(format!("there is no venue {own}")));
        }
        Ok(Self { scope: Scope { strategy, venue }, period, clock, plan })
    }

    /// What the scope was given and costs.
    pub(super) fn costs(&self, scope: &Scope) -> CostModel {
        self.plan.allotments.of(scope)
    }

    /// A scope's figures.
    pub(super) async fn figures(&self, state: &WebState, scope: Scope) -> Result<Figures, Problem> {
        let clock = self.clock.unwrap_or_else(|| self.period.clock());
        let (points, first) = self.observed(state, &scope, clock).await?;
        let whole = self.period == Period::All && points.first().map(|point| point.at) == first;
        let summary = Summary::of(self.period, clock, &points, whole, &self.costs(&scope));
        Ok(Figures { strategy: scope.strategy, venue: scope.venue, summary })
    }

    /// The observations of the scope's curve, and the clock that they are on, milliseconds.
    pub(super) async fn curve(&self, state: &WebState, scope: &Scope) -> Result<(Vec<Point>, i64), Problem> {
        let from = self.begins();
        let own = scope.clone();
        let first = state.read(move |books| books.observed_since(&own)).await?;
        let begins = first.map_or(from.0, |first| first.0.max(from.0));
        let observed = crate::clock::wall_millis().saturating_sub(begins);
        let sample = i64::try_from(self.plan.sample.as_millis()).unwrap_or(i64::MAX);
        let clock = self.clock.unwrap_or_else(|| curve_clock(sample, observed));
        Ok((self.observed(state, scope, clock).await?.0, clock))
    }

    fn begins(&self) -> WallMs {
        self.period.begins(WallMs(crate::clock::wall_millis()))
    }

    async fn observed(
        &self,
        state: &WebState,
        scope: &Scope,
        clock: i64,
    ) -> Result<(Vec<Point>, Option<WallMs>), Problem> {
        let (from, scope) = (self.begins(), scope.clone());
        let read = move |books: &crate::db::Readers| {
            Ok((books.equity_points(&scope, from, clock)?, books.observed_since(&scope)?))
        };
        state.read(read).await
    }
}
