//! Starts processes that outlive this program, finds them again, and ends them. Never one that isn't ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::failure::{Explain, Failure, Outcome};
use crate::tool;
use crate::wait;

/// How long a process may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How long a process lives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Until it is stopped.
    Detached,
    /// Until this program ends, in whatever way: it watches the pipe that it is given as standard input.
    Ours,
}

/// A process by its number and its start time: numbers are used again, the pair is not.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    started: String,
}

/// A process that this program has just started.
pub(crate) struct Started {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

/// Starts `command` in the background, with what it says in `log` and its identity in `pid_file`.
pub(crate) fn start(
    name: &'static str,
    command: &mut Command,
    lifetime: Lifetime,
    log: &Path,
    pid_file: &Path,
) -> Outcome<Started> {
    use std::os::unix::process::CommandExt;

    if !Path::new("/proc/self/stat").exists() {
        let what =
            "The local stack needs Linux: it runs the functions as they are built for Lambda.";
        return Err(Failure::new(what));
    }
    let output = fs::File::create(log).explain(|| format!("Could not write {}", log.display()))?;
    let errors = output
        .try_clone()
        .explain(|| format!("Could not write {}", log.display()))?;
    let input = match lifetime {
        Lifetime::Detached => Stdio::null(),
        Lifetime::Ours => Stdio::piped(),
    };
    // In a group of its own it doesn't get this terminal's Ctrl-C, and it and its children can be ended as one.
    command
        .process_group(0)
        .stdin(input)
        .stdout(output)
        .stderr(errors);
    let child = command
        .spawn()
        .map_err(|error| tool::could_not_start(name, &error))?;
    let pid = child.id();
    let Some((started, _)) = look_up(pid) else {
        return Err(Failure::new(format!("{name} ended at once.")).log(log));
    };
    fs::write(pid_file, format!("{pid} {started}\n"))
        .explain(|| format!("Could not write {}", pid_file.display()))?;
    Ok(Started {
        child,
        name,
        log: log.to_owned(),
    })
}

impl Started {
    /// Waits until the process answers, which `answers` finds out.
    pub(crate) fn until(&mut self, deadline: Duration, answers: impl Fn() -> bool) -> Outcome {
        let ended = wait::until(deadline, Duration::from_millis(30), || {
            if answers() {
                return Some(None);
            }
            self.child.try_wait().ok().flatten().map(Some)
        });
        match ended {
            Some(None) => Ok(()),
            Some(Some(status)) => {
                Err(Failure::new(format!("{} ended at once ({status}).", self.name)).log(&self.log))
            }
            None => {
                let late = format!(
                    "{} did not answer within {} s.",
                    self.name,
                    deadline.as_secs()
                );
                Err(Failure::new(late).log(&self.log))
            }
        }
    }
}

/// The process that `pid_file` names, if it is still the one that was started then.
pub(crate) fn running(pid_file: &Path) -> Option<Process> {
    let text = fs::read_to_string(pid_file).ok()?;
    let (pid, started) = text.trim().split_once(' ')?;
    let process = Process {
        pid: pid.parse().ok()?,
        started: started.to_owned(),
    };
    process.is_alive().then_some(process)
}

impl Process {
    fn is_alive(&self) -> bool {
        look_up(self.pid).is_some_and(|(started, zombie)| started == self.started && !zombie)
    }

    /// Asks the process to end, and ends it and its children if it doesn't.
    pub(crate) fn stop(&self, name: &str) -> Outcome {
        if self.is_alive() {
            signal("TERM", &self.pid.to_string());
        }
        let gone = || (!self.is_alive()).then_some(());
        if wait::until(GRACE, Duration::from_millis(30), gone).is_none() {
            signal("KILL", &self.pid.to_string());
            wait::until(GRACE, Duration::from_millis(30), gone).ok_or_else(|| {
                Failure::new(format!("{name} (process {}) does not end.", self.pid))
            })?;
        }
        // What is left of its group are functions that it was running.
        signal("KILL", &format!("-{}", self.pid));
        Ok(())
    }
}

/// Sends a signal through the shell, which has `kill` built in on every machine.
pub(crate) fn signal(name: &str, target: &str) {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", name, target]);
    // It may have ended in the meantime, which is just what is wanted.
    let _ = kill.stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// The start time of a process, and whether it has ended and only waits to be collected.
fn look_up(pid: u32) -> Option<(String, bool)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets, and may itself hold spaces and brackets.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    // `starttime` is field 22 of the whole line, so the nineteenth after the state.
    let started = fields.nth(18)?;
    Some((started.to_owned(), state == "Z"))
}
