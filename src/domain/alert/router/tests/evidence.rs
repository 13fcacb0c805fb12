//! What a provider says later, channels that are tried by themselves, and what a restart must not forget of both.

use super::super::super::*;
use super::super::*;
use super::desk::*;
use crate::domain::time::WallMs;

/// An SMS at once, and mail ten minutes later.
fn texting() -> Settings {
    let mut set = settings(&["sms", "mail"], &[(0, &["sms"]), (600_000, &["mail"])]);
    set.channels[0].confirms = true;
    set
}

fn accepted(settings: Settings) -> Desk {
    let mut desk = Desk::new(settings);
    desk.accepting = vec!["sms".to_owned()];
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.told(), ["sms raise a"]);
    desk
}

fn only(desk: &Desk) -> &Delivery {
    let mut of_sms = desk.disk.deliveries.values().filter(|delivery| delivery.channel == "sms");
    let found = of_sms.next().unwrap();
    assert!(of_sms.next().is_none());
    found
}

fn last_ok(desk: &Desk, name: &str) -> Option<WallMs> {
    desk.router.channels().into_iter().find(|one| one.name == name).unwrap().last_ok
}

#[test]
fn what_was_accepted_is_asked_about_until_it_has_arrived() {
    let mut desk = accepted(texting());
    assert_eq!((only(&desk).state, only(&desk).is_settled()), (DeliveryState::Accepted, false));
    assert_eq!(last_ok(&desk, "sms"), None, "accepted is no evidence");
    desk.wait(1_100);
    desk.provider_says(Word::Pending);
    desk.wait(2_100);
    desk.provider_says(Word::Unasked { why: "HTTP 503".to_owned() });
    assert!(only(&desk).last_error.as_deref().unwrap().contains("503"));
    desk.wait(4_100);
    assert_eq!(desk.asked.len(), 3);
    assert!(desk.asked.iter().all(|(channel, _, id)| (channel.as_str(), id.as_str()) == ("sms", "SM1")));
    desk.provider_says(Word::Delivered);
    assert_eq!((only(&desk).state, only(&desk).is_settled()), (DeliveryState::Delivered, true));
    assert_eq!(last_ok(&desk, "sms"), Some(WallMs(desk.now)));
    desk.wait(600_000);
    assert_eq!(desk.asked.len(), 3, "nobody is asked any more");
    desk.check_replay();
}

#[test]
fn what_did_not_arrive_goes_to_whoever_comes_next_at_once() {
    let mut desk = accepted(texting());
    desk.wait(1_100);
    desk.provider_says(Word::Failed { why: "undelivered 30003".to_owned() });
    desk.wait(200);
    assert_eq!(desk.told(), ["mail escalated a"], "ten minutes are not waited for");
    assert_eq!(only(&desk).state, DeliveryState::Failed);
    assert_eq!(desk.degraded, [("sms".to_owned(), true)]);
    desk.ends(CODE, "a");
    desk.wait(200);
    assert_eq!(desk.told(), ["mail clear a"], "who never heard of it hears of no end");
    desk.check_replay();
}

#[test]
fn a_provider_that_takes_the_next_message_has_delivered_nothing_by_that() {
    let mut desk = accepted(texting());
    desk.wait(1_100);
    desk.provider_says(Word::Failed { why: "undelivered".to_owned() });
    desk.holds(vec![held(CODE, "b")]);
    desk.wait(1_100);
    assert_eq!(desk.degraded, [("sms".to_owned(), true)], "accepted, and still degraded");
    desk.provider_says(Word::Delivered);
    assert_eq!(desk.degraded.last(), Some(&("sms".to_owned(), false)));
}

#[test]
fn a_refusal_at_once_hurries_as_well_and_a_repeated_round_is_not_burnt() {
    let mut set = texting();
    set.policies[0].repeat_ms = Some(900_000);
    set.policies[0].repeats = 3;
    let mut desk = Desk::new(set);
    desk.refusing = vec!["sms".to_owned(), "mail".to_owned()];
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(10_000);
    assert_eq!(desk.told(), ["sms raise a", "mail escalated a"], "and the pause of the policy after that");
    desk.check_replay();
}

#[test]
fn a_provider_that_never_says_is_asked_a_bounded_number_of_times() {
    let mut desk = accepted(texting());
    desk.wait(3_700_000);
    let asked = desk.asked.iter().filter(|(channel, ..)| channel == "sms").count();
    assert!((10..40).contains(&asked), "{asked}");
    assert_eq!((only(&desk).state, only(&desk).is_settled()), (DeliveryState::Accepted, true));
    assert!(only(&desk).last_error.as_deref().unwrap().contains("within 3600 s"), "{:?}", only(&desk));
    assert_eq!(last_ok(&desk, "sms"), None);
    desk.check_replay();
}

#[test]
fn a_restart_neither_forgets_nor_hurries_the_question() {
    let mut desk = accepted(texting());
    desk.wait(3_500);
    let asked = desk.asked.len();
    desk.ends(CODE, "a");
    let mut desk = desk.restart(texting(), 100);
    desk.wait(500);
    assert_eq!(desk.asked.len(), 0, "it was asked a moment ago ({asked} times)");
    desk.wait(8_000);
    let (channel, key, _) =
        desk.asked.iter().find(|(_, key, _)| key.as_str() == "pl-1.1.sms").cloned().unwrap();
    desk.step(Event::Confirmed { channel, key, answer: Word::Delivered });
    let raise = desk.disk.deliveries.values().find(|one| one.transition == Transition::Raise).unwrap();
    assert_eq!(raise.state, DeliveryState::Delivered);
    desk.check_replay();
}

#[test]
fn without_a_provider_to_ask_accepted_is_final() {
    let mut set = texting();
    set.channels[0].confirms = false;
    let mut desk = accepted(set);
    desk.wait(10_000);
    assert!(desk.asked.is_empty() && only(&desk).is_settled());
    assert_eq!(last_ok(&desk, "sms"), Some(WallMs(0)));
}

fn probing() -> Settings {
    let mut set = one();
    set.channels[0].probe = true;
    set
}

#[test]
fn a_channel_that_refused_is_tried_by_itself_at_growing_distances_until_it_works() {
    let mut desk = Desk::new(probing());
    desk.refusing = vec!["hook".to_owned()];
    desk.holds(vec![held(CODE, "a")]);
    assert_eq!(desk.degraded, [("hook".to_owned(), true)]);
    desk.told();
    desk.wait(3_600_000);
    let canaries = desk.told();
    assert!(canaries.iter().all(|told| told == "hook canary hook"), "{canaries:?}");
    assert!((6..12).contains(&canaries.len()), "{}", canaries.len());
    desk.refusing.clear();
    desk.wait(1_000_000);
    assert_eq!(desk.degraded.last(), Some(&("hook".to_owned(), false)));
    assert_eq!(desk.told().len(), 1, "one that arrives is enough");
    assert!(last_ok(&desk, "hook").is_some());
    desk.wait(4_000_000);
    assert!(desk.told().is_empty());
    desk.check_replay();
}

#[test]
fn nothing_is_tried_by_itself_where_that_is_not_wanted() {
    let mut desk = Desk::new(one());
    desk.refusing = vec!["hook".to_owned()];
    desk.holds(vec![held(CODE, "a")]);
    desk.wait(3_600_000);
    assert_eq!(desk.told(), ["hook raise a"]);
}

#[test]
fn a_restart_repairs_no_channel() {
    let mut desk = Desk::new(probing());
    desk.refusing = vec!["hook".to_owned()];
    desk.holds(vec![held(CODE, "a")]);
    let mut desk = desk.restart(probing(), 1_000);
    desk.holds(vec![held(CODE, "a")]);
    desk.refusing = vec!["hook".to_owned()];
    desk.wait(200);
    assert_eq!(desk.degraded, [("hook".to_owned(), true)], "said again");
    assert_eq!(desk.told(), ["hook canary hook"], "and tried at once");
    desk.refusing.clear();
    desk.wait(60_000);
    assert_eq!(desk.degraded.last(), Some(&("hook".to_owned(), false)));
}

#[test]
fn two_spells_of_trouble_make_one_chain_of_canaries() {
    let mut desk = Desk::new(probing());
    for _ in 0..5 {
        desk.refusing = vec!["hook".to_owned()];
        desk.ask(Ask::Test { channel: "hook".to_owned(), by: "ann".to_owned() });
        desk.refusing.clear();
        desk.ask(Ask::Test { channel: "hook".to_owned(), by: "ann".to_owned() });
    }
    desk.refusing = vec!["hook".to_owned()];
    desk.ask(Ask::Test { channel: "hook".to_owned(), by: "ann".to_owned() });
    desk.told();
    desk.wait(100_000);
    assert!(desk.told().len() <= 2, "30 s and 60 s later");
}
