//! Rounds of blows: SIGKILL at random instants, and every fault of the order path.

use super::blows::{Blow, Torture, fault, nightly, seed};
use serde_json::{Value, json};
use std::time::Duration;

fn rounds(usual: u32, long: u32) -> u32 {
    if nightly() { long } else { usual }
}

/// Struck, restarted and compared, over and over on one journal.
#[tokio::test]
async fn killed_at_random_instants_nothing_is_lost_duplicated_or_misstated() {
    let mut torture = Torture::open(seed()).await;
    let mut runtime = torture.desk.start().await;
    for round in 1..=rounds(20, 200) {
        let after = Duration::from_millis(torture.rng.u64(20..1_500));
        runtime = torture.strike(runtime, &Blow::Kill(after)).await;
        torture.ask_again(&runtime).await;
        let verdict = torture.compare(&runtime).await;
        println!("round {round}, killed after {after:?}: {verdict}");
        assert!(verdict.is_clean(), "round {round}: {verdict}");
    }
    {
        let told = torture.notes.lock().unwrap();
        let (accepted, cancels, replacements) = (told.accepted.len(), told.cancels.len(), told.replacements);
        println!("{accepted} orders accepted, {cancels} cancels, {replacements} replacements");
        assert!(accepted > 100 && cancels > 10 && replacements > 5, "too little happened");
    }
    torture.close(runtime).await;
}

/// One fault of the exchange under load, with and without a kill in the middle of it.
async fn under(fault: Value, again_every: Option<Duration>) {
    let mut torture = Torture::open(seed()).await;
    let mut runtime = torture.desk.start().await;
    for round in 1..=rounds(1, 20) {
        let lasts = Duration::from_millis(torture.rng.u64(1_000..2_500));
        let kill = round % 2 == 0 || torture.rng.bool();
        let blow = Blow::Fault { fault: &fault, lasts, again_every, kill };
        runtime = torture.strike(runtime, &blow).await;
        torture.ask_again(&runtime).await;
        let verdict = torture.compare(&runtime).await;
        println!("{fault}, round {round}, {lasts:?}, killed {kill}: {verdict}");
        assert!(verdict.is_clean(), "{fault}, round {round}: {verdict}");
        assert!(verdict.orders > 0);
    }
    torture.close(runtime).await;
}

/// Strikes some orders and lets the others through, so that both kinds meet.
fn some(kind: &str) -> Value {
    json!({"kind": kind, "count": 8})
}

const AGAIN: Option<Duration> = Some(Duration::from_millis(150));

#[tokio::test]
async fn answers_get_lost() {
    under(some("lose_response"), AGAIN).await;
}

#[tokio::test]
async fn requests_get_lost() {
    under(some("lose_request"), AGAIN).await;
}

#[tokio::test]
async fn reports_get_lost() {
    under(some("drop_report"), AGAIN).await;
}

#[tokio::test]
async fn reports_come_twice() {
    under(fault("duplicate_reports"), None).await;
}

#[tokio::test]
async fn reports_swap_places() {
    under(fault("reorder_reports"), None).await;
}

#[tokio::test]
async fn orders_hide_for_a_while() {
    // Within the visibility window of the configuration; with answers lost, so that somebody looks for them.
    let mut torture = Torture::open(seed()).await;
    let mut runtime = torture.desk.start().await;
    for round in 1..=rounds(1, 20) {
        torture.desk.plant(&json!({"kind": "hide_orders", "seconds": 1})).await;
        let lost = some("lose_response");
        let lasts = Duration::from_millis(1_500);
        let blow = Blow::Fault { fault: &lost, lasts, again_every: AGAIN, kill: torture.rng.bool() };
        runtime = torture.strike(runtime, &blow).await;
        torture.ask_again(&runtime).await;
        let verdict = torture.compare(&runtime).await;
        println!("hidden orders, round {round}: {verdict}");
        assert!(verdict.is_clean(), "round {round}: {verdict}");
    }
    torture.close(runtime).await;
}

#[tokio::test]
async fn the_server_errs_and_places() {
    under(json!({"kind": "server_error", "placed": true, "count": 8}), AGAIN).await;
}

#[tokio::test]
async fn the_server_errs_and_does_not_place() {
    under(json!({"kind": "server_error", "placed": false, "count": 8}), AGAIN).await;
}

#[tokio::test]
async fn connections_are_reset_in_a_storm() {
    // Between two resets the book comes back into step: without a price nothing would be ordered at all.
    under(fault("disconnect"), Some(Duration::from_millis(700))).await;
}
