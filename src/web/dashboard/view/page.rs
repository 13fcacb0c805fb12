//! The whole page for its first load: an edition in its frame, with what the reader may do.

use super::edition::{Edition, render};
use super::words::with_ages;
use askama::Template;

/// Who looks at the page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    /// The name that stands in the audit.
    pub(crate) name: String,
    /// Words of the scopes that the reader has.
    pub(crate) may: Vec<&'static str>,
    /// Proves that a form came from our page.
    pub(crate) csrf: String,
    /// Signed in, so that signing out means something.
    pub(crate) signed_in: bool,
}

impl Person {
    fn can(&self, scope: &str) -> bool {
        self.may.contains(&scope)
    }
}

/// See the module's head.
#[derive(Template)]
#[template(path = "page.html")]
pub(crate) struct Page<'a> {
    /// What there is to see.
    pub(crate) edition: &'a Edition,
    /// By whom.
    pub(crate) person: &'a Person,
    /// Names the reader's next request, so that sending it twice does it once.
    pub(crate) key: &'a str,
    /// The address of the style sheet.
    pub(crate) style: &'a str,
    /// And of the chart library's.
    pub(crate) chart_style: &'a str,
    /// The address of the script.
    pub(crate) script: &'a str,
    /// And of the chart library.
    pub(crate) charts: &'a str,
    /// The address of an icon up to its name.
    pub(crate) icon: &'a str,
}

impl Page<'_> {
    /// The page as markup, its ages in words.
    #[must_use]
    pub(crate) fn html(&self) -> String {
        with_ages(&render(self), self.edition.at)
    }

    /// The reader's scopes, as the style sheet asks for them.
    fn may(&self) -> String {
        self.person.may.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{Alert, Desk, Order};
    use super::*;

    #[test]
    fn nothing_that_others_named_becomes_markup() {
        let bad = || "<script>alert(1)</script>\"><img src=x onerror=alert(2)>".to_owned();
        let mut desk = Desk::default();
        desk.identity.label = bad();
        desk.standing.reason = bad();
        desk.orders = vec![Order { id: bad(), symbol: bad(), strategy: bad(), ..Order::default() }];
        desk.alerts =
            vec![Alert { id: bad(), scope: bad(), reason: bad(), can_ack: true, ..Alert::default() }];
        let edition = Edition::of(1, &desk);
        let person = Person { name: bad(), csrf: bad(), ..Person::default() };
        let (style, chart_style, script, charts, icon) = ("/s", "/c", "/j", "/u", "/i-");
        let page =
            Page { edition: &edition, person: &person, key: "k", style, chart_style, script, charts, icon };
        let html = page.html();
        assert!(html.contains("&#60;script&#62;"), "the texts are there");
        assert!(!html.contains("<script>alert") && !html.contains("<img"), "and they are text");
    }
}
