//! Looks for what must not be there in all that a stack wrote while it was tested: passwords, tokens, addresses.
//!
//! The tests leave a list of what they were given and what they made up; a few more are known beforehand. The search is
//! for these texts, wherever they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::{Explain, Failure, Outcome};
use crate::settings::Settings;

/// Where the tests leave their list, beside the stack's settings.
const PLANTED: &str = "canaries.txt";

/// What is searched, in the folder of the logs: what the functions wrote, their spans, and what the local cloud and the
/// payment stand-in wrote of them. What the tests themselves write is theirs.
const SEARCHED: [&str; 5] = [
    "functions",
    "spans.jsonl",
    "cloud.log",
    "gateway.log",
    "faults.log",
];

/// The local cloud's mail server, which has to know whom a mail is for, and says so.
const POSTMAN: &str = "[ses-v2] SESv2 SendEmail:";

/// What all tests pay with and sign up with.
const KNOWN: [&str; 5] = [
    "correct horse battery staple",
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "@example.com",
    "_secret_",
];

/// The settings that are secrets.
const SECRET_SETTINGS: [&str; 4] = [
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "GATEWAY_SECRET_KEY",
    "PAYMENT_WEBHOOK_SECRET",
];

/// Fails if the stack whose settings are in `settings_file` wrote a secret into its logs or spans. Answers how many
/// texts were looked for.
pub(crate) fn check(settings_file: &Path, settings: &Settings, logs: &Path) -> Outcome<usize> {
    let planted = settings_file.with_file_name(PLANTED);
    let planted = fs::read_to_string(&planted)
        .explain(|| format!("The tests left no {}", planted.display()))?;
    let mut canaries: BTreeSet<&str> = planted.lines().filter(|line| !line.is_empty()).collect();
    canaries.extend(KNOWN);
    for name in SECRET_SETTINGS {
        canaries.insert(settings.get(name)?);
    }
    let found = leaks(&canaries, logs)?;
    if found.is_empty() {
        return Ok(canaries.len());
    }
    let shown: Vec<&str> = found.lines().take(10).collect();
    Err(Failure::new(format!(
        "What nobody may read was written down:\n{}",
        shown.join("\n")
    )))
}

/// The lines that hold one of `canaries`, each after the name of its file.
fn leaks(canaries: &BTreeSet<&str>, logs: &Path) -> Outcome<String> {
    let patterns = logs.with_extension("canaries");
    let all: Vec<&str> = canaries.iter().copied().collect();
    fs::write(&patterns, all.join("\n"))
        .explain(|| format!("Could not write {}", patterns.display()))?;
    let mut grep = Command::new("grep");
    grep.args(["--recursive", "--fixed-strings", "--text"]);
    grep.arg("--file").arg(&patterns);
    for name in SEARCHED {
        grep.arg(logs.join(name));
    }
    let output = grep.stdin(Stdio::null()).output();
    let output = output.explain(|| "grep can't be run".to_owned())?;
    let _ = fs::remove_file(&patterns);
    match output.status.code() {
        Some(0 | 1) => {
            let found = String::from_utf8_lossy(&output.stdout);
            let told = found.lines().filter(|line| !line.contains(POSTMAN));
            Ok(told.collect::<Vec<_>>().join("\n"))
        }
        _ => Err(Failure::new(format!(
            "grep failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_was_written() {
        let logs = std::env::temp_dir().join(format!("oxcart-secrets-{}", std::process::id()));
        fs::create_dir_all(logs.join("functions")).unwrap();
        for name in SEARCHED.into_iter().skip(1) {
            fs::write(logs.join(name), "{\"name\":\"POST /orders\"}\n").unwrap();
        }
        let canaries = BTreeSet::from(["eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "hunter2-hunter2"]);
        assert_eq!(leaks(&canaries, &logs).unwrap(), "");

        let line = "{\"message\":\"said hunter2-hunter2\"}\n";
        for place in ["functions/shop-login.log", "spans.jsonl"] {
            let file = logs.join(place);
            let before = fs::read_to_string(&file).unwrap_or_default();
            fs::write(&file, format!("{before}{line}")).unwrap();
            assert!(leaks(&canaries, &logs).unwrap().contains(place), "{place}");
            fs::write(&file, before).unwrap();
        }
        fs::remove_file(logs.join("spans.jsonl")).unwrap();
        assert!(
            leaks(&canaries, &logs).is_err(),
            "what isn't there isn't clean"
        );
        fs::remove_dir_all(&logs).unwrap();
    }
}
