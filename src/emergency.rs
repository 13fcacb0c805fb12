//! The record of the last emergency: written before anything is stopped, read at the next start.
//!
//! One small JSON file in the data directory. It is written, synced and renamed, and the folder is
//! synced, so that after a crash there is the old record or the new one, never half of one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const FILE: &str = "last-emergency.json";
/// A record is a few hundred bytes; a larger file is not one of ours.
const BYTES_MAX: u64 = 64 * 1024;

/// What happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When the handler ran.
    pub at: DateTime<Utc>,
    /// The sentence for the operator.
    pub reason: String,
    /// The program's version.
    pub version: String,
}

impl Record {
    /// A record of `reason`, now.
    #[must_use]
    pub fn now(reason: String) -> Self {
        Self { at: crate::clock::wall(), reason, version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Writes it to the data directory, making the directory if needed.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, data_dir: &Path) -> io::Result<()> {
        fs::create_dir_all(data_dir)?;
        let (part, whole) = (data_dir.join(format!("{FILE}.part")), data_dir.join(FILE));
        let mut file = File::create(&part)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &whole)?;
        File::open(data_dir)?.sync_all()
    }

    /// Reads the last record; `None` when there is none.
    ///
    /// # Errors
    /// When the file is there but cannot be read, is too large or is not a record.
    pub fn read(data_dir: &Path) -> io::Result<Option<Self>> {
        let path = data_dir.join(FILE);
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if length > BYTES_MAX {
            return Err(io::Error::other(format!("{} is larger than {BYTES_MAX} bytes", path.display())));
        }
        Ok(Some(serde_json::from_str(&fs::read_to_string(&path)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_written_and_the_newest_wins() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        assert_eq!(Record::read(&data).unwrap(), None);
        Record::now("first".to_owned()).write(&data).unwrap();
        let second = Record::now("second \"quoted\"\n".to_owned());
        second.write(&data).unwrap();
        assert_eq!(Record::read(&data).unwrap(), Some(second));
    }

    #[test]
    fn a_foreign_file_is_an_error_not_a_silence() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{}").unwrap();
        assert!(Record::read(dir.path()).is_err());
    }
}
