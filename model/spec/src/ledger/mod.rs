//! The ledger: what has become true, folded from observed events and from nothing else.
//!
//! It exists so that each invariant is written once: the run's judge and the spec's abstract state
//! hold this same type and call the same functions over it.
//!
//! It deliberately refuses nothing, judges nothing, counts nothing and measures nothing: a total,
//! guard-free fold. It believes an entry of the log that the protocol would never have proposed,
//! because what the log says *is* what the system will act on. Guards are in [`crate::rule`],
//! counters and deadlines in [`crate::watch`].
//!
//! Source: the fold over a compare-and-set log follows from `sim/rotation/README.md`.

mod holder;
mod slice;

pub use holder::{Grant, Holder, Report, Stored};
pub use slice::{Lease, Revocation, Slice, Version};

use tumbler_types::{
    Adapter, Command, Event, Format, Instant, LogIndex, NodeId, Observed, SecretId, Topology,
};

/// Everything durable or connected, as the world saw it happen.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    agent_first: u16,
    agents: u16,
    target: NodeId,
    adapter: Adapter,
    /// True time of the last event folded.
    pub now: Instant,
    /// One per secret, in id order.
    pub slices: Vec<Slice>,
    /// One per node, in id order.
    pub paths: Vec<Path>,
    /// By node, in id order: the highest floor that it agreed to, by saying so; for the authority, by its
    /// log.
    floors: Vec<Format>,
    /// Index of the last durable entry of the log.
    pub length: LogIndex,
    /// Highest index that an answer of the authority reflected.
    pub answered: LogIndex,
}

/// Whether a node's path is open (see [`Event::Reachable`]), and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub open: bool,
    pub since: Instant,
}

impl Clone for Ledger {
    fn clone(&self) -> Self {
        Ledger {
            slices: self.slices.clone(),
            paths: self.paths.clone(),
            floors: self.floors.clone(),
            ..*self
        }
    }

    /// Keeps every allocation: a search copies a ledger for each step of each state.
    fn clone_from(&mut self, source: &Self) {
        let Ledger { agent_first, agents, target, adapter, now, slices, paths, floors, length, answered } =
            source;
        (self.agent_first, self.agents, self.target) = (*agent_first, *agents, *target);
        (self.adapter, self.now) = (*adapter, *now);
        self.slices.clone_from(slices);
        self.paths.clone_from(paths);
        self.floors.clone_from(floors);
        (self.length, self.answered) = (*length, *answered);
    }
}

impl Ledger {
    /// Nothing has happened; every path is open until the world says otherwise.
    pub fn new(topology: &Topology) -> Self {
        Ledger {
            agent_first: 1 + topology.rotators,
            agents: topology.agents,
            target: topology.target(),
            adapter: topology.adapter,
            now: Instant::ZERO,
            slices: topology.secrets().map(|_| Slice::new(topology.agents)).collect(),
            paths: topology.nodes().map(|_| Path { open: true, since: Instant::ZERO }).collect(),
            floors: topology.nodes().map(|_| Format::LOWEST).collect(),
            length: LogIndex(0),
            answered: LogIndex(0),
        }
    }

    pub fn slice(&self, secret: SecretId) -> Option<&Slice> {
        self.slices.get(usize::from(secret.0))
    }

    /// The primary.
    pub fn target(&self) -> NodeId {
        self.target
    }

    /// What the target declares.
    pub fn adapter(&self) -> Adapter {
        self.adapter
    }

    /// Ordinal of an agent among the agents, from 0.
    pub fn agent(&self, node: NodeId) -> Option<usize> {
        let ordinal = node.0.checked_sub(self.agent_first)?;
        (ordinal < self.agents).then_some(usize::from(ordinal))
    }

    /// Node of the agent with this ordinal.
    pub fn agent_node(&self, ordinal: usize) -> NodeId {
        NodeId(self.agent_first.saturating_add(u16::try_from(ordinal).unwrap_or(u16::MAX)))
    }

    /// A node that the topology does not know has no path.
    pub fn path(&self, node: NodeId) -> Path {
        self.paths.get(usize::from(node.0)).copied().unwrap_or(Path { open: false, since: Instant::ZERO })
    }

    /// The highest floor that a node agreed to.
    pub fn floor(&self, node: NodeId) -> Format {
        self.floors.get(usize::from(node.0)).copied().unwrap_or(Format::LOWEST)
    }

    /// What a node agreed to is durable there: it keeps a log or records.
    fn keeps(&self, node: NodeId) -> bool {
        node == NodeId(0) || node == self.target || self.agent(node).is_some()
    }

    /// An agent's records for one secret.
    pub fn holder(&self, secret: SecretId, node: NodeId) -> Option<&Holder> {
        self.slice(secret)?.holders.get(self.agent(node)?)
    }

    /// The whole fold: no event is refused, and what names an unknown secret or node changes nothing.
    pub fn fold(&mut self, observed: &Observed) {
        self.now = observed.at;
        let node = observed.node;
        match observed.event {
            Event::Reachable {} => self.set_path(node, true),
            Event::Unreachable {} => self.set_path(node, false),
            Event::Crashed { .. } if !self.keeps(node) => {
                if let Some(agreed) = self.floors.get_mut(usize::from(node.0)) {
                    *agreed = Format::LOWEST;
                }
            }
            Event::Spoke { peer: _, format: _, floor } => self.agree(node, floor),
            Event::Committed { index, at, secret, expected, command } => {
                self.length = self.length.max(index);
                let agent_first = self.agent_first;
                if let Some(slice) = self.slices.get_mut(usize::from(secret.0))
                    && slice.revision == expected
                {
                    slice.take(observed.at, at, &command, agent_first);
                    if let Command::RaiseFloor { floor } = command {
                        self.agree(node, floor);
                    }
                }
            }
            Event::LogRecovered { length } => self.length = length,
            Event::Answered { index } => self.answered = self.answered.max(index),
            Event::Enforced { secret, fence, principal, value } => {
                let adapter = self.adapter;
                if let Some(slice) = self.slices.get_mut(usize::from(secret.0)) {
                    slice.enforce(observed.at, fence, principal, value, adapter);
                }
            }
            Event::Privileged { secret, blue, green } => {
                if let Some(slice) = self.slices.get_mut(usize::from(secret.0)) {
                    slice.privileges = [blue, green];
                }
            }
            Event::Promised { secret, fence } => {
                if let Some(slice) = self.slices.get_mut(usize::from(secret.0)) {
                    slice.promised = slice.promised.max(Some(fence));
                }
            }
            Event::TargetRecovered { secret, fence, blue, green } => {
                if let Some(slice) = self.slices.get_mut(usize::from(secret.0)) {
                    slice.fence = fence;
                    slice.accepted = [blue, green];
                    slice.restray(observed.at);
                }
            }
            Event::Stored { secret, version, serial, until } => {
                if let Some(holder) = self.holder_mut(secret, node) {
                    holder.stored = Stored { version, serial, until };
                }
            }
            Event::AgentRecovered { secret, version, serial } => {
                if let Some(holder) = self.holder_mut(secret, node) {
                    holder.recover(version, serial);
                }
            }
            Event::Acknowledged { secret, version, serial } => {
                if let Some(holder) = self.holder_mut(secret, node) {
                    holder.told = Report { version, serial };
                }
            }
            // The world's mechanics, and observations that change nothing durable.
            _ => {}
        }
    }

    fn agree(&mut self, node: NodeId, floor: Format) {
        if let Some(agreed) = self.floors.get_mut(usize::from(node.0)) {
            *agreed = floor.max(*agreed);
        }
    }

    fn set_path(&mut self, node: NodeId, open: bool) {
        let since = self.now;
        if let Some(path) = self.paths.get_mut(usize::from(node.0))
            && path.open != open
        {
            *path = Path { open, since };
        }
    }

    fn holder_mut(&mut self, secret: SecretId, node: NodeId) -> Option<&mut Holder> {
        let agent = self.agent(node)?;
        self.slices.get_mut(usize::from(secret.0))?.holders.get_mut(agent)
    }
}
