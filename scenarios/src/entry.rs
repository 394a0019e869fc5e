//! What a scenario sets and asks in its world: clock offsets and orders, each with its draws.
//!
//! An entry is read once, with every name resolved, and drawn once per seed. Determinism: entry `i`
//! draws from a stream of its own (keyed by `i`), always the same number of times, so editing one
//! entry moves no other.
//!
//! It deliberately executes nothing: a drawn entry is a line of the plan.

use crate::error::Mistake;
use crate::file::{BuildTable, ClockTable, OrderTable, Words};
use crate::names;
use crate::range::{Chance, Drawn, spell};
use tumbler_plan::plan::Offset;
use tumbler_plan::{Deployed, Order, Stream, StreamName};
use tumbler_types::event::OrderKind;
use tumbler_types::{Build, Format, Instant, NodeId, SecretId, Span, Topology};

/// What entries are checked against.
pub(crate) struct Context<'a> {
    pub topology: &'a Topology,
    pub epsilon: Span,
    /// Whether the scenario says that it breaks ε.
    pub epsilon_broken: bool,
    pub heal_at: Span,
    pub end_at: Span,
}

/// Offsets of some nodes' wall clocks from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockEntry {
    nodes: Vec<NodeId>,
    offset: Drawn<i64>,
}

impl ClockEntry {
    pub fn parse(context: &Context, table: &ClockTable) -> Result<Self, Mistake> {
        let nodes = names::candidates("node", context.topology, &table.node)?;
        Ok(ClockEntry { nodes, offset: offset(context, &table.offset)? })
    }

    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The largest offset, either way.
    pub fn offset_max(&self) -> Span {
        furthest(&self.offset)
    }

    /// The offset of one node, from that node's own stream.
    pub fn draw(&self, seed: u64, node: NodeId) -> Offset {
        let mut stream = Stream::new(seed, StreamName::Clocks, (u32::from(node.0), 0), 0);
        Offset { node, nanos: self.offset.draw(&mut stream) }
    }
}

/// What some nodes begin as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuildEntry {
    nodes: Vec<NodeId>,
    builds: Vec<Build>,
}

impl BuildEntry {
    /// `floor` is the scenario's: a build below it would take no part.
    pub fn parse(context: &Context, floor: Format, table: &BuildTable) -> Result<Self, Mistake> {
        let nodes = names::candidates("node", context.topology, &table.node)?;
        let builds = names::builds(&table.build)?;
        if let Some(old) = builds.iter().find(|build| build.highest() < floor) {
            let problem = format!("{} does not speak the floor", old.name());
            let remedy = "lower `floor`, or begin with a later build";
            return Err(Mistake::new(table.build.span.clone(), problem, remedy)
                .expected(format!("a build that speaks format {}", floor.0))
                .got(format!("{}, which ends at format {}", old.name(), old.highest().0)));
        }
        Ok(BuildEntry { nodes, builds })
    }

    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The build of one node, from that node's own stream.
    pub fn draw(&self, seed: u64, node: NodeId) -> Deployed {
        let mut stream = Stream::new(seed, StreamName::Builds, (u32::from(node.0), 0), 0);
        Deployed { node, build: *pick(&mut stream, &self.builds) }
    }
}

/// Something that the operator does, in some seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderEntry {
    chance: Chance,
    at: Drawn<Span>,
    secret: SecretId,
    orders: Vec<OrderKind>,
}

impl OrderEntry {
    pub fn parse(context: &Context, table: &OrderTable) -> Result<Self, Mistake> {
        let OrderTable { at: at_words, order, secret, chance } = table;
        let at = Drawn::<Span>::parse("at", at_words)?;
        let span = at_words.span.clone();
        if at.max >= context.end_at {
            return Err(Mistake::new(
                span,
                "the order comes after the end",
                "order earlier, or move `end_at`",
            )
            .expected(format!("a time before `end_at`, {}", spell(context.end_at)))
            .got(spell(at.max)));
        }
        if at.max > context.heal_at {
            let remedy = "order earlier, or move `heal_at` and `end_at`";
            return Err(Mistake::new(span, "the order comes after `heal_at`", remedy)
                .expected(format!("at most `heal_at`, {}, so that it can converge", spell(context.heal_at)))
                .got(spell(at.max)));
        }
        Ok(OrderEntry {
            chance: chance_of(chance.as_ref())?,
            at,
            secret: names::secret(context.topology, secret.as_ref())?,
            orders: names::orders(order)?,
        })
    }

    /// The highest floor that it may ask for.
    pub fn floor(&self) -> Option<Format> {
        self.orders.iter().filter_map(|order| order.floor()).max()
    }

    pub fn draw(&self, seed: u64, index: u32) -> Option<Order> {
        let mut stream = Stream::new(seed, StreamName::Orders, (index, 0), 0);
        let exists = self.chance.draw(&mut stream);
        let at = Instant::ZERO.plus(self.at.draw(&mut stream));
        let order = *pick(&mut stream, &self.orders);
        exists.then_some(Order { at, secret: self.secret, order })
    }
}

/// One of a list, in one draw.
pub(crate) fn pick<'t, T>(stream: &mut Stream, table: &'t [T]) -> &'t T {
    let index = usize::try_from(stream.below(table.len() as u64)).expect("below a length");
    table.get(index).expect("lists to draw from are not empty")
}

/// Always, if nothing is said.
pub(crate) fn chance_of(words: Option<&Words>) -> Result<Chance, Mistake> {
    match words.map(|words| (words.items.as_slice(), words)) {
        None => Ok(Chance::ALWAYS),
        Some(([word], _)) => Chance::parse(word),
        Some((_, words)) => Err(Mistake::new(words.span.clone(), "`chance` is no ratio", "write one ratio")
            .expected("one ratio, for example \"1/2\"")
            .got(words.items.len())),
    }
}

/// An offset within ε, unless the scenario breaks it.
pub(crate) fn offset(context: &Context, words: &Words) -> Result<Drawn<i64>, Mistake> {
    let drawn = Drawn::<i64>::parse("offset", words)?;
    let largest = furthest(&drawn);
    if largest > context.epsilon && !context.epsilon_broken {
        let remedy = "keep the offset within ε, or say `breaks = [\"clock-within-epsilon\"]`";
        return Err(Mistake::new(words.span.clone(), "`offset` is beyond ε", remedy)
            .expected(format!("at most {} either way", spell(context.epsilon)))
            .got(spell(largest)));
    }
    Ok(drawn)
}

/// How far from true time a drawn offset can be.
pub(crate) fn furthest(drawn: &Drawn<i64>) -> Span {
    Span(drawn.min.unsigned_abs().max(drawn.max.unsigned_abs()))
}
