//! The `plimsoll` executable.
use clap::Parser;
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    bench: plimsoll::cli::bench::BenchArgs,
}
fn main() {
    let cli = Cli::parse();
    let ok = plimsoll::cli::bench::run(&cli.bench, &mut std::io::stdout());
    std::process::exit(i32::from(!ok.is_ok_and(|ok| ok)));
}
