//! `tumbler list`: what there is to run, to break and to believe.

use crate::terminal;
use clap::ValueEnum;
use std::fmt::Write as _;
use tumbler_plan::Planted;
use tumbler_reports::wrap::hang_under;
use tumbler_scenarios::{catalog, suite, suites};
use tumbler_spec::assumption::{Owed, assumptions, owed};
use tumbler_types::{FaultKind, Invariant, RoleKind, Timing};

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    Scenarios,
    Suites,
    Invariants,
    Assumptions,
    Faults,
    Roles,
    Planted,
}

/// Prints a line each: a name, and what it is.
pub fn list(subject: Subject) {
    let lines: Vec<(String, String)> = match subject {
        Subject::Scenarios => catalog()
            .iter()
            .map(|shipped| {
                let like = shipped.like.as_ref().map_or(String::new(), |like| format!(" (like {like})"));
                (shipped.name.to_owned(), format!("{}{like}", shipped.about))
            })
            .collect(),
        Subject::Suites => suites()
            .iter()
            .map(|shipped| {
                let runs = suite(shipped.name).map_or(0, |suite| suite.run_count());
                (shipped.name.to_owned(), format!("{} ({runs} seeds)", shipped.about))
            })
            .collect(),
        Subject::Invariants => Invariant::ALL
            .into_iter()
            .map(|invariant| (invariant.id().to_owned(), invariant.sentence().to_owned()))
            .collect(),
        Subject::Assumptions => assumptions(&Timing::default())
            .into_iter()
            .map(|each| {
                let carried: Vec<&str> = each.carries.iter().map(|invariant| invariant.id()).collect();
                let whole = carried.len() == Invariant::ALL.len();
                let carried = if whole { "every invariant".to_owned() } else { carried.join(", ") };
                (each.assumption.id().to_owned(), format!("{}; carries {carried}", each.sentence))
            })
            .collect(),
        Subject::Faults => {
            let about = |kind: FaultKind| format!("{} [{}]", kind.about(), kind.parameters());
            FaultKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), about(kind))).collect()
        }
        Subject::Roles => {
            RoleKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), role(kind).to_owned())).collect()
        }
        Subject::Planted => Planted::ALL
            .into_iter()
            .map(|planted| {
                let entry = suite("planted").and_then(|suite| {
                    suite
                        .entries
                        .into_iter()
                        .find(|entry| entry.planted.is_some_and(|(each, _)| each == planted))
                });
                let about = entry.and_then(|entry| {
                    let (_, expect) = entry.planted?;
                    Some(format!("caught by {} in {}", expect.id(), entry.scenario))
                });
                (planted.name().to_owned(), about.unwrap_or_else(|| "in no suite".to_owned()))
            })
            .collect(),
    };
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, about) in lines {
        put(&mut text, &format!("{name:<width$}  "), &about);
    }
    if subject == Subject::Assumptions {
        text.push_str(&owed_table());
    }
    terminal::print(&text);
}

/// In a terminal wrapped under the end of the head; for a program each in one line.
fn put(text: &mut String, head: &str, about: &str) {
    if terminal::is_terminal() {
        hang_under(text, head, about, head.chars().count());
    } else {
        writeln!(text, "{head}{about}").expect("memory");
    }
}

/// What is owed of each invariant under each fault.
fn owed_table() -> String {
    let mut text = String::from("\nowed under a fault; beyond an assumption: nothing\n");
    for owed in Owed::ALL {
        put(&mut text, &format!("  {:<9}  ", owed.name()), owed.about());
    }
    for invariant in Invariant::ALL {
        let mut groups: Vec<(Owed, Vec<&str>)> = Vec::new();
        for fault in FaultKind::ALL {
            let owed = owed(invariant, fault);
            match groups.iter_mut().find(|(other, _)| *other == owed) {
                Some((_, faults)) => faults.push(fault.name()),
                None => groups.push((owed, vec![fault.name()])),
            }
        }
        writeln!(text, "{}", invariant.id()).expect("memory");
        for (owed, faults) in &groups {
            let faults = if groups.len() == 1 { "every fault".to_owned() } else { faults.join(", ") };
            put(&mut text, &format!("  {:<9}  ", owed.name()), &faults);
        }
    }
    text
}

fn role(kind: RoleKind) -> &'static str {
    match kind {
        RoleKind::Authority => "source of truth: versions, labels, leases, grants, revocations",
        RoleKind::Rotator => "carries a rotation through its phases, under a lease with a fencing token",
        RoleKind::Agent => "holds leased versions for workloads, and fails closed",
        RoleKind::Target => "accepts and refuses credentials; checks fences",
        RoleKind::Replica => "authenticates as its target does, a little later",
        RoleKind::Workload => "uses a credential all the time",
        RoleKind::Operator => "orders rotations, rollbacks and revocations",
    }
}
