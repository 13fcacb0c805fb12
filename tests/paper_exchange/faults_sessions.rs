//! Faults that strike connections and market data.

use crate::support::{SOON, Venue, still};
use futures_util::StreamExt as _;
use plimsoll::clock::monotonic;
use plimsoll::paper_exchange::PaperConfig;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// A running market that pings often.
fn lively() -> PaperConfig {
    let mut config = PaperConfig::default();
    config.wire.ping_every = Duration::from_millis(50);
    config.market.pace = "20".parse().unwrap();
    config
}

#[tokio::test]
async fn disconnect_cuts_open_sessions_without_a_close_frame_and_lets_them_return() {
    let venue = Venue::start(still());
    let (mut api, mut stream) = (venue.user().await, venue.open("/ws/btcusdt@trade").await);
    venue.plant(json!({"kind": "disconnect"})).await;
    assert_eq!(api.end().await, None);
    assert_eq!(stream.end().await, None);
    let mut again = venue.open("/ws-api/v3").await;
    assert_eq!(again.call("ping", json!({})).await["status"], 200);
    assert_eq!(venue.get("/paper/v1/faults").await.body["items"], json!([]), "it healed itself");
}

#[tokio::test]
async fn disconnect_can_be_narrowed_to_a_kind_of_session_and_last() {
    let venue = Venue::start(still());
    let (mut api, mut stream) = (venue.open("/ws-api/v3").await, venue.open("/ws").await);
    venue.plant(json!({"kind": "disconnect", "session": "market_data", "for_seconds": 60})).await;
    assert_eq!(stream.end().await, None);
    let mut again = venue.open("/ws").await;
    assert_eq!(again.end().await, None, "new sessions of the kind are cut too");
    assert_eq!(api.call("ping", json!({})).await["status"], 200);
    venue.heal().await;
    let mut healed = venue.open("/ws").await;
    assert_eq!(healed.call("LIST_SUBSCRIPTIONS", json!([])).await["result"], json!([]));
}

#[tokio::test]
async fn refuse_connections_resets_new_ones_and_keeps_old_ones() {
    let venue = Venue::start(still());
    let mut old = venue.open("/ws-api/v3").await;
    venue.plant(json!({"kind": "refuse_connections", "count": 2})).await;
    assert!(venue.try_open("/ws").await.is_err());
    assert!(venue.try_open("/ws-api/v3").await.is_err());
    assert_eq!(old.call("ping", json!({})).await["status"], 200);
    assert!(venue.try_open("/ws").await.is_ok(), "the count is used up");
    venue.plant(json!({"kind": "refuse_connections", "session": "ws_api"})).await;
    assert!(venue.try_open("/ws").await.is_ok());
    assert!(venue.try_open("/ws-api/v3").await.is_err());
}

#[tokio::test]
async fn half_open_neither_answers_nor_closes_until_healed() {
    let venue = Venue::start(lively());
    let mut ws = venue.open("/ws-api/v3").await;
    venue.plant(json!({"kind": "half_open", "session": "ws_api", "count": 1})).await;
    // Pings that were already on their way may arrive; then nothing at all does.
    let begin = monotonic();
    let silence = Duration::from_millis(400);
    let asked = ws.ask("ping", json!({})).await;
    while let Ok(frame) = tokio::time::timeout(silence, ws.stream.next()).await {
        let frame = frame.expect("half-open is not closed").expect("half-open is not reset");
        assert!(!matches!(frame, Message::Text(_)), "request {asked} was answered: {frame:?}");
        assert!(begin.elapsed() < SOON, "it goes on pinging");
    }
    let mut other = venue.open("/ws-api/v3").await;
    assert_eq!(other.call("ping", json!({})).await["status"], 200, "only one session was struck");
    venue.heal().await;
    assert_eq!(ws.end().await, None, "a dead connection does not come back to life");
}

/// What arrives within a while: text messages and pings.
async fn traffic(ws: &mut crate::support::Ws, for_a: Duration) -> (usize, usize) {
    let (mut texts, mut pings) = (0, 0);
    let deadline = tokio::time::Instant::from_std(monotonic()) + for_a;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(deadline, ws.stream.next()).await {
        match frame {
            Message::Text(_) => texts += 1,
            Message::Ping(_) => pings += 1,
            _ => {}
        }
    }
    (texts, pings)
}

#[tokio::test]
async fn mute_market_data_stops_data_and_pings() {
    let venue = Venue::start(lively());
    let mut ws = venue.open("/ws/btcusdt@depth@100ms").await;
    ws.next().await.unwrap();
    venue.plant(json!({"kind": "mute_market_data"})).await;
    traffic(&mut ws, Duration::from_millis(200)).await;
    assert_eq!(traffic(&mut ws, Duration::from_millis(500)).await, (0, 0));
    venue.heal().await;
    assert_eq!(ws.next().await.unwrap()["e"], "depthUpdate");
}

#[tokio::test]
async fn mute_market_data_of_one_symbol_leaves_the_other() {
    let venue = Venue::start(lively());
    let mut ws = venue.open("/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms").await;
    venue.plant(json!({"kind": "mute_market_data", "symbol": "BTCUSDT"})).await;
    traffic(&mut ws, Duration::from_millis(100)).await;
    for _ in 0..20 {
        assert_eq!(ws.next().await.unwrap()["data"]["s"], "ETHUSDT");
    }
}

#[tokio::test]
async fn stale_but_pinging_stops_data_and_keeps_pings_and_answers() {
    let venue = Venue::start(lively());
    let mut ws = venue.open("/ws/btcusdt@depth@100ms").await;
    ws.next().await.unwrap();
    venue.plant(json!({"kind": "stale_but_pinging"})).await;
    traffic(&mut ws, Duration::from_millis(200)).await;
    let (texts, pings) = traffic(&mut ws, Duration::from_millis(600)).await;
    assert_eq!(texts, 0);
    assert!(pings > 0, "pings go on");
    assert_eq!(ws.call("LIST_SUBSCRIPTIONS", json!([])).await["result"], json!(["btcusdt@depth@100ms"]));
    venue.heal().await;
    assert_eq!(ws.next().await.unwrap()["e"], "depthUpdate");
}

#[tokio::test]
async fn gap_in_depth_leaves_one_update_out() {
    let venue = Venue::start(lively());
    let mut ws = venue.open("/ws/btcusdt@depth@100ms").await;
    let ids = |update: &Value| (update["U"].as_u64().unwrap(), update["u"].as_u64().unwrap());
    let mut last = ids(&ws.next().await.unwrap()).1;
    for _ in 0..20 {
        let (first, to) = ids(&ws.next().await.unwrap());
        assert_eq!(first, last + 1, "contiguous without the fault");
        last = to;
    }
    venue.plant(json!({"kind": "gap_in_depth", "symbol": "BTCUSDT"})).await;
    let mut gaps = 0;
    for _ in 0..60 {
        let (first, to) = ids(&ws.next().await.unwrap());
        gaps += usize::from(first != last + 1);
        last = to;
    }
    assert_eq!(gaps, 1);
}

#[tokio::test]
async fn a_peer_that_never_pongs_is_dropped_and_others_are_not() {
    let mut config = still();
    config.wire.ping_every = Duration::from_millis(50);
    config.wire.silent_after = Duration::from_millis(400);
    let venue = Venue::start(config);
    // This client answers pings, because it is read all the time.
    let mut alive = venue.open("/ws").await;
    // This one does not: nobody reads it, so its library never sees the pings.
    let mut mute = venue.open("/ws").await;
    let (_, pings) = traffic(&mut alive, Duration::from_millis(900)).await;
    assert!(pings >= 5, "{pings}");
    assert_eq!(mute.end().await.map(|(code, _)| code), Some(1008));
    assert_eq!(alive.call("LIST_SUBSCRIPTIONS", json!([])).await["result"], json!([]));
}

#[tokio::test]
async fn sessions_end_at_their_lifetime() {
    let mut config = still();
    config.wire.session_lifetime = Duration::from_millis(300);
    let venue = Venue::start(config);
    let mut ws = venue.open("/ws-api/v3").await;
    assert_eq!(ws.call("ping", json!({})).await["status"], 200);
    assert_eq!(ws.end().await.map(|(code, _)| code), Some(1001));
}

#[tokio::test]
async fn stopping_says_server_shutdown_and_closes() {
    let venue = Venue::start(still());
    let (mut api, mut stream) = (venue.user().await, venue.open("/ws").await);
    let Venue { running, .. } = venue;
    let stopping = tokio::task::spawn_blocking(move || running.stop());
    assert_eq!(api.next().await.unwrap()["event"]["e"], "serverShutdown");
    assert_eq!(stream.next().await.unwrap()["e"], "serverShutdown");
    assert_eq!(api.end().await.map(|(code, _)| code), Some(1001));
    drop((api, stream));
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn user_streams_can_be_terminated_and_opened_again() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    assert_eq!(venue.delete("/paper/v1/user-streams").await.body["terminated"], 1);
    assert_eq!(ws.next().await.unwrap()["event"]["e"], "eventStreamTerminated");
    venue.rest_order("unheard").await;
    assert!(ws.quiet().await);
    let again = ws.call_signed("userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(again["status"], 200);
    let deposit = json!({"account": "demo", "asset": "USDT", "amount": "12.5"});
    assert_eq!(venue.post("/paper/v1/deposits", deposit).await.status, 200);
    let update = ws.find(|message| message["event"]["e"] == "balanceUpdate").await;
    assert_eq!(update["event"]["d"], "12.50000000");
}
