//! Containment: what is done by itself when an alert stands. Pure: judged truth comes in, intents and their ends go out.
//!
//! Each act is an intent: a precondition that held, one action of a closed set that moves no funds, a budget in a
//! window, a deadline, and a condition that is *seen* to hold afterwards; an action that was carried out and changed
//! nothing has failed. An intent is on disk before it is carried out, and again after every change, so that a restart
//! spends no budget twice and carries nothing out again: what was under way is verified, or has failed. Only what the
//! configuration lists happens by itself; anything else that would be safe is recommended. Nothing here ever allows
//! more than before: what was paused stays paused until a person resumes.

mod core;
mod intent;
mod lines;
mod look;
mod restore;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_durable;

pub use core::Containment;
pub use intent::{DEADLINE_MS, Effect, Intent, Now, Policy, Restored, Standing, State, Target};
pub use lines::{KIND, LineError, batch};
