//! What the order management's shell is connected to, and what it is told at the start.

use crate::actors::connector::ToVenue;
use crate::actors::journal::Journal;
use crate::actors::kill_switch::KillSwitch;
use crate::actors::market_data::MarketBoard;
use crate::actors::run_control::RunControl;
use crate::actors::strategy::StrategyNews;
use crate::db::Readers;
use crate::domain::ids::{StrategyId, Symbol, TradeId, VenueId};
use crate::domain::lease::Lease;
use crate::domain::oms::{Actor, Settings, StartHow};
use crate::supervision::{Handle, Port};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// What the order management is told at the start of the process.
#[derive(Debug, Clone)]
pub struct OmsPlan {
    /// Its settings; the journal's tag is filled in when the journal is open.
    pub settings: Settings,
    /// How the first incarnation starts. Later ones start warm.
    pub how: StartHow,
    /// Who started it and why.
    pub by: Actor,
    /// Instruments per venue.
    pub symbols: BTreeMap<VenueId, Vec<Symbol>>,
}

/// The last booked trade of each instrument: where a connector's fill recovery begins.
#[derive(Debug, Clone, Default)]
pub struct Cursors(Arc<RwLock<BTreeMap<(VenueId, Symbol), TradeId>>>);

impl Cursors {
    /// Of one venue.
    #[must_use]
    pub fn of(&self, venue: &VenueId) -> Vec<(Symbol, TradeId)> {
        let all = self.0.read();
        let ours = all.iter().filter(|((at, _), _)| at == venue);
        ours.map(|((_, symbol), trade)| (symbol.clone(), trade.clone())).collect()
    }

    pub(super) fn set(&self, all: BTreeMap<(VenueId, Symbol), TradeId>) {
        *self.0.write() = all;
    }
}

/// The ends of all wires. Those of cells that are declared later are filled in before anything starts.
#[derive(Clone)]
pub struct Wires {
    /// The journal.
    pub journal: Handle<Journal>,
    /// For questions about fills that are older than memory.
    pub readers: Readers,
    /// One connector per venue.
    pub connectors: Arc<OnceLock<BTreeMap<VenueId, Port<ToVenue>>>>,
    /// The strategies that run here.
    pub strategies: Arc<OnceLock<BTreeMap<StrategyId, Port<StrategyNews>>>>,
    /// One board per venue.
    pub boards: BTreeMap<VenueId, MarketBoard>,
    /// Where fill recovery begins.
    pub cursors: Cursors,
    /// The kill switch: engaged from here by risk and by a journal that cannot be trusted.
    pub kill: KillSwitch,
    /// Words to the process.
    pub run: RunControl,
    /// Whoever judges the truth keeps it; without it nothing new is taken.
    pub lease: Lease,
}
