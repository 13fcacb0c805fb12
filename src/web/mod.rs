//! The HTTP surface: one route table, one error shape, one file per resource.
//!
//! Health reads the tree through its snapshot, which never waits for an actor; books are read on the blocking
//! pool; everything that changes trading is an ask to the order management, which writes it down first. Every
//! request passes one gate ([`gate`]), which allows what the route table allows and nothing else. The debug
//! routes make actors fail and exist only when the configuration asks for them in a development deployment.

mod access;
mod alert_words;
mod alerts;
mod audit;
mod body;
mod books;
mod calm;
mod containment;
mod controls;
mod dashboard;
mod debug;
mod desk;
mod drift;
mod events;
mod fields;
mod form;
mod gate;
mod guard;
mod health;
mod idempotency;
mod if_match;
mod incidents;
mod keyring;
mod metrics;
mod openapi;
mod order_requests;
mod orders;
mod pace;
mod pages;
mod performance;
mod positions;
mod problem;
mod quotes;
mod risk;
mod routes;
mod security;
mod session;
mod state;
mod status;
mod strategies;
mod supervision;
mod throttle;
mod truth;
mod wire;

pub use access::{Access, Principal};
pub use dashboard::keep_watch;
pub use events::STREAMS_MAX;
pub use gate::{Noted, gate};
pub use metrics::text as metrics_text;
pub use openapi::{Operation, document as openapi_document};
pub use problem::{FieldError, Problem};
pub use routes::{KeyRule, ROUTES, RouteEntry};
pub use security::Security;
pub use state::{Shown, WebState};

use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, JsonConfig, PathConfig, PayloadConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, web};

/// Largest request body, bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Adds every route, the error shapes and the security headers to an application.
pub fn configure(config: &mut ServiceConfig, state: Data<WebState>) {
    let with_debug = state.debug_routes();
    config
        .app_data(state)
        .app_data(PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(JsonConfig::default().limit(BODY_BYTES_MAX).error_handler(problem::from_json))
        .app_data(QueryConfig::default().error_handler(problem::from_query))
        .app_data(PathConfig::default().error_handler(problem::from_path))
        .default_service(web::to(not_found));
    routes::register(config, with_debug);
}

/// The headers of every answer: nothing is cached, nothing is framed, nothing is sniffed.
#[must_use]
pub fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Cache-Control", "no-store"))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
}

async fn not_found(request: HttpRequest) -> Problem {
    Problem::not_found(format!("no resource at {}", request.path()))
}
