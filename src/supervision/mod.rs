//! Generic supervised actors ("cells") on actix; knows no trading word.
//!
//! The parts, from the inside out:
//! [`machine`] decides (pure). `cell`, `context`, `driver`, `mailbox`, `envelope`, `ledger`, `pulse` are
//! one supervised actor. `seat` is where it runs. `runtime` and `build` are the tree's control loop.
//! `watchdog` finds hangs. `snapshot` shows everything. `tasks` are ad-hoc background tasks.

mod build;
mod cell;
mod clock;
mod conclude;
mod context;
mod control;
mod deadline;
mod decl;
mod driver;
mod envelope;
mod exit;
mod handle;
mod ledger;
pub mod machine;
mod mailbox;
mod narrate;
mod overrides;
mod panics;
mod pulse;
mod reporter;
mod requests;
mod runtime;
mod seat;
mod snapshot;
mod spec;
mod tasks;
mod tree;
mod watchdog;

#[cfg(not(panic = "unwind"))]
compile_error!("supervision needs panic = \"unwind\": under \"abort\" the first panic ends the process");

pub use cell::{Cell, StartFailure, cell};
pub use clock::{CoarseClock, Moment, TreeClock};
pub use context::Ctx;
pub use decl::{ChildDecl, SupervisorDecl, supervisor};
pub use exit::{ExitReason, HangKind, PanicReport};
pub use handle::{AskError, Handle, Port, TellError};
pub use ledger::{DeadLetter, Ledger};
pub use mailbox::Fence;
pub use overrides::{ChildOverride, OverrideError};
pub use snapshot::{Node, NodeKind, NodeState};
pub use spec::{
    AutoShutdown, Backoff, ChildSpec, HangLimits, Intensity, Jitter, MailboxPolicy, OnHang, OnRestart,
    Placement, Restart, Shutdown, SpecError, Strategy, SupervisorSpec, check_name,
};
pub use tasks::{TaskError, TaskSpec, Tasks};
pub use tree::{BuildError, Emergency, EmergencyHandler, Ended, Fault, Tree, TreeOptions, Watching};
