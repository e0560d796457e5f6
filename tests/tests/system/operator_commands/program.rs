//! The operator's program, run as `cargo xtask ops` runs it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use oxcart_tests::stack::Stack;
use serde_json::Value;

/// What the program said.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ran {
    /// What it wrote; it has to end well.
    pub(super) fn text(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    pub(super) fn json(self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
    }
}

/// Runs the operator's program, as `cargo xtask ops` does.
pub(super) fn ops(stack: &Stack, words: &[&str]) -> Ran {
    ops_with(stack, words, &[])
}

pub(super) fn ops_with(stack: &Stack, words: &[&str], settings: &[(&str, &str)]) -> Ran {
    let file = fs::read_to_string(stack.settings_file()).expect("the stack's settings");
    let output = Command::new(program())
        .args(words)
        .envs(file.lines().filter_map(|line| line.split_once('=')))
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE")
        .envs(settings.iter().copied())
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the operator's program starts");
    Ran {
        code: status.code().expect("an exit code"),
        stdout: String::from_utf8(stdout).expect("text"),
        stderr: String::from_utf8(stderr).expect("text"),
    }
}

/// Cargo puts it beside the folder that this test lies in.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test's file");
    let folder = test.parent().and_then(std::path::Path::parent);
    let program = folder
        .expect("a folder of build products")
        .join("oxcart-ops");
    assert!(
        program.is_file(),
        "no {}: run `cargo xtask test`, which builds everything",
        program.display()
    );
    program
}
