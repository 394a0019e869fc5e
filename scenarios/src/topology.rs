//! The nodes of a scenario's world, and what its target declares.

use crate::error::Mistake;
use crate::file::{TopologyTable, Words};
use crate::names;
use crate::range::{Drawn, spell};
use crate::scenario::{counted, single};
use toml::Spanned;
use tumbler_types::{Adapter, Enforcement, Principals, Span, Timing, Topology};

pub(crate) fn topology_of(
    spanned: &Spanned<TopologyTable>,
    outage: Option<&Words>,
) -> Result<Topology, Mistake> {
    let TopologyTable { rotators, agents, replicas, workloads, secrets, .. } = spanned.get_ref();
    Ok(Topology {
        rotators: counted("rotators", rotators, 1, ROLE_MAX)?,
        agents: counted("agents", agents, 1, ROLE_MAX)?,
        replicas: counted("replicas", replicas, 0, ROLE_MAX)?,
        workloads: counted("workloads", workloads, 0, ROLE_MAX)?,
        secrets: counted("secrets", secrets, 1, ROLE_MAX)?,
        adapter: adapter_of(spanned.get_ref(), outage)?,
    })
}

fn adapter_of(table: &TopologyTable, outage: Option<&Words>) -> Result<Adapter, Mistake> {
    let TopologyTable { enforcement, principals, minted_by, .. } = table;
    let said = enforcement.as_ref().map(names::enforcement).transpose()?;
    let by_target = match minted_by {
        None => false,
        Some(word) => names::one("minted_by", word, &[false, true], minter)?,
    };
    if by_target {
        if let (Some(word), Some(Enforcement::Fenced)) = (enforcement, said) {
            return Err(Mistake::new(word.span(), "minted keys know no fences", "remove `enforcement`")
                .expected("last-write-wins, or nothing")
                .got(word.get_ref()));
        }
        if let Some(count) = principals {
            return Err(Mistake::new(count.span(), "minted keys are two at most", "remove `principals`")
                .expected("no `principals` beside `minted_by = \"target\"`")
                .got(count.get_ref()));
        }
        no_outage(outage)?;
        return Ok(Adapter { enforcement: Enforcement::LastWriteWins, principals: Principals::Keys });
    }
    let principals = principals_of(principals.as_ref(), outage)?;
    if let (Some(word), Principals::One { .. }) = (enforcement, principals) {
        return Err(Mistake::new(word.span(), "one principal needs fences", "remove `enforcement`")
            .expected("fences, where each version ends the last one")
            .got(word.get_ref()));
    }
    Ok(Adapter { enforcement: said.unwrap_or_default(), principals })
}

const fn minter(by_target: bool) -> &'static str {
    if by_target { "target" } else { "rotator" }
}

/// One principal comes with a declared outage, and only one does.
fn principals_of(count: Option<&Spanned<i64>>, outage: Option<&Words>) -> Result<Principals, Mistake> {
    let number = count.map(|spanned| counted("principals", spanned, 1, 2)).transpose()?;
    match (number, count, outage) {
        (Some(1), _, Some(words)) => Ok(Principals::One { outage: single("outage", words)? }),
        (Some(1), Some(spanned), None) => {
            let remedy = "say in [bounds] how long holders may be refused, for example `outage = \"8s\"`";
            Err(Mistake::new(spanned.span(), "one principal without an `outage`", remedy)
                .expected("a bound on the window in which nobody is served"))
        }
        _ => no_outage(outage).map(|()| Principals::Two),
    }
}

fn no_outage(outage: Option<&Words>) -> Result<(), Mistake> {
    match outage {
        None => Ok(()),
        Some(words) => Err(Mistake::new(words.span.clone(), "`outage` has no meaning here", "remove it")
            .expected("`outage` beside `principals = 1`")),
    }
}

/// How long a key may be on no record: said where keys are minted, and only there.
pub(crate) fn orphan_of(
    spanned: &Spanned<TopologyTable>,
    topology: &Topology,
    orphan: Option<&Words>,
) -> Result<Span, Mistake> {
    match (topology.adapter.is_minting(), orphan) {
        (true, Some(words)) => single("orphan", words),
        (false, None) => Ok(Span::ZERO),
        (true, None) => {
            let word = spanned.get_ref().minted_by.as_ref();
            let remedy = "say in [bounds] how long a key may be on no record, for example `orphan = \"30s\"`";
            let span = word.map_or(spanned.span(), Spanned::span);
            Err(Mistake::new(span, "minted keys without a bound on orphans", remedy)
                .expected("`orphan` beside `minted_by = \"target\"`"))
        }
        (false, Some(words)) => {
            Err(Mistake::new(words.span.clone(), "`orphan` has no meaning here", "remove it")
                .expected("`orphan` beside `minted_by = \"target\"`"))
        }
    }
}

/// A copy must be visible well before its replica closes itself.
pub(crate) fn lag_of(table: &TopologyTable, timing: &Timing) -> Result<Option<Drawn<Span>>, Mistake> {
    let Some(words) = &table.lag else { return Ok(None) };
    let drawn = Drawn::<Span>::parse("lag", words)?;
    let longest = timing.visibility.minus(timing.replication.times(2));
    if drawn.max > longest {
        let remedy = "shorten it, or declare a longer `visibility`";
        return Err(Mistake::new(
            words.span.clone(),
            "with this `lag` a replica is always out of touch",
            remedy,
        )
        .expected(format!("at most {}, `visibility` without two periods of `replication`", spell(longest)))
        .got(spell(drawn.max)));
    }
    if *table.replicas.get_ref() == 0 {
        return Err(Mistake::new(words.span.clone(), "`lag` without replicas", "add replicas, or remove it")
            .expected("a replica that lags"));
    }
    Ok(Some(drawn))
}

const ROLE_MAX: u16 = 64;
