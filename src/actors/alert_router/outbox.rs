//! What leaves the router's cell for channels and their providers, and what they answer.

use super::cell::AlertRouter;
use super::sending;
use crate::clock;
use crate::domain::alert::router::{Event, Outcome, Word};
use crate::domain::alert::{IdempotencyKey, Notice};
use crate::supervision::Ctx;
use actix::{Handler, Message};
use std::time::Duration;

/// Longest attempt at one message; channels have shorter ones of their own.
const SEND_MAX: Duration = Duration::from_secs(45);

#[derive(Message)]
#[rtype(result = "()")]
struct Ended(String, IdempotencyKey, Outcome);

#[derive(Message)]
#[rtype(result = "()")]
struct Answered(String, IdempotencyKey, Word);

impl Handler<Ended> for AlertRouter {
    type Result = ();

    fn handle(&mut self, Ended(channel, key, outcome): Ended, ctx: &mut Self::Context) {
        if let Some(began) = self.flights.remove(&key) {
            let took = clock::monotonic().saturating_duration_since(began);
            let counts = self.counts.entry(channel.clone()).or_default();
            match &outcome {
                Outcome::Delivered | Outcome::Accepted { .. } => {
                    counts.0 = counts.0.saturating_add(1);
                    self.setup.readings.delivery().note(took);
                }
                Outcome::Temporary { why, .. } | Outcome::Permanent { why } => {
                    counts.1 = counts.1.saturating_add(1);
                    tracing::warn!(
                        alert.channel = channel,
                        delivery = key.as_str(),
                        why,
                        runbook = "alerting_degraded",
                        "a message was not delivered"
                    );
                }
            }
        }
        self.step(Event::Sent { channel, key, outcome }, ctx);
    }
}

impl Handler<Answered> for AlertRouter {
    type Result = ();

    fn handle(&mut self, Answered(channel, key, answer): Answered, ctx: &mut Self::Context) {
        if let Word::Failed { why } = &answer {
            tracing::warn!(
                alert.channel = channel,
                delivery = key.as_str(),
                why,
                runbook = "alerting_degraded",
                "a message that was accepted did not arrive"
            );
        }
        self.step(Event::Confirmed { channel, key, answer }, ctx);
    }
}

impl AlertRouter {
    pub(super) fn send(
        &mut self,
        channel: String,
        key: IdempotencyKey,
        notice: Box<Notice>,
        ctx: &Ctx<Self>,
    ) {
        let found = self.setup.channels.iter().find(|one| one.name() == channel).cloned();
        let own = ctx.handle();
        self.flights.insert(key.clone(), clock::monotonic());
        self.tasks.spawn_local(async move {
            let outcome = match found {
                Some(sender) => sending::send(sender, notice, key.clone(), SEND_MAX).await,
                None => Outcome::Permanent { why: "the channel is not configured".to_owned() },
            };
            // Closed means that this incarnation has ended.
            let _ = own.port().tell_waiting(Ended(channel, key, outcome)).await;
        });
    }

    pub(super) fn confirm(
        &mut self,
        channel: String,
        key: IdempotencyKey,
        provider_id: String,
        ctx: &Ctx<Self>,
    ) {
        let found = self.setup.channels.iter().find(|one| one.name() == channel).cloned();
        let own = ctx.handle();
        self.tasks.spawn_local(async move {
            let answer = match found {
                Some(asked) => sending::confirm(asked, &provider_id, SEND_MAX).await,
                None => Word::Unasked { why: "the channel is not configured".to_owned() },
            };
            // Closed means that this incarnation has ended.
            let _ = own.port().tell_waiting(Answered(channel, key, answer)).await;
        });
    }
}
