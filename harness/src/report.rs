//! `tumbler report`: another face of a report; and what a run writes of its own.
//!
//! It deliberately computes nothing: faces are made in `reports`, from the report alone.

use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::regression::Regressions;
use crate::selection::{Chosen, Selection};
use crate::sweep::Ended;
use crate::{gate, identity, terminal};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tumbler_plan::{Build, Plan};
use tumbler_reports::reached::{merge, table};
use tumbler_reports::report::v2::Reach;
use tumbler_reports::report::{Claim, Context, v2};
use tumbler_reports::{Floor, Report, coverage, junit, markdown};
use tumbler_scenarios::Scenario;
use tumbler_spec::assumption;
use tumbler_types::{Assumption, Bounds, FaultKind, Invariant, Span, Timing, Verdict};

/// Faces that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown, for step summaries: at most 64 KiB
    Md,
    /// JUnit XML, for Jenkins and GitLab
    Junit,
    /// A row per scenario and check
    Csv,
    /// What the runs reached, of all reports together: states and steps, fault × phase, crash points, probes
    Reached,
}

/// Prints a report in another form.
pub fn report(paths: &[PathBuf], format: Format) -> Result<Exit, Failure> {
    if format == Format::Reached {
        terminal::print(&table(&reached(paths)?));
        return Ok(Exit::PASS);
    }
    let [path] = paths else {
        let why = format!("expected one report, got {}: only --format reached adds up several", paths.len());
        return Err(Failure::Usage(why));
    };
    let report = gate::read(path)?;
    let text = match format {
        Format::Md => markdown::summary(&report),
        Format::Junit => junit::junit(&report),
        Format::Csv => coverage::coverage(&report)
            .map_err(|why| Failure::Internal(format!("failed to render CSV in memory: {why}")))?,
        Format::Reached => unreachable!("printed above"),
    };
    terminal::print(&text);
    Ok(Exit::PASS)
}

/// What several reports reached together.
fn reached(paths: &[PathBuf]) -> Result<Reach, Failure> {
    let none = |path: &Path| {
        let why = "no run was followed in it: expected the report of a sweep of scenarios";
        Failure::Usage(format!("{}: {why}", path.display()))
    };
    let mut reports: Vec<Report> = Vec::new();
    for path in paths {
        let report = gate::read(path)?;
        let refused = |why: String| Err(Failure::Usage(format!("{}: {why}", path.display())));
        if let Some(first) = reports.first().filter(|first| first.build != report.build) {
            let name = |build: &Build| build.digest.to_string().chars().take(16).collect::<String>();
            let (expected, got) = (name(&first.build), name(&report.build));
            return refused(format!("expected build {expected} as in {}, got {got}", paths[0].display()));
        }
        // Whole reports only: that two shards overlap cannot be seen.
        if let Some(index) = reports.iter().position(|other| *other == report) {
            return refused(format!(
                "expected each shard once, and it is the same as {}",
                paths[index].display()
            ));
        }
        reports.push(report);
    }
    let part = |(report, path): (Report, &PathBuf)| report.reached.ok_or_else(|| none(path));
    let parts = reports.into_iter().zip(paths).map(part).collect::<Result<Vec<Reach>, _>>()?;
    match merge(&parts.iter().collect::<Vec<_>>()) {
        Ok(Some(whole)) => Ok(whole),
        Ok(None) => Err(Failure::NothingSelected("no report".to_owned())),
        Err(clash) => Err(Failure::Usage(format!("{}: {clash}", paths[clash.index].display()))),
    }
}

/// Writes `report.json` and the faces that servers look for, as many as can be written; what was, beside
/// the rows, to be shown.
pub fn keep(folder: &Folder, report: &Report) -> (String, Result<(), Failure>) {
    let texts = [report.to_text(), junit::junit(report), markdown::summary(report)];
    let mut shown = folder.results().display().to_string();
    let mut kept = Ok(());
    for (name, text) in FILES.into_iter().zip(texts) {
        match folder.write(name, &text) {
            Ok(_) => shown.push_str(&format!(", {name}")),
            Err(failure) => kept = kept.and(Err(failure)),
        }
    }
    (shown, kept)
}

/// What a report needs to know besides the sweep.
pub fn context(
    selection: &Selection,
    regressions: &Regressions,
    ended: Ended,
    floor: Floor,
) -> Result<Context, Failure> {
    let of = |chosen: &Chosen| {
        let seed = chosen.seeds.first().unwrap_or_default();
        claim(&chosen.scenario, seed)
    };
    let mut claims: BTreeMap<String, Claim> =
        selection.chosen.iter().map(|(name, chosen)| (name.clone(), of(chosen))).collect();
    for choice in &selection.planted {
        claims.insert(choice.scenario.name().to_owned(), claim(&choice.scenario, choice.seeds.start));
    }
    claims.extend(regressions.back.iter().map(|back| (back.name.clone(), claim_of(&back.plan))));
    let ended = match ended {
        Ended::Whole => v2::Ended::Whole,
        Ended::Stopped => v2::Ended::Stopped,
        Ended::Interrupted => v2::Ended::Interrupted,
    };
    let plans = selection.chosen.values().map(first_plan);
    let planted = selection.planted.iter().map(|choice| choice.scenario.plan(choice.seeds.start));
    let timings: Vec<Timing> = plans.chain(planted).map(|plan| plan.timing).collect();
    let assumptions = assumed(&timings, &claims);
    Ok(Context {
        kind: v2::Kind::Sweep,
        build: identity::build()?,
        ended,
        floor,
        claims,
        assumptions,
        owed: owed(),
        map: None,
    })
}

/// The same of a foreign rotator: what its world cannot judge is not owed.
pub fn foreign_context(
    scenario: &str,
    judged: &[Invariant],
    ended: Ended,
    floor: Floor,
) -> Result<Context, Failure> {
    let timing = Timing { actor_lifetime: tumbler_foreign::world::LIFE, ..Timing::default() };
    let claim = Claim {
        expect: Verdict::Pass,
        breaks: Vec::new(),
        not_owed: Invariant::ALL.into_iter().filter(|invariant| !judged.contains(invariant)).collect(),
        epsilon: Span::ZERO,
        bounds: Bounds::all(timing.actor_lifetime),
    };
    let claims: BTreeMap<String, Claim> = [(scenario.to_owned(), claim)].into();
    let ended = match ended {
        Ended::Whole => v2::Ended::Whole,
        Ended::Stopped => v2::Ended::Stopped,
        Ended::Interrupted => v2::Ended::Interrupted,
    };
    let assumptions = assumed(&[timing], &claims);
    Ok(Context {
        kind: v2::Kind::Rotator,
        build: identity::build()?,
        ended,
        floor,
        claims,
        assumptions,
        owed: owed(),
        map: None,
    })
}

fn claim(scenario: &Scenario, seed: u64) -> Claim {
    Claim {
        expect: scenario.expect(),
        breaks: scenario.breaks().to_vec(),
        not_owed: assumption::excused(&scenario.breaks().iter().copied().collect()).into_iter().collect(),
        epsilon: scenario.plan(seed).timing.epsilon,
        bounds: scenario.bounds().clone(),
    }
}

/// What a capsule's own plan claims.
fn claim_of(plan: &Plan) -> Claim {
    Claim {
        expect: Verdict::Pass,
        breaks: plan.breaks.clone(),
        not_owed: assumption::excused(&plan.breaks.iter().copied().collect()).into_iter().collect(),
        epsilon: plan.timing.epsilon,
        bounds: plan.bounds.clone(),
    }
}

fn first_plan(chosen: &Chosen) -> Plan {
    chosen.scenario.plan(chosen.seeds.first().unwrap_or_default())
}

/// The specification's table, with the largest parameters that a scenario declares.
pub fn assumed(timings: &[Timing], claims: &BTreeMap<String, Claim>) -> Vec<v2::Assumed> {
    let max = |of: fn(&Timing) -> Span| timings.iter().map(of).max().unwrap_or(Span::ZERO);
    let (epsilon, visibility) = (max(|timing| timing.epsilon), max(|timing| timing.visibility));
    let actor_lifetime = max(|timing| timing.actor_lifetime);
    let timing = Timing { epsilon, visibility, actor_lifetime, ..Timing::default() };
    let row = |declared: assumption::Declared| {
        let assumption::Declared { assumption, sentence, carries } = declared;
        let broken_in = claims.iter().filter(|(_, claim)| claim.breaks.contains(&assumption));
        v2::Assumed {
            assumption,
            sentence,
            bound_ns: match assumption {
                Assumption::ClockWithinEpsilon => Some(epsilon),
                Assumption::ReplicaCloses => Some(visibility),
                Assumption::ActorLifetime => Some(actor_lifetime),
                Assumption::ClockRateTrue
                | Assumption::FsyncHonest
                | Assumption::DisksKept
                | Assumption::TargetFenced
                | Assumption::TwoPrincipals
                | Assumption::IdentitiesTrue => None,
            },
            carries: carries.to_vec(),
            broken_in: broken_in.map(|(name, _)| name.clone()).collect(),
        }
    };
    assumption::assumptions(&timing).into_iter().map(row).collect()
}

/// What is owed of each invariant under each fault.
pub fn owed() -> Vec<v2::OwedRow> {
    let row = |invariant| {
        let cell = |fault| (fault, assumption::owed(invariant, fault).name().to_owned());
        v2::OwedRow { invariant, faults: FaultKind::ALL.into_iter().map(cell).collect() }
    };
    Invariant::ALL.into_iter().map(row).collect()
}

/// Files that a run writes at its end.
pub const FILES: [&str; 3] = ["report.json", "junit.xml", "summary.md"];
