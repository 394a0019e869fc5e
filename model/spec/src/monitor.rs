//! Judge two: follows a run through the spec, and stops at the first step that the spec forbids.
//!
//! Every durable write, external effect and acknowledgement is observed, so that there is exactly
//! one abstract state: the ledger, and the effects that were made necessary and not yet fenced off.
//! An event maps to one step of the spec, or to a stutter: an entry that took no effect, a refusal,
//! a recovery of exactly what was durable.
//!
//! It deliberately ignores what the spec leaves open: when things happen, and who asks.
//!
//! Source: trace validation of TLA+ specifications (Cirstea, Kuppe, Loillier, Merz, 2024), with a frontier of one.

use crate::invariant::Why;
use crate::judgement::Divergence;
use crate::ledger::{Holder, Ledger, Report, Slice, Stored};
use crate::rule::{Effect, Rules};
use crate::view::{self, RecordView};
use tumbler_types::event::Refusal;
use tumbler_types::{Enforcement, Event, Instant, NodeId, Observed, Phase, Principal, SecretId, Tag};

/// Follows one run.
#[derive(Clone, Debug)]
pub struct Monitor {
    rules: Rules,
    /// Per secret: every effect that some record made necessary and that is not fenced off.
    issued: Vec<Vec<Effect>>,
    divergence: Option<Divergence>,
    rests: bool,
}

impl Monitor {
    pub fn new(rules: Rules, secrets: usize) -> Self {
        Monitor { rules, issued: vec![Vec::new(); secrets], divergence: None, rests: false }
    }

    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    pub fn into_divergence(self) -> Option<Divergence> {
        self.divergence
    }

    /// Follows nothing from here on.
    pub fn rest(&mut self) {
        self.rests = true;
    }

    /// It would say something of the next event.
    pub fn follows(&self) -> bool {
        self.divergence.is_none() && !self.rests
    }

    /// Compares what a node believes with what is true.
    pub fn look(&mut self, ledger: &Ledger, (seq, at, node): (u64, Instant, NodeId), view: &RecordView) {
        let Some(slice) = ledger.slice(view.secret).filter(|_| self.follows()) else { return };
        if let Err(why) = view::agrees(slice, view) {
            self.divergence = Some(Divergence {
                seq,
                at,
                node,
                secret: view.secret,
                phase: slice.phase,
                why: format!("its record is not the one that its log gives at {}: {why}", view.index),
                allowed: self.allowed(slice, at),
            });
        }
    }

    /// Checks the step against the ledger *before* it.
    pub fn observe(&mut self, before: &Ledger, observed: &Observed) {
        if !self.follows() {
            return;
        }
        if let Some((secret, Err(why))) = self.step(before, observed) {
            self.diverge(before, observed, secret, why);
        }
    }

    /// Notes what the record now makes necessary. Called after an effective entry.
    pub fn follow(&mut self, after: &Ledger, secret: SecretId) {
        let Some(effect) = after.slice(secret).and_then(|slice| self.rules.effect(slice)) else { return };
        if let Some(issued) = self.issued.get_mut(usize::from(secret.0))
            && issued.last() != Some(&effect)
        {
            issued.push(effect);
        }
    }

    fn step(&mut self, before: &Ledger, observed: &Observed) -> Option<(SecretId, Result<(), Why>)> {
        let node = observed.node;
        match observed.event {
            Event::Committed { index, at, secret, expected, command } => {
                let next = before.length.next();
                if index != next {
                    return Some((secret, Err(Why(format!("expected entry {next}, got {index}")))));
                }
                let stutter = before.slice(secret).is_some_and(|slice| slice.revision != expected);
                (!stutter).then(|| (secret, self.rules.allow_command(before, secret, at, &command)))
            }
            Event::LogRecovered { length } => {
                let same = length == before.length;
                Some((
                    SecretId(0),
                    same_or(same, || format!("expected {} entries, got {length}", before.length)),
                ))
            }
            Event::Answered { index } => {
                let known = index <= before.length;
                Some((
                    SecretId(0),
                    same_or(known, || format!("expected at most {}, got {index}", before.length)),
                ))
            }
            Event::Enforced { secret, fence, principal, value } => {
                let slice = before.slice(secret)?;
                let issued = self.issued.get_mut(usize::from(secret.0))?;
                let effect = Effect { fence, principal, value };
                let allowed = self.rules.allow_enforce(slice, issued, effect, observed.at);
                if self.rules.adapter.enforcement == Enforcement::Fenced {
                    issued.retain(|each| each.fence > fence);
                }
                Some((secret, allowed))
            }
            Event::Promised { secret, fence } => {
                Some((secret, self.rules.allow_promise(before.slice(secret)?, fence)))
            }
            Event::TargetRecovered { secret, fence, blue, green } => {
                let slice = before.slice(secret)?;
                let same = slice.revision.0 == 0 || (fence == slice.fence && [blue, green] == slice.accepted);
                Some((
                    secret,
                    same_or(same, || "expected the durable rows to be recovered, got others".to_owned()),
                ))
            }
            Event::Mirrored { secret, blue, green } => {
                let slice = before.slice(secret)?;
                let known = [blue, green].iter().all(|tag| is_known(slice, *tag));
                Some((
                    secret,
                    same_or(known, || "a copy holds a value that the primary never had".to_owned()),
                ))
            }
            Event::Authenticated { secret, principal, value } => {
                let slice = before.slice(secret)?;
                Some((secret, authenticates(before, slice, observed, principal, value)))
            }
            Event::Refused { secret, principal, value, reason } => {
                let slice = before.slice(secret)?;
                let wrong = reason == Refusal::WrongValue
                    && node == before.target()
                    && slice.accepted[principal.index()] == value
                    && !value.is_none();
                Some((secret, same_or(!wrong, || format!("the primary holds {value} and refused it"))))
            }
            Event::Stored { secret, version, serial, until } => {
                let (slice, holder) = held(before, secret, observed)?;
                Some((secret, self.rules.allow_store(slice, holder, Stored { version, serial, until })))
            }
            Event::AgentRecovered { secret, version, serial } => {
                let (_, holder) = held(before, secret, observed)?;
                Some((secret, self.rules.allow_report(holder, Report { version, serial })))
            }
            Event::Acknowledged { secret, version, serial } => {
                let (_, holder) = held(before, secret, observed)?;
                Some((secret, self.rules.allow_report(holder, Report { version, serial })))
            }
            Event::HandedOut { secret, version, value, to: _ } => {
                let (slice, holder) = held(before, secret, observed)?;
                Some((secret, self.rules.allow_hand_out(slice, holder, version, value)))
            }
            // Stutters: a request that got nothing, an order that the log will tell of, mechanics.
            _ => None,
        }
    }

    #[cold]
    fn diverge(&mut self, before: &Ledger, observed: &Observed, secret: SecretId, why: Why) {
        let phase = before.slice(secret).map_or(Phase::Idle, |slice| slice.phase);
        let allowed = before.slice(secret).map_or(Vec::new(), |slice| self.allowed(slice, observed.at));
        self.divergence = Some(Divergence {
            seq: observed.seq,
            at: observed.at,
            node: observed.node,
            secret,
            phase,
            why: format!("{} fits no step of the spec: {why}", observed.event.kind()),
            allowed,
        });
    }

    /// Names of the steps that the spec allows, as far as the rotation itself is concerned.
    fn allowed(&self, slice: &Slice, now: Instant) -> Vec<String> {
        let mut names = Vec::new();
        let at = tumbler_types::Wall::at(now, 0);
        for to in Phase::ALL {
            if self.rules.allow_edge(slice, at, slice.phase, to).is_ok() {
                names.push(format!("Advance {} → {}", slice.phase.name(), to.name()));
            }
        }
        if slice.return_version().is_some_and(|version| !slice.is_revoked(version)) {
            names.push("RollBack".to_owned());
        }
        if slice.phase == Phase::Idle && slice.is_due() {
            names.push("Begin".to_owned());
        }
        if let Some(effect) = self.rules.effect(slice) {
            names.push(format!("{:?} at the target", effect.fence.step));
        }
        for (ordinal, _) in slice.holders.iter().enumerate() {
            if let Some(version) = self.rules.should_hold(slice, ordinal)
                && !slice.is_revoked(version)
            {
                names.push(format!("Grant {version} to agent-{}", ordinal + 1));
            }
        }
        names
    }
}

fn held<'a>(before: &'a Ledger, secret: SecretId, observed: &Observed) -> Option<(&'a Slice, &'a Holder)> {
    Some((before.slice(secret)?, before.holder(secret, observed.node)?))
}

fn same_or(condition: bool, why: impl FnOnce() -> String) -> Result<(), Why> {
    if condition { Ok(()) } else { Err(Why(why())) }
}

fn is_known(slice: &Slice, value: Tag) -> bool {
    value.is_none() || slice.is_known(value)
}

/// The primary authenticates from its durable rows; a replica from a copy of some earlier ones.
fn authenticates(
    before: &Ledger,
    slice: &Slice,
    observed: &Observed,
    principal: Principal,
    value: Tag,
) -> Result<(), Why> {
    if observed.node == before.target() {
        let accepted = slice.accepted[principal.index()];
        same_or(accepted == value && !value.is_none(), || {
            format!("the primary accepts {accepted}, not {value}")
        })
    } else {
        let of_version = slice.version_of(value).map(|version| version.principal == principal);
        let known = of_version.unwrap_or_else(|| slice.minted.contains(&value));
        same_or(known, || format!("no version of {principal:?} ever had the value {value}"))
    }
}
