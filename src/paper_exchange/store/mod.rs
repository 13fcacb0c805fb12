//! State that survives a restart: a snapshot, and a journal of the commands since.
//!
//! See [`Journal`] for what is promised. `sync` forces the journal to the disk in groups.

mod journal;
mod sync;

pub use journal::{Journal, StoreError};
