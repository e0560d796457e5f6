//! The JSON Schemas of the domain events, as a consumer would use them.

use std::collections::BTreeMap;

use jsonschema::{Registry, Validator};
use serde_json::Value;

use crate::workspace;

/// A validator for each event type.
pub struct Schemas {
    validators: BTreeMap<String, Validator>,
}

impl Schemas {
    /// Reads `events/schemas`; the parts that they share lie in its folder `parts`.
    pub fn load() -> Self {
        let parts: Vec<Value> = workspace::files("events/schemas/parts", "json")
            .iter()
            .map(workspace::json)
            .collect();
        let mut registry = Registry::new();
        for part in &parts {
            let id = part["$id"].as_str().expect("a part has an $id");
            registry = registry.add(id, part).expect("a part is a schema");
        }
        let registry = registry
            .prepare()
            .expect("the parts refer to each other only");
        let validators = workspace::files("events/schemas", "json")
            .iter()
            .map(|file| {
                let validator = jsonschema::options()
                    .with_registry(&registry)
                    .should_validate_formats(true)
                    .offline()
                    .build(&workspace::json(file))
                    .unwrap_or_else(|error| panic!("{} is no schema: {error}", file.display()));
                (workspace::stem(file), validator)
            })
            .collect();
        Self { validators }
    }

    /// The event types that have a schema.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.validators.keys().map(String::as_str)
    }

    /// Fails the test unless the event is what its type's schema says.
    pub fn assert_valid(&self, event: &Value) {
        let faults = self.faults(event);
        assert!(
            faults.is_empty(),
            "not what its schema says: {faults:#?}\n{event:#}"
        );
    }

    /// Where an event is not what its type's schema says.
    pub fn faults(&self, event: &Value) -> Vec<String> {
        let kind = event["type"].as_str().unwrap_or_default();
        let Some(validator) = self.validators.get(kind) else {
            return vec![format!("no schema for the type {kind:?}")];
        };
        let faults = validator.iter_errors(event);
        faults
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect()
    }
}
