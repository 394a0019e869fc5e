//! When a rotation may begin and move, and what is true at rest.

use super::*;

#[test]
fn a_rotation_that_nobody_wanted_breaks_rotated_when_due() {
    let mut run = Run::new();
    run.lease(1);
    let begin = |cause| Command::Begin {
        epoch: Epoch(1),
        txn: TxnId(1),
        version: V2,
        principal: Principal::Green,
        value: GREEN,
        cause,
    };
    for cause in [Cause::Order, Cause::Due, Cause::Revoked] {
        let mut run = Run { judges: run.judges.clone(), ..run };
        run.commit(begin(cause));
        broken(run, Invariant::RotatedWhenDue);
    }
}

#[test]
fn a_target_that_still_accepts_the_previous_version_at_rest_breaks_transitions_legal() {
    let mut run = Run::new();
    run.drain().commit(Command::Advance {
        epoch: Epoch(1),
        txn: TxnId(1),
        from: Phase::Drain,
        to: Phase::Retire,
    });
    run.commit(Command::Advance { epoch: Epoch(1), txn: TxnId(1), from: Phase::Retire, to: Phase::Idle });
    broken(run, Invariant::TransitionsLegal);
}

#[test]
fn an_edge_that_does_not_exist_breaks_transitions_legal() {
    let mut run = Run::new();
    run.begin(1).enforce(1, Step::Set, Principal::Green, GREEN);
    run.commit(Command::Advance { epoch: Epoch(1), txn: TxnId(1), from: Phase::Draft, to: Phase::Drain });
    let found = run.judges.clone().finish(run.at).findings;
    assert_eq!(found.first().map(|finding| finding.invariant), Some(Invariant::TransitionsLegal));
}
