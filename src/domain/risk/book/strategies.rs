//! One strategy, and what it holds and works in one instrument.

use super::super::rates::Rate;
use super::super::recent::{Approvals, Repeats};
use super::super::statistics::Outcomes;
use super::super::track::Track;
use super::worst::Worst;
use crate::domain::ids::{Asset, StrategyId};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// See the module's head.
#[derive(Debug, Clone)]
pub(in super::super) struct StrategyBook {
    pub(in super::super) id: StrategyId,
    pub(in super::super) open: u32,
    /// Fees paid, per asset.
    pub(in super::super) fees: BTreeMap<Asset, Decimal>,
    pub(in super::super) rate: Rate,
    pub(in super::super) approvals: Approvals,
    pub(in super::super) repeats: Repeats,
    pub(in super::super) outcomes: Outcomes,
    pub(in super::super) track: Track,
    pub(in super::super) enabled: bool,
}

impl StrategyBook {
    pub(super) fn new(id: StrategyId) -> Self {
        Self {
            id,
            open: 0,
            fees: BTreeMap::new(),
            rate: Rate::new(),
            approvals: Approvals::default(),
            repeats: Repeats::default(),
            outcomes: Outcomes::default(),
            track: Track::default(),
            enabled: true,
        }
    }
}

/// What one strategy holds and works in one instrument.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Cell {
    pub(in super::super) worst: Worst,
    /// Fees paid in it, per asset, as last heard.
    pub(super) fees: BTreeMap<Asset, Decimal>,
    /// Realised profit as last heard; `None` before the first word.
    pub(super) realised: Option<Decimal>,
    /// Fees since the last closed trade, in the risk currency; `None` when one has no price.
    pub(super) fees_since: Option<Decimal>,
}
