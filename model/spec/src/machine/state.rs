//! One state of the machine: the ledger, and what is volatile or on its way.

use super::{NOW, SECRET, live, stopped};
use crate::ledger::{Holder, Ledger, Report, Slice, Stored};
use crate::rule::Effect;
use tumbler_types::{Epoch, Instant, LogIndex, NodeId, Phase, Revision, Serial, VersionId, Wall};

/// How much the search may use. Part of every claim that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limits {
    pub rotators: u8,
    pub agents: u8,
    pub rotations: u8,
    /// None, or any number: a crash loses only what may get lost at any time as well.
    pub crashes: u8,
    /// Messages that are held and land arbitrarily late.
    pub zombies: u8,
    pub revocations: u8,
    /// How far any wall clock may be from true time, in ε. At most one is what the system is built for.
    pub skew: u8,
}

impl Limits {
    /// Of which every step can be tried as a run: below a minute.
    pub const fn tiny() -> Self {
        Limits { rotators: 1, agents: 1, rotations: 1, crashes: 1, zombies: 0, revocations: 0, skew: 1 }
    }

    /// For tests: below a second when optimized.
    pub const fn small() -> Self {
        Limits { rotators: 2, agents: 1, rotations: 1, crashes: 1, zombies: 1, revocations: 1, skew: 1 }
    }

    /// Two rotations, two rotators, two agents, one crash, one zombie.
    pub const fn medium() -> Self {
        Limits { rotators: 2, agents: 2, rotations: 2, crashes: 1, zombies: 1, revocations: 0, skew: 1 }
    }

    /// One rotation less than [`Limits::medium`], and a revocation of any version at any time.
    pub const fn revoked() -> Self {
        Limits { rotators: 2, agents: 2, rotations: 1, crashes: 1, zombies: 1, revocations: 1, skew: 1 }
    }

    /// Both: minutes.
    pub const fn large() -> Self {
        Limits { rotators: 2, agents: 2, rotations: 2, crashes: 1, zombies: 1, revocations: 1, skew: 1 }
    }
}

/// One state. Canonical: what can no longer matter is reset (see [`State::canonize`]).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// All that is durable.
    pub ledger: Ledger,
    /// The lease's holder saw the target show the effect that the record asks for.
    pub confirmed: bool,
    /// A message that is withheld and may land at any time.
    pub held: Option<Held>,
    /// Per agent, the answer to its last heartbeat, on its way: version (0: none) and serial. An
    /// answer to an earlier heartbeat is never accepted.
    pub replies: Vec<Option<Report>>,
    pub zombies: u8,
    /// One bit per [`super::Property`] found broken on the way here.
    pub broken: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    Call(Effect),
    Letter { agent: u8, letter: Letter },
    Request { epoch: Epoch, request: Request },
}

/// What a rotator asks of the authority because of something that it has seen. All else that is asked is
/// judged by the record alone: late, it is the same request, made later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    Advance { from: Phase },
    ConfirmRefused { version: VersionId },
}

/// What a heartbeat says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Letter {
    pub report: Report,
    /// It names a grant on record: not one that was given anew, ended or has expired since.
    pub is_fresh: bool,
}

impl Clone for State {
    fn clone(&self) -> Self {
        let State { ledger, confirmed, held, replies, zombies, broken } = self;
        State {
            ledger: ledger.clone(),
            confirmed: *confirmed,
            held: *held,
            replies: replies.clone(),
            zombies: *zombies,
            broken: *broken,
        }
    }

    /// Without an allocation, where what is overwritten is as large: a search does it for every step.
    fn clone_from(&mut self, source: &Self) {
        let State { ledger, confirmed, held, replies, zombies, broken } = source;
        self.ledger.clone_from(ledger);
        self.replies.clone_from(replies);
        (self.confirmed, self.held) = (*confirmed, *held);
        (self.zombies, self.broken) = (*zombies, *broken);
    }
}

impl State {
    pub(super) fn new(ledger: Ledger, agents: u8) -> Self {
        State {
            ledger,
            confirmed: false,
            held: None,
            replies: vec![None; usize::from(agents)],
            zombies: 0,
            broken: 0,
        }
    }

    pub fn slice(&self) -> &Slice {
        self.ledger.slice(SECRET).expect("the machine has one secret")
    }

    pub(super) fn slice_mut(&mut self) -> &mut Slice {
        self.ledger.slices.first_mut().expect("the machine has one secret")
    }

    pub fn holder(&self, agent: u8) -> &Holder {
        &self.slice().holders[usize::from(agent)]
    }

    /// The agent may hand out what it has stored.
    pub fn is_serving(&self, agent: u8) -> bool {
        let Stored { version, until, .. } = self.holder(agent).stored;
        version.0 != 0 && until == live()
    }

    /// Resets what no longer matters, so that equal futures are equal states. `keeps_dead`: a planted
    /// flaw gives meaning to a record whose grant is over, or to a report of one, or to a late request.
    pub(super) fn canonize(&mut self, keeps_dead: bool) {
        if let Some(Held::Request { epoch, request }) = self.held
            && !keeps_dead
            && !self.is_open(epoch, request)
        {
            self.held = None;
        }
        self.ledger.now = NOW;
        self.ledger.length = LogIndex(0);
        self.ledger.answered = LogIndex(0);
        self.canonize_epochs();
        self.age();
        let held = self.held;
        let slice = self.slice_mut();
        slice.revision = Revision(1);
        slice.closed_at = Wall::ZERO;
        slice.quiet_from = Wall::ZERO;
        slice.begun = None;
        if slice.promised <= slice.fence {
            slice.promised = None;
        }
        let txn = slice.txn;
        let txn_held = match held {
            Some(Held::Call(effect)) => effect.fence.txn,
            Some(Held::Letter { .. } | Held::Request { .. }) | None => txn,
        };
        slice.applied.retain(|(each, _)| *each == txn || *each == txn_held);
        slice.applied.sort_unstable();
        if let Some(Held::Letter { letter, .. }) = &mut self.held
            && !letter.is_fresh
            && !keeps_dead
        {
            letter.report = Report::default();
        }
        for (holder, reply) in self.ledger.slices[0].holders.iter_mut().zip(&self.replies) {
            holder.told = Report::default();
            let Stored { version, until, .. } = holder.stored;
            if until == stopped() && holder.grant(version).is_none() {
                holder.stored.until = Wall::ZERO;
            }
            if holder.stored.until == Wall::ZERO && !keeps_dead {
                holder.stored.version = VersionId(0);
            }
            // An ended grant matters only to an agent that has, or is about to have, its version.
            let stored = holder.stored.version;
            let coming = reply.map(|reply| reply.version);
            holder
                .grants
                .retain(|grant| !grant.ended || grant.version == stored || Some(grant.version) == coming);
        }
    }

    /// The request would still be granted. One that would not is never granted again.
    fn is_open(&self, epoch: Epoch, request: Request) -> bool {
        let slice = self.slice();
        slice.lease.is_some_and(|lease| lease.epoch == epoch)
            && match request {
                Request::Advance { from } => slice.phase == from,
                Request::ConfirmRefused { version } => slice.is_owed(version),
            }
    }

    /// A revocation is older than every bound as soon as nothing urgent is left to do about it: its
    /// debt is closed, and each agent that may still hand out has heard of it. Never later, because
    /// more is broken by an old revocation than by a fresh one.
    fn age(&mut self) {
        let slice = &mut self.ledger.slices[0];
        let Slice { versions, holders, .. } = slice;
        for each in versions {
            if let Some(revocation) = &mut each.revoked
                && revocation.at != Instant::ZERO
                && !each.owed
                && has_heard(holders, &self.replies, revocation.serial)
            {
                revocation.at = Instant::ZERO;
            }
        }
    }

    /// Epochs are only ever compared, and a new one is above all: they are renamed to their ranks.
    /// So any number of takeovers is searched.
    fn canonize_epochs(&mut self) {
        let slice = &self.ledger.slices[0];
        let held = match self.held {
            Some(Held::Call(effect)) => effect.fence.epoch,
            Some(Held::Request { epoch, request: _ }) => epoch,
            Some(Held::Letter { .. }) | None => NONE,
        };
        let known = [
            slice.fence.map_or(NONE, |fence| fence.epoch),
            slice.promised.map_or(NONE, |fence| fence.epoch),
            slice.lease.map_or(NONE, |lease| lease.epoch),
            held,
        ];
        // How many there are below it, each counted once, and itself.
        let rank = |epoch: Epoch| {
            let first = |place: usize| !known[..place].contains(&known[place]);
            let below = (0..known.len())
                .filter(|place| known[*place] != NONE && known[*place] <= epoch && first(*place));
            Epoch(below.count() as u32)
        };
        let slice = &mut self.ledger.slices[0];
        for fence in [&mut slice.fence, &mut slice.promised].into_iter().flatten() {
            fence.epoch = rank(fence.epoch);
        }
        if let Some(lease) = &mut slice.lease {
            lease.epoch = rank(lease.epoch);
            // Rotators are alike: whoever holds the lease is the first.
            lease.rotator = NodeId(1);
        }
        match &mut self.held {
            Some(Held::Call(effect)) => effect.fence.epoch = rank(effect.fence.epoch),
            Some(Held::Request { epoch, request: _ }) => *epoch = rank(*epoch),
            Some(Held::Letter { .. }) | None => {}
        }
    }
}

/// No epoch: the machine's are few, and count from 1.
const NONE: Epoch = Epoch(u32::MAX);

/// Each agent that may still hand out knows of this revocation, and will after what is on its way to it.
fn has_heard(holders: &[Holder], replies: &[Option<Report>], serial: Serial) -> bool {
    holders.iter().zip(replies).all(|(holder, reply)| {
        let Stored { version, serial: known, until } = holder.stored;
        (known >= serial || version.0 == 0 || until != live())
            && reply.is_none_or(|reply| reply.serial >= serial)
    })
}
