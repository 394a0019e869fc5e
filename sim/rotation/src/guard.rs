//! Preconditions: what the authority's front proposes, and what it refuses.
//!
//! Every function here reads applied state and the authority's wall clock, and decides. The margins
//! are 2ε, because both the authority's clock and the holder's may be off by ε.

use crate::settings::Settings;
use crate::slice::{Grant, Holder, Slice, Version};
use tumbler_types::event::OrderKind;
use tumbler_types::{
    Attempt, Command, Enforcement, Epoch, Format, NodeId, Phase, Principal, SecretValue, Serial, Span, Tag,
    TxnId, VersionId, Wall,
};
use tumbler_wire::tag::value_tag;

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Commit this first, with the value that belongs to it.
    Propose(Command, Option<SecretValue>),
    /// The record already shows what was asked for.
    Done,
    Refuse,
}

/// A rotator asks for the lease, or for a longer one.
pub fn lease(
    slice: &Slice,
    settings: &Settings,
    rotator: NodeId,
    at: Wall,
    latest: Option<Wall>,
) -> Decision {
    // Its caller has given up: both clocks may be off by ε.
    if latest.is_some_and(|latest| at > latest.plus(settings.timing.epsilon.times(2))) {
        return Decision::Refuse;
    }
    let (lease, ttl) = (slice.lease, settings.timing.lease_ttl);
    let until = at.plus(ttl);
    let is_mine = lease.rotator == rotator && lease.epoch > Epoch(0);
    if is_mine && at < lease.until {
        // A holder asks at half of its life; by its own, earlier, reckoning. Were the threshold the
        // same here, it would ask again and again for the difference.
        let is_young = lease.until.since(at) > Span(ttl.nanos() / 4 * 3);
        return if is_young {
            Decision::Done
        } else {
            Decision::Propose(Command::RenewLease { rotator, epoch: lease.epoch, until }, None)
        };
    }
    let is_over = lease.epoch == Epoch(0) || at > lease.until.plus(settings.timing.epsilon.times(2));
    if is_mine || is_over {
        let epoch = lease.epoch.next();
        Decision::Propose(Command::AcquireLease { rotator, epoch, until }, None)
    } else {
        Decision::Refuse
    }
}

/// Whether `epoch` is the lease's: the fence check for everything that a rotator commits.
pub fn is_fenced_in(slice: &Slice, rotator: NodeId, epoch: Epoch) -> bool {
    slice.lease.epoch == epoch && slice.lease.rotator == rotator
}

/// A rotator opens a rotation.
pub fn begin(
    slice: &Slice,
    settings: &Settings,
    rotator: NodeId,
    at: Wall,
    (epoch, txn, version): (Epoch, TxnId, VersionId),
    principal: Principal,
    value: SecretValue,
) -> Decision {
    if slice.phase != Phase::Idle && slice.txn == txn && slice.version_last == version {
        return Decision::Done;
    }
    let (Some(cause), Some(current)) = (slice.due(at), &slice.current) else { return Decision::Refuse };
    let is_next = slice.phase == Phase::Idle
        && txn == slice.txn.next()
        && version == slice.version_last.next()
        && principal == settings.next_principal(current.principal);
    // Who mints says who has the value first.
    let is_minting = settings.topology.adapter.is_minting();
    if !is_next || !is_fenced_in(slice, rotator, epoch) || value.is_empty() != is_minting {
        return Decision::Refuse;
    }
    let tag = if is_minting { Tag::NONE } else { value_tag(&value) };
    let begin = Command::Begin { epoch, txn, version, principal, value: tag, cause };
    Decision::Propose(begin, (!is_minting).then_some(value))
}

/// A rotator is about to have a key minted. Repeated, it is refused: under one number there is one
/// mint, and who does not know whether he opened it opens another one.
pub fn attempt(
    slice: &Slice,
    settings: &Settings,
    rotator: NodeId,
    (epoch, txn): (Epoch, TxnId),
    attempt: Attempt,
) -> Decision {
    let is_open = is_unfilled(slice) && slice.txn == txn && attempt == slice.attempt.next();
    if is_open && settings.topology.adapter.is_minting() && is_fenced_in(slice, rotator, epoch) {
        Decision::Propose(Command::Attempt { epoch, txn, attempt }, None)
    } else {
        Decision::Refuse
    }
}

/// A rotator says which key the target minted under the open attempt.
pub fn fill(
    slice: &Slice,
    rotator: NodeId,
    (epoch, txn): (Epoch, TxnId),
    attempt: Attempt,
    (principal, value): (Principal, SecretValue),
) -> Decision {
    if slice.txn != txn || slice.attempt != attempt || attempt == Attempt(0) || value.is_empty() {
        return Decision::Refuse;
    }
    if slice.pending.as_ref().is_some_and(|pending| pending.value == value) {
        return Decision::Done;
    }
    if !is_unfilled(slice) || !is_fenced_in(slice, rotator, epoch) {
        return Decision::Refuse;
    }
    let tag = value_tag(&value);
    Decision::Propose(Command::Fill { epoch, txn, attempt, principal, value: tag }, Some(value))
}

/// The pending version waits for its value.
fn is_unfilled(slice: &Slice) -> bool {
    slice.phase == Phase::Draft && slice.pending.as_ref().is_some_and(|pending| pending.value.is_empty())
}

/// A rotator moves a rotation along an edge.
pub fn advance(
    slice: &Slice,
    settings: &Settings,
    rotator: NodeId,
    at: Wall,
    (epoch, txn): (Epoch, TxnId),
    (from, to): (Phase, Phase),
) -> Decision {
    if slice.txn != txn {
        return Decision::Refuse;
    }
    if slice.phase == to {
        return Decision::Done;
    }
    let is_next = slice.phase == from && next_phase(from) == Some(to);
    let is_quiet = to != Phase::Idle || quarantine_left(slice, settings, at) == Span::ZERO;
    if is_next && is_quiet && is_fenced_in(slice, rotator, epoch) && is_ready(slice, settings, at) {
        Decision::Propose(Command::Advance { epoch, txn, from, to }, None)
    } else {
        Decision::Refuse
    }
}

/// How long a last-write-wins target may still see what the record does not ask for any more: in
/// `Draft` the effects of earlier transactions, later this one's `Set`. Fences need no such wait; nor
/// does, in `Draft`, a key, because what may still come then deletes an earlier one by its name.
pub fn quarantine_left(slice: &Slice, settings: &Settings, at: Wall) -> Span {
    match settings.topology.adapter.enforcement {
        Enforcement::LastWriteWins
            if settings.topology.adapter.is_minting() && slice.phase == Phase::Draft =>
        {
            Span::ZERO
        }
        Enforcement::LastWriteWins if slice.txn > TxnId(0) => {
            slice.quiet_from.plus(settings.timing.quarantine()).since(at)
        }
        Enforcement::LastWriteWins | Enforcement::Fenced => Span::ZERO,
    }
}

/// The phase that a rotator's next step leads to.
pub const fn next_phase(phase: Phase) -> Option<Phase> {
    match phase {
        Phase::Idle => None,
        Phase::Draft => Some(Phase::Staged),
        Phase::Staged => Some(Phase::Canary),
        Phase::Canary => Some(Phase::Promote),
        Phase::Promote => Some(Phase::Drain),
        Phase::Drain => Some(Phase::Retire),
        Phase::Retire | Phase::Discard => Some(Phase::Idle),
        Phase::Revert => Some(Phase::Discard),
    }
}

/// Whether the phase's next edge may be taken, as far as holders are concerned.
pub fn is_ready(slice: &Slice, settings: &Settings, at: Wall) -> bool {
    match slice.phase {
        Phase::Idle => false,
        Phase::Draft => !is_unfilled(slice),
        Phase::Staged | Phase::Promote | Phase::Retire | Phase::Discard => true,
        Phase::Canary => {
            let Some(pending) = &slice.pending else { return false };
            slice.holders.iter().filter(|(agent, _)| settings.is_canary(*agent)).all(|(_, holder)| {
                holder.version == pending.version
                    || !holder.grants.iter().any(|grant| is_live(grant, settings, at))
            })
        }
        Phase::Drain => is_drained(slice, slice.previous.as_ref(), settings, at),
        Phase::Revert => is_drained(slice, slice.pending.as_ref(), settings, at),
    }
}

/// No holder has `leaving` any more: each has acknowledged `current`, or its grant has ended.
fn is_drained(slice: &Slice, leaving: Option<&Version>, settings: &Settings, at: Wall) -> bool {
    let (Some(leaving), Some(current)) = (leaving, &slice.current) else { return false };
    slice.is_revoked(leaving.version)
        || slice.holders.iter().all(|(_, holder)| {
            let holds = |grant: &Grant| grant.version == leaving.version && is_live(grant, settings, at);
            !holder.grants.iter().any(holds) || has_only(holder, current.version)
        })
}

/// The agent acknowledged `version`, and nothing else was granted to it since.
fn has_only(holder: &Holder, version: VersionId) -> bool {
    holder.version == version && holder.grants.iter().all(|grant| grant.version == version)
}

fn is_live(grant: &Grant, settings: &Settings, at: Wall) -> bool {
    at <= grant.until.plus(settings.timing.epsilon.times(2))
}

/// A rotator saw the target refuse a revoked version. A build that names no epoch is believed while
/// its own lease lasts: a version that the target refuses stays refused.
pub fn confirm(
    slice: &Slice,
    rotator: NodeId,
    at: Wall,
    epoch: Option<Epoch>,
    version: VersionId,
) -> Decision {
    let epoch = epoch.or_else(|| (at < slice.lease.until).then_some(slice.lease.epoch));
    if !slice.owed.contains(&version) {
        Decision::Done
    } else if let Some(epoch) = epoch
        && is_fenced_in(slice, rotator, epoch)
    {
        Decision::Propose(Command::ConfirmRefused { epoch, version }, None)
    } else {
        Decision::Refuse
    }
}

/// An operator's order, or a rotator's wish to give up `txn`.
pub fn order(slice: &Slice, order: OrderKind, txn: Option<TxnId>) -> Decision {
    if txn.is_some_and(|txn| txn != slice.txn) {
        return Decision::Refuse;
    }
    match order {
        OrderKind::Rotate if slice.ordered => Decision::Done,
        OrderKind::Rotate => Decision::Propose(Command::OrderRotation {}, None),
        OrderKind::RollBack => roll_back(slice),
        OrderKind::RevokeCurrent => revoke(slice, slice.current.as_ref()),
        OrderKind::RevokePrevious => revoke(slice, slice.previous.as_ref()),
        OrderKind::RevokePending => revoke(slice, slice.pending.as_ref()),
        // Privileges are the target's.
        OrderKind::Restrict | OrderKind::Extend => Decision::Refuse,
        // Whether everyone speaks it, the session knows, and has let the order pass.
        OrderKind::RequireFormat2 | OrderKind::RequireFormat3 => raise_floor(slice, order.floor()),
    }
}

/// By one format at a time: an order names the floor that it wants, so that a repeated one raises
/// nothing twice.
fn raise_floor(slice: &Slice, wanted: Option<Format>) -> Decision {
    match wanted {
        Some(wanted) if slice.floor >= wanted => Decision::Done,
        Some(wanted) if slice.floor.next() == Some(wanted) => {
            Decision::Propose(Command::RaiseFloor { floor: wanted }, None)
        }
        Some(_) | None => Decision::Refuse,
    }
}

fn roll_back(slice: &Slice) -> Decision {
    let Some((forward, back)) = slice.forward_and_back() else { return Decision::Refuse };
    let is_before_promote = matches!(slice.phase, Phase::Draft | Phase::Staged | Phase::Canary);
    let is_lost_anyway = is_before_promote && slice.is_revoked(forward.version);
    if slice.is_revoked(back.version) && !is_lost_anyway {
        return Decision::Refuse;
    }
    Decision::Propose(Command::RollBack { txn: slice.txn }, None)
}

fn revoke(slice: &Slice, version: Option<&Version>) -> Decision {
    match version {
        Some(version) if !slice.is_revoked(version.version) => {
            Decision::Propose(Command::Revoke { version: version.version, serial: slice.serial.next() }, None)
        }
        Some(_) => Decision::Done,
        None => Decision::Refuse,
    }
}

/// The version that an agent should hold now; a revoked one is never given.
pub fn wanted<'s>(slice: &'s Slice, settings: &Settings, agent: NodeId) -> Option<&'s Version> {
    let version = match (slice.phase, &slice.pending) {
        (Phase::Canary, Some(pending)) if settings.is_canary(agent) && !slice.is_revoked(pending.version) => {
            pending
        }
        _ => slice.current.as_ref()?,
    };
    (!slice.is_revoked(version.version)).then_some(version)
}

/// What must be committed before an agent's heartbeat can be answered, if anything.
pub fn heartbeat(
    slice: &Slice,
    settings: &Settings,
    agent: NodeId,
    at: Wall,
    reported: (Grant, Option<Serial>),
) -> Decision {
    let (grant, serial) = (reported.0, reported.1.unwrap_or_default());
    let empty = Holder::default();
    let holder = slice.holder(agent).unwrap_or(&empty);
    // Only a report that names a grant on record counts: a heartbeat that was held for long speaks
    // of a grant that an acknowledgement has ended since.
    if holder.grants.contains(&grant) && (holder.version != grant.version || holder.serial < serial) {
        let serial = serial.max(holder.serial);
        return Decision::Propose(Command::Acknowledge { agent, version: grant.version, serial }, None);
    }
    let Some(version) = wanted(slice, settings, agent) else { return Decision::Done };
    let until = at.plus(settings.timing.grant_ttl);
    let half = Span(settings.timing.grant_ttl.nanos() / 2);
    let is_fresh = |grant: &Grant| grant.version == version.version && grant.until > at.plus(half);
    if holder.grants.iter().any(is_fresh) {
        Decision::Done
    } else {
        Decision::Propose(Command::Grant { agent, version: version.version, until }, None)
    }
}
