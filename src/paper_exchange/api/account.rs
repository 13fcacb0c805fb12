//! Requests about an account: balances, commission, order counts.

use super::gate::Call;
use super::market::{refused, symbol};
use crate::paper_exchange::engine::Rate;
use crate::paper_exchange::errors::ApiError;
use crate::paper_exchange::render::{self, account::AccountFacts, json};
use serde_json::json as value;

pub(super) fn status(call: &mut Call<'_>) -> Result<String, ApiError> {
    let account = call.account()?;
    let omit_zero = call.params.boolean("omitZeroBalances")?.unwrap_or(false);
    let view = call.floor.exchange.account(account).map_err(refused)?;
    let facts = AccountFacts {
        uid: account.0,
        maker: view.maker,
        taker: view.taker,
        can_trade: view.can_trade,
        updated_ms: view.updated_ms,
    };
    Ok(render::account::account(facts, &view.balances, omit_zero))
}

pub(super) fn commission(call: &mut Call<'_>) -> Result<String, ApiError> {
    let (account, symbol) = (call.account()?, symbol(call)?);
    let view = call.floor.exchange.account(account).map_err(refused)?;
    let none = value!({"maker": Rate::ZERO, "taker": Rate::ZERO, "buyer": Rate::ZERO, "seller": Rate::ZERO});
    Ok(json(&value!({
        "symbol": symbol,
        "standardCommission": {"maker": view.maker, "taker": view.taker, "buyer": Rate::ZERO, "seller": Rate::ZERO},
        "specialCommission": none, "taxCommission": none,
        "discount": {"enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB", "discount": Rate::ZERO},
    })))
}

pub(super) fn order_limits(call: &mut Call<'_>) -> Result<String, ApiError> {
    let name = call.identity.map_or("", |identity| identity.name.as_str());
    let counts = call.floor.limits.order_counts(call.now_ms, name);
    Ok(render::info::order_limits(call.floor.limits.settings(), counts))
}
