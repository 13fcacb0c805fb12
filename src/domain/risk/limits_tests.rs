//! Which limits hold for an order: those of every scope that it stands in, of no other, and the tightest of them.

use super::testing::{d, strategy, symbol, venue};
use super::{
    Consequence, DrawdownLimit, KellyLimit, Limit, Limits, LossLimit, Market, OrderLimits, Rates,
    RepeatLimit, RiskSettings, StopLimit, StrategyLimits, SymbolLimits, VenueLimits, VolatilityLimit,
};
use crate::domain::ids::{Asset, Symbol, VenueId};
use rust_decimal::Decimal;

fn at(text: &str) -> Limit<Decimal> {
    Limit::At(d(text))
}

fn btc() -> Asset {
    Asset::new("BTC").unwrap()
}

fn nothing() -> RiskSettings {
    RiskSettings::nothing_set(Asset::new("USDT").unwrap())
}

/// Of strategy 0 in the first instrument of the first venue.
fn resolved(settings: &RiskSettings) -> Limits {
    settings.resolve(&strategy(0), &venue(0), &symbol(0), Some(&btc()))
}

#[test]
fn limits_of_every_scope_that_an_order_stands_in_and_of_no_other() {
    let mut settings = nothing();
    let named = |venue: Option<VenueId>, gross: &str| VenueLimits {
        venue,
        gross: at(gross),
        order: OrderLimits { max_value: at(gross), ..OrderLimits::default() },
        ..VenueLimits::default()
    };
    settings.venues = vec![named(None, "10"), named(Some(venue(0)), "8"), named(Some(venue(2)), "1")];
    let named = |venue: Option<VenueId>, symbol: Option<Symbol>, most: &str| SymbolLimits {
        venue,
        symbol,
        max_quantity: at(most),
        order: OrderLimits { price_collar: at(most), ..OrderLimits::default() },
        ..SymbolLimits::default()
    };
    settings.symbols = vec![
        named(None, None, "50"),
        named(Some(venue(0)), Some(symbol(0)), "20"),
        named(Some(venue(0)), Some(symbol(1)), "1"),
        named(Some(venue(2)), Some(symbol(0)), "2"),
        named(Some(venue(2)), None, "3"),
        named(None, Some(symbol(1)), "4"),
    ];
    let named = |strategy, budget: &str| StrategyLimits {
        strategy,
        budget: at(budget),
        positions: vec![(None, at(budget)), (Some(symbol(0)), at("9")), (Some(symbol(1)), at("0.5"))],
        order: OrderLimits { fat_finger: at(budget), ..OrderLimits::default() },
        rates: Rates { orders_per_second: Limit::At(7), ..Rates::default() },
        ..StrategyLimits::default()
    };
    settings.strategies =
        vec![named(None, "100"), named(Some(strategy(0)), "80"), named(Some(strategy(1)), "1")];
    settings.account.assets =
        vec![(None, at("1000")), (Some(btc()), at("500")), (Some(Asset::new("ETH").unwrap()), at("1"))];
    let limits = resolved(&settings);
    assert_eq!((limits.gross.venue, limits.order.max_value), (at("8"), at("8")));
    assert_eq!((limits.max_quantity, limits.order.price_collar), (at("20"), at("20")));
    assert_eq!((limits.budget, limits.order.fat_finger, limits.position), (at("80"), at("80"), at("9")));
    assert_eq!(limits.strategy_rates.orders_per_second, Limit::At(7));
    assert_eq!(limits.asset, at("500"));
    // Of an instrument without a known base the limit of all assets holds.
    let unknown = settings.resolve(&strategy(0), &venue(0), &symbol(0), None);
    assert_eq!(unknown.asset, at("1000"));
    // What stands in no scope was not set.
    assert_eq!(
        (limits.net.venue, limits.min_quantity, limits.capital),
        (Limit::NotSet, Limit::NotSet, Limit::NotSet)
    );
}

#[test]
fn of_two_limits_of_orders_and_rates_the_tighter_figure_holds() {
    let order = |low: &str, high: &str, ms| OrderLimits {
        min_value: at(low),
        max_value: at(high),
        price_collar: at(high),
        fat_finger: at(high),
        duplicate_window_ms: Limit::At(ms),
    };
    let rates = |n| Rates {
        orders_per_second: Limit::At(n),
        orders_per_minute: Limit::At(n),
        messages_per_second: Limit::At(n),
        messages_per_minute: Limit::At(n),
    };
    for swapped in [false, true] {
        let mut settings = nothing();
        let one =
            StrategyLimits { order: order("1", "9", 100), rates: rates(9), ..StrategyLimits::default() };
        let other =
            StrategyLimits { order: order("2", "8", 200), rates: rates(8), ..StrategyLimits::default() };
        settings.strategies = if swapped { vec![other, one] } else { vec![one, other] };
        let limits = resolved(&settings);
        assert_eq!((limits.order, limits.strategy_rates), (order("2", "8", 200), rates(8)), "{swapped}");
    }
}

#[test]
fn of_two_limits_with_many_figures_each_figure_is_the_tighter() {
    let loose = StrategyLimits {
        daily_loss: Limit::At(LossLimit { most: d("9"), then: Consequence::Kill }),
        drawdown: Limit::At(DrawdownLimit { soft: d("0.1"), hard: d("0.3"), then: Consequence::Throttle }),
        repeats: Limit::At(RepeatLimit { fills: 9, window_ms: 200 }),
        stop_loss: Limit::At(StopLimit { distance: d("0.1"), loss: d("9") }),
        kelly: Limit::At(KellyLimit { fraction: d("0.5"), trades_min: 30 }),
        volatility: Limit::At(VolatilityLimit { target: d("0.1"), weight_max: d("2"), samples_min: 9 }),
        ..StrategyLimits::default()
    };
    let tight = StrategyLimits {
        daily_loss: Limit::At(LossLimit { most: d("8"), then: Consequence::Throttle }),
        drawdown: Limit::At(DrawdownLimit { soft: d("0.2"), hard: d("0.25"), then: Consequence::ReduceOnly }),
        repeats: Limit::At(RepeatLimit { fills: 8, window_ms: 100 }),
        stop_loss: Limit::At(StopLimit { distance: d("0.2"), loss: d("8") }),
        kelly: Limit::At(KellyLimit { fraction: d("0.25"), trades_min: 20 }),
        volatility: Limit::At(VolatilityLimit { target: d("0.2"), weight_max: d("1"), samples_min: 8 }),
        ..StrategyLimits::default()
    };
    let silent = StrategyLimits::default();
    for all in [[&loose, &tight, &silent], [&silent, &tight, &loose]] {
        let mut settings = nothing();
        settings.strategies = all.map(Clone::clone).to_vec();
        let limits = resolved(&settings);
        assert_eq!(limits.strategy_loss, Limit::At(LossLimit { most: d("8"), then: Consequence::Kill }));
        let then = Consequence::ReduceOnly;
        assert_eq!(
            limits.strategy_drawdown,
            Limit::At(DrawdownLimit { soft: d("0.1"), hard: d("0.25"), then })
        );
        assert_eq!(limits.repeats, Limit::At(RepeatLimit { fills: 8, window_ms: 200 }));
        assert_eq!(limits.stop_loss, Limit::At(StopLimit { distance: d("0.1"), loss: d("8") }));
        assert_eq!(limits.kelly, Limit::At(KellyLimit { fraction: d("0.25"), trades_min: 30 }));
        let volatility = VolatilityLimit { target: d("0.1"), weight_max: d("1"), samples_min: 9 };
        assert_eq!(limits.volatility, Limit::At(volatility));
    }
}

#[test]
fn a_figure_beats_a_word_and_a_word_beats_silence() {
    let limit = |daily_loss| StrategyLimits { daily_loss, ..StrategyLimits::default() };
    let figure = Limit::At(LossLimit { most: d("5"), then: Consequence::Kill });
    for (one, other, holds) in [
        (Limit::NotSet, Limit::NotSet, Limit::NotSet),
        (Limit::NotSet, Limit::NotRequired, Limit::NotRequired),
        (Limit::NotRequired, figure, figure),
        (Limit::NotSet, figure, figure),
    ] {
        for pair in [[one, other], [other, one]] {
            let mut settings = nothing();
            settings.strategies = pair.map(limit).to_vec();
            assert_eq!(resolved(&settings).strategy_loss, holds, "{pair:?}");
        }
    }
}

#[test]
fn what_may_not_be_traded_is_so_at_its_venue_or_at_all() {
    for (market, here) in [
        (Market { venue: None, symbol: symbol(0) }, true),
        (Market { venue: Some(venue(0)), symbol: symbol(0) }, true),
        (Market { venue: Some(venue(2)), symbol: symbol(0) }, false),
        (Market { venue: None, symbol: symbol(1) }, false),
    ] {
        let mut settings = nothing();
        settings.restricted = vec![market.clone()];
        assert_eq!(resolved(&settings).restricted, here, "{market:?}");
    }
}

#[test]
fn a_version_of_the_limits_is_told_by_its_id() {
    let mut settings = nothing();
    let (first, again) = (settings.id(), settings.clone().id());
    settings.mark_max_age_ms += 1;
    assert!(first == again && first != settings.id());
    let shown = first.to_string();
    assert!(shown.len() == 16 && shown.chars().all(|c| c.is_ascii_hexdigit()), "{shown}");
}
