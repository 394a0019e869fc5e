//! `tumbler list`: what there is to run, to break and to believe.

use crate::terminal;
use clap::ValueEnum;
use std::fmt::Write as _;
use tumbler_plan::Planted;
use tumbler_scenarios::{catalog, suite, suites};
use tumbler_types::{FaultKind, Invariant, RoleKind};

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    Scenarios,
    Suites,
    Invariants,
    Faults,
    Roles,
    Planted,
}

/// Prints a line each: a name, and what it is.
pub fn list(subject: Subject) {
    let lines: Vec<(String, String)> = match subject {
        Subject::Scenarios => {
            catalog().iter().map(|shipped| (shipped.name.to_owned(), shipped.about.clone())).collect()
        }
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
        Subject::Faults => {
            FaultKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), kind.about().to_owned())).collect()
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
        writeln!(text, "{name:<width$}  {about}").expect("memory");
    }
    terminal::print(&text);
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
