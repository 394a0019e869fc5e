//! In which fields two states differ, a line of text for each.

use std::fmt::Display;
use tumbler_spec::ledger::{Grant, Holder, Report, Slice};

/// One line for each field in which the run's state is not the machine's. What an abstract state does not
/// have (revisions, instants) is in neither.
pub fn differences(expected: &Slice, got: &Slice) -> Vec<String> {
    let mut lines = Vec::new();
    let pairs = record(expected).into_iter().zip(record(got));
    for ((name, expected), (_, got)) in pairs.filter(|(expected, got)| expected != got) {
        lines.push(line(name, &expected, &got));
    }
    for (agent, (expected, got)) in (1..).zip(expected.holders.iter().zip(&got.holders)) {
        let pairs = holder(expected).into_iter().zip(holder(got));
        for ((name, expected), (_, got)) in pairs.filter(|(expected, got)| expected != got) {
            lines.push(line(&format!("agent-{agent} {name}"), &expected, &got));
        }
    }
    lines
}

fn line(name: &str, expected: &str, got: &str) -> String {
    let whole = format!("{name}: expected {expected}, got {got}");
    if whole.chars().count() <= WIDTH {
        whole
    } else {
        format!("{name}:\n    expected {expected}\n    got      {got}")
    }
}

fn record(slice: &Slice) -> [(&'static str, String); 13] {
    let versions = slice.versions.iter().map(|each| {
        let revoked = if each.revoked.is_some() { " revoked" } else { "" };
        let owed = if each.owed { " owed" } else { "" };
        format!("{} {:?}{revoked}{owed}", each.version, each.principal)
    });
    [
        ("phase", slice.phase.name().to_owned()),
        ("txn", slice.txn.to_string()),
        ("current", option(slice.current)),
        ("previous", option(slice.previous)),
        ("pending", option(slice.pending)),
        ("lease", option(slice.lease.map(|lease| format!("{} of {}", lease.epoch, lease.rotator)))),
        ("serial", slice.serial.to_string()),
        ("ordered", slice.ordered.to_string()),
        ("versions", list(versions)),
        ("accepted", list(slice.accepted)),
        ("fence", option(slice.fence)),
        ("promised", option(slice.promised)),
        ("applied", list(slice.applied.iter().map(|(txn, value)| format!("{value} in {txn}")))),
    ]
}

fn holder(holder: &Holder) -> [(&'static str, String); 4] {
    let grant = |grant: &Grant| format!("{}{}", grant.version, if grant.ended { " (left)" } else { "" });
    let report = |Report { version, serial }: Report| format!("{version} {serial}");
    [
        ("grants", list(holder.grants.iter().map(grant))),
        ("acknowledged", report(holder.acknowledged)),
        ("stored", {
            let stored = holder.stored;
            format!("{} {} until {}", stored.version, stored.serial, stored.until)
        }),
        ("told", report(holder.told)),
    ]
}

fn option(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn list(values: impl IntoIterator<Item = impl Display>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() { "none".to_owned() } else { values.join(", ") }
}

/// Of a line that has two columns of margin.
const WIDTH: usize = 78;
