//! The HTTP surface: one route table, one error shape, one file per resource.
//!
//! It reads the tree through its snapshot, which never waits for an actor. It listens on loopback only:
//! the configuration refuses any other address until control tokens exist. No route changes trading
//! state; the debug routes make actors fail and exist only when the configuration asks for them in a
//! development deployment.

mod debug;
mod health;
mod metrics;
mod problem;
mod state;
mod status;
mod supervision;
mod truth;

pub use metrics::text as metrics_text;
pub use problem::Problem;
pub use state::WebState;

use actix_web::http::Method;
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, JsonConfig, PathConfig, PayloadConfig, QueryConfig, ServiceConfig};
use actix_web::{HttpRequest, Resource, Route, web};

/// Largest request body, bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// One line of the API's inventory.
pub struct RouteEntry {
    /// The verb; every other verb answers 405 and names it.
    pub method: Method,
    /// The path, with actix placeholders.
    pub path: &'static str,
    make: fn() -> Route,
    /// Only with `web.debug_routes`.
    pub debug: bool,
}

/// All routes, in the order of the documentation.
pub const ROUTES: &[RouteEntry] = &[
    RouteEntry { method: Method::GET, path: "/livez", make: || web::route().to(health::livez), debug: false },
    RouteEntry {
        method: Method::GET,
        path: "/readyz",
        make: || web::route().to(health::readyz),
        debug: false,
    },
    RouteEntry {
        method: Method::GET,
        path: "/health",
        make: || web::route().to(health::health),
        debug: false,
    },
    RouteEntry {
        method: Method::GET,
        path: "/metrics",
        make: || web::route().to(metrics::metrics),
        debug: false,
    },
    RouteEntry {
        method: Method::GET,
        path: "/api/v1/status",
        make: || web::route().to(status::status),
        debug: false,
    },
    RouteEntry {
        method: Method::GET,
        path: "/api/v1/supervision",
        make: || web::route().to(supervision::supervision),
        debug: false,
    },
    RouteEntry {
        method: Method::POST,
        path: "/debug/actors/{path:.+}/{fault}",
        make: || web::route().to(debug::inject),
        debug: true,
    },
];

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
    for entry in ROUTES.iter().filter(|entry| with_debug || !entry.debug) {
        config.service(resource(entry));
    }
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

fn resource(entry: &'static RouteEntry) -> Resource {
    let resource = web::resource(entry.path).route((entry.make)().method(entry.method.clone()));
    let refuse = move |request: HttpRequest| {
        let problem = Problem::method_not_allowed(request.method(), &entry.method);
        std::future::ready(problem)
    };
    // HEAD is GET without a body, as RFC 9110 asks of every GET.
    let resource = if entry.method == Method::GET {
        resource.route((entry.make)().method(Method::HEAD))
    } else {
        resource
    };
    resource.default_service(web::to(refuse))
}

async fn not_found(request: HttpRequest) -> Problem {
    Problem::not_found(format!("no resource at {}", request.path()))
}
