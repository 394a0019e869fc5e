//! What compiling came to, told; and a capsule of each counterexample that a run shows as well.

use super::twin::{name, twin};
use super::{Compiled, End, realize, tour};
use crate::exit::Failure;
use crate::folder::Folder;
use crate::job::{Job, Settings, Task};
use crate::subject;
use crate::tell::Teller;
use crate::terminal;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tumbler_checker::graph::{Graph, witnesses};
use tumbler_checker::{CheckBounds, Limit};
use tumbler_plan::Planted;
use tumbler_reports::number::{count, grouped};
use tumbler_spec::machine::{Action, Machine, Mutation};

/// A sentence that the specification breaks.
#[derive(Clone, Debug)]
pub struct Broken {
    pub bounds: CheckBounds,
    pub sentence: &'static str,
}

/// Compiles ways to break each sentence, the shortest first, until a run fails as well; that one becomes a
/// capsule. `memory`: bytes that the search for the ways may take.
pub async fn broken(
    all: Vec<Broken>,
    flaw: Option<Mutation>,
    memory: u64,
    stop: &Arc<AtomicBool>,
    out: &Path,
) -> Result<(), Failure> {
    let planted = flaw.and_then(twin);
    let mut bounds: Vec<CheckBounds> = all.iter().map(|broken| broken.bounds).collect();
    bounds.dedup();
    for bounds in bounds {
        let machine = Arc::new(match flaw {
            Some(flaw) => Machine::mutated(bounds, flaw),
            None => Machine::new(bounds),
        });
        let graph = blocking({
            let (machine, stop) = (machine.clone(), stop.clone());
            move || {
                let limit = Limit { bytes: memory, stop_at: None, stop: Some(&stop) };
                Arc::new(Graph::explore(&machine, limit))
            }
        })
        .await?;
        for sentence in all.iter().filter(|broken| broken.bounds == bounds).map(|broken| broken.sentence) {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            // The code as it is takes a flaw's path nowhere: where it leaves the shortest is enough.
            let is_hopeless = flaw.is_some() && planted.is_none();
            let ways = ways(&machine, &graph, sentence, if is_hopeless { 1 } else { WAYS }).await?;
            let tried = try_ways(&machine, sentence, &ways, planted, out).await?;
            let mut text = format!("COMPILED  {sentence}: {}\n", reached(&tried.compiled, &tried.path));
            match (flaw, planted) {
                (Some(flaw), Some(planted)) => {
                    line(&mut text, &format!("the run has {}'s twin, {}", name(flaw), planted.name()));
                }
                (Some(flaw), None) => {
                    line(&mut text, &format!("{} has no twin: the run has no planted bug", name(flaw)));
                }
                (None, _) => {}
            }
            if tried.failing.is_none() && tried.realized > 0 {
                let passing =
                    format!("{} of {} ways to break it are runs, which pass", tried.realized, ways.len());
                line(&mut text, &passing);
            }
            for told in tried.failing.unwrap_or_default() {
                line(&mut text, &told);
            }
            terminal::print(&terminal::colored_title(&text));
        }
    }
    Ok(())
}

/// What came of a sentence's ways.
struct Tried {
    /// The way that fails; if none does, the one that was realized furthest.
    compiled: Compiled,
    path: Vec<Action>,
    /// Lines about the failing run.
    failing: Option<Vec<String>>,
    realized: usize,
}

/// Ways to break the sentence, each also with the other rotator taking over.
async fn ways(
    machine: &Arc<Machine>,
    graph: &Arc<Graph>,
    sentence: &'static str,
    max: usize,
) -> Result<Vec<Vec<Action>>, Failure> {
    let (machine, graph) = (machine.clone(), graph.clone());
    blocking(move || {
        let ways = witnesses(&machine, &graph, sentence, max);
        let mut all = Vec::new();
        for way in ways {
            let others = handed_over(&machine, &way);
            all.push(way);
            all.extend(others);
        }
        all.truncate(max);
        all
    })
    .await
}

/// The same way with each takeover by the other rotator, if it leads to the same state.
fn handed_over(machine: &Machine, way: &[Action]) -> Option<Vec<Action>> {
    let end = |way: &[Action]| {
        way.iter().try_fold(machine.initial().clone(), |state, action| {
            machine.apply(&state, *action).map(|(next, _)| next)
        })
    };
    let mut is_first = true;
    let other: Vec<Action> = way
        .iter()
        .map(|action| match action {
            Action::Acquire { rotator: 0 } if !std::mem::take(&mut is_first) => {
                Action::Acquire { rotator: 1 }
            }
            action => *action,
        })
        .collect();
    (other != way && end(&other).is_some_and(|there| Some(there) == end(way))).then_some(other)
}

async fn try_ways(
    machine: &Arc<Machine>,
    sentence: &'static str,
    ways: &[Vec<Action>],
    planted: Option<Planted>,
    out: &Path,
) -> Result<Tried, Failure> {
    let mut best: Option<(Compiled, Vec<Action>)> = None;
    let mut realized = 0;
    for path in ways {
        let mut compiled = blocking({
            let (machine, path) = (machine.clone(), path.clone());
            move || realize(&machine, &path, planted)
        })
        .await?;
        compiled.plan.scenario = format!("compiled-{sentence}");
        if compiled.end == End::Realized {
            realized += 1;
            if let Some(failing) = capsule(&compiled, out).await? {
                return Ok(Tried { compiled, path: path.clone(), failing: Some(failing), realized });
            }
        }
        let is_further = |best: &(Compiled, Vec<Action>)| {
            let left = |compiled: &Compiled, path: &[Action]| path.len() - compiled.realized;
            left(&compiled, path) < left(&best.0, &best.1)
        };
        if best.as_ref().is_none_or(is_further) {
            best = Some((compiled, path.clone()));
        }
    }
    let (compiled, path) = best.ok_or_else(|| {
        Failure::Internal(format!("{sentence} was broken in one search, and in the next it is not"))
    })?;
    Ok(Tried { compiled, path, failing: None, realized })
}

fn reached(compiled: &Compiled, path: &[Action]) -> String {
    let Compiled { end, realized, plan, runs } = compiled;
    match end {
        End::Realized => format!(
            "realized, {} as {}, {}",
            count(path.len() as u64, "step"),
            count(plan.faults.len() as u64, "fault"),
            count(*runs, "run")
        ),
        End::Diverged { differences } => {
            let mut text = format!("diverged at step {}, {}", realized + 1, path[*realized].name());
            differences.iter().for_each(|each| write!(text, "\n  {each}").expect("memory"));
            text
        }
        End::Unrealizable { why } => {
            format!("unrealizable at step {}, {}:\n  {why}", realized + 1, path[*realized].name())
        }
    }
}

/// Runs the plan to its end, and keeps it if it fails. Lines to tell of it; none if it passes.
async fn capsule(compiled: &Compiled, out: &Path) -> Result<Option<Vec<String>>, Failure> {
    let (settings, plan) = (Settings::default(), &compiled.plan);
    let task = Task::Judge { recheck: false, probe: false, blame: false, follow: false };
    let job = Job { id: 0, name: plan.scenario.clone(), plan: plan.clone(), task };
    let done = subject::once(&settings, LIMIT, &job).await?;
    if done.report.fingerprint.is_none() {
        return Ok(None);
    }
    let folder = Folder::of(&out.join("x"))?;
    let suffix = plan.planted.map_or_else(String::new, |planted| format!("+{}", planted.name()));
    let telling = Teller::new(&folder, &settings, LIMIT)?.tell(plan, &done.report, &suffix).await?;
    let row = &telling.report.row;
    let broken = row.invariant.map_or_else(String::new, |invariant| format!(": {}", invariant.id()));
    Ok(Some(vec![format!("the run is {}{broken}", row.verdict.name()), telling.replay]))
}

/// Every step of the smallest bounds, as runs.
pub async fn tour(stop: Arc<AtomicBool>) -> Result<(), Failure> {
    let begun = Instant::now();
    let (states, edges, toured) = blocking(move || {
        let machine = Machine::new(CheckBounds::tiny());
        let graph = Graph::explore(&machine, Limit { bytes: 1 << 30, stop_at: None, stop: Some(&stop) });
        let toured = tour::walk(&machine, &graph, &stop);
        (graph.table.len() as u64, graph.edge_count(), toured)
    })
    .await?;
    let tour::Toured { paths, runs, realized, diverged, unrealizable, behind, whys } = toured;
    let mut text = format!("COMPILED  every step of {} states\n", grouped(states));
    line(&mut text, "bounds      1 rotation, 1 rotator, 1 agent, crashes without limit");
    let tried = format!("{}, {} runs, {} s", count(paths, "path"), grouped(runs), begun.elapsed().as_secs());
    line(&mut text, &tried);
    let share = |part: u64| {
        let tenths = part.saturating_mul(1_000).checked_div(edges).unwrap_or(0);
        format!("{:>7} of {}, {}.{} %", grouped(part), grouped(edges), tenths / 10, tenths % 10)
    };
    line(&mut text, &format!("realized       {}", share(realized)));
    line(&mut text, &format!("diverged       {}", share(diverged)));
    line(&mut text, &format!("unrealizable   {}", share(unrealizable)));
    line(&mut text, &format!("behind those   {}", share(behind)));
    for ((step, why), times) in whys {
        line(&mut text, &format!("  {:>5}  {step}: {why}", grouped(times)));
    }
    terminal::print(&terminal::colored_title(&text));
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|why| Failure::Internal(format!("compiling ended early: {why}")))
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "  {line}").expect("memory");
}

/// A compiled run has some thousand events.
const LIMIT: Duration = Duration::from_secs(60);
/// Ways to break one sentence that are tried.
const WAYS: usize = 48;
