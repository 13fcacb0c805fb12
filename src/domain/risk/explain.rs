//! A decision in full: every check with what it read, its limit, and how far the one is from the other.

use super::judge::Verdict;
use super::limits::LimitsId;
use rust_decimal::Decimal;
use serde::Serialize;

/// How one line came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passed {
    /// It holds.
    Held,
    /// It denies.
    Denied,
    /// It would deny; an operator's override lifts it.
    Lifted,
    /// It would deny; research mode relaxes it.
    Relaxed,
}

/// One comparison of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The check.
    pub check: &'static str,
    /// The code that it denies with; empty where nothing was compared.
    pub code: &'static str,
    /// The limit's name; empty where there is none.
    pub limit_name: &'static str,
    /// `order`, `strategy`, `symbol`, `venue` or `account`.
    pub scope: &'static str,
    /// What was compared.
    pub used: Option<Decimal>,
    /// What it was compared with.
    pub limit: Option<Decimal>,
    /// Room that is left; below zero when it is broken.
    pub distance: Option<Decimal>,
    /// How it came out.
    pub passed: Passed,
    /// What is to be said besides.
    pub note: String,
}

impl Line {
    pub(super) const fn new(check: &'static str) -> Self {
        Self {
            check,
            code: "",
            limit_name: "",
            scope: "order",
            used: None,
            limit: None,
            distance: None,
            passed: Passed::Held,
            note: String::new(),
        }
    }
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What the decision would be.
    pub verdict: Verdict,
    /// Which limits.
    pub limits: LimitsId,
    /// Every comparison, in the order of evaluation.
    pub lines: Vec<Line>,
    /// The figures that were read.
    pub figures: super::figures::Figures,
}
