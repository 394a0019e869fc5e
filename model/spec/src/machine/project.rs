//! From a run's ledger to the machine's states: one secret and one agent, the rest left out.
//!
//! It exists so that what runs visited can be counted against what is reachable. Both sides go through
//! the same projection: what a run cannot show (who has seen what, what is on its way) is left out, and
//! each rotation is taken for the first one, its versions renamed.
//!
//! It deliberately projects only targets with two principals and fences, which the machine has, and
//! says nothing where more is revoked than the machine's bounds allow.

use super::{Machine, NOW, Packed, SECRET, State, TTL, live, stopped};
use crate::ledger::{Grant, Holder, Lease, Ledger, Report, Revocation, Slice, Stored, Version};
use tumbler_types::{
    Adapter, Event, Fence, Format, NodeId, Phase, Principal, SecretId, Serial, Span, Step, Tag, TxnId,
    VersionId, Wall,
};

/// The event may change what a projection shows; time does, too, and is no event.
pub const fn is_shown(event: &Event) -> bool {
    matches!(
        event,
        Event::Committed { .. }
            | Event::Enforced { .. }
            | Event::TargetRecovered { .. }
            | Event::Stored { .. }
            | Event::AgentRecovered { .. }
    )
}

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
    /// Where a run is, as far as this secret and this agent are concerned, the agent's clock being true. None
    /// if the machine has no such state. `epsilon` is the run's.
    pub fn project(&self, ledger: &Ledger, secret: SecretId, agent: usize, epsilon: Span) -> Option<Packed> {
        self.projected(ledger, secret, agent, Some(epsilon))
    }

    /// The same of a state of its own.
    pub fn project_state(&self, state: &State, agent: usize) -> Option<Packed> {
        self.projected(&state.ledger, SECRET, agent, None)
    }

    /// Without an epsilon: what ends has ended by name, and not by a clock.
    fn projected(
        &self,
        ledger: &Ledger,
        secret: SecretId,
        agent: usize,
        epsilon: Option<Span>,
    ) -> Option<Packed> {
        let slice = ledger.slice(secret)?;
        if ledger.adapter() != Adapter::default() || epsilon.is_some() && slice.floor < WHOLE {
            return None;
        }
        let names = Names::of(slice)?;
        let mut state = self.initial().clone();
        let serials = serials(slice, &names);
        if serials.len() > usize::from(self.limits.revocations) {
            return None;
        }
        let holder = project_holder(slice.holders.get(agent)?, &names, &serials, ledger, epsilon);
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

fn project_holder(
    holder: &Holder,
    names: &Names,
    serials: &[Serial],
    ledger: &Ledger,
    epsilon: Option<Span>,
) -> Holder {
    let Some(epsilon) = epsilon else {
        return renamed(holder, names, serials, |_| true, holder.stored.until);
    };
    // The authority waits, as `rule` has it, by its own clock.
    let is_live = |grant: &Grant| ledger.authority_now() <= grant.until.plus(epsilon.times(2));
    // And the agent stops early.
    let Stored { version, until, .. } = holder.stored;
    let is_serving = Wall::at(ledger.now, 0) < until.minus(epsilon);
    // A grant that was given anew is not the one that it was stored under.
    let is_same = |grant: &Grant| grant.version == version && grant.until <= until.plus(epsilon.times(2));
    let is_granted = holder.grants.iter().any(|grant| is_live(grant) && is_same(grant));
    let until = match is_serving {
        true => live(),
        false if is_granted => stopped(),
        false => Wall::ZERO,
    };
    renamed(holder, names, serials, is_live, until)
}

/// The holder in the machine's names, with the grants that are live, and its record until then.
fn renamed(
    holder: &Holder,
    names: &Names,
    serials: &[Serial],
    is_live: impl Fn(&Grant) -> bool,
    until: Wall,
) -> Holder {
    let named = |grant: &Grant| Grant {
        version: names.version(grant.version),
        until: live(),
        at: NOW,
        ttl: TTL,
        ended: grant.ended,
    };
    let live_grants = holder.grants.iter().filter(|grant| is_live(grant));
    let grants: Vec<Grant> = live_grants.map(named).filter(|grant| grant.version.0 != 0).collect();
    let report = |version: VersionId, serial: Serial| Report {
        version: names.version(version),
        serial: heard(serial, serials),
    };
    // A report of what an earlier rotation knew is none.
    let acknowledged = report(holder.acknowledged.version, holder.acknowledged.serial);
    let stored = report(holder.stored.version, holder.stored.serial);
    let until = if stored.version.0 == 0 { Wall::ZERO } else { until };
    Holder {
        grants,
        acknowledged: if acknowledged.version.0 == 0 { Report::default() } else { acknowledged },
        stored: Stored { version: stored.version, serial: stored.serial, until },
        told: Report::default(),
    }
}

/// An older format has no serials: what its speakers were told is not what the machine tells.
const WHOLE: Format = Format(2);

/// The value of no version that the machine could name here.
const STRANGER: Tag = Tag(15);
