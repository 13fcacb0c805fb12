//! From the keys to the limits of the chain; every figure that cannot be read is a problem with its path.

use super::super::fault::Fault;
use super::super::path::KeyPath;
use super::super::problems::Problems;
use super::scopes::{AccountRisk, StrategyRisk, SymbolRisk, Then, VenueRisk};
use super::section::{NOT_REQUIRED, Risk, RiskMode, SelfMatch};
use crate::domain::ids::{Asset, IdError, StrategyId, Symbol, VenueId};
use crate::domain::money::{Amount, Price};
use crate::domain::risk::{
    AccountLimits, Consequence, DUPLICATE_WINDOW_MAX_MS, DrawdownLimit, KellyLimit, Limit, LossLimit, Market,
    OrderLimits, REMEMBERED_MAX, Rates, RepeatLimit, RiskSettings, StopLimit, StrategyLimits, SymbolLimits,
    VenueLimits, VolatilityLimit,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Most orders or messages that a limit of rates may name; more than any venue takes.
const RATE_MAX: u32 = 10_000_000;

/// Stands for all of a kind.
pub(super) const ALL: &str = "*";

/// Why the section cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{path}: {fault}")]
pub struct RiskError {
    /// The key.
    pub path: KeyPath,
    /// What is wrong with it.
    pub fault: Fault,
}

impl Risk {
    /// The limits for the chain.
    ///
    /// # Errors
    /// The first [`RiskError`]; settings that were validated have none.
    pub fn domain(&self) -> Result<RiskSettings, RiskError> {
        let mut problems = Problems::default();
        let settings = self.read(&mut problems);
        match (problems.into_iter().next(), settings) {
            (None, Some(settings)) => Ok(settings),
            (Some((path, fault)), _) => Err(RiskError { path, fault }),
            (None, None) => Err(RiskError {
                path: KeyPath::from("risk.currency"),
                fault: Fault::MissingKey { key: "currency".into() },
            }),
        }
    }

    /// `None` when not even the currency can be read; what else is wrong is among the problems.
    pub(super) fn read(&self, problems: &mut Problems) -> Option<RiskSettings> {
        let mut read = Reader { problems, path: "risk".to_owned() };
        let currency = read.id("currency", &self.currency, Asset::new)?;
        let mut settings = RiskSettings::nothing_set(currency);
        settings.mark_max_age_ms = self.mark_max_age_ms;
        for (name, price) in &self.asset_prices {
            let at = format!("asset_prices.{name}");
            let asset = read.id(&at, name, Asset::new);
            let price = read.positive(&at, Some(price)).figure().and_then(|price| Price::new(*price).ok());
            settings.asset_prices.extend(asset.zip(price));
        }
        for (index, text) in self.restricted.iter().enumerate() {
            let at = format!("restricted.{index}");
            let (venue, symbol) = text.split_once('/').map_or((None, text.as_str()), |(v, s)| (Some(v), s));
            let venue = venue.map(|venue| read.id(&at, venue, VenueId::new));
            let symbol = read.id(&at, symbol, Symbol::new);
            if let (Some(symbol), None | Some(Some(_))) = (symbol, &venue) {
                settings.restricted.push(Market { venue: venue.flatten(), symbol });
            }
        }
        if self.mode == RiskMode::Research {
            settings.relaxed = self.relaxed.iter().cloned().collect();
        }
        settings.account = read.under("account", |read| account(read, &self.account));
        settings.venues = read.list("venues", &self.venues, venue);
        settings.symbols = read.list("symbols", &self.symbols, symbol);
        settings.strategies = read.list("strategies", &self.strategies, strategy);
        Some(settings)
    }
}

struct Reader<'p> {
    problems: &'p mut Problems,
    path: String,
}

type Text<'a> = Option<&'a String>;

impl Reader<'_> {
    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    fn rule(&mut self, key: &str, code: &'static str, problem: impl Into<String>, advice: impl Into<String>) {
        let at = self.at(key);
        self.problems.rule(at.as_str(), code, problem, advice);
    }

    fn under<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let path = self.at(key);
        read(&mut Reader { problems: self.problems, path })
    }

    fn list<T, U>(&mut self, key: &str, entries: &[T], each: fn(&mut Reader<'_>, &T) -> U) -> Vec<U> {
        let read = entries.iter().enumerate();
        read.map(|(index, one)| self.under(&format!("{key}.{index}"), |read| each(read, one))).collect()
    }

    fn id<T>(&mut self, key: &str, text: &str, new: fn(&str) -> Result<T, IdError>) -> Option<T> {
        match new(text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.rule(key, "bad_name", error.to_string(), "write a name, or `*` where all are meant");
                None
            }
        }
    }

    /// A name, or nothing for `*`. A name that cannot be read must not become all of them.
    fn name<T>(&mut self, key: &str, text: &str, new: fn(&str) -> Result<T, IdError>) -> Option<T> {
        if text == ALL { None } else { self.id(key, text, new) }
    }

    /// A figure that is not below zero.
    fn figure(&mut self, key: &str, text: Text<'_>) -> Limit<Decimal> {
        let Some(text) = text else { return Limit::NotSet };
        match Amount::parse(text) {
            Ok(figure) if figure >= Amount::ZERO => return Limit::At(figure.get()),
            Ok(_) => self.rule(key, "bad_limit", format!("{text} is negative"), "write 0 or more"),
            Err(_) if text == NOT_REQUIRED => {
                let advice = "this limit cannot be done without: write a figure";
                self.rule(key, "limit_required", "`not_required` is no answer here", advice);
            }
            Err(error) => {
                self.rule(key, "bad_limit", error.to_string(), "write a plain decimal, such as \"0.01\"");
            }
        }
        Limit::NotSet
    }

    fn positive(&mut self, key: &str, text: Text<'_>) -> Limit<Decimal> {
        let figure = self.figure(key, text);
        if figure == Limit::At(Decimal::ZERO) {
            self.rule(key, "bad_limit", "it is zero", "write a figure above zero");
        }
        figure
    }

    /// A figure, or the word that there is none on purpose.
    fn droppable(&mut self, key: &str, text: Text<'_>) -> Limit<Decimal> {
        if text.is_some_and(|text| text == NOT_REQUIRED) {
            Limit::NotRequired
        } else {
            self.figure(key, text)
        }
    }

    fn share(&mut self, key: &str, text: Text<'_>, most: Decimal) -> Limit<Decimal> {
        let figure = self.droppable(key, text);
        if let Limit::At(share) = figure
            && share > most
        {
            self.rule(
                key,
                "bad_share",
                format!("{share} is above {most}"),
                format!("write a share up to {most}"),
            );
        }
        figure
    }

    fn count(&mut self, key: &str, count: Option<u32>) -> Limit<u32> {
        self.count_up_to(key, count, RATE_MAX)
    }

    fn count_up_to(&mut self, key: &str, count: Option<u32>, most: u32) -> Limit<u32> {
        if let Some(found) = count.filter(|count| *count > most) {
            let at = self.at(key);
            self.problems.range(at.as_str(), u64::from(found), &(0..=u64::from(most)));
        }
        count.map_or(Limit::NotSet, Limit::At)
    }

    /// Parts of one limit: all, none, or a word in the first.
    fn missing(&mut self, key: &str, of: &str) {
        let advice = format!("give both, or leave `{of}` out too");
        self.rule(key, "limit_incomplete", format!("`{of}` is set and `{key}` is not"), advice);
    }

    fn pair<A: Copy, B: Copy>(
        &mut self,
        keys: (&str, &str),
        first: Limit<A>,
        second: Limit<B>,
    ) -> Limit<(A, B)> {
        match (first, second) {
            (Limit::At(first), Limit::At(second)) => return Limit::At((first, second)),
            (Limit::NotRequired, Limit::NotSet) => return Limit::NotRequired,
            (Limit::NotSet, Limit::NotSet) => {}
            (Limit::At(_), _) => self.missing(keys.1, keys.0),
            (Limit::NotSet, _) => self.missing(keys.0, keys.1),
            (Limit::NotRequired, _) => {
                let problem = format!("`{}` says that there is none", keys.0);
                self.rule(keys.1, "limit_contradicts", problem, "remove one of the two");
            }
        }
        Limit::NotSet
    }
}

fn each<T, U>(limit: Limit<T>, of: impl FnOnce(T) -> U) -> Limit<U> {
    match limit {
        Limit::At(figure) => Limit::At(of(figure)),
        Limit::NotRequired => Limit::NotRequired,
        Limit::NotSet => Limit::NotSet,
    }
}

macro_rules! order {
    ($read:expr, $from:expr) => {{
        let window = $read.droppable("duplicate_window_ms", $from.duplicate_window_ms.as_ref());
        OrderLimits {
            min_value: $read.droppable("min_value", $from.min_value.as_ref()),
            max_value: $read.positive("max_value", $from.max_value.as_ref()),
            price_collar: $read.positive("price_collar", $from.price_collar.as_ref()),
            fat_finger: $read.figure("fat_finger", $from.fat_finger.as_ref()),
            duplicate_window_ms: $read.window("duplicate_window_ms", window),
        }
    }};
}

macro_rules! rates {
    ($read:expr, $from:expr) => {
        Rates {
            orders_per_second: $read.count("orders_per_second", $from.orders_per_second),
            orders_per_minute: $read.count("orders_per_minute", $from.orders_per_minute),
            messages_per_second: $from.messages_per_second.map_or(Limit::NotSet, Limit::At),
            messages_per_minute: $from.messages_per_minute.map_or(Limit::NotSet, Limit::At),
        }
    };
}

macro_rules! losses {
    ($read:expr, $from:expr) => {{
        let most = $read.figure("max_daily_loss", $from.max_daily_loss.as_ref());
        let loss = each(most, |most| LossLimit { most, then: then($from.daily_loss_then) });
        let soft = $read.share("drawdown_soft", $from.drawdown_soft.as_ref(), Decimal::ONE);
        let hard = $read.share("drawdown_hard", $from.drawdown_hard.as_ref(), Decimal::ONE);
        let levels = $read.pair(("drawdown_soft", "drawdown_hard"), soft, hard);
        if let Limit::At((soft, hard)) = levels
            && soft >= hard
        {
            let problem = format!("the soft level {soft} is not below the hard level {hard}");
            $read.rule("drawdown_soft", "soft_not_below_hard", problem, "lower it or raise `drawdown_hard`");
        }
        let then = then($from.drawdown_then);
        (loss, each(levels, |(soft, hard)| DrawdownLimit { soft, hard, then }))
    }};
}

fn then(word: Option<Then>) -> Consequence {
    match word {
        Some(Then::Throttle) => Consequence::Throttle,
        Some(Then::ReduceOnly) => Consequence::ReduceOnly,
        Some(Then::Kill) | None => Consequence::Kill,
    }
}

impl Reader<'_> {
    fn window(&mut self, key: &str, window: Limit<Decimal>) -> Limit<u64> {
        let Limit::At(ms) = window else { return each(window, |_| 0) };
        match u64::try_from(ms) {
            Ok(whole) if ms.is_integer() && whole <= DUPLICATE_WINDOW_MAX_MS => Limit::At(whole),
            _ => {
                let advice = format!("write whole milliseconds, 0 to {DUPLICATE_WINDOW_MAX_MS}");
                self.rule(key, "bad_window", format!("{ms} is no window"), advice);
                Limit::NotSet
            }
        }
    }
}

fn named<T>(
    read: &mut Reader<'_>,
    key: &str,
    map: &BTreeMap<String, String>,
    new: fn(&str) -> Result<T, IdError>,
) -> Vec<(Option<T>, Limit<Decimal>)> {
    let entry = |(name, text): (&String, &String)| {
        let at = format!("{key}.{name}");
        (read.name(&at, name, new), read.figure(&at, Some(text)))
    };
    map.iter().map(entry).collect()
}

fn account(read: &mut Reader<'_>, from: &AccountRisk) -> AccountLimits {
    let (daily_loss, drawdown) = losses!(read, from);
    AccountLimits {
        order: order!(read, from),
        capital: read.positive("capital", from.capital.as_ref()),
        open_orders: from.max_open_orders.map_or(Limit::NotSet, Limit::At),
        gross: read.figure("max_gross", from.max_gross.as_ref()),
        net: read.figure("max_net", from.max_net.as_ref()),
        leverage: read.positive("max_leverage", from.max_leverage.as_ref()),
        assets: named(read, "assets", &from.assets, Asset::new),
        daily_loss,
        drawdown,
        rates: rates!(read, from),
        self_match: match from.self_match {
            Some(SelfMatch::Refuse) => Limit::At(()),
            Some(SelfMatch::NotRequired) => Limit::NotRequired,
            None => Limit::NotSet,
        },
    }
}

fn venue(read: &mut Reader<'_>, from: &VenueRisk) -> VenueLimits {
    VenueLimits {
        venue: read.name("venue", &from.venue, VenueId::new),
        order: order!(read, from),
        open_orders: from.max_open_orders.map_or(Limit::NotSet, Limit::At),
        gross: read.figure("max_gross", from.max_gross.as_ref()),
        net: read.figure("max_net", from.max_net.as_ref()),
    }
}

fn symbol(read: &mut Reader<'_>, from: &SymbolRisk) -> SymbolLimits {
    SymbolLimits {
        venue: from.venue.as_ref().and_then(|venue| read.name("venue", venue, VenueId::new)),
        symbol: read.name("symbol", &from.symbol, Symbol::new),
        order: order!(read, from),
        min_quantity: read.droppable("min_quantity", from.min_quantity.as_ref()),
        max_quantity: read.positive("max_quantity", from.max_quantity.as_ref()),
        position: read.figure("max_position", from.max_position.as_ref()),
        open_orders: from.max_open_orders.map_or(Limit::NotSet, Limit::At),
    }
}

fn strategy(read: &mut Reader<'_>, from: &StrategyRisk) -> StrategyLimits {
    let (daily_loss, drawdown) = losses!(read, from);
    let remembered = u32::try_from(REMEMBERED_MAX).unwrap_or(u32::MAX);
    let fills = read.count_up_to("repeated_fills", from.repeated_fills, remembered);
    let window = from.repeated_window_ms.map_or(Limit::NotSet, Limit::At);
    if fills == Limit::At(0) || window == Limit::At(0) {
        read.rule("repeated_fills", "bad_limit", "it is zero", "write at least 1 fill in 1 ms");
    }
    let repeats = read.pair(("repeated_fills", "repeated_window_ms"), fills, window);
    let distance = read.share("stop_loss_distance", from.stop_loss_distance.as_ref(), Decimal::ONE);
    let loss = read.positive("stop_loss_loss", from.stop_loss_loss.as_ref());
    let stop = read.pair(("stop_loss_distance", "stop_loss_loss"), distance, loss);
    let fraction = read.share("kelly_fraction", from.kelly_fraction.as_ref(), Decimal::ONE);
    let trades = from.kelly_trades_min.map_or(Limit::NotSet, Limit::At);
    let kelly = read.pair(("kelly_fraction", "kelly_trades_min"), fraction, trades);
    let target = read.share("volatility_target", from.volatility_target.as_ref(), Decimal::TEN);
    let weight = read.positive("volatility_weight_max", from.volatility_weight_max.as_ref());
    let samples = from.volatility_samples_min.map_or(Limit::NotSet, Limit::At);
    let caps = read.pair(("volatility_target", "volatility_weight_max"), target, weight);
    let volatility = read.pair(("volatility_target", "volatility_samples_min"), caps, samples);
    StrategyLimits {
        strategy: read.name("strategy", &from.strategy, StrategyId::new),
        order: order!(read, from),
        positions: named(read, "max_position", &from.max_position, Symbol::new),
        open_orders: from.max_open_orders.map_or(Limit::NotSet, Limit::At),
        gross: read.figure("max_gross", from.max_gross.as_ref()),
        net: read.figure("max_net", from.max_net.as_ref()),
        budget: read.positive("budget", from.budget.as_ref()),
        daily_loss,
        drawdown,
        rates: rates!(read, from),
        repeats: each(repeats, |(fills, window_ms)| RepeatLimit { fills, window_ms }),
        stop_loss: each(stop, |(distance, loss)| StopLimit { distance, loss }),
        kelly: each(kelly, |(fraction, trades_min)| KellyLimit { fraction, trades_min }),
        volatility: each(volatility, |((target, weight_max), samples_min)| VolatilityLimit {
            target,
            weight_max,
            samples_min,
        }),
    }
}
