//! Keeps the evidence behind every change of what was judged, so that each alert can be judged again.
//!
//! One line of JSON per change, in a file that is bounded by moving it aside once. Written by a thread of its own behind
//! a small queue: a slow disk loses lines, counted, and never holds the sentinel up. Nothing is read back here.

use crate::domain::health::{HealthSettings, Table, Verdicts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The file's name in the data directory; the one before it has `.1` behind it.
pub const EVIDENCE_FILE: &str = "evidence.jsonl";
/// Largest file, bytes.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Lines that may wait.
const WAITING_MAX: usize = 16;

/// One line: by which limits, from what, and what stood. Judging `table` by `settings` at `table.at` gives `alerts`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The judge's limits.
    pub settings: HealthSettings,
    /// The evidence.
    pub table: Table,
    /// Each component that is not healthy, and how it is.
    pub ill: BTreeMap<String, String>,
    /// The alerts of the hard rules that stand, each with its cause.
    pub alerts: Vec<(String, Option<String>)>,
}

impl Entry {
    /// What the judge said of this evidence.
    #[must_use]
    pub fn of(settings: &HealthSettings, table: &Table, verdicts: &Verdicts) -> Self {
        let ill = verdicts.0.iter().filter(|verdict| !verdict.is_healthy());
        let cause =
            |verdict: &crate::domain::health::Verdict| verdict.cause.as_ref().map(ToString::to_string);
        Self {
            settings: settings.clone(),
            table: table.clone(),
            ill: ill.map(|verdict| (verdict.component.clone(), verdict.status.word().to_owned())).collect(),
            alerts: verdicts.alerts().map(|(key, verdict)| (key.to_string(), cause(verdict))).collect(),
        }
    }
}

/// What was said: what is ill, and what stands.
type Said = (BTreeMap<String, String>, Vec<(String, Option<String>)>);

/// See the module's head. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Recorder {
    lines: SyncSender<String>,
    last: Option<Said>,
    lost: u64,
}

impl Recorder {
    /// Begins to record in a folder. A desk without a record is poorer, not impossible.
    pub(super) fn start(folder: &Path) -> Option<Self> {
        let (lines, waiting) = sync_channel(WAITING_MAX);
        let path = folder.join(EVIDENCE_FILE);
        let started =
            std::thread::Builder::new().name("evidence".to_owned()).spawn(move || write(&path, &waiting));
        if let Err(error) = started {
            tracing::error!(%error, "no evidence is kept");
            return None;
        }
        Some(Self { lines, last: None, lost: 0 })
    }

    /// Takes note of a judgement, if it differs from the last one.
    pub(super) fn note(&mut self, settings: &HealthSettings, table: &Table, verdicts: &Verdicts) {
        let entry = Entry::of(settings, table, verdicts);
        let said = (entry.ill.clone(), entry.alerts.clone());
        if self.last.as_ref() == Some(&said) {
            return;
        }
        self.last = Some(said);
        let line = serde_json::to_string(&entry).unwrap_or_default();
        if self.lines.try_send(line).is_err() {
            self.lost = self.lost.saturating_add(1);
            tracing::warn!(lost = self.lost, "evidence was not kept: the disk is slow");
        }
    }
}

fn write(path: &PathBuf, waiting: &Receiver<String>) {
    let mut file: Option<(File, u64)> = None;
    for line in waiting {
        let full = file.as_ref().is_some_and(|(_, bytes)| *bytes >= FILE_BYTES_MAX);
        if full {
            file = None;
            let aside = path.with_extension("jsonl.1");
            if let Err(error) = std::fs::rename(path, &aside) {
                tracing::warn!(%error, "the evidence file cannot be moved aside");
            }
        }
        if file.is_none() {
            file = open(path);
        }
        if let Some((open, bytes)) = &mut file {
            match writeln!(open, "{line}") {
                Ok(()) => *bytes = bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX)),
                Err(error) => {
                    tracing::warn!(%error, "evidence was not kept");
                    file = None;
                }
            }
        }
    }
}

fn open(path: &PathBuf) -> Option<(File, u64)> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    match opened.and_then(|file| file.metadata().map(|meta| (file, meta.len()))) {
        Ok(open) => Some(open),
        Err(error) => {
            tracing::warn!(%error, "the evidence file cannot be opened");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::{judge, samples};
    use crate::domain::time::Mono;

    #[test]
    fn what_was_kept_can_be_judged_again() {
        let folder = tempfile::tempdir().unwrap();
        let settings = HealthSettings::default();
        let mut recorder = Recorder::start(folder.path()).unwrap();
        let mut table = samples::healthy();
        for age in [0, 100, 9_000, 9_100] {
            for feed in &mut table.venues[0].feeds {
                feed.heard = Some(Mono(table.at.0 - age));
            }
            recorder.note(&settings, &table, &judge(&table, &settings, table.at));
        }
        drop(recorder);
        let path = folder.path().join(EVIDENCE_FILE);
        let began = crate::clock::monotonic();
        let lines = loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            // The last line is whole when its end is there.
            if (lines.len() == 2 && text.ends_with('\n')) || began.elapsed().as_secs() > 10 {
                break lines;
            }
            std::thread::yield_now();
        };
        assert_eq!(lines.len(), 2, "only what changed is kept");
        for line in lines {
            let entry: Entry = serde_json::from_str(&line).unwrap();
            let again = judge(&entry.table, &entry.settings, entry.table.at);
            let said = Entry::of(&entry.settings, &entry.table, &again);
            assert_eq!((said.ill, said.alerts), (entry.ill, entry.alerts));
        }
    }
}
