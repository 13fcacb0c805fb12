//! The `plimsoll` executable: arguments in, exit code out.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = plimsoll::cli::Cli::parse();
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let exit = plimsoll::cli::run(cli, &mut out.lock(), &mut err.lock());
    ExitCode::from(exit.code())
}
