//! One secret: its record as the log gives it, and its rows at the target.
//!
//! Invariant: the record is folded from effective entries only (`expected` equals `revision`).

use super::{Grant, Holder, Report};
use tumbler_types::{
    Adapter, Attempt, Cause, Command, Enforcement, Epoch, Fence, Format, Instant, NodeId, Phase, Principal,
    Privileges, Revision, Serial, Step, Tag, TxnId, VersionId, Wall,
};

/// One secret, everywhere.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    // The record.
    pub revision: Revision,
    pub phase: Phase,
    pub txn: TxnId,
    pub current: Option<VersionId>,
    pub previous: Option<VersionId>,
    pub pending: Option<VersionId>,
    /// The last lease given, whether or not it has ended.
    pub lease: Option<Lease>,
    pub serial: Serial,
    /// A rotation was ordered, and none began since. That `current` is revoked makes one due as well: see
    /// [`Slice::is_due`].
    pub ordered: bool,
    /// Nothing below it is spoken or written.
    pub floor: Format,
    /// When the last rotation closed, on the authority's clock; at first, when it was enrolled.
    pub closed_at: Wall,
    /// Since when, on the authority's clock, no record asks for an effect of an earlier transaction;
    /// from the end of `Draft` on, since when none asks for this one's `Set`.
    pub quiet_from: Wall,
    /// True time and cause of the last rotation's beginning.
    pub begun: Option<(Instant, Cause)>,
    /// All versions ever, in the order in which they were begun.
    pub versions: Vec<Version>,
    /// The open attempt at having the pending version's key minted.
    pub attempt: Attempt,
    // The primary's rows.
    /// What each principal accepts.
    pub accepted: [Tag; 2],
    /// What each principal may do, open or not.
    pub privileges: [Privileges; 2],
    /// The last fence that became durable.
    pub fence: Option<Fence>,
    /// The highest fence that a rotator was told of.
    pub promised: Option<Fence>,
    /// The first value put in force under each transaction.
    pub applied: Vec<(TxnId, Tag)>,
    /// The latest transaction of which anything landed, where the last write wins.
    pub landed: TxnId,
    /// Every key that the target ever minted.
    pub minted: Vec<Tag>,
    /// Since when a principal accepts a key that is on no record.
    pub stray: [Option<Instant>; 2],
    // The agents, by ordinal.
    pub holders: Vec<Holder>,
}

/// The right to rotate one secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    pub rotator: NodeId,
    pub epoch: Epoch,
    pub until: Wall,
}

/// One version of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    pub version: VersionId,
    pub principal: Principal,
    pub value: Tag,
    pub revoked: Option<Revocation>,
    /// Revoked, and the target is not yet known to refuse it.
    pub owed: bool,
}

/// When a revocation became durable, in true time, and its serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    pub at: Instant,
    pub serial: Serial,
}

impl Clone for Slice {
    fn clone(&self) -> Self {
        Slice {
            versions: self.versions.clone(),
            applied: self.applied.clone(),
            minted: self.minted.clone(),
            holders: self.holders.clone(),
            ..*self
        }
    }

    /// Keeps its allocations (see [`super::Ledger`]).
    fn clone_from(&mut self, source: &Self) {
        let Slice {
            revision,
            phase,
            txn,
            current,
            previous,
            pending,
            lease,
            serial,
            ordered,
            floor,
            closed_at,
            quiet_from,
            begun,
            versions,
            attempt,
            accepted,
            privileges,
            fence,
            promised,
            applied,
            landed,
            minted,
            stray,
            holders,
        } = source;
        self.revision = *revision;
        self.phase = *phase;
        self.txn = *txn;
        self.current = *current;
        self.previous = *previous;
        self.pending = *pending;
        self.lease = *lease;
        self.serial = *serial;
        self.ordered = *ordered;
        self.floor = *floor;
        self.closed_at = *closed_at;
        self.quiet_from = *quiet_from;
        self.begun = *begun;
        self.versions.clone_from(versions);
        self.attempt = *attempt;
        self.accepted = *accepted;
        self.privileges = *privileges;
        self.fence = *fence;
        self.promised = *promised;
        self.applied.clone_from(applied);
        self.landed = *landed;
        self.minted.clone_from(minted);
        self.stray = *stray;
        self.holders.clone_from(holders);
    }
}

impl Slice {
    pub fn new(agents: u16) -> Self {
        Slice {
            revision: Revision(0),
            phase: Phase::Idle,
            txn: TxnId(0),
            current: None,
            previous: None,
            pending: None,
            lease: None,
            serial: Serial(0),
            ordered: false,
            floor: Format::LOWEST,
            closed_at: Wall::ZERO,
            quiet_from: Wall::ZERO,
            begun: None,
            versions: Vec::new(),
            attempt: Attempt(0),
            accepted: [Tag::NONE; 2],
            privileges: [Privileges::ALL; 2],
            fence: None,
            promised: None,
            applied: Vec::new(),
            landed: TxnId(0),
            minted: Vec::new(),
            stray: [None; 2],
            holders: (0..agents).map(|_| Holder::default()).collect(),
        }
    }

    /// The target minted this, or some version has it.
    pub fn is_known(&self, value: Tag) -> bool {
        self.version_of(value).is_some() || self.minted.contains(&value)
    }

    /// The pending version, if it waits for the key that the target is to mint.
    pub fn unfilled(&self) -> Option<&Version> {
        let pending = self.version(self.pending.filter(|_| self.phase == Phase::Draft)?)?;
        pending.value.is_none().then_some(pending)
    }

    // Recent versions are the ones asked for: all lookups search from the end.

    pub fn version(&self, version: VersionId) -> Option<&Version> {
        self.versions.iter().rev().find(|each| each.version == version)
    }

    /// The version with this value.
    pub fn version_of(&self, value: Tag) -> Option<&Version> {
        self.versions.iter().rev().find(|each| each.value == value)
    }

    pub fn is_revoked(&self, version: VersionId) -> bool {
        self.version(version).is_some_and(|each| each.revoked.is_some())
    }

    pub fn is_owed(&self, version: VersionId) -> bool {
        self.version(version).is_some_and(|each| each.owed)
    }

    /// The primary accepts this version.
    pub fn is_accepted(&self, version: VersionId) -> bool {
        self.version(version)
            .is_some_and(|each| !each.value.is_none() && self.accepted[each.principal.index()] == each.value)
    }

    /// A rotation is wanted by order or because `current` is revoked; by time, the log does not say.
    pub fn is_due(&self) -> bool {
        self.ordered || self.current.is_some_and(|current| self.is_revoked(current))
    }

    /// Labels have moved: `current` is the version rotated to.
    pub fn is_promoted(&self) -> bool {
        match self.phase {
            Phase::Promote | Phase::Drain | Phase::Retire => true,
            Phase::Idle | Phase::Draft | Phase::Staged | Phase::Canary | Phase::Revert | Phase::Discard => {
                false
            }
        }
    }

    /// The version being rotated to, while there is a way back.
    pub fn target_version(&self) -> Option<VersionId> {
        match self.phase {
            Phase::Draft | Phase::Staged | Phase::Canary => self.pending,
            Phase::Promote | Phase::Drain => self.current,
            Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => None,
        }
    }

    /// The version that a rollback would return to, while there is a way back.
    pub fn return_version(&self) -> Option<VersionId> {
        match self.phase {
            Phase::Draft | Phase::Staged | Phase::Canary => self.current,
            Phase::Promote | Phase::Drain => self.previous,
            Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => None,
        }
    }

    /// One effective entry.
    pub(super) fn take(&mut self, now: Instant, at: Wall, command: &Command, agent_first: u16) {
        self.revision = self.revision.next();
        match *command {
            Command::Enroll { version, principal, value } => {
                self.note(version, principal, value);
                self.current = Some(version);
                self.closed_at = at;
                if self.fence.is_none() {
                    self.accepted[principal.index()] = value;
                }
            }
            Command::AcquireLease { rotator, epoch, until }
            | Command::RenewLease { rotator, epoch, until } => {
                self.lease = Some(Lease { rotator, epoch, until });
            }
            Command::Begin { epoch: _, txn, version, principal, value, cause } => {
                self.note(version, principal, value);
                self.txn = txn;
                self.pending = Some(version);
                self.attempt = Attempt(0);
                self.ordered = false;
                self.phase = Phase::Draft;
                self.quiet_from = at;
                self.begun = Some((now, cause));
            }
            Command::Advance { epoch: _, txn: _, from, to } => self.advance(at, from, to),
            Command::RollBack { txn: _ } => {
                if self.phase == Phase::Draft {
                    self.quiet_from = at;
                }
                if self.is_promoted() {
                    self.pending = self.current;
                    self.current = self.previous.take();
                }
                self.phase = Phase::Revert;
            }
            Command::OrderRotation {} => self.ordered = true,
            Command::Attempt { epoch: _, txn: _, attempt } => self.attempt = attempt,
            Command::Fill { epoch: _, txn, attempt: _, principal, value } => {
                self.fill(principal, value);
                self.applied.push((txn, value));
                self.restray(now);
            }
            Command::RaiseFloor { floor } => self.floor = floor,
            Command::Revoke { version, serial } => {
                self.serial = serial;
                if let Some(each) = self.versions.iter_mut().rev().find(|each| each.version == version) {
                    each.revoked.get_or_insert(Revocation { at: now, serial });
                    each.owed = true;
                }
            }
            Command::ConfirmRefused { epoch: _, version } => self.settle(version),
            Command::Grant { agent, version, until } => {
                if let Some(holder) = self.holder_mut(agent, agent_first) {
                    holder.give(Grant { version, until, at: now, ttl: until.since(at), ended: false });
                }
            }
            Command::Acknowledge { agent, version, serial } => {
                if let Some(holder) = self.holder_mut(agent, agent_first) {
                    holder.acknowledge(Report { version, serial });
                }
            }
        }
    }

    fn advance(&mut self, at: Wall, from: Phase, to: Phase) {
        if from == Phase::Draft {
            self.quiet_from = at;
        }
        self.phase = to;
        match to {
            Phase::Promote => {
                self.previous = self.current;
                self.current = self.pending.take();
            }
            Phase::Idle => {
                let closed = if from == Phase::Retire { self.previous.take() } else { self.pending.take() };
                if let Some(version) = closed {
                    self.settle(version);
                }
                self.closed_at = at;
            }
            Phase::Draft
            | Phase::Staged
            | Phase::Canary
            | Phase::Drain
            | Phase::Retire
            | Phase::Revert
            | Phase::Discard => {}
        }
    }

    /// The primary's rows changed.
    pub(super) fn enforce(
        &mut self,
        now: Instant,
        fence: Fence,
        principal: Principal,
        value: Tag,
        adapter: Adapter,
    ) {
        self.fence = Some(fence);
        if adapter.enforcement == Enforcement::LastWriteWins {
            self.landed = self.landed.max(fence.txn);
            // What was promised and is overwritten is owed no longer.
            self.promised = self.promised.min(Some(fence));
        }
        self.accepted[principal.index()] = value;
        if adapter.is_minting() {
            if !value.is_none() {
                self.minted.push(value);
            }
            return self.restray(now);
        }
        // What is put back was another transaction's.
        let is_own = !value.is_none() && fence.step != Step::Restore;
        if is_own && !self.applied.iter().rev().any(|(txn, _)| *txn == fence.txn) {
            self.applied.push((fence.txn, value));
        }
    }

    /// Looks anew which keys are on no record. One that was on none before is so since then.
    pub(super) fn restray(&mut self, now: Instant) {
        for principal in Principal::ALL {
            let key = self.accepted[principal.index()];
            let is_stray = !key.is_none() && self.minted.contains(&key) && self.version_of(key).is_none();
            let since = self.stray[principal.index()].unwrap_or(now);
            self.stray[principal.index()] = is_stray.then_some(since);
        }
    }

    fn fill(&mut self, principal: Principal, value: Tag) {
        let pending = self.pending;
        if let Some(each) = self.versions.iter_mut().rev().find(|each| Some(each.version) == pending) {
            each.principal = principal;
            each.value = value;
        }
    }

    fn note(&mut self, version: VersionId, principal: Principal, value: Tag) {
        self.versions.push(Version { version, principal, value, revoked: None, owed: false });
    }

    fn settle(&mut self, version: VersionId) {
        if let Some(each) = self.versions.iter_mut().rev().find(|each| each.version == version) {
            each.owed = false;
        }
    }

    fn holder_mut(&mut self, agent: NodeId, agent_first: u16) -> Option<&mut Holder> {
        self.holders.get_mut(usize::from(agent.0.checked_sub(agent_first)?))
    }
}
