//! `tumbler grid --rotator`: every call of a rotation function × every single strike.

use super::Rotator;
use super::batch::{Batch, rechecked, run_batch, run_one};
use super::capsule;
use super::story::{JUDGED, mark, raises, replays, seed_report, told, wrapped};
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::progress::{Progress, Show};
use crate::run::Share;
use crate::sweep::Ended;
use crate::{gate, identity, report, terminal};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tumbler_foreign::world::Site;
use tumbler_foreign::{Outcome, Plan, Report, Strike, StrikeKind};
use tumbler_reports::foreign::{Cell, Matrix};
use tumbler_reports::report::of_sweep;
use tumbler_reports::{Floor, Recheck, Sweep};
use tumbler_types::Verdict;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Grid {
    pub rotator: Rotator,
    pub seed: u64,
    pub jobs: usize,
    pub out: Option<PathBuf>,
    pub baseline: Option<PathBuf>,
    pub quiet: bool,
    pub recheck: Share,
    pub limit: Duration,
}

/// Runs the grid.
pub fn grid(grid: &Grid) -> Result<Exit, Failure> {
    let began = Instant::now();
    let baseline = grid.baseline.as_deref().map(gate::baseline).transpose()?.unwrap_or_default();
    let folder = Folder::open(grid.out.as_deref())?;
    let path = folder.grid();
    let unwritable = |why| Failure::Unwritable { path: path.clone(), why };
    let file = std::fs::File::create(&path).map_err(unwritable)?;
    let rotator = &grid.rotator;
    let plan = |strikes| rotator.plan(grid.seed, strikes);
    let bare = plan(Vec::new());
    let calm = run_one(rotator, &bare, grid.limit)?;
    let (verdict, _) = calm.outcome.verdict();
    if verdict != Verdict::Pass || calm.outcome == Outcome::Retried {
        let raises = raises(&calm);
        terminal::print(&told(rotator, &bare, &calm, None, raises.as_deref()));
        if let (Some(raised), None) = (&calm.raised, &raises) {
            terminal::note(&wrapped("tumbler: ", &format!("without any fault, an invocation {raised}")));
        }
        terminal::note("tumbler: the undisturbed run itself is no pass, so there is no grid of it");
        return Ok(Exit::Verdict(if verdict == Verdict::Pass { Verdict::Stalled } else { verdict }));
    }
    let tries = tries(&calm);
    // Which calls alternate is the seed's to choose: of each such cell there are several runs.
    let seeds = |strike: &Strike| match strike.kind {
        StrikeKind::Interleaved => INTERLEAVINGS,
        _ => 1,
    };
    let every = tries.iter().enumerate();
    let (of, plans): (Vec<usize>, Vec<Plan>) = every
        .flat_map(|(index, (_, strike))| (0..seeds(strike)).map(move |more| (index, more, *strike)))
        .map(|(index, more, strike)| (index, rotator.plan(grid.seed + more, vec![strike])))
        .unzip();
    let show = if grid.quiet { Show::None } else { Show::Auto };
    let mut progress = Progress::of(plans.len() as u64, "runs", show);
    let Batch { reports, ended } = run_batch(rotator, &plans, grid.jobs, grid.limit, |report| {
        progress.done(report.outcome.verdict().0 != Verdict::Pass);
        ControlFlow::Continue(())
    })?;
    let again = match ended {
        Ended::Interrupted => BTreeMap::new(),
        Ended::Whole | Ended::Stopped => rechecked(rotator, &plans, &reports, grid.recheck, grid.limit)?,
    };
    progress.finish();
    let differs = |run: usize| again.get(&run) == Some(&Recheck::Differs);
    let mut swept = Sweep::against(plans.len() as u64, baseline);
    swept.judged = Some(JUDGED.into_iter().collect());
    let mut firsts = Vec::new();
    for (index, (plan, report)) in plans.iter().zip(&reports).enumerate() {
        let mut seed = seed_report(rotator, plan, report);
        seed.recheck = again.get(&index).copied();
        if differs(index) {
            seed.row.verdict = Verdict::Nondeterministic;
            seed.row.invariant = None;
        }
        let before = swept.findings.len();
        swept.absorb(Verdict::Pass, &seed);
        if swept.findings.len() > before {
            firsts.push(index);
        }
    }
    let is_known = |run: usize| swept.is_known(&seed_report(rotator, &plans[run], &reports[run]));
    let worst: Vec<usize> = (0..tries.len()).filter_map(|index| gravest(index, &of, &reports)).collect();
    let cells: Vec<Cell> = tries
        .iter()
        .zip(&worst)
        .map(|((site, strike), run)| Cell {
            is_known: is_known(*run),
            ..cell(site, *strike, plans[*run].seed, &reports[*run])
        })
        .collect();
    let new = cells.iter().filter(|cell| !cell.is_known).map(|cell| cell.verdict);
    let unlike = (0..reports.len()).find(|run| differs(*run));
    let new = new.chain(unlike.map(|_| Verdict::Nondeterministic));
    // Where cells are wanting, those that are there show no pass.
    let is_part = cells.is_empty() || ended == Ended::Interrupted;
    let part = is_part.then_some(Verdict::Inconclusive);
    let worst_verdict = new.chain(part).max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Pass);
    let matrix = Matrix {
        rotator: rotator.name(),
        engine: rotator.engine.name().to_owned(),
        verdict: worst_verdict,
        calls: calm.sites.iter().filter(|site| site.rotation == 1).count() as u64,
        columns: StrikeKind::ALL.map(head).to_vec(),
        cells,
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let cells_done = matrix.cells.len();
    matrix.write_rows(file).map_err(unwritable)?;
    let shown = if grid.quiet && matrix.verdict == Verdict::Pass {
        format!("{}\n", matrix.title())
    } else {
        format!("{}  wrote {}\n", matrix.text(), path.display())
    };
    let interrupted = if ended == Ended::Interrupted { "INTERRUPTED " } else { "" };
    terminal::print(&terminal::colored_title(&format!("{interrupted}{shown}")));
    if let Some(run) = unlike {
        let told = "one and the same run was another on a second server: clock, entropy, processes or files \
                    are not the world's";
        terminal::print(&format!(
            "\n{}{}\n",
            wrapped("NONDETERMINISTIC  ", told),
            rotator.replay(&plans[run])
        ));
    }
    let told_whole = worst_of(&reports, is_known);
    let kept = kept(grid, &folder, &plans, &reports, firsts.iter().chain(&told_whole), is_known)?;
    for index in told_whole {
        let (plan, report) = (&plans[index], &reports[index]);
        let path = kept.get(&index).expect("what is told is kept");
        terminal::print(&format!("\n{}", told(rotator, plan, report, Some(path), None)));
    }
    for (finding, first) in swept.findings.iter_mut().zip(&firsts) {
        finding.replay = Some(replays(rotator, &plans[*first], kept.get(first).map(PathBuf::as_path)));
        finding.capsule =
            kept.get(first).and_then(|path| path.file_name()).map(|name| name.display().to_string());
    }
    let scenario = seed_report(rotator, &bare, &calm).row.scenario;
    let context = report::foreign_context(&scenario, &JUDGED, ended, Floor::default())?;
    report::keep(&folder, &of_sweep(&swept, &context)).1?;
    Ok(match ended {
        Ended::Interrupted => {
            let (done, all) = (cells_done, tries.len());
            terminal::note(&format!("tumbler: interrupted, {done} of {all} cells are done"));
            Exit::Interrupted.and(Exit::Verdict(matrix.verdict))
        }
        Ended::Whole | Ended::Stopped => Exit::Verdict(matrix.verdict),
    })
}

/// Writes the capsules of failing runs, but of those that are known.
fn kept<'a>(
    grid: &Grid,
    folder: &Folder,
    plans: &[Plan],
    reports: &[Report],
    runs: impl Iterator<Item = &'a usize>,
    is_known: impl Fn(usize) -> bool,
) -> Result<BTreeMap<usize, PathBuf>, Failure> {
    let runs: BTreeSet<usize> = runs.copied().filter(|run| !is_known(*run)).collect();
    if runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let build = identity::build()?;
    let keep = |run: usize| {
        let (plan, report) = (&plans[run], &reports[run]);
        let suffix: String =
            plan.strikes.iter().map(|strike| format!("-{strike}").replace(':', "-")).collect();
        Ok((run, capsule::keep(folder, &build, &grid.rotator, plan, report, &suffix)?))
    };
    runs.into_iter().map(keep).collect()
}

/// What there is to strike: the calls of the first rotation, and those of the second if it makes
/// others.
fn tries(calm: &Report) -> Vec<(Site, Strike)> {
    let of = |rotation: u32| calm.sites.iter().filter(move |site| site.rotation == rotation);
    let titles = |rotation| of(rotation).map(|site| (site.step, &site.title)).collect::<Vec<_>>();
    let second = if titles(1) == titles(2) { 0 } else { 2 };
    of(1)
        .chain(of(second))
        .flat_map(|site| {
            let strike = |kind| Strike { rotation: site.rotation, call: site.call, kind };
            site.strikes.iter().map(move |kind| (site.clone(), strike(*kind)))
        })
        .collect()
}

/// Of the runs of a cell, the first of the worst; none if it was not run.
fn gravest(cell: usize, of: &[usize], reports: &[Report]) -> Option<usize> {
    let runs = (0..reports.len()).filter(|run| of[*run] == cell);
    let key = |run: &usize| (reports[*run].outcome.rank(), std::cmp::Reverse(*run));
    runs.max_by_key(key)
}

fn cell(site: &Site, strike: Strike, seed: u64, report: &Report) -> Cell {
    let (verdict, invariant) = report.outcome.verdict();
    let is_void = report.fired.is_empty() && verdict == Verdict::Pass;
    Cell {
        rotation: site.rotation,
        step: site.step.short(),
        call: site.call,
        title: site.title.clone(),
        at: site.at.clone(),
        strike: strike.kind.name(),
        column: StrikeKind::ALL.iter().position(|kind| *kind == strike.kind).expect("one of all"),
        mark: if is_void { "?".to_owned() } else { mark(report.outcome) },
        outcome: if is_void { "never came about" } else { report.outcome.name() },
        verdict: if is_void { Verdict::Inconclusive } else { verdict },
        invariant,
        seed,
        is_known: false,
        digest: report.digest,
    }
}

/// The first run of each of the gravest outcomes, the shortest story among its like.
fn worst_of(reports: &[Report], is_known: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut worst: Vec<usize> = Vec::new();
    let mut order: Vec<usize> =
        (0..reports.len()).filter(|index| reports[*index].outcome.verdict().0 != Verdict::Pass).collect();
    order.retain(|index| !is_known(*index));
    order.sort_by_key(|index| {
        let report = &reports[*index];
        (std::cmp::Reverse(report.outcome.rank()), report.records.len(), *index)
    });
    for index in order {
        let is_new = worst.iter().all(|told| reports[*told].outcome.rank() != reports[index].outcome.rank());
        if is_new && worst.len() < TOLD_MAX {
            worst.push(index);
        }
    }
    worst
}

/// A column's head, in two lines.
const fn head(kind: StrikeKind) -> [&'static str; 2] {
    match kind {
        StrikeKind::RequestLost => ["req", "lost"],
        StrikeKind::ReplyLost => ["rep", "lost"],
        StrikeKind::KilledBefore => ["die", "pre"],
        StrikeKind::AppliedKilled => ["die", "aft"],
        StrikeKind::Never => ["no", "rep"],
        StrikeKind::Held => ["held", "past"],
        StrikeKind::Stale => ["old", "get"],
        StrikeKind::Doubled => ["two", "inv"],
        StrikeKind::Paused => ["stop", "past"],
        StrikeKind::Late => ["old", "inv"],
        StrikeKind::Interleaved => ["mix", "inv"],
        StrikeKind::Cancelled => ["can", "cel"],
        StrikeKind::TlsFails => ["tls", "off"],
    }
}

/// Runs of each cell whose fault is an order that the seed chooses.
const INTERLEAVINGS: u64 = 3;
/// Stories told whole.
const TOLD_MAX: usize = 3;
