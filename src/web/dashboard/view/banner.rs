//! The banner: may it trade, why, by whose word, since when, and which word comes next. Also the page's title and icon,
//! and the facts that every dialog restates.

use super::edition::render;
use super::model::{Desk, Killed, Standing, State};
use super::words::{Age, Mark, clock_time};
use askama::Template;
use std::collections::BTreeMap;

/// How the banner looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    /// Its word.
    word: &'static str,
    /// The class of its colour.
    class: &'static str,
    /// Its shape.
    mark: Mark,
}

const fn look(word: &'static str, class: &'static str, mark: &'static str) -> Look {
    Look { word, class, mark: Mark(mark) }
}

fn looks(standing: &Standing) -> Look {
    if standing.killed.is_some() {
        return look("KILLED", "killed", "crit");
    }
    if !standing.trades {
        return look("NOTHING TRADES", "busy", "info");
    }
    match standing.state {
        State::Starting => look("STARTING", "busy", "busy"),
        State::Reconciling => look("RECONCILING", "busy", "busy"),
        // Running with a closed gate is not running: say so.
        State::Running if standing.closed.is_empty() => look("RUNNING", "ok", "ok"),
        State::Running => look("RUNNING, NOT READY", "warn", "warn"),
        State::Paused => look("PAUSED", "warn", "pause"),
        State::ReduceOnly => look("REDUCE ONLY", "warn", "reduce"),
        State::Halted => look("HALTED", "halted", "crit"),
        State::Draining => look("DRAINING", "busy", "busy"),
    }
}

/// The next legal word, and what it waits for.
fn next(standing: &Standing) -> String {
    if let Some(killed) = &standing.killed {
        return if killed.halt_file {
            "Next: take the file HALT out of the data directory; then reset, which leads to paused."
                .to_owned()
        } else {
            "Next: reset with a reason, once the cause is gone. It leads to paused, not to trading."
                .to_owned()
        };
    }
    if !standing.trades {
        return "No venue is configured: this process takes no orders.".to_owned();
    }
    let blocked = !standing.closed.is_empty();
    match standing.state {
        State::Starting | State::Reconciling => {
            "Trading waits for what is listed. Next: nothing to do, or kill.".to_owned()
        }
        State::Running if blocked => "New orders wait for what is listed. Next: pause, or kill.".to_owned(),
        State::Running => "Next: pause, reduce only, or kill.".to_owned(),
        State::Paused | State::ReduceOnly if blocked => {
            "Next: resume, once what is listed is clear; or kill.".to_owned()
        }
        State::Paused | State::ReduceOnly => "Next: resume with a reason; or kill.".to_owned(),
        State::Halted => "Next: reset with a reason, once the cause is gone. It leads to paused.".to_owned(),
        State::Draining => "The run is ending: no new orders. Next: nothing to do, or kill.".to_owned(),
    }
}

#[derive(Template)]
#[template(path = "banner.html")]
struct Banner<'a> {
    desk: &'a Desk,
    look: Look,
    why: &'a str,
    who: &'a str,
    since: Option<(Age, String)>,
    next: String,
    killed: Option<&'a Killed>,
}

pub(super) fn banner(desk: &Desk) -> String {
    let standing = &desk.standing;
    let killed = standing.killed.as_ref();
    let since = killed.map(|killed| killed.at).or(standing.since).filter(|at| *at > 0);
    render(&Banner {
        desk,
        look: looks(standing),
        why: killed.map_or(standing.reason.as_str(), |killed| killed.reason.as_str()),
        who: killed.map_or(standing.actor.as_str(), |killed| killed.actor.as_str()),
        since: since.map(|at| (Age(at), clock_time(at, desk.at))),
        next: next(standing),
        killed,
    })
}

/// Title, icon and what the script must know of the state.
pub(super) fn head(desk: &Desk) -> BTreeMap<&'static str, String> {
    let standing = &desk.standing;
    let look = looks(standing);
    let icon = match look.class {
        "killed" | "halted" => "crit",
        "warn" => "warn",
        "ok" if desk.alerts.iter().any(|alert| alert.acked.is_none()) => "warn",
        "ok" => "ok",
        _ => "busy",
    };
    let stake = desk.identity.stake.word();
    let version = standing.version.map_or_else(String::new, |version| version.to_string());
    let says = match standing.reason.as_str() {
        "" => look.word.to_owned(),
        reason => format!("{}: {reason}", look.word),
    };
    BTreeMap::from([
        ("title", format!("{} \u{b7} {} \u{b7} {stake}", look.word, desk.identity.label)),
        ("icon", icon.to_owned()),
        ("look", look.class.to_owned()),
        ("state", standing.state.wire().to_owned()),
        ("version", version),
        ("killed", standing.killed.is_some().to_string()),
        ("label", desk.identity.label.clone()),
        ("stake", desk.identity.stake.class().to_owned()),
        ("says", says),
    ])
}

#[derive(Template)]
#[template(path = "facts.html")]
struct Facts<'a> {
    desk: &'a Desk,
    gross: &'a str,
}

/// What every dialog restates before it asks.
pub(super) fn facts(desk: &Desk) -> String {
    render(&Facts { desk, gross: desk.gross.as_deref().unwrap_or("not known") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(state: State) -> Standing {
        Standing { state, trades: true, ..Standing::default() }
    }

    #[test]
    fn every_state_has_its_own_word_and_its_own_next_word() {
        let states = [
            State::Starting,
            State::Reconciling,
            State::Running,
            State::Paused,
            State::ReduceOnly,
            State::Halted,
            State::Draining,
        ];
        let words: std::collections::BTreeSet<&str> =
            states.iter().map(|state| looks(&standing(*state)).word).collect();
        assert_eq!(words.len(), states.len());
        assert!(states.iter().all(|state| next(&standing(*state)).contains("Next")));
    }

    #[test]
    fn the_switch_outweighs_the_state_and_a_closed_gate_outweighs_running() {
        let killed = Standing { killed: Some(Killed::default()), ..standing(State::Running) };
        assert_eq!((looks(&killed).word, looks(&killed).class), ("KILLED", "killed"));
        let closed = vec![("venue/paper".to_owned(), "not live".to_owned())];
        let shut = Standing { closed, ..standing(State::Running) };
        assert_eq!((looks(&shut).word, looks(&shut).class), ("RUNNING, NOT READY", "warn"));
        assert_eq!(looks(&Standing::default()).word, "NOTHING TRADES");
    }

    #[test]
    fn reasons_are_text() {
        let mut desk = Desk { standing: standing(State::Paused), ..Desk::default() };
        desk.standing.reason = "<img src=x onerror=alert(1)>\"'".to_owned();
        desk.standing.closed = vec![("<u>".to_owned(), "</ul><script>".to_owned())];
        let shown = banner(&desk);
        assert!(!shown.contains("<img") && !shown.contains("<u>") && !shown.contains("<script"), "{shown}");
    }
}
