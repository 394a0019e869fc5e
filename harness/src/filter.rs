//! Which events of a trace are shown: by node, kind, step or field, or by any text of their line.
//!
//! A filter is a list of terms, all of which must hold; a term may name several values, any of which
//! will do. It deliberately works on exported events, so that what can be asked for is what can be seen.

use crate::nearest::{hint, nearest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use tumbler_plan::trace::v1;
use tumbler_types::{Event, NodeId, Topology};

/// All of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter(pub Vec<Term>);

/// One `--filter`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    Node(Vec<String>),
    Kind(Vec<String>),
    /// From the first step to before the second.
    Steps(u64, u64),
    /// An event that has the field, with one of these values.
    Field(String, Vec<String>),
    /// A line that contains this.
    Text(String),
}

impl Filter {
    /// Every node that it names is one of the run's, or the world.
    pub fn fits(&self, topology: &Topology) -> Result<(), String> {
        let mut known: Vec<String> = topology.nodes().map(|node| topology.name(node)).collect();
        known.push(topology.name(NodeId::WORLD));
        let named =
            self.0.iter().filter_map(|term| if let Term::Node(names) = term { Some(names) } else { None });
        match named.flatten().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let known = known.iter().map(String::as_str);
                let all = format!("there are {}", known.clone().collect::<Vec<_>>().join(", "));
                Err(format!("no node is called `{name}`{}", hint(name, known, &all)))
            }
        }
    }

    pub fn takes(&self, event: &v1::Event, line: &str) -> bool {
        self.0.iter().all(|term| term.takes(event, line))
    }
}

impl Term {
    fn takes(&self, event: &v1::Event, line: &str) -> bool {
        match self {
            Term::Node(names) => names.contains(&event.node),
            Term::Kind(kinds) => kinds.contains(&event.kind),
            Term::Steps(first, end) => (*first..*end).contains(&event.seq),
            Term::Field(name, values) => {
                event.fields.get(name).is_some_and(|value| values.contains(value))
                    || values
                        .iter()
                        .any(|value| line.split(' ').any(|word| word == format!("{name}={value}")))
            }
            Term::Text(text) => line.contains(text),
        }
    }
}

/// `node=agent-1,agent-2`, `kind=Committed`, `step=100..200`, `secret=secret-0`, or any text.
impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|each| each.is_ascii_lowercase() || each == '_')
        };
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_name(name)) else {
            return Ok(Term::Text(text.to_owned()));
        };
        let values: Vec<String> = value.split(',').map(str::to_owned).collect();
        match name {
            "node" => Ok(Term::Node(values)),
            "kind" => match values.iter().find(|kind| !Event::KINDS.contains(&kind.as_str())) {
                None => Ok(Term::Kind(values)),
                Some(unknown) => {
                    let hint = nearest(unknown, Event::KINDS.iter().copied());
                    let hint = hint.map_or(String::new(), |hint| format!(": did you mean `{hint}`?"));
                    Err(format!("`{unknown}` is no kind of event{hint}"))
                }
            },
            "step" => {
                let expected = || format!("expected step=A..B, half-open, got `{text}`");
                let (first, end) = value.split_once("..").ok_or_else(expected)?;
                let parse = |text: &str| text.parse::<u64>().map_err(|_| expected());
                let (first, end) = (parse(first)?, parse(end)?);
                if first >= end {
                    return Err(format!("no step is in `{text}`: expected step=A..B with A below B"));
                }
                Ok(Term::Steps(first, end))
            }
            _ => Ok(Term::Field(name.to_owned(), values)),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Node(names) => write!(f, "node={}", names.join(",")),
            Term::Kind(kinds) => write!(f, "kind={}", kinds.join(",")),
            Term::Steps(first, end) => write!(f, "step={first}..{end}"),
            Term::Field(name, values) => write!(f, "{name}={}", values.join(",")),
            Term::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<String> = self.0.iter().map(|term| format!("`{term}`")).collect();
        f.write_str(&terms.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::Instant;

    #[track_caller]
    fn check(terms: &[&str], expect: bool) {
        let fields = [("secret", "secret-1"), ("command", "Grant agent=node-3 version=v1")];
        let event = v1::Event {
            seq: 150,
            at: Instant(7),
            node: "agent-1".to_owned(),
            kind: "Committed".to_owned(),
            fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let terms = terms.iter().map(|term| term.parse().expect("a term")).collect();
        let line = crate::replay::line(&event);
        assert_eq!(Filter(terms).takes(&event, &line), expect, "{line}");
    }

    #[test]
    fn every_term_must_hold_and_one_of_its_values() {
        check(&[], true);
        check(&["node=agent-1"], true);
        check(&["node=agent-2,agent-1", "kind=Committed,Enforced"], true);
        check(&["node=agent-1", "kind=Enforced"], false);
        check(&["step=100..151"], true);
        check(&["step=100..150"], false);
        // A field is compared whole, also inside a command.
        check(&["secret=secret-1"], true);
        check(&["secret=secret"], false);
        check(&["version=v1"], true);
        check(&["version=v"], false);
        check(&["Grant agent"], true);
        check(&["agent-2"], false);
    }

    #[test]
    fn a_kind_that_is_none_and_steps_that_are_none_are_refused() {
        let refused = |text: &str| text.parse::<Term>().expect_err("no term");
        assert_eq!(refused("kind=Comitted"), "`Comitted` is no kind of event: did you mean `Committed`?");
        assert_eq!(refused("step=9"), "expected step=A..B, half-open, got `step=9`");
        assert_eq!(refused("step=9..3"), "no step is in `step=9..3`: expected step=A..B with A below B");
    }
}
