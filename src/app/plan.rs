//! From the settings to what the trading components need.

use super::Launch;
use super::venues::{VenueError, VenuePlan, paper_config};
use crate::actors::dead_man::{DeadManError, DeadManPlan, VitalLimits};
use crate::actors::kill_switch::{KillSwitch, OpenError};
use crate::actors::oms::OmsPlan;
use crate::actors::paper_exchange::EmbeddedAddress;
use crate::actors::plan::{Trading, VenueWire};
use crate::config::controls::AtPause;
use crate::config::kill_switch::OnEngage;
use crate::config::venues::{ExternalOrders, Mode};
use crate::config::{EnvReader, Settings};
use crate::domain::heartbeat::Knobs as HeartbeatKnobs;
use crate::domain::ids::{Asset, IdError};
use crate::domain::lease::Lease;
use crate::domain::money::{Amount, MoneyError};
use crate::domain::oms::{
    Controls, External, Knobs, Limits, OnKill, OnPause, Settings as OmsSettings, VenueSettings,
};
use crate::domain::tripwire::Tripwire;
use crate::venues::binance::{Binance, BinanceConfig};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Why the settings cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A venue.
    #[error(transparent)]
    Venue(#[from] VenueError),
    /// A name that the settings let through but the domain does not.
    #[error("the settings hold an impossible name: {0}")]
    Name(#[from] IdError),
    /// A figure that the settings let through but the domain does not.
    #[error("the settings hold an impossible figure: {0}")]
    Figure(#[from] MoneyError),
    /// A limit that the settings let through but the risk chain does not.
    #[error("the limits cannot be read: {0}")]
    Risk(String),
    /// A strategy that the settings let through but its kind does not.
    #[error("strategy {0}: its kind cannot be made with these parameters")]
    Strategy(String),
    /// A series that the settings let through but its detectors do not.
    #[error(transparent)]
    Drift(#[from] super::drift::DriftPlanError),
    /// Hours that the settings let through but the domain does not.
    #[error("the hours of a market cannot be read: {0}")]
    Hours(String),
    /// The kill switch cannot be made; without it nothing may trade.
    #[error(transparent)]
    Kill(#[from] OpenError),
    /// The ping to the dead man's switch cannot be made.
    #[error(transparent)]
    DeadMan(#[from] DeadManError),
    /// A way to tell people cannot be made.
    #[error(transparent)]
    Channel(#[from] crate::notify::BuildError),
}

/// Plans everything that trades; `None` when no venue is configured.
///
/// # Errors
/// [`PlanError`].
pub(super) fn trading(
    settings: &Settings,
    launch: &Launch,
    env: &dyn EnvReader,
    lease: &Lease,
) -> Result<Option<Trading>, PlanError> {
    if settings.venues.is_empty() {
        return Ok(None);
    }
    // The switch of the run before goes on: what it knows and the disk perhaps does not, a restart may not forget.
    let kill = match &launch.kill {
        Some(kill) => kill.clone(),
        None => KillSwitch::open(&settings.data_dir.0)?,
    };
    let address = EmbeddedAddress::default();
    let venues = settings.venues.iter().map(|venue| VenuePlan::new(venue, env, &address));
    let venues = venues.collect::<Result<Vec<_>, _>>()?;
    let embedded = settings.venues.iter().any(crate::config::venues::Venue::is_embedded);
    let embedded = match embedded {
        true => Some((paper_config(&settings.paper_exchange, &settings.data_dir.0)?, address)),
        false => None,
    };
    let symbols = venues.iter().map(|venue| (venue.id.clone(), venue.symbols.clone())).collect();
    let oms = OmsPlan {
        settings: oms_settings(settings, &venues)?,
        how: launch.how,
        by: launch.by.clone(),
        symbols,
    };
    let (alerts, channels) = super::alerts::plan(settings, env)?;
    let dead_man = &settings.alerts.dead_man;
    let vitals = VitalLimits {
        max_age: Duration::from_millis(dead_man.max_age_ms),
        delivery_max_age: Duration::from_millis(dead_man.delivery_max_age_ms),
    };
    let performance = super::performance::plan(settings, &oms.settings.risk)?;
    Ok(Some(Trading {
        performance,
        dead_man: DeadManPlan::new(dead_man, env)?,
        vitals,
        alerts,
        keep_alerts: Duration::from_millis(settings.alerts.keep_ms()),
        channels,
        data_dir: settings.data_dir.0.clone(),
        oms,
        venues: venues.into_iter().map(|venue| wire(venue, kill.tripwire(), lease.clone())).collect(),
        kill,
        heartbeat: heartbeat(settings),
        drift: super::drift::plan(&settings.drift)?,
        embedded,
        strategies: super::strategies::plans(settings)?,
    }))
}

fn wire(venue: VenuePlan, tripwire: Tripwire, lease: Lease) -> VenueWire {
    let market = venue.clone();
    let (id, symbols) = (venue.id.clone(), venue.symbols.clone());
    VenueWire {
        id,
        symbols,
        open_orders: Arc::new(move || {
            let config =
                BinanceConfig { tripwire: tripwire.clone(), lease: lease.clone(), ..venue.orders()? };
            Binance::start(config).map_err(|error| error.to_string())
        }),
        // It has no key, and so no way to place anything.
        open_market: Arc::new(move || Binance::start(market.market()?).map_err(|error| error.to_string())),
    }
}

fn heartbeat(settings: &Settings) -> HeartbeatKnobs {
    let set = &settings.heartbeat;
    HeartbeatKnobs {
        interval_ms: set.interval_ms,
        storm_reconnects: usize::try_from(set.storm_reconnects).unwrap_or(usize::MAX),
        storm_window_ms: set.storm_window_ms,
    }
}

fn oms_settings(settings: &Settings, venues: &[VenuePlan]) -> Result<OmsSettings, PlanError> {
    let orders = &settings.orders;
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let mut tolerance = BTreeMap::new();
    for venue in &settings.venues {
        for (asset, amount) in &venue.balance_tolerance {
            tolerance.insert(Asset::new(asset)?, Amount::parse(amount)?);
        }
    }
    Ok(OmsSettings {
        tag: String::new(),
        venues: venues.iter().map(venue_settings).collect(),
        strategies: super::strategies::order_settings(settings)?,
        knobs: Knobs {
            inflight_check_threshold_ms: orders.inflight_check_threshold_ms,
            inflight_check_retries: small(orders.inflight_check_retries),
            open_check_interval_ms: orders.open_check_interval_ms,
            position_check_interval_ms: orders.position_check_interval_ms,
            position_check_retries: small(orders.position_check_retries),
            max_single_order_queries_per_cycle: small(orders.max_single_order_queries_per_cycle),
            single_order_query_delay_ms: orders.single_order_query_delay_ms,
            drain_timeout_ms: settings.supervision.shutdown_grace_ms.saturating_mul(3).div_euclid(4),
            ..Knobs::default()
        },
        limits: Limits {
            open_orders: usize::try_from(orders.max_open).unwrap_or(usize::MAX),
            ..Limits::default()
        },
        controls: controls(settings),
        risk: super::risk::settings(settings)?,
        tolerance,
    })
}

/// What becomes of resting orders when trading is stopped.
pub(super) const fn controls(settings: &Settings) -> Controls {
    Controls {
        on_pause: match settings.controls.on_pause {
            AtPause::Keep => OnPause::Keep,
            AtPause::Cancel => OnPause::Cancel,
        },
        on_kill: match settings.kill_switch.on_engage {
            OnEngage::CancelAll => OnKill::CancelAll,
            OnEngage::Keep => OnKill::Keep,
            OnEngage::Flatten => OnKill::Flatten,
        },
    }
}

fn venue_settings(venue: &VenuePlan) -> VenueSettings {
    VenueSettings {
        id: venue.id.clone(),
        instruments: Vec::new(),
        absence_proof_after_ms: venue.absence_proof_after_ms(),
        live: venue.settings().mode() == Mode::Live,
        external: match venue.settings().external_orders {
            ExternalOrders::Adopt => External::Adopt,
            ExternalOrders::Cancel => External::Cancel,
            ExternalOrders::Hold => External::Hold,
        },
    }
}
