//! Alerts, channels and incidents for the page: what is on disk, and conditions that stand and are not there yet.

use super::view::{Alert, Channel, Delivery, Event, EventKind, Incident, Ms, Severity};
use crate::actors::alert_router::AlertReading;
use crate::actors::oms::OpenAlert;
use crate::db::{AlertFilter, DbError, Readers};
use crate::domain::alert::{Alert as Kept, Delivery as Sent, Hidden, Severity as Grade, Transition, codes};
use std::collections::BTreeSet;

/// Open alerts that are listed.
const LISTED: u32 = 500;
/// Incidents that are listed.
const INCIDENTS: u32 = 8;
/// Alerts of which it is said where they went.
const WITH_DELIVERIES: usize = 60;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct AlertBook {
    open: Vec<Kept>,
    deliveries: Vec<Sent>,
    roots: Vec<Kept>,
    consequences: Vec<Kept>,
}

impl AlertBook {
    /// Reads everything; called on the blocking pool.
    ///
    /// # Errors
    /// [`DbError`].
    pub(super) fn read(readers: &Readers) -> Result<Self, DbError> {
        let open = readers.alerts(AlertFilter { open_only: true, roots_only: false }, None, LISTED)?;
        let numbers: Vec<u64> = open.iter().take(WITH_DELIVERIES).map(|alert| alert.number).collect();
        let deliveries = if numbers.is_empty() { Vec::new() } else { readers.alert_deliveries(&numbers)? };
        let (roots, consequences) = readers.incidents(None, INCIDENTS)?;
        Ok(Self { open, deliveries, roots, consequences })
    }

    /// Open alerts, the gravest first, then the oldest. `standing` are the conditions that hold now: one that is in no
    /// alert yet is listed all the same, and cannot be taken before it is on disk.
    pub(super) fn alerts(&self, standing: &[OpenAlert]) -> Vec<Alert> {
        let known: BTreeSet<&str> = self.open.iter().map(|alert| alert.key.as_str()).collect();
        let mut all: Vec<Alert> = self.open.iter().map(|alert| self.alert(alert)).collect();
        let key = |alert: &OpenAlert| format!("{}:{}", alert.code, alert.scope);
        let young = standing.iter().filter(|alert| !known.contains(key(alert).as_str()));
        all.extend(young.map(condition));
        all.sort_by(|a, b| (b.severity, a.raised_at, &a.id).cmp(&(a.severity, b.raised_at, &b.id)));
        all
    }

    fn alert(&self, alert: &Kept) -> Alert {
        let sent = self.deliveries.iter().filter(|sent| sent.number == alert.number);
        let raised = sent.filter(|sent| !matches!(sent.transition, Transition::Clear));
        let hidden = alert.hidden.as_ref();
        let step = alert.escalation.as_ref().map(|escalation| {
            let again =
                if escalation.round > 0 { format!(", round {}", escalation.round) } else { String::new() };
            format!("policy {}, step {} reached{again}", escalation.policy, escalation.step)
        });
        let silenced = hidden.and_then(|hidden| match hidden {
            Hidden::Silence(id) => Some(format!("silenced by {id}")),
            Hidden::Root(_) => None,
        });
        let root = hidden.and_then(|hidden| match hidden {
            Hidden::Root(key) => Some(key.to_string()),
            Hidden::Silence(_) => None,
        });
        let next = alert.escalation.as_ref().and_then(|escalation| escalation.next_at);
        let next = next.filter(|_| alert.ack.is_none() && hidden.is_none());
        Alert {
            id: alert.id.clone(),
            code: alert.key.code().to_owned(),
            scope: alert.key.scope().to_owned(),
            severity: grade(alert.severity),
            reason: match &alert.contained {
                Some(contained) => format!("{}. Contained: {contained}", alert.reason),
                None => alert.reason.clone(),
            },
            raised_at: alert.raised_at.0,
            acked: alert.ack.as_ref().map(|ack| (ack.by.clone(), ack.at.0)),
            step: silenced.or(step),
            next_hop: next.map(|at| (at.0, "the next step".to_owned())),
            deliveries: latest(raised),
            cause: root.or_else(|| alert.cause.as_ref().map(ToString::to_string)),
            can_ack: true,
        }
    }

    /// Raises and ends of the latest roots, for the line of time.
    pub(super) fn events(&self) -> Vec<Event> {
        let event = |root: &Kept, at: Ms, what: &str| Event {
            key: format!("{what} {}", root.id),
            at,
            kind: EventKind::Alert,
            who: root.severity.word().to_owned(),
            what: format!("{} {what}", root.key),
            detail: root.reason.clone(),
        };
        let raised = self.roots.iter().map(|root| event(root, root.raised_at.0, "raised"));
        let over = self.roots.iter().filter_map(|root| Some(event(root, root.cleared_at?.0, "over")));
        raised.chain(over).collect()
    }

    /// Incidents, youngest first.
    pub(super) fn incidents(&self) -> Vec<Incident> {
        self.roots.iter().map(|root| self.incident(root)).collect()
    }

    fn incident(&self, root: &Kept) -> Incident {
        let of = self.consequences.iter().filter(|alert| alert.incident == root.id).count();
        let after = |at: Option<Ms>, what: &str| {
            at.map(|at| format!("{what} after {}", seconds(at.saturating_sub(root.since.0))))
        };
        let times = [
            after(Some(root.raised_at.0), "detected"),
            after(root.first_told_at.map(|at| at.0), "told"),
            after(root.first_acked_at.map(|at| at.0), "taken"),
            after(root.cleared_at.map(|at| at.0), "over"),
        ];
        Incident {
            title: root.key.to_string(),
            opened_at: root.raised_at.0,
            closed_at: root.cleared_at.map(|at| at.0),
            alerts: of.saturating_add(1),
            times: times.into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }
}

fn seconds(ms: Ms) -> String {
    let ms = ms.max(0);
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

const fn grade(severity: Grade) -> Severity {
    match severity {
        Grade::Info => Severity::Info,
        Grade::Warning => Severity::Warning,
        Grade::Critical => Severity::Critical,
    }
}

/// A condition that is in no alert on disk.
fn condition(open: &OpenAlert) -> Alert {
    Alert {
        id: format!("{}:{}", open.code, open.scope),
        code: open.code.to_owned(),
        scope: open.scope.clone(),
        severity: grade(codes::severity(open.code)),
        reason: open.reason.clone(),
        raised_at: open.raised_at.0,
        step: Some("holds, and is not on record as an alert".to_owned()),
        ..Alert::default()
    }
}

/// The last word of each channel.
fn latest<'a>(sent: impl Iterator<Item = &'a Sent>) -> Vec<Delivery> {
    let mut all: Vec<Delivery> = Vec::new();
    for one in sent {
        let shown = Delivery {
            channel: one.channel.clone(),
            status: one.state.word().to_owned(),
            error: one.last_error.clone().filter(|_| one.delivered_at.is_none()),
        };
        match all.iter_mut().find(|known| known.channel == one.channel) {
            Some(known) => *known = shown,
            None => all.push(shown),
        }
    }
    all
}

/// Channels as the router knows them; `None` while it does not work.
pub(super) fn channels(reading: &AlertReading) -> Option<Vec<Channel>> {
    let channel = |health: &crate::actors::alert_router::ChannelHealth| {
        let reading = &health.reading;
        let waiting = (reading.waiting > 0).then(|| format!("{} wait", reading.waiting));
        let error = reading.last_error.clone().filter(|_| reading.failures > 0);
        Channel {
            name: reading.name.clone(),
            good: if reading.failures > 0 { Some(false) } else { reading.last_ok.map(|_| true) },
            last_ok: reading.last_ok.map(|at| at.0),
            note: [error, waiting].into_iter().flatten().collect::<Vec<_>>().join("; "),
        }
    };
    reading.ready.then(|| reading.channels.iter().map(channel).collect())
}
