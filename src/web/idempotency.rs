//! Requests by the names that their callers gave them: what is under way, and what was answered lately.
//!
//! The lasting record is the database's, written with what was done. This table covers the moments in between: a
//! second request with the same key while the first is under way, or before its row is on the disk. A request whose
//! client went away stays under way for as long as its answer could still come.

use super::problem::Problem;
use crate::domain::control::{IdempotencyKey, Pinned};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Keys that are remembered here.
const KEYS_MAX: usize = 32_768;
/// Longer than any handler waits.
const UNDER_WAY_MAX: Duration = Duration::from_secs(15);
/// Longer than a row waits for a healthy disk; a sick one refuses what would be done twice.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
/// Where there is no room, answers this old make it: by then their rows are on a healthy disk.
const REMEMBERED_AT_LEAST: Duration = Duration::from_secs(5);

/// Whose key, and which.
pub(super) type Name = (String, IdempotencyKey);

/// What makes two requests the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sameness {
    /// Method and path.
    pub(super) route: String,
    /// SHA-256 of the body.
    pub(super) body_hash: String,
}

#[derive(Debug)]
enum Slot {
    UnderWay { same: Sameness, until: Instant },
    Answered { pinned: Pinned, until: Instant },
}

impl Slot {
    const fn until(&self) -> Instant {
        match self {
            Self::UnderWay { until, .. } | Self::Answered { until, .. } => *until,
        }
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Keys(Mutex<HashMap<Name, Slot>>);

impl Keys {
    /// Begins a request; answers what it was answered before, if it was.
    ///
    /// # Errors
    /// 409 while the same is under way, 422 when the key names another request, 503 when too many are under way.
    pub(super) fn begin(
        &self,
        name: &Name,
        same: &Sameness,
        now: Instant,
    ) -> Result<Option<Pinned>, Problem> {
        let mut slots = self.0.lock();
        match slots.get(name).filter(|slot| slot.until() > now) {
            Some(Slot::UnderWay { same: known, .. }) if known == same => {
                let detail = "a request with this key is under way; ask again when it is answered";
                return Err(Problem::conflict(detail).with_code("idempotency_key_in_flight"));
            }
            Some(Slot::UnderWay { .. }) => return Err(reused()),
            Some(Slot::Answered { pinned, .. }) => return replay(pinned.clone(), same).map(Some),
            None => {}
        }
        if slots.len() >= KEYS_MAX {
            slots.retain(|_, slot| slot.until() > now);
        }
        if slots.len() >= KEYS_MAX {
            let keep = REMEMBERED_FOR.saturating_sub(REMEMBERED_AT_LEAST);
            slots.retain(|_, slot| match slot {
                Slot::Answered { until, .. } => until.saturating_duration_since(now) > keep,
                Slot::UnderWay { .. } => true,
            });
        }
        if slots.len() >= KEYS_MAX {
            return Err(
                Problem::unavailable("too many named requests are remembered").with_code("nothing_taken")
            );
        }
        let until = now.checked_add(UNDER_WAY_MAX).unwrap_or(now);
        slots.insert(name.clone(), Slot::UnderWay { same: same.clone(), until });
        Ok(None)
    }

    /// It was done and answered.
    pub(super) fn answered(&self, name: Name, pinned: Pinned, now: Instant) {
        let until = now.checked_add(REMEMBERED_FOR).unwrap_or(now);
        self.0.lock().insert(name, Slot::Answered { pinned, until });
    }

    /// It was refused, and nothing was done.
    pub(super) fn refused(&self, name: &Name) {
        self.0.lock().remove(name);
    }
}

/// The earlier answer, if it was one to the same request.
///
/// # Errors
/// 422.
pub(super) fn replay(pinned: Pinned, same: &Sameness) -> Result<Pinned, Problem> {
    let is_same = pinned.route == same.route && pinned.body_hash == same.body_hash;
    if is_same { Ok(pinned) } else { Err(reused()) }
}

fn reused() -> Problem {
    let detail = "this key named another request before; choose a new key for a new request";
    Problem::unprocessable(detail).with_code("idempotency_key_reused")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str) -> Name {
        ("ops".to_owned(), IdempotencyKey::new(key).unwrap())
    }

    fn same(body: &str) -> Sameness {
        Sameness { route: "POST /x".to_owned(), body_hash: body.to_owned() }
    }

    fn pinned(body: &str) -> Pinned {
        let same = same(body);
        Pinned { route: same.route, body_hash: same.body_hash, status: 202, answer: "{}".to_owned() }
    }

    fn code(result: Result<Option<Pinned>, Problem>) -> String {
        result.unwrap_err().code().to_owned()
    }

    #[test]
    fn once_under_way_then_answered_then_forgotten() {
        let keys = Keys::default();
        let now = crate::clock::monotonic();
        assert_eq!(keys.begin(&name("k"), &same("a"), now).unwrap(), None);
        assert_eq!(code(keys.begin(&name("k"), &same("a"), now)), "idempotency_key_in_flight");
        assert_eq!(code(keys.begin(&name("k"), &same("b"), now)), "idempotency_key_reused");
        keys.answered(name("k"), pinned("a"), now);
        assert_eq!(keys.begin(&name("k"), &same("a"), now).unwrap(), Some(pinned("a")));
        assert_eq!(code(keys.begin(&name("k"), &same("b"), now)), "idempotency_key_reused");
        let other = ("another".to_owned(), IdempotencyKey::new("k").unwrap());
        assert_eq!(keys.begin(&other, &same("a"), now).unwrap(), None, "keys belong to their callers");
        assert_eq!(keys.begin(&name("k"), &same("a"), now + REMEMBERED_FOR).unwrap(), None);
    }

    #[test]
    fn a_refusal_frees_the_key_and_a_lost_client_keeps_it_for_a_while() {
        let keys = Keys::default();
        let now = crate::clock::monotonic();
        keys.begin(&name("k"), &same("a"), now).unwrap();
        keys.refused(&name("k"));
        assert_eq!(keys.begin(&name("k"), &same("b"), now).unwrap(), None);
        let later = now + UNDER_WAY_MAX;
        assert_eq!(keys.begin(&name("k"), &same("a"), later).unwrap(), None);
    }

    #[test]
    fn old_answers_make_room_and_young_ones_do_not() {
        let keys = Keys::default();
        let now = crate::clock::monotonic();
        for number in 0..KEYS_MAX {
            keys.begin(&name(&number.to_string()), &same("a"), now).unwrap();
            keys.answered(name(&number.to_string()), pinned("a"), now);
        }
        assert_eq!(code(keys.begin(&name("more"), &same("a"), now)), "nothing_taken");
        assert!(keys.begin(&name("more"), &same("a"), now + REMEMBERED_AT_LEAST).is_ok());
    }

    #[test]
    fn the_table_is_bounded() {
        let keys = Keys::default();
        let now = crate::clock::monotonic();
        for number in 0..KEYS_MAX {
            keys.begin(&name(&number.to_string()), &same("a"), now).unwrap();
        }
        assert_eq!(code(keys.begin(&name("more"), &same("a"), now)), "nothing_taken");
        assert!(
            keys.begin(&name("more"), &same("a"), now + UNDER_WAY_MAX).is_ok(),
            "what is over makes room"
        );
    }
}
