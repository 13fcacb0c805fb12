//! Cases for the table tests of the checks.
