//! A running program, and what Linux says that it has used.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    certificates::Certificates, failure::Failure, programs::Environment, programs::Program,
};

/// How many of the ticks that `/proc` counts in make a second. It is the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// A running program. It is stopped when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// When it was started.
    pub(crate) started: Instant,
    /// What it writes.
    pub(crate) log: PathBuf,
}

impl Process {
    /// Starts a program as Lambda would, with the environment that it has there.
    pub(crate) fn start(
        program: &Program,
        environment: &Environment,
        certificates: &Certificates,
        runtime_api: &str,
        stand_in: &str,
        logs: &Path,
    ) -> Result<Self, Failure> {
        let log = logs.join(format!("{}.log", file_name(&program.name)));
        let out = File::create(&log).map_err(Failure::machine("write a log"))?;
        let errors = out.try_clone().map_err(Failure::machine("write a log"))?;
        let words: Vec<_> = program.command.iter().collect();
        let (first, rest) = words
            .split_first()
            .ok_or_else(|| Failure::Unknown(program.name.clone()))?;
        let mut command = Command::new(first);
        command.args(rest).current_dir(&program.folder);
        command.env_clear().env("PATH", path());
        for (name, value) in &environment.variables {
            command.env(name, value.replace("{stand-in}", stand_in));
        }
        let memory = program.memory_mb.to_string();
        command.envs([
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", program.name.as_str()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.as_str()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "ASIABENCHBENCHBENCH0"),
            ("AWS_SECRET_ACCESS_KEY", "bench"),
            ("AWS_SESSION_TOKEN", "bench"),
            ("AWS_ENDPOINT_URL", stand_in),
            ("_HANDLER", "bootstrap"),
        ]);
        // Each language has its own way of being told whom to trust.
        command.env("SSL_CERT_FILE", &certificates.bundle);
        command.env("AWS_CA_BUNDLE", &certificates.bundle);
        command.env("NODE_EXTRA_CA_CERTS", &certificates.authority);
        command.env("LAMBDA_TASK_ROOT", &program.folder);
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let started = Instant::now();
        let child = command.spawn();
        Ok(Self {
            child: child.map_err(Failure::machine(format!("start {}", program.name)))?,
            started,
            log,
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The CPU time that it has used, in the kernel and outside, to the hundredth of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id()));
        let ticks = stat.ok().and_then(|stat| ticks(&stat)).unwrap_or_default();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// The most memory that it has had at once, in kB.
    pub(crate) fn peak_memory_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        status
            .ok()
            .and_then(|status| peak_kb(&status))
            .unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `utime` and `stime`, which are the 14th and 15th words. The second is the program's name, and may have spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut words = rest.split_whitespace().skip(11);
    let mut next = || words.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

fn peak_kb(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn file_name(name: &str) -> String {
    let kept = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    name.chars().map(kept).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "interpreters are where the person who runs this has them"
)]
fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_program_is_read_whatever_its_name_is() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 31 11 0 0 20 0 1 0 100 1 1";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn the_peak_of_the_memory_is_not_what_is_used_now() {
        let status = "VmPeak:\t  9 kB\nVmHWM:\t   11612 kB\nVmRSS:\t   10 kB\n";
        assert_eq!(peak_kb(status), Some(11612));
    }
}
