//! The taker on scripted and on synthetic markets.

use super::*;
use crate::domain::money::Amount;
use crate::domain::order::{Order, OrderState};
use crate::domain::strategy::synthetic::{Market, brief, cancels, order_of, submits, top};

fn with(changes: &[(&str, &str)]) -> Parameters {
    let pairs = [
        ("window", "10"),
        ("sample_ms", "100"),
        ("entry", "2"),
        ("exit", "0.5"),
        ("size", "0.001"),
        ("max_position", "0.002"),
        ("price_cap", "0.0005"),
        ("cooldown_ms", "1000"),
    ];
    pairs.iter().chain(changes).map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn taker(changes: &[(&str, &str)]) -> Box<dyn Strategy> {
    let make = build(&with(changes)).unwrap();
    make(&brief())
}

/// A quiet market of one window's length, then `last`.
fn after_quiet(taker: &mut dyn Strategy, from: u64, last: (&str, &str)) -> Vec<Intent> {
    for n in 0..9 {
        let (bid, ask) = if n % 2 == 0 { ("59999.99", "60000.01") } else { ("60000.99", "60001.01") };
        let wanted = taker.on(Mono(from + n * 100), &Input::Top(Some(top(bid, ask))));
        assert!(submits(&wanted).is_empty());
    }
    taker.on(Mono(from + 900), &Input::Top(Some(top(last.0, last.1))))
}

const FALLEN: (&str, &str) = ("59949.99", "59950.01");
const RISEN: (&str, &str) = ("60049.99", "60050.01");

#[test]
fn it_takes_against_a_far_move_at_a_capped_price() {
    let mut buyer = taker(&[]);
    let wanted = after_quiet(&mut *buyer, 1_000, FALLEN);
    let requests = submits(&wanted);
    assert_eq!(requests.len(), 1);
    let request = requests[0];
    assert_eq!((request.side, request.kind), (Side::Buy, OrderKind::Limit));
    assert_eq!(request.time_in_force, Some(TimeInForce::Ioc));
    // 59950.01 * 1.0005, rounded down.
    assert_eq!(request.price, Some(Price::parse("59979.98").unwrap()));
    let mut seller = taker(&[]);
    assert!(
        submits(&after_quiet(&mut *seller, 1_000, RISEN)).is_empty(),
        "nothing to sell, and may not short"
    );
    let mut seller = taker(&[("allow_short", "true")]);
    let wanted = after_quiet(&mut *seller, 1_000, RISEN);
    assert_eq!(submits(&wanted)[0].price, Some(Price::parse("60019.97").unwrap()));
}

#[test]
fn one_order_at_a_time_and_a_pause_between() {
    let mut taker = taker(&[]);
    let wanted = after_quiet(&mut *taker, 1_000, FALLEN);
    let request = submits(&wanted)[0].clone();
    let fallen = || Input::Top(Some(top("59800.99", "59801.01")));
    assert!(submits(&taker.on(Mono(3_500), &fallen())).is_empty(), "no answer yet");
    let order = order_of(&request, 1, OrderState::Filled);
    let filled = Order { executed: request.quantity, booked: request.quantity, ..order };
    taker.on(Mono(3_600), &Input::Order(Box::new(filled)));
    taker.on(Mono(3_600), &Input::Position(Amount::parse("0.001").unwrap()));
    assert_eq!(submits(&taker.on(Mono(3_700), &Input::Top(Some(top("59700.99", "59701.01"))))).len(), 1);
}

#[test]
fn it_closes_what_it_holds_when_the_price_is_back() {
    let make = build(&with(&[])).unwrap();
    let mut taker = make(&Brief { position: Amount::parse("0.0015").unwrap(), ..brief() });
    for n in 0..9 {
        let (bid, ask) = if n % 2 == 0 { ("59989.99", "59990.01") } else { ("60009.99", "60010.01") };
        taker.on(Mono(1_000 + n * 100), &Input::Top(Some(top(bid, ask))));
    }
    let wanted = taker.on(Mono(1_900), &Input::Top(Some(top("59999.99", "60000.01"))));
    let requests = submits(&wanted);
    assert_eq!((requests[0].side, requests[0].quantity), (Side::Sell, Quantity::parse("0.001").unwrap()));
}

#[test]
fn the_position_limit_and_the_switch_hold() {
    let make = build(&with(&[])).unwrap();
    let mut full = make(&Brief { position: Amount::parse("0.002").unwrap(), ..brief() });
    let market = |strategy: &mut dyn Strategy| after_quiet(strategy, 1_000, FALLEN);
    assert!(submits(&market(&mut *full)).is_empty());
    let mut off = make(&Brief { enabled: false, ..brief() });
    assert!(submits(&market(&mut *off)).is_empty());
}

#[test]
fn a_hole_in_the_data_begins_the_window_anew() {
    let mut taker = taker(&[]);
    after_quiet(&mut *taker, 1_000, ("60000.49", "60000.51"));
    taker.on(Mono(2_000), &Input::Top(None));
    let wanted = taker.on(Mono(2_100), &Input::Top(Some(top(FALLEN.0, FALLEN.1))));
    assert!(submits(&wanted).is_empty());
}

#[test]
fn an_order_left_from_before_is_taken_back_when_disabled() {
    let mut first = taker(&[]);
    let wanted = after_quiet(&mut *first, 1_000, FALLEN);
    let left = order_of(submits(&wanted)[0], 1, OrderState::Unknown);
    let make = build(&with(&[])).unwrap();
    let mut taker = make(&Brief { orders: vec![left.clone()], ..brief() });
    assert_eq!(cancels(&taker.on(Mono(5_000), &Input::Disabled)), [&left.client_order_id]);
}

#[test]
fn bad_parameters_are_named() {
    for (change, key) in [
        (("window", "5"), "window"),
        (("entry", "0"), "entry"),
        (("exit", "3"), "exit"),
        (("price_cap", "0.2"), "price_cap"),
        (("max_position", "0.0001"), "max_position"),
        (("cooldown_ms", "99999999"), "cooldown_ms"),
    ] {
        let problems = build(&with(&[change])).err().unwrap_or_else(|| panic!("{change:?} passed"));
        assert!(problems.iter().any(|problem| problem.key == key), "{change:?}: {problems:?}");
    }
}

#[test]
fn on_synthetic_markets_its_promises_hold() {
    let mut fills = 0;
    let mut worth = Decimal::ZERO;
    for seed in 0..40 {
        let changes = [("window", "60"), ("cooldown_ms", "300"), ("allow_short", "true"), ("entry", "1.5")];
        let mut market = Market::new(seed, taker(&changes));
        let limit = Decimal::from_str_exact("0.002").unwrap();
        market.run(120_000, |market, wanted| {
            let open = market.open(Side::Buy).chain(market.open(Side::Sell)).count();
            assert!(open <= 1, "seed {seed}: {open} orders at once");
            assert!(market.position.abs() <= limit, "seed {seed}: {}", market.position);
            for request in submits(wanted) {
                assert_eq!(request.time_in_force, Some(TimeInForce::Ioc));
                let (price, told) = (request.price.unwrap(), market.told().unwrap());
                let best = if request.side == Side::Buy { told.ask.price } else { told.bid.price };
                let through = (price.get() - best.get()).abs() / best.get();
                assert!(through <= Decimal::from_str_exact("0.0005").unwrap(), "seed {seed}: {through}");
            }
        });
        fills += market.filled;
        worth += market.worth();
    }
    assert!(fills > 500, "too little happened: {fills} fills");
    assert!(worth != Decimal::ZERO);
}
