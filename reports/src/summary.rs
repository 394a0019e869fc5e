//! The end of a run, for a terminal: eighty columns, the verdict first.
//!
//! It deliberately decides nothing: the verdict and the gaps are the sweep's.

use crate::finding::finding;
use crate::number::{count, grouped, span};
use crate::reached;
use crate::report::v2::{Assumed, Ended, Reach};
use crate::vacuity::Floor;
use crate::wrap::hang;
use crate::{Rollback, Sweep};
use std::fmt::Write as _;
use tumbler_types::{Invariant, Verdict};

/// What the harness knows and the sweep does not.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// What every claim rests on.
    pub assumed: Vec<Assumed>,
    pub floor: Floor,
    pub ended: Ended,
    /// What was reached, where runs were followed.
    pub reached: Option<Reach>,
    /// Names and places of the files written, to be shown.
    pub files: Vec<String>,
}

/// The whole summary.
pub fn summary(sweep: &Sweep, facts: &Facts) -> String {
    let verdict = sweep.verdict(&facts.floor);
    let mut out = String::new();
    put(&mut out, &title(sweep, facts, verdict));
    if facts.ended == Ended::Stopped {
        let left = count(sweep.planned.saturating_sub(sweep.done), "seed");
        put(&mut out, &format!("  stopped          by --max-fail: {left} left"));
    }
    counts(&mut out, sweep);
    out.extend(facts.reached.as_ref().map(reached::lines));
    invariants(&mut out, sweep);
    assumes(&mut out, sweep, facts);
    if verdict == Verdict::Pass {
        // The rule of three: no failure among n independent draws leaves rates up to 3/n at 95 %.
        let rate = (sweep.done - sweep.bred) / 3;
        if rate > 1 {
            let rate = grouped(rate);
            put(&mut out, &format!("  not excluded: failures rarer than 1 in {rate} seeds (95 %)"));
        }
    }
    for gap in sweep.gaps(&facts.floor) {
        hang(&mut out, "  inconclusive: ", &gap.to_string());
    }
    scenarios(&mut out, sweep);
    findings(&mut out, sweep);
    for file in &facts.files {
        put(&mut out, &format!("  wrote {file}"));
    }
    out
}

fn title(sweep: &Sweep, facts: &Facts, verdict: Verdict) -> String {
    let word = match verdict {
        Verdict::Pass => "PASS".to_owned(),
        Verdict::Inconclusive => "INCONCLUSIVE".to_owned(),
        Verdict::Violated
        | Verdict::Stalled
        | Verdict::Diverged
        | Verdict::Crashed
        | Verdict::Nondeterministic => format!("FAIL {}", verdict.name()),
    };
    let word = if facts.ended == Ended::Interrupted { format!("INTERRUPTED {word}") } else { word };
    format!(
        "{word}  {}/{}  {}  {}.{} s  distinct traces {}",
        grouped(sweep.done),
        match sweep.bred {
            0 => count(sweep.planned, "seed"),
            bred => format!("{} ({} bred)", count(sweep.planned, "run"), grouped(bred)),
        },
        count(sweep.scenarios.len() as u64, "scenario"),
        facts.elapsed_ms / 1_000,
        facts.elapsed_ms / 100 % 10,
        grouped(sweep.distinct())
    )
}

fn counts(out: &mut String, sweep: &Sweep) {
    let number = grouped;
    put(
        out,
        &format!(
            "  rotations        {} promoted, {} rolled back, {} open",
            number(sweep.promoted),
            number(sweep.rolled_back),
            number(sweep.open)
        ),
    );
    put(
        out,
        &format!(
            "  faults fired     {} ({} inside a rotation)",
            number(sweep.faults_fired),
            number(sweep.faults_in_rotation)
        ),
    );
    let equal = sweep.rechecked - sweep.recheck_differs;
    put(out, &format!("  rechecked        {}/{} equal", number(equal), number(sweep.rechecked)));
    if sweep.rollback.is_empty() {
        return;
    }
    let points: Vec<String> = Rollback::PHASES
        .into_iter()
        .map(|phase| {
            let tried = sweep.rollback.tried(phase);
            format!("{} {} ({} under fault)", phase.name(), number(tried.count), number(tried.under_fault))
        })
        .collect();
    for (index, pair) in points.chunks(2).enumerate() {
        let head = if index == 0 { "rollback points" } else { "" };
        put(out, &format!("  {head:<15}  {}", pair.join(", ")));
    }
}

fn invariants(out: &mut String, sweep: &Sweep) {
    put(out, &format!("  {:<20} {:>10} {:>12}   worst / bound", "invariant", "exercised", "under fault"));
    for invariant in Invariant::ALL.into_iter().filter(|invariant| sweep.judges(*invariant)) {
        let Some(exercised) = sweep.exercised.get(&invariant) else {
            put(out, &format!("  {:<20} {:>10} {:>12}   -", invariant.id(), 0, 0));
            continue;
        };
        let approach = match (exercised.worst, exercised.bound) {
            (Some(worst), Some(bound)) => format!("{} / {}", span(worst), span(bound)),
            _ => "-".to_owned(),
        };
        put(
            out,
            &format!(
                "  {:<20} {:>10} {:>12}   {approach}",
                invariant.id(),
                grouped(exercised.count),
                grouped(exercised.under_fault)
            ),
        );
    }
}

/// The table in a line, what was left of it on purpose, and what that excused.
fn assumes(out: &mut String, sweep: &Sweep, facts: &Facts) {
    let assumed = |each: &Assumed| match each.bound_ns {
        Some(bound) => format!("{} {}", each.assumption.id(), span(bound)),
        None => each.assumption.id().to_owned(),
    };
    let all: Vec<String> = facts.assumed.iter().map(assumed).collect();
    hang(out, "  assumes  ", &all.join(", "));
    for each in facts.assumed.iter().filter(|each| !each.broken_in.is_empty()) {
        let scenarios = each.broken_in.join(", ");
        hang(out, "  breaks   ", &format!("{} in {scenarios}, on purpose", each.assumption.id()));
    }
    for excused in sweep.excused.values() {
        let (id, seeds) = (excused.invariant.id(), count(excused.seeds, "seed"));
        hang(out, "  excused  ", &format!("{id} in {seeds} of {}: not owed there", excused.scenario));
    }
}

/// Scenarios in which something failed.
fn scenarios(out: &mut String, sweep: &Sweep) {
    for (scenario, verdicts) in &sweep.scenarios {
        if verdicts.keys().all(|verdict| *verdict == Verdict::Pass) {
            continue;
        }
        let counts: Vec<String> = verdicts
            .iter()
            .map(|(verdict, seeds)| format!("{} {}", grouped(*seeds), verdict.name()))
            .collect();
        hang(out, &format!("  {scenario:<20} "), &counts.join(", "));
    }
}

fn findings(out: &mut String, sweep: &Sweep) {
    for told in sweep.findings.iter().filter(|told| told.known).take(LISTED_MAX) {
        let seeds = count(told.count, "seed");
        hang(out, "  known: ", &format!("{} ({seeds}, in the baseline)", told.fingerprint));
    }
    let new = || sweep.findings.iter().filter(|told| !told.known);
    for told in new().take(STORIES_MAX) {
        out.push('\n');
        out.push_str(&finding(&told.first, told.count, told.replay.as_deref()));
        if !told.beyond.is_empty() {
            let beyond: Vec<&str> = told.beyond.iter().map(|check| check.id()).collect();
            hang(out, "  not in the baseline: ", &beyond.join(", "));
        }
    }
    let rest = new().skip(STORIES_MAX);
    for (index, told) in rest.enumerate() {
        if index == 0 {
            out.push('\n');
            put(out, "more findings, not told here:");
        }
        if index == LISTED_MAX {
            let left = new().count() - STORIES_MAX - LISTED_MAX;
            put(out, &format!("  … {left} more"));
            break;
        }
        let seeds = count(told.count, "seed");
        let row = &told.first.row;
        hang(out, "  ", &format!("{} ({seeds}, first {} {})", told.fingerprint, row.scenario, row.seed));
    }
}

fn put(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("memory");
}

/// Findings told whole, and those listed after them.
const STORIES_MAX: usize = 5;
const LISTED_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};
    use crate::{Broken, Line, Point, Recheck, Story};
    use tumbler_types::{Assumption, Instant, Phase, Span, Wall};

    fn facts() -> Facts {
        Facts {
            elapsed_ms: 41_340,
            assumed: vec![
                Assumed {
                    assumption: Assumption::ClockWithinEpsilon,
                    sentence: "clocks are close".to_owned(),
                    bound_ns: Some(Span::from_millis(250)),
                    carries: vec![Invariant::RevokedUndelivered],
                    broken_in: Vec::new(),
                },
                Assumed {
                    assumption: Assumption::FsyncHonest,
                    sentence: "fsync is honest".to_owned(),
                    bound_ns: None,
                    carries: vec![Invariant::DurableAck],
                    broken_in: Vec::new(),
                },
            ],
            floor: Floor::default(),
            ended: Ended::Whole,
            reached: None,
            files: vec!["target/tumbler/results.csv".to_owned()],
        }
    }

    #[test]
    fn a_green_run_ends_like_this() {
        let mut sweep = Sweep::new(1_200);
        for seed in 0..1_200 {
            let mut report = passed(seed);
            report.exercised.iter_mut().for_each(|each| each.worst = Some(Span::from_millis(seed + 1)));
            report.recheck = (seed % 50 == 0).then_some(Recheck::Equal);
            if seed < 60 {
                let phase = Rollback::PHASES[(seed % 5) as usize];
                report.points =
                    vec![Point { at: Instant(1), phase, under_fault: seed % 2 == 0, missed: None }];
            }
            sweep.absorb(Verdict::Pass, &report);
        }
        let text = summary(&sweep, &facts());
        assert_eq!(text, GREEN);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    const GREEN: &str = "\
PASS  1,200/1,200 seeds  1 scenario  41.3 s  distinct traces 1,200
  rotations        1,200 promoted, 0 rolled back, 0 open
  faults fired     3,600 (2,400 inside a rotation)
  rechecked        24/24 equal
  rollback points  draft 12 (6 under fault), staged 12 (6 under fault)
                   canary 12 (6 under fault), promote 12 (6 under fault)
                   drain 12 (6 under fault)
  invariant             exercised  under fault   worst / bound
  applied-once              2,400        1,200   1.2 s / 5.0 s
  revoked-undelivered       2,400        1,200   1.2 s / 5.0 s
  revoked-refused           2,400        1,200   1.2 s / 5.0 s
  rollback-possible         2,400        1,200   1.2 s / 5.0 s
  durable-ack               2,400        1,200   1.2 s / 5.0 s
  holder-served             2,400        1,200   1.2 s / 5.0 s
  converges                 2,400        1,200   1.2 s / 5.0 s
  no-downgrade              2,400        1,200   1.2 s / 5.0 s
  privilege-preserved       2,400        1,200   1.2 s / 5.0 s
  rotated-when-due          2,400        1,200   1.2 s / 5.0 s
  transitions-legal         2,400        1,200   1.2 s / 5.0 s
  orphan-free               2,400        1,200   1.2 s / 5.0 s
  assumes  clock-within-epsilon 250 ms, fsync-honest
  not excluded: failures rarer than 1 in 400 seeds (95 %)
  wrote target/tumbler/results.csv
";

    #[test]
    fn a_red_run_tells_what_broke_the_story_and_the_replay_line() {
        let mut sweep = Sweep::new(2);
        let mut report = failed(17, Verdict::Violated);
        report.broken = vec![Broken {
            invariant: Some(Invariant::AppliedOnce),
            seq: 4_211,
            at: Instant(63_204_000_000),
            node: "target-1".to_owned(),
            secret: "secret-0".to_owned(),
            phase: Phase::Staged,
            why: "expected a fence above (e2, txn-1, Set), got (e1, txn-1, Set)".to_owned(),
            allowed: Vec::new(),
            ahead: Vec::new(),
        }];
        report.story = Some(Story {
            named: None,
            lines: vec![Line {
                seq: 4_211,
                at: Instant(63_204_000_000),
                node: "target-1".to_owned(),
                wall: Some(Wall::at(Instant(63_204_000_000), -200_000_000)),
                text:
                    "Enforced secret=secret-0 fence=(e1, txn-1, Set) principal=Green value=#0000000000000007"
                        .to_owned(),
                times: 1,
                faults: vec!["fault-2 hold".to_owned()],
            }],
        });
        sweep.absorb(Verdict::Pass, &report);
        sweep.absorb(Verdict::Pass, &passed(18));
        sweep.findings[0].replay = Some("tumbler replay out/standard-17.repro.json".to_owned());
        let text = summary(&sweep, &facts());
        let (head, tail) = text.split_once("\n\n").expect("a finding stands apart");
        assert!(head.starts_with("FAIL violated  2/2 seeds  1 scenario"), "{head}");
        assert!(head.ends_with("standard             1 pass, 1 violated"), "{head}");
        assert_eq!(tail, RED);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    const RED: &str = "\
VIOLATED applied-once  standard seed 17
  fingerprint  violated/applied-once/-/-/-
  at step 4,211, 63.204 s, target-1, secret-0 in staged
  expected a fence above (e2, txn-1, Set), got (e1, txn-1, Set)
  must hold: per transaction at most one value is ever in force, and the fences
             a target enforces strictly increase
     step    true s node            own s  event
     4211    63.204 target-1       63.004  Enforced secret=secret-0 fence=(e1,
                                           txn-1, Set) principal=Green
                                           value=#0000000000000007
                                           ^ fault-2 hold
  replay: tumbler replay out/standard-17.repro.json
  wrote target/tumbler/results.csv
";
}
