-- The drift sentry's streams as last saved: what they have learned and where they stand. Not part of the journal.
CREATE TABLE drift_streams (
    name  TEXT    PRIMARY KEY NOT NULL,
    at_ms INTEGER NOT NULL,
    state TEXT    NOT NULL
) STRICT;
