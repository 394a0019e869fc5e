//! What a command looks at: a capsule, or one seed of a scenario.
//!
//! It exists so that every command that takes one reads it alike, and refuses it alike. A plan runs in a
//! worker of its own, like any seed: a capsule may hold a run that kills its process.

use crate::exit::Failure;
use crate::job::{Done, Job, Settings};
use crate::pool::{Dead, Worker};
use crate::{foreign, judgement, selection};
use std::time::Duration;
use tumbler_plan::{Capsule, Plan};

/// A run that can be run again.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What was typed.
    pub word: String,
    /// What its row is called.
    pub name: String,
    pub plan: Plan,
    pub capsule: Option<Capsule>,
}

impl Subject {
    /// `x.repro.json`, or `SCENARIO@SEED`.
    pub fn parse(word: &str) -> Result<Self, Failure> {
        if word.ends_with(".json") {
            return Self::of_capsule(word);
        }
        let expected = || Failure::Usage(format!("expected a capsule or SCENARIO@SEED, got `{word}`"));
        let (name, seed) = word.rsplit_once('@').ok_or_else(expected)?;
        let seed: u64 = seed.parse().map_err(|_| expected())?;
        Ok(Subject {
            word: word.to_owned(),
            name: name.to_owned(),
            plan: of_scenario(name, seed)?,
            capsule: None,
        })
    }

    /// What a capsule's file holds.
    pub fn of_capsule(file: &str) -> Result<Self, Failure> {
        let capsule = capsule(file)?;
        Ok(Subject {
            word: file.to_owned(),
            name: capsule.scenario.clone(),
            plan: capsule.plan.clone(),
            capsule: Some(capsule),
        })
    }
}

/// Reads a capsule.
pub fn capsule(file: &str) -> Result<Capsule, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|why| Failure::Unreadable { file: file.to_owned(), why })?;
    if foreign::capsule::Capsule::read(file)?.is_some() {
        let why = "it is of a rotation function: `replay`, `shrink`, `explain`\n  and `trace export --format jsonl` take it";
        return Err(Failure::Inapplicable { file: file.to_owned(), why: why.to_owned() });
    }
    Capsule::parse(&text).map_err(|why| Failure::Capsule { file: file.to_owned(), why })
}

/// The plan of one seed; rows of planted runs are called `SCENARIO+BUG`.
pub fn of_scenario(name: &str, seed: u64) -> Result<Plan, Failure> {
    let (scenario, planted) = selection::one_planted(name)?;
    let plan = scenario.plan(seed);
    Ok(Plan { planted: planted.or(plan.planted), ..plan })
}

/// Runs a job in a worker of its own. That the worker died is an answer too.
pub async fn once(settings: &Settings, limit: Duration, job: &Job) -> Result<Done, Failure> {
    let mut worker = Worker::start(settings).await?;
    if let Err(error) = worker.give(std::slice::from_ref(job)).await {
        return Err(Failure::Internal(format!("failed to speak to a worker: {error}")));
    }
    let died = |dead: Dead| Done::of(0, judgement::died(&job.name, &job.plan, dead.words(job)));
    Ok(worker.answer(job, limit).await.unwrap_or_else(died))
}
