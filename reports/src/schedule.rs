//! A plan's orders and faults in words: what is done to the system, and when.

use crate::number::seconds;
use crate::story::{hang, hang_under};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::{
    ClockHarm, DiskHarm, Fault, FaultAction, LinkHarm, Pattern, Plan, Point, ProcessHarm, Share, Trigger,
    Until,
};
use tumbler_types::{FaultId, Instant, NodeId, Span};

/// A line for each order, by time, and then for each fault, in the plan's order.
pub fn schedule(plan: &Plan) -> Vec<String> {
    let order = |order: &tumbler_plan::Order| {
        format!("{} s  order {} of {}", at(order.at), order.order.name(), order.secret)
    };
    let fault = |fault: &Fault| {
        let mut line = format!("{}  {}", when(plan, &fault.trigger), fault.action.kind().name());
        line.push_str(&whom(plan, &fault.action));
        line.push_str(&until(plan, &fault.action));
        line
    };
    plan.orders.iter().map(order).chain(plan.faults.iter().map(fault)).collect()
}

/// The same as lines of a terminal.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    schedule(plan).iter().for_each(|line| hang(&mut out, "  does  ", line));
    out
}

/// What a smaller plan has no more, in lines of a terminal: faults by kind, orders, nodes, and what is weaker.
pub fn gone(from: &Plan, to: &Plan) -> String {
    let kept = |id: FaultId| to.faults.iter().find(|fault| fault.id == id);
    let lost = from.faults.iter().filter(|fault| kept(fault.id).is_none());
    let faults = counts(lost.map(|fault| fault.action.kind().name().to_owned()));
    let orders = from.orders.iter().filter(|order| !to.orders.contains(order));
    let orders = counts(orders.map(|order| order.order.name().to_owned()));
    let stays: BTreeSet<NodeId> = to.topology.nodes().map(|node| to.entity(node)).collect();
    let nodes = from.topology.nodes().filter(|node| !stays.contains(&from.entity(*node)));
    let nodes = nodes.map(|node| from.topology.name(node)).collect();
    let weaker = from.faults.iter().filter_map(|fault| {
        let now = &kept(fault.id)?.action;
        let (was, is) = (fault.action.kind(), now.kind());
        let shorter = match (fault.action.until(), now.until()) {
            (Some(before), Some(after)) => after.at_most() < before.at_most(),
            _ => false,
        };
        match (was == is, shorter) {
            (false, _) => Some(format!("{} for a {}", is.name(), was.name())),
            (true, true) => Some(format!("a shorter {}", is.name())),
            (true, false) => (fault.action != *now).then(|| format!("a smaller {}", is.name())),
        }
    });
    let weaker = counts(weaker);
    let mut out = String::new();
    let heads = ["  went    faults: ", "  went    orders: ", "  went    nodes: ", "  weaker  "];
    for (head, list) in heads.into_iter().zip([faults, orders, nodes, weaker]) {
        if !list.is_empty() {
            hang_under(&mut out, head, &list.join(", "), 10);
        }
    }
    out
}

/// Each name once, with how often it comes if that is more.
fn counts(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let told = |(name, count): (String, u32)| if count == 1 { name } else { format!("{name} ×{count}") };
    counts.into_iter().map(told).collect()
}

fn at(instant: Instant) -> String {
    seconds(instant.nanos())
}

fn spell(span: Span) -> String {
    format!("{} s", seconds(span.nanos()))
}

fn part(Share { numerator, denominator }: Share) -> String {
    format!("{numerator} of {denominator} messages")
}

fn signed(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}", spell(Span(nanos.unsigned_abs())))
}

fn when(plan: &Plan, trigger: &Trigger) -> String {
    match trigger {
        Trigger::At(instant) => format!("{} s", at(*instant)),
        Trigger::On { pattern, nth, after } => {
            format!("{} {}, after {} s:", counted("when", *nth), moment(plan, pattern), at(*after))
        }
    }
}

/// The word for the first time, or which time.
fn counted(word: &str, nth: u32) -> String {
    if nth == 1 { word.to_owned() } else { format!("at the {nth}. time that") }
}

fn moment(plan: &Plan, pattern: &Pattern) -> String {
    let name = |node: Option<NodeId>| node.map(|node| plan.topology.name(node));
    let who = name(pattern.node).unwrap_or_else(|| "somebody".to_owned());
    let with = |word: &str| name(pattern.peer).map_or(String::new(), |peer| format!(" {word} {peer}"));
    let step = pattern.step.map_or(String::new(), |step| format!(" ({})", step.name()));
    match pattern.point {
        Point::Sending(frame) => format!("{who} is about to send {frame}{step}{}", with("to")),
        Point::Sent(frame) => format!("{who} has sent {frame}{step}{}", with("to")),
        Point::Handled(frame) => format!("{who} has handled {frame}{}", with("from")),
        Point::Replying(frame) => format!("{who} is about to answer {frame}{}", with("to")),
        Point::PersistBegins => format!("{who} begins to write"),
        Point::PersistDone => format!("{who} has written"),
        Point::ProposeBegins => format!("{who} proposes an entry"),
        Point::ProposeDone => format!("{who} has an entry durable"),
        Point::Entered { secret, phase } => format!("{secret} enters {}{}", phase.name(), with("by")),
    }
}

fn whom(plan: &Plan, action: &FaultAction) -> String {
    let names =
        |nodes: &[NodeId]| nodes.iter().map(|node| plan.topology.name(*node)).collect::<Vec<_>>().join(", ");
    match action {
        FaultAction::Partition { left, right, symmetric, until: _ } => {
            let way = if *symmetric { "and" } else { "to" };
            format!(" of {} {way} {}", names(left), names(right))
        }
        FaultAction::Crash { node, .. } | FaultAction::Pause { node, .. } => {
            format!(" of {}", plan.topology.name(*node))
        }
        FaultAction::ClockStep { node, offset_nanos, until: _ } => {
            format!(" of {} to {} off", plan.topology.name(*node), signed(*offset_nanos))
        }
        FaultAction::Redeploy { node, build, until: _ } => {
            format!(" of {} as {}", plan.topology.name(*node), build.name())
        }
        FaultAction::Suspend { nodes, until: _ } => format!(" of {}", names(nodes)),
        FaultAction::Disk { node, harm, until: _ } => {
            let back = match harm {
                DiskHarm::Restore { back } => format!(" to {} before", spell(*back)),
                DiskHarm::Torn
                | DiskHarm::Full
                | DiskHarm::Stall
                | DiskHarm::Reorder
                | DiskHarm::Rot
                | DiskHarm::Lie => String::new(),
            };
            format!(" of {}{back}", plan.topology.name(*node))
        }
        FaultAction::Clock { node, harm, until: _ } => {
            let how = match harm {
                ClockHarm::Drift { ppm } => format!(" by {ppm} ppm"),
                ClockHarm::Freeze => String::new(),
                ClockHarm::Strobe { offset_nanos, period } => {
                    format!(" to {} off each {}", signed(*offset_nanos), spell(*period))
                }
            };
            format!(" of {}{how}", plan.topology.name(*node))
        }
        FaultAction::Process { node, harm, until: _ } => {
            let how = match harm {
                ProcessHarm::Slow { lag } => format!(" by {} each", spell(*lag)),
                ProcessHarm::CrashLoop { up, down } => {
                    format!(", {} up and {} down", spell(*up), spell(*down))
                }
                ProcessHarm::Reconfigure { period } => format!(" to periods of {}", spell(*period)),
            };
            format!(" of {}{how}", plan.topology.name(*node))
        }
        FaultAction::Link { left, right, symmetric, harm, until: _ } => {
            let way = if *symmetric { "and" } else { "to" };
            let how = match harm {
                LinkHarm::Slow { extra, share } => format!(" by {} for {}", spell(*extra), part(*share)),
                LinkHarm::Lossy { share } | LinkHarm::Corrupt { share } => format!(" for {}", part(*share)),
                LinkHarm::Narrow { bytes_per_second, queue_bytes } => {
                    format!(" to {bytes_per_second} B/s and {queue_bytes} B in line")
                }
                LinkHarm::HalfOpen => String::new(),
            };
            format!(" of {} {way} {}{how}", names(left), names(right))
        }
        FaultAction::Reset { left, right } => format!(" of {} and {}", names(left), names(right)),
        FaultAction::Hold { .. }
        | FaultAction::LoseReply
        | FaultAction::LoseRequest
        | FaultAction::FailPersist
        | FaultAction::Duplicate
        | FaultAction::Strip => " of that".to_owned(),
    }
}

fn until(plan: &Plan, action: &FaultAction) -> String {
    match action.until() {
        None => String::new(),
        Some(Until::After(span)) => format!(" for {}", spell(span)),
        Some(Until::On { pattern, nth, at_most }) => {
            let count = if nth == 1 { String::new() } else { counted("", nth) + " " };
            format!(" until {count}{}, {} at most", moment(plan, &pattern), spell(at_most))
        }
    }
}
