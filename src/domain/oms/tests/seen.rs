//! What the effects of a step say, in short.

use crate::domain::ids::ClientOrderId;
use crate::domain::oms::*;
use crate::domain::order_types::NewOrder;

/// What was sent.
pub fn sent(effects: &[Effect]) -> Vec<NewOrder> {
    let order = |effect: &Effect| match effect {
        Effect::Submit(_, order) => Some(order.get().clone()),
        _ => None,
    };
    effects.iter().filter_map(order).collect()
}

/// What was asked.
pub fn queries(effects: &[Effect]) -> Vec<ClientOrderId> {
    let order = |effect: &Effect| match effect {
        Effect::Query(_, _, order) => Some(order.clone()),
        _ => None,
    };
    effects.iter().filter_map(order).collect()
}

/// Kinds of the rows that were written.
pub fn kinds(effects: &[Effect]) -> Vec<&'static str> {
    let rows = |effect: &Effect| match effect {
        Effect::Persist(batch) => batch.rows.iter().map(|row| row.kind).collect(),
        _ => Vec::new(),
    };
    effects.iter().flat_map(rows).collect()
}

/// The refusals that were answered.
pub fn refusals(effects: &[Effect]) -> Vec<&'static str> {
    let code = |effect: &Effect| match effect {
        Effect::Reply(_, Answer::Refused(refusal)) => Some(refusal.code),
        _ => None,
    };
    effects.iter().filter_map(code).collect()
}

/// The alerts that were raised.
pub fn raised(effects: &[Effect]) -> Vec<&'static str> {
    let code = |effect: &Effect| match effect {
        Effect::Raise { code, .. } => Some(*code),
        _ => None,
    };
    effects.iter().filter_map(code).collect()
}
