//! Commands that read a running instance: its state, tree, orders and books.

use super::Exit;
use super::client::{Call, Remote, list, number, segment, table, text};
use clap::{Args, ValueEnum};
use std::io::Write;

/// Options of the commands that read one page of a list.
#[derive(Debug, Args)]
pub struct PageArgs {
    /// Only what comes after this cursor, the `next` of an earlier answer.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    #[command(flatten)]
    pub(super) remote: Remote,
}

/// Which orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Open,
    All,
}

/// Options of `plimsoll orders`.
#[derive(Debug, Args)]
pub struct OrdersArgs {
    /// Those that may still execute, or all that there ever were.
    #[arg(long, value_enum, default_value = "open")]
    state: Wanted,
    /// Only of this strategy.
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Only of this instrument.
    #[arg(long, value_name = "SYMBOL")]
    symbol: Option<String>,
    #[command(flatten)]
    page: PageArgs,
}

const ORDER_COLUMNS: &[&str] = &[
    "client_order_id",
    "venue",
    "symbol",
    "side",
    "type",
    "quantity",
    "price",
    "state",
    "executed_quantity",
    "average_price",
    "strategy",
    "reason",
];

/// Prints the state of the instance.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn status(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    args.show(Call::get("/api/v1/status"), out, err, |answer, out| {
        writeln!(
            out,
            "{}  mode {}  version {}  up {:.0} s  config {}",
            text(answer, "state"),
            text(answer, "mode"),
            text(answer, "version"),
            number(answer, "uptime_seconds"),
            text(answer, "config_hash").chars().take(12).collect::<String>(),
        )?;
        if let Some(counts) = answer.get("counts").filter(|counts| counts.get("open_orders").is_some()) {
            writeln!(
                out,
                "since {}: {}\norders open {}  unknown {}  positions {}  alerts {}",
                text(answer, "since"),
                text(answer, "reason"),
                text(counts, "open_orders"),
                text(counts, "unknown_orders"),
                text(counts, "open_positions"),
                text(counts, "alerts_open"),
            )?;
        }
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
pub fn supervision(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    args.show(Call::get("/api/v1/supervision"), out, err, |answer, out| {
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

/// Prints orders, oldest first.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn orders(args: &OrdersArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let state = if args.state == Wanted::All { "all" } else { "open" };
    let call = paged("/api/v1/orders", &args.page)
        .with("state", Some(state))
        .with("strategy", args.strategy.as_ref())
        .with("symbol", args.symbol.as_ref());
    args.page.remote.show(call, out, err, |answer, out| table(list(answer, "items"), ORDER_COLUMNS, out))
}

/// Prints everything that is known of one order, one member on a line.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn order(id: &str, args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let path = format!("/api/v1/orders/{}", segment(id));
    args.show(Call::get(&path), out, err, |answer, out| {
        for name in answer.as_object().into_iter().flat_map(|members| members.keys()) {
            writeln!(out, "{name:<22} {}", text(answer, name))?;
        }
        Ok(())
    })
}

/// Prints the audit, oldest first.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn audit(args: &PageArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &["at", "actor", "peer", "route", "status", "code", "reason"];
    let call = paged("/api/v1/audit", args);
    args.remote.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Prints fills, in the order in which they were booked.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn fills(args: &PageArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &[
        "at",
        "venue",
        "symbol",
        "side",
        "quantity",
        "price",
        "fee",
        "fee_asset",
        "liquidity",
        "trade_id",
        "client_order_id",
        "strategy",
    ];
    let call = paged("/api/v1/fills", args);
    args.remote.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Prints positions.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn positions(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &[
        "venue",
        "symbol",
        "strategy",
        "quantity",
        "average_price",
        "mark_price",
        "realised_pnl",
        "unrealised_pnl",
        "venue_quantity",
        "compared_at",
    ];
    let call = Call::get("/api/v1/positions");
    args.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Prints balances: the venue's word beside what the ledger expects.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn balances(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &["venue", "asset", "free", "locked", "total", "expected", "compared_at"];
    let call = Call::get("/api/v1/balances");
    args.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

/// Prints the top of every book that is in step.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn quotes(args: &Remote, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let columns = &["venue", "symbol", "bid", "bid_quantity", "ask", "ask_quantity", "last_price"];
    let call = Call::get("/api/v1/quotes");
    args.show(call, out, err, |answer, out| table(list(answer, "items"), columns, out))
}

pub(super) fn paged<'a>(path: &'a str, page: &PageArgs) -> Call<'a> {
    Call::get(path).with("after", page.after.as_ref()).with("limit", page.limit)
}
