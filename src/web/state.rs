//! What every handler may read.

use super::dashboard::Press;
use super::events::Streams;
use super::security::Security;
use super::truth::{Truth, Truths};
use crate::actors::sentinel::OrderPath;
use crate::actors::{Parts, Readings};
use crate::config::venues::Mode;
use crate::domain::oms::Controls;
use crate::supervision::Tree;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// See the module's head.
pub struct WebState {
    pub(super) tree: Tree,
    pub(super) readings: Readings,
    pub(super) parts: Parts,
    pub(super) mode: Mode,
    /// What becomes of resting orders when trading is stopped.
    pub(super) controls: Controls,
    pub(super) config_hash: String,
    /// The account's label: what an operator types before an unsafe word.
    pub(super) label: String,
    /// This process among those of the deployment.
    pub(super) instance: String,
    /// The asset in which values are measured.
    pub(super) currency: String,
    /// A market price that is older is none.
    pub(super) price_age_max: Duration,
    /// How often the books are compared with the venues.
    pub(super) compared_every: Duration,
    /// The latest edition of the page.
    pub(super) press: Press,
    pub(super) started: Instant,
    pub(super) streams: Streams,
    pub(super) security: Security,
    /// Tells the event ids of this run from those of an earlier one.
    run_id: String,
    debug_routes: bool,
    truths: Truths,
}

/// What the surface says of the settings that the process runs with.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What is at stake at the venues.
    pub mode: Mode,
    /// What becomes of resting orders when trading is stopped.
    pub controls: Controls,
    /// Names the settings.
    pub config_hash: String,
    /// Are there routes that break things on purpose?
    pub debug_routes: bool,
    /// The account's label.
    pub label: String,
    /// This process among those of the deployment.
    pub instance: String,
    /// The asset in which values are measured.
    pub currency: String,
    /// A market price that is older is none.
    pub price_age_max: Duration,
    /// How often the books are compared with the venues.
    pub compared_every: Duration,
}

impl WebState {
    /// The state of one application.
    #[must_use]
    pub fn new(tree: Tree, readings: Readings, parts: Parts, shown: Shown, security: Security) -> Self {
        let started = crate::clock::monotonic();
        let Shown { mode, controls, config_hash, debug_routes, .. } = shown;
        let Shown { label, instance, currency, price_age_max, compared_every, .. } = shown;
        Self {
            tree,
            readings,
            parts,
            mode,
            controls,
            config_hash,
            label,
            instance,
            currency,
            price_age_max,
            compared_every,
            press: Press::default(),
            started,
            streams: Streams::default(),
            security,
            run_id: format!("{:x}", crate::clock::wall_millis()),
            debug_routes,
            truths: Truths::default(),
        }
    }

    /// Resolves when the event streams are to end.
    pub(super) async fn ending(&self) {
        self.streams.ended().await;
    }

    /// Ends every event stream with a last word, so that none holds up the server's stop.
    pub fn end_streams(&self) {
        self.streams.end();
    }

    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }

    pub(super) const fn debug_routes(&self) -> bool {
        self.debug_routes
    }

    pub(super) fn uptime_seconds(&self) -> f64 {
        crate::clock::monotonic().saturating_duration_since(self.started).as_secs_f64()
    }

    /// The judgement behind all health routes: the sentinel's last one, or what can be said without it.
    pub(super) fn truth(&self) -> Arc<Truth> {
        let now = crate::clock::monotonic();
        self.truths.current(now, &self.readings.sentinel, &self.tree, || self.order_path())
    }

    fn order_path(&self) -> Option<OrderPath> {
        self.parts.oms.as_ref()?;
        let journal = self.readings.journal.latest();
        let now = crate::clock::monotonic();
        let journal_idle = journal.last_write.map(|at| now.saturating_duration_since(at));
        Some(OrderPath { oms: self.readings.oms.view(), journal, journal_idle })
    }
}
