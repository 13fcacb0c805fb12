//! The detection matrix: each way to break the desk, and what is said about it, how soon, to whom, and until when.
//!
//! Each row has its own exchange, its own process and its own receiver on real sockets. A row passes when exactly the
//! expected alerts came, within their time, were delivered, contained where that is automatic, and cleared after the
//! healing. The last row breaks nothing: a healthy run under load says nothing. `PLIMSOLL_MATRIX_QUIET` is its length
//! in seconds (60 unless set; an hour with `PLIMSOLL_NIGHTLY=1`). `PLIMSOLL_MATRIX_OUT` names a file that the table of
//! the others is written to, `PLIMSOLL_MATRIX_ONLY` those to run, with commas between them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod desk;
mod rows;
mod run;

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod support;

#[path = "drill.rs"]
mod drill;

use rows::{Break, ROWS, Row};
use run::Found;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Rows that run at once.
const AT_ONCE: usize = 5;

/// Runs rows, some at once; answers what came of each, in the order of the table.
fn run_all(rows: impl Iterator<Item = &'static Row>) -> Vec<(&'static Row, Found)> {
    let queue: VecDeque<&'static Row> = rows.collect();
    let queue = Arc::new(Mutex::new(queue));
    let found = Arc::new(Mutex::new(Vec::new()));
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (queue, found) = (Arc::clone(&queue), Arc::clone(&found));
            std::thread::spawn(move || {
                loop {
                    let Some(row) = queue.lock().unwrap().pop_front() else { return };
                    let result = run::row(row);
                    println!("{}", run::line(row, &result));
                    found.lock().unwrap().push((row, result));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
    let mut found = Arc::into_inner(found).unwrap().into_inner().unwrap();
    found.sort_by_key(|(row, _)| ROWS.iter().position(|one| one.name == row.name));
    found
}

fn assert_as_expected(found: &[(&'static Row, Found)]) {
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|(row, result)| result.wrong(row).into_iter().map(|why| format!("{}: {why}", row.name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fault_is_seen_told_contained_and_over_when_it_is_healed() {
    let only = std::env::var("PLIMSOLL_MATRIX_ONLY").ok();
    let chosen = |row: &&'static Row| {
        row.breaks != Break::Nothing
            && only.as_ref().is_none_or(|only| only.split(',').any(|one| one == row.name))
    };
    let found = run_all(ROWS.iter().filter(chosen));
    let table = run::table(&found);
    println!("{table}");
    if let Ok(path) = std::env::var("PLIMSOLL_MATRIX_OUT") {
        std::fs::write(path, &table).unwrap();
    }
    assert_as_expected(&found);
}

/// The row that breaks nothing. It is a test of its own to be run alone: a load beside it that comes and goes is a change,
/// and the drift sentry may say so.
#[test]
fn a_healthy_run_under_load_raises_nothing() {
    let found = run_all(ROWS.iter().filter(|row| row.breaks == Break::Nothing));
    println!("{}", run::table(&found));
    assert!(!found.is_empty());
    assert_as_expected(&found);
}

/// Every fault of the exchange has a row, so that a new one cannot be forgotten.
#[test]
fn every_kind_of_fault_has_a_row() {
    for kind in plimsoll::paper_exchange::faults::FaultKind::NAMES {
        let there = ROWS.iter().any(|row| row.name == kind || row.name.starts_with(&format!("{kind}/")));
        assert!(there, "{kind} has no row");
    }
}
