//! A store that loses a value.

use super::edited;
use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effects, Input, Now, Role};
use tumbler_types::{Command, Phase, SecretId, SecretValue, VersionId};
use tumbler_wire::{Frame, LogCommand};

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
