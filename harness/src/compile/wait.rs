//! Letting time pass: a grant ends, and meanwhile nothing else happens but that a lease is kept.

use super::End;
use super::evidence::{Cast, is_rotators};
use super::realize::{ATTEMPTS, Compiler, GAP, WINDOW, unrealizable};
use tumbler_spec::ledger::{Grant, Ledger, Slice};
use tumbler_spec::machine::{Action, State};
use tumbler_types::{Command, Event, Instant, Observed, SecretId, Span};

impl Compiler<'_> {
    /// Two grants of one agent end as far apart as they are given: what the path does between the ends must
    /// have its time.
    pub(super) fn spread(&mut self, agent: u8, next: &State, cast: Cast, rest: &[Action]) -> Result<(), End> {
        let (old, new) = (self.state.holder(agent).grants.len(), next.holder(agent).grants.len());
        if old == 0 || new <= old || !rest.contains(&Action::ExpireGrant { agent }) {
            return Ok(());
        }
        let later = self.now.plus(self.draft.timing().lease_ttl).plus(SPREAD);
        self.keep_lease(later, cast)?;
        self.now = self.now.max(later);
        Ok(())
    }

    /// When the agent stops handing out what it has stored.
    pub(super) fn stops(&self, agent: u8, ledger: &Ledger) -> Option<Instant> {
        let slice = ledger.slice(SecretId(0)).expect("there is one secret");
        let until = slice.holders[usize::from(agent)].stored.until;
        Some(until.minus(self.draft.timing().epsilon).true_instant())
    }

    /// When the agent's oldest grant is over for the authority.
    pub(super) fn expires(&self, agent: u8, ledger: &Ledger) -> Option<Instant> {
        let slice = ledger.slice(SecretId(0)).expect("there is one secret");
        let until = self.oldest(agent, slice)?.until;
        Some(until.plus(self.draft.timing().epsilon.times(2)).true_instant())
    }

    /// Time passes: nobody does anything until then.
    pub(super) fn wait(
        &mut self,
        end: Option<Instant>,
        next: &State,
        ledger: &Ledger,
        cast: Cast,
        rest: &[Action],
    ) -> Result<(), End> {
        let Some(end) = end else {
            return unrealizable("there is no grant that could end".to_owned());
        };
        if rest
            .iter()
            .find(|action| is_rotators(**action))
            .is_some_and(|action| !matches!(action, Action::Acquire { .. }))
        {
            self.keep_lease(end, cast)?;
        }
        for _ in 0..ATTEMPTS {
            let trace = self.probe(end);
            match self.before(&trace, end, ledger) {
                Some(ahead) => self.prevent(&trace, ahead)?,
                None => return self.ended(&trace, end, next),
            }
        }
        unrealizable("something else comes first, again and again".to_owned())
    }

    /// The grant of the run that the machine calls the agent's oldest: one that has ended, and that nobody
    /// holds, it has forgotten.
    pub(super) fn oldest<'s>(&self, agent: u8, slice: &'s Slice) -> Option<&'s Grant> {
        let version = self.state.holder(agent).grants.first()?.version;
        let grants = &slice.holders[usize::from(agent)].grants;
        let epsilon = self.draft.timing().epsilon;
        let over = |grant: &Grant| grant.until.plus(epsilon.times(2)).true_instant();
        grants.iter().find(|grant| grant.version == version && over(grant) >= self.now)
    }

    /// The first event after `now` and before `end` that changes what a run shows.
    pub(super) fn before(&self, trace: &[Observed], end: Instant, ledger: &Ledger) -> Option<Observed> {
        let old = self.shown(ledger);
        let mut after = Ledger::new(self.draft.topology());
        trace.iter().copied().find(|observed| {
            after.fold(observed);
            observed.at > self.now && observed.at < end && self.shown(&after) != old
        })
    }

    /// Something has ended, by a clock.
    pub(super) fn ended(&mut self, trace: &[Observed], end: Instant, next: &State) -> Result<(), End> {
        let mut after = self.fold(trace);
        after.now = end.plus(Span(1));
        let (here, new) = (self.shown(&after), self.meant(next));
        if here != new {
            return Err(End::Diverged { differences: self.differences(&new, &here) });
        }
        self.now = end.plus(Span(1));
        Ok(())
    }

    /// While the path waits, the holder goes on holding the lease, and does nothing else.
    pub(super) fn keep_lease(&mut self, until: Instant, cast: Cast) -> Result<(), End> {
        for _ in 0..LEASES {
            let ledger = self.ledger();
            let slice = ledger.slice(SecretId(0)).expect("there is one secret");
            let Some(lease) = slice.lease else { return Ok(()) };
            let ttl = self.draft.timing().lease_ttl;
            let end = lease.until.true_instant();
            if end > until.plus(Span(ttl.nanos() / 2)) {
                return Ok(());
            }
            let at = self.now.plus(GAP).max(end.minus(Span(ttl.nanos() / 3)));
            self.draft.open(cast.rotator, at);
            let old = self.shown(&ledger);
            let trace = self.probe(at.plus(WINDOW));
            let mut after = Ledger::new(self.draft.topology());
            let mut renewed = None;
            for observed in &trace {
                after.fold(observed);
                if observed.at <= self.now {
                    continue;
                }
                if matches!(observed.event, Event::Committed { command: Command::RenewLease { .. }, .. }) {
                    renewed = Some(observed.at);
                    break;
                }
                if self.shown(&after) != old {
                    break;
                }
            }
            let Some(renewed) = renewed else {
                return unrealizable("the lease ends while the path waits".to_owned());
            };
            self.now = renewed;
            self.draft.close(cast.rotator, renewed);
        }
        unrealizable("the lease is not kept".to_owned())
    }
}

/// Between the ends of two grants, besides a lease's life.
const SPREAD: Span = Span::from_secs(5);

/// Leases that a wait may take.
const LEASES: u32 = 40;
