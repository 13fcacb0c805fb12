//! Who asks, what a route needs, and whether the two fit.

use super::problem::Problem;
use crate::domain::token::{self, Scope, TokenRecord};
use actix_web::HttpMessage as _;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};

/// The name of callers without a token, on a loopback address for which no token was ever made.
pub(super) const LOOPBACK: &str = "loopback";
/// The name of callers that were not admitted.
pub(super) const NOBODY: &str = "nobody";

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: whoever reaches the address may ask.
    Open,
    /// A token with this scope.
    Needs(Scope),
}

/// An admitted caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose idempotency keys and whose share of the rate: the token's id, or `loopback`.
    pub(super) id: String,
    /// The token's name, or `loopback`: the actor of the audit and of the journal.
    pub(super) actor: String,
    scopes: Vec<Scope>,
}

/// The word that only a page of ours knows, for the page that is being made.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// The word.
    pub(super) word: String,
    /// Is there a session that can be ended?
    pub(super) signed_in: bool,
}

impl Principal {
    /// Whoever reaches the loopback address while no token exists: everything is allowed.
    pub(super) fn loopback() -> Self {
        Self { id: LOOPBACK.to_owned(), actor: LOOPBACK.to_owned(), scopes: vec![Scope::Admin] }
    }

    /// The holder of a token.
    pub(super) fn of(record: &TokenRecord) -> Self {
        Self {
            id: record.id.as_str().to_owned(),
            actor: record.name.as_str().to_owned(),
            scopes: record.scopes.clone(),
        }
    }

    /// The scopes by which the page decides what it offers, in words. `ack` is what acknowledging alerts needs.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<&str> =
            Scope::ALL.into_iter().filter(|scope| self.may(*scope)).map(Scope::word).collect();
        if self.may(Scope::Pause) {
            words.push("ack");
        }
        words
    }

    /// May it do what needs `scope`?
    pub(super) fn may(&self, scope: Scope) -> bool {
        token::allows(&self.scopes, scope)
    }
}

impl FromRequest for Principal {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Every route is behind the gate, which leaves the caller here: its absence is a bug, and is refused.
        let found = request.extensions().get::<Self>().cloned();
        ready(found.ok_or_else(|| Problem::internal("the request passed no gate")))
    }
}
