//! The whole process as one value: built from settings, run until it is told to stop.
//!
//! `main` and the tests use the same two functions. Building binds the listener (port 0 is possible)
//! and starts nothing; running starts the tree, serves HTTP, and ends in order: the tree first, so that
//! the health routes tell the truth while it drains, then the server.

use crate::actors::{self, Readings};
use crate::config::supervision::Jitter as JitterSetting;
use crate::config::{
    ChildOverride as ChildSettings, ConfigErrors, Document, Settings, refused_child_setting, unknown_child,
};
use crate::emergency::Record;
use crate::supervision::{
    BuildError, ChildOverride, Emergency, EmergencyHandler, Ended, Jitter, OverrideError, Tree, TreeOptions,
    Watching,
};
use crate::web::{self, WebState};
use actix_web::dev::ServerHandle;
use actix_web::{App as WebApp, HttpServer};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Exit code of a process that halted on an internal fault.
pub const EXIT_HALTED: i32 = 70;
/// How long a client may take to send its request head.
const CLIENT_REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that one worker holds at once.
const CONNECTIONS_PER_WORKER_MAX: usize = 1024;
/// How long open requests get when the server stops, seconds.
const SERVER_SHUTDOWN_SECONDS: u64 = 2;

/// Why the process could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration names what does not exist; each problem with its line.
    #[error("{0}")]
    Config(ConfigErrors),
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
    /// A component could not be started.
    StartFailed(String),
    /// Halted on an internal fault.
    Halted(String),
}

/// A process that is bound but not started.
pub struct App {
    settings: Settings,
    config_hash: String,
    listener: TcpListener,
    address: SocketAddr,
    options: TreeOptions,
    readings: Readings,
}

impl App {
    /// Checks the settings against the tree and binds the listener.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started.
    pub fn build(settings: Settings, document: &Document, config_hash: String) -> Result<Self, StartError> {
        let readings = Readings::default();
        let options = tree_options(&settings);
        check_children(&options, document, &readings)?;
        let listen = |error| StartError::Listen { address: settings.web.listen, error };
        let listener = TcpListener::bind(settings.web.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Self { settings, config_hash, listener, address, options, readings })
    }

    /// The address that clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until `stop` resolves or the tree ends by itself. Call it on an actix system.
    ///
    /// # Errors
    /// [`StartError`] when the tree or the server could not be started.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<Outcome, StartError> {
        let grace = Duration::from_millis(self.settings.supervision.shutdown_grace_ms);
        report_last_emergency(&self.settings.data_dir.0);
        let tree = Tree::start(actors::tree(&self.readings), self.options.clone())?;
        let server = self.serve(tree.clone())?;
        tracing::info!(event = "serving", address = %self.address, config.hash = self.config_hash);
        let ended = tokio::select! {
            ended = tree.ended() => ended,
            () = stop => {
                tracing::info!(event = "shutdown_begun", grace_seconds = grace.as_secs_f64());
                tree.shutdown(grace).await
            }
        };
        server.stop(true).await;
        let outcome = outcome(ended);
        tracing::info!(event = "shutdown", outcome = ?outcome);
        Ok(outcome)
    }

    fn serve(&self, tree: Tree) -> Result<ServerHandle, StartError> {
        let state = actix_web::web::Data::new(WebState::new(
            tree,
            self.readings.clone(),
            self.config_hash.clone(),
            self.settings.web.debug_routes,
        ));
        let listener = self.listener.try_clone().map_err(StartError::Server)?;
        let workers = usize::try_from(self.settings.web.workers).unwrap_or(1);
        let server = HttpServer::new(move || {
            let state = state.clone();
            WebApp::new().wrap(web::headers()).configure(move |config| web::configure(config, state))
        })
        .workers(workers)
        .max_connections(CONNECTIONS_PER_WORKER_MAX)
        .client_request_timeout(CLIENT_REQUEST_TIMEOUT)
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
}

fn outcome(ended: Ended) -> Outcome {
    match ended {
        Ended::Shutdown { forced } => Outcome::Stopped { forced },
        Ended::StartFailed(why) => Outcome::StartFailed(why),
        Ended::Emergency(emergency) => Outcome::Halted(emergency.to_string()),
    }
}

/// Finds overrides that name nothing or cannot be, each with its line, before anything runs.
fn check_children(options: &TreeOptions, document: &Document, readings: &Readings) -> Result<(), StartError> {
    let located = |error| match error {
        OverrideError::Unknown { path, known } => unknown_child(document, &path, &known),
        OverrideError::Refused { path, field, problem } => {
            refused_child_setting(document, &path, field, problem)
        }
    };
    let problems = actors::tree(readings).check_overrides(&options.overrides);
    ConfigErrors::check(problems.into_iter().map(located).collect()).map_err(StartError::Config)
}

fn tree_options(settings: &Settings) -> TreeOptions {
    let set = &settings.supervision;
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let overrides: BTreeMap<String, ChildOverride> =
        set.children.iter().map(|(path, child)| (path.clone(), child_override(child))).collect();
    TreeOptions {
        watching: Watching::Thread { tick: Duration::from_millis(set.watchdog_tick_ms) },
        control_hang: Duration::from_millis(set.control_hang_ms),
        abandoned_threads_max: count(set.abandoned_threads_max),
        background_tasks_max: count(set.background_tasks_max),
        overrides,
        on_emergency: emergency_handler(settings.data_dir.0.clone()),
        ..TreeOptions::default()
    }
}

/// Leaves a record for the next start before anything is stopped. The control loop cannot end the
/// process in order when it is what hangs; everything else comes back through [`App::run`].
fn emergency_handler(data_dir: PathBuf) -> EmergencyHandler {
    Arc::new(move |emergency: &Emergency| {
        if let Err(error) = Record::now(emergency.to_string()).write(&data_dir) {
            tracing::error!(error = %error, data_dir = %data_dir.display(), "the emergency was not recorded");
        }
        if let Emergency::ControlHung(_) = emergency {
            std::process::exit(EXIT_HALTED);
        }
    })
}

/// Tells the operator what ended the last run.
fn report_last_emergency(data_dir: &Path) {
    match Record::read(data_dir) {
        Ok(Some(last)) => tracing::warn!(
            event = "last_emergency", at = %last.at, reason = last.reason, version = last.version,
            runbook = "supervisor_meltdown", "an earlier run ended in an emergency"
        ),
        Ok(None) => {}
        Err(error) => tracing::error!(error = %error, "the record of the last emergency is unreadable"),
    }
}

fn child_override(child: &ChildSettings) -> ChildOverride {
    let millis = |n: u64| Duration::from_millis(n);
    let (intensity, backoff, hang) = (&child.intensity, &child.backoff, &child.hang);
    ChildOverride {
        max_restarts: intensity.as_ref().and_then(|i| i.max_restarts).and_then(|n| u32::try_from(n).ok()),
        period: intensity.as_ref().and_then(|i| i.period_ms).map(millis),
        backoff_base: backoff.as_ref().and_then(|b| b.base_ms).map(millis),
        backoff_cap: backoff.as_ref().and_then(|b| b.cap_ms).map(millis),
        backoff_reset_after: backoff.as_ref().and_then(|b| b.reset_after_ms).map(millis),
        jitter: backoff.as_ref().and_then(|b| b.jitter).map(|jitter| match jitter {
            JitterSetting::None => Jitter::None,
            JitterSetting::Full => Jitter::Full,
        }),
        hang_handler: hang.as_ref().and_then(|h| h.handler_ms).map(millis),
        hang_wait: hang.as_ref().and_then(|h| h.wait_ms).map(millis),
        start_timeout: child.start_timeout_ms.map(millis),
        shutdown: child.shutdown_ms.map(millis),
        mailbox_capacity: child.mailbox_capacity.and_then(|n| usize::try_from(n).ok()),
    }
}
