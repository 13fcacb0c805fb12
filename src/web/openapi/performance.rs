//! The routes of performance in words, and the objects that they answer.

use super::operation::Operation;
use super::schema::{
    answer, count, decimal, flag, list, map, name, named, or_null, pattern, text, time, word,
};
use serde_json::{Value, json};

fn asked(operation: Operation) -> Operation {
    operation
        .query("strategy", name(32), "only of this strategy")
        .query("venue", pattern("^[A-Za-z0-9_-]{1,32}$"), "only at this venue")
        .query("period", word(&["1d", "7d", "30d", "all"]), "how far back, 7d unless asked otherwise")
        .query(
            "clock_seconds",
            json!({"type": "integer", "minimum": 1, "maximum": 86400}),
            "the clock of the returns or of the curve, instead of the period's own: a multiple of sample_seconds \
             that divides a day",
        )
        .problem(404, "there is no such strategy or venue")
        .problem(422, "a parameter is wrong")
}

/// `GET /api/v1/performance`.
pub(crate) fn performance() -> Operation {
    asked(Operation::new("performance", "What strategies earned: figures of a period")).answers(
        200,
        "as of the last observation",
        named("Performance"),
    )
}

/// `GET /api/v1/performance/equity`.
pub(crate) fn equity() -> Operation {
    asked(Operation::new("equity", "Profit, equity and drawdown on a clock")).answers(
        200,
        "as of the last observation",
        named("EquityCurve"),
    )
}

/// A number, or why there is none.
fn figure() -> Value {
    json!({"anyOf": [{"type": "number"}, {"$ref": "#/components/schemas/Undefined"}]})
}

/// A sum of money, or why there is none.
fn sum() -> Value {
    json!({"anyOf": [decimal(), {"$ref": "#/components/schemas/Undefined"}]})
}

/// An object, or why there is none.
fn perhaps(schema: Value) -> Value {
    json!({"anyOf": [schema, {"$ref": "#/components/schemas/Undefined"}]})
}

fn members<const N: usize>(names: [&'static str; N], schema: fn() -> Value) -> Vec<(&'static str, Value)> {
    names.into_iter().map(|name| (name, schema())).collect()
}

/// The objects.
pub(super) fn shapes() -> Vec<(&'static str, Value)> {
    let mut money = vec![("asset", text()), ("running_costs", decimal()), ("funding", decimal())];
    money.extend(members(
        [
            "realised_pnl",
            "unrealised_pnl",
            "fees",
            "pnl",
            "net_pnl",
            "slippage",
            "turnover",
            "exposure",
            "budget",
        ],
        sum,
    ));
    let fall = [("depth", json!({"type": "number"})), ("recovered_at", or_null(time()))];
    let mut trips = members(["n", "wins", "losses", "flat", "unpriced"], count);
    trips.extend(members(
        [
            "profit_factor",
            "win_rate",
            "average_win",
            "average_loss",
            "payoff",
            "expectancy",
            "mean_holding_seconds",
        ],
        figure,
    ));
    let mut orders = members(
        ["denied", "taken", "rejected", "cancelled", "expired", "filled", "touched", "doubted", "fills"],
        count,
    );
    orders.push(("codes", map(count())));
    let mut execution = vec![("orders", answer(&orders))];
    execution.extend(members(
        ["denial_rate", "rejection_rate", "fill_rate", "maker_share", "slippage_bps"],
        figure,
    ));
    let mut returns = vec![("n", count()), ("periods_per_year", json!({"type": "number"}))];
    returns.extend(members(
        [
            "mean",
            "std_ddof1",
            "sharpe_ann",
            "sortino_ann",
            "total_return",
            "max_drawdown",
            "probabilistic_sharpe",
            "min_track_record_observations",
            "deflated_sharpe",
        ],
        figure,
    ));
    let item = answer(&[
        ("strategy", or_null(name(32))),
        ("venue", or_null(text())),
        ("period", word(&["1d", "7d", "30d", "all"])),
        ("from", or_null(time())),
        ("to", or_null(time())),
        ("observed_seconds", count()),
        ("clock_seconds", count()),
        ("gaps", count()),
        ("money", perhaps(answer(&money))),
        ("roi", figure()),
        ("returns", answer(&returns)),
        ("drawdown", perhaps(answer(&fall))),
        ("trips", perhaps(answer(&trips))),
        ("execution", answer(&execution)),
        ("exposure_time", figure()),
    ]);
    let point =
        answer(&[("at", time()), ("pnl", sum()), ("equity", sum()), ("drawdown", figure()), ("gap", flag())]);
    vec![
        ("Undefined", answer(&[("undefined", text())])),
        ("PerformanceFigures", item),
        (
            "Performance",
            answer(&[
                ("period", word(&["1d", "7d", "30d", "all"])),
                ("sample_seconds", count()),
                ("observed_at", or_null(time())),
                ("failure", or_null(text())),
                ("items", list(named("PerformanceFigures"))),
            ]),
        ),
        (
            "EquityCurve",
            answer(&[
                ("strategy", or_null(name(32))),
                ("venue", or_null(text())),
                ("period", word(&["1d", "7d", "30d", "all"])),
                ("clock_seconds", count()),
                ("budget", or_null(decimal())),
                ("asset", or_null(text())),
                ("points", list(point)),
            ]),
        ),
    ]
}
