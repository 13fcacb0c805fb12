//! Limits for rehearsals: wide, but every one of them set, so that a rehearsal walks the whole chain.

use super::limit::{Consequence, DrawdownLimit, Limit, LossLimit, RepeatLimit};
use super::settings::{
    AccountLimits, OrderLimits, Rates, RiskSettings, StrategyLimits, SymbolLimits, VenueLimits,
};
use crate::domain::ids::Asset;
use rust_decimal::Decimal;

/// A trillion: more than any rehearsal moves, and products of two still fit.
const WIDE: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);
/// Orders and messages per second.
const OFTEN: u32 = 10_000;

impl RiskSettings {
    /// Limits for rehearsals, simulations and benches: wide, but every one of them set. What needs a plan of
    /// the strategy (stop-loss, Kelly, volatility) is not required. Never the limits of a real account.
    #[must_use]
    pub fn for_rehearsal(currency: Asset) -> Self {
        let wide = Limit::At(WIDE);
        let loss = Limit::At(LossLimit { most: WIDE, then: Consequence::ReduceOnly });
        let fall = DrawdownLimit { soft: Decimal::ONE, hard: Decimal::TWO, then: Consequence::Kill };
        let rates = Rates {
            orders_per_second: Limit::At(OFTEN),
            orders_per_minute: Limit::At(OFTEN),
            messages_per_second: Limit::At(OFTEN.saturating_mul(10)),
            messages_per_minute: Limit::At(OFTEN.saturating_mul(100)),
        };
        let order = OrderLimits {
            min_value: Limit::NotRequired,
            max_value: wide,
            price_collar: Limit::At(Decimal::TEN),
            fat_finger: Limit::At(Decimal::TEN),
            duplicate_window_ms: Limit::NotRequired,
        };
        let account = AccountLimits {
            order,
            capital: wide,
            open_orders: Limit::At(u32::MAX),
            gross: wide,
            net: wide,
            leverage: Limit::At(Decimal::TEN),
            assets: vec![(None, wide)],
            daily_loss: loss,
            drawdown: Limit::At(fall),
            rates,
            self_match: Limit::NotRequired,
        };
        let venue = VenueLimits {
            open_orders: Limit::At(u32::MAX),
            gross: wide,
            net: wide,
            ..VenueLimits::default()
        };
        let symbol = SymbolLimits {
            min_quantity: Limit::NotRequired,
            max_quantity: wide,
            position: wide,
            open_orders: Limit::At(u32::MAX),
            ..SymbolLimits::default()
        };
        let strategy = StrategyLimits {
            positions: vec![(None, wide)],
            open_orders: Limit::At(u32::MAX),
            gross: wide,
            net: wide,
            budget: wide,
            daily_loss: loss,
            drawdown: Limit::At(fall),
            rates,
            repeats: Limit::At(RepeatLimit { fills: OFTEN, window_ms: 1_000 }),
            stop_loss: Limit::NotRequired,
            kelly: Limit::NotRequired,
            volatility: Limit::NotRequired,
            ..StrategyLimits::default()
        };
        Self {
            account,
            venues: vec![venue],
            symbols: vec![symbol],
            strategies: vec![strategy],
            ..Self::nothing_set(currency)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_is_a_trillion() {
        assert_eq!(WIDE, Decimal::from(1_000_000_000_000_i64));
    }
}
