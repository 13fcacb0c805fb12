//! An actor that uses what actix offers: timers, streams, notifications, late answers.

use actix::prelude::*;
use plimsoll::supervision::*;
use std::time::Duration;

pub struct Timed {
    tick: SpawnHandle,
    ticks: u64,
    heard: u64,
    finished_was_found: Option<bool>,
}

/// A cell that counts ticks of 10 ms from its start.
pub fn timed(name: &str, spec: ChildSpec) -> (Handle<Timed>, Cell<Timed>) {
    cell(name, spec, |_| {
        Ok(Timed { tick: SpawnHandle::default(), ticks: 0, heard: 0, finished_was_found: None })
    })
}

impl Actor for Timed {
    type Context = Ctx<Self>;
    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick = ctx.run_interval(Duration::from_millis(10), |timed, _| timed.ticks += 1);
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
pub struct Ticks;
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Heard;
#[derive(Message)]
#[rtype(result = "bool")]
pub struct CancelAndStop;
#[derive(Message)]
#[rtype(result = "(bool, bool)")]
pub struct CancelTwice;
#[derive(Message)]
#[rtype(result = "()")]
pub struct CancelFinished;
#[derive(Message)]
#[rtype(result = "Option<bool>")]
pub struct FinishedWasFound;
#[derive(Message)]
#[rtype(result = "()")]
pub struct Listen(pub tokio::sync::mpsc::UnboundedReceiver<u64>);
#[derive(Message)]
#[rtype(result = "()")]
pub struct NotifySelf(pub u64);
/// Notifies itself for ever.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Spin;
#[derive(Message)]
#[rtype(result = "()")]
pub struct Fail;
#[derive(Message)]
#[rtype(result = "u128")]
pub struct AnswerLater(pub Duration);
#[derive(Message)]
#[rtype(result = "u128")]
pub struct AnswerAtomically(pub Duration);
#[derive(Message)]
#[rtype(result = "()")]
struct Noted(u64);

impl Handler<Ticks> for Timed {
    type Result = u64;
    fn handle(&mut self, _: Ticks, _: &mut Self::Context) -> u64 {
        self.ticks
    }
}
impl Handler<Heard> for Timed {
    type Result = u64;
    fn handle(&mut self, _: Heard, _: &mut Self::Context) -> u64 {
        self.heard
    }
}
impl Handler<CancelAndStop> for Timed {
    type Result = bool;
    fn handle(&mut self, _: CancelAndStop, ctx: &mut Self::Context) -> bool {
        let found = ctx.cancel_future(self.tick);
        ctx.stop();
        found
    }
}
impl Handler<CancelTwice> for Timed {
    type Result = MessageResult<CancelTwice>;
    fn handle(&mut self, _: CancelTwice, ctx: &mut Self::Context) -> Self::Result {
        MessageResult((ctx.cancel_future(self.tick), ctx.cancel_future(self.tick)))
    }
}
impl Handler<CancelFinished> for Timed {
    type Result = ();
    fn handle(&mut self, _: CancelFinished, ctx: &mut Self::Context) {
        let done = ctx.spawn(actix::fut::ready(()));
        ctx.run_later(Duration::ZERO, move |timed, ctx| {
            timed.finished_was_found = Some(ctx.cancel_future(done));
        });
    }
}
impl Handler<FinishedWasFound> for Timed {
    type Result = Option<bool>;
    fn handle(&mut self, _: FinishedWasFound, _: &mut Self::Context) -> Option<bool> {
        self.finished_was_found
    }
}
impl Handler<Listen> for Timed {
    type Result = ();
    fn handle(&mut self, listen: Listen, ctx: &mut Self::Context) {
        let stream = futures_util::stream::unfold(listen.0, async |mut receiver| {
            receiver.recv().await.map(|n| (n, receiver))
        });
        ctx.add_stream(stream);
    }
}
impl StreamHandler<u64> for Timed {
    fn handle(&mut self, n: u64, _: &mut Self::Context) {
        self.heard += n;
    }
    /// Actix would stop the actor.
    fn finished(&mut self, _: &mut Self::Context) {}
}
impl Handler<Noted> for Timed {
    type Result = ();
    fn handle(&mut self, noted: Noted, _: &mut Self::Context) {
        self.heard += noted.0;
    }
}
impl Handler<NotifySelf> for Timed {
    type Result = ();
    fn handle(&mut self, notify: NotifySelf, ctx: &mut Self::Context) {
        ctx.notify(Noted(notify.0));
    }
}
impl Handler<Spin> for Timed {
    type Result = ();
    fn handle(&mut self, _: Spin, ctx: &mut Self::Context) {
        self.heard += 1;
        ctx.notify(Spin);
    }
}
impl Handler<Fail> for Timed {
    type Result = ();
    fn handle(&mut self, _: Fail, _: &mut Self::Context) {
        panic!("told to");
    }
}
impl Handler<AnswerLater> for Timed {
    type Result = ResponseActFuture<Self, u128>;
    fn handle(&mut self, later: AnswerLater, _: &mut Self::Context) -> Self::Result {
        Box::pin(tokio::time::sleep(later.0).into_actor(self).map(move |(), _, _| later.0.as_millis()))
    }
}
impl Handler<AnswerAtomically> for Timed {
    type Result = AtomicResponse<Self, u128>;
    fn handle(&mut self, later: AnswerAtomically, _: &mut Self::Context) -> Self::Result {
        let answer = tokio::time::sleep(later.0).into_actor(self);
        AtomicResponse::new(Box::pin(answer.map(move |(), _, _| later.0.as_millis())))
    }
}
