//! V-01 to V-08: connecting, placing, filling, cancelling, refusing, asking.

use super::desk::{btc, limit};
use super::table::{Table, id};
use plimsoll::domain::connection::State;
use plimsoll::domain::ids::{ClientOrderId, Symbol, TradeId};
use plimsoll::domain::order_types::{OrderStatus, OrderType, Side};
use plimsoll::domain::outcome::{Outcome, ReadError, RejectClass};
use plimsoll::venues::{Lookup, OrderEvent, Venue};

/// V-01: it connects, compares, and only then is live; it shows its evidence.
pub async fn v01_connects<V: Venue>(t: Table<V>) {
    let mut seen = Vec::new();
    t.desk
        .until_order("live", |event| {
            match event {
                OrderEvent::Session { to, .. } => seen.push(to.name()),
                OrderEvent::Reconciled(_) => seen.push("reconciled"),
                _ => {}
            }
            (seen.last() == Some(&"live")).then_some(())
        })
        .await;
    assert_eq!(seen, ["connecting", "authenticating", "syncing", "reconciled", "live"]);
    t.best(Side::Buy).await;
    let evidence = t.desk.venue.evidence();
    assert_eq!((evidence.orders.state, evidence.market.state), (State::Live, State::Live));
    assert_eq!((evidence.orders.attempts, evidence.orders.reconnects), (1, 0));
    assert!(evidence.market.last_data.is_some() && evidence.market.published > 0);
    assert!(evidence.clock_offset_ms.unwrap().abs() < 250 && evidence.used_weight > 0);
    assert!(evidence.feeds.iter().all(|feed| feed.book_in_step && feed.update_id > 0));
}

/// V-02: a refused key stops the session for good, and no order goes out.
pub async fn v02_refused_key<V: Venue>(t: Table<V>) {
    t.desk.until_state(State::Disconnected).await;
    let attempts = t.desk.venue.evidence().orders.attempts;
    t.best(Side::Buy).await;
    let outcome = t.desk.venue.place(t.resting("denied").await).await;
    assert!(matches!(outcome, Outcome::DeniedHere(_)), "{outcome:?}");
    assert_eq!(t.desk.venue.evidence().orders.attempts, attempts, "waiting does not heal a bad key");
}

/// V-03: an order rests, is listed, and is cancelled under its own id.
pub async fn v03_rest_and_cancel<V: Venue>(t: Table<V>) {
    let report = t.place(t.resting("rest").await).await;
    assert_eq!((report.status, report.client_order_id), (OrderStatus::New, id("rest")));
    assert_eq!(t.report("rest").await.status, OrderStatus::New);
    let open = t.desk.venue.open_orders(Some(&btc())).await.unwrap();
    assert_eq!(open.iter().map(|order| order.client_order_id.clone()).collect::<Vec<_>>(), [id("rest")]);
    let Outcome::Confirmed(cancelled) = t.cancel("rest").await else { panic!() };
    assert_eq!((cancelled.status, cancelled.client_order_id), (OrderStatus::Canceled, id("rest")));
    assert_eq!(t.report("rest").await.status, OrderStatus::Canceled);
    assert!(t.desk.venue.open_orders(None).await.unwrap().is_empty());
}

/// V-04: a taking order fills; answer, stream and history tell of the same trades.
pub async fn v04_fill<V: Venue>(t: Table<V>) {
    let before = t.desk.venue.balances().await.unwrap();
    let answer = t.place(t.taking("take").await).await;
    assert_eq!(answer.status, OrderStatus::Filled);
    let mut streamed = Vec::new();
    while streamed.len() < answer.fills.len() {
        streamed.extend(t.report("take").await.fills);
    }
    let ids = |fills: &[plimsoll::domain::order_types::Fill]| -> Vec<TradeId> {
        fills.iter().map(|fill| fill.trade_id.clone()).collect()
    };
    assert!(!answer.fills.is_empty());
    assert_eq!(ids(&answer.fills), ids(&streamed));
    let history = t.desk.venue.fills_since(&btc(), None).await.unwrap();
    assert_eq!(ids(&history), ids(&streamed));
    let last = history.last().unwrap();
    assert_eq!(
        (last.price, last.quantity, last.fee),
        (streamed.last().unwrap().price, streamed.last().unwrap().quantity, streamed.last().unwrap().fee)
    );
    assert!(t.desk.venue.fills_since(&btc(), Some(&last.trade_id)).await.unwrap().is_empty());
    assert_ne!(t.desk.venue.balances().await.unwrap(), before);
}

/// V-05: each kind of refusal is told apart, and none leaves an order behind.
pub async fn v05_refusals<V: Venue>(t: Table<V>) {
    let good = t.resting("good").await;
    let price = good.price.unwrap().to_string();
    let mut wrong_step = good.clone();
    wrong_step.quantity = plimsoll::domain::money::Quantity::parse("0.000501").unwrap();
    let too_much = limit("r2", Side::Buy, "100", &price);
    let mut unknown_symbol = good.clone();
    unknown_symbol.symbol = Symbol::new("NOSUCH").unwrap();
    let mut would_take = t.taking("r4").await;
    (would_take.order_type, would_take.time_in_force) = (OrderType::LimitMaker, None);
    t.place(good.clone()).await;
    let cases = [
        (wrong_step, "filter"),
        (too_much, "balance"),
        (unknown_symbol, "malformed"),
        (would_take, "would take"),
        (good, "duplicate"),
    ];
    for (order, want) in cases {
        let outcome = t.desk.venue.place(order).await;
        let Outcome::Rejected(rejection) = outcome else { panic!("{want}: {outcome:?}") };
        let got = match &rejection.class {
            RejectClass::Filter(_) => "filter",
            RejectClass::InsufficientBalance => "balance",
            RejectClass::Malformed => "malformed",
            RejectClass::WouldTake => "would take",
            RejectClass::DuplicateClientOrderId => "duplicate",
            other => panic!("{want}: {other:?} {rejection:?}"),
        };
        assert_eq!(got, want, "{rejection:?}");
    }
    assert_eq!(t.exchange.truth().await["orders"].as_array().unwrap().len(), 1);
}

/// V-06: cancelling what is not open is refused, and a query tells why.
pub async fn v06_cancel_of_nothing<V: Venue>(t: Table<V>) {
    t.place(t.taking("filled").await).await;
    for name in ["filled", "never"] {
        let Outcome::Rejected(rejection) = t.cancel(name).await else { panic!() };
        assert_eq!(rejection.class, RejectClass::UnknownOrder, "{name}");
    }
    assert_eq!(t.found("filled").await.status, OrderStatus::Filled);
    assert_eq!(t.lookup("never").await, Lookup::Absent);
}

/// V-07: the rules of instruments, odd ticks and unknown names included.
pub async fn v07_instruments<V: Venue>(t: Table<V>) {
    let shib = Symbol::new("SHIBUSDT").unwrap();
    let info = t.desk.venue.exchange_info(&[btc(), shib.clone()]).await.unwrap();
    let odd = info.instruments.iter().find(|i| i.symbol == shib).unwrap();
    assert_eq!(odd.price.step.normalize().to_string(), "0.00000001");
    assert!(odd.trading && info.weight_per_minute.is_some());
    let mut order = limit("shib", Side::Buy, "1000000", "0.00002000");
    order.symbol = shib.clone();
    t.place(order).await;
    assert_eq!(t.desk.venue.open_orders(Some(&shib)).await.unwrap().len(), 1);
    let refused = t.desk.venue.exchange_info(&[Symbol::new("NOSUCH").unwrap()]).await;
    assert!(matches!(refused, Err(ReadError::Refused(_))), "{refused:?}");
}

/// V-08: orders of strangers on the same account are reported and compared, not dropped.
pub async fn v08_strangers<V: Venue>(t: Table<V>, place_elsewhere: impl AsyncFnOnce(&Table<V>, &str)) {
    place_elsewhere(&t, "web_7-ab").await;
    let wanted = ClientOrderId::from_venue("web_7-ab").unwrap();
    t.desk
        .until_order("the stranger's report", |event| match event {
            OrderEvent::Report(report) if report.client_order_id == wanted => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(t.desk.venue.open_orders(None).await.unwrap().len(), 1);
}
