//! Candidates on trial: does this smaller plan still fail as is meant?
//!
//! Candidates run side by side, each in a worker, and of those that fail the first in line is taken, whoever
//! is done first: what comes of a shrink does not depend on how many run at once.

use crate::exit::Failure;
use crate::job::{Done, Job, Settings, Task};
use crate::pool::{Dead, Worker};
use std::time::Duration;
use tokio::task::JoinSet;
use tumbler_plan::{Fingerprint, Plan};
use tumbler_reports::SeedReport;
use tumbler_types::FaultId;

/// Runs candidates, and knows which failure is meant.
pub struct Trial {
    pub workers: Vec<Worker>,
    pub jobs: usize,
    pub settings: Settings,
    pub limit: Duration,
    pub name: String,
    pub meant: Fingerprint,
    pub runs: u64,
    /// A name that no fault has had.
    pub unnamed: FaultId,
}

/// A plan that fails as is meant, and how.
#[derive(Clone, Debug)]
pub struct Failing {
    pub plan: Plan,
    pub report: SeedReport,
}

impl Trial {
    /// The plan, if it fails as it should.
    pub async fn failing(&mut self, plan: &Plan) -> Result<Option<Failing>, Failure> {
        self.first(std::iter::once(plan.clone())).await.map(|found| found.map(|(_, failing)| failing))
    }

    /// The first candidate in line that fails as it should, and its place.
    pub async fn first(
        &mut self,
        candidates: impl Iterator<Item = Plan>,
    ) -> Result<Option<(usize, Failing)>, Failure> {
        let mut line = candidates.enumerate().peekable();
        while line.peek().is_some() {
            let mut running = JoinSet::new();
            for (place, plan) in line.by_ref().take(self.jobs) {
                let worker = self.worker().await?;
                let job =
                    self.job(plan, Task::Judge { recheck: false, probe: false, blame: false, follow: false });
                running.spawn(ask(worker, job, self.limit, place));
            }
            let mut found: Option<(usize, Failing)> = None;
            while let Some(tried) = running.join_next().await {
                let internal = |error| Failure::Internal(format!("a trial broke off: {error}"));
                let Tried { place, worker, job, answer } = tried.map_err(internal)?;
                // A worker that dies of a candidate is replaced; the candidate is none.
                let Ok(done) = answer else { continue };
                self.workers.push(worker);
                let is_first = found.as_ref().is_none_or(|(other, _)| place < *other);
                if is_first && self.is_meant(&done.report) {
                    found = Some((place, Failing { plan: job.plan, report: done.report }));
                }
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The plan with what a fault of links did to single messages in its place; none if it did nothing.
    pub async fn realized(&mut self, plan: &Plan, fault: FaultId) -> Result<Option<Plan>, Failure> {
        let worker = self.worker().await?;
        let job = self.job(plan.clone(), Task::Realize { fault, first: self.unnamed });
        let Tried { worker, answer, .. } = ask(worker, job, self.limit, 0).await;
        let Ok(done) = answer else { return Ok(None) };
        self.workers.push(worker);
        let last = done.edited.iter().flat_map(|plan| &plan.faults).map(|each| each.id).max();
        self.unnamed = last.map_or(self.unnamed, |last| self.unnamed.max(last.next()));
        Ok(done.edited)
    }

    async fn worker(&mut self) -> Result<Worker, Failure> {
        match self.workers.pop() {
            Some(worker) => Ok(worker),
            None => Worker::start(&self.settings).await,
        }
    }

    fn job(&mut self, plan: Plan, task: Task) -> Job {
        self.runs += 1;
        Job { id: self.runs, name: self.name.clone(), plan, task }
    }

    fn is_meant(&self, report: &SeedReport) -> bool {
        let Fingerprint { verdict, invariant, role, phase, faults: _ } = &self.meant;
        report.fingerprint.as_ref().is_some_and(|got| {
            (&got.verdict, &got.invariant, &got.role, &got.phase) == (verdict, invariant, role, phase)
        })
    }
}

/// One candidate's run.
struct Tried {
    place: usize,
    worker: Worker,
    job: Job,
    answer: Result<Done, Dead>,
}

async fn ask(mut worker: Worker, job: Job, limit: Duration, place: usize) -> Tried {
    // One that is gone says so when it is asked for its answer.
    let _ = worker.give(std::slice::from_ref(&job)).await;
    let answer = worker.answer(&job, limit).await;
    Tried { place, worker, job, answer }
}
