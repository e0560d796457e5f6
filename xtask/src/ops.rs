//! What an operator types when an order needs a person: the same on the local stack and on AWS.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::layout::Layout;
use crate::sam;
use crate::settings::Settings;
use crate::stack::Stack;
use crate::tools::{self, Kit};

/// What can be done.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Runs the saga of an order again that is open, be it parked or not.
    Resume(Resume),
}

/// Which order, and where.
#[derive(Args)]
pub(crate) struct Resume {
    /// The order's id.
    order_id: String,
    /// The stack on AWS, reached with your own credentials. Without it, the local stack.
    #[arg(long)]
    stack_name: Option<String>,
}

/// Does it.
pub(crate) fn run(layout: &Layout, console: &Console, stack: &Stack, task: &Task) -> Outcome {
    let Task::Resume(resume) = task;
    let payload = json!({"order_id": resume.order_id});
    let answer = if let Some(name) = &resume.stack_name {
        tools::install(layout, console, &[Kit::Sam])?;
        sam::invoke_on_aws(layout, name, "ResumeStuckOrders", &payload)?
    } else {
        let settings = Settings::read(&stack.settings_file()).map_err(|failure| {
            failure.advice("Is a local stack running? cargo xtask up starts one.")
        })?;
        let function = format!("{}-resume-stuck-orders", settings.get("STACK_NAME")?);
        Cloud::at(settings.get("AWS_ENDPOINT_URL")?).invoke(&function, &payload)?
    };
    let names = |list: &str| {
        answer
            .get(list)
            .and_then(Value::as_array)
            .is_some_and(|orders| {
                orders
                    .iter()
                    .any(|order| *order == resume.order_id.as_str())
            })
    };
    if names("resumed") {
        console.line("The order's saga runs again.");
    } else if names("running") {
        console.line("The order's saga is under way; it was left alone.");
    } else {
        return Err(Failure::new(format!("The order was not resumed: {answer}")));
    }
    Ok(())
}
