//! Intents of containment on a real disk: one transaction with their facts, what a start goes on from, what leaves.

use crate::support::*;
use plimsoll::db::{IntentFilter, Readers, Writer};
use plimsoll::domain::containment::{Intent, KIND, State, Target, batch};
use plimsoll::domain::health::SafeAction;
use plimsoll::domain::journal::{Seq, Ticket};
use plimsoll::domain::time::WallMs;

fn intent(number: u64, state: State, at: i64) -> Intent {
    Intent {
        number,
        because: "venue_quotes_stale:paper/BTCUSDT".to_owned(),
        code: "venue_quotes_stale".to_owned(),
        precondition: "state=running".to_owned(),
        action: SafeAction::Pause,
        target: Target::Strategy("quoter".to_owned()),
        verify: "the desk takes no new entries".to_owned(),
        budget: 3,
        window_ms: 600_000,
        spent: 1,
        state,
        outcome: String::new(),
        requested_at: WallMs(at),
        carried_out_at: None,
        ended_at: state.is_final().then_some(WallMs(at + 5)),
    }
}

fn append(writer: &mut Writer, intents: &[Intent]) {
    let batches: Vec<_> =
        intents.iter().map(|one| batch(one, Ticket(one.number), WallMs(9)).unwrap()).collect();
    writer.append(&batches).unwrap();
}

#[test]
fn an_intent_and_its_facts_are_one_and_the_last_word_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    let before = open.head().seq;
    let proposed = intent(1, State::Proposed, 1_000);
    // Two changes of one intent in one transaction: both are facts, the later one is the record.
    append(&mut open, &[proposed.clone(), Intent { state: State::CarriedOut, ..proposed.clone() }]);
    append(&mut open, &[intent(2, State::Recommended, 2_000)]);
    let rows = open.rows_after(before, 10).unwrap();
    assert!(rows.iter().all(|row| row.kind == KIND), "{rows:?}");
    let facts: Vec<Intent> = rows.iter().map(|row| serde_json::from_str(&row.payload).unwrap()).collect();
    assert_eq!(
        facts.iter().map(|one| one.state.word()).collect::<Vec<_>>(),
        ["proposed", "carried_out", "recommended"]
    );
    drop(open);

    let readers = Readers::lazy(dir.path());
    let all = readers.containment(IntentFilter::default(), None, 10).unwrap();
    assert_eq!(all.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((all[0].state, &all[1]), (State::CarriedOut, &intent(2, State::Recommended, 2_000)));
    let under_way = readers.containment(IntentFilter { open_only: true }, None, 10).unwrap();
    assert_eq!(under_way.len(), 1);
    assert_eq!(readers.containment(IntentFilter::default(), Some(1), 1).unwrap()[0].number, 2);
    writer(dir.path()).verify_from_last().unwrap();
}

#[test]
fn a_start_goes_on_from_what_had_not_ended_and_what_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    let long_ago = intent(1, State::Proposed, 1_000);
    append(
        &mut open,
        &[
            long_ago,
            intent(2, State::Verified, 1_500),
            intent(3, State::Failed, 5_000),
            intent(4, State::Recommended, 6_000),
        ],
    );
    let restored = Readers::lazy(dir.path()).containment_to_restore(WallMs(2_000)).unwrap();
    assert_eq!(restored.last_number, 4);
    assert_eq!(restored.intents.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 3, 4]);
}

#[test]
fn what_ended_long_ago_leaves_and_what_is_under_way_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = writer(dir.path());
    append(
        &mut open,
        &[
            intent(1, State::Verified, 1_000),
            intent(2, State::CarriedOut, 1_000),
            intent(3, State::Verified, 3_000),
            intent(4, State::Refused, 1_000),
        ],
    );
    let pruned = open.prune(WallMs(2_000), 0).unwrap();
    assert_eq!((pruned.intents, pruned.next), (1, None));
    let left = Readers::lazy(dir.path()).containment(IntentFilter::default(), None, 10).unwrap();
    assert_eq!(left.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 3, 4], "the youngest stays");
    assert!(open.head().seq > Seq(4), "the journal's rows stay");
}
