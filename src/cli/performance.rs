//! `plimsoll performance`: what every strategy earned, from a running instance.

use super::Exit;
use super::client::{Call, Remote, list, text};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::io::Write;

/// How far back.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Period {
    #[value(name = "1d")]
    Day,
    #[value(name = "7d")]
    Week,
    #[value(name = "30d")]
    Month,
    #[value(name = "all")]
    All,
}

impl Period {
    const fn word(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "all",
        }
    }
}

/// Options of `plimsoll performance`.
#[derive(Debug, Args)]
pub struct PerformanceArgs {
    /// Only this strategy.
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Only this venue.
    #[arg(long, value_name = "NAME")]
    venue: Option<String>,
    /// How far back.
    #[arg(long, value_name = "PERIOD", default_value = "7d")]
    period: Period,
    /// Seconds of the clock of the returns, instead of the period's own.
    #[arg(long, value_name = "SECONDS")]
    clock_seconds: Option<u32>,
    /// Print tables in Markdown, with every figure.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Where a figure stands in an item, and what it is called.
const FIGURES: &[(&str, &[&str])] = &[
    ("pnl", &["money", "pnl"]),
    ("net_pnl", &["money", "net_pnl"]),
    ("fees", &["money", "fees"]),
    ("turnover", &["money", "turnover"]),
    ("roi", &["roi"]),
    ("sharpe", &["returns", "sharpe_ann"]),
    ("max_drawdown", &["drawdown", "depth"]),
    ("win_rate", &["trips", "win_rate"]),
    ("fills", &["execution", "orders", "fills"]),
    ("returns", &["returns", "n"]),
];

/// Runs the command.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn run(args: &PerformanceArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let call = Call::get("/api/v1/performance")
        .with("strategy", args.strategy.as_ref())
        .with("venue", args.venue.as_ref())
        .with("period", Some(args.period.word()))
        .with("clock_seconds", args.clock_seconds);
    args.remote.show(
        call,
        out,
        err,
        |answer, out| {
            if args.markdown { markdown(answer, out) } else { table(answer, out) }
        },
    )
}

fn scope(item: &Value) -> (String, String) {
    let name = |member: &str| item.get(member).and_then(Value::as_str).unwrap_or("all").to_owned();
    (name("strategy"), name("venue"))
}

/// A figure for people: rounded, or the reason why there is none. A reason may stand above the figure's own place.
fn figure(item: &Value, path: &[&str]) -> String {
    let mut at = item;
    for step in path {
        match at.get(step) {
            Some(next) => at = next,
            None => break,
        }
    }
    match at {
        Value::Number(number) => match number.as_f64() {
            Some(value) if !number.is_u64() => format!("{value:.4}"),
            _ => number.to_string(),
        },
        Value::String(text) => text
            .parse::<rust_decimal::Decimal>()
            .map_or_else(|_| text.clone(), |value| value.round_dp(4).to_string()),
        Value::Object(object) => object.get("undefined").and_then(Value::as_str).unwrap_or("-").to_owned(),
        _ => "-".to_owned(),
    }
}

fn table(answer: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let mut lines = vec![Vec::from(["strategy".to_owned(), "venue".to_owned()])];
    if let Some(head) = lines.first_mut() {
        head.extend(FIGURES.iter().map(|(name, _)| (*name).to_owned()));
    }
    for item in list(answer, "items") {
        let (strategy, venue) = scope(item);
        let figures = FIGURES.iter().map(|(_, path)| figure(item, path));
        lines.push([strategy, venue].into_iter().chain(figures).collect());
    }
    let columns = FIGURES.len().saturating_add(2);
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or(0))
        .collect();
    for line in &lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    writeln!(out, "period {}, observed at {}", text(answer, "period"), text(answer, "observed_at"))
}

fn markdown(answer: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "# Performance, {}\n", text(answer, "period"))?;
    let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
    writeln!(out, "| strategy | venue | {} |", names.join(" | "))?;
    writeln!(out, "|---|---|{}", "---:|".repeat(names.len()))?;
    for item in list(answer, "items") {
        let (strategy, venue) = scope(item);
        let figures: Vec<String> = FIGURES.iter().map(|(_, path)| figure(item, path)).collect();
        writeln!(out, "| {strategy} | {venue} | {} |", figures.join(" | "))?;
    }
    for item in list(answer, "items") {
        let (strategy, venue) = scope(item);
        writeln!(out, "\n## {strategy}, {venue}\n")?;
        let (from, to) = (text(item, "from"), text(item, "to"));
        writeln!(
            out,
            "Observed from {from} to {to}; gaps on the clock of the returns: {}.\n",
            text(item, "gaps")
        )?;
        writeln!(out, "| figure | value |\n|---|---:|")?;
        for group in ["money", "returns", "drawdown", "trips", "execution"] {
            let members = item.get(group).and_then(Value::as_object).into_iter().flatten();
            for (name, value) in members {
                let undefined_group = name == "undefined";
                let shown = if undefined_group {
                    text(item.get(group).unwrap_or(&Value::Null), name)
                } else {
                    figure_of(value)
                };
                writeln!(out, "| {group}.{name} | {shown} |")?;
            }
        }
        writeln!(out, "| roi | {} |", figure(item, &["roi"]))?;
        writeln!(out, "| exposure_time | {} |", figure(item, &["exposure_time"]))?;
    }
    Ok(())
}

fn figure_of(value: &Value) -> String {
    match value {
        Value::Object(object) if !object.contains_key("undefined") => object
            .iter()
            .map(|(name, value)| format!("{name} {}", figure_of(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => figure(other, &[]),
    }
}
