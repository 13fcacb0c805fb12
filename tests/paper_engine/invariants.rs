//! What must hold after any sequence of any commands, stops and pairs included.

use crate::desk::{amount, asset, btcusdt, price, qty, spec};
use plimsoll::paper_exchange::engine::*;
use proptest::prelude::*;

fn account() -> impl Strategy<Value = AccountId> {
    (0..3u32).prop_map(AccountId)
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn at() -> impl Strategy<Value = Price> {
    (9_000..11_000i64).prop_map(|cents| Price::from_units(cents * 1_000_000))
}

fn lots() -> impl Strategy<Value = Qty> {
    (1..500_000i64).prop_map(|steps| Qty::from_units(steps * 1_000))
}

fn time_in_force() -> impl Strategy<Value = TimeInForce> {
    prop::sample::select(TimeInForce::ALL)
}

fn terms() -> impl Strategy<Value = Terms> {
    let quote = (0..1_000_000i64).prop_map(|units| Amount::from_units(i128::from(units) * 100_000));
    prop_oneof![
        8 => (at(), lots(), time_in_force()).prop_map(|(price, quantity, time_in_force)| Terms::Limit {
            price, quantity, time_in_force
        }),
        1 => (at(), lots()).prop_map(|(price, quantity)| Terms::LimitMaker { price, quantity }),
        1 => lots().prop_map(|quantity| Terms::Market { quantity }),
        1 => quote.prop_map(|quote_quantity| Terms::MarketQuote { quote_quantity }),
        1 => (lots(), at()).prop_map(|(quantity, stop_price)| Terms::StopLoss { quantity, stop_price }),
        1 => (lots(), at()).prop_map(|(quantity, stop_price)| Terms::TakeProfit { quantity, stop_price }),
        1 => (at(), lots(), at(), time_in_force()).prop_map(|(price, quantity, stop_price, time_in_force)| {
            Terms::StopLossLimit { price, quantity, stop_price, time_in_force }
        }),
        1 => (at(), lots(), at(), time_in_force()).prop_map(|(price, quantity, stop_price, time_in_force)| {
            Terms::TakeProfitLimit { price, quantity, stop_price, time_in_force }
        }),
    ]
}

fn new_order() -> impl Strategy<Value = NewOrder> {
    let name =
        prop::option::weighted(0.3, (0..6u32).prop_map(|n| ClientOrderId::new(&format!("id-{n}")).unwrap()));
    let stp = prop::option::of(prop::sample::select(StpMode::ALL));
    (account(), side(), terms(), name, stp).prop_map(|(account, side, terms, client_order_id, stp)| {
        NewOrder { account, symbol: btcusdt(), side, terms, client_order_id, stp }
    })
}

fn wanted() -> impl Strategy<Value = OrderRef> {
    prop_oneof![
        3 => (1..60u64).prop_map(|id| OrderRef::Id(OrderId(id))),
        1 => (0..6u32).prop_map(|n| OrderRef::Client(ClientOrderId::new(&format!("id-{n}")).unwrap())),
    ]
}

fn oco() -> impl Strategy<Value = Command> {
    (account(), side(), lots(), at(), at(), prop::option::of(at())).prop_map(
        |(account, side, quantity, one, other, limit)| {
            let (low, high) = (one.min(other), one.max(other));
            let (price, stop_price) = if side == Side::Sell { (high, low) } else { (low, high) };
            Command::PlaceOco(NewOco {
                account,
                symbol: btcusdt(),
                side,
                quantity,
                price,
                stop_price,
                stop_limit: limit.map(|limit| (limit, TimeInForce::Gtc)),
                list_client_order_id: None,
                limit_client_order_id: None,
                stop_client_order_id: None,
                stp: None,
            })
        },
    )
}

fn market_book() -> impl Strategy<Value = Command> {
    let bids = prop::collection::vec(((9_000..9_990i64), (0..900_000i64)), 0..4);
    let asks = prop::collection::vec(((10_000..11_000i64), (0..900_000i64)), 0..4);
    let level =
        |(cents, steps): (i64, i64)| (Price::from_units(cents * 1_000_000), Qty::from_units(steps * 1_000));
    (bids, asks, prop::bool::weighted(0.1), prop::option::of(1..500u64)).prop_map(
        move |(bids, asks, replace, last_update_id)| {
            Command::MarketBook(MarketBook {
                symbol: btcusdt(),
                replace,
                last_update_id,
                bids: bids.into_iter().map(level).collect(),
                asks: asks.into_iter().map(level).collect(),
            })
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let replace = (any::<bool>(), wanted(), new_order()).prop_map(|(stop, cancel, order)| {
        Command::CancelReplace(CancelReplace {
            mode: if stop { CancelReplaceMode::StopOnFailure } else { CancelReplaceMode::AllowFailure },
            cancel,
            cancel_client_order_id: None,
            restriction: None,
            order,
        })
    });
    let cancel = (account(), wanted()).prop_map(|(account, order)| {
        Command::Cancel(CancelOrder {
            account,
            symbol: btcusdt(),
            order,
            cancel_client_order_id: None,
            restriction: None,
        })
    });
    let trade = (at(), lots(), side()).prop_map(|(price, quantity, aggressor)| {
        Command::MarketTrade(MarketTrade { symbol: btcusdt(), trade_id: None, price, quantity, aggressor })
    });
    let adjust = (account(), -200..400i128).prop_map(|(account, whole)| Command::Adjust {
        account,
        asset: asset("USDT"),
        delta: Amount::from_units(whole * 100_000_000),
    });
    prop_oneof![
        20 => new_order().prop_map(Command::Place),
        3 => oco(),
        4 => cancel,
        3 => replace,
        5 => market_book(),
        5 => trade,
        1 => adjust,
        1 => account().prop_map(|account| Command::CancelAll { account, symbol: btcusdt() }),
    ]
}

fn opening() -> Vec<Command> {
    let mut commands = vec![Command::ListSymbol(SymbolSpec { max_num_orders: 30, ..spec() })];
    for number in 0..3 {
        let account = AccountId(number);
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        commands.push(Command::OpenAccount { account, maker: rate("0.00075"), taker: rate("0.001") });
        for (name, paid_in) in [("BTC", "12"), ("USDT", "1500")] {
            commands.push(Command::Adjust { account, asset: asset(name), delta: amount(paid_in) });
        }
    }
    commands.push(Command::MarketTrade(MarketTrade {
        symbol: btcusdt(),
        trade_id: Some(7),
        price: price("100"),
        quantity: qty("1"),
        aggressor: Side::Buy,
    }));
    commands
}

/// Applies one command; the answer and events as JSON.
fn apply(exchange: &mut Exchange, now_ms: i64, command: &Command) -> (String, Vec<ExchangeEvent>) {
    let mut events = Vec::new();
    let answer = match exchange.apply(now_ms, command, &mut events) {
        Ok(outcome) => serde_json::to_string(&outcome).unwrap(),
        Err(refusal) => refusal.to_string(),
    };
    (answer, events)
}

/// A reader of the public stream: its book must equal the exchange's at every update id.
#[derive(Default)]
struct Reader {
    last_update_id: u64,
    last_trade_id: u64,
    bids: std::collections::BTreeMap<Price, Qty>,
    asks: std::collections::BTreeMap<Price, Qty>,
}

impl Reader {
    fn read(&mut self, events: &[ExchangeEvent]) -> Result<(), TestCaseError> {
        for event in events {
            match event {
                ExchangeEvent::Book(change) => {
                    prop_assert_eq!(change.first_update_id, self.last_update_id + 1, "a gap");
                    prop_assert!(change.last_update_id >= change.first_update_id);
                    self.last_update_id = change.last_update_id;
                    for (side, levels) in [(&mut self.bids, &change.bids), (&mut self.asks, &change.asks)] {
                        for (price, quantity) in levels {
                            if quantity.is_zero() {
                                side.remove(price);
                            } else {
                                side.insert(*price, *quantity);
                            }
                        }
                    }
                }
                ExchangeEvent::Trade(trade) => {
                    prop_assert!(trade.trade_id.0 > self.last_trade_id, "a trade id twice");
                    self.last_trade_id = trade.trade_id.0;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reports tell every order's story without a missing chapter.
fn tell(
    stories: &mut std::collections::BTreeMap<OrderId, ExecutionReport>,
    events: &[ExchangeEvent],
) -> Result<(), TestCaseError> {
    for event in events {
        let ExchangeEvent::Execution(report) = event else { continue };
        let Some(before) = stories.insert(report.order_id, ExecutionReport::clone(report)) else {
            prop_assert_eq!(report.execution_type, ExecutionType::New);
            continue;
        };
        prop_assert!(before.status.is_open(), "a report after the end: {:?}", report);
        prop_assert!(report.execution_id > before.execution_id);
        prop_assert_eq!(report.cumulative_quantity, before.cumulative_quantity + report.last_quantity);
        prop_assert_eq!(report.cumulative_quote, before.cumulative_quote + report.last_quote);
    }
    Ok(())
}

fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![1..3i64, Just(99_999_999), Just(100_000_000), any::<i64>(), (i64::MAX - 3)..=i64::MAX]
}

/// Numbers at the edge of what the types hold, some of them negative, with every filter off.
fn extreme_command() -> impl Strategy<Value = Command> {
    let price = || extreme().prop_map(Price::from_units);
    let qty = || extreme().prop_map(Qty::from_units);
    let budget =
        prop_oneof![extreme().prop_map(i128::from), Just(i128::MAX), Just(1 << 100), Just(i128::MIN)];
    let terms = prop_oneof![
        3 => (price(), qty(), time_in_force()).prop_map(|(price, quantity, time_in_force)| Terms::Limit {
            price, quantity, time_in_force
        }),
        1 => qty().prop_map(|quantity| Terms::Market { quantity }),
        2 => budget.clone().prop_map(|units| Terms::MarketQuote { quote_quantity: Amount::from_units(units) }),
        1 => (qty(), price()).prop_map(|(quantity, stop_price)| Terms::StopLoss { quantity, stop_price }),
    ];
    let stp = prop::option::of(prop::sample::select(StpMode::ALL));
    let place = (account(), side(), terms, stp).prop_map(|(account, side, terms, stp)| {
        Command::Place(NewOrder { account, symbol: btcusdt(), side, terms, client_order_id: None, stp })
    });
    let levels = || prop::collection::vec((price(), qty()), 0..3);
    let book = (levels(), levels(), any::<bool>(), prop::option::of(any::<u64>())).prop_map(
        |(bids, asks, replace, last_update_id)| {
            Command::MarketBook(MarketBook { symbol: btcusdt(), replace, last_update_id, bids, asks })
        },
    );
    let trade = (price(), qty(), side(), prop::option::of(any::<u64>())).prop_map(
        |(price, quantity, aggressor, trade_id)| {
            Command::MarketTrade(MarketTrade { symbol: btcusdt(), trade_id, price, quantity, aggressor })
        },
    );
    let adjust = (account(), prop::bool::ANY, budget).prop_map(|(account, base, units)| Command::Adjust {
        account,
        asset: asset(if base { "BTC" } else { "USDT" }),
        delta: Amount::from_units(units),
    });
    prop_oneof![6 => place, 3 => book, 2 => trade, 2 => adjust]
}

/// With the lot filter off, a budget that buys nothing was once an order without quantity, and the walk through
/// the book never ended.
#[test]
fn a_budget_that_buys_nothing_is_refused() {
    let off = LotSize { min_qty: Qty::ZERO, max_qty: Qty::ZERO, step_size: Qty::ZERO };
    let notional =
        NotionalFilter { min_notional: Amount::ZERO, max_notional: Amount::ZERO, ..spec().notional };
    let price = PriceFilter { min_price: Price::ZERO, max_price: Price::ZERO, tick_size: Price::ZERO };
    for stp in [Some(StpMode::ExpireTaker), Some(StpMode::ExpireBoth), None] {
        let mut exchange = Exchange::new(Limits::default());
        exchange.list_symbol(SymbolSpec { price, lot: off, market_lot: off, notional, ..spec() }).unwrap();
        exchange.open_account(0, AccountId(0), Rate::ZERO, Rate::ZERO).unwrap();
        for name in ["BTC", "USDT"] {
            let delta = Amount::from_units(1 << 80);
            apply(&mut exchange, 1, &Command::Adjust { account: AccountId(0), asset: asset(name), delta });
        }
        let order = |side, terms| {
            Command::Place(NewOrder {
                account: AccountId(0),
                symbol: btcusdt(),
                side,
                terms,
                client_order_id: None,
                stp,
            })
        };
        let (price, quantity) = (Price::from_units(1 << 40), Qty::from_units(1 << 40));
        let terms = Terms::Limit { price, quantity, time_in_force: TimeInForce::Gtc };
        apply(&mut exchange, 2, &order(Side::Sell, terms));
        let terms = Terms::MarketQuote { quote_quantity: Amount::from_units(1) };
        let (answer, events) = apply(&mut exchange, 3, &order(Side::Buy, terms));
        assert!(answer.contains("LOT_SIZE") && events.is_empty(), "{stp:?}: {answer} {events:?}");
        exchange.audit().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Conservation, no negative balance, locks equal needs, filled within quantity, no crossed book
    /// (all in `audit`); the public stream has no gap and rebuilds the book; reports add up.
    #[test]
    fn every_command_leaves_the_exchange_sound(commands in prop::collection::vec(command(), 1..70)) {
        let mut exchange = Exchange::new(Limits::default());
        let mut reader = Reader::default();
        let mut stories = std::collections::BTreeMap::new();
        for (now_ms, command) in (1..).zip(opening().iter().chain(&commands)) {
            let (answer, events) = apply(&mut exchange, now_ms * 7_000, command);
            exchange.audit().map_err(|failure| {
                TestCaseError::fail(format!("{failure} after {command:?}: {answer}"))
            })?;
            reader.read(&events)?;
            tell(&mut stories, &events)?;
            let book = exchange.book(btcusdt(), usize::MAX);
            if let Ok(book) = book {
                prop_assert_eq!(book.last_update_id, reader.last_update_id);
                let bids: Vec<_> = reader.bids.iter().rev().map(|(p, q)| (*p, *q)).collect();
                let asks: Vec<_> = reader.asks.iter().map(|(p, q)| (*p, *q)).collect();
                prop_assert_eq!((book.bids, book.asks), (bids, asks));
            }
        }
        for order in exchange.orders() {
            let last = &stories[&order.order_id];
            prop_assert_eq!((last.status, last.cumulative_quantity), (order.status, order.executed));
            let spent = order.quote_quantity;
            prop_assert!(spent.is_zero() || order.executed_quote <= spent);
        }
    }

    /// Overflow checks are on in every profile: a sum that does not fit would panic here.
    #[test]
    fn no_number_is_too_large(commands in prop::collection::vec(extreme_command(), 1..40)) {
        let off = LotSize { min_qty: Qty::ZERO, max_qty: Qty::ZERO, step_size: Qty::ZERO };
        let price = PriceFilter { min_price: Price::ZERO, max_price: Price::ZERO, tick_size: Price::ZERO };
        let notional =
            NotionalFilter { min_notional: Amount::ZERO, max_notional: Amount::ZERO, ..spec().notional };
        let spec = SymbolSpec { price, lot: off, market_lot: off, notional, ..spec() };
        let mut exchange = Exchange::new(Limits::default());
        exchange.list_symbol(spec).unwrap();
        for number in 0..3 {
            let rate = Rate::from_units(99_999_999);
            exchange.open_account(0, AccountId(number), rate, rate).unwrap();
        }
        for (now_ms, command) in (i64::MAX - 100..).zip(&commands) {
            apply(&mut exchange, now_ms, command);
            exchange.audit().map_err(|failure| TestCaseError::fail(format!("{failure} after {command:?}")))?;
        }
    }

    #[test]
    fn the_same_commands_give_the_same_bytes(commands in prop::collection::vec(command(), 1..70)) {
        let run = || {
            let mut exchange = Exchange::new(Limits::default());
            let mut log = String::new();
            for (now_ms, command) in (1..).zip(opening().iter().chain(&commands)) {
                // Through JSON, as a journal would keep it.
                let command: Command = serde_json::from_str(&serde_json::to_string(command).unwrap()).unwrap();
                let (answer, events) = apply(&mut exchange, now_ms, &command);
                log += &answer;
                log += &serde_json::to_string(&events).unwrap();
            }
            (log, serde_json::to_string(&exchange.snapshot()).unwrap())
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn a_restored_exchange_behaves_as_the_original(
        commands in prop::collection::vec(command(), 1..90),
        cut in 0..90usize,
    ) {
        let mut exchange = Exchange::new(Limits::default());
        let all: Vec<_> = opening().into_iter().chain(commands).collect();
        let (before, after) = all.split_at(cut.min(all.len()));
        for (now_ms, command) in (1..).zip(before) {
            apply(&mut exchange, now_ms, command);
        }
        let json = serde_json::to_string(&exchange.snapshot()).unwrap();
        let mut restored = Exchange::restore(serde_json::from_str(&json).unwrap()).unwrap();
        prop_assert_eq!(restored.snapshot(), exchange.snapshot());
        for (now_ms, command) in (1_000..).zip(after) {
            prop_assert_eq!(apply(&mut restored, now_ms, command), apply(&mut exchange, now_ms, command));
        }
        prop_assert_eq!(restored.snapshot(), exchange.snapshot());
    }
}

#[test]
fn random_commands_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let commands = prop::collection::vec(command(), 6_000).new_tree(&mut runner).unwrap().current();
    let mut exchange = Exchange::new(Limits::default());
    let mut reached = std::collections::BTreeSet::new();
    for (now_ms, command) in (1..).zip(opening().iter().chain(&commands)) {
        for event in apply(&mut exchange, now_ms * 100, command).1 {
            if let ExchangeEvent::Execution(report) = event {
                reached.insert(report.status);
            }
        }
    }
    // REJECTED needs a book far beyond the stop price; `stops_and_lists` builds one.
    for status in OrderStatus::ALL.iter().filter(|status| **status != OrderStatus::Rejected) {
        assert!(reached.contains(status), "{status} was never reached");
    }
    for kind in OrderType::ALL {
        let traded =
            exchange.orders().iter().any(|order| order.kind == *kind && order.executed.is_positive());
        assert!(traded, "{kind} never traded");
    }
    assert!(exchange.order_lists().iter().any(|list| list.done));
    assert!(exchange.duplicate_client_order_ids_refused() > 0);
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let mut exchange = Exchange::new(Limits::default());
    for (now_ms, command) in (1..).zip(&opening()) {
        apply(&mut exchange, now_ms, command);
    }
    let json = serde_json::to_string(&exchange.snapshot()).unwrap();
    assert!(Exchange::restore(serde_json::from_str(&json).unwrap()).is_ok());
    let richer = json.replacen("\"1500.00000000\"", "\"1501.00000000\"", 1);
    let failure = Exchange::restore(serde_json::from_str(&richer).unwrap()).unwrap_err();
    assert!(failure.to_string().contains("USDT"), "{failure}");
}
