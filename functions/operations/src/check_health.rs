//! `GET /health` and `GET /ready`: whether what orders need is there.

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use oxcart_domain::Timestamp;
use oxcart_http::{
    Answer, Problem, Request, RequestExt as _, StatusCode,
    header::{self, HeaderValue},
    json,
};
use oxcart_lambda::clock;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::probes::{Dependency, Finding, Need};

/// How long a report is kept in the execution environment, so that asking for it is no way to hammer what it is about.
const TIME_TO_LIVE: Duration = Duration::from_secs(5);

/// What orders need, and what was found of it last.
#[derive(Debug)]
pub struct Health {
    dependencies: Vec<Dependency>,
    latest: Mutex<Option<Report>>,
}

/// What was found of all dependencies at one time.
#[derive(Debug, Clone)]
struct Report {
    at: Timestamp,
    findings: Vec<Finding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

/// A report as it is told, or the part of it that was asked for.
#[derive(Debug, Serialize)]
struct ReportView {
    status: Status,
    timestamp: Timestamp,
    dependencies: BTreeMap<&'static str, FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    status: Status,
    latency_ms: u64,
}

/// Answers what was found: 200, or 503 when something is away that is needed at once. `/ready` speaks of nothing else
/// than that; `/health` also of what can be waited for.
///
/// # Errors
/// 500 when the report can't be written.
pub async fn handle(health: &Health, request: Request) -> Result<Answer, Problem> {
    let report = health.report().await;
    let view = if request.raw_http_path().ends_with("/ready") {
        report.view(|finding| finding.need == Need::Hard)
    } else {
        report.view(|_| true)
    };
    match view.status {
        Status::Healthy | Status::Degraded => json(StatusCode::OK, &view),
        Status::Unhealthy => Ok(json(StatusCode::SERVICE_UNAVAILABLE, &view)?.with(
            header::RETRY_AFTER,
            HeaderValue::from(TIME_TO_LIVE.as_secs()),
        )),
    }
}

impl Health {
    /// Looks after these.
    #[must_use]
    pub fn new(dependencies: Vec<Dependency>) -> Self {
        Self {
            dependencies,
            latest: Mutex::new(None),
        }
    }

    /// The latest report if it is recent, else a new one.
    async fn report(&self) -> Report {
        let at = clock::now();
        let mut latest = self.latest.lock().await;
        if let Some(report) = latest.as_ref().filter(|report| report.is_recent(at)) {
            return report.clone();
        }
        let findings = join_all(self.dependencies.iter().map(Dependency::probe)).await;
        latest.insert(Report { at, findings }).clone()
    }
}

impl Report {
    /// By the wall clock, which goes on while the environment is frozen. If that was set back, nobody knows.
    fn is_recent(&self, now: Timestamp) -> bool {
        let age = self.at.duration_until(now);
        age.is_some_and(|age| age < TIME_TO_LIVE)
    }

    /// What it says of those dependencies that are asked for.
    fn view(&self, asked_for: impl Fn(&Finding) -> bool) -> ReportView {
        let findings: Vec<_> = self.findings.iter().filter(|of| asked_for(of)).collect();
        ReportView {
            status: verdict(&findings),
            timestamp: self.at,
            dependencies: findings
                .into_iter()
                .map(|finding| (finding.name, finding.into()))
                .collect(),
        }
    }
}

/// What single findings come to.
fn verdict(findings: &[&Finding]) -> Status {
    let is_away = |need: Need| {
        let mut away = findings.iter().filter(|finding| !finding.is_healthy);
        away.any(|finding| finding.need == need)
    };
    if is_away(Need::Hard) {
        Status::Unhealthy
    } else if is_away(Need::Soft) {
        Status::Degraded
    } else {
        Status::Healthy
    }
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            status: if finding.is_healthy {
                Status::Healthy
            } else {
                Status::Unhealthy
            },
            latency_ms: u64::try_from(finding.latency.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(found: [(&'static str, Need, bool); 3]) -> Report {
        let findings = found.map(|(name, need, is_healthy)| Finding {
            name,
            need,
            is_healthy,
            latency: Duration::from_micros(12_999),
        });
        Report {
            at: Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap(),
            findings: findings.to_vec(),
        }
    }

    fn statuses(hard: [bool; 2], soft: bool) -> (Status, Status) {
        let [first, second] = hard;
        let report = report([
            ("orders-table", Need::Hard, first),
            ("token-key", Need::Hard, second),
            ("payment-gateway", Need::Soft, soft),
        ]);
        let ready = report.view(|finding| finding.need == Need::Hard);
        (report.view(|_| true).status, ready.status)
    }

    #[test]
    fn what_is_needed_at_once_decides() {
        use Status::{Degraded, Healthy, Unhealthy};

        assert_eq!(statuses([true, true], true), (Healthy, Healthy));
        assert_eq!(statuses([true, true], false), (Degraded, Healthy));
        assert_eq!(statuses([true, false], true), (Unhealthy, Unhealthy));
        assert_eq!(statuses([false, true], false), (Unhealthy, Unhealthy));
        assert_eq!(statuses([false, false], true), (Unhealthy, Unhealthy));
    }

    #[test]
    fn a_report_names_each_dependency() {
        let report = report([
            ("orders-table", Need::Hard, true),
            ("token-key", Need::Hard, true),
            ("payment-gateway", Need::Soft, false),
        ]);
        assert_eq!(
            serde_json::to_value(report.view(|_| true)).unwrap(),
            json!({
                "status": "degraded",
                "timestamp": "2026-03-01T09:30:00.250Z",
                "dependencies": {
                    "orders-table": {"status": "healthy", "latency_ms": 12},
                    "payment-gateway": {"status": "unhealthy", "latency_ms": 12},
                    "token-key": {"status": "healthy", "latency_ms": 12},
                },
            })
        );
    }

    #[test]
    fn a_report_is_kept_for_seconds() {
        let report = report([("orders-table", Need::Hard, true); 3]);
        assert!(report.is_recent(report.at));
        assert!(report.is_recent(report.at.plus_seconds(4)));
        assert!(!report.is_recent(report.at.plus_seconds(5)));
        assert!(!report.is_recent(report.at.plus_seconds(-1)));
    }
}
