//! `plimsoll kpi FILE`.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn kpi(file: &Path, more: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_plimsoll");
    Command::new(program)
        .arg("kpi")
        .arg(file)
        .args(["--periods-per-year", "252"])
        .args(more)
        .output()
        .unwrap()
}

fn written(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_reference_file_answers_its_own_reference_block() {
    let Some(folder) = std::env::var_os("PLIMSOLL_GOLDEN") else {
        println!("skipped: PLIMSOLL_GOLDEN is not set");
        return;
    };
    let path = Path::new(&folder).join("kpi_hand10.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let made = answer(&kpi(&path, &["--json"]));
    for (name, wanted) in file["reference"].as_object().unwrap() {
        match wanted.as_f64() {
            Some(wanted) => {
                let got = made[name].as_f64().unwrap_or_else(|| panic!("{name} is {}", made[name]));
                assert!((got - wanted).abs() <= 1e-12 * wanted.abs(), "{name}: {got} is not {wanted}");
            }
            None => assert_eq!(&made[name], wanted, "{name}"),
        }
    }
}

#[test]
fn lines_and_json_answer_the_same() {
    let lines = written("0.01\n-0.02\n0.03\n");
    let json = written(r#"{"returns": [0.01, -0.02, 0.03]}"#);
    assert_eq!(answer(&kpi(lines.path(), &["--json"])), answer(&kpi(json.path(), &["--json"])));
}

#[test]
fn what_is_undefined_says_why() {
    let file = written("0.01\n");
    let made = answer(&kpi(file.path(), &["--json"]));
    assert_eq!(
        made["sharpe_ann"],
        serde_json::json!({"undefined": "too_few_observations", "have": 1, "need": 2})
    );
    assert_eq!(made["calmar_252"]["undefined"], "no_drawdown");
    assert_eq!(made["deflated_sharpe"]["undefined"], "trials_unknown");
    let told = kpi(file.path(), &[]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("undefined: too_few_observations (have 1, need 2)"), "{told}");
}

#[test]
fn trials_give_a_deflated_ratio() {
    let file = written("0.01\n-0.02\n0.03\n0.01\n0.02\n");
    let alone = answer(&kpi(file.path(), &["--json"]));
    let many = answer(&kpi(file.path(), &["--json", "--trials", "100", "--trials-variance", "0.5"]));
    let deflated = many["deflated_sharpe"].as_f64().unwrap();
    assert!(deflated < alone["probabilistic_sharpe"].as_f64().unwrap() && deflated > 0.0);
    assert_eq!(many["trials"], 100);
}

#[test]
fn bad_input_is_refused_with_its_place_and_bad_usage_with_two() {
    let bad = written("0.01\nNaN\n");
    let refused = kpi(bad.path(), &["--json"]);
    let says = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty() && says.contains("line 2: \"NaN\" is not a finite number"), "{says}");
    let absent = kpi(Path::new("/nowhere/at/all"), &[]);
    assert_eq!(absent.status.code(), Some(1));
    let good = written("0.01\n");
    for wrong in
        [["--periods-per-year", "0"], ["--periods-per-year", "inf"], ["--confidence", "1"], ["--trials", "5"]]
    {
        let program = env!("CARGO_BIN_EXE_plimsoll");
        let mut command = Command::new(program);
        command.arg("kpi").arg(good.path());
        if wrong[0] != "--periods-per-year" {
            command.args(["--periods-per-year", "252"]);
        }
        let output = command.args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
