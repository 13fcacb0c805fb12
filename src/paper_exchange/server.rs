//! The server: one thread that owns the listening socket, every connection and the floor.
//!
//! `PaperExchange::start` binds, builds the state and returns once requests are served; the handle stops
//! it in an orderly way (`serverShutdown`, close frames, journal folded). One thread on purpose: engine
//! and sockets on the same thread need no locks and no hand-over, which is the fastest shape measured
//! for the order path. Connections are capped; faults may refuse them before a byte is read.

use super::api::{control, rest};
use super::config::PaperConfig;
use super::driver;
use super::floor::{BuildError, Floor, SharedFloor};
use super::market::{CaptureError, Feed, Replay, Resume, Synthetic, SyntheticSymbol};
use super::store::StoreError;
use super::upgrade;
use crate::clock;
use actix_http::{HttpService, KeepAlive};
use actix_service::{IntoServiceFactory as _, Service as _, ServiceFactory as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::MissedTickBehavior;

/// How often what is due by the clock is looked for.
const TICK: Duration = Duration::from_millis(20);
/// How long open connections may take to end at a stop.
const STOP_GRACE: Duration = Duration::from_millis(1_500);
const IDLE_CONNECTION: Duration = Duration::from_secs(75);
const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a paper exchange cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A recording cannot be used.
    #[error("market: {0}")]
    Market(#[from] CaptureError),
    /// The state cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The thread could not be started, or ended before it served.
    #[error("the exchange's thread: {0}")]
    Thread(String),
}

/// Why a running exchange ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The market cannot go on.
    #[error("market: {0}")]
    Market(#[from] CaptureError),
    /// The state could not be kept.
    #[error("data directory: {0}")]
    Store(#[from] StoreError),
    /// The thread ended by a panic.
    #[error("the exchange's thread panicked")]
    Panicked,
    /// The HTTP service could not be built.
    #[error("the HTTP service could not be built")]
    Http,
}

enum Wish {
    Stop,
    ReleaseMarket,
}

/// The paper exchange.
#[derive(Debug)]
pub struct PaperExchange;

/// A running paper exchange; dropping it stops it without waiting.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    wishes: Sender<Wish>,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stop => "Stop",
            Self::ReleaseMarket => "ReleaseMarket",
        })
    }
}

impl PaperExchange {
    /// Starts an exchange and returns once it serves.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: PaperConfig) -> Result<Running, StartError> {
        let listen = config.listen;
        let bind = || {
            let listener = TcpListener::bind(listen)?;
            listener.set_nonblocking(true)?;
            let addr = listener.local_addr()?;
            Ok((listener, addr))
        };
        let (listener, addr) = bind().map_err(|source| StartError::Listen { listen, source })?;
        let (wishes, inbox) = channel(8);
        let (ready, answer) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("paper-exchange".to_owned())
            .spawn(move || actix_rt::System::new().block_on(live(config, listener, inbox, ready)))
            .map_err(|error| StartError::Thread(error.to_string()))?;
        match answer.recv() {
            Ok(Ok(())) => Ok(Running { addr, wishes, thread: Some(thread) }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::Thread("it ended before it served".to_owned())),
        }
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets a held market run.
    pub fn release_market(&self) {
        self.wish(Wish::ReleaseMarket);
    }

    /// Has it ended by itself?
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops it and waits until everything is closed and kept.
    ///
    /// # Errors
    /// [`RunError`] when it had ended by itself, or could not keep its state.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.wish(Wish::Stop);
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Err(RunError::Panicked)),
            None => Ok(()),
        }
    }

    fn wish(&self, wish: Wish) {
        if self.wishes.try_send(wish).is_err() {
            tracing::debug!("the exchange has ended already");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.wish(Wish::Stop);
        }
    }
}

fn open_feed(config: &PaperConfig, resume: &Resume) -> Result<Box<dyn Feed>, CaptureError> {
    if !config.market.files.is_empty() {
        return Ok(Box::new(Replay::open(&config.market.files, config.market.at_end, resume)?));
    }
    let shape = |symbol: &super::config::SymbolConfig| SyntheticSymbol {
        symbol: symbol.spec.symbol,
        tick: symbol.spec.price.tick_size,
        lot: symbol.lot,
        start: symbol.start,
    };
    let symbols: Vec<_> = config.symbols.iter().map(shape).collect();
    Ok(Box::new(Synthetic::new(config.market.seed, &symbols, resume)))
}

type Prepared = (SharedFloor, Box<dyn Feed>, Option<super::market::Timed>);

fn prepare(config: &PaperConfig) -> Result<Prepared, StartError> {
    let mut feed = open_feed(config, &Resume::new())?;
    let floor = Floor::build(config, &feed.symbols(), clock::wall_millis())?;
    let resume = floor.resume();
    if !resume.is_empty() {
        feed = open_feed(config, &resume)?;
    }
    let floor = Rc::new(RefCell::new(floor));
    let first = driver::open(&floor, feed.as_mut())?;
    Ok((floor, feed, first))
}

async fn live(
    config: PaperConfig,
    listener: TcpListener,
    mut inbox: Receiver<Wish>,
    ready: SyncSender<Result<(), StartError>>,
) -> Result<(), RunError> {
    let listen = config.listen;
    let listener = tokio::net::TcpListener::from_std(listener);
    let prepared = listener
        .map_err(|source| StartError::Listen { listen, source })
        .and_then(|listener| prepare(&config).map(|prepared| (listener, prepared)));
    let (listener, (floor, feed, first)) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            drop(ready.send(Err(error)));
            return Ok(());
        }
    };
    let service = http_service(Rc::clone(&floor), config.wire.max_body_bytes);
    let Ok(service) = service.new_service(()).await else { return Err(RunError::Http) };
    let open = Rc::new(Cell::new(0_usize));
    let mut market = std::pin::pin!(driver::run(Rc::clone(&floor), first, feed, config.market.pace));
    let mut market_runs = true;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    drop(ready.send(Ok(())));
    let outcome = loop {
        tokio::select! {
            wish = inbox.recv() => match wish {
                Some(Wish::ReleaseMarket) => floor.borrow_mut().hold_market(false),
                Some(Wish::Stop) | None => break Ok(()),
            },
            accepted = listener.accept() => {
                if let Ok((io, peer)) = accepted
                    && let Some(guard) = admit(&floor, &io, &open, config.wire.max_connections)
                {
                    let connection = service.call((io, Some(peer)));
                    tokio::task::spawn_local(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%peer, %error, "a connection ended with an error");
                        }
                        drop(guard);
                    });
                }
            }
            ended = &mut market, if market_runs => match ended {
                Ok(()) => market_runs = false,
                Err(error) => break Err(RunError::Market(error)),
            },
            _ = ticks.tick() => floor.borrow_mut().tick(clock::wall_millis()),
        }
    };
    stop(&floor, &open).await?;
    outcome
}

fn http_service(
    floor: SharedFloor,
    max_body_bytes: usize,
) -> impl actix_service::ServiceFactory<
    (TcpStream, Option<SocketAddr>),
    Config = (),
    Response = (),
    Error = actix_http::error::DispatchError,
    InitError = (),
> {
    let app = App::new()
        .app_data(web::PayloadConfig::new(max_body_bytes))
        .app_data(web::ThinData(Rc::clone(&floor)))
        .configure(control::routes)
        .default_service(web::to(rest::handle));
    let for_upgrades = floor;
    HttpService::build()
        .keep_alive(KeepAlive::Timeout(IDLE_CONNECTION))
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .h1_allow_half_closed(false)
        .upgrade(fn_service(move |(request, framed)| {
            upgrade::serve(Rc::clone(&for_upgrades), request, framed)
        }))
        .h1(map_config(app.into_factory(), |()| AppConfig::default()))
}

/// Counts one open connection for as long as it lives.
struct OpenConnection(Rc<Cell<usize>>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Admits a connection, or closes it with a reset.
fn admit(floor: &SharedFloor, io: &TcpStream, open: &Rc<Cell<usize>>, most: usize) -> Option<OpenConnection> {
    let mut floor = floor.borrow_mut();
    let full = open.get() >= most;
    if full || floor.faults.at_connect(clock::wall_millis()) {
        floor.stats.connections_refused += 1;
        drop(io.set_zero_linger());
        return None;
    }
    drop(io.set_nodelay(true));
    open.set(open.get() + 1);
    Some(OpenConnection(Rc::clone(open)))
}

async fn stop(floor: &SharedFloor, open: &Rc<Cell<usize>>) -> Result<(), RunError> {
    {
        let mut floor = floor.borrow_mut();
        floor.stopping.get_or_insert_with(|| "the exchange stops".to_owned());
        floor.say_goodbye(clock::wall_millis());
    }
    let sessions_end = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while floor.borrow().registry.iter().next().is_some() {
            ticks.tick().await;
        }
    };
    if tokio::time::timeout(STOP_GRACE, sessions_end).await.is_err() {
        tracing::info!(connections = open.get(), "connections were still open at the end of the grace time");
    }
    floor.borrow_mut().settle().map_err(RunError::Store)
}
