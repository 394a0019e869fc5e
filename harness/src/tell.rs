//! Telling a finding: run it once more with the trace kept, and put it in a capsule.
//!
//! The second run is a check as well: a failure whose digest is another the second time is
//! Nondeterministic, whatever it was the first time.
//!
//! A run that killed its worker cannot tell its story. Its last event is searched for: the longest
//! prefix that a fresh worker survives.

use crate::difference::{Compared, Side, compare};
use crate::exit::Failure;
use crate::folder::{Folder, capsule_name};
use crate::identity;
use crate::job::{Done, Job, Samples, Settings, Task};
use crate::pool::Worker;
use crate::terminal::word;
use std::time::Duration;
use tumbler_plan::{Build, Capsule, Expect, LastWords, Plan, plan_digest};
use tumbler_reports::finding::decisive;
use tumbler_reports::{Difference, SeedReport};
use tumbler_types::Verdict;

/// Tells findings, one at a time.
pub struct Teller {
    folder: Folder,
    build: Build,
    settings: Settings,
    limit: Duration,
}

/// A finding told.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The report, with its story.
    pub report: SeedReport,
    /// The line that replays it.
    pub replay: String,
    /// Name of the capsule's file.
    pub capsule: String,
}

impl Teller {
    pub fn new(folder: &Folder, settings: &Settings, limit: Duration) -> Result<Teller, Failure> {
        Ok(Teller { folder: folder.clone(), build: identity::build()?, settings: settings.clone(), limit })
    }

    /// Tells what `first` reports of `plan`, and writes the capsule.
    pub async fn tell(&self, plan: &Plan, first: &SeedReport, suffix: &str) -> Result<Telling, Failure> {
        let name = &first.row.scenario;
        let told = match (first.row.trace_digest, &first.last) {
            (None, Some(last)) => self.locate(name, plan, last).await?,
            _ => self.ask(name, plan, None, Samples::Chosen, self.limit).await?,
        };
        let mut report = first.clone();
        if let (None, Some(last)) = (first.row.trace_digest, &mut report.last)
            && last.node.is_none()
        {
            last.node = self.announced(name, plan).await?;
        }
        let mut samples = Vec::new();
        let mut digest = None;
        if let Some(Done { report: again, samples: found, .. }) = told {
            report.story = again.story;
            report.fired = again.fired;
            for (known, found) in report.broken.iter_mut().zip(again.broken) {
                known.ahead = found.ahead;
            }
            // The first look may not have asked which faults the failure needs; a replay will.
            if let (Some(known), Some(found)) = (&mut report.fingerprint, again.fingerprint) {
                known.faults = found.faults;
            }
            samples = found;
            match &mut report.last {
                // The worker's last words, made exact; or the panic's own.
                Some(last) if first.row.trace_digest.is_none() => {
                    exact(last, &report.story, again.row.events)
                }
                _ => digest = again.row.trace_digest,
            }
            let unedited = suffix.is_empty() && first.row.trace_digest.is_some();
            if unedited && digest != first.row.trace_digest {
                report.row.verdict = Verdict::Nondeterministic;
                report.row.invariant = None;
                if report.difference.is_none() {
                    report.difference = self.difference(name, plan).await?;
                }
            }
        }
        let file = capsule_name(name, plan.seed, suffix);
        let path = self.folder.keep(&file, &self.capsule(plan, &report, digest, samples, &file))?;
        let replay = format!("tumbler replay {}", word(&path.display().to_string()));
        Ok(Telling { replay, capsule: file, report })
    }

    fn capsule(
        &self,
        plan: &Plan,
        report: &SeedReport,
        digest: Option<tumbler_plan::Digest>,
        checkpoints: Vec<tumbler_plan::Checkpoint>,
        file: &str,
    ) -> Capsule {
        let step = decisive(report).map(|broken| broken.seq);
        let last = report.last.clone();
        let mut fingerprint = report.fingerprint.clone().expect("only failures are told");
        if report.row.verdict == Verdict::Nondeterministic {
            fingerprint.verdict = Verdict::Nondeterministic;
        }
        Capsule {
            schema: Capsule::SCHEMA,
            build: self.build.clone(),
            scenario: report.row.scenario.clone(),
            seed: plan.seed,
            expect: Expect {
                verdict: report.row.verdict,
                invariant: report.row.invariant,
                step: step.or(last.as_ref().map(|last| last.seq)),
            },
            fingerprint,
            events: report.row.events,
            digest,
            checkpoints,
            chain_digest: None,
            fired: report.fired.clone(),
            last,
            replay: format!("tumbler replay {file}"),
            plan_digest: plan_digest(plan),
            plan: plan.clone(),
        }
        .sealed()
    }

    /// One run in a worker of its own; none if it dies, or the world breaks.
    async fn ask(
        &self,
        name: &str,
        plan: &Plan,
        until: Option<u64>,
        samples: Samples,
        limit: Duration,
    ) -> Result<Option<Done>, Failure> {
        let task = Task::Tell { until, samples, filter: None };
        let job = Job { id: 0, name: name.to_owned(), plan: plan.clone(), task };
        let mut worker = Worker::start(&self.settings).await?;
        if worker.give(std::slice::from_ref(&job)).await.is_err() {
            return Ok(None);
        }
        let answer = worker.answer(&job, limit).await;
        Ok(answer.ok().filter(|done| done.report.row.trace_digest.is_some()))
    }

    /// Where two runs of the plan, each in a process of its own, first differ.
    async fn difference(&self, name: &str, plan: &Plan) -> Result<Option<Difference>, Failure> {
        let side = Side { name, plan, settings: &self.settings };
        Ok(match compare(side, side, self.limit).await? {
            Compared::Different { difference, .. } => difference,
            Compared::Same(_) => None,
        })
    }

    /// Whose input a run was handling when it killed its worker.
    async fn announced(&self, name: &str, plan: &Plan) -> Result<Option<String>, Failure> {
        let settings = Settings { announces: true, ..self.settings.clone() };
        let task = Task::Judge { recheck: false, probe: false, blame: true, follow: false };
        let job = Job { id: 0, name: name.to_owned(), plan: plan.clone(), task };
        let mut worker = Worker::start(&settings).await?;
        if worker.give(std::slice::from_ref(&job)).await.is_err() {
            return Ok(None);
        }
        let dead = worker.answer(&job, self.limit).await.err();
        Ok(dead.and_then(|dead| dead.words(&job).node))
    }

    /// The longest prefix that a worker survives: doubled until one dies, then halved.
    async fn locate(&self, name: &str, plan: &Plan, last: &LastWords) -> Result<Option<Done>, Failure> {
        let limit = self.limit.min(LOCATE_LIMIT);
        let survives =
            async |until: u64| self.ask(name, plan, Some(until), Samples::At(Vec::new()), limit).await;
        let mut good = match survives(last.seq).await? {
            Some(_) => last.seq,
            None => 0,
        };
        let mut width = 1_024;
        let mut bad = loop {
            let until = good + width;
            match survives(until).await? {
                // The run ended before that: it does not die any more.
                Some(done) if done.report.row.events <= until => return Ok(None),
                Some(_) => (good, width) = (until, width * 2),
                None => break until,
            }
        };
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            match survives(middle).await? {
                Some(_) => good = middle,
                None => bad = middle,
            }
        }
        self.ask(name, plan, Some(good), Samples::Chosen, limit).await
    }
}

/// The last event that a surviving prefix recorded.
fn exact(last: &mut LastWords, story: &Option<tumbler_reports::Story>, events: u64) {
    let Some(line) = story.as_ref().and_then(|story| story.lines.last()) else { return };
    last.seq = events.saturating_sub(1);
    last.at = line.at;
    last.event = Some(line.text.clone());
    last.node.get_or_insert_with(|| line.node.clone());
}

/// A prefix that lives longer than this counts as one that spins.
const LOCATE_LIMIT: Duration = Duration::from_millis(1_500);
