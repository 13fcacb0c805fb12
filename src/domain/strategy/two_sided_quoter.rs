//! `two_sided_quoter`: rests a bid and an ask (or several of each) around the middle of the book.
//!
//! The middle is shifted against the inventory, so that a long position sells sooner and buys later. Promises:
//! at most `levels` orders a side, counting those that are under way or being taken back; never a price at
//! or through the other side of the book, nor through a quote of its own (orders are maker-only besides); the
//! position stays within `inventory_limit` even if everything executes; nothing is quoted while the book is
//! not in step. A quote is moved by taking it back and, once the venue has confirmed its end, quoting anew.
//! It predicts nothing and does not hedge.

use super::brief::{Brief, Input, Intent};
use super::own_orders::{OwnOrders, Wanted};
use super::parameters::{Checks, Fraction, ParameterProblem, Parameters, read};
use super::{Kind, Make, Strategy, rounding};
use crate::domain::market::Top;
use crate::domain::money::{Price, Quantity};
use crate::domain::order::OrderKind;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Its line in the list.
pub(super) const KIND: Kind = Kind {
    name: "two_sided_quoter",
    about: "rests bids and asks around the middle of the book, shifted against its inventory",
    build,
    schema: || schemars::schema_for!(QuoterParameters),
};

const LOOK_AGAIN: u64 = 1;
/// How often it looks again in a market without news, milliseconds.
const LOOK_AGAIN_MS: u64 = 1_000;

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoterParameters {
    /// Distance between the innermost bid and ask, as a fraction of the price.
    #[schemars(with = "String")]
    pub spread: Fraction,
    /// Base quantity of each quote.
    #[schemars(with = "String")]
    pub size: Quantity,
    /// Quotes on each side, 1 to 10.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub levels: u16,
    /// Distance between two levels, as a fraction of the price. Needed with more than one level.
    #[serde(default = "nothing")]
    #[schemars(with = "String")]
    pub level_step: Fraction,
    /// A quote stays where it is while it is no further from its place than this fraction of the price.
    #[schemars(with = "String")]
    pub requote_threshold: Fraction,
    /// Longest and shortest position, base units.
    #[schemars(with = "String")]
    pub inventory_limit: Quantity,
    /// How far a full inventory shifts the quotes, as a fraction of the price.
    #[serde(default = "nothing")]
    #[schemars(with = "String")]
    pub inventory_skew: Fraction,
    /// Least time between two rounds of requests, milliseconds, 10 to 60,000.
    #[serde(default = "quarter_second")]
    #[schemars(range(min = 10, max = 60_000))]
    pub requote_interval_ms: u64,
}

const fn one() -> u16 {
    1
}

const fn quarter_second() -> u64 {
    250
}

fn nothing() -> Fraction {
    Fraction::ZERO
}

fn build(parameters: &Parameters) -> Result<Make, Vec<ParameterProblem>> {
    let parameters = read::<QuoterParameters>(parameters)?.checked()?;
    Ok(Box::new(move |brief| Box::new(Quoter::new(parameters.clone(), brief))))
}

impl QuoterParameters {
    fn checked(self) -> Result<Self, Vec<ParameterProblem>> {
        let mut checks = Checks::default();
        checks.positive("size", self.size);
        checks.range("levels", self.levels.into(), 1, 10);
        checks.range("requote_interval_ms", self.requote_interval_ms, 10, 60_000);
        checks.rule(
            self.inventory_limit >= self.size,
            "inventory_limit",
            "it is smaller than `size`: no quote would ever be allowed",
            "give at least `size`",
        );
        checks.rule(
            self.levels <= 1 || !self.level_step.is_zero(),
            "level_step",
            "several levels would share one price",
            "give the distance between two levels",
        );
        checks.rule(!self.spread.is_zero(), "spread", "it is zero", "give a fraction above zero, as 0.0005");
        let threshold = self.requote_threshold.get();
        checks.rule(
            threshold.saturating_add(threshold) <= self.spread.get(),
            "requote_threshold",
            "a quote could drift past the middle before it is moved",
            "give at most half of `spread`",
        );
        checks.done(self)
    }
}

/// See the module's head.
#[derive(Debug)]
struct Quoter {
    parameters: QuoterParameters,
    own: OwnOrders,
    top: Option<Top>,
    enabled: bool,
    acted: Option<Mono>,
    timer_armed: bool,
}

impl Quoter {
    fn new(parameters: QuoterParameters, brief: &Brief) -> Self {
        let own = OwnOrders::new(brief);
        Self { parameters, own, top: None, enabled: brief.enabled, acted: None, timer_armed: false }
    }

    /// Looks at everything and says what is to change.
    fn decide(&mut self, now: Mono) -> Vec<Intent> {
        let mut intents = match (self.enabled, self.top) {
            (true, Some(top)) => self.quote(now, &top),
            _ => self.own.cancel_all(now),
        };
        if !self.timer_armed {
            self.timer_armed = true;
            intents.push(Intent::Timer { id: LOOK_AGAIN, at: now.plus(LOOK_AGAIN_MS) });
        }
        intents
    }

    fn quote(&mut self, now: Mono, top: &Top) -> Vec<Intent> {
        let pause = self.parameters.requote_interval_ms;
        if self.acted.is_some_and(|at| now.since(at) < pause) {
            return Vec::new();
        }
        let Some(places) = self.places(top) else { return self.own.cancel_all(now) };
        let mut intents = self.own.cancel_again(now);
        let bids = self.settle_side(now, Side::Buy, &places.bids, places.slack, &mut intents);
        let asks = self.settle_side(now, Side::Sell, &places.asks, places.slack, &mut intents);
        if self.own.may_ask(now) {
            intents.extend(bids.into_iter().filter_map(|price| self.place(Side::Buy, price)));
            intents.extend(asks.into_iter().filter_map(|price| self.place(Side::Sell, price)));
        }
        if !intents.is_empty() {
            self.acted = Some(now);
        }
        intents
    }

    /// Where quotes belong now; `None` when a figure leaves the range of decimals.
    fn places(&self, top: &Top) -> Option<Places> {
        let parameters = &self.parameters;
        let rules = &self.own.brief().instrument;
        let mid = top.mid()?;
        let full = self.own.position().checked_div(parameters.inventory_limit.get())?;
        let share = full.clamp(Decimal::NEGATIVE_ONE, Decimal::ONE);
        let shift = share.checked_mul(parameters.inventory_skew.get())?;
        let fair = mid.get().checked_sub(mid.get().checked_mul(shift)?)?;
        let half = parameters.spread.get().checked_div(Decimal::TWO)?;
        let highest_bid = rounding::below(rules, top.ask.price)?;
        let lowest_ask = rounding::above(rules, top.bid.price)?;
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        for level in 0..parameters.levels {
            let out = parameters.level_step.get().checked_mul(level.into())?.checked_add(half)?;
            let away = fair.checked_mul(out)?;
            let bid = Price::new(fair.checked_sub(away)?).ok().and_then(|p| rounding::down(rules, p));
            let ask = Price::new(fair.checked_add(away)?).ok().and_then(|p| rounding::up(rules, p));
            bids.extend(bid.map(|price| price.min(highest_bid)));
            asks.extend(ask.map(|price| price.max(lowest_ask)));
        }
        let slack = parameters.requote_threshold.of(mid)?.get();
        Some(Places { bids, asks, slack })
    }

    /// Keeps the quotes that stand near a place, takes the others back; answers the places without one.
    fn settle_side(
        &mut self,
        now: Mono,
        side: Side,
        places: &[Price],
        slack: Decimal,
        intents: &mut Vec<Intent>,
    ) -> Vec<Price> {
        let mut free = places.to_vec();
        for (id, price) in self.own.resting(side) {
            let near = |place: &Price| place.get().saturating_sub(price.get()).abs() <= slack;
            match free.iter().position(near) {
                Some(index) => {
                    free.remove(index);
                }
                None => intents.extend(self.own.cancel(now, &id)),
            }
        }
        free
    }

    /// Wants one quote, unless it would be one too many, too large, or through a quote of its own.
    fn place(&mut self, side: Side, price: Price) -> Option<Intent> {
        let parameters = &self.parameters;
        if self.own.count(side) >= usize::from(parameters.levels) {
            return None;
        }
        let limit = parameters.inventory_limit.get();
        let (room, crosses) = match side {
            Side::Buy => (
                limit.checked_sub(self.own.worst(Side::Buy))?,
                self.own.prices(Side::Sell).any(|ask| price >= ask),
            ),
            Side::Sell => (
                limit.checked_add(self.own.worst(Side::Sell))?,
                self.own.prices(Side::Buy).any(|bid| price <= bid),
            ),
        };
        let room = Quantity::new(room).ok()?;
        let quantity = rounding::size(&self.own.brief().instrument, parameters.size.min(room), price)?;
        if crosses {
            return None;
        }
        self.own.submit(Wanted { side, kind: OrderKind::LimitMaker, price, quantity, time_in_force: None })
    }
}

/// Where quotes belong, from the inside out, and how far they may be off.
struct Places {
    bids: Vec<Price>,
    asks: Vec<Price>,
    slack: Decimal,
}

impl Strategy for Quoter {
    fn on(&mut self, now: Mono, input: &Input) -> Vec<Intent> {
        match input {
            Input::Top(top) => {
                self.top = *top;
                self.decide(now)
            }
            Input::Trade(_) => Vec::new(),
            Input::Order(order) => {
                self.own.note_order(now, order);
                Vec::new()
            }
            // A fill moves the inventory: the other side is looked at without waiting for the market.
            Input::Fill(_) => self.decide(now),
            Input::Position(position) => {
                self.own.note_position(*position);
                Vec::new()
            }
            Input::Refused(correlation) => {
                self.own.note_refused_request(now, correlation);
                Vec::new()
            }
            Input::Timer(_) => {
                self.timer_armed = false;
                self.decide(now)
            }
            Input::Enabled => {
                self.enabled = true;
                self.decide(now)
            }
            Input::Disabled => {
                self.enabled = false;
                self.decide(now)
            }
        }
    }
}

#[cfg(test)]
#[path = "two_sided_quoter_tests.rs"]
mod tests;
