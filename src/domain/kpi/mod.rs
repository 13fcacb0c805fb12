//! Figures of performance: of a return series from anywhere, and of a strategy from its fills.

mod clock;
mod costs;
mod curve;
mod drawdown;
mod figure;
mod line;
mod moments;
mod numbers;
mod report;
mod series;
mod sharpe;
mod summary;
mod tail;
mod totals;
mod tracker;
mod trips;
mod watch;
mod wins;

pub use clock::{DAY, KEPT_MS, Period, THINNING, periods_per_year, tick_at};
pub use costs::{Allotment, Allotments};
pub use curve::{CurvePoint, MOMENTS_MAX, curve, curve_clock};
pub use drawdown::{Deepest, Path};
pub use figure::{Figure, Maybe, Undefined};
pub use moments::Moments;
pub use numbers::{count, erfc, normal_cdf, normal_upper_quantile, sum};
pub use report::{Basis, ReturnFigures};
pub use series::{RETURNS_MAX, Series, SeriesError};
pub use sharpe::{Estimate, Trials};
pub use summary::{
    CostModel, ExecutionFigures, Fall, MoneyFigures, Point, Summary, TripFigures, equity, profit,
};
pub use tail::Tail;
pub use totals::{Money, OrderCounts, Totals};
pub use tracker::{MarkOf, Scope, TrackError, Tracker};
pub use trips::TripSums;
pub use wins::Wins;
