//! Accounts and their trades, as REST and the WebSocket API answer them.

use super::{json, or_none};
use crate::paper_exchange::engine::{Balance, Fill, Rate, Side};
use serde_json::json as value;

/// What `account` says besides balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account's number.
    pub uid: u32,
    /// Commission of resting orders.
    pub maker: Rate,
    /// Commission of taking orders.
    pub taker: Rate,
    /// Whether it may place orders.
    pub can_trade: bool,
    /// Last change, ms since the epoch.
    pub updated_ms: i64,
}

/// REST `account` and `account.status`.
#[must_use]
pub fn account(facts: AccountFacts, balances: &[Balance], omit_zero: bool) -> String {
    let lines: Vec<_> = balances
        .iter()
        .filter(|line| !omit_zero || line.free.is_positive() || line.locked.is_positive())
        .map(|line| value!({"asset": line.asset, "free": line.free, "locked": line.locked}))
        .collect();
    // The deprecated whole-number commissions are in basis points.
    let points = |rate: Rate| rate.units() / 10_000;
    json(&value!({
        "makerCommission": points(facts.maker), "takerCommission": points(facts.taker),
        "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": {
            "maker": facts.maker, "taker": facts.taker, "buyer": Rate::ZERO, "seller": Rate::ZERO,
        },
        "canTrade": facts.can_trade, "canWithdraw": false, "canDeposit": false,
        "brokered": false, "requireSelfTradePrevention": false, "preventSor": false,
        "updateTime": facts.updated_ms, "accountType": "SPOT", "balances": lines,
        "permissions": ["SPOT"], "uid": facts.uid,
    }))
}

/// REST `myTrades`.
#[must_use]
pub fn my_trades<'a>(fills: impl Iterator<Item = &'a Fill>) -> String {
    let rows: Vec<_> = fills
        .map(|fill| {
            value!({
                "symbol": fill.symbol, "id": fill.trade_id, "orderId": fill.order_id,
                "orderListId": or_none(fill.list_id.map(|id| id.0)), "price": fill.price,
                "qty": fill.quantity, "quoteQty": fill.quote, "commission": fill.commission,
                "commissionAsset": fill.commission_asset, "time": fill.at_ms,
                "isBuyer": fill.side == Side::Buy, "isMaker": fill.is_maker, "isBestMatch": true,
            })
        })
        .collect();
    json(&rows)
}
