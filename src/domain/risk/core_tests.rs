//! The chain as a whole: counting, throttles, latches, breaches, overrides, gauges, restarts.

use super::testing::{code, d, fill, mark, now, order, position, proposal, risk, strategy, symbol, venue};
use super::{
    BreachKind, Consequence, Decision, Limit, Message, Override, Proposal, RepeatLimit, Restraint, Risk,
    RiskScope, RiskSettings, Standing, StateGate,
};
use crate::domain::ids::Asset;
use crate::domain::money::Quantity;
use crate::domain::order::{OrderNumber, OrderState};
use crate::domain::order_types::Side;
use crate::domain::time::{Mono, WallMs};

fn wide() -> RiskSettings {
    RiskSettings::for_rehearsal(Asset::new("USDT").unwrap())
}

/// A buy of 1 at 100 by the first strategy.
fn buy(risk: &mut Risk, at_ms: u64) -> Decision {
    // Prices are fresh, whatever the time is.
    risk.mark(Mono(at_ms), &venue(0), &symbol(0), mark(99, 101));
    risk.decide(now(at_ms), &proposal(0, 0, Side::Buy, 1, 100), &Standing::fine())
}

#[test]
fn nothing_set_denies_everything() {
    let mut risk = risk(RiskSettings::nothing_set(Asset::new("USDT").unwrap()));
    assert_eq!(code(&buy(&mut risk, 0)), "LIMIT_NOT_SET");
    let lines = risk.explain(now(0), &proposal(0, 0, Side::Buy, 1, 100), &Standing::fine()).lines;
    let unset = lines.iter().filter(|line| line.code == "LIMIT_NOT_SET").count();
    assert!(unset >= 30, "every limit says that it is missing: {unset}");
}

#[test]
fn an_unknown_instrument_or_strategy_is_judged_too() {
    let mut risk = Risk::new(wide());
    assert_eq!(code(&buy(&mut risk, 0)), "NO_VALUATION", "no rules were heard: the quote asset is not known");
    let mut risk = risk_of(wide());
    assert_eq!(code(&risk.decide(now(0), &proposal(7, 0, Side::Buy, 1, 100), &Standing::fine())), "ok");
}

fn risk_of(settings: RiskSettings) -> Risk {
    risk(settings)
}

#[test]
fn approvals_count_and_denials_do_not() {
    let mut settings = wide();
    settings.strategies[0].rates.orders_per_second = Limit::At(2);
    let mut risk = risk_of(settings);
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    let halted = Standing { state: StateGate::Halted, ..Standing::fine() };
    for _ in 0..5 {
        assert!(
            risk.explain(now(0), &proposal(0, 0, Side::Buy, 1, 100), &Standing::fine()).verdict.is_approved()
        );
        let denied = risk.decide(now(0), &proposal(0, 0, Side::Buy, 1, 100), &halted);
        assert_eq!(code(&denied), "TRADING_HALTED");
    }
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    assert_eq!(code(&buy(&mut risk, 999)), "ORDER_RATE_EXCEEDED");
    assert_eq!(code(&buy(&mut risk, 1_100)), "ok");
}

#[test]
fn cancels_spend_the_budget_and_orders_are_denied() {
    let mut settings = wide();
    settings.account.rates.messages_per_second = Limit::At(3);
    let mut risk = risk_of(settings);
    for message in [Message::Cancel, Message::Modify] {
        risk.sent(Mono(0), &strategy(1), message);
    }
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    assert_eq!(code(&buy(&mut risk, 0)), "MESSAGE_BUDGET_SPENT");
    risk.sent(Mono(0), &strategy(1), Message::Cancel);
    let used = risk.explain(now(0), &proposal(0, 0, Side::Buy, 1, 100), &Standing::fine()).figures.rates;
    assert_eq!(
        (used.account.messages_1s, used.strategy.messages_1s),
        (4, 1),
        "a cancel is counted all the same"
    );
}

#[test]
fn the_same_order_twice_is_one_too_many() {
    let mut settings = wide();
    settings.account.order.duplicate_window_ms = Limit::At(500);
    let mut risk = risk_of(settings);
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    assert_eq!(code(&buy(&mut risk, 499)), "DUPLICATE_ORDER");
    let mut again = proposal(0, 0, Side::Buy, 1, 100);
    again.number = Some(OrderNumber(1));
    assert_eq!(
        code(&risk.decide(now(499), &again, &Standing::fine())),
        "ok",
        "a second sending of one order"
    );
    assert_eq!(code(&buy(&mut risk, 999)), "ok");
}

#[test]
fn a_replacement_is_not_counted_beside_its_original() {
    let mut settings = wide();
    settings.symbols[0].position = Limit::At(d("5"));
    settings.account.open_orders = Limit::At(1);
    let mut risk = risk_of(settings);
    risk.order(&order(1, 0, 0, Side::Buy, 5, 100));
    let mut asked = proposal(0, 0, Side::Buy, 4, 100);
    assert_eq!(code(&risk.decide(now(0), &asked, &Standing::fine())), "OPEN_ORDER_LIMIT");
    asked.replaces = Some(OrderNumber(1));
    assert_eq!(code(&risk.decide(now(0), &asked, &Standing::fine())), "ok");
    let mut more = proposal(0, 0, Side::Buy, 6, 100);
    more.replaces = Some(OrderNumber(1));
    assert_eq!(code(&risk.decide(now(0), &more, &Standing::fine())), "POSITION_LIMIT");
    let mut other = proposal(0, 1, Side::Buy, 4, 100);
    other.replaces = Some(OrderNumber(1));
    assert_eq!(
        code(&risk.decide(now(0), &other, &Standing::fine())),
        "OPEN_ORDER_LIMIT",
        "not of this instrument"
    );
    risk.forget(OrderNumber(1));
    assert_eq!(risk.book.open, 0);
}

#[test]
fn own_orders_are_seen_at_their_venue_only() {
    let mut settings = wide();
    settings.account.self_match = Limit::At(());
    let mut risk = risk_of(settings);
    risk.order(&order(1, 1, 0, Side::Sell, 1, 100));
    assert_eq!(code(&buy(&mut risk, 0)), "SELF_MATCH");
    let elsewhere = risk.decide(now(0), &proposal(0, 2, Side::Buy, 1, 100), &Standing::fine());
    assert_eq!(code(&elsewhere), "ok");
    let mut over = order(1, 1, 0, Side::Sell, 1, 100);
    over.state = OrderState::Cancelled;
    risk.order(&over);
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    let mut market = order(2, 1, 0, Side::Sell, 1, 100);
    (market.kind, market.price) = (crate::domain::order::OrderKind::Market, None);
    risk.order(&market);
    assert_eq!(code(&buy(&mut risk, 0)), "SELF_MATCH", "a market order meets everything");
}

#[test]
fn a_repeated_execution_latches_until_a_person_looks() {
    let mut settings = wide();
    settings.strategies[0].repeats = Limit::At(RepeatLimit { fills: 2, window_ms: 1_000 });
    let mut risk = risk_of(settings.clone());
    let mut taken_back = fill(0, 0, Side::Buy, 1);
    taken_back.busted = true;
    risk.filled(now(0), &taken_back);
    risk.filled(now(0), &fill(0, 0, Side::Buy, 1));
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    assert!(risk.tick(now(0)).is_empty() && risk.breaches().is_empty());
    risk.filled(now(999), &fill(0, 0, Side::Buy, 2));
    assert_eq!(code(&buy(&mut risk, 999)), "REPEATED_EXECUTION");
    assert_eq!(code(&buy(&mut risk, 100_000_000)), "REPEATED_EXECUTION", "no timer re-arms it");
    let breaches = risk.tick(now(999));
    assert_eq!(breaches.len(), 1);
    assert_eq!(
        (breaches[0].kind, breaches[0].consequence),
        (BreachKind::RepeatedExecution, Consequence::Throttle)
    );
    assert_eq!(breaches[0].scope, RiskScope::Strategy(strategy(0)));
    assert!(risk.tick(now(5_000)).is_empty(), "told once");
    assert_eq!(risk.breaches().len(), 1);
    assert!(risk.marks_dirty(now(999)));
    let mut again = risk_of(settings);
    again.restore(risk.marks());
    assert_eq!(code(&buy(&mut again, 0)), "REPEATED_EXECUTION", "it survives a restart");
    assert_eq!(again.tick(now(0)).len(), 1, "and is told again");
    assert_eq!(again.latches().map(|latch| &latch.strategy).collect::<Vec<_>>(), [&strategy(0)]);
    assert!(!again.re_enable(now(0), &strategy(1)), "another strategy");
    assert!(again.re_enable(now(0), &strategy(0)));
    assert!(again.marks_dirty(now(0)) && again.breaches().is_empty() && again.latches().next().is_none());
    assert_eq!(code(&buy(&mut again, 0)), "ok");
    assert!(!again.re_enable(now(0), &strategy(0)));
    let other = risk.decide(now(999), &proposal(1, 0, Side::Buy, 1, 100), &Standing::fine());
    assert_eq!(code(&other), "ok", "the others go on");
}

#[test]
fn a_switched_off_strategy_is_off_whatever_else_is_said() {
    let mut risk = risk_of(wide());
    risk.switched(&strategy(0), false);
    assert_eq!(code(&buy(&mut risk, 0)), "STRATEGY_DISABLED");
    risk.switched(&strategy(0), true);
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
}

#[test]
fn a_mark_that_is_old_or_senseless_is_none() {
    let mut risk = risk_of(wide());
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    assert_eq!(code(&risk.decide(now(5_000), &asked, &Standing::fine())), "ok");
    assert_eq!(code(&risk.decide(now(5_001), &asked, &Standing::fine())), "NO_REFERENCE_PRICE");
    for (bid, ask) in [(101, 99), (0, 1)] {
        risk.mark(Mono(0), &venue(0), &symbol(0), mark(bid, ask));
        assert_eq!(
            code(&risk.decide(now(0), &asked, &Standing::fine())),
            "NO_REFERENCE_PRICE",
            "{bid} {ask}"
        );
    }
    risk.mark(Mono(0), &venue(0), &symbol(0), mark(100, 100));
    assert_eq!(code(&risk.decide(now(0), &asked, &Standing::fine())), "ok", "a locked book has a price");
}

fn over(lifts: &[&str]) -> Override {
    Override {
        strategy: strategy(0),
        venue: venue(0),
        symbol: symbol(0),
        side: Side::Buy,
        max_quantity: Quantity::parse("3").unwrap(),
        lifts: lifts.iter().map(|&code| code.to_owned()).collect(),
        reason: "closing a customer's error".to_owned(),
        by: "ada".to_owned(),
        expires: Mono(1_000),
    }
}

#[test]
fn an_override_serves_one_order() {
    let mut settings = wide();
    settings.symbols[0].max_quantity = Limit::At(d("0.5"));
    let mut risk = risk_of(settings.clone());
    assert_eq!(code(&buy(&mut risk, 0)), "QUANTITY_ABOVE_MAXIMUM");
    risk.grant(Mono(0), over(&["QUANTITY_ABOVE_MAXIMUM"])).unwrap();
    assert_eq!(risk.overrides(Mono(0)).count(), 1);
    for (who, at, side, quantity) in [
        (1, 0, Side::Buy, 1),
        (0, 1, Side::Buy, 1),
        (0, 2, Side::Buy, 1),
        (0, 0, Side::Sell, 1),
        (0, 0, Side::Buy, 4),
    ] {
        let other = risk.decide(now(0), &proposal(who, at, side, quantity, 100), &Standing::fine());
        assert_eq!(code(&other), "QUANTITY_ABOVE_MAXIMUM", "{who} {at} {side:?} {quantity}");
    }
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    assert!(risk.explain(now(0), &asked, &Standing::fine()).verdict.is_approved(), "asked, not used");
    assert_eq!(
        code(&risk.decide(now(1_000), &asked, &Standing::fine())),
        "QUANTITY_ABOVE_MAXIMUM",
        "expired"
    );
    let Decision::Approved(record) = buy(&mut risk, 999) else { panic!("it was lifted") };
    assert_eq!(record.figures.granted.as_ref().map(|granted| granted.by.as_str()), Some("ada"));
    assert_eq!(record.replay(&settings), record.verdict, "the override is part of the record");
    assert_eq!(code(&buy(&mut risk, 999)), "QUANTITY_ABOVE_MAXIMUM", "used up");
    // It lifts what it names, and is not used up by an order that something else denies.
    risk.grant(Mono(0), over(&["QUANTITY_ABOVE_MAXIMUM"])).unwrap();
    let paused = Standing { state: StateGate::Paused, ..Standing::fine() };
    assert_eq!(code(&risk.decide(now(0), &asked, &paused)), "TRADING_PAUSED");
    assert_eq!(risk.overrides(Mono(0)).count(), 1);
}

#[test]
fn an_override_must_be_whole() {
    let mut risk = risk_of(wide());
    let spoils: [fn(&mut Override); 8] = [
        |one| one.by = " ".to_owned(),
        |one| one.reason = String::new(),
        |one| one.reason = "x".repeat(257),
        |one| one.expires = Mono(0),
        |one| one.max_quantity = Quantity::ZERO,
        |one| one.lifts = Vec::new(),
        |one| one.lifts = vec!["LEVERAGE".to_owned(); 9],
        |one| one.lifts = vec!["TRADING_HALTED".to_owned()],
    ];
    for (index, spoil) in spoils.iter().enumerate() {
        let mut one = over(&["LEVERAGE"]);
        spoil(&mut one);
        assert_eq!(risk.grant(Mono(0), one).unwrap_err().code, "OVERRIDE_INVALID", "case {index}");
    }
    let mut longest = over(&["LEVERAGE"; 8]);
    longest.reason = "x".repeat(256);
    risk.grant(Mono(0), longest).unwrap();
    for _ in 1..super::OVERRIDES_MAX {
        risk.grant(Mono(0), over(&["LEVERAGE"])).unwrap();
    }
    assert_eq!(risk.grant(Mono(0), over(&["LEVERAGE"])).unwrap_err().code, "TOO_MANY_OVERRIDES");
    let standing = |at| risk.overrides(Mono(at)).count();
    assert_eq!((standing(999), standing(1_000)), (super::OVERRIDES_MAX, 0));
    let mut later = over(&["LEVERAGE"]);
    later.expires = Mono(9_000);
    risk.grant(Mono(1_000), later).unwrap();
    assert_eq!(risk.overrides(Mono(1_000)).count(), 1, "what expired made room");
    assert!(
        super::is_relaxable("price_collar") && !super::is_relaxable("state") && !super::is_relaxable("x")
    );
}

#[test]
fn research_relaxes_what_it_names_and_never_where_money_is() {
    let mut settings = wide();
    settings.symbols[0].max_quantity = Limit::At(d("0.5"));
    settings.relaxed.insert("quantity".to_owned());
    settings.relaxed.insert("state".to_owned());
    let mut risk = risk_of(settings);
    assert_eq!(code(&buy(&mut risk, 0)), "ok");
    let asked = proposal(0, 0, Side::Buy, 1, 100);
    let live = Standing { live: true, ..Standing::fine() };
    assert_eq!(code(&risk.decide(now(0), &asked, &live)), "QUANTITY_ABOVE_MAXIMUM");
    let halted = Standing { state: StateGate::Halted, ..Standing::fine() };
    assert_eq!(code(&risk.decide(now(0), &asked, &halted)), "TRADING_HALTED", "a hard check stays hard");
}

fn cut(who: usize, stream: &str, factor: &str) -> Restraint {
    let (strategy, reason) = (strategy(who), "it drifted".to_owned());
    Restraint { strategy, stream: stream.to_owned(), factor: d(factor), reason, at: WallMs(1) }
}

#[test]
fn a_cut_holds_for_entries_of_its_strategy_until_it_is_lifted() {
    let share = |risk: &Risk, asked: &Proposal| {
        risk.cut_of(now(0), asked, &Standing::fine()).map(|cut| (cut.factor, cut.stream))
    };
    let half = Some((d("0.5"), "slippage:s0".to_owned()));
    let mut risk = risk_of(wide());
    let entry = proposal(0, 0, Side::Buy, 1, 100);
    assert_eq!(share(&risk, &entry), None);
    risk.marks_noted(now(0));
    assert!(risk.restrain(cut(0, "slippage:s0", "0.5")));
    assert!(risk.marks_dirty(now(0)), "at once");
    assert_eq!(risk.restraints().collect::<Vec<_>>(), [&cut(0, "slippage:s0", "0.5")]);
    assert_eq!(share(&risk, &entry), half);
    assert_eq!(share(&risk, &proposal(1, 0, Side::Buy, 1, 100)), None, "nobody else's");
    let of_the_books = Proposal { number: Some(OrderNumber(1)), ..entry.clone() };
    let was_cut = Proposal { asked: Some(Quantity::parse("2").unwrap()), ..entry.clone() };
    assert_eq!((share(&risk, &of_the_books), share(&risk, &was_cut)), (None, None), "not twice");
    // An order that makes the strategy's position or that of all smaller is free.
    let exit = proposal(0, 0, Side::Sell, 1, 100);
    assert_eq!(share(&risk, &exit), half);
    risk.position(&position(0, 0, d("5"), Some(d("100")), d("0")));
    assert_eq!((share(&risk, &exit), share(&risk, &entry)), (None, half.clone()));
    risk.position(&position(1, 0, d("-9"), Some(d("100")), d("0")));
    assert_eq!((share(&risk, &exit), share(&risk, &entry)), (None, None), "its own, and that of all");
    risk.position(&position(0, 0, d("0"), None, d("0")));
    assert_eq!((share(&risk, &exit), share(&risk, &entry)), (half.clone(), None));
    // It outlives a restart, and only who is asked for lifts it.
    let mut again = risk_of(wide());
    again.restore(risk.marks());
    assert_eq!(share(&again, &entry), half);
    again.marks_noted(now(0));
    assert!(!again.unrestrain(&strategy(0), "slippage:s1") && !again.marks_dirty(now(0)));
    assert!(again.unrestrain(&strategy(0), "slippage:s0") && again.marks_dirty(now(0)));
    assert_eq!((share(&again, &entry), again.restraints().count()), (None, 0));
    for n in 0..super::RESTRAINTS_MAX {
        assert!(again.restrain(cut(0, &n.to_string(), "0.5")));
    }
    again.marks_noted(now(0));
    assert!(!again.restrain(cut(0, "one more", "0.5")) && !again.marks_dirty(now(0)), "there is a bound");
    assert!(again.re_enable(now(0), &strategy(0)) && again.restraints().next().is_none());
}

#[test]
fn a_number_that_names_another_order_takes_the_place_of_the_first() {
    let mut risk = risk_of(wide());
    risk.order(&order(1, 0, 0, Side::Buy, 5, 100));
    risk.order(&order(1, 0, 1, Side::Sell, 3, 100));
    let worst = |risk: &Risk, at: usize| risk.book.instruments[at].worst.gross();
    assert_eq!((worst(&risk, 0), worst(&risk, 1)), (Some(d("0")), Some(d("3"))));
    risk.order(&order(1, 1, 1, Side::Sell, 2, 100));
    assert_eq!((worst(&risk, 0), worst(&risk, 1), risk.book.open), (Some(d("0")), Some(d("2")), 1));
    risk.forget(OrderNumber(1));
    assert_eq!((worst(&risk, 1), risk.book.open), (Some(d("0")), 0));
}
