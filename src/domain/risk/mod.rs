//! The chain of checks before an order, and the gate before the venue.
//!
//! [`Risk`] decides whether an order may be written down; the gate makes, at the instant of sending, the only
//! value that can be sent. A limit that nobody configured denies.

mod approved;
mod book;
mod breach;
mod checks;
mod core;
mod explain;
mod figures;
mod gate;
mod gauges;
mod judge;
mod limit;
mod limits;
mod marks;
mod overrides;
mod proposal;
mod rates;
mod recent;
mod record;
mod rehearsal;
mod restraint;
mod settings;
mod sizing;
mod statistics;
mod survey;
mod track;
mod watchman;

#[cfg(test)]
mod core_tests;
#[cfg(test)]
mod judge_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod loss_tests;
#[cfg(test)]
mod testing;

pub use self::core::Risk;
pub use approved::Approved;
pub use breach::{Breach, BreachKind, RiskScope};
pub use checks::CHECKS;
pub use explain::{Explanation, Line, Passed};
pub use figures::{Figures, Granted, OpenCount, Pair, PerScope, RateUse, Step, TradeRecord};
pub use gate::{Inputs, PriceGuard, approve};
pub use gauges::{GAUGES_MAX, Gauge};
pub use judge::{Check, LIMIT_NOT_SET, Verdict};
pub use limit::{
    Consequence, DrawdownLimit, KellyLimit, Limit, LossLimit, RepeatLimit, StopLimit, VolatilityLimit,
};
pub use limits::{Exposed, Limits, LimitsId, Open};
pub use marks::{Latch, RiskMarks, StrategyMarks};
pub use overrides::{LIFTABLE, LIFTS_MAX, OVERRIDES_MAX, Override, TEXT_MAX, is_relaxable};
pub use proposal::{Message, Proposal, Standing, StateGate};
pub use recent::{DUPLICATE_WINDOW_MAX_MS, REMEMBERED_MAX};
pub use record::{Decision, DecisionRecord};
pub use restraint::{RESTRAINTS_MAX, Restrained, Restraint};
pub use settings::{
    AccountLimits, Market, OrderLimits, Rates, RiskSettings, StrategyLimits, SymbolLimits, VenueLimits,
};
pub use sizing::{
    fail_closed, kelly_binary, kelly_continuous, kelly_general, kelly_share, throttle, volatility_weight,
};
pub use statistics::{Outcomes, SAMPLE_MS};
pub use track::{READINGS, Track};
pub use watchman::{PEAK_WRITE_MS, READING_MS};
