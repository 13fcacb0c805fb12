//! The process itself: the supervision tree, what the health judge says of components, incidents, drift.

use super::edition::{Row, render};
use super::figures::NOTHING;
use super::model::{Desk, Ms, Severity};
use super::model_system::{Component, Drift, Incident, Node};
use super::words::{Age, Mark, clock_time};
use askama::Template;

#[derive(Template)]
#[template(path = "tree.html")]
struct TreeHead {
    parts: usize,
    bad: usize,
    restarts: u64,
}

pub(super) fn tree_head(desk: &Desk) -> String {
    let bad = desk.nodes.iter().filter(|node| !node.good).count();
    let restarts = desk.nodes.iter().map(|node| node.restarts).sum();
    render(&TreeHead { parts: desk.nodes.len(), bad, restarts })
}

#[derive(Template)]
#[template(path = "row_node.html")]
struct NodeRow<'a> {
    node: &'a Node,
    class: &'static str,
    mark: Mark,
    depth: usize,
    name: &'a str,
    age: Age,
}

/// Depth beyond which no further indent is shown.
const DEPTH_MAX: usize = 4;

pub(super) fn tree_rows(desk: &Desk) -> Vec<Row> {
    let row = |node: &Node| {
        let (class, mark) = match node {
            Node { good: true, .. } => ("ok", "ok"),
            Node { moving: true, .. } => ("warn", "busy"),
            _ => ("crit", "crit"),
        };
        let depth = node.path.matches('/').count().min(DEPTH_MAX);
        let name = node.path.rsplit('/').next().unwrap_or(&node.path);
        let template = NodeRow { node, class, mark: Mark(mark), depth, name, age: Age(node.since) };
        Row::new(node.path.clone(), &template)
    };
    desk.nodes.iter().map(row).collect()
}

struct ComponentItem<'a> {
    one: &'a Component,
    class: &'static str,
    mark: Mark,
    age: Option<Age>,
}

#[derive(Template)]
#[template(path = "components.html")]
struct Components<'a> {
    items: Option<Vec<ComponentItem<'a>>>,
    healthy: usize,
}

fn component(one: &Component) -> ComponentItem<'_> {
    let (class, mark) = match one.severity {
        None => ("ok", Mark("ok")),
        Some(severity) => (severity.class(), severity.mark()),
    };
    ComponentItem { one, class, mark, age: one.evidence_at.map(Age) }
}

/// What is not healthy in full; of the rest, the number.
pub(super) fn components(desk: &Desk) -> String {
    let healthy = |one: &Component| one.status == "healthy";
    let count = desk.components.iter().flatten().filter(|one| healthy(one)).count();
    let items = desk.components.as_ref();
    let items = items.map(|all| all.iter().filter(|one| !healthy(one)).map(component).collect());
    render(&Components { items, healthy: count })
}

struct IncidentItem<'a> {
    one: &'a Incident,
    at: String,
    open: Option<Age>,
}

#[derive(Template)]
#[template(path = "incidents.html")]
struct Incidents<'a> {
    items: Option<Vec<IncidentItem<'a>>>,
}

fn incident(one: &Incident, now: Ms) -> IncidentItem<'_> {
    let open = one.closed_at.is_none().then_some(Age(one.opened_at));
    IncidentItem { one, at: clock_time(one.opened_at, now), open }
}

pub(super) fn incidents(desk: &Desk) -> String {
    let items = desk.incidents.as_ref();
    render(&Incidents { items: items.map(|all| all.iter().map(|one| incident(one, desk.at)).collect()) })
}

struct DriftItem<'a> {
    one: &'a Drift,
    class: &'static str,
    statistic: String,
    threshold: String,
    /// Width of the bar, of a hundred.
    width: u32,
    open: Option<Age>,
}

#[derive(Template)]
#[template(path = "drift.html")]
struct DriftPanel<'a> {
    items: Option<Vec<DriftItem<'a>>>,
    left_out: usize,
}

/// Streams that are listed.
const STREAMS_LISTED: usize = 24;

/// A share of a hundred; everything when it is not known.
fn share(statistic: Option<f64>, threshold: Option<f64>) -> u32 {
    let (Some(statistic), Some(threshold)) = (statistic, threshold) else { return 100 };
    if !(threshold > 0.0 && statistic.is_finite()) {
        return 100;
    }
    // Counted, because no conversion of a float to an integer is without surprises.
    (0..100)
        .take_while(|step| f64::from(*step) < 100.0 * statistic.abs() / threshold)
        .count()
        .try_into()
        .unwrap_or(100)
}

fn stream(one: &Drift) -> DriftItem<'_> {
    let figure = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.2}"));
    DriftItem {
        one,
        class: if one.open_since.is_some() { Severity::Warning.class() } else { "ok" },
        statistic: figure(one.statistic),
        threshold: figure(one.threshold),
        width: share(one.statistic, one.threshold),
        open: one.open_since.map(Age),
    }
}

pub(super) fn drift(desk: &Desk) -> String {
    let all = desk.drift.as_ref().map_or(0, Vec::len);
    let items = desk.drift.as_ref().map(|all| all.iter().take(STREAMS_LISTED).map(stream).collect());
    render(&DriftPanel { items, left_out: all.saturating_sub(STREAMS_LISTED) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_the_share_of_the_threshold() {
        assert_eq!([share(Some(5.0), Some(10.0)), share(Some(-5.0), Some(10.0))], [50, 50]);
        assert_eq!([share(Some(20.0), Some(10.0)), share(Some(0.0), Some(10.0))], [100, 0]);
        assert_eq!(
            [share(None, Some(1.0)), share(Some(f64::NAN), Some(1.0)), share(Some(1.0), Some(0.0))],
            [100; 3]
        );
    }

    #[test]
    fn what_nothing_watches_is_not_called_healthy() {
        let desk = Desk::default();
        for shown in [components(&desk), incidents(&desk), drift(&desk)] {
            assert!(shown.contains("not available"), "{shown}");
        }
    }

    #[test]
    fn a_part_that_failed_says_so() {
        let node = Node { path: "a/b".to_owned(), state: "failed".to_owned(), ..Node::default() };
        let desk = Desk { nodes: vec![node], ..Desk::default() };
        assert!(tree_rows(&desk).remove(0).html.contains("crit"));
        assert!(tree_head(&desk).contains("1 not running"), "{}", tree_head(&desk));
    }
}
