//! Declaring a tree: supervisors, their rules and their children, in start order.

use super::cell::{AnyCell, Cell};
use super::context::Ctx;
use super::spec::{AutoShutdown, Backoff, Intensity, Restart, Strategy, SupervisorSpec};
use actix::Actor;
use std::time::Duration;

/// A supervisor and its children, as declared.
pub struct SupervisorDecl {
    pub(super) name: String,
    pub(super) spec: SupervisorSpec,
    pub(super) children: Vec<ChildDecl>,
}

/// A child, as declared.
pub enum ChildDecl {
    /// A cell.
    #[expect(private_interfaces, reason = "built by `From` only")]
    Cell(AnyCell),
    /// A supervisor below.
    Supervisor(SupervisorDecl),
}

impl<A: Actor<Context = Ctx<A>>> From<Cell<A>> for ChildDecl {
    fn from(cell: Cell<A>) -> Self {
        Self::Cell(cell.erase())
    }
}

impl From<SupervisorDecl> for ChildDecl {
    fn from(supervisor: SupervisorDecl) -> Self {
        Self::Supervisor(supervisor)
    }
}

/// Declares a supervisor: one_for_one, three restarts in a minute.
#[must_use]
pub fn supervisor(name: &str) -> SupervisorDecl {
    SupervisorDecl { name: name.to_owned(), spec: SupervisorSpec::default(), children: Vec::new() }
}

impl SupervisorDecl {
    /// Which siblings restart together.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.spec.strategy = strategy;
        self
    }

    /// How many restarts are tolerated, within which period.
    #[must_use]
    pub fn intensity(mut self, max_restarts: u32, period: Duration) -> Self {
        self.spec.intensity = Intensity::new(max_restarts, period);
        self
    }

    /// Whether significant children end it.
    #[must_use]
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.spec.auto_shutdown = auto_shutdown;
        self
    }

    /// As a child: when it is restarted.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.spec.restart = restart;
        self
    }

    /// As a child: its own end may end its parent.
    #[must_use]
    pub fn significant(mut self, significant: bool) -> Self {
        self.spec.significant = significant;
        self
    }

    /// As a child: delay between its restarts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.spec.backoff = backoff;
        self
    }

    /// Most children it may hold.
    #[must_use]
    pub fn children_max(mut self, max: usize) -> Self {
        self.spec.children_max = max;
        self
    }

    /// Adds a child; children start in this order and stop in reverse.
    #[must_use]
    pub fn child(mut self, child: impl Into<ChildDecl>) -> Self {
        self.children.push(child.into());
        self
    }
}
