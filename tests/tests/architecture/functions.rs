//! What belongs to a function: a binary, a module, a place in the template, a sample event and, over
//! HTTP, an operation in the API's description. Finding one finds all.

use std::{collections::BTreeMap, path::PathBuf};

use oxcart_tests::{
    template::{resources, yaml},
    workspace,
};
use serde_json::Value;

#[test]
fn every_binary_is_a_function_of_the_template_and_the_reverse() {
    let template = yaml("infra/template.yaml");
    let mut deployed: Vec<String> = resources(&template, "AWS::Serverless::Function")
        .into_iter()
        .map(|(logical_id, function)| {
            let binary = binary_of(function);
            assert_eq!(
                logical_id,
                camel_case(&binary),
                "the logical id says the binary's name"
            );
            let name = format!("${{AWS::StackName}}-{binary}");
            assert_eq!(
                function["Properties"]["FunctionName"]["Fn::Sub"], name,
                "{logical_id}"
            );
            binary
        })
        .collect();
    deployed.sort();
    assert_eq!(deployed, binaries().into_keys().collect::<Vec<_>>());
}

#[test]
fn every_binary_has_a_module_of_its_name() {
    for (binary, file) in binaries() {
        let module = file
            .parent()
            .unwrap()
            .with_file_name(format!("{}.rs", binary.replace('-', "_")));
        assert!(module.is_file(), "{binary} has no {}", module.display());
    }
}

#[test]
fn every_binary_has_a_sample_event_and_the_reverse() {
    let samples: Vec<String> = workspace::files("events", "json")
        .iter()
        .map(|file| workspace::stem(file))
        .collect();
    assert_eq!(samples, binaries().into_keys().collect::<Vec<_>>());
}

#[test]
fn every_route_is_an_operation_of_the_openapi_document_and_the_reverse() {
    assert_eq!(routes(), operations());
}

#[test]
fn every_sample_of_an_http_function_comes_by_its_route() {
    let routes = routes();
    for (binary, route) in &routes {
        let sample = workspace::json(format!("events/{binary}.json"));
        assert_eq!(sample["version"], "2.0", "{binary}");
        assert_eq!(sample["routeKey"], *route, "{binary}");
        assert_eq!(sample["requestContext"]["routeKey"], *route, "{binary}");
    }
}

/// Where each binary's source is, by its name.
fn binaries() -> BTreeMap<String, PathBuf> {
    let services = workspace::folders("functions");
    let files = services
        .iter()
        .flat_map(|service| workspace::files(service.join("src/bin"), "rs"));
    files.map(|file| (workspace::stem(&file), file)).collect()
}

/// The routes of the template, by the binary that serves them.
fn routes() -> BTreeMap<String, String> {
    let template = yaml("infra/template.yaml");
    let resource =
        |reference: &Value| &template["Resources"][reference.as_str().expect("a reference")];
    resources(&template, "AWS::ApiGatewayV2::Route")
        .into_iter()
        .map(|(id, route)| {
            let target = route["Properties"]["Target"]["Fn::Sub"]
                .as_str()
                .expect("a target");
            let integration = target
                .trim_start_matches("integrations/${")
                .trim_end_matches('}');
            let function =
                &resource(&integration.into())["Properties"]["IntegrationUri"]["Fn::GetAtt"][0];
            let binary = binary_of(resource(function));
            assert_eq!(id, format!("{}Route", camel_case(&binary)));
            (
                binary,
                route["Properties"]["RouteKey"]
                    .as_str()
                    .expect("a route key")
                    .to_owned(),
            )
        })
        .collect()
}

/// The operations of the OpenAPI document, by operation id, as route keys.
fn operations() -> BTreeMap<String, String> {
    let document = yaml("infra/openapi.yaml");
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            if let Some(id) = operation["operationId"].as_str() {
                operations.insert(id.to_owned(), format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    operations
}

fn binary_of(function: &Value) -> String {
    let code = function["Properties"]["CodeUri"]
        .as_str()
        .unwrap_or_else(|| panic!("no function: {function}"));
    let binary = code.trim_end_matches('/').strip_prefix("../target/lambda/");
    binary
        .unwrap_or_else(|| panic!("{code} is not where binaries are built"))
        .to_owned()
}

fn camel_case(name: &str) -> String {
    name.split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}
