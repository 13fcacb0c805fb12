//! Watches profit and loss, tells of breaches once, keeps latches, and knows when marks need writing.

use super::book::{Book, View};
use super::breach::{Breach, BreachKind, RiskScope};
use super::figures::Pair;
use super::limit::{Consequence, DrawdownLimit, Limit, LossLimit};
use super::limits::{drawdown, loss};
use super::marks::{Latch, RiskMarks, StrategyMarks};
use super::restraint::{Restrained, Restraint, Restraints};
use super::settings::RiskSettings;
use super::track::Track;
use crate::domain::ids::StrategyId;
use crate::domain::oms::Now;
use crate::domain::time::Mono;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Distance between two readings, milliseconds: three of them confirm a level.
pub const READING_MS: u64 = 1_000;
/// A peak that rises is written at most this often, milliseconds.
pub const PEAK_WRITE_MS: u64 = 10_000;
const DAY_MS: i64 = 86_400_000;

/// Which marks changed since they were last written.
#[derive(Debug, Clone, Copy, Default)]
struct Dirty {
    /// A latch or a day.
    now: bool,
    /// A peak or a record of trades.
    soon: bool,
    written: Mono,
}

/// See the module's head.
#[derive(Debug, Clone, Default)]
pub(super) struct Watchman {
    pub(super) account: Track,
    latches: BTreeMap<StrategyId, Latch>,
    restraints: Restraints,
    standing: BTreeMap<(RiskScope, BreachKind), Breach>,
    untold: Vec<Breach>,
    last_reading: Option<Mono>,
    dirty: Dirty,
}

/// The loss limits of one scope.
struct Bounds {
    capital: Limit<Decimal>,
    loss: Limit<LossLimit>,
    drawdown: Limit<DrawdownLimit>,
}

impl Bounds {
    const fn account(settings: &RiskSettings) -> Self {
        let account = &settings.account;
        Self { capital: account.capital, loss: account.daily_loss, drawdown: account.drawdown }
    }

    fn strategy(settings: &RiskSettings, id: &StrategyId) -> Self {
        let mut bounds = Self { capital: Limit::NotSet, loss: Limit::NotSet, drawdown: Limit::NotSet };
        let matching =
            settings.strategies.iter().filter(|one| one.strategy.as_ref().is_none_or(|named| named == id));
        for one in matching {
            bounds.capital = bounds.capital.lower(one.budget);
            bounds.loss = loss(bounds.loss, one.daily_loss);
            bounds.drawdown = drawdown(bounds.drawdown, one.drawdown);
        }
        bounds
    }
}

impl Watchman {
    pub(super) fn tick(&mut self, now: Now, settings: &RiskSettings, book: &mut Book) -> Vec<Breach> {
        let due = self.last_reading.is_none_or(|last| now.mono.since(last) >= READING_MS);
        if due {
            self.last_reading = Some(now.mono);
            self.read(now, settings, book);
        }
        std::mem::take(&mut self.untold)
    }

    fn read(&mut self, now: Now, settings: &RiskSettings, book: &mut Book) {
        let day = now.wall.0.div_euclid(DAY_MS);
        let view = View::new(book, now.mono, None);
        let account = view.account_pnl();
        let own: Vec<Option<Decimal>> =
            (0..book.strategies.len()).map(|place| view.strategy_pnl(place)).collect();
        // A reading that cannot be made is none: it neither confirms a level nor clears one.
        if let Some(pnl) = account {
            let before = self.account.day;
            let changed = self.account.read(day, pnl);
            self.changed(changed, before != self.account.day);
            let track = self.account.clone();
            self.judge(RiskScope::Account, &track, &Bounds::account(settings));
        }
        for (book, pnl) in book.strategies.iter_mut().zip(own) {
            let Some(pnl) = pnl else { continue };
            let before = book.track.day;
            let changed = book.track.read(day, pnl);
            self.changed(changed, before != book.track.day);
            self.judge(
                RiskScope::Strategy(book.id.clone()),
                &book.track,
                &Bounds::strategy(settings, &book.id),
            );
        }
    }

    const fn changed(&mut self, changed: bool, day: bool) {
        self.dirty.soon |= changed;
        self.dirty.now |= day;
    }

    fn judge(&mut self, scope: RiskScope, track: &Track, bounds: &Bounds) {
        if let Limit::At(limit) = bounds.loss {
            let lost = track.confirmed_day_loss().filter(|lost| *lost > limit.most);
            let reason =
                lost.map(|lost| format!("used={}, limit={}", lost.normalize(), limit.most.normalize()));
            self.follow(&scope, BreachKind::DailyLoss, limit.then, reason);
        }
        let (Limit::At(limit), Some(capital)) = (bounds.drawdown, bounds.capital.figure()) else { return };
        let Some(fallen) = track.confirmed_drawdown(*capital) else { return };
        let reason = |limit: Decimal| format!("used={}, limit={}", fallen.normalize(), limit.normalize());
        let hard = (fallen >= limit.hard).then(|| reason(limit.hard));
        let soft = (fallen > limit.soft).then(|| reason(limit.soft));
        self.follow(&scope, BreachKind::DrawdownSoft, Consequence::Throttle, soft);
        self.follow(&scope, BreachKind::DrawdownHard, limit.then, hard);
    }

    /// Tells of a breach when it begins, and forgets it when it ends.
    fn follow(
        &mut self,
        scope: &RiskScope,
        kind: BreachKind,
        consequence: Consequence,
        reason: Option<String>,
    ) {
        let key = (scope.clone(), kind);
        match (reason, self.standing.contains_key(&key)) {
            (None, true) => {
                self.standing.remove(&key);
            }
            (Some(reason), false) => {
                let breach = Breach { scope: scope.clone(), kind, consequence, reason };
                self.untold.push(breach.clone());
                self.standing.insert(key, breach);
            }
            (Some(_), true) | (None, false) => {}
        }
    }

    pub(super) fn standing(&self) -> Vec<Breach> {
        self.standing.values().cloned().collect()
    }

    /// Confirmed drawdowns; `None` where there is no capital to measure by.
    pub(super) fn drawdowns(
        &self,
        settings: &RiskSettings,
        own: Option<&super::book::StrategyBook>,
        id: &StrategyId,
    ) -> Pair<Option<Decimal>> {
        let of = |track: &Track, capital: Limit<Decimal>| track.confirmed_drawdown(*capital.figure()?);
        let budget = Bounds::strategy(settings, id).capital;
        Pair {
            strategy: match own {
                Some(own) => of(&own.track, budget),
                None => budget.figure().map(|_| Decimal::ZERO),
            },
            account: of(&self.account, settings.account.capital),
        }
    }

    pub(super) fn latch(&mut self, latch: Latch) {
        if self.latches.contains_key(&latch.strategy) {
            return;
        }
        let scope = RiskScope::Strategy(latch.strategy.clone());
        let reason = Some(format!("latched_by={}", latch.describe()));
        self.follow(&scope, BreachKind::RepeatedExecution, Consequence::Throttle, reason);
        self.latches.insert(latch.strategy.clone(), latch);
        self.dirty.now = true;
    }

    pub(super) fn unlatch(&mut self, strategy: &StrategyId) -> bool {
        let was = self.latches.remove(strategy).is_some();
        let scope = RiskScope::Strategy(strategy.clone());
        self.follow(&scope, BreachKind::RepeatedExecution, Consequence::Throttle, None);
        self.dirty.now |= was;
        was
    }

    pub(super) fn restrain(&mut self, cut: Restraint) -> bool {
        let taken = self.restraints.put(cut);
        self.dirty.now |= taken;
        taken
    }

    pub(super) fn unrestrain(&mut self, strategy: &StrategyId, stream: Option<&str>) -> bool {
        let was = self.restraints.lift(strategy, stream);
        self.dirty.now |= was;
        was
    }

    pub(super) fn restrained(&self, strategy: &StrategyId) -> Option<Restrained> {
        self.restraints.of(strategy)
    }

    pub(super) fn restraints(&self) -> impl Iterator<Item = &Restraint> {
        self.restraints.all()
    }

    pub(super) fn latched(&self, strategy: &StrategyId) -> Option<&Latch> {
        self.latches.get(strategy)
    }

    pub(super) fn latches(&self) -> impl Iterator<Item = &Latch> {
        self.latches.values()
    }

    pub(super) fn rebase(&mut self, strategy: Option<&StrategyId>, book: &mut Book) {
        match strategy {
            None => self.account.rebase(),
            Some(id) => {
                let place = book.strategy(id);
                if let Some(book) = book.strategies.get_mut(place) {
                    book.track.rebase();
                }
            }
        }
        self.dirty.now = true;
    }

    pub(super) fn marks(&self, book: &Book) -> RiskMarks {
        let strategies = book.strategies.iter().map(|one| StrategyMarks {
            strategy: one.id.clone(),
            track: one.track.clone(),
            outcomes: one.outcomes.clone(),
        });
        RiskMarks {
            account: self.account.clone(),
            strategies: strategies.collect(),
            latches: self.latches.values().cloned().collect(),
            restraints: self.restraints.all().cloned().collect(),
        }
    }

    pub(super) fn restore(&mut self, marks: RiskMarks, book: &mut Book) {
        self.account = marks.account;
        for one in marks.strategies {
            let place = book.strategy(&one.strategy);
            if let Some(book) = book.strategies.get_mut(place) {
                (book.track, book.outcomes) = (one.track, one.outcomes);
            }
        }
        for latch in marks.latches {
            self.latch(latch);
        }
        for cut in marks.restraints {
            self.restraints.put(cut);
        }
        self.dirty.now = false;
    }

    pub(super) const fn is_dirty(&self, now: Mono) -> bool {
        let rested = now.0.saturating_sub(self.dirty.written.0) >= PEAK_WRITE_MS;
        self.dirty.now || (self.dirty.soon && rested)
    }

    pub(super) const fn noted(&mut self, now: Mono) {
        self.dirty = Dirty { now: false, soon: false, written: now };
    }
}
