//! The file of last resort, off the router's thread: a disk may be waited for there.

use crate::domain::alert::{IdempotencyKey, Notice};
use crate::domain::time::WallMs;
use crate::notify::last_resort::LastResort;
use std::path::PathBuf;
use std::sync::Arc;

/// See the module's head. Opened when first needed.
#[derive(Debug, Clone)]
pub(super) struct Spool {
    dir: PathBuf,
    file: Arc<parking_lot::Mutex<Option<Arc<LastResort>>>>,
}

impl Spool {
    pub(super) fn at(dir: PathBuf) -> Self {
        Self { dir, file: Arc::default() }
    }

    fn open(&self) -> Result<Arc<LastResort>, String> {
        let mut slot = self.file.lock();
        if let Some(file) = slot.as_ref() {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(LastResort::open(&self.dir).map_err(|error| error.to_string())?);
        *slot = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Keeps notices; on `Ok` they are on the disk.
    pub(super) async fn keep(
        &self,
        notices: Vec<(IdempotencyKey, Notice)>,
        at: WallMs,
    ) -> Result<(), String> {
        let own = self.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let file = own.open()?;
            for (key, notice) in &notices {
                file.append(notice, key, at).map_err(|error| error.to_string())?;
            }
            Ok(())
        });
        kept.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// What the database does not know yet.
    pub(super) async fn left(&self) -> Result<Vec<(IdempotencyKey, Notice)>, String> {
        let own = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let replay = own.open()?.replay().map_err(|error| error.to_string())?;
            if replay.damaged_lines > 0 {
                tracing::error!(
                    lines = replay.damaged_lines,
                    runbook = "alerting_degraded",
                    "lines of the file of last resort cannot be read"
                );
            }
            Ok(replay.notices.into_iter().map(|kept| (kept.key, kept.notice)).collect())
        });
        read.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// The database knows these now.
    pub(super) async fn forget(&self, keys: Vec<IdempotencyKey>) {
        let own = self.clone();
        let forgotten = tokio::task::spawn_blocking(move || {
            own.open().and_then(|file| file.mark(&keys).map_err(|error| error.to_string()))
        });
        match forgotten.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(error, "the file of last resort still holds what the database knows")
            }
            Err(error) => tracing::warn!(error = %error, "the file of last resort was not looked after"),
        }
    }
}
