//! The pages for people, without a browser: who sees them, what their answers promise, sessions and forms.

use crate::access::create;
use crate::support::TestApp;

/// A request as it stands on the wire; the answer as text.
fn raw(app: &TestApp, method: &str, path: &str, headers: &[&str], body: &str) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", app.address());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if method == "POST" {
        head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    app.raw(&format!("{head}\r\n{body}"))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// What follows `name` up to `end`.
fn after<'a>(text: &'a str, name: &str, end: char) -> &'a str {
    text.split_once(name).unwrap_or_else(|| panic!("no {name:?} in {text}")).1.split(end).next().unwrap()
}

#[test]
fn the_page_is_whole_without_a_script_and_loads_nothing_of_others() {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    let page = raw(&app, "GET", "/", &[], "");
    assert_eq!(status(&page), "200", "{page}");
    let policy = after(&page, "content-security-policy: ", '\r');
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(page.contains("RUNNING") && page.contains("Distance to limits"), "{page}");
    let (_, html) = page.split_once("<!doctype html>").unwrap();
    assert!(
        !html.contains(" style=") && !html.contains("javascript:") && !html.contains(" onclick"),
        "inline"
    );
    for address in html.split("href=\"").skip(1).chain(html.split("src=\"").skip(1)) {
        let address = address.split('"').next().unwrap();
        assert!(address.starts_with('/') || address.starts_with('#'), "{address}");
    }
    let style = after(html, "rel=\"stylesheet\" href=\"", '"');
    let asset = raw(&app, "GET", style, &["Accept-Encoding: identity"], "");
    assert!(status(&asset) == "200" && asset.contains("immutable"), "{}", asset.get(..400).unwrap_or(&asset));
    let tag = after(&asset, "etag: ", '\r');
    assert_eq!(status(&raw(&app, "GET", style, &[&format!("If-None-Match: {tag}")], "")), "304");
    assert_eq!(status(&raw(&app, "GET", "/assets/0000000000000000/desk.css", &[], "")), "404");
}

#[test]
fn a_form_needs_the_word_of_its_page_and_is_done_once() {
    let app = TestApp::start(&[]);
    app.until("ready", |app| app.get("/readyz").status == 200);
    let page = raw(&app, "GET", "/control/pause", &[], "");
    let csrf = after(&page, "name=\"csrf\" value=\"", '"');
    let key = after(&page, "name=\"key\" value=\"", '"');
    for bad in ["reason=x", "reason=x&csrf=", "reason=x&csrf=0000"] {
        assert_eq!(status(&raw(&app, "POST", "/control/pause", &[], bad)), "403", "{bad}");
    }
    let good = format!("reason=by+form&csrf={csrf}&key={key}");
    let foreign = raw(&app, "POST", "/control/pause", &["Origin: http://evil.example"], &good);
    assert_eq!(status(&foreign), "403", "{foreign}");
    let done = raw(&app, "POST", "/control/pause", &[], &good);
    assert!(status(&done) == "200" && done.contains("Paused"), "{done}");
    assert_eq!(app.get("/api/v1/status").json()["reason"], "by form");
    assert!(raw(&app, "POST", "/control/pause", &[], &good).contains("sent before"));
    let old = format!("reason=long+enough&csrf={csrf}&version=0&label=demo");
    let stale = raw(&app, "POST", "/control/resume", &[], &old);
    assert!(matches!(status(&stale), "412" | "409"), "{stale}");
    let mistyped = format!("reason=long+enough&csrf={csrf}&version=0&label=other");
    assert_eq!(status(&raw(&app, "POST", "/control/resume", &[], &mistyped)), "422");
    let json = app.send("POST", "/control/pause", Some("{\"reason\": \"x\"}"));
    assert_eq!(json.status, 415, "{}", json.text);
}

#[test]
fn with_tokens_people_sign_in_and_a_revoked_token_ends_its_session() {
    let app = TestApp::start(&[]);
    let data = app.data();
    let token = create(data.path(), "night-shift", &["pause"]);
    app.until("shut", |app| app.get("/api/v1/status").status == 401);
    for path in ["/", "/control/kill"] {
        let sent = raw(&app, "GET", path, &[], "");
        assert!(status(&sent) == "303" && sent.contains("location: /login"), "{sent}");
    }
    assert_eq!(status(&raw(&app, "GET", "/desk/events", &[], "")), "401");
    assert_eq!(status(&raw(&app, "POST", "/login", &[], "token=nonsense")), "401");
    let entered = raw(&app, "POST", "/login", &[], &format!("token={token}"));
    assert_eq!(status(&entered), "303", "{entered}");
    let set = after(&entered, "set-cookie: ", '\r');
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
    assert!(!set.contains(&token), "the token itself is in no cookie");
    let cookie = format!("Cookie: {}", set.split(';').next().unwrap());
    let page = raw(&app, "GET", "/", &[&cookie], "");
    assert!(status(&page) == "200" && page.contains("night-shift"), "{page}");
    assert!(!page.contains("data-opens=\"kill\""), "what the token may not is not offered");
    let csrf = after(&page, "name=\"csrf\" value=\"", '"');
    let good = format!("reason=by+form&csrf={csrf}");
    assert_eq!(status(&raw(&app, "POST", "/control/pause", &[&cookie], "reason=x")), "403");
    assert_eq!(status(&raw(&app, "POST", "/control/kill", &[&cookie], &good)), "403");
    assert_eq!(status(&raw(&app, "POST", "/control/pause", &[&cookie], &good)), "200");
    let headers = [("cookie", set.split(';').next().unwrap())];
    let bare = app.send_with("POST", "/api/v1/controls/pause", Some("{\"reason\": \"x\"}"), &headers);
    assert_eq!(
        (bare.status, bare.json()["code"].as_str().unwrap().to_owned()),
        (403, "csrf_token_wrong".into())
    );
    let revoke = ["token", "revoke", "night-shift", "--data-dir"];
    assert!(crate::support::plimsoll().args(revoke).arg(data.path()).status().unwrap().success());
    app.until("the session has ended", |app| status(&raw(app, "GET", "/", &[&cookie], "")) == "303");
}
