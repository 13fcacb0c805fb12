//! Order management: one pure machine from requests and venue evidence to facts and effects.

mod balances;
mod beginning;
mod books;
mod cancel;
mod commit;
mod control;
mod core;
mod drain;
mod effect;
mod event;
mod evidence;
mod fact;
mod fills;
mod index;
mod intake;
mod out;
mod phase;
mod release;
mod restraint;
mod risk;
mod settings;
mod shelves;
mod snapshot;
mod start;
mod timers;
mod unknown;
mod venue;
mod view;
mod watch;

#[cfg(test)]
mod tests;

pub use self::core::{Alert, Now, Oms, RestoreError, SettingsError};
pub use books::{ApplyError, Halt};
pub use effect::{Answer, Change, Effect, Notice, NoticeLevel, Refusal, RefusalKind, StateView};
pub use event::{
    Actor, DrainHow, Event, Mark, OpenOrdersAtColdStart, ReplyTo, Resolution, StartHow, Steering,
};
pub use fact::{ColdStart, Fact, FactError, FillBooked, Recorded};
pub use phase::Phase;
pub use settings::{
    Controls, External, Knobs, Limits, OnKill, OnPause, Settings, StrategySettings, VenueSettings,
};
pub use snapshot::SnapshotError;
