//! The fold against a slow recount of the same history.

use super::*;
use crate::domain::ids::{ClientOrderId, Correlation, TradeId, VenueOrderId};
use crate::domain::ledger::BookedFill;
use crate::domain::money::{Amount, Price, Quantity};
use crate::domain::oms::Actor;
use crate::domain::order_types::{Fill, Liquidity, Side};
use proptest::prelude::*;

const STRATEGIES: [&str; 3] = ["a", "b", "external"];
const VENUES: [&str; 2] = ["north", "south"];
const FEES: [&str; 3] = ["BTC", "USDT", "BNB"];

fn asset(name: &str) -> Asset {
    Asset::new(name).unwrap()
}

#[derive(Debug, Clone)]
struct Drawn {
    who: usize,
    place: usize,
    buy: bool,
    quantity: i64,
    cents: i64,
    fee: i64,
    fee_asset: usize,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    (0..3_usize, 0..2_usize, any::<bool>(), 1..5_000_i64, 1..100_000_i64, -500..5_000_i64, 0..3_usize)
        .prop_map(|(who, place, buy, quantity, cents, fee, fee_asset)| Drawn {
            who,
            place,
            buy,
            quantity,
            cents,
            fee,
            fee_asset,
        })
}

fn booked(number: usize, one: &Drawn) -> FillBooked {
    let fill = Fill {
        trade_id: TradeId::from(u64::try_from(number).unwrap() + 1),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        venue_order_id: VenueOrderId::new("1").unwrap(),
        client_order_id: None,
        side: if one.buy { Side::Buy } else { Side::Sell },
        quantity: Quantity::new(Decimal::new(one.quantity, 3)).unwrap(),
        price: Price::new(Decimal::new(one.cents, 2)).unwrap(),
        fee: Amount::new(Decimal::new(one.fee, 6)).unwrap(),
        fee_asset: Some(asset(FEES[one.fee_asset])),
        liquidity: Liquidity::Taker,
        at: WallMs(0),
    };
    let booked = BookedFill {
        venue: VenueId::new(VENUES[one.place]).unwrap(),
        fill,
        client_order_id: None::<ClientOrderId>,
        strategy: StrategyId::new(STRATEGIES[one.who]).unwrap(),
        correlation: Correlation::new("c").unwrap(),
        booked_at: WallMs(0),
        busted: false,
    };
    FillBooked { order: None, booked, base: asset("BTC"), quote: asset("USDT") }
}

fn row(seq: usize, fact: &Fact) -> Row {
    Row {
        seq: Seq(u64::try_from(seq).unwrap()),
        kind: fact.kind().to_owned(),
        correlation: Correlation::new("c").unwrap(),
        at: WallMs(i64::try_from(seq).unwrap() * 1_000),
        payload: fact.payload().unwrap(),
    }
}

fn fold(fills: &[Drawn]) -> Tracker {
    let mut tracker = Tracker::default();
    for (index, one) in fills.iter().enumerate() {
        tracker.take(&row(index + 1, &Fact::Fill(Box::new(booked(index, one))))).unwrap();
    }
    tracker
}

fn at_price(btc: &'static str) -> impl Fn(&VenueId, &Symbol) -> Option<Mark> {
    move |_, symbol| {
        let price = Price::parse(if symbol.as_str() == "BNBUSDT" { "300" } else { btc }).unwrap();
        Some(Mark { bid: price, ask: price })
    }
}

fn whole() -> Scope {
    Scope::default()
}

fn money(tracker: &Tracker, scope: &Scope, price: &'static str) -> Money {
    let totals = tracker.totals(scope, WallMs(0), &at_price(price)).unwrap();
    totals.money.get(&asset("USDT")).cloned().unwrap_or_else(Money::nothing)
}

/// Profit of a history by plain sums: cash, what is held at a price, fees at theirs.
fn recount(fills: &[Drawn], price: &str, own: impl Fn(&Drawn) -> bool) -> Decimal {
    let price: Decimal = price.parse().unwrap();
    fills
        .iter()
        .filter(|one| own(one))
        .map(|one| {
            let sign = if one.buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            let base = sign * Decimal::new(one.quantity, 3);
            let fee_price = [price, Decimal::ONE, Decimal::from(300)][one.fee_asset];
            base * price - base * Decimal::new(one.cents, 2) - Decimal::new(one.fee, 6) * fee_price
        })
        .sum()
}

proptest! {
    #[test]
    fn profits_are_those_of_a_slow_recount_in_every_scope(fills in prop::collection::vec(drawn(), 0..40)) {
        let tracker = fold(&fills);
        prop_assert_eq!(money(&tracker, &whole(), "123.45").pnl().unwrap(), recount(&fills, "123.45", |_| true));
        for (index, name) in STRATEGIES.iter().enumerate() {
            let scope = Scope { strategy: Some(StrategyId::new(name).unwrap()), venue: None };
            let wanted = recount(&fills, "123.45", |one| one.who == index);
            prop_assert_eq!(money(&tracker, &scope, "123.45").pnl().unwrap(), wanted);
        }
        for (index, name) in VENUES.iter().enumerate() {
            let scope = Scope { strategy: None, venue: Some(VenueId::new(name).unwrap()) };
            let wanted = recount(&fills, "123.45", |one| one.place == index);
            prop_assert_eq!(money(&tracker, &scope, "123.45").pnl().unwrap(), wanted);
        }
    }

    #[test]
    fn strategies_add_up_to_all(fills in prop::collection::vec(drawn(), 1..40)) {
        let tracker = fold(&fills);
        let all = tracker.totals(&whole(), WallMs(99), &at_price("77")).unwrap();
        let mut added = Totals::default();
        for scope in tracker.scopes().iter().filter(|scope| scope.strategy.is_some() && scope.venue.is_none()) {
            added = added.plus(&tracker.totals(scope, WallMs(99), &at_price("77")).unwrap()).unwrap();
        }
        prop_assert_eq!(added.money, all.money);
        prop_assert_eq!(added.orders, all.orders);
    }

    /// Within a tick of the clock only the set of fills matters, not their order.
    #[test]
    fn the_order_of_fills_does_not_change_the_profit(
        (fills, shuffled) in prop::collection::vec(drawn(), 0..30)
            .prop_flat_map(|fills| (Just(fills.clone()), Just(fills).prop_shuffle())),
    ) {
        let (one, other) = (money(&fold(&fills), &whole(), "50"), money(&fold(&shuffled), &whole(), "50"));
        prop_assert_eq!(one.pnl(), other.pnl());
        prop_assert_eq!((one.turnover, one.fees), (other.turnover, other.fees));
    }

    /// Stored, taken up again and continued, it is what it would have been without a stop; rows that come twice are
    /// taken once.
    #[test]
    fn a_restart_in_the_middle_changes_nothing(fills in prop::collection::vec(drawn(), 1..30), cut in 0..30_usize) {
        let rows: Vec<Row> = (0..fills.len())
            .map(|index| row(index + 1, &Fact::Fill(Box::new(booked(index, &fills[index])))))
            .collect();
        let cut = cut.min(rows.len());
        let mut first = Tracker::default();
        for row in &rows[..cut] {
            first.take(row).unwrap();
        }
        let mut again: Tracker = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        for row in &rows {
            again.take(row).unwrap();
        }
        prop_assert_eq!(again, fold(&fills));
    }

    /// A cold start takes what is held out of the books at the last price; what came of it stays.
    #[test]
    fn closed_books_keep_what_they_made(fills in prop::collection::vec(drawn(), 1..20)) {
        let fills: Vec<Drawn> =
            fills.into_iter().map(|one| Drawn { who: 0, place: 0, fee_asset: 1, cents: 5_000, ..one }).collect();
        let mut tracker = fold(&fills);
        let before = money(&tracker, &whole(), "50").pnl();
        let by = Actor { name: "x".to_owned(), reason: "y".to_owned() };
        let cold = Fact::ColdStart(crate::domain::oms::ColdStart { by, kept: Vec::new(), lifted: None });
        tracker.take(&row(fills.len() + 1, &cold)).unwrap();
        prop_assert_eq!(money(&tracker, &whole(), "9999").pnl(), before);
        let totals = tracker.totals(&whole(), WallMs(i64::MAX), &at_price("50")).unwrap();
        prop_assert_eq!(money(&tracker, &whole(), "50").exposure, Some(Decimal::ZERO));
        prop_assert!(totals.exposed_ms <= i64::try_from(fills.len()).unwrap() * 1_000, "time stands still when flat");
    }
}

#[test]
fn a_missing_row_is_refused_and_a_repeated_one_is_not_taken_again() {
    let one = Drawn { who: 0, place: 0, buy: true, quantity: 1_000, cents: 100, fee: 0, fee_asset: 1 };
    let mut tracker = fold(std::slice::from_ref(&one));
    let fact = Fact::Fill(Box::new(booked(5, &one)));
    assert_eq!(tracker.take(&row(3, &fact)), Err(TrackError::Hole { after: 1, found: 3 }));
    tracker.take(&row(1, &fact)).unwrap();
    assert_eq!((tracker.cursor(), money(&tracker, &whole(), "1").turnover), (Seq(1), Decimal::ONE));
}

#[test]
fn without_a_price_there_is_no_value() {
    let one = Drawn { who: 0, place: 0, buy: true, quantity: 1_000, cents: 100, fee: 5, fee_asset: 2 };
    let tracker = fold(&[one]);
    let nobody = |_: &VenueId, _: &Symbol| None;
    let totals = tracker.totals(&whole(), WallMs(0), &nobody).unwrap();
    let money = totals.money.get(&asset("USDT")).unwrap();
    assert_eq!((money.unrealised, money.fees, money.pnl()), (None, None, None));
    assert_eq!(money.turnover, Decimal::ONE);
}
