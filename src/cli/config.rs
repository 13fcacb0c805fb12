//! `plimsoll config check|show|schema|init`.
//!
//! Owns what these commands print and their exit codes; decides nothing about settings itself. Data
//! goes to `out`, diagnostics to `err`; both are handed in, so tests need no process. Writes no file.

use super::Exit;
use crate::config::venues::{Mode, Venue};
use crate::config::{ConfigErrors, EnvReader, Flag, Inputs, Loaded, Settings, load, schema};
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The commented file that `config init` prints: every key with its default.
const STARTER: &str = include_str!("../../config/example.yaml");
/// What `config init --paper` prints, with another address.
const PAPER: &str = include_str!("../../config/paper.yaml");
/// The address in it.
const PAPER_URL: &str = "http://127.0.0.1:8780";

/// Look at, check and start a configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration: `ok`, or every problem with file, line and column (exit code 3).
    Check {
        /// The configuration file; without it, the defaults and the environment are checked.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show the effective values and where each came from; secrets are redacted.
    Show {
        /// The configuration file; without it, the defaults and the environment are shown.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON schema of the configuration file.
    Schema,
    /// Print a commented configuration file to start from.
    Init {
        /// Ready to run against the paper exchange at this address, such as http://127.0.0.1:8780.
        #[arg(long, value_name = "URL")]
        paper: Option<String>,
    },
}

/// Runs one command.
pub fn run(command: ConfigCommand, env: &dyn EnvReader, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let done = match command {
        ConfigCommand::Check { config, json } => check(config.as_deref(), json, env, out, err),
        ConfigCommand::Show { config, json } => show(config.as_deref(), json, env, out, err),
        ConfigCommand::Schema => out.write_all(schema::schema::<Settings>().as_bytes()).map(|()| Exit::Ok),
        ConfigCommand::Init { paper: None } => out.write_all(STARTER.as_bytes()).map(|()| Exit::Ok),
        ConfigCommand::Init { paper: Some(url) } => init_paper(&url, out, err),
    };
    match done.and_then(|exit| out.flush().map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => {
            // Nothing is left to tell it to when even this write fails.
            let _ = writeln!(err, "cannot write the output: {error}");
            Exit::Failure
        }
    }
}

/// Prints a refused configuration as every command does: for people on `err`, as JSON on `out`.
///
/// # Errors
/// When the output cannot be written.
pub fn refuse(
    errors: &ConfigErrors,
    json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    if json {
        let problems: Vec<Value> = errors.iter().map(crate::config::ConfigError::to_json).collect();
        writeln!(out, "{:#}", json!({ "ok": false, "problems": problems }))?;
    } else {
        let count = errors.count();
        let noun = if count == 1 { "problem" } else { "problems" };
        writeln!(err, "{errors}\n\nconfiguration invalid: {count} {noun}")?;
    }
    Ok(Exit::Invalid)
}

/// The paper starter for one address; refused as the file itself would be.
fn init_paper(url: &str, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Exit> {
    let venue = Venue { rest_url: url.trim_end_matches('/').to_owned(), ..Venue::default() };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '.' | '-' | '[' | ']');
    if venue.is_embedded()
        || venue.mode() != Mode::Paper
        || !url.starts_with("http")
        || !url.chars().all(plain)
    {
        writeln!(err, "--paper {url}: a paper exchange is at a loopback address, such as {PAPER_URL}")?;
        return Ok(Exit::Usage);
    }
    out.write_all(PAPER.replace(PAPER_URL, &venue.rest_url).as_bytes())?;
    Ok(Exit::Ok)
}

fn check(
    file: Option<&Path>,
    json: bool,
    env: &dyn EnvReader,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    match load::<Settings>(inputs(file, env)) {
        Ok(_) if json => writeln!(out, "{:#}", json!({ "ok": true, "problems": [] }))?,
        Ok(_) => writeln!(out, "ok")?,
        Err(errors) => return refuse(&errors, json, out, err),
    }
    Ok(Exit::Ok)
}

fn show(
    file: Option<&Path>,
    json: bool,
    env: &dyn EnvReader,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Exit> {
    let loaded = match load::<Settings>(inputs(file, env)) {
        Ok(loaded) => loaded,
        Err(errors) => return refuse(&errors, json, out, err),
    };
    if json {
        show_json(&loaded, out)?
    } else {
        show_table(&loaded, out)?
    }
    Ok(Exit::Ok)
}

fn show_json(loaded: &Loaded<Settings>, out: &mut dyn Write) -> io::Result<()> {
    let values: Vec<Value> = loaded
        .effective()?
        .iter()
        .map(|entry| json!({ "path": entry.path, "value": entry.value, "origin": entry.place.to_json() }))
        .collect();
    writeln!(out, "{:#}", json!({ "config_hash": loaded.hash()?, "values": values }))
}

fn show_table(loaded: &Loaded<Settings>, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(String, String)> = loaded
        .effective()?
        .iter()
        .map(|entry| (format!("{} = {}", entry.path, entry.value), entry.place.to_string()))
        .collect();
    let width = rows.iter().map(|(left, _)| left.chars().count()).max().unwrap_or(0);
    for (left, origin) in rows {
        writeln!(out, "{left:width$}  # {origin}")?;
    }
    Ok(())
}

fn inputs<'a>(file: Option<&'a Path>, env: &'a dyn EnvReader) -> Inputs<'a> {
    const NO_FLAGS: &[Flag] = &[];
    Inputs { file, env, flags: NO_FLAGS }
}
