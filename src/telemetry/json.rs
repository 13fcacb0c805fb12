//! One JSON object per event, one event per line, the deployment's identifiers on each.
//!
//! `{"timestamp", "level", "target", "message", "deployment.*", fields..., "spans": [..]}`. Fields keep
//! their dotted names. Nothing is interpolated: user text is data.

use super::logs::Deployment;
use serde_json::{Map, Value, json};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// See the module's head.
pub(super) struct JsonLines {
    deployment: Map<String, Value>,
}

impl JsonLines {
    pub(super) fn new(deployment: &Deployment) -> Self {
        let mut fields = Map::new();
        fields.insert("deployment.name".to_owned(), json!(deployment.name));
        fields.insert("deployment.environment".to_owned(), json!(deployment.environment));
        fields.insert("deployment.instance".to_owned(), json!(deployment.instance));
        Self { deployment: fields }
    }
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = Map::new();
        let now = crate::clock::wall().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        line.insert("timestamp".to_owned(), json!(now));
        line.insert("level".to_owned(), json!(metadata.level().as_str()));
        line.insert("target".to_owned(), json!(metadata.target()));
        event.record(&mut Fields(&mut line));
        for (key, value) in &self.deployment {
            line.insert(key.clone(), value.clone());
        }
        let spans: Vec<Value> = ctx
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
            .map(|span| {
                let extensions = span.extensions();
                let fields = extensions.get::<FormattedFields<N>>().map_or("", |f| f.fields.as_str());
                json!({"name": span.name(), "fields": fields})
            })
            .collect();
        if !spans.is_empty() {
            line.insert("spans".to_owned(), Value::Array(spans));
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Collects an event's fields with their types.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, json!(value));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, json!(value));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, json!(value));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, json!(value));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, json!(value));
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, json!(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_object_with_typed_fields_and_the_deployment() {
        let sink = Sink::default();
        let writer = sink.clone();
        let deployment = Deployment {
            name: "desk".to_owned(),
            environment: "production".to_owned(),
            instance: "a".to_owned(),
        };
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(JsonLines::new(&deployment))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(event = "x", actor.epoch = 3_u64, "two\nlines \"quoted\"");
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["actor.epoch"], 3);
        assert_eq!(line["message"], "two\nlines \"quoted\"");
        assert_eq!(line["deployment.environment"], "production");
    }
}
