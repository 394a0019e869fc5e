//! One processor for a fork server and for the thread that speaks to it.
//!
//! The two take turns: while one works the other waits. On two processors each turn wakes a sleeping one,
//! and a tenth of the time goes into that.
//!
//! It deliberately decides nothing of a run, and where it is refused all goes on as it is.

/// Keeps this thread, and whatever it starts from now on, to one of `jobs` processors; if there are not
/// exactly so many, somebody has better use for the others.
#[cfg(target_os = "linux")]
pub fn keep_to_one(index: usize, jobs: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut each = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
    if usize::try_from(allowed.count()) != Ok(jobs) {
        return;
    }
    if let Some(cpu) = each.nth(index) {
        let mut one = CpuSet::new();
        one.set(cpu);
        // Refused in some containers.
        let _ = sched_setaffinity(None, &one);
    }
}

#[cfg(not(target_os = "linux"))]
pub fn keep_to_one(_index: usize, _jobs: usize) {}
