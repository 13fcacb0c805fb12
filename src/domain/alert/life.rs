//! Is what watches over everything still at work? The judgement behind both signs of life that leave this process: the
//! ping to a dead man's switch elsewhere, and the word to the service manager's watchdog.
//!
//! Pure. A sign that was never given counts as gone, and so does a list without signs: silence must be what is left
//! when nothing is known.

use std::fmt;

/// One thing that has to get on, and how long ago it last did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// Which.
    pub name: &'static str,
    /// Milliseconds since it last got on; none when it never did.
    pub age_ms: Option<u64>,
    /// Milliseconds that may pass between two.
    pub max_age_ms: u64,
}

/// Why no sign of life is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// Nobody said what to watch.
    NothingWatched,
    /// It never got on.
    Never {
        /// Which.
        name: &'static str,
    },
    /// It got on too long ago.
    Stale {
        /// Which.
        name: &'static str,
        /// How long ago, milliseconds.
        age_ms: u64,
        /// How long it may be, milliseconds.
        max_age_ms: u64,
    },
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingWatched => f.write_str("nothing is watched"),
            Self::Never { name } => write!(f, "{name}: never yet"),
            Self::Stale { name, age_ms, max_age_ms } => {
                write!(f, "{name}: {age_ms} ms ago; {max_age_ms} are allowed")
            }
        }
    }
}

/// The first reason to be silent, if there is one.
#[must_use]
pub fn lapse(signs: &[Sign]) -> Option<Lapse> {
    if signs.is_empty() {
        return Some(Lapse::NothingWatched);
    }
    signs.iter().find_map(|sign| match sign.age_ms {
        None => Some(Lapse::Never { name: sign.name }),
        Some(age_ms) if age_ms > sign.max_age_ms => {
            Some(Lapse::Stale { name: sign.name, age_ms, max_age_ms: sign.max_age_ms })
        }
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_silence() {
        let sign = |name, age_ms| Sign { name, age_ms, max_age_ms: 10 };
        assert_eq!(lapse(&[]), Some(Lapse::NothingWatched));
        assert_eq!(lapse(&[sign("a", Some(10)), sign("b", Some(0))]), None);
        assert_eq!(lapse(&[sign("a", Some(0)), sign("b", None)]), Some(Lapse::Never { name: "b" }));
        let late = lapse(&[sign("a", Some(11)), sign("b", None)]).unwrap();
        assert_eq!(late.to_string(), "a: 11 ms ago; 10 are allowed");
    }
}
