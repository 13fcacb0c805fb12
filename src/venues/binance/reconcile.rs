//! Fetches what the comparison after a (re)connect needs: limits, open orders, fills, balances.
//!
//! Every part must succeed: a list that is missing would read as "no orders", which is how systems lose them.

use super::gateway::Gateway;
use super::shared::Shared;
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::ids::TradeId;
use crate::domain::outcome::ReadError;

/// Fetches one consistent-enough snapshot. Events that arrive meanwhile reach the owner as well, and fills
/// are told apart by their ids, so the order of the two does not matter.
pub(super) async fn fetch(shared: &Shared, gateway: &Gateway) -> Result<AccountSnapshot, ReadError> {
    let symbols = &shared.config.symbols;
    gateway.learn_limits().await?;
    let open_orders = gateway.open_orders(None).await?;
    let mut fills = Vec::new();
    for symbol in symbols {
        let after = shared.view.borrow().last_trade(symbol).map(TradeId::from);
        fills.extend(gateway.fills_since(symbol, after.as_ref()).await?);
    }
    let balances = gateway.balances().await?;
    Ok(AccountSnapshot { open_orders, fills, balances })
}
