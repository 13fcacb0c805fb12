//! Every request of the exchange in one table: REST path, WebSocket method, weight, access, effect.
//!
//! Weights are Binance Spot's as of 2026-07. Session methods (`session.*`, `userDataStream.*`) belong to
//! the WebSocket session itself and stand in `ws::api_session`.

use super::gate::Call;
use super::{account, market, orders, queries, ticker};
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::params::Params;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// The owner of a key, with a signature.
    Signed,
}

/// What a request does to orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing; it does not ask for orders either.
    None,
    /// It asks for orders.
    Asks,
    /// It cancels orders.
    Changes,
    /// It creates orders.
    Places,
}

/// How much weight a request costs.
#[derive(Debug, Clone, Copy)]
pub enum Weight {
    /// Always the same.
    Fixed(u32),
    /// By its parameters.
    By(fn(&Params<'_>) -> u32),
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// HTTP method; empty when there is no REST form.
    pub method: &'static str,
    /// REST path.
    pub path: &'static str,
    /// WebSocket API method; empty when there is none.
    pub ws: &'static str,
    /// Its weight.
    pub weight: Weight,
    /// Who may ask.
    pub access: Access,
    /// What it does to orders.
    pub effect: Effect,
    /// Carries it out; answers the JSON result.
    pub run: fn(&mut Call<'_>) -> Result<String, ApiError>,
}

impl Weight {
    /// The weight of a request with these parameters.
    #[must_use]
    pub fn of(self, params: &Params<'_>) -> u32 {
        match self {
            Self::Fixed(weight) => weight,
            Self::By(weigh) => weigh(params),
        }
    }
}

const fn read(path: &'static str, ws: &'static str, weight: Weight, run: Run) -> Route {
    Route { method: "GET", path, ws, weight, access: Access::Public, effect: Effect::None, run }
}

const fn signed(
    method: &'static str,
    path: &'static str,
    ws: &'static str,
    weight: Weight,
    effect: Effect,
    run: Run,
) -> Route {
    Route { method, path, ws, weight, access: Access::Signed, effect, run }
}

type Run = fn(&mut Call<'_>) -> Result<String, ApiError>;
use Effect::{Asks, Changes, None as Nothing, Places};
use Weight::{By, Fixed};

/// All requests.
pub const ROUTES: &[Route] = &[
    read("/api/v3/ping", "ping", Fixed(1), market::ping),
    read("/api/v3/time", "time", Fixed(1), market::time),
    read("/api/v3/exchangeInfo", "exchangeInfo", Fixed(20), market::exchange_info),
    read("/api/v3/depth", "depth", By(market::depth_weight), market::depth),
    read("/api/v3/trades", "trades.recent", Fixed(25), market::trades),
    read("/api/v3/aggTrades", "trades.aggregate", Fixed(4), market::agg_trades),
    read("/api/v3/klines", "klines", Fixed(2), market::klines),
    read("/api/v3/avgPrice", "avgPrice", Fixed(2), market::average_price),
    read("/api/v3/ticker/24hr", "ticker.24hr", By(ticker::day_weight), ticker::day),
    read("/api/v3/ticker/price", "ticker.price", By(market::ticker_weight), market::ticker_price),
    read("/api/v3/ticker/bookTicker", "ticker.book", By(market::ticker_weight), market::ticker_book),
    signed("GET", "/api/v3/account", "account.status", Fixed(20), Nothing, account::status),
    signed(
        "GET",
        "/api/v3/rateLimit/order",
        "account.rateLimits.orders",
        Fixed(40),
        Nothing,
        account::order_limits,
    ),
    signed(
        "GET",
        "/api/v3/account/commission",
        "account.commission",
        Fixed(20),
        Nothing,
        account::commission,
    ),
    signed("GET", "/api/v3/myTrades", "myTrades", By(queries::my_trades_weight), Asks, queries::my_trades),
    signed("GET", "/api/v3/order", "order.status", Fixed(4), Asks, queries::order),
    signed(
        "GET",
        "/api/v3/openOrders",
        "openOrders.status",
        By(queries::open_orders_weight),
        Asks,
        queries::open_orders,
    ),
    signed("GET", "/api/v3/allOrders", "allOrders", Fixed(20), Asks, queries::all_orders),
    signed("POST", "/api/v3/order", "order.place", Fixed(1), Places, orders::place),
    signed("POST", "/api/v3/order/test", "order.test", Fixed(1), Nothing, orders::test),
    signed("DELETE", "/api/v3/order", "order.cancel", Fixed(1), Changes, orders::cancel),
    signed("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", Fixed(1), Changes, orders::cancel_all),
    signed(
        "POST",
        "/api/v3/order/cancelReplace",
        "order.cancelReplace",
        Fixed(1),
        Places,
        orders::cancel_replace,
    ),
    signed("POST", "/api/v3/order/oco", "orderList.place", Fixed(1), Places, orders::oco),
    signed("POST", "/api/v3/orderList/oco", "orderList.place.oco", Fixed(1), Places, orders::order_list_oco),
    signed("DELETE", "/api/v3/orderList", "orderList.cancel", Fixed(1), Changes, orders::cancel_list),
];

/// The request of a WebSocket API method.
#[must_use]
pub fn by_method(method: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| !route.ws.is_empty() && route.ws == method)
}

/// The request of a REST method and path; `Err(true)` when the path exists under another method.
///
/// # Errors
/// Whether the path is known at all.
pub fn by_path(method: &str, path: &str) -> Result<&'static Route, bool> {
    let mut known = false;
    for route in ROUTES.iter().filter(|route| route.path == path) {
        known = true;
        if route.method == method {
            return Ok(route);
        }
    }
    Err(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, route) in ROUTES.iter().enumerate() {
            let rest = &ROUTES[index + 1..];
            assert!(!rest.iter().any(|other| (other.method, other.path) == (route.method, route.path)));
            assert!(!rest.iter().any(|other| other.ws == route.ws), "{}", route.ws);
        }
    }

    #[test]
    fn whatever_touches_orders_is_signed() {
        for route in ROUTES.iter().filter(|route| route.effect != Effect::None) {
            assert_eq!(route.access, Access::Signed, "{}", route.path);
        }
    }

    #[test]
    fn lookups_tell_wrong_methods_from_wrong_paths() {
        assert_eq!(by_path("GET", "/api/v3/time").unwrap().ws, "time");
        assert!(by_path("POST", "/api/v3/time").unwrap_err());
        assert!(!by_path("GET", "/api/v3/none").unwrap_err());
        assert!(by_method("").is_none());
    }
}
