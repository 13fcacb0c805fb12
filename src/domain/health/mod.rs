//! Runtime truth: what the pipeline has really done, and what follows from it.
//!
//! [`Table`] is the evidence, [`judge`] the one function that reads it, [`Verdict`] what it says. Nothing here has a
//! clock, a socket or a memory: the same table, settings and instant always give the same verdicts, live, in a drill,
//! and years later from a file.

mod causes;
mod hours;
mod judge;
mod rules;
mod settings;
mod table;
mod verdict;

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;

pub use hours::{Day, Hours, HoursError, Window};
pub use judge::judge;
pub use settings::{FeedPolicy, HealthSettings};
pub use table::{
    AlertingFact, ChannelFact, ClockFact, ExecutorFact, FeedFact, HeartbeatFact, JournalFact, NodeFact,
    NodeWord, PageFact, SessionFact, Stage, StageFact, StrategyFact, Table, TreeWord, VenueFact,
};
pub use verdict::{Cite, Key, Locality, SafeAction, Severity, Status, Verdict, Verdicts};
