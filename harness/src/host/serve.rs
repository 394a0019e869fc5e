//! `tumbler role-host`: one role of this build, over standard input and output.
//!
//! Requests are read by a thread of their own, so that the end of the input ends the process even
//! while the role spins: no orphan outlives its run. What came before the end is still answered.
//!
//! What it deliberately does not do: go on after a mistake. A line that makes no sense is refused on
//! both outputs and ends the process with 2; a panic of the role is told and ends it with 13.

use super::wire::{self, Answer, Handle, Hello, PROTOCOL, Request};
use crate::exit::{Exit, Failure};
use crate::roles;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;
use tumbler_plan::Plan;
use tumbler_types::Verdict;
use tumbler_types::role::v1::{Effects, Role};

/// Serves until the input ends.
pub fn serve() -> Result<Exit, Failure> {
    // The message travels as an answer; standard error would only repeat it.
    std::panic::set_hook(Box::new(|_| {}));
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        listen(&sender);
        drop(sender);
        std::thread::sleep(GRACE);
        std::process::exit(i32::from(Exit::Internal.code()));
    });
    let mut host = Host { role: None };
    for (number, line) in (1_u64..).zip(lines) {
        let answer =
            line.and_then(|line| serde_json::from_slice(&line).map_err(|error| wire::complaint(&error)));
        match answer.and_then(|request| host.answer(request)) {
            Ok(answer) => {
                say(&answer);
                if let Answer::Failed(_) = answer {
                    return Ok(Exit::Verdict(Verdict::Crashed));
                }
            }
            Err(why) => {
                let why = format!("line {number}, {why}");
                say(&Answer::Refused(why.clone()));
                return Err(Failure::Usage(format!("standard input, {why}")));
            }
        }
    }
    Ok(Exit::PASS)
}

/// A role, once there is one.
struct Host {
    role: Option<Box<dyn Role>>,
}

impl Host {
    /// An error is a refusal.
    fn answer(&mut self, request: Request) -> Result<Answer, String> {
        match (request, &mut self.role) {
            (Request::Hello(hello), None) => {
                let (plan, Hello { protocol: _, plan: _, node }) = greeted(hello)?;
                let made = guarded(|| roles::plain(&plan, node));
                Ok(made.map_or_else(Answer::Failed, |role| {
                    self.role = Some(role);
                    Answer::Ready { protocol: PROTOCOL }
                }))
            }
            (Request::Hello(_), Some(_)) => Err("expected handle, got a second hello".to_owned()),
            (Request::Handle(_), None) => Err("expected hello, got handle".to_owned()),
            (Request::Handle(Handle { now, input }), Some(role)) => {
                let handled = guarded(|| role.handle(now.into(), input.into()));
                let told = |effects: Effects| effects.into_iter().map(Into::into).collect();
                Ok(handled.map_or_else(Answer::Failed, |effects| Answer::Effects(told(effects))))
            }
        }
    }
}

/// Parses what only this protocol's plan can be, in the order that gives the best answer.
fn greeted(mut hello: Hello) -> Result<(Plan, Hello), String> {
    let Hello { protocol, plan, node } = &mut hello;
    if *protocol != PROTOCOL {
        return Err(format!("expected protocol {PROTOCOL}, got {protocol}"));
    }
    let plan: Plan = serde_json::from_value(plan.take()).map_err(|error| format!("the plan: {error}"))?;
    if plan.schema != Plan::SCHEMA {
        return Err(format!("the plan: expected schema {}, got {}", Plan::SCHEMA, plan.schema));
    }
    if plan.topology.kind(*node).is_none() {
        return Err(format!("expected a node below {}, got {}", plan.topology.node_count(), node.0));
    }
    Ok((plan, hello))
}

fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}

/// Passes lines on until the input ends; then the role has a moment to answer what came before.
fn listen(sender: &mpsc::Sender<Result<Vec<u8>, String>>) {
    let mut input = std::io::stdin().lock();
    loop {
        let mut line = Vec::new();
        let read = match wire::read_line(&mut input, &mut line) {
            Ok(true) => Ok(line),
            Ok(false) => break,
            Err(error) => Err(error.to_string()),
        };
        let last = read.is_err();
        if sender.send(read).is_err() || last {
            break;
        }
    }
}

/// One line, whole. A run that is gone needs no answer.
fn say(answer: &Answer) {
    let mut out = std::io::stdout().lock();
    if out.write_all(&wire::line(answer)).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// After the end of the input, for answers that are still owed.
const GRACE: Duration = Duration::from_secs(2);
