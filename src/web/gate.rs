//! The one gate before every route: nothing is allowed that the route table does not allow.
//!
//! In this order: the name and the site that a request was sent to and from, the caller, its scope, its share of the
//! rate, its body, its key. A refusal is a problem of RFC 9457 like any other, and on a route that steers the process
//! it is a line of the audit. What passes carries a [`Principal`] and, where something changes, a [`Noted`].

use super::access::{Access, NOBODY, Principal, Proof};
use super::dashboard;
use super::form::Form;
use super::idempotency::{self, Name, Sameness};
use super::keyring::Denied;
use super::problem::Problem;
use super::routes::{self, KeyRule, RouteEntry};
use super::state::WebState;
use super::throttle::Key;
use super::{body, guard, session};
use crate::clock;
use crate::db::DbError;
use crate::domain::control::{ANSWER_BYTES_MAX, ControlNote, IdempotencyKey, Pinned};
use crate::domain::time::WallMs;
use crate::domain::token::Scope;
use actix_web::body::{BoxBody, MessageBody, to_bytes_limited};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, ContentType};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _};
use std::cell::Cell;
use std::future::{Ready, ready};
use std::rc::Rc;

/// Longest address or path that is written to the audit, characters.
const ROUTE_CHARS_MAX: usize = 256;

/// The note of the request in hand, for the handler that carries it out.
///
/// Whoever takes it over promises one row for it, in the transaction of what is done; what nobody takes over is
/// written by the gate once the answer is known.
#[derive(Debug, Clone)]
pub struct Noted {
    note: ControlNote,
    taken: Rc<Cell<bool>>,
}

impl Noted {
    /// Takes the duty over to write the row.
    #[must_use]
    pub fn take_over(self) -> ControlNote {
        self.taken.set(true);
        self.note
    }

    /// Gives the duty back: what should have written the row never got it.
    pub fn give_back(&self) {
        self.taken.set(false);
    }
}

impl FromRequest for Noted {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions().get::<Self>().cloned();
        ready(found.ok_or_else(|| Problem::internal("the request passed no gate")))
    }
}

/// The middleware of the whole application.
///
/// # Errors
/// None: refusals are answers.
pub async fn gate(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(state) = request.app_data::<Data<WebState>>().cloned() else {
        return Ok(request.error_response(Problem::internal("the application has no state")));
    };
    let entry = routes::entry(&request);
    let mut visit = Visit { entry, note: first_note(&request, entry), name: None };
    let passed = visit.pass(&state, &mut request).await;
    let response = match passed {
        Ok(None) => {
            let noted = Noted { note: visit.note.clone(), taken: Rc::new(Cell::new(false)) };
            let taken = Rc::clone(&noted.taken);
            request.extensions_mut().insert(noted);
            let response = next.call(request).await?.map_into_boxed_body();
            let is_page = entry.is_some_and(|entry| entry.page);
            let response = visit.leave(&state, response, taken.get()).await;
            return Ok(if is_page { dashboard::as_page(response) } else { response });
        }
        Ok(Some(pinned)) => {
            visit.name = None;
            visit.audit(&state, pinned.status, Some("replayed".to_owned()), String::new());
            match entry.filter(|entry| entry.page) {
                Some(_) => dashboard::done_before(),
                None => replayed(&pinned),
            }
        }
        Err(problem) => {
            visit.forget(&state);
            let status = problem.status_code().as_u16();
            visit.audit(&state, status, Some(problem.code().to_owned()), String::new());
            match entry.filter(|entry| entry.page) {
                Some(_) => dashboard::refusal(&problem, request.request()),
                None => problem.error_response(),
            }
        }
    };
    Ok(request.into_response(response))
}

/// One request on its way.
struct Visit {
    entry: Option<&'static RouteEntry>,
    note: ControlNote,
    /// The key under which it is under way.
    name: Option<Name>,
}

impl Visit {
    /// Every check in order; an earlier answer when the request is a repetition.
    async fn pass(
        &mut self,
        state: &WebState,
        request: &mut ServiceRequest,
    ) -> Result<Option<Pinned>, Problem> {
        let changes = !request.method().is_safe();
        guard::check(request, &state.security.names, changes)?;
        let access = self.entry.map_or(Access::Needs(Scope::Read), |entry| entry.access);
        let mut needed = None;
        if let Access::Needs(scope) = access {
            let (principal, proof) = who(state, request).await?;
            let is_form = self.entry.is_some_and(|entry| entry.page);
            if let Some(proof) = proof {
                // A cookie is sent by the browser, whoever asked it to; a form without one comes from anywhere.
                needed = (changes && (proof.signed_in || is_form)).then(|| proof.word.clone());
                request.extensions_mut().insert(proof);
            }
            self.note.principal.clone_from(&principal.id);
            self.note.actor.clone_from(&principal.actor);
            if !principal.may(scope) {
                let detail = format!("the token of {} lacks the scope {scope}", principal.actor);
                return Err(Problem::forbidden(detail).with_code("scope_missing"));
            }
            // A kill is never told to wait.
            if scope != Scope::Kill {
                let took = state.security.pace.lock().take(&principal.id, clock::monotonic());
                took.map_err(|wait| {
                    Problem::too_many_requests("more requests than web.requests_per_second", wait)
                })?;
            }
            request.extensions_mut().insert(principal);
        }
        if !changes {
            return Ok(None);
        }
        let body = body::read(request, self.entry.is_some_and(|entry| entry.page)).await?;
        (self.note.body_hash, self.note.reason) = (body.hash, body.reason);
        if let Some(proof) = needed {
            let header = request.headers().get("x-csrf-token").and_then(|value| value.to_str().ok());
            let given = header.or_else(|| body.form.as_ref().and_then(|form| form.get("csrf")));
            if !given.is_some_and(|given| session::proves(given, &proof)) {
                let detail = "this did not come from a page of this run: load the page again";
                return Err(Problem::forbidden(detail).with_code("csrf_token_wrong"));
            }
        }
        let named = body.form.as_ref().and_then(|form| form.get("key")).map(str::to_owned);
        if let Some(form) = body.form {
            request.extensions_mut().insert::<Form>(form);
        }
        match self.entry {
            // What changes nothing has no answer to keep: a key means nothing there.
            Some(entry) if entry.key != KeyRule::None => self.key(state, request, entry, named).await,
            _ => Ok(None),
        }
    }

    /// Reads the key and looks for an earlier answer.
    async fn key(
        &mut self,
        state: &WebState,
        request: &ServiceRequest,
        entry: &RouteEntry,
        named: Option<String>,
    ) -> Result<Option<Pinned>, Problem> {
        let header = request.headers().get("idempotency-key");
        // What is no text is no key, and is refused below.
        let header = header.map(|value| value.to_str().unwrap_or_default().to_owned());
        let Some(header) = header.or(named) else {
            if entry.key == KeyRule::Required {
                let detail =
                    "send Idempotency-Key: 1 to 64 visible characters, new for each thing to be done";
                return Err(Problem::bad_request(detail).with_code("idempotency_key_missing"));
            }
            return Ok(None);
        };
        let key = IdempotencyKey::new(&header).map_err(|_| {
            let detail = "an Idempotency-Key has 1 to 64 visible ASCII characters";
            Problem::bad_request(detail).with_code("idempotency_key_invalid")
        })?;
        self.note.key = Some(key.clone());
        let name = (self.note.principal.clone(), key.clone());
        let same = Sameness { route: self.note.route.clone(), body_hash: self.note.body_hash.clone() };
        if let Some(pinned) = state.security.keys.begin(&name, &same, clock::monotonic())? {
            return Ok(Some(pinned));
        }
        self.name = Some(name);
        // A kill waits for no disk; engaging twice is engaging once.
        if entry.access == Access::Needs(Scope::Kill) || state.parts.readers.is_none() {
            return Ok(None);
        }
        let principal = self.note.principal.clone();
        let found = state
            .read(move |books| match books.pinned(&principal, &key) {
                // Before the first start has made a journal, nothing can have been done.
                Err(DbError::NoJournal { .. }) => Ok(None),
                found => found,
            })
            .await?;
        found.map(|pinned| idempotency::replay(pinned, &same)).transpose()
    }

    /// Notes the answer: pins it when something was done, frees the key when not.
    async fn leave(
        mut self,
        state: &WebState,
        response: ServiceResponse<BoxBody>,
        taken: bool,
    ) -> ServiceResponse<BoxBody> {
        let status = response.status();
        let error = response.response().error().and_then(|error| error.as_error::<Problem>());
        let code = error.map(|problem| problem.code().to_owned());
        if !status.is_success() {
            self.forget(state);
        }
        if self.name.is_none() {
            if !taken {
                self.audit(state, status.as_u16(), code, String::new());
            }
            return response;
        }
        let (request, response) = response.into_parts();
        let (head, body) = response.into_parts();
        let Ok(Ok(bytes)) = to_bytes_limited(body, ANSWER_BYTES_MAX).await else {
            let lost = Problem::internal("the answer could not be kept").with_code("outcome_unknown");
            return ServiceResponse::new(request, lost.error_response());
        };
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(name) = self.name.take() {
            let pinned = Pinned {
                route: self.note.route.clone(),
                body_hash: self.note.body_hash.clone(),
                status: status.as_u16(),
                answer: answer.clone(),
            };
            state.security.keys.answered(name, pinned, clock::monotonic());
        }
        if !taken {
            self.audit(state, status.as_u16(), code, answer);
        }
        ServiceResponse::new(request, head.set_body(bytes).map_into_boxed_body())
    }

    fn forget(&mut self, state: &WebState) {
        if let Some(name) = self.name.take() {
            state.security.keys.refused(&name);
        }
    }

    /// One row, if this is a route that leaves any: a line of the audit, or a pinned answer.
    fn audit(&self, state: &WebState, status: u16, code: Option<String>, answer: String) {
        let Some(entry) = self.entry.filter(|entry| entry.key != KeyRule::None) else { return };
        if !entry.audited && (self.note.key.is_none() || answer.is_empty()) {
            return;
        }
        let at = WallMs(clock::wall_millis());
        let row = self.note.clone().answered(at, status, code, answer);
        state.security.lane.write(row, clock::monotonic());
    }
}

/// Who asks: by a token, else by the session of a cookie, else as everybody on the host may. The latter two come with
/// the word that proves that what they send is from a page of ours.
async fn who(state: &WebState, request: &ServiceRequest) -> Result<(Principal, Option<Proof>), Problem> {
    let sessions = &state.security.sessions;
    // A header that is no text is no token.
    let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let (now, wall) = (clock::monotonic(), WallMs(clock::wall_millis()));
    if header.is_none()
        && let Some(cookie) = request.cookie(sessions.cookie_name())
        && let Some(found) = sessions.find(cookie.value(), now)
    {
        if let Some(principal) = state.security.keyring.holder(&found.token, now, wall) {
            return Ok((principal, Some(Proof { word: found.proof, signed_in: true })));
        }
        // Its token is no longer good: neither is the session.
        sessions.end(cookie.value());
    }
    let principal = admit(state, request.peer_addr(), header).await?;
    let open = header.is_none().then(|| sessions.open_proof()).flatten();
    Ok((principal, open.map(|word| Proof { word: word.to_owned(), signed_in: false })))
}

/// Who presents a token. Wrong ones are slowed, then refused; a good one never is.
pub(super) async fn admit(
    state: &WebState,
    peer: Option<std::net::SocketAddr>,
    header: Option<&str>,
) -> Result<Principal, Problem> {
    let security = &state.security;
    let now = clock::monotonic();
    let (why, known) = match security.keyring.admit(header, now, WallMs(clock::wall_millis())) {
        Ok(principal) => return Ok(principal),
        Err(Denied::Missing) => return Err(Problem::unauthorized("send Authorization: Bearer <token>")),
        Err(Denied::Unreadable(why)) => {
            return Err(Problem::unavailable(why).with_code("tokens_unreadable"));
        }
        Err(Denied::Shapeless(why)) => return Err(Problem::unauthorized(why).with_code("token_refused")),
        Err(Denied::Bad { why, known }) => (why, known),
    };
    let peer = peer.map(|address| Key::of(address.ip()));
    let keys: Vec<Key> = peer.into_iter().chain(known.map(Key::Token)).collect();
    let slow = {
        let mut throttle = security.throttle.lock();
        if let Some(wait) = throttle.refused(&keys, now) {
            return Err(Problem::too_many_requests("too many wrong tokens", wait).with_code("wrong_tokens"));
        }
        throttle.fail(&keys, now)
    };
    tokio::time::sleep(slow).await;
    Err(Problem::unauthorized(why).with_code("token_refused"))
}

fn first_note(request: &ServiceRequest, entry: Option<&'static RouteEntry>) -> ControlNote {
    let shown =
        |text: &str| text.chars().filter(|c| !c.is_control()).take(ROUTE_CHARS_MAX).collect::<String>();
    let verb = entry.and_then(|entry| entry.path.rsplit('/').next()).unwrap_or_default();
    ControlNote {
        principal: NOBODY.to_owned(),
        actor: NOBODY.to_owned(),
        peer: request.peer_addr().map(|address| address.ip().to_string()).unwrap_or_default(),
        route: format!("{} {}", request.method(), shown(request.path())),
        verb: verb.to_owned(),
        reason: None,
        key: None,
        body_hash: String::new(),
        audited: entry.is_some_and(|entry| entry.audited),
    }
}

fn replayed(pinned: &Pinned) -> HttpResponse {
    let status = StatusCode::from_u16(pinned.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .insert_header(ContentType::json())
        .insert_header(("Idempotency-Replayed", "true"))
        .body(pinned.answer.clone())
}
