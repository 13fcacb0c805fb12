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
    // Never a loss yet is no proof that there is none: the payoff is not finite, and the size is zero.
    let share = kelly_binary(f64::from(record.wins) / f64::from(record.trades), win / loss);
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
