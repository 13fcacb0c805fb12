//! The page as a function of plain data: no actor, no clock, no socket.
//!
//! [`Desk`] is everything that one screen shows of one instant; [`Edition`] is that screen in pieces of markup, each
//! under the name of its place; [`change`] is what turns one edition into the next. All text passes the templates'
//! escaping: what venues and users call things is data.

mod alerts;
mod banner;
mod change;
mod edition;
mod figures;
mod fresh;
#[cfg(test)]
mod load;
mod model;
mod model_system;
mod money;
mod orders;
mod page;
mod risk;
mod strip;
mod system;
mod timeline;
mod words;

pub(super) use change::change;
pub(super) use edition::Edition;
pub(super) use model::*;
pub(super) use model_system::*;
pub(super) use page::{Page, Person};
pub(super) use words::clock_time;
