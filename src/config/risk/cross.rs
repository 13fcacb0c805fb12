//! Limits that act on each other, and names that must exist. Each problem is told once, at the key to change.

use super::super::problems::Problems;
use super::super::strategies::StrategySettings;
use super::super::venues::Venue;
use super::read::ALL;
use super::section::Risk;
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::risk::{Limit, Limits, OrderLimits, Rates, RiskSettings};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

pub(super) fn check(
    risk: &Risk,
    settings: &RiskSettings,
    venues: &[Venue],
    strategies: &[StrategySettings],
    problems: &mut Problems,
) {
    let mut cross = Cross { settings, problems, told: BTreeSet::new() };
    cross.names(risk, venues, strategies);
    cross.rates("risk.account", &settings.account.rates);
    for (index, one) in settings.strategies.iter().enumerate() {
        cross.rates(&format!("risk.strategies.{index}"), &one.rates);
    }
    for (index, strategy) in strategies.iter().enumerate() {
        let Ok(id) = StrategyId::new(&strategy.name) else { continue };
        cross.budget(index, &id);
        let here =
            venues.iter().filter(|venue| strategy.venue.as_ref().is_none_or(|named| *named == venue.name));
        for venue in here {
            let symbols = venue
                .symbols
                .iter()
                .filter(|symbol| strategy.symbol.as_ref().is_none_or(|named| named == *symbol));
            for symbol in symbols {
                if let (Ok(venue), Ok(symbol)) = (VenueId::new(&venue.name), Symbol::new(symbol)) {
                    cross.order(&id, &venue, &symbol);
                }
            }
        }
    }
}

struct Cross<'a> {
    settings: &'a RiskSettings,
    problems: &'a mut Problems,
    told: BTreeSet<(String, &'static str)>,
}

impl Cross<'_> {
    fn rule(&mut self, path: String, code: &'static str, problem: String, advice: String) {
        if self.told.insert((path.clone(), code)) {
            self.problems.rule(path.as_str(), code, problem, advice);
        }
    }

    fn names(&mut self, risk: &Risk, venues: &[Venue], strategies: &[StrategySettings]) {
        let venue_names: BTreeSet<&str> = venues.iter().map(|venue| venue.name.as_str()).collect();
        let symbols: BTreeSet<&str> =
            venues.iter().flat_map(|venue| venue.symbols.iter().map(String::as_str)).collect();
        let own: BTreeSet<&str> = strategies.iter().map(|one| one.name.as_str()).collect();
        for (index, one) in risk.venues.iter().enumerate() {
            self.known(format!("risk.venues.{index}.venue"), "unknown_venue", &one.venue, &venue_names);
        }
        for (index, one) in risk.symbols.iter().enumerate() {
            self.known(format!("risk.symbols.{index}.symbol"), "unknown_symbol", &one.symbol, &symbols);
            if let Some(venue) = &one.venue {
                self.known(format!("risk.symbols.{index}.venue"), "unknown_venue", venue, &venue_names);
            }
        }
        for (index, one) in risk.strategies.iter().enumerate() {
            let at = format!("risk.strategies.{index}");
            self.known(format!("{at}.strategy"), "unknown_strategy", &one.strategy, &own);
            for symbol in one.max_position.keys() {
                self.known(format!("{at}.max_position.{symbol}"), "unknown_symbol", symbol, &symbols);
            }
        }
        for (index, text) in risk.restricted.iter().enumerate() {
            let symbol = text.split_once('/').map_or(text.as_str(), |(_, symbol)| symbol);
            self.known(format!("risk.restricted.{index}"), "unknown_symbol", symbol, &symbols);
        }
    }

    fn known(&mut self, path: String, code: &'static str, name: &str, known: &BTreeSet<&str>) {
        if name != ALL && !known.contains(name) {
            let names: Vec<&str> = known.iter().copied().collect();
            let advice = format!("name one of: {}, or `*` for all", names.join(", "));
            self.rule(path, code, format!("`{name}` is not configured"), advice);
        }
    }

    /// A second cannot hold more than a minute, and an order is a message.
    fn rates(&mut self, path: &str, rates: &Rates) {
        let pairs = [
            ("orders_per_second", rates.orders_per_second, "orders_per_minute", rates.orders_per_minute),
            (
                "messages_per_second",
                rates.messages_per_second,
                "messages_per_minute",
                rates.messages_per_minute,
            ),
            ("orders_per_second", rates.orders_per_second, "messages_per_second", rates.messages_per_second),
            ("orders_per_minute", rates.orders_per_minute, "messages_per_minute", rates.messages_per_minute),
        ];
        for (name, limit, above, most) in pairs {
            if let (Limit::At(limit), Limit::At(most)) = (limit, most)
                && limit > most
            {
                let problem = format!("{limit} is above `{above}`, which is {most}");
                self.rule(
                    format!("{path}.{name}"),
                    "rate_above_rate",
                    problem,
                    format!("lower it to {most}"),
                );
            }
        }
    }

    fn budget(&mut self, index: usize, id: &StrategyId) {
        let mut matching = self
            .settings
            .strategies
            .iter()
            .filter(|one| one.strategy.as_ref().is_none_or(|named| named == id));
        if !matching.any(|one| one.budget.figure().is_some()) {
            self.rule(
                format!("strategies.{index}.name"),
                "strategy_without_budget",
                format!("`{id}` has no budget under `risk.strategies`"),
                format!("add `- {{strategy: {id}, budget: ...}}`, or a budget for `*`"),
            );
        }
    }

    /// What one order may be must fit into what all of them may.
    fn order(&mut self, strategy: &StrategyId, venue: &VenueId, symbol: &Symbol) {
        // Which base asset it is, only the venue can say; a limit for all assets can be compared.
        let limits = self.settings.resolve(strategy, venue, symbol, None::<&Asset>);
        let quantity = self.quantity_path(venue, symbol, &limits);
        let value = self.value_path(strategy, venue, symbol, &limits);
        if let (Limit::At(least), Limit::At(most)) = (limits.min_quantity, limits.max_quantity)
            && least > most
        {
            let problem = format!("the least quantity {least} is above it");
            self.rule(
                quantity.clone(),
                "min_above_max",
                problem,
                format!("raise it to {least} or lower the least"),
            );
        }
        if let (Limit::At(least), Limit::At(most)) = (limits.order.min_value, limits.order.max_value)
            && least > most
        {
            let problem = format!("the least value {least} is above it");
            self.rule(
                value.clone(),
                "min_above_max",
                problem,
                format!("raise it to {least} or lower the least"),
            );
        }
        for (name, limit) in [
            (format!("the position limit of `{strategy}` in {symbol}"), limits.position),
            (format!("the position limit in {symbol}"), limits.symbol_position),
        ] {
            self.fits(&quantity, "order_above_position", limits.max_quantity, &name, limit);
        }
        for (name, limit) in [
            (format!("the gross exposure of `{strategy}`"), limits.gross.strategy),
            (format!("the gross exposure at `{venue}`"), limits.gross.venue),
            ("the gross exposure of the account".to_owned(), limits.gross.account),
            (format!("the net exposure of `{strategy}`"), limits.net.strategy),
            (format!("the net exposure at `{venue}`"), limits.net.venue),
            ("the net exposure of the account".to_owned(), limits.net.account),
            ("the exposure per asset".to_owned(), limits.asset),
            (format!("the budget of `{strategy}`"), limits.budget),
        ] {
            self.fits(&value, "order_above_exposure", limits.order.max_value, &name, limit);
        }
        if let (Limit::At(capital), Limit::At(leverage), Limit::At(most)) =
            (limits.capital, limits.leverage, limits.order.max_value)
        {
            let allowed = capital.checked_mul(leverage).unwrap_or(Decimal::MAX);
            if most > allowed {
                let problem =
                    format!("{leverage} times the capital is {allowed}, and one order may be worth {most}");
                let advice = "raise it, or lower `max_value`".to_owned();
                self.rule("risk.account.max_leverage".to_owned(), "leverage_below_order", problem, advice);
            }
        }
    }

    fn fits(&mut self, path: &str, code: &'static str, one: Limit<Decimal>, name: &str, all: Limit<Decimal>) {
        if let (Limit::At(one), Limit::At(all)) = (one, all)
            && one > all
        {
            let problem = format!("one order may be {one}, and {name} is {all}");
            self.rule(path.to_owned(), code, problem, format!("lower it to {all} at most"));
        }
    }

    /// The entry that gives the quantity limit in force.
    fn quantity_path(&self, venue: &VenueId, symbol: &Symbol, limits: &Limits) -> String {
        let mut entries = self.settings.symbols.iter().enumerate();
        let holder = entries.find(|(_, one)| {
            one.max_quantity == limits.max_quantity && names(&one.venue, venue) && names(&one.symbol, symbol)
        });
        holder.map_or("risk.symbols".to_owned(), |(index, _)| format!("risk.symbols.{index}.max_quantity"))
    }

    /// The entry that gives the value limit in force.
    fn value_path(&self, strategy: &StrategyId, venue: &VenueId, symbol: &Symbol, limits: &Limits) -> String {
        let settings = self.settings;
        let holds = |order: &OrderLimits| order.max_value == limits.order.max_value;
        let venues = settings.venues.iter().enumerate().filter(|(_, one)| names(&one.venue, venue));
        let symbols = settings
            .symbols
            .iter()
            .enumerate()
            .filter(|(_, one)| names(&one.venue, venue) && names(&one.symbol, symbol));
        let strategies =
            settings.strategies.iter().enumerate().filter(|(_, one)| names(&one.strategy, strategy));
        let account = std::iter::once(("risk.account".to_owned(), &settings.account.order));
        let all = account
            .chain(venues.map(|(index, one)| (format!("risk.venues.{index}"), &one.order)))
            .chain(symbols.map(|(index, one)| (format!("risk.symbols.{index}"), &one.order)))
            .chain(strategies.map(|(index, one)| (format!("risk.strategies.{index}"), &one.order)));
        let mut holders = all.filter(|(_, order)| holds(order));
        holders.next().map_or("risk.account.max_value".to_owned(), |(path, _)| format!("{path}.max_value"))
    }
}

fn names<T: PartialEq>(named: &Option<T>, this: &T) -> bool {
    named.as_ref().is_none_or(|named| named == this)
}
