//! Deploys the template with SAM CLI, to the local cloud or to AWS. Never lets SAM build anything.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cloud::{ACCESS_KEY, REGION};
use crate::console::Task;
use crate::environment;
use crate::failure::{Explain, Failure, Outcome};
use crate::files;
use crate::layout::Layout;
use crate::settings::Settings;
use crate::tool;
use crate::tools::{self, Kit};

/// The bucket of the local cloud that the functions' packages go to.
pub(crate) const LOCAL_BUCKET: &str = "oxcart-packages";

/// SAM CLI as it was installed.
pub(crate) fn sam(layout: &Layout) -> Command {
    let mut sam = Command::new(tools::program(layout, Kit::Sam, "sam"));
    prepare(layout, &mut sam);
    sam
}

/// SAM CLI in its launcher for the local cloud, and pointed there.
fn local_sam(layout: &Layout, endpoint: &str) -> Command {
    let mut sam = Command::new(tools::program(layout, Kit::Sam, "python"));
    sam.arg(layout.local_infra().join("sam.py"));
    prepare(layout, &mut sam);
    point_at_local_cloud(&mut sam, endpoint);
    // It asks every five seconds how far a deployment is, unless told otherwise.
    sam.env("SAM_CLI_POLL_DELAY", "0.2");
    sam
}

fn prepare(layout: &Layout, sam: &mut Command) {
    tools::keep_compiled(layout, sam);
    sam.current_dir(layout.root());
    sam.env("SAM_CLI_TELEMETRY", "0")
        .env("__SAM_CLI_APP_DIR", tools::sam_settings(layout));
}

/// Keeps the AWS account that the user may have from a command that has no business there.
pub(crate) fn without_account(command: &mut Command) {
    for name in environment::names(&["AWS_"]) {
        command.env_remove(name);
    }
}

/// Points a command at the local cloud, and away from any AWS account that its user may have.
pub(crate) fn point_at_local_cloud(command: &mut Command, endpoint: &str) {
    without_account(command);
    command.env("AWS_ENDPOINT_URL", endpoint);
    command
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION);
    command
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY);
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
}

/// Deploys the template to the local cloud. Answers the stack's outputs, or nothing when nothing had changed.
pub(crate) fn deploy_locally(
    layout: &Layout,
    task: &Task,
    endpoint: &str,
    stack: &str,
    parameters: &[(&str, String)],
    log: &Path,
) -> Outcome<Option<BTreeMap<String, String>>> {
    let mut command = local_sam(layout, endpoint);
    command.args([
        "deploy",
        "--output",
        "json",
        "--stack-name",
        stack,
        "--region",
        REGION,
    ]);
    command.arg("--template-file").arg(layout.template());
    command.args([
        "--no-resolve-s3",
        "--s3-bucket",
        LOCAL_BUCKET,
        "--capabilities",
        "CAPABILITY_IAM",
    ]);
    command.args([
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--parameter-overrides",
    ]);
    command.args(
        parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );

    let what = || format!("Could not write {}", log.display());
    let mut file = File::create(log).explain(what)?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file.try_clone().explain(what)?);
    let mut child = command
        .spawn()
        .map_err(|error| tool::could_not_start("sam", &error))?;
    let mut deployed = None;
    let (mut planned, mut finished) = (0, 0);
    let lines = child.stdout.take().map(BufReader::new);
    for line in lines
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok)
    {
        let _ = writeln!(file, "{line}");
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        let text = |name| {
            message
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        match text("type") {
            "changeset" => planned += 1,
            "event" if text("status").ends_with("_COMPLETE") => finished += 1,
            "outputs" => deployed = Some(outputs(&message)),
            _ => {}
        }
        if planned > 0 {
            task.at(&format!("{} of {planned} resources", finished.min(planned)));
        }
    }
    let status = child
        .wait()
        .explain(|| "Could not wait for sam".to_owned())?;
    if status.success() {
        Ok(deployed)
    } else {
        // A stack that could not be created can't be updated either.
        let advice =
            "Once that is mended, start from nothing: cargo xtask down, then cargo xtask up.";
        Err(Failure::new(format!("sam deploy failed ({status})."))
            .log(log)
            .advice(advice))
    }
}

fn outputs(message: &Value) -> BTreeMap<String, String> {
    let outputs = message.get("stack_outputs").and_then(Value::as_array);
    let pair = |output: &Value| {
        let text = |name| output.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("key")?, text("value")?))
    };
    outputs.into_iter().flatten().filter_map(pair).collect()
}

/// Deploys the template to AWS with the user's own credentials, settings and confirmation.
pub(crate) fn deploy_to_aws(layout: &Layout, more: &[String]) -> Outcome {
    let mut command = sam(layout);
    // Here SAM finds samconfig.toml by itself, just as it does for someone who calls it by hand.
    command.current_dir(layout.root().join("infra"));
    command.arg("deploy").args(more);
    if cfg!(target_arch = "aarch64") && !more.iter().any(|word| word.contains("Architecture=")) {
        return Err(Failure::new(
            "The functions were built for arm64, and the template's default is x86_64.",
        )
        .advice("Add Architecture=arm64 to --parameter-overrides."));
    }
    tool::run_visibly("sam deploy", &mut command).map_err(|failure| {
        failure.advice("Credentials and region are taken from the environment, as by the AWS CLI.")
    })
}

/// The settings of a stack on AWS, out of its outputs.
pub(crate) fn settings_on_aws(layout: &Layout, stack: &str) -> Outcome<Settings> {
    let mut command = sam(layout);
    command.args([
        "list",
        "stack-outputs",
        "--output",
        "json",
        "--stack-name",
        stack,
    ]);
    let answer = tool::output_of("sam list stack-outputs", &mut command).map_err(|failure| {
        failure.advice("Credentials and region are taken from the environment, as by the AWS CLI.")
    })?;
    let outputs: Value = serde_json::from_str(&answer)
        .explain(|| format!("sam list stack-outputs answered no JSON: {answer}"))?;
    let mut settings = Settings::default();
    settings.set("STACK_NAME", stack);
    for output in outputs.as_array().into_iter().flatten() {
        let text = |name| output.get(name).and_then(Value::as_str);
        if let (Some(key), Some(value)) = (text("OutputKey"), text("OutputValue")) {
            settings.set_output(key, value);
        }
    }
    Ok(settings)
}

/// All that decides what a deployment would do: equal texts, nothing to deploy.
pub(crate) fn fingerprint(layout: &Layout, parameters: &[(&str, String)]) -> Outcome<String> {
    let mut text = format!("{parameters:?}\n");
    let mut sources = vec![layout.template()];
    sources.extend(files::under(&layout.state_machines(), &[])?);
    for file in sources {
        text +=
            &fs::read_to_string(&file).explain(|| format!("Could not read {}", file.display()))?;
    }
    text += &files::fingerprint(&files::under(&layout.packages(), &[])?)?;
    Ok(text)
}
