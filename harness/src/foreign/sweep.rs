//! `tumbler run --rotator`: seeds of random strikes, and the usual report; or strikes by name.
//!
//! A seed's strikes are drawn before its run, from the calls that the undisturbed run made.

use super::batch::{Batch, rechecked, run_batch, run_one};
use super::story::{JUDGED, blame, raises, replays, seed_report, told, wrapped};
use super::{Rotator, capsule, shrink};
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::progress::{Progress, Show};
use crate::run::Share;
use crate::selection::Seeds;
use crate::sweep::Ended;
use crate::{gate, identity, report, terminal};
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tumbler_foreign::world::{ROTATIONS, Site};
use tumbler_foreign::{Plan, Report, Strike};
use tumbler_reports::number::count;
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
    pub max_fail: Option<NonZeroU64>,
    pub shrink: bool,
    pub baseline: Option<PathBuf>,
    pub quiet: bool,
    pub show: Show,
    pub recheck: Share,
    pub limit: Duration,
}

/// Runs the seeds.
pub fn run(run: &Run) -> Result<Exit, Failure> {
    let rotator = &run.rotator;
    let known = run.baseline.as_deref().map(gate::baseline).transpose()?.unwrap_or_default();
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
    let calm = run_one(rotator, &bare, run.limit)?;
    let calls: Vec<u32> = (1..=STRUCK)
        .map(|rotation| calm.sites.iter().filter(|site| site.rotation == rotation).count())
        .map(|count| u32::try_from(count).expect("a few calls"))
        .collect();
    let strikes =
        |seed| if run.strikes.is_empty() { Strike::drawn(seed, &calls) } else { run.strikes.clone() };
    let plans: Vec<Plan> = seeds.iter().map(|seed| plan(*seed, strikes(*seed))).collect();

    let raises = raises(&calm);

    let mut swept = Sweep::against(plans.len() as u64, known);
    swept.judged = Some(JUDGED.into_iter().collect());
    let mut progress = Progress::new(plans.len() as u64, run.show);
    let mut failed = 0;
    let mut plan_of = plans.iter();
    let Batch { reports, ended } = run_batch(rotator, &plans, run.jobs, run.limit, |report| {
        let is_pass = report.outcome.verdict().0 == Verdict::Pass;
        progress.done(!is_pass);
        let plan = plan_of.next().expect("a report is of a plan");
        failed += u64::from(!is_pass && !swept.is_known(&seed_report(rotator, plan, report)));
        let enough = run.max_fail.is_some_and(|max| failed >= max.get());
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let again = if ended == Ended::Interrupted {
        BTreeMap::new()
    } else {
        rechecked(rotator, &plans, &reports, run.recheck, run.limit)?
    };
    progress.finish();

    let mut rows = folder.rows()?;
    let failed = reports.iter().any(|report| report.outcome.verdict().0 != Verdict::Pass);
    let build = if failed { Some(identity::build()?) } else { None };
    let mut named = BTreeMap::new();
    for (index, (plan, report)) in plans.iter().zip(&reports).enumerate() {
        let mut seed = seed_report(rotator, plan, report);
        seed.recheck = again.get(&index).copied();
        if seed.recheck == Some(Recheck::Differs) {
            seed.row.verdict = Verdict::Nondeterministic;
            seed.row.invariant = None;
        }
        if let Some(raised) = &raises {
            blame(&mut seed, report, raised);
        }
        rows.write(&seed.row).map_err(|why| folder.unwritable(why))?;
        let before = swept.findings.len();
        swept.absorb(Verdict::Pass, &seed);
        if swept.findings.len() > before {
            let told = swept.findings.last_mut().expect("one more");
            let is_told = !told.known && seed.recheck != Some(Recheck::Differs);
            let shrinks = run.shrink && is_told && ended != Ended::Interrupted;
            let small = if shrinks { shrink::smaller(rotator, plan, report, run.limit)? } else { None };
            let suffix = if small.is_some() { ".min" } else { "" };
            let (plan, report) = small.unwrap_or_else(|| (plan.clone(), report.clone()));
            let path = match (&build, is_told) {
                (Some(build), true) => Some(capsule::keep(&folder, build, rotator, &plan, &report, suffix)?),
                _ => None,
            };
            told.replay = Some(replays(rotator, &plan, path.as_deref()));
            told.capsule =
                path.as_ref().and_then(|path| path.file_name()).map(|name| name.display().to_string());
            if suffix == ".min" {
                told.first = seed_report(rotator, &plan, &report);
                raises.iter().for_each(|raised| blame(&mut told.first, &report, raised));
            }
            if let Some(path) = path {
                named.insert(index, (plan, report, path));
            }
        }
    }
    rows.finish().map_err(|why| folder.unwritable(why))?;
    let floor = Floor::default();
    let scenario = seed_report(rotator, &bare, &calm).row.scenario;
    let context = report::foreign_context(&scenario, &JUDGED, ended, floor.clone())?;
    let (files, kept) = report::keep(&folder, &of_sweep(&swept, &context));
    let facts = Facts {
        elapsed_ms: progress.elapsed_ms(),
        assumed: context.assumptions.clone(),
        floor,
        ended: context.ended,
        reached: None,
        files: vec![files],
    };
    let verdict = swept.verdict(&facts.floor);
    // Strikes by name are one run: what a sweep would have to show is not asked of it.
    let verdict = match (run.strikes.is_empty(), verdict) {
        (false, Verdict::Inconclusive) if reports.iter().any(|report| !report.fired.is_empty()) => {
            Verdict::Pass
        }
        (_, verdict) => verdict,
    };
    if run.strikes.is_empty() {
        let text = terminal::colored_title(&summary(&swept, &facts));
        let short = run.quiet && verdict == Verdict::Pass;
        terminal::print(&if short { format!("{}\n", text.lines().next().unwrap_or_default()) } else { text });
    } else {
        for (index, bare) in plans.iter().zip(&reports).enumerate() {
            let told = named.get(&index).map(|(plan, report, path)| (plan, report, Some(path.as_path())));
            let (plan, report, path) = told.unwrap_or((bare.0, bare.1, None));
            terminal::print(&by_name(rotator, plan, report, path, raises.as_deref()));
        }
    }
    if let (Some(raised), true) = (&calm.raised, swept.promoted == 0) {
        terminal::note(&wrapped("tumbler: ", &format!("without any fault, an invocation {raised}")));
    }
    kept?;
    Ok(match ended {
        Ended::Interrupted => Exit::Interrupted.and(Exit::Verdict(verdict)),
        Ended::Whole | Ended::Stopped => Exit::Verdict(verdict),
    })
}

/// What strikes that were named came to.
fn by_name(
    rotator: &Rotator,
    plan: &Plan,
    report: &Report,
    capsule: Option<&Path>,
    raises: Option<&str>,
) -> String {
    if report.outcome.verdict().0 != Verdict::Pass {
        return told(rotator, plan, report, capsule, raises);
    }
    let head = |word: &str| format!("{word}  {}: {}\n", rotator.name(), report.outcome.name());
    let missed = plan.strikes.iter().filter(|strike| !report.fired.contains(strike));
    let missed: String = missed.map(|strike| wrapped("  ", &why_not(report, strike))).collect();
    if report.fired.is_empty() {
        return format!("{}  no strike came about\n{missed}", head("INCONCLUSIVE"));
    }
    let fired: Vec<String> = report.fired.iter().map(ToString::to_string).collect();
    format!("{}  fired: {}\n{missed}", head("PASS"), fired.join(", "))
}

/// Why a strike did not come about.
fn why_not(report: &Report, strike: &Strike) -> String {
    let of = |site: &&Site| site.rotation == strike.rotation;
    let calls = report.sites.iter().filter(of).count();
    match report.sites.iter().filter(of).find(|site| site.call == strike.call) {
        _ if strike.rotation > ROTATIONS => format!("{strike}: a run has {ROTATIONS} rotations"),
        None => format!("{strike}: rotation {} made {}", strike.rotation, count(calls as u64, "call")),
        Some(site) => {
            let kinds: Vec<&str> = site.strikes.iter().map(|kind| kind.name()).collect();
            let (title, kind) = (&site.title, strike.kind.name());
            format!("{strike}: `{title}` cannot be struck by {kind}, but by {}", kinds.join(", "))
        }
    }
}

const SEEDS: u64 = 200;
/// Rotations of a run that are struck: the last is to close.
const STRUCK: u32 = 2;
