//! The drill of a feed that dies while its connection lives: the exchange mutes all data and keeps pinging.
//!
//! Within the feed's threshold and one second more: the alert is on disk, the component is not healthy on the API, the
//! webhook and the mail have arrived, and trading is contained with evidence of it. After the healing: the alert is
//! cleared, both receivers were told so, and nothing was armed again by itself.

use super::desk::{Desk, Folder, LOOK, Receivers, since};
use super::report::{Line, Report};
use super::sinks::{self, Inbox};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const COMPONENT: &str = "feed/paper/BTCUSDT";
const KEY: &str = "venue_quotes_stale:paper/BTCUSDT";
/// What everything has beyond the threshold.
const SLACK: Duration = Duration::from_secs(1);
/// What recovery may take: data again, a book in step, a judgement, a delivery.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long it is looked at that nothing is armed again.
const QUIET: Duration = Duration::from_secs(3);

/// Runs it.
///
/// # Errors
/// When it cannot be set up.
pub(super) fn run(below: &Path, stale_ms: u64) -> anyhow::Result<Report> {
    let folder = Folder::make(below)?;
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The receivers live beside the drill on one thread; neither ever blocks it.
    let receivers = local.block_on(async {
        anyhow::Ok(Receivers { web: sinks::http().await?, mail: sinks::mail(folder.path()).await? })
    })?;
    let desk = Desk::start(folder.path(), stale_ms, &receivers)?;
    let report = local.block_on(drill(&desk, Duration::from_millis(stale_ms), &receivers));
    desk.stop()?;
    report
}

async fn drill(desk: &Desk, stale: Duration, receivers: &Receivers) -> anyhow::Result<Report> {
    desk.until_ready().await?;
    let mut lines = vec![Line {
        what: "before: ready, and nothing was told to anybody",
        after: (receivers.web.1.count() == 0 && receivers.mail.2.count() == 0).then_some(Duration::ZERO),
        within: Duration::ZERO,
        evidence: String::new(),
    }];
    lines.extend(outage(desk, stale, receivers).await?);
    lines.extend(recovery(desk, receivers).await?);
    Ok(Report { name: "feed-outage", lines })
}

/// Waits until something is seen; when, and what.
struct Watch {
    what: &'static str,
    seen: Option<(Duration, String)>,
}

impl Watch {
    const fn new(what: &'static str) -> Self {
        Self { what, seen: None }
    }

    fn note(&mut self, began: Instant, found: Option<String>) {
        if let (None, Some(evidence)) = (&self.seen, found) {
            self.seen = Some((since(began), evidence));
        }
    }

    fn note_at(&mut self, began: Instant, at: Option<Instant>, evidence: &str) {
        if let (None, Some(at)) = (&self.seen, at) {
            self.seen = Some((at.saturating_duration_since(began), evidence.to_owned()));
        }
    }

    fn line(self, within: Duration) -> Line {
        let (after, evidence) = self.seen.map_or((None, String::new()), |(after, said)| (Some(after), said));
        Line { what: self.what, after, within, evidence }
    }
}

async fn outage(desk: &Desk, stale: Duration, receivers: &Receivers) -> anyhow::Result<Vec<Line>> {
    let within = stale.saturating_add(SLACK);
    let began = crate::clock::monotonic();
    desk.fault(Some(json!({"kind": "stale_but_pinging"}))).await?;
    let mut ill = Watch::new("the component is not healthy on the API");
    let mut unready = Watch::new("not ready to trade");
    let mut stands = Watch::new("the alert stands on the API");
    let mut durable = Watch::new("the alert is on disk");
    let mut hook = Watch::new("the webhook has arrived");
    let mut mail = Watch::new("the mail has arrived");
    let mut paused = Watch::new("the desk is paused by the sentinel");
    let mut proof = Watch::new("the containment was seen to work");
    // Longer than is allowed, so that what is late is told as late and not as never.
    while since(began) < within.saturating_mul(3) {
        let status = desk.get("/api/v1/status").await?;
        ill.note(began, ill_component(&status));
        paused.note(began, paused_by(&status));
        let health = desk.get("/health").await?;
        proof.note(began, contained(&health));
        let (code, ready) = desk.ask(Method::GET, "/readyz", None).await?;
        unready.note(began, (code == 503).then(|| text(&ready, "failing")));
        let alerts = desk.get("/api/v1/alerts?status=open").await?;
        stands.note(began, alert(&alerts).map(|found| text(found, "reason")));
        durable.note(began, alert(&alerts).and_then(on_disk));
        hook.note_at(began, arrived(&receivers.web.1, began, &["firing"]), "firing");
        mail.note_at(began, arrived(&receivers.mail.2, began, &[]), "raised");
        let all = [&ill, &unready, &stands, &durable, &hook, &mail, &paused, &proof];
        if all.iter().all(|watch| watch.seen.is_some()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let mut lines: Vec<Line> = [ill, unready, stands, durable, hook, mail, paused, proof]
        .into_iter()
        .map(|watch| watch.line(within))
        .collect();
    let mut refused = Watch::new("a new order is refused");
    let asked = crate::clock::monotonic();
    let order = json!({
        "symbol": "BTCUSDT", "side": "buy", "type": "limit", "quantity": "0.001", "price": "1000",
        "strategy": "manual",
    });
    let (status, answer) = desk.ask(Method::POST, "/api/v1/orders", Some(order)).await?;
    refused.note(asked, (status >= 400).then(|| format!("{status} {}", text(&answer, "code"))));
    lines.push(refused.line(SLACK));
    Ok(lines)
}

async fn recovery(desk: &Desk, receivers: &Receivers) -> anyhow::Result<Vec<Line>> {
    let began = crate::clock::monotonic();
    desk.fault(None).await?;
    let mut well = Watch::new("healed: the component is healthy again");
    let mut over = Watch::new("healed: the alert is cleared");
    let mut hook = Watch::new("healed: the webhook says so");
    let mut mail = Watch::new("healed: the mail says so");
    while since(began) < RECOVERY.saturating_mul(2) {
        let status = desk.get("/api/v1/status").await?;
        well.note(
            began,
            component(&status).filter(|found| word(found, "status") == "healthy").map(|_| String::new()),
        );
        let alerts = desk.get("/api/v1/alerts?status=open").await?;
        over.note(began, alert(&alerts).is_none().then(String::new));
        hook.note_at(began, arrived(&receivers.web.1, began, &["resolved"]), "resolved");
        mail.note_at(began, arrived(&receivers.mail.2, began, &[]), "cleared");
        if [&well, &over, &hook, &mail].iter().all(|watch| watch.seen.is_some()) {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let mut lines: Vec<Line> =
        [well, over, hook, mail].into_iter().map(|watch| watch.line(RECOVERY)).collect();
    let mut still = Watch::new("healed: still paused, nothing armed again");
    let looked = crate::clock::monotonic();
    let mut armed = false;
    while since(looked) < QUIET {
        armed |= word(&desk.get("/api/v1/status").await?, "state") != "paused";
        tokio::time::sleep(LOOK.saturating_mul(5)).await;
    }
    still.note(looked, (!armed).then(|| "paused".to_owned()));
    lines.push(still.line(QUIET.saturating_mul(2)));
    Ok(lines)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn component(status: &Value) -> Option<&Value> {
    items(status, "components").find(|one| word(one, "name") == COMPONENT)
}

fn ill_component(status: &Value) -> Option<String> {
    let found = component(status)?;
    let ill = word(found, "severity") == "critical";
    ill.then(|| format!("{}: {}", word(found, "status"), word(found, "reason")))
}

fn paused_by(status: &Value) -> Option<String> {
    (word(status, "state") == "paused" && word(status, "actor") == "sentinel").then(|| text(status, "reason"))
}

/// The intent whose effect was seen.
fn contained(health: &Value) -> Option<String> {
    let mut all = items(health, "containment");
    let done = all.find(|one| word(one, "action") == "pause" && word(one, "state") == "verified")?;
    Some(format!("{} because of {}", word(done, "verify"), word(done, "because")))
}

fn alert(alerts: &Value) -> Option<&Value> {
    items(alerts, "items").find(|one| word(one, "key") == KEY)
}

/// Deliveries are rows that are written with the alert; an alert that is not on disk has none.
fn on_disk(alert: &Value) -> Option<String> {
    let channels: Vec<&str> = items(alert, "deliveries").map(|delivery| word(delivery, "channel")).collect();
    (!channels.is_empty()).then(|| format!("with its deliveries to {}", channels.join(" and ")))
}

fn arrived(inbox: &Inbox, since: Instant, words: &[&str]) -> Option<Instant> {
    let mut all = vec!["venue_quotes_stale"];
    all.extend(words);
    inbox.first(since, &all)
}
