//! Guards of the log's commands.

use super::{Rules, demand, refuse};
use crate::invariant::Why;
use crate::ledger::{Grant, Holder, Ledger, Slice};
use tumbler_types::{
    Cause, Command, Enforcement, Epoch, NodeId, Phase, Principal, SecretId, Span, Step, TxnId, VersionId,
    Wall,
};

impl Rules {
    /// May this entry take effect at `at` on the authority's clock?
    pub fn allow_command(
        &self,
        ledger: &Ledger,
        secret: SecretId,
        at: Wall,
        command: &Command,
    ) -> Result<(), Why> {
        let Some(slice) = ledger.slice(secret) else {
            return refuse(format_args!("no such secret: {secret}"));
        };
        match *command {
            Command::Enroll { .. } => {
                demand(slice.revision.0 == 0, format_args!("expected genesis, got an enrolled secret"))
            }
            Command::AcquireLease { rotator, epoch, until } => self.acquire(slice, at, rotator, epoch, until),
            Command::RenewLease { rotator, epoch, until } => self.renew(slice, at, rotator, epoch, until),
            Command::Begin { epoch, txn, version, principal, value, cause } => {
                lease_of(slice, epoch)?;
                let is_minting = self.adapter.is_minting();
                demand(
                    value.is_none() == is_minting,
                    format_args!("expected a value to begin with from who mints it, got {value}"),
                )?;
                self.begins(slice, txn, version, principal)?;
                self.wanted(slice, at, cause)
            }
            Command::Advance { epoch, txn, from, to } => {
                lease_of(slice, epoch)?;
                open_txn(slice, txn)?;
                demand(
                    slice.phase == from,
                    format_args!("expected {}, got {}", slice.phase.name(), from.name()),
                )?;
                self.allow_edge(slice, at, from, to)
            }
            Command::Attempt { epoch, txn, attempt } => {
                lease_of(slice, epoch)?;
                open_txn(slice, txn)?;
                unfilled(slice)?;
                let next = slice.attempt.next();
                demand(attempt == next, format_args!("expected {next}, got {attempt}"))
            }
            Command::Fill { epoch, txn, attempt, principal, value } => {
                lease_of(slice, epoch)?;
                open_txn(slice, txn)?;
                unfilled(slice)?;
                let open = slice.attempt;
                demand(attempt == open && open.0 > 0, format_args!("expected {open}, got {attempt}"))?;
                let accepted = slice.accepted[principal.index()];
                let is_right = accepted == value && slice.minted.contains(&value);
                demand(is_right, format_args!("expected a key that the primary accepts, got {value}"))
            }
            Command::RollBack { txn } => roll_back(slice, txn),
            Command::OrderRotation {} => {
                demand(!slice.ordered, format_args!("a rotation is ordered already"))
            }
            Command::RaiseFloor { floor } => demand(
                slice.floor.next() == Some(floor),
                format_args!("expected the format after {}, got {floor}", slice.floor),
            ),
            Command::Revoke { version, serial } => {
                let labelled = [slice.current, slice.previous, slice.pending].contains(&Some(version));
                demand(labelled, format_args!("expected a labelled version to be revoked, got {version}"))?;
                demand(!slice.is_revoked(version), format_args!("{version} is already revoked"))?;
                demand(
                    serial == slice.serial.next(),
                    format_args!("expected serial {}, got {serial}", slice.serial.next()),
                )
            }
            Command::ConfirmRefused { epoch, version } => {
                lease_of(slice, epoch)?;
                demand(slice.is_owed(version), format_args!("nothing is owed for {version}"))?;
                demand(!slice.is_accepted(version), format_args!("the primary still accepts {version}"))
            }
            Command::Grant { agent, version, until } => self.grant(ledger, slice, at, agent, version, until),
            Command::Acknowledge { agent, version, serial } => {
                let Some(holder) = ledger.agent(agent).and_then(|ordinal| slice.holders.get(ordinal)) else {
                    return refuse(format_args!("{agent} is no agent"));
                };
                demand(
                    serial <= slice.serial,
                    format_args!("expected at most serial {}, got {serial}", slice.serial),
                )?;
                reports(holder, version)?;
                let known = holder.acknowledged;
                let is_news = known.version != version || serial > known.serial;
                demand(is_news, format_args!("{version} at {serial} is on record already"))
            }
        }
    }

    /// May the rotation move along this edge?
    pub fn allow_edge(&self, slice: &Slice, at: Wall, from: Phase, to: Phase) -> Result<(), Why> {
        match (from, to) {
            (Phase::Draft, Phase::Staged) => accepts(slice, slice.pending),
            (Phase::Staged, Phase::Canary) => Ok(()),
            (Phase::Canary, Phase::Promote) => self.canaries_done(slice, at),
            (Phase::Promote, Phase::Drain) => accepts(slice, slice.current),
            (Phase::Drain, Phase::Retire) => self.released(slice, at, slice.previous, slice.current),
            (Phase::Revert, Phase::Discard) => self.released(slice, at, slice.pending, slice.current),
            (Phase::Retire, Phase::Idle) => self.closed(slice, at, slice.previous, Step::Retire),
            (Phase::Discard, Phase::Idle) => self.closed(slice, at, slice.pending, Step::Discard),
            (
                Phase::Idle
                | Phase::Draft
                | Phase::Staged
                | Phase::Canary
                | Phase::Promote
                | Phase::Drain
                | Phase::Retire
                | Phase::Revert
                | Phase::Discard,
                _,
            ) => refuse(format_args!("there is no edge from {} to {}", from.name(), to.name())),
        }
    }

    /// Both clocks may be off by ε: the authority waits for two of them. An acknowledgement of another
    /// version ends a grant at once.
    pub fn is_live(&self, grant: &Grant, at: Wall) -> bool {
        !grant.ended && at <= grant.until.plus(self.timing.epsilon.times(2))
    }

    /// The version that the agent with this ordinal should hold; it gets nothing if that is revoked.
    /// A revoked pending version sends a canary agent back to the current one, even before the
    /// rotation is given up.
    pub fn should_hold(&self, slice: &Slice, ordinal: usize) -> Option<VersionId> {
        let is_canary = slice.phase == Phase::Canary && ordinal < usize::from(self.canaries);
        slice.pending.filter(|pending| is_canary && !slice.is_revoked(*pending)).or(slice.current)
    }

    fn acquire(
        &self,
        slice: &Slice,
        at: Wall,
        rotator: NodeId,
        epoch: Epoch,
        until: Wall,
    ) -> Result<(), Why> {
        let before = slice.lease.map_or(Epoch(0), |lease| lease.epoch);
        demand(epoch == before.next(), format_args!("expected epoch {}, got {epoch}", before.next()))?;
        if let Some(lease) = slice.lease {
            let ended = at > lease.until.plus(self.timing.epsilon.times(2))
                || (lease.rotator == rotator && at >= lease.until);
            demand(ended, format_args!("{} holds the lease until {}, at {at}", lease.rotator, lease.until))?;
        }
        self.lasts(at, until)
    }

    fn renew(&self, slice: &Slice, at: Wall, rotator: NodeId, epoch: Epoch, until: Wall) -> Result<(), Why> {
        let Some(lease) = slice.lease else { return refuse(format_args!("there is no lease to renew")) };
        let held = lease.rotator == rotator && lease.epoch == epoch;
        demand(held, format_args!("{rotator} does not hold the lease of {epoch}"))?;
        demand(at <= lease.until, format_args!("the lease ended at {}, renewed at {at}", lease.until))?;
        demand(until > lease.until, format_args!("expected a later end than {}, got {until}", lease.until))?;
        self.lasts(at, until)
    }

    fn lasts(&self, at: Wall, until: Wall) -> Result<(), Why> {
        demand(
            until <= at.plus(self.timing.lease_ttl),
            format_args!("expected a lease of at most {}, got {}", self.timing.lease_ttl, until.since(at)),
        )
    }

    fn wanted(&self, slice: &Slice, at: Wall, cause: Cause) -> Result<(), Why> {
        let wanted = match cause {
            Cause::Due => {
                let period = self.timing.rotation_period;
                period != Span::ZERO && at >= slice.closed_at.plus(period)
            }
            Cause::Order => slice.ordered,
            Cause::Revoked => slice.current.is_some_and(|current| slice.is_revoked(current)),
        };
        demand(wanted, format_args!("no rotation is due by cause {cause:?}"))
    }

    fn grant(
        &self,
        ledger: &Ledger,
        slice: &Slice,
        at: Wall,
        agent: NodeId,
        version: VersionId,
        until: Wall,
    ) -> Result<(), Why> {
        let Some(ordinal) = ledger.agent(agent) else { return refuse(format_args!("{agent} is no agent")) };
        let should = self.should_hold(slice, ordinal);
        demand(should == Some(version), format_args!("expected a grant of {should:?}, got {version}"))?;
        demand(!slice.is_revoked(version), format_args!("{version} is revoked"))?;
        let ttl = self.timing.grant_ttl;
        demand(
            until <= at.plus(ttl),
            format_args!("expected a grant of at most {ttl}, got {}", until.since(at)),
        )?;
        let half = Span(ttl.nanos() / 2);
        let left = slice.holders[ordinal]
            .grant(version)
            .filter(|grant| !grant.ended)
            .map_or(Span::ZERO, |grant| grant.until.since(at));
        demand(left <= half, format_args!("{agent} has {left} left on {version}, more than half"))
    }

    fn begins(&self, slice: &Slice, txn: TxnId, version: VersionId, principal: Principal) -> Result<(), Why> {
        demand(
            slice.phase == Phase::Idle,
            format_args!("a rotation is open, in phase {}", slice.phase.name()),
        )?;
        demand(txn == slice.txn.next(), format_args!("expected {}, got {txn}", slice.txn.next()))?;
        let highest = slice.versions.iter().map(|each| each.version).max().unwrap_or_default();
        demand(version == highest.next(), format_args!("expected {}, got {version}", highest.next()))?;
        let current = slice.current.and_then(|current| slice.version(current));
        let stays = self.adapter.is_single();
        demand(
            current.is_some_and(|current| (current.principal == principal) == stays),
            format_args!("expected the principal that comes after current's, got {principal:?}"),
        )
    }

    /// The closing effect is durable at the primary, and the version refused there. Where the last
    /// write wins, the last one need not be the closing one: what counts is what is in force when
    /// nothing else can land.
    fn closed(&self, slice: &Slice, at: Wall, version: Option<VersionId>, step: Step) -> Result<(), Why> {
        let Some(version) = version else { return refuse(format_args!("a label is missing")) };
        match self.adapter.enforcement {
            Enforcement::Fenced => {
                let restores = self.adapter.is_single() && step == Step::Discard;
                let closes = |last: Step| last == step || (restores && last == Step::Restore);
                let fenced = slice.fence.is_some_and(|fence| fence.txn == slice.txn && closes(fence.step));
                demand(fenced, format_args!("the primary has not applied {step:?} of {}", slice.txn))?;
            }
            Enforcement::LastWriteWins => self.quiet(slice, at)?,
        }
        let is_clean = slice.stray == [None; 2];
        demand(is_clean, format_args!("the primary accepts a key that is on no record"))?;
        demand(!slice.is_accepted(version), format_args!("the primary still accepts {version}"))
    }

    /// Where the last write wins, a transaction closes only when its own `Set` cannot land any more. A
    /// debt needs no such wait: the `Set` of the version that it is about belongs to a transaction
    /// that has closed.
    fn quiet(&self, slice: &Slice, at: Wall) -> Result<(), Why> {
        let end = slice.quiet_from.plus(self.timing.quarantine());
        let quiet = self.adapter.enforcement == Enforcement::Fenced || at >= end;
        demand(quiet, format_args!("the quarantine lasts until {end}, and it is {at}"))
    }

    /// Every canary agent runs the pending version, or nothing at all.
    fn canaries_done(&self, slice: &Slice, at: Wall) -> Result<(), Why> {
        let Some(pending) = slice.pending else { return refuse(format_args!("nothing is pending")) };
        for holder in slice.holders.iter().take(usize::from(self.canaries)) {
            let done = holder.acknowledged.version == pending
                || !holder.grants.iter().any(|grant| self.is_live(grant, at));
            demand(done, format_args!("a canary agent has not acknowledged {pending}"))?;
        }
        Ok(())
    }

    /// No agent can still hold `leaving`: its grant has ended by time or by an acknowledgement of
    /// another version, or `leaving` is revoked.
    fn released(
        &self,
        slice: &Slice,
        at: Wall,
        leaving: Option<VersionId>,
        staying: Option<VersionId>,
    ) -> Result<(), Why> {
        let (Some(leaving), Some(staying)) = (leaving, staying) else {
            return refuse(format_args!("a label is missing"));
        };
        if slice.is_revoked(leaving) {
            return Ok(());
        }
        for holder in &slice.holders {
            demand(
                !holder.grant(leaving).is_some_and(|grant| self.is_live(grant, at)),
                format_args!("an agent may still hold {leaving} and has not acknowledged {staying}"),
            )?;
        }
        Ok(())
    }
}

/// Only a report of a grant on record counts: a heartbeat that was held for long speaks of a grant
/// that an acknowledgement has ended since.
fn reports(holder: &Holder, version: VersionId) -> Result<(), Why> {
    demand(
        holder.grant(version).is_some_and(|grant| !grant.ended),
        format_args!("{version} is not granted to that agent any more"),
    )
}

fn roll_back(slice: &Slice, txn: TxnId) -> Result<(), Why> {
    open_txn(slice, txn)?;
    let (Some(abandoned), Some(version)) = (slice.target_version(), slice.return_version()) else {
        return refuse(format_args!("there is no way back from {}", slice.phase.name()));
    };
    let both = slice.is_revoked(abandoned) && !slice.is_promoted();
    demand(
        !slice.is_revoked(version) || both,
        format_args!("the way back leads to {version}, which is revoked"),
    )
}

fn unfilled(slice: &Slice) -> Result<(), Why> {
    demand(slice.unfilled().is_some(), format_args!("no version waits for a key"))
}

fn lease_of(slice: &Slice, epoch: Epoch) -> Result<(), Why> {
    demand(
        slice.lease.is_some_and(|lease| lease.epoch == epoch),
        format_args!("expected the lease's epoch, got {epoch}"),
    )
}

fn open_txn(slice: &Slice, txn: TxnId) -> Result<(), Why> {
    demand(slice.txn == txn, format_args!("expected {}, got {txn}", slice.txn))
}

/// The primary accepts the version, or it was revoked and need not.
fn accepts(slice: &Slice, version: Option<VersionId>) -> Result<(), Why> {
    let Some(version) = version else { return refuse(format_args!("a label is missing")) };
    demand(
        slice.is_accepted(version) || slice.is_revoked(version),
        format_args!("the primary does not accept {version}"),
    )
}
