//! The state of a running exchange, and the one way to change it.
//!
//! Every change of orders and balances is a [`Command`] that goes through [`Floor::apply`]: applied to
//! the deterministic engine, written to the journal (when there is one) before anybody hears of it.
//! Announcements wait until [`Floor::publish`], so that an answer can go out first. Single-threaded;
//! borrowed only for the length of one call, never across an await.

use super::boards::Board;
use super::registry::Registry;
use crate::paper_exchange::config::{KeyProof, PaperConfig, WireConfig, symbol_of_recording};
use crate::paper_exchange::engine::{
    AccountId, Command, Exchange, ExchangeEvent, Outcome, Refusal, Symbol, SymbolSpec,
};
use crate::paper_exchange::faults::{Context, FaultTable};
use crate::paper_exchange::limits::Limits;
use crate::paper_exchange::market::{LastIds, Resume};
use crate::paper_exchange::signing::{Key, KeyError, KeyMaterial, KeyRing};
use crate::paper_exchange::store::{Journal, StoreError};
use secrecy::ExposeSecret as _;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::Notify;

/// The floor as handlers and sessions share it: one thread, no locks.
pub type SharedFloor = Rc<RefCell<Floor>>;

/// Why a floor cannot be built from a configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A key.
    #[error("accounts: {0}")]
    Key(#[from] KeyError),
    /// The kept state.
    #[error("data directory: {0}")]
    Store(#[from] StoreError),
    /// The engine refuses a symbol, account or balance of the configuration.
    #[error("{what}: {refusal}")]
    Refused {
        /// Which one.
        what: String,
        /// Why.
        refusal: Refusal,
    },
    /// A recording's symbol cannot be traded here.
    #[error("symbol {symbol} of the recording: {why}")]
    Symbol {
        /// The symbol.
        symbol: Symbol,
        /// Why.
        why: String,
    },
}

/// Counters for operators and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct FloorStats {
    /// WebSocket sessions opened.
    pub sessions_opened: u64,
    /// Sessions cut because their output queue overflowed.
    pub slow_consumers_cut: u64,
    /// Sessions dropped because the peer was silent.
    pub silent_peers_dropped: u64,
    /// Market events applied.
    pub market_events: u64,
    /// Connections refused because the limit was reached.
    pub connections_refused: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Floor {
    /// The engine.
    pub exchange: Exchange,
    /// Faults in force.
    pub faults: FaultTable,
    /// Request weight and order counts.
    pub limits: Limits,
    /// API keys.
    pub keys: KeyRing,
    /// Sessions and subscriptions.
    pub registry: Registry,
    /// Public data per symbol.
    pub boards: BTreeMap<Symbol, Board>,
    /// Bounds of the wire.
    pub wire: WireConfig,
    /// Counters.
    pub stats: FloorStats,
    /// The market stands still until this is false; change it through [`Floor::hold_market`].
    pub market_held: bool,
    /// Notified when `market_held` changes.
    pub market_gate: Rc<Notify>,
    /// Why no order is taken any more, once that is so.
    pub stopping: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) events: Vec<ExchangeEvent>,
    /// A market event is being applied.
    pub(super) in_market: bool,
    journal: Option<Journal>,
}

impl Floor {
    /// A floor from a configuration, restored from its data directory when there is one.
    /// `recorded` are the symbols of the market feed.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build(config: &PaperConfig, recorded: &[Symbol], now_ms: i64) -> Result<Self, BuildError> {
        let mut keys = KeyRing::default();
        for account in &config.accounts {
            for key in &account.keys {
                let material = match &key.proof {
                    KeyProof::Secret(secret) => KeyMaterial::hmac(&key.api_key, secret.expose_secret())?,
                    KeyProof::PublicKeyPem(pem) => KeyMaterial::ed25519_pem(&key.api_key, pem)?,
                };
                keys.add(&key.api_key, Key { account: account.name.clone(), material })?;
            }
        }
        let (exchange, journal) = match &config.data_dir {
            Some(dir) => {
                let (exchange, journal) = Journal::open(dir, config.truth)?;
                (exchange, Some(journal))
            }
            None => (Exchange::new(config.truth), None),
        };
        let mut floor = Self {
            exchange,
            faults: FaultTable::default(),
            limits: Limits::new(config.limits),
            keys,
            registry: Registry::default(),
            boards: BTreeMap::new(),
            wire: config.wire,
            stats: FloorStats::default(),
            market_held: config.market.hold,
            market_gate: Rc::default(),
            stopping: None,
            names: config.accounts.iter().map(|account| account.name.clone()).collect(),
            events: Vec::new(),
            in_market: false,
            journal,
        };
        floor.list_symbols(config, recorded, now_ms)?;
        floor.open_accounts(config, now_ms)?;
        for spec in floor.exchange.symbols() {
            floor.boards.insert(spec.symbol, Board::default());
        }
        for symbol in floor.boards.keys().copied().collect::<Vec<_>>() {
            for trade in floor.exchange.recent_trades(symbol, usize::MAX).unwrap_or_default() {
                if let Some(board) = floor.boards.get_mut(&symbol) {
                    board.candles.add(&trade);
                }
            }
        }
        floor.events.clear();
        Ok(floor)
    }

    fn list_symbols(
        &mut self,
        config: &PaperConfig,
        recorded: &[Symbol],
        now_ms: i64,
    ) -> Result<(), BuildError> {
        let mut specs: Vec<SymbolSpec> = config.symbols.iter().map(|symbol| symbol.spec).collect();
        for symbol in recorded {
            if !specs.iter().any(|spec| spec.symbol == *symbol) {
                let spec = symbol_of_recording(*symbol)
                    .map_err(|error| BuildError::Symbol { symbol: *symbol, why: error.to_string() })?;
                specs.push(spec);
            }
        }
        for spec in specs {
            if self.exchange.symbol(spec.symbol).is_none() {
                let what = || format!("symbol {}", spec.symbol);
                self.must(now_ms, Command::ListSymbol(spec), what)?;
            }
        }
        Ok(())
    }

    fn open_accounts(&mut self, config: &PaperConfig, now_ms: i64) -> Result<(), BuildError> {
        for (number, account) in (1_u32..).zip(&config.accounts) {
            let id = AccountId(number);
            if self.exchange.account(id).is_ok() {
                continue;
            }
            let what = || format!("account {}", account.name);
            let open = Command::OpenAccount { account: id, maker: account.maker, taker: account.taker };
            self.must(now_ms, open, what)?;
            for (asset, delta) in &account.balances {
                self.must(now_ms, Command::Adjust { account: id, asset: *asset, delta: *delta }, what)?;
            }
        }
        Ok(())
    }

    fn must(&mut self, now_ms: i64, command: Command, what: impl Fn() -> String) -> Result<(), BuildError> {
        self.apply(now_ms, &command)
            .map(|_| ())
            .map_err(|refusal| BuildError::Refused { what: what(), refusal })
    }

    /// Carries out a command. Its announcements wait for [`Floor::publish`].
    ///
    /// # Errors
    /// The engine's refusal. When the journal cannot be written the exchange takes no further orders
    /// (see [`Floor::stopping`]): an order that might be lost must not be acknowledged.
    pub fn apply(&mut self, now_ms: i64, command: &Command) -> Result<Outcome, Refusal> {
        let answer = self.exchange.apply(now_ms, command, &mut self.events);
        let counts = answer.is_ok() || answer == Err(Refusal::DuplicateOrder);
        if let (Some(journal), true) = (&mut self.journal, counts) {
            let written = journal.append(now_ms, command).and_then(|()| journal.roll(&self.exchange));
            if let Err(error) = written {
                tracing::error!(error = %error, "the paper exchange cannot write its journal and stops taking orders");
                self.stopping = Some(error.to_string());
            }
        }
        answer
    }

    /// The account of a name.
    #[must_use]
    pub fn account_id(&self, name: &str) -> Option<AccountId> {
        let position = self.names.iter().position(|known| known == name)?;
        u32::try_from(position + 1).ok().map(AccountId)
    }

    /// The name of an account.
    #[must_use]
    pub fn account_name(&self, id: AccountId) -> &str {
        let index = usize::try_from(id.0).unwrap_or(0).wrapping_sub(1);
        self.names.get(index).map_or("", String::as_str)
    }

    /// Where each symbol's ids stand, for a feed that starts after a restart.
    #[must_use]
    pub fn resume(&self) -> Resume {
        let mut resume = Resume::new();
        for spec in self.exchange.symbols() {
            let update_id = self.exchange.best(spec.symbol).map_or(0, |best| best.last_update_id);
            let trades = self.exchange.recent_trades(spec.symbol, 1).unwrap_or_default();
            let trade_id = trades.last().map_or(0, |trade| trade.trade_id.0);
            if update_id > 0 || trade_id > 0 {
                resume.insert(spec.symbol, LastIds { update_id, trade_id });
            }
        }
        resume
    }

    /// The venue's time as this client sees it: a fault may let the clock be off.
    pub fn client_time(&mut self, now_ms: i64, context: &Context<'_>) -> i64 {
        now_ms.saturating_add(self.faults.at_clock(now_ms, context))
    }

    /// Holds the market, or lets it run.
    pub fn hold_market(&mut self, hold: bool) {
        self.market_held = hold;
        self.market_gate.notify_waiters();
    }

    /// Forces the journal to the disk, before an orderly stop.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        match &mut self.journal {
            Some(journal) => journal.snapshot(&self.exchange),
            None => Ok(()),
        }
    }
}
