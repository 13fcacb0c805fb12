//! Arithmetic that the figures stand on: compensated sums, counts as doubles, the normal distribution.
//!
//! It promises sums that are as good as the doubles they are made of, and the normal distribution and its quantile to
//! about 1e-15, which figures that agree to 1e-12 need. It knows no returns.

use std::f64::consts::{PI, SQRT_2};

/// A count as a double. Exact below 2^32; more is not kept in memory, and counts as 2^32.
#[must_use]
pub fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// The sum of finite numbers with Neumaier's compensation: the order of addition does not cost digits.
#[must_use]
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    // A total that overflowed has a compensation that is no number; the overflow is what is true.
    if total.is_finite() { total + lost } else { total }
}

/// Below this the series converges fast; above it the continued fraction keeps the digits of the small tail.
const SERIES_BELOW: f64 = 1.0;
/// Terms of either; both have converged long before.
const TERMS: u32 = 400;

/// `exp(-x^2)`, with the rounding of the square made good.
fn exp_minus_square(x: f64) -> f64 {
    let square = x * x;
    (-square).exp() * (1.0 - x.mul_add(x, -square))
}

/// The error function for `0 <= x <= 1` by its series of positive terms (Abramowitz and Stegun 7.1.6).
fn erf_series(x: f64) -> f64 {
    let (mut term, mut total, mut n) = (x, x, 0_u32);
    while term > total * 1e-18 && n < TERMS {
        n = n.saturating_add(1);
        term *= 2.0 * x * x / (2.0 * f64::from(n) + 1.0);
        total += term;
    }
    2.0 / PI.sqrt() * exp_minus_square(x) * total
}

/// The complementary error function for `x > 1` by its continued fraction (Abramowitz and Stegun 7.1.14), evaluated
/// by Lentz's method.
fn erfc_fraction(x: f64) -> f64 {
    let (mut value, mut c, mut d, mut n) = (x, x, 0.0_f64, 0_u32);
    while n < TERMS {
        n = n.saturating_add(1);
        let a = f64::from(n) / 2.0;
        d = 1.0 / (x + a * d);
        c = x + a / c;
        let step = c * d;
        value *= step;
        if (step - 1.0).abs() < 1e-17 {
            break;
        }
    }
    exp_minus_square(x) / (value * PI.sqrt())
}

/// The complementary error function, relative error about 1e-15.
#[must_use]
pub fn erfc(x: f64) -> f64 {
    match (x < 0.0, x.abs()) {
        (false, x) if x <= SERIES_BELOW => 1.0 - erf_series(x),
        (false, x) => erfc_fraction(x),
        (true, x) if x <= SERIES_BELOW => 1.0 + erf_series(x),
        (true, x) => 2.0 - erfc_fraction(x),
    }
}

/// The standard normal distribution function.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// The point that a standard normal exceeds with probability `tail`, `0 < tail < 1`; `None` outside.
///
/// A rational start (Abramowitz and Stegun 26.2.23, error below 4.5e-4), then Halley's method, which triples the
/// digits with every step.
#[must_use]
pub fn normal_upper_quantile(tail: f64) -> Option<f64> {
    if !(tail > 0.0 && tail < 1.0) {
        return None;
    }
    if tail > 0.5 {
        return normal_upper_quantile(1.0 - tail).map(|z| -z);
    }
    let t = (-2.0 * tail.ln()).sqrt();
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let under = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut z = t - over / under;
    for _ in 0..4 {
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        // Newton's step from the upper tail, which keeps its digits where the distribution itself is nearly one.
        let step = (0.5 * erfc(z / SQRT_2) - tail) / density;
        z += step / (1.0 - 0.5 * z * step);
    }
    Some(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() <= 4e-15 * wanted.abs(), "{got:e} is not {wanted:e}");
    }

    #[test]
    fn the_normal_distribution_keeps_its_digits() {
        for (x, wanted) in ERFC {
            close(erfc(*x), *wanted);
        }
        for (tail, wanted) in TAILS {
            close(normal_upper_quantile(*tail).unwrap(), *wanted);
        }
        close(normal_cdf(1.959_963_984_540_054), 0.975);
        assert!(normal_upper_quantile(0.5).unwrap().abs() < 1e-16);
        assert_eq!(normal_upper_quantile(0.0), None);
        assert_eq!(normal_upper_quantile(1.0), None);
        assert_eq!(normal_upper_quantile(f64::NAN), None);
    }

    #[test]
    fn quantile_and_distribution_undo_each_other() {
        for n in 1..2000_u32 {
            let z = f64::from(n) / 250.0 - 4.0;
            let back = normal_upper_quantile(0.5 * erfc(z / SQRT_2)).unwrap();
            assert!((back - z).abs() < 1e-11, "{z} came back as {back}");
        }
    }

    #[test]
    fn sums_do_not_lose_small_terms() {
        let exact = sum([1.0, 1e100, 1.0, -1e100]);
        assert!((exact - 2.0).abs() < f64::EPSILON);
        assert!(sum([f64::MAX, f64::MAX]).is_infinite());
        let many = sum(std::iter::repeat_n(0.1, 1_000_000));
        assert!((many - 100_000.0).abs() < 1e-8);
    }

    /// Values of the complementary error function, computed with 80 decimal digits.
    const ERFC: &[(f64, f64)] = &[
        (0.0, 1.0),
        (0.25, 0.7236736098317631),
        (0.5, 0.4795001221869535),
        (1.0, 0.15729920705028513),
        (1.5, 0.033894853524689274),
        (1.875, 0.00800994232988003),
        (2.0, 0.004677734981047266),
        (2.0625, 0.003536249125209789),
        (2.5, 0.0004069520174449589),
        (3.0, 2.209049699858544e-05),
        (4.0, 1.541725790028002e-08),
        (5.0, 1.537459794428035e-12),
        (6.0, 2.1519736712498913e-17),
        (7.0, 4.183825607779414e-23),
        (-0.5, 1.5204998778130465),
        (-1.5, 1.9661051464753108),
        (-2.5, 1.999593047982555),
        (-4.0, 1.999999984582742),
    ];
    /// Upper quantiles of the normal distribution, computed with 80 decimal digits.
    const TAILS: &[(f64, f64)] = &[
        (0.45, 0.12566134685507402),
        (0.25, 0.6744897501960817),
        (0.1, 1.2815515655446004),
        (0.05, 1.6448536269514726),
        (0.025, 1.9599639845400543),
        (0.01, 2.326347874040841),
        (0.005, 2.575829303548901),
        (0.001, 3.0902323061678136),
        (0.0001, 3.7190164854556804),
        (1e-06, 4.753424308822899),
        (1e-09, 5.9978070150076865),
        (0.75, -0.6744897501960817),
        (0.95, -1.6448536269514722),
        (0.99, -2.3263478740408408),
    ];
}
