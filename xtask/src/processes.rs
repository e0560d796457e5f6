//! The two processes of a local stack: the local cloud and the payment stand-in. Knows nothing of what is deployed.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::background::{self, Lifetime, Started};
use crate::cloud::{Cloud, REGION};
use crate::console::Console;
use crate::environment;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;
use crate::loopback::Client;
use crate::sam;
use crate::tools::{self, Kit};

/// How long a process may take until it answers.
const START: Duration = Duration::from_secs(30);

/// The processes of one stack, running or not.
pub(crate) struct Processes {
    layout: Layout,
    lifetime: Lifetime,
    /// Where they keep what belongs to one start of them.
    folder: PathBuf,
}

/// Where the two processes listen.
pub(crate) struct Endpoints {
    /// The local cloud, as an AWS endpoint.
    pub(crate) cloud: String,
    /// The payment stand-in.
    pub(crate) gateway: String,
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
        // One of the two may still run, or hang. Neither is of use without the other.
        self.stop()?;
        self.start(console, started)
    }

    /// Ends the processes. Answers whether there were any.
    pub(crate) fn stop(&self) -> Outcome<bool> {
        let mut found = false;
        for name in ["gateway", "cloud"] {
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

    fn pid_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pid"))
    }

    /// The endpoints of the processes, if both are running, answer, and are what is installed now.
    fn find(&self) -> Option<Endpoints> {
        let written = |path: PathBuf| fs::metadata(path).and_then(|about| about.modified()).ok();
        let installed = written(tools::stamp(&self.layout, Kit::Emulator))?;
        if written(self.pid_file("cloud"))? < installed {
            return None;
        }
        background::running(&self.pid_file("cloud"))?;
        background::running(&self.pid_file("gateway"))?;
        let text = fs::read_to_string(self.folder.join("endpoints")).ok()?;
        let (cloud, gateway) = text.trim().split_once(' ')?;
        let endpoints = Endpoints {
            cloud: cloud.to_owned(),
            gateway: gateway.to_owned(),
        };
        endpoints.answer().then_some(endpoints)
    }

    /// Starts both processes from nothing.
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
        let (cloud_port, gateway_port) = two_free_ports()?;
        let endpoints = Endpoints {
            cloud: format!("http://127.0.0.1:{cloud_port}"),
            gateway: format!("http://127.0.0.1:{gateway_port}"),
        };
        let mut cloud = self.launcher("cloud.py");
        cloud.env("TMPDIR", &temporary);
        cloud
            .env("STATE_DIR", self.folder.join("state"))
            .env("S3_DATA_DIR", self.folder.join("state/s3"));
        cloud
            .env("GATEWAY_PORT", &cloud_port)
            .env("BIND_HOST", "127.0.0.1");
        // The functions run with the local cloud's environment, and find it by this.
        cloud
            .env("AWS_ENDPOINT_URL", &endpoints.cloud)
            .env("MINISTACK_REGION", REGION);
        // Each function may do what its role allows, and no more.
        cloud.env("AUTH", "true");
        // Listeners on fixed ports that nothing here uses.
        cloud.env("IOT_MTLS_ENABLED", "0").env("SFTP_ENABLED", "0");
        let mut gateway = self.launcher("gateway.py");
        gateway.arg(&gateway_port);

        let mut cloud = self.start_one("cloud", "The local cloud", &mut cloud)?;
        let mut gateway = self.start_one("gateway", "The payment stand-in", &mut gateway)?;
        cloud.until(START, || Cloud::at(&endpoints.cloud).is_healthy())?;
        gateway.until(START, || endpoints.gateway_answers())?;
        started.extend([cloud, gateway]);
        Cloud::at(&endpoints.cloud).create_bucket(sam::LOCAL_BUCKET)?;
        let file = self.folder.join("endpoints");
        fs::write(
            &file,
            format!("{} {}\n", endpoints.cloud, endpoints.gateway),
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
        command.current_dir(&self.folder).env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            command.envs(environment::value(name).map(|value| (name, value)));
        }
        command.env("PYTHONUNBUFFERED", "1");
        tools::keep_compiled(&self.layout, &mut command);
        command
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
        Cloud::at(&self.cloud).is_healthy() && self.gateway_answers()
    }

    fn gateway_answers(&self) -> bool {
        Client::new().send("GET", &self.gateway, &[], "").is_ok()
    }
}

/// Two ports that are free at this moment.
fn two_free_ports() -> Outcome<(String, String)> {
    let free = || TcpListener::bind("127.0.0.1:0").explain(|| "There is no free port".to_owned());
    // Held at once, so that they are two.
    let (first, second) = (free()?, free()?);
    let port = |listener: &TcpListener| match listener.local_addr() {
        Ok(address) => Ok(address.port().to_string()),
        Err(error) => Err(Failure::new(format!("There is no free port: {error}."))),
    };
    Ok((port(&first)?, port(&second)?))
}
