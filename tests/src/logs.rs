//! What the functions have logged: lines of JSON, some of which are metrics in CloudWatch's
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use serde_json::{Value, json};

use crate::{stack::Stack, webhooks::seconds_now};

/// What the platform itself writes around an invocation.
const OF_THE_PLATFORM: [&str; 3] = ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "];
/// The units that ours are counted in.
const UNITS: [&str; 3] = ["Count", "Milliseconds", "None"];

/// Now, as logs tell the time: in milliseconds since the Unix epoch. A second early rather than late.
pub fn log_time() -> i64 {
    (seconds_now() - 1) * 1000
}

/// One value of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// The metric's name.
    pub name: String,
    /// Its dimension and the value of that, if it has one.
    pub by: Option<(String, String)>,
    /// How much.
    pub value: u64,
}

impl Stack {
    /// The lines that a function wrote since then, and that hold `text`, as far as they have come to the log.
    pub async fn log_lines(&self, binary: &str, since: i64, text: &str) -> Vec<String> {
        let mut request = json!({
            "logGroupName": format!("/aws/lambda/{}", self.function(binary)),
            "startTime": since,
        });
        if !text.is_empty() {
            request["filterPattern"] = json!(format!("\"{text}\""));
        }
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "Logs_20140328.FilterLogEvents"),
        ];
        let mut lines = Vec::new();
        loop {
            let call = self.signed_call("logs", &headers, request.to_string());
            let (status, answer) = call.await;
            assert_eq!(status, 200, "the log of {binary}: {answer}");
            let page: Value = serde_json::from_str(&answer).expect("JSON");
            let messages = page["events"].as_array().expect("events").iter();
            let messages =
                messages.map(|event| event["message"].as_str().expect("a message").trim_end());
            lines.extend(
                messages
                    .filter(|line| !OF_THE_PLATFORM.iter().any(|start| line.starts_with(start)))
                    .map(ToOwned::to_owned),
            );
            match page["nextToken"].as_str() {
                Some(next) => request["nextToken"] = json!(next),
                None => return lines,
            }
        }
    }

    /// The metrics among those lines.
    pub async fn recorded(&self, binary: &str, since: i64, text: &str) -> Vec<Recorded> {
        let lines = self.log_lines(binary, since, text).await;
        let lines = lines.iter().map(|line| read_line(line));
        lines.filter_map(|line| recorded_by(&line)).collect()
    }
}

/// A line, which has to be one JSON object.
pub fn read_line(line: &str) -> Value {
    let read: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"));
    assert!(read.is_object(), "no object: {line}");
    read
}

/// The metric that a line is, which then has to be what CloudWatch takes; none if it is another line.
pub fn recorded_by(line: &Value) -> Option<Recorded> {
    let about = line.get("_aws")?;
    let at = about["Timestamp"].as_i64().expect("a timestamp");
    let age = seconds_now() * 1000 - at;
    assert!((-60_000..24 * 3_600_000).contains(&age), "in ms: {line}");
    let directives = about["CloudWatchMetrics"].as_array().expect("directives");
    let [directive] = &directives[..] else {
        panic!("one for each line: {line}");
    };
    let namespace = directive["Namespace"].as_str().expect("a namespace");
    assert!((1..=1024).contains(&namespace.len()), "{line}");
    let sets = directive["Dimensions"].as_array().expect("dimensions");
    assert_eq!(sets.first(), Some(&json!([])), "there is a total: {line}");
    let by = match &sets[1..] {
        [] => None,
        [set] => {
            let set = set.as_array().expect("a set");
            let [dimension] = &set[..] else {
                panic!("one dimension: {line}");
            };
            let dimension = dimension.as_str().expect("a name");
            let value = line[dimension].as_str().expect("the dimension's value");
            assert!((1..=1024).contains(&value.len()), "{line}");
            Some((dimension.to_owned(), value.to_owned()))
        }
        _ => panic!("one dimension: {line}"),
    };
    let metrics = directive["Metrics"].as_array().expect("metrics");
    let [metric] = &metrics[..] else {
        panic!("one for each line: {line}");
    };
    let unit = metric["Unit"].as_str().expect("a unit");
    assert!(UNITS.contains(&unit), "{line}");
    let name = metric["Name"].as_str().expect("a name").to_owned();
    let value = line[&name].as_u64().expect("the metric's value");
    Some(Recorded { name, by, value })
}
