//! A finding, told whole: what broke and where, the story, how to replay it.
//!
//! It deliberately chooses nothing but the order: what decided the verdict is the row's invariant.

use crate::number::{count, grouped, seconds};
use crate::story::put;
use crate::wrap::{COLUMNS, hang};
use crate::{Broken, SeedReport};
use tumbler_types::Verdict;

/// The finding of a report, told whole: what broke, the story, how to replay it.
pub fn finding(report: &SeedReport, count_same: u64, replay: Option<&str>) -> String {
    let row = &report.row;
    let mut out = String::new();
    let named = report.story.as_ref().and_then(|story| story.named.as_ref());
    let invariant = match (row.invariant, named) {
        (Some(invariant), Some(named)) => format!(" {} ({})", named.name, invariant.id()),
        (Some(invariant), None) => format!(" {}", invariant.id()),
        (None, _) => String::new(),
    };
    let more =
        if count_same > 1 { format!("  ({} like it)", count(count_same, "seed")) } else { String::new() };
    let head = format!("{}{invariant}", row.verdict.name().to_uppercase());
    let run = format!("  {} seed {}{more}", row.scenario, row.seed);
    // Where a line does not take both, the run stands in the next.
    let between = if head.chars().count() + run.chars().count() > COLUMNS { "\n" } else { "" };
    put(&mut out, format_args!("{head}{between}{run}"));
    if let Some(fingerprint) = &report.fingerprint {
        hang(&mut out, "  fingerprint  ", &fingerprint.to_string());
    }
    if let Some(incident) = &report.retells {
        hang(&mut out, "  retells      ", incident);
    }
    if let Some(broken) = decisive(report) {
        let at = seconds(broken.at.nanos());
        let step = grouped(broken.seq);
        put(
            &mut out,
            format_args!(
                "  at step {step}, {at} s, {}, {} in {}",
                broken.node,
                broken.secret,
                broken.phase.name()
            ),
        );
        hang(&mut out, "  ", &broken.why);
        if let Some(invariant) = broken.invariant {
            hang(&mut out, "  must hold: ", named.map_or(invariant.sentence(), |named| &named.holds));
        }
        for allowed in &broken.allowed {
            hang(&mut out, "  the spec allows: ", allowed);
        }
        for ahead in &broken.ahead {
            hang(&mut out, "  ahead: ", ahead);
        }
    }
    if let Some(last) = &report.last {
        hang(&mut out, "  died: ", &last.why);
        let node = last.node.as_deref().unwrap_or("an unknown node");
        let event = last.event.as_deref().unwrap_or("unknown");
        let (seq, at) = (grouped(last.seq), seconds(last.at.nanos()));
        hang(&mut out, "  last words: ", &format!("{node} at {at} s, after step {seq}: {event}"));
    }
    match &report.difference {
        Some(difference) => out.push_str(&difference.text(["once", "again"])),
        None if row.verdict == Verdict::Nondeterministic && report.last.is_none() => {
            hang(&mut out, "  ", "run once more to be recorded, both runs agreed: it differs only at times");
        }
        None => {}
    }
    for point in report.points.iter() {
        if let Some(missed) = &point.missed {
            let at = seconds(point.at.nanos());
            hang(
                &mut out,
                "  rollback missed: ",
                &format!("from {} at {at} s: {missed}", point.phase.name()),
            );
        }
    }
    if let Some(story) = &report.story {
        out.push_str(&story.text());
    }
    if let Some(named) = named {
        hang(&mut out, "  change: ", &named.change);
    }
    if let Some(replay) = replay {
        for (head, line) in
            std::iter::once("  replay: ").chain(std::iter::repeat("  or:     ")).zip(replay.lines())
        {
            put(&mut out, format_args!("{head}{}", continued(line)));
        }
    }
    out
}

/// A command that a shell takes back as it stands, cut before an option where a line is full.
fn continued(command: &str) -> String {
    let mut out = String::new();
    let mut width = "  replay: ".len();
    for (index, part) in command.split(" --").enumerate() {
        let part = if index == 0 { part.to_owned() } else { format!(" --{part}") };
        // Two more for the backslash.
        if index > 0 && width + part.chars().count() + 2 > COLUMNS {
            out.push_str(" \\\n   ");
            width = 3;
        }
        width += part.chars().count();
        out.push_str(&part);
    }
    out
}

/// What decided the verdict: the first event that shows the row's invariant, or the divergence.
pub fn decisive(report: &SeedReport) -> Option<&Broken> {
    let invariant = report.row.invariant;
    report.broken.iter().find(|broken| broken.invariant == invariant)
}
