//! What leaves the tables of alerts, and what never does; over restarts, in pieces.

use crate::support::*;
use diesel::RunQueryDsl as _;
use diesel::dsl::sql as literal;
use diesel::sql_types::BigInt;
use plimsoll::db::{AlertFilter, Readers, SLICE_MAX, Writer};
use plimsoll::domain::alert::router::Work;
use plimsoll::domain::alert::{
    Alert, AlertKey, Condition, Delivery, DeliveryState, Silence, Transition, batch,
};
use plimsoll::domain::ids::Correlation;
use plimsoll::domain::time::WallMs;
use std::path::Path;

const OLD: WallMs = WallMs(1_000);
const BEFORE: WallMs = WallMs(2_000);
const YOUNG: WallMs = WallMs(3_000);

/// An alert that is over since `cleared`, or stands.
fn alert(number: u64, cleared: Option<WallMs>) -> Alert {
    let condition = Condition::new("disk_low", number.to_string(), "5 % free");
    let mut alert = Alert::raised(number, "pl", &condition, WallMs(0), WallMs(0));
    alert.cleared_at = cleared;
    alert
}

fn delivery(of: &Alert, state: DeliveryState) -> Delivery {
    let mut one = Delivery::new((of.number, &of.id), 1, "hook", Transition::Raise, OLD);
    one.state = state;
    one
}

fn canary(seq: u64, at: WallMs) -> Delivery {
    let mut one = Delivery::new((0, &format!("pl-canary-{seq}")), seq, "hook", Transition::Canary, at);
    one.state = DeliveryState::Delivered;
    one
}

fn silence(n: u64, ended_at: Option<WallMs>) -> Silence {
    Silence {
        id: format!("s-{n}"),
        code: "*".to_owned(),
        scope: "*".to_owned(),
        reason: "a test".to_owned(),
        by: "ops".to_owned(),
        at: WallMs(0),
        until: OLD,
        ended_at,
        ended_by: None,
    }
}

fn write(writer: &mut Writer, alerts: Vec<Alert>, deliveries: Vec<Delivery>, silences: Vec<Silence>) {
    let work = Work { alerts, deliveries, silences, ..Work::default() };
    writer.append(&[batch(&work, &Correlation::new("alerts").unwrap()).unwrap()]).unwrap();
}

/// Everything, piece by piece; how many pieces it took and how many rows went.
fn prune(writer: &mut Writer) -> (usize, usize) {
    let (mut after, mut pieces, mut rows) = (0, 0, 0);
    loop {
        let pruned = writer.prune(BEFORE, after).unwrap();
        (pieces, rows) = (pieces + 1, rows + pruned.rows());
        match pruned.next {
            Some(next) => after = next,
            None => return (pieces, rows),
        }
    }
}

fn left(dir: &Path) -> Vec<u64> {
    let readers = Readers::lazy(dir);
    readers.alerts(AlertFilter::default(), None, 1_000).unwrap().iter().map(|alert| alert.number).collect()
}

fn count(dir: &Path, what: &str) -> i64 {
    literal::<BigInt>(&format!("SELECT count(*) FROM {what}")).get_result(&mut plain(dir)).unwrap()
}

#[test]
fn what_is_over_and_old_leaves_and_nothing_else_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    let mut of_root = alert(5, Some(YOUNG));
    (of_root.incident, of_root.cause) = ("pl-4".to_owned(), Some(AlertKey::new("disk_low", "4")));
    let mut confirming = alert(6, Some(OLD));
    confirming.told.insert("hook".to_owned());
    let mut asked = delivery(&confirming, DeliveryState::Accepted);
    asked.confirm = Some(plimsoll::domain::alert::Confirm { asked: 3, next_at: YOUNG, until: WallMs(9_000) });
    let over = alert(1, Some(OLD));
    let waits = alert(3, Some(OLD));
    let deliveries = vec![
        delivery(&over, DeliveryState::Delivered),
        delivery(&waits, DeliveryState::Pending),
        asked,
        canary(1, OLD),
        canary(3, YOUNG),
        canary(4, OLD),
    ];
    let silences = vec![silence(2, Some(OLD)), silence(5, None), silence(6, Some(OLD))];
    let alerts = vec![
        over,
        alert(2, None),
        waits,
        alert(4, Some(OLD)),
        of_root,
        confirming,
        alert(7, Some(YOUNG)),
        alert(8, Some(OLD)),
    ];
    write(&mut open, alerts, deliveries, silences);
    drop(open);

    let mut open = writer(dir.path());
    assert_eq!(prune(&mut open), (1, 4), "an alert, its delivery, a canary, a silence");
    // Stands; a message waits; the root of what is young; its provider is asked; young; the youngest number.
    assert_eq!(left(dir.path()), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(count(dir.path(), "alert_deliveries WHERE number = 1"), 0);
    assert_eq!(count(dir.path(), "alert_deliveries WHERE number > 1"), 2);
    assert_eq!(count(dir.path(), "alert_deliveries WHERE number = 0"), 2);
    assert_eq!(count(dir.path(), "alert_silences"), 2, "one that holds, and the youngest");
    assert_eq!(prune(&mut open), (1, 0));

    // A restart begins where it was: numbers go on, and what waits waits.
    let restored = Readers::lazy(dir.path()).alerts_to_restore().unwrap();
    assert_eq!((restored.last_number, restored.last_word), (8, 6));
    let waiting: Vec<u64> = restored.deliveries.iter().map(|one| one.number).collect();
    assert_eq!(waiting, [3, 6]);

    // What followed goes first, its root with the next look.
    let mut of_root = alert(5, Some(OLD));
    of_root.incident = "pl-4".to_owned();
    write(&mut open, vec![of_root], Vec::new(), Vec::new());
    assert_eq!(prune(&mut open), (1, 1));
    assert_eq!(prune(&mut open), (1, 1));
    assert_eq!(left(dir.path()), [2, 3, 6, 7, 8]);
    open.verify_from_last().unwrap();
}

#[test]
fn ten_thousand_leave_in_bounded_pieces_and_the_last_number_is_never_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    for chunk in 0..10_u64 {
        let alerts: Vec<Alert> = (1..=1_000).map(|n| alert(chunk * 1_000 + n, Some(OLD))).collect();
        let deliveries = alerts.iter().map(|alert| delivery(alert, DeliveryState::Delivered)).collect();
        write(&mut open, alerts, deliveries, Vec::new());
    }
    let first = open.prune(BEFORE, 0).unwrap();
    assert_eq!((first.alerts, first.deliveries), (64, 64));
    assert_eq!(first.next, Some(SLICE_MAX));
    drop(open);
    let mut open = writer(dir.path());
    let (pieces, rows) = prune(&mut open);
    assert_eq!(rows, (10_000 - 64 - 1) * 2);
    assert!((156..160).contains(&pieces), "{pieces}");
    assert_eq!(left(dir.path()), [10_000]);
    assert_eq!(Readers::lazy(dir.path()).alerts_to_restore().unwrap().last_number, 10_000);
}

#[test]
fn a_record_that_cannot_be_read_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    let alerts = vec![alert(1, Some(OLD)), alert(2, Some(OLD)), alert(3, Some(OLD))];
    write(&mut open, alerts, Vec::new(), Vec::new());
    execute(&mut plain(dir.path()), "UPDATE alerts SET record = '{' WHERE number = 1").unwrap();
    assert_eq!(prune(&mut open), (1, 1));
    assert_eq!(count(dir.path(), "alerts"), 2);
}
