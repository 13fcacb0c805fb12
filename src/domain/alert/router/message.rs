//! What a message says: the facts of an alert at the moment it goes out.

use super::super::delivery::Delivery;
use super::super::notice::{Notice, Suppressed, Transition};
use super::super::record::Alert;
use super::super::severity::Severity;
use super::core::Router;
use crate::domain::time::WallMs;

/// Keys that a bundle names.
const KEYS_MAX: usize = 50;
/// Consequences that a message names.
const CONSEQUENCES_MAX: usize = 20;

impl Router {
    /// The message of a delivery and of those that go out within it; `None` when its alert is not known any more.
    /// `known` is a record that is newer than the router's own.
    pub(super) fn notice(
        &self,
        delivery: &Delivery,
        members: &[Delivery],
        known: Option<&Alert>,
    ) -> Option<Notice> {
        if delivery.transition == Transition::Canary {
            return Some(self.canary(delivery));
        }
        let find = |number: u64| match known {
            Some(alert) if alert.number == number => Some(alert),
            _ => self.record(number),
        };
        let own = find(delivery.number)?;
        if members.is_empty() {
            return Some(self.notice_of(own, Some(delivery)));
        }
        let mut all: Vec<&Alert> =
            members.iter().filter_map(|member| find(member.number)).chain([own]).collect();
        all.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), alert.raised_at, alert.number));
        all.dedup_by_key(|alert| alert.number);
        let gravest = *all.first()?;
        let keys = all.iter().take(KEYS_MAX).map(|alert| alert.key.to_string()).collect();
        let count = u32::try_from(members.len().saturating_add(1)).unwrap_or(u32::MAX);
        let mut notice = self.notice_of(gravest, None);
        notice.transition = Transition::Bundle { count, keys };
        notice.suppressed = Some(Suppressed {
            count: count.saturating_sub(1),
            by: "one message for all that waited".to_owned(),
        });
        Some(notice)
    }

    /// The message of one transition of one alert.
    pub(super) fn notice_of(&self, alert: &Alert, delivery: Option<&Delivery>) -> Notice {
        let transition = match delivery.map(|delivery| delivery.transition.clone()) {
            Some(transition) => transition,
            None if alert.is_open() => Transition::Raise,
            None => Transition::Clear,
        };
        let consequences = if alert.is_open() { self.consequences(&alert.key) } else { Vec::new() };
        Notice {
            alert_id: alert.id.clone(),
            key: alert.key.to_string(),
            code: alert.key.code().to_owned(),
            transition,
            severity: alert.severity,
            scope: alert.key.scope().to_owned(),
            reason: alert.reason.clone(),
            raised_at: alert.raised_at,
            cleared_at: alert.cleared_at,
            duration_ms: alert.cleared_at.map(|at| alert.stood_ms(at)),
            cleared_by: alert.cleared_by,
            cause: alert.cause.as_ref().map(ToString::to_string),
            consequences: consequences.iter().take(CONSEQUENCES_MAX).map(ToString::to_string).collect(),
            contained: alert.contained.clone(),
            runbook_url: format!("{}{}.md", self.settings.speaker.runbooks, alert.key.code()),
            acknowledge: format!("plimsoll ack {} --reason TEXT", alert.id),
            instance: self.settings.speaker.instance.clone(),
            mode: self.settings.speaker.mode,
            suppressed: None,
        }
    }

    fn canary(&self, delivery: &Delivery) -> Notice {
        Notice {
            alert_id: delivery.alert.clone(),
            key: format!("canary:{}", delivery.channel),
            code: "canary".to_owned(),
            transition: Transition::Canary,
            severity: Severity::Info,
            scope: delivery.channel.clone(),
            reason: "a message that tests this channel; nothing is wrong".to_owned(),
            raised_at: delivery.created_at,
            cleared_at: None,
            duration_ms: None,
            cleared_by: None,
            cause: None,
            consequences: Vec::new(),
            contained: None,
            runbook_url: format!("{}alerting_degraded.md", self.settings.speaker.runbooks),
            acknowledge: "nothing to acknowledge".to_owned(),
            instance: self.settings.speaker.instance.clone(),
            mode: self.settings.speaker.mode,
            suppressed: None,
        }
    }

    /// How late a message is at the moment that it goes out.
    pub(super) fn undelivered(alert: &Alert, now: WallMs) -> u64 {
        u64::try_from(now.0.saturating_sub(alert.raised_at.0)).unwrap_or(0)
    }
}
