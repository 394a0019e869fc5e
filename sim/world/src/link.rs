//! Directed links: latency by the link's own stream, and cuts.

use tumbler_plan::{Network, Stream, StreamName};
use tumbler_types::{Instant, NodeId};

/// All directed links of a world.
pub struct Links {
    seed: u64,
    nodes: usize,
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
}

impl Links {
    pub fn new(seed: u64, nodes: u16, network: Network) -> Self {
        let nodes = usize::from(nodes);
        Links {
            seed,
            nodes,
            network,
            links: std::iter::repeat_with(Link::default).take(nodes * nodes).collect(),
        }
    }

    fn index(&self, from: NodeId, to: NodeId) -> usize {
        usize::from(from.0) * self.nodes + usize::from(to.0)
    }

    /// Entity of the link in tie keys.
    pub fn entity(&self, from: NodeId, to: NodeId) -> u32 {
        u32::try_from(self.index(from, to)).expect("node ids are 16 bits")
    }

    /// Draws the next message's arrival: one draw per message, whatever becomes of it.
    pub fn send(&mut self, now: Instant, from: NodeId, to: NodeId) -> (Instant, u32) {
        let (seed, network, index) = (self.seed, self.network, self.index(from, to));
        let link = &mut self.links[index];
        let stream = link.latency.get_or_insert_with(|| {
            let entity = (u32::from(from.0), u32::from(to.0));
            Box::new(Stream::new(seed, StreamName::Link, entity, 0))
        });
        let arrival = now.plus(stream.span(network.latency_min, network.latency_max));
        let ordinal = link.ordinal;
        link.ordinal += 1;
        (arrival, ordinal)
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

    pub fn is_open_both_ways(&self, one: NodeId, other: NodeId) -> bool {
        !self.is_cut(one, other) && !self.is_cut(other, one)
    }
}
