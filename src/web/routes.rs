//! The route table: every verb of every path, what it asks of its callers, in the order of the documentation.
//!
//! A line cannot be written without saying who may call it; what is in no line needs a token and then answers 404 or
//! 405.

use super::access::Access;
use super::calm::calm;
use super::openapi::{
    Operation, alert_operations as alert_doc, drift as drift_doc, operations as doc,
    performance as figures_doc,
};
use super::problem::Problem;
use super::{
    alert_words, alerts, audit, books, containment, controls, dashboard, debug, drift, events, health,
    incidents, metrics, openapi, orders, performance, positions, quotes, risk, status, strategies,
    supervision,
};
use crate::domain::token::Scope;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, Resource, Route, web};

/// What a route makes of `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// It changes nothing: the header has no meaning.
    None,
    /// A key may be sent.
    Optional,
    /// 400 without one.
    Required,
}

use KeyRule::{Optional, Required};

/// Says what a route does.
type Describe = fn() -> Operation;

/// One line of the API's inventory.
pub struct RouteEntry {
    /// The verb; every other verb of the path answers 405 and names those that there are.
    pub method: Method,
    /// The path, with actix placeholders.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it makes of `Idempotency-Key`.
    pub key: KeyRule,
    /// Every request is a line of the audit.
    pub audited: bool,
    make: fn() -> Route,
    /// What it does, for the description.
    pub describe: Describe,
    /// Only with `web.debug_routes`.
    pub debug: bool,
    /// Is it for people at a browser? Refusals are pages then, and what is sent is a form.
    pub page: bool,
}

/// Whoever reaches the address may ask.
const fn open(path: &'static str, make: fn() -> Route, describe: Describe) -> RouteEntry {
    let (method, access) = (Method::GET, Access::Open);
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::None,
        audited: false,
        make,
        describe,
        debug: false,
        page: false,
    }
}

/// Reads something.
const fn get(path: &'static str, make: fn() -> Route, describe: Describe) -> RouteEntry {
    let (method, access) = (Method::GET, Access::Needs(Scope::Read));
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::None,
        audited: false,
        make,
        describe,
        debug: false,
        page: false,
    }
}

/// Asks with a body; changes nothing.
const fn ask(path: &'static str, make: fn() -> Route, describe: Describe) -> RouteEntry {
    let (method, access) = (Method::POST, Access::Needs(Scope::Read));
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::None,
        audited: false,
        make,
        describe,
        debug: false,
        page: false,
    }
}

/// Changes orders: the journal tells of it.
const fn order(method: Method, path: &'static str, make: fn() -> Route, describe: Describe) -> RouteEntry {
    let access = Access::Needs(Scope::Trade);
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::Optional,
        audited: false,
        make,
        describe,
        debug: false,
        page: false,
    }
}

/// Takes numbers from whoever may trade; each of them counts.
const fn measure(path: &'static str, make: fn() -> Route, describe: Describe) -> RouteEntry {
    let (method, access) = (Method::POST, Access::Needs(Scope::Trade));
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::None,
        audited: false,
        make,
        describe,
        debug: false,
        page: false,
    }
}

/// Steers the process: audited. Where doing it twice is doing it once, the key may be left out.
const fn control(
    path: &'static str,
    scope: Scope,
    key: KeyRule,
    make: fn() -> Route,
    describe: Describe,
) -> RouteEntry {
    let (method, access) = (Method::POST, Access::Needs(scope));
    RouteEntry { method, path, access, key, audited: true, make, describe, debug: false, page: false }
}

/// A page.
const fn page(path: &'static str, access: Access, make: fn() -> Route) -> RouteEntry {
    let (method, describe): (Method, Describe) = (Method::GET, doc::undescribed);
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::None,
        audited: false,
        make,
        describe,
        debug: false,
        page: true,
    }
}

/// A form of a page. Those that steer are audited like the routes that they stand for.
const fn form(path: &'static str, access: Access, key: KeyRule, make: fn() -> Route) -> RouteEntry {
    let (method, describe): (Method, Describe) = (Method::POST, doc::undescribed);
    let audited = matches!(key, Optional | Required);
    RouteEntry { method, path, access, key, audited, make, describe, debug: false, page: true }
}

const READ: Access = Access::Needs(Scope::Read);

/// Breaks something on purpose.
const fn debugging(path: &'static str, make: fn() -> Route) -> RouteEntry {
    let describe: Describe = doc::undescribed;
    let (method, access) = (Method::POST, Access::Needs(Scope::Admin));
    RouteEntry {
        method,
        path,
        access,
        key: KeyRule::Optional,
        audited: true,
        make,
        describe,
        debug: true,
        page: false,
    }
}

/// All routes. Entries of one path stand together.
pub const ROUTES: &[RouteEntry] = &[
    open("/livez", || web::route().to(health::livez), doc::livez),
    get("/readyz", || web::route().to(health::readyz), doc::readyz),
    get("/health", || web::route().to(health::health), doc::health),
    get("/metrics", || web::route().to(metrics::metrics), doc::metrics),
    get("/openapi.json", || web::route().to(openapi::openapi), doc::openapi),
    get("/api/v1/status", || web::route().to(status::status), doc::status),
    get("/api/v1/supervision", || web::route().to(supervision::supervision), doc::supervision),
    order(Method::POST, "/api/v1/orders", || web::route().to(orders::submit), doc::submit_order),
    get("/api/v1/orders", || web::route().to(orders::list), doc::list_orders),
    get("/api/v1/orders/{client_order_id}", || web::route().to(orders::get), doc::get_order),
    order(
        Method::DELETE,
        "/api/v1/orders/{client_order_id}",
        || web::route().to(orders::cancel),
        doc::cancel_order,
    ),
    order(
        Method::POST,
        "/api/v1/orders/{client_order_id}/replace",
        || web::route().to(orders::replace),
        doc::replace_order,
    ),
    order(
        Method::POST,
        "/api/v1/orders/{client_order_id}/resolve",
        || web::route().to(orders::resolve),
        doc::resolve_order,
    ),
    get("/api/v1/fills", || web::route().to(books::fills), doc::fills),
    get("/api/v1/positions", || web::route().to(positions::positions), doc::positions),
    get("/api/v1/balances", || web::route().to(books::balances), doc::balances),
    get("/api/v1/journal", || web::route().to(books::journal), doc::journal),
    get("/api/v1/quotes", || web::route().to(quotes::quotes), doc::quotes),
    get("/api/v1/alerts", || web::route().to(alerts::list), alert_doc::alerts),
    get("/api/v1/alerts/{id}", || web::route().to(alerts::get), alert_doc::alert),
    get("/api/v1/alerts/{id}/why", || web::route().to(alerts::why), alert_doc::why),
    control(
        "/api/v1/alerts/{id}/ack",
        Scope::Pause,
        Optional,
        || web::route().to(alert_words::ack),
        alert_doc::ack,
    ),
    get("/api/v1/silences", || web::route().to(alert_words::silences), alert_doc::silences),
    // Nobody being told is the unsafe direction.
    control(
        "/api/v1/silences",
        Scope::Resume,
        Optional,
        || web::route().to(alert_words::silence),
        alert_doc::silence,
    ),
    RouteEntry {
        method: Method::DELETE,
        path: "/api/v1/silences/{id}",
        access: Access::Needs(Scope::Pause),
        key: Optional,
        audited: true,
        make: || web::route().to(alert_words::unsilence),
        describe: alert_doc::unsilence,
        debug: false,
        page: false,
    },
    get("/api/v1/incidents", || web::route().to(incidents::list), alert_doc::incidents),
    get("/api/v1/containment", || web::route().to(containment::list), alert_doc::containment),
    get("/api/v1/channels", || web::route().to(incidents::channels), alert_doc::channels),
    control(
        "/api/v1/channels/{name}/test",
        Scope::Pause,
        Optional,
        || web::route().to(alert_words::test),
        alert_doc::test_channel,
    ),
    get("/api/v1/risk", || web::route().to(risk::show), doc::risk),
    ask("/api/v1/risk/evaluate", || web::route().to(risk::evaluate), doc::evaluate),
    control(
        "/api/v1/risk/overrides",
        Scope::Admin,
        Required,
        || web::route().to(risk::grant),
        doc::grant_override,
    ),
    get("/api/v1/audit", || web::route().to(audit::list), doc::audit),
    control(
        "/api/v1/controls/cancel-all",
        Scope::Pause,
        Required,
        || web::route().to(controls::cancel_all),
        doc::cancel_all,
    ),
    control(
        "/api/v1/controls/restart",
        Scope::Admin,
        Required,
        || web::route().to(controls::restart),
        doc::restart,
    ),
    control(
        "/api/v1/controls/pause",
        Scope::Pause,
        Required,
        || web::route().to(controls::pause),
        doc::pause,
    ),
    control(
        "/api/v1/controls/reduce-only",
        Scope::Pause,
        Required,
        || web::route().to(controls::reduce_only),
        doc::reduce_only,
    ),
    // Nothing may stand between a person and this one.
    control("/api/v1/controls/kill", Scope::Kill, Optional, || web::route().to(controls::kill), doc::kill),
    control(
        "/api/v1/controls/reset",
        Scope::Resume,
        Required,
        || web::route().to(controls::reset),
        doc::reset,
    ),
    control(
        "/api/v1/controls/resume",
        Scope::Resume,
        Required,
        || web::route().to(controls::resume),
        doc::resume,
    ),
    get("/api/v1/strategies", || web::route().to(strategies::list), doc::strategies),
    control(
        "/api/v1/strategies/{name}/enable",
        Scope::Resume,
        Optional,
        || web::route().to(strategies::enable),
        doc::enable_strategy,
    ),
    control(
        "/api/v1/strategies/{name}/disable",
        Scope::Pause,
        Optional,
        || web::route().to(strategies::disable),
        doc::disable_strategy,
    ),
    control(
        "/api/v1/strategies/{name}/re-enable",
        Scope::Resume,
        Optional,
        || web::route().to(strategies::re_enable),
        doc::re_enable_strategy,
    ),
    get("/api/v1/performance", || web::route().to(performance::figures), figures_doc::performance),
    get("/api/v1/performance/equity", || web::route().to(performance::equity), figures_doc::equity),
    page("/performance", READ, || web::route().to(performance::page)),
    page("/performance/style.css", READ, || web::route().to(performance::style)),
    get("/api/v1/drift", || web::route().to(drift::list), drift_doc::drift),
    get("/api/v1/drift/streams/{name}", || web::route().to(drift::show), drift_doc::drift_stream),
    measure("/api/v1/drift/streams/{name}", || web::route().to(drift::observe), drift_doc::observe),
    control(
        "/api/v1/drift/streams/{name}/rebaseline",
        Scope::Resume,
        Optional,
        || web::route().to(drift::rebaseline),
        drift_doc::rebaseline,
    ),
    get("/api/v1/events", || web::route().to(events::events), doc::events),
    page("/", READ, || web::route().to(dashboard::page)),
    page("/desk/events", READ, || web::route().to(dashboard::stream)),
    page("/assets/{version}/{name}", Access::Open, || web::route().to(dashboard::asset)),
    page("/login", Access::Open, || web::route().to(dashboard::ask_login)),
    form("/login", Access::Open, KeyRule::None, || web::route().to(dashboard::login)),
    form("/logout", READ, KeyRule::None, || web::route().to(dashboard::logout)),
    page("/control/pause", READ, || web::route().to(dashboard::ask_control)),
    form("/control/pause", Access::Needs(Scope::Pause), Optional, || web::route().to(dashboard::control)),
    page("/control/reduce-only", READ, || web::route().to(dashboard::ask_control)),
    form("/control/reduce-only", Access::Needs(Scope::Pause), Optional, || {
        web::route().to(dashboard::control)
    }),
    page("/control/cancel-all", READ, || web::route().to(dashboard::ask_control)),
    form("/control/cancel-all", Access::Needs(Scope::Pause), Optional, || {
        web::route().to(dashboard::control)
    }),
    page("/control/kill", READ, || web::route().to(dashboard::ask_control)),
    form("/control/kill", Access::Needs(Scope::Kill), Optional, || web::route().to(dashboard::control)),
    page("/control/resume", READ, || web::route().to(dashboard::ask_control)),
    form("/control/resume", Access::Needs(Scope::Resume), Optional, || web::route().to(dashboard::control)),
    page("/control/reset", READ, || web::route().to(dashboard::ask_control)),
    form("/control/reset", Access::Needs(Scope::Resume), Optional, || web::route().to(dashboard::control)),
    debugging("/debug/web/panic", || web::route().to(debug::panic)),
    debugging("/debug/alerts", || web::route().to(debug::alerts)),
    debugging("/debug/actors/{path:.+}/{fault}", || web::route().to(debug::inject)),
];

/// The line of a request; `None` for what is in no line.
pub(super) fn entry(request: &ServiceRequest) -> Option<&'static RouteEntry> {
    let pattern = request.match_pattern()?;
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    ROUTES.iter().find(|entry| entry.path == pattern && entry.method == *method)
}

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
        config.service(resource(entry.path, verbs).wrap(from_fn(calm)));
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
