//! Every reachable state and every step between them, breadth first.

use super::table::{self, Table};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tumbler_spec::machine::{Action, Class, Facts, Machine, State};

/// What a search may use.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    pub bytes: u64,
    pub stop_at: Option<Instant>,
    /// Set by whoever wants it to end.
    pub stop: Option<&'a AtomicBool>,
}

/// Why a search ended before all was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Memory,
    Deadline,
    Stopped,
}

/// One step, to a state's number.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub to: u32,
    /// Index of the action in [`Graph::actions`].
    pub label: u8,
    pub class: Class,
    pub is_fair: bool,
}

/// The graph. Node 0 is the initial state; a node's number is smaller than those found from it.
#[derive(Debug)]
pub struct Graph {
    pub table: Table,
    /// All actions met, in the order in which they were.
    pub actions: Vec<Action>,
    pub facts: Vec<Facts>,
    /// From where a node was found, and by which action.
    parents: Vec<(u32, u8)>,
    /// Where a node's edges begin; one more than there are nodes that were expanded.
    offsets: Vec<u64>,
    targets: Vec<u32>,
    labels: Vec<u8>,
    kinds: Vec<u8>,
    /// Bits of step properties, and the first step that broke each.
    pub broken_steps: Vec<(u32, u8, u8)>,
    pub marks: u64,
    pub depth: u64,
    pub cut: Option<Cut>,
}

impl Graph {
    /// Everything that is reachable.
    pub fn explore(machine: &Machine, limit: Limit<'_>) -> Graph {
        Self::search(machine, machine.initial(), limit, false)
    }

    /// What is reachable from a state, up to the first state that breaks something, which is then the
    /// last one found.
    pub fn nearest(machine: &Machine, from: &State, limit: Limit<'_>) -> Graph {
        Self::search(machine, from, limit, true)
    }

    fn search(machine: &Machine, from: &State, limit: Limit<'_>, to_broken: bool) -> Graph {
        let mut graph = Graph {
            table: Table::new(),
            actions: Vec::new(),
            facts: Vec::new(),
            parents: Vec::new(),
            offsets: vec![0],
            targets: Vec::new(),
            labels: Vec::new(),
            kinds: Vec::new(),
            broken_steps: Vec::new(),
            marks: 0,
            depth: 0,
            cut: None,
        };
        let first = machine.judged(from);
        graph.table.insert(machine.pack(&first));
        graph.facts.push(machine.facts(&first));
        graph.parents.push((0, 0));
        let mut numbers: BTreeMap<Action, u8> = BTreeMap::new();
        let mut enabled = Vec::with_capacity(32);
        let (mut node, mut level_end, mut seen_steps) = (0u32, 1, 0u8);
        while (node as usize) < graph.table.len() {
            if node as usize == level_end {
                graph.depth += 1;
                level_end = graph.table.len();
            }
            if node.is_multiple_of(CHECK_EVERY) {
                graph.cut = graph.is_cut(limit);
                if graph.cut.is_some() {
                    break;
                }
            }
            let state = machine.unpack(graph.table.state(node));
            enabled.clear();
            machine.enabled(&state, &mut enabled);
            for action in &enabled {
                if to_broken && graph.ends_broken() {
                    break;
                }
                let label = *numbers.entry(*action).or_insert_with(|| {
                    graph.actions.push(*action);
                    u8::try_from(graph.actions.len() - 1).expect("the machine has few actions")
                });
                graph.step(machine, node, &state, *action, label, &mut seen_steps);
            }
            graph.offsets.push(graph.targets.len() as u64);
            node += 1;
            if to_broken && graph.ends_broken() {
                break;
            }
        }
        graph
    }

    /// The node found last breaks something.
    fn ends_broken(&self) -> bool {
        let last = self.table.len() as u32 - 1;
        self.table.state(last).broken() != 0
    }

    fn step(
        &mut self,
        machine: &Machine,
        node: u32,
        state: &State,
        action: Action,
        label: u8,
        seen_steps: &mut u8,
    ) {
        let (next, marks) = machine.step(state, action);
        self.marks |= marks;
        let broken = machine.judge_step(state, &next) & !*seen_steps;
        if broken != 0 {
            *seen_steps |= broken;
            self.broken_steps.push((node, label, broken));
        }
        let (class, is_fair) = machine.class(state, action);
        let (to, is_new) = self.table.insert(machine.pack(&next));
        if is_new {
            self.facts.push(machine.facts(&next));
            self.parents.push((node, label));
        }
        self.targets.push(to);
        self.labels.push(label);
        self.kinds.push(class as u8 | u8::from(is_fair) << 7);
    }

    fn is_cut(&self, limit: Limit<'_>) -> Option<Cut> {
        if limit.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Some(Cut::Stopped);
        }
        if limit.stop_at.is_some_and(|stop_at| Instant::now() >= stop_at) {
            return Some(Cut::Deadline);
        }
        (self.bytes() > limit.bytes).then_some(Cut::Memory)
    }

    /// Memory that it takes, nearly.
    pub fn bytes(&self) -> u64 {
        estimate(self.table.len() as u64, self.targets.len() as u64)
    }

    pub fn edge_count(&self) -> u64 {
        self.targets.len() as u64
    }

    /// Nodes whose steps are known.
    pub fn expanded(&self) -> u32 {
        u32::try_from(self.offsets.len() - 1).expect("there are no more than nodes")
    }

    pub fn edges(&self, node: u32) -> impl DoubleEndedIterator<Item = Edge> + ExactSizeIterator + '_ {
        let range = self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize;
        range.map(|index| self.edge(index))
    }

    fn edge(&self, index: usize) -> Edge {
        let class = match self.kinds[index] & 0x7F {
            0 => Class::System,
            1 => Class::Environment,
            2 => Class::Operator,
            _ => Class::Fault,
        };
        Edge {
            to: self.targets[index],
            label: self.labels[index],
            class,
            is_fair: self.kinds[index] & 0x80 != 0,
        }
    }

    /// The steps of a shortest path from the initial state.
    pub fn path(&self, mut node: u32) -> Vec<Action> {
        let mut path = Vec::new();
        while node != 0 {
            let (parent, label) = self.parents[node as usize];
            path.push(self.actions[usize::from(label)]);
            node = parent;
        }
        path.reverse();
        path
    }
}

/// Bytes that a graph of this size takes: states, slots, facts, parents, offsets; edges; and what the
/// search for cycles needs besides.
pub const fn estimate(states: u64, edges: u64) -> u64 {
    let whole = states.saturating_mul(table::BYTES + 1 + 8 + 8 + 16);
    whole.saturating_add(edges.saturating_mul(6))
}

const CHECK_EVERY: u32 = 1 << 10;
