//! Planted flaws of the machine: each must break a named property.

/// One flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// The target enforces whatever arrives.
    IgnoreFence,
    /// A rotator whose call has no known outcome generates a second value.
    RegenerateOnUnknown,
    /// The previous version is closed at the target while the record says `Drain`.
    EffectBeforeIntent,
    /// `Drain → Retire` waits for nobody.
    RetireEarly,
    /// `Revert → Discard` waits for nobody.
    DiscardEarly,
    /// A rotation that was given up is closed without an effect at the target.
    CloseUnfenced,
    /// An outcome that is not known counts as applied.
    SkipQuery,
    /// The target answers before its write is durable.
    PromiseEarly,
    /// An agent acknowledges what it is about to store.
    AcknowledgeEarly,
    /// The authority records a report whatever grant it names.
    RecordStale,
    /// The authority grants revoked versions.
    GrantRevoked,
    /// An agent hands out past the end of its grant.
    ServeExpired,
    /// The authority closes a debt that nobody saw settled.
    ForgiveDebt,
}

impl Mutation {
    pub const ALL: [Mutation; 13] = [
        Mutation::IgnoreFence,
        Mutation::RegenerateOnUnknown,
        Mutation::EffectBeforeIntent,
        Mutation::RetireEarly,
        Mutation::DiscardEarly,
        Mutation::CloseUnfenced,
        Mutation::SkipQuery,
        Mutation::PromiseEarly,
        Mutation::AcknowledgeEarly,
        Mutation::RecordStale,
        Mutation::GrantRevoked,
        Mutation::ServeExpired,
        Mutation::ForgiveDebt,
    ];
}
