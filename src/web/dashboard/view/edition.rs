//! The screen in pieces of markup: parts that are replaced whole, and lists whose rows have names.

use super::model::{Desk, Ms};
use super::{alerts, banner, fresh, money, orders, risk, strip, system, timeline};
use askama::Template;
use std::collections::BTreeMap;

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its name within the list, unlike every other's.
    pub(crate) key: String,
    /// Its markup: one element.
    pub(crate) html: String,
}

impl Row {
    /// A row from its template. Templates here have no way to fail; one that did would leave its row empty.
    pub(super) fn new(key: String, template: &impl Template) -> Self {
        Self { key, html: render(template) }
    }
}

/// Fills a template.
pub(super) fn render(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}

/// The screen at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edition {
    /// Rises with every edition of this process.
    pub(crate) number: u64,
    /// The server's time.
    pub(crate) at: Ms,
    /// Words about the page as a whole: title, icon, state, version.
    pub(crate) head: BTreeMap<&'static str, String>,
    /// Markup by place.
    pub(crate) parts: BTreeMap<&'static str, String>,
    /// Rows by place.
    pub(crate) lists: BTreeMap<&'static str, Vec<Row>>,
}

impl Edition {
    /// Sets the whole screen.
    #[must_use]
    pub(crate) fn of(number: u64, desk: &Desk) -> Self {
        let parts = BTreeMap::from([
            ("strip", strip::strip(desk)),
            ("banner", banner::banner(desk)),
            ("fresh", fresh::fresh(desk)),
            ("facts", banner::facts(desk)),
            ("risk", risk::head(desk)),
            ("alerts", alerts::head(desk)),
            ("channels", alerts::channels(desk)),
            ("positions", orders::positions_head(desk)),
            ("orders", orders::orders_head(desk)),
            ("balances", orders::balances(desk)),
            ("money", money::money(desk)),
            ("components", system::components(desk)),
            ("tree", system::tree_head(desk)),
            ("incidents", system::incidents(desk)),
            ("drift", system::drift(desk)),
        ]);
        let lists = BTreeMap::from([
            ("risk", risk::rows(desk)),
            ("alerts", alerts::rows(desk)),
            ("positions", orders::position_rows(desk)),
            ("orders", orders::order_rows(desk)),
            ("tree", system::tree_rows(desk)),
            ("timeline", timeline::rows(desk)),
        ]);
        Self { number, at: desk.at, head: banner::head(desk), parts, lists }
    }

    /// The markup of a part; empty for one that there is not.
    #[must_use]
    pub(crate) fn part(&self, id: &str) -> &str {
        self.parts.get(id).map_or("", String::as_str)
    }

    /// The markup of a list's rows.
    #[must_use]
    pub(crate) fn rows(&self, id: &str) -> String {
        self.lists.get(id).into_iter().flatten().map(|row| row.html.as_str()).collect()
    }

    /// A word of the head.
    #[must_use]
    pub(crate) fn word(&self, name: &str) -> &str {
        self.head.get(name).map_or("", String::as_str)
    }
}
