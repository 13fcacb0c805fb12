DROP TABLE meta;
DROP TABLE archives;
DROP TABLE snapshots;
DROP TABLE journal;
DROP TABLE journal_guard;
