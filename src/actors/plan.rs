//! What is to trade: venues, strategies, the order management; made from the settings before the tree is.

use super::kill_switch::KillSwitch;
use super::oms::OmsPlan;
use super::paper_exchange::EmbeddedAddress;
use super::strategy::StrategySetup;
use crate::domain::alert::Settings;
use crate::domain::heartbeat::Knobs;
use crate::domain::ids::{Symbol, VenueId};
use crate::notify::Channel;
use crate::paper_exchange::PaperConfig;
use crate::venues::binance::Binance;
use std::path::PathBuf;
use std::sync::Arc;

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
    /// Where orders go.
    pub venues: Vec<VenueWire>,
    /// The exchange inside this process, when a venue is it.
    pub embedded: Option<(PaperConfig, EmbeddedAddress)>,
    /// The built-in strategies.
    pub strategies: Vec<StrategySetup>,
    /// What the operator decided about alerts.
    pub alerts: Settings,
    /// The ways to tell people.
    pub channels: Vec<Arc<dyn Channel>>,
}
