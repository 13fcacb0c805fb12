//! Settings of the risk chain: the keys under `risk`.
//!
//! Nothing here has a default that lets an order through. A limit that is left out denies; a check that an
//! operator does without is named and answered with `not_required`.

mod cross;
mod read;
mod scopes;
mod section;

pub use read::RiskError;
pub use scopes::{AccountRisk, StrategyRisk, SymbolRisk, Then, VenueRisk};
pub use section::{NOT_REQUIRED, Risk, RiskMode, SelfMatch};
