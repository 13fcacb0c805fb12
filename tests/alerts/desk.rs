//! Notices to send, and channels to send them with.

use plimsoll::config::alerts::{ChannelKind, ChannelSettings, Reach};
use plimsoll::config::{SecretRef, SecretSource};
use plimsoll::domain::alert::{ClearedBy, IdempotencyKey, Notice, Severity, Stake, Suppressed, Transition};
use plimsoll::domain::time::WallMs;
use plimsoll::notify::{Channel, SendError, Sent, build};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// 2023-11-14T22:13:20Z.
pub const RAISED: WallMs = WallMs(1_700_000_000_000);

pub fn raise() -> Notice {
    Notice {
        alert_id: "a-17".into(),
        key: "venue_quotes_stale:paper".into(),
        code: "venue_quotes_stale".into(),
        transition: Transition::Raise,
        severity: Severity::Critical,
        scope: "paper".into(),
        reason: "no quote for 12.4 s while the session pings".into(),
        raised_at: RAISED,
        cleared_at: None,
        duration_ms: None,
        cleared_by: None,
        cause: None,
        consequences: vec!["armed_on_stale_truth:maker".into()],
        contained: Some("trading paused".into()),
        runbook_url: "https://example.org/runbooks/venue_quotes_stale.md".into(),
        acknowledge: "plimsoll ack a-17 --reason TEXT".into(),
        instance: "desk/local".into(),
        mode: Stake::Paper,
        suppressed: Some(Suppressed { count: 2, by: "a budget".into() }),
    }
}

pub fn clear() -> Notice {
    Notice {
        transition: Transition::Clear,
        cleared_at: Some(WallMs(RAISED.0 + 303_000)),
        duration_ms: Some(303_000),
        cleared_by: Some(ClearedBy::Itself),
        ..raise()
    }
}

pub fn late() -> Notice {
    Notice { transition: Transition::Late { undelivered_ms: 900_000 }, ..clear() }
}

pub fn canary() -> Notice {
    Notice { transition: Transition::Canary, severity: Severity::Info, code: "canary".into(), ..raise() }
}

/// What a venue's text could be at worst.
pub fn hostile() -> Notice {
    let text = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> @everyone <!channel> ```` {} %s \
                \u{202E}gnp \u{0} \u{1F4A5}\r\n.\r\nQUIT\r\n";
    Notice { scope: text.into(), reason: text.repeat(50), instance: text.into(), ..raise() }
}

pub fn key(seq: u64) -> IdempotencyKey {
    IdempotencyKey::new("a-17", seq, "ops")
}

/// A channel on loopback that gives up after two seconds. Its secrets are looked up by name among these.
pub fn channel(
    kind: ChannelKind,
    secrets: &[(&str, &str)],
    set: impl FnOnce(&mut ChannelSettings),
) -> Arc<dyn Channel> {
    let mut settings = ChannelSettings {
        name: "ops".into(),
        kind,
        timeout_ms: 2_000,
        reach: Reach::Loopback,
        ..ChannelSettings::default()
    };
    set(&mut settings);
    let env: BTreeMap<String, String> =
        secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    build(&[settings], &env, Path::new("data")).unwrap().remove(0)
}

pub fn secret(name: &str) -> Option<SecretRef> {
    Some(SecretRef::new(SecretSource::Env(name.to_owned())))
}

/// The reason of a failure that may pass.
pub fn temporary(outcome: Result<Sent, SendError>) -> String {
    match outcome {
        Err(SendError::Temporary { reason, .. }) => reason,
        other => panic!("not a temporary failure: {other:?}"),
    }
}

/// The reason of a failure that stays.
pub fn permanent(outcome: Result<Sent, SendError>) -> String {
    match outcome {
        Err(SendError::Permanent { reason }) => reason,
        other => panic!("not a permanent failure: {other:?}"),
    }
}
