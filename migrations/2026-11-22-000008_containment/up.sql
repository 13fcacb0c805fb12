-- What is done by itself about alerts, and what is recommended: the latest record of each intent as JSON, with the
-- columns that are searched beside it. Written in the transaction of the journal's rows of kind `containment`, before
-- anything is carried out.
CREATE TABLE containment (
    number  INTEGER PRIMARY KEY NOT NULL,
    at_ms   INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    alert   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    record  TEXT    NOT NULL
) STRICT;

CREATE INDEX containment_open ON containment (number) WHERE is_open = 1;
CREATE INDEX containment_by_time ON containment (at_ms);
