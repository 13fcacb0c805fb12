//! Gathers all gauges: what every scope uses of its limits, at worst case and without a new order.

use super::book::{Direction, Found, View};
use super::core::Risk;
use super::figures::RateUse;
use super::gauges::{Gauge, sorted};
use super::limit::Limit;
use super::limits::Limits;
use super::settings::Rates;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Collects the gauges of all scopes that something was heard of.
pub(super) fn survey(risk: &Risk, now: Mono) -> Vec<Gauge> {
    let mut survey = Survey { risk, view: View::new(&risk.book, now, None), now, gauges: Vec::new() };
    survey.account();
    survey.venues();
    survey.symbols();
    survey.strategies();
    survey.cells();
    sorted(survey.gauges)
}

struct Survey<'a> {
    risk: &'a Risk,
    view: View<'a>,
    now: Mono,
    gauges: Vec<Gauge>,
}

impl Survey<'_> {
    fn add(&mut self, name: &'static str, scope: &str, used: Option<Decimal>, limit: Limit<Decimal>) {
        // What an operator does without has no gauge; what nobody set has one, and it is full.
        if limit != Limit::NotRequired {
            self.gauges.push(Gauge::new(name, scope.to_owned(), used, limit.figure().copied()));
        }
    }

    fn count(&mut self, name: &'static str, scope: &str, used: u32, limit: Limit<u32>) {
        self.add(name, scope, Some(Decimal::from(used)), decimal(limit));
    }

    fn rates(&mut self, scope: &str, used: RateUse, limits: &Rates) {
        self.count("orders_per_second", scope, used.orders_1s, limits.orders_per_second);
        self.count("orders_per_minute", scope, used.orders_1m, limits.orders_per_minute);
        self.count("messages_per_second", scope, used.messages_1s, limits.messages_per_second);
        self.count("messages_per_minute", scope, used.messages_1m, limits.messages_per_minute);
    }

    /// Gross, and net the worse way, of the scope that an empty order would stand in.
    fn exposures(
        &mut self,
        scope: &str,
        at: Found,
        pick: fn(&super::book::Picture) -> Exposed,
        limits: [Limit<Decimal>; 2],
    ) {
        let [gross, net] = limits;
        let of = |side| {
            let nothing = Direction { at, side, quantity: Decimal::ZERO, number: None, replaces: None };
            pick(&self.view.picture(&nothing))
        };
        let (buys, sells) = (of(Side::Buy), of(Side::Sell));
        let worse = buys.net.zip(sells.net).map(|(a, b)| a.max(b));
        self.add("gross_exposure", scope, buys.gross, gross);
        self.add("net_exposure", scope, worse, net);
    }

    fn account(&mut self) {
        let (risk, account) = (self.risk, &self.risk.settings.account);
        self.count("open_orders", "account", risk.book.open, account.open_orders);
        self.rates("account", risk.book.rate.used(self.now), &account.rates);
        let at = Found { strategy: None, instrument: (!risk.book.instruments.is_empty()).then_some(0) };
        let pick = |p: &super::book::Picture| Exposed {
            gross: p.gross.account.map(|s| s.before),
            net: p.net.account,
        };
        self.exposures("account", at, pick, [account.gross, account.net]);
        let pnl = self.view.account_pnl();
        let lost = pnl.and_then(|pnl| risk.watch.account.day_loss(pnl));
        self.add("daily_loss", "account", lost, each(account.daily_loss, |limit| limit.most));
        let capital = account.capital.figure().copied();
        let fallen = capital.and_then(|capital| risk.watch.account.confirmed_drawdown(capital));
        self.add("drawdown", "account", fallen, each(account.drawdown, |limit| limit.hard));
        let gross = self.gauges.iter().find(|one| one.name == "gross_exposure").and_then(|one| one.used);
        let equity = capital.zip(pnl).and_then(|(capital, pnl)| capital.checked_add(pnl));
        let used = gross.zip(equity).and_then(|(gross, equity)| match equity > Decimal::ZERO {
            true => gross.checked_div(equity),
            false => gross.is_zero().then_some(Decimal::ZERO),
        });
        self.add("leverage", "account", used, account.leverage);
        self.assets();
    }

    fn assets(&mut self) {
        let risk = self.risk;
        let bases: BTreeSet<_> = risk.book.instruments.iter().filter_map(|one| one.base.as_ref()).collect();
        for base in bases {
            let Some(place) = risk.book.instruments.iter().position(|one| one.base.as_ref() == Some(base))
            else {
                continue;
            };
            let at = Found { strategy: None, instrument: Some(place) };
            let of = |side| {
                let nothing = Direction { at, side, quantity: Decimal::ZERO, number: None, replaces: None };
                self.view.picture(&nothing).asset
            };
            let used = of(Side::Buy).zip(of(Side::Sell)).map(|(a, b)| a.max(b));
            let named = risk.settings.account.assets.iter();
            let limit = named
                .filter(|(asset, _)| asset.as_ref().is_none_or(|asset| asset == base))
                .fold(Limit::NotSet, |limit: Limit<Decimal>, (_, one)| limit.lower(*one));
            self.add("asset_exposure", &format!("asset/{base}"), used, limit);
        }
    }

    fn limits_at(&self, strategy: Option<usize>, place: usize) -> Option<Limits> {
        let one = self.risk.book.instruments.get(place)?;
        let id = match strategy {
            Some(strategy) => self.risk.book.strategies.get(strategy)?.id.clone(),
            None => crate::domain::ids::StrategyId::new("external").ok()?,
        };
        Some(self.risk.settings.resolve(&id, &one.venue, &one.symbol, one.base.as_ref()))
    }

    fn venues(&mut self) {
        for (venue, open) in self.risk.book.venues_open() {
            let Some(place) = self.risk.book.instruments.iter().position(|one| one.venue == *venue) else {
                continue;
            };
            let Some(limits) = self.limits_at(None, place) else { continue };
            let scope = format!("venue/{venue}");
            self.count("open_orders", &scope, *open, limits.open_orders.venue);
            let at = Found { strategy: None, instrument: Some(place) };
            let pick = |p: &super::book::Picture| Exposed {
                gross: p.gross.venue.map(|s| s.before),
                net: p.net.venue,
            };
            self.exposures(&scope, at, pick, [limits.gross.venue, limits.net.venue]);
        }
    }

    fn symbols(&mut self) {
        for (place, one) in self.risk.book.instruments.iter().enumerate() {
            let Some(limits) = self.limits_at(None, place) else { continue };
            let scope = format!("symbol/{}/{}", one.venue, one.symbol);
            self.count("open_orders", &scope, one.open, limits.open_orders.symbol);
            self.add("max_position", &scope, one.worst.gross(), limits.symbol_position);
        }
    }

    fn strategies(&mut self) {
        let risk = self.risk;
        for (place, one) in risk.book.strategies.iter().enumerate() {
            let scope = format!("strategy/{}", one.id);
            // Any instrument does: what is read here is not given per instrument.
            let Some(limits) = self.limits_at(Some(place), 0) else { continue };
            self.count("open_orders", &scope, one.open, limits.open_orders.strategy);
            self.rates(&scope, one.rate.used(self.now), &limits.strategy_rates);
            let at = Found { strategy: Some(place), instrument: Some(0) };
            let pick = |p: &super::book::Picture| Exposed {
                gross: p.gross.strategy.map(|s| s.before),
                net: p.net.strategy,
            };
            self.exposures(&scope, at, pick, [limits.gross.strategy, limits.net.strategy]);
            let pnl = self.view.strategy_pnl(place);
            let gross = self
                .gauges
                .iter()
                .find(|gauge| gauge.name == "gross_exposure" && gauge.scope == scope)
                .and_then(|gauge| gauge.used);
            let used =
                gross.zip(pnl).and_then(|(gross, pnl)| gross.checked_add(pnl.min(Decimal::ZERO).abs()));
            self.add("budget", &scope, used, limits.budget);
            let lost = pnl.and_then(|pnl| one.track.day_loss(pnl));
            self.add("daily_loss", &scope, lost, each(limits.strategy_loss, |limit| limit.most));
            let fallen = limits.budget.figure().and_then(|budget| one.track.confirmed_drawdown(*budget));
            self.add("drawdown", &scope, fallen, each(limits.strategy_drawdown, |limit| limit.hard));
        }
    }

    fn cells(&mut self) {
        for ((strategy, place), cell) in &self.risk.book.cells {
            let (Some(own), Some(one)) =
                (self.risk.book.strategies.get(*strategy), self.risk.book.instruments.get(*place))
            else {
                continue;
            };
            let Some(limits) = self.limits_at(Some(*strategy), *place) else { continue };
            let scope = format!("strategy/{}/{}/{}", own.id, one.venue, one.symbol);
            self.add("max_position", &scope, cell.worst.gross(), limits.position);
        }
    }
}

struct Exposed {
    gross: Option<Decimal>,
    net: Option<Decimal>,
}

fn decimal(limit: Limit<u32>) -> Limit<Decimal> {
    each(limit, Decimal::from)
}

fn each<T: Copy, U>(limit: Limit<T>, of: impl Fn(T) -> U) -> Limit<U> {
    match limit {
        Limit::At(figure) => Limit::At(of(figure)),
        Limit::NotRequired => Limit::NotRequired,
        Limit::NotSet => Limit::NotSet,
    }
}
