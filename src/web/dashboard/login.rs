//! Signing in with a token, and out again.

use super::assets::address;
use super::plain::{lead, show};
use crate::clock;
use crate::domain::token::Presented;
use crate::web::form::Form;
use crate::web::gate;
use crate::web::problem::Problem;
use crate::web::state::WebState;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use askama::Template;

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    style: String,
    icon: String,
    label: &'a str,
    said: &'a str,
}

fn ask_with(state: &WebState, status: StatusCode, said: &str) -> HttpResponse {
    let label = if state.security.keyring.is_open(clock::monotonic()) { "this host" } else { &state.label };
    show(status, &Login { style: address("desk.css"), icon: address("icon-busy.svg"), label, said })
}

/// `GET /login`. Where nobody has to sign in, it leads to the desk.
pub(in crate::web) async fn ask(state: Data<WebState>) -> HttpResponse {
    if state.security.keyring.is_open(clock::monotonic()) {
        return lead("/");
    }
    ask_with(&state, StatusCode::OK, "")
}

/// `POST /login` with the field `token`: begins a session. Wrong tokens are slowed and refused like everywhere.
pub(in crate::web) async fn login(
    state: Data<WebState>,
    request: HttpRequest,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let token = form.get("token").unwrap_or_default().trim();
    let header = format!("Bearer {token}");
    let principal = match gate::admit(&state, request.peer_addr(), Some(&header)).await {
        Ok(principal) => principal,
        Err(problem) => {
            tracing::warn!(event = "login_refused", code = problem.code(), "nobody was signed in");
            return Ok(ask_with(&state, problem.status_code(), problem.detail()));
        }
    };
    let presented = Presented::parse(token).map_err(|error| Problem::internal(error.to_string()))?;
    let cookie = state.security.sessions.begin(presented.id, clock::monotonic());
    let cookie = cookie.ok_or_else(|| Problem::unavailable("the system gives no random bytes"))?;
    tracing::info!(event = "login", actor = principal.actor, "signed in at the page");
    let mut answer = lead("/");
    answer.add_cookie(&cookie).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(answer)
}

/// `POST /logout`: ends the session.
pub(in crate::web) async fn logout(
    state: Data<WebState>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sessions = &state.security.sessions;
    if let Some(cookie) = request.cookie(sessions.cookie_name()) {
        sessions.end(cookie.value());
    }
    let mut answer = lead("/login");
    let farewell = sessions.farewell();
    answer.add_cookie(&farewell).map_err(|error| Problem::internal(error.to_string()))?;
    Ok(answer)
}
