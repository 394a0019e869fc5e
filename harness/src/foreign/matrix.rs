//! `tumbler grid --rotator`: every call of a rotation function × every single strike.

use super::story::{mark, told};
use super::{Rotator, run_all};
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::progress::{Progress, Show};
use crate::terminal;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tumbler_foreign::world::Site;
use tumbler_foreign::{Outcome, Plan, Report, Strike, StrikeKind};
use tumbler_reports::foreign::{Cell, Matrix};
use tumbler_types::Verdict;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Grid {
    pub rotator: Rotator,
    pub seed: u64,
    pub jobs: usize,
    pub out: Option<PathBuf>,
    pub quiet: bool,
    pub limit: Duration,
}

/// Runs the grid.
pub fn grid(grid: &Grid) -> Result<Exit, Failure> {
    let began = Instant::now();
    let folder = Folder::open(grid.out.as_deref())?;
    let path = folder.grid();
    let unwritable = |why| Failure::Unwritable { path: path.clone(), why };
    let file = std::fs::File::create(&path).map_err(unwritable)?;
    let rotator = &grid.rotator;
    let plan = |strikes| rotator.plan(grid.seed, strikes);
    let bare = plan(Vec::new());
    let calm = run_all(rotator, std::slice::from_ref(&bare), 1, grid.limit, |_| ()).remove(0);
    let (verdict, _) = calm.outcome.verdict();
    if verdict != Verdict::Pass || calm.outcome == Outcome::Retried {
        terminal::print(&told(rotator, &bare, &calm));
        if let Some(raised) = &calm.raised {
            terminal::note(&format!("tumbler: without any fault, an invocation {raised}"));
        }
        terminal::note("tumbler: the undisturbed run itself is no pass, so there is no grid of it");
        return Ok(Exit::Verdict(if verdict == Verdict::Pass { Verdict::Stalled } else { verdict }));
    }
    let tries = tries(&calm);
    let plans: Vec<Plan> = tries.iter().map(|(_, strike)| plan(vec![*strike])).collect();
    let show = if grid.quiet { Show::None } else { Show::Auto };
    let progress = Mutex::new(Progress::of(plans.len() as u64, "cells", show));
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let reports = run_all(rotator, &plans, grid.jobs, grid.limit, |report| {
        lock().done(report.outcome.verdict().0 != Verdict::Pass);
    });
    lock().finish();
    let cells: Vec<Cell> =
        tries.iter().zip(&reports).map(|((site, strike), report)| cell(site, *strike, report)).collect();
    let worst = cells.iter().map(|cell| cell.verdict).max_by_key(|verdict| verdict.severity());
    let matrix = Matrix {
        rotator: rotator.name(),
        engine: rotator.engine.name().to_owned(),
        seed: grid.seed,
        verdict: worst.unwrap_or(Verdict::Inconclusive),
        calls: calm.sites.iter().filter(|site| site.rotation == 1).count() as u64,
        columns: StrikeKind::ALL.map(head).to_vec(),
        cells,
        elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    matrix.write_rows(file).map_err(unwritable)?;
    let shown = if grid.quiet && matrix.verdict == Verdict::Pass {
        format!("{}\n", matrix.title())
    } else {
        format!("{}  wrote {}\n", matrix.text(), path.display())
    };
    terminal::print(&terminal::colored_title(&shown));
    for index in worst_of(&reports) {
        terminal::print(&format!("\n{}", told(rotator, &plans[index], &reports[index])));
    }
    Ok(Exit::Verdict(matrix.verdict))
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

fn cell(site: &Site, strike: Strike, report: &Report) -> Cell {
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
        digest: report.digest,
    }
}

/// The first run of each of the gravest outcomes, the shortest story among its like.
fn worst_of(reports: &[Report]) -> Vec<usize> {
    let mut worst: Vec<usize> = Vec::new();
    let mut order: Vec<usize> =
        (0..reports.len()).filter(|index| reports[*index].outcome.verdict().0 != Verdict::Pass).collect();
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
        StrikeKind::KilledBefore => ["kill", "pre"],
        StrikeKind::AppliedKilled => ["kill", "post"],
        StrikeKind::Never => ["no", "rep"],
        StrikeKind::Held => ["held", "past"],
        StrikeKind::Stale => ["old", "read"],
        StrikeKind::Doubled => ["twin", "inv"],
        StrikeKind::Paused => ["stop", "past"],
        StrikeKind::Late => ["late", "inv"],
        StrikeKind::TlsFails => ["tls", "off"],
    }
}

/// Stories told whole.
const TOLD_MAX: usize = 3;
