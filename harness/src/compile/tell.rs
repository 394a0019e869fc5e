//! What compiling came to, told; and a capsule of each counterexample that a run shows as well.

use super::twin::{name, twin};
use super::{Compiled, End, realize, tour};
use crate::exit::Failure;
use crate::folder::Folder;
use crate::job::{Job, Settings, Task};
use crate::pool::Worker;
use crate::tell::Teller;
use crate::terminal;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tumbler_checker::graph::Graph;
use tumbler_checker::{CheckBounds, Limit};
use tumbler_reports::number::{count, grouped};
use tumbler_spec::machine::{Action, Machine, Mutation};
use tumbler_types::Invariant;

/// A sentence that the specification breaks, and how.
#[derive(Clone, Debug)]
pub struct Broken {
    pub bounds: CheckBounds,
    pub sentence: &'static str,
    pub path: Vec<Action>,
}

/// Compiles each path, runs it, and writes a capsule of what fails.
pub async fn broken(all: Vec<Broken>, flaw: Option<Mutation>, out: &Path) -> Result<(), Failure> {
    let planted = flaw.and_then(twin);
    let mut done: Vec<Vec<Action>> = Vec::new();
    for Broken { bounds, sentence, path } in all {
        if done.contains(&path) {
            continue;
        }
        let compiled = blocking({
            let path = path.clone();
            move || {
                let machine = match flaw {
                    Some(flaw) => Machine::mutated(bounds, flaw),
                    None => Machine::new(bounds),
                };
                realize(&machine, &path, planted)
            }
        })
        .await?;
        let mut text = format!("COMPILED  {sentence}: {}\n", reached(&compiled, &path));
        if let Some(flaw) = flaw {
            match planted {
                Some(planted) => {
                    line(&mut text, &format!("the run has {}'s twin, {}", name(flaw), planted.name()))
                }
                None => line(&mut text, &format!("{} has no twin: the run has no planted bug", name(flaw))),
            }
        }
        if compiled.end == End::Realized {
            capsule(&compiled, out, &mut text).await?;
        }
        terminal::print(&terminal::colored_title(&text));
        done.push(path);
    }
    Ok(())
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
        End::Diverged { expected, got } => format!(
            "diverged at step {}, {}\n  expected    {expected}\n  got         {got}",
            realized + 1,
            path[*realized].name()
        ),
        End::Unrealizable { why } => {
            format!("unrealizable at step {}, {}: {why}", realized + 1, path[*realized].name())
        }
    }
}

/// Runs the plan to its end, and keeps it if it fails.
async fn capsule(compiled: &Compiled, out: &Path, text: &mut String) -> Result<(), Failure> {
    let (settings, plan) = (Settings::default(), &compiled.plan);
    let task = Task::Judge { recheck: false, probe: false, blame: false, follow: false };
    let job = Job { id: 0, name: plan.scenario.clone(), plan: plan.clone(), task };
    let mut worker = Worker::start(&settings).await?;
    let is_given = worker.give(std::slice::from_ref(&job)).await.is_ok();
    let Some(done) = (if is_given { worker.answer(&job, LIMIT).await.ok() } else { None }) else {
        line(text, "the run killed its worker");
        return Ok(());
    };
    if done.report.fingerprint.is_none() {
        line(text, "the run passes: no invariant of a run is broken by these steps");
        return Ok(());
    }
    let folder = Folder::of(&out.join("x"))?;
    let suffix = plan.planted.map_or_else(String::new, |planted| format!("+{}", planted.name()));
    let telling = Teller::new(&folder, &settings, LIMIT)?.tell(plan, &done.report, &suffix).await?;
    let row = &telling.report.row;
    let broken = row.invariant.map_or("", Invariant::id);
    line(text, &format!("the run is {}: {broken}", row.verdict.name()));
    line(text, &telling.replay);
    Ok(())
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
