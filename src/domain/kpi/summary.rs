//! A scope's figures for a period, from observations on the fixed clock.
//!
//! It promises that sums are differences of exact totals, that a return stands only between two observations that are
//! neighbours on the clock (a gap is a gap, not a return of zero), and that every figure carries its n and its period.

use super::clock::{Period, periods_per_year};
use super::drawdown::Path;
use super::figure::{Figure, Maybe, Undefined};
use super::numbers::count;
use super::report::{Basis, ReturnFigures};
use super::sharpe::Trials;
use super::totals::{Money, OrderCounts, Totals};
use crate::domain::ids::Asset;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// When (wall clock).
    pub at: WallMs,
    /// What it had come to.
    pub totals: Totals,
}

/// What trading costs besides fees, and what was given to trade with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CostModel {
    /// Allocated budget and its asset; `None` when none is set.
    pub budget: Option<(Asset, Decimal)>,
    /// Fixed running costs a day, in the quote asset.
    pub running_per_day: Decimal,
    /// Funding of what is held a day, as a fraction of its value.
    pub funding_per_day: Decimal,
    /// Variants that were tried, and the variance of their yearly Sharpe ratios; `None` when not recorded.
    pub trials: Option<(u64, Decimal)>,
}

/// Money of a period, decimals as strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyFigures {
    /// The quote asset of all of it.
    pub asset: Asset,
    /// Realised in the period, before fees.
    pub realised_pnl: Maybe<Decimal>,
    /// Of what is held at the end, at the price at which it could be closed.
    pub unrealised_pnl: Maybe<Decimal>,
    /// Fees of the period, at the end's prices.
    pub fees: Maybe<Decimal>,
    /// Change of realised and unrealised, less fees.
    pub pnl: Maybe<Decimal>,
    /// Fixed running costs of the time observed.
    pub running_costs: Decimal,
    /// Funding of what was held.
    pub funding: Decimal,
    /// `pnl` less running costs and funding.
    pub net_pnl: Maybe<Decimal>,
    /// What fills cost against the market when their orders were decided on. It is in `pnl` already.
    pub slippage: Maybe<Decimal>,
    /// Price times quantity of the fills.
    pub turnover: Maybe<Decimal>,
    /// Value held at the end.
    pub exposure: Maybe<Decimal>,
    /// The allocated budget.
    pub budget: Maybe<Decimal>,
}

/// The deepest fall of the equity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fall {
    /// As a fraction of the height before, below zero.
    pub depth: f64,
    /// When the height was (RFC 3339).
    pub peak_at: Option<String>,
    /// When the bottom was.
    pub trough_at: Option<String>,
    /// When the height was reached again; `null` when it was not.
    pub recovered_at: Option<String>,
}

/// Round trips of a period, after fees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TripFigures {
    /// Closed trips.
    pub n: u64,
    /// That brought something, cost something, came out at nothing, have a fee without a price.
    pub wins: u64,
    /// See `wins`.
    pub losses: u64,
    /// See `wins`.
    pub flat: u64,
    /// See `wins`.
    pub unpriced: u64,
    /// Sum of wins over the size of the sum of losses.
    pub profit_factor: Figure,
    /// Wins over wins and losses.
    pub win_rate: Figure,
    /// Mean win.
    pub average_win: Figure,
    /// Mean loss, below zero.
    pub average_loss: Figure,
    /// Mean win over the size of the mean loss.
    pub payoff: Figure,
    /// Mean of wins and losses.
    pub expectancy: Figure,
    /// Mean time from first to last fill.
    pub mean_holding_seconds: Figure,
}

/// Orders and executions of a period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExecutionFigures {
    /// Counts.
    pub orders: OrderCounts,
    /// Denied here over all that were decided on.
    pub denial_rate: Figure,
    /// Rejected by the venue over those taken.
    pub rejection_rate: Figure,
    /// Executed at least in part over those taken.
    pub fill_rate: Figure,
    /// Turnover that rested in the book over all turnover.
    pub maker_share: Figure,
    /// Cost against the market at the decision, hundredths of a percent of it.
    pub slippage_bps: Figure,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How far back.
    pub period: Period,
    /// First observation used (RFC 3339).
    pub from: Option<String>,
    /// Last observation used.
    pub to: Option<String>,
    /// Seconds between the two.
    pub observed_seconds: i64,
    /// Seconds of the clock of the returns.
    pub clock_seconds: i64,
    /// Moments of that clock without an observation, between the first and the last.
    pub gaps: i64,
    /// Sums of money.
    pub money: Maybe<MoneyFigures>,
    /// `net_pnl` over the budget.
    pub roi: Figure,
    /// Figures of the returns on the clock; `n` counts the returns.
    pub returns: ReturnFigures,
    /// Deepest fall of the equity over all observations used.
    pub drawdown: Maybe<Fall>,
    /// Round trips.
    pub trips: Maybe<TripFigures>,
    /// Orders and executions.
    pub execution: ExecutionFigures,
    /// Time with a position over time observed.
    pub exposure_time: Figure,
}

/// Exact to the double nearest to the decimal.
fn double(value: Decimal) -> Result<f64, Undefined> {
    value.to_f64().ok_or(Undefined::OutOfRange)
}

fn ratio(part: u64, of: u64, none: Undefined) -> Figure {
    let small = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    match of {
        0 => Figure::Undefined(none),
        of => Figure::of(small(part) / small(of)),
    }
}

/// The one quote asset of the totals.
fn single(totals: &Totals) -> Result<(&Asset, &Money), Undefined> {
    let mut all = totals.money.iter();
    match (all.next(), all.next()) {
        (None, _) => Err(Undefined::NoFills),
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Undefined::MixedQuoteAssets),
    }
}

/// Why the profit of a moment has no value.
fn pnl(money: &Money) -> Result<Decimal, Undefined> {
    match (money.unrealised, money.fees) {
        (None, _) => Err(Undefined::NoMark),
        (_, None) => Err(Undefined::NoFeeConversion),
        _ => money.pnl().ok_or(Undefined::OutOfRange),
    }
}

fn minus(a: Decimal, b: Decimal) -> Result<Decimal, Undefined> {
    a.checked_sub(b).ok_or(Undefined::OutOfRange)
}

/// Equity at an observation: budget and profit, or the reason why that is not known.
///
/// # Errors
/// [`Undefined`].
pub fn equity(point: &Point, costs: &CostModel) -> Result<Decimal, Undefined> {
    let (asset, budget) = costs.budget.as_ref().ok_or(Undefined::NoBudget)?;
    let made = match single(&point.totals) {
        Err(Undefined::NoFills) => Decimal::ZERO,
        Err(why) => return Err(why),
        Ok((quote, _)) if quote != asset => return Err(Undefined::NoBudget),
        Ok((_, money)) => pnl(money)?,
    };
    budget.checked_add(made).ok_or(Undefined::OutOfRange)
}

/// Profit of an observation since the beginning, or the reason why that is not known.
///
/// # Errors
/// [`Undefined`].
pub fn profit(point: &Point) -> Result<Decimal, Undefined> {
    match single(&point.totals) {
        Err(Undefined::NoFills) => Ok(Decimal::ZERO),
        Err(why) => Err(why),
        Ok((_, money)) => pnl(money),
    }
}

impl Summary {
    /// From observations in the order of their time; the first is where the period begins.
    ///
    /// `whole` says that nothing happened before the first observation was made: its totals count as made in the
    /// period. Returns are taken between observations at multiples of `clock_ms`.
    #[must_use]
    pub fn of(period: Period, clock_ms: i64, points: &[Point], whole: bool, costs: &CostModel) -> Self {
        let empty = Point { at: WallMs(0), totals: Totals::default() };
        let (first, last) = (points.first().unwrap_or(&empty), points.last().unwrap_or(&empty));
        let nothing = Totals::default();
        let before = if whole { &nothing } else { &first.totals };
        let observed_ms = last.at.0.saturating_sub(first.at.0);
        let (returns, gaps) = returns(points, clock_ms, costs);
        let periods = periods_per_year(clock_ms);
        let per_period = |(n, variance): (u64, Decimal)| {
            variance.to_f64().map(|variance| Trials { n, variance: variance / periods })
        };
        let basis = Basis { trials: costs.trials.and_then(per_period), ..Basis::yearly(periods) };
        let money = money(before, &last.totals, observed_ms, costs);
        let roi = money.as_ref().map_err(|why| *why).and_then(|money| {
            let (net, budget) = (money.net_pnl.0?, money.budget.0?);
            Ok(double(net)? / double(budget)?)
        });
        let exposed = last.totals.exposed_ms.saturating_sub(before.exposed_ms);
        Self {
            period,
            from: points.first().and_then(|point| point.at.rfc3339()),
            to: points.last().and_then(|point| point.at.rfc3339()),
            observed_seconds: observed_ms.div_euclid(1_000),
            clock_seconds: clock_ms.div_euclid(1_000),
            gaps,
            roi: roi.into(),
            returns: ReturnFigures::of(&returns, basis),
            drawdown: Maybe(fall(points, costs)),
            trips: Maybe(trips(before, &last.totals)),
            execution: execution(before, &last.totals),
            exposure_time: share_of_time(exposed, observed_ms),
            money: Maybe(money),
        }
    }
}

fn share_of_time(exposed_ms: i64, observed_ms: i64) -> Figure {
    let seconds = |ms: i64| Decimal::from(ms).to_f64().ok_or(Undefined::OutOfRange);
    let share = || match observed_ms {
        1.. => Ok(seconds(exposed_ms)? / seconds(observed_ms)?),
        _ => Err(Undefined::NotObserved),
    };
    share().into()
}

/// Returns between neighbours on the clock, and how many of its moments were not observed.
fn returns(points: &[Point], clock_ms: i64, costs: &CostModel) -> (Vec<f64>, i64) {
    let on_clock = points.iter().filter(|point| point.at.0.checked_rem_euclid(clock_ms) == Some(0));
    let (mut found, mut gaps) = (Vec::new(), 0_i64);
    let mut before: Option<(WallMs, Result<Decimal, Undefined>)> = None;
    for point in on_clock {
        let now = equity(point, costs);
        if let Some((at, earlier)) = before {
            let steps = point.at.0.saturating_sub(at.0).checked_div(clock_ms).unwrap_or(0);
            gaps = gaps.saturating_add(steps.saturating_sub(1).max(0));
            // A price that was missing leaves a gap as well.
            if let (1, Ok(earlier), Ok(now)) = (steps, earlier, &now)
                && earlier > Decimal::ZERO
                && let Some(value) = now.checked_sub(earlier).and_then(|made| made.checked_div(earlier))
                && let Some(value) = value.to_f64()
            {
                found.push(value);
            }
        }
        before = Some((point.at, now));
    }
    (found, gaps)
}

fn fall(points: &[Point], costs: &CostModel) -> Result<Fall, Undefined> {
    let mut known = Vec::new();
    for point in points {
        match equity(point, costs) {
            Ok(equity) => known.push((point.at, double(equity)?)),
            // A moment without a price is left out of the curve; no budget or two assets leave none.
            Err(Undefined::NoMark | Undefined::NoFeeConversion) => {}
            Err(why) => return Err(why),
        }
    }
    let deepest = Path::along(known.iter().map(|(_, equity)| *equity)).deepest().0?;
    let at = |index: usize| known.get(index).and_then(|(at, _)| at.rfc3339());
    Ok(Fall {
        depth: deepest.depth,
        peak_at: at(deepest.peak),
        trough_at: at(deepest.trough),
        recovered_at: deepest.recovery.and_then(at),
    })
}

fn money(before: &Totals, after: &Totals, ms: i64, costs: &CostModel) -> Result<MoneyFigures, Undefined> {
    let (asset, last) = single(after)?;
    let nothing = Money::nothing();
    let first = before.money.get(asset).unwrap_or(&nothing);
    let fees =
        || minus(last.fees.ok_or(Undefined::NoFeeConversion)?, first.fees.ok_or(Undefined::NoFeeConversion)?);
    let made = || minus(pnl(last)?, pnl(first)?);
    let days = Decimal::from(ms.max(0)).checked_div(Decimal::from(super::clock::DAY));
    let running =
        days.and_then(|days| days.checked_mul(costs.running_per_day)).ok_or(Undefined::OutOfRange)?;
    let held = minus(last.exposure_days, first.exposure_days)?;
    let funding = held.checked_mul(costs.funding_per_day).ok_or(Undefined::OutOfRange)?.round_dp(12);
    let running = running.round_dp(12);
    let net = || minus(minus(made()?, running)?, funding);
    let slippage = match minus(last.slippage_of, first.slippage_of)? {
        known if known.is_zero() => Err(Undefined::NoDecisionPrice),
        _ => minus(last.slippage, first.slippage),
    };
    let budget = match &costs.budget {
        Some((of, budget)) if of == asset && *budget > Decimal::ZERO => Ok(*budget),
        _ => Err(Undefined::NoBudget),
    };
    Ok(MoneyFigures {
        asset: asset.clone(),
        realised_pnl: Maybe(minus(last.realised, first.realised)),
        unrealised_pnl: Maybe(last.unrealised.ok_or(Undefined::NoMark)),
        fees: Maybe(fees()),
        pnl: Maybe(made()),
        running_costs: running,
        funding,
        net_pnl: Maybe(net()),
        slippage: Maybe(slippage),
        turnover: Maybe(minus(last.turnover, first.turnover)),
        exposure: Maybe(last.exposure.ok_or(Undefined::NoMark)),
        budget: Maybe(budget),
    })
}

fn trips(before: &Totals, after: &Totals) -> Result<TripFigures, Undefined> {
    let (asset, last) = single(after)?;
    let first = before.money.get(asset).map(|money| money.trips.clone()).unwrap_or_default();
    let sums = last.trips.since(&first).ok_or(Undefined::OutOfRange)?;
    let small = |n: u64| count(usize::try_from(n).unwrap_or(usize::MAX));
    let win = || {
        sums.decided()?;
        if sums.wins == 0 { Err(Undefined::NoWins) } else { Ok(double(sums.won)? / small(sums.wins)) }
    };
    let loss = || {
        sums.decided()?;
        if sums.losses == 0 { Err(Undefined::NoLosses) } else { Ok(double(sums.lost)? / small(sums.losses)) }
    };
    let factor = || {
        loss()?;
        Ok(double(sums.won)? / double(sums.lost)?.abs())
    };
    let rate = || Ok(small(sums.wins) / small(sums.decided()?));
    let payoff = || Ok(win()? / loss()?.abs());
    let mean = || {
        let decided = sums.decided()?;
        Ok(double(sums.won.checked_add(sums.lost).ok_or(Undefined::OutOfRange)?)? / small(decided))
    };
    let holding = || match sums.closed() {
        0 => Err(Undefined::NoRoundTrips),
        n => Ok(double(Decimal::from(sums.held_ms))? / 1_000.0 / small(n)),
    };
    Ok(TripFigures {
        n: sums.closed(),
        wins: sums.wins,
        losses: sums.losses,
        flat: sums.flat,
        unpriced: sums.unpriced,
        profit_factor: factor().into(),
        win_rate: rate().into(),
        average_win: win().into(),
        average_loss: loss().into(),
        payoff: payoff().into(),
        expectancy: mean().into(),
        mean_holding_seconds: holding().into(),
    })
}

fn execution(before: &Totals, after: &Totals) -> ExecutionFigures {
    let orders = after.orders.since(&before.orders);
    let difference = |of: fn(&Money) -> Decimal| {
        let (asset, last) = single(after)?;
        minus(of(last), before.money.get(asset).map(of).unwrap_or_default())
    };
    let part = |part: fn(&Money) -> Decimal, of: fn(&Money) -> Decimal, none: Undefined, scale: f64| {
        let (part, of) = (difference(part)?, difference(of)?);
        if of.is_zero() { Err(none) } else { Ok(double(part)? / double(of)? * scale) }
    };
    let decided = orders.taken.saturating_add(orders.denied);
    ExecutionFigures {
        denial_rate: ratio(orders.denied, decided, Undefined::NoOrders),
        rejection_rate: ratio(orders.rejected, orders.taken, Undefined::NoOrders),
        fill_rate: ratio(orders.touched, orders.taken, Undefined::NoOrders),
        maker_share: part(|m| m.maker, |m| m.turnover, Undefined::NoFills, 1.0).into(),
        slippage_bps: part(|m| m.slippage, |m| m.slippage_of, Undefined::NoDecisionPrice, 10_000.0).into(),
        orders,
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
