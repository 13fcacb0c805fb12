//! The kill switch's latch on disk: two copies, each a checksummed line in a block of its own.
//!
//! ```text
//! latch-a.json, latch-b.json   the copies; 0600, always 4096 bytes
//! latch-created                made once, after both copies: from then on a missing copy is a loss
//! HALT                         made by people; while it is there, nothing trades
//! ```
//!
//! A copy is written beside the old one, forced to the disk and renamed, then the folder is forced. Where no new file
//! can be made (a full disk), the old block is overwritten in place: a torn one is unreadable, which means engaged.
//! What the copies mean together is decided by [`crate::domain::kill_switch::read`]; nothing is decided here.

use super::chain::Checksum;
use super::data_dir::{DataDir, sync_folder};
use crate::domain::kill_switch::{Copied, LatchRecord, REASON_CHARS_MAX, bounded};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const COPIES: [&str; 2] = ["latch-a.json", "latch-b.json"];
const CREATED: &str = "latch-created";
/// The file by which people stop everything.
pub const HALT_FILE: &str = "HALT";
/// One block: overwriting it needs no room on a full disk.
const BLOCK: usize = 4_096;
/// Of a `HALT` file, no more is read.
const HALT_BYTES: u64 = 1_024;
const FORMAT: u32 = 1;

/// A copy as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    checksum: String,
    record: LatchRecord,
}

/// The copies could not all be written. Those that were are as good as ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{written} of 2 copies of the latch were written: {why}")]
pub struct LatchFault {
    /// Copies that hold the record now.
    pub written: u8,
    /// The system's answers.
    pub why: String,
}

/// What the data directory says about the latch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatchCopies {
    /// The first copy.
    pub a: Copied,
    /// The second.
    pub b: Copied,
    /// The directory has a history, so that copies must exist.
    pub used_before: bool,
}

/// The latch's files in one data directory. Holds nothing open.
#[derive(Debug, Clone)]
pub struct LatchFiles {
    dir: DataDir,
}

impl LatchFiles {
    /// Names the directory; nothing is touched.
    #[must_use]
    pub fn at(data_dir: &Path) -> Self {
        Self { dir: DataDir::at(data_dir) }
    }

    /// Reads everything there is. Whatever cannot be read is said so, never taken for absent.
    #[must_use]
    pub fn read(&self) -> LatchCopies {
        let [a, b] = COPIES.map(|name| read_copy(&self.path(name)));
        LatchCopies { a, b, used_before: self.used_before() }
    }

    /// Writes both copies, each forced to the disk.
    ///
    /// # Errors
    /// [`LatchFault`] when not both hold the record.
    pub fn write(&self, record: &LatchRecord) -> Result<(), LatchFault> {
        let block = encode(record).map_err(|why| LatchFault { written: 0, why })?;
        if let Err(error) = self.dir.make() {
            return Err(LatchFault { written: 0, why: error.to_string() });
        }
        let (mut written, mut faults) = (0_u8, Vec::new());
        for name in COPIES {
            let replaced = self.replace(name, &block);
            // No room for a new file, or no right to make one: the old block is there.
            match replaced.or_else(|first| self.overwrite(name, &block).map_err(|second| (first, second))) {
                Ok(()) => written = written.saturating_add(1),
                Err((first, second)) => faults.push(format!("{name}: {first}; in place: {second}")),
            }
        }
        for done in [sync_folder(self.dir.root()).map_err(|error| error.to_string()), self.remember()] {
            faults.extend(done.err());
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(LatchFault { written, why: bounded(&faults.join("; "), 2 * REASON_CHARS_MAX) })
    }

    /// Is the file `HALT` there? One that cannot be looked for counts, because nobody can say that it is not.
    #[must_use]
    pub fn halted(&self) -> bool {
        match self.path(HALT_FILE).symlink_metadata() {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// The first line of `HALT`, or what there is to say when it has none.
    #[must_use]
    pub fn halt_reason(&self) -> String {
        let path = self.path(HALT_FILE);
        // Anything but a plain file (a pipe, a folder) is not opened: it could block for ever.
        let plain = match path.metadata() {
            Ok(found) => found.is_file(),
            Err(error) => return format!("{HALT_FILE} cannot be looked for: {error}"),
        };
        let mut text = Vec::new();
        if plain && let Ok(file) = File::open(&path) {
            // A part of it is a reason as well.
            let _ = file.take(HALT_BYTES).read_to_end(&mut text);
        }
        let text = String::from_utf8_lossy(&text);
        let first = bounded(text.lines().next().unwrap_or_default(), REASON_CHARS_MAX);
        if first.is_empty() { format!("the file {HALT_FILE} is in the data directory") } else { first }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.root().join(name)
    }

    fn used_before(&self) -> bool {
        let there = |path: PathBuf| path.try_exists().unwrap_or(true);
        // A directory that does not tell has a history until somebody shows otherwise.
        there(self.path(CREATED)) || there(self.dir.database()) || !matches!(self.dir.evidence(), Ok(None))
    }

    fn replace(&self, name: &str, block: &[u8]) -> io::Result<()> {
        let part = self.path(&format!("{name}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let made = file.write_all(block).and_then(|()| file.sync_all());
        let made = made.and_then(|()| std::fs::rename(&part, self.path(name)));
        if made.is_err() {
            // It would hold room that the other copy may need.
            let _ = std::fs::remove_file(&part);
        }
        made
    }

    fn overwrite(&self, name: &str, block: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.write_all_at(block, 0)?;
        file.sync_all()
    }

    /// Remembers for good that there are copies.
    fn remember(&self) -> Result<(), String> {
        let path = self.path(CREATED);
        let there = path.try_exists().and_then(|there| {
            if there {
                return Ok(true);
            }
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.sync_all().map(|()| false)
        });
        match there {
            Ok(true) => Ok(()),
            Ok(false) => sync_folder(self.dir.root()).map_err(|error| error.to_string()),
            Err(error) => Err(format!("{CREATED}: {error}")),
        }
    }
}

fn encode(record: &LatchRecord) -> Result<Vec<u8>, String> {
    let checksum = checksum(record)?;
    let stored = Stored { format: FORMAT, checksum, record: record.clone() };
    let mut block = serde_json::to_vec(&stored).map_err(|error| error.to_string())?;
    if block.len() >= BLOCK {
        return Err(format!("a record of {} bytes does not fit in a block", block.len()));
    }
    block.resize(BLOCK.saturating_sub(1), b' ');
    block.push(b'\n');
    Ok(block)
}

fn checksum(record: &LatchRecord) -> Result<String, String> {
    let text = serde_json::to_vec(record).map_err(|error| error.to_string())?;
    Ok(Checksum::of(&text).to_string())
}

fn read_copy(path: &Path) -> Copied {
    let mut bytes = Vec::new();
    let limit = u64::try_from(BLOCK).unwrap_or(u64::MAX).saturating_add(1);
    match File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        Ok(_) => decode(&bytes).map_or_else(Copied::Unreadable, Copied::Good),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Copied::Missing,
        Err(error) => Copied::Unreadable(error.to_string()),
    }
}

fn decode(bytes: &[u8]) -> Result<LatchRecord, String> {
    if bytes.len() != BLOCK {
        return Err(format!("{} bytes where {BLOCK} are right", bytes.len()));
    }
    let stored: Stored = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if stored.format != FORMAT {
        return Err(format!("format {} where {FORMAT} is right", stored.format));
    }
    if stored.checksum != checksum(&stored.record)? {
        return Err("its checksum does not hold".to_owned());
    }
    Ok(stored.record)
}

#[cfg(test)]
#[path = "latch_tests.rs"]
mod tests;
