//! `plimsoll bench`: whole-path figures, each beside the floor or peer measured in the same run.

mod alerts;
mod exchange;
mod floor;
mod journal;
mod orders;
mod report;
mod supervision;
mod venue;

pub use report::{Figure, Machine, Report, Target};

use clap::{Args, Subcommand};
use std::io::Write;

/// Options of `plimsoll bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to measure.
    #[command(subcommand)]
    pub what: What,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Alerts: from a condition to the webhook's receiver, the intake of ten thousand, and the list.
    Alerts(alerts::AlertsArgs),
    /// Durable rows through the journal's cell, beside the disk's own floor, and a start with a million rows.
    Journal(journal::JournalArgs),
    /// The whole order path, every intent and fill on disk, against a paper exchange in another process.
    Orders(orders::OrdersArgs),
    /// What fifty open pages of the desk cost the order path.
    Pages(orders::OrdersArgs),
    /// Restarts, hangs and the cost per message, against plain actix.
    Supervision,
    /// Orders over the socket to a paper exchange in another process, and the market-data path.
    Venue,
}

/// Measures and prints. True when every target was met.
///
/// # Errors
/// When a measurement could not be made or the output could not be written.
pub fn run(args: &BenchArgs, out: &mut dyn Write) -> anyhow::Result<bool> {
    let report = match &args.what {
        What::Alerts(args) => alerts::measure(args)?,
        What::Journal(args) => journal::measure(args)?,
        What::Orders(args) => orders::measure(args)?,
        What::Pages(args) => orders::measure_pages(args)?,
        What::Supervision => supervision::measure()?,
        What::Venue => venue::measure()?,
    };
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        report.print(out)?;
    }
    Ok(report.figures.iter().all(|figure| figure.met != Some(false)))
}
