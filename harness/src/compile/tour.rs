//! A tour: few paths that together take every step of a graph, each compiled and run.
//!
//! Greedy: from the initial state along a shortest path to the nearest step not taken yet, then on
//! through steps not taken yet as long as there are any. Not the fewest paths; each is short, because a
//! path that cannot be realized ends its tour there. A step that failed once is not walked again, so that
//! what lies behind such steps alone is counted apart.

use super::{End, realize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use tumbler_checker::graph::Graph;
use tumbler_spec::machine::{Action, Machine};

/// What came of a tour, counted by steps of the graph.
#[derive(Clone, Debug, Default)]
pub struct Toured {
    pub paths: u64,
    pub runs: u64,
    pub realized: u64,
    pub diverged: u64,
    pub unrealizable: u64,
    /// Only reachable through those, or not tried when the tour was stopped.
    pub behind: u64,
    /// Steps that were not realized, by the step and what happened.
    pub whys: BTreeMap<(&'static str, String), u64>,
}

/// Walks every step of the graph that can be walked.
pub fn walk(machine: &Machine, graph: &Graph, stop: &AtomicBool) -> Toured {
    let mut tour = Tour::new(graph);
    let mut toured = Toured::default();
    let mut failed = BTreeSet::new();
    while !stop.load(Ordering::Relaxed)
        && let Some(path) = tour.next(|edge| !failed.contains(&edge))
    {
        let compiled = realize(machine, &path.actions, None);
        toured.paths += 1;
        toured.runs += compiled.runs;
        for edge in &path.edges[..compiled.realized] {
            toured.realized += u64::from(tour.mark(*edge));
        }
        let (kind, why) = match compiled.end {
            End::Realized => continue,
            End::Diverged { .. } => (&mut toured.diverged, "led elsewhere".to_owned()),
            End::Unrealizable { why } => (&mut toured.unrealizable, why),
        };
        let edge = path.edges[compiled.realized];
        failed.insert(edge);
        // A step that another path took is realized, whatever came of it here.
        if tour.mark(edge) {
            *kind += 1;
            *toured.whys.entry((path.actions[compiled.realized].name(), why)).or_default() += 1;
        }
    }
    toured.behind = tour.left();
    toured
}

/// One path, and which of its steps are new: by the number of the node it leaves and of the edge there.
#[derive(Clone, Debug)]
struct Path {
    actions: Vec<Action>,
    edges: Vec<(u32, u32)>,
}

/// The steps that were taken, and those that are given up.
#[derive(Debug)]
struct Tour<'g> {
    graph: &'g Graph,
    taken: Vec<Vec<bool>>,
    left: u64,
}

impl<'g> Tour<'g> {
    fn new(graph: &'g Graph) -> Tour<'g> {
        let taken = (0..graph.expanded()).map(|node| vec![false; graph.edges(node).len()]).collect();
        Tour { taken, left: graph.edge_count(), graph }
    }

    fn left(&self) -> u64 {
        self.left
    }

    fn is_taken(&self, (node, edge): (u32, u32)) -> bool {
        self.taken[node as usize][edge as usize]
    }

    /// Counts the step as taken, or given up. True if it was not.
    fn mark(&mut self, (node, edge): (u32, u32)) -> bool {
        let is_new = !std::mem::replace(&mut self.taken[node as usize][edge as usize], true);
        self.left -= u64::from(is_new);
        is_new
    }

    /// A path to a step that is not taken yet, and on. None if every step that can be reached along steps
    /// that `may` be taken is taken.
    fn next(&self, may: impl Fn((u32, u32)) -> bool) -> Option<Path> {
        let mut path = Path { actions: Vec::new(), edges: Vec::new() };
        let mut walked: Vec<(u32, u32)> = Vec::new();
        let (mut node, edges) = self.nearest(0, &may)?;
        for edge in edges {
            self.go(&mut path, edge);
            walked.push(edge);
        }
        while path.edges.len() < LENGTH {
            let fresh = (0..self.taken[node as usize].len() as u32)
                .map(|edge| (node, edge))
                .find(|edge| !self.is_taken(*edge) && may(*edge) && !walked.contains(edge));
            let Some(edge) = fresh else { break };
            self.go(&mut path, edge);
            walked.push(edge);
            node = self.target(edge);
        }
        Some(path)
    }

    fn go(&self, path: &mut Path, edge: (u32, u32)) {
        let label = self.graph.edges(edge.0).nth(edge.1 as usize).expect("edges are counted").label;
        path.actions.push(self.graph.actions[usize::from(label)]);
        path.edges.push(edge);
    }

    fn target(&self, edge: (u32, u32)) -> u32 {
        self.graph.edges(edge.0).nth(edge.1 as usize).expect("edges are counted").to
    }

    /// A shortest way to a step not taken yet, that step included.
    fn nearest(&self, from: u32, may: &impl Fn((u32, u32)) -> bool) -> Option<(u32, Vec<(u32, u32)>)> {
        let mut parents: Vec<Option<(u32, u32)>> = vec![None; self.taken.len()];
        let mut waiting = VecDeque::from([from]);
        while let Some(node) = waiting.pop_front() {
            for (edge, to) in self.graph.edges(node).map(|edge| edge.to).enumerate() {
                let edge = (node, u32::try_from(edge).expect("a node has few edges"));
                if !may(edge) {
                    continue;
                }
                if !self.is_taken(edge) {
                    let mut way = vec![edge];
                    let mut at = node;
                    while at != from {
                        let parent = parents[at as usize].expect("found from somewhere");
                        way.push(parent);
                        at = parent.0;
                    }
                    way.reverse();
                    return Some((to, way));
                }
                if to != from && parents[to as usize].is_none() {
                    parents[to as usize] = Some(edge);
                    waiting.push_back(to);
                }
            }
        }
        None
    }
}

/// Steps of a path: lives of grants and leases are meant for as many.
const LENGTH: usize = 40;
