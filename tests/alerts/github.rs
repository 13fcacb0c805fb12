//! GitHub issues, against a local server that keeps issues and comments as the service does.

use crate::desk::{canary, channel, clear, hostile, key, late, permanent, raise, secret, temporary};
use crate::support::http_sink::{HttpSink, Reply, Request};
use plimsoll::config::alerts::ChannelKind;
use plimsoll::config::alerts::channel_kinds::GithubSettings;
use plimsoll::domain::alert::{Notice, Transition};
use plimsoll::notify::{Channel, Sent};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Repository {
    issues: Vec<Value>,
    comments: Vec<Vec<Value>>,
    /// Writes that are done, but of which the answer is lost.
    lose: usize,
}

struct Bench {
    sink: HttpSink,
    repository: Arc<Mutex<Repository>>,
    channel: Arc<dyn Channel>,
}

fn github(url: String) -> Arc<dyn Channel> {
    channel(ChannelKind::Github, &[("TOKEN", "t0ken")], |settings| {
        settings.github = Some(GithubSettings {
            url,
            repository: "desk/alerts".into(),
            token: secret("TOKEN"),
            ..GithubSettings::default()
        });
    })
}

async fn bench() -> Bench {
    let repository = Arc::new(Mutex::new(Repository::default()));
    let held = Arc::clone(&repository);
    let sink = HttpSink::start(move |request| serve(&mut held.lock().unwrap(), request)).await;
    let channel = github(sink.url(""));
    Bench { sink, repository, channel }
}

fn serve(held: &mut Repository, request: &Request) -> Reply {
    let url = reqwest::Url::parse(&format!("http://x{}", request.target)).unwrap();
    let rest = url.path().strip_prefix("/repos/desk/alerts/").unwrap().to_owned();
    let parts: Vec<&str> = rest.split('/').collect();
    let ask =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let page = |list: &[Value]| {
        let (size, number) =
            (ask("per_page").unwrap().parse().unwrap(), ask("page").unwrap().parse::<usize>().unwrap());
        let part: Vec<Value> = list.iter().skip((number - 1) * size).take(size).cloned().collect();
        Reply::json(200, &Value::Array(part).to_string())
    };
    let answer = match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["issues"]) => {
            assert_eq!(ask("state").as_deref(), Some("all"));
            let label = ask("labels").unwrap();
            let ours = |issue: &&Value| issue["labels"].as_array().unwrap().contains(&json!(label));
            let newest: Vec<Value> = held.issues.iter().rev().filter(ours).cloned().collect();
            return page(&newest);
        }
        ("GET", ["issues", number, "comments"]) => {
            let number: usize = number.parse().unwrap();
            return page(&held.comments[number - 1]);
        }
        ("POST", ["issues"]) => {
            let mut issue = request.json();
            issue["number"] = json!(held.issues.len() + 1);
            issue["state"] = json!("open");
            held.issues.push(issue.clone());
            held.comments.push(Vec::new());
            Reply::json(201, &issue.to_string())
        }
        ("POST", ["issues", number, "comments"]) => {
            let number: usize = number.parse().unwrap();
            held.comments[number - 1].push(request.json());
            Reply::json(201, &request.json().to_string())
        }
        ("PATCH", ["issues", number]) => {
            let number: usize = number.parse().unwrap();
            held.issues[number - 1]["state"] = request.json()["state"].clone();
            Reply::json(200, &held.issues[number - 1].to_string())
        }
        other => panic!("{other:?}"),
    };
    if held.lose > 0 {
        held.lose -= 1;
        return Reply::Drop;
    }
    answer
}

#[tokio::test]
async fn an_issue_lives_as_long_as_its_alert() {
    let bench = bench().await;
    let reminder = Notice { transition: Transition::Reminder { count: 1 }, ..raise() };
    for (n, notice) in [raise(), reminder, clear()].iter().enumerate() {
        assert_eq!(bench.channel.send(notice, &key(n as u64)).await.unwrap(), Sent::Delivered);
    }
    let held = bench.repository.lock().unwrap();
    assert_eq!(held.issues.len(), 1);
    let issue = &held.issues[0];
    assert!(issue["title"].as_str().unwrap().starts_with("[CRITICAL] RAISED: venue_quotes_stale"));
    assert!(issue["body"].as_str().unwrap().contains("Contained: trading paused"));
    assert_eq!(issue["labels"], json!(["plimsoll-alert"]));
    assert_eq!(issue["state"], "closed");
    assert_eq!(held.comments[0].len(), 2);
    assert!(held.comments[0][1]["body"].as_str().unwrap().contains("Lasted: 5 min 3 s"));
    for request in bench.sink.seen() {
        assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
        assert_eq!(request.header("accept"), Some("application/vnd.github+json"));
        assert!(request.header("user-agent").is_some(), "the service refuses requests without");
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_issue_and_no_second_comment() {
    let bench = bench().await;
    bench.repository.lock().unwrap().lose = 1;
    temporary(bench.channel.send(&raise(), &key(1)).await);
    // Another run of the program: it remembers nothing.
    let again = github(bench.sink.url(""));
    again.send(&raise(), &key(1)).await.unwrap();
    bench.repository.lock().unwrap().lose = 1;
    temporary(again.send(&clear(), &key(2)).await);
    again.send(&clear(), &key(2)).await.unwrap();
    again.send(&clear(), &key(2)).await.unwrap();
    let held = bench.repository.lock().unwrap();
    assert_eq!((held.issues.len(), held.comments[0].len()), (1, 1));
    assert_eq!(held.issues[0]["state"], "closed");
}

#[tokio::test]
async fn raise_and_clear_at_once_meet_in_one_issue() {
    let bench = bench().await;
    let (first, second, one, two) = (raise(), clear(), key(1), key(2));
    let (a, b) = tokio::join!(bench.channel.send(&first, &one), bench.channel.send(&second, &two));
    a.unwrap();
    b.unwrap();
    let held = bench.repository.lock().unwrap();
    assert_eq!((held.issues.len(), held.comments[0].len()), (1, 1));
    assert_eq!(held.issues[0]["state"], "closed");
}

#[tokio::test]
async fn its_own_issue_is_found_behind_many_others_and_a_strangers_is_not_taken() {
    let bench = bench().await;
    bench.channel.send(&raise(), &key(1)).await.unwrap();
    {
        let mut held = bench.repository.lock().unwrap();
        let copied = held.issues[0]["body"].clone();
        for n in 0..120 {
            let number = held.issues.len() + 1;
            let labels = if n == 0 { json!([]) } else { json!(["plimsoll-alert"]) };
            let body = if n == 0 { copied.clone() } else { json!("another alert") };
            held.issues.push(json!({"number": number, "state": "open", "labels": labels, "body": body}));
            held.comments.push(Vec::new());
        }
    }
    bench.channel.send(&clear(), &key(2)).await.unwrap();
    let held = bench.repository.lock().unwrap();
    assert_eq!(held.issues[0]["state"], "closed");
    assert_eq!(held.issues[1]["state"], "open", "a stranger's issue with a copied mark");
    assert_eq!(held.issues.len(), 121);
}

#[tokio::test]
async fn what_is_over_already_is_told_and_closed() {
    let bench = bench().await;
    bench.channel.send(&late(), &key(1)).await.unwrap();
    let test = Notice { alert_id: "canary-1".into(), ..canary() };
    bench.channel.send(&test, &key(2)).await.unwrap();
    let held = bench.repository.lock().unwrap();
    assert_eq!(held.issues.len(), 2);
    assert!(held.issues.iter().all(|issue| issue["state"] == "closed"), "{:?}", held.issues);
    assert!(held.issues[0]["body"].as_str().unwrap().contains("Undelivered for: 15 min 0 s"));
}

#[tokio::test]
async fn hostile_text_stays_in_its_block() {
    let bench = bench().await;
    bench.channel.send(&hostile(), &key(1)).await.unwrap();
    let held = bench.repository.lock().unwrap();
    let body = held.issues[0]["body"].as_str().unwrap();
    let fence = "`````";
    assert_eq!(body.lines().filter(|line| line.starts_with(fence)).count(), 2, "{body}");
    let outside: Vec<&str> = body.split(fence).step_by(2).collect();
    assert!(!outside.join("").contains("@everyone"), "{outside:?}");
    assert!(!held.issues[0]["title"].as_str().unwrap().contains("@everyone"));
}

#[tokio::test]
async fn limits_and_refusals_are_told_apart() {
    for (status, headers, body, is_permanent) in [
        (401, vec![], r#"{"message":"Bad credentials"}"#, true),
        (404, vec![], r#"{"message":"Not Found"}"#, true),
        (403, vec![("retry-after", "60".to_owned())], r#"{"message":"secondary"}"#, false),
        (403, vec![], r#"{"message":"API rate limit exceeded"}"#, false),
        (403, vec![], r#"{"message":"Resource not accessible"}"#, true),
        (502, vec![], "<html>", false),
        (200, vec![], "<html>", false),
    ] {
        let sink = HttpSink::always(Reply::Answer { status, headers, body: body.as_bytes().to_vec() }).await;
        let outcome = github(sink.url("")).send(&raise(), &key(1)).await;
        let reason = if is_permanent { permanent(outcome) } else { temporary(outcome) };
        assert!(!reason.contains("t0ken"), "{reason}");
    }
}
