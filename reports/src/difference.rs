//! Where two runs first differ: the step, both events, and the field.
//!
//! It exists because "the digests differ" is no place to begin. Two runs of one plan that differ have a
//! leak, and the first event that is not the same is the nearest to it that can be seen from outside;
//! two runs of two plans differ where the plans first mattered.
//!
//! It deliberately knows nothing of why: time, randomness and order look alike from here.

use crate::number::{grouped, seconds};
use crate::story::put;
use crate::wrap::{COLUMNS, hang, hang_under};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use tumbler_plan::trace::v1::Event;

/// The first step at which two runs are not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub step: u64,
    /// None: the run was over.
    pub left: Option<Event>,
    pub right: Option<Event>,
}

impl Difference {
    /// Compares two parts of two traces, which must begin at the same step.
    pub fn first(left: &[Event], right: &[Event]) -> Option<Difference> {
        let place = (0..left.len().max(right.len())).find(|place| left.get(*place) != right.get(*place))?;
        let (left, right) = (left.get(place).cloned(), right.get(place).cloned());
        let step = left.as_ref().or(right.as_ref()).map_or(0, |event| event.seq);
        Some(Difference { step, left, right })
    }

    /// The fields that differ, each with both its values: time, node and kind before the event's own.
    pub fn fields(&self) -> Vec<(String, String, String)> {
        let (Some(left), Some(right)) = (&self.left, &self.right) else { return Vec::new() };
        let (one, two) = (parts(left), parts(right));
        // Two kinds of event have no fields to compare.
        let names: BTreeSet<&String> = match left.kind == right.kind {
            true => one.keys().chain(two.keys()).collect(),
            false => {
                one.keys().filter(|name| ["0 time", "1 node", "2 kind"].contains(&name.as_str())).collect()
            }
        };
        let get = |of: &BTreeMap<String, String>, name: &String| {
            of.get(name).cloned().unwrap_or_else(|| "absent".to_owned())
        };
        let both = names.into_iter().map(|name| (bare(name), get(&one, name), get(&two, name)));
        both.filter(|(_, one, two)| one != two).collect()
    }

    /// What differs, in a few lines. `names` are the two runs'.
    pub fn text(&self, names: [&str; 2]) -> String {
        let mut out = String::new();
        let node = self.left.as_ref().or(self.right.as_ref()).map_or("", |event| event.node.as_str());
        let fields = self.fields();
        let what = match (fields.first(), &self.left, &self.right) {
            (Some((name, ..)), ..) => format!("field `{name}`"),
            (None, Some(_), None) => format!("{} ends before it", names[1]),
            (None, None, Some(_)) => format!("{} ends before it", names[0]),
            (None, ..) => "nothing that is shown".to_owned(),
        };
        put(&mut out, format_args!("  first difference at step {}, {node}: {what}", grouped(self.step)));
        for (name, one, two) in &fields {
            hang(&mut out, "    ", &format!("{name}: {} {one}, {} {two}", names[0], names[1]));
        }
        for (name, event) in names.into_iter().zip([&self.left, &self.right]) {
            let text = event.as_ref().map_or("over".to_owned(), told);
            hang_under(&mut out, &format!("    {name:<6}"), &text, 12);
        }
        out
    }
}

/// Both runs from a little before a difference to a little behind it, side by side as far as they go
/// together: what both have (at whatever time), what only the first has (`<`), and the second (`>`).
pub fn aligned(left: &[Event], right: &[Event], step: u64) -> String {
    let first = step.saturating_sub(BEFORE);
    let part = |events: &[Event]| -> Vec<Event> {
        let near = |event: &&Event| event.seq >= first && event.seq < step + BEHIND;
        events.iter().filter(near).cloned().collect()
    };
    let (left, right) = (part(left), part(right));
    let mut out = String::new();
    let mut put = |sign: char, event: &Event| {
        let mut line = format!("  {sign} {:>7} {:>9} ", event.seq, seconds(event.at.nanos()));
        write!(line, "{}", told_briefly(event)).expect("memory");
        if line.chars().count() > COLUMNS {
            line = line.chars().take(COLUMNS - 1).chain(['…']).collect();
        }
        out.push_str(&line);
        out.push('\n');
    };
    let (mut one, mut two) = (0, 0);
    for (at, to) in common(&left, &right).into_iter().chain([(left.len(), right.len())]) {
        left[one..at].iter().for_each(|event| put('<', event));
        right[two..to].iter().for_each(|event| put('>', event));
        if let (Some(event), Some(_)) = (left.get(at), right.get(to)) {
            put('=', event);
        }
        (one, two) = (at + 1, to + 1);
    }
    out
}

/// The longest common subsequence of events that are the same but for step and time.
fn common(left: &[Event], right: &[Event]) -> Vec<(usize, usize)> {
    let same =
        |one: &Event, two: &Event| one.node == two.node && one.kind == two.kind && one.fields == two.fields;
    let width = right.len() + 1;
    let mut lengths = vec![0_usize; (left.len() + 1) * width];
    for one in (0..left.len()).rev() {
        for two in (0..right.len()).rev() {
            lengths[one * width + two] = match same(&left[one], &right[two]) {
                true => lengths[(one + 1) * width + two + 1] + 1,
                false => lengths[(one + 1) * width + two].max(lengths[one * width + two + 1]),
            };
        }
    }
    let (mut one, mut two) = (0, 0);
    let mut pairs = Vec::new();
    while one < left.len() && two < right.len() {
        if same(&left[one], &right[two]) {
            pairs.push((one, two));
            (one, two) = (one + 1, two + 1);
        } else if lengths[(one + 1) * width + two] >= lengths[one * width + two + 1] {
            one += 1;
        } else {
            two += 1;
        }
    }
    pairs
}

/// Every part of an event by name; a command's own fields are parts of their own.
fn parts(event: &Event) -> BTreeMap<String, String> {
    let Event { seq: _, at, node, kind, fields } = event;
    let mut parts = BTreeMap::from([
        ("0 time".to_owned(), format!("{at:#}")),
        ("1 node".to_owned(), node.clone()),
        ("2 kind".to_owned(), kind.clone()),
    ]);
    for (name, value) in fields {
        match value.split_once(' ') {
            Some((command, rest)) if rest.contains('=') => {
                parts.insert(format!("3 {name}"), command.to_owned());
                let mut last = String::new();
                for word in rest.split(' ') {
                    match word.split_once('=') {
                        Some((inner, value)) => {
                            last = format!("3 {name}.{inner}");
                            parts.insert(last.clone(), value.to_owned());
                        }
                        // A value of several words.
                        None => parts.entry(last.clone()).or_default().push_str(&format!(" {word}")),
                    }
                }
            }
            _ => {
                parts.insert(format!("3 {name}"), value.clone());
            }
        }
    }
    parts
}

/// A part's name without the digit that it is sorted by.
fn bare(name: &str) -> String {
    name.split_once(' ').map_or(name, |(_, name)| name).to_owned()
}

fn told(event: &Event) -> String {
    format!("{:#} {}", event.at, told_briefly(event))
}

fn told_briefly(event: &Event) -> String {
    let Event { seq: _, at: _, node, kind, fields } = event;
    let mut out = format!("{node:<11} {kind}");
    for (name, value) in fields {
        write!(out, " {name}={value}").expect("memory");
    }
    out
}

/// Events shown before a difference and from it on.
const BEFORE: u64 = 4;
const BEHIND: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::Instant;

    fn event(seq: u64, node: &str, kind: &str, fields: &[(&str, &str)]) -> Event {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Event { seq, at: Instant(seq), node: node.to_owned(), kind: kind.to_owned(), fields }
    }

    #[track_caller]
    fn check(left: Event, right: Event, expect: &[(&str, &str, &str)]) {
        let difference = Difference { step: left.seq, left: Some(left), right: Some(right) };
        let fields = difference.fields();
        let got: Vec<(&str, &str, &str)> =
            fields.iter().map(|(name, one, two)| (name.as_str(), one.as_str(), two.as_str())).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn the_field_that_differs_is_named_also_inside_a_command_and_to_the_nanosecond() {
        let sent = |tag| event(1, "agent-1", "Sent", &[("frame", "replicate"), ("tag", tag)]);
        check(sent("#1"), sent("#2"), &[("tag", "#1", "#2")]);
        let later = Event { at: Instant(2), ..sent("#1") };
        check(sent("#1"), later, &[("time", "0.000000001 s", "0.000000002 s")]);
        let committed = |until: &str| {
            let command = format!("Grant agent=node-3 version=v1 until={until}");
            event(1, "authority-1", "Committed", &[("command", &command), ("secret", "secret-0")])
        };
        let expect = [("command.until", "7.000000001 s", "7.000000002 s")];
        check(committed("7.000000001 s"), committed("7.000000002 s"), &expect);
        let other = event(1, "agent-1", "TimerFired", &[("timer", "timer-0")]);
        check(sent("#1"), other, &[("kind", "Sent", "TimerFired")]);
    }

    #[test]
    fn the_first_difference_is_found_and_told_and_so_is_an_end() {
        let trace: Vec<Event> = (5..9).map(|seq| event(seq, "agent-1", "Sent", &[("tag", "#1")])).collect();
        assert_eq!(Difference::first(&trace, &trace), None);
        let mut other = trace.clone();
        other[2].fields.insert("tag".to_owned(), "#2".to_owned());
        let found = Difference::first(&trace, &other).expect("they differ");
        assert_eq!(found.step, 7);
        let text = found.text(["first", "again"]);
        assert!(text.starts_with("  first difference at step 7, agent-1: field `tag`\n"), "{text}");
        assert!(text.contains("tag: first #1, again #2"), "{text}");
        let ended = Difference::first(&trace, &trace[..3]).expect("one is shorter");
        assert_eq!((ended.step, ended.right.is_none()), (8, true));
        assert!(ended.text(["A", "B"]).contains("B ends before it"), "{}", ended.text(["A", "B"]));
    }

    #[test]
    fn what_both_have_is_aligned_whatever_its_time() {
        let left: Vec<Event> =
            ["a", "b", "c", "d"].iter().zip(10..).map(|(kind, seq)| event(seq, "n", kind, &[])).collect();
        let right: Vec<Event> =
            ["a", "c", "x", "d"].iter().zip(10..).map(|(kind, seq)| event(seq, "n", kind, &[])).collect();
        let text = aligned(&left, &right, 11);
        let signs: Vec<(&str, &str)> = text
            .lines()
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                (words[0], words[4])
            })
            .collect();
        assert_eq!(signs, [("=", "a"), ("<", "b"), ("=", "c"), (">", "x"), ("=", "d")]);
    }
}
