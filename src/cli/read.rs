//! Commands that read a running instance over HTTP.

use super::Exit;
use clap::Args;
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Larger answers are not ours.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Options of the reading commands.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Where the instance listens.
    #[arg(long, default_value = "http://127.0.0.1:8787", env = "PLIMSOLL_URL")]
    url: String,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the state of the instance.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn status(args: &ReadArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    show(args, "/api/v1/status", out, err, |answer, out| {
        writeln!(
            out,
            "{}  version {}  up {:.0} s  config {}",
            text(answer, "state"),
            text(answer, "version"),
            number(answer, "uptime_seconds"),
            text(answer, "config_hash").chars().take(12).collect::<String>(),
        )?;
        for component in list(answer, "components") {
            writeln!(
                out,
                "{:<12} {:<40} {:>8.1} s  {}",
                text(component, "status"),
                text(component, "name"),
                number(component, "age_seconds"),
                text(component, "reason"),
            )?;
        }
        Ok(())
    })
}

/// Prints the supervision tree of the instance.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn supervision(args: &ReadArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    show(args, "/api/v1/supervision", out, err, |answer, out| {
        writeln!(
            out,
            "{:<10} {:<40} {:>5} {:>8} {:>10} {:>7} {:>12}  LAST FAILURE",
            "STATE", "PATH", "EPOCH", "RESTARTS", "AGE", "DEPTH", "HANDLED"
        )?;
        for node in list(answer, "nodes") {
            writeln!(
                out,
                "{:<10} {:<40} {:>5} {:>8} {:>8.1} s {:>7} {:>12}  {}",
                text(node, "state"),
                text(node, "path"),
                number(node, "epoch"),
                number(node, "restarts"),
                number(node, "age_seconds"),
                number(node, "mailbox_depth"),
                number(node, "handled"),
                text(node, "last_failure"),
            )?;
        }
        Ok(())
    })
}

fn show(
    args: &ReadArgs,
    path: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
    print: impl FnOnce(&Value, &mut dyn Write) -> std::io::Result<()>,
) -> anyhow::Result<Exit> {
    let url = format!("{}{path}", args.url.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let body = match runtime.block_on(get(&url)) {
        Ok(body) => body,
        Err(error) => {
            writeln!(err, "plimsoll: {url} cannot be reached: {error:#}")?;
            return Ok(Exit::Unreachable);
        }
    };
    let answer: Value = serde_json::from_slice(&body)
        .map_err(|error| anyhow::anyhow!("{url} did not answer as plimsoll does: {error}"))?;
    if args.json {
        writeln!(out, "{answer:#}")?;
    } else {
        print(&answer, out)?;
    }
    Ok(Exit::Ok)
}

async fn get(url: &str) -> anyhow::Result<Vec<u8>> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut response = client.get(url).send().await?;
    anyhow::ensure!(response.status().is_success(), "HTTP {}", response.status());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(body.len() + chunk.len() <= BODY_BYTES_MAX, "more than {BODY_BYTES_MAX} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Control characters of other people's texts must not reach the terminal.
fn text(value: &Value, key: &str) -> String {
    let text = value.get(key).and_then(Value::as_str).unwrap_or("-");
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}
