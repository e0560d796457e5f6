//! What the user's environment says. The only module that reads it.
#![expect(
    clippy::disallowed_methods,
    reason = "a program that a person types takes its environment as it is"
)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// The cargo that runs this program, or the one on the PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The file of this very program.
pub(crate) fn this_program() -> io::Result<PathBuf> {
    env::current_exe()
}

/// The value of a variable, if it is set to anything.
pub(crate) fn value(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The names of the variables that start with one of `prefixes`.
pub(crate) fn names(prefixes: &[&str]) -> Vec<OsString> {
    let starts = |name: &OsString| {
        let name = name.to_string_lossy();
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    env::vars_os()
        .map(|(name, _)| name)
        .filter(starts)
        .collect()
}
