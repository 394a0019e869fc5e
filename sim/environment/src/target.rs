//! A database with two principals per secret, whose primary checks fences.
//!
//! A request with a lower fence than the last is refused, with an equal one it is answered from the
//! record, with a higher one it is made durable and then answered. Requests for one secret are
//! handled one after the other. The whole state goes to the replicas after each change and
//! periodically.
//!
//! `Model:` sessions, transactions, rejection by policy and failover are not here.
//! Source: M. Kleppmann on fencing: the resource itself must check the token.

use std::collections::VecDeque;
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Record, Role};
use tumbler_types::{Enforcement, Fence, NodeId, RoleKind, SecretId, Tag, TimerId, Timing, Token, Topology};
use tumbler_wire::frame::{ApplyReply, ApplyRequest, LoginReply, QueryReply, Replicate};
use tumbler_wire::record::{WireFence, record_of, secret_of};
use tumbler_wire::tag::value_tag;
use tumbler_wire::{Frame, TargetRecord};

/// Requests that may wait per secret; one more is dropped, and its caller times out.
const WAITING_MAX: usize = 64;

pub struct Target {
    topology: Topology,
    timing: Timing,
    enforcement: Enforcement,
    rows: Vec<Row>,
    tokens: u64,
}

/// One secret at the target.
struct Row {
    secret: SecretId,
    durable: TargetRecord,
    writing: Option<(Token, Token, TargetRecord)>,
    waiting: VecDeque<(Token, ApplyRequest)>,
}

impl Target {
    pub fn new(topology: Topology, timing: Timing, enforcement: Enforcement) -> Self {
        let row = |secret| Row {
            secret,
            durable: TargetRecord::default(),
            writing: None,
            waiting: VecDeque::new(),
        };
        Target { rows: topology.secrets().map(row).collect(), topology, timing, enforcement, tokens: 0 }
    }

    fn handle_boot(&mut self, now: Now, disk: Vec<Record>, effects: &mut Effects) {
        for Record { record, bytes } in disk {
            let Some(secret) = secret_of(record) else { continue };
            let row = self.rows.get_mut(usize::from(secret.0));
            if let (Some(row), Ok(durable)) = (row, TargetRecord::from_bytes(&bytes)) {
                row.durable = durable;
            }
        }
        self.handle_timer(now, effects);
    }

    fn handle_timer(&mut self, now: Now, effects: &mut Effects) {
        for row in &self.rows {
            self.replicate(now, row, effects);
        }
        effects.push(Effect::SetTimer { timer: TimerId(0), after: self.timing.replication });
    }

    fn replicate(&self, now: Now, row: &Row, effects: &mut Effects) {
        let TargetRecord { fence, blue, green, touched: _ } = row.durable;
        let copy = Frame::from(Replicate { secret: row.secret, fence, blue, green, sent: now.wall });
        for to in self.topology.of_kind(RoleKind::Replica) {
            effects.push(Effect::Send { to, frame: copy.to_bytes() });
        }
    }

    fn handle_called(&mut self, call: Token, frame: &[u8], effects: &mut Effects) {
        let reply = match Frame::from_bytes(frame) {
            Ok(Frame::ApplyRequest(request)) => {
                let Some(row) = self.rows.get_mut(usize::from(request.secret.0)) else { return };
                if row.waiting.len() < WAITING_MAX {
                    row.waiting.push_back((call, request));
                }
                let index = usize::from(row.secret.0);
                self.serve(index, effects);
                return;
            }
            Ok(Frame::QueryRequest(request)) => {
                let Some(row) = self.rows.get(usize::from(request.secret.0)) else { return };
                let TargetRecord { fence, blue, green, touched: _ } = row.durable;
                Frame::from(QueryReply { fence, blue, green })
            }
            Ok(Frame::LoginRequest(request)) => {
                let Some(row) = self.rows.get(usize::from(request.secret.0)) else { return };
                let is_right = row.durable.accepts(request.principal) == value_tag(&request.value);
                Frame::from(LoginReply { refusal: (!is_right).then_some(Refusal::WrongValue) })
            }
            _ => return,
        };
        effects.push(Effect::Reply { call, frame: reply.to_bytes() });
    }

    /// Handles what waits for a row, until something has to be written.
    fn serve(&mut self, index: usize, effects: &mut Effects) {
        let row = &mut self.rows[index];
        while row.writing.is_none()
            && let Some((call, request)) = row.waiting.pop_front()
        {
            let fence = Fence::from(request.fence);
            let last = row.durable.fence();
            let outcome = match self.enforcement {
                Enforcement::Fenced if last.is_some_and(|last| fence < last) => Some(false),
                Enforcement::Fenced if last == Some(fence) => Some(true),
                Enforcement::Fenced | Enforcement::LastWriteWins => None,
            };
            if let Some(applied) = outcome {
                effects.push(reply(call, applied, row.durable.fence));
                continue;
            }
            let mut next = row.durable.clone();
            next.fence = Some(WireFence::from(fence));
            next.touched = request.principal;
            let value = if request.value.is_empty() { Tag::NONE } else { value_tag(&request.value) };
            next.set(request.principal, value);
            let token = Token(self.tokens);
            self.tokens += 1;
            effects.push(Effect::Persist { token, record: record_of(row.secret), bytes: next.to_bytes() });
            row.writing = Some((token, call, next));
        }
    }

    fn handle_written(&mut self, now: Now, token: Token, is_kept: bool, effects: &mut Effects) {
        let Some(index) =
            self.rows.iter().position(|row| matches!(row.writing, Some((other, ..)) if other == token))
        else {
            return;
        };
        let row = &mut self.rows[index];
        let Some((_, call, next)) = row.writing.take() else { return };
        if is_kept {
            row.durable = next;
        }
        effects.push(reply(call, is_kept, row.durable.fence));
        if is_kept {
            self.replicate(now, &self.rows[index], effects);
        }
        self.serve(index, effects);
    }
}

fn reply(call: Token, applied: bool, last: Option<WireFence>) -> Effect {
    Effect::Reply { call, frame: Frame::from(ApplyReply { applied, last }).to_bytes() }
}

impl Role for Target {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { disk, log: _, entropy: _ } => self.handle_boot(now, disk, &mut effects),
            Input::Timer { timer: TimerId(_) } => self.handle_timer(now, &mut effects),
            Input::Called { call, from: NodeId(_), frame } => self.handle_called(call, &frame, &mut effects),
            Input::Persisted { token } => self.handle_written(now, token, true, &mut effects),
            Input::PersistFailed { token } => self.handle_written(now, token, false, &mut effects),
            // It calls nobody and proposes nothing.
            Input::Returned { .. }
            | Input::Unknown { .. }
            | Input::Committed { .. }
            | Input::Received { .. } => {}
        }
        effects
    }
}
