//! Sessions of people at the page: a cookie instead of a token in every request.
//!
//! It promises: a session is as good as its token, never better, and ends with it; it ends by itself after an hour
//! without a request and after half a day in any case; there is a bounded number of them; what changes something needs,
//! besides the cookie, a word that only our own page knows. A restart ends all of them. Only digests of the cookies are
//! kept.

use crate::domain::token::TokenId;
use actix_web::cookie::{Cookie, SameSite};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;

/// Sessions at once; the one that was quiet longest makes room.
const SESSIONS_MAX: usize = 256;
/// A session ends after this long without a request; an open page keeps asking.
const IDLE_MAX: Duration = Duration::from_secs(3_600);
/// And after this long in any case.
const LIFE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// Random bytes of a cookie and of a proof.
const SECRET_BYTES: usize = 32;

type Digest = [u8; 32];

#[derive(Debug, Clone)]
struct Session {
    token: TokenId,
    proof: String,
    began: Instant,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.used) >= IDLE_MAX
            || now.saturating_duration_since(self.began) >= LIFE_MAX
    }
}

/// A session that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The token that it stands for.
    pub(super) token: TokenId,
    /// What only our own page knows.
    pub(super) proof: String,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Sessions {
    cookie: String,
    secure: bool,
    /// The proof where nobody signs in: on loopback, before the first token.
    open_proof: Option<String>,
    open: Mutex<HashMap<Digest, Session>>,
}

impl Sessions {
    /// For the process with this data directory. Two processes on one host have cookies of different names.
    pub(super) fn new(data_dir: &Path, secure: bool) -> Self {
        let place = hex::encode(digest(data_dir.to_string_lossy().as_bytes()));
        let short = place.get(..8).unwrap_or_default();
        // The prefix makes browsers insist on what is promised of the cookie; it needs TLS.
        let cookie = if secure { format!("__Host-plimsoll-{short}") } else { format!("plimsoll-{short}") };
        Self { cookie, secure, open_proof: secret(), open: Mutex::default() }
    }

    /// The name of the cookie.
    pub(super) fn cookie_name(&self) -> &str {
        &self.cookie
    }

    /// The proof that forms carry while nobody signs in; `None` when the system gave no random bytes.
    pub(super) fn open_proof(&self) -> Option<&str> {
        self.open_proof.as_deref()
    }

    /// Begins a session; `None` when the system gives no random bytes.
    pub(super) fn begin(&self, token: TokenId, now: Instant) -> Option<Cookie<'static>> {
        let (value, proof) = (secret()?, secret()?);
        let mut open = self.open.lock();
        open.retain(|_, session| !session.is_over(now));
        if open.len() >= SESSIONS_MAX {
            let quiet = open.iter().min_by_key(|(_, session)| session.used).map(|(digest, _)| *digest);
            quiet.map(|digest| open.remove(&digest));
        }
        open.insert(digest(value.as_bytes()), Session { token, proof, began: now, used: now });
        Some(self.make(value))
    }

    /// The session of a cookie.
    pub(super) fn find(&self, value: &str, now: Instant) -> Option<Found> {
        let mut open = self.open.lock();
        let key = digest(value.as_bytes());
        let session = open.get_mut(&key)?;
        if session.is_over(now) {
            open.remove(&key);
            return None;
        }
        session.used = now;
        Some(Found { token: session.token.clone(), proof: session.proof.clone() })
    }

    /// Ends the session of a cookie.
    pub(super) fn end(&self, value: &str) {
        self.open.lock().remove(&digest(value.as_bytes()));
    }

    /// The cookie that takes the session's away.
    pub(super) fn farewell(&self) -> Cookie<'static> {
        let mut cookie = self.make(String::new());
        cookie.make_removal();
        cookie
    }

    fn make(&self, value: String) -> Cookie<'static> {
        Cookie::build(self.cookie.clone(), value)
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .finish()
    }
}

/// Is this the proof? Takes as long for a wrong one as for a right one.
pub(super) fn proves(given: &str, proof: &str) -> bool {
    !proof.is_empty() && bool::from(given.as_bytes().ct_eq(proof.as_bytes()))
}

fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

fn secret() -> Option<String> {
    let mut bytes = [0_u8; SECRET_BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(hex::encode(bytes)),
        Err(error) => {
            tracing::error!(error = %error, "no random bytes: nobody can sign in at the page");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> (Sessions, Instant) {
        (Sessions::new(Path::new("/tmp/x"), false), crate::clock::monotonic())
    }

    fn token(last: usize) -> TokenId {
        TokenId::new(&format!("{last:012x}")).unwrap()
    }

    #[test]
    fn a_session_ends_when_it_is_quiet_old_or_told_to() {
        let (sessions, start) = sessions();
        let begin = || sessions.begin(token(1), start).unwrap().value().to_owned();
        let (quiet, old, told) = (begin(), begin(), begin());
        assert_eq!(sessions.find(&quiet, start).unwrap().token, token(1));
        assert_eq!(sessions.find("something else", start), None);
        sessions.end(&told);
        assert_eq!(sessions.find(&told, start), None);
        let mut now = start;
        while now < start + LIFE_MAX - IDLE_MAX / 2 {
            now += IDLE_MAX / 2;
            let alive = sessions.find(&old, now).is_some();
            assert_eq!(alive, now < start + LIFE_MAX);
        }
        assert_eq!(sessions.find(&quiet, start + IDLE_MAX), None);
        assert_eq!(sessions.find(&old, start + LIFE_MAX), None);
    }

    #[test]
    fn there_is_room_for_the_newest() {
        let (sessions, start) = sessions();
        let first = sessions.begin(token(0), start).unwrap().value().to_owned();
        for number in 1..=SESSIONS_MAX {
            sessions.begin(token(number), start + Duration::from_secs(1)).unwrap();
        }
        assert_eq!(sessions.open.lock().len(), SESSIONS_MAX);
        assert_eq!(sessions.find(&first, start + Duration::from_secs(1)), None, "the quietest made room");
    }

    #[test]
    fn no_script_reads_the_cookie_and_no_other_site_sends_it() {
        let (plain, now) = sessions();
        let cookie = plain.begin(token(1), now).unwrap();
        assert_eq!((cookie.http_only(), cookie.same_site()), (Some(true), Some(SameSite::Strict)));
        let other = Sessions::new(Path::new("/tmp/y"), true);
        let cookie = other.begin(token(1), now).unwrap();
        assert!(cookie.secure() == Some(true) && cookie.name().starts_with("__Host-"), "{cookie}");
        assert_ne!(plain.cookie_name(), other.cookie_name());
    }

    #[test]
    fn only_the_proof_proves() {
        let proof = secret().unwrap();
        assert!(proves(&proof, &proof));
        for wrong in ["", "x", proof.get(1..).unwrap(), &proof.to_uppercase().replace('A', "B")] {
            assert!(!proves(wrong, &proof), "{wrong}");
        }
        assert!(!proves("", ""), "no proof is no proof");
    }
}
