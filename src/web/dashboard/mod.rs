//! The screen of an operator: one page, made here, that never looks healthier than the runtime is.
//!
//! `gather` reads everything once a second, however many pages are open; `view` turns that into markup; `press` keeps
//! the latest edition and what changed since the one before; `stream` brings the changes to each page. Words of people
//! go to the same handlers as those of programs. Nothing here decides anything about trading.

mod alerts;
mod assets;
mod books;
mod chronicle;
mod control;
mod drift;
mod gather;
mod login;
mod page;
mod plain;
mod press;
mod sources;
mod stream;
mod trends;
mod view;

pub(super) use assets::asset;
pub(super) use control::{act as control, ask as ask_control};
pub(super) use login::{ask as ask_login, login, logout};
pub(super) use page::page;
pub(super) use plain::{as_page, done_before, refusal};
pub(super) use press::Press;
pub(super) use stream::events as stream;
pub use trends::keep_watch;
