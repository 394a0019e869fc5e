//! Both judges are total: no sequence of events makes them panic, however absurd.

use proptest::prelude::*;
use tumbler_spec::{Judges, Ledger};
use tumbler_types::event::Refusal;
use tumbler_types::*;

fn small() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0u32..5, 1 => Just(u32::MAX), 1 => any::<u32>()]
}

fn node() -> impl Strategy<Value = NodeId> {
    prop_oneof![9 => (0u16..9).prop_map(NodeId), 1 => any::<u16>().prop_map(NodeId)]
}

fn phase() -> impl Strategy<Value = Phase> {
    (0usize..Phase::ALL.len()).prop_map(|index| Phase::ALL[index])
}

fn command() -> impl Strategy<Value = Command> {
    let principal = any::<bool>().prop_map(|blue| if blue { Principal::Blue } else { Principal::Green });
    (0u8..11, small(), small(), small(), principal, node(), phase(), phase(), any::<u64>()).prop_map(
        |(kind, a, b, c, principal, agent, from, to, time)| match kind {
            0 => Command::Enroll { version: VersionId(a), principal, value: Tag(u64::from(b)) },
            1 => Command::AcquireLease { rotator: agent, epoch: Epoch(a), until: Wall(time) },
            2 => Command::RenewLease { rotator: agent, epoch: Epoch(a), until: Wall(time) },
            3 => Command::Begin {
                epoch: Epoch(a),
                txn: TxnId(b),
                version: VersionId(c),
                principal,
                value: Tag(u64::from(c)),
                cause: Cause::Order,
            },
            4 => Command::Advance { epoch: Epoch(a), txn: TxnId(b), from, to },
            5 => Command::RollBack { txn: TxnId(a) },
            6 => Command::OrderRotation {},
            7 => Command::Revoke { version: VersionId(a), serial: Serial(b) },
            8 => Command::ConfirmRefused { epoch: Epoch(a), version: VersionId(b) },
            9 => Command::Grant { agent, version: VersionId(a), until: Wall(time) },
            10 => Command::RaiseFloor { floor: Format(2) },
            _ => Command::Acknowledge { agent, version: VersionId(a), serial: Serial(b) },
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let fields = (small(), small(), small(), 0u16..3, any::<u64>(), 0usize..5, node());
    (0u8..20, fields, command()).prop_map(|(kind, (a, b, c, secret, time, step, to), command)| {
        let secret = SecretId(secret);
        let fence = Fence { epoch: Epoch(a), txn: TxnId(b), step: Step::ALL[step] };
        let (version, serial, value) = (VersionId(a), Serial(b), Tag(u64::from(c)));
        let principal = Principal::Blue;
        let (fault, kind_of_fault) = (FaultId(0), FaultKind::ALL[step]);
        match kind {
            0 => Event::Reachable {},
            1 => Event::Unreachable {},
            2 => Event::FaultBegan { fault, kind: kind_of_fault },
            3 => Event::FaultEnded { fault, kind: kind_of_fault },
            4 => Event::LogRecovered { length: LogIndex(a) },
            5 => Event::Answered { index: LogIndex(a) },
            6 => Event::Enforced { secret, fence, principal, value },
            7 => Event::Promised { secret, fence },
            8 => Event::TargetRecovered { secret, fence: Some(fence), blue: value, green: Tag::NONE },
            9 => Event::Authenticated { secret, principal, value },
            10 => Event::Refused { secret, principal, value, reason: Refusal::WrongValue },
            11 => Event::Stored { secret, version, serial, until: Wall(time) },
            12 => Event::AgentRecovered { secret, version, serial },
            13 => Event::Acknowledged { secret, version, serial },
            14 => Event::HandedOut { secret, version, value, to },
            15 => Event::Withheld { secret, to },
            16 => Event::Mirrored { secret, blue: value, green: Tag::NONE },
            _ => Event::Committed {
                index: LogIndex(a),
                at: Wall(time),
                secret,
                expected: Revision(b % 4),
                command,
            },
        }
    })
}

fn topology() -> Topology {
    Topology { rotators: 1, agents: 2, replicas: 1, workloads: 1, secrets: 2, adapter: Default::default() }
}

fn bounds() -> Bounds {
    Bounds::all(Span::from_secs(1))
}

proptest! {
    #[test]
    fn no_sequence_of_events_stops_a_judge(events in prop::collection::vec((event(), node(), any::<u64>()), 0..120)) {
        let mut judges = Judges::new(&topology(), &Timing::default(), &bounds(), 1);
        for (seq, (event, node, at)) in (0u64..).zip(events) {
            judges.observe(&Observed { seq, at: Instant(at), node, event });
        }
        let judgement = judges.finish(Instant::MAX);
        prop_assert_eq!(judgement.exercised.len(), Invariant::ALL.len());
        for (index, finding) in judgement.findings.iter().enumerate() {
            let same = |each: &tumbler_spec::Finding| {
                each.invariant == finding.invariant && each.secret == finding.secret
            };
            prop_assert!(!judgement.findings[..index].iter().any(same), "at most one per invariant and secret");
        }
    }

    #[test]
    fn folding_is_the_same_with_and_without_judges(events in prop::collection::vec((event(), node()), 0..120)) {
        let mut judges = Judges::new(&topology(), &Timing::default(), &bounds(), 1);
        let mut ledger = Ledger::new(&topology());
        for (seq, (event, node)) in (0u64..).zip(events) {
            let observed = Observed { seq, at: Instant(seq), node, event };
            judges.observe(&observed);
            ledger.fold(&observed);
        }
        prop_assert_eq!(judges.ledger(), &ledger);
    }
}
