//! Holds a program to the share of a CPU that Lambda gives a function of some memory, with a control group.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// The memory in MB for which Lambda gives one whole CPU.
const MEMORY_OF_ONE_CPU: u32 = 1769;

/// How often the share is dealt out, in microseconds. Lambda deals it out about this often too; with a longer period
/// a short invocation would never meet its limit.
const PERIOD_US: u32 = 20_000;

/// Where control groups are.
const ROOT: &str = "/sys/fs/cgroup";

/// A control group of this program's own. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Throttle {
    folder: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy)]
enum Version {
    /// One hierarchy for each controller.
    One,
    /// One hierarchy for all.
    Two,
}

impl Throttle {
    /// Makes a control group.
    ///
    /// # Errors
    /// Why the machine has none to give.
    pub(crate) fn make() -> Result<Self, String> {
        let root = Path::new(ROOT);
        let unified = fs::read_to_string(root.join("cgroup.subtree_control"));
        let (root, version) = match unified {
            Ok(controllers) if controllers.split_whitespace().any(|one| one == "cpu") => {
                (root.to_owned(), Version::Two)
            }
            Ok(_) => return Err(format!("{ROOT} doesn't hand on the controller `cpu`")),
            Err(_) if root.join("cpu/cpu.cfs_quota_us").exists() => {
                (root.join("cpu"), Version::One)
            }
            Err(_) => return Err(format!("{ROOT} has no controller `cpu`")),
        };
        let folder = root.join(format!("oxcart-bench-{}", process::id()));
        let made = fs::create_dir(&folder);
        made.map_err(|error| format!("{} can't be made: {error}", folder.display()))?;
        let made = Self { folder, version };
        made.limit(MEMORY_OF_ONE_CPU)
            .map_err(|error| format!("{} can't be limited: {error}", made.folder.display()))?;
        Ok(made)
    }

    /// Holds the running program `pid` to the share of a function with `memory_mb`, from now on.
    pub(crate) fn hold(&self, pid: u32, memory_mb: u32) -> io::Result<()> {
        self.limit(memory_mb)?;
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    fn limit(&self, memory_mb: u32) -> io::Result<()> {
        let quota = quota_us(memory_mb);
        match self.version {
            Version::One => {
                let write = |file, value: u32| fs::write(self.folder.join(file), value.to_string());
                write("cpu.cfs_period_us", PERIOD_US)?;
                write("cpu.cfs_quota_us", quota)
            }
            Version::Two => {
                let share = format!("{quota} {PERIOD_US}");
                fs::write(self.folder.join("cpu.max"), share)
            }
        }
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        // It is empty: what was held has ended.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn quota_us(memory_mb: u32) -> u32 {
    PERIOD_US * memory_mb / MEMORY_OF_ONE_CPU
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_a_cpu_follows_the_memory() {
        assert_eq!(quota_us(1769), PERIOD_US);
        assert_eq!(quota_us(256), 2894);
    }
}
