//! The webhook: its signature, its payload, and receivers that behave badly.

use crate::desk::{channel, clear, hostile, key, late, permanent, raise, secret, temporary};
use crate::support::http_sink::{HttpSink, Reply, Request};
use hmac::{Hmac, KeyInit, Mac};
use plimsoll::config::alerts::channel_kinds::WebhookSettings;
use plimsoll::config::alerts::{ChannelKind, Reach};
use plimsoll::domain::alert::{Notice, Transition};
use plimsoll::notify::{Channel, SendError, Sent};
use serde_json::Value;
use sha2::Sha256;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn webhook(url: String) -> Arc<dyn Channel> {
    channel(ChannelKind::Webhook, &[("KEY", "k3y"), ("TOKEN", "t0ken")], |settings| {
        settings.webhook = Some(WebhookSettings { url, secret: secret("KEY"), token: secret("TOKEN") });
    })
}

/// Checks a signature as a receiver would: over the bytes as they came.
fn is_signed(request: &Request, secret: &[u8]) -> bool {
    let header = request.header("plimsoll-signature").unwrap();
    let (time, sum) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(&request.body);
    let now = plimsoll::clock::wall().timestamp();
    (now - time.parse::<i64>().unwrap()).abs() < 60 && mac.verify_slice(&hex::decode(sum).unwrap()).is_ok()
}

#[tokio::test]
async fn a_receiver_can_check_who_sent_it() {
    let sink = HttpSink::always(Reply::status(204)).await;
    let sent = webhook(sink.url("/hook?x=1")).send(&raise(), &key(1)).await.unwrap();
    assert_eq!(sent, Sent::Delivered);
    let request = sink.until(1).await.remove(0);
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/hook?x=1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("idempotency-key"), Some("a-17.1.ops"));
    assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
    assert!(is_signed(&request, b"k3y"));
    assert!(!is_signed(&request, b"other"));
    let mut changed = request.clone();
    changed.body[10] ^= 1;
    assert!(!is_signed(&changed, b"k3y"));
}

#[tokio::test]
async fn a_resend_carries_the_same_key_and_the_same_body() {
    let sink = HttpSink::always(Reply::status(200)).await;
    let hook = webhook(sink.url("/"));
    hook.send(&raise(), &key(7)).await.unwrap();
    hook.send(&raise(), &key(7)).await.unwrap();
    let seen = sink.until(2).await;
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
}

/// The shape of `template.Data` and `Message` of Alertmanager, version 4: every field there, with its type.
fn check_v4(value: &Value) {
    let text =
        |at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("{at}: {value}"));
    assert_eq!(text("/version"), "4");
    assert!(value["truncatedAlerts"].is_u64());
    assert!(["firing", "resolved"].contains(&text("/status")));
    for field in ["/groupKey", "/receiver", "/externalURL"] {
        text(field);
    }
    for field in ["groupLabels", "commonLabels", "commonAnnotations"] {
        let pairs = value[field].as_object().unwrap();
        assert!(pairs.values().all(Value::is_string), "{field}");
    }
    let alerts = value["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1);
    for alert in alerts {
        assert!(["firing", "resolved"].contains(&alert["status"].as_str().unwrap()));
        for field in ["labels", "annotations"] {
            let pairs = alert[field].as_object().unwrap();
            assert!(pairs.values().all(Value::is_string));
            let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            assert!(pairs.keys().all(is_name), "{pairs:?}");
        }
        assert!(alert["labels"]["alertname"].is_string());
        for field in ["startsAt", "endsAt"] {
            chrono::DateTime::parse_from_rfc3339(alert[field].as_str().unwrap()).unwrap();
        }
        assert!(alert["generatorURL"].is_string());
        let print = alert["fingerprint"].as_str().unwrap();
        assert!(print.len() == 16 && print.bytes().all(|b| b.is_ascii_hexdigit()), "{print}");
    }
}

#[tokio::test]
async fn the_payload_is_alertmanagers_version_4() {
    let sink = HttpSink::always(Reply::status(200)).await;
    let hook = webhook(sink.url("/"));
    let bundle = Transition::Bundle { count: 5, keys: vec!["a:b".into(), "c:d".into()] };
    let all = [raise(), clear(), late(), hostile(), Notice { transition: bundle, ..raise() }];
    for (n, notice) in all.iter().enumerate() {
        hook.send(notice, &key(n as u64)).await.unwrap();
    }
    let seen: Vec<Value> = sink.until(all.len()).await.iter().map(Request::json).collect();
    seen.iter().for_each(check_v4);
    assert_eq!(seen[0]["status"], "firing");
    assert_eq!(seen[1]["status"], "resolved");
    assert_eq!(seen[2]["status"], "resolved");
    assert_eq!(seen[2]["commonAnnotations"]["undelivered_for"], "15 min 0 s");
    assert_eq!(seen[4]["truncatedAlerts"], 4);
    assert_eq!(seen[0]["alerts"][0]["fingerprint"], seen[1]["alerts"][0]["fingerprint"]);
    assert_eq!(seen[0]["groupKey"], seen[1]["groupKey"]);
    assert_eq!(seen[0]["commonLabels"]["severity"], "critical");
    assert_eq!(seen[0]["commonAnnotations"]["contained"], "trading paused");
    assert_eq!(seen[0]["plimsoll"]["idempotency_key"], "a-17.0.ops");
    let ours: Notice = serde_json::from_value(seen[1]["plimsoll"]["notice"].clone()).unwrap();
    assert_eq!(ours, clear());
}

#[tokio::test]
async fn an_answer_says_whether_to_try_again() {
    let wait = |text: &str| vec![("retry-after", text.to_owned())];
    for (status, headers, want) in [
        (500, Vec::new(), Some(None)),
        (503, wait("7"), Some(Some(7))),
        (429, wait("999999"), Some(Some(3_600))),
        (408, Vec::new(), Some(None)),
        (400, Vec::new(), None),
        (401, Vec::new(), None),
        (404, wait("7"), None),
    ] {
        let reply = Reply::Answer { status, headers, body: b"no\r\n\x1b[2J".to_vec() };
        let sink = HttpSink::always(reply).await;
        match (webhook(sink.url("/")).send(&raise(), &key(1)).await, want) {
            (Err(SendError::Temporary { retry_after, reason }), Some(wanted)) => {
                assert_eq!(retry_after, wanted.map(Duration::from_secs), "{status}");
                assert!(
                    !reason.chars().any(char::is_control) && reason.contains(&status.to_string()),
                    "{reason:?}"
                );
            }
            (Err(SendError::Permanent { .. }), None) => {}
            (other, _) => panic!("{status}: {other:?}"),
        }
        assert_eq!(sink.seen().len(), 1, "sent once, whatever came");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = HttpSink::always(Reply::status(200)).await;
    for status in [301, 302, 303, 307, 308] {
        let headers = vec![("location", elsewhere.url("/steal"))];
        let sink = HttpSink::always(Reply::Answer { status, headers, body: Vec::new() }).await;
        let reason = permanent(webhook(sink.url("/")).send(&raise(), &key(1)).await);
        assert!(reason.contains("redirect"), "{reason}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn slow_and_silent_receivers_are_given_up_in_time() {
    let late = Reply::After(Duration::from_secs(30), Box::new(Reply::status(200)));
    for reply in [Reply::Silence, late] {
        let sink = HttpSink::always(reply).await;
        let began = Instant::now();
        let reason = temporary(webhook(sink.url("/")).send(&raise(), &key(1)).await);
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        assert!(reason.contains("2s"), "{reason}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_up_or_is_not_there_may_come_back() {
    let sink = HttpSink::always(Reply::Drop).await;
    temporary(webhook(sink.url("/")).send(&raise(), &key(1)).await);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let reason = temporary(webhook(format!("http://{gone}/secret-path")).send(&raise(), &key(1)).await);
    assert!(!reason.contains("secret-path"), "{reason}");
}

#[tokio::test]
async fn an_answer_without_end_is_read_no_further() {
    let sink = HttpSink::always(Reply::Endless).await;
    let began = Instant::now();
    // It began with a success: the receiver has the message.
    webhook(sink.url("/")).send(&raise(), &key(1)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_address_outside_the_reach_is_refused_before_anything_is_sent() {
    let sink = HttpSink::always(Reply::status(200)).await;
    for (reach, url) in [
        (Reach::Public, format!("https://localhost:{}/", sink.address.port())),
        (Reach::Private, format!("https://127.0.0.1:{}/", sink.address.port())),
        (Reach::Private, "https://169.254.169.254/latest".to_owned()),
        (Reach::Public, "https://0xa9fea9fe/latest".to_owned()),
        (Reach::Public, "http://hooks.example.org/".to_owned()),
    ] {
        let settings = plimsoll::config::alerts::ChannelSettings {
            name: "ops".into(),
            kind: ChannelKind::Webhook,
            reach,
            webhook: Some(WebhookSettings { url: url.clone(), secret: None, token: None }),
            ..Default::default()
        };
        let env = std::collections::BTreeMap::<String, String>::new();
        let built = plimsoll::notify::build(&[settings], &env, std::path::Path::new("data"));
        assert!(built.is_err(), "{url}");
    }
    assert!(sink.seen().is_empty());
}
