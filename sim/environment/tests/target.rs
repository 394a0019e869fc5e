//! The target's fence table, and the replica's two conditions.

use tumbler_environment::{Replica, Target};
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Input, Now, Role};
use tumbler_types::{
    Enforcement, Epoch, Fence, Mono, NodeId, Principal, SecretId, SecretValue, Span, Step, Tag, Timing,
    Token, Topology, TxnId, Wall,
};
use tumbler_wire::Frame;
use tumbler_wire::frame::{ApplyRequest, LoginRequest, Replicate};
use tumbler_wire::tag::value_tag;

const SECRET: SecretId = SecretId(0);

fn topology() -> Topology {
    Topology { rotators: 1, agents: 1, replicas: 1, workloads: 0, secrets: 1, adapter: Default::default() }
}

fn now(millis: u64) -> Now {
    Now { wall: Wall(Wall::EPOCH.0 + millis * 1_000_000), mono: Mono(millis * 1_000_000) }
}

fn value(byte: u8) -> SecretValue {
    SecretValue::new(vec![byte; 16])
}

fn replies(effects: Vec<Effect>) -> Vec<Frame> {
    let frame = |effect| match effect {
        Effect::Reply { frame, .. } => Frame::from_bytes(&frame).ok(),
        _ => None,
    };
    effects.into_iter().filter_map(frame).collect()
}

/// Applies one effect, its write included. Returns whether it was applied, and whether it was written.
fn apply(target: &mut Target, fence: Fence, byte: u8) -> (bool, bool) {
    let request =
        ApplyRequest { secret: SECRET, fence: fence.into(), principal: Principal::Green, value: value(byte) };
    let input = Input::Called { call: Token(1), from: NodeId(1), frame: Frame::from(request).to_bytes() };
    let effects: Vec<Effect> = target.handle(now(0), input).into_iter().collect();
    let written = effects.iter().find_map(|effect| match effect {
        Effect::Persist { token, .. } => Some(*token),
        _ => None,
    });
    let effects = match written {
        Some(token) => {
            assert!(replies(effects).is_empty(), "no answer before the row is durable");
            target.handle(now(0), Input::Persisted { token }).into_iter().collect()
        }
        None => effects,
    };
    let frames = replies(effects);
    let [Frame::ApplyReply(reply)] = &frames[..] else { panic!("one answer, got {frames:?}") };
    (reply.applied, written.is_some())
}

fn login(role: &mut dyn Role, at: Now, byte: u8) -> Option<Refusal> {
    let request = LoginRequest { secret: SECRET, principal: Principal::Green, value: value(byte) };
    let input = Input::Called { call: Token(2), from: NodeId(1), frame: Frame::from(request).to_bytes() };
    let frames = replies(role.handle(at, input).into_iter().collect());
    let [Frame::LoginReply(reply)] = &frames[..] else { panic!("one answer, got {frames:?}") };
    reply.refusal
}

fn fence(epoch: u32, txn: u32, step: Step) -> Fence {
    Fence { epoch: Epoch(epoch), txn: TxnId(txn), step }
}

#[test]
fn fences_only_rise_and_an_equal_one_is_answered_from_the_record() {
    let base = fence(2, 3, Step::Retire);
    let table = [
        (fence(2, 3, Step::Retire), true, false),
        (fence(1, 9, Step::DisableCurrent), false, false),
        (fence(2, 2, Step::DisableCurrent), false, false),
        (fence(2, 3, Step::Set), false, false),
        (fence(2, 3, Step::Discard), true, true),
        (fence(2, 4, Step::Set), true, true),
        (fence(3, 1, Step::Set), true, true),
    ];
    for (next, applied, written) in table {
        let mut target = Target::new(topology(), Timing::default(), Enforcement::Fenced);
        assert_eq!(apply(&mut target, base, 1), (true, true));
        assert_eq!(apply(&mut target, next, 2), (applied, written), "{next} after {base}");
        let in_force = if written { 2 } else { 1 };
        assert_eq!(login(&mut target, now(0), in_force), None);
        assert_eq!(login(&mut target, now(0), 3 - in_force), Some(Refusal::WrongValue));
    }
}

#[test]
fn the_last_writer_wins_where_fences_are_not_enforced() {
    let mut target = Target::new(topology(), Timing::default(), Enforcement::LastWriteWins);
    assert_eq!(apply(&mut target, fence(2, 3, Step::Retire), 1), (true, true));
    assert_eq!(apply(&mut target, fence(1, 1, Step::Set), 2), (true, true));
    assert_eq!(login(&mut target, now(0), 2), None);
}

fn copy(replica: &mut Replica, at: u64, sent: u64, byte: u8) {
    let frame = Replicate {
        secret: SECRET,
        fence: None,
        blue: Tag::NONE,
        green: value_tag(&value(byte)),
        sent: now(sent).wall,
        blue_may: Default::default(),
        green_may: Default::default(),
    };
    let input = Input::Received { from: NodeId(3), frame: Frame::from(frame).to_bytes() };
    assert!(replica.handle(now(at), input).is_empty());
}

#[test]
fn a_replica_serves_its_copy_until_it_is_out_of_touch() {
    let mut replica = Replica::new(&topology(), Timing::default(), Span::ZERO);
    assert_eq!(login(&mut replica, now(0), 1), Some(Refusal::Stale));
    copy(&mut replica, 10, 5, 1);
    assert_eq!(login(&mut replica, now(3_010), 1), None);
    assert_eq!(login(&mut replica, now(3_011), 1), Some(Refusal::Stale));
    let slow = Now { mono: now(100).mono, wall: now(3_011).wall };
    assert_eq!(login(&mut replica, slow, 1), Some(Refusal::Stale), "either clock closes it");
}

#[test]
fn a_copy_that_was_held_on_the_way_brings_nothing_back() {
    let mut replica = Replica::new(&topology(), Timing::default(), Span::ZERO);
    copy(&mut replica, 600, 500, 2);
    copy(&mut replica, 610, 100, 1);
    assert_eq!(login(&mut replica, now(620), 1), Some(Refusal::WrongValue), "an older copy");
    let mut fresh = Replica::new(&topology(), Timing::default(), Span::ZERO);
    copy(&mut fresh, 2_000, 900, 1);
    assert_eq!(login(&mut fresh, now(2_010), 1), Some(Refusal::Stale), "a copy that is too old to be heard");
}

#[test]
fn a_copy_counts_only_after_the_replica_s_lag() {
    let mut replica = Replica::new(&topology(), Timing::default(), Span::from_millis(800));
    copy(&mut replica, 10, 5, 1);
    assert_eq!(login(&mut replica, now(809), 1), Some(Refusal::Stale), "nothing is visible yet");
    assert_eq!(login(&mut replica, now(810), 1), None);
    copy(&mut replica, 900, 890, 2);
    assert_eq!(login(&mut replica, now(1_699), 1), None, "still the one before");
    assert_eq!(login(&mut replica, now(1_700), 1), Some(Refusal::WrongValue));
    assert_eq!(login(&mut replica, now(1_700), 2), None);
}

mod keys {
    use super::*;
    use tumbler_types::{Adapter, Principals};
    use tumbler_wire::frame::{DeleteRequest, MintRequest, QueryRequest};

    fn service() -> Target {
        let adapter = Adapter { enforcement: Enforcement::LastWriteWins, principals: Principals::Keys };
        let topology = Topology { adapter, ..topology() };
        let mut target = Target::new(topology, Timing::default(), adapter.enforcement);
        let _ = target.handle(now(0), Input::Boot { disk: vec![], log: vec![], entropy: [5; 32] });
        target
    }

    /// One call, its write included; the disk keeps it, or not.
    fn ask(target: &mut Target, frame: impl Into<Frame>, is_kept: bool) -> Frame {
        let input = Input::Called { call: Token(1), from: NodeId(1), frame: frame.into().to_bytes() };
        let mut effects: Vec<Effect> = target.handle(now(0), input).into_iter().collect();
        if let Some(Effect::Persist { token, .. }) = effects.first() {
            assert!(replies(effects.clone()).is_empty(), "no key is told before it is durable");
            let token = *token;
            let input = if is_kept { Input::Persisted { token } } else { Input::PersistFailed { token } };
            effects = target.handle(now(0), input).into_iter().collect();
        }
        replies(effects).into_iter().next().expect("one answer")
    }

    fn mint(target: &mut Target, is_kept: bool) -> Option<(Principal, SecretValue)> {
        let request = MintRequest { secret: SECRET, fence: fence(1, 1, Step::Set).into() };
        let Frame::MintReply(reply) = ask(target, request, is_kept) else { panic!("a key, or none") };
        (!reply.value.is_empty()).then_some((reply.principal, reply.value))
    }

    fn list(target: &mut Target) -> [Tag; 2] {
        let Frame::QueryReply(reply) = ask(target, QueryRequest { secret: SECRET }, true) else {
            panic!("a list")
        };
        [reply.blue, reply.green]
    }

    fn delete(target: &mut Target, key: Tag) -> bool {
        let fence = fence(1, 1, Step::Reap).into();
        let Frame::DeleteReply(reply) = ask(target, DeleteRequest { secret: SECRET, fence, key }, true)
        else {
            panic!("gone, or not")
        };
        reply.gone
    }

    #[test]
    fn every_request_mints_another_key_until_there_are_two() {
        let mut target = service();
        let (first, second) = (mint(&mut target, true), mint(&mut target, true));
        let (Some((blue, one)), Some((green, two))) = (first, second) else { panic!("two keys") };
        assert_eq!((blue, green), (Principal::Blue, Principal::Green));
        assert_ne!(one, two);
        assert_eq!(list(&mut target), [value_tag(&one), value_tag(&two)]);
        assert_eq!(mint(&mut target, true), None, "as many as there may be");
    }

    #[test]
    fn a_key_is_deleted_by_its_name_and_another_of_its_place_is_left() {
        let mut target = service();
        let one = value_tag(&mint(&mut target, true).expect("a key").1);
        assert!(delete(&mut target, one));
        let two = value_tag(&mint(&mut target, true).expect("a key").1);
        assert_ne!(one, two);
        assert!(delete(&mut target, one), "it is gone, and the deletion came twice");
        assert!(delete(&mut target, Tag::NONE), "no key has no name");
        assert_eq!(list(&mut target), [two, Tag::NONE]);
    }

    #[test]
    fn a_key_that_the_disk_did_not_take_is_told_to_nobody() {
        let mut target = service();
        assert_eq!(mint(&mut target, false), None);
        assert_eq!(list(&mut target), [Tag::NONE; 2]);
    }

    #[test]
    fn it_takes_no_value_from_outside() {
        let request = ApplyRequest {
            secret: SECRET,
            fence: fence(1, 1, Step::Set).into(),
            principal: Principal::Blue,
            value: value(1),
        };
        let frame = Frame::from(request).to_bytes();
        let input = Input::Called { call: Token(1), from: NodeId(1), frame };
        assert!(service().handle(now(0), input).is_empty());
    }
}
