//! Order management: one pure machine from requests and venue evidence to facts and effects.

mod effect;
mod event;
mod phase;

pub use effect::{Answer, Change, Effect, Notice, NoticeLevel, Refusal, RefusalKind};
pub use event::{Actor, DrainHow, Event, Mark, OpenOrdersAtColdStart, ReplyTo, Resolution, StartHow};
pub use phase::Phase;
