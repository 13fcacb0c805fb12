//! The one table of how an order's states follow each other: `(state, what was learned) -> verdict`.
//!
//! Quantities are not decided here: what was executed only ever rises, by the caller's arithmetic, and the
//! caller says which input that makes. The table knows no time, no venue and no effect. Rows that look odd
//! carry the incident that they are there for. `PendingSubmit` and `Submitted` answer evidence alike, because
//! a journal holds no row for the moment of sending: after a crash the two cannot be told apart.

use super::record::OrderState;

/// What was learned about an order, or done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// It is being handed to the venue.
    Sent,
    /// It was not sent after all, for certain; it may still be.
    Unsent,
    /// It is refused or withdrawn here, before any of it reached the venue.
    Denied,
    /// The venue shows it open; nothing executed beyond what is known.
    Live,
    /// Some of it executed, not all.
    Executed,
    /// All of it executed.
    FullyExecuted,
    /// The venue says that it was cancelled.
    Cancelled,
    /// A sending of it was refused.
    Rejected,
    /// The venue shows the order itself as refused, perhaps after it had taken it.
    Killed,
    /// The venue says that it ended by its rules.
    Expired,
    /// A cancel goes out.
    CancelSent,
    /// The venue refused the cancel: nothing open of that name.
    CancelRefused,
    /// What became of it is not known.
    Doubt,
    /// The venue proved that it does not know it, past its visibility window.
    Absent,
    /// It will be sent again, after proof of absence.
    Resend,
    /// It is open at the venue although it was closed here for being absent.
    Resurfaced,
}

impl Input {
    /// All of them, for tests and documentation.
    pub const ALL: [Self; 16] = [
        Self::Sent,
        Self::Unsent,
        Self::Denied,
        Self::Live,
        Self::Executed,
        Self::FullyExecuted,
        Self::Cancelled,
        Self::Rejected,
        Self::Killed,
        Self::Expired,
        Self::CancelSent,
        Self::CancelRefused,
        Self::Doubt,
        Self::Absent,
        Self::Resend,
        Self::Resurfaced,
    ];
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The order is in this state now.
    Next(OrderState),
    /// Nothing new, or news that was overtaken.
    Stay,
    /// The two contradict each other: the venue is asked before anything is believed.
    Query,
    /// Cannot happen unless this program is wrong: nothing changes, and it is said out loud.
    Wrong,
}

/// The table. Read it from top to bottom: a block per state, in the order of a normal life.
#[must_use]
pub const fn follow(state: OrderState, input: Input) -> Verdict {
    use Input as I;
    use OrderState as S;
    use Verdict::{Next, Query, Stay, Wrong};
    match (state, input) {
        // Taken, not sent as far as the journal knows.
        (S::PendingSubmit, I::Sent) => Next(S::Submitted),
        (S::PendingSubmit, I::Unsent | I::Resend) => Stay,
        (S::PendingSubmit, I::Denied) => Next(S::Denied),
        // Evidence overtakes the record of sending; a fill may come before the acknowledgement.
        (S::PendingSubmit | S::Submitted, I::Live | I::Resurfaced) => Next(S::Working),
        (S::PendingSubmit | S::Submitted, I::Executed) => Next(S::PartiallyFilled),
        (S::PendingSubmit | S::Submitted, I::FullyExecuted) => Next(S::Filled),
        (S::PendingSubmit | S::Submitted, I::Cancelled) => Next(S::Cancelled),
        (S::PendingSubmit | S::Submitted, I::Rejected | I::Killed) => Next(S::Rejected),
        (S::PendingSubmit | S::Submitted, I::Expired) => Next(S::Expired),
        (S::PendingSubmit | S::Submitted, I::Doubt) => Next(S::Unknown),
        // A cancel waits for the acknowledgement: sent now, it could overtake the order.
        (S::PendingSubmit | S::Submitted, I::CancelSent | I::CancelRefused) => Stay,
        // Absence is proved from doubt only.
        (S::PendingSubmit | S::Submitted, I::Absent) => Wrong,

        // Sent, no answer yet.
        (S::Submitted, I::Sent) => Wrong,
        (S::Submitted, I::Unsent) => Next(S::PendingSubmit),
        (S::Submitted, I::Denied) => Next(S::Denied),
        (S::Submitted, I::Resend) => Wrong,

        // Open at the venue.
        (S::Working, I::Live | I::Resurfaced) => Stay,
        (S::Working, I::Executed) => Next(S::PartiallyFilled),
        (S::PartiallyFilled, I::Executed) => Stay,
        // The acknowledgement after the fill says nothing new.
        (S::PartiallyFilled, I::Live | I::Resurfaced) => Stay,
        (S::Working | S::PartiallyFilled, I::FullyExecuted) => Next(S::Filled),
        (S::Working | S::PartiallyFilled, I::Cancelled) => Next(S::Cancelled),
        (S::Working | S::PartiallyFilled, I::Expired) => Next(S::Expired),
        (S::Working | S::PartiallyFilled, I::CancelSent) => Next(S::PendingCancel),
        // It is not open, says the venue: it may have filled (freqtrade#3647).
        (S::Working | S::PartiallyFilled, I::CancelRefused) => Query,
        // A refusal after the acknowledgement, or of a second sending: one of the two is wrong.
        (S::Working | S::PartiallyFilled, I::Rejected) => Query,
        // Its engine refused what its gateway had taken: the venue's word on the order, and the last one.
        (S::Working | S::PartiallyFilled | S::PendingCancel, I::Killed) => Next(S::Rejected),
        // What was seen open stays open until the venue says otherwise (nautilus#5000): absence is asked about.
        (S::Working | S::PartiallyFilled, I::Doubt) => Next(S::Unknown),
        (S::Working | S::PartiallyFilled, I::Absent) => Wrong,
        (S::Working | S::PartiallyFilled, I::Sent | I::Unsent | I::Denied | I::Resend) => Wrong,

        // A cancel is under way; the order may still execute.
        (S::PendingCancel, I::Live | I::Executed | I::Resurfaced | I::CancelSent) => Stay,
        (S::PendingCancel, I::FullyExecuted) => Next(S::Filled),
        (S::PendingCancel, I::Cancelled) => Next(S::Cancelled),
        (S::PendingCancel, I::Expired) => Next(S::Expired),
        (S::PendingCancel, I::Rejected | I::CancelRefused) => Query,
        (S::PendingCancel, I::Doubt) => Next(S::Unknown),
        (S::PendingCancel, I::Sent | I::Unsent | I::Denied | I::Absent | I::Resend) => Wrong,

        // Nobody knows. Only evidence or an operator ends it (nautilus#4152: never by a timeout).
        (S::Unknown, I::Live | I::Resurfaced) => Next(S::Working),
        (S::Unknown, I::Executed) => Next(S::PartiallyFilled),
        (S::Unknown, I::FullyExecuted) => Next(S::Filled),
        (S::Unknown, I::Cancelled | I::Absent) => Next(S::Cancelled),
        (S::Unknown, I::Rejected | I::Killed) => Next(S::Rejected),
        (S::Unknown, I::Expired) => Next(S::Expired),
        (S::Unknown, I::Resend) => Next(S::PendingSubmit),
        (S::Unknown, I::CancelSent | I::CancelRefused | I::Doubt) => Stay,
        // Its first sending may have arrived: a denial of the second proves nothing about the first.
        (S::Unknown, I::Sent | I::Unsent | I::Denied) => Wrong,

        // Done. Repetitions and late news change nothing; executed quantity is kept by the caller.
        (S::Filled, I::Live | I::Executed | I::FullyExecuted | I::Resurfaced) => Stay,
        (S::Filled, I::Cancelled | I::Expired) => Stay,
        // The cancel came too late: the order had filled.
        (S::Filled, I::CancelSent | I::CancelRefused) => Stay,
        (S::Filled, I::Rejected | I::Killed | I::Doubt | I::Absent) => Stay,

        (S::Cancelled | S::Expired, I::Live | I::Executed) => Stay,
        // The fill that crossed the cancel on the wire: the last of the quantity was executed after all.
        (S::Cancelled | S::Expired, I::FullyExecuted) => Next(S::Filled),
        (S::Cancelled | S::Expired, I::Cancelled | I::Expired) => Stay,
        (S::Cancelled | S::Expired, I::CancelSent | I::CancelRefused) => Stay,
        (S::Cancelled | S::Expired, I::Rejected | I::Killed | I::Doubt | I::Absent) => Stay,
        // Closed here on the venue's silence; the venue speaks after all (hummingbot#8457).
        (S::Cancelled | S::Expired, I::Resurfaced) => Next(S::Working),

        // A venue does not revive what it refused, so signs of life mean that the refusal was another's.
        (S::Rejected, I::Live | I::Resurfaced) => Next(S::Working),
        (S::Rejected, I::Executed) => Next(S::PartiallyFilled),
        (S::Rejected, I::FullyExecuted) => Next(S::Filled),
        (S::Rejected, I::Cancelled | I::Rejected | I::Killed | I::Expired) => Stay,
        (S::Rejected, I::CancelSent | I::CancelRefused | I::Doubt | I::Absent) => Stay,

        // Never sent, as far as anybody here knows. The venue's word is stronger.
        (S::Denied, I::Live | I::Resurfaced) => Next(S::Working),
        (S::Denied, I::Executed) => Next(S::PartiallyFilled),
        (S::Denied, I::FullyExecuted) => Next(S::Filled),
        (S::Denied, I::Cancelled | I::Rejected | I::Killed | I::Expired) => Stay,
        (S::Denied, I::CancelSent | I::CancelRefused | I::Doubt | I::Absent | I::Denied) => Stay,

        // Nothing final is ever sent, denied or sent again.
        (
            S::Filled | S::Cancelled | S::Expired | S::Rejected,
            I::Sent | I::Unsent | I::Denied | I::Resend,
        ) => Wrong,
        (S::Denied, I::Sent | I::Unsent | I::Resend) => Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderState as S;

    const STATES: [S; 11] = [
        S::PendingSubmit,
        S::Submitted,
        S::Working,
        S::PartiallyFilled,
        S::Filled,
        S::PendingCancel,
        S::Cancelled,
        S::Rejected,
        S::Expired,
        S::Denied,
        S::Unknown,
    ];

    /// Evidence from the venue, which may come at any time, in any order, twice.
    const EVIDENCE: [Input; 9] = [
        Input::Live,
        Input::Executed,
        Input::FullyExecuted,
        Input::Cancelled,
        Input::Rejected,
        Input::Killed,
        Input::Expired,
        Input::CancelRefused,
        Input::Resurfaced,
    ];

    /// That every pair is named is the compiler's work: the table has no wildcard. This is what they mean.
    #[test]
    fn no_evidence_is_ever_an_error() {
        for state in STATES {
            for input in EVIDENCE {
                assert_ne!(follow(state, input), Verdict::Wrong, "{state:?} {input:?}");
            }
        }
    }

    #[test]
    fn only_evidence_of_execution_or_of_life_reopens_what_is_final() {
        for state in STATES.into_iter().filter(|state| state.is_final()) {
            for input in Input::ALL {
                let Verdict::Next(next) = follow(state, input) else { continue };
                let lives =
                    matches!(input, Input::Resurfaced | Input::Live | Input::Executed | Input::FullyExecuted);
                assert!(lives, "{state:?} left by {input:?} for {next:?}");
                assert_ne!(state, S::Filled, "filled is the end");
            }
        }
    }

    #[test]
    fn silence_never_ends_an_order() {
        for state in STATES {
            let next = follow(state, Input::Doubt);
            assert!(!matches!(next, Verdict::Next(next) if next.is_final()), "{state:?}");
        }
        for state in STATES.into_iter().filter(|state| *state != S::Unknown) {
            assert!(!matches!(follow(state, Input::Absent), Verdict::Next(_)), "{state:?}");
        }
    }

    #[test]
    fn sending_is_invisible_to_evidence() {
        for input in EVIDENCE {
            assert_eq!(follow(S::PendingSubmit, input), follow(S::Submitted, input), "{input:?}");
        }
    }

    #[test]
    fn the_odd_rows() {
        use Verdict::{Next, Query, Stay};
        for (state, input, verdict) in [
            (S::Submitted, Input::Executed, Next(S::PartiallyFilled)),
            (S::PartiallyFilled, Input::Live, Stay),
            (S::Cancelled, Input::Executed, Stay),
            (S::Cancelled, Input::FullyExecuted, Next(S::Filled)),
            (S::Filled, Input::CancelRefused, Stay),
            (S::PendingCancel, Input::CancelRefused, Query),
            (S::Working, Input::Rejected, Query),
            (S::Working, Input::Killed, Next(S::Rejected)),
            (S::Unknown, Input::Absent, Next(S::Cancelled)),
            (S::Cancelled, Input::Resurfaced, Next(S::Working)),
            (S::Cancelled, Input::Live, Stay),
        ] {
            assert_eq!(follow(state, input), verdict, "{state:?} {input:?}");
        }
    }
}
