//! What was reached, as text: a few lines at the end of a sweep, and the whole in tables.

use crate::number::grouped;
use crate::report::v2::{Hits, Reach, ReachedFault};
use crate::wrap::hang;
use std::fmt::Write as _;
use tumbler_types::Phase;

/// The few lines, each within eighty columns.
pub fn lines(reach: &Reach) -> String {
    let walk = &reach.walk;
    let mut out = String::new();
    if walk.seeds > 0 {
        let (visited, steps) = walk.steps();
        put(
            &mut out,
            &format!(
                "  model visited    {} states ({}), {} steps ({})",
                of(walk.states_visited, walk.states),
                percent(walk.states_visited, walk.states),
                of(visited, steps),
                percent(visited, steps)
            ),
        );
    }
    if walk.unknown > 0 {
        let first = walk
            .strayed
            .first()
            .map_or(String::new(), |first| format!(", first in {} seed {}", first.scenario, first.seed));
        hang(
            &mut out,
            "  model left       ",
            &format!("{} states that no path of it leads to{first}", grouped(walk.unknown)),
        );
    }
    let (pairs, all) = pairs(reach);
    put(
        &mut out,
        &format!(
            "  reached          {} fault × phase, {} crash points, {} probes",
            of(pairs, all),
            of(hit(&reach.points), reach.points.len() as u64),
            of(hit(&reach.probes), reach.probes.len() as u64)
        ),
    );
    let missed: Vec<&str> = missed(&reach.probes).take(NAMED_MAX).collect();
    let more = reach.probes.len() as u64 - hit(&reach.probes) - missed.len() as u64;
    if !missed.is_empty() {
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        hang(&mut out, "  never reached    ", &format!("{}{more}", missed.join(", ")));
    }
    out
}

/// Everything, for a terminal of eighty columns.
pub fn table(reach: &Reach) -> String {
    let walk = &reach.walk;
    let mut out = format!(
        "followed {} seeds, {} of them in the model:\n",
        grouped(reach.followed),
        grouped(walk.seeds)
    );
    put(&mut out, &format!("  {}", walk.bounds));
    out.push_str(&lines(reach));
    put(&mut out, "\naction             steps visited");
    for each in &walk.actions {
        let visited = of(each.visited, each.steps);
        put(&mut out, &format!("{:<18} {visited:>13}  {}", each.action, percent(each.visited, each.steps)));
    }
    put(&mut out, "\nseeds in which a fault began in a phase");
    let cell = |row: &ReachedFault, phase: &Phase| match row.phases.get(phase).copied().unwrap_or(0) {
        0 => "-".to_owned(),
        seeds => seeds.to_string(),
    };
    let width = |phase: &Phase| {
        let cells = reach.faults.iter().map(|row| cell(row, phase).len());
        1 + cells.fold(phase.name().len(), usize::max)
    };
    let widths: Vec<usize> = Phase::ALL.iter().map(width).collect();
    let heads = Phase::ALL.iter().zip(&widths);
    let heads: String = heads.map(|(phase, width)| format!("{:>width$}", phase.name())).collect();
    put(&mut out, &format!("{:<14}{heads}", "fault"));
    for row in &reach.faults {
        let fault = row.fault;
        let cells = Phase::ALL.iter().zip(&widths);
        let cells: String = cells.map(|(phase, width)| format!("{:>width$}", cell(row, phase))).collect();
        put(&mut out, &format!("{:<14}{cells}", fault.name()));
    }
    for (title, hits) in [("crash point", &reach.points), ("probe", &reach.probes)] {
        put(&mut out, &format!("\n{title:<40} seeds"));
        for each in hits {
            let seeds = if each.seeds == 0 { "never".to_owned() } else { grouped(each.seeds) };
            put(&mut out, &format!("{:<40} {seeds:>5}", each.name));
        }
    }
    out
}

/// Pairs of fault and phase that were reached, and all.
pub(crate) fn pairs(reach: &Reach) -> (u64, u64) {
    let began = |row: &ReachedFault| row.phases.values().filter(|seeds| **seeds > 0).count() as u64;
    (reach.faults.iter().map(began).sum(), (reach.faults.len() * Phase::ALL.len()) as u64)
}

pub(crate) fn hit(hits: &[Hits]) -> u64 {
    hits.iter().filter(|each| each.seeds > 0).count() as u64
}

pub(crate) fn missed(hits: &[Hits]) -> impl Iterator<Item = &str> {
    hits.iter().filter(|each| each.seeds == 0).map(|each| each.name.as_str())
}

/// To a tenth, never rounded up.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let permille = u128::from(part) * 1_000 / u128::from(whole.max(1));
    format!("{}.{} %", permille / 10, permille % 10)
}

fn of(part: u64, whole: u64) -> String {
    format!("{}/{}", grouped(part), grouped(whole))
}

fn put(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("memory");
}

/// Probes named at the end of a sweep; the report has them all.
const NAMED_MAX: usize = 6;
