//! `tumbler report`: another face of a report; and what a run writes of its own.
//!
//! It deliberately computes nothing: faces are made in `reports`, from the report alone.

use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::selection::{Chosen, Selection};
use crate::sweep::Ended;
use crate::{gate, identity, terminal};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::Path;
use tumbler_reports::report::{Claim, Context, v1};
use tumbler_reports::{Floor, Report, coverage, junit, markdown};
use tumbler_scenarios::Scenario;

/// Faces that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown, for step summaries: at most 64 KiB
    Md,
    /// JUnit XML, for Jenkins and GitLab
    Junit,
    /// A row per scenario and check
    Csv,
}

/// Prints a report in another form.
pub fn report(path: &Path, format: Format) -> Result<Exit, Failure> {
    let report = gate::read(path)?;
    let text = match format {
        Format::Md => markdown::summary(&report),
        Format::Junit => junit::junit(&report),
        Format::Csv => coverage::coverage(&report)
            .map_err(|why| Failure::Internal(format!("failed to render CSV in memory: {why}")))?,
    };
    terminal::print(&text);
    Ok(Exit::PASS)
}

/// Writes `report.json` and the faces that servers look for.
pub fn keep(folder: &Folder, report: &Report) -> Result<(), Failure> {
    folder.write("report.json", &report.to_text())?;
    folder.write("junit.xml", &junit::junit(report))?;
    folder.write("summary.md", &markdown::summary(report))?;
    Ok(())
}

/// What a report needs to know besides the sweep.
pub fn context(selection: &Selection, ended: Ended, floor: Floor) -> Result<Context, Failure> {
    let of = |chosen: &Chosen| {
        let seed = chosen.seeds.first().unwrap_or_default();
        claim(&chosen.scenario, seed)
    };
    let mut claims: BTreeMap<String, Claim> =
        selection.chosen.iter().map(|(name, chosen)| (name.clone(), of(chosen))).collect();
    for choice in &selection.planted {
        claims.insert(choice.scenario.name().to_owned(), claim(&choice.scenario, choice.seeds.start));
    }
    let ended = match ended {
        Ended::Whole => v1::Ended::Whole,
        Ended::Stopped => v1::Ended::Stopped,
        Ended::Interrupted => v1::Ended::Interrupted,
    };
    Ok(Context { build: identity::build()?, ended, floor, claims })
}

fn claim(scenario: &Scenario, seed: u64) -> Claim {
    Claim {
        expect: scenario.expect(),
        breaks: scenario.breaks().to_vec(),
        epsilon: scenario.plan(seed).timing.epsilon,
        bounds: scenario.bounds().clone(),
    }
}

/// Files that a run writes at its end.
pub const FILES: [&str; 3] = ["report.json", "junit.xml", "summary.md"];
