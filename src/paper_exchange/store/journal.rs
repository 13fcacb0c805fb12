//! The exchange's memory on disk: `snapshot.json` and `journal-<generation>.log`.
//!
//! Promises: a command is written to the journal file before its answer or any report leaves the
//! exchange, so a killed process (SIGKILL) loses nothing that anybody was told. `fdatasync` follows in
//! groups, usually within milliseconds; what the operating system had not yet synced when the power
//! fails can be lost. Each line carries a CRC-32; a torn last line was never acknowledged and is cut
//! off, any other damage is refused with its line. Snapshots are written aside, synced and renamed.
//! One process per directory (a lock file). The engine is deterministic, so replaying is restoring.

use super::sync::Syncer;
use crate::paper_exchange::engine::{Command, Exchange, Limits, Snapshot, SnapshotError};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The journal is folded into a snapshot when it has grown beyond this and four times the snapshot.
const ROLL_BYTES: u64 = 64 * 1024 * 1024;
const FORMAT: u32 = 1;

/// Why the kept state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another exchange uses the directory.
    #[error("{}: another exchange uses this directory", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A journal line is damaged.
    #[error("{}:{line}: {why}; restore the directory from a copy, or remove it to start anew", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// The snapshot is damaged or of another format.
    #[error("{}: {why}; restore the directory from a copy, or remove it to start anew", path.display())]
    BadSnapshot {
        /// The snapshot.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The journal could not be forced to the disk.
    #[error("{}: the journal could not be forced to the disk", path.display())]
    NotSynced {
        /// The journal.
        path: PathBuf,
    },
}

#[derive(Serialize)]
struct SnapshotOut {
    format: u32,
    generation: u64,
    state: Snapshot,
}

#[derive(Deserialize)]
struct SnapshotIn {
    format: u32,
    generation: u64,
    state: Snapshot,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    at_ms: i64,
    #[serde(flatten)]
    command: &'a Command,
}

#[derive(Deserialize)]
struct EntryIn {
    at_ms: i64,
    #[serde(flatten)]
    command: Command,
}

/// See the module.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    _lock: File,
    generation: u64,
    path: PathBuf,
    file: File,
    syncer: Syncer,
    written_bytes: u64,
    snapshot_bytes: u64,
    line: Vec<u8>,
}

impl Journal {
    /// Opens a directory (created when absent) and restores the exchange it holds.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is ever overwritten or cut but a torn last line.
    pub fn open(dir: &Path, limits: Limits) -> Result<(Exchange, Self), StoreError> {
        std::fs::create_dir_all(dir).map_err(io(dir))?;
        let lock = lock(&dir.join("lock"))?;
        let (generation, mut exchange, snapshot_bytes) = load_snapshot(&dir.join("snapshot.json"), limits)?;
        let path = dir.join(format!("journal-{generation}.log"));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io(&path))?;
        let written_bytes = replay(&path, &mut file, &mut exchange)?;
        file.set_len(written_bytes).map_err(io(&path))?;
        file.seek(SeekFrom::End(0)).map_err(io(&path))?;
        sync_dir(dir)?;
        let syncer = Syncer::start(file.try_clone().map_err(io(&path))?).map_err(io(&path))?;
        let journal = Self {
            dir: dir.to_owned(),
            _lock: lock,
            generation,
            path,
            file,
            syncer,
            written_bytes,
            snapshot_bytes,
            line: Vec::new(),
        };
        journal.remove_older();
        Ok((exchange, journal))
    }

    /// Writes one command; when this returns, a killed process does not lose it.
    ///
    /// # Errors
    /// [`StoreError`]; the exchange must not acknowledge the command then.
    pub fn append(&mut self, now_ms: i64, command: &Command) -> Result<(), StoreError> {
        self.line.clear();
        self.line.extend_from_slice(b"00000000 ");
        serde_json::to_writer(&mut self.line, &EntryOut { at_ms: now_ms, command })
            .map_err(|error| StoreError::Io { path: self.path.clone(), source: error.into() })?;
        let sum = crc(self.line.get(9..).unwrap_or_default());
        if let Some(head) = self.line.get_mut(..8) {
            head.copy_from_slice(format!("{sum:08x}").as_bytes());
        }
        self.line.push(b'\n');
        self.file.write_all(&self.line).map_err(io(&self.path))?;
        self.written_bytes += u64::try_from(self.line.len()).unwrap_or(0);
        if self.syncer.request() { Ok(()) } else { Err(StoreError::NotSynced { path: self.path.clone() }) }
    }

    /// Folds the journal into a snapshot when it has become long.
    ///
    /// # Errors
    /// [`StoreError`]; the old snapshot and journal stay valid.
    pub fn roll(&mut self, exchange: &Exchange) -> Result<(), StoreError> {
        if self.written_bytes < ROLL_BYTES.max(self.snapshot_bytes.saturating_mul(4)) {
            return Ok(());
        }
        self.snapshot(exchange)
    }

    /// Writes a snapshot and starts an empty journal.
    ///
    /// # Errors
    /// [`StoreError`]; the old snapshot and journal stay valid.
    pub fn snapshot(&mut self, exchange: &Exchange) -> Result<(), StoreError> {
        let generation = self.generation + 1;
        let path = self.dir.join(format!("journal-{generation}.log"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(io(&path))?;
        let (aside, target) = (self.dir.join("snapshot.tmp"), self.dir.join("snapshot.json"));
        let out = File::create(&aside).map_err(io(&aside))?;
        let mut writer = BufWriter::new(out);
        let state = SnapshotOut { format: FORMAT, generation, state: exchange.snapshot() };
        serde_json::to_writer(&mut writer, &state)
            .map_err(|error| StoreError::Io { path: aside.clone(), source: error.into() })?;
        let out = writer.into_inner().map_err(|error| error.into_error()).map_err(io(&aside))?;
        out.sync_all().map_err(io(&aside))?;
        self.snapshot_bytes = out.metadata().map_err(io(&aside))?.len();
        std::fs::rename(&aside, &target).map_err(io(&target))?;
        sync_dir(&self.dir)?;
        self.syncer = Syncer::start(file.try_clone().map_err(io(&path))?).map_err(io(&path))?;
        (self.generation, self.path, self.file, self.written_bytes) = (generation, path, file, 0);
        self.remove_older();
        Ok(())
    }

    /// Removes journals that the snapshot already contains; leftovers are harmless.
    fn remove_older(&self) {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".log")?.parse::<u64>().ok());
            if number.is_some_and(|number| number < self.generation)
                && let Err(error) = std::fs::remove_file(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "an old journal could not be removed");
            }
        }
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io { path, source }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(io(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Io { path: path.to_owned(), source }),
    }
}

fn load_snapshot(path: &Path, limits: Limits) -> Result<(u64, Exchange, u64), StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok((0, Exchange::new(limits), 0));
        }
        Err(error) => return Err(io(path)(error)),
    };
    let bad = |why: String| StoreError::BadSnapshot { path: path.to_owned(), why };
    let length = file.metadata().map_err(io(path))?.len();
    let kept: SnapshotIn =
        serde_json::from_reader(BufReader::new(file)).map_err(|error| bad(error.to_string()))?;
    if kept.format != FORMAT {
        return Err(bad(format!("format {} is not {FORMAT}", kept.format)));
    }
    let exchange = Exchange::restore(kept.state).map_err(|error: SnapshotError| bad(error.to_string()))?;
    Ok((kept.generation, exchange, length))
}

/// Applies the journal; answers how many bytes of it are sound.
fn replay(path: &Path, file: &mut File, exchange: &mut Exchange) -> Result<u64, StoreError> {
    let mut reader = BufReader::new(file);
    let (mut sound, mut number, mut line, mut events) = (0_u64, 0_u64, Vec::new(), Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(io(path))?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(sound);
        }
        number += 1;
        let entry =
            parse(&line).map_err(|why| StoreError::Damaged { path: path.to_owned(), line: number, why })?;
        // A refusal that was recorded (a duplicate id) is refused again, and counted again.
        let _same_answer_as_before = exchange.apply(entry.at_ms, &entry.command, &mut events);
        events.clear();
        sound += u64::try_from(read).unwrap_or(0);
    }
}

fn parse(line: &[u8]) -> Result<EntryIn, String> {
    let (sum, rest) = line.split_at_checked(9).ok_or("shorter than a checksum")?;
    let body = rest.strip_suffix(b"\n").unwrap_or(rest);
    if format!("{:08x} ", crc(body)).as_bytes() != sum {
        return Err("the checksum does not match".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper_exchange::engine::{AccountId, Asset, Rate};

    fn commands() -> Vec<Command> {
        let account = AccountId(1);
        let mut commands = vec![Command::OpenAccount { account, maker: Rate::ZERO, taker: Rate::ZERO }];
        let asset = Asset::new("USDT").unwrap();
        commands.extend((1..=20).map(|n| Command::Adjust {
            account,
            asset,
            delta: n.to_string().parse().unwrap(),
        }));
        commands
    }

    fn fill(dir: &Path, commands: &[Command]) -> Exchange {
        let (mut exchange, mut journal) = Journal::open(dir, Limits::default()).unwrap();
        for command in commands {
            exchange.apply(5, command, &mut Vec::new()).unwrap();
            journal.append(5, command).unwrap();
        }
        exchange
    }

    fn reopened(dir: &Path) -> Snapshot {
        Journal::open(dir, Limits::default()).unwrap().0.snapshot()
    }

    #[test]
    fn everything_appended_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let exchange = fill(dir.path(), &commands());
        assert_eq!(reopened(dir.path()), exchange.snapshot());
    }

    #[test]
    fn a_snapshot_and_what_follows_it_are_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let all = commands();
        let (before, after) = all.split_at(10);
        fill(dir.path(), before);
        {
            let (exchange, mut journal) = Journal::open(dir.path(), Limits::default()).unwrap();
            journal.snapshot(&exchange).unwrap();
        }
        let exchange = fill(dir.path(), after);
        assert_eq!(reopened(dir.path()), exchange.snapshot());
        let journals = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(journals, 3, "lock, snapshot and one journal");
    }

    #[test]
    fn a_torn_last_line_is_cut_and_other_damage_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), &commands());
        let path = dir.path().join("journal-0.log");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let expected = {
            let other = tempfile::tempdir().unwrap();
            let all = commands();
            fill(other.path(), &all[..all.len() - 1]).snapshot()
        };
        assert_eq!(reopened(dir.path()), expected);
        let mut flipped = whole.clone();
        flipped[60] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        let error = Journal::open(dir.path(), Limits::default()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { line: 1, .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), flipped, "evidence is left alone");
    }

    #[test]
    fn one_process_per_directory() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Journal::open(dir.path(), Limits::default()).unwrap();
        assert!(matches!(Journal::open(dir.path(), Limits::default()), Err(StoreError::Locked { .. })));
    }
}
