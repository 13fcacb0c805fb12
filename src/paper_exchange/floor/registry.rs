//! Who is connected, and who listens to what.
//!
//! Owns the sessions of all doors, their market subscriptions and their user-data subscriptions, with
//! the indexes that make publishing cheap. Promises that a closed session leaves no trace. Bounded by
//! the connection limit and the streams per connection.

use super::streams::Stream;
use crate::paper_exchange::engine::AccountId;
use crate::paper_exchange::faults::SessionKind;
use crate::paper_exchange::ws::Outbox;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

/// A session's number, never used twice.
pub type SessionId = u64;
/// The most user-data subscriptions of one session.
pub const MAX_USER_SUBSCRIPTIONS: usize = 64;

/// A user-data subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSubscription {
    /// The number the client knows it by.
    pub number: u64,
    /// Whose events.
    pub account: AccountId,
    /// The key it was opened with.
    pub api_key: String,
    /// A report kept back by a fault until the next one has gone out, and since when (ms).
    pub held: Option<(String, i64)>,
}

/// One open WebSocket session.
#[derive(Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Which door.
    pub door: SessionKind,
    /// The peer.
    pub address: IpAddr,
    /// Opened at, ms since the epoch.
    pub opened_ms: i64,
    /// Where its frames go.
    pub outbox: Rc<Outbox>,
    /// Combined form: each payload is wrapped with its stream's name.
    pub combined: bool,
    /// Market streams.
    pub streams: BTreeSet<Stream>,
    /// User data.
    pub user: Vec<UserSubscription>,
}

/// All open sessions.
#[derive(Debug, Default)]
pub struct Registry {
    sessions: BTreeMap<SessionId, Session>,
    listeners: BTreeMap<Stream, BTreeSet<SessionId>>,
    owners: BTreeMap<AccountId, BTreeSet<SessionId>>,
    last_id: SessionId,
}

impl Registry {
    /// A number for a new session or request.
    pub fn next_id(&mut self) -> SessionId {
        self.last_id += 1;
        self.last_id
    }

    /// Adds a session.
    pub fn open(&mut self, session: Session) {
        self.sessions.insert(session.id, session);
    }

    /// Forgets a session and all its subscriptions.
    pub fn close(&mut self, id: SessionId) {
        let Some(session) = self.sessions.remove(&id) else { return };
        for stream in &session.streams {
            remove(&mut self.listeners, stream, id);
        }
        for user in &session.user {
            remove(&mut self.owners, &user.account, id);
        }
    }

    /// A session.
    #[must_use]
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// A session.
    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }

    /// All sessions, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// All sessions, oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut()
    }

    /// Subscribes a session to a stream.
    pub fn listen(&mut self, id: SessionId, stream: Stream) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.streams.insert(stream);
            self.listeners.entry(stream).or_default().insert(id);
        }
    }

    /// Ends a subscription; `false` when there was none.
    pub fn unlisten(&mut self, id: SessionId, stream: Stream) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        if !session.streams.remove(&stream) {
            return false;
        }
        remove(&mut self.listeners, &stream, id);
        true
    }

    /// Does anybody listen to this stream?
    #[must_use]
    pub fn heard(&self, stream: Stream) -> bool {
        self.listeners.contains_key(&stream)
    }

    /// The sessions that listen to a stream.
    pub fn listeners(&self, stream: Stream) -> impl Iterator<Item = &Session> {
        self.listeners.get(&stream).into_iter().flatten().filter_map(|id| self.sessions.get(id))
    }

    /// The streams somebody listens to.
    pub fn streams(&self) -> impl Iterator<Item = Stream> {
        self.listeners.keys().copied()
    }

    /// Subscribes a session to an account's events; `None` when the session has too many or is gone.
    pub fn own(&mut self, id: SessionId, account: AccountId, api_key: &str) -> Option<u64> {
        let session = self.sessions.get_mut(&id)?;
        if session.user.len() >= MAX_USER_SUBSCRIPTIONS {
            return None;
        }
        let number = session.user.last().map_or(0, |last| last.number + 1);
        session.user.push(UserSubscription { number, account, api_key: api_key.to_owned(), held: None });
        self.owners.entry(account).or_default().insert(id);
        Some(number)
    }

    /// Ends one user-data subscription, or all of a session; answers the ended ones.
    pub fn disown(&mut self, id: SessionId, number: Option<u64>) -> Vec<UserSubscription> {
        let Some(session) = self.sessions.get_mut(&id) else { return Vec::new() };
        let (ended, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut session.user)
            .into_iter()
            .partition(|user| number.is_none_or(|number| number == user.number));
        session.user = kept;
        let left: BTreeSet<AccountId> = session.user.iter().map(|user| user.account).collect();
        for user in &ended {
            if !left.contains(&user.account) {
                remove(&mut self.owners, &user.account, id);
            }
        }
        ended
    }

    /// Does anybody listen to this account's events?
    #[must_use]
    pub fn owned(&self, account: AccountId) -> bool {
        self.owners.contains_key(&account)
    }

    /// The sessions that listen to an account's events.
    #[must_use]
    pub fn owners(&self, account: AccountId) -> Vec<SessionId> {
        self.owners.get(&account).into_iter().flatten().copied().collect()
    }
}

fn remove<K: Ord>(index: &mut BTreeMap<K, BTreeSet<SessionId>>, key: &K, id: SessionId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn registry() -> (Registry, SessionId) {
        let mut registry = Registry::default();
        let id = registry.next_id();
        registry.open(Session {
            id,
            door: SessionKind::WsApi,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            opened_ms: 0,
            outbox: Rc::new(Outbox::new(1_000)),
            combined: false,
            streams: BTreeSet::new(),
            user: Vec::new(),
        });
        (registry, id)
    }

    #[test]
    fn a_closed_session_leaves_no_trace() {
        let (mut registry, id) = registry();
        let stream = Stream::parse("btcusdt@trade").unwrap();
        registry.listen(id, stream);
        registry.own(id, AccountId(1), "k");
        assert!(registry.heard(stream) && registry.owned(AccountId(1)));
        registry.close(id);
        assert!(!registry.heard(stream) && !registry.owned(AccountId(1)));
        assert!(registry.listeners.is_empty() && registry.owners.is_empty());
        assert_eq!(registry.own(id, AccountId(1), "k"), None);
    }

    #[test]
    fn ending_one_of_two_subscriptions_keeps_the_other() {
        let (mut registry, id) = registry();
        assert_eq!(registry.own(id, AccountId(1), "k"), Some(0));
        assert_eq!(registry.own(id, AccountId(1), "k"), Some(1));
        assert_eq!(registry.disown(id, Some(0)).len(), 1);
        assert!(registry.owned(AccountId(1)));
        assert_eq!(registry.disown(id, None).len(), 1);
        assert!(!registry.owned(AccountId(1)));
    }
}
