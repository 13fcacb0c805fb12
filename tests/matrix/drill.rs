//! The proof, through the command line: `plimsoll drill feed-outage`.

use serde_json::Value;
use std::process::Command;

#[test]
fn the_drill_of_a_mute_feed_passes() {
    let below = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["drill", "feed-outage", "--json", "--below"])
        .arg(below.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}\n{}", String::from_utf8_lossy(&output.stderr)));
    for line in report["lines"].as_array().unwrap() {
        println!(
            "{:<5} {:>8} of {:>6} s  {}  {}",
            line["met"], line["after_seconds"], line["within_seconds"], line["what"], line["evidence"]
        );
    }
    assert!(output.status.success(), "{report:#}");
    assert_eq!(report["lines"].as_array().unwrap().len(), 15);
    assert_eq!(std::fs::read_dir(below.path()).unwrap().count(), 0, "it leaves nothing behind");
}
