//! Figures of performance: of a return series from anywhere, and of a strategy from its fills.

mod drawdown;
mod figure;
mod moments;
mod numbers;
mod report;
mod series;
mod sharpe;
mod tail;
mod wins;

pub use drawdown::{Deepest, Path};
pub use figure::{Figure, Maybe, Undefined};
pub use moments::Moments;
pub use numbers::{count, erfc, normal_cdf, normal_upper_quantile, sum};
pub use report::{Basis, ReturnFigures};
pub use series::{RETURNS_MAX, Series, SeriesError};
pub use sharpe::{Estimate, Trials};
pub use tail::Tail;
pub use wins::Wins;
