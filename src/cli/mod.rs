//! The command line: one file per command.
//!
//! Data goes to stdout, diagnostics to stderr. Exit codes: 0 ok, 1 failure, 2 usage, 3 configuration
//! invalid, 4 refused by the runtime, 5 unreachable, 70 halted on an internal fault.

mod alerts;
pub mod bench;
mod client;
pub mod config;
mod control;
mod drift;
mod drill;
mod duration;
mod exit;
pub mod journal;
pub mod kpi;
mod orders;
mod performance;
mod read;
mod risk;
mod serve;
mod steer;
mod token;
pub mod venue;

pub use exit::Exit;

use crate::config::ProcessEnv;
use clap::{Parser, Subcommand};
use std::io::Write;

/// A live trading runtime for one host.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run with the built-in demo settings; no file, account or network needed.
    Demo(serve::DemoArgs),
    /// Run with a configuration file.
    Run(serve::RunArgs),
    /// Check, show or start a configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// State and components of a running instance.
    Status(client::Remote),
    /// The supervision tree of a running instance.
    Supervision(client::Remote),
    /// Orders of a running instance.
    Orders(read::OrdersArgs),
    /// Fills of a running instance.
    Fills(read::PageArgs),
    /// Positions of a running instance.
    Positions(client::Remote),
    /// Balances of a running instance.
    Balances(client::Remote),
    /// Prices that a running instance sees.
    Quotes(client::Remote),
    /// Alerts that stand; the story of one; a test of a channel.
    Alerts(alerts::AlertsArgs),
    /// Take an alert on.
    Ack(alerts::AckArgs),
    /// Alerts that nobody is told of for a while.
    #[command(subcommand)]
    Silence(alerts::SilenceCommand),
    /// Alerts by their cause, with how long each step took.
    Incidents(client::Remote),
    /// What was done by itself about alerts, and what is recommended.
    Containment(alerts::ContainmentArgs),
    /// The ways to tell people, and how they are.
    Channels(client::Remote),
    /// Place, show, cancel or replace one order.
    #[command(subcommand)]
    Order(orders::OrderCommand),
    /// Say what became of an order whose outcome is unknown.
    Resolve(control::ResolveArgs),
    /// List, enable or disable strategies.
    #[command(subcommand)]
    Strategy(control::StrategyCommand),
    /// How full the limits are; what they would say of an order.
    #[command(subcommand)]
    Risk(risk::RiskCommand),
    /// Series that are watched for change; a detector over a series from a file.
    #[command(subcommand)]
    Drift(drift::DriftCommand),
    /// Cancel every open order.
    CancelAll(control::CancelAllArgs),
    /// Take no new entries.
    Pause(control::ControlArgs),
    /// Take only orders that make positions smaller.
    ReduceOnly(control::ControlArgs),
    /// Engage the kill switch: nothing goes out any more.
    Kill(control::ControlArgs),
    /// Leave a halt whose cause is gone; trading stays paused.
    Reset(control::ControlArgs),
    /// Trade again after a pause, when every gate is open.
    Resume(control::ControlArgs),
    /// Drain, then start warm in place.
    Restart(control::ControlArgs),
    /// Requests that steered an instance or were refused.
    Audit(read::PageArgs),
    /// Make, list or revoke the tokens of a data directory.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Check, export or follow the journal of a data directory.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// What every strategy of a running instance earned.
    Performance(performance::PerformanceArgs),
    /// The figures of a return series from elsewhere.
    Kpi(kpi::KpiArgs),
    /// The paper exchange alone, as a server.
    Venue(venue::VenueArgs),
    /// Print the description of the HTTP API, OpenAPI 3.1.
    Openapi,
    /// Rehearse a failure end to end; exit code 1 when something did not happen in time.
    #[command(subcommand)]
    Drill(drill::DrillCommand),
    /// Measure this machine; exit code 1 when a target is missed.
    Bench(bench::BenchArgs),
}

/// Runs the command line that was given to the process.
#[must_use]
pub fn run(cli: Cli, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let done = match cli.command {
        Command::Demo(args) => serve::demo(args, out, err),
        Command::Run(args) => serve::run(args, out, err),
        Command::Config(command) => return config::run(command, &ProcessEnv, out, err),
        Command::Status(args) => read::status(&args, out, err),
        Command::Supervision(args) => read::supervision(&args, out, err),
        Command::Orders(args) => read::orders(&args, out, err),
        Command::Fills(args) => read::fills(&args, out, err),
        Command::Positions(args) => read::positions(&args, out, err),
        Command::Balances(args) => read::balances(&args, out, err),
        Command::Quotes(args) => read::quotes(&args, out, err),
        Command::Alerts(args) => alerts::alerts(&args, out, err),
        Command::Ack(args) => alerts::ack(&args, out, err),
        Command::Silence(command) => alerts::silence(&command, out, err),
        Command::Incidents(args) => alerts::incidents(&args, out, err),
        Command::Containment(args) => alerts::containment(&args, out, err),
        Command::Channels(args) => alerts::channels(&args, out, err),
        Command::Order(command) => orders::run(&command, out, err),
        Command::Resolve(args) => control::resolve(&args, out, err),
        Command::Strategy(command) => control::strategy(&command, out, err),
        Command::Risk(command) => risk::run(&command, out, err),
        Command::Drift(command) => drift::run(&command, out, err),
        Command::CancelAll(args) => control::cancel_all(&args, out, err),
        Command::Pause(args) => steer::pause(&args, out, err),
        Command::ReduceOnly(args) => steer::reduce_only(&args, out, err),
        Command::Kill(args) => steer::kill(&args, out, err),
        Command::Reset(args) => steer::reset(&args, out, err),
        Command::Resume(args) => steer::resume(&args, out, err),
        Command::Restart(args) => control::restart(&args, out, err),
        Command::Audit(args) => read::audit(&args, out, err),
        Command::Token(command) => token::run(&command, out, err),
        Command::Journal(command) => journal::run(&command, out, err),
        Command::Performance(args) => performance::run(&args, out, err),
        Command::Kpi(args) => kpi::run(&args, out, err),
        Command::Venue(args) => return venue::run(&args, out, err),
        Command::Openapi => {
            out.write_all(crate::app::openapi().as_bytes()).map(|()| Exit::Ok).map_err(Into::into)
        }
        Command::Drill(command) => drill::run(&command, out),
        Command::Bench(args) => bench::run(&args, out).map(|met| if met { Exit::Ok } else { Exit::Failure }),
    };
    done.unwrap_or_else(|error| {
        // Nothing is left to tell it to when even this write fails.
        let _ = writeln!(err, "plimsoll: {error:#}");
        Exit::Failure
    })
}
