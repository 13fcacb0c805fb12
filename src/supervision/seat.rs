//! Where incarnations run: threads that are made, shared, given up and released.

use super::spec::Placement;
use actix_rt::{Arbiter, System};
use std::collections::BTreeMap;

/// The named arbiters that children share.
#[derive(Default)]
pub(super) struct SharedArbiters {
    by_name: BTreeMap<String, SharedArbiter>,
}

struct SharedArbiter {
    generation: u64,
    arbiter: Option<Arbiter>,
}

impl SharedArbiters {
    /// Gives up the named arbiter's thread; its successor is made on demand. Answers the lost generation.
    pub(super) fn abandon(&mut self, name: &str) -> Option<u64> {
        let shared = self.by_name.get_mut(name)?;
        let arbiter = shared.arbiter.take()?;
        arbiter.stop();
        let lost = shared.generation;
        shared.generation += 1;
        Some(lost)
    }

    pub(super) fn stop_all(&mut self) {
        for shared in std::mem::take(&mut self.by_name).into_values() {
            if let Some(arbiter) = shared.arbiter {
                arbiter.stop();
            }
        }
    }

    fn spawn(&mut self, name: &str, launch: impl FnOnce() + Send + 'static) -> Result<u64, String> {
        let shared = self
            .by_name
            .entry(name.to_owned())
            .or_insert_with(|| SharedArbiter { generation: 1, arbiter: None });
        spawn_on(&mut shared.arbiter, launch)?;
        Ok(shared.generation)
    }
}

/// The place of one child.
pub(super) struct Seat {
    placement: Placement,
    own: Option<Arbiter>,
    /// Which generation of the shared arbiter the current incarnation sits on.
    generation: u64,
}

impl Seat {
    pub(super) fn new(placement: Placement) -> Self {
        Self { placement, own: None, generation: 0 }
    }

    /// Runs `launch` there.
    pub(super) fn spawn(
        &mut self,
        shared: &mut SharedArbiters,
        launch: impl FnOnce() + Send + 'static,
    ) -> Result<(), String> {
        match &self.placement {
            Placement::OwnThread => spawn_on(&mut self.own, launch),
            Placement::Shared(name) => {
                self.generation = shared.spawn(name, launch)?;
                Ok(())
            }
            Placement::Local => {
                launch();
                Ok(())
            }
        }
    }

    /// The shared arbiter and generation it sits on.
    pub(super) fn shares(&self) -> Option<(&str, u64)> {
        match &self.placement {
            Placement::Shared(name) => Some((name, self.generation)),
            Placement::OwnThread | Placement::Local => None,
        }
    }

    /// Gives up the child's own thread; true when it had one.
    pub(super) fn abandon_own(&mut self) -> bool {
        let Some(arbiter) = self.own.take() else { return false };
        // The command waits behind whatever holds the thread; it ends when that returns.
        arbiter.stop();
        true
    }

    /// Ends the child's own thread in good order.
    pub(super) fn release(&mut self) {
        if let Some(arbiter) = self.own.take() {
            arbiter.stop();
        }
    }
}

fn spawn_on(slot: &mut Option<Arbiter>, launch: impl FnOnce() + Send + 'static) -> Result<(), String> {
    if !slot.as_ref().is_some_and(Arbiter::alive) {
        if System::try_current().is_none() {
            return Err("no actix system runs on this thread".to_owned());
        }
        let arbiter = Arbiter::try_new().map_err(|error| format!("no thread could be made: {error}"))?;
        *slot = Some(arbiter);
    }
    match slot {
        Some(arbiter) if arbiter.spawn_fn(launch) => Ok(()),
        _ => Err("its arbiter has stopped".to_owned()),
    }
}
