//! The rows: what is broken, which alerts that must raise and no others, and what the desk does by itself.

/// How something is broken, and mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// A fault at the exchange, as its control route takes it; healed by taking it away.
    Exchange(&'static str),
    /// An actor is made to fail, through the debug routes of a development deployment.
    Actor(&'static str, &'static str),
    /// Another process holds the database's write lock.
    Database,
    /// The receiver of the webhooks behaves like this while a component is made to fail.
    Receiver(Receiver),
    /// Nothing: orders come and go, for as long as is asked.
    Nothing,
}

/// What the receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// 500 to everything.
    Fails,
    /// Answers after its channel has given up.
    Slow,
    /// Sends elsewhere.
    Redirects,
    /// Nobody listens at the mail server's address.
    NoMail,
}

/// One row.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub breaks: Break,
    /// The codes that must be raised; nothing else may.
    pub expect: &'static [&'static str],
    /// Codes that may come with them, because they depend on the instant.
    pub may: &'static [&'static str],
    /// The first expected code is there within so many seconds.
    pub within: f64,
    /// Is the desk paused by itself?
    pub contained: bool,
    /// How long the fault stands at least, seconds, so that what comes later is seen as well.
    pub stands: f64,
    /// Is it mended afterwards?
    pub heals: bool,
    /// Lines of configuration that differ.
    pub config: &'static str,
}

const STALE: &[&str] = &["venue_quotes_stale", "dashboard_source_degraded"];
const NOTHING: &[&str] = &[];

const fn exchange(name: &'static str, fault: &'static str, expect: &'static [&'static str]) -> Row {
    Row {
        name,
        breaks: Break::Exchange(fault),
        expect,
        may: NOTHING,
        within: 5.0,
        contained: false,
        stands: 4.0,
        heals: true,
        config: "",
    }
}

const fn actor(name: &'static str, path: &'static str, fault: &'static str) -> Row {
    Row { breaks: Break::Actor(path, fault), ..exchange(name, "", &["actor_restarted"]) }
}

/// Every row, in the order of the table.
pub const ROWS: &[Row] = &[
    Row { contained: true, ..exchange("mute_market_data", r#"{"kind":"mute_market_data"}"#, STALE) },
    Row { contained: true, ..exchange("stale_but_pinging", r#"{"kind":"stale_but_pinging"}"#, STALE) },
    exchange("gap_in_depth", r#"{"kind":"gap_in_depth"}"#, NOTHING),
    Row {
        contained: true,
        stands: 7.0,
        may: &["reconnect_storm", "order_outcome_unknown", "heartbeat_missed"],
        ..exchange(
            "disconnect/for good",
            r#"[{"kind":"refuse_connections"},{"kind":"disconnect"}]"#,
            &[
                "execution_disconnected",
                "venue_ingest_disconnected",
                "venue_quotes_stale",
                "dashboard_source_degraded",
            ],
        )
    },
    // Back within a tenth of a second: counted, and nobody is woken.
    exchange("disconnect", r#"{"kind":"disconnect"}"#, NOTHING),
    exchange("refuse_connections", r#"{"kind":"refuse_connections"}"#, NOTHING),
    Row {
        contained: true,
        stands: 6.0,
        may: &["heartbeat_missed", "execution_disconnected", "order_outcome_unknown", "reconnect_storm"],
        ..exchange("half_open", r#"{"kind":"half_open"}"#, STALE)
    },
    exchange("mute_user_data", r#"{"kind":"mute_user_data"}"#, NOTHING),
    Row { may: &["heartbeat_missed"], ..exchange("delay", r#"{"kind":"delay","ms":200}"#, NOTHING) },
    Row {
        may: &["order_outcome_unknown"],
        ..exchange("lose_response", r#"{"kind":"lose_response","count":1}"#, NOTHING)
    },
    Row {
        may: &["order_outcome_unknown"],
        ..exchange("lose_request", r#"{"kind":"lose_request","count":1}"#, NOTHING)
    },
    exchange("reject_orders", r#"{"kind":"reject_orders","code":-2010}"#, NOTHING),
    Row {
        stands: 6.0,
        may: &["execution_disconnected"],
        ..exchange("rate_limit", r#"{"kind":"rate_limit","retry_after":2}"#, &["heartbeat_missed"])
    },
    Row {
        stands: 6.0,
        may: &["execution_disconnected"],
        ..exchange("ban", r#"{"kind":"ban"}"#, &["heartbeat_missed"])
    },
    Row {
        may: &["order_outcome_unknown"],
        ..exchange("server_error/placed", r#"{"kind":"server_error","placed":true,"count":1}"#, NOTHING)
    },
    Row {
        may: &["order_outcome_unknown"],
        ..exchange("server_error/lost", r#"{"kind":"server_error","placed":false,"count":1}"#, NOTHING)
    },
    exchange("duplicate_reports", r#"{"kind":"duplicate_reports"}"#, NOTHING),
    exchange("reorder_reports", r#"{"kind":"reorder_reports"}"#, NOTHING),
    exchange("drop_report", r#"{"kind":"drop_report"}"#, NOTHING),
    Row {
        may: &["order_outcome_unknown"],
        ..exchange("hide_orders", r#"{"kind":"hide_orders","seconds":2}"#, NOTHING)
    },
    Row {
        within: 12.0,
        stands: 13.0,
        may: &["heartbeat_missed", "armed_on_stale_truth"],
        ..exchange("clock_skew", r#"{"kind":"clock_skew","ms":3000}"#, &["clock_skew"])
    },
    actor("actor panics", "plimsoll/market/market-paper", "panic"),
    Row {
        within: 5.0,
        config: "supervision: { children: { infra/clock_sentry: { hang: { wait_ms: 1000 } } } }\n",
        ..actor("actor hangs", "plimsoll/infra/clock_sentry", "wedge")
    },
    Row { stands: 2.0, ..actor("sentinel dies", "plimsoll/infra/sentinel", "panic") },
    Row {
        breaks: Break::Actor("plimsoll/infra/sentinel", "wedge"),
        within: 5.0,
        stands: 4.0,
        may: &["actor_restarted"],
        config: "supervision: { children: { infra/sentinel: { hang: { wait_ms: 7000 } } } }\n",
        ..exchange("sentinel hangs", "", &["sentinel_stale"])
    },
    Row {
        breaks: Break::Database,
        within: 10.0,
        stands: 9.0,
        may: &["dashboard_source_degraded", "alerting_degraded"],
        ..exchange("database locked", "", &["journal_writer_stalled", "armed_on_stale_truth"])
    },
    Row {
        breaks: Break::Receiver(Receiver::Fails),
        stands: 12.0,
        within: 12.0,
        may: &["actor_restarted"],
        ..exchange("webhook 500", "", &["alerting_degraded"])
    },
    Row {
        breaks: Break::Receiver(Receiver::Slow),
        stands: 12.0,
        within: 12.0,
        may: &["actor_restarted"],
        ..exchange("webhook slow", "", &["alerting_degraded"])
    },
    Row {
        breaks: Break::Receiver(Receiver::Redirects),
        stands: 12.0,
        within: 12.0,
        may: &["actor_restarted"],
        ..exchange("webhook redirects", "", &["alerting_degraded"])
    },
    Row {
        breaks: Break::Receiver(Receiver::NoMail),
        stands: 12.0,
        within: 12.0,
        // Raised and ended while nobody takes mail: it arrives later, as one message.
        may: &["actor_restarted", "drift_detected"],
        ..exchange("SMTP down", "", &["alerting_degraded"])
    },
    Row { breaks: Break::Nothing, stands: 0.0, ..exchange("nothing, under load", "", NOTHING) },
];
