//! What belongs to a function: a binary, a module, a place in the template, a sample event and, over
//! HTTP, an operation in the API's description. Finding one finds all.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use oxcart_tests::{
    template::{resources, yaml},
    workspace,
};
use serde_json::{Map, Value, json};

const TEMPLATE: &str = "infra/template.yaml";

#[test]
fn every_binary_is_a_function_of_the_template_and_the_reverse() {
    let template = yaml(TEMPLATE);
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
fn what_measures_the_functions_gives_them_the_variables_and_the_memory_that_the_template_does() {
    let template = yaml(TEMPLATE);
    let globals = &template["Globals"]["Function"];
    let variables = |function: &Value| -> BTreeSet<String> {
        let variables = function["Environment"]["Variables"].as_object();
        variables.into_iter().flat_map(Map::keys).cloned().collect()
    };
    let mut set = variables(globals);
    let mut memory = Map::new();
    for (_, function) in resources(&template, "AWS::Serverless::Function") {
        set.extend(variables(&function["Properties"]));
        if let Some(mb) = function["Properties"].get("MemorySize") {
            // What depends on a condition is what it is without.
            let mb = mb.pointer("/Fn::If/2").unwrap_or(mb);
            memory.insert(binary_of(function), mb.clone());
        }
    }
    memory.retain(|_, mb| *mb != globals["MemorySize"]);
    let given = workspace::json("bench/environment.json");
    let given_variables = given["variables"].as_object().expect("variables");
    assert_eq!(
        given_variables.keys().cloned().collect::<BTreeSet<_>>(),
        set
    );
    assert_eq!(given["memory_mb"], Value::Object(memory));
    assert_eq!(globals["MemorySize"], 256, "the rest");
}

#[test]
fn every_reply_that_is_written_for_measuring_is_for_a_function() {
    let binaries = binaries();
    for file in workspace::files("bench/replies", "json") {
        let function = workspace::stem(&file);
        assert!(binaries.contains_key(&function), "there is no {function}");
    }
}

#[test]
fn every_route_is_an_operation_of_the_openapi_document_and_the_reverse() {
    let routes: BTreeMap<_, _> = routes()
        .into_iter()
        .filter(|route| !route.is_head() && !route.is_default())
        .map(|route| (route.key, (route.id, route.binary)))
        .collect();
    assert_eq!(routes, operations());
}

#[test]
fn every_get_route_has_a_head_route_that_differs_in_nothing_else() {
    let template = yaml(TEMPLATE);
    let (mut twins, mut heads) = (BTreeMap::new(), BTreeMap::new());
    for route in routes() {
        let mut properties = template["Resources"][&route.id]["Properties"].clone();
        if let Some(path) = route.key.strip_prefix("GET ") {
            properties["RouteKey"] = json!(format!("HEAD {path}"));
            let operation = route.id.strip_suffix("Route").expect("a route's name");
            twins.insert(format!("{operation}HeadRoute"), properties);
        } else if route.is_head() {
            heads.insert(route.id, properties);
        }
    }
    assert_eq!(heads, twins);
}

#[test]
fn what_no_route_takes_comes_to_one_function() {
    let mut others = routes().into_iter().filter(Route::is_default);
    let other = others.next().expect("a route for all that no other takes");
    assert_eq!(
        (other.id.as_str(), other.binary.as_str()),
        ("AnswerUnroutedRoute", "answer-unrouted")
    );
}

#[test]
fn only_routes_that_there_are_have_limits_of_their_own() {
    let template = yaml(TEMPLATE);
    let stage = &template["Resources"]["HttpApiStage"];
    let routes = resources(&template, "AWS::ApiGatewayV2::Route");
    let mut limited = Vec::new();
    for (key, settings) in stage["Properties"]["RouteSettings"].as_object().unwrap() {
        let mut named = routes.iter();
        let route = named.find(|(_, route)| route["Properties"]["RouteKey"] == *key);
        let (route, _) = route.unwrap_or_else(|| panic!("there is no route {key}"));
        limited.push(json!(route));
        if let Some(path) = key.strip_prefix("GET ") {
            let head = &stage["Properties"]["RouteSettings"][format!("HEAD {path}")];
            let rate = |settings: &Value| settings["ThrottlingRateLimit"].as_u64();
            let is_way_round = rate(head) > rate(settings) || rate(head).is_none();
            assert!(!is_way_round, "HEAD is no way round the limit of {key}");
        }
    }
    // CloudFormation would otherwise set the limits of routes that it has yet to make.
    let mut awaited = stage["DependsOn"].as_array().expect("routes").clone();
    let by_name = |route: &Value| route.to_string();
    awaited.sort_by_key(by_name);
    limited.sort_by_key(by_name);
    assert_eq!(awaited, limited);
}

#[test]
fn the_api_may_invoke_what_has_a_route_and_the_authorizer() {
    let template = yaml(TEMPLATE);
    let role = &template["Resources"]["HttpApiRole"]["Properties"];
    let statement = &role["Policies"][0]["PolicyDocument"]["Statement"][0];
    let named = statement["Resource"].as_array().expect("functions").iter();
    let named: Vec<_> = named
        .map(|function| function["Fn::GetAtt"][0].as_str().expect("a function"))
        .map(ToOwned::to_owned)
        .collect();
    let distinct: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(distinct.len(), named.len(), "one is named twice");
    let mut expected: BTreeSet<_> = routes()
        .into_iter()
        .map(|route| camel_case(&route.binary))
        .collect();
    expected.insert("AuthorizeRequest".to_owned());
    assert_eq!(distinct, expected);
}

#[test]
fn every_sample_of_an_http_function_comes_by_one_of_its_routes() {
    let mut routes_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for route in routes() {
        routes_of.entry(route.binary).or_default().push(route.key);
    }
    for (binary, routes) in routes_of {
        let sample = workspace::json(format!("events/{binary}.json"));
        assert_eq!(sample["version"], "2.0", "{binary}");
        let route = sample["routeKey"].as_str().expect("a route key");
        assert!(routes.iter().any(|own| own == route), "{binary}: {route}");
        assert_eq!(sample["requestContext"]["routeKey"], route, "{binary}");
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

/// A route of the template.
struct Route {
    /// Its logical id.
    id: String,
    /// Its method and path.
    key: String,
    /// The binary that serves it.
    binary: String,
}

impl Route {
    fn is_head(&self) -> bool {
        self.key.starts_with("HEAD ")
    }

    /// Whether it takes what no other route does.
    fn is_default(&self) -> bool {
        self.key == "$default"
    }
}

fn routes() -> Vec<Route> {
    let template = yaml(TEMPLATE);
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
            let named = format!("{}Integration", camel_case(&binary));
            assert_eq!(integration, named, "it says the binary's name");
            Route {
                id: id.to_owned(),
                key: route["Properties"]["RouteKey"]
                    .as_str()
                    .expect("a route key")
                    .to_owned(),
                binary,
            }
        })
        .collect()
}

/// What the operations of the OpenAPI document ask of the template, by route key: the name of the route, and
/// the binary that serves it, which has the operation's name unless the document says another.
fn operations() -> BTreeMap<String, (String, String)> {
    let document = yaml("infra/openapi.yaml");
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("a path item") {
            if let Some(id) = operation["operationId"].as_str() {
                let binary = operation["x-function"].as_str().unwrap_or(id);
                let route = format!("{}Route", camel_case(id));
                let key = format!("{} {path}", method.to_uppercase());
                operations.insert(key, (route, binary.to_owned()));
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

/// A name as logical ids have it.
pub(crate) fn camel_case(name: &str) -> String {
    name.split('-')
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}
