//! The external effect that a record makes necessary, and what the primary does with it.

use super::{Rules, demand, refuse};
use crate::invariant::Why;
use crate::ledger::{Slice, Version};
use tumbler_types::{Enforcement, Epoch, Fence, Instant, Phase, Principal, Step, Tag, VersionId};

/// One change of one of the primary's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Effect {
    pub fence: Fence,
    pub principal: Principal,
    /// None closes the principal.
    pub value: Tag,
}

impl Rules {
    /// The effect that whoever holds the lease may send now. Intent before effect: it follows from
    /// the durable record and from nothing else.
    pub fn effect(&self, slice: &Slice) -> Option<Effect> {
        let (step, version) = self.work(slice)?;
        let Version { principal, value, .. } = *slice.version(version)?;
        // A key is minted under an open attempt, and never put back.
        let may_mint = slice.unfilled().is_some() && slice.attempt.0 > 0;
        if self.adapter.is_minting() && step == Step::Set && !may_mint {
            return None;
        }
        let fence = Fence { epoch: slice.lease?.epoch, txn: slice.txn, step };
        let value = match step {
            Step::Set | Step::Restore => value,
            Step::DisablePrevious | Step::Retire if self.adapter.is_single() => value,
            Step::DisablePrevious | Step::Retire | Step::Discard | Step::DisableCurrent | Step::Reap => {
                Tag::NONE
            }
        };
        Some(Effect { fence, principal, value })
    }

    /// The step, and the version that it writes or whose principal it closes. One principal has one
    /// value: there a version is withdrawn by writing the one that stays, with a higher fence.
    fn work(&self, slice: &Slice) -> Option<(Step, VersionId)> {
        if self.adapter.is_single() { self.work_of_one(slice) } else { self.work_of_two(slice) }
    }

    fn work_of_one(&self, slice: &Slice) -> Option<(Step, VersionId)> {
        let current = slice.current?;
        match slice.phase {
            Phase::Idle => slice.is_owed(current).then_some((Step::DisableCurrent, current)),
            Phase::Draft => slice.pending.map(|version| (Step::Set, version)),
            Phase::Staged | Phase::Canary | Phase::Promote | Phase::Drain => {
                let (stays, leaves) = (slice.target_version()?, slice.return_version()?);
                slice.is_owed(leaves).then_some((Step::DisablePrevious, stays))
            }
            Phase::Retire => Some((Step::Retire, current)),
            Phase::Revert | Phase::Discard if !slice.is_revoked(current) => Some((Step::Restore, current)),
            Phase::Revert => slice.is_owed(current).then_some((Step::Discard, current)),
            Phase::Discard => Some((Step::Discard, current)),
        }
    }

    fn work_of_two(&self, slice: &Slice) -> Option<(Step, VersionId)> {
        match slice.phase {
            Phase::Draft => slice.pending.map(|version| (Step::Set, version)),
            Phase::Staged | Phase::Canary | Phase::Promote | Phase::Drain => {
                let other = slice.return_version()?;
                slice.is_owed(other).then_some((Step::DisablePrevious, other))
            }
            Phase::Retire => slice.previous.map(|version| (Step::Retire, version)),
            Phase::Discard => slice.pending.map(|version| (Step::Discard, version)),
            Phase::Idle => {
                let current = slice.current?;
                slice.is_owed(current).then_some((Step::DisableCurrent, current))
            }
            // The version that was returned to may be revoked while holders still drain.
            Phase::Revert => {
                let current = slice.current?;
                slice.is_owed(current).then_some((Step::DisablePrevious, current))
            }
        }
    }

    /// May the primary make this change durable, at `now`? `issued`: all that any record ever made
    /// necessary and that is not fenced off.
    pub fn allow_enforce(
        &self,
        slice: &Slice,
        issued: &[Effect],
        effect: Effect,
        now: Instant,
    ) -> Result<(), Why> {
        match self.adapter.enforcement {
            Enforcement::Fenced => {
                if let Some(last) = slice.fence {
                    demand(
                        effect.fence > last,
                        format_args!("expected a fence above {last} to be enforced, got {}", effect.fence),
                    )?;
                }
            }
            Enforcement::LastWriteWins if self.adapter.is_minting() => {
                return allow_key(slice, issued, effect);
            }
            Enforcement::LastWriteWins => self.waited(slice, effect.fence, now)?,
        }
        match issued.iter().rev().find(|each| each.fence == effect.fence) {
            None => refuse(format_args!("no record ever made {} necessary", effect.fence)),
            Some(each) => demand(
                *each == effect,
                format_args!(
                    "expected {:?} to accept {}, got {:?} with {}",
                    each.principal, each.value, effect.principal, effect.value
                ),
            ),
        }
    }

    /// Where the last write wins, a transaction's first effect leaves when nothing of an earlier one
    /// can land any more. By true time this is at least an actor's lifetime after `Begin`.
    fn waited(&self, slice: &Slice, fence: Fence, now: Instant) -> Result<(), Why> {
        let begun = slice.begun.map_or(Instant::ZERO, |(at, _)| at);
        let first = begun.plus(self.timing.actor_lifetime);
        let waited = fence.step != Step::Set || fence.txn != slice.txn || now >= first;
        demand(waited, format_args!("expected {} to wait until {first} with its first effect", fence.txn))
    }

    /// May the primary say that this is applied? Only the last fence is answered from the record.
    pub fn allow_promise(&self, slice: &Slice, fence: Fence) -> Result<(), Why> {
        demand(
            slice.fence == Some(fence),
            format_args!("expected the last enforced fence to be promised, got {fence}"),
        )
    }
}

/// A target that mints: who asks gets a fresh key while there is room, and any key is deleted by its
/// name. Asked for must be what a record made necessary; a key that no version has may go at any time,
/// because the record takes no value that the target does not accept.
fn allow_key(slice: &Slice, issued: &[Effect], effect: Effect) -> Result<(), Why> {
    let Effect { fence, principal, value } = effect;
    let before = slice.accepted[principal.index()];
    let asked = |each: &&Effect| each.fence == fence;
    if !value.is_none() {
        demand(
            before.is_none(),
            format_args!("expected a free place for a key, {principal:?} has {before}"),
        )?;
        demand(!slice.is_known(value), format_args!("expected a fresh key, got {value}"))?;
        let is_asked = fence.step == Step::Set && issued.iter().any(|each| asked(&each));
        return demand(is_asked, format_args!("no record ever made {fence} necessary"));
    }
    let Some(version) = slice.version_of(before) else {
        let epoch = slice.lease.map_or(Epoch(0), |lease| lease.epoch);
        let is_lent = fence.epoch > Epoch(0) && fence.epoch <= epoch && fence.txn == slice.txn;
        let is_reaped = fence.step == Step::Reap && is_lent;
        return demand(is_reaped, format_args!("expected a key of no version to be reaped, got {fence}"));
    };
    let is_asked = issued
        .iter()
        .rev()
        .filter(asked)
        .any(|each| each.principal == version.principal && each.value.is_none());
    demand(
        is_asked && !matches!(fence.step, Step::Set | Step::Reap),
        format_args!("no record ever made it necessary to delete {}", version.version),
    )
}
