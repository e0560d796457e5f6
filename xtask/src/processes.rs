//! The processes of a local stack: the local cloud, the payment stand-in, the fault proxy between them and the
//! functions, and the collector of their traces. Knows nothing of what is deployed.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::background::{self, Lifetime, Started};
use crate::cloud::{Cloud, REGION};
use crate::console::Console;
use crate::environment;
use crate::failure::{Explain, Outcome};
use crate::faults::Ports;
use crate::layout::Layout;
use crate::loopback::Client;
use crate::sam;
use crate::tools::{self, Kit};

/// How long a process may take until it answers.
const START: Duration = Duration::from_secs(30);

/// The standard variable that names a collector of traces.
const COLLECTOR: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What part of their time the state machines of a test's stack wait before they retry, and in `Wait` states. What waits
/// out minutes of trouble on AWS would make tests of such trouble last as long. The local cloud shortens nothing else by
/// it, no timeout of a task or a function. All the retries of an undo have to outlast the lease of a refund, which is a
/// minute: 82 seconds are left of them.
pub(crate) const TEST_WAITS: &str = "0.025";

/// The processes of one stack, running or not.
pub(crate) struct Processes {
    layout: Layout,
    lifetime: Lifetime,
    /// Where they keep what belongs to one start of them.
    folder: PathBuf,
}

/// Where the processes listen.
pub(crate) struct Endpoints {
    /// The local cloud, as an AWS endpoint.
    pub(crate) cloud: String,
    /// The payment stand-in.
    pub(crate) gateway: String,
    /// The payment stand-in as functions reach it: through the fault proxy.
    pub(crate) gateway_of_functions: String,
    /// Where faults are armed.
    pub(crate) faults: String,
    /// The collector of traces.
    pub(crate) collector: String,
}

impl Processes {
    /// The processes whose files are in `folder`.
    pub(crate) fn new(layout: &Layout, lifetime: Lifetime, folder: PathBuf) -> Self {
        Self {
            layout: layout.clone(),
            lifetime,
            folder,
        }
    }

    /// Where they log.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// Finds the processes, or starts them. What it started goes into `started`, and may have to be kept.
    pub(crate) fn find_or_start(
        &self,
        console: &Console,
        started: &mut Vec<Started>,
    ) -> Outcome<Endpoints> {
        if let Some(endpoints) = self.find() {
            return Ok(endpoints);
        }
        // Some of them may still run, or hang. None is of use without the others.
        self.stop()?;
        self.start(console, started)
    }

    /// Ends the processes. Answers whether there were any.
    pub(crate) fn stop(&self) -> Outcome<bool> {
        let mut found = false;
        for name in ["gateway", "cloud", "faults", "collector"] {
            let pid_file = self.pid_file(name);
            if let Some(process) = background::running(&pid_file) {
                process.stop(name)?;
                found = true;
            }
            let _ = fs::remove_file(pid_file);
        }
        // The logs stay. The rest is of no use without the processes, and large.
        for name in ["state", "tmp"] {
            let _ = fs::remove_dir_all(self.folder.join(name));
        }
        Ok(found)
    }

    /// The file of the spans that were collected, each a line of JSON.
    pub(crate) fn spans(&self) -> PathBuf {
        self.logs().join("spans.jsonl")
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pid"))
    }

    /// The endpoints of the processes, if all are running, answer, and are what is installed now.
    fn find(&self) -> Option<Endpoints> {
        let written = |path: PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
        let installed = written(tools::stamp(&self.layout, Kit::Emulator))?;
        if written(self.pid_file("cloud"))? < installed {
            return None;
        }
        for name in ["cloud", "gateway", "faults", "collector"] {
            background::running(&self.pid_file(name))?;
        }
        let text = fs::read_to_string(self.folder.join("endpoints")).ok()?;
        let mut urls = text.split_whitespace().map(str::to_owned);
        let endpoints = Endpoints {
            cloud: urls.next()?,
            gateway: urls.next()?,
            gateway_of_functions: urls.next()?,
            faults: urls.next()?,
            collector: urls.next()?,
        };
        endpoints.answer().then_some(endpoints)
    }

    /// Starts all processes from nothing.
    fn start(&self, console: &Console, started: &mut Vec<Started>) -> Outcome<Endpoints> {
        let began = Instant::now();
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .explain(|| format!("Could not remove {}", self.folder.display()))?;
        }
        let temporary = self.folder.join("tmp");
        for folder in [&self.logs(), &temporary] {
            fs::create_dir_all(folder)
                .explain(|| format!("Could not create {}", folder.display()))?;
        }
        let [
            cloud,
            gateway,
            cloud_itself,
            gateway_itself,
            admin,
            collector,
        ] = free_ports()?;
        let ports = Ports {
            cloud,
            cloud_itself,
            gateway,
            gateway_itself,
            admin,
            until_stdin_closes: self.lifetime == Lifetime::Ours,
        };
        let endpoints = Endpoints {
            cloud: loopback(ports.cloud_itself),
            gateway: loopback(ports.gateway_itself),
            gateway_of_functions: loopback(ports.gateway),
            faults: loopback(ports.admin),
            collector: loopback(collector),
        };
        let mut cloud = self.launcher("cloud.py");
        cloud.env("TMPDIR", &temporary);
        cloud
            .env("STATE_DIR", self.folder.join("state"))
            .env("S3_DATA_DIR", self.folder.join("state/s3"));
        cloud
            .env("GATEWAY_PORT", ports.cloud_itself.to_string())
            .env("BIND_HOST", "127.0.0.1");
        // The functions run with the local cloud's environment, and find it by this: through the fault proxy. The
        // cloud itself makes no use of it that matters here.
        cloud
            .env("AWS_ENDPOINT_URL", loopback(ports.cloud))
            .env("MINISTACK_REGION", REGION);
        if self.lifetime == Lifetime::Ours {
            cloud.env("SFN_WAIT_SCALE", TEST_WAITS);
        }
        // Each function may do what its role allows, and no more.
        cloud.env("AUTH", "true");
        // Listeners on fixed ports that nothing here uses.
        cloud.env("IOT_MTLS_ENABLED", "0").env("SFTP_ENABLED", "0");
        let mut gateway = self.launcher("gateway.py");
        gateway.arg(ports.gateway_itself.to_string());
        let mut faults = self.fault_proxy(&ports)?;
        let mut traces = self.launcher("collector.py");
        traces.arg(collector.to_string()).arg(self.spans());
        // Whoever has a collector of their own is sent everything too.
        let theirs = environment::value(COLLECTOR);
        traces.envs(theirs.map(|value| (COLLECTOR, value)));

        let mut faults = self.start_one("faults", "The fault proxy", &mut faults)?;
        let mut cloud = self.start_one("cloud", "The local cloud", &mut cloud)?;
        let mut gateway = self.start_one("gateway", "The payment stand-in", &mut gateway)?;
        let mut traces = self.start_one("collector", "The collector of traces", &mut traces)?;
        traces.until(START, || endpoints.collector_answers())?;
        faults.until(START, || endpoints.faults_answer())?;
        cloud.until(START, || Cloud::at(&endpoints.cloud).is_healthy())?;
        gateway.until(START, || endpoints.gateway_answers())?;
        started.extend([faults, cloud, gateway, traces]);
        Cloud::at(&endpoints.cloud).create_bucket(sam::LOCAL_BUCKET)?;
        let file = self.folder.join("endpoints");
        fs::write(
            &file,
            format!(
                "{} {} {} {} {}\n",
                endpoints.cloud,
                endpoints.gateway,
                endpoints.gateway_of_functions,
                endpoints.faults,
                endpoints.collector
            ),
        )
        .explain(|| format!("Could not write {}", file.display()))?;
        console.done(
            "started the local cloud and the payment stand-in",
            began.elapsed(),
        );
        Ok(endpoints)
    }

    /// A launcher with next to nothing of the user's environment: functions must not come to rely on it.
    fn launcher(&self, script: &str) -> Command {
        let mut command = Command::new(tools::program(&self.layout, Kit::Emulator, "python"));
        command.arg(self.layout.local_infra().join(script));
        if self.lifetime == Lifetime::Ours {
            command.arg("--until-stdin-closes");
        }
        self.keep_environment_from(&mut command);
        command.env("PYTHONUNBUFFERED", "1");
        tools::keep_compiled(&self.layout, &mut command);
        command
    }

    /// This program as the fault proxy.
    fn fault_proxy(&self, ports: &Ports) -> Outcome<Command> {
        let program =
            environment::this_program().explain(|| "This program can't be found".to_owned())?;
        // A closed terminal must not take a detached stack with it.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]);
        command
            .arg(program)
            .arg("fault-proxy")
            .args(ports.options());
        self.keep_environment_from(&mut command);
        Ok(command)
    }

    fn keep_environment_from(&self, command: &mut Command) {
        command.current_dir(&self.folder).env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            command.envs(environment::value(name).map(|value| (name, value)));
        }
    }

    fn start_one(
        &self,
        name: &str,
        title: &'static str,
        command: &mut Command,
    ) -> Outcome<Started> {
        let log = self.logs().join(format!("{name}.log"));
        background::start(title, command, self.lifetime, &log, &self.pid_file(name))
    }
}

impl Endpoints {
    fn answer(&self) -> bool {
        Cloud::at(&self.cloud).is_healthy()
            && self.gateway_answers()
            && self.faults_answer()
            && self.collector_answers()
    }

    fn gateway_answers(&self) -> bool {
        Client::new().send("GET", &self.gateway, &[], "").is_ok()
    }

    fn collector_answers(&self) -> bool {
        Client::new().send("GET", &self.collector, &[], "").is_ok()
    }

    fn faults_answer(&self) -> bool {
        let rules = format!("{}/rules", self.faults);
        Client::new().send("GET", &rules, &[], "").is_ok()
    }
}

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Ports that are free at this moment.
fn free_ports<const COUNT: usize>() -> Outcome<[u16; COUNT]> {
    let what = || "There is no free port".to_owned();
    // Held at once, so that no two are the same.
    let mut held = Vec::with_capacity(COUNT);
    let mut ports = [0; COUNT];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").explain(what)?;
        *port = listener.local_addr().explain(what)?.port();
        held.push(listener);
    }
    Ok(ports)
}
