//! What a Sharpe ratio proves: Probabilistic Sharpe, the shortest track record, Deflated Sharpe.
//!
//! Formulas of Bailey and Lopez de Prado (2012, 2014); all ratios are per period, kurtosis is raw (3 for a normal
//! distribution). It promises no probability without the number of observations and no deflation without the number of
//! trials. It estimates nothing: ratios and moments are given.

use super::figure::{Figure, Undefined};
use super::numbers::{count, normal_cdf, normal_upper_quantile};

/// Euler's constant.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// An estimated Sharpe ratio and what its error depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Sharpe ratio per period.
    pub ratio: f64,
    /// Observations.
    pub n: usize,
    /// Skewness.
    pub skew: f64,
    /// Raw kurtosis.
    pub kurtosis: f64,
}

/// How many variants were tried before this one was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trials {
    /// Variants tried, this one included.
    pub n: u64,
    /// Variance of their Sharpe ratios, per period.
    pub variance: f64,
}

impl Estimate {
    /// Variance of the estimate times `n - 1`.
    fn spread(&self) -> Result<f64, Undefined> {
        let sr = self.ratio;
        let spread = 1.0 - self.skew * sr + (self.kurtosis - 1.0) / 4.0 * sr * sr;
        if spread > 0.0 { Ok(spread) } else { Err(Undefined::DegenerateMoments) }
    }

    /// Probability that the true ratio is above `benchmark` (per period).
    #[must_use]
    pub fn probabilistic(&self, benchmark: f64) -> Figure {
        let probability = || {
            if self.n < 2 {
                return Err(Undefined::TooFewObservations { have: self.n, need: 2 });
            }
            let root = (count(self.n) - 1.0).sqrt();
            Ok(normal_cdf((self.ratio - benchmark) * root / self.spread()?.sqrt()))
        };
        probability().into()
    }

    /// Observations after which the ratio would be above `benchmark` with `confidence` (0.95: 95 %).
    #[must_use]
    pub fn minimum_track_record(&self, benchmark: f64, confidence: f64) -> Figure {
        let observations = || {
            if self.ratio <= benchmark {
                return Err(Undefined::NotAboveBenchmark);
            }
            let z = normal_upper_quantile(1.0 - confidence).ok_or(Undefined::OutOfRange)?;
            let ratio = z / (self.ratio - benchmark);
            Ok(1.0 + self.spread()? * ratio * ratio)
        };
        observations().into()
    }

    /// Probability that the true ratio is above what the best of all trials would show without any skill.
    #[must_use]
    pub fn deflated(&self, trials: Option<Trials>) -> Figure {
        let benchmark =
            trials.ok_or(Undefined::TrialsUnknown).and_then(|trials| trials.expected_maximum().get());
        match benchmark {
            Ok(benchmark) => self.probabilistic(benchmark),
            Err(why) => Figure::Undefined(why),
        }
    }
}

impl Trials {
    /// Sharpe ratio per period that the best of the trials is expected to show without skill; two trials are enough.
    #[must_use]
    pub fn expected_maximum(&self) -> Figure {
        let maximum = || {
            let have = usize::try_from(self.n).unwrap_or(usize::MAX);
            if have < 2 {
                return Err(Undefined::TooFewObservations { have, need: 2 });
            }
            if self.variance.is_nan() || self.variance < 0.0 {
                return Err(Undefined::OutOfRange);
            }
            let one_in = 1.0 / count(have);
            let first = normal_upper_quantile(one_in).ok_or(Undefined::OutOfRange)?;
            let second = normal_upper_quantile(one_in / std::f64::consts::E).ok_or(Undefined::OutOfRange)?;
            Ok(self.variance.sqrt() * ((1.0 - GAMMA) * first + GAMMA * second))
        };
        maximum().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIR: Estimate = Estimate { ratio: 0.1, n: 100, skew: 0.0, kurtosis: 3.0 };

    #[test]
    fn nothing_is_deflated_without_the_number_of_trials() {
        assert_eq!(FAIR.deflated(None), Figure::Undefined(Undefined::TrialsUnknown));
        let one = Some(Trials { n: 1, variance: 0.1 });
        assert_eq!(FAIR.deflated(one), Figure::Undefined(Undefined::TooFewObservations { have: 1, need: 2 }));
    }

    #[test]
    fn a_ratio_below_its_benchmark_is_never_proven() {
        assert_eq!(FAIR.minimum_track_record(0.1, 0.95), Figure::Undefined(Undefined::NotAboveBenchmark));
        assert_eq!(FAIR.probabilistic(0.1), Figure::Defined(0.5));
        let two_values = Estimate { ratio: 1.0, n: 10, skew: 2.0, kurtosis: 5.0 };
        assert_eq!(two_values.probabilistic(0.0), Figure::Undefined(Undefined::DegenerateMoments));
    }
}
