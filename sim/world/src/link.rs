//! Directed links: latency by the link's own stream, cuts, and what faults do to what passes.
//!
//! A harm draws from a stream of its own, keyed by the link and the fault, after the link's own draw:
//! without the fault every message arrives as it did. A message is framed with a checksum of its
//! bytes, which the receiver's end compares; it is computed when something changes them, because that
//! of sound bytes is right by construction.
//!
//! `Model:` there is one connection for each pair of nodes, it opens by itself, and only resets and
//! restarts end it; messages overtake each other.

use tumbler_plan::{LinkHarm, Network, Plan, Share, Stream, StreamName};
use tumbler_types::event::LossCause;
use tumbler_types::{FaultId, Instant, NodeId, Span, Tag};

/// What one fault did to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Lost, or damaged so that it is as good as lost.
    Lost,
    Delayed(Span),
}

/// All directed links of a world.
pub struct Links {
    seed: u64,
    /// The ids under which the nodes draw.
    entities: Vec<u32>,
    network: Network,
    links: Vec<Link>,
}

#[derive(Default)]
struct Link {
    /// Made at the first message: most pairs of nodes never speak.
    latency: Option<Box<Stream>>,
    ordinal: u32,
    /// How many standing partitions cut this direction.
    cuts: u16,
    /// Standing harms of this direction, in the order in which they began.
    harms: Vec<Harmed>,
    /// Counts the connections of this direction, by the resets between them.
    connection: u32,
}

/// What one standing fault does to one directed link.
struct Harmed {
    fault: FaultId,
    harm: LinkHarm,
    stream: Stream,
    /// Until when what came before is leaving.
    busy_until: Instant,
}

/// What became of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Arrives { at: Instant, checksum: Option<Tag> },
    Lost(LossCause),
}

impl Links {
    pub fn new(plan: &Plan) -> Self {
        let entities: Vec<u32> = plan.topology.nodes().map(|node| u32::from(plan.entity(node).0)).collect();
        let nodes = entities.len();
        Links {
            seed: plan.seed,
            entities,
            network: plan.network,
            links: std::iter::repeat_with(Link::default).take(nodes * nodes).collect(),
        }
    }

    fn index(&self, from: NodeId, to: NodeId) -> usize {
        usize::from(from.0) * self.entities.len() + usize::from(to.0)
    }

    /// Entity of the link in tie keys.
    pub fn entity(&self, from: NodeId, to: NodeId) -> u32 {
        u32::try_from(self.index(from, to)).expect("node ids are 16 bits")
    }

    /// Under which ids the ends of a link draw.
    fn ends(&self, from: NodeId, to: NodeId) -> (u32, u32) {
        (self.entities[usize::from(from.0)], self.entities[usize::from(to.0)])
    }

    /// Draws the next message's arrival: one draw per message, whatever becomes of it.
    pub fn send(&mut self, now: Instant, from: NodeId, to: NodeId) -> (Instant, u32) {
        let (seed, network, index) = (self.seed, self.network, self.index(from, to));
        let ends = self.ends(from, to);
        let link = &mut self.links[index];
        let stream =
            link.latency.get_or_insert_with(|| Box::new(Stream::new(seed, StreamName::Link, ends, 0)));
        let arrival = now.plus(stream.span(network.latency_min, network.latency_max));
        let ordinal = link.ordinal;
        link.ordinal += 1;
        (arrival, ordinal)
    }

    pub fn connection(&self, from: NodeId, to: NodeId) -> u32 {
        self.links[self.index(from, to)].connection
    }

    /// Everything in flight in this direction belongs to a connection that is no more.
    pub fn reset(&mut self, from: NodeId, to: NodeId) {
        let index = self.index(from, to);
        self.links[index].connection += 1;
    }

    pub fn harm(&mut self, from: NodeId, to: NodeId, fault: FaultId, harm: LinkHarm) {
        let index = self.index(from, to);
        let (one, other) = self.ends(from, to);
        let entity = (one << 16 | other, u32::from(fault.0));
        let stream = Stream::new(self.seed, StreamName::Harm, entity, 0);
        self.links[index].harms.push(Harmed { fault, harm, stream, busy_until: Instant::ZERO });
    }

    pub fn heal(&mut self, from: NodeId, to: NodeId, fault: FaultId) {
        let index = self.index(from, to);
        self.links[index].harms.retain(|harmed| harmed.fault != fault);
    }

    /// A caller waited in vain: it connects anew. True if that ended something.
    pub fn redial(&mut self, from: NodeId, to: NodeId) -> bool {
        let index = self.index(from, to);
        let harms = &mut self.links[index].harms;
        let count = harms.len();
        harms.retain(|harmed| harmed.harm != LinkHarm::HalfOpen);
        harms.len() < count
    }

    /// What the standing harms do to a message that would arrive at `at`.
    /// `did` is told what each of them did.
    pub fn pass(
        &mut self,
        now: Instant,
        [from, to]: [NodeId; 2],
        at: Instant,
        frame: &mut [u8],
        mut did: impl FnMut(FaultId, Passing),
    ) -> Passage {
        let index = self.index(from, to);
        let (mut at, mut checksum) = (at, None);
        for Harmed { fault, harm, stream, busy_until } in &mut self.links[index].harms {
            let mut hits = |share: Share| stream.chance(share.numerator.into(), share.denominator.into());
            match *harm {
                LinkHarm::Slow { extra, share } => {
                    let is_hit = hits(share);
                    let extra = stream.span(Span(extra.nanos() / 2), extra);
                    if is_hit {
                        did(*fault, Passing::Delayed(extra));
                        at = at.plus(extra);
                    }
                }
                LinkHarm::Lossy { share } => {
                    if hits(share) {
                        did(*fault, Passing::Lost);
                        return Passage::Lost(LossCause::Dropped);
                    }
                }
                LinkHarm::Corrupt { share } => {
                    let is_hit = hits(share);
                    let bit = stream.below(frame.len() as u64 * 8);
                    if is_hit && !frame.is_empty() {
                        did(*fault, Passing::Lost);
                        checksum = checksum.or_else(|| Some(checksum_of(frame)));
                        let bit = usize::try_from(bit).expect("a frame is short");
                        frame[bit / 8] ^= 1 << (bit % 8);
                    }
                }
                LinkHarm::Narrow { bytes_per_second, queue_bytes } => {
                    let waits = busy_until.since(now);
                    let rate = u128::from(bytes_per_second.max(1));
                    let waiting = u128::from(waits.nanos()) * rate / SECOND;
                    if waiting > u128::from(queue_bytes) {
                        did(*fault, Passing::Lost);
                        return Passage::Lost(LossCause::Full);
                    }
                    let leaving = frame.len() as u128 * SECOND / rate;
                    let leaving = Span(u64::try_from(leaving).unwrap_or(u64::MAX));
                    *busy_until = now.plus(waits).plus(leaving);
                    did(*fault, Passing::Delayed(waits.plus(leaving)));
                    at = at.plus(waits).plus(leaving);
                }
                LinkHarm::HalfOpen => {
                    did(*fault, Passing::Lost);
                    return Passage::Lost(LossCause::Dropped);
                }
            }
        }
        Passage::Arrives { at, checksum }
    }

    pub fn cut(&mut self, from: NodeId, to: NodeId) {
        let index = self.index(from, to);
        self.links[index].cuts += 1;
    }

    pub fn mend(&mut self, from: NodeId, to: NodeId) {
        let index = self.index(from, to);
        let cuts = &mut self.links[index].cuts;
        *cuts = cuts.checked_sub(1).expect("a link is mended as often as it was cut");
    }

    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.links[self.index(from, to)].cuts > 0
    }

    /// Neither cut nor harmed, in either direction.
    pub fn is_open_both_ways(&self, one: NodeId, other: NodeId) -> bool {
        let is_open = |from, to| {
            let link = &self.links[self.index(from, to)];
            link.cuts == 0 && link.harms.is_empty()
        };
        is_open(one, other) && is_open(other, one)
    }
}

pub fn checksum_of(frame: &[u8]) -> Tag {
    tumbler_wire::tag::tag_of(b"tumbler/frame/v1", frame)
}

const SECOND: u128 = 1_000_000_000;
