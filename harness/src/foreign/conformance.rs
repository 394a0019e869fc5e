//! `tumbler role-host --check CMD`: does this program speak the foreign protocol?
//!
//! It is led through an undisturbed run, through a run whose every answer is an error, and through the
//! end of its input, and is listened to when it is not its turn. What is wrong is told with the line
//! that was wrong.
//!
//! It deliberately says nothing about the rotation: whether that is any good, the grid says.

use super::process::{Process, Unasked, watched};
use super::story::wrapped;
use super::wire;
use crate::exit::{Exit, Failure};
use crate::terminal;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use tumbler_foreign::{Answer, Break, Engine, Guests, Invoke, Layout, Outcome, Plan, Report, Said, Step};
use tumbler_types::{Instant, Span, Verdict};

/// Checks a command: words as a shell separates them.
pub fn check(command: &str, limit: Duration) -> Result<Exit, Failure> {
    let Some(words) = shlex::split(command) else {
        return Err(Failure::Usage(format!("--check {command}: a quotation does not end")));
    };
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        return Err(Failure::Usage("--check: expected a command".to_owned()));
    };
    let program = Program { name: program, args: words.collect(), limit };
    watched(|| program.check())?
}

/// What is checked.
struct Program {
    name: String,
    args: Vec<String>,
    limit: Duration,
}

impl Program {
    fn check(&self) -> Result<Exit, Failure> {
        // Of a program that is not there, nothing else is to be told.
        drop(self.start().map_err(|why| Failure::Usage(format!("--check: {why}")))?);
        let mut failed = false;
        let mut tell = |what: &str, outcome: Result<String, String>| {
            failed |= outcome.is_err();
            let (head, text) = match outcome {
                Ok(told) => ("ok    ", format!("{what}{told}")),
                Err(why) => ("FAIL  ", format!("{what}: {why}")),
            };
            terminal::print(&wrapped(head, &text));
        };
        tell("it waits until it is spoken to", self.waits());
        let first = self.calm();
        tell("an undisturbed run of three rotations", whole(&first));
        for step in Step::ALL {
            let what = format!("{} whose calls all fail ends by itself", step.name());
            tell(&what, self.refused(step));
        }
        tell("the same twice", self.twice(&first));
        tell("the program ends with its input", self.orphaned());
        Ok(Exit::Verdict(if failed { Verdict::Violated } else { Verdict::Pass }))
    }

    fn start(&self) -> Result<Process, String> {
        Process::start(Command::new(&self.name).args(&self.args), self.limit)
    }

    fn waits(&self) -> Result<String, String> {
        match self.start()?.unasked(QUIET) {
            Unasked::Nothing => Ok(String::new()),
            Unasked::Line(line) => Err(format!("it spoke before, and said `{}`", shown(&line))),
            Unasked::Ended => Err("its output ended before".to_owned()),
        }
    }

    fn calm(&self) -> Report {
        let plan = Plan { engine: Engine::Postgres, layout: Layout::Plain, seed: 0, strikes: Vec::new() };
        tumbler_foreign::run(&plan, &mut Strict { program: self, running: BTreeMap::new() })
    }

    fn twice(&self, first: &Report) -> Result<String, String> {
        if broke(first).is_some() {
            return Err("not compared: the undisturbed run did not get to its end".to_owned());
        }
        match self.calm().digest == first.digest {
            true => Ok(String::new()),
            false => {
                Err("two runs differ: take clock and entropy from `invoke` and `answer` alone".to_owned())
            }
        }
    }

    fn refused(&self, step: Step) -> Result<String, String> {
        let mut guests = Strict { program: self, running: BTreeMap::new() };
        let mut said = guests.start(1, &first(step));
        for _ in 0..CALLS_MAX {
            match said {
                Said::Called(call) => {
                    let answer = Answer::error("InternalServiceError", "", format!("{} is refused", call.op));
                    said = guests.answer(1, Instant::ZERO, &answer);
                }
                Said::Done { .. } | Said::Raised { .. } => return Ok(String::new()),
                Said::Broke(broken) => return Err(broken.why),
            }
        }
        Err(format!("it still asks after {CALLS_MAX} refusals: give up, the step is invoked again"))
    }

    /// A process whose input ends in the middle of an invocation has two seconds.
    fn orphaned(&self) -> Result<String, String> {
        let mut process = self.start()?;
        process.ask(&wire::invoke(&first(Step::Create))).map_err(|silence| silence.to_string())?;
        match process.ends_with_its_input(ORPHAN_LIMIT) {
            true => Ok(String::new()),
            false => Err("it was still there two seconds after its input had ended".to_owned()),
        }
    }
}

fn broke(report: &Report) -> Option<&str> {
    let found = report.findings.iter().find(|finding| finding.outcome == Outcome::Broke);
    found.map(|finding| finding.why.as_str())
}

/// A program that was not seen to do its work has shown nothing.
fn whole(report: &Report) -> Result<String, String> {
    let (calls, closed) = (report.sites.len(), report.rotations_closed);
    match (broke(report), &report.raised) {
        (Some(why), _) => Err(why.to_owned()),
        (None, _) if calls == 0 => Err("it made no call, so nothing of it was seen".to_owned()),
        (None, Some(raised)) if closed == 0 => Err(format!("no rotation closed: an invocation {raised}")),
        (None, _) if closed == 0 => Err(format!("{calls} calls, and no rotation closed")),
        (None, _) => Ok(format!(": {calls} calls, {closed} rotations closed")),
    }
}

/// Invocations that must say one thing when they are spoken to, nothing else, and then end.
struct Strict<'a> {
    program: &'a Program,
    running: BTreeMap<u32, Process>,
}

impl Strict<'_> {
    fn said(&mut self, guest: u32, line: &str) -> Said {
        let process = self.running.get_mut(&guest).expect("only a guest that runs is spoken to");
        let said = heard(process, line).unwrap_or_else(|why| Said::Broke(Break { why, at: None }));
        if !matches!(said, Said::Called(_)) {
            self.running.remove(&guest);
        }
        said
    }
}

fn heard(process: &mut Process, line: &str) -> Result<Said, String> {
    let twice = |line: &str| format!("it spoke when it was not its turn, and said `{}`", shown(line));
    if let Unasked::Line(line) = process.unasked(Duration::ZERO) {
        return Err(twice(&line));
    }
    let said = wire::said(&process.ask(line).map_err(|silence| silence.to_string())?);
    if matches!(said, Said::Done { .. } | Said::Raised { .. }) {
        match process.unasked(ORPHAN_LIMIT) {
            Unasked::Ended => {}
            Unasked::Line(line) => return Err(twice(&line)),
            Unasked::Nothing => return Err("it did not end within two seconds of its last line".to_owned()),
        }
    }
    Ok(said)
}

impl Guests for Strict<'_> {
    fn start(&mut self, guest: u32, invoke: &Invoke) -> Said {
        match self.program.start() {
            Ok(process) => {
                self.running.insert(guest, process);
                self.said(guest, &wire::invoke(invoke))
            }
            Err(why) => Said::Broke(Break { why, at: None }),
        }
    }

    fn answer(&mut self, guest: u32, now: Instant, answer: &Answer) -> Said {
        self.said(guest, &wire::answer(now, answer))
    }

    fn kill(&mut self, guest: u32) {
        self.running.remove(&guest);
    }
}

fn shown(line: &str) -> String {
    line.chars().filter(|each| !each.is_control()).take(SHOWN).collect()
}

fn first(step: Step) -> Invoke {
    Invoke {
        step,
        secret: tumbler_foreign::store::arn("orders/app"),
        token: "00000000-0000-4000-8000-000000000001".to_owned(),
        now: Instant::ZERO,
        life: Span::from_secs(900),
        entropy: [7; 32],
    }
}

const CALLS_MAX: usize = 200;
const SHOWN: usize = 60;
const ORPHAN_LIMIT: Duration = Duration::from_secs(2);
/// Who speaks first does so by then.
const QUIET: Duration = Duration::from_millis(300);
