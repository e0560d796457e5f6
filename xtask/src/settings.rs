//! The settings of a deployed stack, and the file that hands them to tests, tools and people.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::failure::{Explain, Failure, Outcome};

/// Settings by name, as `KEY=VALUE` lines in a file.
#[derive(Clone, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads a file of settings.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let text =
            fs::read_to_string(path).explain(|| format!("Could not read {}", path.display()))?;
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Ok(Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }

    /// Writes the settings into a file that only its owner can read: there is a password among them.
    pub(crate) fn write(&self, path: &Path) -> Outcome {
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        let text = lines.concat();
        write_private(path, &text)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }

    /// Sets one.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets one under the name of a stack output: `ApiUrl` becomes `API_URL`.
    pub(crate) fn set_output(&mut self, output: &str, value: &str) {
        self.set(&upper_snake(output), value);
    }

    /// The value of a setting that has to be there.
    pub(crate) fn get(&self, name: &str) -> Outcome<&str> {
        self.0.get(name).map(String::as_str).ok_or_else(|| {
            Failure::new(format!("The stack's settings lack {name}."))
                .advice("Start the stack anew: cargo xtask down, then cargo xtask up.")
        })
    }
}

/// Writes a file that only its owner can read, all of it or nothing.
pub(crate) fn write_private(path: &Path, text: &str) -> Outcome {
    let what = || format!("Could not write {}", path.display());
    let unfinished = path.with_extension("unfinished");
    let _ = fs::remove_file(&unfinished);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .explain(what)?;
    file.write_all(text.as_bytes()).explain(what)?;
    fs::rename(&unfinished, path).explain(what)
}

fn upper_snake(pascal: &str) -> String {
    let mut snake = String::new();
    for letter in pascal.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::upper_snake;

    #[test]
    fn a_setting_is_named_like_its_output() {
        assert_eq!(upper_snake("ApiUrl"), "API_URL");
        assert_eq!(upper_snake("PlacedOrdersDlqUrl"), "PLACED_ORDERS_DLQ_URL");
    }
}
