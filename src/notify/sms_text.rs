//! A message in one SMS: at most 160 places of the GSM 7-bit alphabet, complete in itself.
//!
//! One character outside that alphabet would turn the whole message into 70-character parts that are billed and
//! delivered one by one, so everything is written in it, or as near as it gets.

use super::Notice;
use super::text::{clean, duration, time};
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;

/// Places in one message (3GPP TS 23.038: 140 octets of seven-bit characters).
pub(super) const PLACES_MAX: usize = 160;
/// Fewest places that a reason is worth.
const REASON_PLACES_MIN: usize = 12;

/// The basic alphabet of 3GPP TS 23.038 as far as it is not ASCII.
const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
/// Takes two places each. `€` is written as `EUR`.
const EXTENDED: &str = "^{}\\[~]|";

/// How many places a character takes; none for what the alphabet does not hold.
fn places(c: char) -> Option<usize> {
    match c {
        c if EXTENDED.contains(c) => Some(2),
        '`' => None,
        ' '..='~' => Some(1),
        c if BASIC.contains(c) => Some(1),
        _ => None,
    }
}

/// How many places a text takes.
fn length(text: &str) -> usize {
    text.chars().filter_map(places).fold(0, usize::saturating_add)
}

/// The text in the alphabet: near characters for those it lacks, `?` where there is none.
fn gsm(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let near = match c {
            c if places(c).is_some() => {
                out.push(c);
                continue;
            }
            '`' | '‘' | '’' | '‚' | '´' => "'",
            '“' | '”' | '„' | '«' | '»' => "\"",
            '–' | '—' | '‐' | '‑' | '−' => "-",
            '…' => "...",
            '→' => "->",
            '≥' => ">=",
            '≤' => "<=",
            '×' => "x",
            '±' => "+-",
            '€' => "EUR",
            '°' => " deg",
            'µ' | 'μ' => "u",
            'á' | 'â' | 'ã' | 'ā' | 'ą' => "a",
            'Á' | 'À' | 'Â' | 'Ã' | 'Ā' | 'Ą' => "A",
            'ç' | 'ć' | 'č' => "c",
            'Ć' | 'Č' => "C",
            'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
            'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
            'í' | 'î' | 'ï' | 'ī' => "i",
            'Í' | 'Ì' | 'Î' | 'Ï' => "I",
            'ł' => "l",
            'Ł' => "L",
            'ń' | 'ň' => "n",
            'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
            'Ó' | 'Ò' | 'Ô' | 'Õ' => "O",
            'ř' => "r",
            'ś' | 'š' => "s",
            'Ś' | 'Š' => "S",
            'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
            'Ú' | 'Ù' | 'Û' => "U",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            'Ź' | 'Ż' | 'Ž' => "Z",
            _ => "?",
        };
        if near != "?" || !out.ends_with('?') {
            out.push_str(near);
        }
    }
    out
}

/// Cuts a text to so many places and marks the cut.
fn cut(text: &str, room: usize) -> String {
    if length(text) <= room {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0_usize);
    for c in text.chars() {
        let wide = places(c).unwrap_or(0);
        if used.saturating_add(wide) > room.saturating_sub(2) {
            break;
        }
        used = used.saturating_add(wide);
        out.push(c);
    }
    format!("{}..", out.trim_end())
}

/// `22:13:20Z`.
fn clock(at: WallMs) -> String {
    let whole = time(at);
    whole.get(11..19).map_or(whole.clone(), |hms| format!("{hms}Z"))
}

/// The whole message: severity, what and where, when, why, what was done, how to acknowledge. The runbook has the
/// code's name.
pub(super) fn sms(notice: &Notice) -> String {
    let key = format!("{}:{}", clean(&notice.code, 30), clean(&notice.scope, 20));
    let head = match &notice.transition {
        Transition::Clear => {
            let lasted = notice.duration_ms.map(|ms| format!(" after {}", duration(ms))).unwrap_or_default();
            format!("CLEARED{lasted}")
        }
        Transition::Late { undelivered_ms } => {
            let lasted = notice.duration_ms.map(|ms| format!(" after {}", duration(ms))).unwrap_or_default();
            format!("OVER{lasted}, told {} late", duration(*undelivered_ms))
        }
        Transition::Acknowledged { by, .. } => format!("ACK by {}", clean(by, 16)),
        Transition::Canary => "TEST".to_owned(),
        Transition::Bundle { count, .. } => {
            format!("{count} alerts, worst {}", notice.severity.word().to_uppercase())
        }
        Transition::Reminder { .. } => format!("STILL {}", notice.severity.word().to_uppercase()),
        Transition::Raise | Transition::Escalated { .. } => notice.severity.word().to_uppercase(),
    };
    let head = gsm(&format!("{head} {key} {} {}", notice.mode.word(), clock(notice.raised_at)));
    let needs_answer = !notice.transition.is_over() && notice.transition != Transition::Canary;
    let id = clean(&notice.alert_id, 20);
    let mut tail = if needs_answer { gsm(&format!(" Ack: plimsoll ack {id}")) } else { String::new() };
    if let (Some(contained), true) = (&notice.contained, needs_answer) {
        let contained = cut(&gsm(&clean(contained, 60)), 24);
        let with = format!(" Done: {contained}.{tail}");
        let fits =
            length(&head).saturating_add(length(&with)).saturating_add(REASON_PLACES_MIN) <= PLACES_MAX;
        if fits {
            tail = with;
        }
    }
    let reason = gsm(&clean(&notice.reason, 300));
    let room = PLACES_MAX.saturating_sub(length(&head)).saturating_sub(length(&tail)).saturating_sub(2);
    let middle = if room < REASON_PLACES_MIN || reason.is_empty() {
        String::new()
    } else {
        format!(": {}", cut(&reason, room))
    };
    cut(&format!("{head}{middle}{tail}"), PLACES_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::text::samples::{clear, hostile, raise};
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) {
        assert!(text.chars().all(|c| places(c).is_some()), "not in the alphabet: {text:?}");
        assert!(length(text) <= PLACES_MAX, "{} places: {text}", length(text));
        assert!(!text.contains(['\r', '\n']), "{text:?}");
    }

    #[test]
    fn a_message_stands_alone() {
        let text = sms(&raise());
        check(&text);
        assert_eq!(
            text,
            "CRITICAL venue_quotes_stale:paper paper 22:13:20Z: no quote for 12.4 s while the session pings \
             Done: trading paused. Ack: plimsoll ack a-17"
        );
        let over = sms(&clear());
        check(&over);
        assert!(over.starts_with("CLEARED after 5 min 3 s venue_quotes_stale:paper"), "{over}");
        assert!(!over.contains("Ack:"), "{over}");
    }

    #[test]
    fn every_step_of_an_alert_fits() {
        let steps = [
            Transition::Raise,
            Transition::Clear,
            Transition::Late { undelivered_ms: u64::MAX },
            Transition::Reminder { count: u32::MAX },
            Transition::Escalated { step: u32::MAX },
            Transition::Acknowledged { by: "x".repeat(999), until: None },
            Transition::Canary,
            Transition::Bundle { count: u32::MAX, keys: vec!["k".repeat(999); 999] },
        ];
        for transition in steps {
            for base in [raise(), clear(), hostile()] {
                let notice = Notice { transition: transition.clone(), ..base };
                check(&sms(&notice));
                let long = Notice { code: "c".repeat(500), alert_id: "i".repeat(500), ..notice };
                check(&sms(&long));
            }
        }
    }

    #[test]
    fn what_the_alphabet_lacks_is_written_near() {
        assert_eq!(gsm("„Čaj“ – 5 € ≥ 4 … `x`"), "\"Caj\" - 5 EUR >= 4 ... 'x'");
        assert_eq!(gsm("日本語 ok \u{1F4A5}"), "? ok ?");
        assert_eq!(length("a{b}"), 6);
        assert_eq!(cut("{{{{{{", 7), "{{..");
    }

    proptest! {
        #[test]
        fn any_text_at_all_fits(reason in ".{0,400}", scope in ".{0,80}", done in proptest::option::of(".{0,90}")) {
            let notice = Notice { reason, scope, contained: done, ..raise() };
            let text = sms(&notice);
            prop_assert!(text.chars().all(|c| places(c).is_some()), "{:?}", text);
            prop_assert!(length(&text) <= PLACES_MAX);
            prop_assert!(text.starts_with("CRITICAL venue_quotes_stale:"));
            prop_assert!(text.ends_with("Ack: plimsoll ack a-17"), "{}", text);
        }
    }
}
