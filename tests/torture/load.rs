//! Callers over HTTP: several connections that place, cancel and replace orders under known ids.
//!
//! They write down what they were told, for that is what the runtime is held to.

use super::desk::Desk;
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the callers were told, over all rounds.
#[derive(Debug, Default)]
pub struct Told {
    /// Answered 202: on disk, whatever happens next.
    pub accepted: BTreeMap<String, Value>,
    /// Refused for certain.
    pub refused: BTreeMap<String, String>,
    /// No answer, or one that says that nobody knows.
    pub unanswered: BTreeMap<String, Value>,
    /// A second answer to the same id that differs from the first.
    pub contradictions: Vec<String>,
    /// Cancels that were taken.
    pub cancels: BTreeSet<String>,
    /// Replacements that were taken.
    pub replacements: usize,
}

pub type Notes = Arc<Mutex<Told>>;

impl Told {
    fn note(&mut self, id: &str, body: &Value, answer: Option<(u16, Value)>) {
        match answer {
            Some((202, _)) => {
                self.accepted.insert(id.to_owned(), body.clone());
                self.unanswered.remove(id);
            }
            // Turned away at the door: nobody looked at the order, so this is no answer about it.
            Some((429, _)) => {}
            Some((status @ 400..500, said)) => {
                if self.accepted.contains_key(id) {
                    self.contradictions.push(format!("{id}: accepted, then {status} {said}"));
                }
                self.refused.insert(id.to_owned(), said["code"].as_str().unwrap_or_default().to_owned());
                self.unanswered.remove(id);
            }
            Some((503, said)) if said["code"] == "nothing_taken" => {}
            _ if self.accepted.contains_key(id) => {}
            _ => {
                self.unanswered.insert(id.to_owned(), body.clone());
            }
        }
    }
}

/// Prices to place orders around.
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    btc: (f64, f64),
    eth: (f64, f64),
}

impl Prices {
    pub async fn read(desk: &Desk) -> Self {
        Self { btc: desk.top("BTCUSDT").await, eth: desk.top("ETHUSDT").await }
    }
}

/// Runs `lanes` callers until they are dropped.
pub struct Callers(Vec<tokio::task::JoinHandle<()>>);

impl Callers {
    pub fn start(url: &str, notes: &Notes, prices: Prices, series: &str, lanes: usize, seed: u64) -> Self {
        let lane = |lane: usize| {
            let caller = Caller {
                http: super::desk::client(),
                url: url.to_owned(),
                notes: Arc::clone(notes),
                prices,
                series: format!("{series}-{lane}"),
                rng: Rng::with_seed(seed.wrapping_add(u64::try_from(lane).unwrap())),
                placed: Vec::new(),
            };
            tokio::spawn(caller.run())
        };
        Self((0..lanes).map(lane).collect())
    }

    /// Lets every caller's request under way come to its answer or fail.
    pub async fn stop(self) {
        for lane in &self.0 {
            lane.abort();
        }
        for lane in self.0 {
            // Aborted is how it ends.
            let _ = lane.await;
        }
    }
}

struct Caller {
    http: reqwest::Client,
    url: String,
    notes: Notes,
    prices: Prices,
    series: String,
    rng: Rng,
    placed: Vec<String>,
}

impl Caller {
    async fn run(mut self) {
        for n in 0_u32.. {
            match self.rng.u32(0..100) {
                0..62 => self.place(n).await,
                62..82 => self.cancel().await,
                82..90 => self.replace(n).await,
                90..97 => self.place_again().await,
                97..99 => self.cancel_all().await,
                _ => drop(self.send("GET", "/api/v1/orders?state=open", None).await),
            }
        }
    }

    async fn send(&self, verb: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let verb = reqwest::Method::from_bytes(verb.as_bytes()).unwrap();
        let mut request = self.http.request(verb, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
            if path.contains("/controls/") {
                request = request.header("Idempotency-Key", format!("l-{:x}", fastrand::u64(..)));
            }
        }
        if path.contains("/controls/") {
            request = request.header("idempotency-key", format!("{:016x}", fastrand::u64(..)));
        }
        let Ok(response) = request.send().await else {
            // The other side is being killed: do not spin until it is back.
            tokio::time::sleep(Duration::from_millis(20)).await;
            return None;
        };
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        if status == 503 || status == 429 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn order(&mut self, id: &str) -> Value {
        let btc = self.rng.bool();
        let (symbol, (bid, ask), quantity, digits) = if btc {
            ("BTCUSDT", self.prices.btc, "0.0005", 2)
        } else {
            ("ETHUSDT", self.prices.eth, "0.01", 2)
        };
        let buy = self.rng.bool();
        let side = if buy { "buy" } else { "sell" };
        let away = |share: f64| {
            let price = if buy { ask * (1.0 - share) } else { bid * (1.0 + share) };
            format!("{price:.digits$}")
        };
        let limit = |price: String, rule: &str| {
            json!({
                "client_order_id": id, "symbol": symbol, "side": side, "type": "limit", "quantity": quantity,
                "price": price, "time_in_force": rule, "strategy": "manual",
            })
        };
        match self.rng.u32(0..100) {
            0..30 => limit(away(0.02), "gtc"),
            30..55 => limit(away(0.0002), "gtc"),
            55..70 => limit(away(-0.002), "gtc"),
            70..85 => limit(away(-0.002), "ioc"),
            85..92 => limit(away(0.02), "ioc"),
            _ => json!({
                "client_order_id": id, "symbol": symbol, "side": side, "type": "market",
                "quantity": quantity, "strategy": "manual",
            }),
        }
    }

    async fn place(&mut self, n: u32) {
        let id = format!("{}-{n}", self.series);
        let body = self.order(&id);
        // Written down first: a caller that is cut off must remember that it asked.
        self.notes.lock().unwrap().unanswered.insert(id.clone(), body.clone());
        let answer = self.send("POST", "/api/v1/orders", Some(&body)).await;
        self.notes.lock().unwrap().note(&id, &body, answer);
        self.placed.push(id);
    }

    async fn place_again(&mut self) {
        let Some(id) = self.some_placed() else { return };
        let body = self.notes.lock().unwrap().accepted.get(&id).cloned();
        let Some(body) = body else { return };
        let answer = self.send("POST", "/api/v1/orders", Some(&body)).await;
        self.notes.lock().unwrap().note(&id, &body, answer);
    }

    async fn cancel(&mut self) {
        let Some(id) = self.some_placed() else { return };
        if let Some((202, _)) = self.send("DELETE", &format!("/api/v1/orders/{id}"), None).await {
            self.notes.lock().unwrap().cancels.insert(id);
        }
    }

    async fn replace(&mut self, n: u32) {
        let Some(original) = self.some_placed() else { return };
        let Some(old) = self.notes.lock().unwrap().accepted.get(&original).cloned() else { return };
        let id = format!("{}-{n}r", self.series);
        let (bid, ask) = if old["symbol"] == "BTCUSDT" { self.prices.btc } else { self.prices.eth };
        let price = if old["side"] == "buy" { ask * 0.99 } else { bid * 1.01 };
        let body = json!({
            "client_order_id": id, "price": format!("{price:.2}"), "quantity": old["quantity"].as_str().unwrap(),
        });
        let answer = self.send("POST", &format!("/api/v1/orders/{original}/replace"), Some(&body)).await;
        if let Some((202, _)) = answer {
            let mut notes = self.notes.lock().unwrap();
            notes.replacements += 1;
            notes.accepted.insert(
                id,
                json!({"symbol": old["symbol"], "side": old["side"], "quantity": old["quantity"]}),
            );
        }
    }

    async fn cancel_all(&mut self) {
        let body = json!({"reason": "torture", "strategy": "manual"});
        self.send("POST", "/api/v1/controls/cancel-all", Some(&body)).await;
    }

    fn some_placed(&mut self) -> Option<String> {
        if self.placed.is_empty() {
            return None;
        }
        // Mostly a young one.
        let back = self.rng.usize(0..self.placed.len().min(20));
        self.placed.get(self.placed.len() - 1 - back).cloned()
    }
}
