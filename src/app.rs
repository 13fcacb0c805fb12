//! The whole process as one value: built from settings, run until it is told to stop.
//!
//! `main` and the tests use the same two functions. Building binds the listener (port 0 is possible)
//! and starts nothing but the kill switch's watch; running starts the tree, serves HTTP, and ends in order: the order intake first,
//! then working orders, then the tree, so that the health routes tell the truth while it drains, then the
//! server; logs and metrics stay with the run.

mod alerts;
mod drain;
mod drift;
mod options;
mod performance;
mod plan;
mod risk;
mod sentinel;
mod strategies;
mod systemd;
mod venues;

pub use plan::PlanError;
pub use venues::{VenueError, VenuePlan, paper_config};

use crate::actors::alert_board::AlertBoard;
use crate::actors::alert_router::AlertReadings;
use crate::actors::kill_switch::KillSwitch;
use crate::actors::oms::{OmsHandle, OmsReadings};
use crate::actors::run_control::Word;
use crate::actors::sentinel::SentinelWatch;
use crate::actors::{self, Parts, Readings};
use crate::config::venues::Mode;
use crate::config::{ConfigErrors, Document, ProcessEnv, Settings};
use crate::db::TokenFileError;
use crate::domain::oms::{Actor, StartHow};
use crate::supervision::{BuildError, Ended, SupervisorDecl, Tree, TreeOptions};
use crate::telemetry::{RunFolder, RunLog};
use crate::web::{self, Security, Shown, WebState};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App as WebApp, HttpServer};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Exit code of a process that halted on an internal fault.
pub const EXIT_HALTED: i32 = 70;
/// How long a client may take to send its request head.
const CLIENT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection without a request stays open.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Connections that one worker holds at once.
const CONNECTIONS_PER_WORKER_MAX: usize = 1024;
/// How long open requests get when the server stops, seconds.
const SERVER_SHUTDOWN_SECONDS: u64 = 2;

/// The description of the HTTP API, as it is served.
#[must_use]
pub fn openapi() -> String {
    web::openapi_document()
}

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration names what does not exist; each problem with its line.
    #[error("{0}")]
    Config(ConfigErrors),
    /// What the settings ask for cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The tokens cannot be read, so nobody could be told from anybody.
    #[error(transparent)]
    Tokens(TokenFileError),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address in question.
        address: SocketAddr,
        /// The system's answer.
        error: std::io::Error,
    },
    /// The tree could not be built.
    #[error("the supervision tree cannot be built: {0}")]
    Tree(#[from] BuildError),
    /// Nobody could be put to watch the sentinel.
    #[error("the sentinel's watch cannot start its thread: {0}")]
    Watch(std::io::Error),
    /// The server could not start.
    #[error("the HTTP server cannot start: {0}")]
    Server(std::io::Error),
}

/// How the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As asked. `forced` when something had to be cut off.
    Stopped {
        /// The grace was over before everything had ended.
        forced: bool,
    },
    /// To be started again, warm, in this process.
    Restart(Actor),
    /// The order management refused to start; nothing was changed.
    Refused(String),
    /// A component could not be started.
    StartFailed(String),
    /// Halted on an internal fault.
    Halted(String),
}

/// How a run begins.
#[derive(Debug)]
pub struct Launch {
    /// Warm or cold.
    pub how: StartHow,
    /// Who and why.
    pub by: Actor,
    /// The listener of the run before, so that a restart keeps its address.
    pub listener: Option<TcpListener>,
    /// The kill switch of the run before, so that a restart forgets nothing of it.
    pub kill: Option<KillSwitch>,
    /// Where log lines of the run are kept.
    pub run_log: RunLog,
}

impl Launch {
    /// A warm start by `plimsoll` itself, on a new listener, without a kept log.
    #[must_use]
    pub fn warm() -> Self {
        let by = Actor { name: "plimsoll".to_owned(), reason: "started".to_owned() };
        Self { how: StartHow::Warm, by, listener: None, kill: None, run_log: RunLog::default() }
    }

    /// A second one with the same content.
    ///
    /// # Errors
    /// When the listener cannot be duplicated.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        let listener = self.listener.as_ref().map(TcpListener::try_clone).transpose()?;
        let (by, kill, run_log) = (self.by.clone(), self.kill.clone(), self.run_log.clone());
        Ok(Self { how: self.how, by, listener, kill, run_log })
    }
}

/// A process that is bound but not started.
pub struct App {
    settings: Settings,
    config_hash: String,
    mode: Mode,
    listener: TcpListener,
    address: SocketAddr,
    options: TreeOptions,
    readings: Readings,
    tree: SupervisorDecl,
    parts: Parts,
    run_log: RunLog,
}

impl App {
    /// Checks the settings against the tree and binds the listener.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn build(
        settings: Settings,
        document: &Document,
        config_hash: String,
        launch: Launch,
    ) -> Result<Self, StartError> {
        let mut readings = Readings::default();
        let watch = sentinel::plan(&settings)?;
        let trading = plan::trading(&settings, &launch, &ProcessEnv, &watch.lease)?;
        let kill = trading.as_ref().map(|trading| trading.kill.clone());
        let options = options::tree_options(&settings, kill);
        let (tree, parts) = actors::tree(&mut readings, trading, watch);
        options::check_children(&options, document, &tree)?;
        options::check_tokens(&settings, document)?;
        let listen = |error| StartError::Listen { address: settings.web.listen, error };
        let listener = match launch.listener {
            Some(listener) => listener,
            None => TcpListener::bind(settings.web.listen).map_err(listen)?,
        };
        let address = listener.local_addr().map_err(listen)?;
        let mode = settings.venues.iter().map(crate::config::venues::Venue::mode).max();
        let (mode, run_log) = (mode.unwrap_or(Mode::Paper), launch.run_log);
        Ok(Self { settings, config_hash, mode, listener, address, options, readings, tree, parts, run_log })
    }

    /// The address that clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The order management and what it shows, for whoever drives it within this process; `None` without a venue.
    #[must_use]
    pub fn order_path(&self) -> Option<(OmsHandle, OmsReadings)> {
        self.parts.oms.clone().map(|oms| (oms, self.readings.oms.clone()))
    }

    /// The conditions that hold and what the alert router shows, for whoever drives them within this process.
    #[must_use]
    pub fn alerts(&self) -> (AlertBoard, AlertReadings) {
        (self.readings.alerts.clone(), self.readings.alerting.clone())
    }

    /// The kill switch, for whoever engages it from within this process and for a run after this one; `None` without
    /// a venue.
    #[must_use]
    pub fn kill_switch(&self) -> Option<KillSwitch> {
        self.parts.kill.clone()
    }

    /// A second handle on the listener, for a run after this one.
    ///
    /// # Errors
    /// The system's.
    pub fn listener(&self) -> std::io::Result<TcpListener> {
        self.listener.try_clone()
    }

    /// Runs until `stop` resolves or the tree ends by itself. Call it on an actix system.
    ///
    /// # Errors
    /// [`StartError`] when the tree or the server could not be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Outcome, StartError> {
        let grace = Duration::from_millis(self.settings.supervision.shutdown_grace_ms);
        let folder = self.keep_logs();
        options::report_last_emergency(&self.settings.data_dir.0);
        let mut words = self.readings.run.listen();
        let tree = Tree::start(self.tree, self.options)?;
        // Set once, here.
        let _ = self.readings.tree.set(tree.clone());
        let (shown, alerts) = (self.readings.sentinel.clone(), self.readings.alerts.clone());
        let _watch = SentinelWatch::start(shown, alerts, tree.clone()).map_err(StartError::Watch)?;
        let web = WebState::new(
            tree.clone(),
            self.readings.clone(),
            self.parts.clone(),
            Shown {
                mode: self.mode,
                controls: plan::controls(&self.settings),
                config_hash: self.config_hash.clone(),
                debug_routes: self.settings.web.debug_routes,
                label: self.settings.deployment.name.clone(),
                instance: self.settings.deployment.instance.clone(),
                currency: self.settings.risk.currency.clone(),
                price_age_max: Duration::from_millis(self.settings.risk.mark_max_age_ms),
                compared_every: Duration::from_millis(self.settings.orders.position_check_interval_ms),
            },
            Security::new(&self.settings.web, &self.settings.data_dir.0, self.parts.controls.clone()),
        );
        let web = actix_web::web::Data::new(web);
        actix_rt::spawn(web::keep_watch(web.clone()));
        let server = serve(web.clone(), &self.listener, self.settings.web.workers)?;
        tracing::info!(event = "serving", address = %self.address, config.hash = self.config_hash);
        systemd::ready();
        // Without a venue nothing watches over anything: the service manager is not promised that it does.
        let watchdog = systemd::Watchdog::start(self.readings.vitals.clone());
        let heard = async {
            loop {
                match words.as_mut() {
                    Some(words) => match words.recv().await {
                        Some(Word::Drained { .. }) => {}
                        Some(word) => return word,
                        None => std::future::pending().await,
                    },
                    None => std::future::pending().await,
                }
            }
        };
        let end = tokio::select! {
            ended = tree.ended() => End::ByItself(ended),
            () = stop => End::Asked,
            word = heard => End::Word(word),
        };
        systemd::stopping();
        let orders = self.parts.oms.as_ref();
        let at_shutdown = self.settings.orders.at_shutdown;
        let outcome = match end {
            End::ByItself(ended) => outcome(ended),
            End::Asked => {
                let by = Actor { name: "plimsoll".to_owned(), reason: "told to stop".to_owned() };
                drain::orders(orders, words.as_mut(), drain::how(at_shutdown), by, grace).await;
                outcome(tree.shutdown(grace).await)
            }
            End::Word(Word::Restart(by)) => {
                drain::orders(orders, words.as_mut(), drain::FOR_RESTART, by.clone(), grace).await;
                match tree.shutdown(grace).await {
                    Ended::Shutdown { .. } => Outcome::Restart(by),
                    ended => outcome(ended),
                }
            }
            End::Word(Word::StartRefused(why)) => {
                tree.shutdown(grace).await;
                Outcome::Refused(why)
            }
            End::Word(Word::Drained { .. }) => outcome(tree.shutdown(grace).await),
        };
        drop(watchdog);
        web.end_streams();
        server.stop(true).await;
        tracing::info!(event = "shutdown", outcome = ?outcome);
        if let Some(folder) = folder {
            drain::archive(&folder, web::metrics_text(&web), &self.run_log);
        }
        Ok(outcome)
    }

    /// Opens the run's folder. A run without one is poorer, not impossible.
    fn keep_logs(&self) -> Option<RunFolder> {
        self.parts.oms.as_ref()?;
        match RunFolder::make(&self.settings.data_dir.0) {
            Ok(folder) => {
                self.run_log.open(&folder);
                Some(folder)
            }
            Err(error) => {
                tracing::error!(error = %error, runbook = "disk_low", "the run's folder cannot be made");
                None
            }
        }
    }
}

enum End {
    ByItself(Ended),
    Asked,
    Word(Word),
}

fn serve(
    state: actix_web::web::Data<WebState>,
    listener: &TcpListener,
    workers: u64,
) -> Result<ServerHandle, StartError> {
    let listener = listener.try_clone().map_err(StartError::Server)?;
    let workers = usize::try_from(workers).unwrap_or(1);
    let server = HttpServer::new(move || {
        let state = state.clone();
        WebApp::new()
            .wrap(from_fn(web::gate))
            .wrap(web::headers())
            .configure(move |config| web::configure(config, state))
    })
    .workers(workers)
    .max_connections(CONNECTIONS_PER_WORKER_MAX)
    .client_request_timeout(CLIENT_REQUEST_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .client_disconnect_timeout(CLIENT_REQUEST_TIMEOUT)
    .shutdown_timeout(SERVER_SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)
    .map_err(StartError::Server)?
    .run();
    let handle = server.handle();
    actix_rt::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(error = %error, "the HTTP server failed");
        }
    });
    Ok(handle)
}

fn outcome(ended: Ended) -> Outcome {
    match ended {
        Ended::Shutdown { forced } => Outcome::Stopped { forced },
        Ended::StartFailed(why) => Outcome::StartFailed(why),
        Ended::Emergency(emergency) => Outcome::Halted(emergency.to_string()),
    }
}
