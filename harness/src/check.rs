//! `tumbler check`: exhaustive search of the specification, told.
//!
//! Every claim is printed with its bounds, because beyond them nothing is claimed. A search that was
//! cut, or that never met what a property speaks of, is Inconclusive; so are two engines that differ.
//!
//! It deliberately searches nothing itself.

use crate::cli::{BoundsName, CheckArgs, EngineName, ModelName};
use crate::compile::tell::{self, Broken};
use crate::exit::{Exit, Failure};
use crate::terminal;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tumbler_checker::bounds::bytes;
use tumbler_checker::graph::{Graph, irreversible};
use tumbler_checker::{
    CheckBounds, CheckReport, Limit, Sentence, Verdict as Said, check as by_stateright, check_graph,
    check_graph_mutated, check_mutated,
};
use tumbler_reports::number::{count, grouped};
use tumbler_spec::machine::{Class, Machine};
use tumbler_types::Verdict;

/// Searches within the named bounds, and prints what was found. Ctrl-C ends the search, not the telling.
pub async fn check(args: CheckArgs) -> Result<Exit, Failure> {
    for bounds in searches(args.bounds) {
        fits(bounds, args.memory)?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
        }
    });
    let told = stop.clone();
    let (compile, flaw, out) = (args.compile, args.flaw, args.out.clone());
    let memory = args.memory.saturating_mul(MIB);
    let (exit, broken) = tokio::task::spawn_blocking(move || match args.model {
        Some(ModelName::Irreversible) => (list_irreversible(&args, &told), Vec::new()),
        None => search(&args, &told),
    })
    .await
    .map_err(|why| Failure::Internal(format!("the search ended early: {why}")))?;
    if !broken.is_empty() {
        tell::broken(broken, flaw, memory, &stop, &out).await?;
    } else if compile && !stop.load(Ordering::Relaxed) {
        tell::tour(stop.clone()).await?;
    }
    Ok(if stop.load(Ordering::Relaxed) { Exit::Interrupted.and(exit) } else { exit })
}

/// A name stands for one search or for several that together cover more.
fn searches(bounds: BoundsName) -> Vec<CheckBounds> {
    match bounds {
        BoundsName::Small => vec![CheckBounds::small()],
        BoundsName::Medium => vec![CheckBounds::medium(), CheckBounds::revoked()],
        BoundsName::Large => vec![CheckBounds::large()],
    }
}

/// Refused before the search begins, and not when the machine is out of memory.
fn fits(bounds: CheckBounds, memory: u64) -> Result<(), Failure> {
    let needed = bytes(bounds).div_ceil(MIB);
    if needed <= memory {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "these bounds are expected to take {} MiB, and --memory allows {}: search smaller ones, or allow more",
        grouped(needed),
        grouped(memory)
    )))
}

fn limit<'a>(args: &CheckArgs, stop: &'a AtomicBool) -> Limit<'a> {
    Limit {
        bytes: args.memory.saturating_mul(MIB),
        stop_at: Some(Instant::now() + DEADLINE),
        stop: Some(stop),
    }
}

fn search(args: &CheckArgs, stop: &AtomicBool) -> (Exit, Vec<Broken>) {
    let mut exit = Exit::PASS;
    let mut broken = Vec::new();
    for bounds in searches(args.bounds) {
        let mut reports = Vec::new();
        if args.engine != EngineName::Stateright {
            reports.push(match args.flaw {
                Some(flaw) => check_graph_mutated(&bounds, flaw, limit(args, stop)),
                None => check_graph(&bounds, limit(args, stop)),
            });
        }
        if args.engine != EngineName::Graph && !stop.load(Ordering::Relaxed) {
            reports.push(match args.flaw {
                Some(flaw) => check_mutated(&bounds, flaw, THREADS, Some(DEADLINE)),
                None => by_stateright(&bounds, THREADS, Some(DEADLINE)),
            });
        }
        for Sentence { id, verdict, .. } in reports.first().iter().flat_map(|report| &report.sentences) {
            if let Said::Violated { .. } = verdict {
                broken.push(Broken { bounds, sentence: id });
            }
        }
        let verdict = verdict(&reports);
        exit = exit.and(Exit::Verdict(verdict));
        terminal::print(&terminal::colored_title(&text(&reports, verdict)));
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    (exit, broken)
}

/// Never rounds up: cut searches, unseen moments and engines that differ are Inconclusive.
fn verdict(reports: &[CheckReport]) -> Verdict {
    let said = |said: &Said| match said {
        Said::Holds { .. } => Verdict::Pass,
        Said::Violated { .. } => Verdict::Violated,
        Said::Inconclusive { .. } => Verdict::Inconclusive,
    };
    let sentences = reports.iter().flat_map(|report| &report.sentences);
    let gravest = sentences.map(|sentence| said(&sentence.verdict)).max_by_key(|each| each.severity());
    let whole =
        |report: &CheckReport| report.is_exhausted && report.reached.iter().all(|(_, reached)| *reached);
    match gravest {
        Some(Verdict::Pass) if !reports.iter().all(whole) || !differences(reports).is_empty() => {
            Verdict::Inconclusive
        }
        None => Verdict::Inconclusive,
        Some(verdict) => verdict,
    }
}

fn differences(reports: &[CheckReport]) -> Vec<String> {
    match reports {
        [one, two] => one.contradicts(two),
        _ => Vec::new(),
    }
}

fn text(reports: &[CheckReport], verdict: Verdict) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("memory");
    let Some(first) = reports.first() else { return out };
    let word = match verdict {
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Violated
        | Verdict::Stalled
        | Verdict::Diverged
        | Verdict::Crashed
        | Verdict::Nondeterministic => "FAIL violated",
    };
    let whole = reports.iter().all(|report| report.is_exhausted);
    line(format!("{word}  specification, {}", if whole { "exhausted" } else { "not exhausted" }));
    bounds_lines(first.bounds, &mut line);
    for report in reports {
        let CheckReport { engine, states, edges, depth, elapsed, .. } = report;
        let (seconds, tenths) = (elapsed.as_secs(), elapsed.subsec_millis() / 100);
        line(format!(
            "  {:<10}  {} states, {} edges, depth {}, {seconds}.{tenths} s",
            engine.to_string(),
            grouped(*states),
            grouped(*edges),
            grouped(*depth)
        ));
    }
    let differences = differences(reports);
    if reports.len() > 1 && differences.is_empty() && whole {
        line("  both engines agree on states, edges, moments and verdicts".to_owned());
    }
    for difference in differences {
        line(format!("  inconclusive: the engines differ in {difference}"));
    }
    for sentence in &first.sentences {
        sentence_lines(sentence, &mut line);
    }
    if let Some(spent) = reports.iter().find_map(|report| report.spent) {
        line(format!("  a budget is used up in {} states, none of them excused", grouped(spent)));
    }
    let seen = first.reached.iter().filter(|(_, reached)| *reached).count();
    line(format!("  moments that must be seen: {seen} of {}", first.reached.len()));
    for (mark, _) in first.reached.iter().filter(|(_, reached)| !reached) {
        line(format!("  inconclusive: {} was never seen", mark.name()));
    }
    out
}

fn bounds_lines(bounds: CheckBounds, line: &mut impl FnMut(String)) {
    let CheckBounds { rotators, agents, rotations, crashes, zombies, revocations, skew } = bounds;
    line(format!(
        "  bounds      {}, {}, {},",
        count(u64::from(rotations), "rotation"),
        count(u64::from(rotators), "rotator"),
        count(u64::from(agents), "agent")
    ));
    line(format!(
        "              {}, {}, {}",
        crash_text(crashes),
        plural(zombies, "zombie", "zombies"),
        plural(revocations, "revocation", "revocations")
    ));
    line(format!("              clocks off by {skew} ε at most"));
}

fn sentence_lines(sentence: &Sentence, line: &mut impl FnMut(String)) {
    let Sentence { id, kind, verdict } = sentence;
    let head = format!("  {id:<20} {:<10}", kind.to_string());
    match verdict {
        Said::Holds { asked, .. } => line(format!("{head} holds, asked {} times", grouped(*asked))),
        Said::Inconclusive { why } => line(format!("{head} inconclusive: {why}")),
        Said::Violated { path, cycle } => {
            line(format!("{head} VIOLATED after {}:", count(path.len() as u64, "step")));
            for (step, action) in path.iter().enumerate() {
                line(format!("    {:>3}  {action:?}", step + 1));
            }
            if !cycle.is_empty() {
                line("         and then for ever:".to_owned());
            }
            for action in cycle {
                line(format!("         {action:?}"));
            }
        }
    }
}

/// Steps after which an earlier good state is lost, each with what makes up for it.
fn list_irreversible(args: &CheckArgs, stop: &AtomicBool) -> Exit {
    let mut exit = Exit::PASS;
    for bounds in searches(args.bounds) {
        let machine = Machine::new(bounds);
        let graph = Graph::explore(&machine, limit(args, stop));
        let mut out = String::new();
        let mut line = |text: String| writeln!(out, "{text}").expect("memory");
        if graph.cut.is_some() {
            line("INCONCLUSIVE  the search was cut: what can be reached is not known".to_owned());
            bounds_lines(bounds, &mut line);
            terminal::print(&out);
            return exit.and(Exit::Verdict(Verdict::Inconclusive));
        }
        line("irreversible steps: a version that everybody could have been settled on is lost".to_owned());
        bounds_lines(bounds, &mut line);
        line(format!("  {:<12} {:<15} {:<8} {:<10} {:>8}", "whose", "step", "phase", "loses", "steps"));
        let mut surprises = 0;
        for (kind, occurrences) in irreversible(&machine, &graph) {
            let whose = match kind.class {
                Class::System => "system",
                Class::Environment => "time",
                Class::Operator => "operator",
                Class::Fault => "fault",
            };
            line(format!(
                "  {whose:<12} {:<15} {:<8} {:<10} {:>8}",
                kind.step,
                kind.phase.name(),
                kind.lost,
                grouped(occurrences)
            ));
            match mitigation(kind.step, kind.lost) {
                Some(why) => line(format!("    {why}")),
                None => {
                    surprises += 1;
                    line("    SURPRISE: nothing makes up for it".to_owned());
                }
            }
        }
        if surprises > 0 {
            exit = exit.and(Exit::Verdict(Verdict::Violated));
        }
        terminal::print(&out);
    }
    exit
}

/// What makes a loss acceptable. A step that is not here is a surprise, and fails.
fn mitigation(step: &str, lost: &str) -> Option<&'static str> {
    match (step, lost) {
        ("Revoke", _) => Some("ordered; the next rotation brings a fresh version"),
        // The rotator's request to pass it may come late.
        ("Advance" | "Release", "previous") => {
            Some("the point of no return: every holder has left it before")
        }
        ("Advance", "pending") => Some("given up, and drained: its holders are back on current"),
        ("Advance", _) | ("RollBack", _) => Some("given up; the next rotation brings a fresh version"),
        ("Begin", _) => Some("the last rotation within these bounds"),
        _ => None,
    }
}

fn plural(number: u8, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// In the machine volatile state may get lost at any time, so that a bound above zero bounds nothing.
fn crash_text(crashes: u8) -> &'static str {
    if crashes == 0 { "no crash" } else { "crashes without limit" }
}

/// Stateright searches level by level only with one thread; the depth that it reports is exact then,
/// and a second thread was measured to gain nothing.
const THREADS: usize = 1;

/// A search that has not ended by then says so.
const DEADLINE: Duration = Duration::from_secs(300);

const MIB: u64 = 1 << 20;
