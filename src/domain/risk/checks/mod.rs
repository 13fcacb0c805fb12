//! The checks before an order, one file each, and their one order of evaluation.
//!
//! A check is added by its file and one line here. Cheap and certain ones come first; what needs a market
//! comes after the check that there is one.

mod asset_exposure;
mod daily_loss;
mod drawdown;
mod duplicate;
mod equity_budget;
mod fat_finger;
mod gross_exposure;
mod journal;
mod kelly;
mod leverage;
mod message_budget;
mod net_exposure;
mod open_orders;
mod order_rate;
mod position;
mod price_collar;
mod quantity;
mod reference_price;
mod repeated_execution;
mod restraint;
mod restricted;
mod self_match;
mod shape;
mod state;
mod stop_loss;
mod strategy;
mod truth;
mod value;
mod volatility;

#[cfg(test)]
pub(super) mod testing;

use super::judge::Check;

/// All of them, in the order in which they are asked.
pub const CHECKS: &[&Check] = &[
    &state::CHECK,
    &strategy::CHECK,
    &truth::CHECK,
    &journal::CHECK,
    &restricted::CHECK,
    &shape::CHECK,
    &quantity::CHECK,
    &reference_price::CHECK,
    &price_collar::CHECK,
    &fat_finger::CHECK,
    &value::CHECK,
    &self_match::CHECK,
    &duplicate::CHECK,
    &repeated_execution::CHECK,
    &restraint::CHECK,
    &order_rate::CHECK,
    &message_budget::CHECK,
    &open_orders::CHECK,
    &position::CHECK,
    &gross_exposure::CHECK,
    &net_exposure::CHECK,
    &asset_exposure::CHECK,
    &leverage::CHECK,
    &equity_budget::CHECK,
    &daily_loss::CHECK,
    &drawdown::CHECK,
    &stop_loss::CHECK,
    &kelly::CHECK,
    &volatility::CHECK,
];
