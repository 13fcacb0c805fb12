//! Hostile bytes: clear errors, sessions that survive, and no panic.

use crate::support::{Venue, still};
use futures_util::SinkExt as _;
use plimsoll::clock::monotonic;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn junk_on_the_websocket_api_is_answered_and_survived() {
    let venue = Venue::start(still());
    let mut ws = venue.open("/ws-api/v3").await;
    for (junk, code) in [
        ("", -1135),
        ("nonsense", -1135),
        ("{\"id\":1,\"method\":", -1135),
        ("[]", -1135),
        ("{\"id\":1}", -1135),
        ("{\"id\":1,\"method\":5}", -1135),
        ("{\"id\":1,\"method\":\"order.place\",\"params\":[1]}", -1135),
        ("{\"id\":{\"a\":1},\"method\":\"ping\"}", -1100),
        ("{\"id\":1,\"method\":\"no.such\"}", -1020),
        ("{\"id\":1,\"method\":\"order.place\",\"params\":{\"symbol\":{\"a\":[1]}}}", -1102),
        ("{\"id\":1,\"method\":\"depth\",\"params\":{\"symbol\":\"NOPE\"}}", -1121),
        ("{\"id\":1,\"method\":\"depth\",\"params\":{\"symbol\":\"BTCUSDT\",\"limit\":\"many\"}}", -1100),
        ("{\"id\":1,\"method\":\"depth\",\"params\":{\"a\":1,\"a\":2}}", -1135),
    ] {
        ws.send(junk).await;
        let reply = ws.next().await.expect("the session survives");
        assert_eq!(reply["error"]["code"], code, "{junk}: {reply}");
    }
    let deep =
        format!("{{\"id\":1,\"method\":\"ping\",\"params\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    ws.send(&deep).await;
    assert_eq!(ws.next().await.unwrap()["error"]["code"], -1135);
    assert_eq!(ws.call("ping", json!({})).await["status"], 200);
}

#[tokio::test]
async fn junk_on_the_streams_is_answered_and_survived() {
    let mut config = still();
    config.wire.stream_messages_per_second = 1_000;
    let venue = Venue::start(config);
    let mut ws = venue.open("/ws").await;
    for (junk, code) in [
        ("nonsense", 3),
        ("{\"id\":1}", 2),
        ("{\"method\":\"DANCE\",\"id\":1}", 2),
        ("{\"method\":\"SUBSCRIBE\",\"params\":[],\"id\":1}", 2),
        ("{\"method\":\"SUBSCRIBE\",\"params\":[5],\"id\":1}", 2),
        ("{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@magic\"],\"id\":1}", 2),
        ("{\"method\":\"SUBSCRIBE\",\"params\":[\"nopeusdt@trade\"],\"id\":1}", -1121),
        ("{\"method\":\"SET_PROPERTY\",\"params\":[\"x\"],\"id\":1}", 2),
    ] {
        ws.send(junk).await;
        let reply = ws.next().await.expect("the session survives");
        assert_eq!(reply["error"]["code"], code, "{junk}: {reply}");
    }
    assert_eq!(ws.call("SUBSCRIBE", json!(["btcusdt@trade"])).await["result"], json!(null));
    assert_eq!(ws.call("LIST_SUBSCRIPTIONS", json!([])).await["result"], json!(["btcusdt@trade"]));
    assert_eq!(ws.call("UNSUBSCRIBE", json!(["btcusdt@trade"])).await["result"], json!(null));
    assert_eq!(ws.call("LIST_SUBSCRIPTIONS", json!([])).await["result"], json!([]));
}

#[tokio::test]
async fn too_many_messages_and_too_many_streams_are_refused() {
    let mut config = still();
    config.wire.max_streams = 2;
    let venue = Venue::start(config);
    let mut ws = venue.open("/ws").await;
    let three = json!(["btcusdt@trade", "btcusdt@depth", "btcusdt@bookTicker"]);
    assert_eq!(ws.call("SUBSCRIBE", three).await["error"]["code"], 2);
    for _ in 0..20 {
        // The session may already be closed while we still send.
        drop(ws.stream.send(Message::text("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}")).await);
    }
    let (code, reason) = ws.end().await.expect("told why");
    assert_eq!(code, 1008);
    assert!(reason.contains("5 per second"), "{reason}");
}

#[tokio::test]
async fn a_64_mib_frame_is_refused_by_its_header_alone() {
    let venue = Venue::start(still());
    let mut io = TcpStream::connect(venue.running.addr()).await.unwrap();
    io.write_all(b"GET /ws-api/v3 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").await.unwrap();
    let mut head = vec![0; 4_096];
    let read = io.read(&mut head).await.unwrap();
    assert!(String::from_utf8_lossy(&head[..read]).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    let mut header = vec![0x81, 0xFF];
    header.extend_from_slice(&(64_u64 * 1024 * 1024).to_be_bytes());
    header.extend_from_slice(&[1, 2, 3, 4]);
    io.write_all(&header).await.unwrap();
    // Not one byte of the payload was sent, and the answer is a close frame with 1009.
    let mut close = [0; 4];
    tokio::time::timeout(crate::support::SOON, io.read_exact(&mut close)).await.unwrap().unwrap();
    assert_eq!((close[0], u16::from_be_bytes([close[2], close[3]])), (0x88, 1009));
    let mut other = venue.open("/ws-api/v3").await;
    assert_eq!(other.call("ping", json!({})).await["status"], 200);
}

#[tokio::test]
async fn large_bodies_wrong_methods_and_wrong_paths_are_refused() {
    let venue = Venue::start(still());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let big = http.post(venue.url("/api/v3/order")).body(vec![b'a'; 200_000]);
    assert_eq!(venue.send(big).await.unwrap().status, 413);
    assert_eq!(venue.delete("/api/v3/time").await.status, 405);
    assert_eq!(venue.get("/nowhere").await.status, 404);
    assert_eq!(venue.get("/api/v3/depth?symbol=%zz").await.body["code"], -1100);
    assert!(venue.try_open("/ws-api/v9").await.is_err());
    let mut torn = TcpStream::connect(venue.running.addr()).await.unwrap();
    torn.write_all(b"GET /api/v3/ti").await.unwrap();
    drop(torn);
    assert_eq!(venue.get("/api/v3/time").await.status, 200);
}

#[tokio::test]
async fn a_slow_consumer_is_cut_and_the_rest_lives() {
    let mut config = plimsoll::paper_exchange::PaperConfig::default();
    config.market.pace = "1000".parse().unwrap();
    config.wire.outbox_bytes = 64 * 1024;
    let venue = Venue::start(config);
    // Nobody reads this one.
    let _slow =
        venue.open("/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms/btcusdt@depth20@100ms").await;
    let deadline = monotonic() + Duration::from_secs(60);
    loop {
        let sessions = venue.get("/paper/v1/sessions").await.body;
        if sessions["counts"]["slow_consumers_cut"] == 1 {
            assert_eq!(sessions["items"], json!([]));
            break;
        }
        assert!(monotonic() < deadline, "{sessions}");
    }
}

/// Requests with bytes changed, cut out, doubled and swapped.
fn mutated(rng: &mut fastrand::Rng, seeds: &[String]) -> String {
    let mut bytes = seeds[rng.usize(0..seeds.len())].clone().into_bytes();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..bytes.len());
        match rng.u8(0..5) {
            0 => bytes[at] = rng.u8(32..127),
            1 => drop(bytes.drain(at..(at + rng.usize(0..12)).min(bytes.len()))),
            2 => bytes.extend_from_within(at..),
            3 => bytes.truncate(at),
            _ => bytes.insert(at, b"{}[],:\"\\0-."[rng.usize(0..11)]),
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn mutated_requests_are_each_answered_once() {
    let venue = Venue::start(still());
    let mut ws = venue.open("/ws-api/v3").await;
    let request = |method: &str, params| json!({"id": 7, "method": method, "params": params}).to_string();
    let seeds = [
        request("order.place", crate::support::signed_params(crate::support::order("seed"))),
        request("order.cancel", json!({"symbol": "BTCUSDT", "orderId": 1, "timestamp": 1, "apiKey": "demo"})),
        request("depth", json!({"symbol": "BTCUSDT", "limit": 5})),
        request("klines", json!({"symbol": "BTCUSDT", "interval": "1m", "startTime": 0})),
        request("userDataStream.unsubscribe", json!({"subscriptionId": 0})),
        request("exchangeInfo", json!({"symbols": ["BTCUSDT", "ETHUSDT"]})),
    ];
    // A fixed seed: the same mutations on every machine.
    let mut rng = fastrand::Rng::with_seed(20_240_808);
    for round in 0..1_500 {
        let junk = mutated(&mut rng, &seeds);
        ws.send(&junk).await;
        let reply = ws.next().await.unwrap_or_else(|| panic!("round {round} ended the session: {junk}"));
        assert!(reply["status"].is_u64(), "{junk}: {reply}");
    }
    let mut other = venue.open("/ws-api/v3").await;
    assert!(other.call("ping", json!({})).await["status"].is_u64());
}
