//! How fast the paper exchange acknowledges orders, seen by a raw client in another process.
//!
//! `cargo bench --bench venue_load [-- SECONDS] [kept]` starts `plimsoll venue` (with `kept`, on a data
//! directory), keeps W orders in flight over one WebSocket API session, and prints
//! place-to-acknowledged latency and orders per second for W = 1 and W = 64. It knows nothing of the
//! exchange but its protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    missing_docs,
    reason = "a measuring tool: it stops at the first surprise"
)]

use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use plimsoll::clock;
use sha2::Sha256;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

fn start(kept: Option<&tempfile::TempDir>) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["venue", "--listen", "127.0.0.1:0"]);
    if let Some(dir) = kept {
        command.arg("--data-dir").arg(dir.path());
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

fn request(key: &Hmac<Sha256>, number: usize) -> String {
    let timestamp = clock::wall_millis();
    let payload = format!(
        "apiKey=demo&newClientOrderId=load-{number}&newOrderRespType=ACK&price=50000.00&quantity=0.01000&side=BUY&symbol=BTCUSDT&timeInForce=IOC&timestamp={timestamp}&type=LIMIT"
    );
    let mut mac = key.clone();
    mac.update(payload.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    format!(
        r#"{{"id":{number},"method":"order.place","params":{{"apiKey":"demo","newClientOrderId":"load-{number}","newOrderRespType":"ACK","price":"50000.00","quantity":"0.01000","side":"BUY","symbol":"BTCUSDT","timeInForce":"IOC","timestamp":{timestamp},"type":"LIMIT","signature":"{signature}"}}}}"#
    )
}

async fn run(addr: &str, in_flight: usize, length: Duration, first: usize) -> usize {
    let (stream, _) = tokio_tungstenite::connect_async(format!("ws://{addr}/ws-api/v3")).await.unwrap();
    let (mut out, mut answers) = stream.split();
    let key = Hmac::<Sha256>::new_from_slice(b"demo-secret").unwrap();
    let mut sent_at: Vec<Instant> = Vec::new();
    let mut latencies: Vec<Duration> = Vec::new();
    let begin = clock::monotonic();
    for _ in 0..in_flight {
        let number = first + sent_at.len();
        sent_at.push(clock::monotonic());
        out.feed(Message::text(request(&key, number))).await.unwrap();
    }
    out.flush().await.unwrap();
    while latencies.len() < sent_at.len() {
        // Everything that has arrived is answered with one flush.
        let mut batch = vec![answers.next().await.unwrap().unwrap()];
        while let Some(Some(more)) = futures_util::FutureExt::now_or_never(answers.next()) {
            batch.push(more.unwrap());
        }
        let now = clock::monotonic();
        for message in batch {
            let Message::Text(text) = message else { continue };
            let (head, rest) = text.split_once(",\"status\":").expect("an answer");
            assert!(rest.starts_with("200"), "{text}");
            let number: usize = head.trim_start_matches("{\"id\":").parse().unwrap();
            latencies.push(now.duration_since(sent_at[number - first]));
            if now.duration_since(begin) < length {
                let number = first + sent_at.len();
                sent_at.push(clock::monotonic());
                out.feed(Message::text(request(&key, number))).await.unwrap();
            }
        }
        out.flush().await.unwrap();
    }
    let elapsed = begin.elapsed();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!(
        "in flight {in_flight:>3}: {:>7.0} orders/s, place to acknowledged p50 {:?} p99 {:?} ({} orders)",
        f64::from(u32::try_from(latencies.len()).unwrap()) / elapsed.as_secs_f64(),
        at(50),
        at(99),
        latencies.len()
    );
    first + sent_at.len()
}

fn main() {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(5);
    let kept = std::env::args().any(|argument| argument == "kept").then(|| tempfile::tempdir().unwrap());
    let (mut child, addr) = start(kept.as_ref());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut next = run(&addr, 1, Duration::from_millis(500), 1).await;
        for in_flight in [1, 64] {
            next = run(&addr, in_flight, Duration::from_secs(seconds), next).await;
        }
    });
    child.kill().unwrap();
    child.wait().unwrap();
}
