//! Every reachable state and every step between them, breadth first.

use super::table::{self, Table};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tumbler_spec::machine::{Action, Class, Facts, Machine, Packed, State};

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
    /// Of every node that was expanded.
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
    /// States in which some budget is used up.
    pub spent: u64,
    pub depth: u64,
    pub cut: Option<Cut>,
}

/// The steps of the node at hand, and what the search remembers between nodes.
#[derive(Default)]
struct Steps {
    enabled: Vec<Action>,
    /// By the action's code: its index in [`Graph::actions`] plus one.
    numbers: Vec<u8>,
    /// Step properties already seen broken.
    seen_broken: u8,
    /// States that steps led to, and the edge that leads to each.
    found: Vec<Packed>,
    edges: Vec<usize>,
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
            spent: 0,
            depth: 0,
            cut: None,
        };
        let first = machine.judged(from);
        graph.table.insert(machine.pack(&first));
        graph.parents.push((0, 0));
        // Overwritten by every state and every step: a search would otherwise mostly allocate.
        let (mut state, mut next) = (first.clone(), first);
        let mut steps = Steps::default();
        let (mut node, mut level_end) = (0u32, 1);
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
            machine.unpack_into(graph.table.state(node), &mut state);
            graph.facts.push(machine.facts(&state));
            graph.spent += u64::from(machine.is_spent(&state));
            graph.take(machine, node, (&state, &mut next), &mut steps);
            graph.note(node, &mut steps, to_broken);
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

    /// Takes every step of a node; where each led is known once the states found are numbered.
    fn take(&mut self, machine: &Machine, node: u32, (state, next): (&State, &mut State), steps: &mut Steps) {
        steps.enabled.clear();
        machine.enabled(state, &mut steps.enabled);
        for action in &steps.enabled {
            let label = self.label(*action, &mut steps.numbers);
            let (class, is_fair) = machine.class(state, *action);
            let (marks, leads_on) = match (machine.alias(state, *action), steps.found.last()) {
                (Some(marks), Some(twin)) => {
                    steps.found.push(*twin);
                    steps.edges.push(self.targets.len());
                    (marks, false)
                }
                _ => machine.step_into(state, *action, next),
            };
            self.marks |= marks;
            if leads_on {
                let broken = machine.judge_step(state, next) & !steps.seen_broken;
                if broken != 0 {
                    steps.seen_broken |= broken;
                    self.broken_steps.push((node, label, broken));
                }
                steps.found.push(machine.pack(next));
                steps.edges.push(self.targets.len());
            }
            self.targets.push(node);
            self.labels.push(label);
            self.kinds.push(class as u8 | u8::from(is_fair) << 7);
        }
    }

    fn label(&mut self, action: Action, numbers: &mut Vec<u8>) -> u8 {
        if numbers.is_empty() {
            numbers.resize(256, 0);
        }
        let number = &mut numbers[usize::from(action.code())];
        if *number == 0 {
            self.actions.push(action);
            *number = u8::try_from(self.actions.len()).expect("the machine has few actions");
        }
        *number - 1
    }

    /// Numbers the states that a node's steps led to; towards a broken one, up to the first such.
    fn note(&mut self, node: u32, steps: &mut Steps, to_broken: bool) {
        let Steps { found, edges, .. } = steps;
        if to_broken && let Some(first) = found.iter().position(|state| state.broken() != 0) {
            found.truncate(first + 1);
            let edge_count = edges[first] + 1;
            self.targets.truncate(edge_count);
            self.labels.truncate(edge_count);
            self.kinds.truncate(edge_count);
        }
        let mut edges = edges.drain(..);
        let Graph { table, targets, labels, parents, .. } = self;
        table.insert_all(found, |number, is_new| {
            let edge = edges.next().expect("each state was found by a step");
            targets[edge] = number;
            if is_new {
                parents.push((node, labels[edge]));
            }
        });
        found.clear();
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
