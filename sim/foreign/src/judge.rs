//! The judge: what the world saw, against what must hold while a secret is rotated.
//!
//! A client authenticates between any two events, a comparer looks at privileges and transport when
//! a version becomes current, a listener reads each wire without TLS and each log, and at the end it
//! is asked whether rotations still close without a person.
//!
//! What it deliberately does not do: believe the function. That it returned, raised or logged is no
//! evidence of anything.

use crate::sql::{Means, Server};
use crate::store::{CURRENT, PREVIOUS, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::{Instant, Invariant, Span, Verdict};

/// What a run came to, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Fine,
    /// An invocation failed, and a later one did its work.
    Retried,
    /// The client was refused for so long, within what one principal is declared to cost.
    Window(Span),
    /// No rotation succeeded any more without a person.
    Wedged,
    /// A credential is accepted that is on no record.
    Orphan,
    /// The client was refused for so long, or when no rotation was under way.
    Outage(Span),
    /// The current label went back to a version that had been replaced.
    StalePromoted,
    /// The new version may do less or more, or may connect with less.
    PrivilegeLost,
    /// A secret on a wire without TLS, or in the log.
    SecretInClear,
    /// The function did what nothing can be made of.
    Broke,
}

impl Outcome {
    pub const fn verdict(self) -> (Verdict, Option<Invariant>) {
        match self {
            Outcome::Fine | Outcome::Retried | Outcome::Window(_) => (Verdict::Pass, None),
            Outcome::Wedged => (Verdict::Stalled, Some(Invariant::Converges)),
            Outcome::Orphan => (Verdict::Violated, Some(Invariant::OrphanFree)),
            Outcome::Outage(_) => (Verdict::Violated, Some(Invariant::HolderServed)),
            Outcome::StalePromoted => (Verdict::Violated, Some(Invariant::TransitionsLegal)),
            Outcome::PrivilegeLost => (Verdict::Violated, Some(Invariant::PrivilegePreserved)),
            Outcome::SecretInClear => (Verdict::Violated, Some(Invariant::NoDowngrade)),
            Outcome::Broke => (Verdict::Crashed, None),
        }
    }

    /// What it is, in a legend.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Fine => "fine",
            Outcome::Retried => "retried",
            Outcome::Window(_) => "outage within the declared window",
            Outcome::Wedged => "wedged",
            Outcome::Orphan => "orphan",
            Outcome::Outage(_) => "outage",
            Outcome::StalePromoted => "stale version promoted",
            Outcome::PrivilegeLost => "privilege lost",
            Outcome::SecretInClear => "secret in clear",
            Outcome::Broke => "function broke",
        }
    }

    /// What must hold, in the words of those who run a rotation function.
    pub const fn holds(self) -> &'static str {
        match self {
            Outcome::Fine | Outcome::Retried | Outcome::Window(_) | Outcome::Broke => "nothing",
            Outcome::Wedged => "after a rotation that failed, a later one closes without a person",
            Outcome::Orphan => "every login is on record, as that of the current or the previous version",
            Outcome::Outage(_) => "a client that reads the current version is let in, at any time",
            Outcome::StalePromoted => "a version that was replaced does not become current again",
            Outcome::PrivilegeLost => {
                "the user of the current version may do, and must connect, as the one before"
            }
            Outcome::SecretInClear => "no secret is on a wire without TLS, in the log, or in an exception",
        }
    }

    /// What to change in the function.
    pub const fn advice(self) -> &'static str {
        match self {
            Outcome::Fine | Outcome::Retried | Outcome::Window(_) => "nothing",
            Outcome::Wedged => {
                "each step must succeed again with the same token: read the pending version first, and put a \
                 value only if there is none; set a password that is stored, and accept one that is set already"
            }
            Outcome::Orphan => {
                "name users so that the next rotation finds them, or drop what is no longer on record"
            }
            Outcome::Outage(_) => {
                "set only what is stored as pending, and commit it; let test log in as pending, and raise when \
                 setting or testing fails, so that the label is not moved; with two users that take turns the \
                 client is never refused"
            }
            Outcome::StalePromoted => {
                "begin each step by checking that the token is still the pending one, and let finish name in \
                 RemoveFromVersionId the version that it read at its start, never one that it looked up to please \
                 the call"
            }
            Outcome::PrivilegeLost => {
                "copy roles, grants and TLS requirements on every set, also when the user exists already: an \
                 earlier attempt may have ended between creating it and granting"
            }
            Outcome::SecretInClear => {
                "never fall back to a connection without TLS, and log no secret; raise, and the step is retried"
            }
            Outcome::Broke => "see the message",
        }
    }

    /// In the order of gravity, durations apart.
    pub const fn rank(self) -> u8 {
        match self {
            Outcome::Fine => 0,
            Outcome::Retried => 1,
            Outcome::Window(_) => 2,
            Outcome::Wedged => 3,
            Outcome::Orphan => 4,
            Outcome::Outage(_) => 5,
            Outcome::StalePromoted => 6,
            Outcome::PrivilegeLost => 7,
            Outcome::SecretInClear => 8,
            Outcome::Broke => 9,
        }
    }
}

/// One thing that the judge found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub outcome: Outcome,
    pub seq: u64,
    pub at: Instant,
    /// Fit to be shown: it holds no secret.
    pub why: String,
}

/// How often an antecedent was met, and how often after a strike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    pub count: u64,
    pub under_fault: u64,
}

/// Since when the client is refused.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    since: Instant,
    seq: u64,
    /// Where nothing was under way any more that would have ended it.
    outlived: Option<u64>,
}

/// Whether the declared window is there for an outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excuse {
    /// A rotation was under way, or was to be begun again.
    Rotating,
    None,
}

/// The judge of one run.
#[derive(Clone, Debug)]
pub struct Judge {
    secret: String,
    base: Means,
    /// Longest that a client may be refused while a rotation is under way, if one principal has one
    /// password at a time.
    window: Span,
    users: BTreeSet<String>,
    highest: usize,
    shown: Option<String>,
    refused: Option<Refusal>,
    worst_outage: Option<(Finding, Excuse)>,
    findings: Vec<Finding>,
    pub met: BTreeMap<Invariant, Met>,
    pub under_fault: bool,
}

/// User name and password in a secret's value.
pub fn credential(value: &str) -> Option<(String, String)> {
    let value: Value = serde_json::from_str(value).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("username")?, text("password")?))
}

impl Judge {
    pub fn new(secret: &str, base: Means, window: Span) -> Judge {
        Judge {
            secret: secret.to_owned(),
            base,
            window,
            users: BTreeSet::new(),
            highest: 0,
            shown: None,
            refused: None,
            worst_outage: None,
            findings: Vec::new(),
            met: BTreeMap::new(),
            under_fault: false,
        }
    }

    /// Looks at the world after an event.
    pub fn observe(&mut self, now: Instant, seq: u64, store: &Store, server: &Server) {
        let secret = store.secret(&self.secret);
        let token = secret.labeled(CURRENT).expect("current is moved and never removed").to_owned();
        let held = secret.value(&token).and_then(credential);
        self.meet(Invariant::HolderServed);
        let is_served = held.as_ref().is_some_and(|(user, password)| server.accepts(now, user, password));
        self.serve(now, seq, is_served);
        if self.shown.as_deref() != Some(token.as_str()) {
            self.shown = Some(token.clone());
            self.meet(Invariant::TransitionsLegal);
            let ordinal = secret.ordinal(&token).expect("a labeled version is in the order");
            if ordinal < self.highest {
                let why = format!(
                    "version {} became current again, after version {} had replaced it",
                    ordinal + 1,
                    self.highest + 1
                );
                self.find(Outcome::StalePromoted, now, seq, why);
            }
            self.highest = self.highest.max(ordinal);
            if let Some((user, _)) = &held {
                self.users.insert(user.clone());
            }
        }
        if let (Some((user, _)), true) = (held, is_served) {
            self.compare(now, seq, &user, &server.means(&user));
        }
    }

    fn serve(&mut self, now: Instant, seq: u64, is_served: bool) {
        match (is_served, self.refused) {
            (false, None) => self.refused = Some(Refusal { since: now, seq, outlived: None }),
            (true, Some(refusal)) => {
                self.refused = None;
                self.outage(refusal, now, "");
            }
            (true, None) | (false, Some(_)) => {}
        }
    }

    /// Whether the client is refused, and was not yet when nothing was under way.
    pub fn is_newly_stranded(&self) -> bool {
        self.refused.is_some_and(|refusal| refusal.outlived.is_none())
    }

    /// Nothing is under way, or to be begun again: a refusal that lasts is excused no longer.
    pub fn strand(&mut self, seq: u64) {
        if let Some(refusal) = &mut self.refused {
            refusal.outlived.get_or_insert(seq);
        }
    }

    fn outage(&mut self, refusal: Refusal, now: Instant, tail: &str) {
        let Refusal { since, seq, outlived } = refusal;
        let lasted = now.since(since);
        let excuse = if outlived.is_some() { Excuse::None } else { Excuse::Rotating };
        let longer = self.worst_outage.as_ref().is_none_or(|(known, known_excuse)| match known.outcome {
            Outcome::Outage(known) => (*known_excuse, known) < (excuse, lasted),
            _ => true,
        });
        if !longer || lasted.is_zero() && outlived.is_none() {
            return;
        }
        let late = if outlived.is_some() { ", also when no rotation was under way" } else { "" };
        let seconds = (lasted.nanos() / 1_000_000_000).max(1);
        let why = format!("the current version was refused for {seconds} s{late}{tail}");
        let found =
            Finding { outcome: Outcome::Outage(lasted), seq: outlived.unwrap_or(seq), at: since, why };
        self.worst_outage = Some((found, excuse));
    }

    fn compare(&mut self, now: Instant, seq: u64, user: &str, means: &Means) {
        self.meet(Invariant::PrivilegePreserved);
        if *means == self.base {
            return;
        }
        let lost: Vec<&String> = self.base.privileges.difference(&means.privileges).collect();
        let more: Vec<&String> = means.privileges.difference(&self.base.privileges).collect();
        let mut parts = Vec::new();
        if !lost.is_empty() {
            parts.push(format!("it has lost {lost:?}"));
        }
        if !more.is_empty() {
            parts.push(format!("it has gained {more:?}"));
        }
        if means.tls != self.base.tls {
            let need = |tls: &str| if tls.is_empty() { "none".to_owned() } else { tls.to_owned() };
            parts.push(format!("it needs TLS `{}`, before `{}`", need(&means.tls), need(&self.base.tls)));
        }
        let why =
            format!("{user} is current and may not do what its predecessor could: {}", parts.join("; "));
        self.find(Outcome::PrivilegeLost, now, seq, why);
    }

    /// A statement or a log line that may hold a secret.
    pub fn listen(&mut self, now: Instant, seq: u64, is_clear: bool, what: &str) {
        self.meet(Invariant::NoDowngrade);
        if is_clear {
            self.find(Outcome::SecretInClear, now, seq, format!("a secret is {what}"));
        }
    }

    /// A rotation was ordered, and refused, or did not end.
    pub fn wedge(&mut self, now: Instant, seq: u64, why: &str) {
        self.find(Outcome::Wedged, now, seq, why.to_owned());
    }

    pub fn broke(&mut self, now: Instant, seq: u64, why: String) {
        self.find(Outcome::Broke, now, seq, why);
    }

    /// The end: open outages count to here, and every login must be on record.
    pub fn end(&mut self, now: Instant, seq: u64, store: &Store, server: &Server, known: &str) {
        if let Some(refusal) = self.refused.take() {
            self.outage(refusal, now, ", and still is at the end");
        }
        self.meet(Invariant::OrphanFree);
        let secret = store.secret(&self.secret);
        let on_record: BTreeSet<String> = [CURRENT, PREVIOUS]
            .iter()
            .filter_map(|label| secret.value(secret.labeled(label)?))
            .filter_map(credential)
            .map(|(user, _)| user)
            .collect();
        let logins = server.logins();
        let orphans: Vec<&str> =
            logins.into_iter().filter(|name| *name != known && !on_record.contains(*name)).collect();
        // With two users that take turns, the other one is on record as soon as it has had its turn.
        let spared = usize::from(self.users.len() <= 1);
        if orphans.len() > spared {
            self.find(Outcome::Orphan, now, seq, format!("{orphans:?} can log in and are on no record"));
        }
    }

    /// All that was found, the outage last.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        if let Some((mut outage, excuse)) = self.worst_outage.clone() {
            if let (Outcome::Outage(lasted), true, Excuse::Rotating) =
                (outage.outcome, self.is_single(), excuse)
                && lasted <= self.window
            {
                outage.outcome = Outcome::Window(lasted);
            }
            findings.push(outage);
        }
        findings
    }

    /// Whether one user has one password at a time, as far as was seen.
    pub fn is_single(&self) -> bool {
        self.users.len() <= 1
    }

    pub fn meet(&mut self, invariant: Invariant) {
        let met = self.met.entry(invariant).or_default();
        met.count += 1;
        met.under_fault += u64::from(self.under_fault);
    }

    /// Keeps the first of each kind and reason.
    fn find(&mut self, outcome: Outcome, at: Instant, seq: u64, why: String) {
        let is_known = |known: &Finding| known.outcome.rank() == outcome.rank() && known.why == why;
        if !self.findings.iter().any(is_known) {
            self.findings.push(Finding { outcome, seq, at, why });
        }
    }
}
