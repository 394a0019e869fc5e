//! `tumbler shrink`: a smaller plan with the same failure.
//!
//! The plan is data, so it is edited and run again: faults are left out (delta debugging), then orders,
//! builds, clock offsets and lags; what is left is made weaker, a shorter fault for a longer one and a
//! pause for a crash; and the run ends soon after the failure. A candidate counts only if verdict,
//! invariant, role and phase are the same, and the edits go on until none of them does.
//!
//! It deliberately leaves topology and timing alone: a node less renumbers the others, and that is another
//! world. Each candidate runs in a worker, like any seed.
//!
//! Source: A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).

use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::job::{Job, Settings, Task};
use crate::pool::Worker;
use crate::tell::Teller;
use crate::{identity, subject, terminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tumbler_plan::{FaultAction, Fingerprint, Plan, Until};
use tumbler_reports::number::{count, grouped};
use tumbler_reports::{SeedReport, finding, schedule};
use tumbler_types::{Span, Verdict};

/// What `shrink` was asked for.
#[derive(Clone, Debug)]
pub struct Shrink {
    pub capsule: PathBuf,
    pub out: Option<PathBuf>,
    pub settings: Settings,
    pub limit: Duration,
}

/// Runs candidates, and knows which failure is meant.
struct Trial {
    worker: Option<Worker>,
    settings: Settings,
    limit: Duration,
    name: String,
    meant: Fingerprint,
    runs: u64,
    /// What the last plan that was taken came to.
    failed: Option<SeedReport>,
}

/// The smallest plan that was found, what it comes to, and how many runs it took.
pub struct Minimal {
    pub plan: Plan,
    pub report: SeedReport,
    pub runs: u64,
}

/// Shrinks a plan that fails as `meant`. None if it does not, on this build.
pub async fn minimize(
    name: &str,
    plan: &Plan,
    meant: &Fingerprint,
    settings: &Settings,
    limit: Duration,
) -> Result<Option<Minimal>, Failure> {
    let mut trial = Trial {
        worker: None,
        settings: settings.clone(),
        limit,
        name: name.to_owned(),
        meant: meant.clone(),
        runs: 0,
        failed: None,
    };
    if !trial.fails(plan).await? {
        return Ok(None);
    }
    let plan = smallest(plan, &mut trial).await?;
    let report = trial.failed.expect("the plan itself failed, at least");
    Ok(Some(Minimal { plan, report, runs: trial.runs }))
}

/// Shrinks the capsule's plan, and writes a capsule of what is left.
pub async fn shrink(shrink: Shrink) -> Result<Exit, Failure> {
    let file = shrink.capsule.display().to_string();
    let capsule = subject::capsule(&file)?;
    let begun = Instant::now();
    let found =
        minimize(&capsule.scenario, &capsule.plan, &capsule.fingerprint, &shrink.settings, shrink.limit);
    let Some(Minimal { plan, report, runs }) = found.await? else {
        // A run that is not what its own build said it is, is not the same twice.
        let same_build = identity::build()? == capsule.build;
        let (what, exit) = match same_build {
            true => ("does not reproduce on its own build", Exit::Verdict(Verdict::Nondeterministic)),
            false => ("does not apply: this build does not show its failure", Exit::NotApplicable),
        };
        terminal::note(&format!("error: {file} {what}, {}", capsule.fingerprint));
        return Ok(exit);
    };
    let place = shrink.out.unwrap_or_else(|| beside(&shrink.capsule));
    let folder = Folder::of(&place)?;
    let teller = Teller::new(&folder, &shrink.settings, shrink.limit)?;
    let telling = teller.tell(&plan, &report, ".min").await?;
    let written = folder.path(&telling.capsule);
    if written != place {
        std::fs::rename(&written, &place).map_err(|why| Failure::Unwritable { path: place.clone(), why })?;
    }
    let replay = format!("tumbler replay {}", terminal::word(&place.display().to_string()));
    let mut out = format!(
        "SHRUNK  {} seed {}  {}, {}.{} s\n",
        capsule.scenario,
        capsule.seed,
        count(runs, "run"),
        begun.elapsed().as_secs(),
        begun.elapsed().subsec_millis() / 100
    );
    out.push_str(&change("faults", capsule.plan.faults.len(), plan.faults.len()));
    out.push_str(&change("orders", capsule.plan.orders.len(), plan.orders.len()));
    out.push_str(&change("clocks off", capsule.plan.offsets.len(), plan.offsets.len()));
    out.push_str(&format!(
        "  {:<10}  {} to {}\n",
        "events",
        grouped(capsule.events),
        grouped(telling.report.row.events)
    ));
    out.push_str(&schedule::text(&plan));
    out.push_str(&finding::finding(&telling.report, 1, Some(&replay)));
    terminal::print(&out);
    Ok(Exit::PASS)
}

fn change(what: &str, from: usize, to: usize) -> String {
    format!("  {what:<10}  {from} to {to}\n")
}

/// `x.repro.json` gives `x.min.repro.json`.
fn beside(capsule: &std::path::Path) -> PathBuf {
    let name = capsule.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".repro.json").or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    capsule.with_file_name(format!("{stem}.min.repro.json"))
}

impl Trial {
    /// Whether the plan fails as it should.
    async fn fails(&mut self, plan: &Plan) -> Result<bool, Failure> {
        self.runs += 1;
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.settings).await?,
        };
        let task = Task::Judge { recheck: false, probe: false, blame: false, follow: false };
        let job = Job { id: self.runs, name: self.name.clone(), plan: plan.clone(), task };
        // A worker that dies of a candidate is replaced; the candidate is none.
        if worker.give(std::slice::from_ref(&job)).await.is_err() {
            return Ok(false);
        }
        let Ok(done) = worker.answer(&job, self.limit).await else { return Ok(false) };
        self.worker = Some(worker);
        let Fingerprint { verdict, invariant, role, phase, faults: _ } = &self.meant;
        let is_same = done.report.fingerprint.as_ref().is_some_and(|got| {
            (&got.verdict, &got.invariant, &got.role, &got.phase) == (verdict, invariant, role, phase)
        });
        if is_same {
            self.failed = Some(done.report);
        }
        Ok(is_same)
    }

    /// Takes the candidate if it fails as it should.
    async fn take(&mut self, plan: &mut Plan, candidate: Plan) -> Result<bool, Failure> {
        let is_taken = candidate != *plan && self.fails(&candidate).await?;
        if is_taken {
            *plan = candidate;
        }
        Ok(is_taken)
    }
}

async fn smallest(plan: &Plan, trial: &mut Trial) -> Result<Plan, Failure> {
    let mut plan = plan.clone();
    // What did not fire did nothing.
    if let Some(fired) = trial.failed.as_ref().map(|report| report.fired.clone()) {
        let mut realized = plan.clone();
        realized.faults.retain(|fault| fired.contains(&fault.id));
        trial.take(&mut plan, realized).await?;
    }
    loop {
        let before = plan.clone();
        fewer(&mut plan, trial, |plan| &mut plan.faults).await?;
        fewer(&mut plan, trial, |plan| &mut plan.orders).await?;
        fewer(&mut plan, trial, |plan| &mut plan.builds).await?;
        fewer(&mut plan, trial, |plan| &mut plan.offsets).await?;
        fewer(&mut plan, trial, |plan| &mut plan.lags).await?;
        weaker(&mut plan, trial).await?;
        shorter(&mut plan, trial).await?;
        if plan == before {
            return Ok(plan);
        }
    }
}

/// Leaves out what the failure does not need: halves first, then ever smaller parts.
async fn fewer<T: Clone>(
    plan: &mut Plan,
    trial: &mut Trial,
    list: impl Fn(&mut Plan) -> &mut Vec<T>,
) -> Result<(), Failure> {
    let mut size = list(plan).len();
    while size > 0 {
        let mut first = 0;
        while first < list(plan).len() {
            let mut candidate = plan.clone();
            let items = list(&mut candidate);
            let last = items.len().min(first + size);
            items.drain(first..last);
            if !trial.take(plan, candidate).await? {
                first += size;
            }
        }
        size /= 2;
    }
    Ok(())
}

/// A pause for a crash, one node for several, and half of the time, again and again.
async fn weaker(plan: &mut Plan, trial: &mut Trial) -> Result<(), Failure> {
    for index in 0..plan.faults.len() {
        if let FaultAction::Crash { node, until } = plan.faults[index].action {
            let mut candidate = plan.clone();
            candidate.faults[index].action = FaultAction::Pause { node, until };
            trial.take(plan, candidate).await?;
        }
        for side in 0..2 {
            let mut node = 0;
            while let Some(nodes) = side_of(&mut plan.faults[index].action, side)
                && node < nodes.len()
                && nodes.len() > 1
            {
                let mut candidate = plan.clone();
                side_of(&mut candidate.faults[index].action, side).expect("the same action").remove(node);
                if !trial.take(plan, candidate).await? {
                    node += 1;
                }
            }
        }
        while let Some(span) = longest(&mut plan.faults[index].action).map(|span| *span)
            && span > SHORTEST
        {
            let mut candidate = plan.clone();
            let half = Span((span.nanos() / 2 / MILLI).max(1) * MILLI);
            *longest(&mut candidate.faults[index].action).expect("the same action") = half;
            if !trial.take(plan, candidate).await? {
                break;
            }
        }
    }
    Ok(())
}

/// The run ends soon after the failure, and heals as late as it did.
async fn shorter(plan: &mut Plan, trial: &mut Trial) -> Result<(), Failure> {
    let mut end = plan.end_at;
    while end.nanos() > SECOND {
        end = tumbler_types::Instant(end.nanos() / 4 * 3 / SECOND * SECOND);
        let mut candidate = plan.clone();
        (candidate.end_at, candidate.heal_at) = (end, plan.heal_at.min(end));
        if !trial.take(plan, candidate).await? {
            break;
        }
    }
    Ok(())
}

fn side_of(action: &mut FaultAction, side: usize) -> Option<&mut Vec<tumbler_types::NodeId>> {
    match action {
        FaultAction::Partition { left, right, .. }
        | FaultAction::Link { left, right, .. }
        | FaultAction::Reset { left, right } => Some(if side == 0 { left } else { right }),
        FaultAction::Suspend { nodes, .. } if side == 0 => Some(nodes),
        _ => None,
    }
}

/// The longest that it stands.
fn longest(action: &mut FaultAction) -> Option<&mut Span> {
    Some(match action.until_mut()? {
        Until::After(span) => span,
        Until::On { at_most, .. } => at_most,
    })
}

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const SHORTEST: Span = Span::from_millis(1);
