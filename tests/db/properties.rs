//! Whatever comes in whatever order: rows stay contiguous, the chain holds, and a snapshot saves reading only.

use crate::support::*;
use plimsoll::db::*;
use plimsoll::domain::journal::{Batch, Row, Seq};
use plimsoll::domain::order::OrderState;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    /// Batches in one transaction, with so many rows each.
    Append(Vec<u8>),
    /// Rows and the state after them.
    Snapshot(u8),
    /// Rows and an order whose id is taken: nothing of it may stay.
    Contradict(u8),
    /// Another process begins where this one ends.
    Reopen,
    Archive,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => prop::collection::vec(0_u8..40, 1..5).prop_map(Step::Append),
        2 => (0_u8..40).prop_map(Step::Snapshot),
        1 => (0_u8..40).prop_map(Step::Contradict),
        1 => Just(Step::Reopen),
        2 => Just(Step::Archive),
    ];
    prop::collection::vec(step, 1..25)
}

/// What a reader would make of the rows: the sum of what they say, in order.
fn fold(before: u64, rows: &[Row]) -> u64 {
    rows.iter()
        .fold(before, |sum, row| sum.wrapping_mul(31).wrapping_add(row.seq.0 ^ row.at.0.unsigned_abs()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_contiguous_and_a_snapshot_is_its_beginning(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let mut open = writer(dir.path());
        open.append(&[Batch { orders: vec![order(1, OrderState::Filled)], ..Batch::default() }]).unwrap();
        let (mut expected, mut ticket) = (1_u64, 0_u64);
        let mut live = fold(0, &open.rows_after(Seq(0), 10).unwrap());
        for step in steps {
            ticket += 1;
            let before = open.head().seq;
            match step {
                Step::Append(sizes) => {
                    let batches: Vec<Batch> = sizes.iter().map(|n| rows(ticket, u64::from(*n))).collect();
                    let appended = open.append(&batches).unwrap();
                    expected += sizes.iter().map(|n| u64::from(*n)).sum::<u64>();
                    prop_assert_eq!(appended.first.0, before.0 + 1);
                    live = fold(live, &open.rows_after(before, 1_000).unwrap());
                }
                Step::Snapshot(n) => {
                    // The state must be known before it is written, as for its real author.
                    open.append(&[rows(ticket, u64::from(n))]).unwrap();
                    live = fold(live, &open.rows_after(before, 1_000).unwrap());
                    open.append(&[with_snapshot(ticket, 0, &live.to_string())]).unwrap();
                    expected += u64::from(n);
                }
                Step::Contradict(n) => {
                    let mut wrong = order(1_000 + ticket, OrderState::PendingSubmit);
                    wrong.client_order_id = order(1, OrderState::Filled).client_order_id;
                    let batch = Batch { orders: vec![wrong], ..rows(ticket, u64::from(n)) };
                    prop_assert!(open.append(&[batch]).is_err());
                }
                Step::Reopen => {
                    drop(open);
                    open = writer(dir.path());
                    open.verify_from_last().unwrap();
                }
                Step::Archive => {
                    open.archive(Keep { rows: 20, slice: 10 }).unwrap();
                }
            }
            prop_assert_eq!(open.head().seq.0, expected);
        }
        let verified = Inspector::open(dir.path()).unwrap().verify().unwrap();
        prop_assert_eq!(verified.head, open.head());
        prop_assert_eq!(verified.rows + verified.archived, expected);
        // From the snapshot on, and from the first row on: the same.
        let (from, state) = match open.latest_snapshot().unwrap() {
            Some(snapshot) => (snapshot.at.seq, snapshot.state.parse().unwrap()),
            None => (Seq(0), 0),
        };
        prop_assert_eq!(fold(state, &open.rows_after(from, 100_000).unwrap()), live);
        let mut all = Vec::new();
        Inspector::open(dir.path()).unwrap().export(|row| { all.push(row); Ok(()) }).unwrap();
        prop_assert_eq!(fold(0, &all), live);
    }
}
