//! What sizes rest on: the record of a strategy's closed trades, and how much an instrument moves.
//!
//! These are measurements, not money: floats are used inside, checked to be finite, and leave as decimals.

use super::figures::TradeRecord;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde::{Deserialize, Serialize};

/// Trades at which the record is halved, so that old ones fade.
const TRADES_MAX: u32 = 512;
/// Distance between two samples of a price, milliseconds.
pub const SAMPLE_MS: u64 = 60_000;
/// After a longer silence the return is not one of this market's.
const GAP_MS: u64 = 600_000;
/// Weight of the newest return once many are known.
const NEWEST: f64 = 0.03;
const DAY_MS: f64 = 86_400_000.0;
/// Decimals of a standard deviation.
const SIGMA_PLACES: u32 = 9;

/// Sums over closed trades; all amounts in the risk currency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// Trades that brought something.
    pub wins: u32,
    /// The others.
    pub losses: u32,
    /// Sum of what was won.
    pub won: Decimal,
    /// Sum of what was lost, above zero.
    pub lost: Decimal,
}

impl Outcomes {
    /// A trade was closed with this result after fees.
    pub(super) fn note(&mut self, result: Decimal) {
        let sum = if result > Decimal::ZERO { &mut self.won } else { &mut self.lost };
        // A sum that does not fit is left out with its trade; the record then rests on fewer.
        let Some(next) = sum.checked_add(result.abs()) else { return };
        *sum = next;
        let count = if result > Decimal::ZERO { &mut self.wins } else { &mut self.losses };
        *count = count.saturating_add(1);
        if self.wins.saturating_add(self.losses) >= TRADES_MAX {
            let half = Decimal::new(5, 1);
            (self.wins, self.losses) = (self.wins / 2, self.losses / 2);
            self.won = self.won.checked_mul(half).unwrap_or_default();
            self.lost = self.lost.checked_mul(half).unwrap_or_default();
        }
    }

    pub(super) fn record(&self) -> TradeRecord {
        let mean = |sum: Decimal, count: u32| {
            let mean = sum.checked_div(Decimal::from(count)).unwrap_or_default();
            mean.round_dp(SIGMA_PLACES)
        };
        TradeRecord {
            trades: self.wins.saturating_add(self.losses),
            wins: self.wins,
            mean_win: mean(self.won, self.wins),
            mean_loss: mean(self.lost, self.losses),
        }
    }
}

/// Variance of a day's return: a plain mean of the first returns, then one that forgets.
#[derive(Debug, Clone, Default)]
pub(super) struct Volatility {
    last: Option<(u64, f64)>,
    variance: f64,
    samples: u32,
}

impl Volatility {
    /// The middle of the book at an instant.
    pub(super) fn note(&mut self, at_ms: u64, middle: Decimal) {
        let Some(price) = middle.to_f64().filter(|price| price.is_finite() && *price > 0.0) else { return };
        let Some((then, before)) = self.last else {
            self.last = Some((at_ms, price));
            return;
        };
        let passed = at_ms.saturating_sub(then);
        if passed < SAMPLE_MS {
            return;
        }
        self.last = Some((at_ms, price));
        let (Some(days), true) =
            (u32::try_from(passed).ok().map(|ms| f64::from(ms) / DAY_MS), passed <= GAP_MS)
        else {
            return;
        };
        let moved = (price / before).ln();
        let variance = moved * moved / days;
        if !variance.is_finite() {
            return;
        }
        self.samples = self.samples.saturating_add(1);
        let weight = (1.0 / f64::from(self.samples)).max(NEWEST);
        self.variance += weight * (variance - self.variance);
    }

    /// Standard deviation of a day's return, and the number of returns it rests on.
    pub(super) fn sigma(&self) -> (Option<Decimal>, u32) {
        let sigma = Decimal::from_f64(self.variance.sqrt()).map(|sigma| sigma.round_dp(SIGMA_PLACES));
        (sigma.filter(|_| self.samples > 0), self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn trades_are_counted_and_old_ones_fade() {
        let mut outcomes = Outcomes::default();
        for result in ["2", "-1", "4", "0"] {
            outcomes.note(d(result));
        }
        let record = outcomes.record();
        assert_eq!((record.trades, record.wins), (4, 2), "nothing won is not a win");
        assert_eq!((record.mean_win, record.mean_loss), (d("3"), d("0.5")));
        for _ in 0..507 {
            outcomes.note(d("1"));
        }
        assert_eq!(outcomes.record().trades, 511);
        outcomes.note(d("1"));
        assert_eq!(outcomes.record().trades, 256);
        assert_eq!(outcomes.record().mean_loss, d("0.5"));
        assert_eq!(outcomes.won, d("257"));
        let mut absurd = Outcomes { won: Decimal::MAX, ..Outcomes::default() };
        absurd.note(Decimal::MAX);
        assert_eq!(absurd.wins, 0, "what does not fit is left out");
        assert_eq!(Outcomes::default().record(), TradeRecord::default());
    }

    #[test]
    fn a_known_motion_gives_its_volatility() {
        let mut moves = Volatility::default();
        assert_eq!(moves.sigma(), (None, 0));
        // One per cent up and down every minute: 1 % * sqrt(1440) a day.
        for minute in 0..200_u64 {
            moves.note(minute * 60_000, if minute % 2 == 0 { d("100") } else { d("101") });
            moves.note(minute * 60_000 + 30_000, d("5000"));
        }
        let (sigma, samples) = moves.sigma();
        let wanted = (1.01_f64).ln() * (1440.0_f64).sqrt();
        assert_eq!(samples, 199);
        assert!((sigma.unwrap().to_f64().unwrap() - wanted).abs() < 1e-6, "{sigma:?} {wanted}");
    }

    #[test]
    fn gaps_and_nonsense_are_no_returns() {
        let mut moves = Volatility::default();
        moves.note(0, d("100"));
        moves.note(60_000, d("0"));
        moves.note(60_000, d("-1"));
        assert_eq!(moves.sigma().1, 0);
        let mut both = moves.clone();
        both.note(120_000, d("101"));
        assert_eq!(both.sigma().1, 1, "what is no price does not stand between two that are");
        moves.note(600_001, d("200"));
        assert_eq!(moves.sigma().1, 0, "ten minutes of silence");
        moves.note(660_001, d("200"));
        assert_eq!(moves.sigma(), (Some(d("0")), 1));
        moves.note(1_260_001, d("201"));
        assert_eq!(moves.sigma().1, 2, "ten minutes exactly still count");
        let newest = moves.sigma().0.unwrap();
        // The mean of a return of nothing and of this one.
        let wanted = ((201.0_f64 / 200.0).ln().powi(2) * 144.0 / 2.0).sqrt();
        assert!((newest.to_f64().unwrap() - wanted).abs() < 1e-8, "{newest} {wanted}");
        moves.note(1_320_001, d("201"));
        assert!(moves.sigma().0.unwrap() < newest);
    }
}
