-- Alerts, what is sent of them, silences, and how channels are: the latest record of each as JSON, with the columns
-- that are searched beside it. Written in the transaction of the journal's rows of kind `alert`.
CREATE TABLE alerts (
    number   INTEGER PRIMARY KEY NOT NULL,
    id       TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    is_open  INTEGER NOT NULL,
    is_root  INTEGER NOT NULL,
    record   TEXT    NOT NULL
) STRICT;

CREATE INDEX alerts_open ON alerts (number) WHERE is_open = 1;
CREATE INDEX alerts_by_key ON alerts (key, number);
CREATE INDEX alerts_consequences ON alerts (incident, number) WHERE is_root = 0;

CREATE TABLE alert_deliveries (
    name     TEXT    PRIMARY KEY NOT NULL,
    number   INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    is_final INTEGER NOT NULL,
    record   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_deliveries_by_alert ON alert_deliveries (number, seq);
CREATE INDEX alert_deliveries_open ON alert_deliveries (name) WHERE is_final = 0;

CREATE TABLE alert_silences (
    id     TEXT PRIMARY KEY NOT NULL,
    number INTEGER NOT NULL,
    ended  INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_channels (
    channel TEXT PRIMARY KEY NOT NULL,
    record  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
