//! Cause and consequence, from the known topology: a dead session makes its feeds old, old feeds make the page wrong.
//!
//! Each alert that follows from another names the root of it, so that one failure is one incident.

use super::table::{Table, VenueFact};
use super::verdict::{Key, Severity, Verdict};

/// Names the root of each verdict that follows from another.
pub(super) fn assign(table: &Table, verdicts: &mut [Verdict]) {
    let mut found: Vec<(usize, Key)> = Vec::new();
    for (at, verdict) in verdicts.iter().enumerate() {
        let root = before(table, &verdict.component)
            .into_iter()
            .find_map(|name| standing(verdicts, &name).filter(|key| Some(key) != verdict.alert.as_ref()));
        if let Some(root) = root.filter(|_| verdict.alert.is_some()) {
            found.push((at, root));
        }
    }
    for (at, root) in found {
        if let Some(verdict) = verdicts.get_mut(at) {
            verdict.cause = Some(root);
        }
    }
}

/// The alert of a component, when it is a root or a consequence that matters.
fn standing(verdicts: &[Verdict], component: &str) -> Option<Key> {
    let verdict = verdicts.iter().find(|verdict| verdict.component == component)?;
    verdict.alert.clone().filter(|_| verdict.severity >= Severity::Warning)
}

/// What a component depends on, the furthest back first, so that the first that stands is the root.
fn before(table: &Table, component: &str) -> Vec<String> {
    let (kind, rest) = component.split_once('/').unwrap_or((component, ""));
    let venue = rest.split('/').next().unwrap_or_default();
    match kind {
        "ingest" => vec![node(table, &format!("market-{venue}"))],
        "publish" => vec![node(table, &format!("market-{venue}")), format!("ingest/{venue}")],
        "feed" if rest.contains('/') => vec![
            node(table, &format!("market-{venue}")),
            format!("ingest/{venue}"),
            format!("publish/{venue}"),
            format!("feed/{venue}"),
        ],
        "feed" => vec![node(table, &format!("market-{venue}")), format!("ingest/{venue}")],
        "execution" => vec![node(table, &format!("connector-{venue}"))],
        "heartbeat" => vec![node(table, &format!("connector-{venue}")), format!("execution/{venue}")],
        "strategy" => {
            let of = table.strategies.iter().find(|one| one.strategy.as_str() == rest);
            let own = node(table, rest);
            let venue = of.map(|one| one.venue.as_str().to_owned()).unwrap_or_default();
            vec![own, format!("ingest/{venue}"), format!("publish/{venue}")]
        }
        "journal" => vec![node(table, "journal"), "disk".to_owned()],
        "dashboard" => {
            let mut all = vec![node(table, "oms"), "journal".to_owned()];
            all.extend(table.venues.iter().flat_map(of_venue));
            all
        }
        "channel" => vec!["alerting".to_owned()],
        "alerting" => vec!["journal".to_owned()],
        _ => Vec::new(),
    }
}

fn of_venue(venue: &VenueFact) -> Vec<String> {
    let id = &venue.venue;
    let mut all = vec![
        format!("ingest/{id}"),
        format!("publish/{id}"),
        format!("feed/{id}"),
        format!("execution/{id}"),
    ];
    all.extend(venue.feeds.iter().map(|feed| format!("feed/{id}/{}", feed.symbol)));
    all
}

/// The path of the node that ends like this, whichever supervisor it hangs in.
fn node(table: &Table, name: &str) -> String {
    let ends = |path: &str| path.rsplit('/').next() == Some(name);
    table
        .nodes
        .iter()
        .find(|node| node.worker && ends(&node.path))
        .map_or_else(String::new, |node| node.path.clone())
}
