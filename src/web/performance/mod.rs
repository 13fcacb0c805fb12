//! What every strategy earned: the API, the page and its charts.

mod api;
mod chart;
mod page;
mod question;

pub(super) use api::{equity, figures};
pub(super) use page::{page, style};
