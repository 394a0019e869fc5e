//! `tumbler check`: exhaustive search of the specification, told.
//!
//! Every claim is printed with its bounds, because beyond them nothing is claimed. A search that was
//! cut, or that never met what a property speaks of, is Inconclusive.
//!
//! It deliberately searches nothing itself.

use crate::cli::BoundsName;
use crate::exit::{Exit, Failure};
use crate::terminal;
use std::fmt::Write as _;
use std::time::Duration;
use tumbler_checker::{CheckBounds, CheckReport, Verdict as Said, check as search};
use tumbler_reports::number::{count, grouped};
use tumbler_types::Verdict;

/// Searches within the named bounds, and prints what was found.
pub fn check(bounds: BoundsName) -> Result<Exit, Failure> {
    let mut exit = Exit::PASS;
    for bounds in searches(bounds) {
        let report = search(&bounds, THREADS, Some(DEADLINE));
        exit = exit.and(Exit::Verdict(verdict(&report)));
        terminal::print(&terminal::colored_title(&text(&report)));
    }
    Ok(exit)
}

/// A name stands for one search or for several that together cover more.
fn searches(bounds: BoundsName) -> Vec<CheckBounds> {
    match bounds {
        BoundsName::Small => vec![CheckBounds::small()],
        BoundsName::Medium => vec![CheckBounds::medium(), CheckBounds::revoked()],
        BoundsName::Large => vec![CheckBounds::large()],
    }
}

/// Never rounds up: cut searches and unseen moments are Inconclusive.
fn verdict(report: &CheckReport) -> Verdict {
    let said = |said: &Said| match said {
        Said::Holds { .. } => Verdict::Pass,
        Said::Violated { .. } => Verdict::Violated,
        Said::Inconclusive { .. } => Verdict::Inconclusive,
    };
    let gravest = report.properties.iter().map(|(_, each)| said(each)).max_by_key(|each| each.severity());
    let whole = report.is_exhausted && report.reached.iter().all(|(_, reached)| *reached);
    match gravest {
        Some(Verdict::Pass) if !whole => Verdict::Inconclusive,
        None => Verdict::Inconclusive,
        Some(verdict) => verdict,
    }
}

fn text(report: &CheckReport) -> String {
    let CheckReport { bounds, properties, reached, states, edges, depth, elapsed, is_exhausted } = report;
    let CheckBounds { rotators, agents, rotations, crashes, zombies, revocations } = bounds;
    let mut out = String::new();
    let word = match verdict(report) {
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Violated
        | Verdict::Stalled
        | Verdict::Diverged
        | Verdict::Crashed
        | Verdict::Nondeterministic => "FAIL violated",
    };
    let searched = if *is_exhausted { "exhausted" } else { "not exhausted" };
    let (seconds, tenths) = (elapsed.as_secs(), elapsed.subsec_millis() / 100);
    let mut line = |text: String| writeln!(out, "{text}").expect("memory");
    line(format!("{word}  specification, {searched}  {seconds}.{tenths} s"));
    line(format!(
        "  bounds  {}, {}, {},",
        count(u64::from(*rotations), "rotation"),
        count(u64::from(*rotators), "rotator"),
        count(u64::from(*agents), "agent")
    ));
    line(format!(
        "          {}, {}, {}",
        crash_text(*crashes),
        plural(*zombies, "zombie", "zombies"),
        plural(*revocations, "revocation", "revocations")
    ));
    line(format!("  {} states, {} edges, depth {}", grouped(*states), grouped(*edges), grouped(*depth)));
    for (property, said) in properties {
        match said {
            Said::Holds { .. } => line(format!("  {:<22} holds", property.id())),
            Said::Violated { path } => {
                line(format!("  {:<22} VIOLATED after {}:", property.id(), count(path.len() as u64, "step")));
                for (step, action) in path.iter().enumerate() {
                    line(format!("    {:>3}  {action:?}", step + 1));
                }
            }
            Said::Inconclusive { why } => line(format!("  {:<22} inconclusive: {why}", property.id())),
        }
    }
    let seen = reached.iter().filter(|(_, reached)| *reached).count();
    line(format!("  moments that must be seen: {seen} of {}", reached.len()));
    for (mark, _) in reached.iter().filter(|(_, reached)| !reached) {
        line(format!("  inconclusive: {} was never seen", mark.name()));
    }
    out
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
