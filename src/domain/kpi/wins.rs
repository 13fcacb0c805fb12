//! Wins against losses: how often, how large, and what is left on average.
//!
//! The same figures serve returns per period and profits per trade. It promises that zeros are neither wins nor losses
//! and that the rate over all observations is told apart from the rate over those that are not zero.

use super::figure::{Figure, Undefined};
use super::numbers::{count, sum};

/// Counts and sums of wins and losses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wins {
    n: usize,
    wins: usize,
    losses: usize,
    won: f64,
    /// Below zero.
    lost: f64,
}

impl Wins {
    /// Of finite observations.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let won = || values.iter().copied().filter(|value| *value > 0.0);
        let lost = || values.iter().copied().filter(|value| *value < 0.0);
        Self {
            n: values.len(),
            wins: won().count(),
            losses: lost().count(),
            won: sum(won()),
            lost: sum(lost()),
        }
    }

    /// Observations above zero and below zero.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize) {
        (self.wins, self.losses)
    }

    const fn some(&self) -> Result<(), Undefined> {
        match (self.n, self.wins, self.losses) {
            (0, ..) => Err(Undefined::TooFewObservations { have: 0, need: 1 }),
            (_, 0, 0) => Err(Undefined::NoWinsOrLosses),
            _ => Ok(()),
        }
    }

    const fn won(&self) -> Result<(), Undefined> {
        match (self.some(), self.wins) {
            (Err(why), _) => Err(why),
            (Ok(()), 0) => Err(Undefined::NoWins),
            (Ok(()), _) => Ok(()),
        }
    }

    const fn lost(&self) -> Result<(), Undefined> {
        match (self.some(), self.losses) {
            (Err(why), _) => Err(why),
            (Ok(()), 0) => Err(Undefined::NoLosses),
            (Ok(()), _) => Ok(()),
        }
    }

    /// Observations that are not zero.
    fn decided(&self) -> f64 {
        count(self.wins.saturating_add(self.losses))
    }

    /// Sum of wins over the size of the sum of losses. Zero when there are losses only.
    #[must_use]
    pub fn profit_factor(&self) -> Figure {
        self.lost().map(|()| self.won / self.lost.abs()).into()
    }

    /// Wins over wins and losses.
    #[must_use]
    pub fn rate(&self) -> Figure {
        self.some().map(|()| count(self.wins) / self.decided()).into()
    }

    /// Wins over all observations, zeros included.
    #[must_use]
    pub fn rate_of_all(&self) -> Figure {
        match self.n {
            0 => Figure::Undefined(Undefined::TooFewObservations { have: 0, need: 1 }),
            n => Figure::of(count(self.wins) / count(n)),
        }
    }

    /// Mean win.
    #[must_use]
    pub fn average_win(&self) -> Figure {
        self.won().map(|()| self.won / count(self.wins)).into()
    }

    /// Mean loss, below zero.
    #[must_use]
    pub fn average_loss(&self) -> Figure {
        self.lost().map(|()| self.lost / count(self.losses)).into()
    }

    /// Mean win over the size of the mean loss.
    #[must_use]
    pub fn payoff(&self) -> Figure {
        let ratio = || Ok(self.average_win().get()? / self.average_loss().get()?.abs());
        ratio().into()
    }

    /// Mean of all wins and losses, zeros left out: `p W + (1 - p) L`.
    #[must_use]
    pub fn expectancy(&self) -> Figure {
        self.some().map(|()| (self.won + self.lost) / self.decided()).into()
    }

    /// The growth-optimal fraction for a bet that wins or loses the mean amounts: `p - (1 - p) / payoff`.
    #[must_use]
    pub fn kelly(&self) -> Figure {
        let fraction = || {
            let (rate, payoff) = (self.rate().get()?, self.payoff().get()?);
            Ok(rate - (1.0 - rate) / payoff)
        };
        fraction().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sided_series_say_which_side_is_missing() {
        let (up, down, flat) = (Wins::of(&[0.1, 0.0]), Wins::of(&[-0.1, -0.3]), Wins::of(&[0.0, 0.0]));
        assert_eq!(up.profit_factor(), Figure::Undefined(Undefined::NoLosses));
        assert_eq!((up.rate(), up.rate_of_all()), (Figure::Defined(1.0), Figure::Defined(0.5)));
        assert_eq!(down.profit_factor(), Figure::Defined(0.0));
        assert_eq!(down.payoff(), Figure::Undefined(Undefined::NoWins));
        assert_eq!(down.expectancy(), Figure::Defined(-0.2));
        assert_eq!(flat.rate(), Figure::Undefined(Undefined::NoWinsOrLosses));
        assert_eq!(flat.rate_of_all(), Figure::Defined(0.0));
        assert_eq!(
            Wins::of(&[]).rate(),
            Figure::Undefined(Undefined::TooFewObservations { have: 0, need: 1 })
        );
    }
}
