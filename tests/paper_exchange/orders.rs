//! Orders over REST and the WebSocket API: forms of answers, errors, events.

use crate::support::{Venue, Ws, now_ms, order, sign, signed_params, still};
use base64::Engine as _;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer as _, SigningKey};
use plimsoll::paper_exchange::config::{KeyConfig, KeyProof};
use serde_json::{Value, json};

#[tokio::test]
async fn the_three_forms_of_an_answer() {
    let venue = Venue::start(still());
    let buy = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01";
    let full = venue.place(buy).await.body;
    assert_eq!((&full["status"], &full["executedQty"]), (&json!("FILLED"), &json!("0.01000000")));
    let fills = full["fills"].as_array().unwrap();
    assert!(!fills.is_empty() && fills[0]["commissionAsset"] == "BTC" && fills[0]["tradeId"].is_u64());
    let result = venue.place(&format!("{buy}&newOrderRespType=RESULT")).await.body;
    assert!(result["fills"].is_null() && result["status"] == "FILLED");
    let ack = venue.place(&format!("{buy}&newOrderRespType=ACK")).await.body;
    assert!(ack["status"].is_null() && ack["orderId"].is_u64() && ack["transactTime"].is_i64());
    assert_eq!(ack["orderListId"], -1);
}

#[tokio::test]
async fn an_order_lives_from_placement_to_cancel() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    let placed = venue.rest_order("life").await;
    assert_eq!(placed.status, 200, "{}", placed.body);
    assert!(placed.headers.contains_key("x-mbx-used-weight-1m"));
    assert_eq!(placed.headers["x-mbx-order-count-10s"], "1");
    let new = ws.report().await;
    assert_eq!((&new["x"], &new["X"], &new["c"]), (&json!("NEW"), &json!("NEW"), &json!("life")));
    let position = ws.find(|message| message["event"]["e"] == "outboundAccountPosition").await;
    assert_eq!(position["event"]["B"][0]["l"], "500.00000000");
    let duplicate = venue.rest_order("life").await;
    assert_eq!(
        (&duplicate.body["code"], &duplicate.body["msg"]),
        (&json!(-2010), &json!("Duplicate order sent."))
    );
    assert_eq!(venue.truth().await["duplicate_client_order_ids_refused"], 1);
    let query = venue.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=life").await.unwrap();
    assert_eq!((&query.body["status"], &query.body["isWorking"]), (&json!("NEW"), &json!(true)));
    let open = venue.signed("GET", "/api/v3/openOrders", "").await.unwrap();
    assert_eq!(open.body.as_array().unwrap().len(), 1);
    let cancel =
        venue.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=life").await.unwrap();
    assert_eq!(
        (&cancel.body["status"], &cancel.body["origClientOrderId"]),
        (&json!("CANCELED"), &json!("life"))
    );
    let canceled = ws.report().await;
    assert_eq!((&canceled["x"], &canceled["C"]), (&json!("CANCELED"), &json!("life")));
    assert_eq!(canceled["c"], cancel.body["clientOrderId"]);
    let again =
        venue.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=life").await.unwrap();
    assert_eq!((&again.body["code"], &again.body["msg"]), (&json!(-2011), &json!("Unknown order sent.")));
}

#[tokio::test]
async fn two_accounts_fill_each_other_partially() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    // Inside the spread, so that the second account meets this order first.
    let best = venue.get("/api/v3/ticker/bookTicker?symbol=SHIBUSDT").await.body;
    let bid = best["bidPrice"].as_str().unwrap().to_owned();
    let ask = best["askPrice"].as_str().unwrap().to_owned();
    assert_ne!(bid, ask);
    let sell = format!(
        "symbol=SHIBUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=3000000&price={ask}&newClientOrderId=maker"
    );
    assert_eq!(venue.place(&sell).await.body["status"], "NEW");
    ws.report().await;
    // Everything the market shows at that price stands before us; the second account takes that and more.
    let depth = venue.get("/api/v3/depth?symbol=SHIBUSDT&limit=5").await.body;
    let total: f64 = depth["asks"][0][1].as_str().unwrap().parse().unwrap();
    let take = (total - 1_000_000.0) as u64;
    let buy = format!("symbol=SHIBUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity={take}&price={ask}");
    let taken = venue.signed_as("demo-2", "demo-2-secret", "POST", "/api/v3/order", &buy).await.unwrap();
    assert_eq!(taken.body["status"], "FILLED", "{}", taken.body);
    let report = ws.report().await;
    assert_eq!(
        (&report["x"], &report["X"], &report["m"]),
        (&json!("TRADE"), &json!("PARTIALLY_FILLED"), &json!(true))
    );
    assert_eq!(report["z"], "2000000.00000000");
    let mine = venue.signed("GET", "/api/v3/myTrades", "symbol=SHIBUSDT").await.unwrap();
    assert_eq!(mine.body[0]["isMaker"], true);
    assert_eq!(mine.body[0]["id"], report["t"]);
}

#[tokio::test]
async fn who_is_refused_and_why() {
    let venue = Venue::start(still());
    let good = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000";
    let cases = [
        (good.replace("BTCUSDT", "NOPEUSDT"), -1121),
        (good.replace("BTCUSDT", "b!"), -1100),
        (good.replace("side=BUY", "side=UP"), -1117),
        (good.replace("type=LIMIT", "type=MAGIC"), -1116),
        (good.replace("GTC", "XXX"), -1115),
        (good.replace("&price=50000", ""), -1102),
        (good.replace("price=50000", "price=abc"), -1100),
        (good.replace("price=50000", "price=50000.000000001"), -1111),
        (good.replace("price=50000", "price=50000.001"), -1013),
        (good.replace("quantity=0.01", "quantity=0.000001"), -1013),
        (good.replace("price=50000", "price=1"), -1013),
        (good.replace("quantity=0.01", "quantity=0.00001"), -1013),
        (good.replace("quantity=0.01", "quantity=100"), -2010),
        (
            good.replace("type=LIMIT", "type=LIMIT_MAKER")
                .replace("&timeInForce=GTC", "")
                .replace("50000", "62000"),
            -2010,
        ),
        (format!("{good}&recvWindow=70000"), -1131),
        (format!("{good}&timestamp={}", now_ms() - 6_000), -1021),
        (format!("{good}&timestamp={}", now_ms() + 5_000), -1021),
        (format!("{good}&symbol=ETHUSDT"), -1101),
    ];
    for (params, code) in cases {
        let reply = venue.place(&params).await;
        assert_eq!((reply.status, &reply.body["code"]), (400, &json!(code)), "{params}: {}", reply.body);
        assert!(reply.body["msg"].is_string());
    }
    assert_eq!(venue.place(good).await.status, 200);
}

#[tokio::test]
async fn identities_are_verified() {
    let venue = Venue::start(still());
    let bad_secret = venue.signed_as("demo", "wrong", "GET", "/api/v3/account", "").await.unwrap();
    assert_eq!((bad_secret.status, &bad_secret.body["code"]), (400, &json!(-1022)));
    let unknown = venue.signed_as("nobody", "x", "GET", "/api/v3/account", "").await.unwrap();
    assert_eq!((unknown.status, &unknown.body["code"]), (401, &json!(-2015)));
    let malformed = venue.signed_as("no body", "x", "GET", "/api/v3/account", "").await.unwrap();
    assert_eq!((malformed.status, &malformed.body["code"]), (401, &json!(-2014)));
    let unsigned = venue.get("/api/v3/account?timestamp=1").await;
    assert_eq!((unsigned.status, &unsigned.body["code"]), (401, &json!(-2014)));
    let account = venue.signed("GET", "/api/v3/account", "").await.unwrap();
    assert_eq!(account.body["commissionRates"]["maker"], "0.00100000");
    assert!(account.body["balances"].as_array().unwrap().iter().any(|line| line["asset"] == "USDT"));
}

#[tokio::test]
async fn parameters_may_travel_in_the_body() {
    let venue = Venue::start(still());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body =
        format!("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&timestamp={}", now_ms());
    // Query and body are signed together, in this order, with nothing between them.
    let signature = sign("demo-secret", &format!("symbol=BTCUSDT{body}"));
    let request = http
        .post(venue.url("/api/v3/order?symbol=BTCUSDT"))
        .header("X-MBX-APIKEY", "demo")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("{body}&signature={signature}"));
    let reply = venue.send(request).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn the_websocket_api_places_queries_and_cancels() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    let placed = ws.place("w1").await;
    assert_eq!((&placed["status"], &placed["result"]["status"]), (&json!(200), &json!("NEW")));
    assert_eq!(placed["rateLimits"][0]["rateLimitType"], "ORDERS");
    assert_eq!(ws.report().await["c"], "w1");
    let which = json!({"symbol": "BTCUSDT", "origClientOrderId": "w1"});
    assert_eq!(ws.call_signed("order.status", which.clone()).await["result"]["status"], "NEW");
    let open = ws.call_signed("openOrders.status", json!({})).await;
    assert_eq!(open["result"].as_array().unwrap().len(), 1);
    assert_eq!(ws.call_signed("order.cancel", which.clone()).await["result"]["status"], "CANCELED");
    let gone = ws.call_signed("order.cancel", which).await;
    assert_eq!((&gone["status"], &gone["error"]["code"]), (&json!(400), &json!(-2011)));
    let account = ws.call_signed("account.status", json!({})).await;
    assert_eq!(account["result"]["accountType"], "SPOT");
    let mut wrong = signed_params(order("w2"));
    wrong["signature"] = json!("00");
    assert_eq!(ws.call("order.place", wrong).await["error"]["code"], -1022);
}

#[tokio::test]
async fn the_answer_comes_before_the_events_it_causes() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    let id = ws.ask("order.place", signed_params(order("order"))).await;
    let first = ws.next().await.unwrap();
    assert_eq!(first["id"], id);
    assert_eq!(ws.next().await.unwrap()["event"]["e"], "executionReport");
}

async fn log_on(ws: &mut Ws, private: &SigningKey) -> Value {
    let timestamp = now_ms();
    let payload = format!("apiKey=ed&timestamp={timestamp}");
    let signature =
        base64::engine::general_purpose::STANDARD.encode(private.sign(payload.as_bytes()).to_bytes());
    ws.call("session.logon", json!({"apiKey": "ed", "timestamp": timestamp, "signature": signature})).await
}

#[tokio::test]
async fn ed25519_keys_log_sessions_on() {
    let private = SigningKey::from_bytes(&[3; 32]);
    let pem = private.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    let mut config = still();
    config.accounts[0].keys.push(KeyConfig { api_key: "ed".into(), proof: KeyProof::PublicKeyPem(pem) });
    let venue = Venue::start(config);
    let mut ws = venue.open("/ws-api/v3").await;
    assert_eq!(ws.call("userDataStream.subscribe", json!({})).await["error"]["code"], -1002);
    let hmac = ws.call_signed("session.logon", json!({})).await;
    assert_eq!(hmac["error"]["code"], -4056, "shared secrets may not log on");
    let logged_on = log_on(&mut ws, &private).await;
    assert_eq!(logged_on["result"]["apiKey"], "ed", "{logged_on}");
    assert_eq!(ws.call("userDataStream.subscribe", json!({})).await["result"]["subscriptionId"], 0);
    let mut unsigned = order("logged-on");
    unsigned["timestamp"] = json!(now_ms());
    assert_eq!(ws.call("order.place", unsigned).await["status"], 200);
    assert_eq!(ws.report().await["c"], "logged-on");
    ws.call("session.logout", json!({})).await;
    let refused = ws.call("account.status", json!({"timestamp": now_ms()})).await;
    assert_eq!(refused["error"]["code"], -1102, "the key must be sent again");
}

#[tokio::test]
async fn pairs_replacements_and_cancel_all() {
    let venue = Venue::start(still());
    let mut ws = venue.user().await;
    let oco = "symbol=BTCUSDT&side=SELL&quantity=0.01&price=70000&stopPrice=50000&stopLimitPrice=49900&stopLimitTimeInForce=GTC";
    let placed = venue.signed("POST", "/api/v3/order/oco", oco).await.unwrap();
    assert_eq!(placed.status, 200, "{}", placed.body);
    assert_eq!(placed.body["orders"].as_array().unwrap().len(), 2);
    let status = ws.find(|message| message["event"]["e"] == "listStatus").await;
    assert_eq!(status["event"]["g"], placed.body["orderListId"]);
    let list = format!("symbol=BTCUSDT&orderListId={}", placed.body["orderListId"]);
    let ended = venue.signed("DELETE", "/api/v3/orderList", &list).await.unwrap();
    assert_eq!(ended.body["listOrderStatus"], "ALL_DONE", "{}", ended.body);

    venue.rest_order("old").await;
    let new =
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=51000&newClientOrderId=new";
    let replaced = format!("{new}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=old");
    let done = venue.signed("POST", "/api/v3/order/cancelReplace", &replaced).await.unwrap();
    assert_eq!(
        (&done.body["cancelResult"], &done.body["newOrderResult"]),
        (&json!("SUCCESS"), &json!("SUCCESS"))
    );
    let failed = venue.signed("POST", "/api/v3/order/cancelReplace", &replaced).await.unwrap();
    assert_eq!((failed.status, &failed.body["code"]), (400, &json!(-2022)));
    assert_eq!(failed.body["data"]["cancelResponse"]["code"], -2011);
    assert_eq!(failed.body["data"]["newOrderResult"], "NOT_ATTEMPTED");

    let all = venue.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.unwrap();
    assert_eq!(all.body.as_array().unwrap().len(), 1);
    let none = venue.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").await.unwrap();
    assert_eq!(none.body["code"], -2011);
    let tested = venue.signed("POST", "/api/v3/order/test", new).await.unwrap();
    assert_eq!((tested.status, &tested.body), (200, &json!({})));
    assert_eq!(venue.signed("GET", "/api/v3/openOrders", "").await.unwrap().body, json!([]));
}
