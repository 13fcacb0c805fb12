//! Orders, fees, filters and refusals, one rule per test.

use crate::desk::*;
use plimsoll::paper_exchange::engine::*;

#[test]
fn a_trade_moves_money_exactly_and_takes_fees_from_what_is_received() {
    let mut desk = Desk::new();
    let ask = desk.accepted(ALICE, Side::Sell, gtc("50000", "2"));
    assert_eq!(desk.balance(ALICE, "BTC"), ("8.00000000".into(), "2.00000000".into()));
    let bid = desk.accepted(BOB, Side::Buy, gtc("50100", "0.5"));
    assert_eq!(bid.status, OrderStatus::Filled, "at the maker's price");
    assert_eq!(desk.now(&ask).status, OrderStatus::PartiallyFilled);
    assert_eq!(desk.balance(ALICE, "BTC"), ("8.00000000".into(), "1.50000000".into()));
    assert_eq!(desk.balance(ALICE, "USDT"), ("1024975.00000000".into(), "0.00000000".into()));
    assert_eq!(desk.balance(BOB, "BTC"), ("10.50000000".into(), "0.00000000".into()));
    assert_eq!(desk.balance(BOB, "USDT"), ("975000.00000000".into(), "0.00000000".into()));
    assert_eq!(desk.story(), ["2 NEW/NEW", "1 TRADE/PARTIALLY_FILLED", "2 TRADE/FILLED"]);
    let reports = desk.reports();
    assert!(reports[1].is_maker && !reports[2].is_maker);
    assert_eq!(reports[1].trade_id, reports[2].trade_id);
    assert_eq!(reports[1].commission, amount("25"));
    assert_eq!(reports[1].commission_asset, Some(asset("USDT")));
    assert_eq!(reports[2].last_quote, amount("25000"));
    let positions = desk.events.iter().filter(|e| matches!(e, ExchangeEvent::Position(_))).count();
    assert_eq!(positions, 2, "one per touched account");
}

#[test]
fn a_taker_pays_its_own_rate_in_the_base_asset_when_it_buys() {
    let mut desk = Desk::new();
    desk.accepted(BOB, Side::Sell, gtc("50000", "1"));
    let placed = desk.place(order(ALICE, Side::Buy, Terms::Market { quantity: qty("1") })).unwrap();
    assert_eq!(placed.fills.len(), 1);
    assert_eq!(placed.fills[0].commission, amount("0.002"));
    assert_eq!(placed.fills[0].commission_asset, Some(asset("BTC")));
    assert_eq!(desk.balance(ALICE, "BTC").0, "10.99800000");
}

#[test]
fn better_prices_trade_first_and_older_orders_before_younger_ones() {
    let mut desk = Desk::new();
    let late_price = desk.accepted(BOB, Side::Sell, gtc("101", "1"));
    let first = desk.accepted(BOB, Side::Sell, gtc("100", "1"));
    let second = desk.accepted(BOB, Side::Sell, gtc("100", "1"));
    let placed = desk.place(order(ALICE, Side::Buy, gtc("101", "2.5"))).unwrap();
    let makers: Vec<_> = desk.reports().iter().filter(|r| r.is_maker).map(|r| r.order_id).collect();
    assert_eq!(makers, [first.order_id, second.order_id, late_price.order_id]);
    assert_eq!(placed.order.executed_quote, amount("250.5"));
    assert_eq!(desk.balance(ALICE, "USDT").0, "999749.50000000", "price improvement comes back");
}

#[test]
fn time_in_force_decides_what_happens_to_the_rest() {
    let mut desk = Desk::new();
    desk.accepted(BOB, Side::Sell, gtc("100", "1"));
    let killed = desk.accepted(ALICE, Side::Buy, limit("100", "2", TimeInForce::Fok));
    assert_eq!((killed.status, killed.executed), (OrderStatus::Expired, Qty::ZERO));
    assert_eq!(desk.story(), ["2 NEW/NEW", "2 EXPIRED/EXPIRED"]);
    let part = desk.accepted(ALICE, Side::Buy, limit("100", "0.4", TimeInForce::Ioc));
    assert_eq!(part.status, OrderStatus::Filled);
    let rest = desk.accepted(ALICE, Side::Buy, limit("100", "2", TimeInForce::Ioc));
    assert_eq!((rest.status, rest.executed), (OrderStatus::Expired, qty("0.6")));
    assert_eq!(desk.balance(ALICE, "USDT").1, "0.00000000", "nothing stays locked");
    desk.accepted(BOB, Side::Sell, gtc("100", "1"));
    let filled = desk.accepted(ALICE, Side::Buy, limit("100", "1", TimeInForce::Fok));
    assert_eq!(filled.status, OrderStatus::Filled);
}

#[test]
fn market_orders_take_what_is_there_and_expire() {
    let mut desk = Desk::new();
    let nothing = desk.accepted(ALICE, Side::Sell, Terms::Market { quantity: qty("1") });
    assert_eq!((nothing.status, nothing.executed), (OrderStatus::Expired, Qty::ZERO));
    desk.market(&[("99", "1"), ("98", "1")], &[("101", "1"), ("102", "1")]);
    let sold = desk.accepted(ALICE, Side::Sell, Terms::Market { quantity: qty("3") });
    assert_eq!((sold.status, sold.executed_quote), (OrderStatus::Expired, amount("197")));
    let spent = desk.accepted(ALICE, Side::Buy, Terms::MarketQuote { quote_quantity: amount("152") });
    assert_eq!((spent.status, spent.executed), (OrderStatus::Filled, qty("1.5")));
    assert_eq!(spent.quantity, qty("1.5"), "the quantity a quote order turned out to have");
    assert_eq!(spent.executed_quote, amount("152"));
    let starved = desk.accepted(ALICE, Side::Buy, Terms::MarketQuote { quote_quantity: amount("102") });
    assert_eq!((starved.status, starved.executed), (OrderStatus::Expired, qty("0.5")));
    assert_eq!(desk.balance(ALICE, "USDT").1, "0.00000000");
}

#[test]
fn a_market_buy_beyond_the_balance_is_refused() {
    let mut desk = Desk::new();
    desk.market(&[], &[("1000000", "50")]);
    let refused = desk.place(order(ALICE, Side::Buy, Terms::Market { quantity: qty("1.1") }));
    assert_eq!(refused, Err(Refusal::InsufficientBalance));
    assert!(desk.events.is_empty(), "a refusal announces nothing");
    let refused = desk.place(order(ALICE, Side::Sell, gtc("100", "10.00001")));
    assert_eq!(refused.unwrap_err().code(), -2010);
}

#[test]
fn a_limit_maker_rests_or_is_refused() {
    let mut desk = Desk::new();
    desk.market(&[("99", "1")], &[("101", "1")]);
    let maker = |at: &str| Terms::LimitMaker { price: price(at), quantity: qty("1") };
    assert_eq!(desk.place(order(ALICE, Side::Buy, maker("101"))), Err(Refusal::WouldTake));
    let rests = desk.accepted(ALICE, Side::Buy, maker("100.99"));
    assert_eq!(rests.status, OrderStatus::New);
    assert_eq!(desk.place(order(BOB, Side::Sell, maker("100.99"))), Err(Refusal::WouldTake));
    let refusal = Refusal::WouldTake;
    assert_eq!(refusal.to_string(), "-2010: Order would immediately match and take.");
}

#[test]
fn every_filter_answers_with_its_name() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    let market = |quantity: &str| Terms::Market { quantity: qty(quantity) };
    for (side, terms, name) in [
        (Side::Buy, gtc("100.001", "1"), "PRICE_FILTER"),
        (Side::Buy, gtc("1000000.01", "1"), "PRICE_FILTER"),
        (Side::Buy, gtc("501", "1"), "PERCENT_PRICE_BY_SIDE"),
        (Side::Sell, gtc("19.99", "1"), "PERCENT_PRICE_BY_SIDE"),
        (Side::Buy, gtc("100", "0.000001"), "LOT_SIZE"),
        (Side::Buy, gtc("100", "9000.00001"), "LOT_SIZE"),
        (Side::Buy, market("100.00001"), "MARKET_LOT_SIZE"),
        (Side::Buy, gtc("100", "0.04999"), "NOTIONAL"),
        (Side::Buy, market("0.04999"), "NOTIONAL"),
        (Side::Buy, Terms::MarketQuote { quote_quantity: amount("4.99") }, "NOTIONAL"),
    ] {
        let refusal = desk.place(order(ALICE, side, terms)).unwrap_err();
        assert_eq!(
            (refusal.code(), refusal.message()),
            (-1013, format!("Filter failure: {name}").into()),
            "{terms:?}"
        );
    }
    for (terms, text) in [
        (gtc("0", "1"), "Invalid price."),
        (gtc("1", "0"), "Invalid quantity."),
        (Terms::MarketQuote { quote_quantity: Amount::ZERO }, "Invalid quoteOrderQty."),
    ] {
        assert_eq!(desk.place(order(ALICE, Side::Buy, terms)).unwrap_err().message(), text);
    }
}

#[test]
fn open_orders_are_counted_per_account() {
    let mut desk = Desk::with(SymbolSpec { max_num_orders: 3, max_num_algo_orders: 1, ..spec() });
    desk.market_trade("100", "1", Side::Buy);
    let stop = Terms::StopLoss { quantity: qty("1"), stop_price: price("90") };
    let waiting = desk.accepted(ALICE, Side::Sell, stop);
    let algo = desk.place(order(ALICE, Side::Sell, stop)).unwrap_err();
    assert_eq!(algo, Refusal::Filter(Filter::MaxNumAlgoOrders));
    for at in ["50", "51"] {
        desk.accepted(ALICE, Side::Buy, gtc(at, "1"));
    }
    let full = desk.place(order(ALICE, Side::Buy, gtc("52", "1"))).unwrap_err();
    assert_eq!(full, Refusal::Filter(Filter::MaxNumOrders));
    desk.accepted(BOB, Side::Buy, gtc("52", "1"));
    desk.cancel(ALICE, OrderRef::Id(waiting.order_id)).unwrap();
    desk.accepted(ALICE, Side::Sell, stop);
}

#[test]
fn odd_ticks_trade_and_round_in_nobodys_favour() {
    let odd = SymbolSpec {
        price: PriceFilter {
            min_price: price("0.00000007"),
            max_price: Price::ZERO,
            tick_size: price("0.00000007"),
        },
        lot: LotSize { min_qty: qty("0.003"), max_qty: Qty::ZERO, step_size: qty("0.003") },
        notional: NotionalFilter { min_notional: Amount::ZERO, ..spec().notional },
        percent_price: None,
        ..spec()
    };
    let mut desk = Desk::with(odd);
    let refused = desk.place(order(ALICE, Side::Sell, gtc("0.0000001", "0.003")));
    assert_eq!(refused, Err(Refusal::Filter(Filter::PriceFilter)));
    let ask = desk.accepted(ALICE, Side::Sell, gtc("0.00000021", "0.009"));
    let bid = desk.accepted(BOB, Side::Buy, gtc("0.00000028", "0.006"));
    // 0.006 x 0.00000021 is 0.00000000126: less than a unit, so the trade is free and nobody gains.
    assert_eq!((bid.status, bid.executed_quote), (OrderStatus::Filled, Amount::ZERO));
    assert_eq!(desk.balance(BOB, "USDT"), ("1000000.00000000".into(), "0.00000000".into()));
    assert_eq!(desk.now(&ask).executed, qty("0.006"));
}

#[test]
fn client_order_ids_are_unique_among_open_orders_only() {
    let mut desk = Desk::new();
    let named = NewOrder { client_order_id: Some(id("mine")), ..order(ALICE, Side::Buy, gtc("50", "1")) };
    let first = desk.place(named).unwrap().order;
    assert_eq!(desk.place(named), Err(Refusal::DuplicateOrder));
    assert_eq!(desk.exchange.duplicate_client_order_ids_refused(), 1);
    desk.place(NewOrder { account: BOB, ..named }).unwrap();
    let cancelled = desk.cancel(ALICE, OrderRef::Client(id("mine"))).unwrap();
    assert_eq!(cancelled.order.order_id, first.order_id);
    let report = desk.reports()[0].clone();
    assert_eq!(report.client_order_id, id("my-cancel"));
    assert_eq!(report.original_client_order_id, Some(id("mine")));
    let second = desk.place(named).unwrap().order;
    let found = desk.exchange.order(ALICE, btcusdt(), OrderRef::Client(id("mine"))).unwrap();
    assert_eq!(found.order_id, second.order_id, "the open one");
    let mismatch = OrderRef::Both(second.order_id, id("other"));
    assert_eq!(desk.exchange.order(ALICE, btcusdt(), mismatch), Err(Refusal::NoSuchOrder));
    let squatter = NewOrder { client_order_id: Some(id("o-5")), ..named };
    assert_eq!(desk.place(squatter).unwrap().order.order_id, OrderId(4));
    let generated = desk.accepted(ALICE, Side::Buy, gtc("50", "1"));
    assert_eq!(generated.client_order_id, id("o-5-1"), "a generated id avoids a taken one");
}

#[test]
fn cancels_answer_as_the_venue_does() {
    let mut desk = Desk::new();
    assert_eq!(desk.cancel(ALICE, OrderRef::Id(OrderId(9))), Err(Refusal::UnknownOrder));
    let bid = desk.accepted(ALICE, Side::Buy, gtc("50", "1"));
    assert_eq!(desk.cancel(BOB, OrderRef::Id(bid.order_id)), Err(Refusal::UnknownOrder));
    let restricted = CancelOrder {
        account: ALICE,
        symbol: btcusdt(),
        order: OrderRef::Id(bid.order_id),
        cancel_client_order_id: None,
        restriction: Some(CancelRestriction::OnlyPartiallyFilled),
    };
    assert_eq!(desk.apply(Command::Cancel(restricted)), Err(Refusal::CancelRestricted));
    desk.cancel(ALICE, OrderRef::Id(bid.order_id)).unwrap();
    assert_eq!(desk.balance(ALICE, "USDT"), ("1000000.00000000".into(), "0.00000000".into()));
    assert_eq!(desk.cancel(ALICE, OrderRef::Id(bid.order_id)), Err(Refusal::UnknownOrder));
    let all = Command::CancelAll { account: ALICE, symbol: btcusdt() };
    assert_eq!(desk.apply(all.clone()), Err(Refusal::UnknownOrder));
    for at in ["50", "51", "52"] {
        desk.accepted(ALICE, Side::Buy, gtc(at, "1"));
    }
    desk.accepted(BOB, Side::Buy, gtc("50", "1"));
    let Ok(Outcome::AllCancelled(cancelled)) = desk.apply(all) else { panic!("cancelled") };
    assert_eq!(cancelled.len(), 3);
    assert_eq!(desk.exchange.open_orders(BOB, None).count(), 1);
}

#[test]
fn cancel_replace_reports_both_halves() {
    let mut desk = Desk::new();
    let replace = |desk: &mut Desk, mode, cancel, new| {
        let request = CancelReplace {
            mode,
            cancel,
            cancel_client_order_id: None,
            restriction: None,
            order: order(ALICE, Side::Buy, new),
        };
        desk.apply(Command::CancelReplace(request)).map(|outcome| match outcome {
            Outcome::CancelReplaced(done) => *done,
            other => panic!("{other:?}"),
        })
    };
    let unknown = OrderRef::Id(OrderId(99));
    let stopped = replace(&mut desk, CancelReplaceMode::StopOnFailure, unknown, gtc("50", "1")).unwrap();
    assert_eq!(stopped.refusal(), Some(Refusal::CancelReplaceFailed));
    assert_eq!(stopped.placed, Half::NotAttempted);
    let allowed = replace(&mut desk, CancelReplaceMode::AllowFailure, unknown, gtc("50", "1")).unwrap();
    assert_eq!(allowed.refusal(), Some(Refusal::CancelReplacePartlyFailed));
    let Half::Success(placed) = allowed.placed else { panic!("placed") };
    let old = OrderRef::Id(placed.order.order_id);
    let both = replace(&mut desk, CancelReplaceMode::StopOnFailure, old, gtc("51", "1")).unwrap();
    assert_eq!(both.refusal(), None);
    assert_eq!(desk.story(), ["1 CANCELED/CANCELED", "2 NEW/NEW"]);
    let poor =
        replace(&mut desk, CancelReplaceMode::StopOnFailure, OrderRef::Id(OrderId(2)), gtc("900000", "9"));
    assert_eq!(poor.unwrap().refusal(), Some(Refusal::CancelReplacePartlyFailed));
    assert_eq!(desk.exchange.open_orders(ALICE, None).count(), 0);
    let filter = replace(&mut desk, CancelReplaceMode::AllowFailure, unknown, gtc("50.001", "1"));
    assert_eq!(filter, Err(Refusal::Filter(Filter::PriceFilter)));
}

#[test]
fn self_trade_prevention_follows_the_takers_mode() {
    for (mode, maker, taker) in [
        (StpMode::None, OrderStatus::Filled, OrderStatus::Filled),
        (StpMode::ExpireTaker, OrderStatus::New, OrderStatus::ExpiredInMatch),
        (StpMode::ExpireMaker, OrderStatus::ExpiredInMatch, OrderStatus::Filled),
        (StpMode::ExpireBoth, OrderStatus::ExpiredInMatch, OrderStatus::ExpiredInMatch),
        (StpMode::Decrement, OrderStatus::ExpiredInMatch, OrderStatus::ExpiredInMatch),
    ] {
        let mut desk = Desk::new();
        let own = desk.accepted(ALICE, Side::Sell, gtc("100", "1"));
        desk.accepted(BOB, Side::Sell, gtc("100", "1"));
        let new = NewOrder { stp: Some(mode), ..order(ALICE, Side::Buy, gtc("100", "1")) };
        let placed = desk.place(new).unwrap().order;
        assert_eq!((desk.now(&own).status, placed.status), (maker, taker), "{mode}");
        let prevented = desk.reports().iter().filter(|r| r.prevention.is_some()).count();
        let reports = match mode {
            StpMode::None => 0,
            StpMode::ExpireBoth | StpMode::Decrement => 2,
            _ => 1,
        };
        assert_eq!(prevented, reports, "{mode}");
    }
}

#[test]
fn fill_or_kill_does_not_count_what_self_trade_prevention_would_remove() {
    let mut desk = Desk::new();
    desk.accepted(ALICE, Side::Sell, gtc("100", "1"));
    desk.accepted(BOB, Side::Sell, gtc("100", "1"));
    for mode in [StpMode::ExpireTaker, StpMode::ExpireMaker, StpMode::Decrement] {
        let fok = limit("100", "2", TimeInForce::Fok);
        let new = NewOrder { stp: Some(mode), ..order(ALICE, Side::Buy, fok) };
        assert_eq!(desk.place(new).unwrap().order.status, OrderStatus::Expired, "{mode}");
    }
    assert_eq!(desk.exchange.open_orders(ALICE, None).count(), 1, "nothing was touched");
}

#[test]
fn a_closed_market_takes_cancels_but_no_orders() {
    let mut desk = Desk::new();
    let bid = desk.accepted(ALICE, Side::Buy, gtc("50", "1"));
    let halt = Command::SetStatus { symbol: btcusdt(), status: SymbolStatus::Halt };
    desk.apply(halt).unwrap();
    assert_eq!(desk.place(order(ALICE, Side::Buy, gtc("50", "1"))), Err(Refusal::MarketClosed));
    desk.cancel(ALICE, OrderRef::Id(bid.order_id)).unwrap();
    desk.apply(Command::SetStatus { symbol: btcusdt(), status: SymbolStatus::Trading }).unwrap();
    desk.apply(Command::SetTrading { account: ALICE, can_trade: false }).unwrap();
    assert_eq!(desk.place(order(ALICE, Side::Buy, gtc("50", "1"))), Err(Refusal::TradingDisabled));
    let stranger = order(AccountId(9), Side::Buy, gtc("50", "1"));
    assert_eq!(desk.place(stranger), Err(Refusal::UnknownAccount));
    let elsewhere = NewOrder { symbol: Symbol::new("ETHUSDT").unwrap(), ..stranger };
    assert_eq!(desk.place(elsewhere).unwrap_err().code(), -1121);
}

#[test]
fn a_full_record_refuses_instead_of_forgetting() {
    let mut desk = Desk::new();
    desk.exchange = Exchange::new(Limits { orders: 2, fills: 1, ..Limits::default() });
    desk.exchange.list_symbol(spec()).unwrap();
    desk.exchange.open_account(0, ALICE, Rate::ZERO, Rate::ZERO).unwrap();
    desk.apply(Command::Adjust { account: ALICE, asset: asset("USDT"), delta: amount("1000") }).unwrap();
    desk.accepted(ALICE, Side::Buy, gtc("100", "1"));
    desk.accepted(ALICE, Side::Buy, gtc("99", "1"));
    assert_eq!(desk.place(order(ALICE, Side::Buy, gtc("98", "1"))), Err(Refusal::TruthFull));
    desk.market_trade("99.5", "1", Side::Sell);
    let trade = MarketTrade {
        symbol: btcusdt(),
        trade_id: None,
        price: price("98"),
        quantity: qty("1"),
        aggressor: Side::Sell,
    };
    assert_eq!(desk.apply(Command::MarketTrade(trade)), Err(Refusal::TruthFull));
    assert_eq!((desk.exchange.orders().len(), desk.exchange.fills().len()), (2, 1));
}

#[test]
fn testing_an_order_leaves_no_trace() {
    let mut desk = Desk::new();
    let before = desk.exchange.snapshot();
    desk.exchange.test(1, &order(ALICE, Side::Buy, gtc("100", "1"))).unwrap();
    let poor = order(ALICE, Side::Buy, gtc("999999", "8"));
    assert_eq!(desk.exchange.test(1, &poor), Err(Refusal::InsufficientBalance));
    assert_eq!(desk.exchange.snapshot(), before);
}
