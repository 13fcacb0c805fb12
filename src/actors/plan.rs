//! What is to trade: venues, strategies, the order management; made from the settings before the tree is.

use super::dead_man::{DeadManPlan, VitalLimits};
use super::drift_sentry::DriftPlan;
use super::kill_switch::KillSwitch;
use super::oms::OmsPlan;
use super::paper_exchange::EmbeddedAddress;
use super::performance::PerformancePlan;
use super::strategy::StrategySetup;
use crate::domain::alert::Settings;
use crate::domain::heartbeat::Knobs;
use crate::domain::ids::{Symbol, VenueId};
use crate::notify::Channel;
use crate::paper_exchange::PaperConfig;
use crate::venues::binance::Binance;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Opens a venue's session on the calling thread, once per incarnation.
pub type Open = Arc<dyn Fn() -> Result<Binance, String> + Send + Sync>;

/// One venue.
#[derive(Clone)]
pub struct VenueWire {
    /// Its name.
    pub id: VenueId,
    /// Its instruments.
    pub symbols: Vec<Symbol>,
    /// Opens the order session.
    pub open_orders: Open,
    /// Opens the market session.
    pub open_market: Open,
}

/// See the module's head.
#[derive(Clone)]
pub struct Trading {
    /// Where everything durable lives.
    pub data_dir: PathBuf,
    /// The order management.
    pub oms: OmsPlan,
    /// The kill switch.
    pub kill: KillSwitch,
    /// How often venues are asked for a sign of life, and when reconnections are a storm.
    pub heartbeat: Knobs,
    /// Which series are watched for change, and what follows; `None` for none.
    pub drift: Option<DriftPlan>,
    /// Where orders go.
    pub venues: Vec<VenueWire>,
    /// The exchange inside this process, when a venue is it.
    pub embedded: Option<(PaperConfig, EmbeddedAddress)>,
    /// How performance is observed.
    pub performance: PerformancePlan,
    /// The built-in strategies.
    pub strategies: Vec<StrategySetup>,
    /// What the operator decided about alerts.
    pub alerts: Settings,
    /// How long alerts that are over stay in the database.
    pub keep_alerts: Duration,
    /// The ways to tell people.
    pub channels: Vec<Arc<dyn Channel>>,
    /// Where signs of life go, if anywhere.
    pub dead_man: Option<DeadManPlan>,
    /// How long what watches over everything may take.
    pub vitals: VitalLimits,
}
