//! What one agent may hold, holds, and has said that it holds, for one secret.
//!
//! It deliberately keeps the authority's record (grants, the recorded acknowledgement) apart from
//! the agent's own (stored, told): invariants compare the two.

use tumbler_types::{Instant, Serial, Span, VersionId, Wall};

/// One agent and one secret.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The authority's grants, one per version, the latest granted last.
    pub grants: Vec<Grant>,
    /// What the log says that the agent acknowledged last.
    pub acknowledged: Report,
    /// The agent's durable record.
    pub stored: Stored,
    /// What the agent said last that it had stored.
    pub told: Report,
}

/// Permission to hold one version until an instant of the authority's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    pub version: VersionId,
    pub until: Wall,
    /// True time at which it became durable.
    pub at: Instant,
    /// How long it was given for.
    pub ttl: Span,
    /// The agent acknowledged another version since: it does not hold this one any more.
    pub ended: bool,
}

/// A version and a revocation serial, as acknowledged. Version 0 means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Report {
    pub version: VersionId,
    pub serial: Serial,
}

/// An agent's durable record. Version 0 means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stored {
    pub version: VersionId,
    pub serial: Serial,
    pub until: Wall,
}

impl Clone for Holder {
    fn clone(&self) -> Self {
        Holder { grants: self.grants.clone(), ..*self }
    }

    /// Keeps its allocation (see [`super::Ledger`]).
    fn clone_from(&mut self, source: &Self) {
        let Holder { grants, acknowledged, stored, told } = source;
        self.grants.clone_from(grants);
        (self.acknowledged, self.stored, self.told) = (*acknowledged, *stored, *told);
    }
}

impl Holder {
    /// The latest grant on `version`.
    pub fn grant(&self, version: VersionId) -> Option<&Grant> {
        self.grants.iter().rev().find(|grant| grant.version == version)
    }

    pub(super) fn give(&mut self, grant: Grant) {
        self.grants.retain(|each| each.version != grant.version);
        self.grants.push(grant);
    }

    /// An agent holds one version: acknowledging it ends the grants of all others.
    pub(super) fn acknowledge(&mut self, report: Report) {
        self.acknowledged = report;
        for grant in &mut self.grants {
            grant.ended |= grant.version != report.version;
        }
    }

    pub(super) fn recover(&mut self, version: VersionId, serial: Serial) {
        let until = if self.stored.version == version { self.stored.until } else { Wall::ZERO };
        self.stored = Stored { version, serial, until };
    }
}
