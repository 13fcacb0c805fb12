//! Typed settings: YAML, environment overrides, secrets, and errors that say where.
