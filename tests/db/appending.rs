//! What is written is read back, in order, once, and under the settings that durability rests on.

use crate::support::*;
use plimsoll::db::*;
use plimsoll::domain::ids::{ClientOrderId, StrategyId, Symbol, TradeId, VenueId};
use plimsoll::domain::journal::{Batch, Seq};
use plimsoll::domain::order::{OrderNumber, OrderState, Origin};

#[test]
fn a_new_journal_begins_with_its_tag() {
    let dir = tempfile::tempdir().unwrap();
    let tag = {
        let mut writer = writer(dir.path());
        assert_eq!(writer.head().seq, Seq(1));
        let first = writer.rows_after(Seq(0), 10).unwrap();
        assert_eq!((first.len(), first[0].kind.as_str()), (1, "genesis"));
        assert!(first[0].payload.contains(writer.tag()));
        assert!(writer.tag().starts_with("pl") && writer.tag().len() == 8, "{}", writer.tag());
        writer.tag().to_owned()
    };
    let again = writer(dir.path());
    assert_eq!((again.tag(), again.head().seq), (tag.as_str(), Seq(1)), "opened again, not begun again");
}

#[test]
fn every_connection_has_every_setting() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), Options::default()).unwrap();
    let expected = |query_only: &str| {
        [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("busy_timeout", "5000"),
            ("wal_autocheckpoint", "4000"),
            ("journal_size_limit", "67108864"),
            ("trusted_schema", "0"),
            ("query_only", query_only),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec()
    };
    assert_eq!(writer.settings().unwrap(), expected("0"));
    let readers = Readers::open(dir.path()).unwrap();
    // Several at once, so that the pool must make more than one.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(readers.settings().unwrap(), expected("1")));
        }
    });
}

#[test]
fn batches_are_rows_and_projections_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let first = Batch {
        orders: vec![order(1, OrderState::PendingSubmit), order(2, OrderState::Submitted)],
        fills: vec![fill(7)],
        positions: vec![position("1")],
        balances: vec![balance("10")],
        ..rows(1, 3)
    };
    let second = Batch {
        orders: vec![order(1, OrderState::Filled)],
        fills: vec![fill(7), fill(8)],
        positions: vec![position("-2")],
        balances: vec![balance("20")],
        ..rows(2, 2)
    };
    let appended = writer.append(&[first, second]).unwrap();
    assert_eq!((appended.first, appended.last), (Seq(2), Seq(6)));
    let readers = Readers::open(dir.path()).unwrap();
    let all = readers.orders(&OrderFilter::default(), None, 10).unwrap();
    assert_eq!(all, [order(1, OrderState::Filled), order(2, OrderState::Submitted)]);
    let open = OrderFilter { open_only: true, ..OrderFilter::default() };
    assert_eq!(readers.orders(&open, None, 10).unwrap(), [order(2, OrderState::Submitted)]);
    let taker = StrategyId::new("taker").unwrap();
    let of_taker = OrderFilter { strategy: Some(taker), ..OrderFilter::default() };
    assert_eq!(readers.orders(&of_taker, None, 10).unwrap(), [order(1, OrderState::Filled)]);
    assert_eq!(readers.orders(&OrderFilter::default(), Some(OrderNumber(1)), 10).unwrap().len(), 1);
    let fills = readers.fills(&FillFilter::default(), None, 10).unwrap();
    assert_eq!(fills.iter().map(|f| f.fill.clone()).collect::<Vec<_>>(), [fill(7), fill(8)]);
    let later = readers.fills(&FillFilter::default(), Some(fills[0].number), 10).unwrap();
    assert_eq!(later.len(), 1);
    assert_eq!(readers.positions().unwrap(), [position("-2")]);
    assert_eq!(readers.balances().unwrap(), [balance("20")]);
    let kinds: Vec<_> = readers.journal(Seq(1), 10).unwrap().into_iter().map(|row| row.seq.0).collect();
    assert_eq!(kinds, [2, 3, 4, 5, 6]);
    let counts = readers.counts().unwrap();
    assert_eq!((counts.orders, counts.open_orders, counts.fills, counts.journal_rows), (2, 1, 2, 6));
}

#[test]
fn a_trade_is_booked_once_and_may_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let (venue, symbol) = (VenueId::new("paper").unwrap(), Symbol::new("BTCUSDT").unwrap());
    let booked = |trade: u64| {
        Readers::open(dir.path()).unwrap().fill_is_booked(&venue, &symbol, &TradeId::from(trade)).unwrap()
    };
    let of = |fills| Batch { fills, ..rows(1, 1) };
    assert_eq!(writer.append(&[of(vec![fill(7)])]).unwrap().fills_known, 0);
    assert_eq!(writer.append(&[of(vec![fill(7), fill(8)])]).unwrap().fills_known, 1);
    assert!(booked(7) && booked(8) && !booked(9));
    let mut busted = fill(7);
    busted.busted = true;
    writer.append(&[of(vec![busted.clone()])]).unwrap();
    let found = Readers::open(dir.path()).unwrap().fills(&FillFilter::default(), None, 10).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].fill, busted);
    assert!(booked(7), "a trade that was taken back stays on record");
}

#[test]
fn our_ids_are_unique_for_ever_and_a_contradiction_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let of = |order| Batch { orders: vec![order], ..rows(1, 1) };
    writer.append(&[of(order(1, OrderState::Filled))]).unwrap();
    let head = writer.head();
    let mut same_id = order(2, OrderState::PendingSubmit);
    same_id.client_order_id = order(1, OrderState::Filled).client_order_id;
    let mut same_at_venue = order(3, OrderState::PendingSubmit);
    same_at_venue.venue_client_order_id = order(1, OrderState::Filled).venue_client_order_id;
    for wrong in [same_id, same_at_venue] {
        let error = writer.append(&[rows(2, 5), of(wrong)]).unwrap_err();
        assert!(matches!(error, WriteError::Constraint { .. }) && !error.may_pass(), "{error}");
        assert_eq!(writer.head(), head);
    }
    // Other people's ids may come twice; the youngest is found.
    let mut adopted = order(4, OrderState::Working);
    adopted.origin = Origin::Adopted;
    adopted.client_order_id = ClientOrderId::from_venue("web/7.a:b").unwrap();
    adopted.venue_client_order_id = adopted.client_order_id.clone();
    let again = plimsoll::domain::order::Order { number: OrderNumber(5), ..adopted.clone() };
    writer.append(&[of(adopted.clone()), of(again.clone())]).unwrap();
    let readers = Readers::open(dir.path()).unwrap();
    assert_eq!(readers.order(&adopted.client_order_id).unwrap(), Some(again));
    assert_eq!(readers.order(&ClientOrderId::new("nobody").unwrap()).unwrap(), None);
}

#[test]
fn rows_cannot_be_changed_or_deleted_by_statements() {
    let dir = tempfile::tempdir().unwrap();
    writer(dir.path()).append(&[rows(1, 3)]).unwrap();
    for statement in [
        "UPDATE journal SET payload = 'x' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT seq + 10, kind, correlation, at_ms, payload, x'00' FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 1",
    ] {
        let replaces = statement.contains("REPLACE");
        let error = sql(dir.path(), statement);
        assert!(error.is_err() || replaces, "{statement}");
    }
    Inspector::open(dir.path()).unwrap().verify().unwrap();
}

#[test]
fn long_batches_use_every_chunk_size() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let mut expected = 1;
    for count in [1, 2, 3, 31, 32, 33, 75, 200] {
        writer.append(&[rows(count, count)]).unwrap();
        expected += count;
        assert_eq!(writer.head().seq, Seq(expected));
    }
    assert_eq!(writer.verify_from_last().unwrap(), writer.head());
    let verified = Inspector::open(dir.path()).unwrap().verify().unwrap();
    assert_eq!((verified.rows, verified.archived, verified.head), (expected, 0, writer.head()));
}
