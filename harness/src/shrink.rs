//! `tumbler shrink`: a smaller plan with the same failure.
//!
//! The plan is data, so it is edited and run again: the run ends soon after the failure; faults are left out
//! (delta debugging), a fault of links becomes the messages that it hit if few of them are enough; then go
//! orders, builds, clock offsets and lags, and nodes that nobody misses; what is left is made weaker, a
//! shorter fault for a longer one and a pause for a crash. A candidate counts only if verdict, invariant,
//! role and phase are the same, and the edits go on until none of them does.
//!
//! It deliberately leaves timing and bounds alone: that would be another claim. Each candidate runs in a
//! worker, like any seed, several at a time, and what comes of it does not depend on how many.
//!
//! Source: A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input" (2002).

pub mod node;
mod trial;
mod weaker;

use self::node::without_one;
use self::trial::{Failing, Trial};
use self::weaker::weaker;
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::job::Settings;
use crate::tell::Teller;
use crate::{identity, subject, terminal};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tumbler_plan::{Fault, FaultAction, Fingerprint, Plan};
use tumbler_reports::finding::decisive;
use tumbler_reports::number::{count, grouped};
use tumbler_reports::{SeedReport, finding, schedule};
use tumbler_types::{FaultId, Instant, Verdict};

/// What `shrink` was asked for.
#[derive(Clone, Debug)]
pub struct Shrink {
    pub capsule: PathBuf,
    pub out: Option<PathBuf>,
    /// Candidates that run at once.
    pub jobs: usize,
    pub settings: Settings,
    pub limit: Duration,
}

/// The smallest plan that was found, what it comes to, and how many runs it took.
pub struct Minimal {
    pub plan: Plan,
    pub report: SeedReport,
    pub runs: u64,
}

/// Shrinks a plan that fails as `meant`, `jobs` candidates at a time. None if it does not, on this build.
pub async fn minimize(
    name: &str,
    plan: &Plan,
    meant: &Fingerprint,
    jobs: usize,
    settings: &Settings,
    limit: Duration,
) -> Result<Option<Minimal>, Failure> {
    let mut trial = Trial {
        workers: Vec::new(),
        jobs: jobs.max(1),
        settings: settings.clone(),
        limit,
        name: name.to_owned(),
        meant: meant.clone(),
        runs: 0,
        unnamed: plan.faults.iter().map(|each| each.id).max().map_or(FaultId(0), |id| id.next()),
    };
    let Some(failing) = trial.failing(plan).await? else { return Ok(None) };
    let Failing { plan, report } = smallest(failing, &mut trial).await?;
    Ok(Some(Minimal { plan, report, runs: trial.runs }))
}

/// Shrinks the capsule's plan, and writes a capsule of what is left.
pub async fn shrink(shrink: Shrink) -> Result<Exit, Failure> {
    let file = shrink.capsule.display().to_string();
    let capsule = subject::capsule(&file)?;
    let begun = std::time::Instant::now();
    let Shrink { jobs, settings, limit, .. } = &shrink;
    let found = minimize(&capsule.scenario, &capsule.plan, &capsule.fingerprint, *jobs, settings, *limit);
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
    let (from, to) = (&capsule.plan, &plan);
    out.push_str(&change("faults", from.faults.len(), to.faults.len()));
    out.push_str(&change("orders", from.orders.len(), to.orders.len()));
    out.push_str(&change("nodes", from.topology.node_count().into(), to.topology.node_count().into()));
    out.push_str(&change("clocks off", from.offsets.len(), to.offsets.len()));
    let seconds = |plan: &Plan| usize::try_from(plan.end_at.nanos() / SECOND).unwrap_or(usize::MAX);
    out.push_str(&change("seconds", seconds(from), seconds(to)));
    let events = (grouped(capsule.events), grouped(telling.report.row.events));
    out.push_str(&format!("  {:<10}  {} to {}\n", "events", events.0, events.1));
    out.push_str(&schedule::gone(from, to));
    out.push_str(&schedule::text(&plan));
    out.push_str(&finding::finding(&telling.report, 1, Some(&replay)));
    terminal::print(&out);
    Ok(Exit::PASS)
}

fn change(what: &str, from: usize, to: usize) -> String {
    format!("  {what:<10}  {from} to {to}\n")
}

/// `x.repro.json` gives `x.min.repro.json`.
pub fn beside(capsule: &std::path::Path) -> PathBuf {
    let name = capsule.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix(".repro.json").or_else(|| name.strip_suffix(".json")).unwrap_or(&name);
    capsule.with_file_name(format!("{stem}.min.repro.json"))
}

async fn smallest(failing: Failing, trial: &mut Trial) -> Result<Failing, Failure> {
    let mut best = failing;
    // What did not fire did nothing.
    let mut realized = best.plan.clone();
    realized.faults.retain(|fault| best.report.fired.contains(&fault.id));
    if let Some(failing) = trial.failing(&realized).await? {
        best = failing;
    }
    let mut whole = BTreeSet::new();
    loop {
        let before = best.plan.clone();
        // First, because every later run is shorter for it.
        sooner(&mut best, trial).await?;
        fewer(&mut best, trial, 0, |plan| &mut plan.faults).await?;
        single(&mut best, trial, &mut whole).await?;
        fewer(&mut best, trial, 0, |plan| &mut plan.orders).await?;
        fewer(&mut best, trial, 0, |plan| &mut plan.builds).await?;
        fewer(&mut best, trial, 0, |plan| &mut plan.offsets).await?;
        fewer(&mut best, trial, 0, |plan| &mut plan.lags).await?;
        while let Some((_, failing)) = trial.first(without_one(&best.plan).into_iter()).await? {
            best = failing;
        }
        for index in 0..best.plan.faults.len() {
            while let Some((_, failing)) = trial.first(weaker(&best.plan, index).into_iter()).await? {
                best = failing;
            }
        }
        if best.plan == before {
            return Ok(best);
        }
    }
}

/// Leaves out of a list, from a place on, what the failure does not need: halves first, then ever smaller
/// parts.
async fn fewer<T: Clone>(
    best: &mut Failing,
    trial: &mut Trial,
    from: usize,
    list: impl Fn(&mut Plan) -> &mut Vec<T>,
) -> Result<(), Failure> {
    let mut size = list(&mut best.plan).len().saturating_sub(from);
    while size > 0 {
        let mut first = from;
        loop {
            let base = best.plan.clone();
            let count = list(&mut best.plan).len();
            let without = (first..count).step_by(size).map(|start| {
                let mut candidate = base.clone();
                list(&mut candidate).drain(start..count.min(start + size));
                candidate
            });
            let Some((place, failing)) = trial.first(without).await? else { break };
            *best = failing;
            first += place * size;
        }
        size /= 2;
    }
    Ok(())
}

/// For a fault of links the messages that it hit, if a few of them are enough. Those of `whole` were tried.
async fn single(best: &mut Failing, trial: &mut Trial, whole: &mut BTreeSet<FaultId>) -> Result<(), Failure> {
    let is_of_links = |fault: &&Fault| matches!(fault.action, FaultAction::Link { .. });
    let links: Vec<FaultId> = best.plan.faults.iter().filter(is_of_links).map(|fault| fault.id).collect();
    for fault in links {
        if !whole.insert(fault) {
            continue;
        }
        let Some(realized) = trial.realized(&best.plan, fault).await? else { continue };
        let Some(mut failing) = trial.failing(&realized).await? else { continue };
        let others = best.plan.faults.len() - 1;
        fewer(&mut failing, trial, others, |plan| &mut plan.faults).await?;
        if failing.plan.faults.len() - others <= SINGLE_MAX {
            *best = failing;
        }
    }
    Ok(())
}

/// The run ends soon after the failure.
async fn sooner(best: &mut Failing, trial: &mut Trial) -> Result<(), Failure> {
    let plan = best.plan.clone();
    let shown = decisive(&best.report).map_or(plan.end_at, |broken| broken.at);
    let rounded = |nanos: u64| Instant(nanos.div_ceil(SECOND) * SECOND);
    let after = AFTER.into_iter().map(|seconds| rounded(shown.nanos() + seconds * SECOND));
    let ends = after.chain([rounded(plan.end_at.nanos() / 4 * 3)]);
    let candidates = ends.filter(|end| *end < plan.end_at).map(|end| {
        let mut candidate = plan.clone();
        (candidate.end_at, candidate.heal_at) = (end, plan.heal_at.min(end));
        candidate
    });
    if let Some((_, failing)) = trial.first(candidates).await? {
        *best = failing;
    }
    Ok(())
}

/// Seconds after the event that shows the failure.
const AFTER: [u64; 4] = [0, 5, 20, 60];
/// Single messages that stand for one fault of links; more of them are no smaller.
const SINGLE_MAX: usize = 3;
const SECOND: u64 = 1_000_000_000;
