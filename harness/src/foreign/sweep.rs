//! `tumbler run --rotator`: seeds of random strikes, and the usual report; or strikes by name.
//!
//! A seed's strikes are drawn before its run, from the calls that the undisturbed run made.

use super::story::{JUDGED, seed_report, told};
use super::{Rotator, run_all};
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::progress::{Progress, Show};
use crate::run::Share;
use crate::selection::Seeds;
use crate::{gate, report, terminal};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tumbler_foreign::{Plan, Report, Strike};
use tumbler_reports::report::of_sweep;
use tumbler_reports::{Facts, Floor, Recheck, Sweep, summary};
use tumbler_types::Verdict;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Run {
    pub rotator: Rotator,
    pub seeds: Option<Seeds>,
    /// In the place of drawn ones.
    pub strikes: Vec<Strike>,
    pub jobs: usize,
    pub out: Option<PathBuf>,
    pub max_fail: Option<u64>,
    pub baseline: Option<PathBuf>,
    pub quiet: bool,
    pub show: Show,
    pub recheck: Share,
    pub limit: Duration,
}

/// Runs the seeds.
pub fn run(run: &Run) -> Result<Exit, Failure> {
    let rotator = &run.rotator;
    let known = run.baseline.as_deref().map(gate::fingerprints).transpose()?.unwrap_or_default();
    let folder = Folder::open(run.out.as_deref())?;
    let plan = |seed, strikes| rotator.plan(seed, strikes);
    let seeds: Vec<u64> = match &run.seeds {
        Some(seeds) => seeds.0.clone().collect(),
        None if run.strikes.is_empty() => (0..SEEDS).collect(),
        None => vec![0],
    };
    let Some(first) = seeds.first().copied() else {
        return Err(Failure::NothingSelected("no seeds".to_owned()));
    };
    let bare = plan(first, Vec::new());
    let calm = run_all(rotator, std::slice::from_ref(&bare), 1, run.limit, |_| ()).remove(0);
    let calls: Vec<u32> = (1..=STRUCK)
        .map(|rotation| calm.sites.iter().filter(|site| site.rotation == rotation).count())
        .map(|count| u32::try_from(count).expect("a few calls"))
        .collect();
    let strikes =
        |seed| if run.strikes.is_empty() { Strike::drawn(seed, &calls) } else { run.strikes.clone() };
    let plans: Vec<Plan> = seeds.iter().map(|seed| plan(*seed, strikes(*seed))).collect();

    let progress = Mutex::new(Progress::new(plans.len() as u64, run.show));
    let reports = run_all(rotator, &plans, run.jobs, run.limit, |report| {
        let failed = report.outcome.verdict().0 != Verdict::Pass;
        progress.lock().unwrap_or_else(PoisonError::into_inner).done(failed);
    });
    let again = rechecked(run, &plans, &reports);
    let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    progress.finish();

    let mut rows = folder.rows()?;
    let mut swept = Sweep::against(plans.len() as u64, known);
    swept.judged = Some(JUDGED.into_iter().collect());
    let mut failed = 0;
    let mut shown: Vec<usize> = Vec::new();
    for (index, (plan, report)) in plans.iter().zip(&reports).enumerate() {
        let mut seed = seed_report(rotator, plan, report);
        seed.recheck = again.get(&index).copied();
        if seed.recheck == Some(Recheck::Differs) {
            seed.row.verdict = Verdict::Nondeterministic;
            seed.row.invariant = None;
        }
        rows.write(&seed.row).map_err(|why| folder.unwritable(why))?;
        let before = swept.findings.len();
        swept.absorb(Verdict::Pass, &seed);
        if swept.findings.len() > before {
            let told = swept.findings.last_mut().expect("one more");
            told.replay = Some(rotator.replay(plan));
            shown.push(index);
        }
        failed += u64::from(seed.row.verdict != Verdict::Pass && !swept.is_known(&seed));
        if run.max_fail.is_some_and(|max| failed >= max) {
            break;
        }
    }
    rows.finish().map_err(|why| folder.unwritable(why))?;
    let floor = Floor::default();
    let scenario = seed_report(rotator, &bare, &calm).row.scenario;
    let context = report::foreign_context(&scenario, &JUDGED, swept.done == swept.planned, floor.clone())?;
    let facts = Facts {
        elapsed_ms: progress.elapsed_ms(),
        assumed: context.assumptions.clone(),
        floor,
        interrupted: false,
        reached: None,
        files: vec![folder.files()],
    };
    let verdict = swept.verdict(&facts.floor);
    // Strikes by name are one run: what a sweep would have to show is not asked of it.
    let verdict = match (run.strikes.is_empty(), verdict) {
        (false, Verdict::Inconclusive) if reports.iter().any(|report| !report.fired.is_empty()) => {
            Verdict::Pass
        }
        (_, verdict) => verdict,
    };
    report::keep(&folder, &of_sweep(&swept, &context))?;
    if run.strikes.is_empty() {
        let text = terminal::colored_title(&summary(&swept, &facts));
        let short = run.quiet && verdict == Verdict::Pass;
        terminal::print(&if short { format!("{}\n", text.lines().next().unwrap_or_default()) } else { text });
    } else {
        for (plan, report) in plans.iter().zip(&reports) {
            terminal::print(&by_name(rotator, plan, report));
        }
    }
    if let (Some(raised), true) = (&calm.raised, swept.promoted == 0) {
        terminal::note(&format!("tumbler: without any fault, an invocation {raised}"));
    }
    for index in shown.iter().filter(|_| run.strikes.is_empty()).take(ADVISED_MAX) {
        let advice = reports[*index].outcome;
        terminal::print(&format!("  change ({}): {}\n", advice.name(), advice.advice()));
    }
    Ok(Exit::Verdict(verdict))
}

/// What strikes that were named came to.
fn by_name(rotator: &Rotator, plan: &Plan, report: &Report) -> String {
    if report.outcome.verdict().0 != Verdict::Pass {
        return told(rotator, plan, report);
    }
    let fired: Vec<String> = report.fired.iter().map(ToString::to_string).collect();
    let fired = if fired.is_empty() { "no strike came about".to_owned() } else { fired.join(", ") };
    format!("PASS  {}: {}\n  fired: {fired}\n", rotator.name(), report.outcome.name())
}

/// Some runs once more, on other processes: the same digest, or another.
fn rechecked(run: &Run, plans: &[Plan], reports: &[Report]) -> BTreeMap<usize, Recheck> {
    let taken: Vec<usize> = (0..plans.len()).filter(|index| run.recheck.takes(*index as u64)).collect();
    let chosen: Vec<Plan> = taken.iter().map(|index| plans[*index].clone()).collect();
    if chosen.is_empty() {
        return BTreeMap::new();
    }
    let again = run_all(&run.rotator, &chosen, 1, run.limit, |_| ());
    let compare = |(index, again): (usize, &Report)| {
        let equal = reports[index].digest == again.digest;
        (index, if equal { Recheck::Equal } else { Recheck::Differs })
    };
    taken.into_iter().zip(&again).map(compare).collect()
}

const SEEDS: u64 = 200;
/// Rotations of a run that are struck: the last is to close.
const STRUCK: u32 = 2;
const ADVISED_MAX: usize = 5;
