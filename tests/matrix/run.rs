//! Runs one row and says what was seen.

use crate::desk::Desk;
use crate::rows::{Break, Receiver, Row};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);
/// How long everything has to be over after the healing. A restarted component stays on record for a minute, and a
/// venue that bans names the two minutes after which it may be asked again.
const RECOVERY: Duration = Duration::from_secs(135);

/// What came and went while nobody took mail.
const MISSED: &str = "what-came-and-went";

/// What was seen.
#[derive(Debug, Default)]
pub struct Found {
    /// Each code, and when it first stood.
    pub codes: BTreeMap<String, Duration>,
    /// When the first message arrived.
    pub delivered: Option<Duration>,
    /// When the desk was seen paused by the sentinel.
    pub contained: Option<Duration>,
    /// When nothing stood any more, after the healing.
    pub cleared: Option<Duration>,
    /// The desk was armed again by itself.
    pub rearmed: bool,
    /// The mails about what came and went while nobody took any.
    pub late: Vec<String>,
    /// Reasons of the alerts, for whoever wonders.
    pub reasons: Vec<String>,
}

impl Found {
    /// What is not as the row says.
    pub fn wrong(&self, row: &Row) -> Vec<String> {
        let mut wrong = Vec::new();
        for code in row.expect {
            if !self.codes.contains_key(*code) {
                wrong.push(format!("no {code}; there were {:?}", self.codes));
            }
        }
        for code in self.codes.keys() {
            if !row.expect.contains(&code.as_str()) && !row.may.contains(&code.as_str()) {
                wrong.push(format!("{code} was not expected: {:?}", self.reasons));
            }
        }
        if let Some(first) = row.expect.first().and_then(|code| self.codes.get(*code))
            && first.as_secs_f64() > row.within
        {
            wrong.push(format!("seen after {first:?}, not within {} s", row.within));
        }
        if !row.expect.is_empty() && self.delivered.is_none() {
            wrong.push("nobody was told".to_owned());
        }
        if row.contained != self.contained.is_some() {
            wrong.push(format!("contained: {:?}", self.contained));
        }
        if row.heals && self.cleared.is_none() {
            wrong.push(format!("not over {RECOVERY:?} after the healing: {:?}", self.reasons));
        }
        if row.breaks == Break::Receiver(Receiver::NoMail)
            && (self.late.len() != 1 || !self.late.iter().all(|text| text.contains("OVER, TOLD LATE")))
        {
            wrong.push(format!("not one late mail: {:?}", self.late));
        }
        if self.rearmed {
            wrong.push("armed again by itself".to_owned());
        }
        wrong
    }
}

pub fn row(row: &'static Row) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(live(row))
}

async fn live(row: &'static Row) -> Found {
    let mut desk = Desk::start(row).await;
    desk.until_calm(row.name).await;
    // A little of its ordinary life first.
    let calm = Instant::now();
    while calm.elapsed() < Duration::from_secs(1) {
        desk.order().await;
        tokio::time::sleep(LOOK).await;
    }
    let told = desk.hook.seen().len();
    let mut found = Found::default();
    let began = Instant::now();
    let lock = begin(row, &desk).await;
    let stands = match row.breaks {
        Break::Nothing => quiet(),
        _ => Duration::from_secs_f64(row.stands),
    };
    let latest = stands.max(Duration::from_secs_f64(row.within)) + Duration::from_secs(3);
    while began.elapsed() < latest {
        look(&desk, began, told, &mut found).await;
        let all = row.expect.iter().all(|code| found.codes.contains_key(*code));
        let contained = !row.contained || found.contained.is_some();
        let told = row.expect.is_empty() || found.delivered.is_some();
        if began.elapsed() >= stands && all && contained && told {
            break;
        }
        desk.order().await;
        tokio::time::sleep(LOOK).await;
    }
    let healed = Instant::now();
    desk.mood.set(false);
    if let Break::Exchange(_) = row.breaks {
        desk.fault(None).await;
    }
    drop(lock);
    // Nobody does anything about the channel itself: what refused for good is found to work again by its own canary.
    desk.mend_mail().await;
    while row.heals && healed.elapsed() < RECOVERY {
        look(&desk, began, told, &mut found).await;
        if desk.codes().await.is_empty()
            && desk.ask("GET", "/livez", None).await.is_some_and(|(code, _)| code == 200)
        {
            found.cleared = Some(healed.elapsed());
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    found.late = desk.mails(MISSED);
    if found.contained.is_some() {
        let later = Instant::now();
        while later.elapsed() < Duration::from_secs(1) {
            found.rearmed |= desk.get("/api/v1/status").await["state"] != "paused";
            tokio::time::sleep(LOOK).await;
        }
    }
    if !found.wrong(row).is_empty() {
        println!("{}: the last of the log:\n{}", row.name, tail(&desk.log.lock().unwrap()));
    }
    found
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

fn quiet() -> Duration {
    let seconds = std::env::var("PLIMSOLL_MATRIX_QUIET").ok().and_then(|text| text.parse().ok());
    let nightly = std::env::var("PLIMSOLL_NIGHTLY").is_ok_and(|value| value == "1");
    Duration::from_secs(seconds.unwrap_or(if nightly { 3_600 } else { 60 }))
}

/// Breaks it. What is returned keeps it broken.
async fn begin(row: &Row, desk: &Desk) -> Option<SqliteConnection> {
    match row.breaks {
        Break::Exchange(fault) => desk.fault(Some(fault)).await,
        Break::Actor(path, fault) => inject(desk, path, fault).await,
        Break::Receiver(_) => {
            desk.mood.set(true);
            inject(desk, "plimsoll/market/market-paper", "panic").await;
            if row.breaks == Break::Receiver(Receiver::NoMail) {
                desk.condition(MISSED, false).await;
                desk.condition(MISSED, true).await;
            }
        }
        Break::Database => {
            let path = desk.data.path().join("data/plimsoll.db");
            let mut foreign = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
            foreign.batch_execute("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
            return Some(foreign);
        }
        Break::Nothing => {}
    }
    None
}

async fn inject(desk: &Desk, path: &str, fault: &str) {
    let (status, answer) = desk.ask("POST", &format!("/debug/actors/{path}/{fault}"), None).await.unwrap();
    assert_eq!(status, 202, "{answer}");
}

async fn look(desk: &Desk, began: Instant, told: usize, found: &mut Found) {
    let alerts = desk.get("/api/v1/alerts?status=open").await;
    for alert in alerts["items"].as_array().into_iter().flatten() {
        let code = alert["code"].as_str().unwrap_or_default().to_owned();
        if !found.codes.contains_key(&code) {
            found.reasons.push(format!("{}: {}", alert["key"], alert["reason"]));
            found.codes.insert(code, began.elapsed());
        }
    }
    if found.delivered.is_none() && desk.hook.seen().len() > told {
        found.delivered = Some(began.elapsed());
    }
    let status = desk.get("/api/v1/status").await;
    if found.contained.is_none() && status["state"] == "paused" && status["actor"] == "sentinel" {
        found.contained = Some(began.elapsed());
    }
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
}

pub fn line(row: &Row, found: &Found) -> String {
    let codes: Vec<&str> = found.codes.keys().map(String::as_str).collect();
    let codes = if codes.is_empty() { "none".to_owned() } else { codes.join(", ") };
    let first = row.expect.first().and_then(|code| found.codes.get(*code)).copied();
    let passed = if found.wrong(row).is_empty() { "yes" } else { "NO" };
    format!(
        "| {} | {codes} | {} | {} | {} | {} | {passed} |",
        row.name,
        seconds(first.or_else(|| found.codes.values().min().copied())),
        seconds(found.delivered),
        seconds(found.contained),
        seconds(found.cleared.filter(|_| !found.codes.is_empty())),
    )
}

pub fn table(found: &[(&'static Row, Found)]) -> String {
    let mut text = String::from(
        "| fault | alerts | detected | delivered | contained | cleared | as expected |\n|---|---|---|---|---|---|---|\n",
    );
    for (row, result) in found {
        text.push_str(&line(row, result));
        text.push('\n');
    }
    text
}
