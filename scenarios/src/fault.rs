//! One `[[fault]]` of a scenario file: a disturbance with parts that a seed draws.
//!
//! A fault begins at a time, or at the `nth` occurrence of a point; what stands ends after a while,
//! or at another point. Everything that could be meant in two ways is refused: a key that a kind of
//! fault does not have, two points, a message fault without a message.
//!
//! It deliberately executes nothing: a drawn entry is a line of the plan.

use crate::entry::{Context, chance_of, furthest, offset, pick};
use crate::error::Mistake;
use crate::file::{FaultTable, PointTable, UntilTable, Words};
use crate::harm::Harm;
use crate::link::Link;
use crate::names;
use crate::needs::{fitting_point, needs_point};
use crate::range::{Chance, Drawn, spell};
use crate::spot::{Spot, nth};
use std::ops::Range;
use toml::Spanned;
use tumbler_plan::{FaultAction, Stream, StreamName, Trigger, Until};
use tumbler_types::{Assumption, Build, FaultKind, Instant, NodeId, Span};

/// A disturbance, in some seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultEntry {
    chance: Chance,
    when: When,
    deed: Deed,
    lasting: Option<Lasting>,
    place: Range<usize>,
}

/// When an entry's fault begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    At(Drawn<Span>),
    On { spot: Spot, nth: Drawn<u32>, after: Drawn<Span> },
}

/// What is done. No victims: to the node where the point is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    Partition { sides: Sides },
    Crash { victims: Vec<NodeId> },
    Pause { victims: Vec<NodeId> },
    ClockStep { victims: Vec<NodeId>, offset: Drawn<i64> },
    Hold,
    LoseReply,
    LoseRequest,
    FailPersist,
    Duplicate,
    Redeploy { victims: Vec<NodeId>, builds: Vec<Build> },
    Strip,
    Suspend { victims: Vec<NodeId> },
    Harm { victims: Vec<NodeId>, harm: Harm },
    Link { sides: Sides, harm: Link },
    Reset { sides: Sides },
}

/// Two groups without a common node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sides {
    left: Vec<NodeId>,
    right: Vec<NodeId>,
    symmetric: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lasting {
    After(Drawn<Span>),
    /// What a file does not say takes no draw, so that one more key moved nothing.
    On {
        spot: Spot,
        nth: Option<Drawn<u32>>,
        at_most: Drawn<Span>,
    },
}

impl FaultEntry {
    pub fn parse(context: &Context, spanned: &Spanned<FaultTable>) -> Result<Self, Mistake> {
        let table = spanned.get_ref();
        let kind = names::fault_kind(&table.kind)?;
        let when = when(context, table, kind, spanned.span())?;
        let deed = deed(context, table, kind, &when)?;
        let lasting = lasting(context, table, kind)?;
        let place = table.kind.span();
        Ok(FaultEntry { chance: chance_of(table.chance.as_ref())?, when, deed, lasting, place })
    }

    /// The longest time by which it can put off a call; none if it puts nothing off.
    pub fn delay_max(&self) -> Option<Span> {
        let beyond = match &self.deed {
            Deed::Hold | Deed::Pause { .. } | Deed::Suspend { .. } => Span::ZERO,
            Deed::Harm { harm, .. } => harm.delay_max()?,
            Deed::Link { harm, .. } => return harm.delay_max(),
            Deed::Partition { .. }
            | Deed::Crash { .. }
            | Deed::ClockStep { .. }
            | Deed::LoseReply
            | Deed::LoseRequest
            | Deed::FailPersist
            | Deed::Duplicate
            | Deed::Redeploy { .. }
            | Deed::Strip
            | Deed::Reset { .. } => return None,
        };
        self.longest().map(|longest| longest.plus(beyond))
    }

    /// The longest that it stands; none if it happens at once.
    fn longest(&self) -> Option<Span> {
        match self.lasting.as_ref()? {
            Lasting::After(span) => Some(span.max),
            Lasting::On { at_most, .. } => Some(at_most.max),
        }
    }

    /// The furthest that it takes a wall clock from true time, either way, if it touches one; `base` is
    /// how far the clocks are off from the start.
    pub fn offset_max(&self, base: Span) -> Option<Span> {
        match &self.deed {
            Deed::ClockStep { offset, .. } => Some(furthest(offset)),
            Deed::Harm { harm, .. } => harm.offset_max(base, self.longest()?),
            _ => None,
        }
    }

    /// An assumption that it leaves, whatever the clocks are.
    pub fn leaves(&self) -> Option<Assumption> {
        match &self.deed {
            Deed::Harm { harm, .. } => harm.leaves(),
            _ => None,
        }
    }

    /// Where its kind is said.
    pub fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub fn draw(&self, seed: u64, index: u32) -> Option<(Trigger, FaultAction)> {
        let mut stream = Stream::new(seed, StreamName::Faults, (index, 0), ENTRIES);
        let exists = self.chance.draw(&mut stream);
        let (trigger, here) = match &self.when {
            When::At(at) => (Trigger::At(Instant::ZERO.plus(at.draw(&mut stream))), None),
            When::On { spot, nth, after } => {
                let pattern = spot.draw(&mut stream);
                let (nth, after) = (nth.draw(&mut stream), Instant::ZERO.plus(after.draw(&mut stream)));
                (Trigger::On { pattern, nth, after }, pattern.node)
            }
        };
        let victim = match &self.deed {
            Deed::Crash { victims }
            | Deed::Pause { victims }
            | Deed::ClockStep { victims, .. }
            | Deed::Redeploy { victims, .. }
            | Deed::Harm { victims, .. }
                if !victims.is_empty() =>
            {
                Some(*pick(&mut stream, victims))
            }
            _ => here,
        };
        let until = match &self.lasting {
            None => Until::After(Span::ZERO),
            Some(Lasting::After(span)) => Until::After(span.draw(&mut stream)),
            Some(Lasting::On { spot, nth, at_most }) => {
                let (pattern, at_most) = (spot.draw(&mut stream), at_most.draw(&mut stream));
                Until::On { pattern, nth: nth.map_or(1, |nth| nth.draw(&mut stream)), at_most }
            }
        };
        let node = || victim.expect("a fault that hits a node was refused without one");
        let action = match &self.deed {
            Deed::Partition { sides } => {
                let Sides { left, right, symmetric } = sides.clone();
                FaultAction::Partition { left, right, symmetric, until }
            }
            Deed::Link { sides, harm } => {
                let Sides { left, right, symmetric } = sides.clone();
                FaultAction::Link { left, right, symmetric, harm: harm.draw(&mut stream), until }
            }
            Deed::Reset { sides } => {
                FaultAction::Reset { left: sides.left.clone(), right: sides.right.clone() }
            }
            Deed::Crash { .. } => FaultAction::Crash { node: node(), until },
            Deed::Pause { .. } => FaultAction::Pause { node: node(), until },
            Deed::ClockStep { offset, .. } => {
                FaultAction::ClockStep { node: node(), offset_nanos: offset.draw(&mut stream), until }
            }
            Deed::Hold => FaultAction::Hold { until },
            Deed::LoseReply => FaultAction::LoseReply,
            Deed::LoseRequest => FaultAction::LoseRequest,
            Deed::FailPersist => FaultAction::FailPersist,
            Deed::Duplicate => FaultAction::Duplicate,
            Deed::Redeploy { builds, .. } => {
                FaultAction::Redeploy { node: node(), build: *pick(&mut stream, builds), until }
            }
            Deed::Strip => FaultAction::Strip,
            // All of them at once, or the node where the point is.
            Deed::Suspend { victims } if victims.is_empty() => {
                FaultAction::Suspend { nodes: vec![node()], until }
            }
            Deed::Suspend { victims } => FaultAction::Suspend { nodes: victims.clone(), until },
            Deed::Harm { harm, .. } => harm.draw(&mut stream, node(), until),
        };
        exists.then_some((trigger, action))
    }
}

/// The trigger: `at`, or exactly one point.
fn when(context: &Context, table: &FaultTable, kind: FaultKind, span: Range<usize>) -> Result<When, Mistake> {
    let point = PointTable {
        sending: table.sending.clone(),
        handled: table.handled.clone(),
        sent: table.sent.clone(),
        replying: table.replying.clone(),
        entered: table.entered.clone(),
        point: table.point.clone(),
        secret: table.secret.clone(),
        node: table.node.clone(),
        peer: table.peer.clone(),
        step: table.step.clone(),
        by: table.by.clone(),
        nth: None,
    };
    let has_point =
        [&point.sending, &point.sent, &point.handled, &point.replying, &point.entered, &point.point]
            .iter()
            .any(|words| words.is_some());
    if let Some(words) = &table.at {
        let extra = [
            &table.sending,
            &table.sent,
            &table.handled,
            &table.replying,
            &table.entered,
            &table.point,
            &table.nth,
        ]
        .into_iter()
        .chain([&table.after, &table.peer, &table.step, &table.by])
        .flatten()
        .next();
        if let Some(extra) = extra {
            return Err(Mistake::new(
                extra.span.clone(),
                "a fault with `at` also waits for a point",
                "keep one",
            )
            .expected("`at`, or one point with `nth` and `after`"));
        }
        let at = Drawn::<Span>::parse("at", words)?;
        begins_in_time(context, "at", words, at.max)?;
        if let Some(secret) = &table.secret {
            return Err(Mistake::new(
                secret.span(),
                "`secret` has no meaning here",
                "remove it, or use `entered`",
            )
            .expected("`secret` beside `entered`"));
        }
        needs_point(kind, &table.kind)?;
        return Ok(When::At(at));
    }
    if !has_point {
        let remedy = "say when it begins";
        return Err(Mistake::new(table.kind.span(), "the fault never begins", remedy)
            .expected("`at`, or one of `sending`, `sent`, `handled`, `replying`, `entered`, `point`"));
    }
    let spot = Spot::parse(context, &point, span)?;
    fitting_point(kind, &table.kind, &spot.points)?;
    let nth = nth(table.nth.as_ref())?;
    let after = match &table.after {
        None => Drawn::fixed(Span::ZERO),
        Some(words) => {
            let after = Drawn::<Span>::parse("after", words)?;
            begins_in_time(context, "after", words, after.max)?;
            after
        }
    };
    Ok(When::On { spot, nth, after })
}

fn begins_in_time(context: &Context, what: &str, words: &Words, latest: Span) -> Result<(), Mistake> {
    if latest < context.heal_at {
        return Ok(());
    }
    let problem = format!("`{what}` is not before `heal_at`");
    Err(Mistake::new(words.span.clone(), problem, "begin the fault earlier, or move `heal_at`")
        .expected(format!("a time before {}", spell(context.heal_at)))
        .got(spell(latest)))
}

fn deed(context: &Context, table: &FaultTable, kind: FaultKind, when: &When) -> Result<Deed, Mistake> {
    let sides = [("left", &table.left), ("right", &table.right)];
    let link = Link::parse(table, kind)?;
    if matches!(kind, FaultKind::HalfOpen | FaultKind::Reset) && table.symmetric.is_some() {
        return Err(misplaced("symmetric", table.kind.span(), kind));
    }
    if link.is_none() && !matches!(kind, FaultKind::Partition | FaultKind::Reset) {
        if let Some((what, words)) = sides.iter().find_map(|(what, words)| Some((what, words.as_ref()?))) {
            return Err(misplaced(what, words.span.clone(), kind));
        }
        if table.symmetric.is_some() {
            return Err(misplaced("symmetric", table.kind.span(), kind));
        }
    }
    let has_offset = matches!(kind, FaultKind::ClockStep | FaultKind::ClockStrobe);
    if let (Some(words), false) = (&table.offset, has_offset) {
        return Err(misplaced("offset", words.span.clone(), kind));
    }
    if let (Some(words), true) = (&table.build, kind != FaultKind::Redeploy) {
        return Err(misplaced("build", words.span.clone(), kind));
    }
    let harm = Harm::parse(context, table, kind)?;
    let hits = harm.is_some()
        || matches!(
            kind,
            FaultKind::Crash
                | FaultKind::Pause
                | FaultKind::ClockStep
                | FaultKind::Redeploy
                | FaultKind::Suspend
        );
    // Its write is where its node is.
    let hits_elsewhere = hits && kind != FaultKind::TornWrite;
    if let (Some(words), false) = (&table.victim, hits_elsewhere) {
        return Err(misplaced("victim", words.span.clone(), kind));
    }
    let somewhere = matches!(when, When::On { spot, .. } if !spot.nodes.is_empty());
    if let (Some(words), false) = (&table.node, hits || somewhere) {
        return Err(misplaced("node", words.span.clone(), kind));
    }
    if let Some(harm) = link {
        let sides = sides_of(context, table)?;
        let symmetric = sides.symmetric && harm != Link::HalfOpen;
        return Ok(Deed::Link { sides: Sides { symmetric, ..sides }, harm });
    }
    if let Some(harm) = harm {
        return Ok(Deed::Harm { victims: victims(context, table, when)?, harm });
    }
    match kind {
        FaultKind::Partition => Ok(Deed::Partition { sides: sides_of(context, table)? }),
        FaultKind::Reset => Ok(Deed::Reset { sides: sides_of(context, table)? }),
        FaultKind::Crash => Ok(Deed::Crash { victims: victims(context, table, when)? }),
        FaultKind::Pause => Ok(Deed::Pause { victims: victims(context, table, when)? }),
        FaultKind::ClockStep => {
            let words = table.offset.as_ref().ok_or_else(|| absent("offset", table, "where it steps to"))?;
            let victims = victims(context, table, when)?;
            Ok(Deed::ClockStep { victims, offset: offset(context, words)? })
        }
        FaultKind::Hold => Ok(Deed::Hold),
        FaultKind::LoseReply => Ok(Deed::LoseReply),
        FaultKind::LoseRequest => Ok(Deed::LoseRequest),
        FaultKind::FailPersist => Ok(Deed::FailPersist),
        FaultKind::Duplicate => Ok(Deed::Duplicate),
        FaultKind::Redeploy => {
            let words = table.build.as_ref().ok_or_else(|| absent("build", table, "what it restarts as"))?;
            Ok(Deed::Redeploy { victims: victims(context, table, when)?, builds: names::builds(words)? })
        }
        FaultKind::Strip => Ok(Deed::Strip),
        FaultKind::Suspend => Ok(Deed::Suspend { victims: victims(context, table, when)? }),
        FaultKind::TornWrite
        | FaultKind::DiskFull
        | FaultKind::DiskStall
        | FaultKind::DiskReorder
        | FaultKind::BitRot
        | FaultKind::LyingSync
        | FaultKind::DiskRestore
        | FaultKind::ClockDrift
        | FaultKind::ClockFreeze
        | FaultKind::ClockStrobe
        | FaultKind::Slow
        | FaultKind::CrashLoop
        | FaultKind::Reconfigure
        | FaultKind::SlowLink
        | FaultKind::LossyLink
        | FaultKind::Corrupt
        | FaultKind::NarrowLink
        | FaultKind::HalfOpen => unreachable!("its harm was read above"),
    }
}

/// `victim`, or else `node`; at a point that names its node none is needed.
fn victims(context: &Context, table: &FaultTable, when: &When) -> Result<Vec<NodeId>, Mistake> {
    if let Some(words) = &table.victim {
        return names::candidates("victim", context.topology, words);
    }
    match (when, &table.node) {
        (When::On { spot, .. }, _) if !spot.nodes.is_empty() => Ok(Vec::new()),
        (_, Some(words)) => names::candidates("node", context.topology, words),
        (_, None) => Err(absent("node", table, "whom it hits (`victim`, if that is another node)")),
    }
}

fn sides_of(context: &Context, table: &FaultTable) -> Result<Sides, Mistake> {
    let left_words = table.left.as_ref().ok_or_else(|| absent("left", table, "one group"))?;
    let right_words = table.right.as_ref().ok_or_else(|| absent("right", table, "the other group"))?;
    let left = names::candidates("left", context.topology, left_words)?;
    let right = match right_words.items.as_slice() {
        [word] if word.text == "rest" => {
            context.topology.nodes().filter(|node| !left.contains(node)).collect()
        }
        _ => names::candidates("right", context.topology, right_words)?,
    };
    if let Some(both) = left.iter().find(|node| right.contains(node)) {
        return Err(Mistake::new(right_words.span.clone(), "a node is on both sides", "name it on one side")
            .expected("two groups without a common node")
            .got(context.topology.name(*both)));
    }
    if right.is_empty() {
        return Err(Mistake::new(
            right_words.span.clone(),
            "`right` is empty",
            "leave somebody on that side",
        )
        .expected("at least one node"));
    }
    Ok(Sides { left, right, symmetric: table.symmetric.unwrap_or(true) })
}

fn lasting(context: &Context, table: &FaultTable, kind: FaultKind) -> Result<Option<Lasting>, Mistake> {
    let stands = kind.stands();
    match (&table.lasts, &table.until) {
        (Some(words), _) if !stands => Err(misplaced("lasts", words.span.clone(), kind)),
        (None, Some(until)) if !stands => Err(misplaced("until", until.span(), kind)),
        (None, None) if !stands => Ok(None),
        (Some(_), Some(until)) => {
            Err(Mistake::new(until.span(), "the fault ends twice", "keep `lasts` or `until`")
                .expected("`lasts = \"5s\"`, or `until = { on = { … }, at_most = \"60s\" }`"))
        }
        (Some(words), None) => {
            let span = Drawn::<Span>::parse("lasts", words)?;
            ends_later("lasts", words, span.min)?;
            Ok(Some(Lasting::After(span)))
        }
        (None, Some(until)) => {
            let UntilTable { on, at_most } = until.get_ref();
            let spot = Spot::parse(context, on.get_ref(), on.span())?;
            let nth = on.get_ref().nth.as_ref().map(|words| nth(Some(words))).transpose()?;
            let span = Drawn::<Span>::parse("at_most", at_most)?;
            ends_later("at_most", at_most, span.min)?;
            Ok(Some(Lasting::On { spot, nth, at_most: span }))
        }
        (None, None) => Err(absent("lasts", table, "how long it stands (or `until`)")),
    }
}

/// A fault that ends when it begins is none.
fn ends_later(what: &str, words: &Words, shortest: Span) -> Result<(), Mistake> {
    if shortest > Span::ZERO {
        return Ok(());
    }
    let problem = "the fault ends when it begins";
    Err(Mistake::new(words.span.clone(), problem, format!("write a longer `{what}`"))
        .expected("more than no time")
        .got(spell(shortest)))
}

pub(crate) fn misplaced(what: &str, span: Range<usize>, kind: FaultKind) -> Mistake {
    Mistake::new(span, format!("a {} has no `{what}`", kind.name()), "remove the key, or change `kind`")
}

pub(crate) fn absent(what: &str, table: &FaultTable, why: &str) -> Mistake {
    let kind = table.kind.get_ref();
    Mistake::new(table.kind.span(), format!("a {kind} needs `{what}`"), format!("add `{what}`: {why}"))
}

/// Keeps the streams of entries apart from the swarm's, in the key's last word.
const ENTRIES: u32 = 1;
