//! What a node believes, held against what has become true.
//!
//! An agent shows its view in each heartbeat and each hand-out, a target in each login and each answer, and
//! the monitor compares those as they come. The authority shows its own in its answers to rotators, who act
//! on it: so it is compared too, whenever nothing of the log is under way, once per entry. A cached record
//! that missed an entry is found here, and not only by what a rotator makes of it.
//!
//! It deliberately compares no time that is left: that is the node's own arithmetic, and the rules judge
//! what follows from it.

use crate::invariant::Why;
use crate::ledger::Slice;
use std::fmt::Debug;
use tumbler_types::{
    Attempt, Epoch, LogIndex, NodeId, Phase, Principal, Revision, SecretId, TxnId, VersionId,
};

/// One secret's record, as the authority told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    pub secret: SecretId,
    /// The log position that it reflects.
    pub index: LogIndex,
    pub revision: Revision,
    pub phase: Phase,
    pub txn: TxnId,
    /// Of the last lease given, and who had it; none at epoch 0.
    pub epoch: Epoch,
    pub holder: NodeId,
    pub current: Option<(VersionId, Principal)>,
    pub previous: Option<(VersionId, Principal)>,
    pub pending: Option<(VersionId, Principal)>,
    pub revoked: Vec<VersionId>,
    pub owed: Vec<VersionId>,
    pub attempt: Attempt,
}

/// The record is the one that the log gives.
pub(crate) fn agrees(slice: &Slice, view: &RecordView) -> Result<(), Why> {
    let RecordView { secret: _, index: _, revision, phase, txn, epoch, holder, attempt, .. } = view;
    same("revision", slice.revision, *revision)?;
    same("phase", slice.phase, *phase)?;
    same("transaction", slice.txn, *txn)?;
    let lease = slice.lease.map_or((Epoch(0), *holder), |lease| (lease.epoch, lease.rotator));
    same("lease", lease, (*epoch, *holder))?;
    let labelled = |version: Option<VersionId>| {
        let version = slice.version(version?)?;
        Some((version.version, version.principal))
    };
    same("current", labelled(slice.current), view.current)?;
    same("previous", labelled(slice.previous), view.previous)?;
    same("pending", labelled(slice.pending), view.pending)?;
    same("attempt", slice.attempt, *attempt)?;
    let of = |is: fn(&crate::ledger::Version) -> bool| {
        let versions = slice.versions.iter().filter(|each| is(each)).map(|each| each.version);
        versions.collect::<Vec<VersionId>>()
    };
    let sorted = |versions: &[VersionId]| {
        let mut versions = versions.to_vec();
        versions.sort_unstable();
        versions
    };
    same("revoked versions", of(|each| each.revoked.is_some()), sorted(&view.revoked))?;
    same("debts", of(|each| each.owed), sorted(&view.owed))
}

fn same<T: PartialEq + Debug>(what: &str, expected: T, got: T) -> Result<(), Why> {
    if expected == got { Ok(()) } else { Err(Why(format!("{what}: expected {expected:?}, got {got:?}"))) }
}
