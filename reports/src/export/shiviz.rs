//! The trace as ShiViz reads it: a line that says what happened, and one with host and vector clock.
//!
//! The first line of the file is the expression that ShiViz parses with (its own default, spelled out),
//! the second the delimiter between executions: none. A host's own entry begins at 1 and rises by 1; what
//! a message or a write brings is merged in before.
//!
//! Source: F. Mattern, "Virtual Time and Global States of Distributed Systems"; ShiViz's input page.

use crate::cause::Order;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tumbler_types::{NodeId, Observed, Topology};

/// What ShiViz splits an event by.
pub const PARSER: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

type Clock = BTreeMap<NodeId, u64>;

pub(super) fn shiviz(topology: &Topology, trace: &[Observed]) -> String {
    let order = Order::of(trace);
    let mut clocks: Vec<Clock> = Vec::with_capacity(trace.len());
    let mut out = format!("{PARSER}\n\n");
    for (place, observed) in trace.iter().enumerate() {
        let link = order.link(place).expect("the order is of this trace");
        let mut clock = link.before.map_or(Clock::new(), |before| clocks[before].clone());
        if let Some(source) = link.source {
            for (node, count) in &clocks[source] {
                let own = clock.entry(*node).or_default();
                *own = (*own).max(*count);
            }
        }
        *clock.entry(observed.node).or_default() += 1;
        let Observed { seq, at, node, event } = observed;
        writeln!(out, "{seq} {at} {event}").expect("memory");
        write!(out, "{} {{", topology.name(*node)).expect("memory");
        for (index, (node, count)) in clock.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}\"{}\": {count}", topology.name(*node)).expect("memory");
        }
        out.push_str("}\n");
        clocks.push(clock);
    }
    out
}
