//! Agents that acknowledge too early, cling to what they had, or fall silent.

use super::edited;
use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effects, Input, Now, Role};
use tumbler_types::{SecretId, SecretValue, Serial, VersionId};
use tumbler_wire::Frame;
use tumbler_wire::frame::{GetReply, HeartbeatReply};

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
