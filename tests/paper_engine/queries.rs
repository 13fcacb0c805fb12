//! What an account and the public can read, and how lists are cut.

use crate::desk::*;
use plimsoll::paper_exchange::engine::*;

#[test]
fn orders_and_fills_are_listed_oldest_first_from_a_point_or_as_the_newest() {
    let mut desk = Desk::new();
    for number in 1..=5 {
        desk.accepted(BOB, Side::Sell, gtc("100", "0.1"));
        desk.accepted(ALICE, Side::Buy, gtc("100", "0.1"));
        assert_eq!(desk.exchange.fills().len(), 2 * number);
    }
    let ids = |from, limit| -> Vec<u64> {
        let orders = desk.exchange.all_orders(ALICE, btcusdt(), from, limit).unwrap();
        orders.iter().map(|order| order.order_id.0).collect()
    };
    assert_eq!(ids(None, 2), [8, 10]);
    assert_eq!(ids(Some(OrderId(3)), 2), [4, 6], "from an id that is another account's");
    assert_eq!(ids(Some(OrderId(11)), 2), [] as [u64; 0]);
    let fills = |query, limit| -> Vec<u64> {
        let fills = desk.exchange.fills_of(ALICE, btcusdt(), query, limit).unwrap();
        fills.iter().map(|fill| fill.trade_id.0).collect()
    };
    let all = FillQuery::default();
    assert_eq!(fills(all, 2), [4, 5]);
    assert_eq!(fills(FillQuery { from: Some(TradeId(2)), ..all }, 2), [2, 3]);
    assert_eq!(fills(FillQuery { order: Some(OrderId(6)), ..all }, 9), [3]);
    let last = desk.exchange.fills().last().unwrap().at_ms;
    assert_eq!(fills(FillQuery { start_ms: Some(last), ..all }, 9), [5]);
    assert_eq!(fills(FillQuery { end_ms: Some(last - 1), ..all }, 9), [1, 2, 3, 4]);
    let tape = desk.exchange.recent_trades(btcusdt(), 2).unwrap();
    assert_eq!(tape.iter().map(|trade| trade.trade_id.0).collect::<Vec<_>>(), [4, 5]);
    assert!(tape.iter().all(|trade| !trade.buyer_is_maker), "the buyer took");
}

#[test]
fn the_book_is_cut_at_the_asked_depth_and_names_its_update() {
    let mut desk = Desk::new();
    desk.market(&[("99", "1"), ("98", "1"), ("97", "1")], &[("101", "1")]);
    desk.accepted(ALICE, Side::Buy, gtc("99.5", "2"));
    let book = desk.exchange.book(btcusdt(), 2).unwrap();
    assert_eq!(book.bids, levels(&[("99.5", "2"), ("99", "1")]));
    assert_eq!(book.last_update_id, 2);
    let best = desk.exchange.best(btcusdt()).unwrap();
    assert_eq!(best.bid, Some((price("99.5"), qty("2"))));
    assert_eq!(best.ask, Some((price("101"), qty("1"))));
    assert_eq!(desk.exchange.last_price(btcusdt()).unwrap(), None);
    let unknown = Symbol::new("ETHUSDT").unwrap();
    assert_eq!(desk.exchange.book(unknown, 1), Err(Refusal::UnknownSymbol));
}

#[test]
fn an_account_shows_its_balances_by_name_and_its_rates() {
    let mut desk = Desk::new();
    desk.accepted(ALICE, Side::Buy, gtc("100", "1"));
    let view = desk.exchange.account(ALICE).unwrap();
    assert_eq!(view.balances.iter().map(|b| b.asset.as_str()).collect::<Vec<_>>(), ["BTC", "USDT"]);
    assert_eq!((view.maker.to_string(), view.taker.to_string()), ("0.00100000".into(), "0.00200000".into()));
    assert_eq!(view.updated_ms, desk.now_ms);
    assert_eq!(desk.exchange.account(AccountId(9)), Err(Refusal::UnknownAccount));
}

#[test]
fn a_deposit_is_announced_and_an_overdraft_refused() {
    let mut desk = Desk::new();
    let adjust = |delta: &str| Command::Adjust { account: ALICE, asset: asset("BNB"), delta: amount(delta) };
    assert_eq!(desk.apply(adjust("-1")), Err(Refusal::BadAdjustment));
    desk.apply(adjust("3")).unwrap();
    let [ExchangeEvent::Balance(update), ExchangeEvent::Position(position)] = &desk.events[..] else {
        panic!("{:?}", desk.events)
    };
    assert_eq!((update.delta, position.balances[0].free), (amount("3"), amount("3")));
}

#[test]
fn what_exists_is_not_created_twice_and_numbers_are_limited() {
    let mut exchange = Exchange::new(Limits { symbols: 1, accounts: 1, ..Limits::default() });
    exchange.list_symbol(spec()).unwrap();
    assert_eq!(exchange.list_symbol(spec()), Err(Refusal::AlreadyExists));
    let other = SymbolSpec { symbol: Symbol::new("ETHUSDT").unwrap(), ..spec() };
    assert_eq!(exchange.list_symbol(other), Err(Refusal::TooMany));
    let mut open = |number, rate: &str| {
        let rate = rate.parse().unwrap();
        exchange.open_account(0, AccountId(number), rate, rate)
    };
    assert_eq!(open(1, "1"), Err(Refusal::NotPositive { parameter: "commission" }));
    open(1, "0.5").unwrap();
    assert_eq!(open(1, "0"), Err(Refusal::AlreadyExists));
    assert_eq!(open(2, "0"), Err(Refusal::TooMany));
}
