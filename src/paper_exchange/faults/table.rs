//! The faults in force: who is hit, how often, until when.
//!
//! Pure: `now_ms` is an argument and never the machine's clock. Promises that a fault with a count
//! strikes exactly so often, that one with a time strikes no more after it, and that the oldest
//! matching fault strikes first. Bounded by [`MAX_FAULTS`]; does not perform anything.

use super::kind::FaultKind;
use super::spec::{FaultSpec, Scope, ScopeSide, SessionKind, SessionScope};
use serde::Serialize;

/// How many faults may be in force at once.
pub const MAX_FAULTS: usize = 256;

/// The number under which a fault is listed and healed.
pub type FaultId = u64;

/// One fault in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its number.
    pub id: FaultId,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Whom it hits.
    #[serde(flatten)]
    pub scope: Scope,
    /// When it heals itself, ms since the epoch.
    pub until_ms: Option<i64>,
    /// Strikes left.
    pub remaining: Option<u32>,
    /// Strikes so far.
    pub struck: u64,
}

/// The table refuses one more fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_FAULTS} faults are in force already; heal some first")]
pub struct TableFull;

/// Who stands at a named point. Absent members match only faults that do not ask for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// Symbol concerned.
    pub symbol: Option<&'a str>,
    /// Account name.
    pub account: Option<&'a str>,
    /// API key.
    pub api_key: Option<&'a str>,
    /// Side of the order.
    pub side: Option<ScopeSide>,
    /// The session's number.
    pub session: Option<u64>,
    /// The door it came through.
    pub door: Option<SessionKind>,
}

impl Scope {
    /// Does a fault of this scope hit `context`?
    #[must_use]
    pub fn matches(&self, context: &Context<'_>) -> bool {
        let symbol = self.symbol.as_deref().is_none_or(|wanted| context.symbol == Some(wanted));
        let account = self
            .account
            .as_deref()
            .is_none_or(|wanted| context.account == Some(wanted) || context.api_key == Some(wanted));
        let side = self.side.is_none_or(|wanted| context.side == Some(wanted));
        let session = match self.session {
            None => true,
            Some(SessionScope::Id(id)) => context.session == Some(id),
            Some(SessionScope::Kind(kind)) => context.door == Some(kind),
        };
        symbol && account && side && session
    }
}

/// All faults in force.
#[derive(Debug, Default)]
pub struct FaultTable {
    faults: Vec<Fault>,
    last_id: FaultId,
}

impl FaultTable {
    /// Puts a fault in force.
    ///
    /// # Errors
    /// [`TableFull`].
    pub fn plant(&mut self, now_ms: i64, kind: FaultKind, spec: &FaultSpec) -> Result<FaultId, TableFull> {
        self.expire(now_ms);
        if self.faults.len() >= MAX_FAULTS {
            return Err(TableFull);
        }
        self.last_id += 1;
        let seconds = spec.for_seconds.or(kind.own_duration_seconds());
        let once = kind.strikes_once() && seconds.is_none();
        self.faults.push(Fault {
            id: self.last_id,
            kind,
            scope: spec.scope(),
            until_ms: seconds
                .map(|s| now_ms.saturating_add(i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000))),
            remaining: spec.count.or(once.then_some(1)),
            struck: 0,
        });
        Ok(self.last_id)
    }

    /// Ends one fault; `false` when it is not in force.
    pub fn heal(&mut self, id: FaultId) -> bool {
        let before = self.faults.len();
        self.faults.retain(|fault| fault.id != id);
        self.faults.len() != before
    }

    /// Ends all faults; answers how many there were.
    pub fn heal_all(&mut self) -> usize {
        let before = self.faults.len();
        self.faults.clear();
        before
    }

    /// The faults in force at `now_ms`, oldest first.
    pub fn list(&mut self, now_ms: i64) -> &[Fault] {
        self.expire(now_ms);
        &self.faults
    }

    /// Is nothing in force? The hot path asks this first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// Lets the oldest fault strike for which `wanted` holds and whose scope matches.
    pub fn strike(
        &mut self,
        now_ms: i64,
        context: &Context<'_>,
        wanted: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        if self.faults.is_empty() {
            return None;
        }
        self.expire(now_ms);
        let fault = self.faults.iter_mut().find(|fault| {
            fault.remaining != Some(0) && wanted(&fault.kind) && fault.scope.matches(context)
        })?;
        fault.struck += 1;
        let kind = fault.kind;
        if let Some(remaining) = fault.remaining.as_mut() {
            *remaining = remaining.saturating_sub(1);
        }
        // A half-open session stays half-open: its fault lingers, spent, until it is healed or expires.
        self.faults.retain(|fault| fault.remaining != Some(0) || fault.kind == FaultKind::HalfOpen);
        Some(kind)
    }

    /// Is a fault in force for which `wanted` holds and whose scope matches? Counts no strike.
    pub fn holds(
        &mut self,
        now_ms: i64,
        context: &Context<'_>,
        wanted: impl Fn(&FaultKind) -> bool,
    ) -> Option<FaultKind> {
        if self.faults.is_empty() {
            return None;
        }
        self.expire(now_ms);
        self.faults
            .iter()
            .find(|fault| wanted(&fault.kind) && fault.scope.matches(context))
            .map(|fault| fault.kind)
    }

    fn expire(&mut self, now_ms: i64) {
        self.faults.retain(|fault| fault.until_ms.is_none_or(|until| now_ms < until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(table: &mut FaultTable, now: i64, json: &str) -> FaultId {
        let spec: FaultSpec = serde_json::from_str(json).unwrap();
        table.plant(now, spec.kind().unwrap(), &spec).unwrap()
    }

    const BTC: Context<'static> = Context {
        symbol: Some("BTCUSDT"),
        account: Some("demo"),
        api_key: Some("demo-key"),
        side: Some(ScopeSide::Buy),
        session: Some(3),
        door: Some(SessionKind::WsApi),
    };

    #[test]
    fn a_count_strikes_exactly_so_often() {
        let mut table = FaultTable::default();
        plant(&mut table, 0, r#"{"kind":"lose_response","count":2}"#);
        let strikes = (0..5).filter(|n| table.strike(*n, &BTC, |_| true).is_some()).count();
        assert_eq!(strikes, 2);
        assert!(table.is_empty());
    }

    #[test]
    fn a_time_ends_it() {
        let mut table = FaultTable::default();
        plant(&mut table, 1_000, r#"{"kind":"ban","for_seconds":2}"#);
        assert!(table.strike(2_999, &BTC, |_| true).is_some());
        assert!(table.strike(3_000, &BTC, |_| true).is_none());
        plant(&mut table, 0, r#"{"kind":"hide_orders","seconds":1}"#);
        assert!(table.holds(999, &BTC, |_| true).is_some());
        assert!(table.holds(1_000, &BTC, |_| true).is_none());
    }

    #[test]
    fn each_scope_narrows() {
        let others = [
            (r#""symbol":"btcusdt""#, Context { symbol: Some("ETHUSDT"), ..BTC }),
            (r#""account":"demo""#, Context { account: Some("other"), api_key: None, ..BTC }),
            (r#""account":"demo-key""#, Context { api_key: Some("other"), ..BTC }),
            (r#""side":"BUY""#, Context { side: Some(ScopeSide::Sell), ..BTC }),
            (r#""session":3"#, Context { session: Some(4), ..BTC }),
            (r#""session":"ws_api""#, Context { door: Some(SessionKind::Rest), ..BTC }),
            (r#""side":"buy""#, Context { side: None, ..BTC }),
        ];
        for (scope, other) in others {
            let mut table = FaultTable::default();
            plant(&mut table, 0, &format!(r#"{{"kind":"ban",{scope}}}"#));
            assert!(table.strike(0, &other, |_| true).is_none(), "{scope} must not hit {other:?}");
            assert!(table.strike(0, &BTC, |_| true).is_some(), "{scope} must hit");
        }
    }

    #[test]
    fn healing_ends_it_at_once() {
        let mut table = FaultTable::default();
        let id = plant(&mut table, 0, r#"{"kind":"ban"}"#);
        assert!(table.heal(id));
        assert!(!table.heal(id));
        plant(&mut table, 0, r#"{"kind":"ban"}"#);
        plant(&mut table, 0, r#"{"kind":"half_open"}"#);
        assert_eq!((table.heal_all(), table.is_empty()), (2, true));
    }

    #[test]
    fn one_shot_kinds_strike_once_by_themselves() {
        let mut table = FaultTable::default();
        plant(&mut table, 0, r#"{"kind":"gap_in_depth"}"#);
        assert!(table.strike(0, &BTC, |_| true).is_some());
        assert!(table.is_empty());
        plant(&mut table, 0, r#"{"kind":"gap_in_depth","for_seconds":5}"#);
        table.strike(0, &BTC, |_| true);
        assert!(!table.is_empty(), "a time was asked for");
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = FaultTable::default();
        for _ in 0..MAX_FAULTS {
            plant(&mut table, 0, r#"{"kind":"ban","for_seconds":1}"#);
        }
        let spec = FaultSpec::of("ban");
        assert_eq!(table.plant(0, FaultKind::Ban, &spec), Err(TableFull));
        assert!(table.plant(1_000, FaultKind::Ban, &spec).is_ok(), "the expired ones made room");
    }
}
