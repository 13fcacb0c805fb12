//! The book against a model that computes everything from scratch, and against the limits it serves.

use super::super::core::Risk;
use super::super::proposal::{Message, Proposal, Standing};
use super::super::settings::{RiskSettings, SymbolLimits};
use super::super::{Consequence, Decision, DecisionRecord, Limit, LossLimit, RiskMarks, StateGate};
use crate::domain::ids::{
    Asset, ClientOrderId, Correlation, StrategyId, Symbol, TradeId, VenueId, VenueOrderId,
};
use crate::domain::instrument::{Instrument, Step};
use crate::domain::ledger::{BookedFill, Position};
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::oms::{Mark, Now};
use crate::domain::order::{Order, OrderKind, OrderNumber, OrderState, Origin};
use crate::domain::order_types::{Fill, Liquidity, Side};
use crate::domain::time::{Mono, WallMs};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

pub(in super::super) fn d(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn whole(n: i64) -> Decimal {
    Decimal::from(n)
}

pub(in super::super) fn strategy(n: usize) -> StrategyId {
    StrategyId::new(&format!("s{n}")).unwrap()
}

pub(in super::super) fn venue(n: usize) -> VenueId {
    VenueId::new(&format!("v{}", n / 2)).unwrap()
}

pub(in super::super) fn symbol(n: usize) -> Symbol {
    Symbol::new(if n % 2 == 0 { "BTCUSDT" } else { "ETHUSDT" }).unwrap()
}

pub(in super::super) fn now(ms: u64) -> Now {
    Now { mono: Mono(ms), wall: WallMs(i64::try_from(ms).unwrap()) }
}

fn instrument(n: usize) -> Instrument {
    Instrument {
        symbol: symbol(n),
        base: Asset::new(if n % 2 == 0 { "BTC" } else { "ETH" }).unwrap(),
        quote: Asset::new("USDT").unwrap(),
        trading: true,
        price: Step::default(),
        lot: Step::default(),
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    }
}

pub(in super::super) fn order(
    number: u64,
    who: usize,
    at: usize,
    side: Side,
    quantity: i64,
    price: i64,
) -> Order {
    let id = ClientOrderId::new(&format!("o-{number}")).unwrap();
    Order {
        number: OrderNumber(number),
        client_order_id: id.clone(),
        venue_client_order_id: id,
        venue_order_id: None,
        venue: venue(at),
        symbol: symbol(at),
        side,
        kind: OrderKind::Limit,
        quantity: Quantity::new(whole(quantity)).unwrap(),
        price: Price::new(whole(price)).ok(),
        time_in_force: None,
        stop_loss: None,
        reduce_only: false,
        strategy: strategy(who),
        correlation: Correlation::new("c").unwrap(),
        origin: Origin::Intent,
        state: OrderState::PendingSubmit,
        executed: Quantity::ZERO,
        booked: Quantity::ZERO,
        booked_quote: Amount::ZERO,
        reason: None,
        attempts: 0,
        cancel_requested: false,
        replaces: None,
        fills_after: None,
        created_at: WallMs(0),
        updated_at: WallMs(0),
    }
}

pub(in super::super) fn position(
    who: usize,
    at: usize,
    held: Decimal,
    average: Option<Decimal>,
    realised: Decimal,
) -> Position {
    Position {
        venue: venue(at),
        symbol: symbol(at),
        strategy: strategy(who),
        quantity: Amount::new(held).unwrap(),
        average_price: average.map(|price| Price::new(price).unwrap()),
        realised_pnl: Amount::new(realised).unwrap(),
        fees: BTreeMap::new(),
        turnover: Amount::ZERO,
        updated_at: WallMs(0),
    }
}

pub(in super::super) fn mark(bid: i64, ask: i64) -> Option<Mark> {
    Some(Mark { bid: Price::new(whole(bid)).unwrap(), ask: Price::new(whole(ask)).unwrap() })
}

/// Four instruments (two venues, two symbols), three strategies, narrow limits.
pub(in super::super) fn narrow() -> RiskSettings {
    let mut settings = RiskSettings::for_rehearsal(Asset::new("USDT").unwrap());
    let at = |text: &str| Limit::At(d(text));
    settings.account.gross = at("6000");
    settings.account.net = at("4000");
    settings.account.assets = vec![(None, at("3500"))];
    settings.account.capital = at("5000");
    settings.account.leverage = at("1");
    settings.account.open_orders = Limit::At(14);
    settings.account.daily_loss = Limit::At(LossLimit { most: d("900"), then: Consequence::Kill });
    settings.venues[0].gross = at("4000");
    settings.venues[0].net = at("3000");
    settings.venues[0].open_orders = Limit::At(9);
    settings.symbols.push(SymbolLimits {
        position: at("18"),
        open_orders: Limit::At(6),
        ..SymbolLimits::default()
    });
    let one = &mut settings.strategies[0];
    one.positions = vec![(None, at("12"))];
    one.gross = at("2500");
    one.net = at("2000");
    one.budget = at("3000");
    one.open_orders = Limit::At(6);
    settings
}

pub(in super::super) fn risk(settings: RiskSettings) -> Risk {
    let mut risk = Risk::new(settings);
    for n in 0..4 {
        risk.instrument(&venue(n), &instrument(n));
        risk.mark(Mono(0), &venue(n), &symbol(n), mark(99, 101));
    }
    risk
}

pub(in super::super) fn proposal(who: usize, at: usize, side: Side, quantity: i64, price: i64) -> Proposal {
    Proposal::of_order(&order(0, who, at, side, quantity, price)).without_number()
}

impl Proposal {
    fn without_number(mut self) -> Self {
        self.number = None;
        self
    }
}

/// One strategy in one instrument, by the plainest book-keeping there is.
#[derive(Debug, Clone, Copy, Default)]
struct Plain {
    held: Decimal,
    cost: Decimal,
    realised: Decimal,
}

impl Plain {
    fn fill(&mut self, side: Side, quantity: Decimal, price: Decimal) {
        let signed = if side == Side::Buy { quantity } else { -quantity };
        let same = self.held.is_zero() || (self.held > Decimal::ZERO) == (signed > Decimal::ZERO);
        if same {
            self.cost += signed * price;
            self.held += signed;
            return;
        }
        let closing = signed.abs().min(self.held.abs());
        let average = self.cost / self.held;
        let direction = self.held.signum();
        self.realised += closing * (price - average) * direction;
        self.cost -= closing * direction * average;
        self.held -= closing * direction;
        let rest = signed.abs() - closing;
        if !rest.is_zero() {
            self.held += rest * signed.signum();
            self.cost += rest * signed.signum() * price;
        }
        self.cost = self.cost.round_dp(12);
        self.realised = self.realised.round_dp(12);
    }

    fn position(&self, who: usize, at: usize) -> Position {
        let average = (!self.held.is_zero()).then(|| (self.cost / self.held).round_dp(12));
        position(who, at, self.held, average, self.realised)
    }
}

#[derive(Debug, Clone)]
enum Act {
    Place {
        who: usize,
        at: usize,
        side: Side,
        quantity: i64,
        price: i64,
    },
    Fill {
        pick: usize,
        quantity: i64,
    },
    /// The venue says that it executed; the fill is not booked yet.
    Announce {
        pick: usize,
        quantity: i64,
    },
    Unknown {
        pick: usize,
    },
    Cancel {
        pick: usize,
    },
    Mark {
        at: usize,
        bid: i64,
    },
    NoMark {
        at: usize,
    },
    Tick,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let place = (0..3_usize, 0..4_usize, side, 1..9_i64, 95..106_i64)
        .prop_map(|(who, at, side, quantity, price)| Act::Place { who, at, side, quantity, price });
    let act = prop_oneof![
        8 => place,
        4 => (0..20_usize, 1..9_i64).prop_map(|(pick, quantity)| Act::Fill { pick, quantity }),
        1 => (0..20_usize, 1..9_i64).prop_map(|(pick, quantity)| Act::Announce { pick, quantity }),
        1 => (0..20_usize).prop_map(|pick| Act::Unknown { pick }),
        2 => (0..20_usize).prop_map(|pick| Act::Cancel { pick }),
        2 => (0..4_usize, 80..120_i64).prop_map(|(at, bid)| Act::Mark { at, bid }),
        1 => (0..4_usize).prop_map(|at| Act::NoMark { at }),
        1 => Just(Act::Tick),
    ];
    prop::collection::vec(act, 1..60)
}

/// The world as it is, kept in the plainest way.
struct Model {
    risk: Risk,
    orders: BTreeMap<u64, Order>,
    places: BTreeMap<u64, (usize, usize)>,
    cells: BTreeMap<(usize, usize), Plain>,
    marks: [Option<Decimal>; 4],
    clock: u64,
    next: u64,
    records: Vec<DecisionRecord>,
}

/// Worst cases of a set of cells, from scratch.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    long: Decimal,
    short: Decimal,
}

impl Model {
    fn new() -> Self {
        Self {
            risk: risk(narrow()),
            orders: BTreeMap::new(),
            places: BTreeMap::new(),
            cells: BTreeMap::new(),
            marks: [Some(whole(100)); 4],
            clock: 0,
            next: 1,
            records: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        now(self.clock)
    }

    fn live(&self, pick: usize) -> Option<u64> {
        let live: Vec<u64> = self
            .orders
            .values()
            .filter(|order| !order.state.is_final())
            .map(|order| order.number.0)
            .collect();
        (!live.is_empty()).then(|| live[pick % live.len()])
    }

    /// Position and everything that may still execute, of the cells that `take` names.
    fn extent(&self, take: &dyn Fn(usize, usize) -> bool) -> Extent {
        let held: Decimal =
            self.cells.iter().filter(|((who, at), _)| take(*who, *at)).map(|(_, cell)| cell.held).sum();
        let mut extent = Extent { long: held, short: held };
        for order in self.orders.values() {
            let (who, at) = self.places[&order.number.0];
            if !take(who, at) {
                continue;
            }
            let most =
                if order.state.is_final() { order.executed } else { order.quantity.max(order.executed) };
            let pending = (most.get() - order.booked.get()).max(Decimal::ZERO);
            match order.side {
                Side::Buy => extent.long += pending,
                Side::Sell => extent.short -= pending,
            }
        }
        extent
    }

    fn gross(&self, at: usize, take: &dyn Fn(usize) -> bool) -> Option<Decimal> {
        let extent = self.extent(&|who, here| here == at && take(who));
        let most = extent.long.abs().max(extent.short.abs());
        if most.is_zero() { Some(Decimal::ZERO) } else { self.marks[at].map(|mark| mark * most) }
    }

    fn total(&self, instruments: &[usize], take: &dyn Fn(usize) -> bool) -> Option<Decimal> {
        instruments.iter().map(|at| self.gross(*at, take)).sum()
    }

    fn net(&self, instruments: &[usize], side: Side, take: &dyn Fn(usize) -> bool) -> Option<Decimal> {
        let one = |at: &usize| {
            let extent = self.extent(&|who, here| here == *at && take(who));
            let towards = if side == Side::Buy { extent.long } else { -extent.short };
            if towards.is_zero() { Some(Decimal::ZERO) } else { self.marks[*at].map(|mark| mark * towards) }
        };
        instruments.iter().map(one).sum()
    }

    fn tell(&mut self, number: u64) {
        let order = self.orders[&number].clone();
        self.risk.order(&order);
    }

    fn act(&mut self, act: &Act) {
        self.clock += 300;
        match act {
            Act::Place { who, at, side, quantity, price } => self.place(*who, *at, *side, *quantity, *price),
            Act::Fill { pick, quantity } => {
                let Some(number) = self.live(*pick) else { return };
                let order = self.orders.get_mut(&number).unwrap();
                let quantity = whole(*quantity).min(order.quantity.get() - order.booked.get());
                if quantity.is_zero() {
                    return;
                }
                order.booked = Quantity::new(order.booked.get() + quantity).unwrap();
                order.executed = order.executed.max(order.booked);
                order.state = if order.booked == order.quantity {
                    OrderState::Filled
                } else {
                    OrderState::PartiallyFilled
                };
                let (side, price) = (order.side, order.price.unwrap().get());
                let key = self.places[&number];
                let cell = self.cells.entry(key).or_default();
                cell.fill(side, quantity, price);
                let position = cell.position(key.0, key.1);
                self.risk.position(&position);
                self.tell(number);
            }
            Act::Announce { pick, quantity } => {
                let Some(number) = self.live(*pick) else { return };
                let order = self.orders.get_mut(&number).unwrap();
                let executed = (order.executed.get() + whole(*quantity)).min(order.quantity.get());
                order.executed = Quantity::new(executed).unwrap();
                order.state = if order.executed == order.quantity {
                    OrderState::Filled
                } else {
                    OrderState::PartiallyFilled
                };
                self.tell(number);
            }
            Act::Unknown { pick } => {
                let Some(number) = self.live(*pick) else { return };
                self.orders.get_mut(&number).unwrap().state = OrderState::Unknown;
                self.tell(number);
            }
            Act::Cancel { pick } => {
                let Some(number) = self.live(*pick) else { return };
                self.orders.get_mut(&number).unwrap().state = OrderState::Cancelled;
                self.tell(number);
            }
            Act::Mark { at, bid } => {
                self.marks[*at] = Some(whole(*bid + 1));
                self.risk.mark(Mono(self.clock), &venue(*at), &symbol(*at), mark(*bid, *bid + 2));
            }
            Act::NoMark { at } => {
                self.marks[*at] = None;
                self.risk.mark(Mono(self.clock), &venue(*at), &symbol(*at), None);
            }
            Act::Tick => drop(self.risk.tick(self.now())),
        }
        // Marks stay fresh as far as this test goes.
        for at in 0..4 {
            if let Some(middle) = self.marks[at] {
                let bid = i64::try_from(middle).unwrap() - 1;
                self.risk.mark(Mono(self.clock), &venue(at), &symbol(at), mark(bid, bid + 2));
            }
        }
    }

    fn place(&mut self, who: usize, at: usize, side: Side, quantity: i64, price: i64) {
        let asked = proposal(who, at, side, quantity, price);
        let standing = Standing::fine();
        let explained = self.risk.explain(self.now(), &asked, &standing);
        let before = self.scopes(who, at, side);
        let decision = self.risk.decide(self.now(), &asked, &standing);
        assert_eq!(explained.verdict, decision.record().verdict, "the explanation told another story");
        assert_eq!(explained.figures, decision.record().figures);
        self.records.push(decision.record().clone());
        let Decision::Approved(record) = decision else { return };
        let number = self.next;
        self.next += 1;
        self.orders.insert(number, order(number, who, at, side, quantity, price));
        self.places.insert(number, (who, at));
        self.tell(number);
        let after = self.scopes(who, at, side);
        self.keeps(&before, &after);
        let figures = &record.figures;
        assert_eq!(figures.gross.account.map(|step| step.after), after.gross[2]);
        assert_eq!(figures.gross.venue.map(|step| step.after), after.gross[1]);
        assert_eq!(figures.gross.strategy.map(|step| step.after), after.gross[0]);
        assert_eq!(figures.gross.account.map(|step| step.before), before.gross[2]);
        assert_eq!(figures.net.account, after.net[2]);
        assert_eq!(figures.net.venue, after.net[1]);
        assert_eq!(figures.net.strategy, after.net[0]);
        assert_eq!(figures.position, Some(after.position));
        assert_eq!(figures.symbol_position, Some(after.symbol_position));
        assert_eq!(figures.asset, after.asset);
    }

    fn scopes(&self, who: usize, at: usize, side: Side) -> Scopes {
        let all = [0, 1, 2, 3];
        let here = if at < 2 { [0, 1] } else { [2, 3] };
        let same_base = [at % 2, at % 2 + 2];
        let anyone = |_: usize| true;
        let own = move |one: usize| one == who;
        let towards = |extent: Extent| if side == Side::Buy { extent.long } else { -extent.short };
        let open = |take: &dyn Fn(usize, usize) -> bool| {
            let live = self.orders.values().filter(|order| !order.state.is_final());
            live.filter(|order| take(self.places[&order.number.0].0, self.places[&order.number.0].1)).count()
        };
        Scopes {
            gross: [self.total(&all, &own), self.total(&here, &anyone), self.total(&all, &anyone)],
            net: [self.net(&all, side, &own), self.net(&here, side, &anyone), self.net(&all, side, &anyone)],
            asset: self.net(&same_base, side, &anyone),
            position: towards(self.extent(&|one, place| one == who && place == at)),
            symbol_position: towards(self.extent(&|_, place| place == at)),
            open: [
                open(&|one, _| one == who),
                open(&|_, place| place == at),
                open(&|_, place| here.contains(&place)),
                open(&|_, _| true),
            ],
        }
    }

    /// No limit is passed by an order that was approved; what was broken already did not get worse.
    fn keeps(&self, before: &Scopes, after: &Scopes) {
        for ((before, after), most) in before.gross.iter().zip(after.gross).zip(["2500", "4000", "6000"]) {
            let (Some(before), Some(after)) = (before, after) else { panic!("approved without a value") };
            assert!(after <= d(most) || after <= *before, "gross {after} above {most}");
        }
        for (after, most) in after.net.iter().zip(["2000", "3000", "4000"]) {
            assert!(
                after.unwrap() <= d(most)
                    || after.unwrap() <= Decimal::ZERO
                    || self.was_reduced(before, after.unwrap()),
                "net {after:?}"
            );
        }
        assert!(after.position <= whole(12) && after.symbol_position <= whole(18));
        for (open, most) in after.open.iter().zip([6, 6, 9, 14]) {
            assert!(*open <= most, "{open} open orders of {most}");
        }
    }

    /// An order that makes both positions smaller passes, however high the net exposure is.
    fn was_reduced(&self, before: &Scopes, _after: Decimal) -> bool {
        before.position < Decimal::ZERO && before.symbol_position < Decimal::ZERO
    }
}

#[derive(Debug)]
struct Scopes {
    gross: [Option<Decimal>; 3],
    net: [Option<Decimal>; 3],
    asset: Option<Decimal>,
    position: Decimal,
    symbol_position: Decimal,
    open: [usize; 4],
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// No sequence of orders, fills, cancels and marks passes a limit, and the sums are what a count from
    /// scratch gives.
    #[test]
    fn no_sequence_passes_a_limit(acts in acts()) {
        let mut model = Model::new();
        for act in &acts {
            model.act(act);
        }
        // At the end every cell and instrument is what the plain book says.
        for at in 0..4 {
            for who in 0..3 {
                let extent = model.extent(&|one, place| (one, place) == (who, at));
                let found = model.risk.book.find(&strategy(who), &venue(at), &symbol(at));
                let worst = found.strategy.zip(found.instrument)
                    .and_then(|key| model.risk.book.cells.get(&key)).map(|cell| cell.worst).unwrap_or_default();
                prop_assert_eq!((worst.long(), worst.short()), (Some(extent.long), Some(extent.short)));
            }
        }
        // Every decision replays, also after a way through the journal.
        let settings = narrow();
        for record in &model.records {
            prop_assert_eq!(&record.replay(&settings), &record.verdict);
            let text = serde_json::to_string(record).unwrap();
            let back: DecisionRecord = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, record);
            prop_assert_eq!(&back.replay(&settings), &record.verdict);
        }
    }

    /// A run that is rebuilt from its facts and marks decides as the one before.
    #[test]
    fn a_restart_decides_the_same(acts in acts()) {
        let mut model = Model::new();
        for act in &acts {
            model.act(act);
        }
        // What the windows held is gone after a minute, in both.
        let later = now(model.clock + 120_000);
        let text = serde_json::to_string(&model.risk.marks()).unwrap();
        let mut again = risk(narrow());
        again.restore(serde_json::from_str::<RiskMarks>(&text).unwrap());
        for ((who, at), cell) in &model.cells {
            again.position(&cell.position(*who, *at));
        }
        for order in model.orders.values() {
            again.order(order);
        }
        for at in 0..4 {
            let price = model.marks[at].map(|middle| i64::try_from(middle).unwrap() - 1);
            for one in [&mut model.risk, &mut again] {
                one.mark(later.mono, &venue(at), &symbol(at), price.and_then(|bid| mark(bid, bid + 2)));
            }
        }
        for (who, at) in (0..3).flat_map(|who| (0..4).map(move |at| (who, at))) {
            for side in [Side::Buy, Side::Sell] {
                let asked = proposal(who, at, side, 3, 100);
                let first = model.risk.explain(later, &asked, &Standing::fine());
                let second = again.explain(later, &asked, &Standing::fine());
                prop_assert_eq!(first.verdict, second.verdict);
                prop_assert_eq!(first.figures.day_loss, second.figures.day_loss);
                prop_assert_eq!(first.figures.drawdown, second.figures.drawdown);
                prop_assert_eq!(first.figures.gross, second.figures.gross);
            }
        }
    }
}

pub(in super::super) fn fill(who: usize, at: usize, side: Side, id: u64) -> BookedFill {
    BookedFill {
        venue: venue(at),
        fill: Fill {
            trade_id: TradeId::from(id),
            symbol: symbol(at),
            venue_order_id: VenueOrderId::from(id),
            client_order_id: None,
            side,
            quantity: Quantity::parse("1").unwrap(),
            price: Price::parse("100").unwrap(),
            fee: Amount::ZERO,
            fee_asset: None,
            liquidity: Liquidity::Taker,
            at: WallMs(0),
        },
        client_order_id: None,
        strategy: strategy(who),
        correlation: Correlation::new("c").unwrap(),
        booked_at: WallMs(0),
        busted: false,
    }
}

pub(in super::super) fn code(decision: &Decision) -> &str {
    decision.refusal().map_or("ok", |refusal| refusal.code)
}

#[test]
fn names_are_one_per_instrument() {
    let all: BTreeSet<_> = (0..4).map(|n| (venue(n), symbol(n))).collect();
    assert_eq!(all.len(), 4);
    let _ = (Message::Submit, StateGate::Running);
}
