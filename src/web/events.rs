//! `GET /api/v1/events`: what happens, as Server-Sent Events.
//!
//! A stream begins with a `snapshot` (state, open orders, positions, balances, strategies, alerts), then tells every
//! change in order: `order`, `fill`, `position`, `balance`, `state`, `strategy`, `alert`, each with an id and the server's time.
//! Changes that fall between subscribing and reading the snapshot come twice; they carry whole objects, so that the
//! later word simply wins. Who falls behind or comes back with a `Last-Event-ID` gets `resync` and a fresh snapshot:
//! deltas are never resumed blindly. Silence is broken by `keep_alive` every five seconds, so that a reader can tell a
//! quiet market from a dead wire. `shutdown` is the last word of a process that ends in order.

use super::alerts;
use super::pages::LIMIT_MAX;
use super::positions;
use super::problem::Problem;
use super::state::WebState;
use super::wire::{BalanceView, Beside, FillView, OrderView, PositionView, time};
use crate::actors::alert_router::show;
use crate::actors::oms::{EventStream, Stamped};
use crate::db::{AlertFilter, OrderFilter};
use crate::domain::alert::Alert;
use crate::domain::oms::Change;
use crate::domain::time::WallMs;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Pages that may be open at once.
const PAGES_MAX: usize = 64;
/// Streams that may be open at once.
pub const STREAMS_MAX: usize = 64;
/// Longest silence.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Changes that are handed to the socket together.
const CHUNK_CHANGES_MAX: usize = 64;

/// The seats, and the word that ends every stream.
pub(super) struct Streams {
    seats: Arc<Semaphore>,
    /// For the page's own streams, so that neither kind takes the other's.
    pages: Arc<Semaphore>,
    ending: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(STREAMS_MAX)),
            pages: Arc::new(Semaphore::new(PAGES_MAX)),
            ending: watch::Sender::new(false),
        }
    }
}

impl Streams {
    /// Ends every stream, now and from now on.
    pub(super) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves once every stream is to end.
    pub(super) async fn ended(&self) {
        // The sender lives as long as this: the wait ends with the word alone.
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// A page's seat.
    pub(super) fn page(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let seat = Arc::clone(&self.pages).try_acquire_owned();
        seat.map_err(|_| Problem::unavailable(format!("{PAGES_MAX} pages are open already")))
    }

    /// Streams that are open.
    pub(super) fn open(&self) -> usize {
        STREAMS_MAX.saturating_sub(self.seats.available_permits())
    }
}

/// One reader's stream.
struct Feed {
    state: Data<WebState>,
    live: EventStream,
    alerts: broadcast::Receiver<Arc<Alert>>,
    ending: watch::Receiver<bool>,
    /// What is sent before anything live: the first snapshot, or the one after a lag.
    first: Option<Bytes>,
    ended: bool,
    _seat: OwnedSemaphorePermit,
}

/// See the module's head.
pub(super) async fn events(state: Data<WebState>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    state.oms()?;
    let seat = Arc::clone(&state.streams.seats)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable(format!("{STREAMS_MAX} streams are open already")))?;
    let live = state.readings.oms.subscribe();
    let alerts = state.readings.alerting.subscribe();
    let mut opening = String::new();
    if let Some(last) = request.headers().get("last-event-id") {
        let last: String = last.to_str().unwrap_or_default().chars().take(64).collect();
        opening.push_str(&event("resync", None, &json!({"at": now(), "last_event_id": last})));
    }
    opening.push_str(&snapshot(&state).await?);
    let ending = state.streams.ending.subscribe();
    state.readings.page.stream(true);
    let feed = Feed { state, live, alerts, ending, first: Some(opening.into()), ended: false, _seat: seat };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(feed, |mut feed| async move {
            let chunk = feed.next().await?;
            Some((Ok::<Bytes, Error>(chunk), feed))
        })))
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.state.readings.page.stream(false);
    }
}

impl Feed {
    /// The next bytes for the socket; `None` after the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.ended {
            return None;
        }
        let heard = tokio::select! {
            biased;
            _ = self.ending.wait_for(|ending| *ending) => None,
            alert = self.alerts.recv() => Some(Err(alert)),
            heard = tokio::time::timeout(KEEP_ALIVE, self.live.recv()) => Some(Ok(heard)),
        };
        let heard = match heard {
            Some(Err(alert)) => return Some(self.alert(alert).await),
            Some(Ok(heard)) => Some(heard),
            None => None,
        };
        Some(match heard {
            Some(Ok(Ok(stamped))) => self.changes(&stamped),
            Some(Ok(Err(RecvError::Lagged(missed)))) => self.resync(missed).await,
            Some(Err(_)) => event("keep_alive", None, &json!({"at": now()})).into(),
            None | Some(Ok(Err(RecvError::Closed))) => {
                self.ended = true;
                event("shutdown", None, &json!({"at": now()})).into()
            }
        })
    }

    /// This change and those that wait behind it. A lag among them is met by the next call.
    fn changes(&mut self, first: &Stamped) -> Bytes {
        let mut text = self.change(first);
        for _ in 1..CHUNK_CHANGES_MAX {
            match self.live.try_recv() {
                Ok(stamped) => text.push_str(&self.change(&stamped)),
                Err(TryRecvError::Lagged(missed)) => {
                    text.push_str(&lagged(missed));
                    self.ended = true;
                    break;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        text.into()
    }

    /// An alert that changed. Its id is the alert's own with the number of its transition.
    async fn alert(&mut self, heard: Result<Arc<Alert>, RecvError>) -> Bytes {
        match heard {
            Ok(alert) => {
                let id = format!("{}-{}.{}", self.state.run_id(), alert.id, alert.seq);
                event("alert", Some(&id), &json!({"at": now(), "alert": show::alert(&alert, &[])})).into()
            }
            Err(RecvError::Lagged(missed)) => self.resync(missed).await,
            Err(RecvError::Closed) => {
                self.ended = true;
                event("shutdown", None, &json!({"at": now()})).into()
            }
        }
    }

    /// Says that changes were missed and how everything stands now; ends the stream when that cannot be read.
    async fn resync(&mut self, missed: u64) -> Bytes {
        self.state.readings.page.lost(missed);
        let mut text = lagged(missed);
        match snapshot(&self.state).await {
            Ok(snapshot) => text.push_str(&snapshot),
            Err(_) => self.ended = true,
        }
        text.into()
    }

    fn change(&self, stamped: &Stamped) -> String {
        self.state.readings.page.shown(stamped.id);
        let (kind, value) = shown(&stamped.change, &self.state);
        let mut data = Map::new();
        data.insert("at".to_owned(), json!(time(stamped.at)));
        data.insert(kind.to_owned(), value);
        let id = format!("{}-{}", self.state.run_id(), stamped.id);
        event(kind, Some(&id), &Value::Object(data))
    }
}

/// The event's name and its object.
fn shown(change: &Change, state: &WebState) -> (&'static str, Value) {
    match change {
        Change::Order(order) => ("order", json!(OrderView::from(order.as_ref()))),
        Change::Fill { fill, .. } => ("fill", json!(FillView::from(fill.as_ref()))),
        Change::Position(position) => {
            let beside = positions::beside(std::slice::from_ref(position), &[], &state.readings.oms);
            let none = Beside::default();
            let mut value = json!(PositionView::new(position, beside.first().unwrap_or(&none)));
            // The venue's side of it is compared with the balances, not with every fill: nothing is said of it here.
            if let Some(members) = value.as_object_mut() {
                members.shift_remove("venue_quantity");
                members.shift_remove("compared_at");
            }
            ("position", value)
        }
        Change::Balance(row) => ("balance", json!(BalanceView::from(row.as_ref()))),
        Change::Phase { phase, reason, actor, version } => {
            ("state", json!({"state": phase, "reason": reason, "actor": actor, "state_version": version}))
        }
        Change::Strategy { strategy, enabled } => {
            ("strategy", json!({"name": strategy.as_str(), "enabled": enabled}))
        }
    }
}

/// How everything stands, as an event. Open orders beyond the first page are read from `/api/v1/orders`, from
/// `orders_next` on.
async fn snapshot(state: &WebState) -> Result<String, Problem> {
    let read = state.read(|books| {
        let filter = OrderFilter { open_only: true, ..OrderFilter::default() };
        let standing = AlertFilter { open_only: true, ..AlertFilter::default() };
        let alerts = books.alerts(standing, None, LIMIT_MAX)?;
        Ok((books.orders(&filter, None, LIMIT_MAX)?, books.positions()?, books.balances()?, alerts))
    });
    let (orders, positions, balances, standing) = read.await?;
    let mut alerts: Vec<Value> = standing.iter().map(|alert| show::alert(alert, &[])).collect();
    alerts.extend(state.pending_alerts().iter().map(alerts::show));
    let view = state.readings.oms.view();
    let beside = positions::beside(&positions, &balances, &state.readings.oms);
    let full = u32::try_from(orders.len()).is_ok_and(|count| count >= LIMIT_MAX);
    let orders_next = orders.last().filter(|_| full).map(|last| last.number.0.to_string());
    let strategies: Vec<Value> = view
        .strategies
        .iter()
        .map(|(name, enabled)| json!({"name": name.as_str(), "enabled": enabled}))
        .collect();
    let data = json!({
        "at": now(),
        "state": view.phase,
        "state_version": view.version,
        "reason": view.reason,
        "since": time(view.since),
        "orders": orders.iter().map(OrderView::from).collect::<Vec<_>>(),
        "orders_next": orders_next,
        "positions": positions.iter().zip(&beside).map(|(p, b)| PositionView::new(p, b)).collect::<Vec<_>>(),
        "balances": balances.iter().map(BalanceView::from).collect::<Vec<_>>(),
        "strategies": strategies,
        "alerts": alerts,
    });
    Ok(event("snapshot", None, &data))
}

fn lagged(missed: u64) -> String {
    event("resync", None, &json!({"at": now(), "missed": missed}))
}

fn now() -> Option<String> {
    time(WallMs(crate::clock::wall_millis()))
}

/// One event in the wire format. JSON holds no raw line break, so one `data` line is enough.
pub(super) fn event(name: &str, id: Option<&str>, data: &Value) -> String {
    match id {
        Some(id) => format!("event: {name}\nid: {id}\ndata: {data}\n\n"),
        None => format!("event: {name}\ndata: {data}\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_block_whatever_its_data_holds() {
        let text = event("order", Some("r-7"), &json!({"reason": "two\nlines\r\nevent: fake"}));
        assert_eq!(text.matches('\n').count(), 4);
        assert!(text.starts_with("event: order\nid: r-7\ndata: {") && text.ends_with("}\n\n"), "{text}");
    }
}
