//! Stop orders and one-cancels-the-other pairs.

use crate::desk::*;
use plimsoll::paper_exchange::engine::*;

fn stop_limit(at: &str, stop: &str, quantity: &str) -> Terms {
    Terms::StopLossLimit {
        price: price(at),
        quantity: qty(quantity),
        stop_price: price(stop),
        time_in_force: TimeInForce::Gtc,
    }
}

fn oco(side: Side, at: &str, stop: &str) -> NewOco {
    NewOco {
        account: ALICE,
        symbol: btcusdt(),
        side,
        quantity: qty("1"),
        price: price(at),
        stop_price: price(stop),
        stop_limit: Some((price(stop), TimeInForce::Gtc)),
        list_client_order_id: Some(id("pair")),
        limit_client_order_id: Some(id("limit-leg")),
        stop_client_order_id: Some(id("stop-leg")),
        stp: None,
    }
}

fn place_oco(desk: &mut Desk, new: NewOco) -> Result<OcoPlaced, Refusal> {
    desk.apply(Command::PlaceOco(new)).map(|outcome| match outcome {
        Outcome::OcoPlaced(placed) => *placed,
        other => panic!("{other:?}"),
    })
}

#[test]
fn each_stop_type_wakes_when_the_price_moves_its_way() {
    for (side, profit, quiet, wakes) in [
        (Side::Sell, false, "101", "95"),
        (Side::Buy, false, "99", "105"),
        (Side::Sell, true, "99", "105"),
        (Side::Buy, true, "101", "95"),
    ] {
        let mut desk = Desk::new();
        desk.market(&[("50", "5")], &[("150", "5")]);
        desk.market_trade("100", "1", Side::Buy);
        let (quantity, stop_price) = (qty("1"), price(wakes));
        let terms = if profit {
            Terms::TakeProfit { quantity, stop_price }
        } else {
            Terms::StopLoss { quantity, stop_price }
        };
        let stop = desk.accepted(ALICE, side, terms);
        assert!(!stop.is_working, "{side} {profit}");
        desk.market_trade(quiet, "1", Side::Buy);
        assert_eq!(desk.now(&stop).status, OrderStatus::New, "{side} {profit}");
        desk.market_trade(wakes, "1", Side::Buy);
        assert_eq!(desk.now(&stop).status, OrderStatus::Filled, "{side} {profit}");
        let again = desk.place(order(ALICE, side, terms));
        // A stop loss traded further against itself; a profit was taken at a price far from its stop.
        let expected = if profit { None } else { Some(Refusal::WouldTrigger) };
        assert_eq!(again.err(), expected, "{side} {profit}");
    }
}

#[test]
fn a_stop_limit_rests_once_triggered_and_keeps_its_lock() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    let stop = desk.accepted(ALICE, Side::Buy, stop_limit("111", "110", "2"));
    assert_eq!(desk.balance(ALICE, "USDT").1, "222.00000000");
    desk.market_trade("110", "1", Side::Buy);
    assert_eq!(desk.story(), ["1 NEW/NEW"], "the second NEW says that it works");
    assert!(desk.reports()[0].is_working);
    let now = desk.now(&stop);
    assert!(now.is_working && now.place.is_some() && now.working_ms == Some(desk.now_ms));
    assert_eq!(desk.book().0, levels(&[("111", "2")]));
}

#[test]
fn triggered_stops_cascade_in_one_command() {
    let mut desk = Desk::new();
    desk.market(&[("95", "1"), ("90", "1"), ("85", "1")], &[]);
    desk.market_trade("100", "1", Side::Buy);
    let sell = |at: &str| Terms::StopLoss { quantity: qty("1"), stop_price: price(at) };
    let deep = desk.accepted(ALICE, Side::Sell, sell("90"));
    let first = desk.accepted(ALICE, Side::Sell, sell("96"));
    let second = desk.accepted(BOB, Side::Sell, sell("95"));
    desk.accepted(BOB, Side::Sell, Terms::StopLoss { quantity: qty("1"), stop_price: price("80") });
    desk.market_trade("96", "1", Side::Sell);
    let traded = |order: &Order| desk.now(order).executed_quote;
    assert_eq!(traded(&first), amount("95"));
    assert_eq!(traded(&second), amount("90"));
    assert_eq!(traded(&deep), amount("85"));
    assert_eq!(desk.exchange.open_orders(BOB, None).count(), 1, "80 was never traded");
    assert_eq!(desk.exchange.last_price(btcusdt()).unwrap(), Some(price("85")));
}

#[test]
fn a_triggered_market_buy_without_money_is_rejected() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    let stop = Terms::StopLoss { quantity: qty("10"), stop_price: price("110") };
    let stop = desk.accepted(ALICE, Side::Buy, stop);
    assert_eq!(desk.balance(ALICE, "USDT").1, "1100.00000000");
    desk.market(&[], &[("200000", "10")]);
    desk.market_trade("110", "1", Side::Buy);
    assert_eq!(desk.now(&stop).status, OrderStatus::Rejected);
    assert_eq!(desk.story(), ["1 NEW/NEW", "1 REJECTED/REJECTED"]);
    assert_eq!(desk.reports()[1].reject_reason, RejectReason::InsufficientBalances);
    assert_eq!(desk.balance(ALICE, "USDT").1, "0.00000000");
}

#[test]
fn a_pair_locks_once_and_a_fill_of_one_leg_ends_the_other() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    let placed = place_oco(&mut desk, oco(Side::Sell, "110", "90")).unwrap();
    assert_eq!(placed.orders.len(), 2);
    assert_eq!(desk.balance(ALICE, "BTC").1, "1.00000000");
    desk.accepted(BOB, Side::Buy, gtc("110", "0.4"));
    let [stop, limit] = &placed.orders[..] else { panic!("two legs") };
    assert_eq!(desk.now(stop).status, OrderStatus::Expired);
    assert_eq!(desk.now(limit).status, OrderStatus::PartiallyFilled);
    assert_eq!(desk.balance(ALICE, "BTC").1, "0.60000000");
    assert_eq!(
        desk.story(),
        ["3 NEW/NEW", "1 EXPIRED/EXPIRED", "2 TRADE/PARTIALLY_FILLED", "3 TRADE/FILLED"]
    );
    desk.accepted(BOB, Side::Buy, gtc("110", "0.6"));
    assert!(desk.exchange.order_list(placed.list.list_id).unwrap().done);
    let done = |event: &ExchangeEvent| matches!(event, ExchangeEvent::List(list) if list.status == ListStatus::AllDone);
    assert!(desk.events.iter().any(done));
}

#[test]
fn a_trigger_ends_the_limit_leg_before_the_stop_leg_trades() {
    let mut desk = Desk::new();
    desk.market(&[("89", "5")], &[]);
    desk.market_trade("100", "1", Side::Buy);
    let pair = NewOco { stop_limit: None, ..oco(Side::Sell, "110", "90") };
    let placed = place_oco(&mut desk, pair).unwrap();
    desk.market_trade("90", "1", Side::Sell);
    assert_eq!(desk.story(), ["2 EXPIRED/EXPIRED", "1 NEW/NEW", "1 TRADE/FILLED"]);
    assert!(desk.exchange.order_list(placed.list.list_id).unwrap().done);
    assert_eq!(desk.balance(ALICE, "BTC"), ("9.00000000".into(), "0.00000000".into()));
}

#[test]
fn a_buy_pair_locks_the_dearer_leg_and_frees_the_difference() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    place_oco(&mut desk, oco(Side::Buy, "90", "110")).unwrap();
    assert_eq!(desk.balance(ALICE, "USDT").1, "110.00000000");
    desk.accepted(BOB, Side::Sell, gtc("90", "0.5"));
    assert_eq!(desk.balance(ALICE, "USDT"), ("999910.00000000".into(), "45.00000000".into()));
}

#[test]
fn cancelling_a_leg_cancels_the_pair() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    place_oco(&mut desk, oco(Side::Sell, "110", "90")).unwrap();
    let cancelled = desk.cancel(ALICE, OrderRef::Client(id("limit-leg"))).unwrap();
    assert_eq!(cancelled.order.client_order_id, id("limit-leg"));
    let list = cancelled.with_list.unwrap();
    assert!(list.list.done && list.orders.iter().all(|leg| leg.status == OrderStatus::Canceled));
    assert_eq!(desk.balance(ALICE, "BTC"), ("10.00000000".into(), "0.00000000".into()));
}

#[test]
fn pairs_are_refused_when_their_prices_or_ids_make_no_sense() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    for (side, at, stop) in [
        (Side::Sell, "90", "110"),
        (Side::Sell, "99", "90"),
        (Side::Buy, "110", "90"),
        (Side::Buy, "90", "95"),
    ] {
        assert_eq!(place_oco(&mut desk, oco(side, at, stop)), Err(Refusal::ListPrices), "{side} {at}");
    }
    let twice = NewOco { stop_client_order_id: Some(id("limit-leg")), ..oco(Side::Sell, "110", "90") };
    assert_eq!(place_oco(&mut desk, twice), Err(Refusal::DuplicateOrder));
    desk.market(&[("105", "1")], &[]);
    assert_eq!(place_oco(&mut desk, oco(Side::Sell, "104", "90")), Err(Refusal::WouldTake));
    assert!(desk.exchange.orders().is_empty());
}

#[test]
fn self_trade_prevention_of_a_leg_ends_its_pair() {
    let mut desk = Desk::new();
    desk.market_trade("100", "1", Side::Buy);
    let placed = place_oco(&mut desk, oco(Side::Sell, "110", "90")).unwrap();
    let new = NewOrder { stp: Some(StpMode::ExpireMaker), ..order(ALICE, Side::Buy, gtc("110", "1")) };
    desk.place(new).unwrap();
    assert_eq!(desk.now(&placed.orders[0]).status, OrderStatus::Expired);
    assert_eq!(desk.now(&placed.orders[1]).status, OrderStatus::ExpiredInMatch);
    assert_eq!(desk.balance(ALICE, "BTC").1, "0.00000000");
}
