//! The measured actor, once as a cell and once as plain actix.

use crate::supervision::{
    Backoff, Cell, ChildSpec, Ctx, HangLimits, MailboxPolicy, OnHang, OnRestart, Placement, Tree,
    TreeOptions, cell, supervisor,
};
use crate::supervision::{Handle, Restart};
use actix::{Actor, Context, Handler, Message};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Add one; the sum comes back.
#[derive(Message)]
#[rtype(result = "u64")]
pub(super) struct Add;

/// Fail with this message in hand.
#[derive(Message)]
#[rtype(result = "u64")]
pub(super) struct Fail;

/// Hold the mailbox in `ctx.wait` until replaced.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Wedge;

/// Block the thread until the channel's other end is dropped.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Block(pub(super) std::sync::mpsc::Receiver<()>);

/// The work that both kinds of actor do.
#[derive(Default)]
pub(super) struct Counter(u64);

impl Counter {
    fn add(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// Plain actix.
#[derive(Default)]
pub(super) struct Plain(Counter);

impl Actor for Plain {
    type Context = Context<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(0);
    }
}

impl Handler<Add> for Plain {
    type Result = u64;
    fn handle(&mut self, _: Add, _: &mut Self::Context) -> u64 {
        self.0.add()
    }
}

/// A cell.
pub(super) struct Supervised {
    counter: Counter,
    /// Told when an incarnation has started.
    started: Option<Sender<Instant>>,
}

impl Actor for Supervised {
    type Context = Ctx<Self>;
    fn started(&mut self, _: &mut Self::Context) {
        if let Some(started) = &self.started {
            // The bench may have stopped listening.
            let _ = started.send(crate::clock::monotonic());
        }
    }
}

impl Handler<Add> for Supervised {
    type Result = u64;
    fn handle(&mut self, _: Add, _: &mut Self::Context) -> u64 {
        self.counter.add()
    }
}

impl Handler<Fail> for Supervised {
    type Result = u64;
    #[expect(clippy::panic, reason = "the failure that is measured")]
    fn handle(&mut self, _: Fail, _: &mut Self::Context) -> u64 {
        panic!("asked to fail")
    }
}

impl Handler<Wedge> for Supervised {
    type Result = ();
    fn handle(&mut self, _: Wedge, ctx: &mut Self::Context) {
        actix::AsyncContext::wait(ctx, actix::fut::wrap_future(std::future::pending()));
    }
}

impl Handler<Block> for Supervised {
    type Result = ();
    fn handle(&mut self, block: Block, _: &mut Self::Context) {
        // Ends when the bench drops its end.
        let _ = block.0.recv();
    }
}

/// What the bench varies about a cell.
pub(super) struct Setup {
    pub(super) placement: Placement,
    pub(super) hang: Duration,
    pub(super) started: Option<Sender<Instant>>,
}

impl Setup {
    pub(super) fn at(placement: Placement) -> Self {
        Self { placement, hang: Duration::from_secs(10), started: None }
    }
}

/// Mail that a bench may queue at once.
pub(super) const CAPACITY: usize = 1_000_000;

fn declare(setup: Setup) -> (Handle<Supervised>, Cell<Supervised>) {
    let spec = ChildSpec {
        restart: Restart::Permanent,
        placement: setup.placement,
        backoff: Backoff::NONE,
        hang: HangLimits { handler: setup.hang, wait: setup.hang, action: OnHang::Replace },
        mailbox: MailboxPolicy { capacity: CAPACITY, on_restart: OnRestart::Keep },
        ..ChildSpec::default()
    };
    let started = setup.started;
    cell("counter", spec, move |_| Ok(Supervised { counter: Counter::default(), started: started.clone() }))
}

/// A tree with one cell, up; restarts without delay and practically without limit.
pub(super) async fn tree(setup: Setup) -> anyhow::Result<(Tree, Handle<Supervised>)> {
    let (handle, cell) = declare(setup);
    let root = supervisor("bench").intensity(u32::MAX, Duration::from_secs(1)).child(cell);
    let tree = Tree::start(root, TreeOptions::default())?;
    tree.up().await.map_err(|ended| anyhow::anyhow!("the tree ended: {ended:?}"))?;
    Ok((tree, handle))
}
