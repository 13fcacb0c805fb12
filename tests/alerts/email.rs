//! Mail through a real server: TLS, log-in, and a server that behaves as badly as servers do.

use crate::desk::{channel, clear, hostile, key, permanent, raise, secret, temporary};
use crate::support::certs::{Tls, tls};
use crate::support::smtp_sink::{At, Setup, SmtpSink, Trick};
use plimsoll::config::alerts::channel_kinds::{MailSettings, SmtpTls};
use plimsoll::config::alerts::{ChannelKind, Reach};
use plimsoll::notify::{Channel, Sent};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Bench {
    sink: SmtpSink,
    channel: Arc<dyn Channel>,
    _dir: tempfile::TempDir,
}

fn mail(sink: &SmtpSink, ca_file: &Path, set: impl FnOnce(&mut MailSettings)) -> Arc<dyn Channel> {
    let mut keys = MailSettings {
        host: "localhost".into(),
        port: sink.address.port(),
        username: Some("robot".into()),
        password: secret("PASSWORD"),
        from: "Plimsoll <plimsoll@example.org>".into(),
        to: vec!["ops@example.org".into(), "Ann <ann@example.org>".into()],
        ..MailSettings::default()
    };
    set(&mut keys);
    channel(ChannelKind::Email, &[("PASSWORD", "pass word")], |settings| {
        settings.ca_file = Some(ca_file.to_owned());
        settings.email = Some(keys);
    })
}

async fn bench(set: impl FnOnce(Setup) -> Setup) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let Tls { acceptor, ca_file } = tls(dir.path(), &["localhost"]);
    let setup = set(Setup::new(acceptor));
    let is_implicit = setup.is_implicit;
    let sink = SmtpSink::start(setup).await;
    let channel = mail(&sink, &ca_file, |keys| {
        keys.tls = if is_implicit { SmtpTls::Implicit } else { SmtpTls::Starttls };
    });
    Bench { sink, channel, _dir: dir }
}

#[tokio::test]
async fn a_mail_goes_out_encrypted_and_logged_in_both_ways() {
    for is_implicit in [false, true] {
        let bench = bench(|setup| Setup { is_implicit, ..setup }).await;
        let (raised, over) = (raise(), clear());
        let sent = bench.channel.send(&raised, &key(1)).await.unwrap();
        assert_eq!(sent, Sent::Accepted { provider_id: Some("a-17.1.ops".into()) });
        bench.channel.send(&over, &key(2)).await.unwrap();
        let mails = bench.sink.until(2).await;
        for mail in &mails {
            assert!(mail.is_encrypted);
            assert_eq!(mail.user.as_deref(), Some("robot"));
            assert!(mail.from.contains("<plimsoll@example.org>"), "{}", mail.from);
            assert_eq!(mail.to.len(), 2);
        }
        let data = &mails[0].data;
        for wanted in [
            "Subject: [CRITICAL] RAISED: venue_quotes_stale paper on desk/local (paper)",
            "Message-ID: <a-17.1.ops@plimsoll.invalid>",
            "References: <a-17.0.ops@plimsoll.invalid>",
            "Auto-Submitted: auto-generated",
            "X-Priority: 1",
            "Reason: no quote for 12.4 s while the session pings",
            "Contained: trading paused",
            "Acknowledge: plimsoll ack a-17 --reason TEXT",
            "Runbook: https://example.org/runbooks/venue_quotes_stale.md",
            "Held back: 2 earlier messages, by a budget",
        ] {
            assert!(data.contains(wanted), "{wanted} is missing in\n{data}");
        }
        assert!(mails[1].data.contains("Lasted: 5 min 3 s"), "{}", mails[1].data);
        assert!(mails[1].data.contains("References: <a-17.0.ops@plimsoll.invalid>"), "one thread");
        assert_eq!(mails[0].connection, mails[1].connection, "the connection is kept");
        let said = bench.sink.clear();
        assert!(
            said.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"),
            "said in the clear: {said:?}"
        );
        assert_eq!(said.is_empty(), is_implicit);
    }
}

#[tokio::test]
async fn hostile_text_is_neither_header_nor_command() {
    let bench = bench(|setup| setup).await;
    bench.channel.send(&hostile(), &key(1)).await.unwrap();
    let mails = bench.sink.until(1).await;
    let (head, _) = mails[0].data.split_once("\n\n").unwrap();
    let names: Vec<&str> = head
        .lines()
        .filter(|line| !line.starts_with([' ', '\t']))
        .filter_map(|l| l.split(':').next())
        .collect();
    let mut known = names.clone();
    known.retain(|name| {
        [
            "From",
            "To",
            "Date",
            "Message-ID",
            "References",
            "Auto-Submitted",
            "X-Priority",
            "Subject",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        ]
        .contains(name)
    });
    assert_eq!(names, known, "{head}");
    assert_eq!(mails[0].to.len(), 2, "nobody was added: {:?}", mails[0].to);
    // The next message is a message of its own.
    bench.channel.send(&raise(), &key(2)).await.unwrap();
    assert_eq!(bench.sink.mails().len(), 2);
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let bench = bench(|setup| Setup { is_stripped: true, ..setup }).await;
    let reason = temporary(bench.channel.send(&raise(), &key(1)).await);
    assert!(reason.contains("STARTTLS"), "{reason}");
    let said = bench.sink.clear();
    assert!(said.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{said:?}");
    assert!(bench.sink.mails().is_empty());
}

#[tokio::test]
async fn words_put_behind_the_answer_to_starttls_are_not_the_servers() {
    // Taken for the encrypted server's, these would answer EHLO, AUTH, MAIL, RCPT, DATA and the text.
    let injected = "250-sink\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 fine\r\n250 fine\r\n250 fine\r\n354 go on\r\n250 taken\r\n";
    let bench = bench(|setup| Setup { injected, ..setup }).await;
    temporary(bench.channel.send(&raise(), &key(1)).await);
    assert!(bench.sink.mails().is_empty());
}

#[tokio::test]
async fn a_certificate_for_somebody_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let own = tls(dir.path(), &["mail.example.org"]);
    let sink = SmtpSink::start(Setup::new(own.acceptor)).await;
    let reason = temporary(mail(&sink, &own.ca_file, |_| {}).send(&raise(), &key(1)).await);
    assert!(reason.to_lowercase().contains("certificate"), "{reason}");
    // And one from an authority that nobody named.
    let stranger = tempfile::tempdir().unwrap();
    let other = tls(stranger.path(), &["localhost"]);
    let dir = tempfile::tempdir().unwrap();
    let trusted = tls(dir.path(), &["localhost"]);
    let sink = SmtpSink::start(Setup::new(other.acceptor)).await;
    let reason = temporary(mail(&sink, &trusted.ca_file, |_| {}).send(&raise(), &key(1)).await);
    assert!(reason.to_lowercase().contains("certificate"), "{reason}");
    assert!(sink.mails().is_empty());
    assert!(sink.clear().iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"));
}

#[tokio::test]
async fn a_wrong_password_stays_wrong() {
    let bench = bench(|setup| Setup { login: Some(("robot", "another")), ..setup }).await;
    let reason = permanent(bench.channel.send(&raise(), &key(1)).await);
    assert!(reason.contains("535") || reason.contains("5.7.8"), "{reason}");
    assert!(!reason.contains("pass word"), "{reason}");
}

#[tokio::test]
async fn what_the_server_refuses_now_or_for_ever() {
    for (at, line, is_permanent) in [
        (At::Greeting, "421 4.3.2 busy", false),
        (At::Greeting, "554 5.3.2 go away", true),
        (At::Mail, "451 4.7.1 later", false),
        (At::Mail, "550 5.7.1 not you", true),
        (At::Rcpt, "450 4.2.0 greylisted", false),
        (At::Rcpt, "550 5.1.1 nobody here", true),
        (At::Data, "452 4.3.1 no room", false),
        (At::Data, "554 5.6.0 never", true),
        (At::Text, "451 4.3.0 later", false),
        (At::Text, "552 5.3.4 too much", true),
        (At::Text, "not SMTP at all", false),
    ] {
        let bench = bench(|setup| setup.trick(at, Trick::Say(line))).await;
        let outcome = bench.channel.send(&raise(), &key(1)).await;
        let reason = if is_permanent { permanent(outcome) } else { temporary(outcome) };
        assert!(!reason.is_empty());
        assert!(bench.sink.mails().is_empty(), "{at:?} {line}");
        // Healed, the same message goes out.
        bench.channel.send(&raise(), &key(1)).await.unwrap();
        assert_eq!(bench.sink.until(1).await.len(), 1, "{at:?} {line}");
    }
}

#[tokio::test]
async fn a_mail_that_was_taken_without_a_word_is_sent_again_as_the_same_mail() {
    let bench = bench(|setup| setup.trick(At::Text, Trick::TakeAndDrop)).await;
    temporary(bench.channel.send(&raise(), &key(1)).await);
    bench.channel.send(&raise(), &key(1)).await.unwrap();
    let mails = bench.sink.until(2).await;
    for mail in mails {
        assert!(mail.data.contains("Message-ID: <a-17.1.ops@plimsoll.invalid>"));
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_hangs_is_given_up() {
    for at in [At::Greeting, At::Mail, At::Data, At::Text] {
        for trick in [Trick::Drop, Trick::Silence, Trick::Endless] {
            let bench = bench(|setup| setup.trick(at, trick.clone())).await;
            let began = Instant::now();
            temporary(bench.channel.send(&raise(), &key(1)).await);
            assert!(began.elapsed() < Duration::from_secs(5), "{at:?} {trick:?}: {:?}", began.elapsed());
            bench.channel.send(&raise(), &key(1)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_taken_for_the_next_one() {
    // The first mail's answer comes after its sender gave up. Were the connection used again, the second mail would
    // be told `250` for the first.
    let bench = bench(|setup| setup.trick(At::Text, Trick::Late(Duration::from_millis(2_300)))).await;
    temporary(bench.channel.send(&raise(), &key(1)).await);
    bench.sink.tricks.lock().unwrap().push((At::Text, Trick::Say("554 5.6.0 never")));
    permanent(bench.channel.send(&raise(), &key(2)).await);
    let mails = bench.sink.mails();
    assert_eq!(mails.len(), 1, "the second was refused");
}

#[tokio::test]
async fn a_kept_connection_that_died_costs_nothing() {
    let bench = bench(|setup| setup).await;
    bench.channel.send(&raise(), &key(1)).await.unwrap();
    bench.sink.tricks.lock().unwrap().push((At::Noop, Trick::Drop));
    bench.channel.send(&raise(), &key(2)).await.unwrap();
    let mails = bench.sink.until(2).await;
    assert_eq!(mails.iter().map(|mail| mail.connection).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn many_at_once_arrive_once_each() {
    let bench = bench(|setup| setup).await;
    let sends = (1..=20).map(|n| {
        let channel = Arc::clone(&bench.channel);
        tokio::spawn(async move { channel.send(&raise(), &key(n)).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let mut ids: Vec<String> = bench.sink.until(20).await.into_iter().map(|mail| id(&mail.data)).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

fn id(data: &str) -> String {
    data.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned()
}

#[tokio::test]
async fn a_mail_server_outside_the_reach_is_not_connected_to() {
    let bench = bench(|setup| setup).await;
    let port = bench.sink.address.port();
    let public = channel(ChannelKind::Email, &[("PASSWORD", "pass word")], |settings| {
        settings.reach = Reach::Public;
        settings.email = Some(MailSettings {
            host: "localhost".into(),
            port,
            from: "a@example.org".into(),
            to: vec!["b@example.org".into()],
            ..MailSettings::default()
        });
    });
    let reason = temporary(public.send(&raise(), &key(1)).await);
    assert!(reason.contains("reach"), "{reason}");
    assert!(bench.sink.clear().is_empty());
}

#[tokio::test]
async fn a_gateway_gets_one_sms_and_no_subject() {
    let dir = tempfile::tempdir().unwrap();
    let Tls { acceptor, ca_file } = tls(dir.path(), &["localhost"]);
    let sink = SmtpSink::start(Setup { login: None, ..Setup::new(acceptor) }).await;
    let gateway = channel(ChannelKind::SmsGateway, &[], |settings| {
        settings.ca_file = Some(ca_file);
        settings.sms_gateway = Some(MailSettings {
            host: "localhost".into(),
            port: sink.address.port(),
            from: "plimsoll@example.org".into(),
            to: vec!["15005550006@gateway.example.org".into()],
            ..MailSettings::default()
        });
    });
    gateway.send(&hostile(), &key(1)).await.unwrap();
    let mails = sink.until(1).await;
    let (head, body) = mails[0].data.split_once("\n\n").unwrap();
    assert!(!head.contains("Subject:"), "{head}");
    let body = body.replace("=\n", "");
    assert!(body.trim_end().len() <= 160 && body.starts_with("CRITICAL venue_quotes_stale:"), "{body}");
}
