//! Names as scenario files spell them: nodes, groups of nodes, frames, phases, roles, verdicts.
//!
//! Nodes are `agent-1`, counted from 1 as stories count them; a role's name stands for all of its
//! nodes; `all` for every node; secrets count from 1 too. It deliberately guesses nothing: a name
//! that is not known is refused with the list of those that are.

use crate::error::Mistake;
use crate::file::{Word, Words};
use toml::Spanned;
use tumbler_types::event::{FrameKind, OrderKind};
use tumbler_types::{
    Build, Enforcement, FaultKind, NodeId, Phase, RoleKind, SecretId, Step, Topology, Verdict,
};

/// The nodes that a name stands for: one, a role's, or all.
pub(crate) fn nodes(topology: &Topology, word: &Word) -> Result<Vec<NodeId>, Mistake> {
    if word.text == "all" {
        return Ok(topology.nodes().collect());
    }
    if let Some(role) = RoleKind::ALL.into_iter().find(|role| role.name() == word.text) {
        let nodes: Vec<NodeId> = topology.of_kind(role).collect();
        if nodes.is_empty() {
            let remedy = "raise its number under [topology], or leave it out";
            return Err(Mistake::new(word.span.clone(), format!("there is no {} here", role.name()), remedy)
                .expected("a role that this topology has")
                .got(&word.text));
        }
        return Ok(nodes);
    }
    topology.by_name(&word.text).map(|node| vec![node]).ok_or_else(|| {
        let names: Vec<String> = topology.nodes().take(NAMES_SHOWN).map(|node| topology.name(node)).collect();
        let more = if usize::from(topology.node_count()) > NAMES_SHOWN { ", …" } else { "" };
        Mistake::new(word.span.clone(), "unknown node", "name a node of [topology]; they count from 1")
            .expected(format!("{}{more}; or a role; or `all`", names.join(", ")))
            .got(&word.text)
    })
}

/// A list of nodes to draw one from: not empty, no node twice.
pub(crate) fn candidates(what: &str, topology: &Topology, words: &Words) -> Result<Vec<NodeId>, Mistake> {
    let mut all = Vec::new();
    for word in &words.items {
        for node in nodes(topology, word)? {
            if all.contains(&node) {
                let remedy = "name it once";
                return Err(Mistake::new(word.span.clone(), format!("`{what}` names a node twice"), remedy)
                    .expected("each node at most once")
                    .got(topology.name(node)));
            }
            all.push(node);
        }
    }
    if all.is_empty() {
        return Err(Mistake::new(words.span.clone(), format!("`{what}` is empty"), "name at least one node")
            .expected("at least one node")
            .got("[]"));
    }
    Ok(all)
}

pub(crate) fn secret(topology: &Topology, spanned: Option<&Spanned<i64>>) -> Result<SecretId, Mistake> {
    let Some(spanned) = spanned else { return Ok(SecretId(0)) };
    let number = *spanned.get_ref();
    u16::try_from(number)
        .ok()
        .filter(|number| (1..=topology.secrets).contains(number))
        .map(|number| SecretId(number - 1))
        .ok_or_else(|| {
            Mistake::new(spanned.span(), "unknown secret", "name a secret of [topology]; they count from 1")
                .expected(format!("a number in 1..={}", topology.secrets))
                .got(number)
        })
}

/// All words, each found in a table of names; at least one, none twice.
fn known<T: Copy + PartialEq>(
    what: &str,
    words: &Words,
    table: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Vec<T>, Mistake> {
    let mut all = Vec::new();
    for word in &words.items {
        let found = table.iter().copied().find(|each| name(*each) == word.text).ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|each| name(*each)).collect();
            Mistake::new(word.span.clone(), format!("unknown `{what}`"), "take one of the expected names")
                .expected(names.join(", "))
                .got(&word.text)
        })?;
        if all.contains(&found) {
            return Err(Mistake::new(word.span.clone(), format!("`{what}` has a duplicate"), "name it once")
                .expected("each name at most once")
                .got(&word.text));
        }
        all.push(found);
    }
    if all.is_empty() {
        return Err(Mistake::new(words.span.clone(), format!("`{what}` is empty"), "name at least one")
            .expected("at least one name")
            .got("[]"));
    }
    Ok(all)
}

pub(crate) fn frames(what: &str, words: &Words) -> Result<Vec<FrameKind>, Mistake> {
    let table: Vec<FrameKind> =
        FrameKind::ALL.iter().copied().filter(|kind| *kind != FrameKind::Garbage).collect();
    known(what, words, &table, FrameKind::name)
}

pub(crate) fn orders(words: &Words) -> Result<Vec<OrderKind>, Mistake> {
    known("order", words, OrderKind::ALL, OrderKind::name)
}

pub(crate) fn builds(words: &Words) -> Result<Vec<Build>, Mistake> {
    known("build", words, &Build::ALL, Build::name)
}

pub(crate) fn phases(words: &Words) -> Result<Vec<Phase>, Mistake> {
    known("entered", words, &Phase::ALL, Phase::name)
}

pub(crate) fn steps(words: &Words) -> Result<Vec<Step>, Mistake> {
    known("step", words, &Step::ALL, Step::name)
}

pub(crate) fn roles(words: &Words) -> Result<Vec<RoleKind>, Mistake> {
    known("roles", words, &RoleKind::ALL, RoleKind::name)
}

pub(crate) fn fault_kinds(words: &Words) -> Result<Vec<FaultKind>, Mistake> {
    known("faults", words, &FaultKind::ALL, FaultKind::name)
}

pub(crate) fn fault_kind(spanned: &Spanned<String>) -> Result<FaultKind, Mistake> {
    one("kind", spanned, &FaultKind::ALL, FaultKind::name)
}

pub(crate) fn verdict(spanned: &Spanned<String>) -> Result<Verdict, Mistake> {
    one("expect", spanned, &Verdict::ALL, Verdict::name)
}

pub(crate) fn enforcement(spanned: &Spanned<String>) -> Result<Enforcement, Mistake> {
    one("enforcement", spanned, &Enforcement::ALL, Enforcement::name)
}

/// One word in a table of names.
pub(crate) fn one<T: Copy + PartialEq>(
    what: &str,
    spanned: &Spanned<String>,
    table: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Mistake> {
    let word = Word { span: spanned.span(), text: spanned.get_ref().clone() };
    let words = Words { span: spanned.span(), items: vec![word] };
    known(what, &words, table, name).map(|found| found[0])
}

const NAMES_SHOWN: usize = 16;
