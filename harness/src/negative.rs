//! Negative traces: what the judges reject of what did not happen.
//!
//! It exists because a specification that allows everything passes everything. An accepted trace is
//! changed in one place, and both judges look at it again: one event is left out, told twice, told in
//! the other order, or told with one field changed. What still passes says how much the judges let
//! through, and is explained in `model/README.md`.
//!
//! The log's numbers alone would give most of it away: a change of the log is renumbered, so that only its
//! meaning can be rejected.
//!
//! Only events that change what has become true are touched: another observation more or less is
//! another run. It deliberately leaves the world's own statements alone (paths, crashes, clocks,
//! faults): judges believe them.

use std::collections::BTreeMap;
use std::fmt;
use tumbler_plan::Plan;
use tumbler_spec::{Judgement, Judges, Ledger};
use tumbler_types::{
    Attempt, Command, Epoch, Event, Fence, Instant, LogIndex, Observed, Phase, Privileges, Revision, Serial,
    Span, Tag, TxnId, Verdict, VersionId, Wall,
};
use tumbler_world::{Options, run};

/// How one place of a trace is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    Dropped,
    Doubled,
    /// With the next event of the same secret that changes something.
    Swapped,
    /// One field; a field at a time.
    Altered,
}

impl Change {
    pub const ALL: [Change; 4] = [Change::Dropped, Change::Doubled, Change::Swapped, Change::Altered];
}

/// Tries and rejections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    pub tried: u64,
    pub rejected: u64,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tried == 0 {
            return f.write_str("-");
        }
        // Rounded down: nothing but all is 100.0.
        let permille = self.rejected * 1_000 / self.tried;
        write!(f, "{}.{} % of {}", permille / 10, permille % 10, self.tried)
    }
}

/// A change that nobody noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    pub seed: u64,
    pub seq: u64,
    /// What was told last instead; empty: nothing.
    pub text: String,
}

/// By kind of event, and for entries of the log by command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negatives {
    pub rates: BTreeMap<(&'static str, Change), Rate>,
    /// The first survivors of each kind.
    pub survivors: BTreeMap<(&'static str, Change), Vec<Survivor>>,
    /// Traces that were looked at.
    pub traces: u64,
}

impl Negatives {
    /// Runs the plan, and tries every change at every event; `stride`: at every so many of each kind.
    pub fn try_plan(&mut self, plan: &Plan, stride: u64) {
        let outcome = run(plan, &crate::roles::role, &Options { keep_trace: true, ..Options::default() });
        let passed = outcome.judgement.as_ref().is_some_and(|judged| judged.verdict == Verdict::Pass);
        assert!(passed, "a negative trace is made of an accepted one, seed {} is none", plan.seed);
        self.traces += 1;
        let trace = &outcome.trace;
        let changing = changing(plan, trace);
        let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut judges = judges(plan);
        let mut judged = 0;
        for (place, index) in changing.iter().enumerate() {
            let event = trace[*index].event;
            trace[judged..*index].iter().for_each(|observed| judges.observe(observed));
            judged = *index;
            let Some(row) = kind(&event).map(|kind| finer(kind, &judges, &trace[*index])) else { continue };
            let count = seen.entry(row).or_default();
            *count += 1;
            if *count % stride != 1 % stride {
                continue;
            }
            let mut rest = changing[place + 1..].iter().copied();
            let partner = rest.find(|other| trace[*other].event.secret() == event.secret());
            let case = Case { judges: &judges, trace, index: *index, end: outcome.end_at };
            self.note(plan, row, Change::Dropped, &case, vec![], -1);
            let again = Observed { event: renumbered(event, &event, 1), ..trace[*index] };
            self.note(plan, row, Change::Doubled, &case, vec![trace[*index], again], 1);
            if let Some(partner) = partner.filter(|partner| partner - index < NEAR) {
                self.note_swapped(plan, row, &case, partner);
            }
            for other in altered(&event) {
                let told = vec![Observed { event: other, ..trace[*index] }];
                self.note(plan, row, Change::Altered, &case, told, 0);
            }
        }
    }

    fn note(
        &mut self,
        plan: &Plan,
        kind: &'static str,
        change: Change,
        case: &Case<'_>,
        told: Vec<Observed>,
        shift: i64,
    ) {
        let text = told.last().map_or(String::new(), |observed| observed.event.to_string());
        let judgement = case.judge(&told, case.index + 1, shift);
        self.count(plan, (kind, change), case, &judgement, text);
    }

    fn note_swapped(&mut self, plan: &Plan, kind: &'static str, case: &Case<'_>, partner: usize) {
        let (first, second) = (case.trace[case.index], case.trace[partner]);
        let (one, two) = exchanged(first.event, second.event);
        let mut told = vec![Observed { event: two, node: second.node, ..first }];
        told.extend(&case.trace[case.index + 1..partner]);
        told.push(Observed { event: one, node: first.node, ..second });
        let judgement = case.judge(&told, partner + 1, 0);
        self.count(plan, (kind, Change::Swapped), case, &judgement, second.event.to_string());
    }

    fn count(
        &mut self,
        plan: &Plan,
        key: (&'static str, Change),
        case: &Case<'_>,
        judgement: &Judgement,
        text: String,
    ) {
        let rate = self.rates.entry(key).or_default();
        rate.tried += 1;
        if judgement.verdict != Verdict::Pass {
            rate.rejected += 1;
            return;
        }
        let survivors = self.survivors.entry(key).or_default();
        if survivors.len() < SURVIVORS_MAX {
            survivors.push(Survivor { seed: plan.seed, seq: case.trace[case.index].seq, text });
        }
    }

    /// All kinds together.
    pub fn total(&self, change: Change) -> Rate {
        self.rates.iter().filter(|((_, other), _)| *other == change).fold(
            Rate::default(),
            |sum, (_, rate)| Rate { tried: sum.tried + rate.tried, rejected: sum.rejected + rate.rejected },
        )
    }

    /// A table for a page: a row per kind, a column per change.
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| event | dropped | doubled | swapped | one field altered |\n|---|---|---|---|---|\n",
        );
        let mut row = |name: &str, rate: &dyn Fn(Change) -> Rate| {
            let cells = Change::ALL.map(|change| rate(change).to_string());
            out.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
        };
        let mut kinds: Vec<&'static str> = self.rates.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        for kind in kinds {
            row(&format!("`{kind}`"), &|change| self.rates.get(&(kind, change)).copied().unwrap_or_default());
        }
        row("all", &|change| self.total(change));
        out
    }
}

/// A place in a trace, with the judges as they were before it.
struct Case<'a> {
    judges: &'a Judges,
    trace: &'a [Observed],
    index: usize,
    end: Instant,
}

impl Case<'_> {
    /// Tells `told` instead of what stood up to `rest`, and then the rest; `shift`: by how many entries
    /// the log got longer.
    fn judge(&self, told: &[Observed], rest: usize, shift: i64) -> Judgement {
        let mut judges = self.judges.clone();
        let changed = self.trace[self.index].event;
        let rest = self.trace[rest..]
            .iter()
            .map(|observed| Observed { event: renumbered(observed.event, &changed, shift), ..*observed });
        for observed in told.iter().copied().chain(rest) {
            judges.observe(&observed);
            if judges.divergence().is_some() {
                break;
            }
        }
        judges.finish(self.end)
    }
}

/// The event as it would be had the log got longer by `shift` at `changed`, if that is an entry.
fn renumbered(event: Event, changed: &Event, shift: i64) -> Event {
    let Event::Committed { secret: other, index: place, .. } = *changed else { return event };
    let moved = |number: u32| u32::try_from(i64::from(number) + shift).unwrap_or(0);
    let beyond = |index: LogIndex| if index >= place { LogIndex(moved(index.0)) } else { index };
    match event {
        Event::Committed { index, at, secret, expected, command } => {
            let expected = if secret == other { Revision(moved(expected.0)) } else { expected };
            Event::Committed { index: LogIndex(moved(index.0)), at, secret, expected, command }
        }
        Event::Answered { index } => Event::Answered { index: beyond(index) },
        Event::LogRecovered { length } => Event::LogRecovered { length: beyond(length) },
        other => other,
    }
}

/// Two entries of the log trade places with their numbers; anything else as it is.
fn exchanged(one: Event, two: Event) -> (Event, Event) {
    match (one, two) {
        (
            Event::Committed { index: i, at: a, secret: s, expected: e, command: c },
            Event::Committed { index, at, secret, expected, command },
        ) if s == secret => (
            Event::Committed { index, at, secret, expected, command: c },
            Event::Committed { index: i, at: a, secret, expected: e, command },
        ),
        pair => pair,
    }
}

/// An agent's record may change in what it holds, or only in how long.
fn finer(kind: &'static str, judges: &Judges, observed: &Observed) -> &'static str {
    let Event::Stored { secret, version, serial, .. } = observed.event else { return kind };
    let held = judges.ledger().holder(secret, observed.node).map(|holder| holder.stored);
    match held {
        Some(held) if (held.version, held.serial) == (version, serial) => "Stored, longer",
        _ => kind,
    }
}

fn judges(plan: &Plan) -> Judges {
    Judges::new(&plan.topology, &plan.timing, &plan.bounds, plan.canaries)
}

/// The events that change the ledger, genesis apart.
fn changing(plan: &Plan, trace: &[Observed]) -> Vec<usize> {
    let mut ledger = Ledger::new(&plan.topology);
    let mut changing = Vec::new();
    for (index, observed) in trace.iter().enumerate() {
        let before = kind(&observed.event).map(|_| ledger.clone());
        ledger.fold(observed);
        if let Some(mut before) = before {
            before.now = ledger.now;
            changing.extend((before != ledger).then_some(index));
        }
    }
    changing
}

/// The row that an event counts in; none for what the world says of itself, and for genesis.
fn kind(event: &Event) -> Option<&'static str> {
    match event {
        Event::Committed { command: Command::Enroll { .. } | Command::RaiseFloor { .. }, .. } => None,
        Event::Committed { command, .. } => Some(command.kind()),
        Event::Enforced { .. }
        | Event::Promised { .. }
        | Event::TargetRecovered { .. }
        | Event::Stored { .. }
        | Event::AgentRecovered { .. }
        | Event::Acknowledged { .. }
        | Event::Answered { .. }
        | Event::LogRecovered { .. }
        | Event::Privileged { .. } => Some(event.kind()),
        _ => None,
    }
}

/// The event with one field changed, a field at a time.
fn altered(event: &Event) -> Vec<Event> {
    match *event {
        Event::Committed { index, at, secret, expected, command } => {
            let other = |command| Event::Committed { index, at, secret, expected, command };
            let skipped = Event::Committed { index: index.next(), at, secret, expected, command };
            commands(command).into_iter().map(other).chain([skipped]).collect()
        }
        Event::Enforced { secret, fence, principal, value } => {
            let with = |fence, principal, value| Event::Enforced { secret, fence, principal, value };
            let mut all = vec![with(fence, principal.other(), value), with(fence, principal, spoilt(value))];
            all.extend(fences(fence).map(|fence| with(fence, principal, value)));
            all
        }
        Event::Promised { secret, fence } => {
            let later = Fence { txn: fence.txn.next(), ..fence };
            vec![Event::Promised { secret, fence: later }]
        }
        Event::TargetRecovered { secret, fence, blue, green } => vec![
            Event::TargetRecovered { secret, fence, blue: spoilt(blue), green },
            Event::TargetRecovered { secret, fence, blue, green: spoilt(green) },
            Event::TargetRecovered { secret, fence: None, blue, green },
        ],
        Event::Stored { secret, version, serial, until } => vec![
            Event::Stored { secret, version: version.next(), serial, until },
            Event::Stored { secret, version, serial: serial.next(), until },
            Event::Stored { secret, version, serial, until: until.plus(LONG) },
        ],
        Event::AgentRecovered { secret, version, serial } => vec![
            Event::AgentRecovered { secret, version: version.next(), serial },
            Event::AgentRecovered { secret, version, serial: serial.next() },
            Event::AgentRecovered { secret, version: VersionId(0), serial: Serial(0) },
        ],
        Event::Acknowledged { secret, version, serial } => vec![
            Event::Acknowledged { secret, version: version.next(), serial },
            Event::Acknowledged { secret, version, serial: serial.next() },
        ],
        Event::Answered { index } => vec![Event::Answered { index: LogIndex(index.0 + 1_000) }],
        Event::LogRecovered { length } => {
            vec![
                Event::LogRecovered { length: length.next() },
                Event::LogRecovered { length: LogIndex(length.0 - 1) },
            ]
        }
        Event::Privileged { secret, blue, green } => {
            let other = |may| if may == Privileges::ALL { Privileges::READ_ONLY } else { Privileges::ALL };
            vec![
                Event::Privileged { secret, blue: other(blue), green },
                Event::Privileged { secret, blue, green: other(green) },
            ]
        }
        _ => Vec::new(),
    }
}

fn commands(command: Command) -> Vec<Command> {
    match command {
        Command::AcquireLease { rotator, epoch, until } => vec![
            Command::AcquireLease { rotator, epoch: epoch.next(), until },
            Command::AcquireLease { rotator, epoch: Epoch(epoch.0 - 1), until },
            Command::AcquireLease { rotator, epoch, until: until.plus(LONG) },
        ],
        Command::RenewLease { rotator, epoch, until } => vec![
            Command::RenewLease { rotator: tumbler_types::NodeId(rotator.0 ^ 3), epoch, until },
            Command::RenewLease { rotator, epoch: epoch.next(), until },
            Command::RenewLease { rotator, epoch, until: until.plus(LONG) },
            Command::RenewLease { rotator, epoch, until: Wall::EPOCH },
        ],
        Command::Begin { epoch, txn, version, principal, value, cause } => {
            let with = |epoch, txn, version, principal, value| Command::Begin {
                epoch,
                txn,
                version,
                principal,
                value,
                cause,
            };
            vec![
                with(epoch.next(), txn, version, principal, value),
                with(epoch, txn.next(), version, principal, value),
                with(epoch, txn, version.next(), principal, value),
                with(epoch, txn, version, principal.other(), value),
                with(epoch, txn, version, principal, spoilt(value)),
            ]
        }
        Command::Advance { epoch, txn, from, to } => {
            let with = |epoch, txn, from, to| Command::Advance { epoch, txn, from, to };
            let mut all = vec![with(epoch.next(), txn, from, to), with(epoch, txn.next(), from, to)];
            let others = Phase::ALL.into_iter().filter(|other| *other != to);
            all.extend(others.map(|other| with(epoch, txn, from, other)));
            all
        }
        Command::RollBack { txn } => vec![Command::RollBack { txn: txn.next() }],
        Command::Revoke { version, serial } => vec![
            Command::Revoke { version: version.next(), serial },
            Command::Revoke { version, serial: serial.next() },
            Command::Revoke { version, serial: Serial(0) },
        ],
        Command::ConfirmRefused { epoch, version } => vec![
            Command::ConfirmRefused { epoch: epoch.next(), version },
            Command::ConfirmRefused { epoch, version: version.next() },
        ],
        Command::Grant { agent, version, until } => vec![
            Command::Grant { agent, version: version.next(), until },
            Command::Grant { agent, version: VersionId(version.0 - 1), until },
            Command::Grant { agent, version, until: until.plus(LONG) },
        ],
        Command::Acknowledge { agent, version, serial } => vec![
            Command::Acknowledge { agent, version: version.next(), serial },
            Command::Acknowledge { agent, version, serial: serial.next() },
        ],
        Command::Attempt { epoch, txn, attempt } => vec![
            Command::Attempt { epoch: epoch.next(), txn, attempt },
            Command::Attempt { epoch, txn: txn.next(), attempt },
            Command::Attempt { epoch, txn, attempt: attempt.next() },
        ],
        Command::Fill { epoch, txn, attempt, principal, value } => vec![
            Command::Fill { epoch: epoch.next(), txn, attempt, principal, value },
            Command::Fill { epoch, txn, attempt: Attempt(attempt.0 - 1), principal, value },
            Command::Fill { epoch, txn, attempt, principal: principal.other(), value },
            Command::Fill { epoch, txn, attempt, principal, value: spoilt(value) },
        ],
        Command::Enroll { .. } | Command::OrderRotation {} | Command::RaiseFloor { .. } => Vec::new(),
    }
}

fn fences(fence: Fence) -> impl Iterator<Item = Fence> {
    let Fence { epoch, txn, step } = fence;
    [
        Fence { epoch: Epoch(epoch.0.saturating_sub(1)), txn, step },
        Fence { epoch: epoch.next(), txn, step },
        Fence { epoch, txn: TxnId(txn.0.saturating_sub(1)), step },
        Fence { epoch, txn: txn.next(), step },
    ]
    .into_iter()
}

/// Another value; none becomes one.
fn spoilt(value: Tag) -> Tag {
    Tag(value.0 ^ 1 << 40)
}

const LONG: Span = Span::from_secs(3_600);
/// How many events may lie between two that are swapped.
const NEAR: usize = 200;
const SURVIVORS_MAX: usize = 3;
