//! `tumbler grid`: every external call and durable write of a run × every single strike.
//!
//! The scenario's plan for the seed runs once without its faults; then once more for each cell, with
//! one fault at one occurrence. Cells run in worker processes, like any seed.
//!
//! It deliberately tries no two strikes together (a swarm does that), keeps the seed's orders and
//! clocks, and adds time at the end, so that the last occurrence can be held past its successor too.

pub mod cell;
pub mod occurrence;

use crate::exit::{Exit, Failure};
use crate::folder::{Folder, capsule_name};
use crate::job::{Done, Job, Settings, Task};
use crate::pool::Pool;
use crate::progress::{Progress, Show};
use crate::sweep::{Ended, sweep};
use crate::tell::Teller;
use crate::{roles, selection, terminal};
use occurrence::{ALIKE_MAX, Occurrence, Occurrences};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;
use tumbler_plan::{Plan, Row};
use tumbler_reports::SeedReport;
use tumbler_reports::finding::finding;
use tumbler_reports::grid::{Cell, Grid as Matrix, Strike};
use tumbler_types::{Instant, Span, Verdict};
use tumbler_world::Options;

/// What `grid` was asked for.
#[derive(Clone, Debug)]
pub struct Grid {
    /// A scenario, with `+BUG` if one is to be planted.
    pub what: String,
    pub seed: u64,
    pub jobs: usize,
    pub out: Option<PathBuf>,
    pub quiet: bool,
    pub settings: Settings,
    pub limit: Duration,
}

/// A cell to be run.
struct Try {
    occurrence: Occurrence,
    strike: Strike,
    plan: Plan,
}

/// Runs the grid.
pub async fn grid(grid: Grid) -> Result<Exit, Failure> {
    let (scenario, planted) = selection::one_planted(&grid.what)?;
    let bug = planted.map_or(String::new(), |planted| format!("+{}", planted.name()));
    let name = format!("{}{bug}", scenario.name());
    let mut base = scenario.plan(grid.seed);
    base.faults.clear();
    base.planted = planted.or(base.planted);
    let folder = Folder::open(grid.out.as_deref())?;
    let path = folder.grid();
    let unwritable = |why| Failure::Unwritable { path: path.clone(), why };
    let file = std::fs::File::create(&path).map_err(unwritable)?;

    let calm = undisturbed(&grid, &name, &base).await?;
    if calm.report.row.verdict != Verdict::Pass {
        terminal::print(&finding(&calm.report, 1, None));
        terminal::note("tumbler: the undisturbed run itself is no pass, so there is no grid of it");
        return Ok(Exit::Verdict(calm.report.row.verdict));
    }
    let found = occurrences(&mut base);
    let calm = undisturbed(&grid, &name, &base).await?;
    let tries = tries(&base, &found);
    let mut progress =
        Progress::of(tries.len() as u64, "cells", if grid.quiet { Show::None } else { Show::Auto });
    let mut ran = Ran { calls: calm.lines.len(), tries: &tries, cells: Vec::new(), red: Vec::new() };
    let work = work(&name, &tries);
    let ended = sweep(&grid.pool(), work, &mut progress, |done| Ok(ran.absorb(done))).await;
    progress.finish();
    let ended = ended?;
    let Ran { cells, red, .. } = ran;
    let matrix = Matrix {
        scenario: name.clone(),
        seed: grid.seed,
        verdict: worst(&cells, tries.len()),
        cells,
        skipped: found.skipped,
        alike_max: ALIKE_MAX,
        elapsed_ms: progress.elapsed_ms(),
    };
    matrix.write_rows(file).map_err(unwritable)?;
    let shown = if grid.quiet && matrix.verdict == Verdict::Pass {
        format!("{}\n", matrix.title())
    } else {
        format!("{}  wrote {}\n", matrix.text(), path.display())
    };
    terminal::print(&terminal::colored_title(&shown));
    let verdict = Exit::Verdict(matrix.verdict);
    if ended == Ended::Interrupted {
        return Ok(Exit::Interrupted.and(verdict));
    }
    tell(&grid, &name, &folder, &tries, &red).await?;
    Ok(verdict)
}

impl Grid {
    fn pool(&self) -> Pool {
        Pool { workers: self.jobs, limit: self.limit, settings: self.settings.clone() }
    }
}

fn work(name: &str, tries: &[Try]) -> Box<dyn Iterator<Item = Job> + Send> {
    let job = |(id, each): (u64, &Try)| Job {
        id,
        name: name.to_owned(),
        plan: each.plan.clone(),
        task: Task::Calls,
    };
    let jobs: Vec<Job> = (0..).zip(tries).map(job).collect();
    Box::new(jobs.into_iter())
}

/// The cells as they come in.
struct Ran<'a> {
    /// Of the undisturbed run.
    calls: usize,
    tries: &'a [Try],
    cells: Vec<Cell>,
    /// What is to be told: the first cell of each fingerprint.
    red: Vec<(usize, SeedReport)>,
}

impl Ran<'_> {
    fn absorb(&mut self, done: Done) -> ControlFlow<()> {
        let index = usize::try_from(done.id).expect("an index of the tries");
        let Try { occurrence, strike, plan } = &self.tries[index];
        let Row { verdict, invariant, trace_digest, .. } = done.report.row;
        // A strike that never came about shows nothing; a dead worker cannot say what fired.
        let struck = done.report.fired.contains(&cell::STRIKE) || verdict != Verdict::Pass;
        self.cells.push(Cell {
            stage: occurrence.stage,
            role: occurrence.role,
            caller: plan.topology.name(occurrence.node),
            frame: occurrence.deed.name(),
            nth: occurrence.nth,
            strike: *strike,
            verdict: if struck { verdict } else { Verdict::Inconclusive },
            invariant,
            retried: done.lines.len() > self.calls,
            digest: trace_digest,
        });
        let is_new = self.red.iter().all(|(_, told)| told.fingerprint != done.report.fingerprint);
        if verdict != Verdict::Pass && is_new {
            self.red.push((index, done.report));
        }
        ControlFlow::Continue(())
    }
}

/// One run without faults, judged, in a worker.
async fn undisturbed(grid: &Grid, name: &str, base: &Plan) -> Result<Done, Failure> {
    let job = Job { id: 0, name: name.to_owned(), plan: base.clone(), task: Task::Calls };
    let mut done = None;
    let mut progress = Progress::new(1, Show::None);
    let pool = Pool { workers: 1, ..grid.pool() };
    let _ = sweep(&pool, Box::new(std::iter::once(job)), &mut progress, |each| {
        done = Some(each);
        Ok(ControlFlow::Continue(()))
    })
    .await?;
    done.ok_or_else(|| Failure::Internal("the undisturbed run was interrupted".to_owned()))
}

/// What there is to strike. Moves the healing, and the end with it, behind the last of it.
fn occurrences(base: &mut Plan) -> Occurrences {
    // Here and not in a worker, for the whole trace: a worker has survived the same run just now.
    let options = Options { keep_trace: true, judge: false, ..Options::default() };
    let outcome = tumbler_world::run(base, &roles::role, &options);
    let found = Occurrences::of(base, &outcome.trace);
    let last = found.taken.last().map_or(Instant::ZERO, |occurrence| occurrence.at);
    let heal_at = base.heal_at.max(last.plus(cell::HELD_MAX).plus(Span::from_secs(1)));
    base.end_at = base.end_at.plus(heal_at.since(base.heal_at));
    base.heal_at = heal_at;
    found
}

fn tries(base: &Plan, found: &Occurrences) -> Vec<Try> {
    let tried = |occurrence: &Occurrence, strike: Strike| {
        let plan = cell::plan(base, occurrence, strike)?;
        Some(Try { occurrence: *occurrence, strike, plan })
    };
    let strikes = |occurrence| Strike::ALL.into_iter().filter_map(move |strike| tried(occurrence, strike));
    found.taken.iter().flat_map(strikes).collect()
}

/// The gravest verdict. Cells that are missing, and a grid without any, are no pass.
fn worst(cells: &[Cell], planned: usize) -> Verdict {
    let missing = (cells.is_empty() || cells.len() < planned).then_some(Verdict::Inconclusive);
    let verdicts = cells.iter().map(|cell| cell.verdict).chain(missing);
    verdicts.max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Inconclusive)
}

/// Tells the first cell of each fingerprint, with a capsule.
async fn tell(
    grid: &Grid,
    name: &str,
    folder: &Folder,
    tries: &[Try],
    red: &[(usize, SeedReport)],
) -> Result<(), Failure> {
    if red.is_empty() {
        return Ok(());
    }
    let teller = Teller::new(folder, &grid.settings, grid.limit)?;
    let mut names = BTreeSet::new();
    for (index, report) in red.iter().take(TOLD_MAX) {
        let Try { occurrence, strike, plan } = &tries[*index];
        let caller = plan.topology.name(occurrence.node);
        let suffix = format!("-{caller}-{}-{}-{}", occurrence.deed.name(), occurrence.nth, strike.name());
        assert!(names.insert(capsule_name(name, grid.seed, &suffix)), "cells have names of their own");
        let telling = teller.tell(plan, report, &suffix).await?;
        terminal::print(&format!("\n{}", finding(&telling.report, 1, Some(&telling.replay))));
    }
    Ok(())
}

/// Fingerprints that are told whole.
const TOLD_MAX: usize = 5;
