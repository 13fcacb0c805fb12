//! Raw clients for the tests: signed REST requests and WebSocket sessions, nothing of the connector.

use futures_util::{SinkExt as _, StreamExt as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use plimsoll::paper_exchange::{PaperConfig, PaperExchange, Running};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Long enough for anything that happens at all on a loaded machine.
pub const SOON: Duration = Duration::from_secs(10);
/// Long enough to believe that nothing comes.
pub const QUIET: Duration = Duration::from_millis(400);

pub fn sign(secret: &str, payload: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

pub fn now_ms() -> i64 {
    plimsoll::clock::wall_millis()
}

/// A held synthetic market: prices stand still, so every outcome is exact.
pub fn still() -> PaperConfig {
    let mut config = PaperConfig::default();
    config.market.hold = true;
    config.market.seed = 7;
    config
}

pub struct Venue {
    pub running: Running,
    http: reqwest::Client,
}

pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Venue {
    pub fn start(config: PaperConfig) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(SOON).build().unwrap();
        Self { running: PaperExchange::start(config).unwrap(), http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr())
    }

    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.http = reqwest::Client::builder().no_proxy().timeout(timeout).build().unwrap();
        self
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Reply { status, headers, body })
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.http.get(self.url(path))).await.unwrap()
    }

    /// A signed request of `demo`.
    pub async fn signed(&self, method: &str, path: &str, params: &str) -> Result<Reply, reqwest::Error> {
        self.signed_as("demo", "demo-secret", method, path, params).await
    }

    pub async fn signed_as(
        &self,
        key: &str,
        secret: &str,
        method: &str,
        path: &str,
        params: &str,
    ) -> Result<Reply, reqwest::Error> {
        let mut query = params.to_owned();
        if !query.contains("timestamp=") {
            query = format!("{query}&timestamp={}", now_ms());
        }
        let query = query.trim_start_matches('&').to_owned();
        let signature = sign(secret, &query);
        let url = self.url(&format!("{path}?{query}&signature={signature}"));
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.send(self.http.request(method, url).header("X-MBX-APIKEY", key)).await
    }

    pub async fn place(&self, params: &str) -> Reply {
        self.signed("POST", "/api/v3/order", params).await.unwrap()
    }

    /// A resting buy far below the market.
    pub async fn rest_order(&self, client_id: &str) -> Reply {
        self.place(&format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId={client_id}"
        ))
        .await
    }

    pub async fn plant(&self, fault: Value) -> u64 {
        let reply = self.send(self.http.post(self.url("/paper/v1/faults")).json(&fault)).await.unwrap();
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["id"].as_u64().unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.http.post(self.url(path)).json(&body)).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.http.delete(self.url(path))).await.unwrap()
    }

    pub async fn heal(&self) {
        assert_eq!(self.delete("/paper/v1/faults").await.status, 200);
    }

    pub async fn truth(&self) -> Value {
        self.get("/paper/v1/truth").await.body
    }

    /// The client order ids of every order ever accepted.
    pub async fn accepted(&self) -> Vec<String> {
        let truth = self.truth().await;
        let orders = truth["orders"].as_array().unwrap();
        orders.iter().map(|order| order["client_order_id"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn open(&self, path: &str) -> Ws {
        self.try_open(path).await.unwrap()
    }

    pub async fn try_open(&self, path: &str) -> Result<Ws, tokio_tungstenite::tungstenite::Error> {
        let url = format!("ws://{}{path}", self.running.addr());
        let (stream, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Ws { stream, next_id: 0 })
    }

    /// A WebSocket API session with the user data of `demo`.
    pub async fn user(&self) -> Ws {
        let mut ws = self.open("/ws-api/v3").await;
        let reply = ws.call_signed("userDataStream.subscribe.signature", json!({})).await;
        assert_eq!(reply["status"], 200, "{reply}");
        ws
    }
}

pub struct Ws {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
}

pub fn signed_params(params: Value) -> Value {
    let mut all: BTreeMap<String, Value> = serde_json::from_value(params).unwrap();
    all.entry("apiKey".to_owned()).or_insert(json!("demo"));
    all.entry("timestamp".to_owned()).or_insert(json!(now_ms()));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let payload: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    all.insert("signature".to_owned(), json!(sign("demo-secret", &payload.join("&"))));
    json!(all)
}

impl Ws {
    pub async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Sends a request and answers its id.
    pub async fn ask(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"id": id, "method": method, "params": params}).to_string()).await;
        id
    }

    /// Sends a request and waits for its answer, skipping events.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        self.find(|message| message["id"] == id).await
    }

    pub async fn call_signed(&mut self, method: &str, params: Value) -> Value {
        self.call(method, signed_params(params)).await
    }

    /// Places an order over this session.
    pub async fn place(&mut self, client_id: &str) -> Value {
        self.call_signed("order.place", order(client_id)).await
    }

    /// The next text message; `None` when the session ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(SOON, self.stream.next()).await.expect("nothing came") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message for which `wanted` holds.
    pub async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().await.expect("the session ended");
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Is there no text message for a while?
    pub async fn quiet(&mut self) -> bool {
        let text = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Some(text),
                    Some(Ok(_)) => {}
                    _ => return None,
                }
            }
        };
        !matches!(tokio::time::timeout(QUIET, text).await, Ok(Some(_)))
    }

    /// How the session ends: the close code, or `None` when it is cut.
    pub async fn end(&mut self) -> Option<(u16, String)> {
        loop {
            match tokio::time::timeout(SOON, self.stream.next()).await.expect("the session did not end") {
                Some(Ok(Message::Close(frame))) => {
                    return frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
                }
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next execution report.
    pub async fn report(&mut self) -> Value {
        self.find(|message| message["event"]["e"] == "executionReport").await["event"].clone()
    }
}

/// A resting buy far below the market.
pub fn order(client_id: &str) -> Value {
    json!({
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
        "price": "50000.00", "newClientOrderId": client_id,
    })
}
