//! The limits that hold for one order, gathered from every scope that it stands in.

use super::limit::{
    Consequence, DrawdownLimit, KellyLimit, Limit, LossLimit, RepeatLimit, StopLimit, VolatilityLimit,
};
use super::settings::{OrderLimits, Rates, RiskSettings};
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Names one version of all limits: the first 16 hex digits of the SHA-256 of their JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LimitsId(String);

impl LimitsId {
    pub(super) fn of(settings: &RiskSettings) -> Self {
        // Plain data with text keys: it always serialises. Were it not so, the empty id would say it.
        let text = serde_json::to_vec(settings).unwrap_or_default();
        let digest = hex::encode(Sha256::digest(text));
        Self(digest.chars().take(16).collect())
    }
}

impl std::fmt::Display for LimitsId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// See the module's head. Units as in [`super::settings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The instrument may not be traded.
    pub restricted: bool,
    /// Checks that research mode relaxes.
    pub relaxed: BTreeSet<String>,
    /// Of the order itself.
    pub order: OrderLimits,
    /// Least quantity.
    pub min_quantity: Limit<Decimal>,
    /// Most.
    pub max_quantity: Limit<Decimal>,
    /// Orders that would meet our own are refused.
    pub self_match: Limit<()>,
    /// Position of the strategy in the instrument.
    pub position: Limit<Decimal>,
    /// Position of all strategies in the instrument.
    pub symbol_position: Limit<Decimal>,
    /// Exposure in the base asset.
    pub asset: Limit<Decimal>,
    /// Gross exposure over equity of the account.
    pub leverage: Limit<Decimal>,
    /// Capital of the account.
    pub capital: Limit<Decimal>,
    /// Budget of the strategy.
    pub budget: Limit<Decimal>,
    /// Open orders.
    pub open_orders: Open,
    /// Gross exposure.
    pub gross: Exposed,
    /// Net exposure.
    pub net: Exposed,
    /// How often this strategy may.
    pub strategy_rates: Rates,
    /// How often all may.
    pub account_rates: Rates,
    /// Loss of a day.
    pub strategy_loss: Limit<LossLimit>,
    /// Loss of a day, of all.
    pub account_loss: Limit<LossLimit>,
    /// Loss from the peak.
    pub strategy_drawdown: Limit<DrawdownLimit>,
    /// Loss from the peak, of all.
    pub account_drawdown: Limit<DrawdownLimit>,
    /// Fills without a person.
    pub repeats: Limit<RepeatLimit>,
    /// Stop-loss.
    pub stop_loss: Limit<StopLimit>,
    /// Kelly.
    pub kelly: Limit<KellyLimit>,
    /// Volatility.
    pub volatility: Limit<VolatilityLimit>,
}

/// Open orders per scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Open {
    /// Of the strategy.
    pub strategy: Limit<u32>,
    /// In the instrument.
    pub symbol: Limit<u32>,
    /// At the venue.
    pub venue: Limit<u32>,
    /// In all.
    pub account: Limit<u32>,
}

/// An exposure per scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposed {
    /// Of the strategy.
    pub strategy: Limit<Decimal>,
    /// At the venue.
    pub venue: Limit<Decimal>,
    /// In all.
    pub account: Limit<Decimal>,
}

fn matches<T: PartialEq>(named: Option<&T>, this: &T) -> bool {
    named.is_none_or(|named| named == this)
}

fn tighten_order(into: &mut OrderLimits, with: &OrderLimits) {
    into.min_value = into.min_value.higher(with.min_value);
    into.max_value = into.max_value.lower(with.max_value);
    into.price_collar = into.price_collar.lower(with.price_collar);
    into.fat_finger = into.fat_finger.lower(with.fat_finger);
    // The longer window is the tighter one.
    into.duplicate_window_ms = into.duplicate_window_ms.higher(with.duplicate_window_ms);
}

fn tighten_rates(into: &mut Rates, with: &Rates) {
    into.orders_per_second = into.orders_per_second.lower(with.orders_per_second);
    into.orders_per_minute = into.orders_per_minute.lower(with.orders_per_minute);
    into.messages_per_second = into.messages_per_second.lower(with.messages_per_second);
    into.messages_per_minute = into.messages_per_minute.lower(with.messages_per_minute);
}

/// Both hold: each figure of the tighter one, and what stops the most.
fn both<T: Copy>(a: Limit<T>, b: Limit<T>, tighter: fn(T, T) -> T) -> Limit<T> {
    match (a, b) {
        (Limit::At(a), Limit::At(b)) => Limit::At(tighter(a, b)),
        (Limit::At(one), _) | (_, Limit::At(one)) => Limit::At(one),
        (Limit::NotRequired, _) | (_, Limit::NotRequired) => Limit::NotRequired,
        (Limit::NotSet, Limit::NotSet) => Limit::NotSet,
    }
}

pub(super) fn loss(a: Limit<LossLimit>, b: Limit<LossLimit>) -> Limit<LossLimit> {
    both(a, b, |a, b| LossLimit { most: a.most.min(b.most), then: stops_most(a.then, b.then) })
}

pub(super) fn drawdown(a: Limit<DrawdownLimit>, b: Limit<DrawdownLimit>) -> Limit<DrawdownLimit> {
    both(a, b, |a, b| DrawdownLimit {
        soft: a.soft.min(b.soft),
        hard: a.hard.min(b.hard),
        then: stops_most(a.then, b.then),
    })
}

fn stops_most(a: Consequence, b: Consequence) -> Consequence {
    a.max(b)
}

fn repeats(a: RepeatLimit, b: RepeatLimit) -> RepeatLimit {
    RepeatLimit { fills: a.fills.min(b.fills), window_ms: a.window_ms.max(b.window_ms) }
}

fn stop(a: StopLimit, b: StopLimit) -> StopLimit {
    StopLimit { distance: a.distance.min(b.distance), loss: a.loss.min(b.loss) }
}

fn kelly(a: KellyLimit, b: KellyLimit) -> KellyLimit {
    KellyLimit { fraction: a.fraction.min(b.fraction), trades_min: a.trades_min.max(b.trades_min) }
}

fn volatility(a: VolatilityLimit, b: VolatilityLimit) -> VolatilityLimit {
    VolatilityLimit {
        target: a.target.min(b.target),
        weight_max: a.weight_max.min(b.weight_max),
        samples_min: a.samples_min.max(b.samples_min),
    }
}

impl Limits {
    pub(super) fn resolve(
        settings: &RiskSettings,
        strategy: &StrategyId,
        venue: &VenueId,
        symbol: &Symbol,
        base: Option<&Asset>,
    ) -> Self {
        let account = &settings.account;
        let mut limits = Self::of_account(settings);
        limits.restricted = settings.restricts(venue, symbol);
        for (named, limit) in &account.assets {
            if named.is_none() || named.as_ref() == base {
                limits.asset = limits.asset.lower(*limit);
            }
        }
        for one in settings.venues.iter().filter(|one| matches(one.venue.as_ref(), venue)) {
            tighten_order(&mut limits.order, &one.order);
            limits.open_orders.venue = limits.open_orders.venue.lower(one.open_orders);
            limits.gross.venue = limits.gross.venue.lower(one.gross);
            limits.net.venue = limits.net.venue.lower(one.net);
        }
        let here = settings
            .symbols
            .iter()
            .filter(|one| matches(one.venue.as_ref(), venue) && matches(one.symbol.as_ref(), symbol));
        for one in here {
            tighten_order(&mut limits.order, &one.order);
            limits.min_quantity = limits.min_quantity.higher(one.min_quantity);
            limits.max_quantity = limits.max_quantity.lower(one.max_quantity);
            limits.symbol_position = limits.symbol_position.lower(one.position);
            limits.open_orders.symbol = limits.open_orders.symbol.lower(one.open_orders);
        }
        limits.add_strategy(settings, strategy, symbol);
        limits
    }

    fn of_account(settings: &RiskSettings) -> Self {
        let account = &settings.account;
        Self {
            restricted: false,
            relaxed: settings.relaxed.clone(),
            order: account.order,
            min_quantity: Limit::NotSet,
            max_quantity: Limit::NotSet,
            self_match: account.self_match,
            position: Limit::NotSet,
            symbol_position: Limit::NotSet,
            asset: Limit::NotSet,
            leverage: account.leverage,
            capital: account.capital,
            budget: Limit::NotSet,
            open_orders: Open { account: account.open_orders, ..Open::default() },
            gross: Exposed { account: account.gross, ..Exposed::default() },
            net: Exposed { account: account.net, ..Exposed::default() },
            strategy_rates: Rates::default(),
            account_rates: account.rates,
            strategy_loss: Limit::NotSet,
            account_loss: account.daily_loss,
            strategy_drawdown: Limit::NotSet,
            account_drawdown: account.drawdown,
            repeats: Limit::NotSet,
            stop_loss: Limit::NotSet,
            kelly: Limit::NotSet,
            volatility: Limit::NotSet,
        }
    }

    fn add_strategy(&mut self, settings: &RiskSettings, strategy: &StrategyId, symbol: &Symbol) {
        for one in settings.strategies.iter().filter(|one| matches(one.strategy.as_ref(), strategy)) {
            tighten_order(&mut self.order, &one.order);
            tighten_rates(&mut self.strategy_rates, &one.rates);
            for (_, limit) in one.positions.iter().filter(|(named, _)| matches(named.as_ref(), symbol)) {
                self.position = self.position.lower(*limit);
            }
            self.open_orders.strategy = self.open_orders.strategy.lower(one.open_orders);
            self.gross.strategy = self.gross.strategy.lower(one.gross);
            self.net.strategy = self.net.strategy.lower(one.net);
            self.budget = self.budget.lower(one.budget);
            self.strategy_loss = loss(self.strategy_loss, one.daily_loss);
            self.strategy_drawdown = drawdown(self.strategy_drawdown, one.drawdown);
            self.repeats = both(self.repeats, one.repeats, repeats);
            self.stop_loss = both(self.stop_loss, one.stop_loss, stop);
            self.kelly = both(self.kelly, one.kelly, kelly);
            self.volatility = both(self.volatility, one.volatility, volatility);
        }
    }
}
