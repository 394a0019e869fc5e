//! The companion of the ledger in a run: counters, margins and deadlines.
//!
//! They stand beside the ledger and never in the abstract state, which they would make infinite.
//! It deliberately decides no invariant: it asks the invariants' functions and writes down the
//! answers.

use crate::invariant::{
    Claims, Judged, Service, Why, invariant_applied_once, invariant_converges, invariant_durable_ack,
    invariant_holder_served, invariant_no_downgrade, invariant_orphan_free, invariant_privilege_preserved,
    invariant_revoked_refused, invariant_revoked_undelivered, invariant_rollback_possible,
    invariant_rotated_when_due, invariant_transitions_legal, left_over, overdue, rollback_goal_of, service,
    stray_lasted, undelivered_deadline,
};
use crate::judgement::{Exercise, Finding, Tally};
use crate::ledger::Ledger;
use crate::monitor::Monitor;
use std::collections::BTreeSet;
use tumbler_types::{
    Cause, Command, Event, FaultKind, Instant, Invariant, NodeId, Observed, Phase, Principal, SecretId, Span,
    VersionId,
};

/// Counts one run's antecedents, keeps its findings, and watches its deadlines.
#[derive(Clone, Debug)]
pub struct Watch {
    claims: Claims,
    counters: [Counter; Invariant::ALL.len()],
    findings: Vec<Finding>,
    /// Invariants of which nothing is owed, and what broke them.
    not_owed: BTreeSet<Invariant>,
    excused: Vec<Finding>,
    tally: Tally,
    /// Faults that began and have not ended.
    standing: u32,
    fault_last: Option<Instant>,
    /// Last fault, crash, restart, change of a path.
    disturbed_at: Instant,
    /// Last order, per secret.
    ordered_at: Vec<Instant>,
    /// Per secret: the rollback whose goal is not judged yet.
    rollbacks: Vec<Option<Rollback>>,
    /// The earliest instant at which a rollback's goal is to be judged.
    rollback_next: Instant,
    /// Agents that held a version when it was revoked, not asked since.
    exposures: Vec<Exposure>,
    /// Per secret: the last change of phase, or of the version that an agent has.
    settled_at: Vec<Instant>,
    /// Holders that are being refused: secret, node, since when.
    outages: Vec<(SecretId, NodeId, Instant)>,
    is_revoked: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    count: u64,
    under_fault: u64,
    worst: Option<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Rollback {
    since: Instant,
    under_fault: bool,
}

#[derive(Clone, Copy, Debug)]
struct Exposure {
    secret: SecretId,
    agent: NodeId,
    version: VersionId,
    revoked_at: Instant,
}

impl Watch {
    pub fn new(claims: Claims, secrets: usize) -> Self {
        Watch {
            claims,
            counters: [Counter::default(); Invariant::ALL.len()],
            findings: Vec::new(),
            not_owed: BTreeSet::new(),
            excused: Vec::new(),
            tally: Tally::default(),
            standing: 0,
            fault_last: None,
            disturbed_at: Instant::ZERO,
            ordered_at: vec![Instant::ZERO; secrets],
            rollbacks: vec![None; secrets],
            rollback_next: Instant::MAX,
            exposures: Vec::new(),
            settled_at: vec![Instant::ZERO; secrets],
            outages: Vec::new(),
            is_revoked: false,
        }
    }

    /// Nothing is owed of these.
    pub fn excuse(&mut self, invariants: BTreeSet<Invariant>) {
        self.not_owed = invariants;
    }

    /// Judges one event against the ledger before it, folds it, and judges the ledger after it. The
    /// monitor, which must see the ledger before the event, is called on the way.
    pub fn observe(&mut self, ledger: &mut Ledger, monitor: &mut Monitor, observed: &Observed) {
        if observed.at > self.rollback_next {
            self.judge_rollbacks(ledger, observed);
        }
        match observed.event {
            Event::Sent { .. }
            | Event::Received { .. }
            | Event::Lost { .. }
            | Event::Held { .. }
            | Event::Released { .. }
            | Event::Called { .. }
            | Event::CallArrived { .. }
            | Event::Replied { .. }
            | Event::Returned { .. }
            | Event::CallUnknown { .. }
            | Event::PersistBegan { .. }
            | Event::Persisted { .. }
            | Event::PersistFailed { .. }
            | Event::ProposeBegan { .. }
            | Event::TimerFired { .. }
            | Event::Panicked { .. } => {}
            Event::Privileged { .. } => ledger.fold(observed),
            Event::Mirrored { .. } => monitor.observe(ledger, observed),
            Event::FaultBegan { kind, .. } => self.fault_began(ledger, kind, observed.at),
            Event::FaultEnded { kind, .. } => self.fault_ended(kind, observed.at),
            Event::Crashed { .. } => {
                self.disturb(observed.at);
                ledger.fold(observed);
            }
            Event::Started { .. } | Event::Paused {} | Event::Resumed {} | Event::ClockSet { .. } => {
                self.disturb(observed.at)
            }
            Event::Reachable {} | Event::Unreachable {} => {
                self.disturb(observed.at);
                ledger.fold(observed);
            }
            // A floor serves every secret: a finding about it is filed under the first.
            Event::Spoke { .. } => {
                let judged = invariant_no_downgrade(ledger, observed);
                self.record(ledger, observed, Invariant::NoDowngrade, SecretId(0), judged);
                ledger.fold(observed);
            }
            Event::Ordered { secret, .. } => {
                if let Some(at) = self.ordered_at.get_mut(usize::from(secret.0)) {
                    *at = observed.at;
                }
            }
            Event::Committed { secret, expected, command, .. } => {
                monitor.observe(ledger, observed);
                let before = ledger.slice(secret).map(|slice| (slice.revision, slice.phase));
                let from = before.filter(|(revision, _)| *revision == expected).map(|(_, phase)| phase);
                if from.is_some() {
                    let judged = invariant_rotated_when_due(ledger, &self.claims, observed);
                    self.record(ledger, observed, Invariant::RotatedWhenDue, secret, judged);
                    if matches!(command, Command::Fill { .. }) {
                        let judged = invariant_applied_once(ledger, observed);
                        self.record(ledger, observed, Invariant::AppliedOnce, secret, judged);
                        self.stray(ledger, observed, secret);
                    }
                }
                ledger.fold(observed);
                let judged = invariant_transitions_legal(ledger, observed, from);
                self.record(ledger, observed, Invariant::TransitionsLegal, secret, judged);
                if let Some((revision, phase)) = before
                    && revision == expected
                {
                    self.committed(ledger, observed.at, secret, phase, &command);
                    monitor.follow(ledger, secret);
                }
                let judged = invariant_rollback_possible(ledger, observed);
                self.record(ledger, observed, Invariant::RollbackPossible, secret, judged);
            }
            Event::Enforced { secret, .. } => {
                monitor.observe(ledger, observed);
                let judged = invariant_applied_once(ledger, observed);
                self.record(ledger, observed, Invariant::AppliedOnce, secret, judged);
                let judged = invariant_privilege_preserved(ledger, observed);
                self.record(ledger, observed, Invariant::PrivilegePreserved, secret, judged);
                self.stray(ledger, observed, secret);
                ledger.fold(observed);
                let judged = invariant_transitions_legal(ledger, observed, None);
                self.record(ledger, observed, Invariant::TransitionsLegal, secret, judged);
                let judged = invariant_rollback_possible(ledger, observed);
                self.record(ledger, observed, Invariant::RollbackPossible, secret, judged);
            }
            Event::TargetRecovered { secret, .. } => {
                monitor.observe(ledger, observed);
                self.acknowledged(ledger, observed, secret);
                let judged = invariant_rollback_possible(ledger, observed);
                self.record(ledger, observed, Invariant::RollbackPossible, secret, judged);
            }
            Event::Promised { secret, .. }
            | Event::AgentRecovered { secret, .. }
            | Event::Acknowledged { secret, .. } => {
                monitor.observe(ledger, observed);
                self.acknowledged(ledger, observed, secret);
            }
            // The log serves every secret: a finding about it is filed under the first.
            Event::Answered { .. } | Event::LogRecovered { .. } => {
                monitor.observe(ledger, observed);
                self.acknowledged(ledger, observed, SecretId(0));
            }
            Event::Stored { secret, version, .. } => {
                monitor.observe(ledger, observed);
                let before = ledger.holder(secret, observed.node).map(|holder| holder.stored.version);
                ledger.fold(observed);
                if before.is_some_and(|before| before != version) {
                    self.settled_at[usize::from(secret.0)] = observed.at;
                }
            }
            Event::Authenticated { secret, .. } | Event::Refused { secret, .. } => {
                monitor.observe(ledger, observed);
                let judged = invariant_revoked_refused(ledger, &self.claims, observed);
                self.record(ledger, observed, Invariant::RevokedRefused, secret, judged);
                self.serve(ledger, observed);
            }
            Event::HandedOut { secret, .. } | Event::Withheld { secret, .. } => {
                monitor.observe(ledger, observed);
                let judged = invariant_revoked_undelivered(ledger, &self.claims, observed);
                if !self.exposures.is_empty() {
                    self.asked(ledger, observed, secret);
                }
                self.record(ledger, observed, Invariant::RevokedUndelivered, secret, judged);
                self.serve(ledger, observed);
            }
        }
        ledger.now = observed.at;
    }

    /// Judges what only the end shows, and hands over all that was written down.
    pub fn finish(mut self, ledger: &mut Ledger, end: Instant) -> Finished {
        let last = Observed { seq: u64::MAX, at: end, node: NodeId::WORLD, event: Event::Resumed {} };
        if end > self.rollback_next {
            self.judge_rollbacks(ledger, &last);
        }
        ledger.now = end;
        for index in 0..ledger.slices.len() {
            let secret = SecretId(u16::try_from(index).unwrap_or(u16::MAX));
            self.tally.open += u64::from(ledger.slices[index].phase != Phase::Idle);
            let quiet = self.quiet_since(ledger, index);
            if self.standing == 0 {
                match overdue(ledger, &self.claims, secret, quiet, end) {
                    Judged::Near(waited) => self.near(Invariant::RotatedWhenDue, waited),
                    Judged::Broken(why) => {
                        self.count(Invariant::RotatedWhenDue, self.fault_last.is_some());
                        self.find(ledger, &last, Invariant::RotatedWhenDue, secret, why);
                    }
                    Judged::Silent | Judged::Held => {}
                }
            }
            match left_over(ledger, &self.claims, secret, end) {
                Judged::Near(lasted) => self.near(Invariant::OrphanFree, lasted),
                Judged::Broken(why) => {
                    self.count(Invariant::OrphanFree, self.fault_last.is_some());
                    self.find(ledger, &last, Invariant::OrphanFree, secret, why);
                }
                Judged::Silent | Judged::Held => {}
            }
            if self.standing > 0 || end < quiet.plus(self.claims.bounds.converge) {
                continue;
            }
            let judged = invariant_converges(ledger, secret);
            if judged == Judged::Held {
                self.near(Invariant::Converges, self.settled_at[index].since(quiet));
                self.count(Invariant::Converges, self.fault_last.is_some());
            }
            if let Judged::Broken(why) = judged {
                self.count(Invariant::Converges, self.fault_last.is_some());
                self.find(ledger, &last, Invariant::Converges, secret, why);
            }
        }
        let exercised = Invariant::ALL.map(|invariant| {
            // What is not owed was not put to the test, however often it was met.
            let is_owed = !self.not_owed.contains(&invariant);
            let counter = if is_owed { self.counters[invariant as usize] } else { Counter::default() };
            Exercise {
                invariant,
                count: counter.count,
                under_fault: counter.under_fault,
                worst: counter.worst,
                bound: self.bound(invariant),
            }
        });
        (self.findings, self.excused, exercised.to_vec(), self.tally)
    }

    fn bound(&self, invariant: Invariant) -> Option<Span> {
        match invariant {
            Invariant::AppliedOnce
            | Invariant::DurableAck
            | Invariant::NoDowngrade
            | Invariant::PrivilegePreserved
            | Invariant::TransitionsLegal => None,
            Invariant::RevokedUndelivered => Some(self.claims.bounds.undelivered),
            Invariant::RevokedRefused => Some(self.claims.bounds.refused),
            Invariant::RollbackPossible => Some(self.claims.bounds.rollback),
            Invariant::HolderServed => Some(self.claims.bounds.served),
            Invariant::OrphanFree => Some(self.claims.bounds.orphan),
            Invariant::Converges | Invariant::RotatedWhenDue => Some(self.claims.bounds.converge),
        }
    }

    /// A rotation that became due by itself disturbs as much as an ordered one.
    fn quiet_since(&self, ledger: &Ledger, index: usize) -> Instant {
        let begun = match ledger.slices[index].begun {
            Some((at, Cause::Due)) => at,
            Some((_, Cause::Order | Cause::Revoked)) | None => Instant::ZERO,
        };
        self.disturbed_at.max(self.ordered_at[index]).max(begun)
    }

    fn committed(
        &mut self,
        ledger: &Ledger,
        now: Instant,
        secret: SecretId,
        phase: Phase,
        command: &Command,
    ) {
        self.tally.commands += 1;
        let index = usize::from(secret.0);
        match *command {
            Command::Advance { from, to, .. } => {
                self.settled_at[index] = now;
                if to == Phase::Idle {
                    self.tally.promoted += u64::from(from == Phase::Retire);
                    self.tally.rolled_back += u64::from(from == Phase::Discard);
                }
            }
            Command::RollBack { .. } => {
                if phase != Phase::Idle {
                    self.rollbacks[index] = Some(Rollback { since: now, under_fault: self.under_fault(now) });
                    self.plan_rollbacks();
                }
            }
            Command::Revoke { version, .. } => {
                self.ordered_at[index] = now;
                self.is_revoked = true;
                // Nobody is entitled to a revoked version: whoever waits for the next one waits anew.
                self.outages.retain(|(other, ..)| *other != secret);
                self.plan_rollbacks();
                for (ordinal, holder) in ledger.slices[index].holders.iter().enumerate() {
                    if holder.stored.version == version {
                        let agent = ledger.agent_node(ordinal);
                        self.exposures.push(Exposure { secret, agent, version, revoked_at: now });
                    }
                }
            }
            Command::OrderRotation {} => self.ordered_at[index] = now,
            Command::Enroll { .. }
            | Command::AcquireLease { .. }
            | Command::RenewLease { .. }
            | Command::Begin { .. }
            | Command::RaiseFloor { .. }
            | Command::Attempt { .. }
            | Command::Fill { .. }
            | Command::ConfirmRefused { .. }
            | Command::Grant { .. }
            | Command::Acknowledge { .. } => {}
        }
    }

    /// A key that was on no record may be on one from here on, or be gone.
    fn stray(&mut self, ledger: &Ledger, observed: &Observed, secret: SecretId) {
        for principal in Principal::ALL {
            if let Some(lasted) = stray_lasted(ledger, secret, principal, observed.at) {
                self.near(Invariant::OrphanFree, lasted);
            }
        }
        let judged = invariant_orphan_free(ledger, &self.claims, observed);
        self.record(ledger, observed, Invariant::OrphanFree, secret, judged);
    }

    fn acknowledged(&mut self, ledger: &mut Ledger, observed: &Observed, secret: SecretId) {
        let judged = invariant_durable_ack(ledger, observed);
        self.record(ledger, observed, Invariant::DurableAck, secret, judged);
        ledger.fold(observed);
    }

    /// Follows who is served and who is refused, and since when.
    fn serve(&mut self, ledger: &Ledger, observed: &Observed) {
        let node = observed.node;
        match service(ledger, observed) {
            None => {}
            Some(Service::Served(secret)) => {
                self.count(Invariant::HolderServed, self.under_fault(observed.at));
                if !self.outages.is_empty() {
                    self.outages.retain(|(other, at, _)| (*other, *at) != (secret, node));
                }
            }
            Some(Service::Refused(secret)) => {
                let known = self.outages.iter().find(|(other, at, _)| (*other, *at) == (secret, node));
                let since = match known {
                    Some((_, _, since)) => *since,
                    None => {
                        self.outages.push((secret, node, observed.at));
                        observed.at
                    }
                };
                let is_calm = self.fault_last.is_none() && !self.is_revoked;
                let judged = invariant_holder_served(ledger, &self.claims, observed, since, is_calm);
                self.count(Invariant::HolderServed, self.under_fault(observed.at));
                self.record(ledger, observed, Invariant::HolderServed, secret, judged);
            }
        }
    }

    /// Counts the first request after each revocation's deadline.
    fn asked(&mut self, ledger: &Ledger, observed: &Observed, secret: SecretId) {
        let mut counted = 0;
        let claims = &self.claims;
        self.exposures.retain(|each| {
            let due = each.secret == secret
                && each.agent == observed.node
                && undelivered_deadline(ledger, claims, each.agent, each.revoked_at)
                    .is_some_and(|deadline| observed.at > deadline);
            counted += u64::from(due && each.version.0 != 0);
            !due
        });
        for _ in 0..counted {
            self.count(Invariant::RevokedUndelivered, self.under_fault(observed.at));
        }
    }

    fn fault_began(&mut self, ledger: &Ledger, kind: FaultKind, now: Instant) {
        self.tally.faults_fired += 1;
        let in_rotation = ledger.slices.iter().any(|slice| slice.phase != Phase::Idle);
        self.tally.faults_in_rotation += u64::from(in_rotation);
        self.standing = self.standing.saturating_add(u32::from(kind.stands()));
        self.fault_last = Some(now);
        self.disturb(now);
    }

    fn fault_ended(&mut self, kind: FaultKind, now: Instant) {
        self.standing = self.standing.saturating_sub(u32::from(kind.stands()));
        self.fault_last = Some(now);
        self.disturb(now);
    }

    fn disturb(&mut self, now: Instant) {
        self.disturbed_at = now;
        self.plan_rollbacks();
    }

    /// A rollback's bound runs from the last disturbance, and not while a fault stands.
    fn rollback_deadline(&self, index: usize) -> Option<Instant> {
        let rollback = self.rollbacks[index]?;
        let since = rollback.since.max(self.disturbed_at).max(self.ordered_at[index]);
        (self.standing == 0).then(|| since.plus(self.claims.bounds.rollback))
    }

    fn plan_rollbacks(&mut self) {
        self.rollback_next = (0..self.rollbacks.len())
            .filter_map(|index| self.rollback_deadline(index))
            .min()
            .unwrap_or(Instant::MAX);
    }

    #[cold]
    fn judge_rollbacks(&mut self, ledger: &mut Ledger, observed: &Observed) {
        for index in 0..self.rollbacks.len() {
            let Some(deadline) = self.rollback_deadline(index) else { continue };
            let Some(rollback) = self.rollbacks[index] else { continue };
            if observed.at <= deadline {
                continue;
            }
            self.rollbacks[index] = None;
            // Nothing has changed since the deadline, or it would have been judged earlier.
            ledger.now = deadline;
            self.count(Invariant::RollbackPossible, rollback.under_fault);
            let secret = SecretId(u16::try_from(index).unwrap_or(u16::MAX));
            if let Err(Why(why)) = rollback_goal_of(ledger, secret) {
                let why = Why(format!("{why}, {} after the rollback", self.claims.bounds.rollback));
                self.find(ledger, observed, Invariant::RollbackPossible, secret, why);
            }
        }
        self.plan_rollbacks();
    }

    fn record(
        &mut self,
        ledger: &Ledger,
        observed: &Observed,
        invariant: Invariant,
        secret: SecretId,
        judged: Judged,
    ) {
        match judged {
            Judged::Silent => {}
            Judged::Near(span) => self.near(invariant, span),
            Judged::Held => self.count(invariant, self.under_fault(observed.at)),
            Judged::Broken(why) => {
                self.count(invariant, self.under_fault(observed.at));
                self.find(ledger, observed, invariant, secret, why);
            }
        }
    }

    fn under_fault(&self, now: Instant) -> bool {
        self.standing > 0
            || self.fault_last.is_some_and(|last| now.since(last) <= self.claims.bounds.converge)
    }

    fn count(&mut self, invariant: Invariant, under_fault: bool) {
        let counter = &mut self.counters[invariant as usize];
        counter.count += 1;
        counter.under_fault += u64::from(under_fault);
    }

    fn near(&mut self, invariant: Invariant, span: Span) {
        let counter = &mut self.counters[invariant as usize];
        counter.worst = counter.worst.max(Some(span));
    }

    #[cold]
    fn find(
        &mut self,
        ledger: &Ledger,
        observed: &Observed,
        invariant: Invariant,
        secret: SecretId,
        why: Why,
    ) {
        let found = if self.not_owed.contains(&invariant) { &mut self.excused } else { &mut self.findings };
        if found.iter().any(|each| each.invariant == invariant && each.secret == secret) {
            return;
        }
        let phase = ledger.slice(secret).map_or(Phase::Idle, |slice| slice.phase);
        found.push(Finding {
            invariant,
            seq: observed.seq,
            at: observed.at,
            node: observed.node,
            secret,
            phase,
            why: why.0,
        });
    }
}

/// Findings, what was excused, exercises, and counts.
type Finished = (Vec<Finding>, Vec<Finding>, Vec<Exercise>, Tally);
