//! What may leave the tables of alerts: what is over, was told, and is older than somebody wants to look back.
//!
//! Pure. An alert that stands never leaves, nor one of which a message is still under way or its provider still asked,
//! nor the root of an incident before what followed from it. The journal's rows are not touched by this.

use super::record::Alert;
use super::silence::Silence;
use crate::domain::time::WallMs;

/// One alert, and what else stands beside it in the tables.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Its record.
    pub alert: &'a Alert,
    /// A delivery of it is not settled.
    pub unsettled: bool,
    /// Alerts that follow from it are still there.
    pub followed: bool,
}

/// May an alert leave? `before` is how far back is looked.
#[must_use]
pub fn may_go(case: Case<'_>, before: WallMs) -> bool {
    let over = case.alert.cleared_at.is_some_and(|at| at < before);
    over && !case.unsettled && !case.followed
}

/// May a silence leave?
#[must_use]
pub fn silence_may_go(silence: &Silence, before: WallMs) -> bool {
    silence.ended_at.is_some_and(|at| at < before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alert::Condition;

    #[test]
    fn only_what_is_over_and_settled_and_old_may_leave() {
        let condition = Condition::new("disk_low", "data", "full");
        let mut alert = Alert::raised(1, "pl", &condition, WallMs(0), WallMs(0));
        let goes = |alert: &Alert, unsettled, followed, before| {
            may_go(Case { alert, unsettled, followed }, WallMs(before))
        };
        assert!(!goes(&alert, false, false, i64::MAX), "it stands");
        alert.cleared_at = Some(WallMs(100));
        assert!(goes(&alert, false, false, 101));
        assert!(!goes(&alert, false, false, 100), "it is too young");
        assert!(!goes(&alert, true, false, 101), "a message is under way");
        assert!(!goes(&alert, false, true, 101), "something followed from it");
    }
}
