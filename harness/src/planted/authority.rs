//! Authorities that forget what to do after a restart, say a thing once, or do not ask who speaks.

use super::flaw::Flaw;
use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{
    Command, Epoch, NodeId, Phase, Principal, SecretId, SecretValue, Token, TxnId, VersionId, Wall,
};
use tumbler_wire::frame::HeartbeatRequest;
use tumbler_wire::{Frame, LogCommand};

/// Keeps the queue of due rotations in memory, and does not build it again after a restart.
pub struct ForgetsQueue {
    /// Entries that the log begins with.
    genesis: usize,
    is_lost: bool,
}

impl ForgetsQueue {
    pub fn new(genesis: u16) -> Self {
        ForgetsQueue { genesis: usize::from(genesis), is_lost: false }
    }
}

impl Flaw for ForgetsQueue {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Input::Boot { log, .. } = &input {
            self.is_lost = log.len() > self.genesis;
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if self.is_lost
            && let Effect::Reply { call, frame } = &effect
            && let Ok(Frame::RecordReply(mut reply)) = Frame::from_bytes(frame)
            && reply.record.phase == Phase::Idle
        {
            reply.record.due = false;
            return out.push(Effect::Reply { call: *call, frame: Frame::from(reply).to_bytes() });
        }
        out.push(effect);
    }
}

/// Names a new version to each agent once, and takes the news for heard.
#[derive(Default)]
pub struct NotifiesOnce {
    asking: BTreeMap<Token, (NodeId, HeartbeatRequest)>,
    told: BTreeMap<(NodeId, SecretId), VersionId>,
    principals: BTreeMap<(SecretId, VersionId), Principal>,
}

impl Flaw for NotifiesOnce {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Input::Called { call, from, frame } = &input
            && let Ok(Frame::HeartbeatRequest(report)) = Frame::from_bytes(frame)
        {
            self.asking.insert(*call, (*from, report));
        }
        Some(input)
    }

    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        let Effect::Reply { call, frame } = &effect else { return out.push(effect) };
        let (Some((agent, report)), Ok(Frame::HeartbeatReply(mut reply))) =
            (self.asking.remove(call), Frame::from_bytes(frame))
        else {
            return out.push(effect);
        };
        let secret = reply.secret;
        self.principals.insert((secret, reply.version), reply.principal);
        let told = self.told.insert((agent, secret), reply.version);
        let is_news = report.version == VersionId(0) || report.version == reply.version;
        if !is_news
            && told == Some(reply.version)
            && let Some(principal) = self.principals.get(&(secret, report.version))
        {
            reply.version = report.version;
            reply.principal = *principal;
            reply.value = SecretValue::new(Vec::new());
            reply.until = report.until;
            reply.left = report.until.since(now.wall);
        }
        out.push(Effect::Reply { call: *call, frame: Frame::from(reply).to_bytes() });
    }
}

/// Keeps the time of the last rotation in memory alone: after a restart it was never.
#[derive(Default)]
pub struct ForgetsDueTime;

impl Flaw for ForgetsDueTime {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        Some(match input {
            // Genesis alone is not a restart.
            Input::Boot { disk, mut log, entropy } if log.len() > GENESIS_MAX => {
                log.iter_mut().for_each(|entry| entry.at = Wall::ZERO);
                Input::Boot { disk, log, entropy }
            }
            other => other,
        })
    }
}

/// Reads its record again, compares phase and transaction with what is asked, and not the epoch: a rotator
/// that was replaced is obeyed like its successor.
#[derive(Default)]
pub struct IgnoresEpoch {
    leases: BTreeMap<SecretId, (Epoch, NodeId)>,
    /// What was let through, by the edge that it asked for, with the epoch that it was asked in.
    let_through: BTreeMap<(SecretId, TxnId, Phase, Phase), Epoch>,
}

impl Flaw for IgnoresEpoch {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Input::Called { call, from: _, frame } = &input
            && let Ok(Frame::AdvanceRequest(mut ask)) = Frame::from_bytes(frame)
            && let Some((epoch, holder)) = self.leases.get(&ask.secret).copied()
            && ask.epoch < epoch
        {
            self.let_through.insert((ask.secret, ask.txn, ask.from, ask.to), ask.epoch);
            ask.epoch = epoch;
            let frame = Frame::from(ask).to_bytes();
            return Some(Input::Called { call: *call, from: holder, frame });
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match &effect {
            Effect::Reply { frame, .. } => {
                if let Ok(Frame::RecordReply(reply)) = Frame::from_bytes(frame) {
                    let record = reply.record;
                    self.leases.insert(record.secret, (record.epoch, record.holder));
                }
            }
            Effect::Propose { token, command } => {
                if let Ok(mut entry) = LogCommand::from_bytes(command)
                    && let Command::Advance { txn, from, to, .. } = entry.command
                    && let Some(epoch) = self.let_through.remove(&(entry.secret, txn, from, to))
                {
                    entry.command = Command::Advance { epoch, txn, from, to };
                    return out.push(Effect::Propose { token: *token, command: entry.to_bytes() });
                }
            }
            _ => {}
        }
        out.push(effect);
    }
}

const GENESIS_MAX: usize = 6;
