//! `plimsoll alerts`, `ack`, `silence`, `incidents`, `containment`, `channels`: what wants somebody, who takes it on, and
//! what was done by itself.

use super::Exit;
use super::client::{Call, Remote, list, segment, table, text};
use super::control::ControlArgs;
use super::duration;
use super::read::{PageArgs, paged};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::time::Duration;

const COLUMNS: &[&str] =
    &["severity", "raised_at", "cleared_at", "id", "key", "acked_by", "reason", "runbook"];

/// Options of `plimsoll alerts`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: Option<AlertsCommand>,
    /// Those that are over as well.
    #[arg(long)]
    all: bool,
    /// Only what comes after this cursor, the `next` of an earlier answer.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

/// What can be asked of alerts.
#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// The story of one alert: who was told, who was not, and what comes next.
    Why {
        /// Its id or key.
        alert: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Send a message that tests a channel.
    Test {
        /// Its name.
        channel: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Options of `plimsoll ack`.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// The alert's id or key.
    alert: String,
    /// For how long, such as `30m`; the configured time when left out.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    r#for: Option<Duration>,
    /// Why; it stands in the journal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    remote: Remote,
}

/// What can be done with silences.
#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// Which there are.
    List(Remote),
    /// Tell nobody of some alerts for a while.
    Add(SilenceArgs),
    /// Tell of them again.
    End {
        /// The silence's id.
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
}

/// Options of `plimsoll silence add`.
#[derive(Debug, Args)]
pub struct SilenceArgs {
    /// Codes; `*` stands for anything.
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    code: String,
    /// Scopes; `*` stands for anything.
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    scope: String,
    /// For how long, such as `2h`.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    r#for: Duration,
    #[command(flatten)]
    control: ControlArgs,
}

/// Prints alerts, oldest first, or does what the subcommand says.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn alerts(args: &AlertsArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.command {
        None => {
            let status = if args.all { "all" } else { "open" };
            let call = Call::get("/api/v1/alerts")
                .with("status", Some(status))
                .with("after", args.after.as_ref())
                .with("limit", args.limit);
            args.remote.show(call, out, err, |answer, out| table(list(answer, "items"), COLUMNS, out))
        }
        Some(AlertsCommand::Why { alert, remote }) => {
            let path = format!("/api/v1/alerts/{}/why", segment(alert));
            remote.show(Call::get(&path), out, err, |answer, out| {
                writeln!(out, "{}  {}", text(answer, "id"), text(answer, "key"))?;
                for line in list(answer, "story") {
                    writeln!(out, "{}", line.as_str().unwrap_or_default())?;
                }
                Ok(())
            })
        }
        Some(AlertsCommand::Test { channel, remote }) => {
            let path = format!("/api/v1/channels/{}/test", segment(channel));
            let call = Call::post(&path, json!({"reason": "plimsoll alerts test"}));
            remote.show(call, out, err, |answer, out| {
                writeln!(out, "{}  {}: see `plimsoll channels`", text(answer, "key"), text(answer, "status"))
            })
        }
    }
}

/// Takes an alert on.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn ack(args: &AckArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let path = format!("/api/v1/alerts/{}/ack", segment(&args.alert));
    let mut body = Map::new();
    body.insert("reason".to_owned(), args.reason.as_str().into());
    if let Some(time) = args.r#for {
        body.insert("for_seconds".to_owned(), time.as_secs().into());
    }
    args.remote.show(Call::post(&path, Value::Object(body)), out, err, |answer, out| {
        writeln!(
            out,
            "{}  {}  acknowledged by {} until {}",
            text(answer, "id"),
            text(answer, "key"),
            text(answer, "acked_by"),
            text(answer, "ack_until")
        )
    })
}

/// Lists, adds or ends silences.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn silence(command: &SilenceCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &["id", "code", "scope", "until", "by", "reason"];
    match command {
        SilenceCommand::List(remote) => {
            remote.show(Call::get("/api/v1/silences"), out, err, |answer, out| {
                table(list(answer, "items"), columns, out)
            })
        }
        SilenceCommand::Add(args) => {
            let body = json!({
                "code": args.code,
                "scope": args.scope,
                "reason": args.control.reason,
                "for_seconds": args.r#for.as_secs(),
            });
            let call = Call::post("/api/v1/silences", body);
            let question = format!("Tell nobody of {} on {}", args.code, args.scope);
            args.control.act(&question, call, out, err, |answer, out| {
                table(std::slice::from_ref(answer), columns, out)
            })
        }
        SilenceCommand::End { id, remote } => {
            let path = format!("/api/v1/silences/{}", segment(id));
            remote.show(Call::delete(&path), out, err, |answer, out| {
                writeln!(out, "{}  ended at {}", text(answer, "id"), text(answer, "ended_at"))
            })
        }
    }
}

/// Prints incidents, youngest first.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn incidents(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &[
        "id",
        "root",
        "raised_at",
        "cleared_at",
        "detect_seconds",
        "notify_seconds",
        "acknowledge_seconds",
        "clear_seconds",
    ];
    let call = Call::get("/api/v1/incidents");
    args.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Options of `plimsoll containment`.
#[derive(Debug, Args)]
pub struct ContainmentArgs {
    /// Only what is under way.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    page: PageArgs,
}

/// Prints what was done by itself about alerts, and what is recommended, oldest first.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn containment(args: &ContainmentArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns =
        &["number", "requested_at", "state", "action", "target", "because", "spent", "budget", "outcome"];
    let call = paged("/api/v1/containment", &args.page).with("status", args.open.then_some("open"));
    args.page.remote.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Prints the ways to tell people.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn channels(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &["name", "kind", "status", "last_delivered_at", "waiting", "failures", "last_error"];
    let call = Call::get("/api/v1/channels");
    args.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}
