//! The decision core of supervision: pure, deterministic, without a clock, a thread or an actor.
//!
//! One [`Machine`] decides for one supervisor. The runtime feeds it [`Event`]s and performs the
//! [`Action`]s in order; the parent's machine sees this one as a child that is up or down.

mod admin;
mod child;
mod ending;
mod event;
mod failure;
mod plan;
mod state;

pub use child::{ChildCounts, ChildState, ChildStatus};
pub use event::{
    Action, AdminError, AdminOutcome, AdminRequest, ChildId, ChildRules, Epoch, Event, KillWhy, Note, Origin,
    Ticket,
};
pub use state::{Machine, on_event};
