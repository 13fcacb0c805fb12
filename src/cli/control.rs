//! Commands that steer a running instance. Each needs a reason, which is written down with what was done.
//!
//! On a terminal they ask once before they act; `--yes` and scripts are not asked.

use super::Exit;
use super::client::{Call, Remote, list, segment, table, text};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use std::io::{BufRead, IsTerminal, Write};

/// Options of every control.
#[derive(Debug, Args)]
pub struct ControlArgs {
    /// Why; it stands in the journal.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub(super) remote: Remote,
}

/// Options of `plimsoll cancel-all`.
#[derive(Debug, Args)]
pub struct CancelAllArgs {
    /// Only at this venue.
    #[arg(long)]
    venue: Option<String>,
    /// Only this instrument.
    #[arg(long)]
    symbol: Option<String>,
    /// Only of this strategy.
    #[arg(long)]
    strategy: Option<String>,
    #[command(flatten)]
    control: ControlArgs,
}

/// What became of an order whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Became {
    /// It never reached the venue.
    Absent,
    /// Ask the venue again now.
    Query,
    /// Send it again under the same id; only after proof of absence.
    Resend,
}

/// Options of `plimsoll resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The client order id.
    order: String,
    /// What to do with it.
    #[arg(long = "as", value_enum)]
    became: Became,
    #[command(flatten)]
    control: ControlArgs,
}

/// What to do with strategies.
#[derive(Debug, Subcommand)]
pub enum StrategyCommand {
    /// Which there are, and whether they may trade.
    List(Remote),
    /// Let one trade.
    Enable(SwitchArgs),
    /// Let one go on that its own executions had stopped.
    ReEnable(SwitchArgs),
    /// Take no new orders of one. A built-in strategy takes its working orders back.
    Disable(SwitchArgs),
}

/// Options of `plimsoll strategy enable` and `disable`.
#[derive(Debug, Args)]
pub struct SwitchArgs {
    /// Its name.
    name: String,
    #[command(flatten)]
    control: ControlArgs,
}

/// Cancels every open order within the scope.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn cancel_all(args: &CancelAllArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let scope = [("venue", &args.venue), ("symbol", &args.symbol), ("strategy", &args.strategy)];
    let mut body = Map::new();
    body.insert("reason".to_owned(), args.control.reason.as_str().into());
    for (name, value) in scope {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.as_str().into());
        }
    }
    let call = Call::post("/api/v1/controls/cancel-all", Value::Object(body));
    args.control.act("Cancel all open orders within the scope", call, out, err, |answer, out| {
        writeln!(out, "cancels begun: {}", text(answer, "cancels_begun"))
    })
}

/// Drains, then starts warm in place.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn restart(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let call = Call::post("/api/v1/controls/restart", json!({"reason": args.reason}));
    args.act("Drain and start warm", call, out, err, |_, out| writeln!(out, "restarting"))
}

/// Says what became of an order whose outcome is unknown.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn resolve(args: &ResolveArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let (word, question) = match args.became {
        Became::Absent => ("absent", "Close the order as never having reached the venue"),
        Became::Query => ("query", "Ask the venue about the order again"),
        Became::Resend => ("resend", "Send the order again under the same id"),
    };
    let path = format!("/api/v1/orders/{}/resolve", segment(&args.order));
    let call = Call::post(&path, json!({"as": word, "reason": args.control.reason}));
    args.control.act(question, call, out, err, |answer, out| {
        writeln!(out, "{}  {}", text(answer, "client_order_id"), text(answer, "state"))
    })
}

/// Lists or switches strategies.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn strategy(command: &StrategyCommand, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let (args, verb) = match command {
        StrategyCommand::List(remote) => {
            return remote.show(Call::get("/api/v1/strategies"), out, err, |answer, out| {
                table(list(answer, "items"), &["name", "enabled"], out)
            });
        }
        StrategyCommand::Enable(args) => (args, "enable"),
        StrategyCommand::Disable(args) => (args, "disable"),
        StrategyCommand::ReEnable(args) => {
            let path = format!("/api/v1/strategies/{}/re-enable", segment(&args.name));
            let call = Call::post(&path, json!({"reason": args.control.reason}));
            let question = format!("Let {} go on", args.name);
            return args.control.act(&question, call, out, err, |_, out| writeln!(out, "it may trade again"));
        }
    };
    let path = format!("/api/v1/strategies/{}/{verb}", segment(&args.name));
    let call = Call::post(&path, json!({"reason": args.control.reason}));
    args.control.act(&format!("{verb} {}", args.name), call, out, err, |answer, out| {
        table(std::slice::from_ref(answer), &["name", "enabled"], out)
    })
}

impl ControlArgs {
    pub(super) fn act(
        &self,
        question: &str,
        call: Call<'_>,
        out: &mut dyn Write,
        err: &mut dyn Write,
        print: impl FnOnce(&Value, &mut dyn Write) -> std::io::Result<()>,
    ) -> anyhow::Result<Exit> {
        if !self.yes && std::io::stdin().is_terminal() && !confirmed(question, err)? {
            writeln!(err, "plimsoll: nothing was done")?;
            return Ok(Exit::Refused);
        }
        self.remote.show(call, out, err, print)
    }
}

/// Asks on the terminal. Anything but a plain yes is a no.
fn confirmed(question: &str, err: &mut dyn Write) -> anyhow::Result<bool> {
    write!(err, "{question}? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
