//! The JSON objects that pass over HTTP, by name.

use super::build::problem_shape;
use super::schema::{
    answer, count, decimal, flag, list, map, name, named, or_null, page, pattern, positive, reason, request,
    seconds, text, time, word,
};
use crate::domain::health::SafeAction;
use crate::domain::order::OrderState;
use serde_json::{Value, json};

/// All of them.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    let mut all = vec![("Problem", problem_shape())];
    all.extend(health());
    all.extend(trading());
    all.extend(controls());
    all.extend(super::alert_shapes::shapes());
    all.extend(requests());
    all.extend(super::performance::shapes());
    all
}

fn any() -> Value {
    json!({})
}

fn node_state() -> Value {
    word(&["starting", "running", "backoff", "stopping", "stopped", "failed"])
}

fn state() -> Value {
    word(&["starting", "reconciling", "running", "paused", "reduce_only", "halted", "draining"])
}

fn health() -> Vec<(&'static str, Value)> {
    let gate = answer(&[("name", text()), ("open", flag()), ("reason", text())]);
    let node = answer(&[
        ("path", text()),
        ("kind", word(&["supervisor", "worker", "task"])),
        ("state", node_state()),
        ("epoch", count()),
        ("restarts", count()),
        ("age_seconds", seconds()),
        ("mailbox_depth", count()),
        ("handled", count()),
        ("last_failure", or_null(text())),
        ("last_failure_age_seconds", or_null(seconds())),
        ("dead_letters", map(count())),
        ("limits", map(any())),
        ("metadata", map(text())),
    ]);
    let component = answer(&[
        ("name", text()),
        ("status", word(&["healthy", "degraded", "stale", "disconnected", "stalled", "failed", "unknown"])),
        ("severity", word(&["ok", "warning", "critical"])),
        ("reason", or_null(text())),
        ("age_seconds", or_null(seconds())),
        ("locality", word(&["local", "pipeline", "downstream"])),
        ("safe_actions", list(word(&SafeAction::ALL.map(SafeAction::word)))),
        ("runbook", or_null(text())),
        ("cause", or_null(text())),
    ]);
    let status = answer(&[
        ("mode", word(&["paper", "testnet", "live"])),
        ("state", state()),
        ("state_version", or_null(count())),
        ("reason", or_null(text())),
        ("actor", or_null(text())),
        ("since", or_null(time())),
        ("version", text()),
        ("config_hash", pattern("^[0-9a-f]{64}$")),
        ("uptime_seconds", seconds()),
        ("snapshot_id", count()),
        ("counts", map(any())),
        ("components", list(named("Component"))),
    ]);
    let ready = answer(&[
        ("ready", flag()),
        ("snapshot_id", count()),
        ("at", time()),
        ("failing", list(text())),
        ("gates", list(named("Gate"))),
    ]);
    let whole = answer(&[
        ("status", word(&["pass", "warn", "fail"])),
        ("version", text()),
        ("releaseId", text()),
        ("serviceId", text()),
        ("snapshot_id", count()),
        ("time", time()),
        ("checks", map(list(any()))),
        ("containment", list(named("Intent"))),
    ]);
    vec![
        ("Alive", answer(&[("alive", flag()), ("snapshot_id", count()), ("at", time())])),
        ("Gate", gate),
        ("Ready", ready),
        ("Health", whole),
        ("Component", component),
        ("Status", status),
        ("Node", node),
        ("Supervision", answer(&[("at", time()), ("nodes", list(named("Node")))])),
    ]
}

fn order_state() -> Value {
    let words: Vec<&str> = OrderState::ALL.iter().map(|state| state.word()).collect();
    word(&words)
}

fn trading() -> Vec<(&'static str, Value)> {
    let order = answer(&[
        ("client_order_id", text()),
        ("venue_client_order_id", text()),
        ("venue_order_id", or_null(text())),
        ("venue", name(32)),
        ("symbol", text()),
        ("side", word(&["buy", "sell"])),
        ("type", word(&["limit", "market", "limit_maker"])),
        ("quantity", decimal()),
        ("price", or_null(decimal())),
        ("time_in_force", or_null(text())),
        ("stop_loss", or_null(decimal())),
        ("reduce_only", flag()),
        ("state", order_state()),
        ("executed_quantity", decimal()),
        ("booked_quantity", decimal()),
        ("average_price", or_null(decimal())),
        ("decision_price", or_null(decimal())),
        ("strategy", name(32)),
        ("origin", word(&["intent", "adopted"])),
        ("reason", or_null(text())),
        ("attempts", count()),
        ("cancel_requested", flag()),
        ("replaces", or_null(text())),
        ("correlation", text()),
        ("created_at", or_null(time())),
        ("updated_at", or_null(time())),
    ]);
    let fill = answer(&[
        ("venue", name(32)),
        ("trade_id", text()),
        ("client_order_id", or_null(text())),
        ("venue_order_id", text()),
        ("symbol", text()),
        ("side", word(&["buy", "sell"])),
        ("quantity", decimal()),
        ("price", decimal()),
        ("fee", decimal()),
        ("fee_asset", or_null(text())),
        ("liquidity", word(&["maker", "taker"])),
        ("strategy", name(32)),
        ("busted", flag()),
        ("correlation", text()),
        ("at", or_null(time())),
        ("booked_at", or_null(time())),
    ]);
    let position = answer(&[
        ("venue", name(32)),
        ("symbol", text()),
        ("strategy", name(32)),
        ("quantity", decimal()),
        ("average_price", or_null(decimal())),
        ("realised_pnl", decimal()),
        ("unrealised_pnl", or_null(decimal())),
        ("mark_price", or_null(decimal())),
        ("fees", map(decimal())),
        ("turnover", decimal()),
        ("venue_quantity", or_null(decimal())),
        ("compared_at", or_null(time())),
        ("updated_at", or_null(time())),
    ]);
    let balance = answer(&[
        ("venue", name(32)),
        ("asset", text()),
        ("free", decimal()),
        ("locked", decimal()),
        ("total", or_null(decimal())),
        ("expected", or_null(decimal())),
        ("compared_at", or_null(time())),
    ]);
    let quote = answer(&[
        ("venue", name(32)),
        ("symbol", text()),
        ("bid", or_null(decimal())),
        ("bid_quantity", or_null(decimal())),
        ("ask", or_null(decimal())),
        ("ask_quantity", or_null(decimal())),
        ("last_price", or_null(decimal())),
        ("last_trade_at", or_null(time())),
    ]);
    let row = answer(&[
        ("seq", count()),
        ("kind", text()),
        ("correlation", text()),
        ("at", or_null(time())),
        ("payload", any()),
    ]);
    vec![
        ("Order", order),
        ("Orders", page("Order")),
        ("Fill", fill),
        ("Fills", page("Fill")),
        ("Position", position),
        ("Positions", page("Position")),
        ("Balance", balance),
        ("Balances", page("Balance")),
        ("Quote", quote),
        ("Quotes", page("Quote")),
        ("JournalRow", row),
        ("JournalRows", page("JournalRow")),
        ("OrderTaken", answer(&[("client_order_id", text()), ("state", order_state())])),
    ]
}

fn controls() -> Vec<(&'static str, Value)> {
    let line = answer(&[
        ("id", count()),
        ("at", or_null(time())),
        ("actor", text()),
        ("principal", text()),
        ("peer", text()),
        ("route", text()),
        ("verb", text()),
        ("reason", or_null(text())),
        ("idempotency_key", or_null(text())),
        ("status", count()),
        ("code", or_null(text())),
    ]);
    let state_now = [
        ("state", state()),
        ("state_version", count()),
        ("reason", text()),
        ("actor", text()),
        ("since", or_null(time())),
    ];
    // The answer to a pause says besides what becomes of resting orders.
    let with_resting: Vec<(&str, Value)> =
        state_now.iter().cloned().chain([("resting_orders", word(&["keep", "cancel"]))]).collect();
    let killed = answer(&[
        ("state", state()),
        ("engaged", flag()),
        ("already", flag()),
        ("generation", count()),
        ("cause", or_null(text())),
        ("reason", text()),
        ("actor", text()),
        ("at", or_null(time())),
        ("durable", flag()),
        ("durable_problem", or_null(text())),
        ("in_flight", count()),
        ("resting_orders", word(&["cancel_all", "keep", "flatten"])),
    ]);
    let gauge = answer(&[
        ("name", text()),
        ("scope", text()),
        ("used", or_null(decimal())),
        ("limit", or_null(decimal())),
        ("ratio", or_null(decimal())),
    ]);
    let check = answer(&[
        ("check", text()),
        ("code", text()),
        ("limit_name", text()),
        ("scope", text()),
        ("used", or_null(decimal())),
        ("limit", or_null(decimal())),
        ("distance", or_null(decimal())),
        ("passed", word(&["held", "denied", "lifted", "relaxed"])),
        ("note", text()),
    ]);
    let risk = answer(&[
        ("limits_id", or_null(text())),
        ("gauges", list(named("Gauge"))),
        ("breaches", list(any())),
        ("latches", list(any())),
        ("restraints", list(any())),
        ("at", or_null(time())),
    ]);
    let explanation = answer(&[
        ("verdict", any()),
        ("limits", text()),
        ("lines", list(named("CheckLine"))),
        ("figures", any()),
    ]);
    vec![
        ("Steered", answer(&state_now)),
        ("Paused", answer(&with_resting)),
        ("Killed", killed),
        ("Gauge", gauge),
        ("CheckLine", check),
        ("Risk", risk),
        ("Explanation", explanation),
        ("AuditLine", line),
        ("Audit", page("AuditLine")),
        ("Strategy", answer(&[("name", name(32)), ("enabled", flag())])),
        ("Strategies", page("Strategy")),
    ]
}

fn requests() -> Vec<(&'static str, Value)> {
    let symbol = || pattern(r"^[A-Z0-9_./:-]{1,32}$");
    let order = request(
        &[
            ("symbol", symbol()),
            ("side", word(&["buy", "sell"])),
            ("type", word(&["limit", "market", "limit_maker"])),
            ("quantity", positive()),
            ("strategy", name(32)),
        ],
        &[
            ("client_order_id", or_null(name(36))),
            ("venue", or_null(name(32))),
            ("price", or_null(positive())),
            ("time_in_force", or_null(word(&["gtc", "ioc", "fok"]))),
            ("stop_loss", or_null(positive())),
            ("reduce_only", or_null(flag())),
        ],
    );
    let replacement = request(
        &[("price", positive()), ("quantity", positive())],
        &[("client_order_id", or_null(name(36))), ("reason", or_null(reason()))],
    );
    let resolution = request(&[("as", word(&["absent", "query", "resend"])), ("reason", reason())], &[]);
    let scope =
        [("venue", or_null(name(32))), ("symbol", or_null(symbol())), ("strategy", or_null(name(32)))];
    let granted = request(
        &[
            ("strategy", name(32)),
            ("venue", name(32)),
            ("symbol", symbol()),
            ("side", word(&["buy", "sell"])),
            ("max_quantity", positive()),
            ("lifts", json!({"type": "string", "examples": ["POSITION_LIMIT,LEVERAGE"]})),
            ("expires_seconds", pattern("^[1-9][0-9]{0,3}$")),
            ("reason", reason()),
        ],
        &[],
    );
    vec![
        ("Override", granted),
        ("NewOrder", order),
        ("Replacement", replacement),
        ("Resolution", resolution),
        ("Reason", request(&[("reason", reason())], &[])),
        ("CancelScope", request(&[("reason", reason())], &scope)),
    ]
}
