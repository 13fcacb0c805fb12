//! The `plimsoll` executable: arguments in, exit code out.

use clap::{Parser, Subcommand};
use plimsoll::cli::venue;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The paper exchange alone, as a server.
    Venue(venue::VenueArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Venue(args) => venue::run(&args, &mut std::io::stdout(), &mut std::io::stderr()),
    }
}
