//! A point of a run that a fault waits for, as a file names it: what happens, where, with whom.
//!
//! It exists because a fault may begin at one and end at another, and both are read alike: "rotator-1 sends
//! the step `set` to target-1", "secret-0 has entered `idle` by rotator-2's command". It deliberately knows
//! no fault: whether one may begin there is said elsewhere.

use crate::entry::{Context, pick};
use crate::error::Mistake;
use crate::file::{PointTable, Word, Words};
use crate::names;
use crate::range::Drawn;
use std::ops::Range;
use tumbler_plan::{Pattern, Point, Stream};
use tumbler_types::event::FrameKind;
use tumbler_types::{NodeId, RoleKind, Step};

/// Some points, at some nodes, with some peers and steps (empty: any); one of each is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub points: Vec<Point>,
    pub nodes: Vec<NodeId>,
    pub peers: Vec<NodeId>,
    pub steps: Vec<Step>,
}

impl Spot {
    /// Exactly one class of points, and where.
    pub fn parse(context: &Context, table: &PointTable, span: Range<usize>) -> Result<Self, Mistake> {
        let points = points(context, table, span.clone())?;
        if points.is_empty() {
            return Err(Mistake::new(span, "no point is named", "name one").expected("at least one point"));
        }
        let nodes = match (&table.node, &table.entered) {
            // A phase is entered in the log, wherever the node of the fault is.
            (_, Some(_)) | (None, _) => Vec::new(),
            (Some(words), None) => names::candidates("node", context.topology, words)?,
        };
        Ok(Spot { peers: peers(context, table)?, steps: steps(table, &points)?, points, nodes })
    }

    /// Draws nothing for what the file does not say.
    pub fn draw(&self, stream: &mut Stream) -> Pattern {
        let point = *pick(stream, &self.points);
        let mut one = |nodes: &[NodeId]| (!nodes.is_empty()).then(|| *pick(stream, nodes));
        let (node, peer) = (one(&self.nodes), one(&self.peers));
        let step = (!self.steps.is_empty()).then(|| *pick(stream, &self.steps));
        Pattern { point, node, peer, step }
    }
}

/// How many times the point has to come.
pub(crate) fn nth(words: Option<&Words>) -> Result<Drawn<u32>, Mistake> {
    let Some(words) = words else { return Ok(Drawn::fixed(1)) };
    let nth = Drawn::<u32>::parse("nth", words)?;
    if nth.min == 0 {
        return Err(Mistake::new(words.span.clone(), "`nth` counts from 1", "write 1 for the next one")
            .expected("at least 1")
            .got(0));
    }
    Ok(nth)
}

fn points(context: &Context, table: &PointTable, span: Range<usize>) -> Result<Vec<Point>, Mistake> {
    let PointTable { sending, sent, handled, replying, entered, point, secret, .. } = table;
    let mut given = [sending, sent, handled, replying, entered, point].into_iter().flatten();
    let expected = "one of `sending`, `sent`, `handled`, `replying`, `entered`, `point`";
    if given.next().is_none() {
        return Err(Mistake::new(span, "no point is named", "name one").expected(expected));
    }
    if let Some(second) = given.next() {
        return Err(
            Mistake::new(second.span.clone(), "two points are named", "keep one of them").expected(expected)
        );
    }
    if let (Some(secret), None) = (secret, entered) {
        return Err(meaningless("secret", secret.span(), "`secret` beside `entered`"));
    }
    if let Some(words) = sending {
        Ok(names::frames("sending", words)?.into_iter().map(Point::Sending).collect())
    } else if let Some(words) = sent {
        Ok(names::frames("sent", words)?.into_iter().map(Point::Sent).collect())
    } else if let Some(words) = handled {
        Ok(names::frames("handled", words)?.into_iter().map(Point::Handled).collect())
    } else if let Some(words) = replying {
        Ok(names::frames("replying", words)?.into_iter().map(Point::Replying).collect())
    } else if let Some(words) = entered {
        let secret = names::secret(context.topology, secret.as_ref())?;
        Ok(names::phases(words)?.into_iter().map(|phase| Point::Entered { secret, phase }).collect())
    } else {
        let words = point.as_ref().expect("one of the six was given, and it is none of the others");
        words.items.iter().map(durable_point).collect()
    }
}

/// `peer` of a message, or `by` of a phase.
fn peers(context: &Context, table: &PointTable) -> Result<Vec<NodeId>, Mistake> {
    let is_message = [&table.sending, &table.sent, &table.handled, &table.replying]
        .into_iter()
        .any(|words| words.is_some());
    if let (Some(words), false) = (&table.peer, is_message) {
        let place = "`peer` beside `sending`, `sent`, `handled` or `replying`";
        return Err(meaningless("peer", words.span.clone(), place));
    }
    let Some(words) = &table.by else {
        return match &table.peer {
            Some(words) => names::candidates("peer", context.topology, words),
            None => Ok(Vec::new()),
        };
    };
    if table.entered.is_none() {
        return Err(meaningless("by", words.span.clone(), "`by` beside `entered`"));
    }
    let by = names::candidates("by", context.topology, words)?;
    let is_rotator =
        |node: &NodeId| context.topology.kind(*node).is_some_and(|(kind, _)| kind == RoleKind::Rotator);
    match by.iter().find(|node| !is_rotator(node)) {
        None => Ok(by),
        Some(other) => {
            let remedy = "name a rotator, or leave `by` out";
            Err(Mistake::new(words.span.clone(), "only a rotator moves a secret to a phase", remedy)
                .expected("a rotator")
                .got(context.topology.name(*other)))
        }
    }
}

/// `step` of a request that asks the target for one.
fn steps(table: &PointTable, points: &[Point]) -> Result<Vec<Step>, Mistake> {
    let Some(words) = &table.step else { return Ok(Vec::new()) };
    let has_step = |point: &Point| {
        let asks = |kind: &FrameKind| matches!(kind, FrameKind::ApplyRequest | FrameKind::MintRequest);
        matches!(point, Point::Sending(kind) | Point::Sent(kind) if asks(kind))
    };
    if !points.iter().all(has_step) {
        let place = "`step` beside `sending` or `sent` of apply-request or mint-request";
        return Err(meaningless("step", words.span.clone(), place));
    }
    names::steps(words)
}

fn meaningless(key: &str, span: Range<usize>, place: &str) -> Mistake {
    Mistake::new(span, format!("`{key}` has no meaning here"), "remove it, or change the point")
        .expected(place)
}

fn durable_point(word: &Word) -> Result<Point, Mistake> {
    match word.text.as_str() {
        "persist-begins" => Ok(Point::PersistBegins),
        "persist-done" => Ok(Point::PersistDone),
        "propose-begins" => Ok(Point::ProposeBegins),
        "propose-done" => Ok(Point::ProposeDone),
        _ => Err(Mistake::new(word.span.clone(), "unknown `point`", "take one of the expected names")
            .expected("persist-begins, persist-done, propose-begins, propose-done")
            .got(&word.text)),
    }
}
