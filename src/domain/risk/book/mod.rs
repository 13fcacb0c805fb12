//! What risk remembers: positions, working orders and marks, as sums that are kept up to date.

mod instruments;
mod store;
mod strategies;
mod view;
mod worst;

#[cfg(test)]
mod tests;

pub(super) use store::{Book, Found};
pub(super) use strategies::StrategyBook;
pub(super) use view::{Direction, Picture, View};
