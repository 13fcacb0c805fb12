//! `plimsoll token create|list|revoke`: who may command an instance, by the data directory that it uses.
//!
//! Works on the file and needs no running instance; one that runs notices within a second. A token is shown once, on
//! stdout and alone on its line, so that it can be sent to a file; everything else goes to stderr.

use super::client::table;
use super::{Exit, duration};
use crate::clock;
use crate::db::{TokenFile, TokenFileError};
use crate::domain::time::WallMs;
use crate::domain::token::{Scope, TokenName, TokenRecord};
use chrono::{DateTime, SecondsFormat};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Longest life of a token that has an end.
const EXPIRES_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3_600);

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and show it, once.
    Create(CreateArgs),
    /// Which there are.
    List(ListArgs),
    /// Take a token back, for good.
    Revoke(RevokeArgs),
}

/// Options of `plimsoll token create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Whose it is; the actor of everything that is done with it.
    name: TokenName,
    /// What it may do besides reading: read, trade, pause, kill, resume or admin. Several may be given.
    #[arg(long = "scope", value_name = "SCOPE", required = true, num_args = 1..)]
    scopes: Vec<Scope>,
    /// How long it is good, such as 12h or 30d; for ever unless given.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    expires: Option<Duration>,
    #[command(flatten)]
    place: Place,
}

/// Options of `plimsoll token list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Options of `plimsoll token revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Whose.
    name: TokenName,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The data directory of the instance.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

/// Runs one of them.
///
/// # Errors
/// When the output cannot be written.
pub fn run(command: &TokenCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let now = WallMs(clock::wall_millis());
    match command {
        TokenCommand::Create(args) => create(args, now, out, err),
        TokenCommand::List(args) => list(args, now, out, err),
        TokenCommand::Revoke(args) => match TokenFile::at(&args.place.data_dir).revoke(&args.name, now) {
            Ok(id) => {
                writeln!(err, "revoked {} ({id}); a running instance refuses it within a second", args.name)?;
                Ok(Exit::Ok)
            }
            Err(error) => failed(&error, err),
        },
    }
}

fn create(args: &CreateArgs, now: WallMs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let expires_at = match args.expires {
        Some(time) if time.is_zero() || time > EXPIRES_MAX => {
            writeln!(err, "plimsoll: --expires must be above zero and at most ten years")?;
            return Ok(Exit::Usage);
        }
        Some(time) => Some(WallMs(now.0.saturating_add(i64::try_from(time.as_millis())?))),
        None => None,
    };
    match TokenFile::at(&args.place.data_dir).create(&args.name, &args.scopes, expires_at, now) {
        Ok(token) => {
            writeln!(out, "{}", token.reveal())?;
            out.flush()?;
            writeln!(err, "this is the token of {}; it is shown once and kept nowhere", args.name)?;
            Ok(Exit::Ok)
        }
        Err(error) => failed(&error, err),
    }
}

fn list(args: &ListArgs, now: WallMs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let book = match TokenFile::at(&args.place.data_dir).read() {
        Ok(book) => book,
        Err(error) => return failed(&error, err),
    };
    let rows: Vec<Value> = book.records().iter().map(|token| show(token, now)).collect();
    if args.json {
        writeln!(out, "{:#}", json!({"items": rows, "next": null}))?;
    } else {
        table(&rows, &["name", "id", "state", "scopes", "last_four", "created_at", "expires_at"], out)?;
    }
    Ok(Exit::Ok)
}

fn show(token: &TokenRecord, now: WallMs) -> Value {
    let state = match (token.is_live(now), token.revoked_at) {
        (true, _) => "good",
        (false, Some(_)) => "revoked",
        (false, None) => "expired",
    };
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.word()).collect();
    json!({
        "name": token.name,
        "id": token.id,
        "state": state,
        "scopes": scopes.join(" "),
        "last_four": token.last_four,
        "created_at": time(Some(token.created_at)),
        "expires_at": time(token.expires_at),
        "revoked_at": time(token.revoked_at),
    })
}

fn time(at: Option<WallMs>) -> Option<String> {
    let time = DateTime::from_timestamp_millis(at?.0)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn failed(error: &TokenFileError, err: &mut dyn Write) -> anyhow::Result<Exit> {
    writeln!(err, "plimsoll: {error}")?;
    Ok(Exit::Failure)
}
