//! What a run of a foreign rotator came to, in the words of every report.
//!
//! It deliberately judges nothing: outcome and findings are the world's.

use super::Rotator;
use crate::terminal;
use std::collections::BTreeSet;
use std::path::Path;
use tumbler_foreign::world::{GOES_ON, LANDS_LATE, MEANWHILE};
use tumbler_foreign::{Outcome, Plan, Record, Report, StrikeKind};
use tumbler_plan::{Fingerprint, Row};
use tumbler_reports::finding::finding;
use tumbler_reports::{Broken, Exercised, Line, Named, SeedReport, Story};
use tumbler_types::{FaultId, Invariant, Phase, RoleKind, Verdict};

/// The invariants that a foreign rotator is judged by.
pub const JUDGED: [Invariant; 6] = [
    Invariant::HolderServed,
    Invariant::Converges,
    Invariant::NoDowngrade,
    Invariant::PrivilegePreserved,
    Invariant::TransitionsLegal,
    Invariant::OrphanFree,
];

/// The report of a run, as of one seed of a scenario.
pub fn seed_report(rotator: &Rotator, plan: &Plan, report: &Report) -> SeedReport {
    let (verdict, invariant) = report.outcome.verdict();
    let faults_fired = report.fired.len() as u64;
    let row = Row {
        scenario: format!("{}-{}", rotator.name(), rotator.engine.name()),
        seed: plan.seed,
        verdict,
        invariant,
        trace_digest: Some(report.digest),
        events: report.records.len() as u64,
        virtual_ms: report.ended_at.nanos() / 1_000_000,
        promoted: report.rotations_closed,
        rolled_back: 0,
        faults_fired,
        faults_in_rotation: faults_fired,
    };
    let failed = verdict != Verdict::Pass;
    let fingerprint = failed.then(|| Fingerprint {
        verdict,
        invariant,
        role: Some(RoleKind::Rotator),
        phase: None,
        faults: report.fired.iter().map(|strike| strike.kind.fault()).collect(),
    });
    let exercised = |invariant| {
        let met = report.met.get(&invariant).copied().unwrap_or_default();
        Exercised { invariant, count: met.count, under_fault: met.under_fault, worst: None, bound: None }
    };
    SeedReport {
        row,
        open: 0,
        commands: report.invocations,
        planned_faults: plan.strikes.len() as u64,
        exercised: JUDGED.into_iter().map(exercised).collect(),
        broken: broken(report),
        excused: Vec::new(),
        fingerprint,
        fired: (0..).map(FaultId).take(report.fired.len()).collect(),
        last: None,
        recheck: None,
        difference: None,
        reached: None,
        points: Vec::new(),
        story: failed.then(|| story(report)),
        retells: None,
    }
}

/// The lines that show a failure again, the second from its capsule.
pub fn replays(rotator: &Rotator, plan: &Plan, capsule: Option<&Path>) -> String {
    let mut lines = rotator.replay(plan);
    if let Some(capsule) = capsule {
        lines.push_str(&format!("\ntumbler replay {}", terminal::word(&capsule.display().to_string())));
    }
    lines
}

/// A finding, told whole, with what to change.
pub fn told(
    rotator: &Rotator,
    plan: &Plan,
    report: &Report,
    capsule: Option<&Path>,
    raises: Option<&str>,
) -> String {
    let mut seed = seed_report(rotator, plan, report);
    if let Some(raised) = raises {
        blame(&mut seed, report, raised);
    }
    let mut text = finding(&seed, 1, Some(&replays(rotator, plan, capsule)));
    let decisive = seed.broken.iter().position(|broken| broken.invariant == seed.row.invariant);
    let others = seed.broken.iter().enumerate().filter(|(index, _)| Some(*index) != decisive);
    let also: String = others.take(ALSO_MAX).map(|(_, broken)| wrapped("  also: ", &broken.why)).collect();
    let place = text.rfind("  change: ").unwrap_or(text.len());
    text.insert_str(place, &also);
    text
}

/// What an invocation raises without any fault, if that is why the run is no pass.
pub fn raises(calm: &Report) -> Option<String> {
    let is_why = calm.fired.is_empty() && matches!(calm.outcome, Outcome::Wedged | Outcome::Outage(_));
    calm.raised.clone().filter(|_| is_why)
}

/// Says of a failure that there is another before it, which needs no fault.
pub fn blame(seed: &mut SeedReport, report: &Report, raised: &str) {
    if let (Some(story), Outcome::Wedged | Outcome::Outage(_)) = (&mut seed.story, report.outcome) {
        story.named = Some(Named {
            name: "raises without any fault".to_owned(),
            holds: "where nothing goes wrong, each step returns".to_owned(),
            change: cut(&format!("without any fault, an invocation {raised}: mend that first"), WIDTH - 14),
        });
    }
}

fn broken(report: &Report) -> Vec<Broken> {
    let failed = report.findings.iter().filter(|finding| finding.outcome.verdict().0 != Verdict::Pass);
    let mut found: Vec<Broken> = failed
        .map(|finding| Broken {
            invariant: finding.outcome.verdict().1,
            seq: finding.seq,
            at: finding.at,
            node: "the world".to_owned(),
            secret: "orders/app".to_owned(),
            phase: Phase::Idle,
            why: cut(&finding.why, WIDTH - 4),
            allowed: Vec::new(),
            ahead: Vec::new(),
        })
        .collect();
    found.sort_by_key(|broken| broken.seq);
    found
}

/// The records around the strikes and around what was found.
fn story(report: &Report) -> Story {
    let struck = report.records.iter().filter(|record| record.strike.is_some()).map(|record| record.seq);
    let found =
        report.findings.iter().filter(|finding| finding.outcome == report.outcome).map(|finding| finding.seq);
    let mut shown = BTreeSet::new();
    for (seq, before, after) in struck.map(|seq| (seq, 2, 3)).chain(found.map(|seq| (seq, 3, 1))) {
        shown.extend(seq.saturating_sub(before)..=seq + after);
    }
    // Invocations that fail, and what the service and people do, are never left out of the middle.
    let tells = |record: &&Record| {
        let is_actor = matches!(record.who.as_str(), "service" | "operator");
        let tells = ["raises", MEANWHILE].iter().any(|head| record.text.starts_with(head));
        is_actor || tells || shown.contains(&record.seq)
    };
    let last = shown.iter().next_back().copied().unwrap_or(u64::MAX);
    let told: Vec<&Record> =
        report.records.iter().filter(|record| record.seq <= last).filter(tells).collect();
    let mut lines: Vec<Line> = told.into_iter().map(line).collect();
    if lines.len() > LINES_MAX {
        let cut = lines.len() - LINES_MAX;
        lines.drain(LINES_MAX / 2..LINES_MAX / 2 + cut);
    }
    let name = |outcome: Outcome| match outcome {
        Outcome::Outage(span) => format!("outage of {} s", (span.nanos() / 1_000_000_000).max(1)),
        other => other.name().to_owned(),
    };
    let outcome = report.outcome;
    let named =
        Named { name: name(outcome), holds: outcome.holds().to_owned(), change: outcome.advice().to_owned() };
    Story { lines, named: Some(named) }
}

fn line(record: &Record) -> Line {
    // What was done to the call was told where it was done.
    let is_after = [GOES_ON, LANDS_LATE].iter().any(|head| record.text.starts_with(head));
    let told = |strike: StrikeKind| match is_after {
        true => strike.name().to_owned(),
        false => format!("{}: {}", strike.name(), strike.sentence()),
    };
    let faults = record.strike.map(told);
    Line {
        seq: record.seq,
        at: record.at,
        node: record.who.clone(),
        wall: None,
        text: cut(&record.text, WORD_MAX),
        times: 1,
        faults: faults.into_iter().collect(),
    }
}

/// Words that are longer than a line has room for are cut.
fn cut(text: &str, max: usize) -> String {
    let words = text.split(' ').map(|word| {
        let letters: Vec<char> = word.chars().collect();
        letters.chunks(max).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An outcome in four characters.
pub fn mark(outcome: Outcome) -> String {
    let long = |span: tumbler_types::Span| match span.nanos() / 1_000_000_000 {
        seconds @ 0..100 => format!("{}s", seconds.max(1)),
        seconds @ 100..5_940 => format!("{}m", seconds / 60),
        seconds => format!("{}h", seconds / 3_600),
    };
    match outcome {
        Outcome::Fine => ".".to_owned(),
        Outcome::Retried => "r".to_owned(),
        Outcome::Window(span) => long(span),
        Outcome::Wedged => "W".to_owned(),
        Outcome::Orphan => "U".to_owned(),
        Outcome::Outage(span) => format!("O{}", long(span)),
        Outcome::StalePromoted => "S".to_owned(),
        Outcome::PrivilegeLost => "P".to_owned(),
        Outcome::SecretInClear => "C".to_owned(),
        Outcome::Broke => "X".to_owned(),
    }
}

/// A text under a head, in the lines of a terminal.
pub fn wrapped(head: &str, text: &str) -> String {
    let mut out = head.to_owned();
    let mut width = head.len();
    for word in cut(text, WIDTH - head.len() - 1).split(' ') {
        if width + word.len() > WIDTH {
            out.truncate(out.trim_end().len());
            out.push_str(&format!("\n{:1$}", "", head.len()));
            width = head.len();
        }
        out.push_str(word);
        out.push(' ');
        width += word.len() + 1;
    }
    out.trim_end().to_owned() + "\n"
}

const LINES_MAX: usize = 20;
const ALSO_MAX: usize = 3;
const WIDTH: usize = 80;
/// What is left of a line of a story.
const WORD_MAX: usize = 36;
