//! Pure decisions and the types that carry them: std, serde, thiserror and rust_decimal only.
