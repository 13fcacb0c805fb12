//! Typed settings: YAML, environment overrides, secrets, and errors that say where.
//!
//! The way of a value: [`source`] (text) -> [`yaml`] (tree with places) -> [`layers`] (environment,
//! flags) -> [`typed`] (settings) -> `validate()`; [`load`] runs them in order and reports every mistake.

pub mod alerts;
pub mod controls;
pub mod env;
pub mod error;
pub mod fault;
pub mod heartbeat;
mod keys;
pub mod kill_switch;
pub mod layers;
pub mod load;
pub mod node;
pub mod orders;
pub mod paper_exchange;
pub mod path;
pub mod position;
pub mod problems;
pub mod risk;
pub mod schema;
pub mod secret;
pub mod sentinel;
pub mod settings;
pub mod show;
pub mod source;
pub mod strategies;
pub mod supervision;
pub mod typed;
pub mod venues;
pub mod web;
pub mod yaml;

pub use env::{EnvReader, ProcessEnv};
pub use error::{ConfigError, ConfigErrors, Place};
pub use fault::Fault;
pub use layers::Flag;
pub use load::{Configuration, Document, Inputs, Loaded, load, load_source};
pub use path::KeyPath;
pub use position::Position;
pub use problems::Problems;
pub use secret::{Secret, SecretRef, SecretSource};
pub use settings::Settings;
pub use source::Source;
pub use supervision::{ChildOverride, child_override_position, refused_child_setting, unknown_child};
pub use web::listen_without_tokens;
