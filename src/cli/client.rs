//! Talks to a running instance over HTTP and turns its refusals into exit codes.

use super::Exit;
use crate::config::{Fault, ProcessEnv, Secret, SecretRef, SecretSource};
use clap::Args;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// A control waits for the order management, which answers within five seconds.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Larger answers are not ours.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Options of every command that talks to an instance.
#[derive(Debug, Args)]
pub struct Remote {
    /// Where the instance listens.
    #[arg(long, default_value = "http://127.0.0.1:8787", env = "PLIMSOLL_URL")]
    url: String,
    /// A file with the token, readable by its owner alone; otherwise PLIMSOLL_TOKEN is used when it is set. Never a
    /// flag: the list of processes is no place for secrets.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print the answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Where a token is looked for when no file is named.
const TOKEN_VARIABLE: &str = "PLIMSOLL_TOKEN";

/// One request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) if_match: Option<String>,
    /// Names the request, so that sending it twice does it once.
    pub(super) key: Option<String>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { method: Method::GET, path, query: Vec::new(), body: None, if_match: None, key: None }
    }

    pub(super) fn post(path: &'a str, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), key: Some(fresh_key()), ..Self::get(path) }
    }

    pub(super) fn delete(path: &'a str) -> Self {
        Self { method: Method::DELETE, key: Some(fresh_key()), ..Self::get(path) }
    }

    /// Adds a query parameter when there is a value for it.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

/// What came of a call: the answer, or the exit code of a failure that was told already.
pub(super) type Outcome = Result<Value, Exit>;

impl Remote {
    /// Makes the call. A refusal is told on `err` and becomes exit code 4, silence exit code 5.
    ///
    /// # Errors
    /// When the answer is not one of ours or the output cannot be written.
    pub(super) fn call(&self, call: Call<'_>, err: &mut dyn Write) -> anyhow::Result<Outcome> {
        let url = format!("{}{}", self.url.trim_end_matches('/'), call.path);
        let token = match self.token() {
            Ok(token) => token,
            Err(error) => {
                writeln!(err, "plimsoll: {error:#}")?;
                return Ok(Err(Exit::Usage));
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (status, headers, body) = match runtime.block_on(send(&url, call, token)) {
            Ok(answer) => answer,
            Err(error) => {
                writeln!(err, "plimsoll: {url} cannot be reached: {error:#}")?;
                return Ok(Err(Exit::Unreachable));
            }
        };
        let answer: Value = serde_json::from_slice(&body).map_err(|error| {
            anyhow::anyhow!("{url} did not answer as plimsoll does (HTTP {status}): {error}")
        })?;
        if (200..300).contains(&status) {
            return Ok(Ok(answer));
        }
        let problem = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        anyhow::ensure!(problem, "{url} did not answer as plimsoll does: HTTP {status}");
        writeln!(err, "plimsoll: {}: {} (HTTP {status})", text(&answer, "code"), text(&answer, "detail"))?;
        for wrong in list(&answer, "errors") {
            writeln!(err, "  {}: {}", text(wrong, "pointer"), text(wrong, "detail"))?;
        }
        Ok(Err(if status == 500 { Exit::Failure } else { Exit::Refused }))
    }

    fn token(&self) -> anyhow::Result<Option<Secret>> {
        let source = match &self.token_file {
            Some(file) => SecretSource::File(file.clone()),
            None if std::env::var_os(TOKEN_VARIABLE).is_none() => return Ok(None),
            None => SecretSource::Env(TOKEN_VARIABLE.to_owned()),
        };
        let said = |fault: Fault| anyhow::anyhow!("the token cannot be read: {fault}; {}", fault.advice());
        SecretRef::new(source).resolve(&ProcessEnv).map(Some).map_err(said)
    }

    /// Makes a reading call and prints its answer, as JSON or by `print`.
    ///
    /// # Errors
    /// When the answer is not one of ours or the output cannot be written.
    pub(super) fn show(
        &self,
        call: Call<'_>,
        out: &mut dyn Write,
        err: &mut dyn Write,
        print: impl FnOnce(&Value, &mut dyn Write) -> std::io::Result<()>,
    ) -> anyhow::Result<Exit> {
        let answer = match self.call(call, err)? {
            Ok(answer) => answer,
            Err(exit) => return Ok(exit),
        };
        if self.json {
            writeln!(out, "{answer:#}")?;
        } else {
            print(&answer, out)?;
        }
        if let Some(next) = answer.get("next").and_then(Value::as_str) {
            writeln!(err, "there are more: --after {next}")?;
        }
        Ok(Exit::Ok)
    }
}

async fn send(url: &str, call: Call<'_>, token: Option<Secret>) -> anyhow::Result<(u16, HeaderMap, Vec<u8>)> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let mut request = client.request(call.method, url).query(&call.query);
    if let Some(body) = call.body {
        request = request.json(&body);
    }
    if let Some(state) = call.if_match {
        request = request.header(IF_MATCH, state);
    }
    if let Some(key) = call.key {
        request = request.header("idempotency-key", key);
    }
    if let Some(token) = token {
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let mut response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        anyhow::ensure!(body.len() + chunk.len() <= BODY_BYTES_MAX, "more than {BODY_BYTES_MAX} bytes");
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, body))
}

/// A key that no other request has.
fn fresh_key() -> String {
    format!("cli-{:x}-{:016x}", crate::clock::wall_millis(), fastrand::u64(..))
}

/// A name as one segment of a path: what could end the segment or begin a query is escaped.
pub(super) fn segment(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member in words; `-` when it is missing or null. Control characters of other people's texts must not reach
/// the terminal.
pub(super) fn text(value: &Value, key: &str) -> String {
    let text = match value.get(key) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

pub(super) fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Prints the members `columns` of each of `rows`, aligned. Headings are the members' names in capitals.
pub(super) fn table(rows: &[Value], columns: &[&str], out: &mut dyn Write) -> std::io::Result<()> {
    let heads = columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
    let body = rows.iter().map(|row| columns.iter().map(|name| text(row, name)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(body).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_of_others_stay_one_segment() {
        assert_eq!(segment("web/7.a:b?x=1"), "web%2F7.a%3Ab%3Fx%3D1");
    }

    #[test]
    fn tables_are_aligned_and_print_nothing_that_moves_the_cursor() {
        let rows = [json!({"a_b": "x\u{1b}[2J", "c": null}), json!({"a_b": "longer text", "c": 5})];
        let mut out = Vec::new();
        table(&rows, &["a_b", "c"], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "A B          C\nx\u{fffd}[2J        -\nlonger text  5\n");
    }
}
