//! What the router goes on from: the records on disk, or nothing where they cannot be read.

use crate::clock;
use crate::db::Readers;
use crate::domain::alert::router::Restored;
use std::time::Duration;

/// Attempts at reading the database before the router begins without it.
const LOADS_MAX: u32 = 20;
/// Pause between them.
const LOAD_PAUSE: Duration = Duration::from_millis(250);

/// What was on disk. A journal that is being opened is waited for; one that cannot be read is not.
pub(super) async fn load(readers: Readers) -> Restored {
    for attempt in 1..=LOADS_MAX {
        let reading = readers.clone();
        match tokio::task::spawn_blocking(move || reading.alerts_to_restore()).await {
            Ok(Ok(restored)) => return restored,
            Ok(Err(error)) if attempt == LOADS_MAX => {
                tracing::error!(error = %error, runbook = "journal_corrupt", "alerts begin without the database");
            }
            Ok(Err(_)) | Err(_) => tokio::time::sleep(LOAD_PAUSE).await,
        }
    }
    // Numbers far beyond any that the database gave: what is written later replaces nothing.
    let now = clock::wall_millis();
    let last_number = u64::try_from(now).unwrap_or(0);
    Restored { tag: format!("blind{now:x}"), last_number, last_word: last_number, ..Restored::default() }
}
