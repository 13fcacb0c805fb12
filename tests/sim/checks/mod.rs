//! The invariants, one file each, with the venue's truth at hand. A checker sees every moment of a run and
//! says at the first wrong one what is wrong.

mod i1_not_lost;
mod i2_not_twice;
mod i3_commit_first;
mod i4_booked_once;
mod i5_latch;
mod i7_settled;
mod i8_monotonic;
mod i9_journal;

use crate::exchange::Exchange;
use crate::people::People;
use crate::store::Store;
use crate::wire::Request;
pub use i7_settled::{excuse, settled};
use plimsoll::domain::ids::{Symbol, VenueId};
use plimsoll::domain::journal::Batch;
use plimsoll::domain::oms::{Effect, Event, Oms, Settings};

/// What a checker may look at.
pub struct View<'a> {
    pub oms: &'a Oms,
    pub settings: &'a Settings,
    pub store: &'a Store,
    pub exchange: &'a Exchange,
    pub venue: &'a VenueId,
    pub symbols: &'a [Symbol],
    pub people: &'a People,
}

pub enum Moment<'a> {
    /// The order management was rebuilt; it was told nothing yet.
    Started,
    /// It is about to be told this.
    Told(&'a Event),
    /// It wants this done.
    Effect(&'a Effect),
    /// This request was refused before it left.
    Denied(&'a Request),
    /// This batch is durable.
    Written(&'a Batch),
    /// The process is gone.
    Crashed,
    /// Everything has settled.
    End,
}

pub trait Checker {
    fn name(&self) -> &'static str;
    fn see(&mut self, moment: &Moment<'_>, view: &View<'_>) -> Result<(), String>;
}

pub fn checkers() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(i1_not_lost::NotLost),
        Box::new(i2_not_twice::NotTwice::default()),
        Box::new(i3_commit_first::CommitFirst::default()),
        Box::new(i4_booked_once::BookedOnce::default()),
        Box::new(i5_latch::Latch::default()),
        Box::new(i7_settled::Answered),
        Box::new(i8_monotonic::Monotonic::default()),
        Box::new(i9_journal::Journal),
    ]
}
