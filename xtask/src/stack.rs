//! A running stack: the local cloud and the payment stand-in, with the template deployed and the shop opened.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::background::{self, Lifetime, Started};
use crate::build::{self, Built, Profile};
use crate::cloud::{ACCESS_KEY, Cloud, REGION};
use crate::console::Console;
use crate::environment;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;
use crate::loopback::Client;
use crate::opening;
use crate::sam;
use crate::settings::Settings;
use crate::tools::{self, Kit};
use crate::wait;

/// The name of the stack, which also starts the names of its functions.
pub(crate) const STACK_NAME: &str = "oxcart";

/// The API's id on the local cloud, where it is part of the address.
const API_ID: &str = "0ca27ca7";

/// The key that the payment stand-in takes. It takes any, and holds no money.
const GATEWAY_KEY: &str = "sk_test_12345";

/// How long a process may take until it answers.
const START: Duration = Duration::from_secs(30);

/// What a stack is for. The two don't share a port, a process or a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To play with: it stays until it is stopped.
    Play,
    /// One test run: it is gone when the run is, however that ends.
    Test,
}

/// A stack of this repository, running or not.
pub(crate) struct Stack {
    layout: Layout,
    purpose: Purpose,
    /// Everything that belongs to one start of it.
    folder: PathBuf,
}

/// A stack that is up.
pub(crate) struct Running {
    /// Where everything is.
    pub(crate) settings: Settings,
    /// What it runs.
    pub(crate) built: Built,
    /// Processes that end with this program. Holding them holds the pipes that keep them alive.
    _ours: Vec<Started>,
}

/// Where the two processes listen.
struct Endpoints {
    cloud: String,
    gateway: String,
}

impl Stack {
    /// The stack of this repository for a purpose.
    pub(crate) fn new(layout: &Layout, purpose: Purpose) -> Self {
        let name = match purpose {
            Purpose::Play => "play",
            Purpose::Test => "test",
        };
        Self {
            layout: layout.clone(),
            purpose,
            folder: layout.local().join(name),
        }
    }

    /// The file that tells everyone where the stack is.
    pub(crate) fn settings_file(&self) -> PathBuf {
        match self.purpose {
            Purpose::Play => self.layout.local().join("stack.env"),
            Purpose::Test => self.folder.join("stack.env"),
        }
    }

    /// Where the processes and the functions log.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// Brings the stack up: builds, starts what isn't running, deploys what has changed, opens the shop.
    pub(crate) fn up(&self, console: &Console) -> Outcome<Running> {
        let mut ours = Vec::new();
        let (built, endpoints) = thread::scope(|scope| {
            let build = scope.spawn(|| build::functions(&self.layout, console, Profile::Local));
            let start = scope.spawn(|| {
                tools::install(&self.layout, console, &[Kit::Emulator, Kit::Sam])?;
                self.find_or_start(console, &mut ours)
            });
            let functions = wait::joined(build);
            let endpoints = wait::joined(start);
            Ok((functions?, endpoints?))
        })?;
        let settings = self.deploy(console, &endpoints)?;
        let opened = self.folder.join("opened");
        if !opened.exists() {
            opening::open(console, &settings)?;
            fs::write(&opened, "").explain(|| format!("Could not write {}", opened.display()))?;
        }
        Ok(Running {
            settings,
            built,
            _ours: ours,
        })
    }

    /// Ends the stack's processes. Answers whether there were any.
    pub(crate) fn down(&self) -> Outcome<bool> {
        let mut found = false;
        for name in ["gateway", "cloud"] {
            let pid_file = self.pid_file(name);
            if let Some(process) = background::running(&pid_file) {
                process.stop(name)?;
                found = true;
            }
            let _ = fs::remove_file(pid_file);
        }
        let _ = fs::remove_file(self.settings_file());
        Ok(found)
    }

    /// Keeps what the functions have logged, which would end with the local cloud.
    pub(crate) fn save_function_logs(&self, settings: &Settings) -> Outcome {
        Cloud::at(settings.get("AWS_ENDPOINT_URL")?).save_logs(&self.logs().join("functions"))
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pid"))
    }

    fn find_or_start(&self, console: &Console, ours: &mut Vec<Started>) -> Outcome<Endpoints> {
        if let Some(endpoints) = self.find() {
            return Ok(endpoints);
        }
        // One of the two may still run, or hang. Neither is of use without the other.
        self.down()?;
        self.start(console, ours)
    }

    /// The endpoints of the processes, if both are running and answer.
    fn find(&self) -> Option<Endpoints> {
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
    fn start(&self, console: &Console, ours: &mut Vec<Started>) -> Outcome<Endpoints> {
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
        ours.extend([cloud, gateway]);
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
        if self.purpose == Purpose::Test {
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
        let lifetime = match self.purpose {
            Purpose::Play => Lifetime::Detached,
            Purpose::Test => Lifetime::Ours,
        };
        let log = self.logs().join(format!("{name}.log"));
        background::start(title, command, lifetime, &log, &self.pid_file(name))
    }

    /// Deploys the template if anything about it has changed, and writes the stack's settings.
    fn deploy(&self, console: &Console, endpoints: &Endpoints) -> Outcome<Settings> {
        let parameters = [
            ("DeletionProtection", "false".to_owned()),
            ("RequireTls", "false".to_owned()),
            ("PaymentGatewayUrl", endpoints.gateway.clone()),
            ("PaymentGatewaySecretKey", GATEWAY_KEY.to_owned()),
            (
                "PublicUrl",
                format!("{}/_aws/execute-api/{API_ID}", endpoints.cloud),
            ),
            ("ApiCustomId", API_ID.to_owned()),
        ];
        let fingerprint = sam::fingerprint(&self.layout, &parameters)?;
        let deployed = self.folder.join("deployed");
        let before = Settings::read(&self.settings_file()).ok();
        if let Some(settings) = &before
            && fs::read_to_string(&deployed).is_ok_and(|text| text == fingerprint)
        {
            return Ok(settings.clone());
        }
        let task = console.task("deploying");
        let log = self.logs().join("deploy.log");
        let outputs = sam::deploy_locally(
            &self.layout,
            &task,
            &endpoints.cloud,
            STACK_NAME,
            &parameters,
            &log,
        )?;
        let mut settings = match (&before, outputs) {
            (Some(before), None) => before.clone(),
            (before, outputs) => {
                let mut settings = Settings::default();
                opening::appoint_admin(&mut settings, before.as_ref())?;
                for (name, value) in outputs.unwrap_or_default() {
                    settings.set_output(&name, &value);
                }
                settings
            }
        };
        settings.set("AWS_ENDPOINT_URL", &endpoints.cloud);
        settings.set("AWS_REGION", REGION);
        settings.set("AWS_ACCESS_KEY_ID", ACCESS_KEY);
        settings.set("AWS_SECRET_ACCESS_KEY", ACCESS_KEY);
        settings.set("STACK_NAME", STACK_NAME);
        settings.set("GATEWAY_ADMIN_URL", &endpoints.gateway);
        settings.set("GATEWAY_SECRET_KEY", GATEWAY_KEY);
        settings.get("API_URL")?;
        settings.write(&self.settings_file())?;
        fs::write(&deployed, fingerprint)
            .explain(|| format!("Could not write {}", deployed.display()))?;
        task.done("deployed the template");
        Ok(settings)
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
