//! The sweep: jobs out, results in, taken in order.
//!
//! Workers finish in any order; results are taken in the order of the jobs, so that everything made
//! from them is equal for every number of workers. Only results ahead of the slowest are held.
//!
//! It deliberately knows nothing of what a result means: the caller absorbs it.

use crate::exit::Failure;
use crate::job::{Done, Job};
use crate::pool::Pool;
use crate::progress::{HEARTBEAT, Progress};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tokio::signal::unix::{SignalKind, signal};
use tumbler_types::Verdict;

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ended {
    Whole,
    /// The caller had enough.
    Stopped,
    /// Somebody interrupted it; what was done by then was absorbed.
    Interrupted,
}

/// Runs all jobs, whose ids must count from 0.
pub async fn sweep(
    pool: &Pool,
    jobs: Box<dyn Iterator<Item = Job> + Send>,
    progress: &mut Progress,
    mut absorb: impl FnMut(Done) -> Result<ControlFlow<()>, Failure>,
) -> Result<Ended, Failure> {
    let unheard = |error: std::io::Error| Failure::Internal(format!("failed to listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let mut results = pool.start(jobs);
    let mut waiting: BTreeMap<u64, Done> = BTreeMap::new();
    let mut next = 0;
    let mut tick = tokio::time::interval(HEARTBEAT);
    loop {
        let result = tokio::select! {
            biased;
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            result = results.next() => result,
            _ = tick.tick() => {
                progress.beat();
                continue;
            }
        };
        let Some(done) = result else { return Ok(Ended::Whole) };
        let done = done?;
        progress.done(done.report.row.verdict != Verdict::Pass);
        waiting.insert(done.id, done);
        while let Some(done) = waiting.remove(&next) {
            next += 1;
            if absorb(done)?.is_break() {
                return Ok(Ended::Stopped);
            }
        }
    }
    // Interrupted: what is known beyond the first gap is worth keeping too.
    for done in waiting.into_values() {
        let _ = absorb(done)?;
    }
    Ok(Ended::Interrupted)
}
