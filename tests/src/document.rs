//! The HTTP API as its description has it: which operations there are, and on which paths.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::yaml;

/// The methods that a path may have operations for.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The API's description.
pub struct Document {
    /// All that it says.
    pub content: Value,
}

/// One operation of it.
pub struct Operation {
    /// Its name.
    pub id: String,
    /// Its method, in capitals.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: String,
    /// Whether it asks for a token.
    pub is_protected: bool,
}

impl Document {
    /// Reads it.
    pub fn read() -> Self {
        Self {
            content: yaml("infra/openapi.yaml"),
        }
    }

    /// All paths, with parameters in braces.
    pub fn paths(&self) -> Vec<&str> {
        let paths = self.content["paths"].as_object().expect("paths");
        paths.keys().map(String::as_str).collect()
    }

    /// The methods that a path has operations for.
    pub fn methods(&self, path: &str) -> BTreeSet<&'static str> {
        let item = &self.content["paths"][path];
        let has = |method: &&str| item[method.to_ascii_lowercase()].is_object();
        METHODS.into_iter().filter(has).collect()
    }

    /// All operations with this method.
    pub fn operations(&self, method: &'static str) -> Vec<Operation> {
        let paths = self.content["paths"].as_object().expect("paths").iter();
        paths
            .filter_map(|(path, item)| {
                let operation = &item[method.to_ascii_lowercase()];
                Some(Operation {
                    id: operation["operationId"].as_str()?.to_owned(),
                    method,
                    path: path.clone(),
                    is_protected: operation["security"] != json!([]),
                })
            })
            .collect()
    }

    /// The names of all problem types.
    pub fn problems(&self) -> Vec<&str> {
        let types = &self.content["components"]["schemas"]["ProblemType"]["enum"];
        let types = types.as_array().expect("the types of problems").iter();
        types
            .map(|kind| {
                let kind = kind.as_str().expect("a type");
                kind.strip_prefix("/problems/").expect("a page's address")
            })
            .collect()
    }

    /// The title of a problem type, from an example of it.
    pub fn title_of(&self, problem: &str) -> &str {
        let examples = &self.content["components"]["examples"];
        let mut examples = examples.as_object().expect("examples").values();
        let kind = format!("/problems/{problem}");
        let example = examples
            .find(|example| example["value"]["type"] == kind)
            .unwrap_or_else(|| panic!("no example of {problem}"));
        example["value"]["title"].as_str().expect("a title")
    }
}
