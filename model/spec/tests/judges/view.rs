//! What the authority says of its record, against the log.

use super::*;
use tumbler_spec::RecordView;

fn told(run: &Run) -> RecordView {
    RecordView {
        secret: SECRET,
        index: run.index,
        revision: run.revision,
        phase: Phase::Drain,
        txn: TxnId(1),
        epoch: Epoch(1),
        holder: ROTATOR,
        current: Some((V2, Principal::Green)),
        previous: Some((V1, Principal::Blue)),
        pending: None,
        revoked: vec![V1],
        owed: vec![V1],
        attempt: Attempt(0),
    }
}

fn run() -> Run {
    let mut run = Run::new();
    run.drain().revoke(V1);
    run
}

fn look(mut run: Run, view: &RecordView) -> Option<String> {
    assert!(run.judges.awaits_view(view.index));
    run.judges.look(run.seq, run.at, AUTHORITY, view);
    run.end().divergence.map(|divergence| divergence.why)
}

#[test]
fn a_record_as_the_log_gives_it_is_believed() {
    let run = run();
    let view = told(&run);
    assert_eq!(look(run, &view), None);
}

#[test]
fn each_thing_that_a_record_says_is_compared() {
    type Change = fn(&mut RecordView);
    let cases: [(&str, Change); 11] = [
        ("revision", |view| view.revision = Revision(3)),
        ("phase", |view| view.phase = Phase::Promote),
        ("transaction", |view| view.txn = TxnId(2)),
        ("lease", |view| view.epoch = Epoch(2)),
        ("lease", |view| view.holder = NodeId(2)),
        ("current", |view| view.current = Some((V2, Principal::Blue))),
        ("previous", |view| view.previous = None),
        ("pending", |view| view.pending = Some((V2, Principal::Green))),
        ("attempt", |view| view.attempt = Attempt(1)),
        ("revoked versions", |view| view.revoked.clear()),
        ("debts", |view| view.owed = vec![V1, V2]),
    ];
    for (what, change) in cases {
        let run = run();
        let mut view = told(&run);
        change(&mut view);
        let why = look(run, &view).unwrap_or_else(|| panic!("{what} is not compared"));
        assert!(why.starts_with("its record is not the one that its log gives at "), "{why}");
        assert!(why.contains(&format!(": {what}: expected ")), "{why}");
    }
}

#[test]
fn a_record_is_compared_once_an_entry_and_only_while_nothing_is_under_way() {
    let mut run = run();
    let view = told(&run);
    let behind = LogIndex(view.index.0 - 1);
    assert!(!run.judges.awaits_view(behind), "an entry has become durable since");
    run.judges.look(run.seq, run.at, AUTHORITY, &view);
    assert!(!run.judges.awaits_view(view.index), "it was looked at");
    run.commit(Command::OrderRotation {});
    assert!(run.judges.awaits_view(run.index));
}
