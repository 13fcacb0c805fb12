//! The `plimsoll` executable: arguments in, exit code out.

use clap::{Parser, Subcommand};
use plimsoll::cli::{bench, venue};
use std::io::Write;
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
    /// Whole-path figures, measured on this machine.
    Bench(bench::BenchArgs),
}

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    match Cli::parse().command {
        Command::Venue(args) => venue::run(&args, &mut out, &mut err),
        Command::Bench(args) => match bench::run(&args, &mut out) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                // When stderr is gone there is nobody left to tell; the exit code still says it.
                let _ = writeln!(err, "plimsoll bench: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}
