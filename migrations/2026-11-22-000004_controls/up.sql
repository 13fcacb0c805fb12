-- Every request that steered the process or was refused: one row each. Refused ones make room, oldest first.
CREATE TABLE audit (
    id              INTEGER PRIMARY KEY NOT NULL,
    at_ms           INTEGER NOT NULL,
    actor           TEXT    NOT NULL,
    principal       TEXT    NOT NULL,
    peer            TEXT    NOT NULL,
    route           TEXT    NOT NULL,
    verb            TEXT    NOT NULL,
    reason          TEXT,
    idempotency_key TEXT,
    status          INTEGER NOT NULL,
    code            TEXT
) STRICT;

CREATE INDEX audit_refused ON audit (id) WHERE status >= 300;

-- The answers of requests that were carried out under a key, so that a repetition is answered and not done again.
CREATE TABLE idempotency (
    principal TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    route     TEXT    NOT NULL,
    body_hash TEXT    NOT NULL,
    status    INTEGER NOT NULL,
    answer    TEXT    NOT NULL,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (principal, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (at_ms);
