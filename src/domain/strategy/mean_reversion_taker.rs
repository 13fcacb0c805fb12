//! `mean_reversion_taker`: buys what fell far below its own recent average, sells what rose far above it.
//!
//! The middle of the book is sampled at a fixed pace into a window; the distance of the latest sample from the
//! window's mean, in standard deviations, is the signal. Beyond `entry` it takes, back within `exit` it closes.
//! Promises: one order at a time, always a limit order that may not rest (IOC), at most `price_cap` through
//! the best price; the position stays within `max_position` even if everything executes; a pause between
//! orders; nothing while the book is not in step or the window is not full. Prices become floats for the
//! signal alone; every price and quantity that is sent is an exact decimal. It keeps no stop: limits on loss
//! are risk's.

use super::brief::{Brief, Input, Intent};
use super::own_orders::{OwnOrders, Wanted};
use super::parameters::{Checks, Fraction, ParameterProblem, Parameters, read};
use super::{Kind, Make, Strategy, rounding};
use crate::domain::market::Top;
use crate::domain::money::{Price, Quantity};
use crate::domain::order::OrderKind;
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Its line in the list.
pub(super) const KIND: Kind = Kind {
    name: "mean_reversion_taker",
    about: "takes against moves far from the recent average and closes when the price is back",
    build,
    schema: || schemars::schema_for!(TakerParameters),
};

const WINDOW_MAX: u64 = 10_000;
const LOOK_AGAIN: u64 = 1;

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakerParameters {
    /// Samples in the window, 10 to 10,000.
    #[schemars(range(min = 10, max = 10_000))]
    pub window: u32,
    /// Time between two samples, milliseconds, 10 to 60,000.
    #[serde(default = "quarter_second")]
    #[schemars(range(min = 10, max = 60_000))]
    pub sample_ms: u64,
    /// Standard deviations from the mean at which it takes.
    #[schemars(with = "String")]
    pub entry: Price,
    /// Standard deviations from the mean within which it closes. Below `entry`.
    #[schemars(with = "String")]
    pub exit: Price,
    /// Base quantity of one order.
    #[schemars(with = "String")]
    pub size: Quantity,
    /// Largest position, base units.
    #[schemars(with = "String")]
    pub max_position: Quantity,
    /// Whether it may sell what it has not bought before (from the account's own stock, on a spot venue).
    #[serde(default)]
    pub allow_short: bool,
    /// How far through the best price it pays, as a fraction of the price.
    #[schemars(with = "String")]
    pub price_cap: Fraction,
    /// Pause after an order, milliseconds, up to an hour.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub cooldown_ms: u64,
}

const fn quarter_second() -> u64 {
    250
}

fn build(parameters: &Parameters) -> Result<Make, Vec<ParameterProblem>> {
    let parameters = read::<TakerParameters>(parameters)?.checked()?;
    Ok(Box::new(move |brief| Box::new(Taker::new(parameters.clone(), brief))))
}

impl TakerParameters {
    fn checked(self) -> Result<Self, Vec<ParameterProblem>> {
        let mut checks = Checks::default();
        checks.range("window", self.window.into(), 10, WINDOW_MAX);
        checks.range("sample_ms", self.sample_ms, 10, 60_000);
        checks.range("cooldown_ms", self.cooldown_ms, 0, 3_600_000);
        checks.positive("size", self.size);
        let within = !self.entry.is_zero() && self.entry.get() <= Decimal::ONE_HUNDRED;
        checks.rule(within, "entry", "it is not between 0 and 100", "give standard deviations, as 2.5");
        checks.rule(
            self.exit < self.entry,
            "exit",
            "it would close at once what it opened",
            "give less than `entry`",
        );
        checks.rule(
            self.max_position >= self.size,
            "max_position",
            "it is smaller than `size`: no order would ever be allowed",
            "give at least `size`",
        );
        let careful = self.price_cap.get() <= Decimal::new(5, 2);
        checks.rule(
            careful,
            "price_cap",
            "it would pay more than 5 % through the market",
            "give at most 0.05",
        );
        checks.done(self)
    }
}

/// A window of samples with the sums that mean and deviation need.
#[derive(Debug, Default)]
struct Window {
    samples: VecDeque<f64>,
}

impl Window {
    fn push(&mut self, sample: f64, most: usize) {
        self.samples.push_back(sample);
        if self.samples.len() > most {
            self.samples.pop_front();
        }
    }

    /// Distance of the latest sample from the mean in standard deviations (population, two passes, so that
    /// large prices with small moves lose no digits); `None` without movement.
    fn z(&self) -> Option<f64> {
        let count = f64::from(u32::try_from(self.samples.len()).ok()?);
        let mean = self.samples.iter().sum::<f64>() / count;
        let variance = self.samples.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / count;
        let z = (self.samples.back()? - mean) / variance.sqrt();
        z.is_finite().then_some(z)
    }
}

/// See the module's head.
#[derive(Debug)]
struct Taker {
    parameters: TakerParameters,
    entry: f64,
    exit: f64,
    own: OwnOrders,
    window: Window,
    top: Option<Top>,
    sampled: Option<Mono>,
    ordered: Option<Mono>,
    /// The signal, once the window is full.
    z: Option<f64>,
    enabled: bool,
    timer_armed: bool,
}

impl Taker {
    fn new(parameters: TakerParameters, brief: &Brief) -> Self {
        Self {
            entry: parameters.entry.get().to_f64().unwrap_or(f64::INFINITY),
            exit: parameters.exit.get().to_f64().unwrap_or(0.0),
            parameters,
            own: OwnOrders::new(brief),
            window: Window::default(),
            top: None,
            sampled: None,
            ordered: None,
            z: None,
            enabled: brief.enabled,
            timer_armed: false,
        }
    }

    fn look(&mut self, now: Mono) -> Vec<Intent> {
        // Its orders do not rest: whatever is still open is of an earlier life, or has no answer yet.
        let mut intents = if self.enabled { self.own.cancel_again(now) } else { self.own.cancel_all(now) };
        if self.sampled.is_none_or(|at| now.since(at) >= self.parameters.sample_ms) {
            intents.extend(self.sample(now));
        }
        if !self.timer_armed {
            self.timer_armed = true;
            intents.push(Intent::Timer { id: LOOK_AGAIN, at: now.plus(self.parameters.sample_ms) });
        }
        intents
    }

    fn sample(&mut self, now: Mono) -> Option<Intent> {
        let top = self.top?;
        self.sampled = Some(now);
        let most = usize::try_from(self.parameters.window).ok()?;
        self.window.push(top.mid()?.get().to_f64()?, most);
        self.z = if self.window.samples.len() < most { None } else { self.window.z() };
        let rested = self.ordered.is_none_or(|at| now.since(at) >= self.parameters.cooldown_ms);
        let free = self.enabled && rested && self.own.may_ask(now) && self.own.has_nothing_open();
        let z = self.z.filter(|_| free)?;
        let (side, most) = self.wish(z)?;
        let intent = self.take(side, most, &top)?;
        self.ordered = Some(now);
        Some(intent)
    }

    /// What the signal calls for: a side, and how much at most.
    fn wish(&self, z: f64) -> Option<(Side, Decimal)> {
        let position = self.own.position();
        let limit = self.parameters.max_position.get();
        let shortest = if self.parameters.allow_short { limit } else { Decimal::ZERO };
        let buy = limit.saturating_sub(self.own.worst(Side::Buy));
        let sell = shortest.saturating_add(self.own.worst(Side::Sell));
        if z <= -self.entry {
            Some((Side::Buy, buy))
        } else if z >= self.entry {
            Some((Side::Sell, sell))
        } else if z.abs() <= self.exit && position > Decimal::ZERO {
            Some((Side::Sell, position.min(sell)))
        } else if z.abs() <= self.exit && position < Decimal::ZERO {
            Some((Side::Buy, position.abs().min(buy)))
        } else {
            None
        }
    }

    fn take(&mut self, side: Side, most: Decimal, top: &Top) -> Option<Intent> {
        let rules = &self.own.brief().instrument;
        let cap = self.parameters.price_cap;
        let price = match side {
            Side::Buy => rounding::down(rules, top.ask.price.checked_add(cap.of(top.ask.price)?)?)?,
            Side::Sell => rounding::up(rules, top.bid.price.checked_sub(cap.of(top.bid.price)?)?)?,
        };
        let most = Quantity::new(most).ok()?;
        let quantity = rounding::size(rules, self.parameters.size.min(most), price)?;
        let time_in_force = Some(TimeInForce::Ioc);
        self.own.submit(Wanted { side, kind: OrderKind::Limit, price, quantity, time_in_force })
    }
}

impl Strategy for Taker {
    fn on(&mut self, now: Mono, input: &Input) -> Vec<Intent> {
        match input {
            Input::Top(top) => {
                self.top = *top;
                if top.is_none() {
                    // The market moved unseen: a window with a hole in it would call every return a signal.
                    self.window = Window::default();
                }
                self.look(now)
            }
            Input::Timer(_) => {
                self.timer_armed = false;
                self.look(now)
            }
            Input::Enabled | Input::Disabled => {
                self.enabled = matches!(input, Input::Enabled);
                self.look(now)
            }
            Input::Order(order) => {
                self.own.note_order(now, order);
                Vec::new()
            }
            Input::Position(position) => {
                self.own.note_position(*position);
                Vec::new()
            }
            Input::Refused(correlation) => {
                self.own.note_refused_request(now, correlation);
                Vec::new()
            }
            Input::Trade(_) | Input::Fill(_) => Vec::new(),
        }
    }

    fn signal(&self) -> Option<f64> {
        self.z
    }
}

#[cfg(test)]
#[path = "mean_reversion_taker_tests.rs"]
mod tests;
