//! Secrets through the whole machinery, in a configuration of its own: the runtime's settings hold
//! none yet.

use crate::support::{env, file};
use plimsoll::cli::config::refuse;
use plimsoll::config::schema::schema;
use plimsoll::config::{
    ConfigErrors, Configuration, Inputs, KeyPath, Loaded, Place, Problems, SecretRef, load,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const CANARY: &str = "hunter2-canary";

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Vault {
    venue: Venue,
}

#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Venue {
    /// Signs requests.
    api_key: Option<SecretRef>,
    /// A secret whose name does not say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pepper: Option<SecretRef>,
    /// No secret, and so without a sibling.
    log: Option<String>,
}

impl Configuration for Vault {
    fn validate(&self, _: &mut Problems) {}

    fn secrets(&self) -> Vec<(KeyPath, &SecretRef)> {
        self.venue.api_key.iter().map(|secret| (KeyPath::from("venue.api_key"), secret)).collect()
    }
}

fn try_load(file: &Path, pairs: &[(&str, &str)]) -> Result<Loaded<Vault>, ConfigErrors> {
    load(Inputs { file: Some(file), env: &env(pairs), flags: &[] })
}

/// The report of a refused file, for a person and for a program; neither may hold the secret.
fn report(file: &Path, pairs: &[(&str, &str)]) -> (String, serde_json::Value) {
    let errors = try_load(file, pairs).unwrap_err();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    assert_eq!(refuse(&errors, false, &mut Vec::new(), &mut err).unwrap().code(), 3);
    assert_eq!(refuse(&errors, true, &mut out, &mut Vec::new()).unwrap().code(), 3);
    let (human, json) = (String::from_utf8(err).unwrap(), String::from_utf8(out).unwrap());
    for text in [&human, &json, &format!("{errors:?}")] {
        assert!(!text.contains(CANARY), "a secret is printed:\n{text}");
    }
    (human, serde_json::from_str::<serde_json::Value>(&json).unwrap()["problems"][0].clone())
}

/// A secret file with this content and mode, and a configuration that names it on line 2.
fn with_file(content: impl AsRef<[u8]>, mode: u32) -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, content).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    let path = dir.path().join("plimsoll.yaml");
    std::fs::write(&path, format!("venue:\n  api_key_file: {}\n", key.display())).unwrap();
    (dir, path)
}

fn value(loaded: &Loaded<Vault>, pairs: &[(&str, &str)]) -> String {
    loaded.settings.venue.api_key.as_ref().unwrap().resolve(&env(pairs)).unwrap().expose().to_owned()
}

#[test]
fn a_private_file_is_read_without_its_line_break() {
    let (_dir, path) = with_file(format!("{CANARY}\n"), 0o600);
    let loaded = try_load(&path, &[]).unwrap();
    assert_eq!(value(&loaded, &[]), CANARY);
    let shown = format!("{loaded:?}{:?}", loaded.effective().unwrap());
    assert!(!shown.contains(CANARY) && shown.contains("[REDACTED]"));
    assert!(matches!(
        loaded.document.origin(&KeyPath::from("venue.api_key")),
        Place::File { position: Some(at), .. } if at.line == 2
    ));
}

#[test]
fn a_variable_is_read_and_never_shown() {
    let (_dir, path) = file("venue: {}\n");
    let pairs = [("PLIMSOLL__VENUE__API_KEY", CANARY)];
    let loaded = try_load(&path, &pairs).unwrap();
    assert_eq!(value(&loaded, &pairs), CANARY);
    let shown = format!("{loaded:?}{:?}", loaded.effective().unwrap());
    assert!(!shown.contains(CANARY), "{shown}");
}

#[test]
fn a_variable_beats_the_file_and_two_variables_are_refused() {
    let (_dir, path) = with_file("from-file", 0o600);
    let own = ("PLIMSOLL__VENUE__API_KEY", CANARY);
    assert_eq!(value(&try_load(&path, &[own]).unwrap(), &[own]), CANARY);
    let (_, problem) = report(&path, &[own, ("PLIMSOLL__VENUE__API_KEY_FILE", "/x")]);
    assert_eq!(problem["code"], "secret_twice");
}

#[test]
fn a_variable_does_not_excuse_a_secret_in_the_file() {
    let (_dir, path) = file(format!("venue:\n  api_key: {CANARY}\n"));
    for pairs in [
        vec![("PLIMSOLL__VENUE__API_KEY", "x")],
        vec![("PLIMSOLL__VENUE__API_KEY", "x"), ("PLIMSOLL__VENUE__API_KEY_FILE", "/x")],
    ] {
        let (human, problem) = report(&path, &pairs);
        assert_eq!((&problem["code"], &problem["line"]), (&"inline_secret".into(), &2.into()), "{human}");
    }
}

#[test]
fn an_inline_secret_is_refused_and_not_repeated() {
    for text in [
        format!("venue:\n  api_key: {CANARY}\n"),
        format!("venue:\n  api_key: \"{CANARY}\"\n  api_key_file: /x\n"),
        format!("venue:\n  api_key: [{CANARY}]\n"),
    ] {
        let (_dir, path) = file(text);
        let (human, problem) = report(&path, &[]);
        assert_eq!(problem["code"], "inline_secret", "{human}");
        assert_eq!((&problem["line"], &problem["column"]), (&2.into(), &12.into()));
        assert_eq!(problem["path"], "venue.api_key");
        assert!(human.contains("PLIMSOLL__VENUE__API_KEY") && human.contains("`api_key_file`"), "{human}");
        assert!(human.contains("2 |   api_key: [REDACTED]"), "{human}");
    }
}

#[test]
fn a_secret_is_known_by_its_type_not_its_name() {
    let (_dir, path) = file(format!("venue: {{pepper: {CANARY}}}\n"));
    let (human, problem) = report(&path, &[]);
    assert_eq!((&problem["code"], &problem["column"]), (&"inline_secret".into(), &17.into()));
    assert!(human.contains("1 | venue: {pepper: [REDACTED]"), "{human}");
}

#[test]
fn a_secret_under_a_mistyped_key_is_not_repeated() {
    let (_dir, path) = file(format!("venue:\n  api_keys: {CANARY}\n"));
    let (human, problem) = report(&path, &[]);
    assert_eq!(problem["code"], "unknown_key");
    assert!(human.contains("did you mean `api_key`?"));
}

#[test]
fn a_file_that_others_may_touch_is_refused() {
    for mode in [0o640, 0o604, 0o644, 0o620, 0o602] {
        let (_dir, path) = with_file(CANARY, mode);
        let (human, problem) = report(&path, &[]);
        assert_eq!(problem["code"], "secret_file_mode", "{human}");
        assert_eq!((&problem["line"], &problem["column"]), (&2.into(), &17.into()), "{human}");
        assert!(human.contains("chmod 600") && human.contains(&format!("{mode:03o}")), "{human}");
    }
}

#[test]
fn an_empty_an_endless_and_a_binary_file_are_refused() {
    for (content, code, cause) in [
        (Vec::new(), "secret_empty", "the secret is empty"),
        (b"  \n".to_vec(), "secret_empty", "the secret is empty"),
        (vec![b'x'; 64 * 1024 + 1], "secret_file", "more than 65536 bytes"),
        (vec![0xff, 0xfe], "secret_file", "not valid UTF-8"),
    ] {
        let (_dir, path) = with_file(content, 0o600);
        let (human, problem) = report(&path, &[]);
        assert_eq!(problem["code"], code, "{human}");
        assert_eq!((&problem["line"], &problem["path"]), (&2.into(), &"venue.api_key".into()), "{human}");
        assert!(human.contains(cause), "{human}");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_refused() {
    let (dir, path) = with_file(CANARY, 0o600);
    std::fs::remove_file(dir.path().join("key")).unwrap();
    assert!(report(&path, &[]).0.contains("does not exist"));
    std::fs::create_dir(dir.path().join("key")).unwrap();
    assert!(report(&path, &[]).0.contains("a directory"));
}

#[test]
fn only_a_secret_has_a_sibling() {
    let (_dir, path) = file("venue: {log_file: /x}\n");
    let (human, problem) = report(&path, &[]);
    assert_eq!(
        (&problem["code"], &problem["path"]),
        (&"unknown_key".into(), &"venue.log_file".into()),
        "{human}"
    );
    assert_eq!((&problem["line"], &problem["column"]), (&1.into(), &9.into()), "{human}");
}

#[test]
fn the_schema_offers_the_file_and_not_the_secret() {
    let schema: serde_json::Value = serde_json::from_str(&schema::<Vault>()).unwrap();
    let venue = schema["$defs"]["Venue"]["properties"].as_object().unwrap();
    let keys: Vec<_> = venue.keys().cloned().collect();
    assert_eq!(keys, ["api_key_file", "pepper_file", "log"]);
}
