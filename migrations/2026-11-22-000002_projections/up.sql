-- The latest state for readers, written in the transaction of the rows that it follows from.
-- Money is TEXT: exact decimals as the venue spelt them.
CREATE TABLE orders (
    number                INTEGER PRIMARY KEY NOT NULL,
    client_order_id       TEXT    NOT NULL,
    venue_client_order_id TEXT    NOT NULL,
    venue_order_id        TEXT,
    venue                 TEXT    NOT NULL,
    symbol                TEXT    NOT NULL,
    side                  TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,
    quantity              TEXT    NOT NULL,
    price                 TEXT,
    time_in_force         TEXT,
    stop_loss             TEXT,
    reduce_only           INTEGER NOT NULL,
    strategy              TEXT    NOT NULL,
    correlation           TEXT    NOT NULL,
    origin                TEXT    NOT NULL,
    state                 TEXT    NOT NULL,
    is_final              INTEGER NOT NULL,
    executed              TEXT    NOT NULL,
    booked                TEXT    NOT NULL,
    booked_quote          TEXT    NOT NULL,
    reason                TEXT,
    attempts              INTEGER NOT NULL,
    cancel_requested      INTEGER NOT NULL,
    replaces              TEXT,
    fills_after           TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

-- Ids that we gave are unique for ever. Other people's orders may repeat theirs once the earlier one ended
-- (venues allow it), so adopted orders are only indexed.
CREATE UNIQUE INDEX orders_by_client_id ON orders (client_order_id) WHERE origin = 'intent';
CREATE UNIQUE INDEX orders_by_venue_client_id ON orders (venue, venue_client_order_id) WHERE origin = 'intent';
CREATE INDEX orders_adopted ON orders (client_order_id) WHERE origin = 'adopted';
CREATE INDEX orders_open ON orders (number) WHERE is_final = 0;

CREATE TABLE fills (
    id              INTEGER PRIMARY KEY NOT NULL,
    venue           TEXT    NOT NULL,
    symbol          TEXT    NOT NULL,
    trade_id        TEXT    NOT NULL,
    venue_order_id  TEXT    NOT NULL,
    -- As the venue named the order in the fill.
    named           TEXT,
    side            TEXT    NOT NULL,
    quantity        TEXT    NOT NULL,
    price           TEXT    NOT NULL,
    fee             TEXT    NOT NULL,
    fee_asset       TEXT,
    liquidity       TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    -- The caller's id of the order that it was booked to.
    client_order_id TEXT,
    strategy        TEXT    NOT NULL,
    correlation     TEXT    NOT NULL,
    booked_at       INTEGER NOT NULL,
    busted          INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX fills_once ON fills (venue, symbol, trade_id);
CREATE INDEX fills_by_order ON fills (client_order_id);

CREATE TABLE positions (
    venue         TEXT    NOT NULL,
    symbol        TEXT    NOT NULL,
    strategy      TEXT    NOT NULL,
    quantity      TEXT    NOT NULL,
    average_price TEXT,
    realised_pnl  TEXT    NOT NULL,
    -- JSON object: asset to amount.
    fees          TEXT    NOT NULL,
    turnover      TEXT    NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (venue, symbol, strategy)
) STRICT, WITHOUT ROWID;

CREATE TABLE balances (
    venue       TEXT    NOT NULL,
    asset       TEXT    NOT NULL,
    free        TEXT    NOT NULL,
    locked      TEXT    NOT NULL,
    expected    TEXT,
    compared_at INTEGER,
    PRIMARY KEY (venue, asset)
) STRICT, WITHOUT ROWID;
