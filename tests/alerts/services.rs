//! Services that others run, as local servers of the same shape: what they are sent, and what their answers mean.

use crate::desk::{canary, channel, clear, hostile, key, late, permanent, raise, secret, temporary};
use crate::support::http_sink::{HttpSink, Reply, Request};
use plimsoll::config::alerts::ChannelKind;
use plimsoll::config::alerts::channel_kinds::{
    AlertmanagerSettings, ChatSettings, FileSettings, PagerdutySettings, SmsSettings,
};
use plimsoll::domain::alert::{Notice, Transition};
use plimsoll::notify::{Channel, Confirmation, Sent};
use serde_json::Value;
use std::sync::Arc;

fn chat(kind: ChannelKind, url: &str) -> Arc<dyn Channel> {
    channel(kind, &[("URL", url)], |settings| {
        let keys = Some(ChatSettings { url: secret("URL") });
        if kind == ChannelKind::Slack {
            settings.slack = keys;
        } else {
            settings.discord = keys;
        }
    })
}

#[tokio::test]
async fn slack_gets_text_that_calls_nobody() {
    let sink = HttpSink::always(Reply::json(200, "ok")).await;
    let slack = chat(ChannelKind::Slack, &sink.url("/services/T0/B0/secret"));
    assert_eq!(slack.send(&raise(), &key(1)).await.unwrap(), Sent::Delivered);
    slack.send(&hostile(), &key(2)).await.unwrap();
    let seen = sink.until(2).await;
    assert_eq!(seen[0].target, "/services/T0/B0/secret");
    let text = seen[0].json()["text"].as_str().unwrap().to_owned();
    for wanted in
        ["[CRITICAL] RAISED", "no quote for 12.4 s", "Contained: trading paused", "plimsoll ack a-17"]
    {
        assert!(text.contains(wanted), "{text}");
    }
    let text = seen[1].json()["text"].as_str().unwrap().to_owned();
    assert!(!text.contains('<') && text.contains("&lt;!channel&gt;"), "{text}");
    assert_eq!(seen[1].json()["link_names"], false);
    let page = HttpSink::always(Reply::json(200, "<html>log in</html>")).await;
    permanent(chat(ChannelKind::Slack, &page.url("/")).send(&raise(), &key(1)).await);
    let gone = HttpSink::always(Reply::json(404, "no_service")).await;
    let reason =
        permanent(chat(ChannelKind::Slack, &gone.url("/services/secret")).send(&raise(), &key(1)).await);
    assert!(reason.contains("no_service") && !reason.contains("secret"), "{reason}");
}

#[tokio::test]
async fn discord_gets_an_embed_and_no_mentions() {
    let sink = HttpSink::always(Reply::json(200, r#"{"id":"99"}"#)).await;
    let discord = chat(ChannelKind::Discord, &sink.url("/api/webhooks/1/secret?thread_id=5"));
    assert_eq!(discord.send(&hostile(), &key(1)).await.unwrap(), Sent::Delivered);
    let request = sink.until(1).await.remove(0);
    assert_eq!(request.target, "/api/webhooks/1/secret?thread_id=5&wait=true");
    let json = request.json();
    assert_eq!(json["allowed_mentions"]["parse"], serde_json::json!([]));
    let embed = &json["embeds"][0];
    let length = |field: &str| embed[field].as_str().unwrap().chars().count();
    assert!(length("title") <= 256 && length("description") <= 4_096);
    assert!(!embed.to_string().contains("@everyone"));
    let empty = HttpSink::always(Reply::status(204)).await;
    let sent = chat(ChannelKind::Discord, &empty.url("/x")).send(&raise(), &key(1)).await.unwrap();
    assert_eq!(sent, Sent::Accepted { provider_id: None });
}

fn pagerduty(url: String) -> Arc<dyn Channel> {
    channel(ChannelKind::Pagerduty, &[("ROUTE", "r0ute")], |settings| {
        settings.pagerduty = Some(PagerdutySettings { url, routing_key: secret("ROUTE") });
    })
}

#[tokio::test]
async fn pagerduty_gets_one_incident_per_alert() {
    let word = r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#;
    let sink = HttpSink::always(Reply::json(202, word)).await;
    let pager = pagerduty(sink.url("/v2/enqueue"));
    let by = Transition::Acknowledged { by: "ann".into(), until: None };
    let reminder = Transition::Reminder { count: 1 };
    let of = |transition: Transition| Notice { transition, ..raise() };
    for (n, notice) in
        [raise(), of(reminder), of(by), clear(), late(), canary(), hostile()].iter().enumerate()
    {
        pager.send(notice, &key(n as u64)).await.unwrap();
    }
    let seen: Vec<Value> = sink.until(9).await.iter().map(Request::json).collect();
    let actions: Vec<&str> = seen.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    let want = [
        "trigger",
        "trigger",
        "acknowledge",
        "resolve",
        "trigger",
        "resolve",
        "trigger",
        "resolve",
        "trigger",
    ];
    assert_eq!(actions, want);
    for event in &seen {
        assert_eq!(event["routing_key"], "r0ute");
        assert_eq!(event["dedup_key"], seen[0]["dedup_key"], "one incident");
        let payload = &event["payload"];
        assert!(payload["summary"].as_str().unwrap().chars().count() <= 1_024);
        assert!(["critical", "error", "warning", "info"].contains(&payload["severity"].as_str().unwrap()));
        assert!(
            payload["source"].is_string() && payload["component"].is_string() && payload["class"].is_string()
        );
        chrono::DateTime::parse_from_rfc3339(payload["timestamp"].as_str().unwrap()).unwrap();
        assert!(event.to_string().len() < 512_000);
    }
    assert_eq!(seen[0]["payload"]["severity"], "critical");
    assert_eq!(seen[0]["payload"]["custom_details"]["facts"]["Contained"], "trading paused");
    assert_eq!(seen[4]["payload"]["severity"], "info", "what is over wakes nobody");
    let refused = HttpSink::always(Reply::json(400, r#"{"status":"invalid event"}"#)).await;
    let reason = permanent(pagerduty(refused.url("/")).send(&raise(), &key(1)).await);
    assert!(!reason.contains("r0ute"), "{reason}");
    let full = HttpSink::always(Reply::status(429)).await;
    temporary(pagerduty(full.url("/")).send(&raise(), &key(1)).await);
    let odd = HttpSink::always(Reply::json(200, "<html>")).await;
    temporary(pagerduty(odd.url("/")).send(&raise(), &key(1)).await);
}

fn sms(url: String) -> Arc<dyn Channel> {
    channel(ChannelKind::Sms, &[("TOKEN", "t0ken")], |settings| {
        settings.sms = Some(SmsSettings {
            url,
            account: "AC0123456789abcdef".into(),
            token: secret("TOKEN"),
            from: "+15005550006".into(),
            to: "+15005550001".into(),
            status_callback: Some("http://127.0.0.1:1/status".into()),
        });
    })
}

#[tokio::test]
async fn an_sms_is_accepted_first_and_confirmed_later() {
    let made = |status: &str| format!(r#"{{"sid":"SM00ff","status":"{status}","error_code":null}}"#);
    let answers = std::sync::Mutex::new(vec!["sent", "delivered", "undelivered"].into_iter());
    let first = made("queued");
    let sink = HttpSink::start(move |request| {
        if request.method == "POST" {
            return Reply::json(201, &first);
        }
        let status = answers.lock().unwrap().next().unwrap();
        Reply::json(
            200,
            &format!(r#"{{"sid":"SM00ff","status":"{status}","error_code":30003,"error_message":"off"}}"#),
        )
    })
    .await;
    let channel = sms(sink.url(""));
    let sent = channel.send(&raise(), &key(1)).await.unwrap();
    assert_eq!(sent, Sent::Accepted { provider_id: Some("SM00ff".into()) });
    assert_eq!(channel.confirm("SM00ff").await.unwrap(), Confirmation::Pending);
    assert_eq!(channel.confirm("SM00ff").await.unwrap(), Confirmation::Delivered);
    let reason = "undelivered 30003: off".to_owned();
    assert_eq!(channel.confirm("SM00ff").await.unwrap(), Confirmation::Failed { reason });
    assert!(channel.confirm("../../Calls").await.is_err());
    let seen = sink.seen();
    assert_eq!(seen.len(), 4, "an id that is none is not asked about");
    assert_eq!(seen[0].target, "/2010-04-01/Accounts/AC0123456789abcdef/Messages.json");
    assert_eq!(seen[1].target, "/2010-04-01/Accounts/AC0123456789abcdef/Messages/SM00ff.json");
    // "AC0123456789abcdef:t0ken"
    assert_eq!(seen[0].header("authorization"), Some("Basic QUMwMTIzNDU2Nzg5YWJjZGVmOnQwa2Vu"));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = seen[0].form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!((field("To"), field("From")), ("+15005550001".into(), "+15005550006".into()));
    assert_eq!(field("StatusCallback"), "http://127.0.0.1:1/status");
    assert!(field("Body").starts_with("CRITICAL venue_quotes_stale:paper"), "{}", field("Body"));
    assert!(field("Body").len() <= 160);
}

#[tokio::test]
async fn an_sms_with_hostile_text_is_still_one_sms_to_one_number() {
    let sink = HttpSink::always(Reply::json(201, r#"{"sid":"SM1","status":"delivered"}"#)).await;
    assert_eq!(sms(sink.url("")).send(&hostile(), &key(1)).await.unwrap(), Sent::Delivered);
    let form = sink.until(1).await.remove(0).form();
    assert_eq!(form.iter().filter(|(name, _)| name == "To").count(), 1);
    assert_eq!(form.len(), 4);
    for (status, body, is_permanent) in [
        (400, r#"{"code":21211,"message":"Invalid 'To' Phone Number"}"#, true),
        (401, r#"{"code":20003}"#, true),
        (429, r#"{"code":20429}"#, false),
        (500, "", false),
        (201, r#"{"sid":"SM1","status":"failed","error_code":30007}"#, true),
    ] {
        let sink = HttpSink::always(Reply::json(status, body)).await;
        let outcome = sms(sink.url("")).send(&raise(), &key(1)).await;
        let reason = if is_permanent { permanent(outcome) } else { temporary(outcome) };
        assert!(!reason.contains("t0ken"), "{reason}");
    }
    let odd = HttpSink::always(Reply::json(200, "<html>")).await;
    let sent = sms(odd.url("")).send(&raise(), &key(1)).await.unwrap();
    assert_eq!(sent, Sent::Accepted { provider_id: None }, "it may have been sent: not again");
}

#[tokio::test]
async fn an_alertmanager_gets_what_it_can_match() {
    let sink = HttpSink::always(Reply::status(200)).await;
    let push = channel(ChannelKind::Alertmanager, &[("TOKEN", "t0ken")], |settings| {
        settings.alertmanager = Some(AlertmanagerSettings { url: sink.url("/am"), token: secret("TOKEN") });
    });
    for (n, notice) in [raise(), clear(), late(), canary(), hostile()].iter().enumerate() {
        let sent = push.send(notice, &key(n as u64)).await.unwrap();
        assert_eq!(sent, Sent::Accepted { provider_id: None });
    }
    let seen = sink.until(5).await;
    assert!(seen.iter().all(|request| request.target == "/am/api/v2/alerts"));
    assert_eq!(seen[0].header("authorization"), Some("Bearer t0ken"));
    let alerts: Vec<Value> = seen.iter().map(|request| request.json()[0].clone()).collect();
    assert_eq!(alerts[0]["labels"], alerts[1]["labels"]);
    let time = |n: usize, field: &str| {
        chrono::DateTime::parse_from_rfc3339(alerts[n][field].as_str().unwrap()).unwrap().timestamp()
    };
    let now = plimsoll::clock::wall().timestamp();
    assert!(time(0, "endsAt") > now + 80_000, "it fires until it is said to be over");
    assert_eq!(time(1, "endsAt"), 1_700_000_303);
    for n in [2, 3] {
        let ends = time(n, "endsAt") - now;
        assert!((0..=61).contains(&ends), "told, and over soon: {ends}");
    }
}

#[tokio::test]
async fn a_file_has_one_line_per_message() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts.jsonl");
    let file = channel(ChannelKind::File, &[], |settings| {
        settings.file = Some(FileSettings { path: path.clone() });
    });
    assert_eq!(file.send(&hostile(), &key(1)).await.unwrap(), Sent::Delivered);
    assert_eq!(file.send(&clear(), &key(2)).await.unwrap(), Sent::Delivered);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["idempotency_key"], "a-17.2.ops");
    let notice: Notice = serde_json::from_value(lines[1]["notice"].clone()).unwrap();
    assert_eq!(notice, clear());
    // A folder in its way is no reason to lose the next message.
    let blocked = channel(ChannelKind::File, &[], |settings| {
        settings.file = Some(FileSettings { path: dir.path().to_owned() });
    });
    temporary(blocked.send(&raise(), &key(1)).await);
}

#[tokio::test]
async fn the_log_takes_everything() {
    let log = channel(ChannelKind::Log, &[], |_| {});
    for notice in [raise(), clear(), late(), canary(), hostile()] {
        assert_eq!(log.send(&notice, &key(1)).await.unwrap(), Sent::Delivered);
    }
    assert_eq!(log.confirm("x").await.unwrap(), Confirmation::NotOffered);
}
