//! A workload: asks its agent for the credential and uses it, again and again.
//!
//! It uses a credential once and forgets it, so that every hand-out is the agent's decision. Every
//! few rounds it also tries a version that it used earlier, as a thief would, so that what a target
//! refuses is observed too.

use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{NodeId, RoleKind, SecretId, Span, TimerId, Timing, Token, Topology, VersionId};
use tumbler_wire::Frame;
use tumbler_wire::frame::{GetReply, GetRequest, LoginRequest};

/// Every so many rounds an earlier version is tried as well.
const THEFT_PERIOD: u32 = 4;
/// Earlier versions that are remembered per secret.
const REMEMBERED_MAX: usize = 3;

pub struct Workload {
    topology: Topology,
    timing: Timing,
    agent: NodeId,
    verifiers: Vec<NodeId>,
    /// Ordinal among the workloads: spreads their first uses over a period.
    ordinal: u16,
    round: u32,
    tokens: u64,
    asked: Option<Token>,
    remembered: Vec<GetReply>,
}

impl Workload {
    pub fn new(topology: Topology, timing: Timing, me: NodeId) -> Self {
        let ordinal = topology.kind(me).map_or(0, |(_, ordinal)| ordinal);
        let agents: Vec<NodeId> = topology.of_kind(RoleKind::Agent).collect();
        let agent = agents.get(usize::from(ordinal) % agents.len().max(1)).copied().unwrap_or(NodeId::WORLD);
        let verifiers =
            std::iter::once(topology.target()).chain(topology.of_kind(RoleKind::Replica)).collect();
        Workload {
            topology,
            timing,
            agent,
            verifiers,
            ordinal,
            round: 0,
            tokens: 0,
            asked: None,
            remembered: Vec::new(),
        }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }

    fn handle_timer(&mut self, effects: &mut Effects) {
        let secret =
            SecretId(u16::try_from(self.round % u32::from(self.topology.secrets.max(1))).expect("below 2¹⁶"));
        self.round += 1;
        let token = self.token();
        self.asked = Some(token);
        let frame = Frame::from(GetRequest { secret }).to_bytes();
        effects.push(Effect::Call { token, to: self.agent, frame, timeout: self.timing.call_timeout });
        effects.push(Effect::SetTimer { timer: TimerId(0), after: self.timing.use_period });
        if self.round.is_multiple_of(THEFT_PERIOD) {
            self.steal(effects);
        }
    }

    fn handle_returned(&mut self, token: Token, frame: &[u8], effects: &mut Effects) {
        if self.asked != Some(token) {
            return;
        }
        self.asked = None;
        let Ok(Frame::GetReply(reply)) = Frame::from_bytes(frame) else { return };
        if reply.version == VersionId(0) {
            return;
        }
        self.login(&reply, effects);
        self.remember(reply);
    }

    fn login(&mut self, credential: &GetReply, effects: &mut Effects) {
        let GetReply { secret, version: _, principal, value } = credential;
        let index = usize::try_from(self.round).expect("32 bits fit") + usize::from(self.ordinal);
        let to = self.verifiers[index % self.verifiers.len()];
        let token = self.token();
        let frame =
            Frame::from(LoginRequest { secret: *secret, principal: *principal, value: value.clone() })
                .to_bytes();
        effects.push(Effect::Call { token, to, frame, timeout: self.timing.call_timeout });
    }

    fn remember(&mut self, credential: GetReply) {
        let is_known =
            |other: &GetReply| (other.secret, other.version) == (credential.secret, credential.version);
        if self.remembered.iter().any(is_known) {
            return;
        }
        self.remembered.push(credential);
        let count = REMEMBERED_MAX * usize::from(self.topology.secrets.max(1));
        if self.remembered.len() > count {
            self.remembered.remove(0);
        }
    }

    /// Tries every remembered version but the newest.
    fn steal(&mut self, effects: &mut Effects) {
        let older = self.remembered.len().saturating_sub(1);
        for index in 0..older {
            let credential = self.remembered[index].clone();
            self.login(&credential, effects);
        }
    }

    /// Workloads start spread over one period.
    fn first(&self) -> Span {
        let share = self.timing.use_period.nanos() / u64::from(self.topology.workloads.max(1));
        Span(share * u64::from(self.ordinal) + 1)
    }
}

impl Role for Workload {
    fn handle(&mut self, _now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { .. } => effects.push(Effect::SetTimer { timer: TimerId(0), after: self.first() }),
            Input::Timer { .. } => self.handle_timer(&mut effects),
            Input::Returned { token, frame } => self.handle_returned(token, &frame, &mut effects),
            // A use that got no answer is over; nothing here writes, proposes or answers.
            Input::Unknown { .. }
            | Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Committed { .. }
            | Input::Received { .. }
            | Input::Called { .. } => {}
        }
        effects
    }
}
