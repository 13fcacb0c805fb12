//! The file of last resort: notices that could not be recorded in the database, kept until they are.
//!
//! One append-only file in the data directory, written without the database, without a network and without memory of
//! earlier runs. A line is on the disk before [`LastResort::append`] returns. When the database can be written again,
//! [`LastResort::replay`] gives what is not marked yet, and [`LastResort::mark`] marks it after the database has it;
//! once everything is marked the file is emptied. A crash between the two replays a notice again, under its own key.
//! Blocking: call it where a disk may be waited for.

use super::lines_file::LinesFile;
use super::text::clean;
use super::{IdempotencyKey, Notice};
use crate::domain::alert::Transition;
use crate::domain::time::WallMs;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Its name in the data directory.
pub const FILE: &str = "alerts-last-resort.jsonl";
/// Longest file, bytes: at 2 KiB a notice, 32,000 of them.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Longest text that is kept, characters; the rest of it stands nowhere else either.
const TEXT_CHARS_MAX: usize = 2_000;
/// Most related alerts that are kept.
const RELATED_MAX: usize = 50;

/// Why a notice was not kept.
#[derive(Debug, thiserror::Error)]
pub enum LastResortError {
    /// The file is full, and nothing in it has been replayed. What stands in it counts more than what comes.
    #[error("the file of last resort holds {bytes} bytes and takes no more until it is replayed")]
    Full {
        /// How long it is.
        bytes: u64,
    },
    /// The disk.
    #[error("the file of last resort: {0}")]
    Disk(#[from] io::Error),
    /// The notice could not be written as JSON.
    #[error("the notice is not JSON: {0}")]
    Form(#[from] serde_json::Error),
}

/// A notice as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When it was written.
    pub at: WallMs,
    /// Its key; empty of meaning for the file, but the same one must be used when it is sent.
    pub key: IdempotencyKey,
    /// What was to be said.
    pub notice: Notice,
}

/// What is to be replayed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Notices that are not marked, oldest first, each key once.
    pub notices: Vec<Kept>,
    /// Lines that no reader understands: cut by a crash, or damaged.
    pub damaged_lines: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Kept(Box<Kept>),
    Replayed { key: IdempotencyKey },
}

/// See the module's head.
#[derive(Debug)]
pub struct LastResort(Mutex<LinesFile>);

impl LastResort {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// The system's.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        Ok(Self(Mutex::new(LinesFile::open(&data_dir.join(FILE))?)))
    }

    /// Keeps a notice; on return it is on the disk.
    ///
    /// # Errors
    /// [`LastResortError`].
    pub fn append(&self, notice: &Notice, key: &IdempotencyKey, at: WallMs) -> Result<(), LastResortError> {
        let kept = Kept { at, key: key.clone(), notice: shortened(notice) };
        let line = serde_json::to_vec(&Line::Kept(Box::new(kept)))?;
        let mut file = self.0.lock();
        if file.bytes() >= FILE_BYTES_MAX {
            return Err(LastResortError::Full { bytes: file.bytes() });
        }
        Ok(file.append(&line)?)
    }

    /// Gives what is not marked as replayed.
    ///
    /// # Errors
    /// The system's.
    pub fn replay(&self) -> io::Result<Replay> {
        read(&mut self.0.lock())
    }

    /// Marks notices as replayed, and empties the file when nothing else is in it.
    ///
    /// # Errors
    /// [`LastResortError`]; what is not marked is replayed again.
    pub fn mark(&self, keys: &[IdempotencyKey]) -> Result<(), LastResortError> {
        let mut file = self.0.lock();
        let left = read(&mut file)?.notices;
        if left.iter().all(|kept| keys.contains(&kept.key)) {
            return Ok(file.clear()?);
        }
        for key in keys {
            file.append(&serde_json::to_vec(&Line::Replayed { key: key.clone() })?)?;
        }
        Ok(())
    }
}

fn read(file: &mut LinesFile) -> io::Result<Replay> {
    let all = file.read(FILE_BYTES_MAX.saturating_mul(2))?;
    let (mut order, mut notices, mut replayed) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
    let mut damaged_lines = 0_usize;
    for line in all.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(Line::Kept(kept)) => {
                if !notices.contains_key(&kept.key) {
                    order.push(kept.key.clone());
                    notices.insert(kept.key.clone(), *kept);
                }
            }
            Ok(Line::Replayed { key }) => {
                replayed.insert(key);
            }
            Err(_) => damaged_lines = damaged_lines.saturating_add(1),
        }
    }
    let notices = order
        .into_iter()
        .filter(|key| !replayed.contains(key))
        .filter_map(|key| notices.remove(&key))
        .collect();
    Ok(Replay { notices, damaged_lines })
}

/// Bounds a line: whatever a venue's text was, the file holds thousands of notices.
fn shortened(notice: &Notice) -> Notice {
    let text = |text: &str| clean(text, TEXT_CHARS_MAX);
    let related = |keys: &[String]| keys.iter().take(RELATED_MAX).map(|key| text(key)).collect();
    let mut kept = notice.clone();
    for field in [
        &mut kept.key,
        &mut kept.code,
        &mut kept.scope,
        &mut kept.reason,
        &mut kept.runbook_url,
        &mut kept.acknowledge,
        &mut kept.instance,
    ] {
        *field = text(field);
    }
    kept.cause = kept.cause.as_deref().map(text);
    kept.contained = kept.contained.as_deref().map(text);
    kept.consequences = related(&notice.consequences);
    if let Transition::Bundle { keys, .. } = &mut kept.transition {
        *keys = related(keys);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::text::samples::{hostile, raise};
    use super::*;
    use std::io::Write;

    fn key(n: u64) -> IdempotencyKey {
        IdempotencyKey::new("a-1", n, "mail")
    }

    fn keys(file: &LastResort) -> Vec<IdempotencyKey> {
        file.replay().unwrap().notices.into_iter().map(|kept| kept.key).collect()
    }

    #[test]
    fn what_is_kept_comes_back_until_it_is_marked() {
        let dir = tempfile::tempdir().unwrap();
        let file = LastResort::open(dir.path()).unwrap();
        assert_eq!(file.replay().unwrap(), Replay::default());
        for n in [1, 2, 3, 2] {
            file.append(&raise(), &key(n), WallMs(5)).unwrap();
        }
        assert_eq!(keys(&file), [key(1), key(2), key(3)]);
        file.mark(&[key(2)]).unwrap();
        // Another run reads what this one wrote.
        let file = LastResort::open(dir.path()).unwrap();
        assert_eq!(keys(&file), [key(1), key(3)]);
        let first = file.replay().unwrap().notices.remove(0);
        assert_eq!(first, Kept { at: WallMs(5), key: key(1), notice: raise() });
        file.mark(&[key(1), key(3)]).unwrap();
        assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().len(), 0);
        file.append(&raise(), &key(2), WallMs(6)).unwrap();
        assert_eq!(keys(&file), [key(2)], "a key may come again after it was marked");
    }

    #[test]
    fn every_cut_of_the_file_keeps_the_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let file = LastResort::open(dir.path()).unwrap();
        for n in 1..=2 {
            file.append(&raise(), &key(n), WallMs(5)).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for cut in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let file = LastResort::open(dir.path()).unwrap();
            file.append(&raise(), &key(9), WallMs(7)).unwrap();
            let found = keys(&file);
            assert_eq!(found.last(), Some(&key(9)), "cut at {cut}");
            assert_eq!(found.contains(&key(1)), cut >= first, "cut at {cut}");
        }
    }

    #[test]
    fn damage_is_counted_and_hostile_text_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let file = LastResort::open(dir.path()).unwrap();
        file.append(&hostile(), &key(1), WallMs(5)).unwrap();
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length < 64 * 1024, "{length}");
        let mut raw = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        raw.write_all(b"\xff\xfe\n{}\n").unwrap();
        let replay = LastResort::open(dir.path()).unwrap().replay().unwrap();
        assert_eq!((replay.notices.len(), replay.damaged_lines), (1, 2));
    }
}
