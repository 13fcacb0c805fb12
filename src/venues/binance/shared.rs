//! What the two sessions and the callers of one venue share: clock, signer, pacing, account view, books.
//!
//! Lives on one thread; every borrow is short and never held across an await.

use super::book_sync::BookSync;
use super::clock_offset::ClockOffset;
use super::config::BinanceConfig;
use super::messages::api::RateLimit;
use super::pacing::{Pacer, Purpose};
use super::signing::Signer;
use crate::domain::account_sync::AccountView;
use crate::domain::connection::State;
use crate::domain::evidence::Evidence;
use crate::domain::ids::Symbol;
use crate::domain::outcome::Denial;
use crate::domain::time::Mono;
use crate::venues::mono::MonoClock;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One instrument's market data.
#[derive(Debug, Default)]
pub(super) struct Feed {
    pub(super) sync: BookSync,
    pub(super) last_data: Option<Mono>,
    pub(super) last_trade: u64,
    pub(super) last_quote: u64,
}

/// Shared state of one venue.
pub(super) struct Shared {
    pub(super) config: BinanceConfig,
    pub(super) signer: Option<Signer>,
    pub(super) clock: MonoClock,
    pub(super) offset: RefCell<ClockOffset>,
    pub(super) pacer: RefCell<Pacer>,
    pub(super) limits_known: Cell<bool>,
    pub(super) orders: Arc<Evidence>,
    pub(super) market: Arc<Evidence>,
    pub(super) order_state: Cell<State>,
    pub(super) view: RefCell<AccountView>,
    pub(super) feeds: RefCell<BTreeMap<Symbol, Feed>>,
}

impl Shared {
    pub(super) fn new(config: BinanceConfig, signer: Option<Signer>) -> Self {
        let feeds = config.symbols.iter().map(|symbol| (symbol.clone(), Feed::default())).collect();
        Self {
            config,
            signer,
            clock: MonoClock::new(),
            offset: RefCell::default(),
            pacer: RefCell::default(),
            limits_known: Cell::new(false),
            orders: Arc::default(),
            market: Arc::default(),
            order_state: Cell::new(State::Disconnected),
            view: RefCell::default(),
            feeds: RefCell::new(feeds),
        }
    }

    /// The venue's time as far as we know it, milliseconds since the epoch.
    pub(super) fn venue_now(&self) -> i64 {
        self.offset.borrow().venue_time(crate::clock::wall_millis())
    }

    /// Passes a request through the gate.
    pub(super) fn admit(&self, purpose: Purpose, weight: u32) -> Result<(), Denial> {
        self.pacer.borrow_mut().admit(self.clock.now(), purpose, weight)
    }

    /// The venue asked for silence.
    pub(super) fn hold(&self, retry_after_ms: Option<u64>) -> Mono {
        let until = self.pacer.borrow_mut().hold(self.clock.now(), retry_after_ms);
        tracing::warn!(venue.name = %self.config.venue, hold_ms = until.since(self.clock.now()),
            "the venue asked for silence");
        until
    }

    /// Takes the limits that a WebSocket answer carries.
    pub(super) fn observe_limits(&self, limits: &[RateLimit<'_>]) {
        let now = self.clock.now();
        let mut pacer = self.pacer.borrow_mut();
        for limit in limits {
            let Some(count) = limit.count else { continue };
            if limit.is_weight_per_minute() {
                pacer.observe_weight(now, count);
            } else if limit.is_orders_per_10s() {
                pacer.observe_orders(now, count);
            }
        }
    }

    /// Takes a measurement of the venue's clock.
    pub(super) fn observe_clock(&self, sent: Mono, sent_wall_ms: i64, venue_ms: i64) {
        let now = self.clock.now();
        self.offset.borrow_mut().observe(now, sent_wall_ms, now.since(sent), venue_ms);
    }
}
