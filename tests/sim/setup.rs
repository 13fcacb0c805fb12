//! The settings of the simulated desk: one venue, one or two instruments, one strategy.

use crate::exchange::{asset, base};
use crate::options::Options;
use plimsoll::domain::ids::{StrategyId, Symbol, VenueId};
use plimsoll::domain::instrument::{Instrument, Step};
use plimsoll::domain::oms::{Controls, Knobs, Limits, Settings, StrategySettings, VenueSettings};
use plimsoll::domain::risk::RiskSettings;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

pub fn venue() -> VenueId {
    VenueId::new("paper").unwrap()
}

pub fn strategy() -> StrategyId {
    StrategyId::new("quoter").unwrap()
}

fn instrument(symbol: &Symbol) -> Instrument {
    Instrument {
        symbol: symbol.clone(),
        base: base(symbol),
        quote: asset("USDT"),
        trading: true,
        price: Step { step: Decimal::new(1, 2), ..Step::default() },
        lot: Step { step: Decimal::new(1, 3), ..Step::default() },
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: vec![],
    }
}

/// Wide limits, and marks that never grow old: what risk decides has tests of its own.
fn limits() -> RiskSettings {
    RiskSettings { mark_max_age_ms: u64::MAX, ..RiskSettings::for_rehearsal(asset("USDT")) }
}

/// Intervals are shortened, so that a run shows many of each check; what they mean stays as it is.
pub fn settings(options: &Options, symbols: &[Symbol]) -> Settings {
    Settings {
        tag: "plsim000".to_owned(),
        venues: vec![VenueSettings {
            id: venue(),
            instruments: symbols.iter().map(instrument).collect(),
            absence_proof_after_ms: options.recv_window_ms + options.window_ms,
            external: options.external,
            live: false,
        }],
        strategies: vec![StrategySettings {
            id: strategy(),
            patience: options.patience,
            enabled: true,
            max_age_ms: 20_000,
            price_guard: Decimal::new(5, 1),
        }],
        knobs: Knobs {
            open_check_interval_ms: 2_000,
            position_check_interval_ms: 4_000,
            fetch_timeout_ms: 3_000,
            fill_fetch_slow_ms: 3_000,
            query_max_ms: 3_000,
            ..Knobs::default()
        },
        limits: Limits { facts_per_snapshot: options.snapshot_every, ..Limits::default() },
        controls: Controls::default(),
        risk: limits(),
        tolerance: BTreeMap::new(),
    }
}
