//! Gates that hold a thread, and actors that each do one thing.

use crate::support::{Bomb, Probe, until};
use actix::prelude::*;
use plimsoll::supervision::*;
use std::sync::{Arc, Condvar, Mutex};

/// Blocks a thread inside a handler until it is released.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    inside: usize,
    open: bool,
}

impl Gate {
    pub fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.inside += 1;
        while !state.open {
            state = changed.wait(state).unwrap();
        }
        state.inside -= 1;
    }

    pub fn release(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap().open = true;
        changed.notify_all();
    }

    pub async fn entered(&self) {
        until(|| self.0.0.lock().unwrap().inside > 0).await;
    }
}

/// A test that fails must not leave a thread behind that never ends.
pub struct Releases(pub Gate);
impl Drop for Releases {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// Blocks the thread at the gate, then answers with the epoch that handled it.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Hold(pub Gate);

impl Handler<Hold> for Probe {
    type Result = u64;
    fn handle(&mut self, hold: Hold, ctx: &mut Self::Context) -> u64 {
        hold.0.pass();
        ctx.epoch()
    }
}

/// Keeps what its factory captured.
pub struct Keeper {
    pub _argument: Arc<()>,
}
impl Actor for Keeper {
    type Context = Ctx<Self>;
}
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave;
impl Handler<Leave> for Keeper {
    type Result = ();
    fn handle(&mut self, _: Leave, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// Answers what it is told.
pub struct Carrier;
impl Actor for Carrier {
    type Context = Ctx<Self>;
}
#[derive(Message, Debug, PartialEq, Eq)]
#[rtype(result = "u64")]
pub struct Carried(pub u64);
impl Handler<Carried> for Carrier {
    type Result = u64;
    fn handle(&mut self, carried: Carried, _: &mut Self::Context) -> u64 {
        carried.0
    }
}
/// A message whose own destructor panics.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Fragile(#[expect(dead_code, reason = "it is there to be dropped")] pub Option<Bomb>);
impl Handler<Fragile> for Carrier {
    type Result = ();
    fn handle(&mut self, fragile: Fragile, _: &mut Self::Context) {
        std::mem::forget(fragile);
    }
}
#[derive(Message)]
#[rtype(result = "()")]
pub struct Explode;
impl Handler<Explode> for Carrier {
    type Result = ();
    fn handle(&mut self, _: Explode, _: &mut Self::Context) {
        panic!("told to");
    }
}

/// Blocks its thread on demand.
pub struct Blocker;
impl Actor for Blocker {
    type Context = Ctx<Self>;
}
#[derive(Message)]
#[rtype(result = "()")]
pub struct BlockAt(pub Gate);
impl Handler<BlockAt> for Blocker {
    type Result = ();
    fn handle(&mut self, block: BlockAt, _: &mut Self::Context) {
        block.0.pass();
    }
}
