//! State across restarts, orderly and not.

use crate::support::{Venue, still};
use plimsoll::paper_exchange::{PaperConfig, PaperExchange};
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

fn kept(dir: &std::path::Path) -> PaperConfig {
    PaperConfig { data_dir: Some(dir.to_owned()), ..still() }
}

#[tokio::test]
async fn an_orderly_restart_keeps_orders_trades_and_balances() {
    let dir = tempfile::tempdir().unwrap();
    let venue = Venue::start(kept(dir.path()));
    venue.rest_order("resting").await;
    venue.place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.02").await;
    let before = venue.truth().await;
    let info = venue.get("/api/v3/depth?symbol=BTCUSDT&limit=1").await.body["lastUpdateId"].as_u64();
    let Venue { running, .. } = venue;
    tokio::task::spawn_blocking(move || running.stop()).await.unwrap().unwrap();

    let venue = Venue::start(kept(dir.path()));
    assert_eq!(venue.truth().await, before);
    let after = venue.get("/api/v3/depth?symbol=BTCUSDT&limit=1").await.body["lastUpdateId"].as_u64();
    assert!(after > info, "ids go on rising: {info:?} then {after:?}");
    let cancel =
        venue.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=resting").await.unwrap();
    assert_eq!(cancel.status, 200, "{}", cancel.body);
}

#[tokio::test]
async fn a_restart_in_a_moving_market_keeps_what_the_market_filled() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = kept(dir.path());
    config.market.hold = false;
    config.market.pace = "50".parse().unwrap();
    let venue = Venue::start(config);
    for round in 0..10 {
        // At the touch: strangers fill some of these.
        let best = venue.get("/api/v3/ticker/bookTicker?symbol=BTCUSDT").await.body;
        let (bid, ask) = (best["bidPrice"].as_str().unwrap(), best["askPrice"].as_str().unwrap());
        for (side, price) in [("BUY", bid), ("SELL", ask)] {
            venue.place(&format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity=0.001&price={price}&newClientOrderId={side}{round}")).await;
        }
    }
    let deadline = plimsoll::clock::monotonic() + crate::support::SOON;
    while venue.truth().await["trades"].as_array().unwrap().len() < 5 {
        assert!(plimsoll::clock::monotonic() < deadline, "the market fills nothing");
    }
    venue.post("/paper/v1/market", json!({"hold": true})).await;
    venue.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.unwrap();
    let before = venue.truth().await;
    // The process dies: nothing is folded or settled, only the journal is there. A copy of the
    // directory stands for the disk as the next process finds it.
    let found = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), found.path().join(entry.file_name())).unwrap();
    }
    let again = Venue::start(kept(found.path()));
    assert_eq!(again.truth().await, before);
}

#[tokio::test]
async fn two_exchanges_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Venue::start(kept(dir.path()));
    let error = PaperExchange::start(kept(dir.path())).unwrap_err().to_string();
    assert!(error.contains("another exchange"), "{error}");
}

/// The address of a `plimsoll venue` process.
fn spawn(dir: &std::path::Path) -> (std::process::Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["venue", "--listen", "127.0.0.1:0", "--hold", "--data-dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

async fn place(http: &reqwest::Client, addr: &str, id: usize) -> Option<String> {
    let params = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000&newClientOrderId=k{id}&timestamp={}",
        crate::support::now_ms()
    );
    let signature = crate::support::sign("demo-secret", &params);
    let url = format!("http://{addr}/api/v3/order?{params}&signature={signature}");
    let response = http.post(url).header("X-MBX-APIKEY", "demo").send().await.ok()?;
    (response.status() == 200).then(|| format!("k{id}"))
}

#[tokio::test]
async fn sigkill_loses_no_acknowledged_order() {
    let dir = tempfile::tempdir().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..3_usize {
        let (mut child, addr) = spawn(dir.path());
        for n in 0..15 {
            acknowledged.extend(place(&http, &addr, round * 100 + n).await);
        }
        // One is on its way while the process dies.
        let (last, ()) = tokio::join!(place(&http, &addr, round * 100 + 99), async { child.kill().unwrap() });
        acknowledged.extend(last);
        child.wait().unwrap();
    }
    assert!(acknowledged.len() >= 45);
    let venue = Venue::start(kept(dir.path()));
    let accepted = venue.accepted().await;
    for id in &acknowledged {
        assert!(accepted.contains(id), "{id} was acknowledged and is gone");
    }
    let open = venue.signed("GET", "/api/v3/openOrders", "").await.unwrap();
    assert_eq!(open.body.as_array().unwrap().len(), accepted.len());
    assert_eq!(venue.truth().await["duplicate_client_order_ids_refused"], json!(0));
}
