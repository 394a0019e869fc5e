//! The trace as it leaves the process: one event per object, names instead of numbers.
//!
//! It exists so that a trace can be kept, filtered and read by tools that know nothing of our types.
//! Nanoseconds are written as text, because readers that hold numbers as doubles lose them beyond
//! 2⁵³. Fields carry ids, instants and tags only: no secret bytes are in an event.
//!
//! It deliberately cannot be turned back into events: a run is replayed from its plan.

/// Version 1 of the exported form.
pub mod v1 {
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;
    use std::fmt;
    use tumbler_types::{Instant, Observed, Topology, event::FieldVisitor};

    /// One event.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Event {
        pub seq: u64,
        /// True virtual time in nanoseconds.
        #[serde(with = "text")]
        pub at: Instant,
        pub node: String,
        pub kind: String,
        pub fields: BTreeMap<String, String>,
    }

    impl Event {
        pub fn new(topology: &Topology, observed: &Observed) -> Self {
            let Observed { seq, at, node, event } = observed;
            let mut fields = Fields(BTreeMap::new());
            event.visit(&mut fields);
            Event {
                seq: *seq,
                at: *at,
                node: topology.name(*node),
                kind: event.kind().to_owned(),
                fields: fields.0,
            }
        }
    }

    struct Fields(BTreeMap<String, String>);

    impl FieldVisitor for Fields {
        fn field(&mut self, name: &'static str, value: &dyn fmt::Display) {
            // Every digit: what differs in the digest differs here.
            self.0.insert(name.to_owned(), format!("{value:#}"));
        }
    }

    mod text {
        use serde::{Deserialize, Deserializer, Serializer, de::Error};
        use tumbler_types::Instant;

        pub fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&at.nanos())
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.parse()
                .map(Instant)
                .map_err(|_| D::Error::custom(format!("expected nanoseconds as decimal text, got `{text}`")))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use tumbler_types::{Event as Happened, NodeId, SecretId};

        #[test]
        fn an_event_is_exported_with_names_and_survives_a_reader() {
            let topology = Topology {
                rotators: 2,
                agents: 2,
                replicas: 1,
                workloads: 1,
                secrets: 1,
                adapter: Default::default(),
            };
            let event = Happened::Withheld { secret: SecretId(0), to: NodeId(7) };
            let at = Instant(9_007_199_254_740_993);
            let exported = Event::new(&topology, &Observed { seq: 5, at, node: NodeId(3), event });
            let text = serde_json::to_string(&exported).expect("plain data");
            assert_eq!(
                text,
                r#"{"seq":5,"at":"9007199254740993","node":"agent-1","kind":"Withheld","fields":{"secret":"secret-0","to":"node-7"}}"#
            );
            assert_eq!(serde_json::from_str::<Event>(&text).expect("what was written"), exported);
        }
    }
}
