//! A peer that says exactly what a test tells it to, over real sockets: for what no healthy exchange,
//! and not even the paper exchange's faults, would ever send.

use futures_util::{SinkExt, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

/// What the peer says.
#[derive(Debug, Clone)]
pub enum Say {
    /// A successful result.
    Result(String),
    /// Status, code, words.
    Error(u16, i64, &'static str),
    /// Status, code, words, and milliseconds until requests may resume.
    ErrorFor(u16, i64, &'static str, i64),
    /// Nothing at all.
    Nothing,
    /// A text frame as it is.
    Raw(String),
    /// A frame of so many bytes.
    Huge(usize),
    /// The TCP connection ends without a goodbye.
    Cut,
}

/// The peer.
pub struct Peer {
    pub addr: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    scripts: Mutex<HashMap<String, VecDeque<Say>>>,
    seen: Mutex<VecDeque<(String, serde_json::Value)>>,
    out: broadcast::Sender<(&'static str, Say)>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    connects: AtomicUsize,
    next_order: AtomicUsize,
}

impl Peer {
    /// Listens on loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            scripts: Mutex::default(),
            seen: Mutex::default(),
            out: broadcast::channel(1_024).0,
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            connects: AtomicUsize::new(0),
            next_order: AtomicUsize::new(1),
        });
        let accepting = inner.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(accepting.clone(), stream));
            }
        });
        Self { addr, inner }
    }

    /// The next answers to a method (or REST path), before it answers normally again.
    pub fn script(&self, method: &str, says: impl IntoIterator<Item = Say>) {
        self.inner.scripts.lock().unwrap().entry(method.to_owned()).or_default().extend(says);
    }

    /// Says something on every open connection of a kind: `api` or `market`.
    pub fn say(&self, kind: &'static str, say: Say) {
        // Nobody may be connected at this moment.
        let _ = self.inner.out.send((kind, say));
    }

    /// The latest requests of a method, in order.
    pub fn seen(&self, method: &str) -> Vec<serde_json::Value> {
        let seen = self.inner.seen.lock().unwrap();
        seen.iter().filter(|(name, _)| name == method).map(|(_, params)| params.clone()).collect()
    }

    /// WebSocket connections accepted so far.
    pub fn connects(&self) -> usize {
        self.inner.connects.load(SeqCst)
    }

    /// WebSocket connections open now, and the most that ever were.
    pub fn open(&self) -> (usize, usize) {
        (self.inner.open.load(SeqCst), self.inner.most_open.load(SeqCst))
    }
}

async fn serve(inner: Arc<Inner>, mut stream: TcpStream) {
    let mut head = [0_u8; 1_024];
    let Ok(read) = stream.peek(&mut head).await else { return };
    let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
    if !head.contains("upgrade: websocket") {
        return http(&inner, &mut stream).await;
    }
    let kind = if head.contains("/ws-api/v3") { "api" } else { "market" };
    inner.connects.fetch_add(1, SeqCst);
    let open = inner.open.fetch_add(1, SeqCst) + 1;
    inner.most_open.fetch_max(open, SeqCst);
    websocket(&inner, kind, stream).await;
    inner.open.fetch_sub(1, SeqCst);
}

async fn http(inner: &Inner, stream: &mut TcpStream) {
    let mut buffer = vec![0_u8; 16_384];
    while let Ok(read) = stream.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let path = text.split_whitespace().nth(1).unwrap_or("").split('?').next().unwrap().to_owned();
        let (status, body) = match next_say(inner, &path) {
            Some(Say::Raw(body)) => (200, body),
            Some(Say::Error(status, code, words)) => {
                (status, format!(r#"{{"code":{code},"msg":"{words}"}}"#))
            }
            Some(Say::Cut | Say::Nothing) => return,
            _ => (200, default_http(&path)),
        };
        note(inner, path, serde_json::Value::String(text));
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nRetry-After: 1\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Keeps the latest requests, so that ten thousand reconnects do not fill the memory that they measure.
fn note(inner: &Inner, method: String, params: serde_json::Value) {
    let mut seen = inner.seen.lock().unwrap();
    seen.push_back((method, params));
    if seen.len() > 500 {
        seen.pop_front();
    }
}

fn default_http(path: &str) -> String {
    match path {
        "/api/v3/depth" => r#"{"lastUpdateId":100,"bids":[["99","1"]],"asks":[["101","1"]]}"#.to_owned(),
        "/api/v3/time" => format!(r#"{{"serverTime":{}}}"#, plimsoll::clock::wall_millis()),
        "/api/v3/exchangeInfo" => {
            r#"{"serverTime":1,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",
            "intervalNum":1,"limit":4000000000}],"symbols":[]}"#
                .to_owned()
        }
        _ => "{}".to_owned(),
    }
}

fn next_say(inner: &Inner, method: &str) -> Option<Say> {
    inner.scripts.lock().unwrap().get_mut(method)?.pop_front()
}

async fn websocket(inner: &Inner, kind: &'static str, stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut out = inner.out.subscribe();
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let request: serde_json::Value = serde_json::from_str(text.as_str()).unwrap();
                for reply in answer(inner, &request) {
                    match reply {
                        Some(text) => if socket.send(Message::text(text)).await.is_err() { return },
                        None => return,
                    }
                }
            }
            said = out.recv() => {
                let Ok((to, say)) = said else { return };
                if to != kind { continue }
                let message = match say {
                    Say::Raw(text) => Message::text(text),
                    Say::Huge(bytes) => Message::text("x".repeat(bytes)),
                    _ => return,
                };
                if socket.send(message).await.is_err() { return }
            }
        }
    }
}

/// The frames that answer a request; `None` ends the connection.
fn answer(inner: &Inner, request: &serde_json::Value) -> Vec<Option<String>> {
    let method = request["method"].as_str().unwrap();
    let id = &request["id"];
    note(inner, method.to_owned(), request["params"].clone());
    let error = |status: u16, code: i64, words: &str, data: String| {
        Some(format!(r#"{{"id":{id},"status":{status},"error":{{"code":{code},"msg":"{words}"{data}}}}}"#))
    };
    match next_say(inner, method) {
        Some(Say::Result(result)) => vec![Some(format!(r#"{{"id":{id},"status":200,"result":{result}}}"#))],
        Some(Say::Error(status, code, words)) => vec![error(status, code, words, String::new())],
        Some(Say::ErrorFor(status, code, words, ms)) => {
            let at = plimsoll::clock::wall_millis() + ms;
            vec![error(status, code, words, format!(r#","data":{{"serverTime":1,"retryAfter":{at}}}"#))]
        }
        Some(Say::Nothing) => vec![],
        Some(Say::Raw(text)) => vec![Some(text)],
        Some(Say::Huge(bytes)) => vec![Some("x".repeat(bytes))],
        Some(Say::Cut) => vec![None],
        None => default_answer(inner, method, id, &request["params"]),
    }
}

fn default_answer(
    inner: &Inner,
    method: &str,
    id: &serde_json::Value,
    params: &serde_json::Value,
) -> Vec<Option<String>> {
    let result = match method {
        "SUBSCRIBE" => return vec![Some(format!(r#"{{"result":null,"id":{id}}}"#))],
        "time" => format!(r#"{{"serverTime":{}}}"#, plimsoll::clock::wall_millis()),
        "openOrders.status" | "myTrades" => "[]".to_owned(),
        "account.status" => r#"{"balances":[{"asset":"USDT","free":"1000","locked":"0"}]}"#.to_owned(),
        "order.place" => {
            let order = inner.next_order.fetch_add(1, SeqCst);
            let name = params["newClientOrderId"].as_str().unwrap();
            let placed = format!(r#"{{"id":{id},"status":200,"result":{}}}"#, order_json(order, name));
            return vec![Some(placed), Some(report_json(order, name, "NEW"))];
        }
        _ => "{}".to_owned(),
    };
    vec![Some(format!(r#"{{"id":{id},"status":200,"result":{result}}}"#))]
}

/// An order as answers carry it.
pub fn order_json(order: usize, name: &str) -> String {
    format!(
        r#"{{"symbol":"BTCUSDT","orderId":{order},"clientOrderId":"{name}","transactTime":1,"price":"1","origQty":"1",
        "executedQty":"0","cummulativeQuoteQty":"0","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","fills":[]}}"#
    )
}

/// An execution report as the user data stream carries it.
pub fn report_json(order: usize, name: &str, status: &str) -> String {
    format!(
        r#"{{"subscriptionId":0,"event":{{"e":"executionReport","E":1,"s":"BTCUSDT","c":"{name}","S":"BUY","o":"LIMIT",
        "f":"GTC","q":"1","p":"1","C":"","x":"{status}","X":"{status}","r":"NONE","i":{order},"l":"0","z":"0","L":"0",
        "n":"0","N":null,"T":1,"t":-1,"w":true,"m":false,"Z":"0"}}}}"#
    )
}
