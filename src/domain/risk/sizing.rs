//! Sizing rules: Kelly, volatility target, drawdown throttle. Plain formulas, and how they fail closed.
//!
//! Sources: Kelly (1956) for the stakes; the throttle and the target are the usual linear rules. Whatever is
//! not finite, not above zero, or rests on too few figures is a size of zero, never an unlimited one.

use super::figures::TradeRecord;
use super::limit::{KellyLimit, VolatilityLimit};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// Decimals that a share keeps; more would claim what a measurement cannot know.
const SHARE_PLACES: u32 = 9;

/// `p - (1 - p) / b`: the stake of a bet won with probability `p` that pays `b` for each unit lost.
#[must_use]
pub fn kelly_binary(p: f64, b: f64) -> f64 {
    p - (1.0 - p) / b
}

/// `p / l - (1 - p) / w`: the stake when a win is the fraction `w` of it and a loss the fraction `l`.
#[must_use]
pub fn kelly_general(p: f64, w: f64, l: f64) -> f64 {
    p / l - (1.0 - p) / w
}

/// `(mu - r) / sigma^2`: the stake in a continuous market; arithmetic means per period.
#[must_use]
pub fn kelly_continuous(mu: f64, r: f64, sigma: f64) -> f64 {
    (mu - r) / (sigma * sigma)
}

/// A share that may be used: finite and above zero, else zero.
#[must_use]
pub fn fail_closed(share: f64) -> f64 {
    if share.is_finite() && share > 0.0 { share } else { 0.0 }
}

/// `clamp((hard - fallen) / (hard - soft), 0, 1)`: the share of the size that a drawdown leaves. Levels that
/// make no sense leave nothing beyond the soft one.
#[must_use]
pub fn throttle(fallen: Decimal, soft: Decimal, hard: Decimal) -> Decimal {
    if fallen <= soft && soft <= hard && fallen < hard {
        return Decimal::ONE;
    }
    let share =
        hard.checked_sub(fallen).zip(hard.checked_sub(soft)).and_then(|(left, band)| left.checked_div(band));
    share.map_or(Decimal::ZERO, |share| share.clamp(Decimal::ZERO, Decimal::ONE))
}

/// The share of equity that fractional Kelly allows for a record of closed trades.
#[must_use]
pub fn kelly_share(record: &TradeRecord, limit: &KellyLimit) -> Decimal {
    if record.trades < limit.trades_min || record.trades == 0 || record.wins > record.trades {
        return Decimal::ZERO;
    }
    let (Some(win), Some(loss)) = (record.mean_win.to_f64(), record.mean_loss.to_f64()) else {
        return Decimal::ZERO;
    };
    // Never a loss yet is no proof that there is none: a payoff without bound is a size of zero.
    let payoff = win / loss;
    if !payoff.is_finite() {
        return Decimal::ZERO;
    }
    let share = kelly_binary(f64::from(record.wins) / f64::from(record.trades), payoff);
    let share = Decimal::from_f64(fail_closed(share)).unwrap_or_default().round_dp(SHARE_PLACES);
    share.checked_mul(limit.fraction).unwrap_or_default().clamp(Decimal::ZERO, Decimal::ONE)
}

/// `min(weight_max, target / sigma)`: the weight that a volatility target allows.
#[must_use]
pub fn volatility_weight(sigma: Option<Decimal>, samples: u32, limit: &VolatilityLimit) -> Decimal {
    if samples < limit.samples_min {
        return Decimal::ZERO;
    }
    let weight =
        sigma.filter(|sigma| *sigma > Decimal::ZERO).and_then(|sigma| limit.target.checked_div(sigma));
    weight.map_or(Decimal::ZERO, |weight| weight.min(limit.weight_max).max(Decimal::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A formula over the fields of a golden case.
    type Formula = fn(&dyn Fn(&str) -> f64) -> f64;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn only_a_finite_share_above_zero_is_used() {
        for share in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -1.0] {
            assert!(fail_closed(share).abs() < f64::MIN_POSITIVE, "{share}");
        }
        assert!((fail_closed(0.25) - 0.25).abs() < f64::EPSILON);
        assert!(fail_closed(f64::MIN_POSITIVE) > 0.0);
    }

    #[test]
    fn stakes_by_hand() {
        let near = |got: f64, wanted: f64| assert!((got - wanted).abs() < 1e-12, "{got} {wanted}");
        // Won six times of ten.
        near(kelly_binary(0.6, 1.0), 0.2);
        near(kelly_binary(0.6, 2.0), 0.4);
        near(kelly_general(0.6, 1.0, 1.0), 0.2);
        near(kelly_general(0.6, 0.2, 0.1), 4.0);
        near(kelly_general(0.6, 0.1, 0.2), -1.0);
        // Eight in a hundred above three, at a deviation of a fifth.
        near(kelly_continuous(0.08, 0.03, 0.2), 1.25);
        near(kelly_continuous(0.03, 0.08, 0.5), -0.2);
    }

    #[test]
    fn the_throttle_is_a_straight_line() {
        let table = [
            ("-1", "1"),
            ("0", "1"),
            ("0.05", "1"),
            ("0.06", "0.9"),
            ("0.1", "0.5"),
            ("0.14", "0.1"),
            ("0.15", "0"),
            ("0.2", "0"),
            ("79228162514264337593543950335", "0"),
        ];
        for (fallen, share) in table {
            assert_eq!(throttle(d(fallen), d("0.05"), d("0.15")), d(share), "{fallen}");
        }
        // Levels that make no sense leave nothing once they are reached.
        assert_eq!(throttle(d("0.1"), d("0.1"), d("0.1")), d("0"));
        assert_eq!(throttle(d("0.09"), d("0.1"), d("0.1")), d("1"));
        assert_eq!(throttle(d("0.2"), d("0.1"), d("0.1")), d("0"));
    }

    #[test]
    fn kelly_of_a_record() {
        let limit = KellyLimit { fraction: d("0.25"), trades_min: 10 };
        let record = |trades, wins, win: &str, loss: &str| TradeRecord {
            trades,
            wins,
            mean_win: d(win),
            mean_loss: d(loss),
        };
        assert_eq!(kelly_share(&record(10, 6, "1", "1"), &limit), d("0.05"));
        assert_eq!(kelly_share(&record(9, 6, "1", "1"), &limit), d("0"));
        assert_eq!(kelly_share(&record(10, 5, "1", "1"), &limit), d("0"), "no edge");
        assert_eq!(kelly_share(&record(10, 5, "2", "1"), &limit), d("0.0625"));
        assert_eq!(
            kelly_share(&record(10, 10, "1", "1"), &limit),
            d("0.25"),
            "all won: all of it, a quarter"
        );
        assert_eq!(kelly_share(&record(10, 10, "1", "0"), &limit), d("0"), "never lost anything");
        assert_eq!(kelly_share(&record(0, 0, "1", "1"), &KellyLimit { trades_min: 0, ..limit }), d("0"));
        let absurd = KellyLimit { fraction: Decimal::MAX, ..limit };
        assert!(kelly_share(&record(10, 6, "1", "1"), &absurd) <= Decimal::ONE);
    }

    #[test]
    fn the_target_over_what_is_measured() {
        let limit = VolatilityLimit { target: d("0.02"), weight_max: d("1.5"), samples_min: 3 };
        assert_eq!(volatility_weight(Some(d("0.04")), 3, &limit), d("0.5"));
        assert_eq!(volatility_weight(Some(d("0.04")), 2, &limit), d("0"));
        assert_eq!(volatility_weight(Some(d("0.0000001")), 3, &limit), d("1.5"));
        assert_eq!(volatility_weight(Some(d("0")), 3, &limit), d("0"));
        assert_eq!(volatility_weight(Some(d("-1")), 3, &limit), d("0"));
        assert_eq!(volatility_weight(None, 3, &limit), d("0"));
        let tiny = VolatilityLimit { target: Decimal::MAX, ..limit };
        assert_eq!(volatility_weight(Some(d("0.0000001")), 3, &tiny), d("0"), "what does not fit is nothing");
        let odd = VolatilityLimit { weight_max: d("-1"), ..limit };
        assert_eq!(volatility_weight(Some(d("1")), 3, &odd), d("0"));
    }

    /// The golden figures, compared absolutely: near zero they carry rounding noise.
    #[test]
    fn the_golden_figures() {
        let Some(folder) = std::env::var_os("PLIMSOLL_GOLDEN") else {
            println!("skipped: PLIMSOLL_GOLDEN is not set");
            return;
        };
        let text = std::fs::read_to_string(std::path::Path::new(&folder).join("kelly_sizing.json")).unwrap();
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        let mut near = |name: &str, got: Formula, answer: &str| {
            for case in all[name].as_array().unwrap() {
                let field = |key: &str| case[key].as_f64().unwrap();
                let (got, wanted) = (got(&field), field(answer));
                assert!((got - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{name} {case}: {got}");
                compared += 1;
            }
        };
        near("binary", |f| kelly_binary(f("p"), f("b")), "f");
        near("binary_general", |f| kelly_general(f("p"), f("W"), f("L")), "f");
        near("continuous", |f| kelly_continuous(f("mu"), f("r"), f("sigma")), "f");
        near(
            "throttle",
            |f| {
                let decimal = |key: &str| Decimal::from_f64(f(key)).unwrap();
                throttle(decimal("dd"), decimal("dd_soft"), decimal("dd_hard")).to_f64().unwrap()
            },
            "m",
        );
        assert!(compared >= 20, "{compared}");
    }
}
