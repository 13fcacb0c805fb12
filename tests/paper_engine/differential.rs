//! The exchange against the oracle: the same random commands, the same answers, fills, orders, balances
//! and books, after every single command.

use crate::desk::{ALICE, btcusdt, spec};
use crate::oracle::{Fill as OracleFill, Kind, No, Oracle, State, Stp};
use plimsoll::paper_exchange::engine::*;
use proptest::prelude::*;

/// An odd tick and an odd lot, so that nearly every product of both must be rounded.
const TICK: i64 = 12_345_671;
const LOT: i64 = 3_333_333;
const ACCOUNTS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Place { account: usize, buy: bool, kind: Kind, stp: Stp, ticks: i64, lots: i64 },
    Cancel { account: usize, order: usize },
    Levels(Vec<(bool, i64, i64)>),
    Trade { ticks: i64, lots: i64, seller_took: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        6 => Just(Kind::Gtc),
        1 => Just(Kind::Ioc),
        1 => Just(Kind::Fok),
        1 => Just(Kind::Maker),
        1 => Just(Kind::Market),
    ];
    let stp = prop_oneof![
        Just(Stp::None),
        Just(Stp::Taker),
        Just(Stp::Maker),
        Just(Stp::Both),
        Just(Stp::Decrement)
    ];
    let place = (0..ACCOUNTS, any::<bool>(), kind, stp, 95..106i64, 1..30i64).prop_map(
        |(account, buy, kind, stp, ticks, lots)| Step::Place { account, buy, kind, stp, ticks, lots },
    );
    // Strangers keep a spread of their own, as a recorded market does: bids below 100, asks from 100.
    let level = (any::<bool>(), 0..6i64, prop_oneof![1 => Just(0), 3 => 1..40i64])
        .prop_map(|(buy, away, lots)| (buy, if buy { 99 - away } else { 100 + away }, lots));
    prop_oneof![
        8 => place,
        2 => (0..ACCOUNTS, 0..40usize).prop_map(|(account, order)| Step::Cancel { account, order }),
        2 => prop::collection::vec(level, 1..5).prop_map(Step::Levels),
        2 => (94..107i64, 1..30i64, any::<bool>())
            .prop_map(|(ticks, lots, seller_took)| Step::Trade { ticks, lots, seller_took }),
    ]
}

fn exchange() -> (Exchange, Oracle) {
    let spec = SymbolSpec {
        price: PriceFilter {
            min_price: Price::from_units(TICK),
            max_price: Price::ZERO,
            tick_size: Price::from_units(TICK),
        },
        lot: LotSize { min_qty: Qty::from_units(LOT), max_qty: Qty::ZERO, step_size: Qty::from_units(LOT) },
        market_lot: LotSize { min_qty: Qty::ZERO, max_qty: Qty::ZERO, step_size: Qty::ZERO },
        notional: NotionalFilter {
            min_notional: Amount::ZERO,
            max_notional: Amount::ZERO,
            ..spec().notional
        },
        percent_price: None,
        max_num_orders: 0,
        ..spec()
    };
    let mut exchange = Exchange::new(Limits::default());
    exchange.list_symbol(spec).unwrap();
    let (mut paid_in, mut rates) = (Vec::new(), Vec::new());
    for account in 0..ACCOUNTS {
        let id = AccountId(u32::try_from(account).unwrap());
        // Little enough that some orders are refused; the last account pays nothing.
        let (base, quote) = (i128::from(LOT) * 90, i128::from(TICK) * 40);
        let fees = if account + 1 == ACCOUNTS { [0, 0] } else { [100_003, 200_007] };
        let [maker, taker] = fees.map(Rate::from_units);
        exchange.open_account(0, id, maker, taker).unwrap();
        for (asset, units) in [(spec.base, base), (spec.quote, quote)] {
            exchange.adjust(0, id, asset, Amount::from_units(units), &mut Vec::new()).unwrap();
        }
        paid_in.push([base, quote]);
        rates.push(fees.map(i128::from));
    }
    (exchange, Oracle::new(paid_in, rates))
}

fn new_order(account: usize, buy: bool, kind: Kind, stp: Stp, ticks: i64, lots: i64) -> NewOrder {
    let (price, quantity) = (Price::from_units(ticks * TICK), Qty::from_units(lots * LOT));
    let limit = |time_in_force| Terms::Limit { price, quantity, time_in_force };
    NewOrder {
        account: AccountId(u32::try_from(account).unwrap()),
        symbol: btcusdt(),
        side: if buy { Side::Buy } else { Side::Sell },
        terms: match kind {
            Kind::Gtc => limit(TimeInForce::Gtc),
            Kind::Ioc => limit(TimeInForce::Ioc),
            Kind::Fok => limit(TimeInForce::Fok),
            Kind::Maker => Terms::LimitMaker { price, quantity },
            Kind::Market => Terms::Market { quantity },
        },
        client_order_id: None,
        stp: Some(match stp {
            Stp::None => StpMode::None,
            Stp::Taker => StpMode::ExpireTaker,
            Stp::Maker => StpMode::ExpireMaker,
            Stp::Both => StpMode::ExpireBoth,
            Stp::Decrement => StpMode::Decrement,
        }),
    }
}

/// Does one step to both; true when both accepted it or both refused it for the same reason.
fn agree(
    exchange: &mut Exchange,
    oracle: &mut Oracle,
    now_ms: i64,
    step: &Step,
) -> Result<(), TestCaseError> {
    let events = &mut Vec::new();
    let symbol = btcusdt();
    let (left, right) = match step {
        Step::Place { account, buy, kind, stp, ticks, lots } => {
            let new = new_order(*account, *buy, *kind, *stp, *ticks, *lots);
            let (price, quantity) = (i128::from(ticks * TICK), i128::from(lots * LOT));
            let placed = exchange.place(now_ms, &new, events).map(|_| ());
            let expected = oracle.place(*account, *buy, *kind, *stp, price, quantity).map(|_| ());
            (placed, expected)
        }
        Step::Cancel { account, order } => {
            let request = CancelOrder {
                account: AccountId(u32::try_from(*account).unwrap()),
                symbol,
                order: OrderRef::Id(OrderId(u64::try_from(*order).unwrap() + 1)),
                cancel_client_order_id: None,
                restriction: None,
            };
            let cancelled = exchange.cancel(now_ms, &request, events).map(|_| ());
            (cancelled, oracle.cancel(*account, *order))
        }
        Step::Levels(levels) => {
            let of_side = |wanted: bool| {
                let side = levels.iter().filter(|(buy, ..)| *buy == wanted);
                side.map(|(_, ticks, lots)| (Price::from_units(ticks * TICK), Qty::from_units(lots * LOT)))
                    .collect()
            };
            let (bids, asks) = (of_side(true), of_side(false));
            let change = MarketBook { symbol, replace: false, last_update_id: None, bids, asks };
            for (buy, ticks, lots) in levels {
                oracle.market_level(*buy, i128::from(ticks * TICK), i128::from(lots * LOT));
            }
            oracle.settle_crossed();
            (exchange.market_book(now_ms, &change, events), Ok(()))
        }
        Step::Trade { ticks, lots, seller_took } => {
            let trade = MarketTrade {
                symbol,
                trade_id: None,
                price: Price::from_units(ticks * TICK),
                quantity: Qty::from_units(lots * LOT),
                aggressor: if *seller_took { Side::Sell } else { Side::Buy },
            };
            oracle.market_trade(i128::from(ticks * TICK), i128::from(lots * LOT), *seller_took);
            (exchange.market_trade(now_ms, &trade, events), Ok(()))
        }
    };
    let left = left.map_err(|refusal| match refusal {
        Refusal::InsufficientBalance => No::Money,
        Refusal::WouldTake => No::WouldTake,
        Refusal::UnknownOrder => No::Unknown,
        other => panic!("{other:?}"),
    });
    prop_assert_eq!(left, right);
    Ok(())
}

/// Everything both know must be equal.
fn compare(exchange: &Exchange, oracle: &Oracle) -> Result<(), TestCaseError> {
    let fills: Vec<_> = exchange
        .fills()
        .iter()
        .map(|fill| OracleFill {
            order: usize::try_from(fill.order_id.0).unwrap() - 1,
            price: i128::from(fill.price.units()),
            quantity: i128::from(fill.quantity.units()),
            maker: fill.is_maker,
        })
        .collect();
    prop_assert_eq!(&fills, &oracle.fills);
    prop_assert_eq!(exchange.orders().len(), oracle.orders.len());
    for (order, expected) in exchange.orders().iter().zip(&oracle.orders) {
        let state = match order.status {
            OrderStatus::New | OrderStatus::PartiallyFilled => State::Open,
            OrderStatus::Filled => State::Filled,
            OrderStatus::Canceled => State::Cancelled,
            OrderStatus::ExpiredInMatch => State::Prevented,
            OrderStatus::Expired | OrderStatus::Rejected => State::Expired,
        };
        let parts = [order.executed, order.prevented].map(|part| i128::from(part.units()));
        prop_assert_eq!((state, parts), (expected.state, [expected.executed, expected.prevented]));
    }
    for account in 0..ACCOUNTS {
        let view = exchange.account(AccountId(u32::try_from(account).unwrap())).unwrap();
        let both: Vec<_> = view.balances.iter().map(|b| [b.free.units(), b.locked.units()]).collect();
        prop_assert_eq!(both, oracle.balance(account).to_vec());
    }
    let book = exchange.book(btcusdt(), 1_000).unwrap();
    for (levels, buy) in [(book.bids, true), (book.asks, false)] {
        let levels: Vec<_> =
            levels.iter().map(|(p, q)| (i128::from(p.units()), i128::from(q.units()))).collect();
        prop_assert_eq!(levels, oracle.book(buy));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn the_exchange_and_the_oracle_never_disagree(steps in prop::collection::vec(step(), 1..80)) {
        let (mut exchange, mut oracle) = exchange();
        for (now_ms, step) in (1..).zip(&steps) {
            agree(&mut exchange, &mut oracle, now_ms, step)?;
            compare(&exchange, &oracle)?;
        }
    }
}

#[test]
fn the_comparison_sees_trades_of_every_sort() {
    // A differential test proves nothing if its commands never trade: count what one fixed run exercises.
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 4_000).new_tree(&mut runner).unwrap().current();
    let (mut exchange, mut oracle) = exchange();
    for (now_ms, step) in (1..).zip(&steps) {
        agree(&mut exchange, &mut oracle, now_ms, step).unwrap();
        compare(&exchange, &oracle).unwrap_or_else(|_| panic!("after step {now_ms}: {step:?}"));
    }
    let fills = exchange.fills();
    let count = |wanted: fn(&Fill) -> bool| fills.iter().filter(|fill| wanted(fill)).count();
    let sorts = [
        count(|fill| fill.is_maker && fill.against_market),
        count(|fill| !fill.is_maker && fill.against_market),
        count(|fill| fill.is_maker && !fill.against_market),
    ];
    assert!(sorts.iter().all(|sort| *sort > 100), "{sorts:?}");
    let prevented = exchange.orders().iter().filter(|order| order.prevented.is_positive()).count();
    assert!(prevented > 50, "{prevented}");
    assert_eq!(exchange.account(ALICE).unwrap().account, ALICE);
}
