//! A finding, told whole: what broke and where, the story, how to replay it.
//!
//! It deliberately chooses nothing but the order: what decided the verdict is the row's invariant.

use crate::number::{count, grouped, seconds};
use crate::story::{hang, put};
use crate::{Broken, SeedReport};
use tumbler_types::Verdict;

/// The finding of a report, told whole: what broke, the story, how to replay it.
pub fn finding(report: &SeedReport, count_same: u64, replay: Option<&str>) -> String {
    let row = &report.row;
    let mut out = String::new();
    let invariant = row.invariant.map_or(String::new(), |invariant| format!(" {}", invariant.id()));
    let more =
        if count_same > 1 { format!("  ({} like it)", count(count_same, "seed")) } else { String::new() };
    put(
        &mut out,
        format_args!(
            "{}{invariant}  {} seed {}{more}",
            row.verdict.name().to_uppercase(),
            row.scenario,
            row.seed
        ),
    );
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
            hang(&mut out, "  must hold: ", invariant.sentence());
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
    if let Some(replay) = replay {
        put(&mut out, format_args!("  replay: {replay}"));
    }
    out
}

/// What decided the verdict: the first event that shows the row's invariant, or the divergence.
pub fn decisive(report: &SeedReport) -> Option<&Broken> {
    let invariant = report.row.invariant;
    report.broken.iter().find(|broken| broken.invariant == invariant)
}
