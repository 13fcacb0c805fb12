//! `plimsoll pause|reduce-only|resume|kill|reset`: how much trading is allowed.
//!
//! The safe words act at once. The unsafe ones name the state that they saw, so that what came about while the
//! question stood on the terminal is not undone by its answer.

use super::Exit;
use super::client::{Call, text};
use super::control::ControlArgs;
use serde_json::{Value, json};
use std::io::Write;

/// Stops new entries.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn pause(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let call = Call::post("/api/v1/controls/pause", json!({"reason": args.reason}));
    args.act("Take no new entries", call, out, err, |answer, out| {
        tell(answer, out)?;
        writeln!(out, "resting orders: {}", text(answer, "resting_orders"))
    })
}

/// Lets only through what makes positions smaller.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn reduce_only(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let call = Call::post("/api/v1/controls/reduce-only", json!({"reason": args.reason}));
    args.act("Take only orders that reduce", call, out, err, tell)
}

/// Engages the kill switch.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn kill(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    let call = Call::post("/api/v1/controls/kill", json!({"reason": args.reason}));
    args.act("Engage the kill switch", call, out, err, |answer, out| {
        writeln!(out, "engaged, generation {}", text(answer, "generation"))?;
        writeln!(out, "on disk: {}", text(answer, "durable"))?;
        writeln!(out, "placements without an answer: {}", text(answer, "in_flight"))?;
        writeln!(out, "resting orders: {}", text(answer, "resting_orders"))
    })
}

/// Trades again.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn resume(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    with_state(args, "resume", "Take orders again", out, err)
}

/// Leaves a halt, for `paused`.
///
/// # Errors
/// When the answer is not one of ours or the output cannot be written.
pub fn reset(args: &ControlArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    with_state(args, "reset", "Leave the halt; trading stays paused", out, err)
}

fn with_state(
    args: &ControlArgs,
    verb: &str,
    question: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let status = match args.remote.call(Call::get("/api/v1/status"), err)? {
        Ok(status) => status,
        Err(exit) => return Ok(exit),
    };
    let (state, why, who) = (text(&status, "state"), text(&status, "reason"), text(&status, "actor"));
    let question = format!("It is {state} ({why}, by {who}). {question}");
    // What is changed is the state that was just shown, not one that came about while the question stood.
    let seen = format!("\"state-{}\"", text(&status, "state_version"));
    let path = format!("/api/v1/controls/{verb}");
    let call = Call { if_match: Some(seen), ..Call::post(&path, json!({"reason": args.reason})) };
    args.act(&question, call, out, err, tell)
}

fn tell(answer: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let (state, version) = (text(answer, "state"), text(answer, "state_version"));
    writeln!(out, "{state} (state-{version}), by {}: {}", text(answer, "actor"), text(answer, "reason"))
}
