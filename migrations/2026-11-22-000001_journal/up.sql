-- The journal: facts in order, each with a checksum that covers the one before it.
CREATE TABLE journal (
    seq         INTEGER PRIMARY KEY NOT NULL CHECK (seq > 0),
    kind        TEXT    NOT NULL,
    correlation TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    payload     TEXT    NOT NULL,
    checksum    BLOB    NOT NULL CHECK (length(checksum) = 32)
) STRICT;

-- Up to where rows may be deleted now. Above zero only inside the archiver's transaction.
CREATE TABLE journal_guard (
    only_one INTEGER PRIMARY KEY NOT NULL CHECK (only_one = 1),
    up_to    INTEGER NOT NULL
) STRICT;
INSERT INTO journal_guard (only_one, up_to) VALUES (1, 0);

CREATE TRIGGER journal_rows_never_change BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'rows of the journal never change');
END;

CREATE TRIGGER journal_rows_stay BEFORE DELETE ON journal
WHEN OLD.seq > (SELECT up_to FROM journal_guard WHERE only_one = 1)
BEGIN
    SELECT RAISE(ABORT, 'rows of the journal leave it only through the archive');
END;

-- The whole state after one row, so that a start need not read from the first.
CREATE TABLE snapshots (
    seq            INTEGER PRIMARY KEY NOT NULL,
    checksum       BLOB    NOT NULL,
    at_ms          INTEGER NOT NULL,
    payload        TEXT    NOT NULL,
    payload_sha256 BLOB    NOT NULL
) STRICT;

-- Rows that were moved to compressed files.
CREATE TABLE archives (
    first_seq     INTEGER PRIMARY KEY NOT NULL,
    last_seq      INTEGER NOT NULL,
    last_checksum BLOB    NOT NULL,
    file          TEXT    NOT NULL UNIQUE,
    sha256        BLOB    NOT NULL,
    at_ms         INTEGER NOT NULL,
    CHECK (last_seq >= first_seq)
) STRICT;

-- Facts about this database: tag, sessions, last verified point, heartbeat.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
