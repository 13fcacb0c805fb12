//! The sentinel's hands: carries out a containment through those who own what it is done to.
//!
//! Everything that steers goes the way of every other control: through the order management, with a line of the audit
//! in the same transaction, by the name `sentinel`. Whether it worked is not decided here: the next look at the
//! evidence says so.

use super::readings::OrderPath;
use crate::actors::connector::{Beat, Reconnect};
use crate::actors::journal::AppendAlerts;
use crate::actors::oms::{Ask, OmsHandle};
use crate::db::Readers;
use crate::domain::containment::{DEADLINE_MS, Intent, Standing, Target};
use crate::domain::control::ControlNote;
use crate::domain::health::SafeAction;
use crate::domain::ids::{StrategyId, VenueId};
use crate::domain::oms::{Actor as By, Answer, Steering};
use crate::domain::order::CancelScope;
use crate::domain::run_state::Verb;
use crate::supervision::Port;
use actix::Message;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Where containment is written down, and read back after a start.
#[derive(Clone)]
pub struct Books {
    /// What was on disk.
    pub readers: Readers,
    /// Who writes.
    pub journal: Port<AppendAlerts>,
}

/// Whose name stands in the audit.
const NAME: &str = "sentinel";

/// See the module's head. Empty in a process that trades nothing.
#[derive(Clone, Default)]
pub struct Hands {
    /// The order management.
    pub oms: Option<OmsHandle>,
    /// Where it is written down; without it nothing is.
    pub books: Option<Books>,
    /// Each venue's order session.
    pub orders: BTreeMap<VenueId, Port<Reconnect>>,
    /// Each venue's market session.
    pub market: BTreeMap<VenueId, Port<Reconnect>>,
    /// Each venue, to be asked for everything anew.
    pub beats: BTreeMap<VenueId, Port<Beat>>,
    /// How often each venue has answered that.
    refreshed: Arc<Mutex<BTreeMap<VenueId, u64>>>,
}

/// An intent that was refused outright.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Refused {
    pub(super) number: u64,
    pub(super) why: String,
}

/// Whoever carries an intent out has taken it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct CarriedOut {
    pub(super) number: u64,
}

impl Hands {
    /// What containment must know beside the table.
    pub(super) fn standing(&self, orders: Option<&OrderPath>) -> Standing {
        Standing {
            enabled: orders.map(|path| path.oms.strategies.clone()).unwrap_or_default(),
            entries: orders.map_or(0, |path| path.oms.open_entries),
            refreshed: self.refreshed.lock().clone(),
        }
    }

    /// Asks for it.
    ///
    /// # Errors
    /// In words, when it was refused or nobody was there to take it. What was taken is not an error, whatever comes
    /// of it.
    pub(super) async fn carry_out(&self, intent: Rc<Intent>) -> Result<(), String> {
        let by = By { name: NAME.to_owned(), reason: format!("contained: {}", intent.because) };
        match (intent.action, &intent.target) {
            (SafeAction::Pause, _) => self.steer(Verb::Pause, by, &intent).await,
            (SafeAction::ReduceOnly, _) => self.steer(Verb::ReduceOnly, by, &intent).await,
            (SafeAction::Disarm, Target::Strategy(name)) => {
                let strategy = StrategyId::new(name).map_err(|error| error.to_string())?;
                self.ask(Ask::SwitchStrategy { strategy, enabled: false, by }, &intent).await
            }
            (SafeAction::CancelRestingEntries, _) => {
                let scope = CancelScope { entries: true, ..CancelScope::default() };
                self.ask(Ask::CancelAll { scope, by }, &intent).await
            }
            (SafeAction::Reconnect, Target::Market(name)) => tell(&self.market, name),
            (SafeAction::Reconnect, Target::Orders(name)) => tell(&self.orders, name),
            (SafeAction::Refresh, Target::Orders(name)) => self.refresh(name).await,
            (action, target) => Err(format!("{} cannot be done to {target:?}", action.word())),
        }
    }

    async fn steer(&self, verb: Verb, by: By, intent: &Intent) -> Result<(), String> {
        self.ask(Ask::Steer(Steering { verb, seen: None, by }), intent).await
    }

    async fn ask(&self, ask: Ask, intent: &Intent) -> Result<(), String> {
        let oms = self.oms.as_ref().ok_or("nothing trades here")?;
        let verb = intent.action.word();
        let note = ControlNote {
            principal: NAME.to_owned(),
            actor: NAME.to_owned(),
            peer: "process".to_owned(),
            route: format!("{NAME} {verb}"),
            verb: verb.to_owned(),
            reason: Some(format!(
                "intent {}: {} because of {}; before: {}",
                intent.number, intent.verify, intent.because, intent.precondition
            )),
            key: None,
            body_hash: String::new(),
            audited: true,
        };
        let within = Duration::from_millis(DEADLINE_MS);
        match oms.ask(Ask::Noted(Box::new(note), Box::new(ask)), within).await {
            Ok(Answer::Refused(refusal)) => Err(refusal.to_string()),
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.to_string()),
        }
    }

    async fn refresh(&self, name: &str) -> Result<(), String> {
        let (venue, port) = find(&self.beats, name)?;
        let (answer, answered) = oneshot::channel();
        port.tell(Beat { answer }).map_err(|refused| refused.to_string())?;
        match answered.await {
            Ok(Ok(_)) => {
                let mut refreshed = self.refreshed.lock();
                let count = refreshed.entry(venue.clone()).or_default();
                *count = count.saturating_add(1);
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the connector ended with the question in hand".to_owned()),
        }
    }
}

fn find<'a, M>(
    all: &'a BTreeMap<VenueId, Port<M>>,
    name: &str,
) -> Result<(&'a VenueId, &'a Port<M>), String> {
    let found = all.iter().find(|(venue, _)| venue.as_str() == name);
    found.ok_or_else(|| format!("{name} is not configured"))
}

fn tell(all: &BTreeMap<VenueId, Port<Reconnect>>, name: &str) -> Result<(), String> {
    let (_, port) = find(all, name)?;
    port.tell(Reconnect).map_err(|refused| refused.to_string())
}
