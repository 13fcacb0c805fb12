//! The books against worked examples, and against the plain sums of a true history in any order.

use super::*;
use crate::domain::ids::{Correlation, VenueOrderId};
use crate::domain::money::Quantity;
use crate::domain::order_types::{Liquidity, Side};
use proptest::prelude::*;
use rust_decimal::Decimal;

const EVERYBODY: [&str; 2] = ["quoter", "taker"];

fn venue() -> VenueId {
    VenueId::new("paper").unwrap()
}

fn symbol() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

fn asset(text: &str) -> Asset {
    Asset::new(text).unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn quoter() -> StrategyId {
    StrategyId::new("quoter").unwrap()
}

fn fill(trade: u64, side: Side, quantity: &str, price_text: &str) -> BookedFill {
    BookedFill {
        venue: venue(),
        fill: Fill {
            trade_id: TradeId::from(trade),
            symbol: symbol(),
            venue_order_id: VenueOrderId::from(1),
            client_order_id: None,
            side,
            quantity: Quantity::parse(quantity).unwrap(),
            price: price(price_text),
            fee: amount("0.1"),
            fee_asset: Some(asset("BNB")),
            liquidity: Liquidity::Maker,
            at: WallMs(1),
        },
        client_order_id: None,
        strategy: quoter(),
        correlation: Correlation::new("c").unwrap(),
        booked_at: WallMs(i64::try_from(trade).unwrap()),
        busted: false,
    }
}

fn book(ledger: &mut Ledger, fill: &BookedFill) -> Position {
    ledger.book(fill, &asset("BTC"), &asset("USDT")).unwrap().position
}

/// Quantity, average price, realised profit.
fn figures(position: &Position) -> (String, Option<String>, String) {
    let average = position.average_price.map(|p| p.to_string());
    (position.quantity.to_string(), average, position.realised_pnl.to_string())
}

fn expect(position: &Position, quantity: &str, average: Option<&str>, realised: &str) {
    let wanted = (quantity.to_owned(), average.map(str::to_owned), realised.to_owned());
    assert_eq!(figures(position), wanted);
}

#[test]
fn average_cost_reduction_and_the_way_through_zero() {
    let mut ledger = Ledger::default();
    expect(&book(&mut ledger, &fill(1, Side::Buy, "1", "100")), "1", Some("100"), "0");
    expect(&book(&mut ledger, &fill(2, Side::Buy, "3", "120")), "4", Some("115"), "0");
    expect(&book(&mut ledger, &fill(3, Side::Sell, "1", "135")), "3", Some("115"), "20");
    expect(&book(&mut ledger, &fill(4, Side::Sell, "5", "105")), "-2", Some("105"), "-10");
    expect(&book(&mut ledger, &fill(5, Side::Buy, "2", "100")), "0", None, "0");
    let position = ledger.position(&venue(), &symbol(), &quoter()).unwrap();
    assert_eq!((position.turnover, position.fees.get(&asset("BNB"))), (amount("12"), Some(&amount("0.5"))));
    assert_eq!(position.unrealised(price("7")), Some(Amount::ZERO));
}

#[test]
fn a_trade_is_booked_once() {
    let mut ledger = Ledger::default();
    book(&mut ledger, &fill(7, Side::Buy, "1", "100"));
    let before = ledger.clone();
    let again = ledger.book(&fill(7, Side::Buy, "1", "100"), &asset("BTC"), &asset("USDT"));
    assert!(matches!(again, Err(LedgerError::AlreadyBooked { .. })));
    assert_eq!(ledger, before);
    assert_eq!(ledger.last_trade(&venue(), &symbol()), Some(TradeId::from(7)));
}

#[test]
fn a_figure_that_does_not_fit_changes_nothing() {
    let mut ledger = Ledger::default();
    book(&mut ledger, &fill(1, Side::Buy, "1", "100"));
    let before = ledger.clone();
    let huge = Decimal::MAX.to_string();
    let too_much = ledger.book(&fill(2, Side::Buy, &huge, "2"), &asset("BTC"), &asset("USDT"));
    assert!(matches!(too_much, Err(LedgerError::Overflow { .. })));
    let too_fine = ledger.book(
        &fill(2, Side::Buy, "0.00000000000000000001", "0.00000000000000000001"),
        &asset("BTC"),
        &asset("USDT"),
    );
    assert!(matches!(too_fine, Err(LedgerError::Overflow { .. })), "40 decimals would be rounded");
    assert_eq!(ledger, before);
    assert_eq!(ledger.seen(&venue(), &symbol(), &TradeId::from(2)), Seen::New);
}

#[test]
fn a_bust_undoes_what_it_built_up() {
    let mut ledger = Ledger::default();
    book(&mut ledger, &fill(1, Side::Buy, "1", "100"));
    let second = fill(2, Side::Buy, "1", "200");
    book(&mut ledger, &second);
    let undone = ledger.bust(&second, &asset("BTC"), &asset("USDT")).unwrap();
    expect(&undone.position, "1", Some("100"), "0");
    assert_eq!(undone.position.turnover, amount("1"));
    assert_eq!(undone.position.fees.get(&asset("BNB")), Some(&amount("0.1")));
    assert_eq!(ledger.seen(&venue(), &symbol(), &TradeId::from(2)), Seen::Booked, "a late copy stays out");
    let first = fill(1, Side::Buy, "1", "100");
    expect(&ledger.bust(&first, &asset("BTC"), &asset("USDT")).unwrap().position, "0", None, "0");
}

#[test]
fn balances_are_expected_from_baseline_flows_fees_and_moves() {
    let mut ledger = Ledger::default();
    book(&mut ledger, &fill(1, Side::Buy, "9", "100"));
    assert_eq!(ledger.expected(&venue()), None);
    let held = |name: &str, free: &str, locked: &str| Balance {
        asset: asset(name),
        free: amount(free),
        locked: amount(locked),
    };
    let baseline = [held("USDT", "900", "100"), held("BNB", "2", "0"), held("BTC", "0", "0")];
    ledger.set_baseline(&venue(), &baseline).unwrap();
    book(&mut ledger, &fill(2, Side::Buy, "2", "100"));
    let mut in_base = fill(3, Side::Sell, "1", "110");
    in_base.fill.fee_asset = Some(asset("BTC"));
    book(&mut ledger, &in_base);
    ledger.moved(&venue(), &asset("USDT"), amount("-10")).unwrap();
    let expected = ledger.expected(&venue()).unwrap();
    let wanted = [("BNB", "1.9"), ("BTC", "0.9"), ("USDT", "900")];
    assert_eq!(expected, wanted.into_iter().map(|(name, text)| (asset(name), amount(text))).collect());
    let usdt = ledger.account(&venue(), &asset("USDT")).unwrap();
    assert_eq!((usdt.baseline, usdt.flows, usdt.moves), (amount("1000"), amount("-90"), amount("-10")));
}

#[test]
fn closing_the_books_keeps_the_memory_of_trades() {
    let mut ledger = Ledger::default();
    book(&mut ledger, &fill(1, Side::Buy, "9", "100"));
    ledger.set_baseline(&venue(), &[]).unwrap();
    let closed = ledger.clear(WallMs(77));
    expect(closed.first().unwrap(), "0", None, "0");
    assert_eq!((ledger.positions().count(), ledger.expected(&venue())), (0, None));
    assert_eq!(ledger.seen(&venue(), &symbol(), &TradeId::from(1)), Seen::Booked);
    ledger.open_after(&venue(), &symbol(), 5);
    assert_eq!(ledger.seen(&venue(), &symbol(), &TradeId::from(5)), Seen::BeforeBooks);
}

#[test]
fn a_snapshot_brings_the_same_books_back() {
    let mut ledger = Ledger::default();
    for trade in 1..50 {
        book(&mut ledger, &fill(trade, if trade % 3 == 0 { Side::Sell } else { Side::Buy }, "0.7", "99.13"));
    }
    ledger.set_baseline(&venue(), &[]).unwrap();
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
}

/// A true history: quantities of 0.001 to 5, prices of 0.01 to 1000.
fn history() -> impl Strategy<Value = Vec<BookedFill>> {
    let one = (any::<bool>(), 1_i64..5_000, 1_i64..100_000, -500_i64..5_000, 0_usize..3, 0_usize..2);
    prop::collection::vec(one, 1..40).prop_map(|drawn| {
        let mut trade = 0_u64;
        let fills = drawn.into_iter().map(|(buy, quantity, cents, fee, fee_asset, who)| {
            trade += 1;
            let side = if buy { Side::Buy } else { Side::Sell };
            let quantity = Decimal::new(quantity, 3).to_string();
            let mut made = fill(trade, side, &quantity, &Decimal::new(cents, 2).to_string());
            made.fill.fee = Amount::new(Decimal::new(fee, 6)).unwrap();
            made.fill.fee_asset = Some(asset(["BTC", "USDT", "BNB"][fee_asset]));
            made.strategy = StrategyId::new(EVERYBODY[who]).unwrap();
            made
        });
        fills.collect()
    })
}

/// What a history comes to, by plain sums.
fn truth(fills: &[BookedFill]) -> (Decimal, Decimal, BTreeMap<Asset, Amount>, BTreeMap<Asset, Decimal>) {
    let (mut quantity, mut cash) = (Decimal::ZERO, Decimal::ZERO);
    let mut fees = BTreeMap::<Asset, Amount>::new();
    let mut balances = BTreeMap::<Asset, Decimal>::new();
    for booked in fills {
        let sign = if booked.fill.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        let base = sign * booked.fill.quantity.get();
        let quote = -base * booked.fill.price.get();
        quantity += base;
        cash += quote;
        let paid = booked.fill.fee_asset.clone().unwrap();
        let sum = fees.get(&paid).copied().unwrap_or(Amount::ZERO).checked_add(booked.fill.fee).unwrap();
        fees.insert(paid.clone(), sum);
        *balances.entry(asset("BTC")).or_default() += base;
        *balances.entry(asset("USDT")).or_default() += quote;
        *balances.entry(paid).or_default() -= booked.fill.fee.get();
    }
    fees.retain(|_, fee| !fee.is_zero());
    balances.retain(|_, sum| !sum.is_zero());
    (quantity, cash, fees, balances)
}

/// Books what arrives, as the order management does: what was seen is left out.
fn take(ledger: &mut Ledger, fills: &[BookedFill]) {
    for one in fills {
        if ledger.seen(&one.venue, &one.fill.symbol, &one.fill.trade_id) == Seen::New {
            book(ledger, one);
        }
    }
}

proptest! {
    /// Shuffled, partly lost, partly twice, then recovered by a fetch of everything: the sums are the true
    /// ones, and realised plus unrealised is the same at any mark.
    #[test]
    fn any_arrival_of_a_history_books_to_the_truth(
        (fills, arrival) in history().prop_flat_map(|fills| {
            let indexes: Vec<usize> = (0..fills.len()).flat_map(|n| [n, n]).collect();
            (Just(fills), Just(indexes).prop_shuffle())
        }),
        lost in any::<u64>(),
        mark in 1_i64..200_000,
    ) {
        let arriving: Vec<BookedFill> = arrival
            .into_iter()
            .filter(|n| lost >> (n % 64) & 1 == 0)
            .map(|n| fills[n].clone())
            .collect();
        let mut ledger = Ledger::default();
        ledger.set_baseline(&venue(), &[]).unwrap();
        take(&mut ledger, &arriving);
        take(&mut ledger, &fills);

        let (quantity, cash, fees, balances) = truth(&fills);
        let net = ledger.net(&venue(), &symbol()).unwrap();
        prop_assert_eq!(net.quantity.get(), quantity);
        prop_assert_eq!(net.cash.get(), cash);
        prop_assert_eq!(net.fees, fees);
        let expected = ledger.expected(&venue()).unwrap();
        let mut expected: BTreeMap<Asset, Decimal> =
            expected.into_iter().map(|(name, sum)| (name, sum.get())).collect();
        expected.retain(|_, sum| !sum.is_zero());
        prop_assert_eq!(expected, balances);

        let mark = Price::new(Decimal::new(mark, 2)).unwrap();
        let mut total = Decimal::ZERO;
        for name in EVERYBODY {
            let who = StrategyId::new(name).unwrap();
            let own: Vec<BookedFill> = fills.iter().filter(|one| one.strategy == who).cloned().collect();
            let (own_quantity, own_cash, _, _) = truth(&own);
            let realised = ledger.position(&venue(), &symbol(), &who).map_or(Decimal::ZERO, |p| p.realised_pnl.get());
            let unrealised = ledger.unrealised(&venue(), &symbol(), &who, mark).unwrap().get();
            prop_assert_eq!(realised + unrealised, own_cash + own_quantity * mark.get());
            total += realised + unrealised;
        }
        prop_assert_eq!(total, cash + quantity * mark.get());
    }

    /// Taking back any part of a history leaves the sums of the rest.
    #[test]
    fn busts_leave_the_rest(fills in history(), taken in any::<u64>(), mark in 1_i64..200_000) {
        let mut ledger = Ledger::default();
        take(&mut ledger, &fills);
        let (gone, rest): (Vec<_>, Vec<_>) =
            fills.into_iter().enumerate().partition(|(n, _)| taken >> (n % 64) & 1 == 1);
        for (_, one) in &gone {
            ledger.bust(one, &asset("BTC"), &asset("USDT")).unwrap();
        }
        let rest: Vec<BookedFill> = rest.into_iter().map(|(_, one)| one).collect();
        let (quantity, cash, fees, _) = truth(&rest);
        let net = ledger.net(&venue(), &symbol()).unwrap();
        prop_assert_eq!((net.quantity.get(), net.cash.get()), (quantity, cash));
        prop_assert_eq!(net.fees, fees);
        let mark = Price::new(Decimal::new(mark, 2)).unwrap();
        let mut total = Decimal::ZERO;
        for position in ledger.positions() {
            let held = ledger.unrealised(&venue(), &symbol(), &position.strategy, mark).unwrap();
            total += position.realised_pnl.get() + held.get();
        }
        prop_assert_eq!(total, cash + quantity * mark.get());
    }

    /// The average price lies between the lowest and the highest price of the side that is held, when no fill
    /// went the other way.
    #[test]
    fn an_average_is_between_its_prices(fills in history()) {
        let mut ledger = Ledger::default();
        let buys: Vec<BookedFill> = fills
            .into_iter()
            .filter(|one| one.fill.side == Side::Buy)
            .map(|one| BookedFill { strategy: quoter(), ..one })
            .collect();
        take(&mut ledger, &buys);
        let prices = || buys.iter().map(|one| one.fill.price);
        if let Some(position) = ledger.position(&venue(), &symbol(), &quoter()) {
            let average = position.average_price.unwrap();
            let slack = Price::parse("0.000000000001").unwrap();
            prop_assert!(average.checked_add(slack).unwrap() >= prices().min().unwrap());
            prop_assert!(average <= prices().max().unwrap().checked_add(slack).unwrap());
        }
    }
}
