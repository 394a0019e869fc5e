//! From a run's ledger to the machine's states: one secret and one agent, the rest left out.
//!
//! It exists so that what runs visited can be counted against what is reachable. Both sides go through
//! the same projection: what a run cannot show (who has seen what, what is on its way) is left out, and
//! each rotation is taken for the first one, its versions renamed.
//!
//! It deliberately projects only targets with two principals and fences, which the machine has, and
//! says nothing where more is revoked than the machine's bounds allow.

use super::{Machine, NOW, Packed, SECRET, State, TTL, live};
use crate::ledger::{Grant, Holder, Lease, Ledger, Report, Revocation, Slice, Stored, Version};
use tumbler_types::{
    Adapter, Fence, NodeId, Phase, Principal, SecretId, Serial, Step, Tag, TxnId, VersionId, Wall,
};

/// The versions that are labelled, as the machine names them.
struct Names {
    /// The one that was current before the rotation, and the one that is rotated to.
    versions: [Option<VersionId>; 2],
    /// The first one lives in green.
    is_swapped: bool,
}

impl Names {
    fn of(slice: &Slice) -> Option<Names> {
        let (first, second) = match slice.phase {
            Phase::Idle => (slice.current, None),
            Phase::Draft | Phase::Staged | Phase::Canary | Phase::Revert | Phase::Discard => {
                (slice.current, slice.pending)
            }
            Phase::Promote | Phase::Drain | Phase::Retire => (slice.previous, slice.current),
        };
        let is_swapped = slice.version(first?)?.principal == Principal::Green;
        Some(Names { versions: [first, second], is_swapped })
    }

    fn version(&self, version: VersionId) -> VersionId {
        let found = self.versions.iter().zip(1..).find(|(known, _)| **known == Some(version));
        VersionId(found.map_or(0, |(_, number)| number))
    }

    fn label(&self, version: Option<VersionId>) -> Option<VersionId> {
        version.map(|version| self.version(version)).filter(|version| version.0 != 0)
    }
}

impl Machine {
    /// Where a run is, as far as this secret and this agent are concerned. None if the machine has no
    /// such state.
    pub fn project(&self, ledger: &Ledger, secret: SecretId, agent: usize) -> Option<Packed> {
        let slice = ledger.slice(secret)?;
        if ledger.adapter() != Adapter::default() {
            return None;
        }
        let names = Names::of(slice)?;
        let mut state = self.initial().clone();
        let serials = serials(slice, &names);
        if serials.len() > usize::from(self.limits.revocations) {
            return None;
        }
        let holder = project_holder(ledger, slice.holders.get(agent)?, &names, &serials);
        let own = state.slice_mut();
        own.phase = slice.phase;
        own.txn = TxnId(u32::from(slice.phase != Phase::Idle));
        own.current = names.label(slice.current);
        own.previous = names.label(slice.previous);
        own.pending = names.label(slice.pending);
        own.lease =
            slice.lease.map(|lease| Lease { rotator: NodeId(1), epoch: lease.epoch, until: Wall::ZERO });
        own.serial = Serial(serials.len() as u32);
        own.versions = versions(slice, &names, &serials)?;
        own.accepted = accepted(slice, &names);
        own.fence = fence(slice, &names);
        let is_applied = slice.phase != Phase::Idle && slice.applied.iter().any(|(txn, _)| *txn == slice.txn);
        own.applied = if is_applied { vec![(TxnId(1), Tag(2))] } else { Vec::new() };
        *own.holders.first_mut()? = holder;
        state.canonize(false);
        Some(self.pack(&state))
    }

    /// The same of a state of its own.
    pub fn project_state(&self, state: &State) -> Option<Packed> {
        self.project(&state.ledger, SECRET, 0)
    }
}

/// Serials of the revocations of labelled versions, rising.
fn serials(slice: &Slice, names: &Names) -> Vec<Serial> {
    let labelled = names.versions.iter().flatten().filter_map(|version| slice.version(*version));
    let mut serials: Vec<Serial> = labelled.filter_map(|each| each.revoked).map(|each| each.serial).collect();
    serials.sort_unstable();
    serials
}

/// How many of these an agent has heard of.
fn heard(serial: Serial, serials: &[Serial]) -> Serial {
    Serial(serials.iter().filter(|each| **each <= serial).count() as u32)
}

fn versions(slice: &Slice, names: &Names, serials: &[Serial]) -> Option<Vec<Version>> {
    let mut versions = Vec::new();
    for (version, number) in names.versions.iter().flatten().zip(1u32..) {
        let each = slice.version(*version)?;
        let principal = if names.is_swapped { each.principal.other() } else { each.principal };
        let revoked = each.revoked.map(|at| Revocation { at: NOW, serial: heard(at.serial, serials) });
        let (version, value) = (VersionId(number), Tag(u64::from(number)));
        versions.push(Version { version, principal, value, revoked, owed: each.owed });
    }
    Some(versions)
}

/// A value of no labelled version is one that the machine does not have, and stays visible as that.
fn accepted(slice: &Slice, names: &Names) -> [Tag; 2] {
    let mut accepted = [Tag::NONE; 2];
    for principal in Principal::ALL {
        let value = slice.accepted[principal.index()];
        let own = if names.is_swapped { principal.other() } else { principal };
        let number = slice.version_of(value).map_or(0, |version| names.version(version.version).0);
        accepted[own.index()] = match number {
            _ if value.is_none() => Tag::NONE,
            0 => STRANGER,
            number => Tag(u64::from(number)),
        };
    }
    accepted
}

/// What earlier rotations fenced does not matter to this one; but a revoked version that they closed was
/// closed at rest, as far as the first rotation can tell.
fn fence(slice: &Slice, names: &Names) -> Option<Fence> {
    let Fence { epoch, txn, step } = slice.fence?;
    let is_open = slice.phase != Phase::Idle;
    if is_open && txn == slice.txn {
        return Some(Fence { epoch, txn: TxnId(1), step });
    }
    let is_between =
        step == Step::DisableCurrent && (!is_open && txn == slice.txn || txn.next() == slice.txn);
    let first = names.versions[0].and_then(|version| slice.version(version))?;
    let was_closed = first.revoked.is_some() && !slice.is_accepted(first.version);
    (is_between || was_closed).then_some(Fence { epoch, txn: TxnId(0), step: Step::DisableCurrent })
}

fn project_holder(ledger: &Ledger, holder: &Holder, names: &Names, serials: &[Serial]) -> Holder {
    // By the authority's wall clock on either side: what an agent stored ends when its grant does.
    let is_live = |grant: &&Grant| grant.until > Wall::at(ledger.now, 0);
    let named = |grant: &Grant| Grant {
        version: names.version(grant.version),
        until: live(),
        at: NOW,
        ttl: TTL,
        ended: grant.ended,
    };
    let grants: Vec<Grant> =
        holder.grants.iter().filter(is_live).map(named).filter(|grant| grant.version.0 != 0).collect();
    let report = |version: VersionId, serial: Serial| Report {
        version: names.version(version),
        serial: heard(serial, serials),
    };
    // A report of what an earlier rotation knew is none.
    let acknowledged = report(holder.acknowledged.version, holder.acknowledged.serial);
    let Stored { version, serial, until } = holder.stored;
    let stored = report(version, serial);
    // Its own record ends with the grant that it was stored under.
    let is_serving = until > Wall::at(ledger.now, 0);
    let until = if is_serving && stored.version.0 != 0 { live() } else { Wall::ZERO };
    Holder {
        grants,
        acknowledged: if acknowledged.version.0 == 0 { Report::default() } else { acknowledged },
        stored: Stored { version: stored.version, serial: stored.serial, until },
        told: Report::default(),
    }
}

/// The value of no version that the machine could name here.
const STRANGER: Tag = Tag(15);
