//! The authority: source of truth for versions, labels, grants, leases and revocations.
//!
//! A front that checks preconditions and proposes, over a log whose entries [`Slice::apply`] folds.
//! Replies and reads come from applied state only, and nothing is answered before it is durable.
//! At most one proposal per secret is in flight; further requests wait, in order.
//!
//! What it deliberately does not do: reach out. It only answers.
//!
//! Upholds `durable-ack` (answers after `Committed`), `rollback-possible` (guards of `Retire`).

use crate::guard::{self, Decision};
use crate::settings::Settings;
use crate::slice::{Grant, Slice, Version};
use std::collections::VecDeque;
use tumbler_types::role::v1::{Effect, Effects, Input, LogEntry, Now, Role};
use tumbler_types::{
    Format, LogIndex, NodeId, Principal, SecretId, SecretValue, Span, Token, VersionId, Wall,
};
use tumbler_wire::frame::{HeartbeatReply, HeartbeatRequest, OrderReply, RecordReply};
use tumbler_wire::{Frame, Labeled, LogCommand, Record};

/// Requests that may wait per secret; one more is dropped, and its caller times out.
const WAITING_MAX: usize = 64;

pub struct Authority {
    settings: Settings,
    desks: Vec<Desk>,
    /// Last applied log position.
    index: LogIndex,
    tokens: u64,
}

/// One secret: its state, and the requests for it.
struct Desk {
    slice: Slice,
    in_flight: Option<(Token, Request)>,
    waiting: VecDeque<Request>,
}

struct Request {
    call: Token,
    from: NodeId,
    frame: Frame,
}

impl Authority {
    pub fn new(settings: Settings) -> Self {
        let period = settings.timing.rotation_period;
        let desk =
            |secret| Desk { slice: Slice::new(secret, period), in_flight: None, waiting: VecDeque::new() };
        Authority {
            desks: settings.topology.secrets().map(desk).collect(),
            settings,
            index: LogIndex(0),
            tokens: 0,
        }
    }

    fn handle_boot(&mut self, log: Vec<LogEntry>) {
        for entry in log {
            self.apply(entry);
        }
    }

    fn handle_called(&mut self, now: Now, request: Request, effects: &mut Effects) {
        let Some(secret) = secret_of(&request.frame) else { return };
        let Some(desk) = self.desks.get_mut(usize::from(secret.0)) else { return };
        if desk.in_flight.is_some() {
            if desk.waiting.len() < WAITING_MAX {
                desk.waiting.push_back(request);
            }
            return;
        }
        self.consider(now, secret, request, effects);
    }

    fn handle_committed(&mut self, now: Now, token: Option<Token>, entry: LogEntry, effects: &mut Effects) {
        let Some((secret, is_effective)) = self.apply(entry) else { return };
        let desk = &mut self.desks[usize::from(secret.0)];
        let Some((_, request)) = desk.in_flight.take_if(|(expected, _)| Some(*expected) == token) else {
            return;
        };
        if matches!(request.frame, Frame::HeartbeatRequest(_)) {
            // An acknowledgement may be followed by a grant: look again with the new state.
            self.consider(now, secret, request, effects);
        } else {
            self.answer(now, secret, &request, is_effective, effects);
        }
        self.serve_waiting(now, secret, effects);
    }

    fn serve_waiting(&mut self, now: Now, secret: SecretId, effects: &mut Effects) {
        loop {
            let desk = &mut self.desks[usize::from(secret.0)];
            if desk.in_flight.is_some() {
                return;
            }
            let Some(request) = desk.waiting.pop_front() else { return };
            self.consider(now, secret, request, effects);
        }
    }

    /// Folds one durable entry. Returns whose it was, and whether it took effect.
    fn apply(&mut self, entry: LogEntry) -> Option<(SecretId, bool)> {
        self.index = entry.index;
        let command = LogCommand::from_bytes(&entry.command).ok()?;
        let secret = command.secret;
        let desk = self.desks.get_mut(usize::from(secret.0))?;
        Some((secret, desk.slice.apply(entry.at, command)))
    }

    /// Decides on a request: answers it, or proposes and lets it wait for the commit.
    fn consider(&mut self, now: Now, secret: SecretId, request: Request, effects: &mut Effects) {
        let desk = &mut self.desks[usize::from(secret.0)];
        match decide(&desk.slice, &self.settings, request.from, now.wall, &request.frame) {
            Decision::Propose(command, value) => {
                let token = Token(self.tokens);
                self.tokens += 1;
                let entry = LogCommand { secret, expected: desk.slice.revision, command, value };
                desk.in_flight = Some((token, request));
                effects.push(Effect::Propose { token, command: entry.to_bytes() });
            }
            Decision::Done => self.answer(now, secret, &request, true, effects),
            Decision::Refuse => self.answer(now, secret, &request, false, effects),
        }
    }

    fn answer(&self, now: Now, secret: SecretId, request: &Request, done: bool, effects: &mut Effects) {
        let slice = &self.desks[usize::from(secret.0)].slice;
        let index = self.index;
        let frame = match &request.frame {
            Frame::HeartbeatRequest(report) => self.heartbeat_reply(now, slice, request.from, report).into(),
            Frame::OrderRequest(body) if body.txn.is_none() => OrderReply { accepted: done, index }.into(),
            _ => Frame::from(RecordReply { done, index, record: self.record(slice, now.wall) }),
        };
        effects.push(Effect::Reply { call: request.call, frame: frame.to_bytes() });
    }

    fn heartbeat_reply(
        &self,
        now: Now,
        slice: &Slice,
        agent: NodeId,
        report: &HeartbeatRequest,
    ) -> HeartbeatReply {
        let wanted = guard::wanted(slice, &self.settings, agent);
        let until = wanted
            .and_then(|version| {
                let grants = &slice.holder(agent)?.grants;
                grants.iter().filter(|grant| grant.version == version.version).map(|grant| grant.until).max()
            })
            .unwrap_or(Wall::ZERO);
        let value = match wanted {
            Some(version) if version.version != report.version => version.value.clone(),
            Some(_) | None => SecretValue::new(Vec::new()),
        };
        HeartbeatReply {
            secret: slice.secret,
            index: self.index,
            version: wanted.map_or(VersionId(0), |version| version.version),
            principal: wanted.map_or(Principal::Blue, |version| version.principal),
            value,
            until,
            left: until.since(now.wall),
            // Below, a record could not keep it, and what is not kept must not be acknowledged.
            serial: (slice.floor >= Format(2)).then_some(slice.serial),
            revoked: slice.revoked.clone(),
        }
    }

    fn record(&self, slice: &Slice, at: Wall) -> Record {
        let lease = slice.lease;
        Record {
            secret: slice.secret,
            revision: slice.revision,
            phase: slice.phase,
            txn: slice.txn,
            epoch: lease.epoch,
            holder: lease.rotator,
            lease_left: if lease.epoch.0 == 0 { Span::ZERO } else { lease.until.since(at) },
            current: slice.current.as_ref().map(labeled),
            previous: slice.previous.as_ref().map(labeled),
            pending: slice.pending.as_ref().map(labeled),
            version_last: slice.version_last,
            revoked: slice.revoked.clone(),
            owed: slice.owed.clone(),
            due: slice.due(at).is_some(),
            ready: guard::is_ready(slice, &self.settings, at),
            quarantine_left: guard::quarantine_left(slice, &self.settings, at),
            attempt: slice.attempt,
        }
    }
}

impl Role for Authority {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { disk: _, log, entropy: _ } => self.handle_boot(log),
            Input::Called { call, from, frame } => {
                if let Ok(frame) = Frame::from_bytes(&frame) {
                    self.handle_called(now, Request { call, from, frame }, &mut effects);
                }
            }
            Input::Committed { token, entry } => self.handle_committed(now, token, entry, &mut effects),
            // It sets no timer, makes no call and writes no record.
            Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Returned { .. }
            | Input::Unknown { .. }
            | Input::Received { .. }
            | Input::Timer { .. } => {}
        }
        effects
    }
}

/// The table of requests. Frames that are no request to an authority are refused.
fn decide(slice: &Slice, settings: &Settings, from: NodeId, at: Wall, frame: &Frame) -> Decision {
    match frame {
        Frame::ReadRequest(_) => Decision::Done,
        Frame::LeaseRequest(body) => guard::lease(slice, settings, from, at, body.latest),
        Frame::BeginRequest(body) => guard::begin(
            slice,
            settings,
            from,
            at,
            (body.epoch, body.txn, body.version),
            body.principal,
            body.value.clone(),
        ),
        Frame::AdvanceRequest(body) => {
            guard::advance(slice, settings, from, at, (body.epoch, body.txn), (body.from, body.to))
        }
        Frame::AttemptRequest(body) => {
            guard::attempt(slice, settings, from, (body.epoch, body.txn), body.attempt)
        }
        Frame::FillRequest(body) => guard::fill(
            slice,
            from,
            (body.epoch, body.txn),
            body.attempt,
            (body.principal, body.value.clone()),
        ),
        Frame::ConfirmRequest(body) => guard::confirm(slice, from, at, body.epoch, body.version),
        Frame::OrderRequest(body) => guard::order(slice, body.order, body.txn),
        Frame::HeartbeatRequest(body) => {
            let grant = Grant { version: body.version, until: body.until };
            guard::heartbeat(slice, settings, from, at, (grant, body.serial))
        }
        Frame::RecordReply(_)
        | Frame::HeartbeatReply(_)
        | Frame::OrderReply(_)
        | Frame::ApplyRequest(_)
        | Frame::ApplyReply(_)
        | Frame::QueryRequest(_)
        | Frame::QueryReply(_)
        | Frame::LoginRequest(_)
        | Frame::LoginReply(_)
        | Frame::Replicate(_)
        | Frame::GetRequest(_)
        | Frame::GetReply(_)
        | Frame::PrivilegeRequest(_)
        | Frame::PrivilegeReply(_)
        | Frame::MintRequest(_)
        | Frame::MintReply(_)
        | Frame::DeleteRequest(_)
        | Frame::DeleteReply(_)
        | Frame::Unsupported(_) => Decision::Refuse,
    }
}

fn secret_of(frame: &Frame) -> Option<SecretId> {
    match frame {
        Frame::ReadRequest(body) => Some(body.secret),
        Frame::LeaseRequest(body) => Some(body.secret),
        Frame::BeginRequest(body) => Some(body.secret),
        Frame::AdvanceRequest(body) => Some(body.secret),
        Frame::AttemptRequest(body) => Some(body.secret),
        Frame::FillRequest(body) => Some(body.secret),
        Frame::ConfirmRequest(body) => Some(body.secret),
        Frame::OrderRequest(body) => Some(body.secret),
        Frame::HeartbeatRequest(body) => Some(body.secret),
        Frame::RecordReply(_)
        | Frame::HeartbeatReply(_)
        | Frame::OrderReply(_)
        | Frame::ApplyRequest(_)
        | Frame::ApplyReply(_)
        | Frame::QueryRequest(_)
        | Frame::QueryReply(_)
        | Frame::LoginRequest(_)
        | Frame::LoginReply(_)
        | Frame::Replicate(_)
        | Frame::GetRequest(_)
        | Frame::GetReply(_)
        | Frame::PrivilegeRequest(_)
        | Frame::PrivilegeReply(_)
        | Frame::MintRequest(_)
        | Frame::MintReply(_)
        | Frame::DeleteRequest(_)
        | Frame::DeleteReply(_)
        | Frame::Unsupported(_) => None,
    }
}

fn labeled(version: &Version) -> Labeled {
    let Version { version, principal, value } = version;
    Labeled { version: *version, principal: *principal, value: value.clone() }
}
