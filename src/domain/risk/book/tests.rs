//! The book against a model that computes everything from scratch, and against the limits it serves.

use super::super::testing::{
    d, mark, narrow, now, order, position, proposal, risk, strategy, symbol, venue, whole,
};
use super::super::{Decision, DecisionRecord, Risk, RiskMarks, Standing};
use crate::domain::ledger::Position;
use crate::domain::money::Quantity;
use crate::domain::oms::Now;
use crate::domain::order::{Order, OrderState};
use crate::domain::order_types::Side;
use crate::domain::time::Mono;
use proptest::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::Signed;
use std::collections::BTreeMap;

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
        Self::keeps(&before, &after);
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
    fn keeps(before: &Scopes, after: &Scopes) {
        // Even if all that works on its side executes, both positions are smaller, or gone.
        let reduces = after.position <= Decimal::ZERO && after.symbol_position <= Decimal::ZERO;
        for ((before, after), most) in before.gross.iter().zip(after.gross).zip(["2500", "4000", "6000"]) {
            match (before, after) {
                (Some(before), Some(after)) => {
                    assert!(after <= d(most) || after <= *before, "gross {after} above {most}");
                }
                _ => assert!(reduces, "approved without a value"),
            }
        }
        for (after, most) in after.net.iter().zip(["2000", "3000", "4000"]) {
            assert!(reduces || after.unwrap() <= d(most), "net {after:?} above {most}");
        }
        assert!(reduces || after.asset.unwrap() <= d("3500"));
        assert!(after.position <= whole(12) && after.symbol_position <= whole(18));
        for (open, most) in after.open.iter().zip([6, 6, 9, 14]) {
            assert!(*open <= most, "{open} open orders of {most}");
        }
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
