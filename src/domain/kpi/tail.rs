//! The bad end of a series: value at risk and its mean excess, from history.
//!
//! It promises the 5th percentile with linear interpolation between order statistics, found with whole numbers, so that
//! a rank never falls on the wrong side of an integer. It assumes no distribution.

use super::figure::{Figure, Undefined};
use super::numbers::{count, sum};

/// One observation in this many lies below the value at risk.
const ONE_IN: usize = 20;

/// Fifth percentile and mean of what is at or below it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// The 5th percentile.
    pub value_at_risk: Figure,
    /// Mean of the observations at or below it.
    pub expected_shortfall: Figure,
}

impl Tail {
    /// Of finite observations.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let Some(at_risk) = percentile(&sorted) else {
            let none = Figure::Undefined(Undefined::TooFewObservations { have: 0, need: 1 });
            return Self { value_at_risk: none, expected_shortfall: none };
        };
        let below = sorted.iter().copied().take_while(|value| *value <= at_risk);
        let n = below.clone().count();
        Self {
            value_at_risk: Figure::of(at_risk),
            expected_shortfall: Figure::of(sum(below) / count(n.max(1))),
        }
    }
}

fn percentile(sorted: &[f64]) -> Option<f64> {
    let steps = sorted.len().checked_sub(1)?;
    let (rank, rest) = (steps.checked_div(ONE_IN)?, steps.checked_rem(ONE_IN)?);
    let low = *sorted.get(rank)?;
    let high = sorted.get(rank.saturating_add(1)).copied().unwrap_or(low);
    // A percentile is in no way between two equal values, and their distance may not fit a double.
    if rest == 0 || low >= high {
        return Some(low);
    }
    let part = count(rest) / count(ONE_IN);
    // From the nearer end, so that the result stays between the two.
    Some(if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_that_are_whole_take_the_observation_itself() {
        let values: Vec<f64> = (0..=20).map(|n| f64::from(n) * 0.1).collect();
        let tail = Tail::of(&values);
        assert_eq!(tail.value_at_risk, Figure::Defined(0.1));
        assert_eq!(tail.expected_shortfall, Figure::Defined(0.05));
        let single = Tail::of(&[-0.25]);
        assert_eq!(
            (single.value_at_risk, single.expected_shortfall),
            (Figure::Defined(-0.25), Figure::Defined(-0.25))
        );
    }
}
