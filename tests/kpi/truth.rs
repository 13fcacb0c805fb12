//! Profits against the exchange's own balances, over SIGKILL; the same figures on every surface.

use super::desk::{Desk, Runtime, observed};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

/// Longest wait for anything that should happen.
const PATIENCE: Duration = Duration::from_secs(60);
const CURVE: &str = "/api/v1/performance/equity?period=all&clock_seconds=1";
const FIGURES: &str = "/api/v1/performance?period=all&clock_seconds=1";

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("no figure: {value}")).parse().unwrap()
}

/// Free and locked together, by asset, of the account that the runtime trades.
fn balances(truth: &Value) -> BTreeMap<String, Decimal> {
    let mut held = BTreeMap::<String, Decimal>::new();
    for one in truth["balances"].as_array().unwrap() {
        if one["account"] == "demo" {
            let sum = decimal(&one["free"]) + decimal(&one["locked"]);
            *held.entry(one["asset"].as_str().unwrap().to_owned()).or_default() += sum;
        }
    }
    assert!(!held.is_empty(), "no balances in {truth}");
    held
}

async fn read(runtime: &Runtime, desk: &Desk, path: &str) -> Value {
    let (status, body) = runtime.get(&desk.http, path).await.unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// The figures of all strategies at all venues.
fn all(figures: &Value) -> &Value {
    let items = figures["items"].as_array().unwrap();
    items.iter().find(|one| one["strategy"].is_null() && one["venue"].is_null()).unwrap()
}

async fn until_fills(runtime: &Runtime, desk: &Desk, wanted: u64) {
    let good = |_: u16, body: &Value| {
        body["items"].is_array() && all(body)["execution"]["orders"]["fills"].as_u64() >= Some(wanted)
    };
    runtime.until(&desk.http, FIGURES, good).await;
}

/// Moments of a curve with what they say, without the newest, which may still be on its way to the disk.
fn closed(curve: &Value) -> BTreeMap<String, Value> {
    let points = curve["points"].as_array().unwrap();
    let old = points.iter().take(points.len().saturating_sub(1));
    old.map(|point| (point["at"].as_str().unwrap().to_owned(), point["pnl"].clone())).collect()
}

#[actix_rt::test]
async fn profits_are_the_exchanges_own_over_sigkill() {
    let desk = Desk::open(7).await;
    let before = balances(&desk.truth().await);
    let mut runtime = observed(&desk).await;
    until_fills(&runtime, &desk, 10).await;
    runtime.until(&desk.http, CURVE, |_, body| body["points"].as_array().is_some_and(|p| p.len() > 3)).await;
    let seen = closed(&read(&runtime, &desk, CURVE).await);
    runtime.process.kill();

    let runtime = observed(&desk).await;
    let kept = read(&runtime, &desk, CURVE).await;
    let kept: BTreeMap<String, Value> = kept["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (point["at"].as_str().unwrap().to_owned(), point["pnl"].clone()))
        .collect();
    for (at, pnl) in &seen {
        // A moment that is neither on the clock nor the first or last of the curve is not asked for.
        if at.ends_with(".000Z") {
            assert_eq!(kept.get(at), Some(pnl), "the observation of {at} is lost or changed");
        }
    }
    until_fills(&runtime, &desk, 20).await;

    // A fold that cannot be used is made anew from the journal.
    let mut runtime = runtime;
    runtime.process.kill();
    spoil(&desk);
    let runtime = observed(&desk).await;
    until_fills(&runtime, &desk, 30).await;
    assert!(runtime.process.log().contains("worked out anew"), "{}", runtime.process.log());

    // Everything stands still: what is held, and what it is worth.
    let reason = json!({"reason": "the test compares"});
    for control in ["pause", "cancel-all"] {
        let (status, body) =
            runtime.post(&desk.http, &format!("/api/v1/controls/{control}"), &reason).await.unwrap();
        assert!(status < 300, "{control}: {status} {body}");
    }
    let none_open = |_: u16, body: &Value| body["items"].as_array().is_some_and(Vec::is_empty);
    runtime.until(&desk.http, "/api/v1/orders?state=open", none_open).await;
    desk.hold_market(true).await;
    let held = Instant::now();
    let settled = loop {
        let figures = read(&runtime, &desk, FIGURES).await;
        let truth = desk.truth().await;
        let trades =
            truth["trades"].as_array().unwrap().iter().filter(|one| one["account"] == "demo").count();
        let fills = all(&figures)["execution"]["orders"]["fills"].as_u64().unwrap();
        let told = all(&figures)["money"]["pnl"].is_string();
        if held.elapsed() > Duration::from_millis(2_500) && told && fills == u64::try_from(trades).unwrap() {
            break figures;
        }
        assert!(
            held.elapsed() < PATIENCE,
            "{trades} trades there, here {figures}\n{}",
            runtime.process.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    };

    let after = balances(&desk.truth().await);
    let positions = read(&runtime, &desk, "/api/v1/positions").await;
    let mut worth: BTreeMap<String, Decimal> =
        [("USDT".to_owned(), Decimal::ONE), ("BNB".to_owned(), Decimal::from(600))].into();
    for base in ["BTC", "ETH"] {
        let symbol = format!("{base}USDT");
        let (bid, ask) = desk.top(&symbol).await;
        let position =
            positions["items"].as_array().unwrap().iter().find(|one| one["symbol"] == symbol.as_str());
        let quantity = position.map_or(Decimal::ZERO, |one| decimal(&one["quantity"]));
        // What is held is worth what closing it would bring.
        let price = match quantity.cmp(&Decimal::ZERO) {
            std::cmp::Ordering::Greater => bid,
            std::cmp::Ordering::Less => ask,
            std::cmp::Ordering::Equal => (bid + ask) / 2.0,
        };
        worth.insert(base.to_owned(), price.to_string().parse().unwrap());
    }
    let earned: Decimal = after
        .iter()
        .map(|(asset, now)| (now - before.get(asset).copied().unwrap_or_default(), asset))
        .filter(|(change, _)| !change.is_zero())
        .map(|(change, asset)| change * worth[asset])
        .sum();
    let told = decimal(&all(&settled)["money"]["pnl"]);
    assert!((told - earned).abs() < Decimal::new(1, 6), "we say {told}, the exchange {earned}: {settled}");

    // The parts are the whole.
    let items = settled["items"].as_array().unwrap();
    let parts: Decimal = items
        .iter()
        .filter(|one| one["strategy"].is_string() && one["money"]["pnl"].is_string())
        .map(|one| decimal(&one["money"]["pnl"]))
        .sum();
    assert_eq!(parts, told);
    surfaces(&runtime, &desk).await;
}

/// Leaves a stored fold that no version has written.
fn spoil(desk: &Desk) {
    use diesel::{Connection as _, RunQueryDsl as _};
    let path = desk.data().join(plimsoll::db::DATABASE);
    let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let changed =
        diesel::sql_query("UPDATE performance_state SET payload = '{}'").execute(&mut connection).unwrap();
    assert_eq!(changed, 1, "there is a stored fold");
}

/// The same figures on the page and on the command line; wrong questions are refused.
async fn surfaces(runtime: &Runtime, desk: &Desk) {
    let page = desk.http.get(format!("{}/performance?period=all", runtime.url)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("<svg class=\"chart\"") && html.contains("quoter"), "{html}");
    let style = desk.http.get(format!("{}/performance/style.css", runtime.url)).send().await.unwrap();
    assert_eq!(style.status(), 200);

    let run = |more: &[&str]| {
        let program = env!("CARGO_BIN_EXE_plimsoll");
        let mut command = Command::new(program);
        command.args(["performance", "--url", &runtime.url, "--period", "all"]).args(more);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = run(&[]);
    assert!(code == Some(0) && told.contains("quoter") && told.contains("max_drawdown"), "{told}");
    let (code, told) = run(&["--markdown"]);
    assert!(code == Some(0) && told.contains("| money.pnl | ") && told.contains("## all, all"), "{told}");
    let (code, told) = run(&["--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(code == Some(0) && told["items"].as_array().unwrap().len() >= 3, "{told}");
    assert_eq!(run(&["--strategy", "nobody"]).0, Some(4));

    for (path, status) in [
        ("/api/v1/performance?period=1w", 422),
        ("/api/v1/performance?clock_seconds=7", 422),
        ("/api/v1/performance?strategy=nobody", 404),
        ("/api/v1/performance/equity?venue=nowhere", 404),
        ("/api/v1/performance?who=me", 400),
    ] {
        let (got, body) = runtime.get(&desk.http, path).await.unwrap();
        assert!(got == status || (status == 400 && got == 422), "{path}: {got} {body}");
    }
}
