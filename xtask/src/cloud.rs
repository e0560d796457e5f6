//! The few calls that these commands make to the local cloud's AWS APIs. Never used against AWS.
//!
//! The local cloud takes any signature of its root user, so none is computed here. Real signatures would
//! need an AWS SDK, and this program is the first thing that a fresh machine compiles.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::{Explain, Failure, Outcome};
use crate::loopback::{Answer, Client};

/// The access key of the local cloud's root user.
pub(crate) const ACCESS_KEY: &str = "test";
/// The region that everything local is in.
pub(crate) const REGION: &str = "us-east-1";

/// An operation whose answer comes in pages.
struct Paged {
    service: &'static str,
    target: &'static str,
    version: &'static str,
    /// Where the elements are in an answer.
    list: &'static str,
    /// Where the next page starts, in an answer.
    next: &'static str,
    /// The same in a request.
    from: &'static str,
}

const SCAN: Paged = Paged {
    service: "dynamodb",
    target: "DynamoDB_20120810.Scan",
    version: "1.0",
    list: "Items",
    next: "LastEvaluatedKey",
    from: "ExclusiveStartKey",
};

const LOG_GROUPS: Paged = Paged {
    service: "logs",
    target: "Logs_20140328.DescribeLogGroups",
    version: "1.1",
    list: "logGroups",
    next: "nextToken",
    from: "nextToken",
};

const LOG_EVENTS: Paged = Paged {
    target: "Logs_20140328.FilterLogEvents",
    list: "events",
    ..LOG_GROUPS
};

/// The local cloud.
#[derive(Clone)]
pub(crate) struct Cloud {
    client: Client,
    endpoint: String,
}

impl Cloud {
    /// The local cloud at `endpoint`.
    pub(crate) fn at(endpoint: &str) -> Self {
        Self {
            client: Client::new(),
            endpoint: endpoint.to_owned(),
        }
    }

    /// Whether it is up.
    pub(crate) fn is_healthy(&self) -> bool {
        let health = format!("{}/_ministack/health", self.endpoint);
        self.client
            .send("GET", &health, &[], "")
            .is_ok_and(|answer| answer.status == 200)
    }

    /// Creates a bucket.
    pub(crate) fn create_bucket(&self, name: &str) -> Outcome {
        self.call("s3", "PUT", &format!("/{name}"), &[], "")
            .map(drop)
    }

    /// Invokes a function and answers what it returned.
    pub(crate) fn invoke(&self, function: &str, payload: &Value) -> Outcome<Value> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.call("lambda", "POST", &path, &[], &payload.to_string())?;
        if answer.header("x-amz-function-error").is_empty() {
            Ok(answer.json)
        } else {
            Err(Failure::new(format!(
                "The function {function} failed: {}",
                answer.text
            )))
        }
    }

    /// Has an HTTP API answer the pages of other origins as its template says.
    ///
    /// The local cloud keeps a template's `CorsConfiguration` under its names there, `AllowOrigins`, and reads it under
    /// those of the API, `allowOrigins`, as `UpdateApi` writes it.
    pub(crate) fn apply_cors(&self, api: &str) -> Outcome {
        let path = format!("/v2/apis/{api}");
        let answer = self.call("apigateway", "GET", &path, &[], "")?;
        let Some(in_template) = answer
            .json
            .get("corsConfiguration")
            .and_then(Value::as_object)
        else {
            return Ok(());
        };
        let pairs = in_template.iter();
        let cors: Value = pairs
            .map(|(name, value)| (camel(name), value.clone()))
            .collect();
        let update = json!({"corsConfiguration": cors}).to_string();
        let json = [("content-type", "application/json")];
        self.call("apigateway", "PATCH", &path, &json, &update)
            .map(drop)
    }

    /// Every item of a table.
    pub(crate) fn scan(&self, table: &str) -> Outcome<Vec<Value>> {
        let request = json!({"TableName": table, "ConsistentRead": true});
        self.pages(&SCAN, request)
    }

    /// Writes what each function has logged into a file of its own in `folder`.
    pub(crate) fn save_logs(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder).explain(|| format!("Could not create {}", folder.display()))?;
        let groups = self.pages(&LOG_GROUPS, json!({}))?;
        for group in groups
            .iter()
            .filter_map(|group| group.get("logGroupName")?.as_str())
        {
            let events = self.pages(&LOG_EVENTS, json!({"logGroupName": group}))?;
            let lines: Vec<&str> = events
                .iter()
                .filter_map(|event| event.get("message")?.as_str())
                .collect();
            let name = group.rsplit('/').next().unwrap_or(group);
            let file = folder.join(format!("{name}.log"));
            fs::write(&file, lines.join("\n") + "\n")
                .explain(|| format!("Could not write {}", file.display()))?;
        }
        Ok(())
    }

    /// Every element of an answer that comes in pages.
    fn pages(&self, operation: &Paged, mut request: Value) -> Outcome<Vec<Value>> {
        let content = format!("application/x-amz-json-{}", operation.version);
        let headers = [
            ("x-amz-target", operation.target),
            ("content-type", content.as_str()),
        ];
        let mut elements = Vec::new();
        loop {
            let mut page = self
                .call(
                    operation.service,
                    "POST",
                    "/",
                    &headers,
                    &request.to_string(),
                )?
                .json;
            if let Some(found) = page.get_mut(operation.list).and_then(Value::as_array_mut) {
                elements.append(found);
            }
            match (page.get(operation.next), request.as_object_mut()) {
                (Some(next), Some(request)) => {
                    request.insert(operation.from.to_owned(), next.clone())
                }
                _ => return Ok(elements),
            };
        }
    }

    fn call(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Outcome<Answer> {
        let scope = format!("{ACCESS_KEY}/20260101/{REGION}/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let mut headers = headers.to_vec();
        headers.push(("authorization", &signed));
        let answer =
            self.client
                .send(method, &format!("{}{path}", self.endpoint), &headers, body)?;
        if answer.status < 300 {
            Ok(answer)
        } else {
            let what = format!(
                "The local cloud refused a call to {service} ({}): {}",
                answer.status, answer.text
            );
            Err(Failure::new(what))
        }
    }
}

/// `allowOrigins` for `AllowOrigins`.
fn camel(pascal: &str) -> String {
    let mut letters = pascal.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::camel;

    #[test]
    fn the_names_of_an_api_start_in_lower_case() {
        assert_eq!(camel("AllowOrigins"), "allowOrigins");
        assert_eq!(camel("maxAge"), "maxAge");
        assert_eq!(camel(""), "");
    }
}
