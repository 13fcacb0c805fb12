//! A limit that was broken by the market or by executions, not by an order: what follows is for the machine.

use super::limit::Consequence;
use crate::domain::ids::StrategyId;
use serde::Serialize;
use std::fmt;

/// What a breach or a gauge is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskScope {
    /// Everything.
    Account,
    /// One strategy.
    Strategy(StrategyId),
}

impl fmt::Display for RiskScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => f.write_str("account"),
            Self::Strategy(id) => write!(f, "strategy/{id}"),
        }
    }
}

/// Kinds of breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachKind {
    /// The day's loss is above its limit, by three readings.
    DailyLoss,
    /// The drawdown is above the soft level, by three readings: sizes shrink.
    DrawdownSoft,
    /// The drawdown is at the hard level, by three readings.
    DrawdownHard,
    /// Too many executions without a person: latched.
    RepeatedExecution,
}

impl BreachKind {
    /// The word in logs and alerts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DailyLoss => "daily_loss",
            Self::DrawdownSoft => "drawdown_soft",
            Self::DrawdownHard => "drawdown_hard",
            Self::RepeatedExecution => "repeated_execution",
        }
    }
}

/// Told once when it begins; [`super::Risk::breaches`] lists those that stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// Of whom.
    pub scope: RiskScope,
    /// Which limit.
    pub kind: BreachKind,
    /// What follows.
    pub consequence: Consequence,
    /// `key=value, key=value`.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_kinds_have_their_words() {
        let strategy = RiskScope::Strategy(StrategyId::new("maker").unwrap());
        assert_eq!(
            (RiskScope::Account.to_string(), strategy.to_string()),
            ("account".into(), "strategy/maker".into())
        );
        let kinds = [
            BreachKind::DailyLoss,
            BreachKind::DrawdownSoft,
            BreachKind::DrawdownHard,
            BreachKind::RepeatedExecution,
        ];
        let words = ["daily_loss", "drawdown_soft", "drawdown_hard", "repeated_execution"];
        assert_eq!(kinds.map(BreachKind::word), words);
    }
}
