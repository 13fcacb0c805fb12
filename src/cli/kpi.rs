//! `plimsoll kpi`: the figures of a return series from a file, with nothing running.

use super::Exit;
use crate::domain::kpi::{Basis, ReturnFigures, Series, Trials};
use clap::Args;
use std::fs::File;
use std::io::{Read as _, Write};
use std::path::PathBuf;

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Options of `plimsoll kpi`.
#[derive(Debug, Args)]
pub struct KpiArgs {
    /// One return per line (0.01 for 1 %), or JSON {"returns": [...]}.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Returns in a year: 252 for trading days, 365 for days of a market that never closes.
    #[arg(long, value_name = "N", value_parser = positive)]
    periods_per_year: f64,
    /// Sharpe ratio per year that is to be beaten.
    #[arg(long, value_name = "SHARPE", default_value = "0", value_parser = finite, allow_hyphen_values = true)]
    benchmark: f64,
    /// Confidence of the shortest track record.
    #[arg(long, value_name = "P", default_value = "0.95", value_parser = confidence)]
    confidence: f64,
    /// How many variants were tried before this one was chosen, itself included.
    #[arg(long, value_name = "N", requires = "trials_variance", value_parser = clap::value_parser!(u64).range(2..))]
    trials: Option<u64>,
    /// Variance of the yearly Sharpe ratios of those variants.
    #[arg(long, value_name = "V", requires = "trials", value_parser = positive)]
    trials_variance: Option<f64>,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

fn finite(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
    value.ok_or_else(|| format!("{text:?} is not a finite number"))
}

fn positive(text: &str) -> Result<f64, String> {
    match finite(text) {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err(format!("{text:?} is not a number above 0")),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    match finite(text) {
        Ok(value) if value > 0.5 && value < 1.0 => Ok(value),
        _ => Err(format!("{text:?} is not between 0.5 and 1, as 0.95 is")),
    }
}

/// Runs the command.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &KpiArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let series = match read(args) {
        Ok(series) => series,
        Err(why) => {
            writeln!(err, "plimsoll kpi: {}: {why}", args.file.display())?;
            return Ok(Exit::Failure);
        }
    };
    let periods = args.periods_per_year;
    let trials =
        args.trials.zip(args.trials_variance).map(|(n, variance)| Trials { n, variance: variance / periods });
    let basis =
        Basis { periods_per_year: periods, benchmark: args.benchmark, confidence: args.confidence, trials };
    let figures = ReturnFigures::of(&series.returns, basis);
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &figures)?;
        writeln!(out)?;
    } else {
        show(&figures, out)?;
    }
    Ok(Exit::Ok)
}

fn read(args: &KpiArgs) -> Result<Series, String> {
    let file = File::open(&args.file).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(FILE_BYTES_MAX.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
        return Err(format!("the file is larger than {FILE_BYTES_MAX} bytes"));
    }
    Series::parse(&text).map_err(|error| error.to_string())
}

fn show(figures: &ReturnFigures, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{:<30}  {}", "n", figures.n)?;
    writeln!(out, "{:<30}  {}", "periods_per_year", figures.basis.periods_per_year)?;
    for (name, figure) in figures.figures() {
        match figure.get() {
            Ok(value) => writeln!(out, "{name:<30}  {value}")?,
            Err(why) => writeln!(out, "{name:<30}  undefined: {why}")?,
        }
    }
    for (name, place) in figures.places() {
        match place.0 {
            Ok(Some(index)) => writeln!(out, "{name:<30}  {index}")?,
            Ok(None) => writeln!(out, "{name:<30}  not recovered")?,
            Err(why) => writeln!(out, "{name:<30}  undefined: {why}")?,
        }
    }
    Ok(())
}
