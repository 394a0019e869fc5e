//! A batch: plans out to several fork servers, reports in, taken in the order of the plans.
//!
//! It deliberately knows nothing of what a report means: the caller absorbs it, and may have enough.

use super::Rotator;
use super::process::watched;
use super::processor::keep_to_one;
use crate::exit::Failure;
use crate::run::Share;
use crate::sweep::Ended;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tumbler_foreign::{Plan, Report};
use tumbler_reports::Recheck;

/// What became of a batch.
pub struct Batch {
    /// Of the first plans; of all, if it ended whole.
    pub reports: Vec<Report>,
    pub ended: Ended,
}

/// Runs plans. Reports are absorbed in the order of the plans, for every `jobs`; after the caller had
/// enough, or somebody interrupted, runs that are under way are waited for and forgotten.
pub fn run_batch(
    rotator: &Rotator,
    plans: &[Plan],
    jobs: usize,
    limit: Duration,
    absorb: impl FnMut(&Report) -> ControlFlow<()>,
) -> Result<Batch, Failure> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = |job: usize, sender: UnboundedSender<(usize, Report)>| {
        keep_to_one(job, jobs);
        let mut guests = rotator.guests(limit);
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(plan) = plans.get(index) else { return };
            let report = tumbler_foreign::run(plan, guests.as_mut());
            if sender.send((index, report)).is_err() {
                return;
            }
        }
    };
    let work = &work;
    std::thread::scope(|scope| {
        let (sender, results) = unbounded_channel();
        for job in 0..jobs.min(plans.len()).max(1) {
            let sender = sender.clone();
            scope.spawn(move || work(job, sender));
        }
        drop(sender);
        let batch = crate::block_on(take(results, absorb));
        stop.store(true, Ordering::Relaxed);
        batch
    })
}

/// One run, without anybody's say.
pub fn run_one(rotator: &Rotator, plan: &Plan, limit: Duration) -> Result<Report, Failure> {
    watched(|| tumbler_foreign::run(plan, rotator.guests(limit).as_mut()))
}

/// A share of the runs once more, on other processes: the same digest, or another.
pub fn rechecked(
    rotator: &Rotator,
    plans: &[Plan],
    reports: &[Report],
    share: Share,
    limit: Duration,
) -> Result<BTreeMap<usize, Recheck>, Failure> {
    let taken: Vec<usize> = (0..reports.len()).filter(|index| share.takes(*index as u64)).collect();
    let chosen: Vec<Plan> = taken.iter().map(|index| plans[*index].clone()).collect();
    if chosen.is_empty() {
        return Ok(BTreeMap::new());
    }
    let again = run_batch(rotator, &chosen, 1, limit, |_| ControlFlow::Continue(()))?;
    let compare = |(index, again): (usize, &Report)| {
        let equal = reports[index].digest == again.digest;
        (index, if equal { Recheck::Equal } else { Recheck::Differs })
    };
    Ok(taken.into_iter().zip(&again.reports).map(compare).collect())
}

async fn take(
    mut results: UnboundedReceiver<(usize, Report)>,
    mut absorb: impl FnMut(&Report) -> ControlFlow<()>,
) -> Result<Batch, Failure> {
    let unheard = |error: std::io::Error| Failure::Internal(format!("failed to listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let (mut waiting, mut reports) = (BTreeMap::new(), Vec::new());
    loop {
        let result = tokio::select! {
            biased;
            _ = interrupt.recv() => return Ok(Batch { reports, ended: Ended::Interrupted }),
            _ = terminate.recv() => return Ok(Batch { reports, ended: Ended::Interrupted }),
            result = results.recv() => result,
        };
        let Some((index, report)) = result else { return Ok(Batch { reports, ended: Ended::Whole }) };
        waiting.insert(index, report);
        while let Some(report) = waiting.remove(&reports.len()) {
            let told = absorb(&report);
            reports.push(report);
            if told.is_break() {
                return Ok(Batch { reports, ended: Ended::Stopped });
            }
        }
    }
}
