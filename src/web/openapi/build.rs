//! Walks the route table and writes the description.

use super::operation::Operation;
use super::schema::{count, list, named, pattern, text};
use super::shapes;
use crate::domain::token::Scope;
use crate::web::access::Access;
use crate::web::routes::{KeyRule, ROUTES, RouteEntry};
use actix_web::http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The description as pretty JSON, ending with a line break.
#[must_use]
pub fn document() -> String {
    let mut paths: Map<String, Value> = Map::new();
    for entry in ROUTES.iter().filter(|entry| !entry.debug && !entry.page) {
        let operation = show(entry);
        let verbs = paths.entry(entry.path).or_insert_with(|| json!({}));
        if let Some(verbs) = verbs.as_object_mut() {
            verbs.insert(entry.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "plimsoll",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            "description": "Times are RFC 3339 UTC, figures are decimal strings, errors are RFC 9457 problems. \
                While no token was ever made and the process listens on loopback, every route is open.",
        },
        "servers": [{"url": "http://127.0.0.1:8787"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer",
                "description": "a token of `plimsoll token create`; its scopes are read, trade, pause, kill, resume \
                    and admin, where every token may read and admin may do everything",
            }},
            "schemas": shapes::all().into_iter().map(|(name, schema)| (name.to_owned(), schema))
                .collect::<Map<String, Value>>(),
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn show(entry: &RouteEntry) -> Value {
    let operation = (entry.describe)();
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for answer in &operation.answers {
        let mut shown = json!({
            "description": answer.about,
            "content": {answer.media: {"schema": answer.schema}},
        });
        if entry.key != KeyRule::None && answer.status < 300 {
            put(
                &mut shown,
                "headers",
                json!({"Idempotency-Replayed": {
                    "schema": {"type": "string", "const": "true"},
                    "description": "this is the answer that the same request got before",
                }}),
            );
        }
        answers.insert(answer.status.to_string(), shown);
    }
    for (status, about) in problems(entry, &operation) {
        answers.entry(status.to_string()).or_insert_with(|| problem(status, about));
    }
    let mut shown = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters(entry, &operation),
        "responses": answers,
        "security": [],
    });
    if let Access::Needs(scope) = entry.access {
        put(&mut shown, "security", json!([{"token": []}]));
        put(&mut shown, "x-scope", json!(scope));
    }
    if let Some(schema) = operation.body {
        let content = json!({"application/json": {"schema": schema}});
        put(&mut shown, "requestBody", json!({"required": true, "content": content}));
    }
    shown
}

fn parameters(entry: &RouteEntry, operation: &Operation) -> Value {
    let mut all = Vec::new();
    for name in path_names(entry.path) {
        all.push(json!({
            "name": name, "in": "path", "required": true, "schema": pattern(r"^[A-Za-z0-9_-]{1,32}$"),
        }));
    }
    for parameter in &operation.query {
        all.push(json!({
            "name": parameter.name, "in": "query", "required": false,
            "schema": parameter.schema, "description": parameter.about,
        }));
    }
    if entry.key != KeyRule::None {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": entry.key == KeyRule::Required,
            "schema": pattern("^[!-~]{1,64}$"),
            "description": "names the request, so that sending it twice does it once; kept for a day",
        }));
    }
    if operation.if_match {
        all.push(json!({
            "name": "If-Match", "in": "header", "required": true,
            "schema": pattern("^\"state-[0-9]{1,18}\"$"),
            "description": "the state that was seen: \"state-<state_version>\" of /api/v1/status",
        }));
    }
    Value::Array(all)
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The problems of a route: those of its kind, then its own.
fn problems(entry: &RouteEntry, operation: &Operation) -> Vec<(u16, &'static str)> {
    let mut all = operation.problems.clone();
    all.push((400, "the request cannot be read, or its address holds a secret"));
    all.push((421, "sent to another name"));
    if let Access::Needs(scope) = entry.access {
        all.push((401, "a good token is needed"));
        all.push((403, "the token lacks the scope, or the request comes from another site"));
        if scope != Scope::Kill {
            all.push((429, "more requests than one caller may make"));
        }
        all.push((500, "something broke; the log knows the request_id"));
        all.push((503, "not possible now: try again"));
    }
    if !operation.query.is_empty() {
        all.push((422, "a parameter has a wrong value"));
    }
    if entry.method != Method::GET {
        all.push((408, "the body came too slowly"));
        all.push((413, "the body is larger than 64 KiB"));
        all.push((415, "the body is not JSON"));
        all.push((422, "a value is wrong, or the key named another request"));
        all.push((409, "it contradicts the present state, or a request with this key is under way"));
    }
    all
}

fn problem(status: u16, about: &str) -> Value {
    let mut shown = json!({
        "description": about,
        "content": {"application/problem+json": {"schema": named("Problem")}},
    });
    let header = match status {
        401 => Some(json!({"WWW-Authenticate": {"required": true, "schema": text()}})),
        429 | 503 => {
            Some(json!({"Retry-After": {"required": true, "schema": count(), "description": "seconds"}}))
        }
        _ => None,
    };
    if let Some(header) = header {
        put(&mut shown, "headers", header);
    }
    shown
}

/// Sets a member of an object.
fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// The shape of every problem.
pub(super) fn problem_shape() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details",
        "properties": {
            "type": pattern("^urn:plimsoll:problem:[a-z0-9_]+$"),
            "title": text(),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text(),
            "code": pattern("^[a-z0-9_]+$"),
            "request_id": pattern("^r-[0-9]+$"),
            "errors": list(json!({
                "type": "object",
                "properties": {"pointer": text(), "detail": text()},
                "required": ["pointer", "detail"],
            })),
        },
        "required": ["type", "title", "status", "detail", "code", "request_id"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_under_an_id_of_its_own() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for entry in ROUTES.iter().filter(|entry| !entry.debug && !entry.page) {
            let shown = &document["paths"][entry.path][entry.method.as_str().to_ascii_lowercase()];
            assert!(ids.insert(shown["operationId"].to_string()), "{} {}", entry.method, entry.path);
            assert!(!shown["summary"].as_str().unwrap().is_empty(), "{}", entry.path);
            let answers = shown["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{}", entry.path);
            assert!(answers.contains_key("400") && answers.contains_key("421"), "{}", entry.path);
            if entry.access != Access::Open {
                assert!(answers.contains_key("401") && answers.contains_key("403"), "{}", entry.path);
            }
        }
        assert!(!document.to_string().contains("/debug/"), "what is for tests is no part of the API");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document();
        let document: Value = serde_json::from_str(&text).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for part in text.split("\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "no schema {name}");
        }
    }
}
