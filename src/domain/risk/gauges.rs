//! How full the limits are: one gauge per limit and scope.

use rust_decimal::Decimal;
use serde::Serialize;

/// Most gauges that are handed out; the tightest.
pub const GAUGES_MAX: usize = 256;

/// One limit and how much of it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gauge {
    /// The limit's name.
    pub name: &'static str,
    /// `account`, `venue/paper`, `symbol/paper/BTCUSDT`, `strategy/quoter`, `strategy/quoter/paper/BTCUSDT`.
    pub scope: String,
    /// What is used; `None` when it is not known.
    pub used: Option<Decimal>,
    /// The limit; `None` when it is not set, which denies.
    pub limit: Option<Decimal>,
    /// Used over limit; `None` when either is not known or the limit is zero and something is used.
    pub ratio: Option<Decimal>,
}

impl Gauge {
    pub(super) fn new(
        name: &'static str,
        scope: String,
        used: Option<Decimal>,
        limit: Option<Decimal>,
    ) -> Self {
        let ratio = used.zip(limit).and_then(|(used, limit)| {
            let used = used.max(Decimal::ZERO);
            if used.is_zero() { Some(Decimal::ZERO) } else { used.checked_div(limit) }
        });
        let tidy = |figure: Option<Decimal>| figure.map(|figure| figure.normalize());
        Self {
            name,
            scope,
            used: tidy(used),
            limit: tidy(limit),
            ratio: tidy(ratio.map(|ratio| ratio.round_dp(6))),
        }
    }
}

/// Tightest first: what is not known before everything, then by ratio, then by name.
pub(super) fn sorted(mut gauges: Vec<Gauge>) -> Vec<Gauge> {
    gauges.sort_by(|a, b| {
        let known = a.ratio.is_some().cmp(&b.ratio.is_some());
        known.then(b.ratio.cmp(&a.ratio)).then(a.name.cmp(b.name)).then(a.scope.cmp(&b.scope))
    });
    gauges.truncate(GAUGES_MAX);
    gauges
}
