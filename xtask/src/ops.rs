//! What an operator types, the same on the local stack and on AWS. Hands all of it on to the program in `ops/`, with
//! where the stack is in its environment. That program has the AWS SDK, which this one goes without.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::build;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::layout::Layout;
use crate::sam;
use crate::settings::Settings;
use crate::stack::Stack;
use crate::tool;
use crate::tools::{self, Kit};

/// The option that names a stack on AWS. Without it, the local stack is meant.
const STACK_NAME: &str = "--stack-name";

/// Goes on as the operator's program, whose exit code is then this one's.
pub(crate) fn run(layout: &Layout, console: &Console, stack: &Stack, words: &[String]) -> Outcome {
    let program = build::program(layout, console, build::OPERATOR)?;
    let mut command = Command::new(program);
    command.args(words);
    if !asks_for_help(words) {
        tell_where(layout, console, stack, &mut command, words)?;
    }
    let _quiet = console.leave_to_others();
    Err(tool::could_not_start("oxcart-ops", &command.exec()))
}

/// Puts the settings of the stack that is meant into the environment of `command`.
fn tell_where(
    layout: &Layout,
    console: &Console,
    stack: &Stack,
    command: &mut Command,
    words: &[String],
) -> Outcome {
    if let Some(name) = stack_name(words)? {
        tools::install(layout, console, &[Kit::Sam])?;
        command.envs(sam::settings_on_aws(layout, name)?.all());
    } else {
        let settings = Settings::read(&stack.settings_file()).map_err(|failure| {
            failure.advice(
                "Is a local stack running? cargo xtask up starts one. A stack on AWS is named by --stack-name.",
            )
        })?;
        sam::point_at_local_cloud(command, settings.get("AWS_ENDPOINT_URL")?);
        command.envs(settings.all());
    }
    Ok(())
}

/// The stack on AWS that is meant, if one is.
fn stack_name(words: &[String]) -> Outcome<Option<&str>> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == STACK_NAME {
            let name = words.next().map(String::as_str);
            return name
                .map(Some)
                .ok_or_else(|| Failure::new("--stack-name needs a name."));
        }
        let value = word.strip_prefix(STACK_NAME);
        if let Some(name) = value.and_then(|value| value.strip_prefix('=')) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Whether nothing is to be done, for which no stack has to be there.
fn asks_for_help(words: &[String]) -> bool {
    words.is_empty() || words.iter().any(|word| word == "--help" || word == "-h")
}

#[cfg(test)]
mod tests {
    use super::{asks_for_help, stack_name};

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_stack_on_aws_is_named_anywhere_and_in_either_way() {
        for line in [
            "stuck --stack-name shop",
            "--stack-name shop stuck",
            "dlq --stack-name=shop list",
        ] {
            assert_eq!(stack_name(&words(line)).unwrap(), Some("shop"), "{line}");
        }
        assert_eq!(
            stack_name(&words("stuck --stack-names shop")).unwrap(),
            None
        );
        assert!(stack_name(&words("stuck --stack-name")).is_err());
    }

    #[test]
    fn help_needs_no_stack() {
        for line in ["", "--help", "dlq -h"] {
            assert!(asks_for_help(&words(line)), "{line}");
        }
        assert!(!asks_for_help(&words("stuck")));
    }
}
