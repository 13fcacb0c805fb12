//! New orders: what is refused at the door, and how an intent is made.
//!
//! The same client order id is the same order, however often it is sent. A refusal here reserves nothing:
//! the id may come again. Refusals are recorded up to a rate and counted beyond it.

use super::core::Oms;
use super::effect::{Answer, Refusal, RefusalKind};
use super::event::ReplyTo;
use super::fact::{Denied, Fact};
use super::out::{Out, refusal};
use super::phase::Phase;
use super::watch::{Stage, Watch};
use crate::domain::ids::{ClientOrderId, Correlation, IdError, StrategyId, Symbol, VenueId};
use crate::domain::instrument::Instrument;
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderRequest, OrderState, Origin};
use crate::domain::order_types::{Side, TimeInForce};
use crate::domain::run_state::Level;

/// Ids that begin like this are made for orders found at the venue.
pub(super) const ADOPTED_PREFIX: &str = "ext-";

/// The id that the venue knows an order by: the journal's tag and the number in base 36, so that ids rise in
/// time, never collide between journals, and are the same on any resend.
pub(super) fn venue_order_id(tag: &str, number: OrderNumber) -> Result<ClientOrderId, IdError> {
    let mut digits = Vec::new();
    let mut rest = number.0;
    while rest > 0 || digits.len() < 8 {
        let digit = u32::try_from(rest % 36).ok().and_then(|digit| char::from_digit(digit, 36));
        digits.push(digit.unwrap_or('0'));
        rest /= 36;
    }
    let digits: String = digits.into_iter().rev().collect();
    ClientOrderId::new(&format!("{tag}-{digits}"))
}

impl Oms {
    pub(super) fn on_submit(&mut self, out: &mut Out, mut request: OrderRequest, reply: Option<ReplyTo>) {
        if let Some(known) = request.client_order_id.as_ref().and_then(|id| self.books.by_client(id)) {
            return self.answer_again(out, known.number, reply);
        }
        match self.check(out, &request).and_then(|()| self.decide(out, &mut request, None)) {
            Ok(touch) => self.take(out, request, touch, None, reply),
            Err(refused) => self.deny_at_the_door(out, &request, refused, reply),
        }
    }

    /// The same id again: the same order. While its row is not on disk, the answer waits with the first.
    fn answer_again(&mut self, out: &mut Out, number: OrderNumber, reply: Option<ReplyTo>) {
        let (Some(order), Some(to)) = (self.books.orders.get(&number).cloned(), reply) else { return };
        let answer = Answer::Accepted(Box::new(order));
        let writing = self.watch.get(&number).is_some_and(|watch| watch.stage == Stage::Writing);
        let ticket = self.waiting.values_mut().find(|draft| writing && draft.release.contains(&number));
        match ticket {
            Some(draft) => draft.replies.push((to, answer)),
            None => out.reply(Some(to), answer),
        }
    }

    /// Everything that can be said before an order exists.
    pub(super) fn check(&self, out: &Out, request: &OrderRequest) -> Result<(), Refusal> {
        self.check_process(request)?;
        self.check_names(request)?;
        self.check_level(request, None)?;
        let instrument = self.check_venue(&request.venue, &request.symbol)?;
        check_shape(request)?;
        self.check_rules(out, request, instrument)?;
        self.check_doubt(request)
    }

    /// The part of it that can be said of a replacement while its original still works.
    pub(super) fn check_replacement(
        &self,
        request: &OrderRequest,
        original: OrderNumber,
    ) -> Result<(), Refusal> {
        self.check_process(request)?;
        self.check_names(request)?;
        // The original still works and will be gone by then: it does not count against its replacement.
        self.check_level(request, Some(original))?;
        self.check_venue(&request.venue, &request.symbol)?;
        check_shape(request)
    }

    fn check_process(&self, request: &OrderRequest) -> Result<(), Refusal> {
        let unavailable = |code, detail| Err(refusal(code, RefusalKind::Unavailable, detail));
        match self.phase {
            Phase::Running | Phase::Paused | Phase::ReduceOnly => {}
            Phase::Halted => return unavailable("TRADING_HALTED", format!("reason={}", self.phase_reason())),
            Phase::Draining => return unavailable("DRAINING", format!("reason={}", self.phase_reason())),
            Phase::Starting | Phase::Reconciling => {
                return unavailable("NOT_STARTED", format!("reason={}", self.phase_reason()));
            }
        }
        if self.lapsed {
            return unavailable(
                "TRUTH_LEASE_EXPIRED",
                format!("strategy={}, judge=silent", request.strategy),
            );
        }
        if !self.writable {
            return unavailable("JOURNAL_UNWRITABLE", format!("strategy={}", request.strategy));
        }
        let limits = &self.settings.limits;
        if self.writing >= limits.pending_intents {
            return unavailable("TOO_MANY_PENDING", format!("limit={}", limits.pending_intents));
        }
        if self.books.index.open.len() >= limits.open_orders {
            return unavailable("TOO_MANY_OPEN_ORDERS", format!("limit={}", limits.open_orders));
        }
        Ok(())
    }

    fn check_names(&self, request: &OrderRequest) -> Result<(), Refusal> {
        if let Some(id) = &request.client_order_id
            && (id.as_str().starts_with(ADOPTED_PREFIX) || self.books.number_in(id).is_some())
        {
            return Err(refusal("RESERVED_ID", RefusalKind::Invalid, format!("client_order_id={id}")));
        }
        let known = self.settings.strategies.iter().find(|strategy| strategy.id == request.strategy);
        let Some(strategy) = known else {
            return Err(refusal(
                "UNKNOWN_STRATEGY",
                RefusalKind::Invalid,
                format!("strategy={}", request.strategy),
            ));
        };
        if !self.enabled(&strategy.id) {
            let detail = format!("strategy={}", request.strategy);
            return Err(refusal("STRATEGY_DISABLED", RefusalKind::Conflict, detail));
        }
        Ok(())
    }

    /// May this strategy trade, by configuration and by the last switch?
    #[must_use]
    pub fn enabled(&self, strategy: &StrategyId) -> bool {
        let configured = self.settings.strategies.iter().find(|known| known.id == *strategy);
        configured.is_some_and(|known| self.books.switches.get(strategy).copied().unwrap_or(known.enabled))
    }

    fn check_venue(&self, venue: &VenueId, symbol: &Symbol) -> Result<&Instrument, Refusal> {
        let Some(run) = self.venues.get(venue) else {
            return Err(refusal("UNKNOWN_VENUE", RefusalKind::Invalid, format!("venue={venue}")));
        };
        let Some(instrument) = self.instruments.get(&(venue.clone(), symbol.clone())) else {
            let detail = format!("venue={venue}, symbol={symbol}");
            return Err(refusal("UNKNOWN_INSTRUMENT", RefusalKind::Invalid, detail));
        };
        if !instrument.trading {
            let detail = format!("symbol={symbol}");
            return Err(refusal("MARKET_CLOSED", RefusalKind::Unavailable, detail));
        }
        if !run.open {
            let detail = format!("venue={venue}, why={}", run.why);
            return Err(refusal("VENUE_GATE_CLOSED", RefusalKind::Unavailable, detail));
        }
        Ok(instrument)
    }

    /// The instrument's rules for an order that was cut.
    pub(super) fn check_cut(&self, out: &Out, request: &OrderRequest) -> Result<(), Refusal> {
        let rules = self.instruments.get(&(request.venue.clone(), request.symbol.clone()));
        rules.map_or(Ok(()), |rules| self.check_rules(out, request, rules))
    }

    fn check_rules(&self, out: &Out, request: &OrderRequest, rules: &Instrument) -> Result<(), Refusal> {
        let invalid = |code, detail| Err(refusal(code, RefusalKind::Invalid, detail));
        let lot = match (&rules.market_lot, request.kind) {
            (Some(lot), OrderKind::Market) => lot,
            _ => &rules.lot,
        };
        if let Err(broken) = lot.check(request.quantity.get()) {
            return invalid("QUANTITY_RULE", format!("quantity={}, rule={broken}", request.quantity));
        }
        if let Some(price) = request.price
            && let Err(broken) = rules.price.check(price.get())
        {
            return invalid("PRICE_RULE", format!("price={price}, rule={broken}"));
        }
        let market = request.kind == OrderKind::Market;
        let mark = self.fresh_mark(&request.venue, &request.symbol, out.now.mono);
        let price = request.price.or_else(|| mark.and_then(super::books::midpoint));
        // Without a price the venue judges a market order's value.
        let Some(notional) = price.and_then(|price| price.notional(request.quantity)) else { return Ok(()) };
        let binds = |rule: &Option<(Amount, bool)>| rule.filter(|(_, binds)| !market || *binds);
        if let Some((least, _)) = binds(&rules.min_notional).filter(|(least, _)| notional < *least) {
            return invalid("NOTIONAL_BELOW_MINIMUM", format!("notional={notional}, minimum={least}"));
        }
        if let Some((most, _)) = binds(&rules.max_notional).filter(|(most, _)| notional > *most) {
            return invalid("NOTIONAL_EXCEEDS_MAXIMUM", format!("notional={notional}, maximum={most}"));
        }
        Ok(())
    }

    /// What operators allow: while paused, what says that it only reduces and does; in reduce-only, what reduces.
    fn check_level(&self, request: &OrderRequest, without: Option<OrderNumber>) -> Result<(), Refusal> {
        let (level, by) = (self.books.stand.level, &self.phase_by);
        let may = match level {
            Level::Running => true,
            Level::ReduceOnly => self.reduces(request, without),
            Level::Paused => request.reduce_only && self.reduces(request, without),
        };
        if may {
            return Ok(());
        }
        let code = if level == Level::Paused { "TRADING_PAUSED" } else { "REDUCE_ONLY" };
        let detail = format!("by={}, reason={}, strategy={}", by.name, by.reason, request.strategy);
        Err(refusal(code, RefusalKind::Conflict, detail))
    }

    /// Does it make the position smaller, even if everything that works on its side executes first?
    fn reduces(&self, request: &OrderRequest, without: Option<OrderNumber>) -> bool {
        let same = |order: &&Order| {
            order.venue == request.venue
                && order.symbol == request.symbol
                && order.side == request.side
                && Some(order.number) != without
        };
        let ahead = self.books.open().filter(same);
        let ahead =
            ahead.into_iter().try_fold(Quantity::ZERO, |sum, order| sum.checked_add(order.remaining()));
        let ahead = ahead.and_then(|sum| Amount::new(sum.get()).ok());
        ahead.is_some_and(|ahead| self.check_reduces(request, ahead).is_ok())
    }

    /// The same question about an order that is in the books already.
    pub(super) fn still_reduces(&self, order: &Order) -> bool {
        let request = OrderRequest {
            client_order_id: None,
            venue: order.venue.clone(),
            symbol: order.symbol.clone(),
            side: order.side,
            kind: order.kind,
            quantity: order.remaining(),
            price: order.price,
            time_in_force: None,
            stop_loss: None,
            reduce_only: order.reduce_only,
            strategy: order.strategy.clone(),
            correlation: None,
        };
        self.reduces(&request, Some(order.number))
    }

    /// An order in doubt counts at worst case: nothing may add to what is held in its instrument, or promise
    /// to, before it is resolved. What makes the position smaller whatever became of it is let through.
    fn check_doubt(&self, request: &OrderRequest) -> Result<(), Refusal> {
        let mut doubtful = self.books.unknown(&request.venue, &request.symbol).peekable();
        let Some(first) = doubtful.peek().map(|order| order.client_order_id.clone()) else {
            return if request.reduce_only { self.check_reduces(request, Amount::ZERO) } else { Ok(()) };
        };
        let mut same_side = doubtful.filter(|order| order.side == request.side);
        let pending = same_side.try_fold(Quantity::ZERO, |sum, order| sum.checked_add(order.remaining()));
        let pending = pending.and_then(|sum| Amount::new(sum.get()).ok());
        let reduces = pending.is_some_and(|pending| self.check_reduces(request, pending).is_ok());
        if reduces {
            return Ok(());
        }
        let detail = format!("symbol={}, order={first}", request.symbol);
        Err(refusal("OUTCOME_UNKNOWN", RefusalKind::Unavailable, detail))
    }

    /// Does the order make the position smaller even if `pending` of the same side executes first?
    fn check_reduces(&self, request: &OrderRequest, pending: Amount) -> Result<(), Refusal> {
        let held = self.books.ledger.quantity(&request.venue, &request.symbol);
        let against = match request.side {
            Side::Buy => held.get().is_sign_negative() && !held.is_zero(),
            Side::Sell => !held.get().is_sign_negative() && !held.is_zero(),
        };
        let needed = request.quantity.get().checked_add(pending.get());
        if against && needed.is_some_and(|needed| needed <= held.get().abs()) {
            return Ok(());
        }
        let detail = format!("position={held}, quantity={}", request.quantity);
        Err(refusal("NOT_REDUCING", RefusalKind::Conflict, detail))
    }

    /// Makes the intent. Nothing of it is sent before the journal says that it is on disk. `decision_price` is what the
    /// decision saw.
    pub(super) fn take(
        &mut self,
        out: &mut Out,
        request: OrderRequest,
        decision_price: Option<Price>,
        replaces: Option<ClientOrderId>,
        reply: Option<ReplyTo>,
    ) {
        let number = OrderNumber(self.books.next);
        let Ok(venue_client_order_id) = venue_order_id(&self.books.tag, number) else { return };
        let client_order_id = request.client_order_id.unwrap_or_else(|| venue_client_order_id.clone());
        let correlation = match request.correlation {
            Some(correlation) => correlation,
            None => Correlation::new(client_order_id.as_str()).unwrap_or_else(|_| self.own.clone()),
        };
        let time_in_force = match request.kind {
            OrderKind::Limit => Some(request.time_in_force.unwrap_or(TimeInForce::Gtc)),
            OrderKind::Market | OrderKind::LimitMaker => None,
        };
        let order = Order {
            number,
            client_order_id,
            venue_client_order_id,
            venue_order_id: None,
            fills_after: self.books.fills_after(&request.venue, &request.symbol),
            venue: request.venue,
            symbol: request.symbol,
            side: request.side,
            kind: request.kind,
            quantity: request.quantity,
            price: request.price,
            time_in_force,
            stop_loss: request.stop_loss,
            reduce_only: request.reduce_only,
            strategy: request.strategy,
            correlation,
            origin: Origin::Intent,
            state: OrderState::PendingSubmit,
            executed: Quantity::ZERO,
            booked: Quantity::ZERO,
            booked_quote: Amount::ZERO,
            reason: None,
            attempts: 0,
            cancel_requested: false,
            replaces,
            decision_price,
            created_at: out.now.wall,
            updated_at: out.now.wall,
        };
        let answer = Answer::Accepted(Box::new(order.clone()));
        if self.record(out, Fact::Intent(Box::new(order))) {
            self.watch.insert(number, Watch::new(Stage::Writing, out.now.mono));
            out.intents.release.push(number);
            out.intents.replies.extend(reply.map(|to| (to, answer)));
        }
    }

    pub(super) fn deny_at_the_door(
        &mut self,
        out: &mut Out,
        request: &OrderRequest,
        refused: Refusal,
        reply: Option<ReplyTo>,
    ) {
        let (since, used, unrecorded) = &mut self.denials;
        if out.now.mono.since(*since) >= 1_000 {
            (*since, *used) = (out.now.mono, 0);
        }
        // A strategy in a loop must not fill the disk with its refusals, and a sick disk gets none at all.
        if *used >= self.settings.limits.denials_per_second || !self.writable {
            *unrecorded = unrecorded.saturating_add(1);
        } else {
            *used = used.saturating_add(1);
            let decision = out.denied.take();
            let denied = Denied {
                client_order_id: request.client_order_id.clone(),
                strategy: request.strategy.clone(),
                venue: request.venue.clone(),
                symbol: request.symbol.clone(),
                reason: refused.to_string(),
                unrecorded: std::mem::take(unrecorded),
            };
            self.record(out, Fact::Denied(denied));
            if let Some(decision) = decision {
                self.record(out, Fact::Decision(decision));
            }
        }
        out.denied = None;
        out.refuse(reply, refused);
    }
}

/// The rules that hold at every venue.
fn check_shape(request: &OrderRequest) -> Result<(), Refusal> {
    let invalid = |code, detail| Err(refusal(code, RefusalKind::Invalid, detail));
    if request.quantity.is_zero() {
        return invalid("QUANTITY_NOT_POSITIVE", format!("quantity={}", request.quantity));
    }
    let wants_price = request.kind != OrderKind::Market;
    match request.price {
        None if wants_price => return invalid("PRICE_MISSING", "type=limit".to_owned()),
        Some(price) if !wants_price => return invalid("PRICE_NOT_ALLOWED", format!("price={price}")),
        Some(price) if price.is_zero() => return invalid("PRICE_NOT_POSITIVE", format!("price={price}")),
        _ => {}
    }
    match &request.time_in_force {
        Some(TimeInForce::Other(word)) => {
            invalid("TIME_IN_FORCE_UNKNOWN", format!("time_in_force={}", word.as_str()))
        }
        Some(_) if request.kind != OrderKind::Limit => {
            invalid("TIME_IN_FORCE_NOT_ALLOWED", "only limit orders carry one".to_owned())
        }
        _ => Ok(()),
    }
}
