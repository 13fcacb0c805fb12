//! The router on virtual time: a disk that answers when told, channels that fail when told.

use super::super::*;
use super::*;
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
    let plan = |name: &&str| ChannelPlan { name: (*name).to_owned(), tiers: Vec::new(), bundle_above: 10 };
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
            self.deliveries.values().filter(|delivery| !delivery.state.is_final()).cloned().collect();
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
                    let outcome = match self.down.contains(&channel) {
                        true => Outcome::Temporary { why: "no route".to_owned(), retry_after_ms: None },
                        false => Outcome::Delivered,
                    };
                    self.step(Event::Sent { channel, key, outcome });
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
        for delivery in self.disk.deliveries.values().filter(|delivery| delivery.state.is_final()) {
            assert_eq!(history.deliveries.get(delivery.key.as_str()), Some(delivery));
        }
        assert_eq!(history.settled().count(), {
            self.disk.deliveries.values().filter(|delivery| delivery.state.is_final()).count()
        });
        for alert in self.disk.alerts.values() {
            let read = history.alerts.get(&alert.number).expect("an alert without a row");
            let plain = |alert: &Alert| (alert.cleared_at, alert.ack.clone(), alert.told.clone(), alert.seq);
            assert_eq!(plain(read), plain(alert));
        }
        assert_eq!(history.silences, self.disk.silences);
    }
}

const CODE: &str = "heartbeat_missed";

fn one() -> Settings {
    settings(&["hook"], &[(0, &["hook"])])
}

#[test]
fn raise_and_clear_reach_the_same_channel_and_nothing_goes_out_before_it_is_on_disk() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.heal_disk();
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.ends(CODE, "a");
    assert_eq!(desk.told(), ["hook clear a"]);
    assert_eq!(desk.router.counts().all(), 0);
    desk.check_replay();
}

#[test]
fn what_came_and_went_while_a_channel_was_down_is_one_late_message() {
    let mut desk = Desk::new(one());
    desk.down.push("hook".to_owned());
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(5_000);
    assert!(desk.told().len() > 1, "it was tried again");
    desk.ends(CODE, "a");
    desk.wait(60_000);
    desk.sent.clear();
    desk.down.clear();
    desk.wait(60_000);
    let late: Vec<Notice> = desk.sent.iter().map(|(_, _, notice)| notice.clone()).collect();
    assert_eq!(desk.told(), ["hook late a"]);
    assert!(matches!(late[0].transition, Transition::Late { undelivered_ms } if undelivered_ms > 60_000));
    assert!(late[0].cleared_at.is_some() && late[0].duration_ms == Some(5_000));
    desk.check_replay();
    assert_eq!(desk.degraded, [("hook".to_owned(), true), ("hook".to_owned(), false)]);
}

#[test]
fn an_end_that_comes_while_the_message_is_on_its_way_waits_for_what_becomes_of_it() {
    for works in [true, false] {
        let mut desk = Desk::new(one());
        desk.silent = true;
        desk.holds(vec![held(CODE, "a")]);
        desk.ends(CODE, "a");
        assert_eq!(desk.sent.len(), 1);
        let key = IdempotencyKey::stored(desk.sent[0].1.clone());
        let outcome = match works {
            true => Outcome::Delivered,
            false => Outcome::Temporary { why: "reset".to_owned(), retry_after_ms: None },
        };
        desk.silent = false;
        desk.step(Event::Sent { channel: "hook".to_owned(), key, outcome });
        desk.wait(2_000);
        let end = if works { "hook clear a" } else { "hook late a" };
        assert_eq!(desk.told(), ["hook raise a", end]);
        desk.check_replay();
    }
}

#[test]
fn whoever_was_never_told_is_not_told_of_the_end() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook"]), (60_000, &["mail"])]));
    desk.silent = true;
    desk.holds(vec![held(CODE, "a")]);
    let key = IdempotencyKey::stored(desk.sent[0].1.clone());
    desk.silent = false;
    desk.step(Event::Sent {
        channel: "hook".to_owned(),
        key,
        outcome: Outcome::Permanent { why: "401".to_owned() },
    });
    desk.ends(CODE, "a");
    desk.wait(120_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.check_replay();
}

#[test]
fn escalation_goes_on_after_a_restart_each_step_once_and_an_ack_stops_it() {
    let steps: &[(u64, &[&str])] = &[(0, &["hook"]), (5_000, &["mail"]), (10_000, &["sms", "hook"])];
    let set = settings(&["hook", "mail", "sms"], steps);
    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.wait(4_000);
    let mut desk = desk.restart(set.clone(), 20_000);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(100);
    assert_eq!(desk.told(), ["hook reminder a", "mail escalated a", "sms escalated a"]);
    desk.wait(60_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.check_replay();

    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a")]);
    let by = |name: &str| name.to_owned();
    let ask = Ask::Ack { alert: "pl-1".to_owned(), by: by("ann"), reason: by("on it"), for_ms: Some(60_000) };
    assert!(matches!(desk.ask(ask), Answer::Alert(alert) if alert.ack.as_ref().unwrap().by == "ann"));
    desk.wait(30_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    let mut desk = desk.restart(set, 100);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(29_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "the acknowledgement outlived the restart");
    desk.wait(2_000);
    assert_eq!(desk.told(), ["mail escalated a"], "it has ended, and the next people are told");
    desk.check_replay();
}

#[test]
fn a_consequence_is_kept_and_not_told_unless_it_outlives_its_root() {
    let root = AlertKey::new("venue_ingest_disconnected", "paper");
    let mut desk = Desk::new(one());
    desk.holds(vec![
        caused("venue_quotes_stale", "b", &root),
        caused(codes::NEVER_HIDDEN, "c", &root),
        held("venue_ingest_disconnected", "paper"),
    ]);
    assert_eq!(desk.router.counts().all(), 3);
    let stale = desk.disk.alerts.values().find(|alert| alert.key.scope() == "b").unwrap();
    assert_eq!(stale.hidden, Some(Hidden::Root(root.clone())));
    assert_eq!(stale.incident, "pl-1", "one incident");
    assert_eq!(desk.told(), ["hook raise paper", "hook raise c"], "what must be told is told");
    desk.ends("venue_ingest_disconnected", "paper");
    desk.wait(9_000);
    assert_eq!(desk.told(), ["hook clear paper"]);
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook raise b"]);
    desk.ends("venue_quotes_stale", "b");
    assert_eq!(desk.told(), ["hook clear b"]);
    desk.check_replay();
}

#[test]
fn silences_hide_until_they_end_and_outlive_a_restart() {
    let mut desk = Desk::new(one());
    let silence = |code: &str| Ask::Silence {
        code: code.to_owned(),
        scope: "*".to_owned(),
        by: "ann".to_owned(),
        reason: "maintenance".to_owned(),
        for_ms: 60_000,
    };
    let never = desk.ask(silence(codes::NEVER_HIDDEN));
    assert!(matches!(never, Answer::Refused(Refusal::NeverHidden { .. })), "{never:?}");
    assert!(matches!(desk.ask(silence("heartbeat_*")), Answer::Silence(_)));
    desk.holds(vec![held(CODE, "a"), held(codes::NEVER_HIDDEN, "x")]);
    assert_eq!(desk.told(), ["hook raise x"]);
    let mut desk = desk.restart(one(), 30_000);
    desk.holds(vec![held(CODE, "a"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(29_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook raise a"], "it stands still, and is told late rather than never");
    desk.check_replay();
}

#[test]
fn n_of_m_quiet_period_and_flaps() {
    let mut set = one();
    let rule = Rule { raise_after: 2, of: 3, quiet_ms: 2_000, flap_after: 3, ..Rule::default() };
    set.rules.insert(CODE.to_owned(), rule);
    let mut desk = Desk::new(set);
    desk.holds(vec![held(CODE, "a")]);
    desk.ends(CODE, "a");
    desk.wait(5_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "one sample of three is not enough");
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a"]);
    desk.ends(CODE, "a");
    desk.wait(1_000);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(5_000);
    assert_eq!(desk.told(), Vec::<String>::new(), "it came back within the quiet period");
    desk.ends(CODE, "a");
    desk.wait(2_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    desk.ends(CODE, "a");
    desk.wait(10_000);
    assert_eq!(desk.told(), ["hook raise a"], "the third time within the window must be quiet for longer");
    desk.wait(6_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.check_replay();
}

#[test]
fn a_blip_between_two_looks_is_not_lost() {
    let mut desk = Desk::new(one());
    desk.step(Event::Observed { blips: vec![held(CODE, "a")], holding: Vec::new(), ended: Vec::new() });
    assert_eq!(desk.told(), ["hook late a"]);
    desk.check_replay();
}

#[test]
fn a_crash_repeats_at_most_one_message_per_channel_and_that_under_the_same_key() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook", "mail"])]));
    desk.silent = true;
    desk.holds((0..5).map(|n| held(CODE, &n.to_string())).collect());
    let before = std::mem::take(&mut desk.sent);
    assert_eq!(before.len(), 2, "one on its way per channel");
    let set = settings(&["hook", "mail"], &[(0, &["hook", "mail"])]);
    let mut desk = desk.restart(set, 1_000);
    desk.holds((0..5).map(|n| held(CODE, &n.to_string())).collect());
    desk.wait(100);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, key, _) in before.iter().chain(&desk.sent) {
        *times.entry(key.clone()).or_default() += 1;
    }
    assert_eq!(times.len(), 10);
    assert_eq!(times.values().filter(|count| **count == 2).count(), 2);
    assert!(times.values().all(|count| *count <= 2));
    desk.check_replay();
}

#[test]
fn an_alert_whose_condition_is_not_asserted_again_ends_with_an_honest_reason() {
    let mut desk = Desk::new(one());
    desk.holds(vec![held(CODE, "a")]);
    let mut desk = desk.restart(one(), 1_000);
    desk.wait(29_900);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(200);
    let (_, _, notice) = desk.sent.remove(0);
    assert_eq!((notice.transition, notice.cleared_by), (Transition::Clear, Some(ClearedBy::Restart)));
    desk.check_replay();
}

#[test]
fn a_flood_goes_out_in_few_messages_and_every_delivery_is_settled() {
    let mut desk = Desk::new(one());
    desk.holds((0..2_000).map(|n| held(CODE, &format!("{n:04}"))).collect());
    desk.wait(1_000);
    assert!(desk.sent.len() < 10, "{}", desk.sent.len());
    assert_eq!(desk.disk.deliveries.len(), 2_000);
    assert!(desk.disk.deliveries.values().all(|delivery| delivery.state == DeliveryState::Delivered));
    let counted: u32 = desk
        .sent
        .iter()
        .map(|(_, _, notice)| match &notice.transition {
            Transition::Bundle { count, .. } => *count,
            _ => 1,
        })
        .sum();
    assert_eq!(counted, 2_000);
    desk.check_replay();
}

#[test]
fn limits_hold_across_a_restart_and_what_waits_goes_out_as_one() {
    let mut set = one();
    set.channels[0].tiers = vec![Tier { messages: 1, within_ms: 60_000 }];
    let mut desk = Desk::new(set.clone());
    desk.holds(vec![held(CODE, "a"), held(CODE, "b"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a", "hook raise x"], "no limit holds back what must be told");
    let mut desk = desk.restart(set, 1_000);
    desk.holds(vec![held(CODE, "a"), held(CODE, "b"), held(CODE, "c"), held(codes::NEVER_HIDDEN, "x")]);
    desk.wait(50_000);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(10_000);
    assert_eq!(desk.told(), ["hook bundle b"]);
    desk.check_replay();
}

#[test]
fn without_a_database_the_file_of_last_resort_holds_it_and_the_message_goes_out() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(400);
    assert_eq!(desk.told(), Vec::<String>::new());
    desk.wait(200);
    assert_eq!(desk.told(), ["hook raise a"]);
    assert_eq!(desk.spooled.len(), 1);
    // Killed before the database came back: the file is all that is known of it.
    let mut desk = desk.restart(one(), 1_000);
    assert_eq!(desk.disk.alerts.len(), 1);
    assert_eq!(desk.told(), ["hook raise a"], "once more, under the same key");
    desk.wait(31_000);
    assert_eq!(desk.told(), ["hook clear a"]);
    desk.check_replay();
}

#[test]
fn a_database_that_comes_back_takes_everything_and_the_file_is_emptied() {
    let mut desk = Desk::new(one());
    desk.disk_down = true;
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(1_000);
    desk.ends(CODE, "a");
    desk.wait(1_000);
    assert_eq!(desk.told(), ["hook raise a", "hook clear a"]);
    desk.heal_disk();
    desk.wait(1_000);
    assert_eq!(desk.spooled, Vec::new());
    assert!(desk.disk.deliveries.values().all(|delivery| delivery.state == DeliveryState::Delivered));
    desk.check_replay();
}

#[test]
fn a_canary_tests_one_channel() {
    let mut desk = Desk::new(settings(&["hook", "mail"], &[(0, &["hook"])]));
    let ask = Ask::Test { channel: "mail".to_owned(), by: "ann".to_owned() };
    let Answer::Test(canary) = desk.ask(ask) else { panic!("no canary") };
    assert_eq!(desk.told(), ["mail canary mail"]);
    assert_eq!(desk.disk.deliveries[canary.key.as_str()].state, DeliveryState::Delivered);
    let none = desk.ask(Ask::Test { channel: "none".to_owned(), by: "ann".to_owned() });
    assert!(matches!(none, Answer::Refused(Refusal::NoChannel { .. })));
    desk.check_replay();
}
