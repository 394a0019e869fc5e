//! `summary.md`: the report for people who look at a pull request.
//!
//! It has a budget of bytes, because servers drop a summary that is too long without a word. Worst
//! comes first: verdict, gaps, findings, planted bugs missed; then tables. What does not fit is
//! counted, and the report has it.
//!
//! It deliberately decides nothing; every name stands in a code span, so that none can be markup.
//!
//! Source: GitHub, "Adding a job summary" (1 MiB per step, and an upload beyond it fails silently).

use crate::escape::markdown;
use crate::number::{grouped, span};
use crate::planted::Catch;
use crate::reached;
use crate::report::v2::{Checked, Finding, Kind, Outcome, Rechecks, Report};
use tumbler_types::{Phase, Span, Verdict};

/// Most bytes of a summary.
pub const BUDGET: usize = 64 * 1024;

/// The whole file, within the budget.
pub fn summary(report: &Report) -> String {
    let mut page = Page::default();
    title(&mut page, report);
    findings(&mut page, report);
    planted(&mut page, report);
    if report.kind == Kind::Sweep {
        coverage(&mut page, report);
        scenarios(&mut page, report);
        what_was_reached(&mut page, report);
    }
    excused(&mut page, report);
    assumptions(&mut page, report);
    page.finish()
}

/// Lines, until the budget is used up.
#[derive(Default)]
struct Page {
    text: String,
    left_out: u64,
}

impl Page {
    fn put(&mut self, line: &str) {
        // Once a line was left out, so are all after it: a table's rest would stand under another's head.
        if self.left_out > 0 || self.text.len() + line.len() + 1 > BUDGET - RESERVE {
            self.left_out += 1;
            return;
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn head(&mut self, title: &str, columns: &[&str]) {
        self.put("");
        self.put(&format!("### {title}"));
        self.put("");
        self.put(&format!("| {} |", columns.join(" | ")));
        self.put(&format!("|{}", "---|".repeat(columns.len())));
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let line = format!("\n… {} more lines are left out; `report.json` has it all.\n", self.left_out);
            self.text.push_str(&line);
        }
        self.text
    }
}

fn title(page: &mut Page, report: &Report) {
    let totals = &report.totals;
    let sign = if report.verdict == Verdict::Pass { "✅" } else { "❌" };
    page.put(&format!("## {sign} Tumbler: {}", report.verdict.name()));
    page.put("");
    let what = match (report.kind, totals.bred) {
        (Kind::Planted, _) => "runs".to_owned(),
        (_, 0) => "seeds".to_owned(),
        (_, bred) => format!("runs, {} of them bred by a search", grouped(bred)),
    };
    let rechecked = match &report.rechecks {
        Rechecks { done: 0, .. } => "no digest rechecked".to_owned(),
        Rechecks { done, differ } => {
            format!("{} of {} rechecked digests equal", grouped(done.saturating_sub(*differ)), grouped(*done))
        }
    };
    page.put(&format!(
        "{} of {} {what} ({}), {} distinct traces; {} rotations promoted, {} rolled back; {} faults fired, {} \
         inside a rotation; {rechecked}.",
        grouped(totals.done),
        grouped(totals.planned),
        report.ended.name(),
        grouped(totals.distinct_traces),
        grouped(totals.promoted),
        grouped(totals.rolled_back),
        grouped(totals.faults_fired),
        grouped(totals.faults_in_rotation)
    ));
    if !report.gaps.is_empty() {
        page.put("");
        page.put("**Proves too little:**");
        page.put("");
        report.gaps.iter().for_each(|gap| page.put(&format!("- {}", markdown(gap))));
    }
}

fn findings(page: &mut Page, report: &Report) {
    for (title, known) in [("Findings", false), ("Known findings, in the baseline", true)] {
        let mut found = report.findings.iter().filter(|finding| finding.known == known).peekable();
        if found.peek().is_none() {
            continue;
        }
        page.head(title, &["finding", "seeds", "first", "step", "why", "retells", "replay"]);
        found.for_each(|finding| page.put(&row(finding)));
    }
}

fn row(finding: &Finding) -> String {
    let seeds = finding.seeds.values().fold(0, |sum: u64, seeds| sum.saturating_add(*seeds));
    format!(
        "| {} | {} | {} seed {} | {} | {} | {} | {} |",
        markdown(&finding.name),
        grouped(seeds),
        markdown(&finding.scenario),
        finding.seed,
        finding.step.map_or("-".to_owned(), grouped),
        finding.why.as_ref().map_or("-".to_owned(), |why| markdown(why)),
        finding.retells.as_ref().map_or("-".to_owned(), |incident| markdown(incident)),
        markdown(&finding.replay)
    )
}

fn planted(page: &mut Page, report: &Report) {
    if report.planted.is_empty() {
        return;
    }
    page.head(
        "Planted bugs",
        &["", "planted", "must be caught by", "scenario", "caught", "clean seeds failed"],
    );
    let mut planted: Vec<_> = report.planted.iter().collect();
    planted.sort_by_key(|planted| planted.sound);
    for each in planted {
        page.put(&format!(
            "| {} | {} | {} | {} | {}/{} | {} |",
            match each.came_of() {
                Catch::Caught => "✅".to_owned(),
                Catch::NotRun => "⚠️ not run".to_owned(),
                other => format!("❌ {}", other.name()),
            },
            markdown(&each.planted),
            each.expect.id(),
            markdown(&each.scenario),
            grouped(each.caught),
            grouped(each.seeds),
            grouped(each.clean_failed)
        ));
    }
}

fn coverage(page: &mut Page, report: &Report) {
    page.head("Invariants", &["invariant", "exercised", "under fault", "worst / bound"]);
    for each in &report.invariants {
        page.put(&format!(
            "| {} | {} | {} | {} |",
            each.invariant.id(),
            grouped(each.exercised),
            grouped(each.under_fault),
            approach(each.worst_ns, each.bound_ns)
        ));
    }
}

fn scenarios(page: &mut Page, report: &Report) {
    page.head("Scenarios", &["scenario", "seeds", "verdicts", "broken", "known", "vacuous"]);
    for each in &report.scenarios {
        let verdicts: Vec<String> = each
            .verdicts
            .iter()
            .map(|(verdict, seeds)| format!("{} {}", grouped(*seeds), verdict.name()))
            .collect();
        page.put(&format!(
            "| {} | {} | {} | {} | {} | {} |",
            markdown(&each.name),
            grouped(each.seeds),
            verdicts.join(", "),
            named(&each.checks, Outcome::Broken),
            named(&each.checks, Outcome::Known),
            named(&each.checks, Outcome::Vacuous)
        ));
    }
}

fn what_was_reached(page: &mut Page, report: &Report) {
    let Some(reach) = &report.reached else { return };
    let walk = &reach.walk;
    let row = |page: &mut Page, what: &str, part: u64, whole: u64| {
        let share = reached::percent(part, whole);
        page.put(&format!("| {what} | {} | {} | {share} |", grouped(part), grouped(whole)));
    };
    page.head("Reached", &["what", "reached", "of", ""]);
    let ((steps, all_steps), (pairs, all_pairs)) = (walk.steps(), reached::pairs(reach));
    row(page, "states of the model", walk.states_visited, walk.states);
    row(page, "steps of the model", steps, all_steps);
    walk.actions.iter().for_each(|each| row(page, &format!("`{}`", each.action), each.visited, each.steps));
    row(page, "fault × phase", pairs, all_pairs);
    row(page, "crash points", reached::hit(&reach.points), reach.points.len() as u64);
    row(page, "probes", reached::hit(&reach.probes), reach.probes.len() as u64);
    for (what, hits) in [("crash points", &reach.points), ("probes", &reach.probes)] {
        let missed: Vec<String> = reached::missed(hits).map(markdown).collect();
        if !missed.is_empty() {
            page.put("");
            page.put(&format!("Never reached, of {what}: {}.", missed.join(", ")));
        }
    }
    for strayed in &walk.strayed {
        page.put("");
        page.put(&format!("Left the model: {} seed {}.", markdown(&strayed.scenario), strayed.seed));
    }
    let phases: Vec<&str> = Phase::ALL.into_iter().map(Phase::name).collect();
    page.head("Seeds in which a fault began in a phase", &[&["fault"], phases.as_slice()].concat());
    for each in &reach.faults {
        let cells: Vec<String> = Phase::ALL
            .iter()
            .map(|phase| {
                each.phases.get(phase).filter(|seeds| **seeds > 0).map_or("-".to_owned(), |n| grouped(*n))
            })
            .collect();
        page.put(&format!("| {} | {} |", each.fault.name(), cells.join(" | ")));
    }
}

fn excused(page: &mut Page, report: &Report) {
    if report.excused.is_empty() {
        return;
    }
    page.head(
        "Excused, because the scenario breaks an assumption",
        &["scenario", "invariant", "seeds", "first", "why"],
    );
    for each in &report.excused {
        page.put(&format!(
            "| {} | {} | {} | seed {} at step {} | {} |",
            markdown(&each.scenario),
            each.invariant.id(),
            grouped(each.seeds),
            each.seed,
            grouped(each.step),
            markdown(&each.why)
        ));
    }
}

fn assumptions(page: &mut Page, report: &Report) {
    page.head("Assumptions", &["assumption", "what", "carries", "broken in"]);
    for each in &report.assumptions {
        let carries: Vec<&str> = each.carries.iter().map(|invariant| invariant.id()).collect();
        let broken: Vec<String> = each.broken_in.iter().map(|name| markdown(name)).collect();
        let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        page.put(&format!(
            "| {} | {} | {} | {} |",
            each.assumption.id(),
            markdown(&each.sentence),
            or_none(carries.join(", ")),
            or_none(broken.join(", "))
        ));
    }
}

fn named(checks: &[Checked], outcome: Outcome) -> String {
    let ids: Vec<&str> = checks
        .iter()
        .filter(|checked| checked.outcome == outcome)
        .map(|checked| checked.check.id())
        .collect();
    if ids.is_empty() { "-".to_owned() } else { ids.join(", ") }
}

fn approach(worst: Option<Span>, bound: Option<Span>) -> String {
    match (worst, bound) {
        (Some(worst), Some(bound)) => format!("{} / {}", span(worst), span(bound)),
        _ => "-".to_owned(),
    }
}

/// Bytes kept for saying what was left out.
const RESERVE: usize = 128;
