//! The durable journal: SQLite through diesel, one writer, many readers.
//!
//! No SQL that only SQLite understands stands outside this folder. [`Writer`] belongs to the journal's actor;
//! [`Readers`] serve the web and the command line and cannot write. Nothing here repairs or deletes by itself.

mod alert_readers;
mod alerts;
mod archive;
mod chain;
mod connect;
mod containment;
mod controls;
mod data_dir;
mod drift;
mod error;
mod fills;
mod holdings;
mod journal_rows;
mod latch;
mod lines;
mod meta;
mod migrate;
mod orders;
mod performance;
mod projections;
mod read;
mod readers;
mod retention;
mod schema;
mod snapshots;
mod telemetry;
mod token_book;
mod token_file;
mod transaction;
mod verify;
mod words;
mod writer;

pub use alerts::AlertFilter;
pub use archive::{Archived, Keep};
pub use chain::{Checksum, Link};
pub use connect::BUSY_TIMEOUT;
pub use containment::IntentFilter;
pub use data_dir::{ARCHIVE, DATABASE, DataDir, folder_mode, free_bytes};
pub use drift::DriftRow;
pub use error::{Corruption, DbError, RUNBOOK_CORRUPT, WriteError};
pub use fills::{FillFilter, NumberedFill};
pub use latch::{HALT_FILE, LatchCopies, LatchFault, LatchFiles};
pub use orders::OrderFilter;
pub use performance::{POINTS_MAX, PerformanceWrite, PointRow};
pub use readers::{Counts, Inspector, PAGE_MAX, Readers};
pub use retention::{Pruned, SLICE_MAX};
pub use snapshots::{KEPT, SnapshotAge, StoredSnapshot};
pub use telemetry::TelemetryRow;
pub use token_book::TokenBook;
pub use token_file::{Look, TOKENS, TokenFile, TokenFileError};
pub use verify::Verified;
pub use writer::{Appended, Options, Writer};
