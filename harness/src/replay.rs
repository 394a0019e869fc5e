//! `tumbler replay`: the same run again, and whether it is the same.
//!
//! A capsule carries its plan, so a replay needs neither scenario file nor generator. On the same
//! build the digest must be equal; if it is not, checkpoints say where. On another build only the
//! failure can be the same.
//!
//! It deliberately runs in a worker, like any seed: a capsule may hold a run that kills its process.

use crate::difference::{Compared, Side, compare};
use crate::exit::{Exit, Failure};
use crate::filter::Filter;
use crate::job::{Done, Job, Samples, Settings, Task};
use crate::subject::{self, once};
use crate::{identity, terminal};
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;
use tumbler_plan::trace::v1;
use tumbler_plan::{Capsule, Checkpoint, Plan, Planted};
use tumbler_reports::number::{grouped, seconds};
use tumbler_reports::{SeedReport, finding};
use tumbler_types::Verdict;

/// What `replay` was asked for.
#[derive(Clone, Debug)]
pub struct Replay {
    /// A capsule's file, or a scenario.
    pub what: String,
    pub seed: Option<u64>,
    pub until: Option<u64>,
    pub filter: Option<Filter>,
    pub bisect: bool,
    /// The flaw that this build is to have, whatever the capsule's run had: stands for another build.
    pub flaw: Option<Flaw>,
    pub settings: Settings,
    pub limit: Duration,
}

/// A deliberate bug, or expressly none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw(Option<Planted>);

impl FromStr for Flaw {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = || Planted::ALL.into_iter().find(|planted| planted.name() == text);
        match text {
            "none" => Ok(Flaw(None)),
            _ => {
                named().map(|planted| Flaw(Some(planted))).ok_or(format!("no planted bug is called `{text}`"))
            }
        }
    }
}

/// What a replay of a capsule shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// Same build, same digest.
    Reproduced,
    /// Same build, equal through the first number of events, and another by the second.
    Differs { equal: u64, differs: u64 },
    /// Other build; verdict, invariant and fingerprint are equal.
    SameFailure,
    /// Other build, no such failure.
    NotReproduced { got: String },
    /// Stopped before the step that matters; equal so far.
    Stopped,
}

impl Answer {
    /// `other`: why a run may differ, as in `on another build`.
    pub fn text(&self, other: &str) -> String {
        match self {
            Answer::Reproduced => "REPRODUCED".to_owned(),
            Answer::Differs { equal, differs } => {
                format!("DIFFERS AT STEP {differs} (equal through step {equal})")
            }
            Answer::SameFailure => format!("SAME FAILURE, {other}"),
            Answer::NotReproduced { got } => format!("NOT REPRODUCED, {other}: {got}"),
            Answer::Stopped => "STOPPED, equal so far".to_owned(),
        }
    }

    /// `verdict` is the capsule's.
    pub fn exit(&self, verdict: Verdict, bisect: bool) -> Exit {
        match (self, bisect) {
            (Answer::Reproduced | Answer::SameFailure, false) => Exit::Verdict(verdict),
            (Answer::Differs { .. }, false) => Exit::Verdict(Verdict::Nondeterministic),
            (Answer::NotReproduced { .. }, _) => Exit::PASS,
            (Answer::Stopped, false) => Exit::Verdict(Verdict::Inconclusive),
            (Answer::Reproduced | Answer::SameFailure, true) => Exit::Reproduced,
            (Answer::Differs { .. } | Answer::Stopped, true) => Exit::NotApplicable,
        }
    }
}

/// Replays what was asked for.
pub async fn replay(replay: Replay) -> Result<Exit, Failure> {
    let is_capsule = replay.what.ends_with(".json") || replay.seed.is_none();
    if is_capsule {
        let told = capsule(&replay).await;
        return match told {
            Err(failure) if replay.bisect => {
                terminal::note(&format!("tumbler: NOT APPLICABLE: {failure}"));
                Ok(Exit::NotApplicable)
            }
            other => other,
        };
    }
    let seed = replay.seed.expect("a replay without a seed is a capsule's");
    scenario(&replay, seed).await
}

async fn capsule(replay: &Replay) -> Result<Exit, Failure> {
    let file = &replay.what;
    if replay.seed.is_some() {
        return Err(Failure::Usage(format!("{file} has its own seed: leave out --seed")));
    }
    if !file.ends_with(".json") && tumbler_scenarios::scenario(file).is_some() {
        return Err(Failure::Usage(format!("which seed of {file}? add --seed N")));
    }
    let capsule = subject::capsule(file)?;
    let lengths = capsule.checkpoints.iter().map(|checkpoint| checkpoint.events).collect();
    let planted = replay.flaw.map_or(capsule.plan.planted, |Flaw(planted)| planted);
    let plan = Plan { planted, ..capsule.plan.clone() };
    let ran = ran(replay, &capsule.scenario, &plan, Samples::At(lengths)).await?;
    let answer = answer(&capsule, replay.until, identity::build()? == capsule.build, &ran);
    let mut out =
        format!("{}  {} seed {}\n", answer.text("on another build"), capsule.scenario, capsule.seed);
    if let Answer::Differs { .. } = answer {
        let expected = capsule.digest.map_or("a dead worker".to_owned(), |digest| digest.to_string());
        let got = ran.report.row.trace_digest.map_or("a dead worker".to_owned(), |digest| digest.to_string());
        writeln!(out, "  expected {expected}\n  got      {got}").expect("memory");
        out.push_str(&twice(replay, &capsule).await?);
    }
    out.push_str(&told(&ran, replay, file));
    terminal::print(&out);
    Ok(answer.exit(capsule.expect.verdict, replay.bisect))
}

/// Two runs of the capsule's plan now, compared: what differs once may differ again.
async fn twice(replay: &Replay, capsule: &Capsule) -> Result<String, Failure> {
    let side = Side { name: &capsule.scenario, plan: &capsule.plan, settings: &replay.settings };
    Ok(match compare(side, side, replay.limit).await {
        Ok(Compared::Different { difference: Some(difference), .. }) => {
            let text = difference.text(["once", "again"]);
            format!("  two runs of it now differ as well:\n{text}")
        }
        Ok(Compared::Different { difference: None, .. }) => {
            "  two runs of it now differ, and not when recorded\n".to_owned()
        }
        Ok(Compared::Same(_)) => "  two runs of it now are the same: the capsule's was another\n".to_owned(),
        Err(Failure::Usage(why)) => format!("  {why}\n"),
        Err(other) => return Err(other),
    })
}

async fn scenario(replay: &Replay, seed: u64) -> Result<Exit, Failure> {
    let plan = subject::of_scenario(&replay.what, seed)?;
    let ran = ran(replay, &replay.what, &plan, Samples::At(Vec::new())).await?;
    let row = &ran.report.row;
    let digest = row.trace_digest.map_or("-".to_owned(), |digest| digest.to_string());
    let mut out = String::new();
    // A pass that was cut short is no pass.
    let cut = replay.until.filter(|_| row.verdict == Verdict::Pass);
    match (cut, row.verdict) {
        (Some(until), _) => {
            let until = grouped(until.min(row.events));
            writeln!(out, "STOPPED  {} seed {seed}, nothing broke through step {until}", replay.what)
        }
        (None, Verdict::Pass) => writeln!(out, "PASS  {} seed {seed}", replay.what),
        (None, _) => Ok(()),
    }
    .expect("memory");
    let (events, seconds) = (grouped(row.events), seconds(row.virtual_ms * 1_000_000));
    let again = format!("{} --seed {seed}", replay.what);
    out.push_str(&told(&ran, replay, &again));
    writeln!(out, "  {events} events, {seconds} s, trace\n  {digest}").expect("memory");
    terminal::print(&out);
    let reproduced = row.verdict != Verdict::Pass;
    Ok(match (replay.bisect, reproduced) {
        (true, true) => Exit::Reproduced,
        (true, false) => Exit::PASS,
        (false, false) if cut.is_some() => Exit::Verdict(Verdict::Inconclusive),
        (false, _) => Exit::Verdict(row.verdict),
    })
}

/// Runs the plan in a worker of its own.
async fn ran(replay: &Replay, name: &str, plan: &Plan, samples: Samples) -> Result<Done, Failure> {
    if let Some(filter) = &replay.filter {
        filter.fits(&plan.topology).map_err(|why| Failure::Usage(format!("--filter: {why}")))?;
    }
    let task = Task::Tell { until: replay.until, samples, filter: replay.filter.clone() };
    let job = Job { id: 0, name: name.to_owned(), plan: plan.clone(), task };
    once(&replay.settings, replay.limit, &job).await
}

/// What the run says of the capsule.
fn answer(capsule: &Capsule, until: Option<u64>, same_build: bool, ran: &Done) -> Answer {
    let row = &ran.report.row;
    let expect = &capsule.expect;
    let same_failure = row.verdict == expect.verdict
        && row.invariant == expect.invariant
        && (ran.report.fingerprint.as_ref() == Some(&capsule.fingerprint) || capsule.digest.is_none());
    if !same_build {
        let got = match (row.verdict, row.invariant) {
            (verdict, Some(invariant)) => format!("{} {}", verdict.name(), invariant.id()),
            (verdict, None) => verdict.name().to_owned(),
        };
        return if same_failure { Answer::SameFailure } else { Answer::NotReproduced { got } };
    }
    if let Some((equal, differs)) = difference(&capsule.checkpoints, &ran.samples, row.events, until) {
        return Answer::Differs { equal, differs };
    }
    let stopped = until.is_some_and(|until| until < capsule.events);
    if stopped {
        let reached = expect.step.is_some_and(|step| until.is_some_and(|until| until >= step));
        return if reached && same_failure { Answer::Reproduced } else { Answer::Stopped };
    }
    if row.trace_digest == capsule.digest && row.verdict == expect.verdict {
        return Answer::Reproduced;
    }
    let equal = capsule.checkpoints.last().map_or(0, |checkpoint| checkpoint.events);
    Answer::Differs { equal, differs: capsule.events.max(row.events) }
}

/// The last length at which both are equal, and the first at which they are not.
fn difference(
    expected: &[Checkpoint],
    got: &[Checkpoint],
    events: u64,
    until: Option<u64>,
) -> Option<(u64, u64)> {
    let mut equal = 0;
    for checkpoint in expected {
        if until.is_some_and(|until| checkpoint.events > until) {
            return None;
        }
        match got.iter().find(|sample| sample.events == checkpoint.events) {
            Some(sample) if sample == checkpoint => equal = checkpoint.events,
            Some(_) => return Some((equal, checkpoint.events)),
            // The run ended before this checkpoint, or its worker died.
            None if got.is_empty() => return None,
            None => return Some((equal, events.max(equal) + 1)),
        }
    }
    None
}

/// The finding, and the events asked for.
fn told(ran: &Done, replay: &Replay, again: &str) -> String {
    let report: &SeedReport = &ran.report;
    let mut out = String::new();
    if report.row.verdict != Verdict::Pass {
        out.push_str(&finding::finding(report, 1, Some(&format!("tumbler replay {again}"))));
    } else if let Some(story) = &report.story {
        out.push_str(&story.text());
    }
    if let Some(filter) = &replay.filter {
        writeln!(out, "  {} events with {filter}", ran.lines.len()).expect("memory");
        for event in &ran.lines {
            writeln!(out, "{}", line(event)).expect("memory");
        }
    }
    out
}

/// One event in one line, as `--filter` sees it.
pub fn line(event: &v1::Event) -> String {
    let v1::Event { seq, at, node, kind, fields } = event;
    let mut line = format!("  {seq:>7} {:>9} {node:<11}  {kind}", seconds(at.nanos()));
    for (name, value) in fields {
        write!(line, " {name}={value}").expect("memory");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_plan::Digest;
    use tumbler_types::Instant;

    fn chain(values: &[(u64, &str)]) -> Vec<Checkpoint> {
        values
            .iter()
            .map(|(events, text)| Checkpoint {
                events: *events,
                at: Instant(*events),
                digest: Digest::of(text.as_bytes()),
            })
            .collect()
    }

    #[test]
    fn the_first_difference_lies_between_two_checkpoints() {
        let expected = chain(&[(10, "a"), (20, "b"), (30, "c")]);
        let check = |got: &[(u64, &str)], events, until, expect| {
            assert_eq!(difference(&expected, &chain(got), events, until), expect, "{got:?}");
        };
        check(&[(10, "a"), (20, "b"), (30, "c")], 40, None, None);
        check(&[(10, "a"), (20, "x"), (30, "y")], 40, None, Some((10, 20)));
        check(&[(10, "x"), (20, "b"), (30, "c")], 40, None, Some((0, 10)));
        check(&[(10, "a"), (20, "b")], 25, None, Some((20, 26)));
        check(&[(10, "a"), (20, "b")], 25, Some(25), None);
        check(&[], 0, None, None);
    }

    #[test]
    fn answers_end_as_the_table_of_the_design_says() {
        let violated = Verdict::Violated;
        let differs = Answer::Differs { equal: 1, differs: 2 };
        let none = Answer::NotReproduced { got: String::new() };
        let table = [
            (Answer::Reproduced, 10, 10),
            (differs, 14, 125),
            (Answer::SameFailure, 10, 10),
            (none, 0, 0),
            (Answer::Stopped, 15, 125),
        ];
        for (answer, plain, bisect) in table {
            assert_eq!(answer.exit(violated, false).code(), plain, "{answer:?}");
            assert_eq!(answer.exit(violated, true).code(), bisect, "{answer:?}");
        }
        assert_eq!(Answer::Reproduced.exit(Verdict::Crashed, true).code(), 10);
    }
}
