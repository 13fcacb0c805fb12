//! Declaring the alert router's cell.

use super::cell::{AlertRouter, AlertSetup};
use super::desk::AlertDesk;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, MailboxPolicy, OnRestart, Placement, cell};

/// Messages that may wait: looks, receipts, outcomes, requests.
const MAILBOX: usize = 8_192;

/// Declares the cell.
#[must_use]
pub fn declare(setup: AlertSetup) -> (AlertDesk, Cell<AlertRouter>) {
    let (handle, cell): (Handle<AlertRouter>, _) =
        cell("alert_router", spec(), move |_: &mut Ctx<AlertRouter>| Ok(AlertRouter::new(setup.clone())));
    (AlertDesk::new(handle.port()), cell)
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("alerts".to_owned()),
        // What was asked of an incarnation that is over is answered by nobody; who asked hears so.
        mailbox: MailboxPolicy { capacity: MAILBOX, on_restart: OnRestart::Drop },
        metadata: vec![("workload".to_owned(), "decides who is told of what, and tells them".to_owned())],
        ..ChildSpec::default()
    }
}
