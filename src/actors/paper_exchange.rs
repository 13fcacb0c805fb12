//! The embedded paper exchange: a real server on a loopback port, kept alive like everything else.
//!
//! It promises: the address that its first incarnation got is the address of every later one, so that the
//! connectors find it again; what it acknowledged is on disk under its own folder. It receives no messages.
//! When it dies it is replaced and the connectors reconnect. It shares no state with the runtime: they speak
//! over sockets only, as with any venue.

use crate::paper_exchange::{PaperConfig, PaperExchange, Running};
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, HangLimits, OnHang, Placement, StartFailure, cell};
use actix::{Actor, ActorContext, AsyncContext};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often it is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Reading recordings and a long journal takes its time.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The address, known from the first start on.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedAddress(Arc<OnceLock<SocketAddr>>);

impl EmbeddedAddress {
    /// `host:port`, once it is known.
    #[must_use]
    pub fn get(&self) -> Option<SocketAddr> {
        self.0.get().copied()
    }
}

/// See the module's head.
struct Embedded {
    running: Option<Running>,
}

impl Actor for Embedded {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LOOK_INTERVAL, |embedded, ctx| {
            if embedded.running.as_ref().is_none_or(Running::has_ended) {
                tracing::error!(runbook = "actor_restarted", "the embedded exchange ended by itself");
                ctx.stop();
            }
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some(Err(error)) = self.running.take().map(Running::stop) {
            tracing::error!(error = %error, "the embedded exchange did not end well");
        }
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(config: PaperConfig, address: EmbeddedAddress) -> impl Into<crate::supervision::ChildDecl> {
    let (_, cell): (Handle<Embedded>, Cell<Embedded>) = cell("paper_exchange", spec(), move |_| {
        let mut config = config.clone();
        if let Some(known) = address.get() {
            config.listen = known;
        }
        let running =
            PaperExchange::start(config).map_err(|error| StartFailure::Failed(error.to_string()))?;
        // Set once; every later incarnation was bound to it above.
        let _ = address.0.set(running.addr());
        Ok(Embedded { running: Some(running) })
    });
    cell
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::OwnThread,
        start_timeout: START_TIMEOUT,
        hang: HangLimits { handler: START_TIMEOUT, wait: Duration::from_secs(30), action: OnHang::Replace },
        metadata: vec![("workload".to_owned(), "the embedded venue".to_owned())],
        ..ChildSpec::default()
    }
}
