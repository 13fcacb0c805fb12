//! Slippage from real fills: a strategy whose orders grow until they walk the book is found out by what its own fills cost
//! against the prices that their decisions saw, and is cut, it alone, over a SIGKILL, until a person lifts it.

use crate::support::{TestApp, run};
use plimsoll::db::Readers;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Lots of 0.001 of an order while nothing is the matter: it meets the best level of the book, or two.
const SMALL: std::ops::Range<u64> = 5..40;
/// Lots of an order that walks the book, a dozen levels of it and more.
const LARGE: u64 = 800;
/// Pairs of an order and its way out after which something that is to happen has not.
const PAIRS_MAX: u32 = 2_000;
/// Longest that one phase of trading may take.
const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
deployment: {name: slippage, environment: development, instance: local}
web: {listen: 127.0.0.1:8787, requests_per_second: 10000}
venues:
  - {name: paper, kind: binance_spot, rest_url: embedded, paper_account: demo, symbols: [BTCUSDT]}
paper_exchange: {seed: 3, speed_permille: 20000}
strategies:
  - {name: alpha, kind: manual, on_unknown: hold}
  - {name: beta, kind: manual, on_unknown: hold}
drift:
  arl0: 1000000
  clear_after: 50
  streams:
    - {name: "slippage:*", watch: mean, consequence: reduce, factor: "0.5", severity: critical}
risk:
  currency: USDT
  asset_prices: {BNB: 600}
  account:
    capital: 5000000
    min_value: not_required
    max_value: 500000
    price_collar: 0.5
    fat_finger: 0.05
    duplicate_window_ms: not_required
    max_open_orders: 200
    max_gross: 2000000
    max_net: 2000000
    max_leverage: 1
    assets: {"*": 2000000}
    max_daily_loss: 100000
    daily_loss_then: reduce_only
    drawdown_soft: 0.5
    drawdown_hard: 0.6
    drawdown_then: kill
    orders_per_second: 5000
    orders_per_minute: 100000
    messages_per_second: 10000
    messages_per_minute: 200000
    self_match: not_required
  venues:
    - {venue: "*", max_open_orders: 200, max_gross: 2000000, max_net: 2000000}
  symbols:
    - {symbol: BTCUSDT, min_quantity: not_required, max_quantity: 5, max_position: 20, max_open_orders: 200}
  strategies:
    - strategy: "*"
      budget: 2000000
      max_position: {BTCUSDT: 10}
      max_open_orders: 100
      max_gross: 2000000
      max_net: 2000000
      max_daily_loss: 100000
      daily_loss_then: reduce_only
      drawdown_soft: not_required
      orders_per_second: 5000
      orders_per_minute: 100000
      messages_per_second: 10000
      messages_per_minute: 200000
      repeated_fills: 10000
      repeated_window_ms: 10000
      stop_loss_distance: not_required
      kelly_fraction: not_required
      volatility_target: not_required
"#;

fn quantity(lots: u64) -> String {
    Decimal::new(i64::try_from(lots).unwrap(), 3).normalize().to_string()
}

fn figure(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("{value} is no figure")).parse().unwrap()
}

/// One strategy's hand: places orders one after the other over one connection.
struct Trader<'a> {
    url: &'a str,
    strategy: &'static str,
    run: &'static str,
    placed: u32,
    random: fastrand::Rng,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl<'a> Trader<'a> {
    /// `run` tells the orders of one process from those of the next.
    fn new(app: &'a TestApp, strategy: &'static str, run: &'static str) -> Self {
        let seed = strategy.bytes().map(u64::from).sum();
        Self {
            url: &app.url,
            strategy,
            run,
            placed: 0,
            random: fastrand::Rng::with_seed(seed),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).timeout(Duration::from_secs(10));
        let text = self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() });
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error} in {text}"))
    }

    /// Places a market order and waits until it is over; answers it as the books have it.
    fn order(&mut self, side: &str, quantity: &str) -> Value {
        self.placed += 1;
        let id = format!("{}-{}-{}", self.strategy, self.run, self.placed);
        let body = json!({
            "client_order_id": id, "symbol": "BTCUSDT", "side": side, "type": "market", "quantity": quantity,
            "strategy": self.strategy,
        });
        let request = self.client.post(format!("{}/api/v1/orders", self.url)).json(&body);
        let (status, text) = self.runtime.block_on(async {
            let answer = request.timeout(Duration::from_secs(20)).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        });
        // On a busy machine the disk may take longer than the answer waits: the order says what became of it.
        assert!(status == 202 || text.contains("outcome_unknown"), "{body}: {status} {text}");
        let start = Instant::now();
        loop {
            let order = self.get(&format!("/api/v1/orders/{id}"));
            let over = order["state"] == "filled" || order["state"] == "expired";
            if over && figure(&order["booked_quantity"]) == figure(&order["executed_quantity"]) {
                return order;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{order}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// In by so much, either way, and out of all of it; answers the entry.
    fn pair(&mut self, lots: u64) -> Value {
        let (first, second) = if self.random.bool() { ("buy", "sell") } else { ("sell", "buy") };
        let entry = self.order(first, &quantity(lots));
        let mut left = figure(&entry["executed_quantity"]);
        // What the book cannot take at once, it takes when it has filled up again.
        for _ in 0..100 {
            if left.is_zero() {
                return entry;
            }
            let out = self.order(second, &left.normalize().to_string());
            left -= figure(&out["executed_quantity"]);
        }
        panic!("{left} of {entry} cannot be closed");
    }

    fn small(&mut self) -> u64 {
        self.random.u64(SMALL)
    }

    fn stream(&self, strategy: &str) -> Value {
        self.get(&format!("/api/v1/drift/streams/slippage:{strategy}"))
    }

    fn state(&self, strategy: &str) -> Value {
        self.stream(strategy)["state"].clone()
    }
}

/// Both strategies trade at the same time, small, until `done` says so of the states of their streams.
fn both(app: &TestApp, run: &'static str, least: u32, done: impl Fn(&Value, &Value) -> bool + Sync) {
    let one = |strategy: &'static str| {
        let mut trader = Trader::new(app, strategy, run);
        let start = Instant::now();
        for pair in 0..PAIRS_MAX {
            if pair >= least && pair % 10 == 0 && done(&trader.state("alpha"), &trader.state("beta")) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{strategy}: {}", trader.stream("alpha"));
            let lots = trader.small();
            trader.pair(lots);
        }
        panic!("{strategy}: not after {PAIRS_MAX} pairs");
    };
    std::thread::scope(|scope| {
        for strategy in ["alpha", "beta"] {
            scope.spawn(move || one(strategy));
        }
    });
}

fn started(config: &Path, data: Option<std::sync::Arc<tempfile::TempDir>>) -> TestApp {
    let arguments = ["run", "--config", config.to_str().unwrap()];
    let app = match data {
        Some(data) => TestApp::start_on(data, &arguments, &[]),
        None => TestApp::start_with(&arguments, &[]),
    };
    app.until("ready", |app| app.get("/readyz").status == 200);
    app.until("the streams are read", |app| app.get("/api/v1/drift").json()["loaded"] == true);
    app
}

fn restraints(app: &TestApp) -> Value {
    app.get("/api/v1/risk").json()["restraints"].clone()
}

/// An entry of 0.04 and its way out: how much of it was taken.
fn taken(trader: &mut Trader<'_>) -> String {
    figure(&trader.pair(40)["quantity"]).normalize().to_string()
}

#[test]
fn fills_that_cost_more_than_they_did_cut_their_strategy_alone_over_a_kill_until_a_person_lifts_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("slippage.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let app = started(&config, None);

    // What is normal is learnt from the fills of small orders, and stays normal.
    both(&app, "learn", 0, |alpha, beta| alpha == "watching" && beta == "watching");
    both(&app, "quiet", 60, |_, _| true);
    let stream = app.get("/api/v1/drift/streams/slippage:alpha").json();
    assert!(stream["state"] == "watching" && stream["learned"].as_u64().unwrap() >= 500, "{stream}");
    assert_eq!(restraints(&app), json!([]));
    let mut alpha = Trader::new(&app, "alpha", "one");
    let mut beta = Trader::new(&app, "beta", "one");
    assert_eq!((taken(&mut alpha), taken(&mut beta)), ("0.04".to_owned(), "0.04".to_owned()));

    // One of them begins to walk the book.
    let mut large = 0;
    while alpha.state("alpha") != "drift" {
        large += 1;
        assert!(large <= 40, "{}", alpha.stream("alpha"));
        let before = alpha.stream("alpha")["observations"].as_u64().unwrap();
        alpha.pair(LARGE);
        app.until("its fills are seen", |_| alpha.stream("alpha")["observations"].as_u64().unwrap() > before);
    }
    app.until("the cut", |app| restraints(app) != json!([]));
    let cuts = restraints(&app);
    assert_eq!(cuts.as_array().unwrap().len(), 1, "{cuts}");
    assert_eq!(
        (cuts[0]["strategy"].clone(), cuts[0]["stream"].clone()),
        (json!("alpha"), json!("slippage:alpha"))
    );
    let entry = alpha.pair(40);
    assert_eq!(
        figure(&entry["quantity"]),
        Decimal::new(2, 2),
        "half of what it asked for, at its next order: {entry}"
    );
    assert!(entry["decision_price"].is_string(), "{entry}");
    assert_eq!(taken(&mut beta), "0.04", "nobody else's");
    app.until("the alert", |app| {
        let alerts = app.get("/api/v1/alerts").json();
        let items = alerts["items"].as_array().unwrap();
        items.iter().any(|alert| alert["code"] == "drift_detected" && alert["scope"] == "slippage:alpha")
    });
    let stream = app.get("/api/v1/drift/streams/slippage:alpha").json();
    let finding = &stream["finding"];
    assert_eq!(
        (finding["detector"].clone(), finding["direction"].clone()),
        (json!("cusum"), json!("up")),
        "{stream}"
    );
    println!("found after {large} pairs, {} deviations, baseline {}", finding["size"], stream["baseline"]);

    // What is written down survives anything.
    let data = app.data();
    app.until("the stream is saved", |_| {
        let rows = Readers::open(data.path()).unwrap().drift().unwrap();
        rows.iter().any(|row| row.name == "slippage:alpha" && row.state.contains("\"open\":{"))
    });
    app.signal("-KILL");
    app.end(Duration::from_secs(10));
    let app = started(&config, Some(data));
    assert_eq!(app.get("/api/v1/drift/streams/slippage:alpha").json()["state"], "drift");
    let mut alpha = Trader::new(&app, "alpha", "two");
    let mut beta = Trader::new(&app, "beta", "two");
    assert_eq!((taken(&mut alpha), taken(&mut beta)), ("0.02".to_owned(), "0.04".to_owned()));

    // Small orders cost what they did: the alert ends by itself, the cut does not.
    let start = Instant::now();
    while alpha.state("alpha") != "watching" {
        assert!(start.elapsed() < PATIENCE, "{}", alpha.stream("alpha"));
        let lots = alpha.small();
        // Half of it is taken.
        alpha.pair(2 * lots);
    }
    assert_eq!(taken(&mut alpha), "0.02");
    let lift = [
        "drift",
        "rebaseline",
        "slippage:alpha",
        "--reason",
        "orders are small again",
        "--yes",
        "--url",
        &app.url,
    ];
    let output = run(&lift, None);
    assert!(output.status.success(), "{output:?}");
    app.until("the cut is lifted", |app| restraints(app) == json!([]));
    assert_eq!(taken(&mut alpha), "0.04");
    assert_eq!(app.get("/api/v1/drift/streams/slippage:alpha").json()["state"], "learning");

    // Every decision comes out the same again, the cut ones too.
    let data = app.data();
    let output = run(&["risk", "replay", "--data-dir", data.path().to_str().unwrap()], None);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains(" 0 differ, 0 without"), "{said} {output:?}");
}
