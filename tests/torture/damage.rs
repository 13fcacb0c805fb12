//! A disk without room, and a journal with a flipped byte.

use super::blows::{Torture, seed};
use super::desk::{PATIENCE, plimsoll};
use serde_json::json;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// The file that holds the journal.
const DATABASE: &str = "plimsoll.db";
const HEAD: &str = "journal-head";
/// Room that is left for the write-ahead log beside what the database holds already, bytes.
const ROOM: u64 = 400 * 1024;

#[tokio::test]
async fn without_room_new_orders_are_refused_and_cancels_work() {
    let mut torture = Torture::open(seed()).await;
    let runtime = torture.desk.start().await;
    torture.close_softly(runtime).await;
    // No file may grow beyond this; the signal that goes with it is ignored, as on a full disk there is none.
    let size = fs::metadata(torture.desk.data().join(DATABASE)).unwrap().len();
    let blocks = (size + ROOM) / 512;
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
    limited.arg(env!("CARGO_BIN_EXE_plimsoll")).args(torture.desk.arguments());
    let runtime = torture.desk.listening(torture.desk.spawn_as(limited)).await;
    runtime.until_ready(&torture.desk.http).await;

    let (bid, _) = torture.desk.top("BTCUSDT").await;
    let resting = json!({
        "client_order_id": "rests", "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.001",
        "price": format!("{:.2}", bid * 0.98), "time_in_force": "gtc", "strategy": "manual",
    });
    let (status, said) = runtime.post(&torture.desk.http, "/api/v1/orders", &resting).await.unwrap();
    assert_eq!(status, 202, "{said}");
    torture.notes.lock().unwrap().accepted.insert("rests".to_owned(), resting.clone());
    let working = |_: u16, body: &serde_json::Value| body["state"] == "working";
    runtime.until(&torture.desk.http, "/api/v1/orders/rests", working).await;

    let callers = torture.load(&runtime).await;
    let mut probe = 0;
    let start = Instant::now();
    loop {
        probe += 1;
        let mut body = resting.clone();
        body["client_order_id"] = json!(format!("probe-{probe}"));
        let answer = runtime.post(&torture.desk.http, "/api/v1/orders", &body).await;
        let mut told = torture.notes.lock().unwrap();
        match answer {
            Some((202, _)) => drop(told.accepted.insert(format!("probe-{probe}"), body)),
            Some((503, said)) => {
                println!("refused: {said}");
                // The order at which the room ended hears the disk's own words, those after it the state.
                let named = said["detail"].as_str().is_some_and(|why| why.contains("disk"));
                assert!(named || said["code"] == "journal_unwritable", "{said}");
                break;
            }
            other => panic!("a new order met {other:?}"),
        }
        assert!(start.elapsed() < PATIENCE, "the room never ran out");
    }
    callers.stop().await;
    let cancel =
        torture.desk.http.delete(format!("{}/api/v1/orders/rests", runtime.url)).send().await.unwrap();
    assert_eq!(cancel.status().as_u16(), 202, "{:?}", cancel.text().await);
    let start = Instant::now();
    while !cancelled_at_the_exchange(&torture, "rests", &runtime).await {
        assert!(
            start.elapsed() < PATIENCE,
            "the cancel never reached the exchange\n{}",
            runtime.process.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // With room again, after whatever end: nothing is missing.
    let mut runtime = runtime;
    runtime.process.kill();
    torture.verify_journal();
    let runtime = torture.desk.start().await;
    torture.ask_again(&runtime).await;
    let verdict = torture.compare(&runtime).await;
    println!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}");
    torture.close(runtime).await;
}

async fn cancelled_at_the_exchange(torture: &Torture, id: &str, runtime: &super::desk::Runtime) -> bool {
    let Some((200, order)) = runtime.get(&torture.desk.http, &format!("/api/v1/orders/{id}")).await else {
        return false;
    };
    let truth = torture.desk.truth().await;
    let there = truth["orders"].as_array().unwrap().iter();
    there
        .filter(|there| there["client_order_id"] == order["venue_client_order_id"])
        .any(|there| there["status"] == "CANCELED")
}

#[tokio::test]
async fn a_flipped_byte_starts_halted_and_nothing_is_repaired() {
    let mut torture = Torture::open(seed()).await;
    let runtime = torture.desk.start().await;
    let callers = torture.load(&runtime).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    callers.stop().await;
    torture.close_softly(runtime).await;
    torture.verify_journal();

    let path = torture.desk.data().join(DATABASE);
    let head = torture.desk.data().join(HEAD);
    let (whole, whole_head) = (fs::read(&path).unwrap(), fs::read(&head).unwrap());
    let mut broken = whole.clone();
    // Inside the rows' payloads: the database itself finds nothing wrong with it. Every match, because some lie
    // in space that a split page no longer uses.
    let mark = br#""client_order_id":"t1-"#;
    let places: Vec<usize> =
        whole.windows(mark.len()).enumerate().filter(|(_, w)| w == mark).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "a payload names an order");
    for at in places {
        broken[at + mark.len() - 2] ^= 1;
    }
    fs::write(&path, &broken).unwrap();

    let mut verify = plimsoll();
    verify.args(["journal", "verify", "--data-dir"]).arg(torture.desk.data());
    let output = verify.output().unwrap();
    assert!(!output.status.success(), "the damage was not seen: {output:?}");
    let before = torture.desk.truth().await["orders"].as_array().unwrap().len();
    let runtime = torture.desk.listening(torture.desk.spawn()).await;
    let halted = |_: u16, body: &serde_json::Value| body["state"] == "halted";
    runtime.until(&torture.desk.http, "/api/v1/status", halted).await;
    let (status, said) = runtime.get(&torture.desk.http, "/readyz").await.unwrap();
    assert_eq!(status, 503, "{said}");
    let order = json!({
        "client_order_id": "too-late", "symbol": "BTCUSDT", "side": "buy", "type": "market",
        "quantity": "0.001", "strategy": "manual",
    });
    let (status, said) = runtime.post(&torture.desk.http, "/api/v1/orders", &order).await.unwrap();
    assert!(status == 503 || status == 409, "{status} {said}");
    assert!(runtime.process.log().contains("journal_corrupt"), "{}", runtime.process.log());
    assert_eq!(torture.desk.truth().await["orders"].as_array().unwrap().len(), before);
    let mut runtime = runtime;
    runtime.process.kill();
    assert_eq!(fs::read(&path).unwrap(), broken, "a broken journal is evidence: nobody writes to it");

    // The copy is put in place as a whole, as the runbook says: the alerts of the halted run were written behind the damage,
    // and their pages hold it.
    for left in ["plimsoll.db-wal", "plimsoll.db-shm"] {
        let left = torture.desk.data().join(left);
        if left.exists() {
            fs::remove_file(left).unwrap();
        }
    }
    fs::write(&path, &whole).unwrap();
    fs::write(&head, &whole_head).unwrap();
    // The latch was engaged by the damage: a whole journal alone does not trade again.
    let runtime = torture.halted_again().await;
    super::kill::lift(&torture, &runtime).await;
    let verdict = torture.compare(&runtime).await;
    assert!(verdict.is_clean(), "{verdict}");
    torture.close(runtime).await;
}
