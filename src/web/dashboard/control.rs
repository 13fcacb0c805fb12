//! Words of people who use the page without a script: a page that says what a word does and asks, and the form that
//! sends it. The word goes to the handler of the API; nothing is decided here.

use super::assets::address;
use super::plain::{done, person, show};
use super::view::Person;
use crate::domain::token::Scope;
use crate::web::access::Principal;
use crate::web::controls;
use crate::web::desk::Caller;
use crate::web::form::Form;
use crate::web::gate::Noted;
use crate::web::problem::Problem;
use crate::web::state::WebState;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

/// A word as its page puts it.
struct Word {
    verb: &'static str,
    scope: Scope,
    title: &'static str,
    consequence: &'static str,
    button: &'static str,
    /// What stands in the field; empty where a person has to think of one.
    reason: &'static str,
    /// Must the label be typed and the state be named?
    typed: bool,
    done: &'static str,
}

const WORDS: [Word; 6] = [
    Word {
        verb: "pause",
        scope: Scope::Pause,
        title: "Pause?",
        consequence: "No new entries. What reduces a position may go out when it says so of itself.",
        button: "Pause",
        reason: "paused from the desk",
        typed: false,
        done: "Paused. No new entries go out.",
    },
    Word {
        verb: "reduce-only",
        scope: Scope::Pause,
        title: "Reduce only?",
        consequence: "Only orders that make a position smaller go out.",
        button: "Reduce only",
        reason: "",
        typed: false,
        done: "Reduce only. Nothing that makes a position larger goes out.",
    },
    Word {
        verb: "cancel-all",
        scope: Scope::Pause,
        title: "Cancel all open orders?",
        consequence: "Every open order on every venue is cancelled. Strategies that run may place new ones: pause \
            first if they should not.",
        button: "Cancel all orders",
        reason: "",
        typed: false,
        done: "Cancels are under way for all open orders.",
    },
    Word {
        verb: "kill",
        scope: Scope::Kill,
        title: "Kill everything?",
        consequence: "From the moment that you confirm, no order goes out, by anybody, and no restart forgets it. \
            Resting orders follow the configuration. Positions are not closed. Trading begins again only after reset, \
            then resume.",
        button: "Kill now",
        reason: "killed from the desk",
        typed: false,
        done: "Killed. Nothing goes out.",
    },
    Word {
        verb: "resume",
        scope: Scope::Resume,
        title: "Resume trading?",
        consequence: "Strategies place orders again at once. It is refused while a gate is closed, or when the state \
            has changed since this page was made.",
        button: "Resume",
        reason: "",
        typed: true,
        done: "Resumed. Strategies trade again.",
    },
    Word {
        verb: "reset",
        scope: Scope::Resume,
        title: "Reset the halt?",
        consequence: "It is refused while a cause stands, or when the state has changed since this page was made. It \
            leads to paused: nothing trades until somebody resumes.",
        button: "Reset",
        reason: "",
        typed: true,
        done: "The halt is lifted. The desk is paused: resume begins trading.",
    },
];

fn word(request: &HttpRequest) -> Result<&'static Word, Problem> {
    let verb = request.path().rsplit('/').next().unwrap_or_default();
    WORDS.iter().find(|word| word.verb == verb).ok_or_else(|| Problem::not_found(format!("no word {verb}")))
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    style: String,
    icon: String,
    title: &'a str,
    consequence: &'a str,
    button: &'a str,
    reason: &'a str,
    verb: &'a str,
    danger: bool,
    typed: bool,
    allowed: bool,
    label: &'a str,
    facts: &'a str,
    version: &'a str,
    key: String,
    person: Person,
}

/// `GET /control/{verb}`: what it would do, to what, and the form to do it.
pub(in crate::web) async fn ask(
    state: Data<WebState>,
    principal: Principal,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let word = word(&request)?;
    let edition = state.press.current(&state).await;
    let danger = word.verb == "kill";
    let confirm = Confirm {
        style: address("desk.css"),
        icon: address(if danger { "icon-crit.svg" } else { "icon-warn.svg" }),
        title: word.title,
        consequence: word.consequence,
        button: word.button,
        reason: word.reason,
        verb: word.verb,
        danger,
        typed: word.typed,
        allowed: principal.may(word.scope),
        label: &state.label,
        facts: edition.part("facts"),
        version: edition.word("version"),
        key: super::page::key(),
        person: person(&request),
    };
    Ok(show(StatusCode::OK, &confirm))
}

/// `POST /control/{verb}`: the API's handler does it; its answer becomes a page.
pub(in crate::web) async fn act(
    state: Data<WebState>,
    caller: Caller,
    noted: Noted,
    form: Form,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let word = word(&request)?;
    if word.typed && form.get("label").map(str::trim) != Some(state.label.as_str()) {
        let problem = Problem::unprocessable(format!("type the label {} to confirm", state.label));
        return Err(problem.with_code("label_wrong"));
    }
    let body = Json(form.members(&["reason"]));
    // A page that names no state is too old for any.
    let seen = form.get("version").and_then(|version| version.parse().ok()).unwrap_or_default();
    match word.verb {
        "pause" => controls::pause(state, caller, noted, body).await?,
        "reduce-only" => controls::reduce_only(state, caller, noted, body).await?,
        "cancel-all" => controls::cancel_all(state, caller, noted, body).await?,
        "kill" => controls::kill(state, caller, body).await?,
        "resume" => controls::resume_seen(state, caller, noted, seen, body).await?,
        _ => controls::reset_seen(state, caller, noted, seen, body).await?,
    };
    Ok(done(word.title.trim_end_matches('?'), word.done))
}
