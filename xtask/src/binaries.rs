//! Checks what can only be seen in the binaries: that they start on Amazon Linux 2023, and start quickly.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::build::Built;
use crate::failure::{Explain, Failure, Outcome};
use crate::tool;

/// The C library of the `provided.al2023` runtime.
const AVAILABLE_GLIBC: (u32, u32) = (2, 34);

/// What every name in the code for CPU-jitter entropy holds.
const JITTER: &[u8] = b"jent_";

/// Checks all functions of a build. Answers what was found, in a sentence.
pub(crate) fn check(built: &Built) -> Outcome<String> {
    let mut newest = (0, 0);
    for (name, executable) in &built.functions {
        let wanted = needed_glibc(executable)?;
        if wanted > AVAILABLE_GLIBC {
            let what = format!(
                "{name} needs GLIBC_{}.{}, and the Lambda runtime has no newer one than ",
                wanted.0, wanted.1
            );
            let what = format!("{what}GLIBC_{}.{}.", AVAILABLE_GLIBC.0, AVAILABLE_GLIBC.1);
            return Err(Failure::new(what)
                .advice("Build on a system that is as old as Amazon Linux 2023, or Debian 12."));
        }
        newest = newest.max(wanted);
    }
    if built.aws_lc.is_empty() {
        return Err(Failure::new(
            "The build has no aws-lc-sys, so there is no telling how it gathers entropy.",
        ));
    }
    for out_dir in &built.aws_lc {
        refuse_jitter(out_dir)?;
    }
    let count = built.functions.len();
    Ok(format!(
        "{count} functions need GLIBC_{}.{} at most and gather no CPU-jitter entropy",
        newest.0, newest.1
    ))
}

/// The newest version of the C library that an executable asks for.
fn needed_glibc(executable: &Path) -> Outcome<(u32, u32)> {
    let symbols = tool::output_of("objdump", Command::new("objdump").arg("-T").arg(executable))
        .map_err(|failure| {
            failure.advice("objdump is part of binutils, which comes with a C compiler.")
        })?;
    let versions = symbols.split("GLIBC_").skip(1).filter_map(version);
    versions
        .max()
        .ok_or_else(|| Failure::new(format!("{} names no GLIBC version.", executable.display())))
}

/// `(2, 34)` out of text that starts with `2.34`.
fn version(text: &str) -> Option<(u32, u32)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let mut numbers = text
        .get(..end)?
        .split('.')
        .map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// The functions are stripped, so this looks into the library that they were linked with.
fn refuse_jitter(out_dir: &Path) -> Outcome {
    let what = || format!("Could not read {}", out_dir.display());
    let mut libraries = 0;
    for entry in fs::read_dir(out_dir).explain(what)?.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "a") {
            continue;
        }
        libraries += 1;
        let library = fs::read(&path).explain(what)?;
        if library.windows(JITTER.len()).any(|window| window == JITTER) {
            let what = "The functions gather CPU-jitter entropy: 0.4 s more for the first call of each environment.";
            return Err(Failure::new(what).advice(
                "AWS_LC_SYS_NO_JITTER_ENTROPY=1 has to be set while aws-lc-sys is built; .cargo/config.toml does it.",
            ));
        }
    }
    if libraries == 0 {
        return Err(Failure::new(format!(
            "There is no library of aws-lc in {}.",
            out_dir.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_ends_where_its_number_does() {
        assert_eq!(version("2.34)   pthread_create"), Some((2, 34)));
        assert_eq!(version("2.2.5   malloc"), Some((2, 2)));
        assert_eq!(version("PRIVATE"), None);
    }
}
