//! The quoter on scripted and on synthetic markets.

use super::*;
use crate::domain::order::{Order, OrderRequest, OrderState};
use crate::domain::strategy::synthetic::{Market, brief, btc, cancels, order_of, submits, top};

fn parameters() -> Parameters {
    let pairs = [
        ("spread", "0.0004"),
        ("size", "0.001"),
        ("requote_threshold", "0.0001"),
        ("inventory_limit", "0.004"),
        ("inventory_skew", "0.0003"),
        ("requote_interval_ms", "100"),
    ];
    pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

fn with(changes: &[(&str, &str)]) -> Parameters {
    let mut all = parameters();
    all.extend(changes.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())));
    all
}

fn quoter(changes: &[(&str, &str)]) -> Box<dyn Strategy> {
    let make = build(&with(changes)).unwrap();
    make(&brief())
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn tell_top(quoter: &mut dyn Strategy, now: u64, bid: &str, ask: &str) -> Vec<Intent> {
    quoter.on(Mono(now), &Input::Top(Some(top(bid, ask))))
}

/// Confirms a request as a working order.
fn confirm(quoter: &mut dyn Strategy, now: u64, request: &OrderRequest, number: u64) -> Order {
    let order = order_of(request, number, OrderState::Working);
    assert_eq!(quoter.on(Mono(now), &Input::Order(Box::new(order.clone()))), []);
    order
}

fn quoted() -> (Box<dyn Strategy>, Order, Order) {
    let mut quoter = quoter(&[]);
    let wanted = tell_top(&mut *quoter, 1_000, "59999.99", "60000.01");
    let requests = submits(&wanted);
    let bid = confirm(&mut *quoter, 1_001, requests[0], 1);
    let ask = confirm(&mut *quoter, 1_001, requests[1], 2);
    (quoter, bid, ask)
}

#[test]
fn it_quotes_around_the_middle_as_maker_only() {
    let mut quoter = quoter(&[]);
    let wanted = tell_top(&mut *quoter, 1_000, "59999.99", "60000.01");
    let requests = submits(&wanted);
    assert_eq!(requests.len(), 2);
    assert_eq!((requests[0].side, requests[0].price), (Side::Buy, Some(price("59988.00"))));
    assert_eq!((requests[1].side, requests[1].price), (Side::Sell, Some(price("60012.00"))));
    for request in &requests {
        assert_eq!((request.kind, request.client_order_id.clone()), (OrderKind::LimitMaker, None));
        assert_eq!(request.quantity, Quantity::parse("0.001").unwrap());
    }
    assert_ne!(requests[0].correlation, requests[1].correlation);
    // Unconfirmed requests count: nothing more is wanted, however often the market is heard.
    for now in 1_200..1_260 {
        assert_eq!(submits(&tell_top(&mut *quoter, now, "59999.99", "60000.01")).len(), 0);
    }
}

#[test]
fn small_moves_leave_quotes_alone_and_large_ones_move_them() {
    let (mut quoter, bid, ask) = quoted();
    assert!(cancels(&tell_top(&mut *quoter, 1_500, "60003.99", "60004.01")).is_empty());
    let wanted = tell_top(&mut *quoter, 2_000, "60029.99", "60030.01");
    assert_eq!(cancels(&wanted), [&bid.client_order_id, &ask.client_order_id]);
    assert!(submits(&wanted).is_empty(), "the old quotes may still execute");
    // Asked again only after a second without effect.
    assert!(cancels(&tell_top(&mut *quoter, 2_500, "60029.99", "60030.01")).is_empty());
    assert_eq!(cancels(&tell_top(&mut *quoter, 3_200, "60029.99", "60030.01")).len(), 2);
    for order in [bid, ask] {
        let ended = Order { state: OrderState::Cancelled, ..order };
        quoter.on(Mono(3_300), &Input::Order(Box::new(ended)));
    }
    let wanted = tell_top(&mut *quoter, 3_400, "60029.99", "60030.01");
    let prices: Vec<_> = submits(&wanted).iter().map(|r| r.price.unwrap()).collect();
    assert_eq!(prices, [price("60017.99"), price("60042.01")]);
}

#[test]
fn a_wide_market_is_never_crossed() {
    let mut quoter = quoter(&[("inventory_skew", "0.01"), ("inventory_limit", "0.001")]);
    quoter.on(Mono(1), &Input::Position(crate::domain::money::Amount::parse("-0.001").unwrap()));
    let wanted = tell_top(&mut *quoter, 1_000, "59999.99", "60000.01");
    // Fully short, the middle is shifted far up: the bid stops a tick below the ask of the market.
    let bids: Vec<_> = submits(&wanted).into_iter().filter(|r| r.side == Side::Buy).collect();
    assert_eq!(bids[0].price, Some(price("60000.00")));
    assert!(submits(&wanted).iter().all(|r| r.side == Side::Buy), "the short side is at its limit");
}

#[test]
fn a_lost_book_and_a_switch_take_the_quotes_back() {
    for input in [Input::Top(None), Input::Disabled] {
        let (mut quoter, bid, ask) = quoted();
        let wanted = quoter.on(Mono(1_010), &input);
        assert_eq!(cancels(&wanted), [&bid.client_order_id, &ask.client_order_id]);
        assert!(submits(&wanted).is_empty());
    }
    let (mut quoter, ..) = quoted();
    quoter.on(Mono(1_010), &Input::Disabled);
    assert!(submits(&tell_top(&mut *quoter, 9_000, "59999.99", "60000.01")).is_empty());
}

#[test]
fn orders_of_an_earlier_life_are_its_own() {
    let (_, bid, ask) = quoted();
    let make = build(&parameters()).unwrap();
    let mut again = make(&Brief { orders: vec![bid, ask], prefix: "tested-2".into(), ..brief() });
    let wanted = tell_top(&mut *again, 5_000, "59999.99", "60000.01");
    assert!(submits(&wanted).is_empty() && cancels(&wanted).is_empty(), "{wanted:?}");
}

#[test]
fn refusals_are_answered_with_patience() {
    let mut quoter = quoter(&[]);
    let (mut sent, mut now) = (0, 1_000);
    while now < 61_000 {
        for request in submits(&tell_top(&mut *quoter, now, "59999.99", "60000.01")) {
            sent += 1;
            let refused = Input::Refused(request.correlation.clone().unwrap());
            assert_eq!(quoter.on(Mono(now), &refused), []);
        }
        now += 10;
    }
    assert!((4..=20).contains(&sent), "{sent} requests in a minute of refusals");
}

#[test]
fn bad_parameters_are_named() {
    for (change, key) in [
        (("spread", "0"), "spread"),
        (("size", "0"), "size"),
        (("levels", "11"), "levels"),
        (("levels", "2"), "level_step"),
        (("inventory_limit", "0.0001"), "inventory_limit"),
        (("requote_threshold", "0.001"), "requote_threshold"),
        (("requote_interval_ms", "1"), "requote_interval_ms"),
    ] {
        let problems = build(&with(&[change])).err().unwrap_or_else(|| panic!("{change:?} passed"));
        assert!(problems.iter().any(|problem| problem.key == key), "{change:?}: {problems:?}");
    }
    let several = build(&with(&[("size", "0"), ("levels", "0")])).err().unwrap();
    assert_eq!(several.len(), 2, "{several:?}");
}

/// Whatever the market and the delays: bounded, never crossed, at most its quotes.
#[test]
fn on_synthetic_markets_its_promises_hold() {
    let (mut fills, mut refusals) = (0, 0);
    for seed in 0..40 {
        let levels = u32::try_from(seed % 3).unwrap() + 1;
        let levels_text = levels.to_string();
        let quoter = quoter(&[("levels", &levels_text), ("level_step", "0.0002")]);
        let mut market = Market::new(seed, quoter);
        let limit = Decimal::from_str_exact("0.004").unwrap();
        market.run(120_000, |market, wanted| {
            let sum = |side| market.open(side).map(|o| o.quantity.get() - o.booked.get()).sum::<Decimal>();
            assert!(market.position + sum(Side::Buy) <= limit, "seed {seed}: too long");
            assert!(market.position - sum(Side::Sell) >= -limit, "seed {seed}: too short");
            for side in [Side::Buy, Side::Sell] {
                let open = market.open(side).count();
                assert!(open <= usize::try_from(levels).unwrap(), "seed {seed}: {open} quotes on a side");
            }
            let best = market.open(Side::Buy).filter_map(|o| o.price).max();
            let least = market.open(Side::Sell).filter_map(|o| o.price).min();
            assert!(best.zip(least).is_none_or(|(bid, ask)| bid < ask), "seed {seed}: it crosses itself");
            for request in submits(wanted) {
                let (price, told) = (request.price.unwrap(), market.told().unwrap());
                assert!(btc().price.check(price.get()).is_ok(), "seed {seed}: {price}");
                assert!(btc().lot.check(request.quantity.get()).is_ok());
                let inside = match request.side {
                    Side::Buy => price < told.ask.price,
                    Side::Sell => price > told.bid.price,
                };
                assert!(inside, "seed {seed}: {request:?} crosses {told:?}");
            }
        });
        fills += market.filled;
        refusals += market.refused;
    }
    assert!(fills > 500 && refusals > 50, "too little happened: {fills} fills, {refusals} refusals");
}
