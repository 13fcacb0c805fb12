//! The chain as one object: facts in, decisions out. Kept by the order management.
//!
//! Promises: a decision reads figures that count every working, pending and unknown order at worst case; it
//! costs the same however many orders work; the same record gives the same verdict again. Keeps no clock, and
//! everything but [`RiskMarks`] is rebuilt from the facts of a start. Does not send anything and cannot be
//! asked to let an order pass: the gate next door makes the only value that a connector takes.

use super::book::{Book, Direction, View};
use super::breach::Breach;
use super::explain::Explanation;
use super::figures::{Figures, Pair};
use super::gauges::Gauge;
use super::judge::{Judged, judge};
use super::limits::{Limits, LimitsId};
use super::marks::{Latch, RiskMarks};
use super::overrides::{Override, Overrides};
use super::proposal::{Message, Proposal, Standing};
use super::recent::Sameness;
use super::record::{Decision, DecisionRecord};
use super::settings::RiskSettings;
use super::watchman::Watchman;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::oms::{Mark, Now, Refusal};
use crate::domain::order::{Order, OrderNumber};
use crate::domain::time::Mono;
use std::collections::BTreeMap;
use std::sync::Arc;

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Risk {
    pub(super) settings: RiskSettings,
    id: LimitsId,
    pub(super) book: Book,
    /// Limits that were gathered before, by the places of strategy and instrument.
    gathered: BTreeMap<(usize, usize), Arc<Limits>>,
    overrides: Overrides,
    pub(super) watch: Watchman,
}

impl Risk {
    /// Risk without any fact yet.
    #[must_use]
    pub fn new(settings: RiskSettings) -> Self {
        let book =
            Book::new(settings.currency.clone(), settings.asset_prices.clone(), settings.mark_max_age_ms);
        Self {
            id: settings.id(),
            book,
            gathered: BTreeMap::new(),
            overrides: Overrides::default(),
            watch: Watchman::default(),
            settings,
        }
    }

    /// Which limits are in force.
    #[must_use]
    pub const fn limits_id(&self) -> &LimitsId {
        &self.id
    }

    /// The limits in force.
    #[must_use]
    pub const fn settings(&self) -> &RiskSettings {
        &self.settings
    }

    /// The rules of an instrument were heard; its assets are what counts here.
    pub fn instrument(&mut self, venue: &VenueId, instrument: &Instrument) {
        self.book.instrument(venue, instrument);
        self.gathered.clear();
    }

    /// An order as it is now. To be told after every change of it.
    pub fn order(&mut self, order: &Order) {
        self.book.order(order);
    }

    /// An order that never existed, or is remembered no longer.
    pub fn forget(&mut self, number: OrderNumber) {
        self.book.forget(number);
    }

    /// A position of a strategy as it is now. To be told after every change of it.
    pub fn position(&mut self, position: &Position) {
        self.book.position(position);
    }

    /// The market's price, or that there is none.
    pub fn mark(&mut self, now: Mono, venue: &VenueId, symbol: &Symbol, mark: Option<Mark>) {
        self.book.mark(now, venue, symbol, mark);
    }

    /// A fill was booked for the first time. Not to be told of fills that a restart replays.
    pub fn filled(&mut self, now: Now, fill: &BookedFill) {
        if fill.busted {
            return;
        }
        let (venue, symbol) = (&fill.venue, &fill.fill.symbol);
        let limits = self.limits(&fill.strategy, venue, symbol);
        let Some(limit) = limits.repeats.figure().copied() else { return };
        let strategy = self.book.strategy(&fill.strategy);
        let Some(instrument) = self.book.find(&fill.strategy, venue, symbol).instrument else { return };
        let Some(book) = self.book.strategies.get_mut(strategy) else { return };
        if book.repeats.note(now.mono, instrument, fill.fill.side, &limit) {
            self.watch.latch(Latch {
                strategy: fill.strategy.clone(),
                venue: venue.clone(),
                symbol: symbol.clone(),
                side: fill.fill.side,
                fills: limit.fills,
                window_ms: limit.window_ms,
                at: now.wall,
            });
        }
    }

    /// A message went out to a venue.
    pub fn sent(&mut self, now: Mono, strategy: &StrategyId, message: Message) {
        let place = self.book.strategy(strategy);
        self.book.rate.sent(now, message);
        if let Some(book) = self.book.strategies.get_mut(place) {
            book.rate.sent(now, message);
        }
    }

    /// A strategy was switched.
    pub fn switched(&mut self, strategy: &StrategyId, enabled: bool) {
        let place = self.book.strategy(strategy);
        if let Some(book) = self.book.strategies.get_mut(place) {
            book.enabled = enabled;
        }
    }

    /// Reads profit and loss (at most once a second) and tells which limits were broken since the last call.
    pub fn tick(&mut self, now: Now) -> Vec<Breach> {
        self.watch.tick(now, &self.settings, &mut self.book)
    }

    /// The breaches that stand.
    #[must_use]
    pub fn breaches(&self) -> Vec<Breach> {
        self.watch.standing()
    }

    /// Decides, and counts what it approves.
    pub fn decide(&mut self, now: Now, proposal: &Proposal, standing: &Standing) -> Decision {
        let limits = self.limits(&proposal.strategy, &proposal.venue, &proposal.symbol);
        let mut figures = self.figures(now.mono, proposal, standing);
        let mut judged = judge(&limits, proposal, &figures, false);
        let mut used = None;
        if let Some(denial) = &judged.denial
            && let Some((place, granted)) = self.overrides.find(now.mono, proposal, denial.code)
        {
            figures.granted = Some(granted);
            judged = judge(&limits, proposal, &figures, false);
            used = Some(place);
        }
        if judged.denial.is_none() {
            self.count(now.mono, proposal);
            if let Some(place) = used {
                self.overrides.consume(place);
            }
        }
        let record = Box::new(self.record(now, proposal, figures, &judged));
        match judged.denial {
            Some(refusal) => Decision::Denied { refusal, record },
            None => Decision::Approved(record),
        }
    }

    /// What the decision would be and why, check by check. Nothing is counted and no override is used up.
    #[must_use]
    pub fn explain(&self, now: Now, proposal: &Proposal, standing: &Standing) -> Explanation {
        let limits = self.gather(&proposal.strategy, &proposal.venue, &proposal.symbol);
        let mut figures = self.figures(now.mono, proposal, standing);
        let mut judged = judge(&limits, proposal, &figures, true);
        if let Some(denial) = &judged.denial
            && let Some((_, granted)) = self.overrides.find(now.mono, proposal, denial.code)
        {
            figures.granted = Some(granted);
            judged = judge(&limits, proposal, &figures, true);
        }
        Explanation { verdict: judged.verdict(), limits: self.id.clone(), lines: judged.lines, figures }
    }

    /// All limits and how much of each is used, the tightest first; at most [`super::gauges::GAUGES_MAX`].
    #[must_use]
    pub fn gauges(&self, now: Mono) -> Vec<Gauge> {
        super::survey::survey(self, now)
    }

    /// What must survive a restart.
    #[must_use]
    pub fn marks(&self) -> RiskMarks {
        self.watch.marks(&self.book)
    }

    /// Takes what an earlier run left. To be called before the first fact.
    pub fn restore(&mut self, marks: RiskMarks) {
        self.watch.restore(marks, &mut self.book);
    }

    /// Did [`Risk::marks`] change so that they should be written? Latches and days at once, peaks at most every
    /// ten seconds.
    #[must_use]
    pub fn marks_dirty(&self, now: Now) -> bool {
        self.watch.is_dirty(now.mono)
    }

    /// The marks were handed to the journal.
    pub fn marks_noted(&mut self, now: Now) {
        self.watch.noted(now.mono);
    }

    /// A named person looked at the strategy: it may trade again, at full size. False when nothing held it.
    pub fn re_enable(&mut self, _now: Now, strategy: &StrategyId) -> bool {
        let place = self.book.strategy(strategy);
        if let Some(book) = self.book.strategies.get_mut(place) {
            book.repeats.clear();
        }
        let was_cut = self.watch.unrestrain(strategy, None);
        self.watch.unlatch(strategy) || was_cut
    }

    /// Strategies that are latched.
    pub fn latches(&self) -> impl Iterator<Item = &Latch> {
        self.watch.latches()
    }

    /// An operator accepts the drawdown of a scope (`None`: the account): its peak is where things stand.
    pub fn rebase_peak(&mut self, strategy: Option<&StrategyId>) {
        self.watch.rebase(strategy, &mut self.book);
    }

    /// Lets one order through that the chain denies.
    ///
    /// # Errors
    /// A [`Refusal`]: `OVERRIDE_INVALID` with the field, or `TOO_MANY_OVERRIDES`.
    pub fn grant(&mut self, now: Mono, over: Override) -> Result<(), Refusal> {
        self.overrides.grant(now, over)
    }

    /// Overrides that were granted and not used yet.
    pub fn overrides(&self, now: Mono) -> impl Iterator<Item = &Override> {
        self.overrides.standing(now)
    }

    fn count(&mut self, now: Mono, asked: &Proposal) {
        let place = self.book.strategy(&asked.strategy);
        let at = self.book.find(&asked.strategy, &asked.venue, &asked.symbol);
        self.book.rate.approved(now);
        let Some(book) = self.book.strategies.get_mut(place) else { return };
        book.rate.approved(now);
        if let Some(instrument) = at.instrument {
            book.approvals.note(now, sameness(instrument, asked));
        }
    }

    fn record(&self, now: Now, proposal: &Proposal, figures: Figures, judged: &Judged) -> DecisionRecord {
        let at = self.book.find(&proposal.strategy, &proposal.venue, &proposal.symbol);
        let here = at.instrument.and_then(|place| self.book.instruments.get(place));
        DecisionRecord {
            at: now.wall,
            limits: self.id.clone(),
            proposal: proposal.clone(),
            base: here.and_then(|one| one.base.clone()),
            figures,
            verdict: judged.verdict(),
        }
    }

    /// The limits for a pair, gathered once where both are known.
    fn limits(&mut self, strategy: &StrategyId, venue: &VenueId, symbol: &Symbol) -> Arc<Limits> {
        let at = self.book.find(strategy, venue, symbol);
        let Some(key) = at.strategy.zip(at.instrument) else { return self.gather(strategy, venue, symbol) };
        if let Some(known) = self.gathered.get(&key) {
            return Arc::clone(known);
        }
        let limits = self.gather(strategy, venue, symbol);
        self.gathered.insert(key, Arc::clone(&limits));
        limits
    }

    fn gather(&self, strategy: &StrategyId, venue: &VenueId, symbol: &Symbol) -> Arc<Limits> {
        let place = self.book.find(strategy, venue, symbol).instrument;
        let base = place.and_then(|place| self.book.instruments.get(place)?.base.as_ref());
        Arc::new(self.settings.resolve(strategy, venue, symbol, base))
    }

    /// Reads the book once.
    pub(super) fn figures(&self, now: Mono, asked: &Proposal, standing: &Standing) -> Figures {
        let at = self.book.find(&asked.strategy, &asked.venue, &asked.symbol);
        let here = at.instrument.and_then(|place| self.book.instruments.get(place));
        let own = at.strategy.and_then(|place| self.book.strategies.get(place));
        let view = View::new(&self.book, now, at.instrument);
        let asked_of_book = Direction {
            at,
            side: asked.side,
            quantity: asked.quantity.get(),
            number: asked.number,
            replaces: asked.replaces,
        };
        let picture = view.picture(&asked_of_book);
        let mark = here.and_then(|one| one.mark(now, self.settings.mark_max_age_ms));
        let mut standing = standing.clone();
        standing.strategy_enabled &= own.is_none_or(|own| own.enabled);
        let (sigma, sigma_samples) = here.map_or((None, 0), |one| one.volatility.sigma());
        let duplicate = own.zip(at.instrument).filter(|_| asked.number.is_none());
        Figures {
            standing,
            bid: mark.map(|mark| mark.bid.get()),
            ask: mark.map(|mark| mark.ask.get()),
            quote_price: here.and_then(|one| view.quote_price(one)),
            reduces_own: picture.reduces_own,
            reduces_net: picture.reduces_net,
            position: picture.position,
            symbol_position: picture.symbol_position,
            gross: picture.gross,
            net: picture.net,
            asset: picture.asset,
            pnl: picture.pnl,
            day_loss: Pair {
                strategy: picture.pnl.strategy.and_then(|pnl| match own {
                    Some(own) => own.track.day_loss(pnl),
                    None => Some(-pnl),
                }),
                account: picture.pnl.account.and_then(|pnl| self.watch.account.day_loss(pnl)),
            },
            drawdown: self.watch.drawdowns(&self.settings, own, &asked.strategy),
            open_orders: picture.open_orders,
            rates: Pair {
                strategy: own.map(|own| own.rate.used(now)).unwrap_or_default(),
                account: self.book.rate.used(now),
            },
            duplicate_age_ms: duplicate
                .and_then(|(own, place)| own.approvals.age(now, &sameness(place, asked))),
            own_opposite: here.and_then(|one| one.own_opposite(asked.side)),
            latched: self.watch.latched(&asked.strategy).map(Latch::describe),
            restraint: self.watch.restrained(&asked.strategy),
            trades: own.map(|own| own.outcomes.record()).unwrap_or_default(),
            sigma,
            sigma_samples,
            granted: None,
        }
    }
}

fn sameness(instrument: usize, asked: &Proposal) -> Sameness {
    (instrument, asked.side, asked.quantity.get(), asked.price.map(|price| price.get()))
}
