//! How far the order management is from taking orders.

use serde::{Deserialize, Serialize};

/// Only `Running` takes new orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing was compared yet.
    #[default]
    Starting,
    /// Orders, fills and balances are being compared with the venues'.
    Reconciling,
    /// Orders are taken.
    Running,
    /// No new orders until an operator decides; cancels work.
    Halted,
    /// The end has begun: no new orders, ever again in this run.
    Draining,
}
