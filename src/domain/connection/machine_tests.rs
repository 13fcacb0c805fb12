//! The connection's table, and its promises under random histories.

use super::*;

fn policy() -> Policy {
    Policy { stale_after_ms: Some(2_000), ..Policy::default() }
}

/// A live session at time 100.
fn live() -> Connection {
    let mut c = Connection::new(policy(), 1);
    for event in [Event::Start, Event::Opened, Event::Authenticated, Event::Synced] {
        c.step(Mono(100), event);
    }
    assert_eq!(c.state(), State::Live);
    c
}

fn at(state: State) -> Connection {
    let mut c = Connection::new(policy(), 1);
    let path: &[Event] = match state {
        State::Disconnected => &[],
        State::Connecting => &[Event::Start],
        State::Authenticating => &[Event::Start, Event::Opened],
        State::Syncing => &[Event::Start, Event::Opened, Event::Authenticated],
        State::Backoff => &[Event::Start, Event::Lost(Why::DialFailed)],
        State::Live | State::Stale => &[Event::Start, Event::Opened, Event::Authenticated, Event::Synced],
    };
    for event in path {
        c.step(Mono(100), *event);
    }
    if state == State::Stale {
        c.step(Mono(2_100), Event::Tick);
    }
    assert_eq!(c.state(), state);
    c
}

#[test]
fn the_table() {
    use State::{Authenticating, Backoff, Connecting, Disconnected, Live, Stale, Syncing};
    let rows: &[(State, Event, State, &[Effect])] = &[
        (Disconnected, Event::Start, Connecting, &[Effect::Dial]),
        (Disconnected, Event::Lost(Why::Closed), Disconnected, &[]),
        (Disconnected, Event::Tick, Disconnected, &[]),
        (Connecting, Event::Opened, Authenticating, &[Effect::Authenticate]),
        (Connecting, Event::Lost(Why::DialFailed), Backoff, &[Effect::HangUp(Why::DialFailed)]),
        (Connecting, Event::Synced, Connecting, &[]),
        (Authenticating, Event::Authenticated, Syncing, &[Effect::Sync]),
        (Authenticating, Event::Lost(Why::AuthRefused), Disconnected, &[Effect::HangUp(Why::AuthRefused)]),
        (Authenticating, Event::Lost(Why::Closed), Backoff, &[Effect::HangUp(Why::Closed)]),
        (Syncing, Event::Synced, Live, &[]),
        (Syncing, Event::Lost(Why::SyncFailed), Backoff, &[Effect::HangUp(Why::SyncFailed)]),
        (Live, Event::Lost(Why::Closed), Backoff, &[Effect::HangUp(Why::Closed)]),
        (Live, Event::Resync, Syncing, &[Effect::Sync]),
        (Live, Event::Announced, Live, &[Effect::DialReplacement]),
        (Live, Event::Opened, Live, &[]),
        (Live, Event::Stop, Disconnected, &[Effect::HangUp(Why::Asked)]),
        (Stale, Event::Frame { data: false }, Stale, &[]),
        (Stale, Event::Frame { data: true }, Live, &[]),
        (Stale, Event::Resync, Syncing, &[Effect::Sync]),
        (Backoff, Event::Lost(Why::Closed), Backoff, &[]),
        (Backoff, Event::Frame { data: true }, Backoff, &[]),
        (Backoff, Event::Stop, Disconnected, &[Effect::HangUp(Why::Asked)]),
    ];
    for (from, event, to, effects) in rows {
        let mut c = at(*from);
        let got: Vec<Effect> = c
            .step(Mono(2_100), *event)
            .into_iter()
            .filter(|effect| !matches!(effect, Effect::Changed { .. }))
            .collect();
        assert_eq!(c.state(), *to, "{from:?} on {event:?}");
        assert_eq!(got, *effects, "{from:?} on {event:?}");
    }
}

#[test]
fn pings_keep_a_session_but_do_not_make_it_live() {
    let mut c = live();
    let mut mute_for_long = false;
    for now in (100..60_000).step_by(500) {
        c.step(Mono(now), Event::Frame { data: false });
        mute_for_long |= c.step(Mono(now), Event::Tick).contains(&Effect::HangUp(Why::Mute));
        if (2_200..30_000).contains(&now) {
            assert_eq!(c.state(), State::Stale, "at {now}");
        }
    }
    assert!(mute_for_long, "mute for 30 s after turning stale: try a new session");
}

#[test]
fn silence_is_death() {
    let mut c = Connection::new(Policy::default(), 1);
    for event in [Event::Start, Event::Opened, Event::Authenticated, Event::Synced] {
        c.step(Mono(0), event);
    }
    assert_eq!(c.next_tick(), Some(Mono(30_000)));
    assert!(c.step(Mono(29_999), Event::Tick).is_empty());
    assert!(c.step(Mono(30_000), Event::Tick).contains(&Effect::HangUp(Why::Silent)));
}

#[test]
fn renewal_is_make_before_break() {
    let mut c = Connection::new(Policy { dead_after_ms: u64::MAX, ..Policy::default() }, 1);
    for event in [Event::Start, Event::Opened, Event::Authenticated, Event::Synced] {
        c.step(Mono(0), event);
    }
    let day = 23 * 3_600_000;
    assert_eq!(c.step(Mono(day), Event::Tick), vec![Effect::DialReplacement]);
    assert_eq!(c.state(), State::Live, "the old session keeps working");
    assert!(c.step(Mono(day + 1), Event::Tick).is_empty(), "one replacement at a time");
    assert_eq!(c.step(Mono(day + 2), Event::ReplacementReady), vec![Effect::Promote]);
    assert!(c.step(Mono(day + 3), Event::Tick).is_empty(), "the age starts anew");
    let again = day + 2 + day;
    assert_eq!(c.step(Mono(again), Event::Tick), vec![Effect::DialReplacement]);
    c.step(Mono(again + 1), Event::ReplacementFailed);
    assert!(c.step(Mono(again + 2), Event::Tick).is_empty(), "a failed replacement is not retried at once");
    assert_eq!(c.step(Mono(again + 60_000), Event::Tick), vec![Effect::DialReplacement]);
}

#[test]
fn a_ban_holds_the_dial() {
    let mut c = live();
    c.step(Mono(200), Event::HoldUntil(Mono(90_000)));
    c.step(Mono(200), Event::Lost(Why::Closed));
    assert_eq!(c.next_tick(), Some(Mono(90_000)));
    assert!(c.step(Mono(89_999), Event::Tick).is_empty());
    assert!(c.step(Mono(90_000), Event::Tick).contains(&Effect::Dial));
}

#[test]
fn accept_and_drop_stays_within_the_cap_and_backs_off() {
    let mut c = Connection::new(policy(), 7);
    let mut dials: Vec<u64> = Vec::new();
    c.step(Mono(0), Event::Start);
    dials.push(0);
    let mut now = 0;
    while now < 600_000 {
        for event in [Event::Opened, Event::Authenticated, Event::Synced, Event::Lost(Why::Closed)] {
            c.step(Mono(now), event);
        }
        now = c.next_tick().unwrap().0;
        if c.step(Mono(now), Event::Tick).contains(&Effect::Dial) {
            dials.push(now);
        }
    }
    for start in &dials {
        let within = dials.iter().filter(|at| (*start..start + 30_000).contains(at)).count();
        assert!(within <= 10, "{within} dials within 30 s of {start}");
    }
    assert!(dials.len() > 20, "it keeps trying: {}", dials.len());
    assert!(dials.len() < 80, "short lives do not reset the back-off: {}", dials.len());
}

proptest::proptest! {
    /// Whatever happens in whatever order: the cap holds, and nothing is live without a sync.
    #[test]
    fn promises_hold(seed: u64, events in proptest::collection::vec((0_u8..13, 0_u64..4_000), 1..400)) {
        let mut c = Connection::new(policy(), seed);
        let mut now = 0;
        let mut dials: Vec<u64> = Vec::new();
        let mut may_be_live = false;
        for (kind, gap) in events {
            now += gap;
            let event = match kind {
                0 => Event::Start,
                1 => Event::Opened,
                2 => Event::Authenticated,
                3 => Event::Synced,
                4 => Event::Frame { data: true },
                5 => Event::Frame { data: false },
                6 => Event::Lost(Why::Closed),
                7 => Event::Resync,
                8 => Event::Announced,
                9 => Event::ReplacementReady,
                10 => Event::ReplacementFailed,
                11 => Event::Stop,
                _ => Event::Tick,
            };
            let before = c.state();
            for effect in c.step(Mono(now), event) {
                if matches!(effect, Effect::Dial | Effect::DialReplacement) { dials.push(now); }
            }
            match (before, c.state()) {
                (State::Syncing, State::Live) => may_be_live = true,
                (State::Live | State::Stale, State::Live | State::Stale) => {}
                (_, State::Live) => proptest::prop_assert!(false, "live from {before:?}"),
                (_, State::Stale) => proptest::prop_assert!(may_be_live),
                _ => may_be_live = false,
            }
            if let Some(at) = c.next_tick() {
                proptest::prop_assert!(c.state() != State::Disconnected || at.0 > 0);
            }
        }
        for start in &dials {
            let within = dials.iter().filter(|at| (*start..start + 30_000).contains(at)).count();
            proptest::prop_assert!(within <= 10);
        }
    }
}
