//! A test bench: a role, two clocks that are set by hand, and frames instead of bytes.

use tumbler_rotation::Settings;
use tumbler_types::role::v1::{Effect, Input, LogEntry, Now, Role};
use tumbler_types::{
    Attempt, Command, Epoch, LogIndex, Mono, NodeId, Phase, Principal, Revision, SecretId, SecretValue, Span,
    Timing, Token, Topology, TxnId, VersionId, Wall,
};
use tumbler_wire::tag::value_tag;
use tumbler_wire::{Frame, Labeled, LogCommand, Record};

pub const SECRET: SecretId = SecretId(0);
pub const AUTHORITY: NodeId = NodeId(0);
pub const ROTATOR: NodeId = NodeId(1);
pub const OTHER: NodeId = NodeId(2);
pub const AGENT: NodeId = NodeId(3);
pub const TARGET: NodeId = NodeId(4);

pub fn settings(me: NodeId) -> Settings {
    let topology = Topology {
        rotators: 2,
        agents: 1,
        replicas: 1,
        workloads: 0,
        secrets: 1,
        adapter: Default::default(),
    };
    Settings { me, topology, timing: Timing::default(), canaries: 1 }
}

pub fn value(byte: u8) -> SecretValue {
    SecretValue::new(vec![byte; 16])
}

/// Both clocks of a node, in milliseconds since its boot; the wall clock starts at the epoch.
pub fn now(millis: u64) -> Now {
    Now { wall: Wall(Wall::EPOCH.0 + millis * 1_000_000), mono: Mono(millis * 1_000_000) }
}

pub fn genesis() -> LogEntry {
    let command =
        Command::Enroll { version: VersionId(1), principal: Principal::Blue, value: value_tag(&value(1)) };
    let entry = LogCommand { secret: SECRET, expected: Revision(0), command, value: Some(value(1)) };
    LogEntry { index: LogIndex(1), at: Wall::EPOCH, command: entry.to_bytes() }
}

pub fn labeled(version: u8, principal: Principal) -> Option<Labeled> {
    Some(Labeled { version: VersionId(u32::from(version)), principal, value: value(version) })
}

/// A rotation from version 1 to 2 in this phase, whose lease the rotator holds.
pub fn record(phase: Phase) -> Record {
    Record {
        secret: SECRET,
        revision: Revision(5),
        phase,
        txn: TxnId(1),
        epoch: Epoch(3),
        holder: ROTATOR,
        lease_left: Span::from_secs(10),
        current: labeled(1, Principal::Blue),
        previous: None,
        pending: labeled(2, Principal::Green),
        version_last: VersionId(2),
        revoked: Vec::new(),
        owed: Vec::new(),
        due: false,
        ready: true,
        quarantine_left: Span::ZERO,
        attempt: Attempt(0),
    }
}

pub struct Bench<R> {
    pub role: R,
    pub at: u64,
    calls: u64,
    index: LogIndex,
}

impl<R: Role> Bench<R> {
    /// Boots the role with this log, at time zero.
    pub fn boot(role: R, log: Vec<LogEntry>) -> (Self, Vec<Effect>) {
        let index = log.last().map_or(LogIndex(0), |entry| entry.index);
        let mut bench = Bench { role, at: 0, calls: 0, index };
        let effects = bench.give(Input::Boot { disk: Vec::new(), log, entropy: [9; 32] });
        (bench, effects)
    }

    pub fn give(&mut self, input: Input) -> Vec<Effect> {
        self.role.handle(now(self.at), input).into_iter().collect()
    }

    /// A call from another node; its token is the number of the call.
    pub fn call(&mut self, from: NodeId, frame: impl Into<Frame>) -> Vec<Effect> {
        self.calls += 1;
        self.give(Input::Called { call: Token(self.calls), from, frame: frame.into().to_bytes() })
    }

    pub fn answer(&mut self, token: Token, frame: impl Into<Frame>) -> Vec<Effect> {
        self.give(Input::Returned { token, frame: frame.into().to_bytes() })
    }

    /// Commits every proposal among the effects, and the proposals that follow, and returns the rest.
    pub fn commit(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut rest = Vec::new();
        for effect in effects {
            if let Effect::Propose { token, command } = effect {
                self.index = self.index.next();
                let entry = LogEntry { index: self.index, at: now(self.at).wall, command };
                let more = self.give(Input::Committed { token: Some(token), entry });
                rest.extend(self.commit(more));
            } else {
                rest.push(effect);
            }
        }
        rest
    }

    /// A call whose proposals are committed at once; the frame of its reply.
    pub fn ask(&mut self, from: NodeId, frame: impl Into<Frame>) -> Frame {
        let effects = self.call(from, frame);
        let rest = self.commit(effects);
        replies(&rest).into_iter().next_back().expect("every request here is answered")
    }
}

pub fn replies(effects: &[Effect]) -> Vec<Frame> {
    let frames = effects.iter().filter_map(|effect| match effect {
        Effect::Reply { frame, .. } => Some(frame),
        _ => None,
    });
    frames.map(|frame| Frame::from_bytes(frame).expect("roles write whole frames")).collect()
}

/// The one call among the effects.
pub fn only_call(effects: &[Effect]) -> (Token, NodeId, Frame) {
    let mut calls = effects.iter().filter_map(|effect| match effect {
        Effect::Call { token, to, frame, .. } => {
            Some((*token, *to, Frame::from_bytes(frame).expect("a whole frame")))
        }
        _ => None,
    });
    let call = calls.next().expect("one call");
    assert!(calls.next().is_none(), "only one call");
    call
}

pub fn has_call(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Call { .. }))
}
