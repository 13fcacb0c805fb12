//! What the evidence says of an action: to what it would be done, whether there is anything to do, and whether it worked.

use super::intent::{Intent, Standing, Target};
use crate::domain::health::{Key, SafeAction, Table, Verdict};
use crate::domain::oms::Phase;

/// What an action is to be done to, for this alert.
pub(super) fn targets(action: SafeAction, key: &Key, verdict: &Verdict, table: &Table) -> Vec<Target> {
    let venue = key.scope.split('/').next().unwrap_or_default();
    let known = table.venues.iter().any(|one| one.venue.as_str() == venue);
    match action {
        SafeAction::Pause | SafeAction::ReduceOnly | SafeAction::CancelRestingEntries => vec![Target::Desk],
        SafeAction::Disarm => {
            let named = key.scope.strip_prefix("strategy/");
            let all = table.strategies.iter();
            let hit = all.filter(|one| match named {
                Some(name) => one.strategy.as_str() == name,
                None if known => {
                    one.venue.as_str() == venue
                        && key.scope.split_once('/').is_none_or(|(_, symbol)| one.symbol.as_str() == symbol)
                }
                None => true,
            });
            hit.map(|one| Target::Strategy(one.strategy.to_string())).collect()
        }
        SafeAction::Reconnect | SafeAction::Refresh if !known => Vec::new(),
        SafeAction::Reconnect if verdict.component.starts_with("execution/") => {
            vec![Target::Orders(venue.to_owned())]
        }
        SafeAction::Reconnect => vec![Target::Market(venue.to_owned())],
        SafeAction::Refresh => vec![Target::Orders(venue.to_owned())],
    }
}

fn phase(table: &Table) -> Option<Phase> {
    table.executor.as_ref().map(|executor| executor.phase)
}

/// What makes the action worth doing, in words; `None` when there is nothing to contain.
pub(super) fn precondition(
    action: SafeAction,
    target: &Target,
    table: &Table,
    standing: &Standing,
) -> Option<String> {
    let phase = phase(table)?;
    let armed = matches!(phase, Phase::Running | Phase::ReduceOnly);
    match action {
        SafeAction::Pause => armed.then(|| format!("state={}", phase.word())),
        SafeAction::ReduceOnly => (phase == Phase::Running).then(|| "state=running".to_owned()),
        SafeAction::Disarm => match target {
            Target::Strategy(name) => {
                let on = standing.enabled.iter().any(|(one, on)| one.as_str() == name && *on);
                on.then(|| format!("strategy={name}, enabled=true"))
            }
            _ => None,
        },
        SafeAction::CancelRestingEntries => {
            (standing.entries > 0).then(|| format!("resting_entries={}", standing.entries))
        }
        SafeAction::Reconnect => session(target, table).map(|state| format!("session={state}")),
        SafeAction::Refresh => Some("asked".to_owned()),
    }
}

fn session(target: &Target, table: &Table) -> Option<&'static str> {
    let find = |name: &str| table.venues.iter().find(|one| one.venue.as_str() == name);
    let session = match target {
        Target::Market(name) => find(name)?.market.as_ref()?,
        Target::Orders(name) => find(name)?.orders.as_ref()?,
        _ => return None,
    };
    // One that is on its way already needs no push.
    session.state.is_open().then(|| session.state.name())
}

/// What must have risen for the action to have worked.
pub(super) fn counter(action: SafeAction, target: &Target, table: &Table, standing: &Standing) -> u64 {
    let find = |name: &str| table.venues.iter().find(|one| one.venue.as_str() == name);
    match (action, target) {
        (SafeAction::Reconnect, Target::Market(name)) => {
            find(name).and_then(|one| one.market.as_ref()).map_or(0, |session| session.reconnects)
        }
        (SafeAction::Reconnect, Target::Orders(name)) => {
            find(name).and_then(|one| one.orders.as_ref()).map_or(0, |session| session.reconnects)
        }
        (SafeAction::Refresh, Target::Orders(name)) => {
            let all = standing.refreshed.iter();
            all.filter(|(one, _)| one.as_str() == name).map(|(_, count)| *count).next().unwrap_or(0)
        }
        _ => 0,
    }
}

/// What is to be seen afterwards, in words.
pub(super) const fn verify(action: SafeAction) -> &'static str {
    match action {
        SafeAction::Pause => "the desk takes no new entries",
        SafeAction::ReduceOnly => "the desk takes only what reduces",
        SafeAction::Disarm => "the strategy's switch is off",
        SafeAction::Reconnect => "a newer session than before",
        SafeAction::Refresh => "the venue has answered anew",
        SafeAction::CancelRestingEntries => "no entry rests",
    }
}

/// Did it work? Read from what is, never from what was answered. `before` is the count before the action; without one,
/// as after a restart, whatever this process has of it is newer.
pub(super) fn seen(intent: &Intent, before: Option<u64>, table: &Table, standing: &Standing) -> bool {
    let Some(phase) = phase(table) else { return false };
    match intent.action {
        SafeAction::Pause => matches!(phase, Phase::Paused | Phase::Halted | Phase::Draining),
        SafeAction::ReduceOnly => !matches!(phase, Phase::Running | Phase::Starting | Phase::Reconciling),
        SafeAction::Disarm => match &intent.target {
            Target::Strategy(name) => standing.enabled.iter().any(|(one, on)| one.as_str() == name && !*on),
            _ => false,
        },
        SafeAction::CancelRestingEntries => standing.entries == 0,
        SafeAction::Reconnect => match before {
            Some(before) => counter(intent.action, &intent.target, table, standing) > before,
            None => session(&intent.target, table).is_some(),
        },
        SafeAction::Refresh => {
            counter(intent.action, &intent.target, table, standing) > before.unwrap_or_default()
        }
    }
}
