//! Both judges over hand-made runs at the other kinds of targets: for each, a clean rotation that
//! passes, and the smallest changes of it that a judge reports.

use tumbler_spec::{Judgement, Judges};
use tumbler_types::*;

const AUTHORITY: NodeId = NodeId(0);
const ROTATOR: NodeId = NodeId(1);
const TARGET: NodeId = NodeId(3);
const SECRET: SecretId = SecretId(0);
const LIFETIME: Span = Span::from_secs(20);
/// Longer than the quarantine of this timing: 20 s, a lease's 10 s and 2ε.
const QUARANTINE: u64 = 31;

/// Writes a run of one agent, second by second; versions are the values' tags.
struct Run {
    judges: Judges,
    seq: u64,
    at: Instant,
    index: LogIndex,
    revision: Revision,
}

impl Run {
    fn new(adapter: Adapter) -> Self {
        let topology = Topology { rotators: 1, agents: 1, replicas: 0, workloads: 1, secrets: 1, adapter };
        let second = Span::from_secs(1);
        let bounds = Bounds {
            undelivered: second.times(4),
            served: second.times(10),
            refused: second.times(20),
            rollback: second.times(100),
            converge: second.times(200),
            orphan: second.times(10),
        };
        let timing = Timing { actor_lifetime: LIFETIME, ..Timing::default() };
        let judges = Judges::new(&topology, &timing, &bounds, 0);
        let mut run = Run { judges, seq: 0, at: Instant::ZERO, index: LogIndex(0), revision: Revision(0) };
        run.commit(Command::Enroll { version: VersionId(1), principal: Principal::Blue, value: Tag(1) });
        run
    }

    fn wait(&mut self, seconds: u64) -> &mut Self {
        self.at = self.at.plus(Span::from_secs(seconds));
        self
    }

    fn see(&mut self, node: NodeId, event: Event) -> &mut Self {
        self.judges.observe(&Observed { seq: self.seq, at: self.at, node, event });
        self.seq += 1;
        self
    }

    fn commit(&mut self, command: Command) -> &mut Self {
        self.index = self.index.next();
        let (index, at, expected) = (self.index, Wall::at(self.at, 0), self.revision);
        self.revision = self.revision.next();
        self.see(AUTHORITY, Event::Committed { index, at, secret: SECRET, expected, command })
    }

    /// Opens rotation `txn`, which leads to version `txn + 1`, under an epoch of its own.
    fn begin(&mut self, txn: u32, principal: Principal) -> &mut Self {
        self.commit(Command::OrderRotation {}).wait(11);
        let until = Wall::at(self.at, 0).plus(Timing::default().lease_ttl);
        self.commit(Command::AcquireLease { rotator: ROTATOR, epoch: Epoch(txn), until });
        self.commit(Command::Begin {
            epoch: Epoch(txn),
            txn: TxnId(txn),
            version: VersionId(txn + 1),
            principal,
            value: Tag(u64::from(txn) + 1),
            cause: Cause::Order,
        })
    }

    fn land(&mut self, txn: u32, step: Step, principal: Principal, value: u64) -> &mut Self {
        let fence = Fence { epoch: Epoch(txn), txn: TxnId(txn), step };
        self.see(TARGET, Event::Enforced { secret: SECRET, fence, principal, value: Tag(value) })
    }

    fn advance(&mut self, txn: u32, phases: &[Phase]) -> &mut Self {
        for edge in phases.windows(2) {
            let (from, to) = (edge[0], edge[1]);
            self.commit(Command::Advance { epoch: Epoch(txn), txn: TxnId(txn), from, to });
        }
        self
    }

    fn end(self) -> Judgement {
        let end = self.at;
        self.judges.finish(end)
    }
}

const FORWARD: [Phase; 6] =
    [Phase::Draft, Phase::Staged, Phase::Canary, Phase::Promote, Phase::Drain, Phase::Retire];

#[track_caller]
fn passed(run: Run, exercised: Invariant) -> u64 {
    let judgement = run.end();
    assert_eq!((&judgement.findings, &judgement.divergence), (&vec![], &None));
    judgement.exercised[exercised as usize].count
}

#[track_caller]
fn broken(run: Run, invariant: Invariant) {
    let judgement = run.end();
    let found: Vec<Invariant> = judgement.findings.iter().map(|finding| finding.invariant).collect();
    assert_eq!(found, [invariant], "{:?}", judgement.findings);
}

#[track_caller]
fn diverged(run: Run, why: &str) {
    let judgement = run.end();
    // What the record says of the target may be wrong besides.
    assert!(judgement.findings.iter().all(|finding| finding.invariant == Invariant::TransitionsLegal));
    let divergence = judgement.divergence.expect("the run leaves the spec");
    assert!(divergence.why.contains(why), "{}", divergence.why);
}

mod last_write_wins {
    use super::*;

    fn run() -> Run {
        Run::new(Adapter { enforcement: Enforcement::LastWriteWins, ..Adapter::default() })
    }

    /// One whole rotation, with both of its waits.
    fn rotated() -> Run {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.advance(1, &FORWARD).land(1, Step::Retire, Principal::Blue, 0).wait(QUARANTINE);
        run.advance(1, &[Phase::Retire, Phase::Idle]);
        run
    }

    #[test]
    fn two_rotations_with_their_waits_pass() {
        let mut run = rotated();
        run.begin(2, Principal::Blue).wait(QUARANTINE).land(2, Step::Set, Principal::Blue, 3);
        assert_eq!(passed(run, Invariant::AppliedOnce), 2);
    }

    #[test]
    fn a_late_call_of_the_open_transaction_breaks_nothing() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.commit(Command::RollBack { txn: TxnId(1) }).advance(1, &[Phase::Revert, Phase::Discard]);
        run.land(1, Step::Discard, Principal::Green, 0).land(1, Step::Set, Principal::Green, 2);
        run.land(1, Step::Discard, Principal::Green, 0).wait(QUARANTINE);
        run.advance(1, &[Phase::Discard, Phase::Idle]);
        assert_eq!(passed(run, Invariant::AppliedOnce), 3);
    }

    #[test]
    fn a_call_that_lands_after_a_later_transactions_first_breaks_applied_once() {
        let mut run = rotated();
        run.begin(2, Principal::Blue).wait(QUARANTINE).land(2, Step::Set, Principal::Blue, 3);
        run.land(1, Step::Retire, Principal::Blue, 0);
        let judgement = run.end();
        let first = judgement.findings.first().expect("a finding");
        assert_eq!(first.invariant, Invariant::AppliedOnce);
        assert!(first.why.contains("nothing of txn-1 to land after the first of txn-2"), "{}", first.why);
    }

    #[test]
    fn a_second_value_of_one_transaction_breaks_applied_once_here_too() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.land(1, Step::Set, Principal::Green, 1);
        broken(run, Invariant::AppliedOnce);
    }

    #[test]
    fn a_first_effect_before_the_quarantine_leaves_the_spec() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(19).land(1, Step::Set, Principal::Green, 2);
        diverged(run, "to wait until");
    }

    #[test]
    fn a_transaction_that_closes_before_the_quarantine_leaves_the_spec() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.advance(1, &FORWARD).land(1, Step::Retire, Principal::Blue, 0).wait(QUARANTINE - 1);
        run.advance(1, &[Phase::Retire, Phase::Idle]);
        diverged(run, "the quarantine lasts until");
    }

    #[test]
    fn an_abandoned_version_in_force_at_the_close_leaves_the_spec() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.commit(Command::RollBack { txn: TxnId(1) }).advance(1, &[Phase::Revert, Phase::Discard]);
        run.land(1, Step::Discard, Principal::Green, 0).land(1, Step::Set, Principal::Green, 2);
        run.wait(QUARANTINE).advance(1, &[Phase::Discard, Phase::Idle]);
        diverged(run, "still accepts v2");
    }

    #[test]
    fn a_promise_that_was_overwritten_is_not_owed_after_a_crash() {
        let mut run = run();
        run.begin(1, Principal::Green).wait(QUARANTINE).land(1, Step::Set, Principal::Green, 2);
        run.commit(Command::RollBack { txn: TxnId(1) }).advance(1, &[Phase::Revert, Phase::Discard]);
        let fence = |step| Fence { epoch: Epoch(1), txn: TxnId(1), step };
        run.land(1, Step::Discard, Principal::Green, 0);
        run.see(TARGET, Event::Promised { secret: SECRET, fence: fence(Step::Discard) });
        run.land(1, Step::Set, Principal::Green, 2);
        let recovered = |green| Event::TargetRecovered {
            secret: SECRET,
            fence: Some(fence(Step::Set)),
            blue: Tag(1),
            green,
        };
        run.see(TARGET, recovered(Tag(2)));
        assert_eq!(passed(run, Invariant::DurableAck), 2);
    }
}

mod single_principal {
    use super::*;
    use tumbler_types::event::Refusal;

    fn run() -> Run {
        let principals = Principals::One { outage: Span::from_secs(5) };
        Run::new(Adapter { principals, ..Adapter::default() })
    }

    fn set() -> Run {
        let mut run = run();
        run.begin(1, Principal::Blue).land(1, Step::Set, Principal::Blue, 2);
        run
    }

    fn given_up() -> Run {
        let mut run = set();
        run.advance(1, &FORWARD[..2]).commit(Command::RollBack { txn: TxnId(1) });
        run
    }

    fn refuse(run: &mut Run, value: u64) -> &mut Run {
        let (principal, reason) = (Principal::Blue, Refusal::WrongValue);
        run.see(TARGET, Event::Refused { secret: SECRET, principal, value: Tag(value), reason })
    }

    #[test]
    fn a_rotation_ends_the_former_version_with_the_next_and_passes() {
        let mut run = set();
        refuse(&mut run, 1).wait(5);
        refuse(&mut run, 1).advance(1, &FORWARD).land(1, Step::Retire, Principal::Blue, 2);
        run.advance(1, &[Phase::Retire, Phase::Idle]);
        assert_eq!(passed(run, Invariant::RollbackPossible), 1);
    }

    #[test]
    fn a_rollback_puts_the_former_value_back_and_passes() {
        let mut run = given_up();
        run.land(1, Step::Restore, Principal::Blue, 1);
        run.advance(1, &[Phase::Revert, Phase::Discard, Phase::Idle]);
        assert_eq!(passed(run, Invariant::AppliedOnce), 1);
    }

    #[test]
    fn a_rollback_that_closes_without_the_former_value_leaves_the_spec() {
        let mut run = given_up();
        run.advance(1, &[Phase::Revert, Phase::Discard, Phase::Idle]);
        diverged(run, "has not applied Discard");
    }

    #[test]
    fn a_restore_of_anything_else_breaks_applied_once() {
        let mut run = given_up();
        run.land(1, Step::Restore, Principal::Blue, 2);
        broken(run, Invariant::AppliedOnce);
    }

    #[test]
    fn a_set_that_lands_after_the_restore_breaks_applied_once() {
        let mut run = given_up();
        run.land(1, Step::Restore, Principal::Blue, 1).land(1, Step::Set, Principal::Blue, 2);
        broken(run, Invariant::AppliedOnce);
    }

    #[test]
    fn a_fence_above_restore_before_the_point_of_no_return_breaks_rollback_possible() {
        let mut run = set();
        run.advance(1, &FORWARD[..4]).land(1, Step::Retire, Principal::Blue, 2);
        broken(run, Invariant::RollbackPossible);
    }

    #[test]
    fn an_outage_beyond_the_declared_one_breaks_holder_served() {
        let mut run = set();
        refuse(&mut run, 1).wait(6);
        refuse(&mut run, 1);
        broken(run, Invariant::HolderServed);
    }

    #[test]
    fn a_version_in_the_other_principal_leaves_the_spec() {
        let mut run = run();
        run.begin(1, Principal::Green);
        diverged(run, "the principal that comes after current's");
    }
}

mod privileges {
    use super::*;

    fn permit(run: &mut Run, blue: Privileges, green: Privileges) -> &mut Run {
        run.see(TARGET, Event::Privileged { secret: SECRET, blue, green })
    }

    fn begun() -> Run {
        let mut run = Run::new(Adapter::default());
        permit(&mut run, Privileges::READ_ONLY, Privileges::ALL).begin(1, Principal::Green);
        run
    }

    #[test]
    fn a_version_that_comes_into_force_as_the_current_one_passes() {
        let mut run = begun();
        permit(&mut run, Privileges::READ_ONLY, Privileges::READ_ONLY);
        run.land(1, Step::Set, Principal::Green, 2);
        assert_eq!(passed(run, Invariant::PrivilegePreserved), 1);
    }

    #[test]
    fn a_version_with_what_its_principal_had_long_ago_breaks_privilege_preserved() {
        let mut run = begun();
        run.land(1, Step::Set, Principal::Green, 2);
        broken(run, Invariant::PrivilegePreserved);
    }
}

mod keys {
    use super::*;

    /// Version 1 is current, in blue, with the tag 1.
    fn run() -> Run {
        Run::new(Adapter { enforcement: Enforcement::LastWriteWins, principals: Principals::Keys })
    }

    fn begun() -> Run {
        let mut run = run();
        run.commit(Command::OrderRotation {}).wait(11);
        let until = Wall::at(run.at, 0).plus(Timing::default().lease_ttl);
        run.commit(Command::AcquireLease { rotator: ROTATOR, epoch: Epoch(1), until });
        let (version, principal) = (VersionId(2), Principal::Green);
        let (epoch, txn, value, cause) = (Epoch(1), TxnId(1), Tag::NONE, Cause::Order);
        run.commit(Command::Begin { epoch, txn, version, principal, value, cause });
        run
    }

    fn open(run: &mut Run, attempt: u32) -> &mut Run {
        run.commit(Command::Attempt { epoch: Epoch(1), txn: TxnId(1), attempt: Attempt(attempt) })
    }

    fn fill(run: &mut Run, attempt: u32, value: u64) -> &mut Run {
        let (epoch, txn, principal) = (Epoch(1), TxnId(1), Principal::Green);
        let attempt = Attempt(attempt);
        run.commit(Command::Fill { epoch, txn, attempt, principal, value: Tag(value) })
    }

    fn mint(run: &mut Run, value: u64) -> &mut Run {
        run.land(1, Step::Set, Principal::Green, value)
    }

    fn filled() -> Run {
        let mut run = begun();
        fill(mint(open(&mut run, 1), 7), 1, 7);
        run
    }

    fn closed(mut run: Run) -> Run {
        run.advance(1, &FORWARD).land(1, Step::Retire, Principal::Blue, 0).wait(QUARANTINE);
        run.advance(1, &[Phase::Retire, Phase::Idle]);
        run
    }

    #[track_caller]
    fn diverged(run: Run, why: &str) {
        let judgement = run.end();
        let told = judgement.divergence.expect("a step that the spec forbids").why;
        assert!(told.contains(why), "{told}");
    }

    #[test]
    fn a_key_that_is_minted_and_put_on_record_passes() {
        assert_eq!(passed(closed(filled()), Invariant::OrphanFree), 1);
        assert_eq!(passed(closed(filled()), Invariant::AppliedOnce), 2);
    }

    #[test]
    fn a_key_that_nobody_was_told_is_reaped_and_the_next_attempt_s_is_taken() {
        let mut run = begun();
        mint(open(&mut run, 1), 7).wait(9);
        open(&mut run, 2).land(1, Step::Reap, Principal::Green, 0);
        fill(mint(&mut run, 8), 2, 8);
        assert_eq!(passed(closed(run), Invariant::OrphanFree), 2);
    }

    #[test]
    fn a_key_on_no_record_beyond_its_bound_is_an_orphan() {
        let mut run = begun();
        mint(open(&mut run, 1), 7).wait(11);
        broken(run, Invariant::OrphanFree);
        let mut run = begun();
        mint(open(&mut run, 1), 7).wait(11);
        open(&mut run, 2).land(1, Step::Reap, Principal::Green, 0);
        broken(run, Invariant::OrphanFree);
    }

    #[test]
    fn the_bound_runs_from_when_the_target_can_be_reached() {
        let mut run = begun();
        mint(open(&mut run, 1), 7).see(TARGET, Event::Unreachable {}).wait(60);
        run.see(TARGET, Event::Reachable {}).wait(9);
        open(&mut run, 2).land(1, Step::Reap, Principal::Green, 0);
        passed(run, Invariant::OrphanFree);
    }

    #[test]
    fn a_rotation_that_closes_over_a_key_on_no_record_is_seen() {
        let mut run = filled();
        run.advance(1, &FORWARD).land(1, Step::Retire, Principal::Blue, 0);
        run.land(1, Step::Set, Principal::Blue, 9).wait(9);
        let mut late = run;
        late.wait(QUARANTINE).advance(1, &[Phase::Retire, Phase::Idle]);
        let judgement = late.end();
        let found: Vec<Invariant> = judgement.findings.iter().map(|finding| finding.invariant).collect();
        assert_eq!(found, [Invariant::TransitionsLegal, Invariant::OrphanFree]);
    }

    #[test]
    fn what_an_earlier_attempt_minted_comes_onto_no_record() {
        let mut run = begun();
        mint(open(&mut run, 1), 7);
        fill(open(&mut run, 2), 1, 7);
        diverged(run, "expected attempt-2, got attempt-1");
    }

    #[test]
    fn a_key_that_was_reaped_comes_onto_no_record() {
        let mut run = begun();
        mint(open(&mut run, 1), 7).land(1, Step::Reap, Principal::Green, 0);
        fill(&mut run, 1, 7);
        diverged(run, "expected a key that the primary accepts");
    }

    #[test]
    fn one_key_of_a_transaction_at_most_comes_onto_the_record() {
        let mut run = filled();
        fill(&mut run, 1, 7);
        broken(run, Invariant::AppliedOnce);
    }

    #[test]
    fn nothing_is_minted_before_an_attempt_is_on_record() {
        let mut run = begun();
        mint(&mut run, 7);
        diverged(run, "no record ever made");
    }

    #[test]
    fn a_key_on_record_is_not_reaped() {
        let mut run = filled();
        run.land(1, Step::Reap, Principal::Green, 0);
        diverged(run, "to delete v2");
    }

    #[test]
    fn a_value_that_no_record_names_is_an_orphan_where_rotators_mint_too() {
        let mut run = Run::new(Adapter::default());
        run.begin(1, Principal::Green).land(1, Step::Set, Principal::Green, 9);
        broken(run, Invariant::OrphanFree);
    }
}
