//! The lines of the route table in words: one function for each.

use super::operation::Operation;
use super::schema::{answer, count, flag, name, named, or_null, pattern, text, word};

/// `GET /livez`.
pub(crate) fn livez() -> Operation {
    Operation::new("livez", "Is the process alive?").answers(200, "it is", named("Alive")).answers(
        503,
        "it is ending or has failed",
        named("Alive"),
    )
}

/// `GET /readyz`.
pub(crate) fn readyz() -> Operation {
    Operation::new("readyz", "May it trade?").answers(200, "every gate is open", named("Ready")).answers(
        503,
        "a gate is closed; it is named",
        named("Ready"),
    )
}

/// `GET /health`.
pub(crate) fn health() -> Operation {
    let media = "application/health+json";
    Operation::new("health", "The whole truth about every component")
        .answers_as(200, "it works, perhaps with a warning", media, named("Health"))
        .answers_as(503, "it does not", media, named("Health"))
}

/// `GET /metrics`.
pub(crate) fn metrics() -> Operation {
    Operation::new("metrics", "Metrics in the Prometheus text format").answers_as(
        200,
        "the exposition",
        "text/plain",
        text(),
    )
}

/// `GET /openapi.json`.
pub(crate) fn openapi() -> Operation {
    Operation::new("openapi", "This description").answers(
        200,
        "OpenAPI 3.1",
        serde_json::json!({"type": "object"}),
    )
}

/// `GET /api/v1/status`.
pub(crate) fn status() -> Operation {
    Operation::new("status", "State, counts and components").answers(200, "now", named("Status"))
}

/// `GET /api/v1/supervision`.
pub(crate) fn supervision() -> Operation {
    Operation::new("supervision", "The supervision tree").answers(200, "now", named("Supervision"))
}

/// `POST /api/v1/orders`.
pub(crate) fn submit_order() -> Operation {
    Operation::new("submit_order", "Place an order; the same client_order_id again is the same order")
        .body(named("NewOrder"))
        .answers(202, "the intent is on the disk", named("OrderTaken"))
        .problem(422, "values are wrong, or the order was denied: nothing was sent")
}

/// `GET /api/v1/orders`.
pub(crate) fn list_orders() -> Operation {
    Operation::new("list_orders", "Orders in the order of their making")
        .query("state", word(&["open", "all"]), "open ones unless asked otherwise")
        .query("strategy", name(32), "only of this strategy")
        .query("symbol", pattern("^[A-Z0-9_./:-]{1,32}$"), "only of this instrument")
        .paged()
        .answers(200, "a page", named("Orders"))
}

/// `GET /api/v1/orders/{client_order_id}`.
pub(crate) fn get_order() -> Operation {
    Operation::new("get_order", "One order")
        .answers(200, "the order", named("Order"))
        .problem(404, "there is no such order")
}

/// `DELETE /api/v1/orders/{client_order_id}`.
pub(crate) fn cancel_order() -> Operation {
    Operation::new("cancel_order", "Cancel an order")
        .query("reason", super::schema::reason(), "why; it stands in the journal")
        .answers(202, "the cancel is under way, or the order is final already", named("OrderTaken"))
        .problem(404, "there is no such order")
}

/// `POST /api/v1/orders/{client_order_id}/replace`.
pub(crate) fn replace_order() -> Operation {
    Operation::new("replace_order", "Cancel an order and place another in its stead")
        .body(named("Replacement"))
        .answers(202, "the new order's intent is on the disk", named("OrderTaken"))
        .problem(404, "there is no such order")
}

/// `POST /api/v1/orders/{client_order_id}/resolve`.
pub(crate) fn resolve_order() -> Operation {
    let taken = answer(&[("client_order_id", text())]);
    Operation::new("resolve_order", "Say what became of an order whose outcome is unknown")
        .body(named("Resolution"))
        .answers(202, "taken", taken)
        .problem(404, "there is no such order")
}

/// `GET /api/v1/fills`.
pub(crate) fn fills() -> Operation {
    Operation::new("fills", "Fills in the order of their booking")
        .query("client_order_id", pattern("^[!-~]{1,64}$"), "only of this order")
        .query("strategy", name(32), "only of this strategy")
        .query("symbol", pattern("^[A-Z0-9_./:-]{1,32}$"), "only of this instrument")
        .paged()
        .answers(200, "a page", named("Fills"))
}

/// `GET /api/v1/positions`.
pub(crate) fn positions() -> Operation {
    Operation::new("positions", "The ledger beside the market and the venue").answers(
        200,
        "all of them",
        named("Positions"),
    )
}

/// `GET /api/v1/balances`.
pub(crate) fn balances() -> Operation {
    Operation::new("balances", "Balances by the venue's last word, beside what the ledger expects").answers(
        200,
        "all of them",
        named("Balances"),
    )
}

/// `GET /api/v1/journal`.
pub(crate) fn journal() -> Operation {
    Operation::new("journal", "Rows of the journal, in order").paged().answers(
        200,
        "a page",
        named("JournalRows"),
    )
}

/// `GET /api/v1/quotes`.
pub(crate) fn quotes() -> Operation {
    Operation::new("quotes", "Top of book and last trade, as the runtime sees them").answers(
        200,
        "all of them",
        named("Quotes"),
    )
}

/// `GET /api/v1/audit`.
pub(crate) fn audit() -> Operation {
    Operation::new("audit", "Requests that steered the process or were refused, oldest first")
        .paged()
        .answers(200, "a page", named("Audit"))
}

/// `POST /api/v1/controls/cancel-all`.
pub(crate) fn cancel_all() -> Operation {
    Operation::new("cancel_all", "Cancel every open order within the scope")
        .body(named("CancelScope"))
        .answers(202, "the cancels are under way", answer(&[("cancels_begun", count())]))
}

/// `POST /api/v1/controls/restart`.
pub(crate) fn restart() -> Operation {
    Operation::new("restart", "Drain, then start warm in place").body(named("Reason")).answers(
        202,
        "it drains",
        answer(&[("restarting", flag())]),
    )
}

/// `POST /api/v1/controls/pause`.
pub(crate) fn pause() -> Operation {
    Operation::new("pause", "Take no new entries; the answer says what becomes of resting orders")
        .body(named("Reason"))
        .answers(200, "it is paused, or will be once it has started", named("Paused"))
}

/// `POST /api/v1/controls/reduce-only`.
pub(crate) fn reduce_only() -> Operation {
    Operation::new("reduce_only", "Take only orders that make positions smaller")
        .body(named("Reason"))
        .answers(200, "it is so", named("Steered"))
}

/// `POST /api/v1/controls/kill`.
pub(crate) fn kill() -> Operation {
    Operation::new("kill", "Engage the kill switch: no placement begins to go out any more")
        .body(named("Reason"))
        .answers(200, "it is engaged; what the disk holds and what was under way is said", named("Killed"))
}

/// `POST /api/v1/controls/reset`.
pub(crate) fn reset() -> Operation {
    Operation::new("reset", "Leave a halt whose cause is gone, for paused")
        .body(named("Reason"))
        .if_match()
        .answers(200, "it is paused", named("Steered"))
}

/// `POST /api/v1/controls/resume`.
pub(crate) fn resume() -> Operation {
    Operation::new("resume", "Trade again, when every gate is open; closed ones are named")
        .body(named("Reason"))
        .if_match()
        .answers(200, "it runs", named("Steered"))
}

/// `GET /api/v1/risk`.
pub(crate) fn risk() -> Operation {
    Operation::new("risk", "How full the limits are, the tightest first").answers(200, "now", named("Risk"))
}

/// `POST /api/v1/risk/evaluate`.
pub(crate) fn evaluate() -> Operation {
    Operation::new(
        "evaluate",
        "Would this order be denied? The same chain; nothing is sent, nothing is counted",
    )
    .body(named("NewOrder"))
    .answers(200, "every check with its inputs, its limit and the distance", named("Explanation"))
    .problem(422, "values are wrong")
}

/// `POST /api/v1/risk/overrides`.
pub(crate) fn grant_override() -> Operation {
    Operation::new("grant_override", "Let one order through that the risk chain denies")
        .body(named("Override"))
        .answers(200, "the first order that it lets through uses it up", answer(&[("done", flag())]))
}

/// `GET /api/v1/strategies`.
pub(crate) fn strategies() -> Operation {
    Operation::new("strategies", "Which there are, and whether they may trade").answers(
        200,
        "all of them",
        named("Strategies"),
    )
}

/// `POST /api/v1/strategies/{name}/enable`.
pub(crate) fn enable_strategy() -> Operation {
    Operation::new("enable_strategy", "Let a strategy trade")
        .body(named("Reason"))
        .answers(200, "it may", named("Strategy"))
        .problem(404, "there is no such strategy")
}

/// `POST /api/v1/strategies/{name}/disable`.
pub(crate) fn disable_strategy() -> Operation {
    Operation::new("disable_strategy", "Take no new orders of a strategy")
        .body(named("Reason"))
        .answers(200, "it may not", named("Strategy"))
        .problem(404, "there is no such strategy")
}

/// `POST /api/v1/strategies/{name}/re-enable`.
pub(crate) fn re_enable_strategy() -> Operation {
    Operation::new("re_enable_strategy", "Let a strategy go on that its own executions had stopped")
        .body(named("Reason"))
        .answers(200, "it may trade again", answer(&[("done", flag())]))
        .problem(404, "there is no such strategy")
}

/// `GET /api/v1/events`.
pub(crate) fn events() -> Operation {
    Operation::new("events", "What happens, as Server-Sent Events: a snapshot, then changes").answers_as(
        200,
        "a stream without an end",
        "text/event-stream",
        text(),
    )
}

/// Routes that are for tests, and not described.
pub(crate) fn undescribed() -> Operation {
    Operation::new("debug", "Break something on purpose").answers(202, "broken", or_null(text()))
}
