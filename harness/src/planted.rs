//! Planted bugs at the seams of roles: wrappers that edit what goes in or comes out.
//!
//! Each breaks one promise, and a named invariant must catch it. The roles hold no sabotage switch;
//! bugs of the disk and of the driver live in the world, under the same plan entry.
//!
//! What this module deliberately does not do: break two things at once.

#[path = "planted/target.rs"]
pub mod target;

use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Command, Phase, SecretId, SecretValue, Serial, Tag, Token, VersionId};
use tumbler_wire::frame::{GetReply, HeartbeatReply};
use tumbler_wire::{Frame, LogCommand};

/// Acknowledges a revocation in the next heartbeat whether or not it was stored.
pub struct HastyAgent<R> {
    role: R,
    heard: BTreeMap<SecretId, Option<Serial>>,
}

impl<R> HastyAgent<R> {
    pub fn new(role: R) -> Self {
        HastyAgent { role, heard: BTreeMap::new() }
    }
}

impl<R: Role> Role for HastyAgent<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        if let Input::Returned { token: _, frame } = &input
            && let Ok(Frame::HeartbeatReply(reply)) = Frame::from_bytes(frame)
        {
            let heard = self.heard.entry(reply.secret).or_default();
            // It hears of the revocation one heartbeat before it writes anything down.
            let told = std::mem::replace(heard, reply.serial);
            if told < reply.serial {
                let frame = Frame::from(HeartbeatReply { serial: told, ..reply }).to_bytes();
                let Input::Returned { token, frame: _ } = input else { unreachable!("matched above") };
                return self.edit(now, Input::Returned { token, frame });
            }
        }
        self.edit(now, input)
    }
}

impl<R: Role> HastyAgent<R> {
    fn edit(&mut self, now: Now, input: Input) -> Effects {
        let effects = self.role.handle(now, input);
        edited(effects, |frame| {
            if let Frame::HeartbeatRequest(report) = frame
                && let Some(heard) = self.heard.get(&report.secret)
            {
                report.serial = report.serial.max(*heard);
            }
        })
    }
}

/// Hands out the last version that it ever handed out, when the role would hand out nothing.
pub struct ClingingAgent<R> {
    role: R,
    last: BTreeMap<SecretId, GetReply>,
}

impl<R> ClingingAgent<R> {
    pub fn new(role: R) -> Self {
        ClingingAgent { role, last: BTreeMap::new() }
    }
}

impl<R: Role> Role for ClingingAgent<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let effects = self.role.handle(now, input);
        edited(effects, |frame| {
            if let Frame::GetReply(reply) = frame {
                if reply.version == VersionId(0) {
                    if let Some(last) = self.last.get(&reply.secret) {
                        *reply = last.clone();
                    }
                } else {
                    self.last.insert(reply.secret, reply.clone());
                }
            }
        })
    }
}

/// Hands out nothing after the first hundred times.
pub struct SilentAgent<R> {
    role: R,
    handed: u32,
}

impl<R> SilentAgent<R> {
    pub fn new(role: R) -> Self {
        SilentAgent { role, handed: 0 }
    }
}

impl<R: Role> Role for SilentAgent<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let effects = self.role.handle(now, input);
        edited(effects, |frame| {
            if let Frame::GetReply(reply) = frame {
                self.handed += 1;
                if self.handed > 100 {
                    reply.version = VersionId(0);
                    reply.value = SecretValue::new(Vec::new());
                }
            }
        })
    }
}

/// A replica that never lets go of a value that it once accepted.
pub struct KeepingReplica<R> {
    role: R,
    accepted: BTreeMap<Tag, ()>,
    asked: BTreeMap<Token, Tag>,
}

impl<R> KeepingReplica<R> {
    pub fn new(role: R) -> Self {
        KeepingReplica { role, accepted: BTreeMap::new(), asked: BTreeMap::new() }
    }
}

impl<R: Role> Role for KeepingReplica<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut asked = None;
        if let Input::Called { call, from: _, frame } = &input
            && let Ok(Frame::LoginRequest(request)) = Frame::from_bytes(frame)
        {
            asked = Some((*call, tumbler_wire::tag::value_tag(&request.value)));
        }
        if let Some((call, tag)) = asked {
            self.asked.insert(call, tag);
        }
        let effects = self.role.handle(now, input);
        let Some((_, tag)) = asked else { return effects };
        edited(effects, |frame| {
            if let Frame::LoginReply(reply) = frame {
                if reply.refusal.is_none() {
                    self.accepted.insert(tag, ());
                } else if self.accepted.contains_key(&tag) {
                    reply.refusal = None;
                }
            }
        })
    }
}

/// An authority whose store loses the previous version's value when the labels move.
pub struct LosingStore<R> {
    role: R,
    /// Versions that were current when a later one was promoted, per secret.
    current: BTreeMap<SecretId, VersionId>,
    pending: BTreeMap<SecretId, VersionId>,
    lost: BTreeMap<SecretId, VersionId>,
}

impl<R> LosingStore<R> {
    pub fn new(role: R) -> Self {
        LosingStore { role, current: BTreeMap::new(), pending: BTreeMap::new(), lost: BTreeMap::new() }
    }

    fn learn(&mut self, bytes: &[u8]) {
        let Ok(LogCommand { secret, expected: _, command, value: _ }) = LogCommand::from_bytes(bytes) else {
            return;
        };
        match command {
            Command::Enroll { version, .. } => {
                self.current.insert(secret, version);
            }
            Command::Begin { version, .. } => {
                self.pending.insert(secret, version);
            }
            Command::Advance { to: Phase::Promote, .. } => {
                if let Some(pending) = self.pending.get(&secret).copied()
                    && let Some(current) = self.current.insert(secret, pending)
                {
                    self.lost.insert(secret, current);
                }
            }
            Command::RollBack { .. } => {
                if let Some(lost) = self.lost.get(&secret).copied() {
                    self.current.insert(secret, lost);
                }
            }
            _ => {}
        }
    }
}

impl<R: Role> Role for LosingStore<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        match &input {
            Input::Boot { disk: _, log, entropy: _ } => {
                log.iter().for_each(|entry| self.learn(&entry.command))
            }
            Input::Committed { token: _, entry } => self.learn(&entry.command),
            _ => {}
        }
        let effects = self.role.handle(now, input);
        edited(effects, |frame| {
            if let Frame::HeartbeatReply(reply) = frame
                && self.lost.get(&reply.secret) == Some(&reply.version)
            {
                reply.version = VersionId(0);
                reply.value = SecretValue::new(Vec::new());
            }
        })
    }
}

/// The effects with every frame of a request or reply passed through `edit`.
fn edited(effects: Effects, mut edit: impl FnMut(&mut Frame)) -> Effects {
    let mut change = |bytes: Vec<u8>| match Frame::from_bytes(&bytes) {
        Ok(mut frame) => {
            edit(&mut frame);
            frame.to_bytes()
        }
        Err(_) => bytes,
    };
    let one = |effect| match effect {
        Effect::Call { token, to, frame, timeout } => {
            Effect::Call { token, to, frame: change(frame), timeout }
        }
        Effect::Reply { call, frame } => Effect::Reply { call, frame: change(frame) },
        other => other,
    };
    effects.into_iter().map(one).collect()
}
