//! Our open orders against the venue's list: which of ours it does not show. Pure, and without a verdict.
//!
//! Absence from a list is no proof of anything: the list may be older than the order, the venue may hide it,
//! the order may have ended. What is missing is asked about by name.

use super::ids::VenueOrderId;
use super::ids::{ClientOrderId, Symbol};
use super::order::{Order, OrderNumber};
use super::order_types::OrderReport;
use std::collections::BTreeSet;

/// The orders of `ours` that `theirs` does not list, neither by our name nor by the venue's id.
pub fn missing_there<'a>(
    ours: impl IntoIterator<Item = &'a Order>,
    theirs: &[OrderReport],
) -> Vec<OrderNumber> {
    let names: BTreeSet<&ClientOrderId> = theirs.iter().map(|report| &report.client_order_id).collect();
    let ids: BTreeSet<(&Symbol, &VenueOrderId)> =
        theirs.iter().map(|report| (&report.symbol, &report.venue_order_id)).collect();
    let listed = |order: &Order| match &order.venue_order_id {
        // A name may be used again by others; the venue's id is the order's own.
        Some(id) => ids.contains(&(&order.symbol, id)),
        None => names.contains(&order.venue_client_order_id),
    };
    ours.into_iter().filter(|order| !listed(order)).map(|order| order.number).collect()
}
