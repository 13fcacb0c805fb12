//! The drift sentry: watches series of numbers for change, tells people, and cuts what a strategy may enter.
//!
//! `tap` is where those who measure drop numbers, `cell` is the component, `handle` what others ask of it, `readings` what
//! it shows. What a number means and whether it is drift is decided in `domain::drift`.

mod cell;
mod handle;
mod readings;
mod tap;

pub use cell::{DRIFTED, DriftSentry, MarketTap};
pub use handle::{DriftAsk, DriftDone, DriftFailure, DriftHandle, DriftRequest};
pub use readings::{DriftReadings, DriftView, StreamView};
pub use tap::{DriftTap, SignalTap};

use super::alert_board::AlertBoard;
use super::journal::SaveDrift;
use super::oms::{OmsHandle, OmsReadings};
use crate::db::Readers;
use crate::domain::drift::Policy;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, Port, cell};

/// What is configured of the sentry.
#[derive(Debug, Clone)]
pub struct DriftPlan {
    /// Asked in order; the first that fits a stream's name holds.
    pub policies: Vec<Policy>,
    /// What holds for all others.
    pub fallback: Policy,
    /// Streams that there may be.
    pub streams_max: usize,
}

/// What the sentry is made of.
#[derive(Clone)]
pub struct DriftSetup {
    /// What is configured.
    pub plan: DriftPlan,
    /// Where numbers wait.
    pub tap: DriftTap,
    /// The order management, for cuts.
    pub oms: OmsHandle,
    /// What it publishes.
    pub oms_readings: OmsReadings,
    /// What was saved.
    pub readers: Readers,
    /// Where streams are saved.
    pub save: Port<SaveDrift>,
    /// Where alerts stand.
    pub alerts: AlertBoard,
    /// What is shown.
    pub readings: DriftReadings,
}

/// Declares the cell.
#[must_use]
pub fn declare(setup: DriftSetup) -> (DriftHandle, Cell<DriftSentry>) {
    let spec = ChildSpec {
        placement: Placement::Shared("drift".to_owned()),
        metadata: vec![("workload".to_owned(), "watches series for change".to_owned())],
        ..ChildSpec::default()
    };
    let (handle, cell): (Handle<DriftSentry>, Cell<DriftSentry>) =
        cell("drift_sentry", spec, move |_: &mut Ctx<DriftSentry>| Ok(DriftSentry::new(setup.clone())));
    (DriftHandle(handle.port()), cell)
}
