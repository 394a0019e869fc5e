//! The world: three rotations of one secret, one invocation at a time, struck where the plan says.
//!
//! The service orders a rotation, invokes the four steps in their order, and begins the whole again
//! with the same token when a step fails. Strikes interrupt: they lose, hold and repeat calls, end or
//! stop processes, and let another invocation run between two calls. What is held past its successor
//! lands after the second rotation; the third shows whether rotations still close.
//!
//! What it deliberately does not do: let more than two invocations take turns, or strike a call twice.
//!
//! Invariant: every answer is computed from the plan and from what guests said before; nothing is
//! asked of the machine.
//!
//! Source: "Rotation by Lambda function" of AWS Secrets Manager's user guide: steps, the retry of the
//! whole process with one token, at-least-once delivery of asynchronous invocations.

mod apply;
mod invocation;
mod turns;

pub use turns::MEANWHILE;

use crate::guest::{Answer, Call, Guests, Invoke, Said, Step};
use crate::judge::{Finding, Judge, Met, Outcome, credential};
use crate::layout::Layout;
use crate::sql::{Engine, Server};
use crate::store::{CURRENT, Store, arn};
use crate::strike::{FOREIGN, Strike, StrikeKind};
use crate::veil::Veil;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tumbler_plan::{Digest, Stream, StreamName};
use tumbler_types::{Instant, Invariant, Span};

/// All that a run depends on, besides the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub engine: Engine,
    pub layout: Layout,
    pub seed: u64,
    pub strikes: Vec<Strike>,
}

/// One thing that happened, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub seq: u64,
    pub at: Instant,
    pub who: String,
    pub text: String,
    /// What the nemesis did to it.
    pub strike: Option<StrikeKind>,
}

impl Record {
    /// The line that digests are taken over.
    pub fn line(&self) -> String {
        let Record { seq, at, who, text, strike } = self;
        let struck = strike.map_or("", StrikeKind::name);
        format!("{seq}\t{}\t{who}\t{text}\t{struck}\n", at.nanos())
    }
}

/// Where a call stands in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub rotation: u32,
    pub call: u32,
    pub step: Step,
    pub title: String,
    /// File and line in the function.
    pub at: Option<String>,
    /// The strikes that can be done to it.
    pub strikes: Vec<StrikeKind>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    pub findings: Vec<Finding>,
    pub records: Vec<Record>,
    pub sites: Vec<Site>,
    pub digest: Digest,
    /// Strikes that came about.
    pub fired: Vec<Strike>,
    pub rotations_closed: u64,
    pub invocations: u64,
    pub ended_at: Instant,
    pub met: BTreeMap<Invariant, Met>,
    /// One user with one password at a time.
    pub is_single: bool,
    /// What the last invocation that raised said.
    pub raised: Option<String>,
}

/// Runs a plan.
pub fn run(plan: &Plan, guests: &mut dyn Guests) -> Report {
    let mut world = World::new(plan, guests);
    world.begin();
    for rotation in 1..=ROTATIONS {
        world.rotate(rotation);
        if world.is_broken {
            break;
        }
        world.release(rotation);
    }
    world.report()
}

/// Rotations of a run: one to be struck, its successor, and one that must still close.
pub const ROTATIONS: u32 = 3;

struct World<'a> {
    plan: &'a Plan,
    guests: &'a mut dyn Guests,
    now: Instant,
    store: Store,
    /// The store before its last change, for stale reads.
    store_before: Store,
    server: Server,
    veil: Veil,
    judge: Judge,
    records: Vec<Record>,
    sites: Vec<Site>,
    fired: Vec<Strike>,
    /// Calls so far, by rotation.
    calls: BTreeMap<u32, u32>,
    parked: Vec<(u32, Parked)>,
    stragglers: Vec<turns::Straggler>,
    is_cancelled: bool,
    entropy: Stream,
    latency: Stream,
    guest_next: u32,
    session_next: u64,
    closed: u64,
    failed: u64,
    is_broken: bool,
    raised: Option<String>,
}

/// What waits for a rotation's end.
enum Parked {
    Call { invocation: Invocation, call: Call },
    Process { invocation: Invocation, call: Call, stopped: u64 },
    Delivery { step: Step, token: String, rotation: u32 },
}

/// One invocation on its way.
#[derive(Clone, Debug)]
struct Invocation {
    guest: u32,
    step: Step,
    token: String,
    rotation: u32,
    began: Instant,
    /// Sessions that it opened, by the number that it knows.
    sessions: Vec<u64>,
    calls: u32,
    /// Only the service's own deliveries are struck, and counted.
    is_counted: bool,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Returned,
    Failed,
}

/// What follows a call.
enum After {
    Answer(Answer),
    End(End),
}

impl<'a> World<'a> {
    fn new(plan: &'a Plan, guests: &'a mut dyn Guests) -> World<'a> {
        let entropy = Stream::new(plan.seed, StreamName::Entropy, (0, 0), FOREIGN);
        let latency = Stream::new(plan.seed, StreamName::Link, (0, 0), FOREIGN);
        let app = (APP, "initial-app-credential");
        let admin = (ADMIN, "initial-admin-credential");
        let server = Server::new(plan.engine, admin, app);
        let base = server.means(APP);
        let mut store = Store::default();
        let (value, tags) = plan.layout.admin(plan.engine, admin.0, admin.1, &arn(MASTER));
        store.add(MASTER, "00000000-0000-4000-8000-00000000000a", &value, tags);
        let value = plan.layout.app(plan.engine, app.0, app.1, &arn(MASTER));
        store.add(SECRET, "00000000-0000-4000-8000-00000000000b", &value, Vec::new());
        let mut veil = Veil::default();
        veil.hide(app.1);
        veil.hide(admin.1);
        World {
            plan,
            guests,
            now: Instant::ZERO,
            store_before: store.clone(),
            store,
            server,
            veil,
            judge: Judge::new(SECRET, base, LIFE.plus(RETRY).plus(RETRY)),
            records: Vec::new(),
            sites: Vec::new(),
            fired: Vec::new(),
            calls: BTreeMap::new(),
            parked: Vec::new(),
            stragglers: Vec::new(),
            is_cancelled: false,
            entropy,
            latency,
            guest_next: 0,
            session_next: 0,
            closed: 0,
            failed: 0,
            is_broken: false,
            raised: None,
        }
    }

    fn begin(&mut self) {
        let engine = self.plan.engine.name();
        self.record("world", format!("{engine} with the users {ADMIN} and {APP}; {SECRET} is current"), None);
        self.observe();
    }

    /// Orders a rotation, and sees it through.
    fn rotate(&mut self, rotation: u32) {
        let token = token(&mut self.entropy);
        if let Err(why) = self.store.rotate(SECRET, &token) {
            self.record("service", format!("rotate is refused: {why}"), None);
            let told = "the next rotation was refused, and would be until a person cancels and takes the pending \
                        label off";
            self.judge.wedge(self.now, self.seq(), told);
            self.now = self.now.plus(PERSON);
            self.store.cancel(SECRET);
            self.store.remedy(SECRET, None);
            self.record("operator", "cancels the rotation, and takes the pending label off".to_owned(), None);
            self.store.rotate(SECRET, &token).expect("no version is pending");
        }
        self.record(
            "service",
            format!("rotation {rotation} of {SECRET}: pending is {}", short(&token)),
            None,
        );
        for attempt in 1..=ATTEMPTS {
            let all = Step::ALL.into_iter().all(|step| {
                let end = self.invoke(step, &token, rotation, true);
                self.now = self.now.plus(Span::from_millis(500));
                end == End::Returned && !self.is_broken && !self.is_cancelled
            });
            if self.is_broken {
                return;
            }
            if std::mem::take(&mut self.is_cancelled) {
                self.now = self.now.plus(LOOK_AGAIN);
                self.remedy(&token);
                break;
            }
            if all {
                self.store.settle(SECRET, &token);
                let is_current = self.store.secret(SECRET).labeled(CURRENT) == Some(token.as_str());
                self.closed += u64::from(is_current);
                self.judge.meet(Invariant::Converges);
                let state = if is_current { "is current" } else { "is not current" };
                self.record(
                    "service",
                    format!("rotation {rotation} is over: {} {state}", short(&token)),
                    None,
                );
                if !is_current && rotation == ROTATIONS {
                    self.judge.wedge(
                        self.now,
                        self.seq(),
                        "all steps returned, and the version never became current",
                    );
                }
                break;
            }
            self.failed += 1;
            if attempt == ATTEMPTS {
                self.record(
                    "service",
                    format!("gives rotation {rotation} up after {ATTEMPTS} attempts"),
                    None,
                );
                if rotation == ROTATIONS {
                    self.judge.wedge(self.now, self.seq(), "the last rotation failed in each attempt");
                }
                break;
            }
            self.now = self.now.plus(RETRY);
        }
        self.log_in_after();
        self.now = self.now.plus(BETWEEN);
    }

    /// One login with the current version when nothing is under way, or will land: who is refused then
    /// stays refused until a next rotation, weeks later.
    fn log_in_after(&mut self) {
        if !self.parked.is_empty() || !self.stragglers.is_empty() {
            return;
        }
        self.observe();
        if self.judge.is_newly_stranded() && !self.is_broken {
            let told = "is refused with the current version, and nothing is under way";
            self.record("client", told.to_owned(), None);
            self.judge.strand(self.seq());
        }
    }

    /// An operator does what the manual says of a rotation that was cancelled: whichever version the
    /// database accepts is current, and nothing is pending.
    fn remedy(&mut self, token: &str) {
        let secret = self.store.secret(SECRET);
        let accepts = |token: &str| {
            let held = secret.value(token).and_then(credential);
            held.is_some_and(|(user, password)| self.server.accepts(self.now, &user, &password))
        };
        let current = secret.labeled(CURRENT).expect("current is moved and never removed");
        let in_use = (!accepts(current) && accepts(token)).then_some(token);
        let did = match in_use {
            Some(token) => {
                format!("moves current to {}, which is in use, and takes pending off", short(token))
            }
            None => "takes the pending label off".to_owned(),
        };
        self.store.remedy(SECRET, in_use);
        self.record("operator", did, None);
        self.observe();
    }

    /// Lets go of what was held until this rotation's end.
    fn release(&mut self, rotation: u32) {
        self.finish_stragglers(rotation);
        let (due, stay) =
            std::mem::take(&mut self.parked).into_iter().partition(|(until, _)| *until <= rotation);
        self.parked = stay;
        for (_, parked) in Vec::<(u32, Parked)>::into_iter(due) {
            match parked {
                Parked::Call { mut invocation, call } => {
                    self.record(
                        &invocation::name(&invocation),
                        format!("{LANDS_LATE}{}", self.told(&call)),
                        Some(StrikeKind::Held),
                    );
                    self.apply(&mut invocation, &call);
                    self.drop_sessions(&invocation);
                }
                Parked::Process { mut invocation, call, stopped } => {
                    let told = self.told(&call);
                    self.record(
                        &invocation::name(&invocation),
                        format!("{GOES_ON}{told}, by what it knew at step {stopped}"),
                        Some(StrikeKind::Paused),
                    );
                    let answer = self.apply(&mut invocation, &call);
                    let said = self.guests.answer(invocation.guest, self.now, &answer);
                    self.see_through(invocation, said);
                }
                Parked::Delivery { step, token, rotation } => {
                    self.record(
                        "service",
                        format!("an old {} is delivered again", step.name()),
                        Some(StrikeKind::Late),
                    );
                    self.invoke(step, &token, rotation, false);
                }
            }
        }
        self.log_in_after();
    }

    fn observe(&mut self) {
        self.judge.observe(self.now, self.seq(), &self.store, &self.server);
    }

    fn told(&self, call: &Call) -> String {
        let place = call.at.as_ref().map_or(String::new(), |at| format!("  [{at}]"));
        let args = match call.op.as_str() {
            "sql.execute" => call.text("sql").to_owned(),
            "sql.connect" => {
                let tls = call.args.get("tls").and_then(Value::as_bool).unwrap_or(false);
                let transport = if tls { "TLS" } else { "no TLS" };
                format!("as {} with {}, {transport}", call.text("user"), call.text("password"))
            }
            "secretsmanager.put_secret_value" => {
                let password = credential(call.text("SecretString")).map(|(_, password)| password);
                format!("{} {}", short(call.text("ClientRequestToken")), password.unwrap_or_default())
            }
            "secretsmanager.update_secret_version_stage" => format!(
                "{} to {} from {}",
                call.text("VersionStage"),
                short(call.text("MoveToVersionId")),
                short(call.text("RemoveFromVersionId"))
            ),
            "secretsmanager.get_secret_value" => {
                format!("{} {}", call.text("VersionStage"), short(call.text("VersionId")))
            }
            _ => String::new(),
        };
        let op = call.op.split_once('.').map_or(call.op.as_str(), |(_, op)| op);
        let text = self.veil.cover(args.trim());
        format!("{op} {text}").trim_end().to_owned() + &place
    }

    fn seq(&self) -> u64 {
        (self.records.len() as u64).saturating_sub(1)
    }

    fn record(&mut self, who: &str, text: String, strike: Option<StrikeKind>) {
        let seq = self.records.len() as u64;
        self.records.push(Record { seq, at: self.now, who: who.to_owned(), text, strike });
    }

    fn report(mut self) -> Report {
        for straggler in std::mem::take(&mut self.stragglers) {
            self.guests.kill(straggler.invocation.guest);
        }
        for (_, parked) in std::mem::take(&mut self.parked) {
            match parked {
                Parked::Process { invocation, .. } => self.guests.kill(invocation.guest),
                Parked::Call { .. } | Parked::Delivery { .. } => {}
            }
        }
        self.log_in_after();
        self.record("world", "the end".to_owned(), None);
        self.judge.end(self.now, self.seq(), &self.store, &self.server, ADMIN);
        let findings = self.judge.findings();
        let worst = findings.iter().map(|finding| finding.outcome).max_by_key(|outcome| outcome.rank());
        let calm = if self.failed > 0 { Outcome::Retried } else { Outcome::Fine };
        let outcome = worst.map_or(calm, |worst| if worst.rank() > calm.rank() { worst } else { calm });
        let mut bytes = Vec::new();
        for record in &self.records {
            bytes.extend_from_slice(record.line().as_bytes());
        }
        Report {
            outcome,
            findings,
            digest: Digest::of(&bytes),
            records: self.records,
            sites: self.sites,
            fired: self.fired,
            rotations_closed: self.closed,
            invocations: u64::from(self.guest_next),
            ended_at: self.now,
            is_single: self.judge.is_single(),
            met: self.judge.met,
            raised: self.raised,
        }
    }
}

/// How the record of a process begins that goes on, and sends what it had stopped at.
pub const GOES_ON: &str = "goes on, and sends only now: ";

/// How the record of a call begins that was held on its way.
pub const LANDS_LATE: &str = "lands late: ";

/// The first part of a token.
fn short(token: &str) -> &str {
    token.split('-').next().unwrap_or(token)
}

/// A random token in the form of a UUID, version 4.
fn token(stream: &mut Stream) -> String {
    let bytes: [u8; 16] = stream.bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

const SECRET: &str = "orders/app";
const MASTER: &str = "orders/admin";
const APP: &str = "app";
const ADMIN: &str = "admin";
/// A function's longest life, and how long the service waits before it begins again.
pub const LIFE: Span = Span::from_secs(900);
pub const RETRY: Span = Span::from_secs(60);
const ATTEMPTS: u32 = 5;
/// Until a person has looked.
const PERSON: Span = Span::from_secs(3_600);
/// Until the operator who cancelled looks again.
const LOOK_AGAIN: Span = Span::from_secs(600);
const BETWEEN: Span = Span::from_secs(30);
/// Until a client library gives a lost call up.
const LOST: Span = Span::from_secs(5);
const LATENCY_MIN: Span = Span::from_millis(2);
const LATENCY_MAX: Span = Span::from_millis(20);
const SLEEP_MAX_MS: u64 = 3_600_000;
