//! The pair that a developer works with: `cargo lambda watch` serves the functions from source, with
//! the stack's settings, and `cargo lambda invoke` sends them their samples.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use oxcart_tests::{eventually::eventually, stack::Stack, workspace};
use serde_json::Value;
use uuid::Uuid;

#[tokio::test]
async fn cargo_lambda_serves_the_functions_with_the_settings_of_the_stack() {
    let stack = Stack::connect().await;
    let watch = Watch::start(&stack);

    let put = watch.invoke("put-product").await;
    assert!(
        matches!(put["statusCode"].as_u64(), Some(200 | 201)),
        "{put}"
    );
    let product = watch.invoke("get-product").await;
    assert_eq!(product["statusCode"], 200, "{product}");
    let body: Value = serde_json::from_str(product["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["sku"], "tea-assam");
    assert_eq!(
        body["available"],
        stack.available("tea-assam").await,
        "of this stack"
    );

    let docs = watch.invoke("serve-docs").await;
    assert_eq!(docs["statusCode"], 200, "{docs}");

    let judged = watch.invoke("authorize-request").await;
    assert_eq!(judged["isAuthorized"], true, "{judged}");
}

/// A running `cargo lambda watch`, which ends with the test.
struct Watch {
    process: Child,
    port: String,
    log: PathBuf,
}

impl Watch {
    fn start(stack: &Stack) -> Self {
        let port = free_port();
        let name = format!("oxcart-watch-{}", Uuid::new_v4());
        let log = std::env::temp_dir().join(format!("{name}.log"));
        let file = File::create(&log).expect("a log");
        let process = cargo_lambda()
            // The profile of the stack's own functions: nothing is compiled a second time.
            .args(["watch", "--ignore-changes", "--profile", "local"])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &port])
            .arg("--env-file")
            .arg(stack.settings_file())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a log"))
            .stderr(file)
            // A group of its own, so that the functions it started can be ended with it.
            .process_group(0)
            .spawn()
            .expect("cargo-lambda starts");
        Self { process, port, log }
    }

    /// What the function answers to its sample event.
    async fn invoke(&self, function: &str) -> Value {
        let what = format!("cargo lambda invoke {function}");
        eventually(&what, Duration::from_mins(5), async || {
            let output = self.try_invoke(function);
            let answer = serde_json::from_slice(&output.stdout);
            answer.map_err(|_| {
                let error = String::from_utf8_lossy(&output.stderr);
                format!(
                    "{error}\n{}",
                    fs::read_to_string(&self.log).unwrap_or_default()
                )
            })
        })
        .await
    }

    fn try_invoke(&self, function: &str) -> Output {
        cargo_lambda()
            .args([
                "invoke",
                function,
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &self.port,
            ])
            .arg("--data-file")
            .arg(workspace::root().join(format!("events/{function}.json")))
            .output()
            .expect("cargo-lambda starts")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
    }
}

fn cargo_lambda() -> Command {
    let program = workspace::root().join(".local/tools/cargo-lambda/bin/cargo-lambda");
    assert!(
        program.is_file(),
        "no {}: run `cargo xtask setup`",
        program.display()
    );
    let mut command = Command::new(program);
    command
        .current_dir::<&Path>(&workspace::root())
        .arg("lambda");
    command
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener
        .local_addr()
        .expect("an address")
        .port()
        .to_string()
}
