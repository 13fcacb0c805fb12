//! What strategies, people and programs ask for.

use crate::domain::ids::{ClientOrderId, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::order_types::{Side, TimeInForce};
use serde::{Deserialize, Deserializer, Serialize};

/// The kinds of order that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// At a price or better.
    Limit,
    /// At whatever the book offers.
    Market,
    /// At a price, refused if it would take.
    LimitMaker,
}

/// The id of an order to be made: in the alphabet that every venue takes. Ids of adopted orders may be wider.
fn own_id<'de, D: Deserializer<'de>>(d: D) -> Result<Option<ClientOrderId>, D::Error> {
    let given = Option::<String>::deserialize(d)?;
    given.map(|text| ClientOrderId::new(&text)).transpose().map_err(serde::de::Error::custom)
}

/// A request for a new order, before risk has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// The caller's own id; the same id again is the same order. `None` takes the generated one.
    #[serde(default, deserialize_with = "own_id")]
    pub client_order_id: Option<ClientOrderId>,
    /// Where.
    pub venue: VenueId,
    /// Instrument.
    pub symbol: Symbol,
    /// Direction.
    pub side: Side,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: OrderKind,
    /// Base quantity.
    pub quantity: Quantity,
    /// Limit price; `None` exactly for market orders.
    #[serde(default)]
    pub price: Option<Price>,
    /// How long it rests; `None` means GTC for limit orders and must be `None` for the other kinds.
    #[serde(default)]
    pub time_in_force: Option<TimeInForce>,
    /// Where a loss would be cut; recorded with the order, judged by risk.
    #[serde(default)]
    pub stop_loss: Option<Price>,
    /// May only make a position smaller.
    #[serde(default)]
    pub reduce_only: bool,
    /// Whose order it is.
    pub strategy: StrategyId,
    /// Ties the order to what caused it. `None` takes the client order id.
    #[serde(default)]
    pub correlation: Option<Correlation>,
}

/// A request to cancel one order and place another in its stead.
///
/// The new order goes out only once the old one is final; its quantity is reduced by what the old one
/// executed, and nothing is sent when nothing remains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplaceRequest {
    /// The order to replace.
    pub original: ClientOrderId,
    /// The caller's id for the new order.
    #[serde(default, deserialize_with = "own_id")]
    pub client_order_id: Option<ClientOrderId>,
    /// New limit price.
    pub price: Price,
    /// New total quantity, including what the original has executed.
    pub quantity: Quantity,
}

/// Which orders a cancel-all covers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelScope {
    /// Only at this venue.
    #[serde(default)]
    pub venue: Option<VenueId>,
    /// Only this instrument.
    #[serde(default)]
    pub symbol: Option<Symbol>,
    /// Only of this strategy.
    #[serde(default)]
    pub strategy: Option<StrategyId>,
    /// Only those that do not say of themselves that they only reduce.
    #[serde(default)]
    pub entries: bool,
}

/// What becomes of an order that the venue provably does not know, and of venue orders that carry a
/// strategy's name but are unknown here. Configured per strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patience {
    /// The venue's word is taken: an absent order is closed, an unknown one is tracked.
    Adopt,
    /// An absent order is sent again under the same id, within the age and price guard; else held.
    Requeue,
    /// An absent order is closed; one that turns out to live is cancelled.
    Cancel,
    /// Nothing is done without an operator; the order counts at worst case and an alert stands.
    #[default]
    Hold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_for_a_new_order_is_in_our_alphabet() {
        let request = |id: &str| {
            let text =
                format!(r#"{{"original": "web.7", "client_order_id": {id}, "price": "1", "quantity": "1"}}"#);
            serde_json::from_str::<ReplaceRequest>(&text)
        };
        assert!(request(r#""mine-1""#).is_ok(), "an adopted order may be replaced");
        assert!(request("null").unwrap().client_order_id.is_none());
        assert!(request(r#""web.8""#).is_err());
    }
}
