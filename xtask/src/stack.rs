//! A running stack: its processes, with the template deployed and the shop opened.

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;

use crate::background::{Lifetime, Started};
use crate::build::{self, Built, Profile};
use crate::cloud::{ACCESS_KEY, Cloud, REGION};
use crate::console::Console;
use crate::failure::{Explain, Outcome};
use crate::layout::Layout;
use crate::opening;
use crate::processes::{Endpoints, Processes, TEST_WAITS};
use crate::sam;
use crate::settings::Settings;
use crate::tools::{self, Kit};
use crate::wait;

/// The name of the stack, which also starts the names of its functions.
pub(crate) const STACK_NAME: &str = "oxcart";

/// The API's id on the local cloud, where it is part of the address.
const API_ID: &str = "0ca27ca7";

/// Where the pages come from that may call the API: from a front end that is being written beside the stack, with Vite.
const FRONT_END: &str = "http://localhost:5173,http://127.0.0.1:5173";

/// The key that the payment stand-in takes. It takes any, and holds no money.
const GATEWAY_KEY: &str = "sk_test_12345";

/// What the payment stand-in signs its webhooks with.
const WEBHOOK_SECRET: &str = "whsec_local";

/// What a stack is for. The two don't share a port, a process or a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To play with: it stays until it is stopped.
    Play,
    /// One test run: it is gone when the run is, however that ends.
    Test,
}

/// Of which type the state machines of a stack are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SagaType {
    Standard,
    Express,
}

impl SagaType {
    /// The one that it isn't.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Standard => Self::Express,
            Self::Express => Self::Standard,
        }
    }

    const fn parameter(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Express => "EXPRESS",
        }
    }
}

/// A stack of this repository, running or not.
pub(crate) struct Stack {
    layout: Layout,
    purpose: Purpose,
    processes: Processes,
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

impl Stack {
    /// The stack of this repository for a purpose.
    pub(crate) fn new(layout: &Layout, purpose: Purpose) -> Self {
        let (name, lifetime) = match purpose {
            Purpose::Play => ("play", Lifetime::Detached),
            Purpose::Test => ("test", Lifetime::Ours),
        };
        let folder = layout.local().join(name);
        Self {
            layout: layout.clone(),
            purpose,
            processes: Processes::new(layout, lifetime, folder.clone()),
            folder,
        }
    }

    /// The file that tells everyone where the stack is.
    pub(crate) fn settings_file(&self) -> PathBuf {
        match self.purpose {
            Purpose::Play => self.layout.local().join("stack.env"),
            Purpose::Test => self.folder.join("stack.env"),
        }
    }

    /// Where everything is of the stack that runs.
    pub(crate) fn settings(&self) -> Outcome<Settings> {
        Settings::read(&self.settings_file()).map_err(|failure| {
            failure.advice("Is a local stack running? cargo xtask up starts one.")
        })
    }

    /// Where the processes and the functions log.
    pub(crate) fn logs(&self) -> PathBuf {
        self.processes.logs()
    }

    /// Keeps other commands from changing this stack for as long as the answer is kept.
    pub(crate) fn claim(&self, console: &Console) -> Outcome<File> {
        let path = self.folder.with_extension("lock");
        let what = || format!("Could not lock {}", path.display());
        fs::create_dir_all(self.layout.local()).explain(what)?;
        let lock = File::create(&path).explain(what)?;
        if lock.try_lock().is_err() {
            let _task = console.task("waiting for another cargo xtask to be done with the stack");
            lock.lock().explain(what)?;
        }
        Ok(lock)
    }

    /// Brings the stack up: builds, starts what isn't running, deploys what has changed, opens the shop. A stack that
    /// runs has the type of state machine that it was started with; one that is started anew has Standard ones unless
    /// `saga` says otherwise.
    pub(crate) fn up(&self, console: &Console, saga: Option<SagaType>) -> Outcome<Running> {
        let kits = [Kit::Emulator, Kit::Sam];
        tools::require(&self.layout, &kits)?;
        tools::require_npm()?;
        let mut ours = Vec::new();
        let (built, endpoints) = thread::scope(|scope| {
            let build = scope.spawn(|| build::functions(&self.layout, console, Profile::Local));
            let start = scope.spawn(|| {
                tools::install(&self.layout, console, &kits)?;
                self.processes.find_or_start(console, &mut ours)
            });
            let functions = wait::joined(build);
            let endpoints = wait::joined(start);
            Ok((functions?, endpoints?))
        })?;
        let settings = self.deploy(console, &endpoints, saga)?;
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
        let found = self.processes.stop()?;
        let _ = fs::remove_file(self.settings_file());
        Ok(found)
    }

    /// Keeps what the functions have logged, which would end with the local cloud.
    pub(crate) fn save_function_logs(&self, settings: &Settings) -> Outcome {
        Cloud::at(settings.get("AWS_ENDPOINT_URL")?).save_logs(&self.logs().join("functions"))
    }

    /// Deploys the template if anything about it has changed, and writes the stack's settings.
    fn deploy(
        &self,
        console: &Console,
        endpoints: &Endpoints,
        saga: Option<SagaType>,
    ) -> Outcome<Settings> {
        let before = Settings::read(&self.settings_file()).ok();
        let of_before = before
            .as_ref()
            .and_then(|settings| settings.get("SAGA_TYPE").ok());
        let saga = match (saga, of_before) {
            (None, Some(of_before)) => of_before,
            (wanted, _) => wanted.unwrap_or(SagaType::Standard).parameter(),
        };
        let parameters = [
            ("DeletionProtection", "false".to_owned()),
            ("RequireTls", "false".to_owned()),
            ("CombinedAlarms", "false".to_owned()),
            ("SagaType", saga.to_owned()),
            ("ExpressRunSeconds", "100".to_owned()),
            ("MaxReceiveCount", "3".to_owned()),
            // All the tests, and all who play, come from one address.
            ("FailuresPerSource", "100000".to_owned()),
            // So that two published keys and one that signs is what is tested.
            ("TokenKeys", "A+B".to_owned()),
            ("AllowedOrigins", FRONT_END.to_owned()),
            ("OtlpEndpoint", endpoints.collector.clone()),
            ("PaymentGatewayUrl", endpoints.gateway_of_functions.clone()),
            ("PaymentGatewaySecretKey", GATEWAY_KEY.to_owned()),
            ("PaymentWebhookSecret", WEBHOOK_SECRET.to_owned()),
            (
                "PublicUrl",
                format!("{}/_aws/execute-api/{API_ID}", endpoints.cloud),
            ),
            // Nobody can have it: mail to customers stays in the emulator.
            ("SenderAddress", "shop@oxcart.test".to_owned()),
            ("ApiCustomId", API_ID.to_owned()),
            ("Architecture", architecture().to_owned()),
        ];
        let fingerprint = sam::fingerprint(&self.layout, &parameters)?;
        let deployed = self.folder.join("deployed");
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
        Cloud::at(&endpoints.cloud).apply_cors(API_ID)?;
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
        settings.set("PAYMENT_WEBHOOK_SECRET", WEBHOOK_SECRET);
        settings.set("FAULTS_URL", &endpoints.faults);
        settings.set("COLLECTED_SPANS", self.processes.spans().to_string_lossy());
        // Lambda sets it for each function by itself, cargo-lambda doesn't. What reads it reads the site.
        let carrier = self.layout.packages().join("serve-docs");
        settings.set("LAMBDA_TASK_ROOT", carrier.to_string_lossy());
        if self.purpose == Purpose::Test {
            settings.set("STATE_MACHINE_WAITS", TEST_WAITS);
        }
        settings.get("API_URL")?;
        settings.write(&self.settings_file())?;
        fs::write(&deployed, fingerprint)
            .explain(|| format!("Could not write {}", deployed.display()))?;
        task.done("deployed the template");
        Ok(settings)
    }
}

/// What Lambda calls the processor that the functions were just built for.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}
