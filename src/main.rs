//! The `plimsoll` executable: arguments in, exit code out.

use clap::Parser;
use std::process::ExitCode;

/// Orders come and go in small pieces over several threads; the system's allocator costs a tenth of the order path.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = plimsoll::cli::Cli::parse();
    // Not locked here: a lock on stderr held for the whole run would stop every other thread at its
    // first log line.
    let exit = plimsoll::cli::run(cli, &mut std::io::stdout(), &mut std::io::stderr());
    ExitCode::from(exit.code())
}
