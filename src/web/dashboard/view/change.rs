//! What turns one edition into another, as JSON for the page's script.
//!
//! `parts` and `head` name what is different. A list that keeps the order of the rows that stay says which rows go
//! (`del`), which are new markup (`set`) and which come, each before which (`add`); any other list comes whole (`all`).
//! Applying the change to the first edition gives the second: a test does it.

use super::edition::{Edition, Row};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// From `before` to `after`; everything when there is no `before`.
pub(crate) fn change(before: Option<&Edition>, after: &Edition) -> Value {
    let mut out = Map::new();
    out.insert("at".to_owned(), json!(after.at));
    out.insert("edition".to_owned(), json!(after.number));
    if let Some(before) = before {
        out.insert("from".to_owned(), json!(before.number));
    }
    out.insert("head".to_owned(), texts(before.map(|edition| &edition.head), &after.head));
    out.insert("parts".to_owned(), texts(before.map(|edition| &edition.parts), &after.parts));
    let mut lists = Map::new();
    for (id, rows) in &after.lists {
        let old = before.and_then(|edition| edition.lists.get(id));
        let change = old.map_or_else(|| Some(whole(rows)), |old| list(old, rows));
        if let Some(change) = change {
            lists.insert((*id).to_owned(), change);
        }
    }
    out.insert("lists".to_owned(), Value::Object(lists));
    Value::Object(out)
}

type Texts = BTreeMap<&'static str, String>;

fn texts(before: Option<&Texts>, after: &Texts) -> Value {
    let differs = |id: &&str, text: &String| before.and_then(|before| before.get(*id)) != Some(text);
    let changed = after.iter().filter(|(id, text)| differs(id, text));
    changed.map(|(id, text)| ((*id).to_owned(), json!(text))).collect::<Map<_, _>>().into()
}

fn whole(rows: &[Row]) -> Value {
    json!({"all": rows.iter().map(|row| (&row.key, &row.html)).collect::<Vec<_>>()})
}

/// `None` when nothing is different.
fn list(before: &[Row], after: &[Row]) -> Option<Value> {
    if before == after {
        return None;
    }
    let old: BTreeMap<&str, &str> = before.iter().map(|row| (row.key.as_str(), row.html.as_str())).collect();
    let new: BTreeSet<&str> = after.iter().map(|row| row.key.as_str()).collect();
    let stay = before.iter().map(|row| row.key.as_str()).filter(|key| new.contains(key));
    let stand = after.iter().map(|row| row.key.as_str()).filter(|key| old.contains_key(key));
    // Names that come twice, or another order: the whole list says it best.
    if old.len() != before.len() || new.len() != after.len() || !stay.eq(stand) {
        return Some(whole(after));
    }
    let del: Vec<&str> = before.iter().map(|row| row.key.as_str()).filter(|key| !new.contains(key)).collect();
    let differs = |row: &&Row| old.get(row.key.as_str()).is_some_and(|html| *html != row.html);
    let set: Vec<_> = after.iter().filter(differs).map(|row| (&row.key, &row.html)).collect();
    let mut add = Vec::new();
    let mut next: Option<&str> = None;
    // From the end, so that the row that another comes before is there already.
    for row in after.iter().rev() {
        if !old.contains_key(row.key.as_str()) {
            add.push((&row.key, &row.html, next));
        }
        next = Some(&row.key);
    }
    Some(json!({"del": del, "set": set, "add": add}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edition(number: u64, rows: &[(u8, u8)]) -> Edition {
        let row = |(key, html): &(u8, u8)| Row { key: format!("k{key}"), html: format!("<i>{html}</i>") };
        let lists = BTreeMap::from([("orders", rows.iter().map(row).collect())]);
        let parts = BTreeMap::from([("banner", format!("{}", rows.len()))]);
        Edition { number, lists, parts, ..Edition::default() }
    }

    /// What the page's script does.
    fn apply(rows: &mut Vec<(String, String)>, change: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        if let Some(all) = change.get("all") {
            *rows = all.as_array().unwrap().iter().map(|row| (text(&row[0]), text(&row[1]))).collect();
            return;
        }
        for key in change["del"].as_array().unwrap() {
            rows.retain(|(have, _)| have != key.as_str().unwrap());
        }
        for row in change["set"].as_array().unwrap() {
            let found = rows.iter_mut().find(|(key, _)| key == row[0].as_str().unwrap()).unwrap();
            found.1 = text(&row[1]);
        }
        for row in change["add"].as_array().unwrap() {
            let place = row[2].as_str().map(|next| rows.iter().position(|(key, _)| key == next).unwrap());
            rows.insert(place.unwrap_or(rows.len()), (text(&row[0]), text(&row[1])));
        }
    }

    proptest! {
        #[test]
        fn a_change_applied_to_the_first_gives_the_second(
            first in proptest::collection::vec((0..12_u8, 0..3_u8), 0..10),
            second in proptest::collection::vec((0..12_u8, 0..3_u8), 0..10),
        ) {
            let (first, second) = (edition(1, &first), edition(2, &second));
            let mut rows: Vec<(String, String)> =
                first.lists["orders"].iter().map(|row| (row.key.clone(), row.html.clone())).collect();
            let change = change(Some(&first), &second);
            if let Some(list) = change["lists"].get("orders") {
                apply(&mut rows, list);
            }
            let wanted: Vec<(String, String)> =
                second.lists["orders"].iter().map(|row| (row.key.clone(), row.html.clone())).collect();
            prop_assert_eq!(rows, wanted);
        }
    }

    #[test]
    fn what_is_the_same_is_not_said_again() {
        let (first, second) = (edition(1, &[(1, 1), (2, 1)]), edition(2, &[(3, 1), (1, 1), (2, 2)]));
        let same = change(Some(&first), &Edition { number: 2, ..first.clone() });
        assert_eq!((same["parts"].clone(), same["lists"].clone()), (json!({}), json!({})));
        let said = change(Some(&first), &second)["lists"]["orders"].clone();
        assert_eq!(said, json!({"del": [], "set": [["k2", "<i>2</i>"]], "add": [["k3", "<i>1</i>", "k1"]]}));
        assert!(change(None, &second)["lists"]["orders"]["all"].is_array());
    }
}
