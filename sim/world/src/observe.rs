//! Turns bytes that were executed into observed events.
//!
//! The world reads frames, records and log entries with the wire formats, at the moment at which
//! they became true. Bytes that do not parse mean nothing here: they are still in the digest, by
//! their tags. No role is ever asked what it did.

use crate::node::Node;
use crate::recorder::Recorder;
use crate::store::Store;
use minicbor::Decode;
use tumbler_plan::{Plan, Stream, StreamName};
use tumbler_spec::RecordView;
use tumbler_types::role::v1::LogEntry;
use tumbler_types::{
    Command, Epoch, Event, Fence, Format, Instant, LogIndex, NodeId, Phase, Principal, RecordId, Revision,
    RoleKind, SecretId, SecretValue, Serial, Tag, VersionId, Wall,
};
use tumbler_wire::envelope::{kind_of, unwrapped};
use tumbler_wire::frame::{Labeled, RecordReply};
use tumbler_wire::record::{in_format, record_of, secret_of};
use tumbler_wire::tag::{tag_of, value_tag};
use tumbler_wire::{AgentRecord, Frame, LogCommand, TargetRecord};

/// What a request asked for, kept until its reply gives it a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    None,
    Apply { secret: SecretId, fence: Fence },
    Login { secret: SecretId, principal: Principal, value: Tag },
    Get { secret: SecretId },
}

/// A phase that a secret entered, by the log.
pub struct Entered {
    pub secret: SecretId,
    pub phase: Phase,
    /// The rotator whose command it was; none for an operator's.
    pub by: Option<NodeId>,
}

/// Reads what passes. Its memory serves only to recognize changes.
pub struct Observer {
    key: [u8; 16],
    operator: Option<NodeId>,
    revisions: Vec<Revision>,
    /// By secret, who had the last lease, and its epoch, as the log has it.
    holders: Vec<Option<(Epoch, NodeId)>>,
    /// By secret, as the log has it.
    floors: Vec<Format>,
    /// Last copy seen per replica and secret.
    mirrored: Vec<((NodeId, SecretId), (Tag, Tag))>,
}

/// The log position of an authority's reply, without the rest: the field has number 1 in each.
#[derive(Decode)]
struct Indexed {
    #[n(1)]
    index: u32,
}

impl Observer {
    pub fn new(plan: &Plan) -> Self {
        Observer {
            key: Stream::new(plan.seed, StreamName::Tags, (0, 0), 0).bytes(),
            operator: plan.topology.of_kind(RoleKind::Operator).next(),
            revisions: vec![Revision(0); usize::from(plan.topology.secrets)],
            holders: vec![None; usize::from(plan.topology.secrets)],
            floors: vec![Format::LOWEST; usize::from(plan.topology.secrets)],
            mirrored: Vec::new(),
        }
    }

    /// Enrolls the first version of each secret in the log and at the target, and raises the floor to
    /// the plan's, before any node boots.
    pub fn genesis(&mut self, plan: &Plan, nodes: &mut [Node], recorder: &mut Recorder) {
        let (authority, target) = (plan.topology.authority(), plan.topology.target());
        for secret in plan.topology.secrets() {
            let mut stream = Stream::new(
                plan.seed,
                StreamName::Entropy,
                (u32::from(NodeId::WORLD.0), u32::from(secret.0)),
                0,
            );
            let value = SecretValue::new(stream.bytes::<16>().to_vec());
            let tag = value_tag(&value);
            let mut commands =
                vec![Command::Enroll { version: VersionId(1), principal: Principal::Blue, value: tag }];
            let raises = std::iter::successors(Format::LOWEST.next(), |floor| floor.next());
            let raises = raises.take_while(|floor| *floor <= plan.floor);
            commands.extend(raises.map(|floor| Command::RaiseFloor { floor }));
            for (command, expected) in commands.into_iter().zip(0..) {
                let value = (expected == 0).then(|| value.clone());
                let entry = LogCommand { secret, expected: Revision(expected), command, value };
                let bytes = in_format(entry.to_bytes(), plan.floor);
                let entry =
                    nodes[usize::from(authority.0)].store.keep_log(Instant::ZERO, Wall::EPOCH, bytes).clone();
                self.kept_log(authority, &entry, Instant::ZERO, recorder);
            }
            let row = TargetRecord { blue: tag, ..TargetRecord::default() };
            let bytes = in_format(row.to_bytes(), plan.floor);
            nodes[usize::from(target.0)].store.keep_record(Instant::ZERO, record_of(secret), bytes);
        }
    }

    /// The highest floor of any secret.
    pub fn floor(&self) -> Format {
        self.floors.iter().copied().max().unwrap_or(Format::LOWEST)
    }

    /// Tag of a frame or record under this run's key.
    pub fn frame_tag(&self, bytes: &[u8]) -> Tag {
        tag_of(&self.key, bytes)
    }

    pub fn context(&self, frame: &[u8]) -> Context {
        use tumbler_types::event::FrameKind as Kind;
        match kind_of(frame) {
            Kind::ApplyRequest | Kind::LoginRequest | Kind::GetRequest | Kind::MintRequest => {}
            _ => return Context::None,
        }
        match Frame::from_bytes(frame) {
            Ok(Frame::ApplyRequest(body)) => Context::Apply { secret: body.secret, fence: body.fence.into() },
            // The two are promised alike: what was told is durable.
            Ok(Frame::MintRequest(body)) => Context::Apply { secret: body.secret, fence: body.fence.into() },
            Ok(Frame::LoginRequest(body)) => Context::Login {
                secret: body.secret,
                principal: body.principal,
                value: value_tag(&body.value),
            },
            Ok(Frame::GetRequest(body)) => Context::Get { secret: body.secret },
            _ => Context::None,
        }
    }

    /// A request left.
    pub fn called(&self, node: NodeId, frame: &[u8], at: Instant, recorder: &mut Recorder) {
        use tumbler_types::event::FrameKind as Kind;
        match kind_of(frame) {
            Kind::HeartbeatRequest | Kind::OrderRequest => {}
            _ => return,
        }
        match Frame::from_bytes(frame) {
            Ok(Frame::HeartbeatRequest(body)) => {
                let event = Event::Acknowledged {
                    secret: body.secret,
                    version: body.version,
                    serial: body.serial.unwrap_or_default(),
                };
                recorder.record(at, node, event);
            }
            Ok(Frame::OrderRequest(body)) if Some(node) == self.operator => {
                recorder.record(at, node, Event::Ordered { secret: body.secret, order: body.order });
            }
            _ => {}
        }
    }

    /// A reply left.
    pub fn replied(
        &self,
        node: NodeId,
        caller: NodeId,
        context: Context,
        frame: &[u8],
        at: Instant,
        recorder: &mut Recorder,
    ) {
        use tumbler_types::event::FrameKind as Kind;
        match kind_of(frame) {
            Kind::RecordReply | Kind::HeartbeatReply | Kind::OrderReply => {
                if let Ok(Indexed { index }) = minicbor::decode(&unwrapped(frame)[2..]) {
                    let index = LogIndex(index);
                    recorder.record(at, node, Event::Answered { index });
                    if kind_of(frame) == Kind::RecordReply {
                        recorder.look(at, node, index, || view_of(frame));
                    }
                }
                return;
            }
            Kind::ApplyReply | Kind::LoginReply | Kind::GetReply | Kind::MintReply => {}
            _ => return,
        }
        let event = match (Frame::from_bytes(frame), context) {
            (Ok(Frame::ApplyReply(body)), Context::Apply { secret, fence }) if body.applied => {
                Event::Promised { secret, fence }
            }
            (Ok(Frame::MintReply(body)), Context::Apply { secret, fence }) if !body.value.is_empty() => {
                Event::Promised { secret, fence }
            }
            (Ok(Frame::LoginReply(body)), Context::Login { secret, principal, value }) => {
                match body.refusal {
                    None => Event::Authenticated { secret, principal, value },
                    Some(reason) => Event::Refused { secret, principal, value, reason },
                }
            }
            (Ok(Frame::GetReply(body)), Context::Get { secret }) => {
                if body.version == VersionId(0) {
                    Event::Withheld { secret, to: caller }
                } else {
                    let (version, value) = (body.version, value_tag(&body.value));
                    Event::HandedOut { secret, version, value, to: caller }
                }
            }
            _ => return,
        };
        recorder.record(at, node, event);
    }

    /// A one-way message arrived.
    pub fn received(
        &mut self,
        node: NodeId,
        kind: RoleKind,
        frame: &[u8],
        at: Instant,
        recorder: &mut Recorder,
    ) {
        if kind != RoleKind::Replica {
            return;
        }
        let Ok(Frame::Replicate(body)) = Frame::from_bytes(frame) else { return };
        let (key, copy) = ((node, body.secret), (body.blue, body.green));
        match self.mirrored.iter_mut().find(|(other, _)| *other == key) {
            Some((_, last)) if *last == copy => return,
            Some((_, last)) => *last = copy,
            None => self.mirrored.push((key, copy)),
        }
        recorder.record(
            at,
            node,
            Event::Mirrored { secret: body.secret, blue: body.blue, green: body.green },
        );
    }

    /// A record became durable; `former` is what it replaced.
    #[expect(
        clippy::too_many_arguments,
        reason = "each names one part of what happened; a struct would be used once"
    )]
    pub fn kept_record(
        &self,
        node: NodeId,
        kind: RoleKind,
        record: RecordId,
        bytes: &[u8],
        former: Option<&[u8]>,
        at: Instant,
        recorder: &mut Recorder,
    ) {
        let Some(secret) = secret_of(record) else { return };
        let event = match kind {
            RoleKind::Target => match TargetRecord::from_bytes(bytes) {
                Ok(row) if former != Some(bytes) => {
                    let was =
                        former.and_then(|bytes| TargetRecord::from_bytes(bytes).ok()).unwrap_or_default();
                    let (blue, green) = (row.blue_may, row.green_may);
                    if (blue, green) != (was.blue_may, was.green_may) {
                        recorder.record(at, node, Event::Privileged { secret, blue, green });
                    }
                    // A change of privileges alone enforces nothing.
                    let rest = TargetRecord { blue_may: blue, green_may: green, ..was };
                    row.fence().filter(|_| rest != row).map(|fence| Event::Enforced {
                        secret,
                        fence,
                        principal: row.touched,
                        value: row.accepts(row.touched),
                    })
                }
                _ => None,
            },
            RoleKind::Agent => AgentRecord::from_bytes(bytes).ok().map(|held| Event::Stored {
                secret,
                version: held.version,
                serial: held.serial.unwrap_or_default(),
                until: held.until,
            }),
            _ => None,
        };
        if let Some(event) = event {
            recorder.record(at, node, event);
        }
    }

    /// A log entry became durable. Returns the phase that its secret entered by it, if any.
    pub fn kept_log(
        &mut self,
        node: NodeId,
        entry: &LogEntry,
        at: Instant,
        recorder: &mut Recorder,
    ) -> Option<Entered> {
        let LogCommand { secret, expected, command, value: _ } =
            LogCommand::from_bytes(&entry.command).ok()?;
        let event = Event::Committed { index: entry.index, at: entry.at, secret, expected, command };
        recorder.record(at, node, event);
        let revision = self.revisions.get_mut(usize::from(secret.0))?;
        if *revision != expected {
            return None;
        }
        *revision = revision.next();
        if let Command::RaiseFloor { floor } = command {
            self.floors[usize::from(secret.0)] = floor;
        }
        if let Command::AcquireLease { rotator, epoch, until: _ } = command {
            self.holders[usize::from(secret.0)] = Some((epoch, rotator));
        }
        let by = |epoch| self.holders[usize::from(secret.0)].filter(|(held, _)| *held == epoch);
        let entered = |phase, by: Option<(Epoch, NodeId)>| {
            Some(Entered { secret, phase, by: by.map(|(_, rotator)| rotator) })
        };
        match command {
            Command::Begin { epoch, .. } => entered(Phase::Draft, by(epoch)),
            Command::Advance { epoch, to, .. } => entered(to, by(epoch)),
            Command::RollBack { .. } => entered(Phase::Revert, None),
            _ => None,
        }
    }

    /// A log ends earlier than it did: what it means is read anew.
    pub fn rewind(&mut self, log: &[LogEntry]) {
        self.revisions.fill(Revision(0));
        self.holders.fill(None);
        self.floors.fill(Format::LOWEST);
        let commands = log.iter().filter_map(|entry| LogCommand::from_bytes(&entry.command).ok());
        for LogCommand { secret, expected, command, value: _ } in commands {
            let index = usize::from(secret.0);
            if self.revisions.get(index) != Some(&expected) {
                continue;
            }
            self.revisions[index] = expected.next();
            if let Command::RaiseFloor { floor } = command {
                self.floors[index] = floor;
            }
            if let Command::AcquireLease { rotator, epoch, until: _ } = command {
                self.holders[index] = Some((epoch, rotator));
            }
        }
    }

    /// A node restarted: what it found durable.
    pub fn recovered(
        &self,
        node: NodeId,
        kind: RoleKind,
        store: &Store,
        at: Instant,
        recorder: &mut Recorder,
    ) {
        match kind {
            RoleKind::Authority => {
                recorder.record(at, node, Event::LogRecovered { length: store.log_length() });
            }
            RoleKind::Target => {
                for index in 0..self.revisions.len() {
                    let secret = secret_number(index);
                    let row = store.record(record_of(secret)).map(TargetRecord::from_bytes);
                    if let Some(Ok(row)) = row {
                        let (fence, blue, green) = (row.fence(), row.blue, row.green);
                        recorder.record(at, node, Event::TargetRecovered { secret, fence, blue, green });
                    }
                }
            }
            RoleKind::Agent => {
                for index in 0..self.revisions.len() {
                    let secret = secret_number(index);
                    let held =
                        store.record(record_of(secret)).and_then(|bytes| AgentRecord::from_bytes(bytes).ok());
                    let (version, serial) = held.map_or((VersionId(0), Serial(0)), |held| {
                        (held.version, held.serial.unwrap_or_default())
                    });
                    recorder.record(at, node, Event::AgentRecovered { secret, version, serial });
                }
            }
            RoleKind::Rotator | RoleKind::Replica | RoleKind::Workload | RoleKind::Operator => {}
        }
    }
}

/// What the authority's answer to a rotator shows.
fn view_of(frame: &[u8]) -> Option<RecordView> {
    let Ok(Frame::RecordReply(RecordReply { done: _, index, record })) = Frame::from_bytes(frame) else {
        return None;
    };
    let labelled = |label: &Option<Labeled>| label.as_ref().map(|label| (label.version, label.principal));
    Some(RecordView {
        secret: record.secret,
        index,
        revision: record.revision,
        phase: record.phase,
        txn: record.txn,
        epoch: record.epoch,
        holder: record.holder,
        current: labelled(&record.current),
        previous: labelled(&record.previous),
        pending: labelled(&record.pending),
        revoked: record.revoked,
        owed: record.owed,
        attempt: record.attempt,
    })
}

fn secret_number(index: usize) -> SecretId {
    SecretId(u16::try_from(index).expect("a topology counts secrets in 16 bits"))
}
