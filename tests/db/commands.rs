//! `plimsoll journal` as an operator uses it: on a journal that is in use, on a damaged one, on none.

use crate::support::*;
use std::path::Path;
use std::process::{Command, Output};

fn journal(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .arg("journal")
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_journal_in_use_is_verified_exported_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    writer.append(&[rows(1, 30)]).unwrap();
    let verified = journal(dir.path(), &["verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stderr));
    assert!(text(&verified.stdout).starts_with("ok: rows 1 to 31;"), "{}", text(&verified.stdout));
    let verdict: serde_json::Value =
        serde_json::from_slice(&journal(dir.path(), &["verify", "--json"]).stdout).unwrap();
    assert_eq!((&verdict["ok"], &verdict["head"]), (&true.into(), &31.into()));
    let exported = journal(dir.path(), &["export"]);
    let lines: Vec<serde_json::Value> =
        text(&exported.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 31);
    assert_eq!((&lines[0]["kind"], &lines[1]["payload"]["n"]), (&"genesis".into(), &1000.into()));
    let tail = journal(dir.path(), &["tail", "-n", "3"]);
    let shown: Vec<&str> = text(&tail.stdout).lines().collect();
    assert_eq!(shown.len(), 3);
    assert!(shown[2].trim_start().starts_with("31 "), "{}", shown[2]);
    // It was only looked at.
    writer.append(&[rows(2, 1)]).unwrap();
}

#[test]
fn a_damaged_journal_names_its_row_and_its_page() {
    let dir = tempfile::tempdir().unwrap();
    writer(dir.path()).append(&[rows(1, 30)]).unwrap();
    sql(dir.path(), "DROP TRIGGER journal_rows_never_change; UPDATE journal SET kind = 'x' WHERE seq = 9")
        .unwrap();
    let verified = journal(dir.path(), &["verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let says = text(&verified.stderr);
    assert!(says.contains("row 9") && says.contains("journal_corrupt"), "{says}");
    let verdict: serde_json::Value =
        serde_json::from_slice(&journal(dir.path(), &["verify", "--json"]).stdout).unwrap();
    assert_eq!((&verdict["ok"], &verdict["first_bad"]), (&false.into(), &9.into()));
    assert_eq!(verdict["runbook"], "journal_corrupt");
    let exported = journal(dir.path(), &["export"]);
    assert_eq!(exported.status.code(), Some(1));
    assert_eq!(text(&exported.stdout).lines().count(), 8, "what can be trusted");
}

#[test]
fn no_journal_is_said_and_none_is_made() {
    let dir = tempfile::tempdir().unwrap();
    for verb in ["verify", "export", "tail"] {
        let answer = journal(dir.path(), &[verb]);
        assert_eq!(answer.status.code(), Some(1), "{verb}");
        assert!(text(&answer.stderr).contains("no journal here"), "{}", text(&answer.stderr));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
