//! The report as CSV: a row per scenario and check, and one per planted bug.
//!
//! It exists beside `results.csv`, which has a row per seed: a hundred thousand seeds are too many
//! rows for a table of who was put to the test. Columns are a contract; new ones are appended.
//!
//! It deliberately leaves findings out: they are lists of words, and the other faces tell them.

use crate::escape::field;
use crate::report::v2::{Checked, Planted, Report, Scenario};
use std::io;
use tumbler_types::Span;

pub const COLUMNS: [&str; 10] = [
    "scenario",
    "check",
    "outcome",
    "seeds",
    "exercised",
    "under_fault",
    "worst_ns",
    "bound_ns",
    "failed",
    "excused",
];

/// The whole file.
pub fn coverage(report: &Report) -> io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let mut write = |fields: [String; 10]| writer.write_record(fields.map(field));
    for scenario in &report.scenarios {
        for checked in &scenario.checks {
            write(checked_row(scenario, checked))?;
        }
    }
    for planted in &report.planted {
        write(planted_row(planted))?;
    }
    write(whole_row(report))?;
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

fn checked_row(scenario: &Scenario, checked: &Checked) -> [String; 10] {
    let span = |span: Option<Span>| span.map_or(String::new(), |span| span.nanos().to_string());
    [
        scenario.name.clone(),
        checked.check.id().to_owned(),
        checked.outcome.name().to_owned(),
        scenario.seeds.to_string(),
        checked.exercised.to_string(),
        checked.under_fault.to_string(),
        span(checked.worst_ns),
        span(checked.bound_ns),
        checked.failed.to_string(),
        checked.excused.to_string(),
    ]
}

/// `SCENARIO+BUG`, as in `results.csv`.
fn planted_row(planted: &Planted) -> [String; 10] {
    let outcome = planted.came_of().name();
    let empty = String::new;
    [
        format!("{}+{}", planted.scenario, planted.planted),
        planted.expect.id().to_owned(),
        outcome.to_owned(),
        planted.seeds.to_string(),
        planted.caught.to_string(),
        empty(),
        empty(),
        empty(),
        planted.clean_failed.to_string(),
        empty(),
    ]
}

/// The verdict, so that a table without it cannot look green.
fn whole_row(report: &Report) -> [String; 10] {
    let empty = String::new;
    let (done, failed) = (report.totals.done.to_string(), report.totals.failed.to_string());
    let verdict = report.verdict.name().to_owned();
    [
        "(whole)".to_owned(),
        "verdict".to_owned(),
        verdict,
        done,
        empty(),
        empty(),
        empty(),
        empty(),
        failed,
        empty(),
    ]
}
