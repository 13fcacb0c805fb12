//! Our orders against the market's own book and trades, and the numbering everyone sees.

use crate::desk::*;
use plimsoll::paper_exchange::engine::*;

#[test]
fn a_resting_order_waits_for_the_queue_ahead_of_it() {
    let mut desk = Desk::new();
    desk.market(&[("100", "5")], &[("101", "5")]);
    let bid = desk.accepted(ALICE, Side::Buy, gtc("100", "2"));
    assert_eq!(desk.now(&bid).place.unwrap().ahead, qty("5"));
    desk.market_trade("100", "3", Side::Buy);
    assert_eq!(desk.now(&bid).place.unwrap().ahead, qty("5"), "buyers do not trade with bids");
    desk.market_trade("100", "3", Side::Sell);
    assert_eq!(desk.now(&bid).executed, Qty::ZERO);
    desk.market_trade("100", "3", Side::Sell);
    assert_eq!(desk.now(&bid).executed, qty("1"), "2 were ahead, 1 is ours");
    desk.market_trade("100", "9", Side::Sell);
    let filled = desk.now(&bid);
    assert_eq!((filled.status, filled.executed_quote), (OrderStatus::Filled, amount("200")));
    let fills = desk.exchange.fills();
    assert!(fills.iter().all(|fill| fill.is_maker && fill.against_market));
}

#[test]
fn a_shrinking_level_caps_what_is_ahead() {
    let mut desk = Desk::new();
    desk.market(&[("100", "5")], &[]);
    let bid = desk.accepted(ALICE, Side::Buy, gtc("100", "1"));
    desk.market(&[("100", "2")], &[]);
    desk.market(&[("100", "9")], &[]);
    assert_eq!(desk.now(&bid).place.unwrap().ahead, qty("2"), "what came later stands behind");
    desk.market_trade("100", "2.5", Side::Sell);
    assert_eq!(desk.now(&bid).executed, qty("0.5"));
    desk.market(&[("100", "0")], &[]);
    desk.market_trade("100", "0.5", Side::Sell);
    assert_eq!(desk.now(&bid).status, OrderStatus::Filled);
}

#[test]
fn a_trade_through_the_price_fills_in_full_at_the_orders_price() {
    let mut desk = Desk::new();
    desk.market(&[("100", "50"), ("99", "50")], &[("103", "1")]);
    let bid = desk.accepted(ALICE, Side::Buy, gtc("100", "2"));
    let ask = desk.accepted(BOB, Side::Sell, gtc("102", "2"));
    desk.market_trade("99.99", "0.001", Side::Sell);
    assert_eq!(desk.now(&bid).executed_quote, amount("200"));
    desk.market_trade("102.01", "0.001", Side::Buy);
    assert_eq!(desk.now(&ask).executed_quote, amount("204"));
}

#[test]
fn two_orders_of_ours_share_a_level_with_the_market_between_them() {
    let mut desk = Desk::new();
    desk.market(&[("100", "5")], &[]);
    let first = desk.accepted(ALICE, Side::Buy, gtc("100", "3"));
    desk.market(&[("100", "10")], &[]);
    let second = desk.accepted(BOB, Side::Buy, gtc("100", "3"));
    // The queue: 5 strangers, 3 of Alice, 5 strangers, 3 of Bob.
    desk.market_trade("100", "14", Side::Sell);
    assert_eq!(desk.now(&first).status, OrderStatus::Filled);
    assert_eq!(desk.now(&second).executed, qty("1"));
    // A taker of ours meets the same queue: 10 visible at first, all of it already behind Bob by now.
    let taken = desk.accepted(ALICE, Side::Sell, limit("100", "4", TimeInForce::Ioc));
    assert_eq!(taken.status, OrderStatus::Filled);
    assert_eq!(desk.now(&second).status, OrderStatus::Filled, "first in line");
}

#[test]
fn a_taker_walks_the_visible_book_and_takes_nothing_twice() {
    let mut desk = Desk::new();
    desk.market(&[], &[("100", "1"), ("101", "2")]);
    let own = desk.accepted(BOB, Side::Sell, gtc("101", "1"));
    let placed = desk.place(order(ALICE, Side::Buy, gtc("101", "2.5"))).unwrap();
    assert_eq!(placed.order.executed_quote, amount("251.5"), "1 at 100, then strangers first at 101");
    assert_eq!(desk.now(&own).executed, Qty::ZERO);
    assert_eq!(desk.book().1, levels(&[("101", "1.5")]));
    desk.accepted(ALICE, Side::Buy, limit("101", "5", TimeInForce::Ioc));
    assert_eq!(desk.book().1, vec![], "everything is taken");
    assert_eq!(desk.now(&own).status, OrderStatus::Filled);
    desk.market(&[], &[("100", "1")]);
    assert_eq!(desk.book().1, levels(&[("100", "1")]), "the market refreshed the level");
}

#[test]
fn a_book_that_reaches_our_price_fills_us_up_to_what_it_shows() {
    let mut desk = Desk::new();
    let bid = desk.accepted(ALICE, Side::Buy, gtc("100", "3"));
    desk.market(&[], &[("99.5", "1"), ("100", "1"), ("100.5", "7")]);
    let now = desk.now(&bid);
    assert_eq!((now.executed, now.executed_quote), (qty("2"), amount("200")), "at our price, as maker");
    assert_eq!(desk.book().1, levels(&[("100.5", "7")]));
}

#[test]
fn recorded_ids_pass_through_until_we_trade() {
    let mut desk = Desk::new();
    let book = |id: u64, asks: &[(&str, &str)]| {
        Command::MarketBook(MarketBook {
            symbol: btcusdt(),
            replace: false,
            last_update_id: Some(id),
            bids: vec![],
            asks: levels(asks),
        })
    };
    let change = |desk: &Desk| {
        let find = |event: &ExchangeEvent| match event {
            ExchangeEvent::Book(change) => Some((change.first_update_id, change.last_update_id)),
            _ => None,
        };
        desk.events.iter().find_map(find)
    };
    desk.apply(book(1_000, &[("100", "1")])).unwrap();
    desk.apply(book(1_007, &[("101", "1")])).unwrap();
    assert_eq!(change(&desk), Some((1_001, 1_007)));
    desk.apply(book(1_008, &[])).unwrap();
    assert_eq!(change(&desk), Some((1_008, 1_008)), "an empty update still counts");
    desk.accepted(ALICE, Side::Buy, gtc("50", "1"));
    assert_eq!(change(&desk), Some((1_009, 1_009)));
    desk.accepted(ALICE, Side::Buy, Terms::Market { quantity: qty("1") });
    assert_eq!(change(&desk), Some((1_010, 1_010)));
    desk.apply(book(1_012, &[("101", "2")])).unwrap();
    assert_eq!(change(&desk), Some((1_011, 1_014)), "shifted by our two changes");
    let ids: Vec<_> = desk.exchange.recent_trades(btcusdt(), 10).unwrap();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_replaced_book_forgets_every_level_it_does_not_name() {
    let mut desk = Desk::new();
    desk.market(&[("98", "1"), ("97", "1")], &[("101", "1")]);
    let bid = desk.accepted(ALICE, Side::Buy, gtc("98", "1"));
    let snapshot = MarketBook {
        symbol: btcusdt(),
        replace: true,
        last_update_id: Some(77),
        bids: levels(&[("96", "4")]),
        asks: levels(&[("102", "4")]),
    };
    desk.apply(Command::MarketBook(snapshot)).unwrap();
    assert_eq!(desk.now(&bid).place.unwrap().ahead, Qty::ZERO);
    assert_eq!(desk.book(), (levels(&[("98", "1"), ("96", "4")]), levels(&[("102", "4")])));
}

#[test]
fn the_visible_book_is_bounded() {
    let limits = Limits { market_levels: 3, ..Limits::default() };
    let mut desk = Desk::new();
    desk.exchange = Exchange::new(limits);
    desk.exchange.list_symbol(spec()).unwrap();
    desk.market(&[("1", "1"), ("2", "1"), ("3", "1"), ("4", "1"), ("5", "1")], &[]);
    assert_eq!(desk.book().0, levels(&[("5", "1"), ("4", "1"), ("3", "1")]));
}

#[test]
fn a_market_that_cannot_be_is_refused() {
    let mut desk = Desk::new();
    let bad = |bids: Vec<(Price, Qty)>| {
        Command::MarketBook(MarketBook {
            symbol: btcusdt(),
            replace: false,
            last_update_id: None,
            bids,
            asks: vec![],
        })
    };
    for level in [(Price::ZERO, qty("1")), (price("1"), Qty::from_units(-1))] {
        let refusal = desk.apply(bad(vec![level])).unwrap_err();
        assert_eq!(refusal, Refusal::NotPositive { parameter: "level" });
    }
    assert_eq!(desk.exchange.book(btcusdt(), 5).unwrap().last_update_id, 0);
}
