//! `plimsoll risk`: how full the limits are, what the chain would say of an order, letting one order through.

use super::Exit;
use super::client::{Call, Remote, list, table, text};
use super::control::ControlArgs;
use super::orders::{SubmitArgs, object};
use crate::db::Inspector;
use crate::domain::oms::Fact;
use crate::domain::risk::{LimitsId, RiskSettings};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

/// What to do about risk.
#[derive(Debug, Subcommand)]
pub enum RiskCommand {
    /// All limits and how much of each is used, the tightest first.
    Show(Remote),
    /// Would this order be denied? Nothing is sent; every check is shown.
    Evaluate(SubmitArgs),
    /// Let one order through that the chain denies.
    Override(OverrideArgs),
    /// Judge every decision of a journal again, with the limits and figures that stand there; exit code 1 when one comes
    /// out otherwise.
    Replay(ReplayArgs),
}

/// Options of `plimsoll risk override`.
#[derive(Debug, Args)]
pub struct OverrideArgs {
    /// Whose order.
    #[arg(long)]
    strategy: String,
    /// Where.
    #[arg(long)]
    venue: String,
    /// Instrument.
    #[arg(long)]
    symbol: String,
    /// buy or sell.
    #[arg(long)]
    side: String,
    /// Not more than this.
    #[arg(long)]
    max_quantity: String,
    /// Codes that it lifts, separated by commas, such as POSITION_LIMIT.
    #[arg(long, value_name = "CODES")]
    lifts: String,
    /// For how long, at most an hour.
    #[arg(long, value_name = "SECONDS")]
    expires_seconds: String,
    #[command(flatten)]
    control: ControlArgs,
}

/// Options of `plimsoll risk replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn run(command: &RiskCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        RiskCommand::Show(remote) => remote.show(Call::get("/api/v1/risk"), out, err, |answer, out| {
            table(list(answer, "gauges"), &["name", "scope", "used", "limit", "ratio"], out)?;
            let stands = [("breaches", "broken"), ("latches", "latched")];
            for (member, word) in stands {
                for one in list(answer, member) {
                    let whose = if member == "breaches" { one.get("scope") } else { one.get("strategy") };
                    let whose = whose.map(Value::to_string).unwrap_or_default();
                    writeln!(out, "{word}: {} {}", whose.trim_matches('"'), text(one, "reason"))?;
                }
            }
            Ok(())
        }),
        RiskCommand::Evaluate(args) => {
            let call = Call::post("/api/v1/risk/evaluate", args.body());
            args.remote.show(call, out, err, |answer, out| {
                let verdict = answer.get("verdict").unwrap_or(&Value::Null);
                match verdict.get("denied").or_else(|| verdict.get("Denied")).unwrap_or(verdict) {
                    denied if denied.get("code").is_some() => {
                        writeln!(out, "denied: {}: {}", text(denied, "code"), text(denied, "detail"))?;
                    }
                    _ => writeln!(out, "approved")?,
                }
                let columns = ["check", "limit_name", "scope", "used", "limit", "distance", "passed", "note"];
                table(list(answer, "lines"), &columns, out)
            })
        }
        RiskCommand::Replay(args) => replay(args, out, err),
        RiskCommand::Override(args) => {
            let given = |text: &String| Some(Value::from(text.as_str()));
            let body = object([
                ("strategy", given(&args.strategy)),
                ("venue", given(&args.venue)),
                ("symbol", given(&args.symbol)),
                ("side", given(&args.side)),
                ("max_quantity", given(&args.max_quantity)),
                ("lifts", given(&args.lifts)),
                ("expires_seconds", given(&args.expires_seconds)),
                ("reason", given(&args.control.reason)),
            ]);
            let call = Call::post("/api/v1/risk/overrides", body);
            args.control.act("Let one such order through", call, out, err, |_, out| {
                writeln!(out, "granted; used up by the first order that it lets through")
            })
        }
    }
}

/// Most differences that are shown one by one.
const SHOWN_MAX: u64 = 20;

/// What was found in a journal.
#[derive(Default)]
struct Replayed {
    limits: BTreeMap<LimitsId, RiskSettings>,
    decisions: u64,
    without_limits: u64,
    differ: u64,
    lines: Vec<String>,
}

impl Replayed {
    fn take(&mut self, seq: u64, fact: &Fact) {
        match fact {
            Fact::Limits(in_force) => match serde_json::from_value(in_force.settings.clone()) {
                Ok(settings) => drop(self.limits.insert(in_force.id.clone(), settings)),
                Err(error) => self.lines.push(format!("row {seq}: limits that cannot be read: {error}")),
            },
            Fact::Decision(record) => {
                self.decisions = self.decisions.saturating_add(1);
                let Some(limits) = self.limits.get(&record.limits) else {
                    self.without_limits = self.without_limits.saturating_add(1);
                    return;
                };
                let again = record.replay(limits);
                if again == record.verdict {
                    return;
                }
                self.differ = self.differ.saturating_add(1);
                if self.differ <= SHOWN_MAX {
                    self.lines.push(format!("row {seq}: {:?}, and now {again:?}", record.verdict));
                }
            }
            _ => {}
        }
    }
}

fn replay(args: &ReplayArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut found = Replayed::default();
    let mut unread = None;
    Inspector::open(&args.data_dir)?.export(|row| {
        match Fact::from_row(&row.kind, &row.payload) {
            Ok(Some(fact)) => found.take(row.seq.0, &fact),
            Ok(None) => {}
            Err(error) => drop(unread.get_or_insert(error.to_string())),
        }
        Ok(())
    })?;
    for line in &found.lines {
        writeln!(err, "plimsoll risk replay: {line}")?;
    }
    if let Some(why) = &unread {
        writeln!(err, "plimsoll risk replay: {why}")?;
    }
    let Replayed { decisions, without_limits, differ, .. } = found;
    writeln!(
        out,
        "{decisions} decisions judged again: {differ} differ, {without_limits} without their limits"
    )?;
    Ok(if differ == 0 && without_limits == 0 && unread.is_none() { Exit::Ok } else { Exit::Failure })
}
