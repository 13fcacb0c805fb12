//! Profit and loss over time: breaches, days, peaks, records of trades, and the gauges.

use super::book::View;
use super::testing::{
    code, d, instrument, mark, narrow, now, order, position, proposal, risk, strategy, symbol, venue,
};
use super::{
    BreachKind, Consequence, DrawdownLimit, Limit, LossLimit, Message, Proposal, Risk, RiskMarks, RiskScope,
    RiskSettings, Standing, StrategyLimits,
};
use crate::domain::ids::{Asset, Symbol};
use crate::domain::instrument::Instrument;
use crate::domain::ledger::Position;
use crate::domain::money::{Amount, Price};
use crate::domain::oms::Mark;
use crate::domain::order_types::Side;
use crate::domain::time::Mono;

fn wide() -> RiskSettings {
    RiskSettings::for_rehearsal(Asset::new("USDT").unwrap())
}

/// The first strategy holds 10 bought at 100; its profit follows the price.
fn holding(mut settings: RiskSettings) -> Risk {
    settings.account.capital = Limit::At(d("1000"));
    settings.strategies[0].budget = Limit::At(d("100000"));
    settings.account.leverage = Limit::At(d("10"));
    settings.account.daily_loss = Limit::At(LossLimit { most: d("60"), then: Consequence::ReduceOnly });
    let fall = DrawdownLimit { soft: d("0.05"), hard: d("0.1"), then: Consequence::Kill };
    settings.account.drawdown = Limit::At(fall);
    let mut desk = risk(settings);
    desk.position(&position(0, 0, d("10"), Some(d("100")), d("0")));
    desk
}

fn read(risk: &mut Risk, second: u64, price: i64) -> Vec<(BreachKind, Consequence)> {
    let at = second * 1_000;
    risk.mark(Mono(at), &venue(0), &symbol(0), mark(price - 1, price + 1));
    risk.tick(now(at)).into_iter().map(|breach| (breach.kind, breach.consequence)).collect()
}

#[test]
fn losses_are_breaches_after_three_readings() {
    let mut risk = holding(wide());
    for second in 0..3 {
        assert_eq!(read(&mut risk, second, 100), []);
    }
    assert_eq!(read(&mut risk, 3, 1), [], "one bad tick halts nothing");
    for second in 4..6 {
        assert_eq!(read(&mut risk, second, 100), []);
    }
    for second in 6..8 {
        assert_eq!(read(&mut risk, second, 93), []);
    }
    // Between the readings nothing counts.
    assert_eq!(risk.tick(now(7_999)), []);
    let told = read(&mut risk, 8, 93);
    assert_eq!(
        told,
        [(BreachKind::DailyLoss, Consequence::ReduceOnly), (BreachKind::DrawdownSoft, Consequence::Throttle)]
    );
    assert_eq!(read(&mut risk, 9, 93), [], "told once");
    for second in 10..12 {
        assert_eq!(read(&mut risk, second, 90), []);
    }
    assert_eq!(read(&mut risk, 12, 90), [(BreachKind::DrawdownHard, Consequence::Kill)]);
    assert_eq!(risk.breaches().len(), 3);
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    risk.mark(Mono(12_000), &venue(0), &symbol(0), mark(99, 101));
    assert_eq!(
        code(&risk.decide(now(12_000), &asked, &Standing::fine())),
        "DRAWDOWN",
        "confirmed, so one good tick ends nothing"
    );
    let out = proposal(0, 0, Side::Sell, 1, 100);
    assert_eq!(code(&risk.decide(now(12_000), &out, &Standing::fine())), "ok", "the way out stays open");
    risk.rebase_peak(None);
    assert_eq!(code(&risk.decide(now(12_000), &asked, &Standing::fine())), "ok", "a person accepted it");
    assert_eq!(read(&mut risk, 13, 100), []);
    assert!(risk.breaches().is_empty());
}

#[test]
fn a_day_begins_at_midnight_and_survives_a_restart() {
    let mut risk = holding(wide());
    for second in 0..3 {
        read(&mut risk, second, 100);
    }
    risk.marks_noted(now(2_000));
    assert!(!risk.marks_dirty(now(2_000)));
    let mut again = holding(wide());
    let text = serde_json::to_string(&risk.marks()).unwrap();
    again.restore(serde_json::from_str::<RiskMarks>(&text).unwrap());
    again.mark(Mono(3_000), &venue(0), &symbol(0), mark(92, 94));
    let asked = proposal(0, 0, Side::Buy, 1, 93);
    assert_eq!(code(&again.decide(now(3_000), &asked, &Standing::fine())), "DAILY_LOSS");
    // The next day, three readings later.
    for second in 86_400..86_403 {
        read(&mut risk, second, 93);
    }
    assert!(risk.marks_dirty(now(86_402_000)), "a day is written at once");
    risk.mark(Mono(86_402_000), &venue(0), &symbol(0), mark(92, 94));
    let lost = risk.explain(now(86_402_000), &asked, &Standing::fine()).figures.day_loss.account;
    assert_eq!(lost, Some(d("0")), "yesterday's readings are not the day's beginning for long");
}

#[test]
fn peaks_are_written_now_and_then() {
    let mut risk = holding(wide());
    for second in 0..3 {
        read(&mut risk, second, 100);
    }
    risk.marks_noted(now(2_000));
    for second in 3..6 {
        read(&mut risk, second, 105);
    }
    assert!(!risk.marks_dirty(now(11_999)), "a peak waits");
    assert!(risk.marks_dirty(now(12_000)));
    risk.marks_noted(now(12_000));
    assert!(!risk.marks_dirty(now(100_000)));
}

#[test]
fn fees_and_closed_trades_count() {
    let mut risk = risk(wide());
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    let mut held = position(0, 0, d("2"), Some(d("100")), d("0"));
    held.fees.insert(Asset::new("USDT").unwrap(), Amount::parse("3").unwrap());
    risk.position(&held);
    let figures = risk.explain(now(0), &asked, &Standing::fine()).figures;
    assert_eq!((figures.pnl.account, figures.pnl.strategy), (Some(d("-3")), Some(d("-3"))));
    assert_eq!(figures.trades.trades, 0, "the first word is history");
    let mut sold = position(0, 0, d("1"), Some(d("100")), d("7"));
    sold.fees.insert(Asset::new("USDT").unwrap(), Amount::parse("4").unwrap());
    risk.position(&sold);
    let figures = risk.explain(now(0), &asked, &Standing::fine()).figures;
    assert_eq!(figures.pnl.account, Some(d("3")));
    assert_eq!((figures.trades.trades, figures.trades.wins, figures.trades.mean_win), (1, 1, d("6")));
    sold.fees.insert(Asset::new("BNB").unwrap(), Amount::parse("1").unwrap());
    risk.position(&sold);
    let figures = risk.explain(now(0), &asked, &Standing::fine()).figures;
    assert_eq!(figures.pnl.account, None, "a fee that nobody can price");
    assert_eq!(code(&risk.decide(now(0), &asked, &Standing::fine())), "NO_VALUATION");
    let out = proposal(0, 0, Side::Sell, 1, 100);
    assert_eq!(code(&risk.decide(now(0), &out, &Standing::fine())), "ok");
}

#[test]
fn gauges_show_the_tightest_first() {
    let mut settings = narrow();
    settings.account.assets.push((Some(Asset::new("ETH").unwrap()), Limit::At(d("900"))));
    settings.account.rates.messages_per_second = Limit::At(20);
    settings.strategies[0].rates.messages_per_minute = Limit::At(30);
    let mut risk = risk(settings);
    risk.position(&position(0, 0, d("10"), Some(d("100")), d("0")));
    risk.order(&order(1, 0, 0, Side::Buy, 1, 100));
    risk.sent(Mono(0), &strategy(0), Message::Cancel);
    let gauges = risk.gauges(Mono(0));
    let find = |name: &str, scope: &str| {
        let one = gauges.iter().find(|one| one.name == name && one.scope == scope);
        one.map(|one| (one.used, one.limit)).unwrap_or_else(|| panic!("{name} {scope}"))
    };
    assert_eq!(find("gross_exposure", "account"), (Some(d("1100")), Some(d("6000"))));
    assert_eq!(find("net_exposure", "venue/v0"), (Some(d("1100")), Some(d("3000"))));
    assert_eq!(find("gross_exposure", "strategy/s0"), (Some(d("1100")), Some(d("2500"))));
    assert_eq!(find("budget", "strategy/s0"), (Some(d("1100")), Some(d("3000"))));
    assert_eq!(find("max_position", "strategy/s0/v0/BTCUSDT"), (Some(d("11")), Some(d("12"))));
    assert_eq!(find("max_position", "symbol/v0/BTCUSDT"), (Some(d("11")), Some(d("18"))));
    assert_eq!(find("asset_exposure", "asset/BTC"), (Some(d("1100")), Some(d("3500"))));
    assert_eq!(find("asset_exposure", "asset/ETH"), (Some(d("0")), Some(d("900"))));
    assert_eq!(find("messages_per_second", "account"), (Some(d("1")), Some(d("20"))));
    assert_eq!(find("messages_per_minute", "strategy/s0"), (Some(d("1")), Some(d("30"))));
    assert_eq!(find("orders_per_second", "strategy/s0").0, Some(d("0")), "a cancel is no order");
    assert_eq!(find("leverage", "account"), (Some(d("0.22")), Some(d("1"))));
    assert_eq!(find("open_orders", "symbol/v0/BTCUSDT"), (Some(d("1")), Some(d("6"))));
    assert_eq!(find("open_orders", "account"), (Some(d("1")), Some(d("14"))));
    assert_eq!(find("daily_loss", "account"), (Some(d("0")), Some(d("900"))));
    assert_eq!(gauges[0].name, "max_position", "11 of 12 is the tightest");
    let ratios: Vec<_> = gauges.iter().map(|one| one.ratio).collect();
    assert!(ratios.is_sorted_by(|a, b| a.is_none() || a >= b), "{ratios:?}");
    risk.mark(Mono(0), &venue(0), &symbol(0), None);
    assert_eq!(risk.gauges(Mono(0))[0].ratio, None, "what is not known comes before everything");
    assert!(risk.gauges(Mono(0)).len() <= super::GAUGES_MAX);
}

#[test]
fn without_equity_nothing_held_is_no_leverage_and_anything_held_is_unknown() {
    let used = |held: &str| {
        let mut risk = risk(narrow());
        let average = (held != "0").then(|| d("100"));
        // All of the capital is lost.
        risk.position(&position(0, 0, d(held), average, d("-5000")));
        let gauges = risk.gauges(Mono(0));
        gauges.into_iter().find(|one| one.name == "leverage").unwrap().used
    };
    assert_eq!((used("0"), used("1")), (Some(d("0")), None));
}

#[test]
fn each_strategy_s_budget_is_used_by_its_own_exposure_and_its_own_losses() {
    let mut risk = risk(narrow());
    risk.position(&position(0, 0, d("10"), Some(d("100")), d("-30")));
    risk.position(&position(1, 1, d("-4"), Some(d("100")), d("20")));
    let gauges = risk.gauges(Mono(0));
    let used = |name: &str, scope: &str| {
        gauges.iter().find(|one| one.name == name && one.scope == scope).and_then(|one| one.used)
    };
    assert_eq!(used("gross_exposure", "account"), Some(d("1400")));
    assert_eq!(
        (used("budget", "strategy/s0"), used("budget", "strategy/s1")),
        (Some(d("1030")), Some(d("400")))
    );
}

#[test]
fn what_is_quoted_in_another_asset_is_valued_by_that_asset_s_price() {
    let mut risk = risk(wide());
    let cross = Instrument {
        symbol: Symbol::new("ETHBTC").unwrap(),
        quote: Asset::new("BTC").unwrap(),
        ..instrument(1)
    };
    risk.instrument(&venue(0), &cross);
    let (bid, ask) = (Price::parse("0.04").unwrap(), Price::parse("0.06").unwrap());
    risk.mark(Mono(0), &venue(0), &cross.symbol, Some(Mark { bid, ask }));
    let held = Position { symbol: cross.symbol.clone(), ..position(0, 0, d("10"), Some(d("0.05")), d("0")) };
    risk.position(&held);
    let asked = |symbol: &Symbol| Proposal { symbol: symbol.clone(), ..proposal(0, 0, Side::Buy, 1, 100) };
    let figures = |asked: &Proposal| risk.explain(now(0), asked, &Standing::fine()).figures;
    let here = figures(&asked(&cross.symbol));
    assert_eq!(here.quote_price, Some(d("100")), "the middle of BTCUSDT");
    assert_eq!(here.gross.account.map(|gross| gross.before.normalize()), Some(d("50")));
    assert_eq!(figures(&asked(&symbol(0))).quote_price, Some(d("1")));
}

#[test]
fn a_fee_in_another_asset_comes_off_a_trade_s_result_by_its_last_price() {
    let mut risk = risk(wide());
    let long_ago = 10_000_000;
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    let mut held = position(0, 0, d("2"), Some(d("100")), d("0"));
    risk.position(&held);
    held = position(0, 0, d("1"), Some(d("100")), d("7"));
    held.fees.insert(Asset::new("BTC").unwrap(), Amount::parse("0.01").unwrap());
    risk.position(&held);
    let trades = risk.explain(now(long_ago), &asked, &Standing::fine()).figures.trades;
    assert_eq!((trades.trades, trades.wins, trades.mean_win), (1, 1, d("6")));
}

#[test]
fn a_loss_or_a_fall_is_a_breach_beyond_its_limit_alone() {
    let read_at = |price: i64| {
        let mut risk = holding(wide());
        for second in 0..3 {
            read(&mut risk, second, 100);
        }
        (3..6).flat_map(|second| read(&mut risk, second, price)).map(|(kind, _)| kind).collect::<Vec<_>>()
    };
    // 50 of 1,000 are the soft level, 60 the loss of a day, 100 the hard level, which is one that may not be reached.
    assert_eq!(read_at(95), []);
    assert_eq!(read_at(94), [BreachKind::DrawdownSoft]);
    assert_eq!(read_at(93), [BreachKind::DailyLoss, BreachKind::DrawdownSoft]);
    assert!(!read_at(91).contains(&BreachKind::DrawdownHard));
    assert!(read_at(90).contains(&BreachKind::DrawdownHard));
}

#[test]
fn each_strategy_is_watched_by_its_own_limits() {
    let mut settings = wide();
    settings.strategies[0].budget = Limit::At(d("100000"));
    let own = |who: usize, most: &str| StrategyLimits {
        strategy: Some(strategy(who)),
        daily_loss: Limit::At(LossLimit { most: d(most), then: Consequence::Throttle }),
        ..StrategyLimits::default()
    };
    settings.strategies.extend([own(0, "60"), own(1, "500")]);
    let mut risk = risk(settings);
    for who in 0..2 {
        risk.position(&position(who, 0, d("10"), Some(d("100")), d("0")));
    }
    for second in 0..3 {
        read(&mut risk, second, 100);
    }
    let mut told = Vec::new();
    for second in 3..6 {
        let at = second * 1_000;
        risk.mark(Mono(at), &venue(0), &symbol(0), mark(89, 91));
        told.extend(risk.tick(now(at)).into_iter().filter(|one| one.kind == BreachKind::DailyLoss));
    }
    let scopes: Vec<_> = told.into_iter().map(|breach| breach.scope).collect();
    assert_eq!(scopes, [RiskScope::Strategy(strategy(0))]);
}

#[test]
fn the_account_s_profit_is_of_what_is_held_and_of_what_was_realised() {
    let pnl = |positions: &[Position]| {
        let mut risk = risk(wide());
        for position in positions {
            risk.position(position);
        }
        View::new(&risk.book, Mono(0), None).account_pnl().map(|pnl| pnl.normalize())
    };
    let was_closed = position(0, 0, d("0"), None, d("-30"));
    // Held without a price that it was bought at: all of its value is profit.
    let was_given = position(0, 1, d("2"), None, d("0"));
    let is_held = position(1, 2, d("3"), Some(d("90")), d("5"));
    assert_eq!(pnl(std::slice::from_ref(&was_closed)), Some(d("-30")));
    assert_eq!(pnl(std::slice::from_ref(&was_given)), Some(d("200")));
    assert_eq!(pnl(std::slice::from_ref(&is_held)), Some(d("35")));
    assert_eq!(pnl(&[was_closed, was_given, is_held]), Some(d("205")));
}
