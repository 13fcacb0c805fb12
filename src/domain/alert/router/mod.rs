//! The alert router: decides what is raised, who is told, and what is tried again. Pure.
//!
//! `Router::step(now, event)` answers effects. Nothing is sent, answered or shown before the transaction that holds it
//! is on disk, or, where the database does not take it in time, before it is in the file of last resort. Time is the
//! shell's: wall-clock milliseconds that never run backwards within a process, because deadlines must mean the same
//! after a restart.

mod changing;
mod confirming;
mod core;
mod event;
mod hiding;
mod holding;
mod lane;
mod message;
mod out;
mod probing;
mod recover;
mod sending;
mod settling;
#[cfg(test)]
mod tests;
mod words;

pub use core::Router;
pub use event::{
    Answer, Ask, ChannelReading, Effect, Event, OpenCounts, Outcome, Refusal, ReplyTo, Restored, Word, Work,
};
