//! The judge against tables that each lack one thing: which components fall, with which alert, and by which cause.

use super::samples::{NOW, feed, healthy, node, venue};
use super::*;
use crate::domain::connection::State;
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::oms::Phase;
use crate::domain::time::{Mono, WallMs};

fn judged(table: &Table) -> Verdicts {
    judge(table, &HealthSettings::default(), NOW)
}

/// Alerts with their causes, as `key <- cause`.
fn alerts(verdicts: &Verdicts) -> Vec<String> {
    let mut all: Vec<String> = verdicts
        .alerts()
        .map(|(key, verdict)| match &verdict.cause {
            Some(cause) => format!("{key} <- {cause}"),
            None => key.to_string(),
        })
        .collect();
    all.sort();
    all
}

fn broken(change: impl FnOnce(&mut Table)) -> (Table, Verdicts) {
    let mut table = healthy();
    change(&mut table);
    let verdicts = judged(&table);
    (table, verdicts)
}

fn old(session: &mut SessionFact, stage: Stage, ms: u64) {
    for fact in session.stages.iter_mut().filter(|fact| fact.stage >= stage) {
        fact.last = Some(Mono(NOW.0 - ms));
    }
}

/// Frames go on, data stopped: what `stale_but_pinging` looks like.
fn mute(table: &mut Table, ms: u64) {
    for venue in &mut table.venues {
        let session = venue.market.as_mut().unwrap();
        session.state = State::Stale;
        old(session, Stage::Received, ms);
        for feed in &mut venue.feeds {
            feed.last_data = Some(Mono(NOW.0 - ms));
            feed.heard = feed.last_data;
        }
    }
    for one in &mut table.strategies {
        one.market.last = Some(Mono(NOW.0 - ms));
    }
}

#[test]
fn nothing_is_said_of_a_healthy_table() {
    let verdicts = judged(&healthy());
    assert_eq!(alerts(&verdicts), Vec::<String>::new());
    let ill: Vec<_> = verdicts.0.iter().filter(|verdict| !verdict.is_healthy()).collect();
    assert!(ill.is_empty(), "{ill:#?}");
    for name in ["ingest/paper", "feed/paper/BTCUSDT", "publish/paper", "execution/paper", "heartbeat/paper"]
    {
        assert!(verdicts.of(name).is_some(), "{name}");
    }
}

#[test]
fn a_mute_feed_is_one_incident_and_pings_do_not_count() {
    let (_, verdicts) = broken(|table| mute(table, 6_000));
    assert_eq!(
        alerts(&verdicts),
        [
            "armed_on_stale_truth:paper <- venue_quotes_stale:paper/BTCUSDT",
            "armed_on_stale_truth:strategy/quoter <- venue_quotes_stale:paper/BTCUSDT",
            "dashboard_source_degraded:page <- venue_quotes_stale:paper/BTCUSDT",
            "venue_quotes_stale:paper/BTCUSDT",
        ]
    );
    let feed = verdicts.of("feed/paper/BTCUSDT").unwrap();
    assert_eq!((feed.status, feed.severity, feed.age_ms), (Status::Stale, Severity::Critical, Some(6_000)));
    assert!(feed.reason.starts_with("connected but mute"), "{}", feed.reason);
    assert_eq!(feed.runbook, Some("venue_quotes_stale"));
    assert!(feed.safe_actions.contains(&SafeAction::Pause) && !feed.evidence.is_empty());
    assert!(verdicts.of("ingest/paper").unwrap().is_healthy(), "the session itself is there");
}

#[test]
fn reachable_but_stale_mute_and_disconnected_are_told_apart() {
    let (_, silent) = broken(|table| {
        mute(table, 6_000);
        let session = table.venues[0].market.as_mut().unwrap();
        session.last_frame = Some(Mono(NOW.0 - 6_000));
        session.state = State::Live;
    });
    let feed = silent.of("feed/paper/BTCUSDT").unwrap();
    assert!(feed.reason.starts_with("reachable but stale"), "{}", feed.reason);

    let (_, down) = broken(|table| {
        mute(table, 6_000);
        let session = table.venues[0].market.as_mut().unwrap();
        (session.state, session.open_at) = (State::Backoff, Some(Mono(NOW.0 - 6_000)));
    });
    assert_eq!(
        alerts(&down),
        [
            "armed_on_stale_truth:paper <- venue_ingest_disconnected:paper",
            "armed_on_stale_truth:strategy/quoter <- venue_ingest_disconnected:paper",
            "dashboard_source_degraded:page <- venue_ingest_disconnected:paper",
            "venue_ingest_disconnected:paper",
            "venue_quotes_stale:paper/BTCUSDT <- venue_ingest_disconnected:paper",
        ]
    );
    let ingest = down.of("ingest/paper").unwrap();
    assert_eq!(ingest.status, Status::Disconnected);
    assert_eq!(down.of("feed/paper/BTCUSDT").unwrap().locality, Locality::Pipeline);

    let (_, stranded) = broken(|table| {
        mute(table, 60_000);
        let session = table.venues[0].market.as_mut().unwrap();
        (session.state, session.open_at) = (State::Backoff, Some(Mono(NOW.0 - 60_000)));
        session.attempts = 12;
    });
    let ingest = stranded.of("ingest/paper").unwrap();
    assert!(ingest.reason.starts_with("stranded") && ingest.reason.contains("12"), "{}", ingest.reason);
}

#[test]
fn a_short_loss_is_degraded_and_no_alert() {
    let (_, verdicts) = broken(|table| {
        let session = table.venues[0].market.as_mut().unwrap();
        (session.state, session.open_at) = (State::Connecting, Some(Mono(NOW.0 - 800)));
    });
    assert_eq!(verdicts.of("ingest/paper").unwrap().status, Status::Degraded);
    assert_eq!(alerts(&verdicts), Vec::<String>::new());
}

#[test]
fn a_stage_that_falls_behind_the_one_before_is_named() {
    for (stage, words) in [
        (Stage::Decoded, "received data comes and readable data does not"),
        (Stage::Published, "readable data comes and published events does not"),
        (Stage::Consumed, "published events comes and consumed events does not"),
    ] {
        let (_, verdicts) = broken(|table| old(table.venues[0].market.as_mut().unwrap(), stage, 9_000));
        let publish = verdicts.of("publish/paper").unwrap();
        assert_eq!((publish.status, publish.locality), (Status::Stalled, Locality::Pipeline), "{stage:?}");
        assert!(publish.reason.starts_with(words), "{}", publish.reason);
        assert!(verdicts.stands(&Key::new("venue_publish_stale", "paper")));
    }
}

#[test]
fn absent_evidence_fails_and_only_a_start_is_given_time() {
    let nothing = |table: &mut Table| {
        table.venues[0].market = None;
        table.venues[0].orders = None;
        table.venues[0].feeds[0] =
            FeedFact { last_data: None, heard: None, in_step: false, in_step_at: None, ..feed("BTCUSDT") };
        table.journal.as_mut().unwrap().last_write = None;
    };
    let (_, verdicts) = broken(nothing);
    for name in ["ingest/paper", "feed/paper/BTCUSDT", "execution/paper", "journal"] {
        let verdict = verdicts.of(name).unwrap();
        assert!(!verdict.is_healthy() && verdict.severity == Severity::Critical, "{verdict:#?}");
    }
    let (_, early) = broken(|table| {
        nothing(table);
        table.began = Mono(NOW.0 - 1_000);
        table.executor.as_mut().unwrap().phase = Phase::Reconciling;
    });
    assert_eq!(alerts(&early), Vec::<String>::new(), "nothing can be expected of it yet");
    for name in ["ingest/paper", "feed/paper/BTCUSDT", "execution/paper", "journal"] {
        assert_eq!(early.of(name).unwrap().status, Status::Unknown, "{name}: and nothing good is assumed");
    }
}

#[test]
fn evidence_ages_by_itself() {
    let table = healthy();
    let settings = HealthSettings::default();
    assert_eq!(alerts(&judge(&table, &settings, NOW)), Vec::<String>::new());
    let later = judge(&table, &settings, NOW.plus(7_000));
    for code in [
        "venue_ingest_disconnected",
        "venue_quotes_stale",
        "journal_writer_stalled",
        "execution_disconnected",
    ] {
        assert!(later.alerts().any(|(key, _)| key.code == code), "{code} in {:?}", alerts(&later));
    }
}

#[test]
fn a_book_out_of_step_is_no_price() {
    let (_, verdicts) = broken(|table| {
        let feed = &mut table.venues[0].feeds[0];
        (feed.in_step, feed.in_step_at) = (false, Some(Mono(NOW.0 - 5_500)));
    });
    assert!(verdicts.stands(&Key::new("venue_quotes_stale", "paper/BTCUSDT")));
    let (_, verdicts) = broken(|table| {
        let feed = &mut table.venues[0].feeds[0];
        (feed.in_step, feed.in_step_at) = (false, Some(Mono(NOW.0 - 500)));
    });
    assert_eq!(verdicts.of("feed/paper/BTCUSDT").unwrap().status, Status::Degraded);
}

#[test]
fn a_closed_market_and_a_slow_one_are_no_outage() {
    let symbol = Symbol::new("BTCUSDT").unwrap();
    let venue = VenueId::new("paper").unwrap();
    let (table, _) = broken(|table| {
        mute(table, 90_000);
        // A Saturday.
        table.wall = WallMs(1_800_000_000_000 - 1_800_000_000_000 % 86_400_000);
    });
    let with = |policy: FeedPolicy| HealthSettings {
        feeds: [((venue.clone(), symbol.clone()), policy)].into(),
        ..HealthSettings::default()
    };
    let never = Hours::of(vec![Window::new(&[], "23:58", "23:59").unwrap()]);
    let closed = judge(&table, &with(FeedPolicy { hours: never, ..FeedPolicy::default() }), NOW);
    assert_eq!(alerts(&closed), Vec::<String>::new());
    let slow = FeedPolicy { expected_ms: 60_000, stale_ms: 120_000, ..FeedPolicy::default() };
    let slow = judge(&table, &with(slow), NOW);
    assert_eq!(alerts(&slow), Vec::<String>::new());
    assert_eq!(slow.of("feed/paper/BTCUSDT").unwrap().status, Status::Degraded);
}

#[test]
fn a_writer_that_does_not_advance_is_stalled_whatever_it_says() {
    let (_, verdicts) = broken(|table| {
        let journal = table.journal.as_mut().unwrap();
        (journal.last_write, journal.waiting) = (Some(Mono(NOW.0 - 6_500)), 12);
    });
    let journal = verdicts.of("journal").unwrap();
    assert_eq!(journal.status, Status::Stalled);
    assert!(journal.reason.contains("12 rows wait"), "{}", journal.reason);
    assert!(verdicts.stands(&Key::new("journal_writer_stalled", "journal")));
    assert!(verdicts.stands(&Key::new("armed_on_stale_truth", "paper")));
}

#[test]
fn a_stopped_order_session_takes_its_heartbeat_along() {
    let (_, verdicts) = broken(|table| {
        let venue = &mut table.venues[0];
        let session = venue.orders.as_mut().unwrap();
        (session.state, session.live_at) = (State::Syncing, Some(Mono(NOW.0 - 3_000)));
        venue.heartbeat.as_mut().unwrap().in_a_row = 2;
    });
    let found = alerts(&verdicts);
    assert!(
        found.contains(&"heartbeat_missed:paper <- execution_disconnected:paper".to_owned()),
        "{found:?}"
    );
    let reason = &verdicts.of("execution/paper").unwrap().reason;
    assert!(reason.starts_with("connected, but not compared"), "{reason}");
}

#[test]
fn a_dead_actor_is_the_root_of_its_session() {
    let (_, verdicts) = broken(|table| {
        let market = table.nodes.iter_mut().find(|node| node.path.ends_with("market-paper")).unwrap();
        market.state = NodeWord::Backoff;
        market.last_failure = Some("panicked".to_owned());
        market.since = Mono(NOW.0 - 2_500);
        table.venues[0].market.as_mut().unwrap().read_at = Mono(NOW.0 - 2_600);
    });
    let found = alerts(&verdicts);
    let path = "actor_restarted:plimsoll/market/market-paper";
    assert!(found.contains(&path.to_owned()), "{found:?}");
    assert!(found.contains(&format!("venue_ingest_disconnected:paper <- {path}")), "{found:?}");
    assert_eq!(verdicts.of("ingest/paper").unwrap().status, Status::Stalled);
}

#[test]
fn nodes_that_fail_for_good_are_told_from_those_with_nothing_to_do() {
    let (_, verdicts) = broken(|table| {
        let mut idle = node("plimsoll/infra/idle");
        idle.state = NodeWord::Stopped;
        let mut dead = node("plimsoll/strategies/quoter");
        (dead.worker, dead.state) = (false, NodeWord::Failed);
        let mut never = node("plimsoll/infra/never");
        (never.state, never.epoch) = (NodeWord::Stopped, 0);
        table.nodes.extend([idle, dead, never]);
    });
    assert!(verdicts.of("plimsoll/infra/idle").unwrap().is_healthy());
    assert_eq!(verdicts.of("plimsoll/strategies/quoter").unwrap().status, Status::Failed);
    assert_eq!(verdicts.of("plimsoll/infra/never").unwrap().status, Status::Unknown);
    assert_eq!(alerts(&verdicts), ["supervisor_meltdown:plimsoll/strategies/quoter"]);
}

#[test]
fn armed_is_said_only_of_what_may_trade_and_never_hidden_by_a_cause() {
    for (phase, armed) in [
        (Phase::Running, true),
        (Phase::ReduceOnly, true),
        (Phase::Paused, false),
        (Phase::Halted, false),
        (Phase::Draining, false),
    ] {
        let (_, verdicts) = broken(|table| {
            mute(table, 6_000);
            table.executor.as_mut().unwrap().phase = phase;
        });
        assert_eq!(verdicts.stands(&Key::new("armed_on_stale_truth", "paper")), armed, "{phase:?}");
    }
    // Where a containment is automatic it gets its moment, and no more.
    let settings = HealthSettings { armed_grace_ms: 1_000, ..HealthSettings::default() };
    let (table, _) = broken(|table| mute(table, 5_500));
    let armed = Key::new("armed_on_stale_truth", "paper");
    assert!(!judge(&table, &settings, NOW).stands(&armed));
    assert!(judge(&table, &settings, NOW.plus(600)).stands(&armed));
}

#[test]
fn a_clock_that_is_off_is_told_by_whose_it_is() {
    let (_, verdicts) = broken(|table| {
        table.venues[0].clock_offset_ms = Some(-900);
        table.clock = Some(ClockFact { looked: NOW, stepped: Some((3_600_000, Mono(NOW.0 - 30_000))) });
    });
    assert!(verdicts.stands(&Key::new("clock_skew", "paper")));
    assert!(verdicts.stands(&Key::new("clock_skew", "process")));
    let (_, later) = broken(|table| {
        table.clock = Some(ClockFact { looked: NOW, stepped: Some((3_600_000, Mono(NOW.0 - 61_000))) });
    });
    assert_eq!(alerts(&later), Vec::<String>::new());
}

#[test]
fn the_alerting_path_and_each_channel_are_judged() {
    let (_, verdicts) = broken(|table| {
        let alerting = table.alerting.as_mut().unwrap();
        alerting.judged = Some(Mono(NOW.0 - 11_000));
        alerting.channels[0].failures = 3;
        alerting.channels[0].last_error = Some("503".to_owned());
    });
    assert_eq!(alerts(&verdicts), ["alerting_degraded:router"]);
    assert_eq!(verdicts.of("channel/hook").unwrap().status, Status::Failed);
}

#[test]
fn instruments_that_fall_silent_together_are_one_root() {
    let (_, verdicts) = broken(|table| {
        table.venues = vec![venue("paper", &["BTCUSDT", "ETHUSDT"])];
        table.executor.as_mut().unwrap().phase = Phase::Paused;
        mute(table, 6_000);
    });
    assert_eq!(
        alerts(&verdicts),
        [
            "dashboard_source_degraded:page <- venue_quotes_stale:paper",
            "venue_quotes_stale:paper",
            "venue_quotes_stale:paper/BTCUSDT <- venue_quotes_stale:paper",
            "venue_quotes_stale:paper/ETHUSDT <- venue_quotes_stale:paper",
        ]
    );
}

#[test]
fn a_run_that_ends_raises_nothing() {
    let (_, verdicts) = broken(|table| {
        mute(table, 60_000);
        table.tree = TreeWord::Ending;
    });
    assert_eq!(alerts(&verdicts), Vec::<String>::new());
}

#[test]
fn the_same_evidence_gives_the_same_verdicts_also_from_a_file() {
    for ms in [0, 4_000, 6_000, 60_000] {
        let (table, verdicts) = broken(|table| mute(table, ms));
        let text = serde_json::to_string(&table).unwrap();
        let read: Table = serde_json::from_str(&text).unwrap();
        assert_eq!(read, table);
        assert_eq!(judged(&read), verdicts);
        assert_eq!(serde_json::to_string(&judged(&read)).unwrap(), serde_json::to_string(&verdicts).unwrap());
    }
}
