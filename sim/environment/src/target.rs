//! A database with two principals per secret, whose primary checks fences.
//!
//! A request with a lower fence than the last is refused, with an equal one it is answered from the
//! record, with a higher one it is made durable and then answered. Requests for one secret are
//! handled one after the other. The whole state goes to the replicas after each change and
//! periodically.
//!
//! Declared as minting, it is a service that hands out API keys instead: two at most, each minted
//! here and told once, listed and deleted by name. It knows no fences then, and a repeated request
//! mints once more.
//!
//! `Model:` sessions, transactions, rejection by policy and failover are not here.
//! Source: M. Kleppmann on fencing: the resource itself must check the token.

use std::collections::VecDeque;
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Record, Role};
use tumbler_types::{
    Enforcement, Fence, NodeId, Principal, Privileges, RoleKind, SecretId, SecretValue, Step, Tag, TimerId,
    Timing, Token, Topology,
};
use tumbler_wire::frame::{
    ApplyReply, ApplyRequest, DeleteReply, DeleteRequest, LoginReply, MintReply, PrivilegeReply, QueryReply,
    Replicate,
};
use tumbler_wire::record::{WireFence, record_of, secret_of};
use tumbler_wire::tag::{self, value_tag};
use tumbler_wire::{Frame, TargetRecord};

/// Requests that may wait per secret; one more is dropped, and its caller times out.
const WAITING_MAX: usize = 64;

pub struct Target {
    topology: Topology,
    timing: Timing,
    enforcement: Enforcement,
    rows: Vec<Row>,
    tokens: u64,
    entropy: [u8; 32],
    minted: u64,
}

/// One secret at the target.
struct Row {
    secret: SecretId,
    durable: TargetRecord,
    /// Token of the write, the call that it answers, and what it leads to.
    writing: Option<(Token, Token, TargetRecord, Change)>,
    waiting: VecDeque<(Token, Change)>,
}

/// What somebody wants of a row.
#[derive(Clone)]
enum Change {
    Apply(ApplyRequest),
    /// With the key, once there is one.
    Mint(WireFence, Option<(Principal, SecretValue)>),
    Delete(DeleteRequest),
    Permit(Privileges),
}

impl Target {
    pub fn new(topology: Topology, timing: Timing, enforcement: Enforcement) -> Self {
        let row = |secret| Row {
            secret,
            durable: TargetRecord::default(),
            writing: None,
            waiting: VecDeque::new(),
        };
        Target {
            rows: topology.secrets().map(row).collect(),
            topology,
            timing,
            enforcement,
            tokens: 0,
            entropy: [0; 32],
            minted: 0,
        }
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
        let TargetRecord { fence, blue, green, touched: _, blue_may, green_may } = row.durable;
        let copy = Replicate { secret: row.secret, fence, blue, green, sent: now.wall, blue_may, green_may };
        let copy = Frame::from(copy);
        for to in self.topology.of_kind(RoleKind::Replica) {
            effects.push(Effect::Send { to, frame: copy.to_bytes() });
        }
    }

    fn handle_called(&mut self, call: Token, frame: &[u8], effects: &mut Effects) {
        let is_minting = self.topology.adapter.is_minting();
        let reply = match Frame::from_bytes(frame) {
            Ok(Frame::ApplyRequest(request)) if !is_minting => {
                return self.queue(request.secret, call, Change::Apply(request), effects);
            }
            Ok(Frame::MintRequest(request)) if is_minting => {
                return self.queue(request.secret, call, Change::Mint(request.fence, None), effects);
            }
            Ok(Frame::DeleteRequest(request)) if is_minting => {
                return self.queue(request.secret, call, Change::Delete(request), effects);
            }
            Ok(Frame::PrivilegeRequest(request)) => {
                return self.queue(request.secret, call, Change::Permit(request.privileges), effects);
            }
            Ok(Frame::QueryRequest(request)) => {
                let Some(row) = self.rows.get(usize::from(request.secret.0)) else { return };
                let TargetRecord { fence, blue, green, .. } = row.durable;
                Frame::from(QueryReply { fence, blue, green })
            }
            Ok(Frame::LoginRequest(request)) => {
                let Some(row) = self.rows.get(usize::from(request.secret.0)) else { return };
                let is_right = row.durable.accepts(request.principal) == value_tag(&request.value);
                let refusal = (!is_right).then_some(Refusal::WrongValue);
                let TargetRecord { blue_may, green_may, .. } = row.durable;
                Frame::from(LoginReply { refusal, blue: blue_may, green: green_may })
            }
            _ => return,
        };
        effects.push(Effect::Reply { call, frame: reply.to_bytes() });
    }

    fn queue(&mut self, secret: SecretId, call: Token, change: Change, effects: &mut Effects) {
        let Some(row) = self.rows.get_mut(usize::from(secret.0)) else { return };
        if row.waiting.len() < WAITING_MAX {
            row.waiting.push_back((call, change));
        }
        self.serve(usize::from(secret.0), effects);
    }

    /// Handles what waits for a row, until something has to be written.
    fn serve(&mut self, index: usize, effects: &mut Effects) {
        while self.rows[index].writing.is_none()
            && let Some((call, mut change)) = self.rows[index].waiting.pop_front()
        {
            let row = &mut self.rows[index];
            let mut next = row.durable.clone();
            match &mut change {
                Change::Apply(request) => {
                    if let Some(applied) = answered(self.enforcement, row.durable.fence(), request) {
                        effects.push(reply(call, applied, row.durable.fence));
                        continue;
                    }
                    write(&mut next, request);
                }
                Change::Permit(privileges) => permit(&mut next, *privileges),
                Change::Mint(fence, minted) => {
                    let free = Principal::ALL.into_iter().find(|each| next.accepts(*each) == Tag::NONE);
                    let Some(principal) = free else {
                        effects.push(answer(call, MintReply { principal: Principal::Blue, value: none() }));
                        continue;
                    };
                    let fresh = tag::minted(&self.entropy, self.minted);
                    put(&mut next, *fence, principal, value_tag(&fresh));
                    *minted = Some((principal, fresh));
                    self.minted += 1;
                }
                Change::Delete(request) => {
                    let key = request.key;
                    let held = Principal::ALL.into_iter().find(|each| next.accepts(*each) == key);
                    let Some(principal) = held.filter(|_| !key.is_none()) else {
                        effects.push(answer(call, DeleteReply { gone: true }));
                        continue;
                    };
                    put(&mut next, request.fence, principal, Tag::NONE);
                }
            }
            let token = Token(self.tokens);
            self.tokens += 1;
            effects.push(Effect::Persist { token, record: record_of(row.secret), bytes: next.to_bytes() });
            row.writing = Some((token, call, next, change));
        }
    }

    fn handle_written(&mut self, now: Now, token: Token, is_kept: bool, effects: &mut Effects) {
        let Some(index) =
            self.rows.iter().position(|row| matches!(row.writing, Some((other, ..)) if other == token))
        else {
            return;
        };
        let row = &mut self.rows[index];
        let Some((_, call, next, change)) = row.writing.take() else { return };
        if is_kept {
            row.durable = next;
        }
        effects.push(match change {
            Change::Apply(_) => reply(call, is_kept, row.durable.fence),
            Change::Permit(_) => answer(call, PrivilegeReply { done: is_kept }),
            Change::Delete(_) => answer(call, DeleteReply { gone: is_kept }),
            Change::Mint(_, minted) => {
                let (principal, value) = minted.filter(|_| is_kept).unwrap_or((Principal::Blue, none()));
                answer(call, MintReply { principal, value })
            }
        });
        if is_kept {
            self.replicate(now, &self.rows[index], effects);
        }
        self.serve(index, effects);
    }
}

/// Whether the fence alone answers the request, and how.
fn answered(enforcement: Enforcement, last: Option<Fence>, request: &ApplyRequest) -> Option<bool> {
    let fence = Fence::from(request.fence);
    match enforcement {
        Enforcement::Fenced if last.is_some_and(|last| fence < last) => Some(false),
        Enforcement::Fenced if last == Some(fence) => Some(true),
        Enforcement::Fenced | Enforcement::LastWriteWins => None,
    }
}

/// A value that comes into force gets what the other principal has: at each rotation anew, because
/// the operator may have changed it since this one was used last.
fn write(row: &mut TargetRecord, request: &ApplyRequest) {
    let value = if request.value.is_empty() { Tag::NONE } else { value_tag(&request.value) };
    put(row, request.fence, request.principal, value);
}

fn put(row: &mut TargetRecord, fence: WireFence, principal: Principal, value: Tag) {
    row.fence = Some(fence);
    row.touched = principal;
    if fence.step == Step::Set && row.accepts(principal) == Tag::NONE {
        row.permit(principal, row.may(principal.other()));
    }
    row.set(principal, value);
}

/// Every principal that accepts something; both if none does.
fn permit(row: &mut TargetRecord, privileges: Privileges) {
    let is_open = |principal| row.accepts(principal) != Tag::NONE;
    let is_closed = !Principal::ALL.into_iter().any(is_open);
    let open: Vec<Principal> =
        Principal::ALL.into_iter().filter(|each| is_closed || is_open(*each)).collect();
    for principal in open {
        row.permit(principal, privileges);
    }
}

fn reply(call: Token, applied: bool, last: Option<WireFence>) -> Effect {
    answer(call, ApplyReply { applied, last })
}

fn answer(call: Token, reply: impl Into<Frame>) -> Effect {
    Effect::Reply { call, frame: reply.into().to_bytes() }
}

fn none() -> SecretValue {
    SecretValue::new(Vec::new())
}

impl Role for Target {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { disk, log: _, entropy } => {
                self.entropy = entropy;
                self.handle_boot(now, disk, &mut effects);
            }
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
