//! The tables as the queries see them. The truth is in `migrations/`; a test compares the two.

diesel::table! {
    journal (seq) {
        seq -> BigInt,
        kind -> Text,
        correlation -> Text,
        at_ms -> BigInt,
        payload -> Text,
        checksum -> Binary,
    }
}

diesel::table! {
    snapshots (seq) {
        seq -> BigInt,
        checksum -> Binary,
        at_ms -> BigInt,
        payload -> Text,
        payload_sha256 -> Binary,
    }
}

diesel::table! {
    archives (first_seq) {
        first_seq -> BigInt,
        last_seq -> BigInt,
        last_checksum -> Binary,
        file -> Text,
        sha256 -> Binary,
        at_ms -> BigInt,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    orders (number) {
        number -> BigInt,
        client_order_id -> Text,
        venue_client_order_id -> Text,
        venue_order_id -> Nullable<Text>,
        venue -> Text,
        symbol -> Text,
        side -> Text,
        kind -> Text,
        quantity -> Text,
        price -> Nullable<Text>,
        time_in_force -> Nullable<Text>,
        stop_loss -> Nullable<Text>,
        reduce_only -> Bool,
        strategy -> Text,
        correlation -> Text,
        origin -> Text,
        state -> Text,
        is_final -> Bool,
        executed -> Text,
        booked -> Text,
        booked_quote -> Text,
        reason -> Nullable<Text>,
        attempts -> BigInt,
        cancel_requested -> Bool,
        replaces -> Nullable<Text>,
        fills_after -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
        decision_price -> Nullable<Text>,
    }
}

diesel::table! {
    fills (id) {
        id -> BigInt,
        venue -> Text,
        symbol -> Text,
        trade_id -> Text,
        venue_order_id -> Text,
        named -> Nullable<Text>,
        side -> Text,
        quantity -> Text,
        price -> Text,
        fee -> Text,
        fee_asset -> Nullable<Text>,
        liquidity -> Text,
        at_ms -> BigInt,
        client_order_id -> Nullable<Text>,
        strategy -> Text,
        correlation -> Text,
        booked_at -> BigInt,
        busted -> Bool,
    }
}

diesel::table! {
    positions (venue, symbol, strategy) {
        venue -> Text,
        symbol -> Text,
        strategy -> Text,
        quantity -> Text,
        average_price -> Nullable<Text>,
        realised_pnl -> Text,
        fees -> Text,
        turnover -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    balances (venue, asset) {
        venue -> Text,
        asset -> Text,
        free -> Text,
        locked -> Text,
        expected -> Nullable<Text>,
        compared_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at_ms -> BigInt,
        actor -> Text,
        principal -> Text,
        peer -> Text,
        route -> Text,
        verb -> Text,
        reason -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        status -> BigInt,
        code -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency (principal, name) {
        principal -> Text,
        name -> Text,
        route -> Text,
        body_hash -> Text,
        status -> BigInt,
        answer -> Text,
        at_ms -> BigInt,
    }
}

diesel::table! {
    drift_streams (name) {
        name -> Text,
        at_ms -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    alerts (number) {
        number -> BigInt,
        id -> Text,
        key -> Text,
        incident -> Text,
        is_open -> Bool,
        is_root -> Bool,
        record -> Text,
    }
}

diesel::table! {
    alert_deliveries (name) {
        name -> Text,
        number -> BigInt,
        seq -> BigInt,
        is_final -> Bool,
        record -> Text,
    }
}

diesel::table! {
    alert_silences (id) {
        id -> Text,
        number -> BigInt,
        ended -> Bool,
        record -> Text,
    }
}

diesel::table! {
    alert_channels (channel) {
        channel -> Text,
        record -> Text,
    }
}

diesel::table! {
    containment (number) {
        number -> BigInt,
        at_ms -> BigInt,
        is_open -> Bool,
        alert -> Text,
        action -> Text,
        record -> Text,
    }
}

diesel::table! {
    equity_points (strategy, venue, at_ms) {
        strategy -> Text,
        venue -> Text,
        at_ms -> BigInt,
        payload -> Text,
    }
}

diesel::table! {
    performance_state (only_one) {
        only_one -> Integer,
        seq -> BigInt,
        payload -> Text,
    }
}
