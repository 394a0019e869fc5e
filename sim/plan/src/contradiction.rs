//! What contradicts itself in a plan, and on which line of a file it stands.
//!
//! It exists because a plan in a capsule is data that anybody can edit: a fault on a node that is not there,
//! an interval that ends before it starts, a heal of what was never broken. Scenario files are refused
//! where they are read; a plan that was drawn from one has no contradiction.
//!
//! It deliberately says nothing of plans that are only pointless: a fault that never fires is none.

use crate::{DiskHarm, Fault, FaultAction, LinkHarm, Pattern, Plan, Point, Trigger, Until};
use tumbler_types::{Assumption, FaultId, NodeId, Span};

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Where it is in a capsule, from the outside in.
    pub path: Vec<Key>,
    pub problem: String,
    pub expected: String,
}

/// One step into a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Name(&'static str),
    Index(usize),
    /// The only member of an object, whatever it is called: the kind of a fault.
    Only,
}

/// The first contradiction of a plan.
pub fn contradiction(plan: &Plan) -> Option<Contradiction> {
    check(plan).err()
}

type Checked = Result<(), Contradiction>;

/// One part of the plan.
#[derive(Clone)]
struct Place(Vec<Key>);

impl Place {
    fn of(names: &[&'static str]) -> Self {
        Place(std::iter::once(&"plan").chain(names).map(|name| Key::Name(name)).collect())
    }

    fn and(&self, keys: &[Key]) -> Self {
        Place(self.0.iter().chain(keys).copied().collect())
    }

    fn must<P: Into<String>, E: Into<String>>(self, holds: bool, wrong: impl FnOnce() -> (P, E)) -> Checked {
        if holds {
            return Ok(());
        }
        let (problem, expected) = wrong();
        Err(Contradiction { path: self.0, problem: problem.into(), expected: expected.into() })
    }
}

fn check(plan: &Plan) -> Checked {
    let (agents, secrets) = (plan.topology.agents, plan.topology.secrets);
    let count = plan.canaries;
    Place::of(&["canaries"]).must(count <= agents, || {
        (format!("there are {count} canaries"), format!("at most the {agents} agents"))
    })?;
    Place::of(&["heal_at"]).must(plan.heal_at <= plan.end_at, || {
        (format!("faults heal at {}, after the end", plan.heal_at), format!("at most {}", plan.end_at))
    })?;
    let (network, store) = (plan.network, plan.store);
    for (name, min, max) in [
        ("network", network.latency_min, network.latency_max),
        ("store", store.latency_min, store.latency_max),
    ] {
        Place::of(&[name, "latency_max"])
            .must(min <= max, || ("the interval ends before it starts", format!("at least {min}")))?;
    }
    let known = |node: NodeId, place: Place, who: &str| exists(plan, node, place, who);
    let count = plan.topology.node_count();
    let is_whole = plan.entities.is_empty() || plan.entities.len() == usize::from(count);
    Place::of(&["entities"]).must(is_whole && plan.entities.is_sorted_by(|a, b| a < b), || {
        ("nodes draw under ids that do not fit them", format!("none, or {count} that rise"))
    })?;
    for (index, offset) in plan.offsets.iter().enumerate() {
        known(offset.node, Place::of(&["offsets"]).and(&[Key::Index(index), Key::Name("node")]), "a clock")?;
    }
    for (index, deployed) in plan.builds.iter().enumerate() {
        known(deployed.node, Place::of(&["builds"]).and(&[Key::Index(index), Key::Name("node")]), "a build")?;
    }
    for (index, lag) in plan.lags.iter().enumerate() {
        known(lag.node, Place::of(&["lags"]).and(&[Key::Index(index), Key::Name("node")]), "a lag")?;
    }
    for (index, order) in plan.orders.iter().enumerate() {
        let place = Place::of(&["orders"]).and(&[Key::Index(index), Key::Name("secret")]);
        place.must(order.secret.0 < secrets, || {
            (format!("an order names {}", order.secret), format!("one of {secrets} secrets, from secret-0"))
        })?;
    }
    for (index, fault) in plan.faults.iter().enumerate() {
        let place = Place::of(&["faults"]).and(&[Key::Index(index)]);
        let is_new = plan.faults[..index].iter().all(|other| other.id != fault.id);
        place
            .and(&[Key::Name("id")])
            .must(is_new, || (format!("two faults are called {}", fault.id), "a name for each"))?;
        begins(plan, fault, &place)?;
        does(plan, fault, &place)?;
        ends(plan, fault, &place)?;
    }
    undeclared(plan)
}

fn exists(plan: &Plan, node: NodeId, place: Place, who: &str) -> Checked {
    let count = plan.topology.node_count();
    place.must(node.0 < count, || {
        (format!("{who} names {node}"), format!("one of {count} nodes, from {}", NodeId(0)))
    })
}

/// Assumptions that are left without a word; shown where they are to be said.
fn undeclared(plan: &Plan) -> Checked {
    let said = |assumption: Assumption| plan.breaks.contains(&assumption);
    let left = plan.exceeded().into_iter().find(|(assumption, _)| !said(*assumption));
    let name = if plan.breaks.is_empty() { "planted" } else { "breaks" };
    match left {
        None => Ok(()),
        Some((assumption, what)) => {
            let expected = format!("`breaks` to name {}", assumption.id());
            Place::of(&[name]).must(false, || (what, expected))
        }
    }
}

/// The trigger: a message fault needs a message, a count begins at 1.
fn begins(plan: &Plan, Fault { id, trigger, action }: &Fault, place: &Place) -> Checked {
    let place = place.and(&[Key::Name("trigger")]);
    let kind = action.kind().name();
    let needs = needs(action);
    let Trigger::On { pattern, nth, after: _ } = trigger else {
        let is_free = matches!(needs, Needs::Nothing);
        return place.must(is_free, || (format!("{id} is a {kind} and begins at a time"), needs.expected()));
    };
    let place = place.and(&[Key::Only]);
    place
        .and(&[Key::Name("nth")])
        .must(*nth > 0, || (format!("{id} begins at the 0. time"), "at least the first"))?;
    let place = place.and(&[Key::Name("pattern")]);
    names(plan, *id, pattern, &place)?;
    place.must(needs.met_by(pattern.point), || {
        (format!("{id} is a {kind} and cannot begin at this point"), needs.expected())
    })
}

/// The action: sides apart, shares of something, and nothing healed that was not broken.
fn does(plan: &Plan, Fault { id, trigger: _, action }: &Fault, place: &Place) -> Checked {
    let place = place.and(&[Key::Name("action"), Key::Only]);
    let named = |name: &'static str| place.and(&[Key::Name(name)]);
    for (name, nodes) in action.named_nodes() {
        let some = || (format!("{id} has nobody in `{name}`"), "at least one node");
        named(name).must(!nodes.is_empty(), some)?;
        nodes.iter().try_for_each(|node| exists(plan, *node, named(name), &id.to_string()))?;
    }
    match action {
        FaultAction::Partition { left, right, .. }
        | FaultAction::Link { left, right, .. }
        | FaultAction::Reset { left, right } => {
            let both = right.iter().find(|node| left.contains(node));
            named("right").must(both.is_none(), || {
                let node = both.copied().unwrap_or(NodeId(0));
                (format!("{id} has {node} on both sides"), "two groups without a common node")
            })?;
        }
        FaultAction::ClockStep { node, offset_nanos, .. } => {
            let base = plan.offsets.iter().find(|offset| offset.node == *node).map_or(0, |each| each.nanos);
            named("offset_nanos").must(*offset_nanos != base, || {
                let problem = format!("{id} heals a clock that it does not move");
                (problem, "another offset than the node has")
            })?;
        }
        _ => {}
    }
    let FaultAction::Link { harm, .. } = action else { return Ok(()) };
    let (LinkHarm::Slow { share, .. } | LinkHarm::Lossy { share } | LinkHarm::Corrupt { share }) = harm
    else {
        return Ok(());
    };
    let holds = share.numerator > 0 && share.numerator <= share.denominator;
    named("harm").must(holds, || {
        let problem = format!("{id} concerns {} of {} messages", share.numerator, share.denominator);
        (problem, "a share of more than none and at most all")
    })
}

/// The end: later than the beginning, by a point that there is.
fn ends(plan: &Plan, Fault { id, trigger: _, action }: &Fault, place: &Place) -> Checked {
    let Some(until) = action.until() else { return Ok(()) };
    let place = place.and(&[Key::Name("action"), Key::Only, Key::Name("until")]);
    place
        .clone()
        .must(until.at_most() > Span::ZERO, || (format!("{id} ends when it begins"), "more than no time"))?;
    let Until::On { pattern, nth, at_most: _ } = until else { return Ok(()) };
    let place = place.and(&[Key::Only]);
    place
        .and(&[Key::Name("nth")])
        .must(nth > 0, || (format!("{id} ends at the 0. time"), "at least the first"))?;
    names(plan, *id, &pattern, &place.and(&[Key::Name("pattern")]))
}

/// Nodes and secrets of a pattern exist.
fn names(plan: &Plan, id: FaultId, pattern: &Pattern, place: &Place) -> Checked {
    let Pattern { point, node, peer, step: _ } = *pattern;
    for (name, node) in [("node", node), ("peer", peer)] {
        if let Some(node) = node {
            exists(plan, node, place.and(&[Key::Name(name)]), &id.to_string())?;
        }
    }
    let Point::Entered { secret, phase: _ } = point else { return Ok(()) };
    let secrets = plan.topology.secrets;
    place.and(&[Key::Name("point")]).must(secret.0 < secrets, || {
        (format!("{id} waits for {secret}"), format!("one of {secrets} secrets, from secret-0"))
    })
}

/// What an action has to begin at.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Message,
    Request,
    Record,
    Write,
}

impl Needs {
    const fn expected(self) -> &'static str {
        match self {
            Needs::Nothing => "any",
            Needs::Message => "the point of a message that leaves",
            Needs::Request => "the point of a request",
            Needs::Record => "the point of a record",
            Needs::Write => "the point of a durable write",
        }
    }

    const fn met_by(self, point: Point) -> bool {
        match self {
            Needs::Nothing => true,
            Needs::Message => matches!(point, Point::Sending(_) | Point::Replying(_)),
            Needs::Request => matches!(point, Point::Sending(_)),
            Needs::Record => matches!(point, Point::PersistBegins),
            Needs::Write => matches!(point, Point::PersistBegins | Point::ProposeBegins),
        }
    }
}

const fn needs(action: &FaultAction) -> Needs {
    match action {
        FaultAction::Hold { .. } | FaultAction::LoseRequest | FaultAction::Duplicate | FaultAction::Strip => {
            Needs::Message
        }
        FaultAction::LoseReply => Needs::Request,
        FaultAction::FailPersist => Needs::Record,
        FaultAction::Disk { harm: DiskHarm::Torn, .. } => Needs::Write,
        FaultAction::Disk { .. }
        | FaultAction::Partition { .. }
        | FaultAction::Crash { .. }
        | FaultAction::Pause { .. }
        | FaultAction::ClockStep { .. }
        | FaultAction::Redeploy { .. }
        | FaultAction::Suspend { .. }
        | FaultAction::Clock { .. }
        | FaultAction::Process { .. }
        | FaultAction::Link { .. }
        | FaultAction::Reset { .. } => Needs::Nothing,
    }
}

/// Line and column, from 1, of what a path leads to in a JSON text that was read before; of the innermost
/// part of it that is there, if not all is.
pub fn place(text: &str, path: &[Key]) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut at = blank(bytes, 0);
    let mut found = at;
    for key in path {
        let Some((shown, value)) = member(bytes, at, *key) else { break };
        (found, at) = (shown, value);
    }
    let before = &text[..found.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    (line, column)
}

/// Where a member of the value at `at` is shown, and where its value begins.
fn member(bytes: &[u8], at: usize, key: Key) -> Option<(usize, usize)> {
    let is_object = *bytes.get(at)? == b'{';
    let mut at = blank(bytes, at + 1);
    let mut index = 0;
    while !matches!(bytes.get(at)?, b'}' | b']') {
        let (shown, name) = (at, at);
        if is_object {
            at = blank(bytes, skip(bytes, at));
            at = blank(bytes, at + 1);
        }
        let is_it = match key {
            Key::Only => is_object,
            Key::Index(wanted) => !is_object && index == wanted,
            Key::Name(wanted) => {
                is_object
                    && bytes[name + 1..].starts_with(wanted.as_bytes())
                    && bytes.get(name + 1 + wanted.len()) == Some(&b'"')
            }
        };
        if is_it {
            return Some((shown, at));
        }
        at = blank(bytes, skip(bytes, at));
        if bytes.get(at) == Some(&b',') {
            at = blank(bytes, at + 1);
        }
        index += 1;
    }
    None
}

/// The end of the value that begins here.
fn skip(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    let mut depth = 0_u32;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' | b',' | b':' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => at += 1,
        }
        if depth == 0 && matches!(bytes.get(at - 1), Some(b'"' | b'}' | b']')) {
            return at;
        }
    }
    at
}

/// The end of the string that begins here.
fn string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn blank(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line_and_column_or_as_far_as_it_goes() {
        let text = "{\n  \"a\": {\"x\": \"}\\\",\", \"b\": [1, [2],\n {\"c\": null}]},\n  \"d\": true\n}\n";
        let name = Key::Name;
        let check = |path: &[Key], expect| assert_eq!(place(text, path), expect, "{path:?}");
        check(&[], (1, 1));
        check(&[name("d")], (4, 3));
        check(&[name("a"), name("b")], (2, 22));
        check(&[name("a"), name("b"), Key::Index(1)], (2, 31));
        check(&[name("a"), name("b"), Key::Index(2), Key::Only], (3, 3));
        check(&[name("a"), name("b"), Key::Index(3)], (2, 22));
        check(&[name("a"), name("missing"), name("b")], (2, 3));
        check(&[name("d"), name("b")], (4, 3));
    }
}
