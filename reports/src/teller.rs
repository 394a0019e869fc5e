//! The teller: follows clocks and standing faults along a trace, and puts them beside each event.
//!
//! It deliberately leaves nothing out: which events are worth telling is for [`crate::story`] to say.

use crate::Line;
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::{Fault, Plan};
use tumbler_types::{Event, FaultId, Instant, NodeId, Observed, Topology, Wall};

/// Follows clocks and standing faults along the trace.
pub(crate) struct Teller<'a> {
    plan: &'a Plan,
    offsets: BTreeMap<NodeId, i64>,
    standing: BTreeSet<FaultId>,
    /// Faults that began at the instant of the last event.
    struck: (Instant, Vec<FaultId>),
}

impl<'a> Teller<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Teller {
            plan,
            offsets: plan.offsets.iter().map(|offset| (offset.node, offset.nanos)).collect(),
            standing: BTreeSet::new(),
            struck: (Instant::ZERO, Vec::new()),
        }
    }

    pub fn hear(&mut self, observed: &Observed) {
        if self.struck.0 != observed.at {
            self.struck = (observed.at, Vec::new());
        }
        match observed.event {
            Event::FaultBegan { fault, .. } => {
                self.standing.insert(fault);
                self.struck.1.push(fault);
            }
            Event::FaultEnded { fault, .. } => {
                self.standing.remove(&fault);
            }
            Event::ClockSet { offset } => {
                self.offsets.insert(observed.node, offset);
            }
            _ => {}
        }
    }

    pub fn line(&self, observed: &Observed) -> Line {
        let offset = self.offsets.get(&observed.node).copied().unwrap_or(0);
        let topology = &self.plan.topology;
        let is_fault = matches!(observed.event, Event::FaultBegan { .. } | Event::FaultEnded { .. });
        Line {
            seq: observed.seq,
            at: observed.at,
            node: topology.name(observed.node),
            wall: (observed.node != NodeId::WORLD).then(|| Wall::at(observed.at, offset)),
            text: named(topology, &observed.event.to_string()),
            times: 1,
            faults: if is_fault { self.details(&observed.event) } else { self.over(observed) },
        }
    }

    /// Faults that stand over the event's node, or struck its message at this moment.
    fn over(&self, observed: &Observed) -> Vec<String> {
        let transport = matches!(
            observed.event,
            Event::Lost { .. } | Event::Held { .. } | Event::PersistFailed { .. } | Event::CallUnknown { .. }
        );
        let touching = |id: &&FaultId| {
            let Some(fault) = self.fault(**id) else { return false };
            let stands = self.standing.contains(*id) && fault.action.nodes().contains(&observed.node);
            stands || (transport && self.struck.1.contains(*id))
        };
        let ids: BTreeSet<FaultId> = self.standing.iter().chain(&self.struck.1).copied().collect();
        ids.iter().filter(touching).filter_map(|id| self.fault(*id)).map(|fault| self.label(fault)).collect()
    }

    fn details(&self, event: &Event) -> Vec<String> {
        let (Event::FaultBegan { fault, .. } | Event::FaultEnded { fault, .. }) = event else {
            return Vec::new();
        };
        self.fault(*fault).map(|fault| self.label(fault)).into_iter().collect()
    }

    fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.plan.faults.iter().find(|fault| fault.id == id)
    }

    fn label(&self, fault: &Fault) -> String {
        let kind = fault.action.kind().name();
        let names: Vec<String> =
            fault.action.nodes().iter().map(|node| self.plan.topology.name(*node)).collect();
        if names.is_empty() {
            format!("{} {kind}", fault.id)
        } else {
            format!("{} {kind} of {}", fault.id, names.join(" "))
        }
    }

    /// A fault's beginning or end that concerns one of the nodes; or its effect on the way there.
    pub fn touches(&self, observed: &Observed, nodes: &BTreeSet<NodeId>) -> bool {
        match observed.event {
            Event::FaultBegan { fault, .. } | Event::FaultEnded { fault, .. } => {
                self.fault(fault).is_some_and(|fault| {
                    let victims = fault.action.nodes();
                    victims.is_empty() || victims.iter().any(|node| nodes.contains(node))
                })
            }
            _ => false,
        }
    }
}

/// Replaces `node-7` by the node's name.
pub fn named(topology: &Topology, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(start) = rest.find("node-") {
        let (before, from) = rest.split_at(start);
        let digits = from["node-".len()..].chars().take_while(char::is_ascii_digit).count();
        let (token, after) = from.split_at("node-".len() + digits);
        let node = token["node-".len()..].parse().ok().map(NodeId);
        out.push_str(before);
        match node.filter(|node| topology.kind(*node).is_some()) {
            Some(node) => out.push_str(&topology.name(node)),
            None => out.push_str(token),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
