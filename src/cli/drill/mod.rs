//! `plimsoll drill NAME`: a failure that is rehearsed end to end, in this process, on real sockets, with times.
//!
//! A drill starts an exchange, a runtime on a folder of its own and real receivers on loopback; it needs no account, no
//! network and no file, and leaves nothing behind. Exit code 0 when everything that had to happen happened in time.

mod desk;
mod feed_outage;
mod report;
mod sinks;

use super::Exit;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;

/// Which drill.
#[derive(Debug, Subcommand)]
pub enum DrillCommand {
    /// The exchange goes mute and keeps pinging: is it seen, told, contained, and never undone by itself?
    FeedOutage(DrillArgs),
}

/// Options of every drill.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
    /// Where the drill's own folder is made; it is removed again.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    below: PathBuf,
    /// Age at which the drill's feed counts as stale, milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(500..=60_000))]
    stale_after: u64,
}

/// Runs a drill.
///
/// # Errors
/// When it cannot be set up, or the output cannot be written. A drill that was run and failed is an exit code.
pub fn run(command: &DrillCommand, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        DrillCommand::FeedOutage(args) => {
            let report = feed_outage::run(&args.below, args.stale_after)?;
            report.print(args.json, out)?;
            Ok(if report.passed() { Exit::Ok } else { Exit::Failure })
        }
    }
}
