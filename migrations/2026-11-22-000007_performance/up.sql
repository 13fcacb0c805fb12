-- What every strategy and venue had come to at moments of a fixed clock. `*` stands for all. Old moments are thinned.
CREATE TABLE equity_points (
    strategy TEXT    NOT NULL,
    venue    TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    -- JSON: totals since the beginning.
    payload  TEXT    NOT NULL,
    PRIMARY KEY (strategy, venue, at_ms)
) STRICT, WITHOUT ROWID;

-- The fold behind the moments, at the row of the journal that it has reached.
CREATE TABLE performance_state (
    only_one INTEGER PRIMARY KEY NOT NULL CHECK (only_one = 1),
    seq      INTEGER NOT NULL,
    payload  TEXT    NOT NULL
) STRICT;
