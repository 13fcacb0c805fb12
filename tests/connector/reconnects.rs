//! Reconnecting again and again: nothing is left behind, and the venue's connect limit holds.

use super::desk::{Desk, config, limit, run};
use super::scripted::{Peer, Say};
use plimsoll::domain::connection::State;
use plimsoll::domain::order_types::Side;
use plimsoll::domain::outcome::Outcome;
use plimsoll::venues::Venue;

/// Reconnects in an ordinary run, and with `PLIMSOLL_NIGHTLY=1`.
const FEW: usize = 300;
const MANY: usize = 10_000;

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[test]
fn reconnects_leak_nothing() {
    run(|| async {
        let rounds = if std::env::var_os("PLIMSOLL_NIGHTLY").is_some() { MANY } else { FEW };
        let peer = Peer::start().await;
        let mut settings = config(peer.addr);
        for policy in [&mut settings.order_session, &mut settings.market_session] {
            // As fast as it goes: the cap and the back-off have tests of their own.
            (policy.backoff_first_ms, policy.backoff_max_ms) = (1, 1);
        }
        let desk = Desk::live(settings).await;
        let cycle = async |n: usize| {
            // A call in flight with each cut, so that its end is exercised too.
            peer.script("order.place", [Say::Cut]);
            let outcome = desk.venue.place(limit(&format!("n{n}"), Side::Buy, "1", "1")).await;
            assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
            peer.say("market", Say::Cut);
            desk.until_state(State::Live).await;
        };
        for n in 0..50 {
            cycle(n).await;
        }
        let before = (open_files(), tasks(), resident_kib());
        for n in 50..rounds {
            cycle(n).await;
        }
        // What was cut last is still being closed: at most a handful of sockets and tasks.
        let after = (open_files(), tasks(), resident_kib());
        println!("files, tasks, KiB: {before:?} -> {after:?} after {rounds} reconnects");
        assert!(after.0 <= before.0 + 8, "files {before:?} -> {after:?}");
        assert!(after.1 <= before.1 + 12, "tasks {before:?} -> {after:?}");
        assert!(after.2 <= before.2 + 24 * 1_024, "resident {before:?} -> {after:?}");
        let evidence = desk.venue.evidence();
        assert!(usize::try_from(evidence.orders.reconnects).unwrap() >= rounds, "{evidence:?}");
        assert!(peer.open().1 <= 8, "never more than a few connections at once: {:?}", peer.open());
    });
}

#[test]
fn the_connect_cap_holds_against_a_peer_that_accepts_and_drops() {
    run(|| async {
        let peer = Peer::start().await;
        let mut settings = config(peer.addr);
        settings.order_session.connect_cap = 10;
        (settings.order_session.backoff_first_ms, settings.order_session.backoff_max_ms) = (1, 1);
        peer.script("time", std::iter::repeat_n(Say::Cut, 1_000));
        let desk = Desk::open(settings);
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let evidence = desk.venue.evidence();
        assert_eq!((evidence.orders.attempts, evidence.orders.state), (10, State::Backoff));
    });
}
