//! One file per command.

pub mod venue;
