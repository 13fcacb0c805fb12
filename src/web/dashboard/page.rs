//! `GET /`: the whole page as it is now, useful without a script.

use super::assets::{address, compressed, takes_gzip};
use super::plain::{answer, person};
use super::view::Page;
use crate::web::state::WebState;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, VARY};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;

/// See the module's head.
pub(in crate::web) async fn page(state: Data<WebState>, request: HttpRequest) -> HttpResponse {
    let edition = state.press.current(&state).await;
    let person = person(&request);
    let html = Page {
        edition: &edition,
        person: &person,
        key: &key(),
        style: &address("desk.css"),
        chart_style: &address("uplot.css"),
        script: &address("desk.js"),
        charts: &address("uplot.js"),
        icon: &address("icon-"),
    }
    .html();
    let mut answer = answer(StatusCode::OK);
    answer.insert_header((VARY, "Accept-Encoding"));
    let small =
        takes_gzip(request.headers()).then(|| compressed(html.as_bytes(), Compression::fast())).flatten();
    match small {
        Some(small) => answer.insert_header((CONTENT_ENCODING, "gzip")).body(small),
        None => answer.body(html),
    }
}

/// A name for the request that a form of this page will make. It must be new, not secret.
pub(super) fn key() -> String {
    format!("page-{:032x}", fastrand::u128(..))
}
