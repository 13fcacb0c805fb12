//! The runtime's books over its API, and waiting until they and the exchange stand still.

use super::desk::{Desk, PATIENCE, Runtime};
use super::load::Told;
use super::verdict::{Verdict, compare};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Strategies that trade by themselves.
const STRATEGIES: [&str; 2] = ["quoter", "reversion"];

/// Everything that the runtime says about itself.
#[derive(Debug, Default)]
pub struct Books {
    pub orders: Vec<Value>,
    pub fills: Vec<Value>,
    pub positions: Vec<Value>,
    pub balances: Vec<Value>,
}

async fn list(desk: &Desk, runtime: &Runtime, path: &str) -> Option<Vec<Value>> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = format!("{path}{joint}limit=1000{after}");
        let (status, body) = runtime.get(&desk.http, &page).await?;
        if status == 429 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        assert_eq!(status, 200, "{page}: {body}");
        items.extend(body["items"].as_array().unwrap().iter().cloned());
        match body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Some(items),
        }
    }
}

impl Books {
    pub async fn read(desk: &Desk, runtime: &Runtime) -> Option<Self> {
        Some(Self {
            orders: list(desk, runtime, "/api/v1/orders?state=all").await?,
            fills: list(desk, runtime, "/api/v1/fills").await?,
            positions: whole(desk, runtime, "/api/v1/positions").await?,
            balances: whole(desk, runtime, "/api/v1/balances").await?,
        })
    }
}

async fn whole(desk: &Desk, runtime: &Runtime, path: &str) -> Option<Vec<Value>> {
    let (status, body) = runtime.get(&desk.http, path).await?;
    assert_eq!(status, 200, "{path}: {body}");
    body["items"].as_array().cloned()
}

/// Switches the strategies that trade by themselves.
pub async fn switch(desk: &Desk, runtime: &Runtime, on: bool) {
    let word = if on { "enable" } else { "disable" };
    for name in STRATEGIES {
        let path = format!("/api/v1/strategies/{name}/{word}");
        let start = Instant::now();
        loop {
            let answer = runtime.post(&desk.http, &path, &json!({"reason": "torture"})).await;
            match answer {
                Some((200..300, _)) => break,
                other if start.elapsed() > PATIENCE => panic!("{path}: {other:?}\n{}", runtime.process.log()),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// Nothing under way, nothing in doubt, nothing unwritten.
async fn is_settled(desk: &Desk, runtime: &Runtime) -> bool {
    let Some((200, status)) = runtime.get(&desk.http, "/api/v1/status").await else { return false };
    let counts = &status["counts"];
    let under_way = ["pending_submit", "submitted", "pending_cancel", "unknown"];
    status["state"] == "running"
        && counts["undurable_batches"] == 0
        && under_way.iter().all(|state| counts["orders"][*state] == 0)
}

/// Stops the strategies and the market, waits until everything stands still, and compares.
///
/// The comparison is repeated until it is clean or `within` is over: what a timer of the runtime has yet to
/// find counts as found late, not as wrong. The last verdict is the answer.
pub async fn settle_and_compare(desk: &Desk, runtime: &Runtime, told: &Told, within: Duration) -> Verdict {
    desk.hold_market(true).await;
    switch(desk, runtime, false).await;
    let start = Instant::now();
    let mut verdict = Verdict::unsettled("never settled");
    loop {
        if is_settled(desk, runtime).await
            && let Some(books) = Books::read(desk, runtime).await
        {
            verdict = compare(&desk.truth().await, &books, told);
            if verdict.is_clean() {
                break;
            }
        }
        if start.elapsed() > within {
            let status = runtime.get(&desk.http, "/api/v1/status").await;
            verdict.note(format!("after {within:?}: {status:?}"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    desk.hold_market(false).await;
    verdict
}
