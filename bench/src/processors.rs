//! Who runs on which CPU.
//!
//! On Lambda a function shares its CPU neither with the Runtime API nor with what it calls. Left to the scheduler they
//! share one in some starts and not in others, and a bare function takes 20 µs where they do and 90 where they don't.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs of this machine, dealt out.
#[derive(Debug)]
pub(crate) struct Processors {
    /// Those of the benchmark itself.
    ours: CpuSet,
    /// The one of what is measured.
    measured: CpuSet,
}

impl Processors {
    /// Keeps one CPU for what is measured, and this thread and those that it starts on the others. None where there is
    /// but one.
    pub(crate) fn deal() -> io::Result<Option<Self>> {
        let all = sched_getaffinity(None)?;
        let Some((ours, measured)) = dealt(&all) else {
            return Ok(None);
        };
        sched_setaffinity(None, &ours)?;
        Ok(Some(Self { ours, measured }))
    }

    /// Does something where the measured are, such as starting one: a process stays where it was started.
    pub(crate) fn there<T>(&self, something: impl FnOnce() -> T) -> io::Result<T> {
        sched_setaffinity(None, &self.measured)?;
        let done = something();
        sched_setaffinity(None, &self.ours)?;
        Ok(done)
    }
}

/// All CPUs but the last, and the last.
fn dealt(all: &CpuSet) -> Option<(CpuSet, CpuSet)> {
    let last = (0..CpuSet::MAX_CPU).rfind(|cpu| all.is_set(*cpu))?;
    let (mut ours, mut measured) = (*all, CpuSet::new());
    ours.unset(last);
    measured.set(last);
    (ours.count() > 0).then_some((ours, measured))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cpus: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        for cpu in cpus {
            set.set(*cpu);
        }
        set
    }

    #[test]
    fn what_is_measured_has_the_last_cpu_to_itself() {
        let dealt = dealt(&set(&[1, 2, 5]));
        assert_eq!(dealt, Some((set(&[1, 2]), set(&[5]))));
    }

    #[test]
    fn a_single_cpu_is_shared() {
        assert_eq!(dealt(&set(&[3])), None);
    }
}
