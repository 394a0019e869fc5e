//! The agent: holds leased versions and hands them to workloads.
//!
//! It answers, and acknowledges, only from what its disk holds. It stops at the earlier of its
//! monotonic expiry and wall `until − ε`, and after a gap of more than 2ε, which no clock within ε
//! shows, between its two clocks (a suspend) it
//! hears from the authority before it goes on. When in doubt it hands out nothing.
//!
//! What it deliberately does not do: decide which version it should hold.
//!
//! Upholds `revoked-undelivered`, `durable-ack`.

use crate::settings::Settings;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Record, Role};
use tumbler_types::{Mono, NodeId, Principal, SecretId, SecretValue, TimerId, Token, VersionId, Wall};
use tumbler_wire::frame::{GetReply, HeartbeatReply, HeartbeatRequest};
use tumbler_wire::record::{record_of, secret_of};
use tumbler_wire::{AgentRecord, Frame};

pub struct Agent {
    settings: Settings,
    held: Vec<Held>,
    tokens: u64,
}

/// One secret at this agent.
struct Held {
    secret: SecretId,
    /// What the disk holds.
    durable: AgentRecord,
    /// Known revocations: in force at once, acknowledged only when durable.
    revoked: Vec<VersionId>,
    /// End of the durable grant on the monotonic clock; unknown after a restart.
    life: Option<Mono>,
    /// Both clocks at the last reply from the authority; none since a restart.
    synced: Option<Now>,
    activity: Activity,
}

/// What the agent waits for; a heartbeat leaves only when it waits for nothing, so that a report
/// never speaks of a grant that a write in progress is about to replace.
enum Activity {
    Resting,
    /// A heartbeat is out.
    Asking {
        token: Token,
        sent: Mono,
    },
    /// A write is out; then the grant lives until `life`.
    Storing {
        token: Token,
        record: AgentRecord,
        life: Mono,
    },
}

impl Agent {
    pub fn new(settings: Settings) -> Self {
        let held = |secret| Held {
            secret,
            durable: AgentRecord::empty(),
            revoked: Vec::new(),
            life: None,
            synced: None,
            activity: Activity::Resting,
        };
        Agent { held: settings.topology.secrets().map(held).collect(), settings, tokens: 0 }
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }

    fn handle_boot(&mut self, now: Now, disk: Vec<Record>, effects: &mut Effects) {
        for Record { record, bytes } in disk {
            let Some(secret) = secret_of(record) else { continue };
            let Some(held) = self.held.get_mut(usize::from(secret.0)) else { continue };
            // A record that does not parse is as good as none: the authority will be asked.
            if let Ok(record) = AgentRecord::from_bytes(&bytes) {
                held.revoked.clone_from(&record.revoked);
                held.durable = record;
            }
        }
        for secret in self.settings.topology.secrets() {
            self.heartbeat(now, secret, effects);
            effects.push(Effect::SetTimer { timer: timer_of(secret), after: self.settings.timing.heartbeat });
        }
    }

    /// Reports what is durable, unless something is under way.
    fn heartbeat(&mut self, now: Now, secret: SecretId, effects: &mut Effects) {
        let token = self.token();
        let held = &mut self.held[usize::from(secret.0)];
        if !matches!(held.activity, Activity::Resting) {
            return;
        }
        held.activity = Activity::Asking { token, sent: now.mono };
        let AgentRecord { version, principal: _, value: _, until, serial, revoked: _ } = &held.durable;
        let report = HeartbeatRequest { secret, version: *version, serial: *serial, until: *until };
        effects.push(Effect::Call {
            token,
            to: self.settings.topology.authority(),
            frame: Frame::from(report).to_bytes(),
            timeout: self.settings.timing.call_timeout,
        });
    }

    fn handle_timer(&mut self, now: Now, timer: TimerId, effects: &mut Effects) {
        let Ok(secret) = u16::try_from(timer.0).map(SecretId) else { return };
        self.heartbeat(now, secret, effects);
        effects.push(Effect::SetTimer { timer, after: self.settings.timing.heartbeat });
    }

    fn handle_returned(&mut self, now: Now, token: Token, frame: &[u8], effects: &mut Effects) {
        let Some((index, sent)) = self.asked(token) else { return };
        self.held[index].activity = Activity::Resting;
        let Ok(Frame::HeartbeatReply(reply)) = Frame::from_bytes(frame) else { return };
        let writing = self.token();
        let held = &mut self.held[index];
        held.synced = Some(now);
        held.revoked.clone_from(&reply.revoked);
        let life = sent.plus(reply.left);
        let record = merged(&held.durable, reply);
        if record == held.durable {
            return;
        }
        effects.push(Effect::Persist {
            token: writing,
            record: record_of(held.secret),
            bytes: record.to_bytes(),
        });
        held.activity = Activity::Storing { token: writing, record, life };
    }

    /// The secret whose heartbeat has this token, and when it left.
    fn asked(&self, token: Token) -> Option<(usize, Mono)> {
        self.held.iter().enumerate().find_map(|(index, held)| match held.activity {
            Activity::Asking { token: asked, sent } if asked == token => Some((index, sent)),
            Activity::Asking { .. } | Activity::Resting | Activity::Storing { .. } => None,
        })
    }

    fn handle_unknown(&mut self, token: Token) {
        if let Some((index, _)) = self.asked(token) {
            self.held[index].activity = Activity::Resting;
        }
    }

    fn handle_persisted(&mut self, now: Now, token: Token, is_kept: bool, effects: &mut Effects) {
        let storing = |held: &&mut Held| matches!(held.activity, Activity::Storing { token: writing, .. } if writing == token);
        let Some(held) = self.held.iter_mut().find(storing) else { return };
        let done = std::mem::replace(&mut held.activity, Activity::Resting);
        let Activity::Storing { token: _, record, life } = done else { return };
        if !is_kept {
            return;
        }
        held.durable = record;
        held.life = Some(life);
        // The authority waits for this acknowledgement: it is not left to the next period.
        let secret = held.secret;
        self.heartbeat(now, secret, effects);
    }

    fn handle_called(&mut self, now: Now, call: Token, frame: &[u8], effects: &mut Effects) {
        let Ok(Frame::GetRequest(request)) = Frame::from_bytes(frame) else { return };
        let secret = request.secret;
        let Some(held) = self.held.get(usize::from(secret.0)) else { return };
        let reply = if held.may_hand_out(&self.settings, now) {
            let AgentRecord { version, principal, value, until: _, serial: _, revoked: _ } = &held.durable;
            GetReply { secret, version: *version, principal: *principal, value: value.clone() }
        } else {
            let value = SecretValue::new(Vec::new());
            GetReply { secret, version: VersionId(0), principal: Principal::Blue, value }
        };
        effects.push(Effect::Reply { call, frame: Frame::from(reply).to_bytes() });
    }
}

impl Held {
    /// Whether the durable version may be given away at this moment.
    fn may_hand_out(&self, settings: &Settings, now: Now) -> bool {
        let epsilon = settings.timing.epsilon;
        let is_known = self.durable.version != VersionId(0);
        let is_unrevoked = !self.revoked.contains(&self.durable.version);
        let is_within_wall = now.wall < self.durable.until.minus(epsilon);
        let is_within_life = self.life.is_none_or(|life| now.mono < life);
        let is_awake = self.synced.is_none_or(|synced| gap(synced, now) <= epsilon.times(2).nanos());
        is_known && is_unrevoked && is_within_wall && is_within_life && is_awake
    }
}

/// How far the two clocks moved apart between two moments, in nanoseconds.
fn gap(then: Now, now: Now) -> u64 {
    let wall = i128::from(now.wall.nanos()) - i128::from(then.wall.nanos());
    let mono = i128::from(now.mono.nanos()) - i128::from(then.mono.nanos());
    u64::try_from((wall - mono).unsigned_abs()).unwrap_or(u64::MAX)
}

/// The record that a reply leads to. A reply without a version takes the version away; one for the
/// reported version brings no value, and the durable one stays.
fn merged(durable: &AgentRecord, reply: HeartbeatReply) -> AgentRecord {
    let HeartbeatReply { secret: _, index: _, version, principal, value, until, left: _, serial, revoked } =
        reply;
    let keeps = version == durable.version;
    AgentRecord {
        version,
        principal,
        value: if keeps { durable.value.clone() } else { value },
        until: if version == VersionId(0) { Wall::ZERO } else { until },
        // None is told while none could be kept; what was kept is not forgotten.
        serial: serial.or(durable.serial),
        revoked,
    }
}

fn timer_of(secret: SecretId) -> TimerId {
    TimerId(u32::from(secret.0))
}

impl Role for Agent {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { disk, log: _, entropy: _ } => self.handle_boot(now, disk, &mut effects),
            Input::Timer { timer } => self.handle_timer(now, timer, &mut effects),
            Input::Returned { token, frame } => self.handle_returned(now, token, &frame, &mut effects),
            Input::Unknown { token } => self.handle_unknown(token),
            Input::Persisted { token } => self.handle_persisted(now, token, true, &mut effects),
            Input::PersistFailed { token } => self.handle_persisted(now, token, false, &mut effects),
            Input::Called { call, from: NodeId(_), frame } => {
                self.handle_called(now, call, &frame, &mut effects)
            }
            // It proposes nothing and hears no one-way messages.
            Input::Committed { .. } | Input::Received { .. } => {}
        }
        effects
    }
}
