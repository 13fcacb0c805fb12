//! The route table: every verb of every path, in the order of the documentation.

use super::problem::Problem;
use super::{
    alerts, books, controls, debug, events, guard, health, metrics, orders, positions, quotes, status,
    strategies, supervision,
};
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, Resource, Route, web};

/// One line of the API's inventory.
pub struct RouteEntry {
    /// The verb; every other verb of the path answers 405 and names those that there are.
    pub method: Method,
    /// The path, with actix placeholders.
    pub path: &'static str,
    make: fn() -> Route,
    /// Only with `web.debug_routes`.
    pub debug: bool,
}

const fn get(path: &'static str, make: fn() -> Route) -> RouteEntry {
    RouteEntry { method: Method::GET, path, make, debug: false }
}

const fn post(path: &'static str, make: fn() -> Route) -> RouteEntry {
    RouteEntry { method: Method::POST, path, make, debug: false }
}

const fn delete(path: &'static str, make: fn() -> Route) -> RouteEntry {
    RouteEntry { method: Method::DELETE, path, make, debug: false }
}

/// All routes. Entries of one path stand together.
pub const ROUTES: &[RouteEntry] = &[
    get("/livez", || web::route().to(health::livez)),
    get("/readyz", || web::route().to(health::readyz)),
    get("/health", || web::route().to(health::health)),
    get("/metrics", || web::route().to(metrics::metrics)),
    get("/api/v1/status", || web::route().to(status::status)),
    get("/api/v1/supervision", || web::route().to(supervision::supervision)),
    post("/api/v1/orders", || web::route().to(orders::submit)),
    get("/api/v1/orders", || web::route().to(orders::list)),
    get("/api/v1/orders/{client_order_id}", || web::route().to(orders::get)),
    delete("/api/v1/orders/{client_order_id}", || web::route().to(orders::cancel)),
    post("/api/v1/orders/{client_order_id}/replace", || web::route().to(orders::replace)),
    post("/api/v1/orders/{client_order_id}/resolve", || web::route().to(orders::resolve)),
    get("/api/v1/fills", || web::route().to(books::fills)),
    get("/api/v1/positions", || web::route().to(positions::positions)),
    get("/api/v1/balances", || web::route().to(books::balances)),
    get("/api/v1/journal", || web::route().to(books::journal)),
    get("/api/v1/quotes", || web::route().to(quotes::quotes)),
    get("/api/v1/alerts", || web::route().to(alerts::list)),
    post("/api/v1/controls/cancel-all", || web::route().to(controls::cancel_all)),
    post("/api/v1/controls/restart", || web::route().to(controls::restart)),
    post("/api/v1/controls/pause", || web::route().to(controls::pause)),
    post("/api/v1/controls/reduce-only", || web::route().to(controls::reduce_only)),
    post("/api/v1/controls/kill", || web::route().to(controls::kill)),
    post("/api/v1/controls/reset", || web::route().to(controls::reset)),
    post("/api/v1/controls/resume", || web::route().to(controls::resume)),
    get("/api/v1/strategies", || web::route().to(strategies::list)),
    post("/api/v1/strategies/{name}/enable", || web::route().to(strategies::enable)),
    post("/api/v1/strategies/{name}/disable", || web::route().to(strategies::disable)),
    get("/api/v1/events", || web::route().to(events::events)),
    RouteEntry {
        method: Method::POST,
        path: "/debug/actors/{path:.+}/{fault}",
        make: || web::route().to(debug::inject),
        debug: true,
    },
];

/// Registers every route, one resource for each path.
pub(super) fn register(config: &mut ServiceConfig, with_debug: bool) {
    let wanted = |entry: &&RouteEntry| with_debug || !entry.debug;
    let mut done: Vec<&str> = Vec::new();
    for entry in ROUTES.iter().filter(wanted) {
        if done.contains(&entry.path) {
            continue;
        }
        done.push(entry.path);
        let verbs = ROUTES.iter().filter(wanted).filter(|other| other.path == entry.path).collect();
        config.service(resource(entry.path, verbs).wrap(from_fn(guard::only_this_machine)));
    }
}

fn resource(path: &'static str, verbs: Vec<&'static RouteEntry>) -> Resource {
    let allowed = verbs.iter().map(|entry| entry.method.as_str()).collect::<Vec<_>>().join(", ");
    let mut resource = web::resource(path);
    for entry in verbs {
        resource = resource.route((entry.make)().method(entry.method.clone()));
        // HEAD is GET without a body, as RFC 9110 asks of every GET.
        if entry.method == Method::GET {
            resource = resource.route((entry.make)().method(Method::HEAD));
        }
    }
    let refuse = move |request: HttpRequest| {
        std::future::ready(Problem::method_not_allowed(request.method(), &allowed))
    };
    resource.default_service(web::to(refuse))
}
