//! `plimsoll venue`: the paper exchange alone, as a server.
//!
//! Prints the address it listens on as the first line of stdout, then serves until SIGINT or SIGTERM.
//! Refuses an address that others can reach unless told that this is meant: its keys are no secrets.

use super::Exit;
use crate::paper_exchange::config::{AccountConfig, MarketConfig, PaperConfig};
use crate::paper_exchange::limits::LimitSettings;
use crate::paper_exchange::market::{AtEnd, Pace, PaceError};
use crate::paper_exchange::{PaperExchange, accounts_file};
use clap::Args;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

/// Arguments of `plimsoll venue`.
#[derive(Debug, Clone, Args)]
pub struct VenueArgs {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8780")]
    pub listen: SocketAddr,
    /// Recorded market data to replay, plain or gzip; several files are joined. Without any, a synthetic
    /// market runs.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub market: Vec<PathBuf>,
    /// Seed of the synthetic market.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Speed of the market: a multiple of real time from 0.001 to 1000, or "max".
    #[arg(long, default_value = "1", value_parser = parse_pace)]
    pub speed: Pace,
    /// Stop the market at the end of the recordings instead of starting over.
    #[arg(long)]
    pub once: bool,
    /// Hold the market at its opening until `POST /paper/v1/market {"hold": false}`.
    #[arg(long)]
    pub hold: bool,
    /// Keep orders, balances and trades here across restarts.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Accounts and keys (JSON); without it: `demo` / `demo-secret` and `demo-2` / `demo-2-secret`.
    #[arg(long, value_name = "FILE")]
    pub accounts: Option<PathBuf>,
    /// Unfilled orders per account and ten seconds.
    #[arg(long, default_value_t = LimitSettings::default().orders_per_ten_seconds)]
    pub orders_per_10s: u32,
    /// Request weight per address and minute.
    #[arg(long, default_value_t = LimitSettings::default().weight_per_minute)]
    pub weight_per_minute: u32,
    /// Allow an address that other machines can reach.
    #[arg(long)]
    pub allow_remote: bool,
}

fn parse_pace(text: &str) -> Result<Pace, PaceError> {
    Pace::from_str(text)
}

impl VenueArgs {
    fn config(&self, accounts: Option<Vec<AccountConfig>>) -> PaperConfig {
        let defaults = PaperConfig::default();
        PaperConfig {
            listen: self.listen,
            market: MarketConfig {
                files: self.market.clone(),
                seed: self.seed,
                pace: self.speed,
                at_end: if self.once { AtEnd::Stop } else { AtEnd::Loop },
                hold: self.hold,
            },
            limits: LimitSettings {
                weight_per_minute: self.weight_per_minute,
                orders_per_ten_seconds: self.orders_per_10s,
                ..LimitSettings::default()
            },
            accounts: accounts.unwrap_or(defaults.accounts),
            data_dir: self.data_dir.clone(),
            ..PaperConfig::default()
        }
    }
}

/// Runs the command until it is told to stop.
pub fn run(args: &VenueArgs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match serve(args, out, err) {
        Ok(()) => Exit::Ok,
        Err(Failure { code, why }) => {
            // When stderr is gone there is nobody left to tell; the exit code still says it.
            drop(writeln!(err, "plimsoll venue: {why}"));
            code
        }
    }
}

struct Failure {
    code: Exit,
    why: String,
}

fn failure(code: Exit) -> impl Fn(String) -> Failure {
    move |why| Failure { code, why }
}

fn serve(args: &VenueArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        return Err(Failure {
            code: Exit::Usage,
            why: format!(
                "--listen {}: other machines could reach this address, and the exchange's control routes have no keys; use a loopback address, or --allow-remote if that is meant",
                args.listen
            ),
        });
    }
    let accounts = args
        .accounts
        .as_deref()
        .map(accounts_file::read)
        .transpose()
        .map_err(|error| failure(Exit::Invalid)(error.to_string()))?;
    let running = PaperExchange::start(args.config(accounts))
        .map_err(|error| failure(Exit::Failure)(error.to_string()))?;
    let addr = running.addr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let signals = |error: std::io::Error| failure(Exit::Failure)(format!("signals: {error}"));
    let runtime = runtime.map_err(signals)?;
    // Before the address is told: whoever knows it may stop us from then on.
    let stop = {
        let _entered = runtime.enter();
        stop_signal(&running).map_err(signals)?
    };
    // One line and no more: a launcher may close its end once it knows the address.
    let announced = writeln!(out, "{addr}").and_then(|()| out.flush());
    announced.map_err(|error| failure(Exit::Failure)(format!("stdout: {error}")))?;
    // Nobody may be reading the explanation; the exchange serves all the same.
    drop(writeln!(
        err,
        "REST http://{addr}/api/v3, streams ws://{addr}/ws, orders ws://{addr}/ws-api/v3, control http://{addr}/paper/v1/truth"
    ));
    runtime.block_on(stop);
    running.stop().map_err(|error| failure(Exit::Failure)(error.to_string()))
}

/// Takes over SIGINT and SIGTERM; the future waits for one of them, or for the exchange to end by itself.
fn stop_signal(
    running: &crate::paper_exchange::Running,
) -> std::io::Result<impl std::future::Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(200));
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = looks.tick() => if running.has_ended() { return },
            }
        }
    })
}
