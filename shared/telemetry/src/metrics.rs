//! Metrics: numbers that CloudWatch draws out of log lines in its
//! [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html),
//! so that recording one costs no call. `docs/metrics.md` lists them.
//!
//! A metric counts what this invocation did. One that is killed right after its write loses it: metrics are for trends
//! and alarms, the tables are the books.

use std::{
    io::{self, Write as _},
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

use crate::Invocation;

/// The name of the stack. Without one, nothing is recorded.
static NAMESPACE: OnceLock<String> = OnceLock::new();

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How long.
    Milliseconds,
    /// Something that CloudWatch has no word for, such as money.
    None,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::None => "None",
        }
    }
}

/// A metric that is yet to be recorded.
#[must_use = "a metric that isn't recorded counts nothing"]
#[derive(Debug, Clone)]
pub struct Metric {
    name: &'static str,
    unit: Unit,
    value: u64,
    dimensions: Vec<(&'static str, String)>,
}

/// A metric of this value.
pub const fn metric(name: &'static str, unit: Unit, value: u64) -> Metric {
    Metric {
        name,
        unit,
        value,
        dimensions: Vec::new(),
    }
}

/// One more of something.
pub const fn count(name: &'static str) -> Metric {
    metric(name, Unit::Count, 1)
}

/// Records that a write met another one: it was refused for that (409), or given up.
pub fn conflict() {
    count("Conflicts").by("Operation", operation()).record();
}

/// The function that is at work, by its name without that of its stack.
#[must_use]
pub fn operation() -> String {
    let function = Invocation::current().map(|invocation| invocation.function);
    let stack = NAMESPACE.get().map(String::as_str).unwrap_or_default();
    operation_of(&function.unwrap_or_default(), stack).to_owned()
}

/// A function's name without that of its stack.
#[must_use]
pub fn operation_of<'f>(function: &'f str, stack: &str) -> &'f str {
    let rest = function.strip_prefix(stack);
    let operation = rest.and_then(|rest| rest.strip_prefix('-'));
    operation.unwrap_or(function)
}

/// From now on metrics are recorded as those of this stack.
pub(crate) fn start(stack_name: Option<&str>) {
    if let Some(name) = stack_name {
        NAMESPACE.get_or_init(|| name.to_owned());
    }
}

impl Metric {
    /// Tells its values apart as well: besides the total there is a number for each value of the dimension. These are
    /// few and known beforehand (a reason, a currency), never ids, since each is a metric that is paid for.
    pub fn by(mut self, dimension: &'static str, value: impl Into<String>) -> Self {
        self.dimensions.push((dimension, value.into()));
        self
    }

    /// Writes it down.
    pub fn record(self) {
        let Some(namespace) = NAMESPACE.get() else {
            return;
        };
        let mut line = self.line(namespace, now(), Invocation::current().as_ref());
        line.push('\n');
        // In one write, so that no other line gets into it. If that fails, what was done stays done all the same.
        let _ = io::stdout().lock().write_all(line.as_bytes());
    }

    /// It as CloudWatch reads it, `at` so many milliseconds after the Unix epoch.
    fn line(&self, namespace: &str, at: u64, of: Option<&Invocation>) -> String {
        let each = self.dimensions.iter().map(|(name, _)| vec![*name]);
        let sets: Vec<Vec<&str>> = std::iter::once(Vec::new()).chain(each).collect();
        let about = json!({
            "Timestamp": at,
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": sets,
                "Metrics": [{"Name": self.name, "Unit": self.unit.as_str()}],
            }],
        });
        let mut line = Map::new();
        line.insert("_aws".to_owned(), about);
        line.insert(self.name.to_owned(), self.value.into());
        for (name, value) in &self.dimensions {
            line.insert((*name).to_owned(), value.as_str().into());
        }
        // No dimensions, but what leads from a number to the other lines of the invocation.
        if let Some(invocation) = of {
            line.insert("function".to_owned(), invocation.function.as_str().into());
            line.insert(
                "request_id".to_owned(),
                invocation.request_id.as_str().into(),
            );
            line.insert("trace_id".to_owned(), invocation.trace.trace_id().into());
        }
        Value::Object(line).to_string()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "when a line was written, which no rule depends on"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use crate::{TraceContext, TraceSpan};

    use super::*;

    const AT: u64 = 1_795_369_298_090;

    fn invocation() -> Invocation {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        Invocation {
            function: "shop-reject-order".to_owned(),
            request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
            trace: TraceContext::from_traceparent(header).unwrap(),
            span: TraceSpan::none(),
        }
    }

    /// What a metric is written as, which has to be what CloudWatch's specification asks for.
    fn written(metric: &Metric) -> Value {
        let text = metric.line("shop", AT, Some(&invocation()));
        assert!(!text.contains('\n'), "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert!(line["_aws"]["Timestamp"].as_u64().unwrap() > 1_000_000_000_000);
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert!(!directives.is_empty());
        for directive in directives {
            let namespace = directive["Namespace"].as_str().unwrap();
            assert!((1..=1024).contains(&namespace.len()));
            for set in directive["Dimensions"].as_array().unwrap() {
                let set = set.as_array().unwrap();
                assert!(set.len() <= 30);
                for name in set {
                    let value = line[name.as_str().unwrap()].as_str().unwrap();
                    assert!((1..=1024).contains(&value.len()), "{name}");
                }
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                let name = metric["Name"].as_str().unwrap();
                assert!((1..=1024).contains(&name.len()));
                assert!(line[name].is_number(), "{name}");
                assert!(
                    ["Count", "Milliseconds", "None"].contains(&metric["Unit"].as_str().unwrap())
                );
            }
        }
        line
    }

    #[test]
    fn a_count_is_a_metric_of_the_stack_alone() {
        assert_eq!(
            written(&count("OrdersPlaced")),
            json!({
                "_aws": {
                    "Timestamp": AT,
                    "CloudWatchMetrics": [{
                        "Namespace": "shop",
                        "Dimensions": [[]],
                        "Metrics": [{"Name": "OrdersPlaced", "Unit": "Count"}],
                    }],
                },
                "OrdersPlaced": 1,
                "function": "shop-reject-order",
                "request_id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                "trace_id": "0af7651916cd43dd8448eb211c80319c",
            })
        );
    }

    #[test]
    fn by_a_dimension_there_is_the_total_and_each_value() {
        let line = written(&count("OrdersRejected").by("Reason", "out-of-stock"));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([[], ["Reason"]]));
        assert_eq!(line["Reason"], "out-of-stock");
    }

    #[test]
    fn a_value_has_its_unit_and_every_digit() {
        let largest = (1 << 53) - 1;
        let line = written(&metric("Revenue", Unit::None, largest).by("Currency", "EUR"));
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            directive["Metrics"],
            json!([{"Name": "Revenue", "Unit": "None"}])
        );
        assert_eq!(line["Revenue"], largest);
        let line = written(&metric("RelayLag", Unit::Milliseconds, 0));
        assert_eq!(line["RelayLag"], 0);
    }

    #[test]
    fn outside_of_an_invocation_nobody_is_named() {
        let line = count("OrdersPlaced").line("shop", AT, None);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["trace_id"], Value::Null);
    }

    #[tokio::test]
    async fn an_operation_is_named_without_its_stack() {
        assert_eq!(operation(), "");
        let outside = invocation().scope(async { operation() }).await;
        assert_eq!(outside, "shop-reject-order");
        start(None);
        start(Some("shop"));
        assert_eq!(
            invocation().scope(async { operation() }).await,
            "reject-order"
        );
        let other = Invocation {
            function: "shopping".to_owned(),
            ..invocation()
        };
        assert_eq!(other.scope(async { operation() }).await, "shopping");
    }
}
