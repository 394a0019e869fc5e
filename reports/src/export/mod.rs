//! A trace for other people's viewers.
//!
//! Each form is made from the observed events alone, whole, in the order of the trace. It deliberately
//! leaves nothing out and explains nothing: that is [`mod@crate::explain`]'s.

pub mod perfetto;
pub mod shiviz;

use serde::{Deserialize, Serialize};
use tumbler_plan::trace::v1;
use tumbler_types::{Observed, Topology};

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// Trace Event JSON: ui.perfetto.dev, chrome://tracing.
    Perfetto,
    /// A log with vector clocks, as ShiViz reads it.
    Shiviz,
    /// One [`v1::Event`] a line.
    Jsonl,
}

/// The trace in a form.
pub fn export(topology: &Topology, trace: &[Observed], form: Form) -> String {
    match form {
        Form::Perfetto => perfetto::perfetto(topology, trace),
        Form::Shiviz => shiviz::shiviz(topology, trace),
        Form::Jsonl => jsonl(topology, trace),
    }
}

fn jsonl(topology: &Topology, trace: &[Observed]) -> String {
    let mut out = String::new();
    for observed in trace {
        let event = v1::Event::new(topology, observed);
        out.push_str(&serde_json::to_string(&event).expect("events are plain data"));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{Event, Instant, NodeId, TimerId};

    #[test]
    fn each_line_is_an_event_of_the_exported_form() {
        let topology = Topology {
            rotators: 1,
            agents: 1,
            replicas: 0,
            workloads: 1,
            secrets: 1,
            adapter: Default::default(),
        };
        let event = Event::TimerFired { timer: TimerId(1) };
        let trace: Vec<Observed> =
            (0..3).map(|seq| Observed { seq, at: Instant(seq), node: NodeId(1), event }).collect();
        let text = export(&topology, &trace, Form::Jsonl);
        let read: Vec<v1::Event> =
            text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        let expect: Vec<v1::Event> = trace.iter().map(|each| v1::Event::new(&topology, each)).collect();
        assert_eq!(read, expect);
    }
}
