//! The JSON shapes of orders, fills, positions, balances and journal rows, as `GET` and the event stream show them.
//!
//! Times are RFC 3339 UTC with milliseconds, figures are decimal strings. A figure that is not known is null.

use crate::domain::journal::{BalanceRow, Row};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::Order;
use crate::domain::order_types::TimeInForce;
use crate::domain::time::WallMs;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A wall-clock time in words; null for one that no calendar holds.
pub(super) fn time(at: WallMs) -> Option<String> {
    at.rfc3339()
}

/// An order.
#[derive(Serialize)]
pub(super) struct OrderView<'a> {
    client_order_id: &'a str,
    venue_client_order_id: &'a str,
    venue_order_id: Option<&'a str>,
    venue: &'a str,
    symbol: &'a str,
    side: crate::domain::order_types::Side,
    r#type: crate::domain::order::OrderKind,
    quantity: Quantity,
    price: Option<Price>,
    time_in_force: Option<Cow<'a, str>>,
    stop_loss: Option<Price>,
    reduce_only: bool,
    state: &'static str,
    executed_quantity: Quantity,
    booked_quantity: Quantity,
    average_price: Option<Price>,
    decision_price: Option<Price>,
    strategy: &'a str,
    origin: crate::domain::order::Origin,
    reason: Option<&'a str>,
    attempts: u32,
    cancel_requested: bool,
    replaces: Option<&'a str>,
    correlation: &'a str,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl<'a> From<&'a Order> for OrderView<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            client_order_id: order.client_order_id.as_str(),
            venue_client_order_id: order.venue_client_order_id.as_str(),
            venue_order_id: order.venue_order_id.as_ref().map(|id| id.as_str()),
            venue: order.venue.as_str(),
            symbol: order.symbol.as_str(),
            side: order.side,
            r#type: order.kind,
            quantity: order.quantity,
            price: order.price,
            time_in_force: order.time_in_force.as_ref().map(time_in_force),
            stop_loss: order.stop_loss,
            reduce_only: order.reduce_only,
            state: order.state.word(),
            executed_quantity: order.executed,
            booked_quantity: order.booked,
            average_price: order.average_price(),
            decision_price: order.decision_price,
            strategy: order.strategy.as_str(),
            origin: order.origin,
            reason: order.reason.as_deref(),
            attempts: order.attempts,
            cancel_requested: order.cancel_requested,
            replaces: order.replaces.as_ref().map(|id| id.as_str()),
            correlation: order.correlation.as_str(),
            created_at: time(order.created_at),
            updated_at: time(order.updated_at),
        }
    }
}

fn time_in_force(rule: &TimeInForce) -> Cow<'_, str> {
    match rule {
        TimeInForce::Gtc => "gtc".into(),
        TimeInForce::Ioc => "ioc".into(),
        TimeInForce::Fok => "fok".into(),
        TimeInForce::Other(word) => word.as_str().to_ascii_lowercase().into(),
    }
}

/// A booked fill.
#[derive(Serialize)]
pub(super) struct FillView<'a> {
    venue: &'a str,
    trade_id: &'a str,
    client_order_id: Option<&'a str>,
    venue_order_id: &'a str,
    symbol: &'a str,
    side: crate::domain::order_types::Side,
    quantity: Quantity,
    price: Price,
    fee: Amount,
    fee_asset: Option<&'a str>,
    liquidity: crate::domain::order_types::Liquidity,
    strategy: &'a str,
    busted: bool,
    correlation: &'a str,
    at: Option<String>,
    booked_at: Option<String>,
}

impl<'a> From<&'a BookedFill> for FillView<'a> {
    fn from(booked: &'a BookedFill) -> Self {
        let fill = &booked.fill;
        Self {
            venue: booked.venue.as_str(),
            trade_id: fill.trade_id.as_str(),
            client_order_id: booked.client_order_id.as_ref().map(|id| id.as_str()),
            venue_order_id: fill.venue_order_id.as_str(),
            symbol: fill.symbol.as_str(),
            side: fill.side,
            quantity: fill.quantity,
            price: fill.price,
            fee: fill.fee,
            fee_asset: fill.fee_asset.as_ref().map(|asset| asset.as_str()),
            liquidity: fill.liquidity,
            strategy: booked.strategy.as_str(),
            busted: booked.busted,
            correlation: booked.correlation.as_str(),
            at: time(fill.at),
            booked_at: time(booked.booked_at),
        }
    }
}

/// What is known of a position beside the ledger.
#[derive(Default)]
pub(super) struct Beside {
    /// Profit or loss if it were closed at the mark.
    pub(super) unrealised_pnl: Option<Amount>,
    /// The price that it is valued at.
    pub(super) mark_price: Option<Price>,
    /// What all strategies together hold of the instrument, by the venue.
    pub(super) venue_quantity: Option<Amount>,
    /// When the venue's word was last compared.
    pub(super) compared_at: Option<WallMs>,
}

/// A position.
#[derive(Serialize)]
pub(super) struct PositionView<'a> {
    venue: &'a str,
    symbol: &'a str,
    strategy: &'a str,
    quantity: Amount,
    average_price: Option<Price>,
    realised_pnl: Amount,
    unrealised_pnl: Option<Amount>,
    mark_price: Option<Price>,
    fees: &'a BTreeMap<crate::domain::ids::Asset, Amount>,
    turnover: Amount,
    venue_quantity: Option<Amount>,
    compared_at: Option<String>,
    updated_at: Option<String>,
}

impl<'a> PositionView<'a> {
    pub(super) fn new(position: &'a Position, beside: &Beside) -> Self {
        Self {
            venue: position.venue.as_str(),
            symbol: position.symbol.as_str(),
            strategy: position.strategy.as_str(),
            quantity: position.quantity,
            average_price: position.average_price,
            realised_pnl: position.realised_pnl,
            unrealised_pnl: beside.unrealised_pnl,
            mark_price: beside.mark_price,
            fees: &position.fees,
            turnover: position.turnover,
            venue_quantity: beside.venue_quantity,
            compared_at: beside.compared_at.and_then(time),
            updated_at: time(position.updated_at),
        }
    }
}

/// A balance.
#[derive(Serialize)]
pub(super) struct BalanceView<'a> {
    venue: &'a str,
    asset: &'a str,
    free: Amount,
    locked: Amount,
    total: Option<Amount>,
    expected: Option<Amount>,
    compared_at: Option<String>,
}

impl<'a> From<&'a BalanceRow> for BalanceView<'a> {
    fn from(row: &'a BalanceRow) -> Self {
        Self {
            venue: row.venue.as_str(),
            asset: row.asset.as_str(),
            free: row.free,
            locked: row.locked,
            total: row.free.checked_add(row.locked),
            expected: row.expected,
            compared_at: row.compared_at.and_then(time),
        }
    }
}

/// A journal row.
#[derive(Serialize)]
pub(super) struct RowView<'a> {
    seq: u64,
    kind: &'a str,
    correlation: &'a str,
    at: Option<String>,
    /// As it stands in the journal, byte for byte; null for a text that is not JSON.
    payload: Option<Box<RawValue>>,
}

impl<'a> From<&'a Row> for RowView<'a> {
    fn from(row: &'a Row) -> Self {
        Self {
            seq: row.seq.0,
            kind: &row.kind,
            correlation: row.correlation.as_str(),
            at: time(row.at),
            payload: RawValue::from_string(row.payload.clone()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_in_utc() {
        assert_eq!(time(WallMs(1_700_000_000_123)).as_deref(), Some("2023-11-14T22:13:20.123Z"));
        assert_eq!(time(WallMs(i64::MAX)), None);
    }
}
