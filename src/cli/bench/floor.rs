//! What the disk can do at best, measured in the same run: 4 KiB and `fdatasync`, one after the other.

use crate::clock;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

const WRITES: u64 = 400;
const BLOCK: [u8; 4096] = [0x5A; 4096];

/// Times of single writes, sorted.
#[derive(Debug)]
pub struct Floor {
    /// Each at the end of a file that grows.
    pub append: Vec<Duration>,
    /// Each in the place of an earlier one, as in a write-ahead log after its first checkpoint.
    pub overwrite: Vec<Duration>,
}

impl Floor {
    /// Measures in `folder`; the file is removed again.
    ///
    /// # Errors
    /// The system's.
    pub fn measure(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join("fdatasync-floor");
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
        let append = writes(&file)?;
        let overwrite = writes(&file)?;
        std::fs::remove_file(&path)?;
        Ok(Self { append, overwrite })
    }
}

fn writes(file: &File) -> std::io::Result<Vec<Duration>> {
    let mut took = Vec::new();
    for n in 0..WRITES {
        let began = clock::monotonic();
        file.write_all_at(&BLOCK, n.saturating_mul(4096))?;
        file.sync_data()?;
        took.push(clock::monotonic().saturating_duration_since(began));
    }
    took.sort_unstable();
    Ok(took)
}
