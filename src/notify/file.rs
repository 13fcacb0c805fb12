//! The channel `file`: one JSON line per message, in a file on this host.
//!
//! A line is on the disk before the message counts as delivered. At [`FILE_BYTES_MAX`] the file is put aside as
//! `NAME.1` and a new one begun, so two files of that size are the most it takes. Not the file of last resort: that
//! one, [`super::last_resort`], is for when the database cannot be written.

use super::http::temporary;
use super::lines_file::LinesFile;
use super::{Channel, ChannelKind, IdempotencyKey, Notice, SendError, Sent};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::json;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Longest file, bytes.
pub const FILE_BYTES_MAX: u64 = 16 << 20;

/// See the module's head.
pub(super) struct FileChannel {
    name: String,
    path: PathBuf,
    file: Arc<Mutex<Option<LinesFile>>>,
}

impl FileChannel {
    pub(super) fn new(name: &str, path: PathBuf) -> Self {
        Self { name: name.to_owned(), path, file: Arc::default() }
    }

    async fn write(&self, notice: &Notice, key: &IdempotencyKey) -> Result<Sent, SendError> {
        let at = crate::clock::wall().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let line = json!({ "at": at, "idempotency_key": key.as_str(), "notice": notice }).to_string();
        let (file, path) = (Arc::clone(&self.file), self.path.clone());
        // A disk may take its time; the thread that answers for others does not wait for it.
        let done =
            tokio::task::spawn_blocking(move || append(&mut file.lock(), &path, line.as_bytes())).await;
        match done {
            Ok(Ok(())) => Ok(Sent::Delivered),
            Ok(Err(error)) => Err(temporary(format!("the file cannot be written: {error}"))),
            Err(error) => Err(temporary(format!("the file was not written: {error}"))),
        }
    }
}

fn append(slot: &mut Option<LinesFile>, path: &std::path::Path, line: &[u8]) -> io::Result<()> {
    // Opened anew after an error: somebody may have moved it, or made room.
    let mut file = match slot.take() {
        Some(file) => file,
        None => LinesFile::open(path)?,
    };
    if file.bytes() >= FILE_BYTES_MAX {
        file.turn()?;
    }
    file.append(line)?;
    *slot = Some(file);
    Ok(())
}

impl Channel for FileChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ChannelKind {
        ChannelKind::File
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Result<Sent, SendError>> {
        Box::pin(self.write(notice, key))
    }
}
