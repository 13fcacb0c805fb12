//! The words of a message, before a channel's own escapes.
//!
//! Everything that came from outside (scopes, reasons, names) passes [`clean`] here: no control characters, no
//! characters that turn the direction of a text, bounded length. So a channel only has to escape what its own format
//! gives a meaning to.

use super::Notice;
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;

/// Longest reason in a message, characters. The whole of it stands in the API.
const REASON_CHARS_MAX: usize = 1_000;
/// Longest of the shorter facts, characters.
const FACT_CHARS_MAX: usize = 300;
/// Consequences and bundled alerts that are named; the rest is counted.
const NAMED_MAX: usize = 10;

/// One line of visible text, at most `max` characters: control characters and line ends become spaces, invisible and
/// direction-turning characters vanish, and what is cut off is marked by `...`.
pub(super) fn clean(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut count = 0_usize;
    // A hostile text may be long and hold nothing visible: the work is bounded, not only the outcome.
    for c in text.chars().take(max.saturating_mul(4)) {
        let c = match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() || c.is_whitespace() => ' ',
            c if is_invisible(c) => continue,
            c => c,
        };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        count = count.saturating_add(1);
        out.push(c);
        if count > max {
            let kept: String = out.chars().take(max.saturating_sub(3)).collect();
            return format!("{}...", kept.trim_end());
        }
    }
    out.trim().to_owned()
}

/// Joiners, marks and overrides that show nothing but change what is seen.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// What the message says has happened: `RAISED`, `CLEARED`, ...
pub(super) fn verb(notice: &Notice) -> String {
    match &notice.transition {
        Transition::Raise => "RAISED".into(),
        Transition::Clear => "CLEARED".into(),
        Transition::Late { .. } => "OVER, TOLD LATE".into(),
        Transition::Reminder { count } => format!("STILL STANDS (reminder {count})"),
        Transition::Escalated { step } => format!("ESCALATED (step {step})"),
        Transition::Acknowledged { .. } => "ACKNOWLEDGED".into(),
        Transition::Canary => "TEST".into(),
        Transition::Bundle { count, .. } => format!("{count} ALERTS"),
    }
}

/// One line: severity, what happened, to what, where. At most 200 characters.
pub(super) fn subject(notice: &Notice) -> String {
    let line = format!(
        "[{}] {}: {} {} on {} ({})",
        notice.severity.word().to_uppercase(),
        verb(notice),
        clean(&notice.code, 60),
        clean(&notice.scope, 60),
        clean(&notice.instance, 40),
        notice.mode.word(),
    );
    clean(&line, 200)
}

/// The facts, each with its label, in the order in which a person needs them.
pub(super) fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("Severity", notice.severity.word().to_owned()),
        ("Scope", clean(&notice.scope, FACT_CHARS_MAX)),
        ("Reason", clean(&notice.reason, REASON_CHARS_MAX)),
        ("Raised", time(notice.raised_at)),
    ];
    if let Some(at) = notice.cleared_at {
        let by = notice.cleared_by.map(|by| format!(", by {}", by.words())).unwrap_or_default();
        all.push(("Cleared", format!("{}{by}", time(at))));
    }
    if let Some(ms) = notice.duration_ms {
        all.push(("Lasted", duration(ms)));
    }
    match &notice.transition {
        Transition::Late { undelivered_ms } => {
            all.push(("Undelivered for", duration(*undelivered_ms)));
        }
        Transition::Acknowledged { by, until } => {
            let until = until.map(|at| format!(", until {}", time(at))).unwrap_or_default();
            all.push(("Acknowledged by", format!("{}{until}", clean(by, FACT_CHARS_MAX))));
        }
        Transition::Bundle { count, keys } => {
            all.push(("Alerts", named(keys, usize::try_from(*count).unwrap_or(usize::MAX))));
        }
        Transition::Raise
        | Transition::Clear
        | Transition::Reminder { .. }
        | Transition::Escalated { .. }
        | Transition::Canary => {}
    }
    if let Some(cause) = &notice.cause {
        all.push(("Follows from", clean(cause, FACT_CHARS_MAX)));
    }
    if !notice.consequences.is_empty() {
        all.push(("Brings with it", named(&notice.consequences, notice.consequences.len())));
    }
    let contained = notice.contained.as_deref().unwrap_or("nothing was done automatically");
    all.push(("Contained", clean(contained, FACT_CHARS_MAX)));
    if let Some(held) = &notice.suppressed {
        let by = clean(&held.by, FACT_CHARS_MAX);
        all.push(("Held back", format!("{} earlier messages, by {by}", held.count)));
    }
    all.push(("Runbook", clean(&notice.runbook_url, FACT_CHARS_MAX)));
    all.push(("Acknowledge", clean(&notice.acknowledge, FACT_CHARS_MAX)));
    all.push(("Instance", format!("{} ({})", clean(&notice.instance, 100), notice.mode.word())));
    all.push(("Alert", format!("{} ({})", clean(&notice.key, FACT_CHARS_MAX), clean(&notice.alert_id, 100))));
    all
}

/// The facts as lines of `Label: text`.
pub(super) fn lines(notice: &Notice) -> String {
    facts(notice).into_iter().map(|(label, text)| format!("{label}: {text}\n")).collect()
}

fn named(keys: &[String], count: usize) -> String {
    let mut words: Vec<String> = keys.iter().take(NAMED_MAX).map(|key| clean(key, 100)).collect();
    let rest = count.saturating_sub(words.len());
    if rest > 0 {
        words.push(format!("and {rest} more"));
    }
    words.join(", ")
}

/// A time as people read it in a log.
pub(super) fn time(at: WallMs) -> String {
    at.rfc3339().unwrap_or_else(|| format!("{} ms since 1970", at.0))
}

/// `2 h 5 min 3 s`; the two largest units at most from an hour on.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) if seconds == 0 => format!("{ms} ms"),
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::super::{IdempotencyKey, Notice};
    use crate::domain::alert::{Severity, Stake, Transition};
    use crate::domain::time::WallMs;

    /// A raise with every field filled.
    pub(in crate::notify) fn raise() -> Notice {
        Notice {
            alert_id: "a-17".into(),
            key: "venue_quotes_stale:paper".into(),
            code: "venue_quotes_stale".into(),
            transition: Transition::Raise,
            severity: Severity::Critical,
            scope: "paper".into(),
            reason: "no quote for 12.4 s while the session pings".into(),
            raised_at: WallMs(1_700_000_000_000),
            cleared_at: None,
            duration_ms: None,
            cleared_by: None,
            cause: Some("venue_ingest_disconnected:paper".into()),
            consequences: vec!["armed_on_stale_truth:maker".into()],
            contained: Some("trading paused".into()),
            runbook_url: "https://example.org/runbooks/venue_quotes_stale.md".into(),
            acknowledge: "plimsoll ack a-17 --reason TEXT".into(),
            instance: "desk/local".into(),
            mode: Stake::Paper,
            suppressed: None,
        }
    }

    /// The clear that belongs to it.
    pub(in crate::notify) fn clear() -> Notice {
        Notice {
            transition: Transition::Clear,
            cleared_at: Some(WallMs(1_700_000_303_000)),
            duration_ms: Some(303_000),
            cleared_by: Some(crate::domain::alert::ClearedBy::Itself),
            ..raise()
        }
    }

    /// The worst that a venue's text could be.
    pub(in crate::notify) fn hostile() -> Notice {
        let text = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> @everyone <!channel> `` ``` \
                    {} %s %n \u{202E}gnp.exe \u{200B}\u{0} ]]> </details> @octocat #1 \u{1F4A5}";
        Notice {
            scope: text.into(),
            reason: text.repeat(200),
            contained: Some(text.into()),
            cause: Some(text.into()),
            consequences: vec![text.into(); 500],
            instance: text.into(),
            ..raise()
        }
    }

    pub(in crate::notify) fn key() -> IdempotencyKey {
        IdempotencyKey::new("a-17", 1, "test")
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{clear, hostile, raise};
    use super::*;

    #[test]
    fn every_message_carries_what_a_person_needs() {
        let text = lines(&raise());
        for wanted in [
            "Severity: critical",
            "Scope: paper",
            "no quote for 12.4 s",
            "2023-11-14T22:13:20.000Z",
            "Contained: trading paused",
            "Runbook: https://example.org/runbooks/venue_quotes_stale.md",
            "Acknowledge: plimsoll ack a-17",
            "armed_on_stale_truth:maker",
        ] {
            assert!(text.contains(wanted), "{wanted} is missing in\n{text}");
        }
        let over = lines(&clear());
        assert!(over.contains("Cleared: 2023-11-14T22:18:23.000Z, by itself"), "{over}");
        assert!(over.contains("Lasted: 5 min 3 s"), "{over}");
        assert_eq!(subject(&clear()), "[CRITICAL] CLEARED: venue_quotes_stale paper on desk/local (paper)");
    }

    #[test]
    fn nothing_invisible_and_nothing_endless_gets_through() {
        let notice = hostile();
        let (line, text) = (subject(&notice), lines(&notice));
        assert!(line.chars().count() <= 200 && !line.chars().any(char::is_control), "{line:?}");
        assert!(text.chars().count() < 6_000, "{}", text.len());
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || is_invisible(c)));
        // Each fact is one line: nothing from outside can look like a fact of ours.
        assert_eq!(text.lines().count(), facts(&notice).len());
        assert_eq!(clean(&"\u{200B}".repeat(1_000_000), 10), "");
        assert_eq!(clean("abcdefghij", 10), "abcdefghij");
        assert_eq!(clean("abcdefghijk", 10), "abcdefg...");
    }

    #[test]
    fn durations_read_well() {
        for (ms, words) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (59_999, "59 s"),
            (303_000, "5 min 3 s"),
            (3_600_000, "1 h 0 min"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(ms), words);
        }
    }
}
