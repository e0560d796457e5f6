//! The spans that the stack's collector was sent over OTLP.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use serde_json::Value;

use crate::stack::Stack;

/// A span, as the collector wrote it down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Span {
    /// The id of its trace, in hex.
    pub trace_id: String,
    /// Its own, in hex.
    pub span_id: String,
    /// That of the span that it is within.
    pub parent_span_id: Option<String>,
    /// Its name.
    pub name: String,
    /// `server`, `client`, `producer` or `consumer`.
    pub kind: String,
    /// When it began, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// When it ended.
    pub end: u64,
    /// `unset`, `ok` or `error`.
    pub status: String,
    /// What is said of it.
    pub attributes: BTreeMap<String, Value>,
    /// The spans of elsewhere that it has to do with.
    pub links: Vec<Link>,
    /// What is said of the function that it is of.
    pub resource: BTreeMap<String, Value>,
}

/// A link to a span of elsewhere.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Link {
    /// The id of its trace, in hex.
    pub trace_id: String,
    /// Its own, in hex.
    pub span_id: String,
    /// What is said of the link.
    pub attributes: BTreeMap<String, Value>,
}

impl Stack {
    /// The spans that the collector has by now, and that have to do with `trace_id`: within the trace, or linked to it.
    pub fn spans_of(&self, trace_id: &str) -> Vec<Span> {
        let file = self.setting("COLLECTED_SPANS");
        let text = fs::read_to_string(file).unwrap_or_default();
        // The last line may be half-written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().filter(|line| line.contains(trace_id));
        lines
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

impl Span {
    /// What is said of it by this name; nothing is null.
    pub fn attribute(&self, name: &str) -> &Value {
        self.attributes.get(name).unwrap_or(&Value::Null)
    }
}
