//! What the control loop says: structured events with path and epoch, and the emergency call.

use super::control::SupervisorId;
use super::machine::{ChildId, Note};
use super::panics;
use super::runtime::{ROOT, Runtime};
use super::snapshot::{NodeCard, NodeState};
use super::tree::Emergency;
use std::sync::Arc;

impl Runtime {
    pub(super) fn note(&mut self, id: SupervisorId, note: &Note) {
        let now = self.shared.clock.now();
        let card = |child: ChildId| self.supervisors.kid(id, child).map(|k| Arc::clone(&k.card));
        match note {
            Note::ChildDown { child, epoch, reason } => {
                let Some(card) = card(*child) else { return };
                if reason.is_abnormal() {
                    card.failed(reason.to_string(), now);
                    tracing::warn!(event = "actor_down", actor.path = card.path(), actor.epoch = epoch, reason = %reason);
                } else {
                    tracing::info!(event = "actor_down", actor.path = card.path(), actor.epoch = epoch, reason = %reason);
                }
            }
            Note::RestartScheduled { child, attempt, delay } => {
                let Some(card) = card(*child) else { return };
                tracing::warn!(
                    event = "actor_restarted",
                    actor.path = card.path(),
                    attempt,
                    delay_seconds = delay.as_secs_f64(),
                    "restart scheduled"
                );
            }
            Note::StopTimedOut { child } => {
                let Some(card) = card(*child) else { return };
                tracing::warn!(
                    event = "stop_timed_out", actor.path = card.path(), actor.metadata = ?card.metadata(),
                    actor.state = ?card.state(), "did not stop in time"
                );
            }
            Note::Meltdown { child, restarts, message } => {
                let path = card(*child).map_or_else(String::new, |card| card.path().to_owned());
                tracing::error!(
                    event = "supervisor_meltdown",
                    actor.path = path,
                    restarts,
                    reason = message,
                    runbook = "supervisor_meltdown",
                    "restart intensity exceeded"
                );
                if id == ROOT {
                    self.raise(Emergency::Meltdown(message.clone()));
                }
            }
        }
    }

    /// Runs the emergency handler at once, the first time.
    pub(super) fn raise(&mut self, emergency: Emergency) {
        if self.emergency.is_some() {
            return;
        }
        tracing::error!(event = "emergency", emergency = %emergency, "running the emergency handler");
        let handler = Arc::clone(&self.shared.options.on_emergency);
        if panics::guarded(|| handler(&emergency)).is_err() {
            tracing::error!("the emergency handler panicked");
        }
        self.emergency = Some(emergency);
    }

    /// Names everything that is not down when the grace is over.
    pub(super) fn name_the_late(&self) {
        let late = |card: &Arc<NodeCard>| {
            matches!(card.state(), NodeState::Running | NodeState::Starting | NodeState::Stopping)
        };
        let now = self.shared.clock.now();
        for card in self.shared.cards.all().iter().filter(|card| late(card)) {
            tracing::warn!(
                event = "shutdown_late", actor.path = card.path(), actor.metadata = ?card.metadata(),
                actor.state = ?card.state(), actor.age_seconds = card.node(now).age_seconds,
                "did not stop within the grace"
            );
        }
    }
}
