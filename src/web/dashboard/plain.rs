//! Small pages that need no script: signing in, confirming a word, and saying why something was refused.

use super::assets::address;
use super::view::Person;
use crate::web::access::{Principal, Proof};
use crate::web::problem::Problem;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _};
use askama::Template;

/// What a page of ours may load and where it may send: nothing of others, no script in the markup, no frame.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The head of a page's answer.
pub(super) fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        // Without a referrer, browsers send a form of ours with the origin `null`, like that of a stranger.
        .insert_header(("Referrer-Policy", "same-origin"));
    answer
}

/// Fills a template and answers with it.
pub(super) fn show(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => answer(status).body(html),
        Err(error) => Problem::internal(error.to_string()).error_response(),
    }
}

/// Leads to another page.
pub(super) fn lead(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
}

/// The reader as the gate left it.
pub(super) fn person(request: &HttpRequest) -> Person {
    let extensions = request.extensions();
    let proof = extensions.get::<Proof>();
    let principal = extensions.get::<Principal>();
    Person {
        name: principal.map(|principal| principal.actor.clone()).unwrap_or_default(),
        may: principal.map(Principal::words).unwrap_or_default(),
        csrf: proof.map(|proof| proof.word.clone()).unwrap_or_default(),
        signed_in: proof.is_some_and(|proof| proof.signed_in),
    }
}

#[derive(Template)]
#[template(path = "said.html")]
struct Said<'a> {
    style: String,
    icon: String,
    title: &'a str,
    text: &'a str,
    code: &'a str,
}

/// A refusal, for people. Who has to sign in is led there.
pub(in crate::web) fn refusal(problem: &Problem, request: &HttpRequest) -> HttpResponse {
    let status = problem.status_code();
    let wants_page = request.path() != "/desk/events";
    if status == StatusCode::UNAUTHORIZED && wants_page {
        return lead("/login");
    }
    if !wants_page {
        return problem.error_response();
    }
    let (icon, code) = (address("icon-warn.svg"), problem.code());
    let title = problem.title();
    let said = Said { style: address("desk.css"), icon, title, text: problem.detail(), code };
    show(status, &said)
}

/// The answer of a page's handler; a refusal becomes a page.
pub(in crate::web) fn as_page(answered: ServiceResponse) -> ServiceResponse {
    let error = answered.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    match error {
        Some(problem) => {
            let shown = refusal(&problem, answered.request());
            answered.into_response(shown)
        }
        None => answered,
    }
}

/// The same form, sent again.
pub(in crate::web) fn done_before() -> HttpResponse {
    done("Done before", "The same form was sent before. What it asked for was done then, and not again.")
}

/// What was done, for people without a script.
pub(super) fn done(title: &str, text: &str) -> HttpResponse {
    let icon = address("icon-ok.svg");
    show(StatusCode::OK, &Said { style: address("desk.css"), icon, title, text, code: "" })
}
