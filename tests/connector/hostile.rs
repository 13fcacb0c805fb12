//! What a hostile or broken peer can send, and what the connector makes of it.

use super::desk::{Desk, btc, config, limit, run};
use super::scripted::{Peer, Say, report_json};
use plimsoll::domain::connection::{State, Why};
use plimsoll::domain::market::{BookLoss, MarketEvent};
use plimsoll::domain::order_types::{OrderStatus, Side};
use plimsoll::domain::outcome::{Denial, Outcome, RejectClass, UnknownWhy};
use plimsoll::venues::binance::BinanceConfig;
use plimsoll::venues::{OrderEvent, Venue};

#[test]
fn unreadable_user_data_leads_to_a_comparison_not_to_silence() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        for frame in ["{", "[]", "\u{0}", r#"{"subscriptionId":0,"event":{"e":"executionReport","i":"x"}}"#] {
            let before = desk.venue.evidence().orders.undecodable;
            peer.say("api", Say::Raw(frame.to_owned()));
            desk.until_state(State::Syncing).await;
            desk.until_state(State::Live).await;
            assert_eq!(desk.venue.evidence().orders.undecodable, before + 1, "{frame}");
        }
        assert_eq!(peer.connects(), 2, "the session survived: one order and one market connection");
    });
}

#[test]
fn unknown_words_and_kinds_are_surfaced() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        peer.say("api", Say::Raw(report_json(9, "web/7:x", "MELTED")));
        let report = desk
            .until_order("report", |event| match event {
                OrderEvent::Report(report) => Some(report),
                _ => None,
            })
            .await;
        assert!(matches!(report.status, OrderStatus::Other(ref word) if word.as_str() == "MELTED"));
        assert_eq!(report.client_order_id.as_str(), "web/7:x");
        peer.say("api", Say::Raw(r#"{"subscriptionId":0,"event":{"e":"tomorrow"}}"#.into()));
        desk.until_order("unknown kind", |event| match event {
            OrderEvent::Unrecognised { kind } if kind.as_str() == "tomorrow" => Some(()),
            _ => None,
        })
        .await;
    });
}

#[test]
fn an_oversized_frame_ends_the_session_and_nothing_else() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        peer.say("api", Say::Huge(64 << 20));
        let why = desk
            .until_order("the end of the session", |event| match event {
                OrderEvent::Session { to: State::Backoff, why, .. } => Some(why),
                _ => None,
            })
            .await;
        assert_eq!(why, Why::Protocol);
        desk.until_state(State::Live).await;
    });
}

#[test]
fn what_is_open_is_unknown_and_what_is_refused_is_rejected() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        let cases = [
            (Say::Nothing, "timeout"),
            (Say::Error(504, -1007, "Timeout waiting for response from backend server."), "venue"),
            (Say::Error(400, -1006, "unexpected"), "venue"),
            (Say::Error(500, 0, "oops"), "server"),
            (Say::Result("{}".into()), "undecodable"),
            (Say::Cut, "disconnected"),
        ];
        for (at, (say, want)) in cases.into_iter().enumerate() {
            peer.script("order.place", [say]);
            let outcome = desk.venue.place(limit(&format!("open-{at}"), Side::Buy, "1", "1")).await;
            let Outcome::Unknown(why) = outcome else { panic!("{want}: {outcome:?}") };
            let got = match why {
                UnknownWhy::Timeout { after_ms: 400 } => "timeout",
                UnknownWhy::VenueCode { .. } => "venue",
                UnknownWhy::ServerError { .. } => "server",
                UnknownWhy::Undecodable { .. } => "undecodable",
                UnknownWhy::Disconnected => "disconnected",
                other => panic!("{other:?}"),
            };
            assert_eq!(got, want);
        }
        desk.until_state(State::Backoff).await;
        let denied = desk.venue.place(limit("during", Side::Buy, "1", "1")).await;
        assert!(matches!(denied, Outcome::DeniedHere(_)), "{denied:?}");
        desk.until_state(State::Live).await;
        peer.script("order.place", [Say::Error(400, -2010, "Duplicate order sent.")]);
        let outcome = desk.venue.place(limit("dup", Side::Buy, "1", "1")).await;
        let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
        assert_eq!((rejection.code, rejection.class), (-2010, RejectClass::DuplicateClientOrderId));
        assert!(peer.seen("order.place").iter().all(|p| p["newClientOrderId"] != "during"));
    });
}

#[test]
fn a_clock_refusal_is_measured_and_sent_once_more_with_the_same_id() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        peer.script("order.place", [Say::Error(400, -1021, "Timestamp for this request is outside")]);
        let outcome = desk.venue.place(limit("late", Side::Buy, "1", "1")).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
        let sent = peer.seen("order.place");
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|p| p["newClientOrderId"] == "late"));
        assert_eq!(peer.seen("/api/v3/time").len(), 1);
        let again = Say::Error(400, -1021, "Timestamp");
        peer.script("order.place", [again.clone(), again]);
        let outcome = desk.venue.place(limit("late2", Side::Buy, "1", "1")).await;
        let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
        assert_eq!(rejection.class, RejectClass::ClockSkew);
        assert_eq!(peer.seen("order.place").len(), 4, "once more, not for ever");
    });
}

#[test]
fn a_ban_stops_every_request_until_it_ends() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        peer.script("order.place", [Say::ErrorFor(418, -1003, "Way too many requests; IP banned", 600)]);
        let outcome = desk.venue.place(limit("banned", Side::Buy, "1", "1")).await;
        assert!(matches!(outcome, Outcome::Rejected(ref r) if r.class == RejectClass::RateLimited));
        let denied = desk.venue.place(limit("denied", Side::Buy, "1", "1")).await;
        let Outcome::DeniedHere(Denial::BackOff { until }) = denied else { panic!("{denied:?}") };
        assert!(until.since(desk.venue.now()) <= 600);
        assert_eq!(peer.seen("order.place").len(), 1);
        tokio::time::sleep(std::time::Duration::from_millis(until.since(desk.venue.now()) + 1)).await;
        let outcome = desk.venue.place(limit("after", Side::Buy, "1", "1")).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    });
}

#[test]
fn a_confirmed_order_without_a_report_makes_the_stream_suspect() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(BinanceConfig { report_overdue_ms: 150, ..config(peer.addr) }).await;
        let order = super::scripted::order_json(5, "mute");
        peer.script("order.place", [Say::Result(order.clone()), Say::Result(order)]);
        assert!(matches!(desk.venue.place(limit("mute", Side::Buy, "1", "1")).await, Outcome::Confirmed(_)));
        desk.until_state(State::Syncing).await;
        let found = desk
            .until_order("comparison", |event| match event {
                OrderEvent::Reconciled(found) => Some(found),
                _ => None,
            })
            .await;
        assert_eq!(found.differences.missing_at_venue.len(), 1, "this peer lists no open orders");
        desk.until_state(State::Live).await;
        assert!(matches!(desk.venue.place(limit("mute2", Side::Buy, "1", "1")).await, Outcome::Confirmed(_)));
        let why = desk
            .until_order("the end of the session", |event| match event {
                OrderEvent::Session { to: State::Backoff, why, .. } => Some(why),
                _ => None,
            })
            .await;
        assert_eq!(why, Why::Mute, "twice without a word: a new session");
        desk.until_state(State::Live).await;
    });
}

#[test]
fn market_frames_that_cannot_be_read_are_counted_and_a_gap_heals() {
    run(|| async {
        let peer = Peer::start().await;
        let desk = Desk::live(config(peer.addr)).await;
        let diff = |first: u64, last: u64| {
            Say::Raw(format!(
                r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[],"a":[["102","1"]]}}}}"#
            ))
        };
        let top = |event| match event {
            MarketEvent::Book { top: Some(top), .. } => Some(top),
            _ => None,
        };
        assert_eq!(desk.until_market("book", top).await.update_id, 100, "the snapshot");
        peer.say("market", diff(100, 101));
        assert_eq!(desk.until_market("book", top).await.update_id, 101);
        for frame in ["{", "7", r#"{"stream":"btcusdt@trade","data":{"s":7}}"#] {
            peer.say("market", Say::Raw(frame.to_owned()));
        }
        peer.say("market", diff(102, 102));
        assert_eq!(desk.until_market("book", top).await.update_id, 102);
        assert_eq!(desk.venue.evidence().market.undecodable, 3);
        peer.script("/api/v3/depth", [Say::Error(503, 0, "busy")]);
        peer.script(
            "/api/v3/depth",
            [Say::Raw(r#"{"lastUpdateId":200,"bids":[["98","1"]],"asks":[["99","1"]]}"#.into())],
        );
        peer.say("market", diff(190, 201));
        let why = desk
            .until_market("the loss", |event| match event {
                MarketEvent::BookLost { why, .. } => Some(why),
                _ => None,
            })
            .await;
        assert_eq!(why, BookLoss::Gap { held: 102, got: 190 });
        assert_eq!(desk.until_market("book", top).await.update_id, 201, "after a failed and a good snapshot");
        assert_eq!(desk.venue.depth(&btc(), 5).unwrap().0.len(), 1);
    });
}
