//! A seed run again: in another process, by the other driver, on another sandbox seed.
//!
//! It exists because a process agrees with itself too easily: what lies at an address, hangs on a hash seed
//! or was counted since the process began is the same for both runs in one process. The other process
//! serves many seeds, so a recheck costs a run and no start; it takes them in another order, and is
//! replaced after some, so that the two have no past in common either.
//!
//! It deliberately tells only where two runs differ. Whoever asked gives the seed its verdict.

use crate::difference::interval;
use crate::exit::Failure;
use crate::job::{Done, Job, Settings, Task};
use crate::judgement;
use crate::pool::{Dead, Worker};
use crate::watch::ProcessFault;
use std::time::Duration;
use tumbler_plan::LastWords;
use tumbler_reports::Difference;

/// A second process beside a worker, started when it is needed.
pub struct Recheck {
    settings: Settings,
    limit: Duration,
    worker: Option<Worker>,
    /// Runs of the worker that lives.
    served: u32,
}

impl Recheck {
    /// `settings` are those of the first run.
    pub fn new(settings: &Settings, limit: Duration) -> Self {
        let madsim_seed = settings.madsim_seed.wrapping_add(SEED_OFFSET);
        let settings = Settings {
            tasks_driver: !settings.tasks_driver,
            madsim_seed,
            process_fault: settings.process_fault.map(ProcessFault::rechecking),
            ..settings.clone()
        };
        Recheck { settings, limit, worker: None, served: 0 }
    }

    /// Runs a job again whose first run came to `done`, in `first` if that process still lives, and notes
    /// in its report whether both agree at every checkpoint.
    pub async fn check(
        &mut self,
        job: &Job,
        done: &mut Done,
        first: Option<&mut Worker>,
    ) -> Result<(), Failure> {
        let mut again = self.run(job, Task::Chain).await?;
        if again.is_err() {
            // A process that served others may have died of what they left in it.
            again = self.run(job, Task::Chain).await?;
        }
        let chain = std::mem::take(&mut done.samples);
        let last = match &again {
            Ok(again) => again.report.last.clone(),
            Err(dead) => Some(dead.words(job)),
        };
        let samples = again.map_or(Vec::new(), |again| again.samples);
        judgement::rechecked(&mut done.report, chain == samples);
        if let Some(last) = last {
            let why = format!("run again in another process, {}", last.why);
            done.report.last = Some(LastWords { why, ..last });
        } else if chain != samples {
            let (from, to) = interval(&chain, &samples);
            done.report.difference = self.difference(job, first, from, to).await?;
        }
        Ok(())
    }

    /// Where the runs of both processes differ: asked of the two that did, because a third might side with
    /// either. If the first is gone, another takes its place.
    async fn difference(
        &mut self,
        job: &Job,
        first: Option<&mut Worker>,
        from: u64,
        to: u64,
    ) -> Result<Option<Difference>, Failure> {
        let task = Task::Slice { from, to };
        let own = Settings {
            tasks_driver: !self.settings.tasks_driver,
            madsim_seed: self.settings.madsim_seed.wrapping_sub(SEED_OFFSET),
            ..self.settings.clone()
        };
        let left = match first {
            Some(worker) => ask(worker, job, task.clone(), self.limit).await,
            None => ask(&mut Worker::start(&own).await?, job, task.clone(), self.limit).await,
        };
        let right = self.run(job, task).await?;
        Ok(match (left, right) {
            (Ok(left), Ok(right)) => Difference::first(&left.lines, &right.lines),
            _ => None,
        })
    }

    /// One task in the process, which is started if there is none. One that dies is not asked again.
    async fn run(&mut self, job: &Job, task: Task) -> Result<Result<Done, Dead>, Failure> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => {
                self.served = 0;
                Worker::start(&self.settings).await?
            }
        };
        let answer = ask(&mut worker, job, task, self.limit).await;
        self.served += 1;
        if answer.is_ok() && self.served < SERVED_MAX {
            self.worker = Some(worker);
        }
        Ok(answer)
    }
}

async fn ask(worker: &mut Worker, job: &Job, task: Task, limit: Duration) -> Result<Done, Dead> {
    let job = Job { task, ..job.clone() };
    // One that is gone says so when it is asked for its answer.
    let _ = worker.give(std::slice::from_ref(&job)).await;
    worker.answer(&job, limit).await
}

/// Any other seed will do.
const SEED_OFFSET: u64 = 0x7465_6d70_6c65;
/// Runs that a process serves before it is replaced: a start is a hundredth of them.
const SERVED_MAX: u32 = 32;
