//! The lines of the route table about alerts, in words.

use super::operation::Operation;
use super::schema::{named, word};

/// `GET /api/v1/alerts`.
pub(crate) fn alerts() -> Operation {
    Operation::new("alerts", "What stands and wants somebody, oldest first")
        .query("status", word(&["open", "all"]), "open ones unless asked otherwise")
        .paged()
        .answers(200, "a page", named("Alerts"))
}

/// `GET /api/v1/alerts/{id}`.
pub(crate) fn alert() -> Operation {
    Operation::new("alert", "Everything that is known of one alert, by id or key")
        .answers(200, "the alert", named("WholeAlert"))
        .problem(404, "there is no such alert")
}

/// `GET /api/v1/alerts/{id}/why`.
pub(crate) fn why() -> Operation {
    Operation::new("alert_why", "Who was told of an alert, who was not, and what comes next")
        .answers(200, "its story", named("AlertStory"))
        .problem(404, "there is no such alert")
}

/// `POST /api/v1/alerts/{id}/ack`.
pub(crate) fn ack() -> Operation {
    Operation::new("ack_alert", "Take an alert on; nobody else is told until the acknowledgement ends")
        .body(named("AckRequest"))
        .answers(200, "it is on the disk", named("Alert"))
        .problem(404, "no such alert stands")
}

/// `GET /api/v1/silences`.
pub(crate) fn silences() -> Operation {
    Operation::new("silences", "Alerts that nobody is told of, youngest first")
        .query("status", word(&["open", "all"]), "those that hold unless asked otherwise")
        .query("limit", super::schema::limit(), "at most so many items")
        .answers(200, "all of them", named("Silences"))
}

/// `POST /api/v1/silences`.
pub(crate) fn silence() -> Operation {
    Operation::new("silence", "Tell nobody of some alerts for a while").body(named("SilenceRequest")).answers(
        200,
        "it is on the disk",
        named("Silence"),
    )
}

/// `DELETE /api/v1/silences/{id}`.
pub(crate) fn unsilence() -> Operation {
    Operation::new("end_silence", "Tell of them again")
        .answers(200, "it has ended", named("Silence"))
        .problem(404, "no such silence holds")
}

/// `GET /api/v1/incidents`.
pub(crate) fn incidents() -> Operation {
    Operation::new("incidents", "Alerts by their cause, youngest first, with how long each step took")
        .paged()
        .answers(200, "a page", named("Incidents"))
}

/// `GET /api/v1/containment`.
pub(crate) fn containment() -> Operation {
    Operation::new(
        "containment",
        "What was done by itself about alerts, and what is recommended, oldest first",
    )
    .query("status", word(&["open", "all"]), "all unless asked otherwise")
    .paged()
    .answers(200, "a page", named("Intents"))
}

/// `GET /api/v1/channels`.
pub(crate) fn channels() -> Operation {
    Operation::new("channels", "Every way to tell people, and how it is").answers(
        200,
        "all of them",
        named("Channels"),
    )
}

/// `POST /api/v1/channels/{name}/test`.
pub(crate) fn test_channel() -> Operation {
    Operation::new("test_channel", "Send a message that tests a channel")
        .body(named("Reason"))
        .answers(202, "it is on its way", named("Delivery"))
        .problem(404, "there is no such channel")
}
