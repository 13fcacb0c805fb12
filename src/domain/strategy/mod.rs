//! Strategies: pure machines from market, order and timer inputs to order requests.
//!
//! A strategy owns no clock, socket or queue; its shell tells it what happened and performs what it wants.
//! It is built anew from a [`Brief`] whenever its shell is not sure that it has heard everything, so nothing
//! that it needs may live only in its memory. To add one: a file with its parameters, code and tests, and one
//! line in [`KINDS`].

mod brief;
mod mean_reversion_taker;
mod own_orders;
mod parameters;
mod rounding;
#[cfg(test)]
mod synthetic;
mod two_sided_quoter;

pub use brief::{Brief, Input, Intent};
pub use parameters::{Fraction, ParameterProblem, Parameters};

/// A trading rule. See the module's head.
pub trait Strategy: std::fmt::Debug {
    /// Takes an input and answers what is wanted, in order.
    ///
    /// It must not answer [`Input::Refused`] with another request: a refusal would then be a busy loop.
    fn on(&mut self, now: super::time::Mono, input: &Input) -> Vec<Intent>;

    /// The figure that it last decided by, where it has one: what it is is watched for drift.
    fn signal(&self) -> Option<f64> {
        None
    }
}

/// Makes a strategy from what it is told first.
pub type Make = Box<dyn Fn(&Brief) -> Box<dyn Strategy> + Send + Sync>;

/// A kind of strategy that can be configured.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The word in the configuration.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Reads and checks the parameters, all of them before it answers.
    pub build: fn(&Parameters) -> Result<Make, Vec<ParameterProblem>>,
    /// The parameters as JSON schema.
    pub schema: fn() -> schemars::Schema,
}

/// Every kind. `manual` is not among them: people and programs send its orders over HTTP.
pub const KINDS: &[Kind] = &[two_sided_quoter::KIND, mean_reversion_taker::KIND];

/// The kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
