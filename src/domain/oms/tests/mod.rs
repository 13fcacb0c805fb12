//! Tests of the order management.
