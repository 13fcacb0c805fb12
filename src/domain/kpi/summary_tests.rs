//! Figures of a period from observations: differences, gaps, reasons.

use super::super::tracker::Scope;
use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn usdt() -> Asset {
    Asset::new("USDT").unwrap()
}

fn point(minutes: i64, realised: &str) -> Point {
    let money = Money { realised: d(realised), ..Money::nothing() };
    Point {
        at: WallMs(minutes * 60_000),
        totals: Totals { money: [(usdt(), money)].into(), ..Totals::default() },
    }
}

fn budget(amount: &str) -> CostModel {
    CostModel { budget: Some((usdt(), d(amount))), ..CostModel::default() }
}

const QUARTER: i64 = 15 * 60_000;

#[test]
fn a_gap_is_a_gap_and_not_a_return_of_zero() {
    let points = [point(0, "0"), point(15, "10"), point(30, "10"), point(75, "40"), point(90, "30")];
    let made = Summary::of(Period::Day, QUARTER, &points, true, &budget("1000"));
    assert_eq!((made.returns.n, made.gaps), (3, 2));
    let wanted = [0.01, 0.0, -10.0 / 1040.0];
    let (found, _) = returns(&points, QUARTER, &budget("1000"));
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < 1e-15, "{found} {wanted}");
    }
    let fall = made.drawdown.0.unwrap();
    assert!((fall.depth + 10.0 / 1040.0).abs() < 1e-15);
    assert_eq!(fall.peak_at.as_deref(), Some("1970-01-01T01:15:00.000Z"));
    assert_eq!((fall.trough_at.as_deref(), fall.recovered_at), (Some("1970-01-01T01:30:00.000Z"), None));
}

#[test]
fn money_of_a_period_is_a_difference_and_costs_are_taken_off() {
    let mut points = [point(0, "5"), point(1_440, "105")];
    points[1].totals.money.get_mut(&usdt()).unwrap().exposure_days = d("1000");
    let costs = CostModel { running_per_day: d("2"), funding_per_day: d("0.001"), ..budget("1000") };
    let made = Summary::of(Period::All, super::super::DAY, &points, false, &costs).money.0.unwrap();
    assert_eq!((made.pnl.0, made.running_costs, made.funding), (Ok(d("100")), d("2"), d("1")));
    assert_eq!(made.net_pnl.0, Ok(d("97")));
    let chosen = CostModel { trials: Some((40, d("0.5"))), ..costs.clone() };
    let tried = Summary::of(Period::All, super::super::DAY, &points, true, &chosen).returns;
    assert_eq!((tried.basis.trials.map(|t| t.n), tried.n), (Some(40), 1));
    assert_eq!(tried.deflated_sharpe, Figure::Undefined(Undefined::TooFewObservations { have: 1, need: 2 }));
    let whole = Summary::of(Period::All, super::super::DAY, &points, true, &costs);
    assert_eq!(whole.money.0.unwrap().pnl.0, Ok(d("105")), "nothing happened before the first observation");
    assert_eq!(whole.roi, Figure::Defined(0.102));
}

#[test]
fn what_is_missing_has_its_reason() {
    let none = Summary::of(Period::Week, QUARTER, &[], true, &CostModel::default());
    assert_eq!(none.money.0, Err(Undefined::NoFills));
    assert_eq!(none.roi, Figure::Undefined(Undefined::NoFills));
    assert_eq!(none.exposure_time, Figure::Undefined(Undefined::NotObserved));
    assert_eq!(none.execution.denial_rate, Figure::Undefined(Undefined::NoOrders));

    let points = [point(0, "0"), point(15, "10")];
    let without = Summary::of(Period::Day, QUARTER, &points, true, &CostModel::default());
    assert_eq!(without.roi, Figure::Undefined(Undefined::NoBudget));
    assert_eq!(without.drawdown.0, Err(Undefined::NoBudget));
    assert_eq!(without.money.0.unwrap().pnl.0, Ok(d("10")), "profit needs no budget");

    let mut unmarked = [point(0, "0"), point(15, "10")];
    unmarked[1].totals.money.get_mut(&usdt()).unwrap().unrealised = None;
    let money = Summary::of(Period::Day, QUARTER, &unmarked, true, &budget("1")).money.0.unwrap();
    assert_eq!((money.pnl.0, money.unrealised_pnl.0), (Err(Undefined::NoMark), Err(Undefined::NoMark)));
    unmarked[1].totals.money.get_mut(&usdt()).unwrap().unrealised = Some(d("1"));
    unmarked[1].totals.money.get_mut(&usdt()).unwrap().fees = None;
    let money = Summary::of(Period::Day, QUARTER, &unmarked, true, &budget("1")).money.0.unwrap();
    assert_eq!(money.pnl.0, Err(Undefined::NoFeeConversion));

    let mut mixed = [point(0, "0"), point(15, "10")];
    mixed[1].totals.money.insert(Asset::new("EUR").unwrap(), Money::nothing());
    let made = Summary::of(Period::Day, QUARTER, &mixed, true, &budget("1"));
    assert_eq!(made.money.0, Err(Undefined::MixedQuoteAssets));
    // Whatever is missing, it is written as JSON without a number that stands for nothing.
    let text = serde_json::to_string(&made).unwrap();
    assert!(text.contains(r#""money":{"undefined":"mixed_quote_assets"}"#), "{text}");
    assert_eq!(Scope::default(), Scope { strategy: None, venue: None });
}
