//! Every drift file and every trace of the reference, bit for bit.

use crate::numbers::{Raw, exact, golden, list, object};
use plimsoll::domain::detectors::{Detector, Parameters, Step, read_series};
use plimsoll::domain::drift::{build, replay};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The detectors of a reference file that are ours: the name without what distinguishes the settings.
fn ours(id: &str) -> Option<&'static str> {
    ["adwin", "page_hinkley"]
        .into_iter()
        .find(|name| id.starts_with(name) || (*name == "page_hinkley" && id.starts_with("ph_")))
}

fn made(name: &str, params: &str) -> Box<dyn Detector> {
    let params = object(params);
    let texts: Vec<String> =
        params.iter().map(|(key, value)| format!("{key}={}", value.get().trim_matches('"'))).collect();
    build(name, Parameters::read(texts.iter().map(String::as_str)).unwrap()).unwrap()
}

fn same_state(wanted: &Raw, detector: &dyn Detector, context: &str) {
    let state = detector.state();
    for (key, value) in wanted {
        let found = state[key].as_f64().unwrap_or_else(|| panic!("{context}: no {key}"));
        assert_eq!(found.to_bits(), exact(value.get()).to_bits(), "{context}: {key} is {found}, not {value}");
    }
    assert_eq!(state.as_object().unwrap().len(), wanted.len(), "{context}: other names");
}

fn checksum(series: &[f64]) -> String {
    let mut hash = Sha256::new();
    series.iter().for_each(|x| hash.update(x.to_le_bytes()));
    hex::encode(hash.finalize())
}

/// Streams and detectors that were compared in one file.
fn compare(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let file = object(&text);
    let series = read_series(&text, "input").unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let sum: String = serde_json::from_str(file["sha256_f64le"].get()).unwrap();
    assert_eq!(checksum(&series), sum, "{name}: the input was not read as it was written");
    let mut compared = 0;
    for (id, one) in object(file["detectors"].get()) {
        let Some(kind) = ours(&id) else { continue };
        let one = object(one.get());
        let mut detector = made(kind, one["params"].get());
        let found = replay(detector.as_mut(), &series);
        let wanted: Vec<usize> = serde_json::from_str(one["detections"].get()).unwrap();
        assert_eq!(found.detections, wanted, "{name}/{id}");
        if let Some(state) = one.get("final_state") {
            same_state(&object(state.get()), detector.as_ref(), &format!("{name}/{id}"));
        }
        compared += 1;
    }
    compared
}

#[test]
fn every_stream_gives_the_reference_indices_and_states() {
    let Some(folder) = golden() else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut compared = 0;
    for path in &files {
        let name = name(path);
        let special = ["drift_summary.json", "drift_river_docexample.json"].contains(&name.as_str());
        if name.starts_with("drift_") && name.ends_with(".json") && !special {
            compared += compare(path);
        }
    }
    println!("{compared} pairs of stream and detector are equal bit for bit");
    assert!(compared >= 49, "only {compared} pairs were found");
}

#[test]
fn every_row_of_every_trace_is_the_reference_s() {
    let Some(folder) = golden() else { return };
    let input = std::fs::read_to_string(folder.join("drift_mean_shift.json")).unwrap();
    let series = read_series(&input, "input").unwrap();
    for id in ["ph_default_both", "ph_tuned_both", "adwin_default"] {
        let text = std::fs::read_to_string(folder.join(format!("trace_mean_shift__{id}.json"))).unwrap();
        let file = object(&text);
        let columns: Vec<String> = serde_json::from_str(file["columns"].get()).unwrap();
        let rows: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(file["rows"].get()).unwrap();
        assert_eq!(rows.len(), series.len());
        let mut detector = made(ours(id).unwrap(), file["params"].get());
        for (at, (x, row)) in series.iter().zip(&rows).enumerate() {
            let seen = matches!(detector.update(*x), Step::Detected(_));
            let state = detector.state();
            for (column, wanted) in columns.iter().zip(list(row.get())) {
                let drift = if seen { 1.0 } else { 0.0 };
                let found = if column == "drift" { drift } else { state[column].as_f64().unwrap() };
                assert_eq!(
                    found.to_bits(),
                    wanted.to_bits(),
                    "{id} row {at} {column}: {found} is not {wanted}"
                );
            }
        }
    }
}

#[test]
fn the_documented_example_gives_the_documented_indices() {
    let Some(folder) = golden() else { return };
    let text = std::fs::read_to_string(folder.join("drift_river_docexample.json")).unwrap();
    let series = read_series(&text, "input").unwrap();
    let documented = object(object(&text)["expected_documented"].get());
    for (name, id) in [("page_hinkley", "PageHinkley"), ("adwin", "ADWIN")] {
        let wanted: Vec<usize> = serde_json::from_str(documented[id].get()).unwrap();
        let mut detector = build(name, Parameters::default()).unwrap();
        assert_eq!(replay(detector.as_mut(), &series).detections, wanted, "{name}");
    }
}
