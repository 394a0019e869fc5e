//! A secret's slice of the authority's state: the deterministic fold of its log.
//!
//! `apply` is a pure function of (state, at, command): no clock, no request, no caller. Whatever
//! replicates the log can replicate the state. Preconditions are checked before proposing
//! ([`crate::guard`]); here only the compare-and-set on the revision decides.

use tumbler_types::{
    Attempt, Cause, Command, Epoch, Format, NodeId, Phase, Principal, Revision, SecretId, SecretValue,
    Serial, Span, TxnId, VersionId, Wall,
};
use tumbler_wire::LogCommand;

/// One version with its value.
#[derive(Clone, Debug)]
pub struct Version {
    pub version: VersionId,
    pub principal: Principal,
    pub value: SecretValue,
}

/// A rotator's lease on the secret. Epoch 0: never held.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub rotator: NodeId,
    pub epoch: Epoch,
    pub until: Wall,
}

/// One agent's permission to hold a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    pub version: VersionId,
    pub until: Wall,
}

/// What the authority knows of one agent.
#[derive(Clone, Debug, Default)]
pub struct Holder {
    /// Oldest first. An acknowledgement ends the grants of other versions.
    pub grants: Vec<Grant>,
    pub version: VersionId,
    pub serial: Serial,
}

#[derive(Clone, Debug)]
pub struct Slice {
    pub secret: SecretId,
    pub revision: Revision,
    pub phase: Phase,
    pub txn: TxnId,
    pub current: Option<Version>,
    pub previous: Option<Version>,
    pub pending: Option<Version>,
    pub version_last: VersionId,
    /// The last attempt that was opened, within `txn`, at having the pending version's key minted.
    pub attempt: Attempt,
    pub lease: Lease,
    pub revoked: Vec<VersionId>,
    pub owed: Vec<VersionId>,
    pub serial: Serial,
    pub ordered: bool,
    /// Nothing below it is spoken or written.
    pub floor: Format,
    /// Next due time, stored and never recomputed. `Wall::MAX`: only when ordered.
    pub due_at: Wall,
    /// Since when no record asks for anything of an earlier transaction; from the end of `Draft` on,
    /// since when none asks for `Set`. A last-write-wins target's quarantine runs from here.
    pub quiet_from: Wall,
    /// By agent, in the order of first grant.
    pub holders: Vec<(NodeId, Holder)>,
    period: Span,
}

impl Slice {
    pub fn new(secret: SecretId, period: Span) -> Self {
        Slice {
            secret,
            revision: Revision(0),
            phase: Phase::Idle,
            txn: TxnId(0),
            current: None,
            previous: None,
            pending: None,
            version_last: VersionId(0),
            attempt: Attempt(0),
            lease: Lease { rotator: NodeId::WORLD, epoch: Epoch(0), until: Wall::ZERO },
            revoked: Vec::new(),
            owed: Vec::new(),
            serial: Serial(0),
            ordered: false,
            floor: Format::LOWEST,
            due_at: Wall::MAX,
            quiet_from: Wall::ZERO,
            holders: Vec::new(),
            period,
        }
    }

    pub fn is_revoked(&self, version: VersionId) -> bool {
        self.revoked.contains(&version)
    }

    pub fn holder(&self, agent: NodeId) -> Option<&Holder> {
        self.holders.iter().find(|(node, _)| *node == agent).map(|(_, holder)| holder)
    }

    /// Why a rotation is wanted at `at`, if one is.
    pub fn due(&self, at: Wall) -> Option<Cause> {
        let current = self.current.as_ref()?;
        if self.is_revoked(current.version) {
            Some(Cause::Revoked)
        } else if self.ordered {
            Some(Cause::Order)
        } else if at >= self.due_at {
            Some(Cause::Due)
        } else {
            None
        }
    }

    /// The version that a rotation leads to, and the one that a rollback returns to.
    pub fn forward_and_back(&self) -> Option<(&Version, &Version)> {
        match self.phase {
            Phase::Draft | Phase::Staged | Phase::Canary => {
                Some((self.pending.as_ref()?, self.current.as_ref()?))
            }
            Phase::Promote | Phase::Drain => Some((self.current.as_ref()?, self.previous.as_ref()?)),
            Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => None,
        }
    }

    /// Applies a log entry. Returns whether it took effect.
    pub fn apply(&mut self, at: Wall, entry: LogCommand) -> bool {
        let LogCommand { secret, expected, command, value } = entry;
        assert_eq!(secret, self.secret, "entries are applied to their own slice");
        if expected != self.revision {
            return false;
        }
        self.revision = self.revision.next();
        match command {
            Command::Enroll { version, principal, value: _ } => {
                let value = value.unwrap_or_else(|| SecretValue::new(Vec::new()));
                self.current = Some(Version { version, principal, value });
                self.version_last = version;
                self.schedule(at);
            }
            Command::AcquireLease { rotator, epoch, until }
            | Command::RenewLease { rotator, epoch, until } => {
                self.lease = Lease { rotator, epoch, until };
            }
            Command::Begin { epoch: _, txn, version, principal, value: _, cause: _ } => {
                let value = value.unwrap_or_else(|| SecretValue::new(Vec::new()));
                self.pending = Some(Version { version, principal, value });
                self.version_last = version;
                self.txn = txn;
                self.attempt = Attempt(0);
                self.phase = Phase::Draft;
                self.ordered = false;
                self.quiet_from = at;
            }
            Command::Advance { epoch: _, txn: _, from, to } => self.advance(at, from, to),
            Command::RollBack { txn: _ } => self.roll_back(at),
            Command::Attempt { epoch: _, txn: _, attempt } => self.attempt = attempt,
            Command::Fill { epoch: _, txn: _, attempt: _, principal, value: _ } => {
                if let (Some(pending), Some(value)) = (&mut self.pending, value) {
                    pending.principal = principal;
                    pending.value = value;
                }
            }
            Command::OrderRotation {} => self.ordered = true,
            Command::RaiseFloor { floor } => self.floor = floor,
            Command::Revoke { version, serial } => {
                self.revoked.push(version);
                self.owed.push(version);
                self.serial = serial;
            }
            Command::ConfirmRefused { epoch: _, version } => self.owed.retain(|owed| *owed != version),
            Command::Grant { agent, version, until } => {
                self.holder_mut(agent).grants.push(Grant { version, until });
            }
            Command::Acknowledge { agent, version, serial } => {
                let holder = self.holder_mut(agent);
                holder.grants.retain(|grant| grant.version == version);
                holder.version = version;
                holder.serial = serial;
            }
        }
        true
    }

    fn advance(&mut self, at: Wall, from: Phase, to: Phase) {
        match (from, to) {
            (Phase::Draft, Phase::Staged) => self.quiet_from = at,
            (Phase::Canary, Phase::Promote) => {
                self.previous = self.current.take();
                self.current = self.pending.take();
            }
            (Phase::Retire, Phase::Idle) => {
                let closed = self.previous.take();
                self.close(at, closed);
            }
            (Phase::Discard, Phase::Idle) => {
                let closed = self.pending.take();
                self.close(at, closed);
            }
            _ => {}
        }
        self.phase = to;
    }

    fn roll_back(&mut self, at: Wall) {
        if self.phase == Phase::Draft {
            self.quiet_from = at;
        }
        if matches!(self.phase, Phase::Promote | Phase::Drain) {
            self.pending = self.current.take();
            self.current = self.previous.take();
        }
        self.phase = Phase::Revert;
    }

    /// The rotation closed, and the target was seen to refuse `closed`.
    fn close(&mut self, at: Wall, closed: Option<Version>) {
        if let Some(closed) = closed {
            self.owed.retain(|owed| *owed != closed.version);
        }
        self.schedule(at);
    }

    fn schedule(&mut self, at: Wall) {
        self.due_at = if self.period == Span::ZERO { Wall::MAX } else { at.plus(self.period) };
    }

    fn holder_mut(&mut self, agent: NodeId) -> &mut Holder {
        let index = match self.holders.iter().position(|(node, _)| *node == agent) {
            Some(index) => index,
            None => {
                self.holders.push((agent, Holder::default()));
                self.holders.len() - 1
            }
        };
        &mut self.holders[index].1
    }
}
