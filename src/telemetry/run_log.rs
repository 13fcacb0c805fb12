//! The run's own log file: what went to stderr also stays with the run, bounded, for the incident after it.
//!
//! A run writes `runs/<start>/log.jsonl` in the data directory. When a part reaches its size it is kept as
//! `log.1.jsonl` and the one before it is dropped, so a run never holds more than two parts. Old runs go
//! when there are more than [`RUNS_KEPT`]. A disk that refuses the file costs the file, never the run.

use parking_lot::Mutex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest part, bytes.
const PART_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Runs whose folders are kept.
const RUNS_KEPT: usize = 20;

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Makes the folder of a run that begins now, and drops the oldest beyond the limit.
    ///
    /// # Errors
    /// The system's.
    pub fn make(data_dir: &Path) -> io::Result<Self> {
        let runs = data_dir.join("runs");
        fs::create_dir_all(&runs)?;
        let name = crate::clock::wall().format("%Y%m%dT%H%M%S%.3fZ").to_string();
        let folder = runs.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut all: Vec<PathBuf> = fs::read_dir(&runs)?.filter_map(|e| e.ok().map(|e| e.path())).collect();
        all.sort();
        let surplus = all.len().saturating_sub(RUNS_KEPT);
        for old in all.into_iter().take(surplus) {
            fs::remove_dir_all(old)?;
        }
        Ok(Self(folder))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it, whole and synced.
    ///
    /// # Errors
    /// The system's.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.0.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

#[derive(Debug)]
struct Part {
    folder: PathBuf,
    file: Option<File>,
    written: u64,
}

impl Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.written.saturating_add(len) > PART_BYTES_MAX {
            self.file = None;
            fs::rename(self.folder.join("log.jsonl"), self.folder.join("log.1.jsonl"))?;
        }
        if self.file.is_none() {
            let path = self.folder.join("log.jsonl");
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
            self.written = 0;
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            self.written = self.written.saturating_add(len);
        }
        Ok(())
    }
}

/// Where log lines go beside stderr; empty until a run has a folder. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RunLog(Arc<Mutex<Option<Part>>>);

impl RunLog {
    /// From now on lines go to this folder.
    pub fn open(&self, folder: &RunFolder) {
        *self.0.lock() = Some(Part { folder: folder.0.clone(), file: None, written: 0 });
    }

    /// Writes a line, whole. The thread that calls waits for the disk.
    pub(super) fn append(&self, line: &[u8]) {
        let mut part = self.0.lock();
        if let Some(open) = part.as_mut()
            && open.write(line).is_err()
        {
            // The line is on stderr as well. A log that fails must not take the run with it, nor be tried
            // again with each line.
            *part = None;
        }
    }

    /// Lines no longer go to a folder; what was written is on disk.
    ///
    /// # Errors
    /// The system's, from the last sync.
    pub fn close(&self) -> io::Result<()> {
        match self.0.lock().take().and_then(|part| part.file) {
            Some(file) => file.sync_all(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_runs_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        for day in 10..(10 + RUNS_KEPT + 3) {
            fs::create_dir_all(dir.path().join(format!("runs/202001{day}T000000.000Z-1"))).unwrap();
        }
        RunFolder::make(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("runs")).unwrap().count(), RUNS_KEPT);
        let folder = RunFolder::make(dir.path()).unwrap();
        let mut part = Part { folder: folder.0.clone(), file: None, written: 0 };
        part.write(b"first\n").unwrap();
        part.written = PART_BYTES_MAX;
        part.write(b"second\n").unwrap();
        part.written = PART_BYTES_MAX;
        part.write(b"third\n").unwrap();
        assert_eq!(fs::read_to_string(folder.0.join("log.1.jsonl")).unwrap(), "second\n");
        assert_eq!(fs::read_to_string(folder.0.join("log.jsonl")).unwrap(), "third\n");
    }

    #[test]
    fn a_log_without_a_folder_swallows_lines_and_one_that_fails_goes_quiet() {
        let log = RunLog::default();
        log.append(b"x");
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::make(dir.path()).unwrap();
        log.open(&folder);
        fs::remove_dir_all(folder.path()).unwrap();
        log.append(b"x");
        assert!(log.0.lock().is_none());
        log.close().unwrap();
    }
}
