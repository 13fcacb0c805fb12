//! The equity that a series of returns leads to, and how far it fell below its own height.
//!
//! It promises an equity that starts at 1 before the first return, so that a loss on the first day counts, and the
//! place of the deepest fall. It knows no dates: index 0 is the starting capital, index k the equity after k returns.

use super::figure::{Figure, Maybe, Undefined};
use super::numbers::{count, sum};

/// The deepest fall of an equity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deepest {
    /// Equity at the bottom over equity at the height before, less one; below zero.
    pub depth: f64,
    /// Index of the height that it fell from (the first of equal ones).
    pub peak: usize,
    /// Index of the bottom (the first of equal ones).
    pub trough: usize,
    /// Index where that height was reached again; `None` when it was not.
    pub recovery: Option<usize>,
}

/// An equity and its falls.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    n: usize,
    last: f64,
    /// First index at which the equity was below zero.
    below_zero: Option<usize>,
    deepest: Option<Deepest>,
    /// Mean square of the falls over the returns.
    mean_square: f64,
}

impl Path {
    /// The compound equity of finite returns, from 1.
    #[must_use]
    pub fn of(returns: &[f64]) -> Self {
        let mut equity = 1.0_f64;
        let compounded = returns.iter().map(|value| {
            equity *= 1.0 + value;
            equity
        });
        Self::along(std::iter::once(1.0).chain(compounded))
    }

    /// An equity curve as it was observed; the first point is the starting capital.
    #[must_use]
    pub fn along(points: impl IntoIterator<Item = f64>) -> Self {
        let (mut high, mut high_at) = (f64::NEG_INFINITY, 0);
        let (mut deepest, mut below_zero, mut last, mut n) = (None::<Deepest>, None, f64::NAN, 0_usize);
        let mut squares = Vec::new();
        for (index, equity) in points.into_iter().enumerate() {
            (last, n) = (equity, index);
            if equity < 0.0 && below_zero.is_none() {
                below_zero = Some(index);
            }
            if let Some(fall) = &mut deepest
                && fall.recovery.is_none()
                && equity >= high
            {
                fall.recovery = Some(index);
            }
            if equity > high {
                (high, high_at) = (equity, index);
            }
            let depth = equity / high - 1.0;
            squares.push(depth * depth);
            if depth < deepest.map_or(0.0, |fall: Deepest| fall.depth) {
                deepest = Some(Deepest { depth, peak: high_at, trough: index, recovery: None });
            }
        }
        let mean_square = sum(squares) / count(n.max(1));
        Self { n, last, below_zero, deepest, mean_square }
    }

    fn sound(&self) -> Result<(), Undefined> {
        match (self.n, self.below_zero) {
            (0, _) => Err(Undefined::TooFewObservations { have: 0, need: 1 }),
            (_, Some(at)) => Err(Undefined::EquityBelowZero { at }),
            (_, None) if self.last.is_finite() => Ok(()),
            (_, None) => Err(Undefined::OutOfRange),
        }
    }

    /// Equity at the end less one.
    #[must_use]
    pub fn total_return(&self) -> Figure {
        self.sound().map(|()| self.last - 1.0).into()
    }

    /// The growth that, repeated every year of `periods_per_year` returns, leads to the same end.
    #[must_use]
    pub fn annual_growth(&self, periods_per_year: f64) -> Figure {
        self.sound().map(|()| self.last.powf(periods_per_year / count(self.n)) - 1.0).into()
    }

    /// The deepest fall, as a fraction: zero when there was none, below zero else.
    #[must_use]
    pub fn maximum(&self) -> Figure {
        self.sound().map(|()| self.deepest.map_or(0.0, |fall| fall.depth)).into()
    }

    /// Where the deepest fall was.
    #[must_use]
    pub fn deepest(&self) -> Maybe<Deepest> {
        Maybe(self.sound().and_then(|()| self.deepest.ok_or(Undefined::NoDrawdown)))
    }

    /// Annual growth over the depth of the deepest fall.
    #[must_use]
    pub fn calmar(&self, periods_per_year: f64) -> Figure {
        let ratio = || {
            let depth = self.deepest().0?.depth;
            Ok(self.annual_growth(periods_per_year).get()? / depth.abs())
        };
        ratio().into()
    }

    /// Root of the mean square of all falls over the number of returns.
    #[must_use]
    pub fn ulcer(&self) -> Figure {
        self.sound().map(|()| self.mean_square.sqrt()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(returns: &[f64]) -> Option<(usize, usize, Option<usize>)> {
        Path::of(returns).deepest().0.ok().map(|fall| (fall.peak, fall.trough, fall.recovery))
    }

    #[test]
    fn a_loss_on_the_first_day_counts() {
        assert_eq!(places(&[-0.5, 1.0]), Some((0, 1, Some(2))));
        assert_eq!(Path::of(&[-0.5, 1.0]).maximum(), Figure::Defined(-0.5));
        assert_eq!(Path::of(&[-0.5, 1.0]).total_return(), Figure::Defined(0.0));
    }

    #[test]
    fn the_first_of_equal_heights_and_bottoms_is_named() {
        assert_eq!(places(&[0.0, -0.5, 0.0, 1.0, -0.5]), Some((0, 2, Some(4))));
        assert_eq!(places(&[1.0, -0.5, 0.5, -0.5, 0.1]), Some((1, 4, None)));
    }

    #[test]
    fn no_fall_and_no_return_have_reasons() {
        let rising = Path::of(&[0.1, 0.0, 0.2]);
        assert_eq!(rising.maximum(), Figure::Defined(0.0));
        assert_eq!(rising.deepest().0, Err(Undefined::NoDrawdown));
        assert_eq!(rising.calmar(252.0), Figure::Undefined(Undefined::NoDrawdown));
        let none = Undefined::TooFewObservations { have: 0, need: 1 };
        assert_eq!(Path::of(&[]).total_return(), Figure::Undefined(none));
    }

    #[test]
    fn everything_lost_is_a_figure_and_more_than_everything_is_not() {
        let lost = Path::of(&[0.1, -1.0, 0.5]);
        assert_eq!(lost.total_return(), Figure::Defined(-1.0));
        assert_eq!((lost.maximum(), lost.calmar(252.0)), (Figure::Defined(-1.0), Figure::Defined(-1.0)));
        let ruined = Path::of(&[0.1, -1.5, 0.5]);
        assert_eq!(ruined.maximum(), Figure::Undefined(Undefined::EquityBelowZero { at: 2 }));
        assert_eq!(Path::of(&[1e200, 1e200]).total_return(), Figure::Undefined(Undefined::OutOfRange));
    }
}
