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
    /// Once labels have moved, nobody may give up.
    NoRollbackAfterPromote,
    /// The target applies first and notes the fence after: a repeated request is enforced again.
    RepeatEnforced,
    /// The way back is closed at the target before any record says that it is revoked.
    RevokeBeforeIntent,
    /// `Canary → Promote` waits for no canary agent.
    PromoteUntried,
    /// `Retire → Idle` is taken whether or not the target shows it.
    RetireUnseen,
    /// Nobody asks the target to close the previous version.
    RetireUnsent,
    /// While a rotation is given up, agents are given nothing.
    RevertGivesNothing,
    /// In `Canary` every agent is given the pending version.
    GrantToAll,
    /// The pending version is given to canary agents in `Staged`.
    GrantEarly,
    /// Giving a rotation up forgets what is owed.
    ForgetDebts,
    /// The abandoned version is closed before its holders have left it.
    DiscardInRevert,
    /// `Retire` closes the principal of the version that stays.
    RetireWrongOne,
    /// A rotation may be given up for a version that is revoked.
    RollBackToRevoked,
    /// The authority takes a grant to be over at its end, whatever an agent's clock shows.
    SkewForgotten,
    /// The target's disk loses a row.
    TargetForgets,
    /// A rotation that was given up sets its value once more instead of closing it.
    SetInDiscard,
    /// The authority compares the epoch of a request with one that it reads anew: whoever holds the lease
    /// by then is taken for its sender.
    CompareReread,
}

impl Mutation {
    pub const ALL: [Mutation; 30] = [
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
        Mutation::NoRollbackAfterPromote,
        Mutation::RepeatEnforced,
        Mutation::RevokeBeforeIntent,
        Mutation::PromoteUntried,
        Mutation::RetireUnseen,
        Mutation::RetireUnsent,
        Mutation::RevertGivesNothing,
        Mutation::GrantToAll,
        Mutation::GrantEarly,
        Mutation::ForgetDebts,
        Mutation::DiscardInRevert,
        Mutation::RetireWrongOne,
        Mutation::RollBackToRevoked,
        Mutation::SkewForgotten,
        Mutation::TargetForgets,
        Mutation::SetInDiscard,
        Mutation::CompareReread,
    ];
}
