//! From a request body to an order request: every rule that can be judged without knowing the market.
//!
//! What needs the state of the desk (the instrument's steps, limits, gates) is judged by the order management.

use super::fields::{Fields, Members};
use super::problem::Problem;
use crate::domain::ids::{ClientOrderId, StrategyId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::order::{OrderKind, OrderRequest, ReplaceRequest};
use crate::domain::order_types::{Side, TimeInForce};
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads the body of `POST /api/v1/orders`.
///
/// `venues` are the configured ones: where there is exactly one it need not be named.
pub(super) fn order(members: Members, venues: &[VenueId]) -> Result<OrderRequest, Problem> {
    let mut fields = Fields::new(members);
    let id = fields.optional("client_order_id", ClientOrderId::new);
    let named = fields.optional("venue", VenueId::new);
    let venue = known_venue(&mut fields, named, venues);
    let symbol = fields.required("symbol", Symbol::new);
    let side = fields.required("side", side);
    let kind = fields.required("type", kind);
    let quantity = fields.required("quantity", positive_quantity);
    let price = fields.optional("price", positive_price);
    let time_in_force = fields.optional("time_in_force", time_in_force);
    let stop_loss = fields.optional("stop_loss", positive_price);
    let reduce_only = fields.flag("reduce_only");
    let strategy = fields.required("strategy", StrategyId::new);
    match kind {
        Some(OrderKind::Market) if price.is_some() => {
            fields.refuse("price", "must be absent: a market order has none")
        }
        Some(OrderKind::Limit | OrderKind::LimitMaker) if price.is_none() && !fields.has_error("price") => {
            fields.refuse("price", "is missing: this type of order needs one");
        }
        _ => {}
    }
    if matches!(kind, Some(OrderKind::Market | OrderKind::LimitMaker)) && time_in_force.is_some() {
        fields.refuse("time_in_force", "must be absent: only limit orders have one");
    }
    fields.finish(|| {
        Some(OrderRequest {
            client_order_id: Some(id.unwrap_or_else(fresh_id)),
            venue: venue?,
            symbol: symbol?,
            side: side?,
            kind: kind?,
            quantity: quantity?,
            price,
            time_in_force,
            stop_loss,
            reduce_only,
            strategy: strategy?,
            correlation: None,
        })
    })
}

/// Reads the body of `POST /api/v1/orders/{client_order_id}/replace`, and the caller's reason.
pub(super) fn replace(
    original: ClientOrderId,
    members: Members,
) -> Result<(ReplaceRequest, Option<String>), Problem> {
    let mut fields = Fields::new(members);
    let id = fields.optional("client_order_id", ClientOrderId::new);
    let price = fields.required("price", positive_price);
    let quantity = fields.required("quantity", positive_quantity);
    let reason = fields.optional("reason", super::fields::reason);
    if id.as_ref() == Some(&original) {
        fields.refuse("client_order_id", "must differ from the id of the order that is replaced");
    }
    let request = fields.finish(|| {
        let client_order_id = Some(id.unwrap_or_else(fresh_id));
        Some(ReplaceRequest { original, client_order_id, price: price?, quantity: quantity? })
    })?;
    Ok((request, reason))
}

fn known_venue(fields: &mut Fields, named: Option<VenueId>, venues: &[VenueId]) -> Option<VenueId> {
    let list = || venues.iter().map(VenueId::as_str).collect::<Vec<_>>().join(", ");
    match (named, venues) {
        (Some(venue), _) if venues.contains(&venue) => Some(venue),
        (Some(venue), _) => {
            fields.refuse("venue", format!("{venue} is not configured; there are: {}", list()));
            None
        }
        (None, _) if fields.has_error("venue") => None,
        (None, [only]) => Some(only.clone()),
        (None, _) => {
            fields.refuse("venue", format!("is missing; there are: {}", list()));
            None
        }
    }
}

fn side(word: &str) -> Result<Side, &'static str> {
    match word {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err("must be buy or sell"),
    }
}

fn kind(word: &str) -> Result<OrderKind, &'static str> {
    match word {
        "limit" => Ok(OrderKind::Limit),
        "market" => Ok(OrderKind::Market),
        "limit_maker" => Ok(OrderKind::LimitMaker),
        _ => Err("must be limit, market or limit_maker"),
    }
}

fn time_in_force(word: &str) -> Result<TimeInForce, &'static str> {
    match word {
        "gtc" => Ok(TimeInForce::Gtc),
        "ioc" => Ok(TimeInForce::Ioc),
        "fok" => Ok(TimeInForce::Fok),
        _ => Err("must be gtc, ioc or fok"),
    }
}

fn positive_price(text: &str) -> Result<Price, String> {
    let price = Price::parse(text).map_err(|error| error.to_string())?;
    if price.is_zero() { Err("must be above zero".to_owned()) } else { Ok(price) }
}

fn positive_quantity(text: &str) -> Result<Quantity, String> {
    let quantity = Quantity::parse(text).map_err(|error| error.to_string())?;
    if quantity.is_zero() { Err("must be above zero".to_owned()) } else { Ok(quantity) }
}

/// Numbers the ids that this process made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// An id for a caller who named none. It is made here rather than in the order management so that an answer
/// that never comes can still name the order. Time, a counter and chance together never repeat.
fn fresh_id() -> ClientOrderId {
    loop {
        let count = MADE.fetch_add(1, Ordering::Relaxed);
        let text = format!("h-{:x}-{:x}-{:08x}", crate::clock::wall_millis(), count, fastrand::u32(..));
        if let Ok(id) = ClientOrderId::new(&text) {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venues() -> Vec<VenueId> {
        vec![VenueId::new("paper").unwrap()]
    }

    fn read(body: &str) -> Result<OrderRequest, Problem> {
        order(serde_json::from_str(body).unwrap(), &venues())
    }

    fn wrong(body: &str) -> Vec<String> {
        read(body).unwrap_err().errors().iter().map(|error| error.pointer.clone()).collect()
    }

    const LIMIT: &str = r#""symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.01",
        "price": "100.5", "strategy": "manual""#;

    #[test]
    fn an_order_without_venue_and_id_gets_both() {
        let first = read(&format!("{{{LIMIT}}}")).unwrap();
        let second = read(&format!("{{{LIMIT}}}")).unwrap();
        assert_eq!(first.venue.as_str(), "paper");
        assert_ne!(first.client_order_id, second.client_order_id);
        assert!(first.client_order_id.unwrap().as_str().len() <= ClientOrderId::MAX_LEN);
        assert_eq!(first.price.unwrap().to_string(), "100.5");
    }

    #[test]
    fn the_callers_own_id_is_kept() {
        let request =
            read(&format!(r#"{{{LIMIT}, "client_order_id": "mine-1", "time_in_force": "ioc"}}"#)).unwrap();
        assert_eq!(request.client_order_id.unwrap().as_str(), "mine-1");
        assert_eq!(request.time_in_force, Some(TimeInForce::Ioc));
    }

    #[test]
    fn prices_belong_to_limit_orders_alone() {
        let base = r#""symbol": "BTCUSDT", "side": "sell", "quantity": "1", "strategy": "manual""#;
        assert_eq!(wrong(&format!(r#"{{{base}, "type": "limit"}}"#)), ["/price"]);
        assert_eq!(wrong(&format!(r#"{{{base}, "type": "limit", "price": "0"}}"#)), ["/price"]);
        let market = format!(r#"{{{base}, "type": "market", "price": "1", "time_in_force": "gtc"}}"#);
        assert_eq!(wrong(&market), ["/price", "/time_in_force"]);
        assert!(read(&format!(r#"{{{base}, "type": "market"}}"#)).is_ok());
    }

    #[test]
    fn nonsense_is_named_where_it_stands() {
        assert_eq!(
            wrong(
                r#"{"symbol": "btc usdt", "side": "long", "type": "stop", "quantity": "-1", "price": "1e5"}"#
            ),
            ["/symbol", "/side", "/type", "/quantity", "/price", "/strategy"]
        );
        assert_eq!(wrong(&format!(r#"{{{LIMIT}, "venue": "nowhere"}}"#)), ["/venue"]);
        assert_eq!(wrong(&format!(r#"{{{LIMIT}, "qty": "1"}}"#)), ["/qty"]);
        let two = [VenueId::new("a").unwrap(), VenueId::new("b").unwrap()];
        let problem = order(serde_json::from_str(&format!("{{{LIMIT}}}")).unwrap(), &two).unwrap_err();
        assert!(problem.to_string().contains("a, b"), "{problem}");
    }

    #[test]
    fn a_replacement_needs_another_id() {
        let original = ClientOrderId::new("x").unwrap();
        let body = |id: &str| format!(r#"{{"client_order_id": "{id}", "price": "1", "quantity": "2"}}"#);
        let read = |id| replace(original.clone(), serde_json::from_str(&body(id)).unwrap());
        assert!(read("x").is_err());
        assert_eq!(read("y").unwrap().0.quantity.to_string(), "2");
    }
}
