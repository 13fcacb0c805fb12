//! The tokens as the server sees them: the file's content, at most half a second old.
//!
//! It promises: a revoked token is refused within a second, without a restart; an unreadable file lets nobody in;
//! a file that was there and is gone lets nobody in, because an accident must not open the door; only a process that
//! listens on loopback alone, in whose data directory no token was ever made, is open to everybody on the host.

use super::access::Principal;
use crate::db::{Look, TokenBook, TokenFile};
use crate::domain::time::WallMs;
use crate::domain::token::{Presented, TokenId, Verdict};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How old the knowledge of the file may be.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// And when an unknown token is presented, which may have been made just now.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Why nobody, or not this caller, is admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// No token was presented.
    Missing,
    /// Something was presented that is no token at all: a mistake, and no guess.
    Shapeless(&'static str),
    /// A token was presented that is no good; the id when it is one of ours.
    Bad {
        /// In words that say nothing about the secret.
        why: &'static str,
        /// Whose secret it was not.
        known: Option<TokenId>,
    },
    /// Nobody can be admitted now: what is wrong with the file.
    Unreadable(String),
}

#[derive(Debug, Default)]
struct Seen {
    looked_at: Option<Instant>,
    look: Option<Look>,
    book: Arc<TokenBook>,
    failure: Option<String>,
    /// Were there ever tokens in this run?
    ever: bool,
}

/// See the module's head.
#[derive(Debug)]
pub struct Keyring {
    file: TokenFile,
    listens_on_loopback: bool,
    seen: Mutex<Seen>,
}

impl Keyring {
    /// The tokens of a data directory.
    #[must_use]
    pub fn new(file: TokenFile, listens_on_loopback: bool) -> Self {
        Self { file, listens_on_loopback, seen: Mutex::default() }
    }

    /// Admits a caller by what stands in its `Authorization` header.
    pub(super) fn admit(
        &self,
        authorization: Option<&str>,
        now: Instant,
        wall: WallMs,
    ) -> Result<Principal, Denied> {
        let book = self.book(now, LOOK_EVERY)?;
        let Some(header) = authorization else {
            let open = self.listens_on_loopback && book.is_empty();
            return if open { Ok(Principal::loopback()) } else { Err(Denied::Missing) };
        };
        let token = bearer(header).ok_or(Denied::Shapeless("send Authorization: Bearer <token>"))?;
        let token = Presented::parse(token).map_err(|_| Denied::Shapeless("that is not a token of ours"))?;
        let book = if book.knows(&token.id) { book } else { self.book(now, LOOK_AGAIN)? };
        match book.admit(&token, wall) {
            Ok(record) => Ok(Principal::of(record)),
            Err(verdict) => {
                let known = book.knows(&token.id).then(|| token.id.clone());
                let why = match verdict {
                    Verdict::Expired => "the token has expired",
                    Verdict::Revoked => "the token was revoked",
                    Verdict::Good | Verdict::Wrong => "there is no such token",
                };
                Err(Denied::Bad { why, known })
            }
        }
    }

    /// Who a session's token belongs to; `None` once it was revoked, has expired or cannot be read.
    pub(super) fn holder(&self, token: &TokenId, now: Instant, wall: WallMs) -> Option<Principal> {
        let book = self.book(now, LOOK_EVERY).ok()?;
        let record = book.records().iter().find(|record| record.id == *token && record.is_live(wall))?;
        Some(Principal::of(record))
    }

    /// Is everybody on the host admitted, because no token was ever made?
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.listens_on_loopback && self.book(now, LOOK_EVERY).is_ok_and(|book| book.is_empty())
    }

    /// Would this caller be admitted again?
    pub(super) fn admits_still(&self, principal: &Principal, now: Instant) -> bool {
        match TokenId::new(&principal.id) {
            Ok(token) => self.holder(&token, now, WallMs(crate::clock::wall_millis())).is_some(),
            Err(_) => self.is_open(now),
        }
    }

    /// The book, read again when the file changed and the last look is older than `age`.
    fn book(&self, now: Instant, age: Duration) -> Result<Arc<TokenBook>, Denied> {
        let mut seen = self.seen.lock();
        let fresh = seen.looked_at.is_some_and(|at| now.saturating_duration_since(at) < age);
        if !fresh {
            self.look(&mut seen);
            seen.looked_at = Some(now);
        }
        match &seen.failure {
            Some(failure) => Err(Denied::Unreadable(failure.clone())),
            None => Ok(Arc::clone(&seen.book)),
        }
    }

    fn look(&self, seen: &mut Seen) {
        let look = match self.file.look() {
            Ok(look) => look,
            Err(error) => return fail(seen, error.to_string()),
        };
        if look == seen.look && seen.looked_at.is_some() && seen.failure.is_none() {
            return;
        }
        match self.file.read() {
            Ok(book) if book.is_empty() && seen.ever => {
                let path = self.file.path();
                fail(seen, format!("{} is gone: put it back, or restart to begin anew", path.display()));
            }
            Ok(book) => {
                if seen.failure.take().is_some() {
                    tracing::info!(event = "tokens_readable", "the tokens can be read again");
                }
                seen.ever |= !book.is_empty();
                (seen.look, seen.book) = (look, Arc::new(book));
            }
            Err(error) => fail(seen, error.to_string()),
        }
    }
}

fn fail(seen: &mut Seen, why: String) {
    if seen.failure.is_none() {
        tracing::error!(event = "tokens_unreadable", why, "nobody is admitted");
    }
    seen.failure = Some(why);
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::{Scope, TokenName};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    struct Desk {
        _folder: tempfile::TempDir,
        file: TokenFile,
        ring: Keyring,
        now: Instant,
    }

    impl Desk {
        fn new(loopback: bool) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = TokenFile::at(folder.path());
            let ring = Keyring::new(file.clone(), loopback);
            Self { _folder: folder, file, ring, now: crate::clock::monotonic() }
        }

        fn make(&self, name: &str) -> String {
            let made = self.file.create(&TokenName::new(name).unwrap(), &[Scope::Kill], None, WallMs(0));
            format!("Bearer {}", made.unwrap().reveal())
        }

        fn later(&mut self, header: Option<&str>) -> Result<Principal, Denied> {
            self.now += LOOK_EVERY;
            self.ring.admit(header, self.now, WallMs(1))
        }
    }

    #[test]
    fn loopback_is_open_until_a_token_exists() {
        let mut desk = Desk::new(true);
        assert_eq!(desk.later(None).unwrap(), Principal::loopback());
        let header = desk.make("ops");
        assert_eq!(desk.later(None), Err(Denied::Missing));
        let admitted = desk.later(Some(&header)).unwrap();
        assert_eq!(admitted.actor, "ops");
        assert!(admitted.may(Scope::Kill) && admitted.may(Scope::Read) && !admitted.may(Scope::Trade));
        desk.file.revoke(&TokenName::new("ops").unwrap(), WallMs(1)).unwrap();
        assert!(matches!(
            desk.later(Some(&header)),
            Err(Denied::Bad { why: "the token was revoked", known: Some(_) })
        ));
        assert_eq!(desk.later(None), Err(Denied::Missing), "the door stays shut");
    }

    #[test]
    fn beyond_loopback_nobody_enters_without_a_token() {
        let mut desk = Desk::new(false);
        assert_eq!(desk.later(None), Err(Denied::Missing));
    }

    #[test]
    fn a_token_that_was_made_just_now_is_found() {
        let mut desk = Desk::new(true);
        let first = desk.make("first");
        desk.later(Some(&first)).unwrap();
        let second = desk.make("second");
        desk.now += LOOK_AGAIN;
        assert!(desk.ring.admit(Some(&second), desk.now, WallMs(1)).is_ok());
    }

    #[test]
    fn an_unreadable_or_lost_file_lets_nobody_in() {
        let mut desk = Desk::new(true);
        let header = desk.make("ops");
        desk.later(Some(&header)).unwrap();
        let kept = std::fs::read(desk.file.path()).unwrap();
        std::fs::write(desk.file.path(), "{").unwrap();
        for header in [None, Some(header.as_str())] {
            assert!(matches!(desk.later(header), Err(Denied::Unreadable(_))), "{header:?}");
        }
        std::fs::remove_file(desk.file.path()).unwrap();
        for header in [None, Some(header.as_str())] {
            let denied = desk.later(header);
            assert!(matches!(&denied, Err(Denied::Unreadable(why)) if why.contains("is gone")), "{denied:?}");
        }
        std::fs::write(desk.file.path(), kept).unwrap();
        std::fs::set_permissions(desk.file.path(), Permissions::from_mode(0o600)).unwrap();
        assert!(desk.later(Some(&header)).is_ok(), "put back, it counts again");
    }

    #[test]
    fn what_is_no_token_is_told_apart_from_nothing() {
        let mut desk = Desk::new(true);
        desk.make("ops");
        for header in ["", "Bearer", "Bearer x", "Basic b3BzOng=", "Bearer plm_0123456789ab_00"] {
            assert!(matches!(desk.later(Some(header)), Err(Denied::Shapeless(_))), "{header}");
        }
    }
}
