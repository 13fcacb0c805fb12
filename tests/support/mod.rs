//! Receivers that tests may share: real servers on loopback that say what they were told to say.

pub mod certs;
pub mod http_sink;
pub mod smtp_sink;
