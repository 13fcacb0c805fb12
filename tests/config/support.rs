//! Runs a `config` command on a file, with an environment made of pairs.

use plimsoll::cli::Exit;
use plimsoll::cli::config::{ConfigCommand, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn command(command: ConfigCommand, environment: &[(&str, &str)]) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(command, &env(environment), &mut out, &mut err);
    Answer { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

pub(crate) fn check(file: Option<&Path>, json: bool, environment: &[(&str, &str)]) -> Answer {
    command(ConfigCommand::Check { config: file.map(Path::to_owned), json }, environment)
}

pub(crate) fn show(file: Option<&Path>, json: bool, environment: &[(&str, &str)]) -> Answer {
    command(ConfigCommand::Show { config: file.map(Path::to_owned), json }, environment)
}

/// A folder with one configuration file in it.
pub(crate) fn file(bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plimsoll.yaml");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
