//! The ping to a dead man's switch, by the real component in a real tree.

use crate::support::http_sink::{HttpSink, Reply};
use plimsoll::actors::dead_man::{DeadManPlan, DeadManReadings, Vital, declare};
use plimsoll::config::alerts::{DeadManSettings, Reach};
use plimsoll::config::{SecretRef, SecretSource};
use plimsoll::domain::alert::life::Lapse;
use plimsoll::supervision::{Tree, TreeOptions, supervisor};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn settings(interval_ms: u64, timeout_ms: u64) -> DeadManSettings {
    DeadManSettings {
        url: Some(SecretRef::new(SecretSource::Env("PING".into()))),
        interval_ms,
        timeout_ms,
        reach: Reach::Loopback,
        ..DeadManSettings::default()
    }
}

fn plan(url: String, settings: &DeadManSettings) -> DeadManPlan {
    let env: BTreeMap<String, String> = [("PING".to_owned(), url)].into();
    DeadManPlan::new(settings, &env).unwrap().unwrap()
}

/// A vital whose age is whatever the test says, in milliseconds; `u64::MAX` is never.
fn vital(age: &Arc<AtomicU64>) -> Vital {
    let age = Arc::clone(age);
    let read = move || match age.load(Ordering::SeqCst) {
        u64::MAX => None,
        ms => Some(Duration::from_millis(ms)),
    };
    Vital { name: "judged", age: Arc::new(read), max_age: Duration::from_millis(100) }
}

/// Waits until the readings say so.
async fn until(
    readings: &DeadManReadings,
    what: impl Fn(&plimsoll::actors::dead_man::DeadManReading) -> bool,
) {
    for _ in 0..2_000 {
        if what(&readings.latest()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", readings.latest());
}

#[test]
fn it_pings_while_the_vitals_are_fresh_and_only_then() {
    actix_rt::System::new().block_on(async {
        let sink = HttpSink::always(Reply::status(200)).await;
        let (age, readings) = (Arc::new(AtomicU64::new(u64::MAX)), DeadManReadings::default());
        let plan = plan(sink.url("/ping/uuid"), &settings(100, 1_000));
        let root = supervisor("root").child(declare(plan, vec![vital(&age)], readings.clone()).1);
        let tree = Tree::start(root, TreeOptions::default()).unwrap();
        tree.up().await.unwrap();
        until(&readings, |shown| shown.withheld >= 2).await;
        assert_eq!(readings.latest().lapse, Some(Lapse::Never { name: "judged" }));
        assert!(sink.seen().is_empty(), "nothing was known, and nothing said");

        age.store(5, Ordering::SeqCst);
        let seen = sink.until(2).await;
        assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("GET", "/ping/uuid"));
        until(&readings, |shown| shown.pings >= 2 && shown.lapse.is_none()).await;

        age.store(101, Ordering::SeqCst);
        let before = readings.latest().withheld;
        until(&readings, |shown| shown.withheld >= before + 2).await;
        let pings = sink.seen().len();
        until(&readings, |shown| shown.withheld >= before + 5).await;
        assert_eq!(sink.seen().len(), pings, "it is silent");

        age.store(0, Ordering::SeqCst);
        sink.until(pings + 1).await;
        tree.shutdown(Duration::from_secs(5)).await;
    });
}

#[test]
fn a_receiver_that_fails_or_hangs_is_shown_and_tried_again_next_time() {
    actix_rt::System::new().block_on(async {
        let turn = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&turn);
        let sink = HttpSink::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::status(503),
            1 => Reply::Silence,
            2 => Reply::Drop,
            _ => Reply::status(204),
        })
        .await;
        let (age, readings) = (Arc::new(AtomicU64::new(0)), DeadManReadings::default());
        let plan = plan(sink.url("/"), &settings(400, 150));
        let root = supervisor("root").child(declare(plan, vec![vital(&age)], readings.clone()).1);
        let tree = Tree::start(root, TreeOptions::default()).unwrap();
        tree.up().await.unwrap();
        until(&readings, |shown| shown.pings >= 1).await;
        let shown = readings.latest();
        assert_eq!((shown.failed, shown.error), (3, None));
        tree.shutdown(Duration::from_secs(5)).await;
    });
}

#[test]
fn an_address_that_leads_inwards_is_refused_at_the_start() {
    let env: BTreeMap<String, String> =
        [("PING".to_owned(), "https://169.254.169.254/secret-uuid".to_owned())].into();
    let settings = DeadManSettings { reach: Reach::Public, ..settings(1_000, 1_000) };
    let Err(error) = DeadManPlan::new(&settings, &env) else { panic!("accepted") };
    assert!(!format!("{error:?} {error}").contains("secret-uuid"), "{error}");
    assert!(DeadManPlan::new(&DeadManSettings::default(), &env).unwrap().is_none());
}
