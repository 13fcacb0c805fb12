//! Mean, spread, skewness and kurtosis of a series.
//!
//! It promises compensated two-pass sums, so that neither the order nor a large mean costs digits, and the reason where
//! a moment does not exist. It knows nothing of time.

use super::figure::{Figure, Undefined};
use super::numbers::{count, sum};

/// Central moments of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    n: usize,
    mean: f64,
    /// Means of the second to fourth power of the distance from the mean.
    m2: f64,
    m3: f64,
    m4: f64,
    constant: bool,
}

impl Moments {
    /// Of finite observations.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let size = count(n.max(1));
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
        // Equal observations have no spread, whatever rounding leaves of their mean.
        let constant = low >= high;
        let mean = if constant && n > 0 { low } else { sum(values.iter().copied()) / size };
        let power = |of: fn(f64) -> f64| {
            if constant { 0.0 } else { sum(values.iter().map(|value| of(value - mean))) / size }
        };
        Self {
            n,
            mean,
            m2: power(|d| d * d),
            m3: power(|d| d * d * d),
            m4: power(|d| (d * d) * (d * d)),
            constant,
        }
    }

    /// Observations.
    #[must_use]
    pub const fn n(&self) -> usize {
        self.n
    }

    const fn need(&self, need: usize) -> Result<f64, Undefined> {
        match self.n < need {
            true => Err(Undefined::TooFewObservations { have: self.n, need }),
            false => Ok(0.0),
        }
    }

    /// Of observations that differ; what underflows to nothing is out of range, not zero.
    fn spread(&self, need: usize) -> Result<f64, Undefined> {
        self.need(need)?;
        match self.constant {
            true => Err(Undefined::ZeroVariance),
            false if self.m2 > 0.0 && self.m2.is_finite() => Ok(count(self.n)),
            false => Err(Undefined::OutOfRange),
        }
    }

    /// Arithmetic mean; one observation is enough.
    #[must_use]
    pub fn mean(&self) -> Figure {
        self.need(1).map(|_| self.mean).into()
    }

    /// Standard deviation with `n - 1`; two observations are enough. Zero when all are equal.
    #[must_use]
    pub fn deviation(&self) -> Figure {
        let spread = || {
            self.need(2)?;
            let n = count(self.n);
            Ok((self.m2 * (n / (n - 1.0))).sqrt())
        };
        spread().into()
    }

    /// Mean over standard deviation (with `n - 1`), per period: the Sharpe ratio against a rate of zero.
    #[must_use]
    pub fn ratio(&self) -> Figure {
        let ratio = || {
            self.spread(2)?;
            Ok(self.mean / self.deviation().get()?)
        };
        ratio().into()
    }

    /// Mean over variance (with `n - 1`): the growth-optimal fraction of capital for a continuous outcome.
    #[must_use]
    pub fn mean_over_variance(&self) -> Figure {
        let fraction = || {
            let n = self.spread(2)?;
            Ok(self.mean / (self.m2 * (n / (n - 1.0))))
        };
        fraction().into()
    }

    /// Skewness of the observations as a population.
    #[must_use]
    pub fn skew(&self) -> Figure {
        self.spread(2).map(|_| self.m3 / (self.m2 * self.m2.sqrt())).into()
    }

    /// Kurtosis of the observations as a population, raw: 3 for a normal distribution.
    #[must_use]
    pub fn kurtosis(&self) -> Figure {
        self.spread(2).map(|_| self.m4 / (self.m2 * self.m2)).into()
    }

    /// Bias-corrected skewness G1; three observations are enough.
    #[must_use]
    pub fn skew_corrected(&self) -> Figure {
        let corrected = || {
            let n = self.spread(3)?;
            Ok(self.skew().get()? * (n * (n - 1.0)).sqrt() / (n - 2.0))
        };
        corrected().into()
    }

    /// Bias-corrected excess kurtosis G2: 0 for a normal distribution; four observations are enough.
    #[must_use]
    pub fn excess_kurtosis_corrected(&self) -> Figure {
        let corrected = || {
            let n = self.spread(4)?;
            let excess = self.kurtosis().get()? - 3.0;
            Ok((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0))
        };
        corrected().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_observations_have_no_spread() {
        let same = Moments::of(&[0.1; 10]);
        assert_eq!(same.mean(), Figure::Defined(0.1));
        assert_eq!(same.deviation(), Figure::Defined(0.0));
        assert_eq!(same.ratio(), Figure::Undefined(Undefined::ZeroVariance));
        assert_eq!(same.skew(), Figure::Undefined(Undefined::ZeroVariance));
    }

    #[test]
    fn too_few_and_too_large_are_told_apart() {
        let few = |have, need| Figure::Undefined(Undefined::TooFewObservations { have, need });
        assert_eq!(Moments::of(&[]).mean(), few(0, 1));
        assert_eq!(Moments::of(&[1.0]).ratio(), few(1, 2));
        assert_eq!(Moments::of(&[1.0, 2.0]).skew_corrected(), few(2, 3));
        assert_eq!(Moments::of(&[1.0, 2.0, 4.0]).excess_kurtosis_corrected(), few(3, 4));
        let huge = Moments::of(&[1e200, -1e200, 3e200]);
        assert_eq!(huge.ratio(), Figure::Undefined(Undefined::OutOfRange));
        let tiny = Moments::of(&[1e-200, 3e-200, 2e-200]);
        assert_eq!(tiny.ratio(), Figure::Undefined(Undefined::OutOfRange));
    }
}
