//! Who may ask what: the whole route table without a token, with the wrong scope, with the right one.

use crate::orders::trading;
use crate::support::{Answer, TestApp, plimsoll, run};
use plimsoll::domain::token::Scope;
use plimsoll::web::{Access, KeyRule, ROUTES, RouteEntry};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

const DEBUG: &[(&str, &str)] = &[("PLIMSOLL__WEB__DEBUG_ROUTES", "true")];

/// Makes a token in a data directory.
pub fn create(data: &Path, name: &str, scopes: &[&str]) -> String {
    let mut command = plimsoll();
    command.args(["token", "create", name, "--scope"]).args(scopes).arg("--data-dir").arg(data);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn as_holder(app: &TestApp, method: &str, path: &str, header: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = header.map(|value| ("authorization", value)).into_iter().collect();
    let body = (method == "POST").then_some("{}");
    app.send_with(method, path, body, &headers)
}

/// Waits until the server has read the file again.
fn until_status(app: &TestApp, header: Option<&str>, status: u16) {
    let start = Instant::now();
    app.until("the tokens are read again", |app| {
        as_holder(app, "GET", "/api/v1/status", header).status == status
    });
    assert!(start.elapsed() < Duration::from_secs(1), "a second is promised: {:?}", start.elapsed());
}

fn concrete(entry: &RouteEntry) -> String {
    let path = entry.path.replace("{path:.+}", "plimsoll/nobody").replace("{fault}", "panic");
    path.replace("{client_order_id}", "nope").replace("{name}", "nobody")
}

fn is_problem(answer: &Answer, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    let problem = answer.json();
    assert_eq!(
        (problem["status"].as_u64(), problem["code"].as_str()),
        (Some(status.into()), Some(code)),
        "{what}"
    );
    assert!(problem["request_id"].as_str().unwrap().starts_with("r-"), "{what}");
    for header in ["cache-control", "x-content-type-options", "content-security-policy"] {
        assert!(!answer.header(header).is_empty(), "{what}: no {header}");
    }
}

#[test]
fn the_whole_table_is_shut_without_a_token_and_with_the_wrong_scope() {
    let app = TestApp::start(DEBUG);
    let data = app.data();
    // For each scope a token that has every other one, `admin` aside: it would allow everything.
    let lacking: Vec<(Scope, String)> = Scope::ALL
        .into_iter()
        .map(|lacks| {
            let others = Scope::ALL.into_iter().filter(|scope| *scope != lacks && *scope != Scope::Admin);
            let words: Vec<&str> = others.map(Scope::word).collect();
            (lacks, bearer(&create(data.path(), &format!("no-{lacks}"), &words)))
        })
        .collect();
    until_status(&app, None, 401);
    let unknown = bearer(&format!("plm_0123456789ab_{}", "0".repeat(64)));
    let mut checked = 0;
    for entry in ROUTES.iter().filter(|entry| !entry.page) {
        let (method, path) = (entry.method.as_str(), concrete(entry));
        let what = format!("{method} {path}");
        let Access::Needs(needed) = entry.access else {
            assert_eq!(entry.path, "/livez", "nothing else is open");
            assert_eq!(as_holder(&app, method, &path, None).status, 200);
            continue;
        };
        let nobody = as_holder(&app, method, &path, None);
        is_problem(&nobody, 401, "unauthorized", &what);
        assert!(nobody.header("www-authenticate").starts_with("Bearer"), "{what}");
        if needed != Scope::Read {
            let (_, wrong) = lacking.iter().find(|(lacks, _)| *lacks == needed).unwrap();
            let refused = as_holder(&app, method, &path, Some(wrong));
            is_problem(&refused, 403, "scope_missing", &what);
            assert!(refused.json()["detail"].as_str().unwrap().contains(needed.word()), "{}", refused.text);
        }
        for verb in ["PUT", "PATCH", "TRACE", "OPTIONS"] {
            let header = lacking.first().map(|(_, header)| header.as_str());
            let answer = as_holder(&app, verb, &path, header);
            is_problem(&answer, 405, "method_not_allowed", &format!("{verb} {path}"));
            is_problem(&as_holder(&app, verb, &path, None), 401, "unauthorized", &format!("{verb} {path}"));
        }
        checked += 1;
    }
    assert!(checked >= 27, "{checked}");
    is_problem(&as_holder(&app, "GET", "/nope", None), 401, "unauthorized", "what is in no line");
    is_problem(
        &as_holder(&app, "GET", "/api/v1/status", Some(&unknown)),
        401,
        "token_refused",
        "no such token",
    );
}

#[test]
fn an_admin_may_everything_and_every_token_reads() {
    let app = TestApp::start(&[]);
    let data = app.data();
    let (admin, trade) = (create(data.path(), "root", &["admin"]), create(data.path(), "bot", &["trade"]));
    until_status(&app, None, 401);
    for entry in ROUTES.iter().filter(|entry| !entry.debug && !entry.page) {
        // The stream has no end, and the restart would be the end of the run.
        if entry.path.ends_with("/events") || entry.path.ends_with("/restart") {
            continue;
        }
        let path = concrete(entry);
        let status = as_holder(&app, entry.method.as_str(), &path, Some(&bearer(&admin))).status;
        assert!(!matches!(status, 401 | 403 | 405), "{} {path}: {status}", entry.method);
        if entry.method == "GET" {
            let status = as_holder(&app, "GET", &path, Some(&bearer(&trade))).status;
            assert!(!matches!(status, 401 | 403), "{path}: {status}");
        }
    }
}

#[test]
fn every_route_that_steers_needs_a_key_and_is_audited() {
    for entry in ROUTES {
        let steers = entry.path.contains("/controls/");
        let is_kill = entry.access == Access::Needs(Scope::Kill);
        assert!(!steers || entry.audited, "{} is not audited", entry.path);
        assert!(!steers || is_kill || entry.key == KeyRule::Required, "{} takes no key", entry.path);
        // Only what changes nothing has no use for a key.
        let asks = entry.method == "GET" || entry.access == Access::Needs(Scope::Read);
        // A measurement that is sent twice was measured twice: nothing to be recognised.
        let asks = asks || (entry.method == "POST" && entry.path == "/api/v1/drift/streams/{name}");
        let changes_nothing = entry.key == KeyRule::None;
        assert!(!changes_nothing || asks || entry.access == Access::Open, "{} {}", entry.method, entry.path);
    }
}

#[test]
fn tokens_expire_and_are_revoked_while_it_runs() {
    let app = TestApp::start(&[]);
    let data = app.data();
    let folder = data.path().to_str().unwrap();
    let lasting = bearer(&create(data.path(), "lasting", &["read"]));
    until_status(&app, None, 401);
    let short =
        run(&["token", "create", "short", "--scope", "read", "--expires", "2s", "--data-dir", folder], None);
    let short = bearer(String::from_utf8(short.stdout).unwrap().trim());
    until_status(&app, Some(&short), 200);
    app.until("expired", |app| as_holder(app, "GET", "/api/v1/status", Some(&short)).status == 401);
    let listed = run(&["token", "list", "--data-dir", folder], None);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("expired") && listed.contains("lasting"), "{listed}");
    assert!(!listed.contains(lasting.rsplit('_').next().unwrap()), "no secret is shown twice");
    assert!(run(&["token", "revoke", "lasting", "--data-dir", folder], None).status.success());
    until_status(&app, Some(&lasting), 401);
    assert_eq!(run(&["token", "revoke", "lasting", "--data-dir", folder], None).status.code(), Some(1));
    is_problem(&app.get("/api/v1/status"), 401, "unauthorized", "the door stays shut");
}

#[test]
fn a_file_that_others_can_read_lets_nobody_in_and_none_start() {
    let app = TestApp::start(&[]);
    let data = app.data();
    let token = bearer(&create(data.path(), "ops", &["admin"]));
    until_status(&app, None, 401);
    let file = data.path().join("tokens.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    until_status(&app, Some(&token), 503);
    let refused = as_holder(&app, "GET", "/api/v1/status", Some(&token));
    is_problem(&refused, 503, "tokens_unreadable", "mode 644");
    assert!(refused.json()["detail"].as_str().unwrap().contains("chmod 600"), "{}", refused.text);
    assert_eq!(app.get("/livez").status, 200, "alive it is");
    let folder = data.path().to_str().unwrap();
    let start = run(&["demo", "--listen", "127.0.0.1:0", "--data-dir", folder, "--for", "1s"], None);
    assert_eq!(start.status.code(), Some(1), "{start:?}");
    assert!(String::from_utf8_lossy(&start.stderr).contains("chmod 600"), "{start:?}");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    until_status(&app, Some(&token), 200);
    std::fs::remove_file(&file).unwrap();
    until_status(&app, None, 503);
}

#[test]
fn the_command_line_sends_its_token_from_a_file_or_the_environment_and_never_shows_it() {
    let app = trading();
    let data = app.data();
    let token = create(data.path(), "ops", &["pause"]);
    until_status(&app, None, 401);
    let file = data.path().join("ops.token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let ask = |mode: u32| {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let file = file.to_str().unwrap();
        run(&["cancel-all", "--reason", "a test", "--url", &app.url, "--token-file", file], None)
    };
    assert_eq!(ask(0o600).status.code(), Some(0));
    let refused = ask(0o644);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 600"), "{refused:?}");
    let by_env = |token: &str| {
        let mut command = plimsoll();
        command.args(["status", "--url", &app.url]).env("PLIMSOLL_TOKEN", token);
        command.output().unwrap()
    };
    assert_eq!(by_env(&token).status.code(), Some(0));
    let wrong = by_env("plm_nonsense");
    assert_eq!(wrong.status.code(), Some(4), "{wrong:?}");
    app.until("the audit names the token", |_| {
        let audit = as_holder(&app, "GET", "/api/v1/audit", Some(&bearer(&token))).json();
        let lines = audit["items"].as_array().unwrap().clone();
        lines.iter().any(|line| {
            line["actor"] == "ops"
                && line["verb"] == "cancel-all"
                && line["status"] == 202
                && line["reason"] == "a test"
        })
    });
    let secret = token.rsplit('_').next().unwrap();
    assert!(!app.logged(secret), "a log holds the secret");
}

#[test]
fn nobody_listens_beyond_loopback_without_tokens_and_without_tls() {
    let data = tempfile::tempdir().unwrap();
    let start = |settings: &[(&str, &str)]| {
        let mut command = plimsoll();
        command.args(["demo", "--listen", "0.0.0.0:0", "--for", "100ms", "--data-dir"]).arg(data.path());
        let output = command.envs(settings.iter().copied()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let acknowledged = [("PLIMSOLL__WEB__TLS_TERMINATED_ELSEWHERE", "true")];
    let (code, said) = start(&[]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("tls_terminated_elsewhere") && said.contains("--listen"), "{said}");
    let (code, said) = start(&acknowledged);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("anybody could trade") && said.contains("plimsoll token create"), "{said}");
    create(data.path(), "ops", &["admin"]);
    let (code, said) = start(&acknowledged);
    assert_eq!(code, Some(0), "{said}");
    let (code, _) = start(&[]);
    assert_eq!(code, Some(3), "tokens alone are not enough");
}

#[test]
fn only_listed_names_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hosts.yaml");
    std::fs::write(&file, "web: {allowed_hosts: [ops.example]}\n").unwrap();
    let app = TestApp::start_with(&["run", "--config", file.to_str().unwrap()], &[]);
    let status = |host: &str| app.send_with("GET", "/livez", None, &[("host", host)]).status;
    assert_eq!(status("ops.example"), 200);
    assert_eq!(status("ops.example:8787"), 200);
    assert_eq!(status("localhost"), 200);
    let refused = app.send_with("GET", "/livez", None, &[("host", "evil.example")]);
    is_problem(&refused, 421, "misdirected_request", "a stranger's name");
    let refused = app.send_with("GET", "/nope", None, &[("host", "evil.example")]);
    is_problem(&refused, 421, "misdirected_request", "a stranger's name for nothing");
}
