//! The capsule: one failing run as a file that anyone can replay.
//!
//! It carries the whole resolved plan, not only the seed, so that it replays without the scenario
//! file and without the generator that made the plan. Its digest and checkpoints let a replay say
//! *where* it differs, not only that it does. It is committable: text, tens of kilobytes, no secret
//! bytes, no absolute path, no wall-clock time.
//!
//! It deliberately does not run or judge anything, and reads no file: the harness does.

use crate::contradiction::{Contradiction, contradiction, place};
use crate::fingerprint::Fingerprint;
use crate::{Checkpoint, Digest, Plan};
use serde::{Deserialize, Serialize};
use tumbler_types::{FaultId, Instant, Invariant, Verdict};

/// Version 2 of `*.repro.json`; version 1 had no digest of its chain, and is read still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// [`Capsule::SCHEMA`], or an older one.
    pub schema: u32,
    pub build: Build,
    pub scenario: String,
    pub seed: u64,
    /// What is expected when the plan is run again.
    pub expect: Expect,
    pub fingerprint: Fingerprint,
    /// Number of events in the whole run, or those known of when a worker died.
    pub events: u64,
    /// Digest of the whole trace; none if a worker died.
    pub digest: Option<Digest>,
    /// Prefixes, in rising order, denser toward the finding; at most [`Capsule::CHECKPOINTS_MAX`].
    pub checkpoints: Vec<Checkpoint>,
    /// [`Capsule::chain_digest_of`] this, so that a damaged chain is refused and not half-replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_digest: Option<Digest>,
    /// The plan's faults that fired, in order of firing: the realized plan.
    pub fired: Vec<FaultId>,
    /// Last node and event before a crash.
    pub last: Option<LastWords>,
    /// The line that replays this file, from the directory that it is in.
    pub replay: String,
    pub plan_digest: Digest,
    pub plan: Plan,
}

impl Capsule {
    pub const SCHEMA: u32 = 2;
    pub const SCHEMA_OLDEST: u32 = 1;
    pub const CHECKPOINTS_MAX: usize = 48;

    /// Reads and validates the text of a capsule.
    pub fn parse(text: &str) -> Result<Self, CapsuleError> {
        let Schema { schema } = serde_json::from_str(text)?;
        if !(Self::SCHEMA_OLDEST..=Self::SCHEMA).contains(&schema) {
            return Err(CapsuleError::UnknownSchema { got: schema, known: Self::SCHEMA });
        }
        let capsule: Capsule = serde_json::from_str(text)?;
        // Before the digests, which a plan that was edited by hand breaks too: this says more.
        if let Some(contradiction) = contradiction(&capsule.plan) {
            let (line, column) = place(text, &contradiction.path);
            let Contradiction { path: _, problem, expected } = contradiction;
            return Err(CapsuleError::Contradictory { line, column, problem, expected });
        }
        capsule.validate()?;
        Ok(capsule)
    }

    /// The capsule with its chain sealed: what is written.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.schema = Self::SCHEMA;
        self.chain_digest = Some(self.chain_digest_of());
        self
    }

    /// Digest of what a replay is compared with: the whole run's digest, and every checkpoint's.
    pub fn chain_digest_of(&self) -> Digest {
        let Capsule { seed, events, digest, checkpoints, plan_digest, .. } = self;
        let chain = (seed, events, digest, checkpoints, plan_digest);
        Digest::of(&serde_json::to_vec(&chain).expect("a chain holds only plain data"))
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a capsule holds only plain data");
        text.push('\n');
        text
    }

    fn validate(&self) -> Result<(), CapsuleError> {
        if self.plan.schema != Plan::SCHEMA {
            return Err(CapsuleError::UnknownPlanSchema { got: self.plan.schema, known: Plan::SCHEMA });
        }
        let got = plan_digest(&self.plan);
        if got != self.plan_digest {
            return Err(CapsuleError::PlanDiffers { expected: self.plan_digest, got });
        }
        let wrong = |what: String| Err(CapsuleError::Inconsistent { what });
        if self.seed != self.plan.seed {
            return wrong(format!("seed is {} and the plan's seed {}", self.seed, self.plan.seed));
        }
        let planned = |id: &FaultId| self.plan.faults.iter().any(|fault| fault.id == *id);
        if let Some(id) = self.fired.iter().find(|id| !planned(id)) {
            return wrong(format!("{id} fired and is not in the plan"));
        }
        if !self.checkpoints.is_sorted_by(|a, b| a.events < b.events) {
            return wrong("checkpoints do not rise".to_owned());
        }
        if self.digest.is_some() && self.checkpoints.last().is_some_and(|last| last.events > self.events) {
            return wrong("a checkpoint lies behind the end".to_owned());
        }
        match self.chain_digest {
            Some(expected) if expected != self.chain_digest_of() => {
                Err(CapsuleError::ChainDamaged { expected, got: self.chain_digest_of() })
            }
            None if self.schema > Self::SCHEMA_OLDEST => wrong("there is no digest of the chain".to_owned()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Which code made the capsule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub version: String,
    /// Digest of the executable: two builds are the same build iff these are equal.
    pub digest: Digest,
}

/// What a replay on the same build must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub verdict: Verdict,
    pub invariant: Option<Invariant>,
    /// Number of the event that shows it.
    pub step: Option<u64>,
}

/// The last that was known of a run that died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastWords {
    /// Name of the node that was handling an input; none if that is unknown.
    pub node: Option<String>,
    /// Number of the last event recorded, and what it was, if known.
    pub seq: u64,
    pub at: Instant,
    pub event: Option<String>,
    /// How the run died: signal, time limit or panic message.
    pub why: String,
}

/// Digest that names a plan.
pub fn plan_digest(plan: &Plan) -> Digest {
    Digest::of(&serde_json::to_vec(plan).expect("a plan holds only plain data"))
}

/// Why a capsule does not apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapsuleError {
    #[error("line {line}, column {column}: {why}")]
    Damaged { line: usize, column: usize, why: String },
    #[error("line {line}, column {column}: {problem}: expected {expected}")]
    Contradictory { line: usize, column: usize, problem: String, expected: String },
    #[error("expected capsule schema {known} or an older one, got {got}")]
    UnknownSchema { got: u32, known: u32 },
    #[error("expected plan schema {known}, got {got}")]
    UnknownPlanSchema { got: u32, known: u32 },
    #[error("the plan was changed: expected digest {expected}, got {got}")]
    PlanDiffers { expected: Digest, got: Digest },
    #[error("the chain of digests is damaged: expected {expected} over it, got {got}")]
    ChainDamaged { expected: Digest, got: Digest },
    #[error("the parts disagree: {what}")]
    Inconsistent { what: String },
}

impl From<serde_json::Error> for CapsuleError {
    fn from(error: serde_json::Error) -> Self {
        CapsuleError::Damaged { line: error.line(), column: error.column(), why: bare(&error) }
    }
}

/// The one field that must be readable before all others are.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

/// serde_json's message without the position, which is told apart.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, FaultAction, Network, Pattern, Point, Store, Trigger, Until};
    use std::collections::BTreeSet;
    use tumbler_types::event::FrameKind;
    use tumbler_types::{Assumption, Bounds, NodeId, Span, Timing, Topology};

    fn capsule() -> Capsule {
        let latency_min = Span::from_millis(1);
        let latency_max = Span::from_millis(9);
        let plan = Plan {
            schema: Plan::SCHEMA,
            scenario: "standard".to_owned(),
            seed: 7,
            topology: Topology {
                rotators: 2,
                agents: 2,
                replicas: 1,
                workloads: 1,
                secrets: 1,
                adapter: Default::default(),
            },
            timing: Timing::default(),
            bounds: Bounds {
                undelivered: Span::from_secs(1),
                served: Span::from_secs(1),
                refused: Span::from_secs(1),
                rollback: Span::from_secs(1),
                converge: Span::from_secs(1),
                orphan: Span::ZERO,
            },
            network: Network { latency_min, latency_max },
            store: Store { latency_min, latency_max },
            canaries: 1,
            heal_at: Instant(5),
            end_at: Instant(9),
            builds: Vec::new(),
            floor: tumbler_types::Format::LOWEST,
            lags: Vec::new(),
            entities: Vec::new(),
            offsets: Vec::new(),
            orders: Vec::new(),
            faults: vec![Fault {
                id: FaultId(0),
                trigger: Trigger::On {
                    pattern: Pattern::new(Point::Sending(FrameKind::ApplyRequest), None),
                    nth: 1,
                    after: Instant(3),
                },
                action: FaultAction::LoseReply,
            }],
            planted: None,
            breaks: Vec::new(),
        };
        let verdict = Verdict::Violated;
        let invariant = Some(Invariant::AppliedOnce);
        Capsule {
            schema: Capsule::SCHEMA,
            build: Build { version: "0.1.0".to_owned(), digest: Digest::of(b"build") },
            scenario: "standard".to_owned(),
            seed: 7,
            expect: Expect { verdict, invariant, step: Some(3) },
            fingerprint: Fingerprint { verdict, invariant, role: None, phase: None, faults: BTreeSet::new() },
            events: 9,
            digest: Some(Digest::of(b"trace")),
            checkpoints: vec![Checkpoint { events: 4, at: Instant(1), digest: Digest::of(b"prefix") }],
            chain_digest: None,
            fired: vec![FaultId(0)],
            last: None,
            replay: "tumbler replay standard-7.repro.json".to_owned(),
            plan_digest: plan_digest(&plan),
            plan,
        }
        .sealed()
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Capsule), expect: &str) {
        let mut changed = capsule();
        change(&mut changed);
        let got = Capsule::parse(&changed.to_text()).map_err(|error| error.to_string());
        assert_eq!(got, Err(expect.to_owned()));
    }

    #[test]
    fn a_capsule_survives_its_text_form() {
        assert_eq!(Capsule::parse(&capsule().to_text()), Ok(capsule()));
    }

    #[test]
    fn damaged_text_is_refused_with_its_place() {
        let text = capsule().to_text();
        let cut = Capsule::parse(&text[..text.len() / 2]).expect_err("half a capsule");
        assert!(matches!(cut, CapsuleError::Damaged { line: 20.., .. }), "{cut}");
        let twice = Capsule::parse(&format!("{text}{text}")).expect_err("two capsules");
        assert!(twice.to_string().ends_with("trailing characters"), "{twice}");
        let unknown = text.replacen("\"seed\"", "\"sead\"", 1);
        let unknown = Capsule::parse(&unknown).expect_err("an unknown field");
        assert!(unknown.to_string().contains("line 8, column 8: unknown field `sead`"), "{unknown}");
        let empty = Capsule::parse("").expect_err("nothing").to_string();
        assert_eq!(empty, "line 1, column 0: EOF while parsing a value");
    }

    #[test]
    fn a_capsule_of_the_first_schema_has_no_digest_of_its_chain_and_is_read() {
        let first = Capsule { schema: 1, chain_digest: None, ..capsule() };
        assert!(!first.to_text().contains("chain_digest"));
        assert_eq!(Capsule::parse(&first.to_text()), Ok(first));
    }

    /// A plan that contradicts itself is refused at its line, also if somebody edited it by hand.
    #[test]
    fn a_contradictory_plan_is_refused_with_its_line() {
        let crash = |node, until| FaultAction::Crash { node: NodeId(node), until };
        let check_line = |edit: &dyn Fn(&mut Plan), line: &str, expect: &str| {
            let mut changed = capsule();
            edit(&mut changed.plan);
            let text = changed.to_text();
            let error = Capsule::parse(&text).expect_err(expect).to_string();
            let (place, what) = error.split_once(": ").expect("a place");
            assert_eq!(what, expect);
            let number: usize = place
                .strip_prefix("line ")
                .and_then(|rest| rest.split_once(','))
                .and_then(|(number, _)| number.parse().ok())
                .unwrap_or_else(|| panic!("no line in {error}"));
            assert_eq!(text.lines().nth(number - 1).map(str::trim), Some(line), "{error}");
        };
        check_line(
            &|plan| plan.faults[0].action = crash(99, Until::After(Span(7))),
            "\"node\": 99,",
            "fault-0 names node-99: expected one of 9 nodes, from node-0",
        );
        check_line(
            &|plan| {
                plan.faults[0].trigger = Trigger::At(Instant(1));
                plan.faults[0].action = crash(1, Until::After(Span::ZERO));
            },
            "\"until\": {",
            "fault-0 ends when it begins: expected more than no time",
        );
        check_line(
            &|plan| plan.faults[0].trigger = Trigger::At(Instant(1)),
            "\"trigger\": {",
            "fault-0 is a lose-reply and begins at a time: expected the point of a request",
        );
        check_line(
            &|plan| {
                let point = Point::PersistBegins;
                plan.faults[0].trigger =
                    Trigger::On { pattern: Pattern::new(point, None), nth: 1, after: Instant::ZERO };
            },
            "\"pattern\": {",
            "fault-0 is a lose-reply and cannot begin at this point: expected the point of a request",
        );
        check_line(
            &|plan| {
                let other = Fault { trigger: Trigger::At(Instant(1)), ..plan.faults[0].clone() };
                plan.faults.push(Fault { action: crash(1, Until::After(Span(1))), ..other });
            },
            "\"id\": 0,",
            "two faults are called fault-0: expected a name for each",
        );
        check_line(
            &|plan| {
                plan.faults[0].trigger = Trigger::At(Instant(1));
                let (left, right) = (vec![NodeId(1)], vec![NodeId(2), NodeId(1)]);
                let until = Until::After(Span(5));
                plan.faults[0].action = FaultAction::Partition { left, right, symmetric: true, until };
            },
            "\"right\": [",
            "fault-0 has node-1 on both sides: expected two groups without a common node",
        );
        check_line(
            &|plan| {
                plan.faults[0].trigger = Trigger::At(Instant(1));
                let (node, until) = (NodeId(1), Until::After(Span(5)));
                plan.faults[0].action = FaultAction::ClockStep { node, offset_nanos: 0, until };
            },
            "\"offset_nanos\": 0,",
            "fault-0 heals a clock that it does not move: expected another offset than the node has",
        );
        check_line(
            &|plan| plan.heal_at = Instant(99),
            "\"heal_at\": 99,",
            "faults heal at 0.000000 s, after the end: expected at most 0.000000 s",
        );
        check_line(
            &|plan| plan.network.latency_max = Span::ZERO,
            "\"latency_max\": 0",
            "the interval ends before it starts: expected at least 0.001000 s",
        );
        check_line(
            &|plan| plan.canaries = 7,
            "\"canaries\": 7,",
            "there are 7 canaries: expected at most the 2 agents",
        );
    }

    #[test]
    fn a_capsule_whose_parts_disagree_is_refused() {
        check(|capsule| capsule.schema = 9, "expected capsule schema 2 or an older one, got 9");
        check(|capsule| capsule.plan.schema = 2, "expected plan schema 1, got 2");
        let chain = capsule().chain_digest_of();
        let mut other = capsule();
        other.checkpoints[0].digest = Digest::of(b"another");
        let damaged = format!(
            "the chain of digests is damaged: expected {chain} over it, got {}",
            other.chain_digest_of()
        );
        check(|capsule| capsule.checkpoints = other.checkpoints.clone(), &damaged);
        check(|capsule| capsule.chain_digest = None, "the parts disagree: there is no digest of the chain");
        let behind = |capsule: &mut Capsule| {
            capsule.checkpoints[0].events = 10;
            capsule.chain_digest = Some(capsule.chain_digest_of());
        };
        check(behind, "the parts disagree: a checkpoint lies behind the end");
        check(|capsule| capsule.seed = 8, "the parts disagree: seed is 8 and the plan's seed 7");
        check(
            |capsule| capsule.fired = vec![FaultId(1)],
            "the parts disagree: fault-1 fired and is not in the plan",
        );
        let plain = capsule().plan_digest;
        let mut changed = capsule().plan;
        changed.canaries = 2;
        let got = plan_digest(&changed);
        check(
            |capsule| capsule.plan.canaries = 2,
            &format!("the plan was changed: expected digest {plain}, got {got}"),
        );
        let skewed = |capsule: &mut Capsule| {
            capsule.plan.offsets = vec![crate::plan::Offset { node: NodeId(0), nanos: -300_000_000 }];
            capsule.plan_digest = plan_digest(&capsule.plan);
        };
        check(
            skewed,
            "line 104, column 5: the clock of authority-1 is off by 0.300000 s, and ε is 0.250000 s: expected \
             `breaks` to name clock-within-epsilon",
        );
        let mut said = capsule();
        said.plan.breaks = vec![Assumption::ClockWithinEpsilon];
        assert_eq!(said.plan.broken(), BTreeSet::new(), "what is only said excuses nothing");
        skewed(&mut said);
        assert_eq!(said.clone().sealed().validate(), Ok(()));
        assert_eq!(said.plan.broken(), BTreeSet::from([Assumption::ClockWithinEpsilon]));
    }
}
