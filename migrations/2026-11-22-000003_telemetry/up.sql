-- Measurements that may be lost. Not part of the journal and not covered by its checksums.
CREATE TABLE telemetry (
    id      INTEGER PRIMARY KEY NOT NULL,
    at_ms   INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    payload TEXT    NOT NULL
) STRICT;
