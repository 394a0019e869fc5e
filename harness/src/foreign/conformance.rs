//! `tumbler role-host --check CMD`: does this program speak the foreign protocol?
//!
//! It is led through an undisturbed run, through a run whose every answer is an error, and through the
//! end of its input. What is wrong is told with the line that was wrong.
//!
//! It deliberately says nothing about the rotation: whether that is any good, the grid says.

use super::plain::Plain;
use super::process::Process;
use super::wire;
use crate::exit::{Exit, Failure};
use crate::terminal;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tumbler_foreign::{Answer, Engine, Guests, Invoke, Layout, Outcome, Plan, Said, Step};
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
    let args: Vec<String> = words.collect();
    let mut failed = false;
    let mut tell = |what: &str, outcome: Result<String, String>| {
        failed |= outcome.is_err();
        terminal::print(&match outcome {
            Ok(told) => format!("ok    {what}{told}\n"),
            Err(why) => format!("FAIL  {what}: {why}\n"),
        });
    };
    tell("an undisturbed run of three rotations", whole(&program, &args, limit));
    for step in Step::ALL {
        let what = format!("{} whose calls all fail ends by itself", step.name());
        tell(&what, refused(&program, &args, limit, step));
    }
    tell("the same twice", twice(&program, &args, limit));
    tell("the program ends with its input", orphaned(&program, &args, limit));
    Ok(Exit::Verdict(if failed { Verdict::Violated } else { Verdict::Pass }))
}

fn plain(program: &str, args: &[String], limit: Duration) -> Plain {
    Plain::new(PathBuf::from(program), args.to_vec(), Vec::new(), limit)
}

fn whole(program: &str, args: &[String], limit: Duration) -> Result<String, String> {
    let report = calm(program, args, limit);
    match report.findings.first() {
        Some(finding) if finding.outcome == Outcome::Broke => Err(finding.why.clone()),
        Some(_) | None => {
            let calls = report.sites.len();
            Ok(format!(": {calls} calls, {} rotations closed", report.rotations_closed))
        }
    }
}

fn twice(program: &str, args: &[String], limit: Duration) -> Result<String, String> {
    let same = calm(program, args, limit).digest == calm(program, args, limit).digest;
    let why = "two runs differ: take clock and entropy from `invoke` and `answer` alone";
    if same { Ok(String::new()) } else { Err(why.to_owned()) }
}

fn calm(program: &str, args: &[String], limit: Duration) -> tumbler_foreign::Report {
    let plan = Plan { engine: Engine::Postgres, layout: Layout::Plain, seed: 0, strikes: Vec::new() };
    tumbler_foreign::run(&plan, &mut plain(program, args, limit))
}

fn refused(program: &str, args: &[String], limit: Duration, step: Step) -> Result<String, String> {
    let mut guests = plain(program, args, limit);
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
fn orphaned(program: &str, args: &[String], limit: Duration) -> Result<String, String> {
    let mut process = Process::start(Command::new(program).args(args), limit)?;
    process.ask(&wire::invoke(&first(Step::Create))).map_err(|silence| format!("{silence:?}"))?;
    if process.ends_with_its_input(ORPHAN_LIMIT) {
        Ok(String::new())
    } else {
        Err("it was still there two seconds after its input had ended".to_owned())
    }
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
const ORPHAN_LIMIT: Duration = Duration::from_secs(2);
