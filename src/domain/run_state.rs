//! May this desk trade? What operators asked for, and which word leads from where to where.
//!
//! Pure. The safe direction is open from everywhere; the unsafe one goes step by step: a halt is left by `reset`,
//! which leads to `paused`, and only `resume` leads to `running`. A run that starts, compares or ends keeps what was
//! asked for and says its own state meanwhile.

use super::oms::Phase;
use serde::{Deserialize, Serialize};

/// How much trading operators allow. Durable: a restart does not change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything that risk allows.
    #[default]
    Running,
    /// Orders that make a position smaller.
    ReduceOnly,
    /// Orders that say of themselves that they only reduce, and do; strategies rest.
    Paused,
}

impl Level {
    /// The state that a running desk shows.
    #[must_use]
    pub const fn phase(self) -> Phase {
        match self {
            Self::Running => Phase::Running,
            Self::ReduceOnly => Phase::ReduceOnly,
            Self::Paused => Phase::Paused,
        }
    }
}

/// A word of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// No new entries.
    Pause,
    /// Only what makes positions smaller.
    ReduceOnly,
    /// Trade again.
    Resume,
    /// Leave a halt, for `paused`.
    Reset,
}

impl Verb {
    /// The word in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::ReduceOnly => "reduce-only",
            Self::Resume => "resume",
            Self::Reset => "reset",
        }
    }

    /// Must the caller name the state that it saw? Only where more becomes possible.
    #[must_use]
    pub const fn is_unsafe(self) -> bool {
        matches!(self, Self::Resume | Self::Reset)
    }
}

/// What a word leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// To this level; it may be the present one.
    To(Level),
    /// A halt is lifted, and the level becomes `paused`.
    Lift,
    /// Nowhere.
    No {
        /// The refusal's code.
        code: &'static str,
        /// What would be right.
        advice: &'static str,
    },
}

/// What a word leads to in a state. Whether the gates for `resume` and `reset` are open is asked afterwards.
#[must_use]
pub const fn lead(phase: Phase, verb: Verb) -> Lead {
    match (phase, verb) {
        (Phase::Draining, _) => Lead::No { code: "DRAINING", advice: "the run is ending" },
        // While it starts, and while halted, the wish is kept for afterwards.
        (_, Verb::Pause) => Lead::To(Level::Paused),
        (Phase::Halted, Verb::ReduceOnly) => {
            Lead::No { code: "TRADING_HALTED", advice: "a halt is left by reset" }
        }
        (_, Verb::ReduceOnly) => Lead::To(Level::ReduceOnly),
        (Phase::Running | Phase::Paused | Phase::ReduceOnly, Verb::Resume) => Lead::To(Level::Running),
        (Phase::Halted, Verb::Resume) => {
            Lead::No { code: "TRADING_HALTED", advice: "a halt is left by reset, then resume" }
        }
        (Phase::Starting | Phase::Reconciling, Verb::Resume) => {
            Lead::No { code: "NOT_STARTED", advice: "orders are being compared with the venues" }
        }
        (Phase::Halted, Verb::Reset) => Lead::Lift,
        (_, Verb::Reset) => Lead::No { code: "NOT_HALTED", advice: "there is no halt to leave" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 7] = [
        Phase::Starting,
        Phase::Reconciling,
        Phase::Running,
        Phase::Paused,
        Phase::ReduceOnly,
        Phase::Halted,
        Phase::Draining,
    ];

    #[test]
    fn a_pause_is_taken_everywhere_but_at_the_end() {
        for phase in PHASES {
            let taken = lead(phase, Verb::Pause) == Lead::To(Level::Paused);
            assert_eq!(taken, phase != Phase::Draining, "{phase:?}");
        }
    }

    #[test]
    fn only_resume_leads_to_running_and_only_from_a_desk_that_is_not_halted() {
        for phase in PHASES {
            for verb in [Verb::Pause, Verb::ReduceOnly, Verb::Reset] {
                assert_ne!(lead(phase, verb), Lead::To(Level::Running), "{phase:?} {verb:?}");
            }
            let resumed = lead(phase, Verb::Resume) == Lead::To(Level::Running);
            let may = matches!(phase, Phase::Running | Phase::Paused | Phase::ReduceOnly);
            assert_eq!(resumed, may, "{phase:?}");
        }
    }

    #[test]
    fn a_halt_is_left_by_reset_alone() {
        for phase in PHASES {
            let lifted = lead(phase, Verb::Reset) == Lead::Lift;
            assert_eq!(lifted, phase == Phase::Halted, "{phase:?}");
        }
        assert!(matches!(lead(Phase::Halted, Verb::ReduceOnly), Lead::No { code: "TRADING_HALTED", .. }));
        assert!(matches!(lead(Phase::Halted, Verb::Resume), Lead::No { code: "TRADING_HALTED", .. }));
    }

    #[test]
    fn the_unsafe_words_are_those_that_allow_more() {
        let unsafe_words: Vec<&str> = [Verb::Pause, Verb::ReduceOnly, Verb::Resume, Verb::Reset]
            .into_iter()
            .filter(|verb| verb.is_unsafe())
            .map(Verb::word)
            .collect();
        assert_eq!(unsafe_words, ["resume", "reset"]);
        assert_eq!((Level::default().phase(), Level::Paused.phase()), (Phase::Running, Phase::Paused));
    }
}
