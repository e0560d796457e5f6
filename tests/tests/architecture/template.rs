//! The template: every table is safe, every queue is bounded, every role is small.

use oxcart_tests::{
    template::{resources, yaml},
    workspace,
};
use serde_json::{Value, json};

const TEMPLATE: &str = "infra/template.yaml";

#[test]
fn every_table_streams_is_backed_up_encrypted_and_protected() {
    let template = yaml(TEMPLATE);
    let tables = resources(&template, "AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 5, "one for each service that keeps something");
    for (name, table) in tables {
        let table = &table["Properties"];
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(
            table["StreamSpecification"]["StreamViewType"], "NEW_AND_OLD_IMAGES",
            "{name}"
        );
        assert_eq!(
            table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true,
            "{name}"
        );
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{name}");
        let protection = &table["DeletionProtectionEnabled"];
        let protected = *protection == json!(true) || protection["Fn::If"][1] == true;
        assert!(protected, "{name} is not protected: {protection}");
    }
    assert_eq!(
        template["Parameters"]["DeletionProtection"]["Default"],
        "true"
    );
}

#[test]
fn every_queue_that_is_consumed_has_a_dead_letter_queue_and_time_for_six_tries() {
    let template = yaml(TEMPLATE);
    let consumers = consumers(&template);
    assert!(!consumers.is_empty());
    for (function, event) in consumers {
        let queue = event["Queue"]["Fn::GetAtt"][0]
            .as_str()
            .expect("a queue of the template");
        let queue = &template["Resources"][queue]["Properties"];
        let visibility = |express| {
            let seconds = deployed(&template, &queue["VisibilityTimeout"], express);
            seconds.as_u64().expect("a visibility timeout")
        };
        let hidden = visibility(false);
        assert!(
            hidden >= 6 * timeout_of(&template, function, false),
            "{function}: {hidden} s"
        );
        // Who sees sagas through takes minutes, and is tried again as soon as nothing of it can go on.
        let hidden = visibility(true);
        let takes = timeout_of(&template, function, true);
        let waits = function == "StartOrderSaga" && hidden >= takes && takes > 5 * 60;
        assert!(waits || hidden >= 6 * takes, "{function}: {hidden} s");
        let dead_letters = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str();
        let dead_letters = dead_letters.unwrap_or_else(|| panic!("{function} can lose messages"));
        assert_eq!(
            template["Resources"][dead_letters]["Type"],
            "AWS::SQS::Queue"
        );
        let receives = &queue["RedrivePolicy"]["maxReceiveCount"];
        let receives = match receives["Ref"].as_str() {
            Some(parameter) => &template["Parameters"][parameter]["Default"],
            None => receives,
        };
        assert!(receives.as_u64().is_some_and(|count| count >= 3));
        assert_eq!(
            event["FunctionResponseTypes"],
            json!(["ReportBatchItemFailures"]),
            "{function}"
        );
    }
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let template = yaml(TEMPLATE);
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let role = &function["Properties"]["Role"]["Fn::GetAtt"][0];
        assert_eq!(*role, format!("{name}Role"));
        assert!(
            function["Properties"]["Policies"].is_null(),
            "{name}: SAM's policies are wider than ours"
        );
    }
}

#[test]
fn the_role_of_a_function_reaches_its_services_table_only() {
    let template = yaml(TEMPLATE);
    let mut own = Vec::new();
    for service in workspace::folders("functions") {
        let table = format!("{}Table", capitalised(&workspace::stem(&service)));
        for file in workspace::files(service.join("src/bin"), "rs") {
            own.push((workspace::stem(&file), table.clone()));
        }
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let code = function["Properties"]["CodeUri"]
            .as_str()
            .expect("code")
            .trim_end_matches('/');
        let (_, table) = own
            .iter()
            .find(|(binary, _)| code.ends_with(&format!("/{binary}")))
            .expect("a binary");
        for statement in statements_of_role(&template, &format!("{name}Role")) {
            for resource in many(&statement["Resource"]) {
                // The relay reads every table's stream, and none of the tables.
                let reached = table_in(resource);
                let stream = resource["Fn::GetAtt"][1] == "StreamArn"
                    || are_listed_streams(statement, resource);
                let allowed = reached.is_none_or(|reached| {
                    reached == *table
                        || stream && name == "RelayEvents"
                        || observes(name, &statement["Action"])
                });
                assert!(allowed, "{name} reaches {resource}");
            }
        }
        let variables = function["Properties"]["Environment"]["Variables"].as_object();
        for value in variables
            .into_iter()
            .flat_map(|variables| variables.values())
        {
            let other = value["Ref"]
                .as_str()
                .filter(|reference| reference.ends_with("Table") && reference != table);
            let may_know = other.is_none() || OBSERVERS.iter().any(|(known, _)| *known == name);
            assert!(may_know, "{name} is told of {other:?}");
        }
    }
}

#[test]
fn who_redrives_reads_events_and_nothing_else_of_other_services_items() {
    let template = yaml(TEMPLATE);
    let statements = statements_of_role(&template, "RedriveDeadLettersRole");
    let mut reads = statements.into_iter();
    let reads = reads.find(|statement| statement["Action"] == "dynamodb:GetItem");
    let condition = &reads.expect("it reads items")["Condition"];
    let attributes = &condition["ForAllValues:StringEquals"]["dynamodb:Attributes"];
    let told = [
        "pk",
        "outbox",
        "customer_id",
        "expected_total",
        "id",
        "lines",
        "order_id",
        "payment_method",
        "priced_lines",
        "total",
    ];
    assert_eq!(*attributes, json!(told));
    let select = &condition["StringEqualsIfExists"]["dynamodb:Select"];
    assert_eq!(*select, "SPECIFIC_ATTRIBUTES");
}

#[test]
fn no_function_may_do_anything_by_a_wildcard() {
    let template = yaml(TEMPLATE);
    for (name, _) in resources(&template, "AWS::Serverless::Function") {
        for statement in statements_of_role(&template, &format!("{name}Role")) {
            for part in ["Action", "Resource"] {
                for value in many(&statement[part]) {
                    // A stream's or an index's ARN may hold one only inside a reference, never in our text.
                    let text = value.to_string();
                    let exception = are_executions(value) || are_listed_streams(statement, value);
                    let allowed = !text.contains('*') || part == "Resource" && exception;
                    assert!(allowed, "{name}: {part} {text}");
                }
            }
        }
    }
}

#[test]
fn no_role_allows_actions_by_a_wildcard() {
    let template = yaml(TEMPLATE);
    for (name, _) in resources(&template, "AWS::IAM::Role") {
        for statement in statements_of_role(&template, name) {
            for action in many(&statement["Action"]) {
                assert!(!action.to_string().contains('*'), "{name}: {action}");
            }
        }
    }
}

#[test]
fn every_wildcard_is_explained_where_it_stands() {
    let text = workspace::text(TEMPLATE);
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let allows_all = [
            "Resource: '*'",
            "Resource: \"*\"",
            "Action: '*'",
            ":*'",
            ":*\"",
        ]
        .iter()
        .any(|wildcard| line.contains(wildcard));
        if !allows_all {
            continue;
        }
        // Beside it, or above it within its resource, whose name stands two columns in.
        let resource = lines[..number]
            .iter()
            .rposition(|line| indentation(line) == 2)
            .unwrap_or(0);
        let explained = line.contains(" # ")
            || lines[resource..number]
                .iter()
                .any(|line| line.trim().starts_with("# "));
        assert!(explained, "{TEMPLATE}:{}: {line}", number + 1);
    }
}

#[test]
fn every_function_logs_to_a_group_that_forgets() {
    let template = yaml(TEMPLATE);
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
            .as_str()
            .expect("a log group");
        let retention = &template["Resources"][group]["Properties"]["RetentionInDays"];
        assert!(!retention.is_null(), "{name} logs for ever");
    }
}

#[test]
fn every_function_knows_the_stack_that_its_metrics_are_of() {
    let template = yaml(TEMPLATE);
    let common = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(common["STACK_NAME"], json!({"Ref": "AWS::StackName"}));
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let own = &function["Properties"]["Environment"]["Variables"];
        assert!(own["STACK_NAME"].is_null(), "{name} has another one");
    }
}

/// The functions that look across the services, and what each may do to the tables of others: none writes. The check of
/// health asks what state a table is in, and for nothing that is in it.
const OBSERVERS: [(&str, &[&str]); 5] = [
    ("AuditBooks", &["dynamodb:BatchGetItem", "dynamodb:Query"]),
    ("CheckHealth", &["dynamodb:DescribeTable"]),
    ("ExamineOrder", &["dynamodb:GetItem"]),
    ("RedriveDeadLetters", &["dynamodb:GetItem"]),
    ("ResumeOrder", &["dynamodb:GetItem"]),
];

/// Whether a function may do these things to the tables of other services.
fn observes(function: &str, actions: &Value) -> bool {
    let observer = OBSERVERS.iter().find(|(name, _)| *name == function);
    let (_, may) = observer.copied().unwrap_or_default();
    let mut actions = many(actions).into_iter();
    actions.all(|action| may.iter().any(|may| action == may))
}

/// The functions that consume queues, with the properties of the event that says so.
fn consumers(template: &Value) -> Vec<(&str, &Value)> {
    let functions = resources(template, "AWS::Serverless::Function");
    let events = functions.into_iter().flat_map(|(name, function)| {
        let events = function["Properties"]["Events"].as_object();
        events
            .into_iter()
            .flat_map(|events| events.values())
            .map(move |event| (name, event))
    });
    events
        .filter(|(_, event)| event["Type"] == "SQS")
        .map(|(name, event)| (name, &event["Properties"]))
        .collect()
}

fn timeout_of(template: &Value, function: &str, express: bool) -> u64 {
    let own = &template["Resources"][function]["Properties"]["Timeout"];
    let own = deployed(template, own, express).as_u64();
    own.or(template["Globals"]["Function"]["Timeout"].as_u64())
        .expect("a timeout")
}

/// What a value of the template comes to while all parameters have their defaults, besides the type of saga.
fn deployed<'t>(template: &'t Value, value: &'t Value, express: bool) -> &'t Value {
    if value["Fn::If"][0] == "Express" {
        let branch = if express { 1 } else { 2 };
        return deployed(template, &value["Fn::If"][branch], express);
    }
    match value["Ref"].as_str() {
        Some(parameter) if template["Parameters"].get(parameter).is_some() => {
            &template["Parameters"][parameter]["Default"]
        }
        _ => value,
    }
}

fn statements_of_role<'t>(template: &'t Value, role: &str) -> Vec<&'t Value> {
    let role = &template["Resources"][role]["Properties"];
    let policies = role["Policies"]
        .as_array()
        .expect("a role has policies in line");
    assert!(
        role["ManagedPolicyArns"].is_null(),
        "managed policies are wider than ours"
    );
    policies
        .iter()
        .flat_map(|policy| many(&policy["PolicyDocument"]["Statement"]))
        .flat_map(either_way)
        .collect()
}

/// What there is of a value if its condition holds, and if it doesn't.
fn either_way(value: &Value) -> Vec<&Value> {
    let Some(branches) = value["Fn::If"].as_array() else {
        return vec![value];
    };
    let branches = branches.iter().skip(1);
    branches
        .filter(|branch| branch["Ref"] != "AWS::NoValue")
        .collect()
}

/// The table that an ARN in the template leads to, if it is one.
fn table_in(resource: &Value) -> Option<&str> {
    let by_attribute = resource["Fn::GetAtt"][0].as_str();
    let by_text = || {
        resource["Fn::Sub"]
            .as_str()?
            .strip_prefix("${")?
            .split(['.', '}'])
            .next()
    };
    by_attribute
        .or_else(by_text)
        .filter(|name| name.ends_with("Table"))
}

/// Whether an ARN stands for the executions of one state machine. These are named by orders, so they can't
/// be written out.
fn are_executions(resource: &Value) -> bool {
    let text = resource["Fn::Sub"].as_str().unwrap_or_default();
    let machine = text
        .split_once(":execution:${AWS::StackName}-")
        .and_then(|(_, machine)| machine.strip_suffix(":*"));
    machine.is_some_and(|machine| !machine.contains('*'))
}

/// Whether a statement allows to list the streams of one table, which names none of them, and nothing else.
fn are_listed_streams(statement: &Value, resource: &Value) -> bool {
    let table = resource["Fn::Sub"].as_str().unwrap_or_default();
    let table = table.strip_suffix("Table.Arn}/stream/*");
    statement["Action"] == "dynamodb:ListStreams" && table.is_some_and(|table| !table.contains('*'))
}

/// One or several: CloudFormation takes both.
fn many(value: &Value) -> Vec<&Value> {
    value
        .as_array()
        .map_or_else(|| vec![value], |values| values.iter().collect())
}

fn indentation(line: &str) -> usize {
    if line.trim().is_empty() || line.trim().starts_with('#') {
        return usize::MAX;
    }
    line.len() - line.trim_start().len()
}

fn capitalised(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}
