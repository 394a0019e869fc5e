//! Which sentences about continuations hold in a graph.
//!
//! *Possible* (AG EF) by going backward from the goal. *Inevitable* (leads-to) by looking for a way to
//! stay away from the goal for ever: a state from which no step leads on, or a strongly connected
//! component in which every fair step that can always be taken is taken. In such a component a fair
//! run may circle; in any other, weak fairness forces it out.

use super::explore::{Edge, Graph};
use tumbler_spec::machine::{Action, Packed, Temporal};

/// How a sentence is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refutation {
    /// From the initial state to where it is asked and cannot, or need not, come true.
    pub path: Vec<Action>,
    /// Steps that can be taken in turn for ever; empty: nothing more happens there, or nothing helps.
    pub cycle: Vec<Action>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub refutation: Option<Refutation>,
    /// States of which it was demanded.
    pub asked: u64,
}

/// Decides a sentence over a whole graph.
pub fn decide(graph: &Graph, temporal: Temporal) -> Decision {
    if temporal.is_inevitable() { inevitable(graph, temporal) } else { possible(graph, temporal) }
}

fn is_broken(state: &Packed) -> bool {
    state.broken() != 0
}

/// A state that breaks nothing, and of which it is demanded.
fn is_asked(graph: &Graph, temporal: Temporal, node: u32) -> bool {
    !is_broken(graph.table.state(node)) && temporal.is_asked(graph.facts[node as usize])
}

fn followed(graph: &Graph, temporal: Temporal, node: u32) -> impl DoubleEndedIterator<Item = Edge> + '_ {
    let follows = move |edge: &Edge| {
        temporal.follows(edge.class, graph.actions[usize::from(edge.label)])
            && !is_broken(graph.table.state(edge.to))
    };
    graph.edges(node).filter(follows)
}

/// Every state that refutes what must stay possible; of what must come, the first that the search finds.
pub fn refuted(graph: &Graph, temporal: Temporal) -> Vec<u32> {
    if temporal.is_inevitable() {
        return staying(graph, temporal).0.into_iter().map(|(node, _)| node).collect();
    }
    let reaches = reaching(graph, temporal, |node| temporal.is_goal(graph.facts[node as usize]));
    (0..graph.expanded())
        .filter(|node| is_asked(graph, temporal, *node) && !reaches[*node as usize])
        .collect()
}

fn possible(graph: &Graph, temporal: Temporal) -> Decision {
    let reaches = reaching(graph, temporal, |node| temporal.is_goal(graph.facts[node as usize]));
    let mut decision = Decision { refutation: None, asked: 0 };
    for node in 0..graph.expanded() {
        if is_asked(graph, temporal, node) {
            decision.asked += 1;
            if !reaches[node as usize] && decision.refutation.is_none() {
                decision.refutation = Some(Refutation { path: graph.path(node), cycle: Vec::new() });
            }
        }
    }
    decision
}

/// From which nodes a goal is reached by steps that the sentence follows.
fn reaching(graph: &Graph, temporal: Temporal, is_goal: impl Fn(u32) -> bool) -> Vec<bool> {
    backward(graph, is_goal, |edge| temporal.follows(edge.class, graph.actions[usize::from(edge.label)]))
}

/// From which nodes a goal is reached by some steps, through states that break nothing. Only forward
/// edges are kept, so it sweeps until nothing changes; from the last node on, because goals are mostly
/// found late.
pub fn backward(graph: &Graph, is_goal: impl Fn(u32) -> bool, follows: impl Fn(&Edge) -> bool) -> Vec<bool> {
    let count = graph.expanded();
    let mut reaches: Vec<bool> =
        (0..count).map(|node| is_goal(node) && !is_broken(graph.table.state(node))).collect();
    loop {
        let mut changed = false;
        for node in (0..count).rev() {
            if !reaches[node as usize]
                && !is_broken(graph.table.state(node))
                && graph.edges(node).any(|edge| reaches[edge.to as usize] && follows(&edge))
            {
                reaches[node as usize] = true;
                changed = true;
            }
        }
        if !changed {
            return reaches;
        }
    }
}

fn inevitable(graph: &Graph, temporal: Temporal) -> Decision {
    let (found, asked) = staying(graph, temporal);
    let refutation = found.map(|(node, cycle)| Refutation { path: graph.path(node), cycle });
    Decision { refutation, asked }
}

/// The first state from which a run may stay away from the goal for ever, with the steps that it takes there
/// in turn; and of how many it was asked.
fn staying(graph: &Graph, temporal: Temporal) -> (Option<(u32, Vec<Action>)>, u64) {
    let is_away =
        |node: u32| !temporal.is_goal(graph.facts[node as usize]) && !is_broken(graph.table.state(node));
    // Away from the goal, and on the way from where it is asked.
    let mut pending = vec![false; graph.expanded() as usize];
    let mut asked = 0;
    let mut stack: Vec<u32> = Vec::new();
    for node in 0..graph.expanded() {
        if is_asked(graph, temporal, node) {
            asked += 1;
            if is_away(node) && !pending[node as usize] {
                pending[node as usize] = true;
                stack.push(node);
            }
        }
    }
    while let Some(node) = stack.pop() {
        for edge in followed(graph, temporal, node) {
            if is_away(edge.to) && !pending[edge.to as usize] {
                pending[edge.to as usize] = true;
                stack.push(edge.to);
            }
        }
    }
    let stuck = (0..graph.expanded()).find(|node| {
        pending[*node as usize]
            && followed(graph, temporal, *node).all(|edge| edge.to == *node && !edge.is_fair)
    });
    let found = match stuck {
        Some(node) => Some((node, Vec::new())),
        None => fair_component(graph, temporal, &pending),
    };
    (found, asked)
}

/// A component of the pending nodes in which a fair run may stay for ever.
fn fair_component(graph: &Graph, temporal: Temporal, pending: &[bool]) -> Option<(u32, Vec<Action>)> {
    let mut found: Option<Vec<u32>> = None;
    components(graph, temporal, pending, |members| {
        let is_better = found.as_ref().is_none_or(|best| members.iter().min() < best.iter().min());
        if is_better && is_fair(graph, temporal, pending, members) {
            found = Some(members.to_vec());
        }
    });
    let members = found?;
    let first = *members.iter().min()?;
    Some((first, cycle(graph, temporal, &members, first)))
}

/// Every fair action that is enabled in all members is taken within.
fn is_fair(graph: &Graph, temporal: Temporal, pending: &[bool], members: &[u32]) -> bool {
    let inside: std::collections::BTreeSet<u32> = members.iter().copied().collect();
    let mut always: Option<std::collections::BTreeSet<u8>> = None;
    let mut taken = std::collections::BTreeSet::new();
    let mut has_edge = false;
    for node in members {
        let mut enabled = std::collections::BTreeSet::new();
        for edge in followed(graph, temporal, *node) {
            if edge.is_fair {
                enabled.insert(edge.label);
            }
            if pending[edge.to as usize] && inside.contains(&edge.to) {
                has_edge = true;
                taken.insert(edge.label);
            }
        }
        always = Some(match always {
            None => enabled,
            Some(always) => always.intersection(&enabled).copied().collect(),
        });
    }
    has_edge && always.unwrap_or_default().is_subset(&taken)
}

/// A shortest way from `first` back to it within the component.
fn cycle(graph: &Graph, temporal: Temporal, members: &[u32], first: u32) -> Vec<Action> {
    let inside: std::collections::BTreeSet<u32> = members.iter().copied().collect();
    let mut from: std::collections::BTreeMap<u32, (u32, u8)> = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for edge in followed(graph, temporal, node).filter(|edge| inside.contains(&edge.to)) {
            if edge.to == first {
                let mut steps = vec![graph.actions[usize::from(edge.label)]];
                let mut at = node;
                while at != first {
                    let (parent, label) = from[&at];
                    steps.push(graph.actions[usize::from(label)]);
                    at = parent;
                }
                steps.reverse();
                return steps;
            }
            from.entry(edge.to).or_insert_with(|| {
                queue.push_back(edge.to);
                (node, edge.label)
            });
        }
    }
    Vec::new()
}

/// Strongly connected components of the pending nodes (Tarjan, without recursion), each told once.
fn components(graph: &Graph, temporal: Temporal, pending: &[bool], mut tell: impl FnMut(&[u32])) {
    const NEW: u32 = u32::MAX;
    let count = pending.len();
    let (mut order, mut low) = (vec![NEW; count], vec![0u32; count]);
    let mut on_stack = vec![false; count];
    let (mut stack, mut next) = (Vec::new(), 0);
    for root in 0..count {
        if !pending[root] || order[root] != NEW {
            continue;
        }
        let mut calls: Vec<(u32, Vec<u32>)> = Vec::new();
        let mut enter = |node: usize,
                         order: &mut Vec<u32>,
                         low: &mut Vec<u32>,
                         on_stack: &mut Vec<bool>,
                         stack: &mut Vec<u32>| {
            order[node] = next;
            low[node] = next;
            next += 1;
            on_stack[node] = true;
            let number = u32::try_from(node).expect("nodes have 32 bits");
            stack.push(number);
            let children: Vec<u32> = followed(graph, temporal, number)
                .map(|edge| edge.to)
                .filter(|to| pending[*to as usize])
                .collect();
            (number, children)
        };
        calls.push(enter(root, &mut order, &mut low, &mut on_stack, &mut stack));
        while let Some((node, children)) = calls.last_mut() {
            let index = *node as usize;
            if let Some(child) = children.pop() {
                let child = child as usize;
                if order[child] == NEW {
                    let call = enter(child, &mut order, &mut low, &mut on_stack, &mut stack);
                    calls.push(call);
                } else if on_stack[child] {
                    low[index] = low[index].min(order[child]);
                }
                continue;
            }
            if low[index] == order[index] {
                let begin =
                    stack.iter().rposition(|each| *each as usize == index).expect("it is on the stack");
                let members: Vec<u32> = stack.drain(begin..).collect();
                members.iter().for_each(|member| on_stack[*member as usize] = false);
                tell(&members);
            }
            let done = low[index];
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                let parent = *parent as usize;
                low[parent] = low[parent].min(done);
            }
        }
    }
}
