//! What wakes somebody, and what they then find: every alarm reaches the operator and has its section in the
//! runbook, nothing is left lying without an alarm, and the dashboard shows what there is.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_tests::{
    template::{resources, yaml},
    workspace,
};
use serde_json::{Value, json};

const TEMPLATE: &str = "infra/template.yaml";
const RUNBOOK: &str = "docs/runbook.md";
/// The namespace of our metrics, and the beginning of all names, in a stack of this name.
const STACK: &str = "shop";
/// What CloudWatch is told of by the services themselves.
const AWS_METRICS: [(&str, &[&str]); 4] = [
    (
        "AWS/ApiGateway",
        &["4xx", "5xx", "Count", "IntegrationLatency", "Latency"],
    ),
    (
        "AWS/Lambda",
        &[
            "ConcurrentExecutions",
            "Duration",
            "Errors",
            "Invocations",
            "IteratorAge",
            "Throttles",
        ],
    ),
    (
        "AWS/SQS",
        &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesVisible",
        ],
    ),
    (
        "AWS/States",
        &[
            "ExecutionThrottled",
            "ExecutionsAborted",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
        ],
    ),
];
/// The columns of a dashboard, and as many rows as a screen has.
const SCREEN: (u64, u64) = (24, 18);

#[test]
fn every_alarm_tells_the_operator_and_may() {
    let template = yaml(TEMPLATE);
    let policy = &template["Resources"]["OperatorAlertsPolicy"]["Properties"]["PolicyDocument"];
    let may = &policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"];
    let may = may.as_array().expect("the alarms that may publish");
    let alarms = alarms(&template);
    for (name, alarm) in &alarms {
        let operator = json!([{"Ref": "OperatorAlerts"}]);
        assert_eq!(alarm["Properties"]["AlarmActions"], operator, "{name}");
        let over = &alarm["Properties"]["OKActions"];
        assert!(over.is_null() || *over == operator, "{name}: {over}");

        let mut arn = json!({"Fn::GetAtt": [name, "Arn"]});
        if let Some(condition) = alarm["Condition"].as_str() {
            arn = json!({"Fn::If": [condition, arn, {"Ref": "AWS::NoValue"}]});
        }
        assert!(may.contains(&arn), "{name} may not publish");
    }
    assert_eq!(may.len(), alarms.len(), "some may publish who are no alarm");
}

#[test]
fn every_alarm_ends_with_its_section_of_the_runbook_and_every_section_has_an_alarm() {
    let template = yaml(TEMPLATE);
    let mut alarmed = BTreeSet::new();
    for (name, alarm) in alarms(&template) {
        let called = name_of(alarm);
        let description = alarm["Properties"]["AlarmDescription"].as_str();
        let description = description.unwrap_or_else(|| panic!("{name} says nothing"));
        let link = format!(" {RUNBOOK}#{called}");
        assert!(description.ends_with(&link), "{name}: {description}");
        assert!(alarmed.insert(called), "{name} has another's name");
    }
    let sections = sections_of_alarms();
    let told: BTreeSet<String> = sections.keys().cloned().collect();
    assert_eq!(alarmed, told);
}

#[test]
fn every_section_of_an_alarm_says_what_it_means_how_to_look_what_to_type_and_whom_to_wake() {
    for (alarm, text) in sections_of_alarms() {
        let mut rest = text.as_str();
        for part in ["**Customers:**", "**Look:**", "**Do:**", "**Wake:**"] {
            let (_, after) = rest
                .split_once(part)
                .unwrap_or_else(|| panic!("{alarm} has no {part} where it belongs"));
            rest = after;
        }
        assert!(text.contains("```"), "{alarm} has nothing to type");
    }
}

#[test]
fn every_link_of_the_runbook_leads_somewhere() {
    let text = workspace::text(RUNBOOK);
    let links = between(&text, "](", ")");
    assert!(!links.is_empty());
    for link in links {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let path = match path.strip_prefix("../") {
            Some(path) => path.to_owned(),
            None if path.is_empty() => RUNBOOK.to_owned(),
            None => format!("docs/{path}"),
        };
        let found = workspace::text(path);
        let mut headings = found
            .lines()
            .filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
        let leads = anchor.is_empty() || headings.any(|heading| slug(heading) == anchor);
        assert!(leads, "{RUNBOOK}: {link}");
    }
}

#[test]
fn what_the_runbook_looks_for_in_the_logs_is_logged() {
    let text = workspace::text(RUNBOOK);
    let sources = sources();
    let mut wanted = between(&text, "message = \"", "\"");
    for list in between(&text, "message in [", "]") {
        wanted.extend(between(list, "\"", "\"").into_iter().step_by(2));
    }
    assert!(wanted.len() > 5, "{wanted:?}");
    for message in wanted {
        let logged = sources.contains(&format!("\"{message}\""));
        assert!(logged, "nothing logs {message:?}");
    }
}

#[test]
fn what_the_runbook_types_is_about_things_that_there_are() {
    let (text, template) = (workspace::text(RUNBOOK), yaml(TEMPLATE));
    let named = |kind: &str, property: &str| -> BTreeSet<String> {
        let resources = resources(&template, kind);
        let names = resources.into_iter().map(|(_, resource)| {
            let name = &resource["Properties"][property]["Fn::Sub"];
            let name = name.as_str().unwrap_or_default();
            name.replace("${AWS::StackName}", "oxcart")
        });
        names.collect()
    };
    let functions = named("AWS::Serverless::Function", "FunctionName");
    let tables = named("AWS::DynamoDB::Table", "TableName");
    let groups = named("AWS::Logs::LogGroup", "LogGroupName");
    let queues = named("AWS::SQS::Queue", "QueueName");

    let is_name = |word: &str| !word.is_empty() && !word.contains(['<', '$', '`', '…']);
    let word = |rest: &str| {
        let end = rest.find(|letter: char| letter.is_whitespace() || "`'\"),}".contains(letter));
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    let words_after = |before: &str| -> Vec<String> {
        let words = text.split(before).skip(1).map(word);
        words.filter(|word| is_name(word)).collect()
    };
    for function in words_after("--function-name ") {
        assert!(functions.contains(&function), "{function}");
    }
    for table in words_after("--source-table-name ") {
        assert!(tables.contains(&table), "{table}");
    }
    for group in words_after("/aws/") {
        let group = format!("/aws/{group}");
        let mut groups = groups.iter();
        let meant = groups
            .any(|known| *known == group || group.ends_with('-') && known.starts_with(&group));
        assert!(meant, "{group}");
    }
    for command in ["show", "redrive", "drop"] {
        for queue in words_after(&format!("ops dlq {command} ")) {
            assert!(queues.contains(&format!("oxcart-{queue}")), "{queue}");
        }
    }
    for overrides in text.split("--parameter-overrides ").skip(1) {
        let line = overrides.lines().next().unwrap();
        for (parameter, _) in line
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
        {
            assert!(template["Parameters"][parameter].is_object(), "{parameter}");
        }
    }
}

#[test]
fn every_alarm_says_what_it_means_that_nothing_is_measured() {
    let template = yaml(TEMPLATE);
    for (name, alarm) in alarms(&template) {
        let missing = &alarm["Properties"]["TreatMissingData"];
        let decided = ["breaching", "notBreaching"].map(Value::from);
        assert!(decided.contains(missing), "{name}: {missing}");
    }
}

#[test]
fn every_queue_has_a_dead_letter_queue_or_is_where_messages_end() {
    let template = yaml(TEMPLATE);
    let (last, consumed) = (last_queues(&template), consumed_queues(&template));
    for (name, queue) in resources(&template, "AWS::SQS::Queue") {
        let dead_letters = dead_letters_of(queue);
        if consumed.contains(name) {
            let next = dead_letters.unwrap_or_else(|| panic!("{name} loses what keeps failing"));
            assert!(last.contains(next), "{name}: {next} is no queue");
        } else {
            assert!(last.contains(name), "{name} is read by nobody");
        }
    }
    assert!(
        last.is_disjoint(&consumed),
        "what ends there begins again by itself"
    );
}

#[test]
fn whatever_ends_in_a_queue_has_an_alarm_and_two_weeks() {
    let template = yaml(TEMPLATE);
    let alarms = alarms(&template);
    for queue in last_queues(&template) {
        let length = Measured {
            namespace: "AWS/SQS".to_owned(),
            metric: "ApproximateNumberOfMessagesVisible".to_owned(),
            dimensions: json!([
                {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}
            ]),
        };
        let watched = alarms
            .iter()
            .any(|(_, alarm)| measured_by(alarm) == [length.clone()]);
        assert!(watched, "nobody hears of what is in {queue}");
        let retention = &template["Resources"][&queue]["Properties"]["MessageRetentionPeriod"];
        assert_eq!(*retention, 14 * 24 * 60 * 60, "{queue}");
    }
}

#[test]
fn every_alarm_and_the_dashboard_measure_what_somebody_records() {
    let template = yaml(TEMPLATE);
    let recorded = Recorded::by_the_functions();
    for (name, alarm) in alarms(&template) {
        let measured = measured_by(alarm);
        assert!(!measured.is_empty(), "{name} measures nothing");
        for Measured {
            namespace,
            metric,
            dimensions,
        } in measured
        {
            let dimensions = dimensions.as_array().cloned().unwrap_or_default();
            let dimensions: Vec<&str> = dimensions
                .iter()
                .map(|dimension| dimension["Name"].as_str().expect("a name"))
                .collect();
            recorded.assert_has(name, &namespace, &metric, &dimensions);
        }
    }
    for widget in widgets(&template) {
        let title = widget["properties"]["title"].as_str().unwrap_or_default();
        let shown = widget["properties"]["metrics"].as_array();
        for shown in shown.into_iter().flatten() {
            let (namespace, metric, dimensions) = shown_by(shown);
            let dimensions: Vec<&str> = dimensions.iter().map(String::as_str).collect();
            recorded.assert_has(title, &namespace, &metric, &dimensions);
        }
    }
}

#[test]
fn an_alarm_on_several_metrics_reckons_with_each_and_with_no_more_than_it_may() {
    let template = yaml(TEMPLATE);
    for (name, alarm) in alarms(&template) {
        let Some(metrics) = alarm["Properties"]["Metrics"].as_array() else {
            continue;
        };
        let (watched, read): (Vec<_>, Vec<_>) = metrics
            .iter()
            .partition(|metric| metric["Expression"].is_string());
        assert_eq!(watched.len(), 1, "{name} watches one number");
        assert!(watched[0]["ReturnData"].is_null(), "{name}");
        assert!(read.len() <= 10, "{name}: CloudWatch takes ten");
        let expression = watched[0]["Expression"].as_str().unwrap();
        let words: BTreeSet<&str> = expression
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .collect();
        for metric in read {
            let id = metric["Id"].as_str().expect("an id");
            assert!(words.contains(id), "{name}: {id} is read for nothing");
            assert_eq!(metric["ReturnData"], false, "{name}: {id}");
            assert_eq!(metric["MetricStat"]["Period"], 300, "{name}: {id}");
        }
    }
}

#[test]
fn who_waits_for_an_order_or_for_the_gateway_is_not_called_slow() {
    let template = yaml(TEMPLATE);
    let alarm = &template["Resources"]["SlowRoutesAlarm"];
    let measured = measured_by(alarm);
    assert!(!measured.is_empty());
    let routes = resources(&template, "AWS::ApiGatewayV2::Route");
    for route in measured {
        let value_of = |name: &str| {
            let dimensions = route.dimensions.as_array().expect("dimensions");
            let found = dimensions
                .iter()
                .find(|dimension| dimension["Name"] == name);
            found.unwrap_or_else(|| panic!("no {name}"))["Value"].clone()
        };
        assert_eq!(value_of("ApiId"), json!({"Ref": "HttpApi"}));
        assert_eq!(
            value_of("Stage"),
            template["Resources"]["HttpApiStage"]["Properties"]["StageName"]
        );
        let (method, path) = (value_of("Method"), value_of("Resource"));
        let key = format!("{} {}", method.as_str().unwrap(), path.as_str().unwrap());
        let found = routes
            .iter()
            .find(|(_, route)| route["Properties"]["RouteKey"] == key);
        let (_, found) = found.unwrap_or_else(|| panic!("there is no route {key}"));
        let integration = found["Properties"]["Target"]["Fn::Sub"].as_str().unwrap();
        let function = integration
            .trim_start_matches("integrations/${")
            .trim_end_matches("Integration}");
        let function = &template["Resources"][function]["Properties"];
        assert!(function["FunctionName"].is_object(), "{key}: {integration}");
        for waits in ["LONGEST_WAIT_SECONDS", "PAYMENT_GATEWAY_URL"] {
            let variable = &function["Environment"]["Variables"][waits];
            assert!(variable.is_null(), "{key} waits: {waits}");
        }
    }
}

#[test]
fn the_dashboard_fits_on_a_screen_and_nothing_lies_on_anything_else() {
    let template = yaml(TEMPLATE);
    let mut taken = BTreeSet::new();
    for widget in widgets(&template) {
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|side| {
            let length = widget[side].as_u64();
            length.unwrap_or_else(|| panic!("no {side}: {widget}"))
        });
        assert!(width > 0 && height > 0, "nothing to see: {widget}");
        assert!(x + width <= SCREEN.0 && y + height <= SCREEN.1, "{widget}");
        for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "on another one: {widget}");
        }
    }
    assert_eq!(
        taken.len().try_into(),
        Ok(SCREEN.0 * SCREEN.1),
        "there is room left"
    );
}

#[test]
fn the_dashboard_names_every_alarm_every_queue_and_every_reason() {
    let template = yaml(TEMPLATE);
    let widgets = widgets(&template);
    let listed = widgets.iter().filter(|widget| widget["type"] == "alarm");
    let listed: Vec<String> = listed
        .flat_map(|widget| widget["properties"]["alarms"].as_array().expect("alarms"))
        .map(|arn| {
            let (_, name) = arn.as_str().and_then(|arn| arn.rsplit_once(':')).unwrap();
            let called = name
                .strip_prefix(STACK)
                .and_then(|rest| rest.strip_prefix('-'));
            called.expect("an alarm of the stack").to_owned()
        })
        .collect();
    let distinct: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(distinct.len(), listed.len(), "one is listed twice");
    let alarms = alarms(&template);
    let alarms: BTreeSet<String> = alarms.iter().map(|(_, alarm)| name_of(alarm)).collect();
    assert_eq!(distinct, alarms);

    let shown = Value::from(widgets).to_string();
    for (queue, _) in resources(&template, "AWS::SQS::Queue") {
        assert!(shown.contains(&format!("\"{queue}.QueueName\"")), "{queue}");
    }
    let order = workspace::text("shared/domain/src/order.rs");
    let (_, reasons) = order.split_once("impl RejectionReason").unwrap();
    let (reasons, _) = reasons.split_once("\n    }\n").unwrap();
    let reasons: Vec<&str> = reasons.split('"').skip(1).step_by(2).collect();
    assert!(reasons.contains(&"internal"), "{reasons:?}");
    for reason in reasons {
        // An order that its customer cancels is not counted as rejected.
        let drawn = shown.contains(&format!("\"Reason\",\"{reason}\""));
        assert_eq!(drawn, reason != "cancelled-by-customer", "{reason}");
    }
}

/// One metric, as an alarm reads it.
#[derive(Debug, Clone, PartialEq)]
struct Measured {
    namespace: String,
    metric: String,
    dimensions: Value,
}

/// What the functions record.
struct Recorded {
    metrics: BTreeSet<String>,
    dimensions: BTreeSet<String>,
}

impl Recorded {
    fn by_the_functions() -> Self {
        let sources = sources();
        let mut metrics = quoted_after("count(", &sources);
        metrics.extend(quoted_after("metric(", &sources));
        let dimensions = quoted_after(".by(", &sources);
        assert!(!metrics.is_empty() && !dimensions.is_empty());
        Self {
            metrics,
            dimensions,
        }
    }

    fn assert_has(&self, user: &str, namespace: &str, metric: &str, dimensions: &[&str]) {
        if namespace == STACK {
            assert!(
                self.metrics.contains(metric),
                "{user}: nobody records {metric}"
            );
            for dimension in dimensions {
                assert!(
                    self.dimensions.contains(*dimension),
                    "{user}: nothing is recorded by {dimension}"
                );
            }
        } else {
            let known = AWS_METRICS
                .iter()
                .any(|(aws, metrics)| *aws == namespace && metrics.contains(&metric));
            assert!(known, "{user}: there is no {metric} in {namespace}");
        }
    }
}

/// All that functions are made of, without their tests.
fn sources() -> String {
    let mut sources = String::new();
    for folder in ["functions", "shared"] {
        for file in workspace::files_below(folder, "rs") {
            let source = workspace::text(file);
            sources += source.split("#[cfg(test)]").next().unwrap();
        }
    }
    sources
}

/// The texts that stand between `open` and the next `close`.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    let rests = text.split(open).skip(1);
    rests
        .map(|rest| rest.split(close).next().unwrap())
        .collect()
}

/// The texts in quotes that stand right after `call`.
fn quoted_after(call: &str, source: &str) -> BTreeSet<String> {
    let arguments = source.split(call).skip(1);
    arguments
        .filter_map(|rest| rest.trim_start().strip_prefix('"'))
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

fn alarms(template: &Value) -> Vec<(&str, &Value)> {
    let alarms = resources(template, "AWS::CloudWatch::Alarm");
    assert!(!alarms.is_empty());
    alarms
}

/// What an alarm is called behind the stack's name.
fn name_of(alarm: &Value) -> String {
    let name = alarm["Properties"]["AlarmName"]["Fn::Sub"].as_str();
    let name = name.and_then(|name| name.strip_prefix("${AWS::StackName}-"));
    name.expect("a name behind that of the stack").to_owned()
}

/// The metrics that an alarm looks at.
fn measured_by(alarm: &Value) -> Vec<Measured> {
    let alarm = &alarm["Properties"];
    let several = alarm["Metrics"].as_array();
    let several = several.map(|metrics| {
        let read = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]);
        read.filter(|metric| metric.is_object()).collect()
    });
    let metrics: Vec<&Value> = several.unwrap_or_else(|| vec![alarm]);
    metrics
        .into_iter()
        .map(|metric| {
            let namespace = match &metric["Namespace"] {
                Value::String(namespace) => namespace.clone(),
                own => {
                    assert_eq!(*own, json!({"Ref": "AWS::StackName"}));
                    STACK.to_owned()
                }
            };
            let name = metric["MetricName"].as_str().expect("a metric");
            Measured {
                namespace,
                metric: name.to_owned(),
                dimensions: metric["Dimensions"].clone(),
            }
        })
        .collect()
}

/// The queues that nothing moves messages on from by itself: dead letters, and what was parked.
fn last_queues(template: &Value) -> BTreeSet<String> {
    let queues = resources(template, "AWS::SQS::Queue");
    let mut last: BTreeSet<String> = queues
        .iter()
        .filter_map(|(_, queue)| dead_letters_of(queue))
        .map(ToOwned::to_owned)
        .collect();
    let names = queues.into_iter().map(|(name, _)| name.to_owned());
    last.extend(names.filter(|name| name.starts_with("Parked")));
    last
}

fn dead_letters_of(queue: &Value) -> Option<&str> {
    queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str()
}

/// The queues that a function reads.
fn consumed_queues(template: &Value) -> BTreeSet<String> {
    let functions = resources(template, "AWS::Serverless::Function");
    let events = functions
        .into_iter()
        .filter_map(|(_, function)| function["Properties"]["Events"].as_object())
        .flat_map(|events| events.values());
    events
        .filter_map(|event| event["Properties"]["Queue"]["Fn::GetAtt"][0].as_str())
        .map(ToOwned::to_owned)
        .collect()
}

/// The runbook's sections about alarms, by their anchors.
fn sections_of_alarms() -> BTreeMap<String, String> {
    let text = workspace::text(RUNBOOK);
    let (_, alarms) = text.split_once("\n## Alarms\n").expect("alarms");
    let alarms = alarms.split("\n## ").next().unwrap();
    let sections = alarms.split("\n### ").skip(1).map(|section| {
        let (heading, body) = section.split_once('\n').expect("a body");
        (slug(heading), body.to_owned())
    });
    sections.collect()
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        letter => letter
            .is_alphanumeric()
            .then(|| letter.to_ascii_lowercase()),
    });
    kept.collect()
}

/// The widgets of the dashboard, as they are in a deployed stack.
fn widgets(template: &Value) -> Vec<Value> {
    let dashboards = resources(template, "AWS::CloudWatch::Dashboard");
    let [(name, dashboard)] = dashboards[..] else {
        panic!("one dashboard, not {}", dashboards.len());
    };
    let body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"].as_str();
    let body = substituted(template, body.expect("a body"));
    let body: Value =
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{name} is not JSON: {error}"));
    let widgets = body["widgets"].as_array().expect("widgets").clone();
    for widget in &widgets {
        let kind = widget["type"].as_str().expect("a type");
        assert!(["metric", "alarm", "text"].contains(&kind), "{kind}");
        let region = &widget["properties"]["region"];
        assert!(kind != "metric" || region.is_string(), "{widget}");
    }
    widgets
}

/// A text as `Fn::Sub` makes it; what it refers to stands there by its logical id.
fn substituted(template: &Value, text: &str) -> String {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').expect("a reference that ends");
        match name.strip_prefix('!') {
            Some(literal) => whole.extend(["${", literal, "}"]),
            None if name == "AWS::StackName" => whole += STACK,
            None if name.starts_with("AWS::") => whole += name.trim_start_matches("AWS::"),
            None => {
                let id = name.split('.').next().unwrap();
                let resource = &template["Resources"][id];
                assert!(resource.is_object(), "there is no {name}");
                assert!(
                    resource["Condition"].is_null(),
                    "{name} is not always there"
                );
                whole += name;
            }
        }
        whole += rest;
    }
    whole
}

/// The metric of one line of a widget, with the names of its dimensions: the one that it names, or the ones
/// that it searches for.
fn shown_by(line: &Value) -> (String, String, Vec<String>) {
    let line = line.as_array().expect("a line of a widget");
    if let Some(expression) = line[0]["expression"].as_str() {
        let (_, search) = expression
            .split_once("SEARCH('{")
            .unwrap_or_else(|| panic!("no search: {expression}"));
        let (schema, term) = search.split_once('}').expect("a schema that ends");
        assert!(!term.contains("SEARCH("), "two searches: {expression}");
        let mut schema = schema
            .split(',')
            .map(|name| name.trim_matches('"').to_owned());
        let namespace = schema.next().expect("a namespace");
        let metric = quoted_after("MetricName=", term);
        let [metric] = &Vec::from_iter(metric)[..] else {
            panic!("one metric: {expression}");
        };
        return (namespace, metric.clone(), schema.collect());
    }
    let texts: Vec<&str> = line.iter().map_while(Value::as_str).collect();
    let [namespace, metric, dimensions @ ..] = &texts[..] else {
        panic!("no metric: {line:?}");
    };
    assert!(line.len() - texts.len() <= 1, "{line:?}");
    assert_eq!(dimensions.len() % 2, 0, "a dimension has a value: {line:?}");
    let dimensions = dimensions.iter().step_by(2).map(ToString::to_string);
    (
        (*namespace).to_owned(),
        (*metric).to_owned(),
        dimensions.collect(),
    )
}
