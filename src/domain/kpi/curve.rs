//! An equity curve as it is shown: profit, equity and drawdown at the moments of a clock.
//!
//! It promises that a moment which was not observed is marked before the one that follows, so that nobody draws a line
//! over it, and that a curve has a bounded number of moments.

use super::clock::THINNING;
use super::figure::{Figure, Maybe, Undefined};
use super::summary::{CostModel, Point, equity, profit};
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Serialize, Serializer};

/// Most moments of a curve, about.
pub const MOMENTS_MAX: i64 = 1_500;

/// One moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: WallMs,
    /// Profit since the beginning, after fees.
    pub pnl: Maybe<Decimal>,
    /// Budget and profit.
    pub equity: Maybe<Decimal>,
    /// Equity over its greatest height so far, less one; zero at a new height.
    pub drawdown: Figure,
    /// Moments before this one were not observed.
    pub gap: bool,
}

fn rfc3339<S: Serializer>(at: &WallMs, s: S) -> Result<S::Ok, S::Error> {
    at.rfc3339().serialize(s)
}

/// The finest clock, milliseconds, that needs no more than about [`MOMENTS_MAX`] moments for a time.
#[must_use]
pub fn curve_clock(sample_ms: i64, observed_ms: i64) -> i64 {
    let clocks = std::iter::once(sample_ms).chain(THINNING.map(|(_, step)| step));
    let fits = |clock: &i64| observed_ms.checked_div(*clock).is_some_and(|moments| moments <= MOMENTS_MAX);
    clocks.clone().find(fits).or_else(|| clocks.last()).unwrap_or(sample_ms)
}

/// The curve of observations, oldest first.
#[must_use]
pub fn curve(points: &[Point], clock_ms: i64, costs: &CostModel) -> Vec<CurvePoint> {
    let (mut high, mut before) = (None::<f64>, None::<WallMs>);
    let moment = |point: &Point| {
        let equity = equity(point, costs);
        let value = equity.as_ref().map_err(|why| *why).and_then(|e| e.to_f64().ok_or(Undefined::OutOfRange));
        let drawdown = value.and_then(|value| {
            let top = high.map_or(value, |high| high.max(value));
            high = Some(top);
            if top > 0.0 { Ok(value / top - 1.0) } else { Err(Undefined::EquityBelowZero { at: 0 }) }
        });
        let gap = before.is_some_and(|before| {
            point.at.0.saturating_sub(before.0) > clock_ms.saturating_mul(3).div_euclid(2)
        });
        before = Some(point.at);
        CurvePoint {
            at: point.at,
            pnl: Maybe(profit(point)),
            equity: Maybe(equity),
            drawdown: drawdown.into(),
            gap,
        }
    };
    points.iter().map(moment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Asset;
    use crate::domain::kpi::{Money, Totals};

    #[test]
    fn falls_and_gaps_are_marked() {
        let usdt = Asset::new("USDT").unwrap();
        let point = |minute: i64, made: i64| {
            let money = Money { realised: Decimal::from(made), ..Money::nothing() };
            Point {
                at: WallMs(minute * 60_000),
                totals: Totals { money: [(usdt.clone(), money)].into(), ..Totals::default() },
            }
        };
        let costs = CostModel { budget: Some((usdt.clone(), Decimal::from(100))), ..CostModel::default() };
        let made = curve(&[point(0, 0), point(1, 100), point(2, 50), point(5, 100)], 60_000, &costs);
        let falls: Vec<f64> = made.iter().map(|one| one.drawdown.value().unwrap()).collect();
        assert_eq!(falls, [0.0, 0.0, -0.25, 0.0]);
        assert_eq!(made.iter().map(|one| one.gap).collect::<Vec<_>>(), [false, false, false, true]);
        let text = serde_json::to_string(&made[2]).unwrap();
        assert_eq!(
            text,
            r#"{"at":"1970-01-01T00:02:00.000Z","pnl":"50","equity":"150","drawdown":-0.25,"gap":false}"#
        );
        let without = curve(&[point(0, 0)], 60_000, &CostModel::default());
        assert_eq!(without[0].drawdown, Figure::Undefined(Undefined::NoBudget));
    }

    #[test]
    fn a_curve_has_a_bounded_number_of_moments() {
        const DAY: i64 = super::super::DAY;
        assert_eq!(curve_clock(60_000, DAY), 60_000);
        assert_eq!(curve_clock(60_000, 7 * DAY), 900_000);
        assert_eq!(curve_clock(1_000, DAY), 900_000);
        assert_eq!(curve_clock(60_000, 3_650 * DAY), DAY);
    }
}
