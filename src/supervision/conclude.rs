//! How the control loop ends: background tasks asked, then mailboxes closed for good.

use super::build::SupervisorNode;
use super::control::Control;
use super::exit::ExitReason;
use super::runtime::{ROOT, Runtime};
use super::snapshot::NodeState;
use super::tree::{Ended, Progress};
use std::sync::Arc;

impl Runtime {
    pub(super) fn begin_end(&mut self) {
        if self.ending {
            return;
        }
        self.ending = true;
        self.shared.progress.send_replace(Progress::Ending);
        self.shared.tasks.cancel_all();
        if let Some(root) = self.supervisors.get(ROOT) {
            root.card.moved(NodeState::Stopping, self.shared.clock.now());
        }
    }

    /// The root is down: background tasks get the rest of the grace, then every mailbox is closed for
    /// good, so that nobody waits for an answer that cannot come.
    pub(super) async fn conclude(mut self, reason: ExitReason) {
        self.begin_end();
        if self.emergency.is_none() && !self.forced {
            self.wait_for_tasks().await;
        }
        self.forced |= self.shared.tasks.running() > 0;
        self.shared.tasks.abort_rest();
        self.supervisors.every_cell(&mut |cell| cell.drop_for_good());
        self.arbiters.stop_all();
        self.shared.watchdog.stop();
        let now = self.shared.clock.now();
        for card in self.shared.cards.all() {
            // After an emergency the machines were not led to their end; what they knew is over all the same.
            if card.state() != NodeState::Failed {
                card.moved(NodeState::Stopped, now);
            }
        }
        let ended = match (self.emergency.take(), reason) {
            (Some(emergency), _) => Ended::Emergency(emergency),
            (None, ExitReason::StartFailed(why)) => Ended::StartFailed(why),
            (None, _) => Ended::Shutdown { forced: self.forced },
        };
        if let Some(SupervisorNode { card, .. }) = self.supervisors.get(ROOT) {
            let failed = !matches!(ended, Ended::Shutdown { .. });
            card.moved(if failed { NodeState::Failed } else { NodeState::Stopped }, now);
            tracing::info!(event = "tree_ended", actor.path = card.path(), ended = ?ended);
        }
        self.shared.progress.send_replace(Progress::Ended(ended));
    }

    /// Each task has its own time; a kill from outside cuts it short.
    pub(super) async fn wait_for_tasks(&mut self) {
        let limit = self.shared.tasks.longest_shutdown();
        let tasks = Arc::clone(&self.shared.tasks);
        let ended = tokio::time::timeout(limit, tasks.all_ended());
        tokio::pin!(ended);
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return,
                message = self.events.recv() => match message {
                    Some(Control::Kill) | None => {
                        self.forced = true;
                        return;
                    }
                    Some(Control::Ping(ping)) => self.shared.watchdog.pong(ping),
                    // Nobody is left whom it could concern; dropped replies answer `NotRunning`.
                    Some(_) => {}
                },
            }
        }
    }
}
