//! A text message that its provider accepts: what becomes of it is asked, and decides who hears of the alert next.

use crate::alerts::{Receiver, config};
use crate::support::TestApp;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A provider in the form of Twilio's: accepts everything, and says later of each scope what it was told to.
#[derive(Clone)]
struct Provider {
    url: String,
    /// Requests: verb, and the scope that the message is about.
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

const SCOPES: [&str; 3] = ["x-arrives", "x-fails", "x-silent"];

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = Self { url: format!("http://{}", listener.local_addr().unwrap()), seen: Arc::default() };
        let provider = own.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let provider = provider.clone();
                std::thread::spawn(move || provider.serve(socket));
            }
        });
        own
    }

    fn serve(&self, socket: TcpStream) -> Option<()> {
        let mut writer = socket.try_clone().ok()?;
        let mut reader = BufReader::new(socket);
        loop {
            let (mut first, mut length, mut line) = (String::new(), 0, String::new());
            while {
                line.clear();
                reader.read_line(&mut line).ok()? > 0
            } && line != "\r\n"
            {
                if first.is_empty() {
                    first.clone_from(&line);
                } else if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            if line.is_empty() {
                return None;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let text = format!("{first}{}", String::from_utf8_lossy(&body));
            // The id of a message is its scope without the hyphen; both stand in what is asked.
            let of = |scope: &&&str| text.contains(**scope) || text.contains(&scope.replace('-', ""));
            let scope = SCOPES.iter().find(of).copied().unwrap_or_default();
            let verb = first.split(' ').next().unwrap_or_default().to_owned();
            let asks = verb == "GET";
            self.seen.lock().unwrap().push((verb, scope.to_owned()));
            let status = match scope {
                "x-arrives" if asks => "delivered",
                "x-fails" if asks => "undelivered",
                _ => "sent",
            };
            let answer = format!(
                r#"{{"sid":"SM{}","status":"{status}","error_code":30003,"error_message":"off"}}"#,
                scope.replace('-', "")
            );
            write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).ok()?;
        }
    }

    fn count(&self, verb: &str, scope: &str) -> usize {
        let wanted = (verb.to_owned(), scope.to_owned());
        self.seen.lock().unwrap().iter().filter(|one| **one == wanted).count()
    }
}

fn raise(app: &TestApp, scope: &str) {
    let body = json!({"code": "drift_detected", "scope": scope, "reason": "a test", "ends": false});
    assert_eq!(app.send("POST", "/debug/alerts", Some(&body.to_string())).status, 202);
}

fn delivery(app: &TestApp, scope: &str) -> Value {
    let alert = app.get(&format!("/api/v1/alerts/drift_detected:{scope}")).json();
    let all = alert["deliveries"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|one| one["channel"] == "duty").unwrap_or_default()
}

#[test]
fn what_a_provider_says_later_decides_who_hears_next() {
    let (provider, hook) = (Provider::start(), Receiver::start());
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t0ken").unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let more = format!(
        "    - name: duty
      kind: sms
      reach: loopback
      sms: {{ url: '{}', account: AC0123456789abcdef, token_file: '{}', from: '+15005550006', to: '+15005550001' }}
  confirm_seconds: 5
  limits:
    - {{ channel: duty, tiers: [{{ messages: 100, within_seconds: 1 }}] }}
  policies:
    - name: all
      severities: [info, warning, critical]
      codes: [drift_detected]
      steps:
        - {{ after_seconds: 0, notify: [duty] }}
        - {{ after_seconds: 3600, notify: [hook] }}
    - {{ name: rest, severities: [critical], steps: [{{ after_seconds: 0, notify: [hook] }}] }}
",
        provider.url,
        token.display()
    );
    let path = config(folder.path(), &hook, &more);
    let app = TestApp::start_with(&["run", "--config", &path], &[]);
    app.until("the router works", |app| app.get("/api/v1/channels").text.contains("duty"));
    let send = |scope: &str| {
        raise(&app, scope);
        app.until("it was sent", |_| provider.count("POST", scope) == 1);
    };
    send("x-arrives");
    app.until("it has arrived", |app| delivery(app, "x-arrives")["status"] == "delivered");
    app.until("that is evidence", |app| {
        let channels = app.get("/api/v1/channels").json();
        let items = channels["items"].as_array().cloned().unwrap_or_default();
        items.iter().any(|one| one["name"] == "duty" && one["last_delivered_at"].is_string())
    });

    send("x-silent");
    send("x-fails");
    app.until("it did not arrive", |app| delivery(app, "x-fails")["status"] == "failed");
    assert!(delivery(&app, "x-fails")["last_error"].as_str().unwrap().contains("undelivered 30003"));
    app.until("the next step is not waited for", |_| hook.about("x-fails").len() == 1);
    app.until("the channel is reported", |app| {
        app.get("/api/v1/alerts?status=open").text.contains("alerting_degraded:duty")
    });

    let shown = delivery(&app, "x-silent");
    assert_eq!(shown["status"], "accepted", "{shown}");
    app.until("it is not asked for ever", |app| delivery(app, "x-silent")["confirm"].is_null());
    let shown = delivery(&app, "x-silent");
    assert_eq!(shown["status"], "accepted", "{shown}");
    assert!(shown["last_error"].as_str().unwrap().contains("within 5 s"), "{shown}");
    let asked = provider.count("GET", "x-silent");
    assert!((2..=4).contains(&asked), "{asked}");
    assert!(hook.about("x-silent").is_empty() && hook.about("x-arrives").is_empty(), "nobody else was told");
    assert!(SCOPES.iter().all(|scope| provider.count("POST", scope) == 1), "and nothing was sent twice");
}
