//! A foreign rotator's capsule run again: replayed, made smaller, explained, or its records written.
//!
//! The function is no part of the build, so a run can differ for two reasons: another build of ours,
//! or another function. Either way only the failure can be the same; a mended function shows none.
//!
//! It deliberately looks for no function but where the capsule says, or `--rotator`.

use super::batch::run_one;
use super::capsule::{self, Capsule, Opened};
use super::shrink::smaller;
use super::story::{raises, seed_report, told};
use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::replay::Answer;
use crate::shrink::beside;
use crate::{identity, terminal};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tumbler_foreign::{Report, StrikeKind};
use tumbler_reports::number::count;
use tumbler_types::Verdict;

/// A capsule, and what is asked of it.
#[derive(Debug)]
pub struct Again {
    pub file: String,
    pub capsule: Capsule,
    /// Where the function is now.
    pub moved: Option<PathBuf>,
    pub asked: Asked,
    pub limit: Duration,
}

#[derive(Debug)]
pub enum Asked {
    Replay { bisect: bool },
    Shrink { out: Option<PathBuf> },
    Explain,
    Records { out: Option<PathBuf> },
}

/// Does it.
pub fn again(again: Again) -> Result<Exit, Failure> {
    let Again { file, capsule, moved, asked, limit } = again;
    let opened = || capsule.open(&file, moved.as_deref());
    match asked {
        Asked::Replay { bisect: false } => replay(&opened()?, limit).map(|(exit, _)| exit),
        Asked::Replay { bisect: true } => Ok(match opened().and_then(|opened| replay(&opened, limit)) {
            Ok((_, Answer::Reproduced | Answer::SameFailure)) => Exit::Reproduced,
            Ok((_, Answer::NotReproduced { .. })) => Exit::PASS,
            Ok((_, Answer::Differs { .. } | Answer::Stopped)) => Exit::NotApplicable,
            Err(failure) => {
                terminal::note(&format!("tumbler: NOT APPLICABLE: {failure}"));
                Exit::NotApplicable
            }
        }),
        Asked::Shrink { out } => shrink(&file, &opened()?, out, limit),
        Asked::Explain => explain(&file, &opened()?, limit),
        Asked::Records { out } => export(&opened()?, out, limit),
    }
}

fn replay(opened: &Opened, limit: Duration) -> Result<(Exit, Answer), Failure> {
    let Opened { capsule, rotator, plan, .. } = opened;
    let report = run_one(rotator, plan, limit)?;
    let answer = answer(opened, &report)?;
    let scenario = seed_report(rotator, plan, &report).row.scenario;
    let mut out = format!("{}  {scenario} seed {}\n", answer.text(&other(opened)), plan.seed);
    if let Answer::Differs { differs, .. } = answer {
        match report.records.iter().find(|record| record.seq == differs) {
            Some(record) => writeln!(out, "  there it is now: {} {}", record.who, record.text),
            None => writeln!(out, "  there it has ended by now"),
        }
        .expect("memory");
    }
    if report.outcome.verdict().0 == Verdict::Pass {
        writeln!(out, "  {}", report.outcome.name()).expect("memory");
    } else {
        out.push_str(&told(rotator, plan, &report, None, raises(&report).as_deref()));
    }
    terminal::print(&out);
    Ok((answer.exit(capsule.expect.verdict, false), answer))
}

/// What the run says of the capsule.
fn answer(opened: &Opened, report: &Report) -> Result<Answer, Failure> {
    let Opened { capsule, .. } = opened;
    if !is_same(opened)? {
        return Ok(match shows(opened, report) {
            true => Answer::SameFailure,
            false => Answer::NotReproduced { got: report.outcome.name().to_owned() },
        });
    }
    if report.digest == capsule.digest {
        return Ok(Answer::Reproduced);
    }
    let now = capsule::records(report);
    let equal = capsule.records.iter().zip(&now).take_while(|(then, now)| then == now).count() as u64;
    Ok(Answer::Differs { equal: equal.saturating_sub(1), differs: equal })
}

/// Same build, and the same function.
fn is_same(opened: &Opened) -> Result<bool, Failure> {
    Ok(opened.changed.is_empty() && identity::build()? == opened.capsule.build)
}

/// The capsule's failure is there.
fn shows(Opened { capsule, rotator, plan, .. }: &Opened, report: &Report) -> bool {
    let seed = seed_report(rotator, plan, report);
    seed.fingerprint.as_ref() == Some(&capsule.fingerprint)
}

/// Why a run may differ.
fn other(Opened { changed, .. }: &Opened) -> String {
    match changed.as_slice() {
        [] => "on another build".to_owned(),
        [name] => format!("of a changed function ({name})"),
        [name, rest @ ..] => {
            format!("of a changed function ({name} and {})", count(rest.len() as u64, "other"))
        }
    }
}

fn shrink(file: &str, opened: &Opened, out: Option<PathBuf>, limit: Duration) -> Result<Exit, Failure> {
    let Opened { capsule, rotator, plan, .. } = opened;
    let begun = Instant::now();
    let report = run_one(rotator, plan, limit)?;
    if !shows(opened, &report) {
        return gone(file, opened);
    }
    let (small, report) = smaller(rotator, plan, &report, limit)?.unwrap_or((plan.clone(), report));
    let place = out.unwrap_or_else(|| beside(Path::new(file)));
    let folder = Folder::of(&place)?;
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept = Capsule::of(rotator, &small, &report, identity::build()?, &folder.path(""), &name)?;
    folder.write(&name, &kept.to_text())?;
    let scenario = seed_report(rotator, &small, &report).row.scenario;
    let (seconds, tenths) = (begun.elapsed().as_secs(), begun.elapsed().subsec_millis() / 100);
    let mut text = format!("SHRUNK  {scenario} seed {}  {seconds}.{tenths} s\n", plan.seed);
    writeln!(text, "  strikes     {} to {}", plan.strikes.len(), small.strikes.len()).expect("memory");
    if capsule.outcome != report.outcome.name() {
        writeln!(text, "  outcome     {} to {}", capsule.outcome, report.outcome.name()).expect("memory");
    }
    text.push_str(&told(rotator, &small, &report, Some(&place), raises(&report).as_deref()));
    terminal::print(&text);
    Ok(Exit::PASS)
}

fn explain(file: &str, opened: &Opened, limit: Duration) -> Result<Exit, Failure> {
    let report = run_one(&opened.rotator, &opened.plan, limit)?;
    if report.outcome.verdict().0 == Verdict::Pass {
        return gone(file, opened);
    }
    terminal::print(&told(&opened.rotator, &opened.plan, &report, None, raises(&report).as_deref()));
    Ok(Exit::PASS)
}

/// The failure is not there: that is 14 where nothing changed, and does not apply elsewhere.
fn gone(file: &str, opened: &Opened) -> Result<Exit, Failure> {
    let fingerprint = &opened.capsule.fingerprint;
    if is_same(opened)? {
        terminal::note(&format!("error: {file} does not reproduce {fingerprint} on its own build"));
        return Ok(Exit::Verdict(Verdict::Nondeterministic));
    }
    terminal::note(&format!("error: {file} does not apply: there is no {fingerprint}\n  {}", other(opened)));
    Ok(Exit::NotApplicable)
}

/// Every record, one a line.
fn export(opened: &Opened, out: Option<PathBuf>, limit: Duration) -> Result<Exit, Failure> {
    let report = run_one(&opened.rotator, &opened.plan, limit)?;
    let mut text = String::new();
    for record in &report.records {
        let strike = record.strike.map(StrikeKind::name);
        let line = json!({
            "seq": record.seq, "at": record.at.nanos(), "node": record.who, "text": record.text, "strike": strike,
        });
        writeln!(text, "{line}").expect("memory");
    }
    match out {
        None => terminal::print(&text),
        Some(path) => {
            std::fs::write(&path, &text).map_err(|why| Failure::Unwritable { path: path.clone(), why })?;
            terminal::note(&format!("wrote {}", path.display()));
        }
    }
    Ok(Exit::PASS)
}
