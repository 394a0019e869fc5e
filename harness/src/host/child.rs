//! The run's side of a hosted role: a child process behind the role ABI.
//!
//! One incarnation is one process: it starts with the first input, `Boot`, and is killed when the
//! world drops the role, so nothing of a crashed incarnation lives on. Reads and writes block, which
//! stops virtual time and nothing else; a child that never answers is the worker's watchdog's
//! concern, as any role that spins.
//!
//! A child that dies, refuses or says something else than an answer is a panic of the role, with a
//! message that names node, process and cause: the run ends as Crashed.
//!
//! What it deliberately does not do: give the child more than a role may know. The plan's seed, faults
//! and clock offsets stay here.
//!
//! `Determinism:` this runs on the simulation's own thread. It asks for no time, entropy or hash.

use super::wire::{self, Answer, Handle, Hello, PROTOCOL, Request};
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tumbler_plan::Plan;
use tumbler_types::NodeId;
use tumbler_types::role::v1::{Effects, Input, Now, Role};

/// What to start for a hosted role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<String>,
}

/// A role in a child process.
pub struct ChildRole {
    program: Program,
    /// The node, as reports call it.
    name: String,
    hello: Hello,
    process: Option<Process>,
}

/// A child that said that it is ready.
struct Process {
    child: Child,
    /// `None` once it is closed.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl ChildRole {
    /// Starts nothing yet: only a role's inputs may fail as a role.
    pub fn new(program: &Program, plan: &Plan, node: NodeId) -> Self {
        let plan_told = serde_json::to_value(told(plan)).expect("plans are plain data");
        ChildRole {
            program: program.clone(),
            name: plan.topology.name(node),
            hello: Hello { protocol: PROTOCOL, plan: plan_told, node },
            process: None,
        }
    }

    /// The child's process id, once there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.child.id())
    }

    fn answer(&mut self, now: Now, input: Input) -> Result<Effects, Broken> {
        if self.process.is_none() {
            self.process = Some(Process::start(&self.program, &self.hello)?);
        }
        let process = self.process.as_mut().expect("it was started above");
        let request = Request::Handle(Handle { now: now.into(), input: input.into() });
        match process.exchange(&request)? {
            Answer::Effects(effects) => Ok(effects.into_iter().map(Into::into).collect()),
            other => Err(unexpected("effects", &other)),
        }
    }
}

impl Role for ChildRole {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        match self.answer(now, input) {
            Ok(effects) => effects,
            // Told as if the role were here.
            Err(Broken::Role(message)) => panic!("{message}"),
            Err(Broken::Host(why)) => panic!("the role host of {}: {why}", self.name),
        }
    }
}

/// Why there are no effects.
#[derive(Debug)]
enum Broken {
    /// The role itself panicked, with this message.
    Role(String),
    /// The process or what it said.
    Host(String),
}

impl Process {
    fn start(program: &Program, hello: &Hello) -> Result<Process, Broken> {
        if let Some(number) = beyond(&hello.plan) {
            return Err(Broken::Host(format!("the plan holds {number}, and numbers in it end at 2^53")));
        }
        let mut child = Command::new(&program.path)
            .args(&program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Broken::Host(format!("failed to start: {error}")))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut process = Process { child, requests, answers, line: Vec::new() };
        let Hello { protocol, plan, node } = hello;
        let hello = Hello { protocol: *protocol, plan: plan.clone(), node: *node };
        match process.exchange(&Request::Hello(hello))? {
            Answer::Ready { protocol: PROTOCOL } => Ok(process),
            Answer::Ready { protocol } => {
                Err(Broken::Host(format!("expected protocol {PROTOCOL}, got {protocol}")))
            }
            other => Err(unexpected("ready", &other)),
        }
    }

    /// One request, one answer.
    fn exchange(&mut self, request: &Request) -> Result<Answer, Broken> {
        let requests = self.requests.as_mut().expect("it is open until the end");
        // A child that refuses may be gone before it has read: what it said counts for more.
        let written = requests.write_all(&wire::line(request)).and_then(|()| requests.flush());
        let why = match (wire::read_line(&mut self.answers, &mut self.line), written) {
            (Ok(true), _) => match serde_json::from_slice(&self.line) {
                Ok(answer) => return Ok(answer),
                Err(error) => format!("said something else than an answer: {}", wire::complaint(&error)),
            },
            (Err(error), Ok(())) => format!("failed to read an answer: {error}"),
            (Ok(false), _) | (Err(_), Err(_)) => self.ended(),
        };
        Err(Broken::Host(why))
    }

    /// How it ended. Its output is closed, so unless it is foreign and odd it has.
    fn ended(&mut self) -> String {
        self.requests = None;
        match self.child.wait() {
            Ok(status) => format!("the process ended without an answer, {status}"),
            Err(error) => format!("the process ended without an answer, {error}"),
        }
    }
}

/// Nothing of an incarnation outlives it.
impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unexpected(expected: &str, got: &Answer) -> Broken {
    match got {
        Answer::Failed(message) => Broken::Role(message.clone()),
        Answer::Refused(why) => Broken::Host(format!("refused: {why}")),
        Answer::Ready { .. } => Broken::Host(format!("expected {expected}, got ready")),
        Answer::Effects(_) => Broken::Host(format!("expected {expected}, got effects")),
    }
}

/// What of the plan a role may know.
fn told(plan: &Plan) -> Plan {
    let Plan {
        schema,
        scenario,
        seed: _,
        topology,
        timing,
        bounds,
        network,
        store,
        canaries,
        heal_at,
        end_at,
        builds: _,
        floor,
        lags,
        // Draws are the world's.
        entities: _,
        offsets: _,
        orders,
        faults: _,
        planted,
        breaks: _,
    } = plan.clone();
    Plan {
        schema,
        scenario,
        seed: 0,
        topology,
        timing,
        bounds,
        network,
        store,
        canaries,
        heal_at,
        end_at,
        builds: Vec::new(),
        floor,
        lags,
        entities: Vec::new(),
        offsets: Vec::new(),
        orders,
        faults: Vec::new(),
        planted,
        breaks: Vec::new(),
    }
}

/// A number that a reader of doubles could not hold, if there is one.
fn beyond(value: &serde_json::Value) -> Option<&serde_json::Number> {
    use serde_json::Value;
    match value {
        Value::Number(number) => number.as_u64().filter(|number| *number > DOUBLE_MAX).map(|_| number),
        Value::Array(values) => values.iter().find_map(beyond),
        Value::Object(fields) => fields.values().find_map(beyond),
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// Every integer up to here is a double's.
const DOUBLE_MAX: u64 = 1 << 53;
