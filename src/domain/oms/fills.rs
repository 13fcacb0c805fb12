//! Fills: booked once per (venue, instrument, trade id), wherever they come from, and looked for when the
//! venue says that there are more.
//!
//! A fill that may belong to an order whose venue id is not known yet waits on a shelf until it is; one that
//! matches nothing is booked to `external` and raises `unmatched_fill`. One that is older than memory is
//! never guessed at: the database is asked.

use super::core::Oms;
use super::effect::{Effect, NoticeLevel};
use super::fact::{Fact, FillBooked};
use super::out::Out;
use super::timers::Alarm;
use crate::domain::ids::{Asset, Symbol, TradeId, VenueId};
use crate::domain::ledger::{BookedFill, Seen};
use crate::domain::order::{Order, OrderNumber};
use crate::domain::order_types::Fill;
use crate::domain::outcome::ReadError;

/// Pause before a fetch that gave no answer is made again.
const FETCH_RETRY_MS: u64 = 500;

impl Oms {
    /// A fill, from wherever.
    pub(super) fn on_fill(&mut self, out: &mut Out, venue: &VenueId, fill: &Fill, hint: Option<OrderNumber>) {
        // Before a venue's books begin, its balances contain every fill.
        if !self.books.begun.contains(venue) {
            return;
        }
        match self.books.ledger.seen(venue, &fill.symbol, &fill.trade_id) {
            Seen::New => self.place(out, venue, fill, hint),
            Seen::Booked | Seen::BeforeBooks => {}
            Seen::TooOld => self.check_fill(out, venue, fill),
        }
    }

    fn check_fill(&mut self, out: &mut Out, venue: &VenueId, fill: &Fill) {
        let key = (venue.clone(), fill.symbol.clone(), fill.trade_id.clone());
        let checking = &mut self.shelf.checking;
        let again = checking
            .get(&key)
            .is_none_or(|asked| out.now.mono.since(*asked) >= self.settings.knobs.fetch_timeout_ms);
        // A full shelf drops the question, not the fill: the venue is asked again and tells it again.
        if again && (checking.len() < self.settings.limits.parked_fills || checking.contains_key(&key)) {
            checking.insert(key, out.now.mono);
            out.push(Effect::CheckFill(venue.clone(), fill.clone()));
        }
    }

    /// The database says whether an old fill was booked.
    pub(super) fn on_fill_checked(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        fill: Fill,
        booked: Option<bool>,
    ) {
        let key = (venue.clone(), fill.symbol.clone(), fill.trade_id.clone());
        if self.shelf.checking.remove(&key).is_none() {
            return;
        }
        let still = self.books.ledger.seen(venue, &fill.symbol, &fill.trade_id) == Seen::TooOld;
        match booked {
            Some(false) if still => self.place(out, venue, &fill, None),
            Some(_) => {}
            None => self.check_fill(out, venue, &fill),
        }
    }

    /// Finds whose a new fill is.
    fn place(&mut self, out: &mut Out, venue: &VenueId, fill: &Fill, hint: Option<OrderNumber>) {
        let by_name = || {
            let named = self.books.by_venue(venue, fill.client_order_id.as_ref()?)?;
            let same = named.venue_order_id.as_ref().is_none_or(|id| *id == fill.venue_order_id);
            (same && named.symbol == fill.symbol).then_some(named.number)
        };
        let key = (venue.clone(), fill.symbol.clone(), fill.venue_order_id.clone());
        let by_id = self.books.index.by_venue_order.get(&key).copied();
        if let Some(number) = hint.or(by_id).or_else(by_name) {
            return self.book(out, venue, fill, Some(number));
        }
        if fill.client_order_id.is_none() && self.may_be_ours(venue, fill) {
            let held = self.shelf.parked.iter();
            let mut same = held.filter(|(at, parked)| at == venue && parked.symbol == fill.symbol);
            let known = same.any(|(_, parked)| parked.trade_id == fill.trade_id);
            // A full shelf forgets: the fill stands in the venue's history and is fetched again.
            if !known && self.shelf.parked.len() < self.settings.limits.parked_fills {
                self.shelf.parked.push_back((venue.clone(), fill.clone()));
                self.active(venue);
            }
            return;
        }
        self.book(out, venue, fill, None);
    }

    /// Could an order whose venue id is not known own this fill?
    fn may_be_ours(&self, venue: &VenueId, fill: &Fill) -> bool {
        self.books.unacknowledged(venue, &fill.symbol).any(|order| {
            let proved = self
                .watch
                .get(&order.number)
                .is_some_and(|watch| watch.inquiry.as_ref().is_some_and(|inquiry| inquiry.proved));
            order.side == fill.side && !proved
        })
    }

    /// Is there a fill on the shelf that this order could own?
    pub(super) fn suspected(&self, order: &Order) -> bool {
        self.shelf.parked.iter().any(|(venue, fill)| {
            *venue == order.venue && fill.symbol == order.symbol && fill.side == order.side
        })
    }

    /// Tries the fills on the shelf again.
    pub(super) fn unpark(&mut self, out: &mut Out) {
        for (venue, fill) in std::mem::take(&mut self.shelf.parked) {
            self.on_fill(out, &venue, &fill, None);
        }
    }

    fn pair(&self, venue: &VenueId, symbol: &Symbol) -> Option<(Asset, Asset)> {
        let rules = self.instruments.get(&(venue.clone(), symbol.clone()))?;
        Some((rules.base.clone(), rules.quote.clone()))
    }

    fn booked_fill(&self, out: &Out, venue: &VenueId, fill: &Fill, order: Option<&Order>) -> BookedFill {
        BookedFill {
            venue: venue.clone(),
            fill: fill.clone(),
            client_order_id: order.map(|order| order.client_order_id.clone()),
            strategy: order.map_or_else(|| self.external.clone(), |order| order.strategy.clone()),
            correlation: order.map_or_else(|| self.own.clone(), |order| order.correlation.clone()),
            booked_at: out.now.wall,
            busted: false,
        }
    }

    fn book(&mut self, out: &mut Out, venue: &VenueId, fill: &Fill, number: Option<OrderNumber>) {
        let scope = format!("{venue}/{}/{}", fill.symbol, fill.trade_id);
        let Some((base, quote)) = self.pair(venue, &fill.symbol) else {
            let reason = format!("a fill of {}, whose assets are not configured", fill.symbol);
            return self.raise(out, "unmatched_fill", scope, reason);
        };
        let order = number.and_then(|number| self.books.orders.get(&number));
        let booked = self.booked_fill(out, venue, fill, order);
        let fact = FillBooked { order: number, booked, base, quote };
        if !self.record(out, Fact::Fill(Box::new(fact))) {
            return;
        }
        self.active(venue);
        match number {
            Some(number) => {
                let order = self.books.orders.get(&number);
                if let Some(order) = order.filter(|order| order.booked > order.quantity) {
                    let why = format!(
                        "order {} booked {} of {}",
                        order.client_order_id, order.booked, order.quantity
                    );
                    self.raise(out, "position_divergence", scope, why.clone());
                    self.halt(out, super::core::own_actor(&format!("overfill: {why}")));
                }
                self.after_change(out, number);
            }
            None => {
                let fields = vec![
                    ("venue.name", venue.to_string()),
                    ("symbol", fill.symbol.to_string()),
                    ("trade.id", fill.trade_id.to_string()),
                    ("quantity", fill.quantity.to_string()),
                ];
                out.notice(NoticeLevel::Error, "unmatched_fill", fields);
                let reason = format!("{:?} {} {} matches no order", fill.side, fill.quantity, fill.symbol);
                self.raise(out, "unmatched_fill", scope, reason);
            }
        }
    }

    /// The venue took a trade back.
    pub(super) fn on_busted(&mut self, out: &mut Out, venue: &VenueId, fill: Fill) {
        // One that was never booked is booked first, so that a late copy of it finds it known.
        self.on_fill(out, venue, &fill, None);
        let seen = self.books.ledger.seen(venue, &fill.symbol, &fill.trade_id);
        if seen != Seen::Booked || self.books.is_busted(venue, &fill.symbol, &fill.trade_id) {
            return;
        }
        let Some((base, quote)) = self.pair(venue, &fill.symbol) else { return };
        let key = (venue.clone(), fill.symbol.clone(), fill.venue_order_id.clone());
        let number = self.books.index.by_venue_order.get(&key).copied();
        let order = number.and_then(|number| self.books.orders.get(&number));
        let booked = self.booked_fill(out, venue, &fill, order);
        self.record(out, Fact::Bust(Box::new(FillBooked { order: number, booked, base, quote })));
        self.active(venue);
        let fields = vec![("venue.name", venue.to_string()), ("trade.id", fill.trade_id.to_string())];
        out.notice(NoticeLevel::Warn, "trade_bust", fields);
    }

    // ---- looking for fills

    /// The venue executed more of an order than was booked here: its fills are asked for.
    pub(super) fn chase(&mut self, out: &mut Out, number: OrderNumber) {
        let knobs = &self.settings.knobs;
        let (Some(order), Some(watch)) = (self.books.orders.get(&number), self.watch.get_mut(&number)) else {
            return;
        };
        let Some(chase) = watch.chase.as_mut() else { return };
        if order.is_booked() {
            watch.chase = None;
            return;
        }
        let pause = if chase.tries < knobs.fill_fetch_retries {
            knobs.fill_grace_ms
        } else {
            knobs.fill_fetch_slow_ms
        };
        chase.tries = chase.tries.saturating_add(1);
        chase.next = out.now.mono.plus(pause.max(1));
        let slow = chase.tries == knobs.fill_fetch_retries;
        let (venue, symbol, after) = (order.venue.clone(), order.symbol.clone(), order.fills_after.clone());
        if slow {
            let fields = vec![
                ("order.id", order.client_order_id.to_string()),
                ("executed", order.executed.to_string()),
                ("booked", order.booked.to_string()),
            ];
            out.notice(NoticeLevel::Error, "fills_missing", fields);
        }
        self.fetch(out, &venue, &symbol, after.as_ref().and_then(TradeId::number));
    }

    /// Asks for the fills of an instrument after a trade; wishes that come while a request is under way are
    /// put together into one.
    pub(super) fn fetch(&mut self, out: &mut Out, venue: &VenueId, symbol: &Symbol, after: Option<u64>) {
        let fetch = self.fetches.entry((venue.clone(), symbol.clone())).or_default();
        // `None` asks for the latest, which is not the same as all: a number reaches further back.
        fetch.wanted = Some(match fetch.wanted {
            Some(Some(standing)) => Some(after.map_or(standing, |after| after.min(standing))),
            Some(None) | None => after,
        });
        self.fetch_due(out, venue, symbol);
    }

    pub(super) fn fetch_due(&mut self, out: &mut Out, venue: &VenueId, symbol: &Symbol) {
        let (now, timeout) = (out.now.mono, self.settings.knobs.fetch_timeout_ms);
        let Some(fetch) = self.fetches.get_mut(&(venue.clone(), symbol.clone())) else { return };
        let alarm = Alarm::Fetch(venue.clone(), symbol.clone());
        match fetch.asked {
            Some((asked, _)) if now.since(asked) < timeout => {
                return self.timers.no_later(alarm, asked.plus(timeout));
            }
            Some((_, after)) => {
                fetch.asked = None;
                fetch.wanted.get_or_insert(after);
            }
            None => {}
        }
        let Some(after) = fetch.wanted.take() else { return };
        fetch.asked = Some((now, after));
        self.timers.set(alarm, Some(now.plus(timeout)));
        out.push(Effect::FetchFills(venue.clone(), symbol.clone(), after.map(TradeId::from)));
    }

    /// The answer about fills.
    pub(super) fn on_fills(
        &mut self,
        out: &mut Out,
        venue: &VenueId,
        symbol: &Symbol,
        answer: Result<Vec<Fill>, ReadError>,
    ) {
        let now = out.now.mono;
        let Some(fetch) = self.fetches.get_mut(&(venue.clone(), symbol.clone())) else { return };
        let Some(asked) = fetch.asked.take() else { return };
        let alarm = Alarm::Fetch(venue.clone(), symbol.clone());
        let Ok(fills) = answer else {
            fetch.wanted.get_or_insert(asked.1);
            return self.timers.set(alarm, Some(now.plus(FETCH_RETRY_MS)));
        };
        fetch.done = Some(asked);
        self.timers.set(alarm, None);
        self.beginning_saw(venue, symbol, &fills);
        for fill in &fills {
            self.on_fill(out, venue, fill, None);
        }
        self.fetch_due(out, venue, symbol);
        self.progress(out, venue);
    }
}
