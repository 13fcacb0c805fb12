//! Forces the journal to the disk in groups, on its own thread, so that no order waits for it.
//!
//! However many appends happen during one `fdatasync`, the next one covers them all. A failure is
//! remembered and reported to the next append: the journal then refuses to go on.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// The syncing thread of one journal file; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Syncer {
    wanted: SyncSender<()>,
    failed: Arc<AtomicBool>,
}

impl Syncer {
    /// Starts syncing `file`.
    pub(super) fn start(file: File) -> std::io::Result<Self> {
        // One waiting request is enough: it covers every append before it is taken.
        let (wanted, requests) = sync_channel(1);
        let failed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&failed);
        std::thread::Builder::new().name("paper-journal-sync".to_owned()).spawn(move || {
            while requests.recv().is_ok() {
                if let Err(error) = file.sync_data() {
                    tracing::error!(%error, "the paper exchange's journal cannot be forced to the disk");
                    flag.store(true, Ordering::Release);
                    return;
                }
            }
        })?;
        Ok(Self { wanted, failed })
    }

    /// Asks for a sync soon; `false` when an earlier one failed.
    pub(super) fn request(&self) -> bool {
        // A full queue means a request is already waiting.
        let _already_waiting = self.wanted.try_send(());
        !self.failed.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_never_block() {
        let file = tempfile::tempfile().unwrap();
        let syncer = Syncer::start(file).unwrap();
        for _ in 0..10_000 {
            assert!(syncer.request());
        }
    }
}
