//! The closed list of alert codes: what each means and how severe it is unless its raiser says otherwise.
//!
//! Each code has a runbook of the same name in `runbooks/`; a test holds the two together. Adding a code is one line
//! here and one page there. It decides nothing about delivery.

use super::severity::Severity;

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertCode {
    /// Its name on every surface, and the name of its runbook.
    pub name: &'static str,
    /// How severe it is unless the condition says otherwise.
    pub severity: Severity,
    /// What it means, in a line.
    pub meaning: &'static str,
}

/// The one alert that nothing may hide: no silence, no root incident, no budget.
pub const NEVER_HIDDEN: &str = "armed_on_stale_truth";
/// Raised by the router itself when a channel keeps failing.
pub const ALERTING_DEGRADED: &str = "alerting_degraded";

const fn critical(name: &'static str, meaning: &'static str) -> AlertCode {
    AlertCode { name, severity: Severity::Critical, meaning }
}

const fn warning(name: &'static str, meaning: &'static str) -> AlertCode {
    AlertCode { name, severity: Severity::Warning, meaning }
}

/// Every code.
pub const CODES: &[AlertCode] = &[
    critical("venue_ingest_disconnected", "a venue's market data session is down"),
    critical("venue_quotes_stale", "a venue's session lives and no usable price comes from it"),
    warning("venue_publish_stale", "prices arrive and are not handed on to those who need them"),
    critical("execution_disconnected", "a venue's order session is down"),
    critical("journal_writer_stalled", "the journal cannot write, or does not get on"),
    warning("dashboard_source_degraded", "what the page shows comes from a source that is stale"),
    critical("alerting_degraded", "a channel keeps failing, or alerts wait too long for delivery"),
    critical("sentinel_stale", "the judge of all health has stopped judging"),
    critical("armed_on_stale_truth", "something may still trade while the truth it depends on is stale"),
    critical("heartbeat_missed", "a venue does not answer when asked for a sign of life"),
    warning("reconnect_storm", "a session is lost again and again"),
    warning("quote_rate_collapse", "far fewer quotes than this session's own baseline"),
    warning("flow_mismatch", "what went into a stage is not what came out plus what was dropped"),
    warning("drift_detected", "a monitored stream has left its baseline"),
    critical("position_divergence", "the venue holds something else than the books say"),
    critical("unmatched_fill", "an execution that belongs to no order of ours"),
    critical("order_outcome_unknown", "nobody knows yet what became of an order"),
    critical("kill_switch_engaged", "trading is stopped by the latch"),
    warning("actor_restarted", "a component failed and was replaced"),
    critical("supervisor_meltdown", "a component fails faster than it may be replaced"),
    critical("journal_corrupt", "rows of the journal are lost or changed"),
    warning("disk_low", "the disk of the journal is nearly full"),
    warning("clock_skew", "the wall clock jumped, or differs from the venue's"),
    warning("risk_limit_breached", "a limit stands broken"),
];

/// The code of a name; `None` for what is not in the list.
#[must_use]
pub fn find(name: &str) -> Option<&'static AlertCode> {
    CODES.iter().find(|code| code.name == name)
}

/// How severe a code is by itself. What nobody listed is taken for critical: unknown is not harmless.
#[must_use]
pub fn severity(name: &str) -> Severity {
    find(name).map_or(Severity::Critical, |code| code.severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_words() {
        for (index, code) in CODES.iter().enumerate() {
            assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", code.name);
            assert!(!code.meaning.is_empty());
            assert!(CODES.iter().skip(index + 1).all(|other| other.name != code.name), "{}", code.name);
        }
        assert!(find(NEVER_HIDDEN).is_some() && find(ALERTING_DEGRADED).is_some());
        assert_eq!(severity("nobody_listed_this"), Severity::Critical);
    }
}
