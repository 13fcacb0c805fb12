//! The router on virtual time: a disk that answers when told, channels that fail when told.

use super::super::super::*;
use super::super::*;
use crate::domain::time::WallMs;
use std::collections::BTreeMap;

pub(super) fn policy(steps: &[(u64, &[&str])]) -> Policy {
    let step = |(after_ms, channels): &(u64, &[&str])| Step {
        after_ms: *after_ms,
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
    };
    Policy {
        name: "all".to_owned(),
        severities: Severity::ALL.to_vec(),
        codes: Vec::new(),
        steps: steps.iter().map(step).collect(),
        repeat_ms: None,
        repeats: 0,
    }
}

pub(super) fn settings(channels: &[&str], steps: &[(u64, &[&str])]) -> Settings {
    let plan = |name: &&str| ChannelPlan {
        name: (*name).to_owned(),
        tiers: Vec::new(),
        bundle_above: 10,
        confirms: false,
        probe: false,
    };
    Settings {
        channels: channels.iter().map(plan).collect(),
        policies: vec![policy(steps)],
        ..Settings::default()
    }
}

/// A router with a disk and channels beside it.
pub(super) struct Desk {
    pub(super) router: Router,
    pub(super) now: i64,
    /// What is on disk.
    pub(super) disk: Disk,
    /// Channels that do not work.
    pub(super) down: Vec<String>,
    /// Messages that went out, with the channel.
    pub(super) sent: Vec<(String, String, Notice)>,
    pub(super) replies: Vec<Answer>,
    /// Channels that refuse everything for good.
    pub(super) refusing: Vec<String>,
    /// Channels whose provider accepts, and says later what became of it.
    pub(super) accepting: Vec<String>,
    /// Messages that a provider was asked about: channel, key, the provider's name for it.
    pub(super) asked: Vec<(String, IdempotencyKey, String)>,
    /// Messages that go out are not answered.
    pub(super) silent: bool,
    pub(super) disk_down: bool,
    unwritten: Vec<std::sync::Arc<Work>>,
    pub(super) spooled: Vec<(IdempotencyKey, Notice)>,
    pub(super) degraded: Vec<(String, bool)>,
}

#[derive(Default, Clone)]
pub(super) struct Disk {
    pub(super) facts: Vec<AlertFact>,
    pub(super) alerts: BTreeMap<u64, Alert>,
    pub(super) deliveries: BTreeMap<String, Delivery>,
    pub(super) silences: BTreeMap<String, Silence>,
    pub(super) channels: BTreeMap<String, ChannelRecord>,
}

impl Disk {
    fn write(&mut self, work: &Work) {
        self.facts.extend(work.facts.iter().cloned());
        self.alerts.extend(work.alerts.iter().map(|alert| (alert.number, alert.clone())));
        let named = |delivery: &Delivery| (delivery.key.as_str().to_owned(), delivery.clone());
        self.deliveries.extend(work.deliveries.iter().map(named));
        self.silences.extend(work.silences.iter().map(|silence| (silence.id.clone(), silence.clone())));
        self.channels.extend(work.channels.iter().cloned());
    }

    pub(super) fn restored(&self) -> Restored {
        let waiting: Vec<Delivery> =
            self.deliveries.values().filter(|delivery| !delivery.is_settled()).cloned().collect();
        let needed = |alert: &&Alert| {
            alert.is_open() || waiting.iter().any(|delivery| delivery.number == alert.number)
        };
        Restored {
            tag: "pl".to_owned(),
            last_number: self.alerts.keys().last().copied().unwrap_or(0),
            last_word: 0,
            alerts: self.alerts.values().filter(needed).cloned().collect(),
            deliveries: waiting,
            silences: self.silences.values().filter(|silence| silence.ended_at.is_none()).cloned().collect(),
            channels: self.channels.clone().into_iter().collect(),
            recent: Vec::new(),
        }
    }
}

pub(super) fn held(code: &'static str, scope: &str) -> Held {
    Held { condition: Condition::new(code, scope, "it holds"), at: WallMs(0) }
}

pub(super) fn caused(code: &'static str, scope: &str, cause: &AlertKey) -> Held {
    let mut held = held(code, scope);
    held.condition.cause = Some(cause.clone());
    held
}

impl Desk {
    pub(super) fn new(settings: Settings) -> Self {
        let restored = Restored { tag: "pl".to_owned(), ..Restored::default() };
        Self::with(Router::restore(settings, restored, WallMs(0)), 0, Disk::default())
    }

    fn with(router: Router, now: i64, disk: Disk) -> Self {
        Self {
            router,
            now,
            disk,
            down: Vec::new(),
            sent: Vec::new(),
            refusing: Vec::new(),
            accepting: Vec::new(),
            asked: Vec::new(),
            replies: Vec::new(),
            silent: false,
            disk_down: false,
            unwritten: Vec::new(),
            spooled: Vec::new(),
            degraded: Vec::new(),
        }
    }

    /// The process is killed and begins anew from the disk.
    pub(super) fn restart(self, settings: Settings, later_ms: i64) -> Self {
        let now = self.now + later_ms;
        let mut router = Router::restore(settings, self.disk.restored(), WallMs(now));
        if !self.spooled.is_empty() {
            let effects = router.step(WallMs(now), Event::Recovered { notices: self.spooled.clone() });
            let mut desk = Self::with(router, now, self.disk);
            desk.spooled = self.spooled;
            desk.perform(effects);
            return desk;
        }
        Self::with(router, now, self.disk)
    }

    pub(super) fn step(&mut self, event: Event) {
        let effects = self.router.step(WallMs(self.now), event);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Commit(work) if self.disk_down => self.unwritten.push(work),
                Effect::Commit(work) => {
                    self.disk.write(&work);
                    self.step(Event::Committed { ticket: work.ticket });
                }
                Effect::Send { channel, key, notice } => {
                    self.sent.push((channel.clone(), key.as_str().to_owned(), *notice));
                    if self.silent {
                        continue;
                    }
                    let outcome = if self.down.contains(&channel) {
                        Outcome::Temporary { why: "no route".to_owned(), retry_after_ms: None }
                    } else if self.refusing.contains(&channel) {
                        Outcome::Permanent { why: "refused".to_owned() }
                    } else if self.accepting.contains(&channel) {
                        Outcome::Accepted { provider_id: Some(format!("SM{}", self.sent.len())) }
                    } else {
                        Outcome::Delivered
                    };
                    self.step(Event::Sent { channel, key, outcome });
                }
                Effect::Confirm { channel, key, provider_id } => {
                    self.asked.push((channel, key, provider_id));
                }
                Effect::Spool { ticket, notices } => {
                    self.spooled.extend(notices);
                    self.step(Event::Spooled { ticket });
                }
                Effect::Unspool { keys } => self.spooled.retain(|(key, _)| !keys.contains(key)),
                Effect::Reply { answer, .. } => self.replies.push(answer),
                Effect::Changed { .. } => {}
                Effect::Degraded { channel, why } => self.degraded.push((channel, why.is_some())),
            }
        }
    }

    /// The disk works again.
    pub(super) fn heal_disk(&mut self) {
        self.disk_down = false;
        for work in std::mem::take(&mut self.unwritten) {
            self.disk.write(&work);
            self.step(Event::Committed { ticket: work.ticket });
        }
    }

    pub(super) fn holds(&mut self, holding: Vec<Held>) {
        self.step(Event::Observed { blips: Vec::new(), holding, ended: Vec::new() });
    }

    pub(super) fn ends(&mut self, code: &str, scope: &str) {
        let ended = vec![AlertKey::new(code, scope)];
        self.step(Event::Observed { blips: Vec::new(), holding: Vec::new(), ended });
    }

    pub(super) fn ask(&mut self, ask: Ask) -> Answer {
        self.step(Event::Asked { reply: ReplyTo(1), ask });
        self.replies.pop().unwrap()
    }

    /// The provider of a channel answers the last question.
    pub(super) fn provider_says(&mut self, answer: Word) {
        let (channel, key, _) = self.asked.last().cloned().unwrap();
        self.step(Event::Confirmed { channel, key, answer });
    }

    /// Time passes in steps of a tenth of a second.
    pub(super) fn wait(&mut self, ms: i64) {
        for _ in 0..(ms / 100) {
            self.now += 100;
            self.step(Event::Tick);
        }
    }

    /// What went out since the last look: channel, transition, code.
    pub(super) fn told(&mut self) -> Vec<String> {
        let word = |(channel, _, notice): (String, String, Notice)| {
            format!("{channel} {} {}", notice.transition.word(), notice.scope)
        };
        std::mem::take(&mut self.sent).into_iter().map(word).collect()
    }

    /// Reading the journal gives what the tables hold.
    pub(super) fn check_replay(&self) {
        let mut history = History::default();
        for fact in &self.disk.facts {
            let text = serde_json::to_string(fact).unwrap();
            history.apply(serde_json::from_str(&text).unwrap());
        }
        for delivery in self.disk.deliveries.values().filter(|delivery| delivery.is_settled()) {
            assert_eq!(history.deliveries.get(delivery.key.as_str()), Some(delivery));
        }
        assert_eq!(history.settled().count(), {
            self.disk.deliveries.values().filter(|delivery| delivery.is_settled()).count()
        });
        for alert in self.disk.alerts.values() {
            let read = history.alerts.get(&alert.number).expect("an alert without a row");
            let plain = |alert: &Alert| (alert.cleared_at, alert.ack.clone(), alert.told.clone(), alert.seq);
            assert_eq!(plain(read), plain(alert));
        }
        assert_eq!(history.silences, self.disk.silences);
    }
}

pub(super) const CODE: &str = "heartbeat_missed";

pub(super) fn one() -> Settings {
    settings(&["hook"], &[(0, &["hook"])])
}
