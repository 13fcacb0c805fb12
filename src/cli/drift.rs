//! `plimsoll drift list|show|rebaseline` ask a running instance; `replay` runs a detector over a series from a file.

use super::Exit;
use super::client::{Call, Remote, list, number, segment, table, text};
use super::control::ControlArgs;
use crate::domain::detectors::{Parameters, read_series};
use crate::domain::drift::{DETECTORS, Replayed, build, replay};
use clap::{Args, Subcommand};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// What to do about drift.
#[derive(Debug, Subcommand)]
pub enum DriftCommand {
    /// Every stream: where its statistics stand against their thresholds.
    List(Remote),
    /// One stream.
    Show(ShowArgs),
    /// Say that what a stream does now is normal: it learns anew, and what it has cut is lifted.
    Rebaseline(RebaselineArgs),
    /// Run a detector over a series: one number per line, or JSON {"input": [...]}.
    Replay(ReplayArgs),
}

/// Options of `plimsoll drift show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which stream.
    stream: String,
    #[command(flatten)]
    remote: Remote,
}

/// Options of `plimsoll drift rebaseline`.
#[derive(Debug, Args)]
pub struct RebaselineArgs {
    /// Which stream.
    stream: String,
    #[command(flatten)]
    control: ControlArgs,
}

/// Options of `plimsoll drift replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The series; `-` reads standard input.
    file: PathBuf,
    /// robust (the default), page_hinkley, adwin, cusum, variance_cusum or variance_ratio.
    #[arg(long, value_name = "NAME")]
    detector: Option<String>,
    /// A setting of the detector; may be repeated. The default detector takes its budget as arl0=OBSERVATIONS.
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    set: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the output cannot be written.
pub fn run(command: &DriftCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        DriftCommand::List(remote) => remote.show(Call::get("/api/v1/drift"), out, err, |answer, out| {
            let columns = ["name", "state", "level", "observations", "detections", "open_since", "strategy"];
            table(list(answer, "items"), &columns, out)
        }),
        DriftCommand::Show(args) => {
            let path = format!("/api/v1/drift/streams/{}", segment(&args.stream));
            args.remote.show(Call::get(&path), out, err, |stream, out| {
                for key in ["name", "state", "strategy", "observations", "rejected", "last", "heard_at"] {
                    writeln!(out, "{key:<20} {}", text(stream, key))?;
                }
                for key in ["learned", "wanted", "detections", "open_since", "baseline", "finding"] {
                    writeln!(out, "{key:<20} {}", text(stream, key))?;
                }
                for gauge in list(stream, "detectors") {
                    let (name, way) = (text(gauge, "detector"), text(gauge, "direction"));
                    let (at, most) = (number(gauge, "statistic"), number(gauge, "threshold"));
                    writeln!(out, "{name:<18} {way:<9} {at:>10.3} of {most:.3}")?;
                }
                Ok(())
            })
        }
        DriftCommand::Rebaseline(args) => {
            let path = format!("/api/v1/drift/streams/{}/rebaseline", segment(&args.stream));
            let body = serde_json::json!({ "reason": args.control.reason });
            let question = format!("Take what {} does now for normal", args.stream);
            args.control.act(&question, Call::post(&path, body), out, err, |_, out| {
                writeln!(out, "it learns anew; what it had cut is lifted")
            })
        }
        DriftCommand::Replay(args) => replay_file(args, out, err),
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let source: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file)?)
    };
    source.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes <= FILE_BYTES_MAX) {
        return Ok(text);
    }
    Err(std::io::Error::other(format!("longer than {FILE_BYTES_MAX} bytes")))
}

fn replay_file(args: &ReplayArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let file = args.file.display();
    let default = DETECTORS.first().map_or("robust", |(name, _)| *name);
    let name = args.detector.as_deref().unwrap_or(default);
    let texts = args.set.iter().map(String::as_str);
    let mut detector = match Parameters::read(texts).and_then(|set| build(name, set)) {
        Ok(detector) => detector,
        Err(error) => {
            writeln!(err, "plimsoll drift replay: {error}")?;
            return Ok(Exit::Usage);
        }
    };
    let text = match read(&args.file) {
        Ok(text) => text,
        Err(error) => {
            writeln!(err, "plimsoll drift replay: {file}: {error}")?;
            return Ok(Exit::Failure);
        }
    };
    let series = match read_series(&text, "input") {
        Ok(series) => series,
        Err(error) => {
            writeln!(err, "plimsoll drift replay: {file}: {error}")?;
            return Ok(Exit::Failure);
        }
    };
    let found = replay(detector.as_mut(), &series);
    if let Some(first) = found.rejected.first() {
        let count = found.rejected.len();
        writeln!(
            err,
            "plimsoll drift replay: {count} numbers are not finite and were left out, first index {first}"
        )?;
    }
    print(name, series.len(), &found, args.json, out)?;
    Ok(Exit::Ok)
}

fn print(name: &str, n: usize, found: &Replayed, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if json {
        writeln!(out, "{}", serde_json::to_string(found)?)?;
        return Ok(());
    }
    writeln!(out, "{name}: {} detections in {n} observations", found.detections.len())?;
    for index in &found.detections {
        writeln!(out, "  at {index}")?;
    }
    for (key, value) in found.final_state.as_object().into_iter().flatten() {
        writeln!(out, "{key:<20} {value}")?;
    }
    Ok(())
}
