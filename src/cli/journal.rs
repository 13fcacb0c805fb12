//! `plimsoll journal verify|export|tail`: reads the journal of a data directory, running or not.
//!
//! Takes no lock and writes nothing, not even by closing the file. `verify` follows the whole chain, archives
//! included, and names the first row that cannot be trusted; it repairs nothing.

use super::Exit;
use crate::db::{Corruption, DbError, Inspector, RUNBOOK_CORRUPT, Verified};
use crate::domain::journal::{Row, Seq};
use chrono::{DateTime, SecondsFormat};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// How often a followed journal is read again.
const FOLLOW: Duration = Duration::from_millis(200);
/// Rows read at once.
const PAGE: u32 = 1_000;
/// Most rows that `tail` begins with.
const LINES_MAX: u32 = 100_000;

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check every row against the chain of checksums, archives included; exit code 1 when one does not match.
    Verify(WhereArgs),
    /// Every row as a line of JSON, the oldest first, archives included. Stops at the first that does not match.
    Export(WhereArgs),
    /// The last rows.
    Tail(TailArgs),
}

/// Which journal.
#[derive(Debug, Args)]
pub struct WhereArgs {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Print JSON. (`export` always does.)
    #[arg(long)]
    json: bool,
}

/// Which rows.
#[derive(Debug, Args)]
pub struct TailArgs {
    #[command(flatten)]
    journal: WhereArgs,
    /// How many rows.
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=i64::from(LINES_MAX)))]
    lines: u32,
    /// Go on printing rows as they are written, until interrupted.
    #[arg(short, long)]
    follow: bool,
}

/// Runs the command.
///
/// # Errors
/// When the journal cannot be read, or the output cannot be written.
pub fn run(command: &JournalCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        JournalCommand::Verify(args) => verify(args, out, err),
        JournalCommand::Export(args) => export(args, out, err),
        JournalCommand::Tail(args) => tail(args, out),
    }
}

#[derive(Serialize)]
struct Verdict {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive_files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_bad: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<&'static str>,
}

impl Verdict {
    fn good(seen: &Verified) -> Self {
        Self {
            ok: true,
            rows: Some(seen.rows),
            archived_rows: Some(seen.archived),
            archive_files: Some(seen.files),
            snapshots: Some(seen.snapshots),
            head: Some(seen.head.seq.0),
            checksum: Some(seen.head.checksum.to_string()),
            first_bad: None,
            error: None,
            runbook: None,
        }
    }

    fn bad(error: &DbError) -> Self {
        Self {
            ok: false,
            rows: None,
            archived_rows: None,
            archive_files: None,
            snapshots: None,
            head: None,
            checksum: None,
            first_bad: first_bad(error),
            error: Some(error.to_string()),
            runbook: error.is_corruption().then_some(RUNBOOK_CORRUPT),
        }
    }
}

fn first_bad(error: &DbError) -> Option<u64> {
    let DbError::Corrupt(corruption) = error else { return None };
    Corruption::first_bad(corruption).map(|seq| seq.0)
}

fn verify(args: &WhereArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let looked = Inspector::open(&args.data_dir).and_then(|mut inspector| {
        let seen = inspector.verify()?;
        inspector.quick_check()?;
        Ok(seen)
    });
    let verdict = looked.as_ref().map_or_else(Verdict::bad, Verdict::good);
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&verdict)?)?;
    }
    match looked {
        Ok(seen) => {
            if !args.json {
                writeln!(
                    out,
                    "ok: rows 1 to {}; {} in the database, {} in {} archive files; {} snapshots; checksum {}",
                    seen.head.seq.0, seen.rows, seen.archived, seen.files, seen.snapshots, seen.head.checksum
                )?;
            }
            Ok(Exit::Ok)
        }
        Err(error) => {
            writeln!(err, "plimsoll journal: {error}")?;
            if let Some(row) = verdict.first_bad {
                writeln!(err, "first row that cannot be trusted: {row}")?;
            }
            Ok(Exit::Failure)
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    kind: &'a str,
    correlation: &'a str,
    at: Option<String>,
    /// As it stands in the journal, byte for byte; null for a text that is not JSON.
    payload: Option<&'a RawValue>,
}

fn line(row: &Row) -> serde_json::Result<String> {
    let at = DateTime::from_timestamp_millis(row.at.0);
    serde_json::to_string(&Line {
        seq: row.seq.0,
        kind: &row.kind,
        correlation: row.correlation.as_str(),
        at: at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        payload: serde_json::from_str(&row.payload).ok(),
    })
}

fn export(args: &WhereArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut written = Ok(());
    let done = Inspector::open(&args.data_dir)?.export(|row| {
        if written.is_ok() {
            written = line(&row).map_err(anyhow::Error::from).and_then(|line| Ok(writeln!(out, "{line}")?));
        }
        Ok(())
    });
    if !still_read(written)? {
        return Ok(Exit::Ok);
    }
    match done {
        Ok(_) => Ok(Exit::Ok),
        Err(error) => {
            writeln!(err, "plimsoll journal: the export ends here: {error}")?;
            Ok(Exit::Failure)
        }
    }
}

/// False when whoever read the output has left.
fn still_read(written: anyhow::Result<()>) -> anyhow::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) => match error.downcast_ref::<std::io::Error>() {
            Some(io) if io.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
            Some(_) | None => Err(error),
        },
    }
}

fn tail(args: &TailArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut inspector = Inspector::open(&args.journal.data_dir)?;
    let last = inspector.last_rows(args.lines)?;
    // Without lines to begin with, following begins at the end.
    let mut at = match last.last() {
        Some(row) => row.seq,
        None => inspector.last_rows(1)?.last().map_or(Seq(0), |row| row.seq),
    };
    if !still_read(print(&last, args.journal.json, out))? || !args.follow {
        return Ok(Exit::Ok);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut looks = tokio::time::interval(FOLLOW);
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
                _ = looks.tick() => {}
            }
            let new = inspector.rows_after(at, PAGE)?;
            at = new.last().map_or(at, |row| row.seq);
            if !still_read(print(&new, args.journal.json, out))? {
                return Ok(Exit::Ok);
            }
        }
    })
}

fn print(rows: &[Row], json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    for row in rows {
        if json {
            writeln!(out, "{}", line(row)?)?;
        } else {
            let at = DateTime::from_timestamp_millis(row.at.0).unwrap_or_default();
            let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
            // Texts of venues and callers must not reach the terminal's own language.
            let payload: String =
                row.payload.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            writeln!(out, "{:>10} {at} {:<20} {} {payload}", row.seq.0, row.kind, row.correlation)?;
        }
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Correlation;
    use crate::domain::time::WallMs;

    fn row(payload: &str) -> Row {
        Row {
            seq: Seq(7),
            kind: "note".to_owned(),
            correlation: Correlation::new("c").unwrap(),
            at: WallMs(1_700_000_000_123),
            payload: payload.to_owned(),
        }
    }

    #[test]
    fn payloads_stay_as_they_are() {
        let at = r#""at":"2023-11-14T22:13:20.123Z""#;
        assert_eq!(
            line(&row(r#"{"price": 1.50}"#)).unwrap(),
            format!(r#"{{"seq":7,"kind":"note","correlation":"c",{at},"payload":{{"price": 1.50}}}}"#)
        );
        assert!(line(&row("not json")).unwrap().ends_with(r#""payload":null}"#));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut out = Vec::new();
        print(&[row("\u{1b}[2J")], false, &mut out).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains('\u{1b}'));
    }
}
