//! The configuration of channels: every mistake is told with its place and what would be right.

use plimsoll::config::{Settings, Source, load_source};
use std::collections::BTreeMap;

/// What is wrong with these channels: places and codes.
fn wrong(channels: &str) -> Vec<String> {
    let text = format!("alerts:\n  channels:\n{channels}");
    let source = Source::new("test.yaml", text).unwrap();
    match load_source::<Settings>(Some(source), &BTreeMap::<String, String>::new(), &[]) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| format!("{} {}", error.path, error.fault.code())).collect(),
    }
}

#[test]
fn a_whole_list_is_right() {
    let right = "
    - {name: log, kind: log}
    - {name: file, kind: file}
    - name: mail
      kind: email
      email: {host: smtp.example.org, username: u, password_file: f, from: a@b.org, to: [c@d.org, Ann <e@f.org>]}
    - name: pager
      kind: pagerduty
      pagerduty: {routing_key_file: f}
    - name: sms
      kind: sms
      sms: {account: AC1, token_file: f, from: '+15005550006', to: '+15005550001'}
    - name: gateway
      kind: sms_gateway
      reach: private
      sms_gateway: {host: mail.lan, port: 465, tls: implicit, from: a@b.org, to: ['1500@gw.example.org']}
    - name: hook
      kind: webhook
      reach: loopback
      webhook: {url: 'http://127.0.0.1:9000/x', secret_file: f}
    - {name: slack, kind: slack, slack: {url_file: f}}
    - {name: discord, kind: discord, discord: {url_file: f}}
    - {name: issues, kind: github, github: {repository: o/r, token_file: f}}
    - {name: am, kind: alertmanager, alertmanager: {url: 'https://am.example.org/'}}
";
    assert_eq!(wrong(right), [] as [String; 0]);
}

#[test]
fn every_mistake_has_its_place() {
    for (channel, want) in [
        ("{kind: log}", "alerts.channels.0.name bad_name"),
        ("{name: 'a b', kind: log}", "alerts.channels.0.name bad_name"),
        ("{name: a, kind: pigeon}", "alerts.channels.0.kind unknown_value"),
        ("{name: a, kind: log, timeout_ms: 5}", "alerts.channels.0.timeout_ms out_of_range"),
        ("{name: a, kind: webhook}", "alerts.channels.0 section_missing"),
        ("{name: a, kind: log, file: {}}", "alerts.channels.0.file section_of_another_kind"),
        ("{name: a, kind: webhook, webhook: {url: nonsense}}", "alerts.channels.0.webhook.url bad_url"),
        (
            "{name: a, kind: webhook, webhook: {url: 'http://x.org/'}}",
            "alerts.channels.0.webhook.url bad_url",
        ),
        (
            "{name: a, kind: webhook, webhook: {url: 'https://u:p@x.org/'}}",
            "alerts.channels.0.webhook.url bad_url",
        ),
        (
            "{name: a, kind: webhook, webhook: {url: 'https://127.0.0.1/'}}",
            "alerts.channels.0.webhook.url bad_url",
        ),
        (
            "{name: a, kind: webhook, reach: loopback, webhook: {url: 'https://x.org/'}}",
            "alerts.channels.0.webhook.url bad_url",
        ),
        (
            "{name: a, kind: webhook, webhook: {url: 'https://x.org/', secret: s}}",
            "alerts.channels.0.webhook.secret inline_secret",
        ),
        ("{name: a, kind: slack, slack: {}}", "alerts.channels.0.slack.url secret_missing"),
        (
            "{name: a, kind: github, github: {repository: r, token_file: f}}",
            "alerts.channels.0.github.repository bad_repository",
        ),
        (
            "{name: a, kind: github, github: {repository: ../.., token_file: f}}",
            "alerts.channels.0.github.repository bad_repository",
        ),
        (
            "{name: a, kind: sms, sms: {account: AC1, token_file: f, from: '+15005550006', to: '5005550001'}}",
            "alerts.channels.0.sms.to bad_number",
        ),
        (
            "{name: a, kind: sms, sms: {account: ../1, token_file: f, from: '+15005550006', to: '+15005550001'}}",
            "alerts.channels.0.sms.account bad_account",
        ),
        (
            "{name: a, kind: email, email: {host: 'x y', from: a@b.org, to: [c@d.org]}}",
            "alerts.channels.0.email.host bad_host",
        ),
        (
            "{name: a, kind: email, email: {host: x.org, from: a, to: [c@d.org]}}",
            "alerts.channels.0.email.from bad_mailbox",
        ),
        (
            "{name: a, kind: email, email: {host: x.org, from: a@b.org, to: []}}",
            "alerts.channels.0.email.to recipients_count",
        ),
        (
            "{name: a, kind: email, email: {host: x.org, from: a@b.org, to: [\"c@d.org\\r\\nBcc: e@f.org\"]}}",
            "alerts.channels.0.email.to.0 bad_mailbox",
        ),
        (
            "{name: a, kind: email, email: {host: x.org, username: u, from: a@b.org, to: [c@d.org]}}",
            "alerts.channels.0.email half_a_login",
        ),
        (
            "{name: a, kind: email, email: {host: x.org, tls: none, from: a@b.org, to: [c@d.org]}}",
            "alerts.channels.0.email.tls unknown_value",
        ),
        ("{name: a, kind: file, file: {path: ..}}", "alerts.channels.0.file.path bad_path"),
    ] {
        assert_eq!(wrong(&format!("    - {channel}\n")), [want], "{channel}");
    }
    let twice = "    - {name: a, kind: log}\n    - {name: a, kind: log}\n";
    assert_eq!(wrong(twice), ["alerts.channels.1.name name_twice"]);
    let many: String = (0..33).map(|n| format!("    - {{name: c{n}, kind: log}}\n")).collect();
    assert_eq!(wrong(&many), ["alerts.channels too_many_channels"]);
}
