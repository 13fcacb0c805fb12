//! The tree's own nodes: what is down, what was replaced, what has failed for good.

use super::super::table::{NodeFact, NodeWord};
use super::super::verdict::{Severity, Status, Verdict};
use super::{Case, ago, seconds};

/// The alert of a component that was made anew; the runbook's name as well.
pub(super) const RESTARTED: &str = "actor_restarted";
/// The alert of one that failed too often; the runbook's name as well.
pub(super) const MELTDOWN: &str = "supervisor_meltdown";

pub(super) fn judge(case: &Case<'_>, out: &mut Vec<Verdict>) {
    out.extend(case.table.nodes.iter().filter_map(|node| one(case, node)));
}

fn one(case: &Case<'_>, node: &NodeFact) -> Option<Verdict> {
    let age = case.now.since(node.since);
    let failure = node.last_failure.as_deref().unwrap_or("it did not say why");
    let (name, scope) = (node.path.clone(), node.path.as_str());
    let recently = case.within(node.failed_at, case.settings.remembered_ms);
    let verdict = match node.state {
        NodeWord::Failed => {
            let reason = format!("failed too often and stays down: {failure}");
            Verdict::bad(name, Status::Failed, Severity::Critical, reason).raising(MELTDOWN, scope)
        }
        // Supervisors say what their children do; only their end is news of their own.
        _ if !node.worker => return None,
        NodeWord::Running if recently => {
            let reason = format!("made anew {}: {failure}", ago(case.age(node.failed_at)));
            Verdict::bad(name, Status::Degraded, Severity::Warning, reason).raising(RESTARTED, scope)
        }
        NodeWord::Running => Verdict::healthy(name, "running"),
        // Nothing to do, said by itself.
        NodeWord::Stopped if node.last_failure.is_none() && node.epoch > 0 => {
            Verdict::healthy(name, "not needed")
        }
        NodeWord::Stopped if node.last_failure.is_none() => {
            Verdict::bad(name, Status::Unknown, Severity::Critical, "it was not started")
        }
        NodeWord::Stopped => {
            let reason = format!("stopped {} ago: {failure}", seconds(age));
            Verdict::bad(name, Status::Failed, Severity::Critical, reason).raising(MELTDOWN, scope)
        }
        NodeWord::Starting | NodeWord::Backoff if node.last_failure.is_some() => {
            let reason = format!("down for {}, being made anew: {failure}", seconds(age));
            Verdict::bad(name, Status::Degraded, Severity::Warning, reason).raising(RESTARTED, scope)
        }
        NodeWord::Starting | NodeWord::Backoff => {
            Verdict::bad(name, Status::Degraded, Severity::Warning, "being started")
        }
        NodeWord::Stopping => Verdict::bad(name, Status::Degraded, Severity::Warning, "stopping"),
    };
    let facts = format!("epoch {}, {} waiting, {} handled", node.epoch, node.depth, node.handled);
    Some(verdict.aged(Some(age)).citing("node.state", facts, Some(age)))
}
