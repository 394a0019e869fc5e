//! Whether the judges can still see: planted bugs, and who caught them.
//!
//! Each planted bug must be caught by the invariant that it names, in at least one of its seeds,
//! while the same seeds pass without it. One that is missed makes the suite Inconclusive: then a
//! green sweep proves nothing either.
//!
//! It deliberately does not mind other invariants that fire too.

use crate::SeedReport;
use crate::number::count;
use crate::wrap::hang;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tumbler_types::{Invariant, Verdict};

/// All planted bugs of a suite.
#[derive(Clone, Debug, Default)]
pub struct PlantedReport {
    pub entries: Vec<PlantedEntry>,
}

/// One planted bug.
#[derive(Clone, Debug)]
pub struct PlantedEntry {
    pub planted: &'static str,
    pub expect: Invariant,
    pub scenario: String,
    pub planned: u64,
    /// Seeds run with the bug, and the first in which the named invariant caught it.
    pub seeds: u64,
    pub caught: u64,
    pub caught_first: Option<u64>,
    /// Seeds in which each other invariant fired.
    pub others: BTreeMap<Invariant, u64>,
    /// Seeds run without the bug, and those that did not pass.
    pub clean: u64,
    pub clean_failed: Vec<(u64, Verdict)>,
}

/// What came of a planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Catch {
    /// By the invariant that it names, and nothing fails without it.
    Caught,
    Missed,
    /// The scenario fails without the bug: nothing is proven by failing with it.
    FailsWithout,
    /// Not all of its seeds ran: whether it would be caught nobody knows.
    NotRun,
}

impl Catch {
    /// `seeds` ran with the bug and `clean` without it, of `planned` each.
    pub(crate) const fn of(planned: u64, (seeds, caught): (u64, u64), (clean, failed): (u64, u64)) -> Catch {
        match () {
            () if failed > 0 => Catch::FailsWithout,
            () if seeds < planned || clean < planned => Catch::NotRun,
            () if caught == 0 => Catch::Missed,
            () => Catch::Caught,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Catch::Caught => "caught",
            Catch::Missed => "missed",
            Catch::FailsWithout => "fails without it",
            Catch::NotRun => "not run",
        }
    }
}

impl PlantedEntry {
    pub fn new(planted: &'static str, expect: Invariant, scenario: &str, planned: u64) -> Self {
        PlantedEntry {
            planted,
            expect,
            scenario: scenario.to_owned(),
            planned,
            seeds: 0,
            caught: 0,
            caught_first: None,
            others: BTreeMap::new(),
            clean: 0,
            clean_failed: Vec::new(),
        }
    }

    pub fn absorb_planted(&mut self, report: &SeedReport) {
        self.seeds += 1;
        let mut fired: Vec<Invariant> = report.broken.iter().filter_map(|broken| broken.invariant).collect();
        fired.extend(report.row.invariant);
        fired.sort();
        fired.dedup();
        for invariant in fired {
            if invariant == self.expect {
                self.caught += 1;
                self.caught_first.get_or_insert(report.row.seed);
            } else {
                *self.others.entry(invariant).or_default() += 1;
            }
        }
    }

    pub fn absorb_clean(&mut self, report: &SeedReport) {
        self.clean += 1;
        if report.row.verdict != Verdict::Pass {
            self.clean_failed.push((report.row.seed, report.row.verdict));
        }
    }

    pub fn came_of(&self) -> Catch {
        let failed = self.clean_failed.len() as u64;
        Catch::of(self.planned, (self.seeds, self.caught), (self.clean, failed))
    }

    /// Caught by name, whole, and passing without the bug.
    pub fn is_sound(&self) -> bool {
        self.came_of() == Catch::Caught
    }
}

impl PlantedReport {
    /// Pass iff everything ran, everything was caught by name, and nothing fails without its bug.
    pub fn verdict(&self) -> Verdict {
        let proven = !self.entries.is_empty() && self.entries.iter().all(PlantedEntry::is_sound);
        if proven { Verdict::Pass } else { Verdict::Inconclusive }
    }

    /// A line per planted bug, then what is wrong.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let named = |came| self.entries.iter().filter(move |entry| entry.came_of() == came);
        // One whose scenario fails without it was caught all the same.
        let caught = self.entries.iter().filter(|entry| entry.caught > 0).count();
        let title = if self.verdict() == Verdict::Pass { "PASS" } else { "INCONCLUSIVE" };
        let left = match named(Catch::NotRun).count() {
            0 => String::new(),
            left => format!(", {left} not run"),
        };
        line(
            &mut out,
            format_args!("{title}  {caught}/{} planted bugs caught by name{left}", self.entries.len()),
        );
        let width = |of: fn(&PlantedEntry) -> usize, title: &str| {
            self.entries.iter().map(of).max().unwrap_or(0).max(title.len())
        };
        let planted_width = width(|entry| entry.planted.len(), "planted");
        let by_width = width(|entry| entry.expect.id().len(), "caught by");
        line(
            &mut out,
            format_args!("  {:<planted_width$}  {:<by_width$}  {:>5}", "planted", "caught by", "seeds"),
        );
        for entry in &self.entries {
            let by = match entry.came_of() {
                _ if entry.caught > 0 => entry.expect.id(),
                Catch::NotRun => "not run",
                Catch::Caught | Catch::Missed | Catch::FailsWithout => "MISSED",
            };
            let seeds = format!("{}/{}", entry.caught, entry.seeds);
            line(&mut out, format_args!("  {:<planted_width$}  {by:<by_width$}  {seeds:>5}", entry.planted));
        }
        for entry in named(Catch::Missed).chain(named(Catch::FailsWithout)) {
            let PlantedEntry { planted, expect, scenario, seeds, clean, .. } = entry;
            if entry.caught == 0 {
                let others: Vec<String> =
                    entry.others.iter().map(|(invariant, n)| format!("{} {n}", invariant.id())).collect();
                let others = if others.is_empty() { "nothing".to_owned() } else { others.join(", ") };
                let seeds = count(*seeds, "seed");
                hang(&mut out, "  missed: ", &format!("{planted} in {seeds} of {scenario}"));
                hang(&mut out, "    ", &format!("expected {}, got {others}", expect.id()));
            }
            if let Some((seed, verdict)) = entry.clean_failed.first() {
                let failed = entry.clean_failed.len();
                let first = format!("{failed} of {clean}, first seed {seed} ({})", verdict.name());
                hang(&mut out, "  ", &format!("{scenario} fails without {planted}: {first}"));
            }
        }
        let mut left = named(Catch::NotRun).filter(|entry| entry.seeds + entry.clean > 0);
        if let Some(PlantedEntry { planted, planned, seeds, clean, .. }) = left.next() {
            let of = format!("{seeds} seeds with it and {clean} without of {planned} each");
            hang(&mut out, "  not run to the end: ", &format!("{planted}, {of}"));
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("memory");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    fn entry() -> PlantedEntry {
        PlantedEntry::new("target-ignores-fences", Invariant::AppliedOnce, "zombie-rotator", 1)
    }

    #[test]
    fn a_suite_passes_only_if_the_named_invariant_fires_and_the_clean_seed_passes() {
        let mut good = entry();
        good.absorb_planted(&failed(1, Verdict::Violated));
        good.absorb_clean(&passed(1));
        assert_eq!(PlantedReport { entries: vec![good.clone()] }.verdict(), Verdict::Pass);

        let mut missed = entry();
        let mut other = failed(1, Verdict::Violated);
        other.row.invariant = Some(Invariant::DurableAck);
        missed.absorb_planted(&other);
        missed.absorb_clean(&passed(1));
        let report = PlantedReport { entries: vec![good, missed] };
        assert_eq!(report.verdict(), Verdict::Inconclusive);
        assert!(report.text().contains("missed: target-ignores-fences in 1 seed of zombie-rotator"));
        assert!(report.text().contains("expected applied-once, got durable-ack 1"));
        assert!(report.text().lines().all(|line| line.chars().count() <= 80), "{}", report.text());
    }

    #[test]
    fn a_suite_that_fails_without_its_bug_or_did_not_run_is_inconclusive() {
        let mut dirty = entry();
        dirty.absorb_planted(&failed(1, Verdict::Violated));
        dirty.absorb_clean(&failed(1, Verdict::Diverged));
        assert_eq!(PlantedReport { entries: vec![dirty] }.verdict(), Verdict::Inconclusive);
        let mut half = entry();
        half.absorb_planted(&failed(1, Verdict::Violated));
        let text = PlantedReport { entries: vec![half.clone(), entry()] }.text();
        assert!(text.starts_with("INCONCLUSIVE  1/2 planted bugs caught by name, 2 not run\n"), "{text}");
        assert!(text.contains("not run to the end: target-ignores-fences, 1 seeds with it and 0"), "{text}");
        assert!(!text.to_lowercase().contains("missed"), "what was not run was not missed: {text}");
        assert_eq!(PlantedReport { entries: vec![half] }.verdict(), Verdict::Inconclusive);
        assert_eq!(PlantedReport::default().verdict(), Verdict::Inconclusive);
    }
}
