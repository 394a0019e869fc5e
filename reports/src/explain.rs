//! Explaining a failure: the part of its causal past that says something, as a space-time chart.
//!
//! A failing run has tens of thousands of events, and most of them happened before the violation in
//! the sense of messages: every heartbeat did. What is shown is chosen in this order: the violation;
//! the messages and writes that it came of, link by link; what its node last knew of the secret, and
//! where it had that from; faults; changes of state that the specification knows; promises; use. Of
//! what is alike, the first and the last two stand for all. What is left out is counted, to the event.
//!
//! It deliberately judges nothing, and chooses by what an event is, never by the invariant: a choice
//! made for each invariant would show what its author already believed.

use crate::SeedReport;
use crate::cause::Order;
use crate::chart::{Arrow, Chart, Head, Life, Row};
use crate::finding::decisive;
use crate::number::{grouped, seconds};
use crate::phrase::{Rank, phrase, rank, work};
use crate::story::put;
use crate::teller::Teller;
use crate::wrap::hang;
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::Plan;
use tumbler_types::{Event, Instant, NodeId, Observed, Revision, SecretId, Verdict};

/// Lines of an explanation, at most: a screen.
pub const LINES: usize = 40;

/// The failure's past, told in at most [`LINES`] lines of eighty columns. None if nothing failed, or the
/// trace is empty.
pub fn explain(plan: &Plan, trace: &[Observed], report: &SeedReport) -> Option<String> {
    if report.row.verdict == Verdict::Pass {
        return None;
    }
    let past = Past::new(plan, trace, report)?;
    let wanted = past.wanted();
    let title = title(report);
    // What the rows do not take is theirs to wrap into.
    (1..=wanted.len().min(LINES))
        .rev()
        .map(|count| format!("{title}{}", past.told(&wanted[..count])))
        .find(|text| text.lines().count() <= LINES)
}

/// What broke, without the story.
fn title(report: &SeedReport) -> String {
    let row = &report.row;
    let mut out = String::new();
    let invariant = row.invariant.map_or(String::new(), |invariant| format!(" {}", invariant.id()));
    let head = format!("{}{invariant}  ", row.verdict.name().to_uppercase());
    hang(&mut out, &head, &format!("{} seed {}", row.scenario, row.seed));
    match (decisive(report), &report.last) {
        (Some(broken), _) => {
            let (step, at) = (grouped(broken.seq), seconds(broken.at.nanos()));
            let (node, phase) = (&broken.node, broken.phase.name());
            put(&mut out, format_args!("  at step {step}, {at} s, {node}, {} in {phase}", broken.secret));
            hang(&mut out, "  ", &broken.why);
        }
        (None, Some(last)) => hang(&mut out, "  died: ", &last.why),
        (None, None) => {}
    }
    out
}

/// A failure, and everything before it.
struct Past<'a> {
    plan: &'a Plan,
    /// Up to the failure.
    trace: &'a [Observed],
    order: Order,
    /// By place: whether it happened before the failure.
    before: Vec<bool>,
    /// By place: whether the log took the command.
    effective: Vec<bool>,
    /// The event that shows it, or the last one, if it is nothing that happened.
    effect: usize,
    /// What did not happen in time shows at whatever happened then.
    nowhere: bool,
    /// The node that it is about, if it is about one.
    own: Option<NodeId>,
    secret: Option<SecretId>,
    nodes: BTreeSet<NodeId>,
}

impl<'a> Past<'a> {
    fn new(plan: &'a Plan, trace: &'a [Observed], report: &SeedReport) -> Option<Self> {
        let (step, why, secret) = match (decisive(report), &report.last) {
            (Some(broken), _) => (broken.seq, broken.why.as_str(), Some(broken.secret.as_str())),
            (None, Some(last)) => (last.seq, "", None),
            (None, None) => (u64::MAX, "", None),
        };
        let until = trace.partition_point(|observed| observed.seq <= step);
        let trace = &trace[..until];
        let effect = until.checked_sub(1)?;
        let nowhere = decisive(report).is_some() && rank(&trace[effect].event) == Rank::Transport;
        let mut named = why.split(|each: char| !each.is_ascii_alphanumeric() && each != '-');
        let named = named.find_map(|word| plan.topology.by_name(word));
        let own = named.or((!nowhere).then_some(trace[effect].node));
        let order = Order::of(trace);
        let mut before = vec![nowhere; trace.len()];
        order.past(effect).into_iter().for_each(|place| before[place] = true);
        let in_past = trace.iter().zip(&before).filter(|(_, before)| **before);
        Some(Past {
            plan,
            trace,
            order,
            effective: effective(plan, trace),
            effect,
            nowhere,
            own,
            secret: plan.topology.secrets().find(|each| Some(each.to_string().as_str()) == secret),
            nodes: in_past.map(|(observed, _)| observed.node).collect(),
            before,
        })
    }

    /// Places worth a row, the most telling first.
    fn wanted(&self) -> Vec<usize> {
        let mut wanted = vec![self.effect];
        if !self.nowhere {
            let input = self.order.link(self.effect).expect("the failure is a place in the trace").input;
            wanted.extend(matches!(self.trace[input].event, Event::Persisted { .. }).then_some(input));
            wanted.extend(self.came_of(self.effect, CHAIN));
        }
        let states = (0..self.effect)
            .rev()
            .filter(|place| self.is_own(*place) && self.tells(*place) && self.rank(*place) <= Rank::Promise);
        for place in states.take(STATES) {
            wanted.push(place);
            wanted.extend(self.came_of(place, STATE_CHAIN));
        }
        let of = |rank: Rank| {
            let alike = move |place: &usize| self.rank(*place) == rank && self.tells(*place);
            self.representative((0..self.trace.len()).filter(alike).collect())
        };
        wanted.extend(of(Rank::Fault).into_iter().take(FAULTS));
        wanted.extend(of(Rank::Change));
        wanted.extend(of(Rank::Promise));
        let own_use = of(Rank::Use).into_iter().filter(|place| self.is_own(*place));
        wanted.extend(own_use.take(USES));
        let mut known = BTreeSet::new();
        wanted.retain(|place| known.insert(*place));
        wanted
    }

    fn is_own(&self, place: usize) -> bool {
        Some(self.trace[place].node) == self.own
    }

    fn rank(&self, place: usize) -> Rank {
        rank(&self.trace[place].event)
    }

    /// It is in the past, or a fault that touched it, and of no other secret.
    fn tells(&self, place: usize) -> bool {
        let observed = &self.trace[place];
        let of_other = matches!((observed.event.secret(), self.secret), (Some(one), Some(two)) if one != two);
        let is_fault = observed.node == NodeId::WORLD;
        let touches = || is_fault && Teller::new(self.plan).touches(observed, &self.nodes);
        // Where its clock began does not tell of a node that it is not about.
        let began = matches!(observed.event, Event::ClockSet { .. }) && observed.at == Instant::ZERO;
        !of_other && (!began || self.is_own(place)) && (self.before[place] || touches())
    }

    /// The newest first; of more than three alike, the first and the last two.
    fn representative(&self, places: Vec<usize>) -> Vec<usize> {
        let mut alike: BTreeMap<(NodeId, String), Vec<usize>> = BTreeMap::new();
        for place in places {
            alike.entry((self.trace[place].node, self.shape(place))).or_default().push(place);
        }
        let mut kept: Vec<usize> = Vec::new();
        for group in alike.into_values() {
            match group.as_slice() {
                [first, .., last_but_one, last] => kept.extend([*first, *last_but_one, *last]),
                few => kept.extend(few),
            }
        }
        kept.sort_unstable_by(|one, two| two.cmp(one));
        kept
    }

    /// What an event says, without numbers and tags.
    fn shape(&self, place: usize) -> String {
        let phrase = self.phrase(place);
        let plain = phrase.split(' ').filter(|word| !word.starts_with('#'));
        plain.collect::<Vec<_>>().join(" ").replace(|each: char| each.is_ascii_digit(), "")
    }

    fn phrase(&self, place: usize) -> String {
        phrase(&self.plan.topology, &self.trace[place], self.effective[place])
    }

    /// The handlings, link by link, that led to this event's: the place that tells each best.
    fn came_of(&self, place: usize, links: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut at = place;
        while found.len() < links
            && let Some(source) = self.message(at)
        {
            let input = self.order.link(source).expect("a source is a place in the trace").input;
            if !matches!(self.trace[input].event, Event::TimerFired { .. } | Event::Started { .. }) {
                found.push(input);
            }
            found.extend(self.held(source));
            at = source;
        }
        found
    }

    /// Where a message that was just sent was held.
    fn held(&self, source: usize) -> Option<usize> {
        let sent = &self.trace[source];
        let soon = source + 1..self.trace.len().min(source + HELD);
        soon.into_iter().find(|place| {
            let next = &self.trace[*place];
            (next.node, next.at) == (sent.node, sent.at) && matches!(next.event, Event::Held { .. })
        })
    }

    /// The sending, at another node, of the message that an event came of; through the node's own write.
    fn message(&self, place: usize) -> Option<usize> {
        let node = self.trace[place].node;
        let mut at = place;
        for _ in 0..4 {
            let source = self.order.origin(at)?;
            if self.trace[source].node != node {
                return Some(source);
            }
            if matches!(self.trace[source].event, Event::Called { .. }) {
                return None;
            }
            at = source;
        }
        None
    }

    /// The chart of these places, and the account of the others.
    fn told(&self, wanted: &[usize]) -> String {
        let places: BTreeSet<usize> = wanted.iter().copied().collect();
        let mut drawn: BTreeSet<usize> = BTreeSet::new();
        let rows: Vec<(usize, Row)> =
            places.iter().map(|place| (*place, self.row(*place, &mut drawn))).collect();
        let mut ends: BTreeSet<NodeId> = BTreeSet::new();
        for (_, row) in &rows {
            if let Row::Event { marks, arrow, .. } = row {
                ends.extend(marks.iter().map(|(node, _)| *node));
                ends.extend(arrow.iter().flat_map(|arrow| [arrow.from, arrow.to]));
            }
        }
        let columns: Vec<NodeId> = self.plan.topology.nodes().filter(|node| ends.contains(node)).collect();
        let mut lives: BTreeMap<NodeId, Life> = BTreeMap::new();
        let mut next = 0;
        let gaps = self.gaps(&places);
        let mut chart = Chart { topology: &self.plan.topology, columns, rows: Vec::new() };
        for (place, row) in rows {
            let state = |lives: &BTreeMap<NodeId, Life>, columns: &[NodeId]| {
                columns.iter().map(|node| lives.get(node).copied().unwrap_or(Life::Up)).collect()
            };
            if let Some(left_out) = gaps.get(&place) {
                chart.rows.push((Row::Gap(left_out.clone()), state(&lives, &chart.columns)));
            }
            for observed in &self.trace[next..=place] {
                lived(&mut lives, observed);
            }
            next = place + 1;
            let now = state(&lives, &chart.columns);
            chart.rows.push((row, now));
        }
        format!("{}{}", chart.text(), self.account(&places))
    }

    fn row(&self, place: usize, drawn: &mut BTreeSet<usize>) -> Row {
        let observed = &self.trace[place];
        let Observed { seq, at, node, event } = *observed;
        let mut text = self.phrase(place);
        let mut marks = if node == NodeId::WORLD { Vec::new() } else { vec![(node, '●')] };
        let mut arrow = None;
        match event {
            Event::FaultBegan { fault, .. } | Event::FaultEnded { fault, .. } => {
                let planned = self.plan.faults.iter().find(|each| each.id == fault);
                let touched = planned.map_or(Vec::new(), |fault| fault.action.nodes());
                let mark = if matches!(event, Event::FaultBegan { .. }) { '▼' } else { '▲' };
                marks = touched.into_iter().map(|node| (node, mark)).collect();
            }
            Event::Lost { to, .. } => arrow = Some(Arrow { from: node, to, head: Head::Lost }),
            Event::Held { to, .. } => arrow = Some(Arrow { from: node, to, head: Head::Held }),
            _ if rank(&event) == Rank::Fault => {}
            _ => {
                if let Some(source) = self.message(place).filter(|source| drawn.insert(*source)) {
                    let sent = &self.trace[source];
                    arrow = Some(Arrow { from: sent.node, to: node, head: Head::Arrives });
                    if at.since(sent.at).nanos() > LATE {
                        text.push_str(&format!(" (sent {})", seconds(sent.at.nanos())));
                    }
                }
            }
        }
        if place == self.effect && self.nowhere {
            (text, marks, arrow) = ("HERE it is noticed".to_owned(), Vec::new(), None);
        } else if place == self.effect {
            text.insert_str(0, "HERE: ");
            marks.iter_mut().for_each(|(_, mark)| *mark = '◆');
        }
        Row::Event { seq, at, marks, arrow, text }
    }

    /// Between which shown places the most is left out, and what.
    fn gaps(&self, places: &BTreeSet<usize>) -> BTreeMap<usize, String> {
        let mut gaps: Vec<(usize, usize)> = Vec::new();
        let mut first = 0;
        for place in places {
            gaps.push((place - first, *place));
            first = place + 1;
        }
        gaps.sort_unstable_by(|one, two| two.cmp(one));
        let told = |(count, place): (usize, usize)| {
            let works = works(self.trace[place - count..place].iter());
            let most: Vec<&str> = works.iter().take(2).map(|(work, _)| *work).collect();
            (place, format!("… {} events: {}, …", grouped(count as u64), most.join(", ")))
        };
        gaps.into_iter().take(GAPS).filter(|(count, _)| *count >= GAP).map(told).collect()
    }

    /// How much is not shown, of what, and whether it could have mattered.
    fn account(&self, places: &BTreeSet<usize>) -> String {
        let past = self.before.iter().filter(|before| **before).count();
        let hidden = (0..self.trace.len()).filter(|place| self.before[*place] && !places.contains(place));
        let works = works(hidden.map(|place| &self.trace[place]));
        let hidden: usize = works.iter().map(|(_, count)| count).sum();
        let parts: Vec<String> =
            works.iter().map(|(work, count)| format!("{} of {work}", grouped(*count as u64))).collect();
        let mut out = String::new();
        let (all, outside) = (self.trace.len(), self.trace.len() - past);
        let account = format!(
            "{} events up to there; {} cannot have led to it; of the {} that can, {} are left out: {}",
            grouped(all as u64),
            grouped(outside as u64),
            grouped(past as u64),
            grouped(hidden as u64),
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        );
        hang(&mut out, "  ", &account);
        out
    }
}

/// Which commands the log took: those that expected the slice's revision as it was.
fn effective(plan: &Plan, trace: &[Observed]) -> Vec<bool> {
    let mut revisions: BTreeMap<SecretId, Revision> =
        plan.topology.secrets().map(|secret| (secret, Revision(0))).collect();
    let mut took = |observed: &Observed| match observed.event {
        Event::Committed { secret, expected, .. } => match revisions.get_mut(&secret) {
            Some(revision) if *revision == expected => {
                *revision = revision.next();
                true
            }
            _ => false,
        },
        _ => true,
    };
    trace.iter().map(&mut took).collect()
}

/// How many events of each work, the most first.
fn works<'a>(events: impl Iterator<Item = &'a Observed>) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for observed in events {
        *counts.entry(work(&observed.event)).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn lived(lives: &mut BTreeMap<NodeId, Life>, observed: &Observed) {
    let life = match observed.event {
        Event::Crashed { .. } | Event::Panicked { .. } => Life::Down,
        Event::Paused {} => Life::Paused,
        Event::Resumed {} | Event::Started { .. } => Life::Up,
        _ => return,
    };
    lives.insert(observed.node, life);
}

/// Messages followed back from the violation, and from each of the states that its node was in before.
const CHAIN: usize = 6;
const STATES: usize = 2;
const STATE_CHAIN: usize = 2;
/// What is held is so within this many events of being sent.
const HELD: usize = 6;
/// Rows that faults and daily use may take.
const FAULTS: usize = 8;
const USES: usize = 4;
/// Gaps told in the chart, and the fewest events that one must have.
const GAPS: usize = 4;
const GAP: usize = 50;
/// A message that took longer than this, a second, says when it was sent.
const LATE: u64 = 1_000_000_000;
