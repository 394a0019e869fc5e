//! `tumbler gate`: may this ship?
//!
//! It reads reports and a policy from files, and lets [`mod@tumbler_reports::gate`] decide. It
//! deliberately runs nothing: a gate that could make its own evidence would be no gate.

use crate::exit::{Exit, Failure};
use crate::terminal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tumbler_reports::report::v2::Kind;
use tumbler_reports::wrap::hang_under;
use tumbler_reports::{Baseline, Policy, Report, escape};

/// What `gate` was asked.
#[derive(Clone, Debug)]
pub struct Gate {
    pub reports: Vec<PathBuf>,
    /// `ci`, `foreign`, or a path.
    pub policy: String,
    pub baseline: Option<PathBuf>,
}

/// Decides, and lists each broken rule.
pub fn gate(gate: &Gate) -> Result<Exit, Failure> {
    let policy = policy(&gate.policy)?;
    let reports = gate.reports.iter().map(|path| read(path)).collect::<Result<Vec<Report>, _>>()?;
    let baseline = gate.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default();
    let decision = tumbler_reports::gate(&reports, &policy, &baseline);
    let name = escape::visible(&policy.name);
    let broken = decision.refusals.len();
    let mut text = String::new();
    if broken == 0 {
        let head = format!("PASS  policy {name}: {} rules hold,", decision.rules);
        // The two spaces behind the first word are where its color ends.
        hang_under(&mut text, &format!("{head} "), &escape::visible(&policy.about), 4);
    } else {
        writeln!(text, "REFUSED  policy {name}: {broken} of {} rules are broken", decision.rules)
            .expect("memory");
    }
    for refusal in &decision.refusals {
        hang_under(&mut text, "  ", &refusal.to_string(), 4);
    }
    terminal::print(&terminal::colored_title(&text));
    Ok(if broken == 0 { Exit::PASS } else { Exit::Refused })
}

/// A report from a file.
pub fn read(path: &Path) -> Result<Report, Failure> {
    let place = path.display();
    Report::parse(&text(path)?)
        .map_err(|why| Failure::Usage(format!("{place}:{}", escape::visible(&why.to_string()))))
}

/// What a baseline's report found.
pub fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let report = read(path)?;
    if report.kind == Kind::Planted {
        let why = "it is of planted bugs, which are no findings: expected the report of a sweep";
        return Err(Failure::Usage(format!("{}: {why}", path.display())));
    }
    Ok(Baseline::of(&report))
}

fn policy(word: &str) -> Result<Policy, Failure> {
    let refused = |why: tumbler_reports::PolicyError| Failure::Usage(why.to_string());
    if let Some((_, text)) = SHIPPED.iter().find(|(name, _)| *name == word) {
        return Policy::parse(word, text).map_err(refused);
    }
    if !word.contains('/') && !word.ends_with(".toml") {
        let why = format!(
            "unknown policy `{word}`: expected `ci`, `foreign`, or a path with a `/` or ending in .toml"
        );
        return Err(Failure::Usage(why));
    }
    Policy::parse(word, &text(Path::new(word))?).map_err(refused)
}

const SHIPPED: [(&str, &str); 2] = [("ci", Policy::CI), ("foreign", Policy::FOREIGN)];

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|why| Failure::Usage(format!("failed to read {}: {why}", path.display())))
}
