//! The order management's place in the tree.

use super::cell::OmsCell;
use super::handle::OmsHandle;
use super::readings::OmsReadings;
use super::wiring::{OmsPlan, Wires};
use crate::supervision::{
    Cell, ChildSpec, Ctx, Handle, HangLimits, MailboxPolicy, OnHang, OnRestart, Placement, cell,
};
use std::time::Duration;

/// Mail that may wait: a burst of reports, and callers.
const MAILBOX: usize = 65_536;
/// Replaying the journal since the last snapshot.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// One step is microseconds; a comparison of ten thousand orders is tens of milliseconds.
const HANDLER_MAX: Duration = Duration::from_secs(5);

/// Declares the cell on the arbiter that it shares with the connectors: the hot pair is fastest on one thread.
#[must_use]
pub fn declare(
    arbiter: &str,
    plan: OmsPlan,
    wires: Wires,
    readings: OmsReadings,
) -> (Handle<OmsCell>, OmsHandle, Cell<OmsCell>) {
    let spec = ChildSpec {
        placement: Placement::Shared(arbiter.to_owned()),
        start_timeout: START_TIMEOUT,
        // Whoever hangs with orders in hand must not wake up beside its heir.
        hang: HangLimits { handler: HANDLER_MAX, wait: START_TIMEOUT, action: OnHang::Abort },
        mailbox: MailboxPolicy { capacity: MAILBOX, on_restart: OnRestart::Keep },
        metadata: vec![("workload".to_owned(), "order path".to_owned())],
        ..ChildSpec::default()
    };
    let (handle, cell) = cell("oms", spec, move |_: &mut Ctx<OmsCell>| {
        Ok(OmsCell::new(plan.clone(), wires.clone(), readings.clone()))
    });
    let oms = OmsHandle { requests: handle.port(), drains: handle.port() };
    (handle, oms, cell)
}
