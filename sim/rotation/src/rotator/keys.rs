//! Where the target mints the values: attempts, lists, and deletions by name.
//!
//! A mint whose outcome is unknown can be neither repeated nor asked for again: the key may be there,
//! and its value was told once, to nobody. So each attempt is on record before it is made, a further
//! one is opened before anything of the last is deleted, and a value comes onto the record only under
//! the attempt that is open. Whatever key no record names is deleted when it is seen.
//!
//! What it deliberately does not do: remember attempts over a crash. Who does not know whether he
//! minted opens another attempt.
//!
//! Upholds `orphan-free`, `applied-once`.

use super::{Call, Desk, Next, Progress, Rotator, Stage, Wanted};
use tumbler_types::event::OrderKind;
use tumbler_types::{Attempt, Epoch, Fence, Mono, Phase, Principal, SecretId, SecretValue, Step, Tag, TxnId};
use tumbler_wire::frame::{
    AttemptRequest, DeleteRequest, FillRequest, MintRequest, OrderRequest, QueryReply, QueryRequest,
};
use tumbler_wire::tag::value_tag;
use tumbler_wire::{Frame, Labeled, Record};

/// What this incarnation knows of an attempt that it opened itself.
#[derive(Clone)]
pub(super) struct Minting {
    txn: TxnId,
    attempt: Attempt,
    stage: MintStage,
}

#[derive(Clone)]
enum MintStage {
    /// Nothing was minted under it; what earlier ones left is to be looked for.
    Opened,
    /// The target was seen to have no key that is on no record.
    Clean,
    /// A mint is out, or got no answer: the attempt is spent.
    Spent,
    /// The key, to be put on record.
    Minted(Principal, SecretValue),
}

/// The calls that only such a target makes necessary.
#[derive(Clone)]
pub(super) enum KeyCall {
    /// Opens an attempt.
    Open {
        txn: TxnId,
        attempt: Attempt,
    },
    /// Lists the keys.
    List,
    /// Deletes one, which is seen to be gone by listing again.
    Delete {
        progress: Option<Progress>,
    },
    Mint,
}

impl KeyCall {
    pub(super) const fn asks_target(&self) -> bool {
        match self {
            KeyCall::Open { .. } => false,
            KeyCall::List | KeyCall::Delete { .. } | KeyCall::Mint => true,
        }
    }
}

impl Rotator {
    /// The pending version waits for the value that the target is to mint.
    pub(super) fn is_unfilled(&self, record: &Record) -> bool {
        record.phase == Phase::Draft
            && self.settings.topology.adapter.is_minting()
            && record.pending.as_ref().is_some_and(|pending| pending.value.is_empty())
    }

    /// The next call on the way to a minted key on record.
    pub(super) fn next_for_key(&mut self, index: usize, epoch: Epoch, record: &Record) -> Next {
        let (secret, txn, target) = (record.secret, record.txn, self.settings.topology.target());
        let at_target = |call, frame| Next { call: Call::Key(call), to: target, frame };
        let fence = |step| Fence { epoch, txn, step }.into();
        let desk = &mut self.desks[index];
        let known = desk.minting.as_mut().filter(|known| known.txn == txn && known.attempt == record.attempt);
        let Some(known) = known else { return self.open(secret, epoch, record) };
        match known.stage.clone() {
            MintStage::Spent => self.open(secret, epoch, record),
            MintStage::Opened => match desk.surplus {
                Some(key) => at_target(
                    KeyCall::Delete { progress: None },
                    DeleteRequest { secret, fence: fence(Step::Reap), key }.into(),
                ),
                None => at_target(KeyCall::List, QueryRequest { secret }.into()),
            },
            MintStage::Clean => {
                known.stage = MintStage::Spent;
                at_target(KeyCall::Mint, MintRequest { secret, fence: fence(Step::Set) }.into())
            }
            MintStage::Minted(principal, value) => {
                let attempt = record.attempt;
                self.ask(FillRequest { secret, epoch, txn, attempt, principal, value }.into())
            }
        }
    }

    fn open(&self, secret: SecretId, epoch: Epoch, record: &Record) -> Next {
        let (txn, attempt) = (record.txn, record.attempt.next());
        let to = self.settings.topology.authority();
        let frame = AttemptRequest { secret, epoch, txn, attempt }.into();
        Next { call: Call::Key(KeyCall::Open { txn, attempt }), to, frame }
    }

    /// Something at the target is not as the record wants it. A key too many is deleted; one that is
    /// missing cannot be put back, and the rotation is given up.
    pub(super) fn next_for_surplus(&self, index: usize, record: &Record, progress: Progress) -> Next {
        let secret = record.secret;
        let Some(key) = self.desks[index].surplus else {
            let order = OrderRequest { secret, order: OrderKind::RollBack, txn: Some(record.txn) };
            return self.ask(order.into());
        };
        let is_wanted = self.wanted(record).is_some_and(|wanted| is_of(wanted.seen, key));
        let step = if is_wanted { progress.fence.step } else { Step::Reap };
        let fence = Fence { step, ..progress.fence }.into();
        let call = Call::Key(KeyCall::Delete { progress: Some(progress) });
        Next { call, to: self.settings.topology.target(), frame: DeleteRequest { secret, fence, key }.into() }
    }

    /// Takes an answer to one of these calls. Returns whether to go on at once.
    pub(super) fn handle_key(&mut self, index: usize, sent: Mono, call: KeyCall, frame: Frame) -> bool {
        match (call, frame) {
            (KeyCall::Open { txn, attempt }, Frame::RecordReply(reply)) => {
                let is_open = reply.done && reply.record.txn == txn && reply.record.attempt == attempt;
                self.learn(index, sent, reply.record);
                let desk = &mut self.desks[index];
                desk.surplus = None;
                desk.minting = is_open.then_some(Minting { txn, attempt, stage: MintStage::Opened });
                is_open
            }
            (KeyCall::List, Frame::QueryReply(reply)) => {
                let desk = &mut self.desks[index];
                desk.surplus = desk.record.as_ref().and_then(|record| surplus(record, None, &reply));
                if desk.surplus.is_none() {
                    set_stage(desk, MintStage::Clean);
                }
                true
            }
            (KeyCall::Delete { progress }, Frame::DeleteReply(reply)) => {
                self.desks[index].surplus = None;
                if let Some(progress) = progress {
                    self.desks[index].progress = Some(Progress { stage: Stage::InDoubt, ..progress });
                }
                reply.gone
            }
            (KeyCall::Mint, Frame::MintReply(reply)) if !reply.value.is_empty() => {
                set_stage(&mut self.desks[index], MintStage::Minted(reply.principal, reply.value));
                true
            }
            // None was minted, because there are as many as there may be: one of them is too many.
            (KeyCall::Mint, Frame::MintReply(_)) => true,
            _ => false,
        }
    }

    /// One of these calls got no answer. Returns whether to go on at once.
    pub(super) fn doubt_key(&mut self, index: usize, call: &KeyCall) -> bool {
        match call {
            KeyCall::Open { .. } | KeyCall::List => false,
            KeyCall::Delete { progress } => {
                let desk = &mut self.desks[index];
                desk.surplus = None;
                desk.progress = progress.map(|progress| Progress { stage: Stage::InDoubt, ..progress });
                false
            }
            KeyCall::Mint => true,
        }
    }

    /// Compares what the target accepts with what the record wants there.
    pub(super) fn look(&mut self, index: usize, progress: Progress, reply: &QueryReply) {
        let desk = &self.desks[index];
        let Some(record) = &desk.record else { return };
        let Some(wanted) = self.wanted(record).filter(|wanted| wanted.step == progress.fence.step) else {
            return;
        };
        let surplus = surplus(record, Some(&wanted), reply);
        let is_there = [reply.blue, reply.green].into_iter().any(|key| is_of(wanted.seen, key));
        let is_missing = surplus.is_some() || wanted.accepted && !is_there;
        let stage = if is_missing { Stage::Missing } else { Stage::Applied { verifiers: 0 } };
        let desk = &mut self.desks[index];
        desk.surplus = surplus;
        desk.progress = Some(Progress { stage, ..progress });
    }
}

fn set_stage(desk: &mut Desk, stage: MintStage) {
    if let Some(minting) = &mut desk.minting {
        minting.stage = stage;
    }
}

/// A key that the target accepts and that the record does not want there: no version's, or that of the
/// version that is to be refused.
fn surplus(record: &Record, wanted: Option<&Wanted<'_>>, reply: &QueryReply) -> Option<Tag> {
    let leaving = wanted.filter(|wanted| !wanted.accepted).map(|wanted| wanted.seen.version);
    let labeled = [&record.current, &record.pending, &record.previous];
    let stays = |key: Tag| {
        labeled.iter().copied().flatten().any(|each| is_of(each, key) && Some(each.version) != leaving)
    };
    [reply.blue, reply.green].into_iter().find(|key| !key.is_none() && !stays(*key))
}

fn is_of(version: &Labeled, key: Tag) -> bool {
    !version.value.is_empty() && value_tag(&version.value) == key
}
