//! Both judges over hand-made runs: one clean run that passes, and for each invariant the smallest
//! change of it that the invariant reports.

mod excuse;
mod legal;
mod view;

use tumbler_spec::{Judgement, Judges};
use tumbler_types::event::{OrderKind, Refusal};
use tumbler_types::*;

const AUTHORITY: NodeId = NodeId(0);
const ROTATOR: NodeId = NodeId(1);
const CANARY: NodeId = NodeId(3);
const AGENT: NodeId = NodeId(4);
const TARGET: NodeId = NodeId(5);
const REPLICA: NodeId = NodeId(6);
const WORKLOAD: NodeId = NodeId(7);
const SECRET: SecretId = SecretId(0);
const V1: VersionId = VersionId(1);
const V2: VersionId = VersionId(2);
const BLUE: Tag = Tag(101);
const GREEN: Tag = Tag(102);

/// Writes a run, second by second.
struct Run {
    judges: Judges,
    seq: u64,
    at: Instant,
    index: LogIndex,
    revision: Revision,
}

impl Run {
    fn new() -> Self {
        let topology = Topology {
            rotators: 2,
            agents: 2,
            replicas: 1,
            workloads: 1,
            secrets: 1,
            adapter: Default::default(),
        };
        let bounds = Bounds {
            undelivered: Span::from_secs(4),
            served: Span::from_secs(3),
            refused: Span::from_secs(20),
            rollback: Span::from_secs(30),
            converge: Span::from_secs(60),
            orphan: Span::from_secs(10),
        };
        let judges = Judges::new(&topology, &Timing::default(), &bounds, 1);
        let mut run = Run { judges, seq: 0, at: Instant::ZERO, index: LogIndex(0), revision: Revision(0) };
        run.commit(Command::Enroll { version: V1, principal: Principal::Blue, value: BLUE });
        for agent in [CANARY, AGENT] {
            run.grant(agent, V1);
            run.store(agent, V1, 0);
        }
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

    fn wall(&self) -> Wall {
        Wall::at(self.at, 0)
    }

    fn commit(&mut self, command: Command) -> &mut Self {
        self.index = self.index.next();
        let (index, at, expected) = (self.index, self.wall(), self.revision);
        self.revision = self.revision.next();
        self.see(AUTHORITY, Event::Committed { index, at, secret: SECRET, expected, command })
    }

    fn grant(&mut self, agent: NodeId, version: VersionId) -> &mut Self {
        let until = self.wall().plus(Timing::default().grant_ttl);
        self.commit(Command::Grant { agent, version, until })
    }

    fn store(&mut self, agent: NodeId, version: VersionId, serial: u32) -> &mut Self {
        let until = if version.0 == 0 { Wall::ZERO } else { self.wall() };
        let serial = Serial(serial);
        self.see(agent, Event::Stored { secret: SECRET, version, serial, until });
        self.see(agent, Event::Acknowledged { secret: SECRET, version, serial })
    }

    fn acknowledge(&mut self, agent: NodeId, version: VersionId, serial: u32) -> &mut Self {
        self.commit(Command::Acknowledge { agent, version, serial: Serial(serial) })
    }

    fn lease(&mut self, epoch: u32) -> &mut Self {
        let until = self.wall().plus(Timing::default().lease_ttl);
        let rotator = if epoch % 2 == 1 { ROTATOR } else { NodeId(2) };
        self.commit(Command::AcquireLease { rotator, epoch: Epoch(epoch), until })
    }

    fn begin(&mut self, epoch: u32) -> &mut Self {
        self.commit(Command::OrderRotation {});
        self.lease(epoch);
        self.commit(Command::Begin {
            epoch: Epoch(epoch),
            txn: TxnId(1),
            version: V2,
            principal: Principal::Green,
            value: GREEN,
            cause: Cause::Order,
        })
    }

    fn enforce(&mut self, epoch: u32, step: Step, principal: Principal, value: Tag) -> &mut Self {
        let fence = Fence { epoch: Epoch(epoch), txn: TxnId(1), step };
        self.see(TARGET, Event::Enforced { secret: SECRET, fence, principal, value })
    }

    fn promise(&mut self, epoch: u32, step: Step) -> &mut Self {
        let fence = Fence { epoch: Epoch(epoch), txn: TxnId(1), step };
        self.see(TARGET, Event::Promised { secret: SECRET, fence })
    }

    fn advance(&mut self, epoch: u32, from: Phase, to: Phase) -> &mut Self {
        self.commit(Command::Advance { epoch: Epoch(epoch), txn: TxnId(1), from, to })
    }

    fn staged(&mut self) -> &mut Self {
        self.begin(1).enforce(1, Step::Set, Principal::Green, GREEN).promise(1, Step::Set);
        self.advance(1, Phase::Draft, Phase::Staged)
    }

    fn canary(&mut self) -> &mut Self {
        self.staged().acknowledge(CANARY, V1, 0).advance(1, Phase::Staged, Phase::Canary);
        self.grant(CANARY, V2).store(CANARY, V2, 0)
    }

    fn drain(&mut self) -> &mut Self {
        self.canary().acknowledge(CANARY, V2, 0);
        self.advance(1, Phase::Canary, Phase::Promote).advance(1, Phase::Promote, Phase::Drain);
        self.grant(AGENT, V2).store(AGENT, V2, 0)
    }

    fn whole(&mut self) -> &mut Self {
        self.drain().acknowledge(AGENT, V2, 0).advance(1, Phase::Drain, Phase::Retire);
        self.enforce(1, Step::Retire, Principal::Blue, Tag::NONE).promise(1, Step::Retire);
        self.advance(1, Phase::Retire, Phase::Idle)
    }

    fn hand_out(&mut self, agent: NodeId, version: VersionId) -> &mut Self {
        let value = if version == V1 { BLUE } else { GREEN };
        self.see(agent, Event::HandedOut { secret: SECRET, version, value, to: WORKLOAD })
    }

    fn login(&mut self, node: NodeId, principal: Principal, value: Tag) -> &mut Self {
        self.see(node, Event::Authenticated { secret: SECRET, principal, value })
    }

    fn revoke(&mut self, version: VersionId) -> &mut Self {
        self.commit(Command::Revoke { version, serial: Serial(1) })
    }

    fn end(self) -> Judgement {
        let end = self.at;
        self.judges.finish(end)
    }
}

fn count(judgement: &Judgement, invariant: Invariant) -> u64 {
    judgement.exercised[invariant as usize].count
}

/// The run is violated by exactly this invariant.
#[track_caller]
fn broken(run: Run, invariant: Invariant) {
    let judgement = run.end();
    let found: Vec<Invariant> = judgement.findings.iter().map(|finding| finding.invariant).collect();
    assert_eq!(found, [invariant], "{:?}", judgement.findings);
    assert!(count(&judgement, invariant) > 0);
    let expected = if invariant == Invariant::Converges { Verdict::Stalled } else { Verdict::Violated };
    assert_eq!(judgement.verdict, expected);
}

/// The run breaks no invariant, and leaves the spec for this reason.
#[track_caller]
fn diverged(run: Run, why: &str) {
    let judgement = run.end();
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.verdict, Verdict::Diverged);
    let divergence = judgement.divergence.expect("the run leaves the spec");
    assert!(divergence.why.contains(why), "{}", divergence.why);
}

#[track_caller]
fn passed(run: Run) -> Judgement {
    let judgement = run.end();
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.divergence, None);
    assert_eq!(judgement.verdict, Verdict::Pass);
    judgement
}

#[test]
fn a_whole_rotation_passes_both_judges_and_exercises_them() {
    let mut run = Run::new();
    run.whole().wait(61);
    let judgement = passed(run);
    assert_eq!(judgement.tally.promoted, 1);
    assert_eq!(judgement.tally.open, 0);
    assert!(count(&judgement, Invariant::AppliedOnce) > 0);
    assert!(count(&judgement, Invariant::RollbackPossible) > 0);
    assert!(count(&judgement, Invariant::DurableAck) > 0);
    assert!(count(&judgement, Invariant::Converges) > 0);
}

#[test]
fn a_rollback_passes_and_its_goal_is_judged() {
    let mut run = Run::new();
    run.canary().commit(Command::RollBack { txn: TxnId(1) });
    run.acknowledge(CANARY, V2, 0).grant(CANARY, V1).store(CANARY, V1, 0).acknowledge(CANARY, V1, 0);
    run.advance(1, Phase::Revert, Phase::Discard);
    run.enforce(1, Step::Discard, Principal::Green, Tag::NONE).advance(1, Phase::Discard, Phase::Idle);
    run.wait(20)
        .grant(AGENT, V1)
        .grant(CANARY, V1)
        .wait(20)
        .see(AGENT, Event::TimerFired { timer: TimerId(0) });
    let judgement = passed(run);
    assert_eq!(judgement.tally.rolled_back, 1);
    assert_eq!(count(&judgement, Invariant::RollbackPossible), 2, "staged once, and the goal once");
}

#[test]
fn a_lower_fence_breaks_applied_once() {
    let mut run = Run::new();
    run.whole().enforce(1, Step::Set, Principal::Blue, BLUE);
    let judgement = run.end();
    assert!(judgement.findings.iter().any(|each| each.invariant == Invariant::AppliedOnce));
}

#[test]
fn a_second_value_of_one_transaction_breaks_applied_once() {
    let mut run = Run::new();
    run.begin(1).enforce(1, Step::Set, Principal::Green, GREEN).wait(11).lease(2);
    run.enforce(2, Step::Set, Principal::Green, BLUE);
    broken(run, Invariant::AppliedOnce);
}

#[test]
fn a_revoked_version_handed_out_late_breaks_revoked_undelivered() {
    let mut run = Run::new();
    run.revoke(V1).wait(4).hand_out(AGENT, V1);
    let worst = run.judges.clone().finish(run.at).exercised[Invariant::RevokedUndelivered as usize].worst;
    assert_eq!(worst, Some(Span::from_secs(4)));
    run.wait(1).hand_out(AGENT, V1);
    broken(run, Invariant::RevokedUndelivered);
}

#[test]
fn a_cut_off_agent_may_hand_out_a_revoked_version_until_its_lease_ends() {
    let mut run = Run::new();
    run.see(AGENT, Event::Unreachable {}).revoke(V1).wait(29).hand_out(AGENT, V1);
    assert_eq!(run.judges.clone().finish(run.at).verdict, Verdict::Pass);
    run.wait(2).hand_out(AGENT, V1);
    broken(run, Invariant::RevokedUndelivered);
}

#[test]
fn without_a_fault_one_withheld_version_breaks_holder_served() {
    let mut run = Run::new();
    run.wait(1).see(AGENT, Event::Withheld { secret: SECRET, to: WORKLOAD });
    broken(run, Invariant::HolderServed);
}

#[test]
fn after_a_fault_a_holder_may_be_refused_for_the_bound_and_no_longer() {
    let fault = Event::FaultBegan { fault: FaultId(0), kind: FaultKind::LoseRequest };
    let withheld = Event::Withheld { secret: SECRET, to: WORKLOAD };
    let mut run = Run::new();
    run.see(NodeId::WORLD, fault).see(AGENT, withheld).wait(3).see(AGENT, withheld);
    assert_eq!(run.judges.clone().finish(run.at).verdict, Verdict::Pass);
    run.hand_out(AGENT, V1).wait(4).see(AGENT, withheld);
    assert_eq!(
        run.judges.clone().finish(run.at).verdict,
        Verdict::Pass,
        "being served ends a row of refusals"
    );
    run.wait(4).see(AGENT, withheld);
    broken(run, Invariant::HolderServed);
}

#[test]
fn the_current_value_refused_by_a_verifier_breaks_holder_served_and_an_older_one_does_not() {
    let refused = |value| {
        let reason = Refusal::WrongValue;
        Event::Refused { secret: SECRET, principal: Principal::Blue, value, reason }
    };
    let mut run = Run::new();
    run.see(REPLICA, refused(GREEN));
    assert_eq!(run.judges.clone().finish(run.at).verdict, Verdict::Pass);
    run.see(REPLICA, refused(BLUE));
    broken(run, Invariant::HolderServed);
}

#[test]
fn nobody_is_entitled_to_a_revoked_version() {
    let mut run = Run::new();
    run.revoke(V1)
        .store(AGENT, VersionId(0), 1)
        .wait(9)
        .see(AGENT, Event::Withheld { secret: SECRET, to: WORKLOAD });
    assert_eq!(run.judges.finish(run.at).verdict, Verdict::Pass);
}

#[test]
fn a_connected_agent_asked_after_the_deadline_counts_once() {
    let mut run = Run::new();
    run.revoke(V1).store(AGENT, VersionId(0), 1).wait(5);
    for _ in 0..3 {
        run.see(AGENT, Event::Withheld { secret: SECRET, to: WORKLOAD });
    }
    assert_eq!(count(&passed(run), Invariant::RevokedUndelivered), 1);
}

#[test]
fn a_revoked_version_accepted_late_breaks_revoked_refused_also_at_a_replica() {
    for node in [TARGET, REPLICA] {
        let mut run = Run::new();
        run.revoke(V1).wait(20).login(node, Principal::Blue, BLUE);
        assert_eq!(run.judges.clone().finish(run.at).verdict, Verdict::Pass);
        run.wait(1).login(node, Principal::Blue, BLUE);
        broken(run, Invariant::RevokedRefused);
    }
}

#[test]
fn a_target_that_cannot_be_reached_is_given_time_from_its_reachability() {
    let mut run = Run::new();
    run.see(TARGET, Event::Unreachable {}).revoke(V1).wait(60).login(TARGET, Principal::Blue, BLUE);
    run.see(TARGET, Event::Reachable {}).wait(20).login(TARGET, Principal::Blue, BLUE);
    assert_eq!(count(&passed(run), Invariant::RevokedRefused), 0);
}

#[test]
fn a_way_back_closed_early_breaks_rollback_possible() {
    for reach in [Run::staged, Run::canary, Run::drain] {
        let mut run = Run::new();
        reach(&mut run).enforce(1, Step::Retire, Principal::Blue, Tag::NONE);
        broken(run, Invariant::RollbackPossible);
    }
}

#[test]
fn a_rollback_that_leaves_an_agent_behind_breaks_rollback_possible() {
    let mut run = Run::new();
    // Its grant ends within R and nobody renews it.
    run.staged().wait(1).commit(Command::RollBack { txn: TxnId(1) }).see(AGENT, Event::Unreachable {});
    run.see(AGENT, Event::Reachable {}).wait(31).see(AGENT, Event::TimerFired { timer: TimerId(0) });
    broken(run, Invariant::RollbackPossible);
}

#[test]
fn a_rollback_is_not_judged_while_a_fault_stands() {
    let mut run = Run::new();
    let (fault, kind) = (FaultId(0), FaultKind::Partition);
    run.staged().commit(Command::RollBack { txn: TxnId(1) });
    run.see(NodeId::WORLD, Event::FaultBegan { fault, kind }).wait(100);
    run.see(AGENT, Event::TimerFired { timer: TimerId(0) });
    let judgement = passed(run);
    assert_eq!((judgement.tally.faults_fired, judgement.tally.faults_in_rotation), (1, 1));
}

#[test]
fn an_acknowledgement_of_what_is_not_stored_breaks_durable_ack() {
    let mut run = Run::new();
    run.canary().see(AGENT, Event::Acknowledged { secret: SECRET, version: V2, serial: Serial(0) });
    broken(run, Invariant::DurableAck);
}

#[test]
fn an_acknowledged_record_lost_in_a_crash_breaks_durable_ack() {
    let mut run = Run::new();
    run.see(AGENT, Event::AgentRecovered { secret: SECRET, version: VersionId(0), serial: Serial(0) });
    broken(run, Invariant::DurableAck);
}

#[test]
fn a_promise_of_what_is_not_enforced_breaks_durable_ack() {
    let mut run = Run::new();
    run.begin(1).promise(1, Step::Set);
    broken(run, Invariant::DurableAck);
}

#[test]
fn a_promised_row_lost_in_a_crash_breaks_durable_ack() {
    let mut run = Run::new();
    run.begin(1).enforce(1, Step::Set, Principal::Green, GREEN).promise(1, Step::Set);
    run.see(TARGET, Event::TargetRecovered { secret: SECRET, fence: None, blue: BLUE, green: Tag::NONE });
    broken(run, Invariant::DurableAck);
}

#[test]
fn an_answered_entry_lost_in_a_crash_breaks_durable_ack() {
    let mut run = Run::new();
    let index = run.index;
    run.see(AUTHORITY, Event::Answered { index });
    run.see(AUTHORITY, Event::LogRecovered { length: LogIndex(index.0 - 1) });
    broken(run, Invariant::DurableAck);
}

#[test]
fn a_rotation_still_open_after_the_bound_stalls_the_run() {
    let mut run = Run::new();
    run.drain().wait(61);
    let judgement = run.judges.clone().finish(run.at);
    assert_eq!(judgement.tally.open, 1);
    broken(run, Invariant::Converges);
}

#[test]
fn a_run_that_was_disturbed_lately_is_not_asked_to_have_converged() {
    let mut run = Run::new();
    run.drain().wait(61).see(NodeId(8), Event::Ordered { secret: SECRET, order: OrderKind::Rotate });
    assert_eq!(count(&passed(run), Invariant::Converges), 0);
}

#[test]
fn an_entry_with_another_revision_takes_no_effect_and_is_a_stutter() {
    let mut run = Run::new();
    run.begin(1);
    run.revision = Revision(0);
    run.commit(Command::Advance { epoch: Epoch(9), txn: TxnId(9), from: Phase::Idle, to: Phase::Drain });
    let phase = run.judges.ledger().slice(SECRET).map(|slice| slice.phase);
    assert_eq!(phase, Some(Phase::Draft));
    assert_eq!(passed(run).tally.open, 1);
}

#[test]
fn an_order_given_while_a_rotation_is_open_is_kept() {
    let mut run = Run::new();
    run.staged().commit(Command::OrderRotation {});
    assert!(run.judges.ledger().slice(SECRET).is_some_and(|slice| slice.is_due()));
    run.wait(61);
    broken(run, Invariant::Converges);
}

#[test]
fn a_revocation_during_a_rollback_makes_an_effect_necessary_at_once() {
    let mut run = Run::new();
    run.canary().commit(Command::RollBack { txn: TxnId(1) }).revoke(V1);
    run.enforce(1, Step::DisablePrevious, Principal::Blue, Tag::NONE);
    run.commit(Command::ConfirmRefused { epoch: Epoch(1), version: V1 });
    assert_eq!(passed(run).tally.open, 1);
}

#[test]
fn under_fault_counts_while_a_fault_stands_and_for_a_bound_after_it() {
    let mut run = Run::new();
    let (fault, kind) = (FaultId(0), FaultKind::Pause);
    run.see(NodeId::WORLD, Event::FaultBegan { fault, kind }).wait(100).store(AGENT, V1, 0);
    run.see(NodeId::WORLD, Event::FaultEnded { fault, kind }).wait(60).store(AGENT, V1, 0);
    run.wait(1).store(AGENT, V1, 0);
    let exercise = &run.end().exercised[Invariant::DurableAck as usize];
    assert_eq!((exercise.count, exercise.under_fault), (5, 2));
}

#[test]
fn a_phase_skipped_leaves_the_spec() {
    let mut run = Run::new();
    run.staged().advance(1, Phase::Staged, Phase::Promote);
    let judgement = run.judges.clone().finish(run.at);
    assert!(judgement.divergence.is_some_and(|divergence| divergence.why.contains("no edge")));
    assert_eq!(judgement.findings.first().map(|found| found.invariant), Some(Invariant::TransitionsLegal));
}

#[test]
fn a_foreign_epoch_leaves_the_spec_and_is_no_legal_move() {
    let mut run = Run::new();
    run.staged().advance(2, Phase::Staged, Phase::Canary);
    let judgement = run.judges.clone().finish(run.at);
    assert!(judgement.divergence.is_some_and(|divergence| divergence.why.contains("epoch")));
    let found = judgement.findings.first().expect("a finding");
    assert_eq!(found.invariant, Invariant::TransitionsLegal);
    assert!(found.why.contains("in e1, the lease's epoch, got one in e2"), "{}", found.why);
}

#[test]
fn a_lease_taken_before_its_end_and_margin_leaves_the_spec() {
    let mut run = Run::new();
    run.lease(1).wait(10).lease(2);
    diverged(run, "holds the lease");
}

#[test]
fn a_promotion_without_its_canary_leaves_the_spec() {
    let mut run = Run::new();
    run.canary().advance(1, Phase::Canary, Phase::Promote);
    diverged(run, "canary");
}

#[test]
fn a_retirement_before_every_holder_is_through_leaves_the_spec() {
    let mut run = Run::new();
    run.drain().advance(1, Phase::Drain, Phase::Retire);
    diverged(run, "may still hold");
}

#[test]
fn an_effect_that_no_record_asked_for_leaves_the_spec() {
    let mut run = Run::new();
    run.begin(1).enforce(1, Step::Discard, Principal::Green, Tag::NONE);
    diverged(run, "no record ever made");
}

#[test]
fn a_record_that_goes_back_to_a_version_given_up_leaves_the_spec() {
    let mut run = Run::new();
    run.canary().acknowledge(CANARY, V2, 0).store(CANARY, V1, 0);
    diverged(run, "acknowledged another version");
}

#[test]
fn a_version_handed_out_that_is_not_stored_leaves_the_spec() {
    let mut run = Run::new();
    run.canary().hand_out(CANARY, V1);
    diverged(run, "durable");
}

#[test]
fn a_refusal_of_what_the_primary_holds_leaves_the_spec() {
    let mut run = Run::new();
    let (principal, value, reason) = (Principal::Blue, BLUE, Refusal::WrongValue);
    // After a fault, one refusal breaks no invariant yet: the spec alone knows better.
    run.see(NodeId::WORLD, Event::FaultBegan { fault: FaultId(0), kind: FaultKind::LoseRequest });
    run.see(TARGET, Event::Refused { secret: SECRET, principal, value, reason });
    diverged(run, "refused it");
}

#[test]
fn a_divergence_names_what_was_allowed_and_the_ledger_goes_on() {
    let mut run = Run::new();
    run.staged().advance(1, Phase::Staged, Phase::Promote).promise(9, Step::Set);
    let judgement = run.end();
    assert_eq!(judgement.verdict, Verdict::Violated);
    let divergence = judgement.divergence.expect("the run leaves the spec");
    assert!(divergence.allowed.contains(&"Advance staged → canary".to_owned()), "{:?}", divergence.allowed);
}

fn spoke(format: u8, floor: u8) -> Event {
    Event::Spoke { peer: AGENT, format: Format(format), floor: Format(floor) }
}

#[test]
fn the_authority_that_speaks_below_the_floor_of_its_log_breaks_no_downgrade() {
    let mut run = Run::new();
    run.commit(Command::RaiseFloor { floor: Format(2) }).see(AUTHORITY, spoke(1, 2));
    broken(run, Invariant::NoDowngrade);
}

#[test]
fn an_agent_that_forgets_what_it_agreed_to_breaks_no_downgrade_and_a_rotator_may_forget() {
    let crashed = Event::Crashed { incarnation: Incarnation(1) };
    let mut run = Run::new();
    run.see(AGENT, spoke(2, 2)).see(AGENT, crashed).see(AGENT, spoke(2, 1));
    broken(run, Invariant::NoDowngrade);
    let mut run = Run::new();
    run.see(ROTATOR, spoke(2, 2)).see(ROTATOR, crashed).see(ROTATOR, spoke(1, 1));
    assert_eq!(count(&passed(run), Invariant::NoDowngrade), 0);
    let mut run = Run::new();
    run.see(ROTATOR, spoke(2, 2)).see(ROTATOR, spoke(1, 1));
    broken(run, Invariant::NoDowngrade);
}

#[test]
fn a_floor_that_rises_by_two_formats_fits_no_step() {
    let mut run = Run::new();
    run.commit(Command::RaiseFloor { floor: Format(3) });
    let judgement = run.judges.clone().finish(run.at);
    assert_eq!(judgement.verdict, Verdict::Diverged);
}
