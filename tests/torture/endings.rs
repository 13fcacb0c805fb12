//! Ends that are asked for, and a second process that is not: SIGTERM under load, twice, while booting.

use super::blows::{Torture, seed};
use super::desk::{PATIENCE, Runtime};
use super::load::{Callers, Prices};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The configured grace is 10 s; everything that ends in order ends well before.
const GRACE: Duration = Duration::from_secs(12);

async fn venue_ids(torture: &Torture) -> BTreeSet<String> {
    let truth = torture.desk.truth().await;
    let orders = truth["orders"].as_array().unwrap();
    orders.iter().map(|order| order["client_order_id"].as_str().unwrap().to_owned()).collect()
}

async fn warm_and_clean(torture: &mut Torture) -> Runtime {
    torture.verify_journal();
    let runtime = torture.desk.start().await;
    torture.ask_again(&runtime).await;
    let verdict = torture.compare(&runtime).await;
    println!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}");
    runtime
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused() {
    let mut torture = Torture::open(seed()).await;
    let first = torture.desk.start().await;
    let callers = torture.load(&first).await;
    let (status, _, log) = torture.desk.spawn().end(PATIENCE).await;
    assert!(!status.success(), "{log}");
    assert!(log.contains("data"), "it names what is taken: {log}");
    callers.stop().await;
    let verdict = torture.compare(&first).await;
    assert!(verdict.is_clean(), "the first one is unharmed: {verdict}");
    torture.close(first).await;
}

#[tokio::test]
async fn told_to_stop_under_load_it_drains_and_creates_nothing() {
    let mut torture = Torture::open(seed()).await;
    let runtime = torture.desk.start().await;
    let callers = torture.load(&runtime).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    runtime.process.signal("-TERM");
    // From here on the intake is closed, however much the callers still ask.
    let start = Instant::now();
    while !runtime.process.log().contains("shutdown_begun") {
        assert!(start.elapsed() < PATIENCE, "{}", runtime.process.log());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (status, took, log) = runtime.process.end(PATIENCE).await;
    callers.stop().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(took <= GRACE, "{took:?}\n{log}");
    assert!(log.contains("loop_shutdown"), "{log}");
    let at_end = venue_ids(&torture).await;
    let truth = torture.desk.truth().await;
    let live = |order: &&serde_json::Value| {
        order["account"] == "demo" && ["NEW", "PARTIALLY_FILLED"].contains(&order["status"].as_str().unwrap())
    };
    let open = truth["orders"].as_array().unwrap().iter().filter(live).count();
    assert_eq!(open, 0, "orders were left at the exchange\n{log}");
    let runtime = warm_and_clean(&mut torture).await;
    assert!(venue_ids(&torture).await.is_superset(&at_end));
    torture.close(runtime).await;
}

#[tokio::test]
async fn told_twice_it_ends_at_once_and_starts_clean() {
    let mut torture = Torture::open(seed()).await;
    let runtime = torture.desk.start().await;
    let callers = torture.load(&runtime).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    runtime.process.signal("-TERM");
    runtime.process.signal("-TERM");
    let (_, took, log) = runtime.process.end(PATIENCE).await;
    callers.stop().await;
    assert!(took < Duration::from_secs(3), "{took:?}\n{log}");
    let runtime = warm_and_clean(&mut torture).await;
    torture.close(runtime).await;
}

#[tokio::test]
async fn told_to_stop_while_booting_it_ends_well() {
    let mut torture = Torture::open(seed()).await;
    let runtime = torture.desk.start().await;
    let callers = torture.load(&runtime).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut runtime = runtime;
    runtime.process.kill();
    callers.stop().await;
    for _ in 0..6 {
        let before = venue_ids(&torture).await;
        let booting = torture.desk.listening(torture.desk.spawn()).await;
        tokio::time::sleep(Duration::from_millis(torture.rng.u64(0..300))).await;
        booting.process.signal("-TERM");
        let (status, took, log) = booting.process.end(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(took <= GRACE, "{took:?}\n{log}");
        torture.verify_journal();
        // The strategies may have had their moment between ready and the signal: then it was running, not booting.
        let was_ready = log.contains("warm_start");
        assert!(was_ready || venue_ids(&torture).await == before, "it sent orders while booting\n{log}");
    }
    let runtime = warm_and_clean(&mut torture).await;
    torture.close(runtime).await;
}

/// A terminal that is held, a pipe that nobody reads: whoever logs into it must not stand still with it.
#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let torture = Torture::open(seed()).await;
    let config = torture.desk.config();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}telemetry: {{ log_level: trace }}\n")).unwrap();
    let mut child = torture.desk.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Held open and never read: after 64 KiB the pipe is full.
    let stderr = child.stderr.take().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.rsplit(' ').next().unwrap().trim().to_owned();
    let http = torture.desk.http.clone();
    let get = async |path: &str| {
        let answer = http.get(format!("{url}{path}")).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    };
    let start = Instant::now();
    while get("/readyz").await.is_none_or(|(status, _)| status != 200) {
        assert!(start.elapsed() < PATIENCE, "never ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let callers = Callers::start(&url, &torture.notes, Prices::read(&torture.desk).await, "q", 4, 1);
    let start = Instant::now();
    let lost = |text: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("plimsoll_log_lines_lost_total "));
        line.and_then(|figure| figure.parse::<f64>().ok()).unwrap_or_default()
    };
    // Enough that the pipe and the queue behind it are full; orders go on all the while.
    while lost(&get("/metrics").await.unwrap().1) < 100.0 {
        assert!(start.elapsed() < PATIENCE, "the queue never filled");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let before = torture.notes.lock().unwrap().accepted.len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = torture.notes.lock().unwrap().accepted.len();
    callers.stop().await;
    println!("{before} orders accepted, a second later {after}");
    assert!(after > before + 20, "{before} {after}");
    assert_eq!(get("/readyz").await.unwrap().0, 200);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stderr);
    torture.verify_journal();
}
