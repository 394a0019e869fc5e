//! A scenario: a world, what is asked of it, what is done to it, and how a seed becomes a plan.
//!
//! Reading a file either gives a scenario all of whose plans are valid, or an error that shows the
//! place. Determinism: [`Scenario::plan`] is a pure function of the file and the seed, and draws from
//! the streams `Faults`, `Clocks` and `Orders` only.
//!
//! It deliberately reads no files, knows no roles, and decides no verdict.

use crate::ScenarioError;
use crate::entry::{BuildEntry, ClockEntry, Context, OrderEntry};
use crate::error::{Mistake, of_toml};
use crate::fault::FaultEntry;
use crate::file::{LatencyTable, OTHER_SCHEMA, SCHEMA, ScenarioFile, SwarmTable, TimingTable, Words};
use crate::incident::Incident;
use crate::names;
use crate::range::{Drawn, spell};
use crate::topology::{lag_of, orphan_of, topology_of};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use tumbler_plan::plan::{Lag, Offset};
use tumbler_plan::swarm::Swarm;
use tumbler_plan::{Deployed, Digest, Fault, Network, Order, Plan, Store, Stream, StreamName};
use tumbler_types::{
    Assumption, Bounds, Build, Enforcement, FaultId, FaultKind, Format, Instant, NodeId, RoleKind, Span,
    Timing, Topology, Verdict,
};

/// A scenario, checked. With a seed it is a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    name: String,
    about: String,
    expect: Verdict,
    breaks: Vec<Assumption>,
    incident: Option<Incident>,
    digest: Digest,
    topology: Topology,
    timing: Timing,
    bounds: Bounds,
    network: Network,
    store: Store,
    canaries: u16,
    heal_at: Instant,
    end_at: Instant,
    floor: Format,
    builds: Vec<BuildEntry>,
    /// How late copies are visible at a replica.
    lag: Option<Drawn<Span>>,
    clocks: Vec<ClockEntry>,
    orders: Vec<OrderEntry>,
    faults: Vec<FaultEntry>,
    swarm: Option<Swarm>,
}

impl Scenario {
    /// Reads a scenario file. `file_name` is only shown.
    pub fn parse(file_name: &str, text: &str) -> Result<Scenario, ScenarioError> {
        let read: Result<ScenarioFile, _> = toml::from_str(text);
        read.map_err(|error| of_toml(&error))
            .and_then(|file| Scenario::check(&file, Digest::of(text.as_bytes())))
            .map_err(|mistake| mistake.at(file_name, text).into())
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// One sentence: what this scenario teaches.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The verdict that each of its runs is expected to have.
    pub fn expect(&self) -> Verdict {
        self.expect
    }

    /// Assumptions that it breaks on purpose, in rising order.
    pub fn breaks(&self) -> &[Assumption] {
        &self.breaks
    }

    /// The published incident that it retells, if any.
    pub fn incident(&self) -> Option<&Incident> {
        self.incident.as_ref()
    }

    /// Digest of the file's text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The plan of a seed. Pure: equal files and seeds give equal plans.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        Plan {
            schema: Plan::SCHEMA,
            scenario: self.name.clone(),
            seed,
            topology: self.topology.clone(),
            timing: self.timing.clone(),
            bounds: self.bounds.clone(),
            network: self.network,
            store: self.store,
            canaries: self.canaries,
            heal_at: self.heal_at,
            end_at: self.end_at,
            builds: self.draw_builds(seed),
            floor: self.floor,
            lags: self.draw_lags(seed),
            entities: Vec::new(),
            offsets: self.draw_offsets(seed),
            orders: self.draw_orders(seed),
            faults: self.draw_faults(seed),
            planted: None,
            breaks: self.breaks.clone(),
        }
    }

    /// By node; a later entry stands for the nodes that it names. The default build is left out.
    fn draw_builds(&self, seed: u64) -> Vec<Deployed> {
        let mut builds: BTreeMap<NodeId, Deployed> = BTreeMap::new();
        for entry in &self.builds {
            builds.extend(entry.nodes().iter().map(|node| (*node, entry.draw(seed, *node))));
        }
        builds.into_values().filter(|deployed| deployed.build != Build::default()).collect()
    }

    /// One for each replica, for the whole run.
    fn draw_lags(&self, seed: u64) -> Vec<Lag> {
        let Some(lag) = &self.lag else { return Vec::new() };
        let draw = |node: NodeId| {
            let mut stream = Stream::new(seed, StreamName::Lags, (u32::from(node.0), 0), 0);
            Lag { node, span: lag.draw(&mut stream) }
        };
        self.topology.of_kind(RoleKind::Replica).map(draw).filter(|lag| lag.span > Span::ZERO).collect()
    }

    /// By node; a later entry stands for the nodes that it names.
    fn draw_offsets(&self, seed: u64) -> Vec<Offset> {
        let mut offsets: BTreeMap<NodeId, Offset> = BTreeMap::new();
        for clock in &self.clocks {
            offsets.extend(clock.nodes().iter().map(|node| (*node, clock.draw(seed, *node))));
        }
        offsets.into_values().filter(|offset| offset.nanos != 0).collect()
    }

    /// In the order of their times; equal times keep the order of the file.
    fn draw_orders(&self, seed: u64) -> Vec<Order> {
        let mut orders: Vec<Order> =
            self.orders.iter().zip(0..).filter_map(|(entry, index)| entry.draw(seed, index)).collect();
        orders.sort_by_key(|order| order.at);
        orders
    }

    /// The file's own faults, then the swarm's. An entry's fault has the same id in every seed.
    fn draw_faults(&self, seed: u64) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut id = FaultId(0);
        for (entry, index) in self.faults.iter().zip(0..) {
            let drawn = entry.draw(seed, index);
            faults.extend(drawn.map(|(trigger, action)| Fault { id, trigger, action }));
            id = id.next();
        }
        if let Some(swarm) = &self.swarm {
            faults.extend(swarm.draw(seed, &self.topology, &self.timing, id));
        }
        faults
    }

    fn check(file: &ScenarioFile, digest: Digest) -> Result<Scenario, Mistake> {
        if *file.schema.get_ref() != SCHEMA {
            return Err(Mistake::new(file.schema.span(), "unknown `schema`", OTHER_SCHEMA)
                .expected(SCHEMA.to_string())
                .got(file.schema.get_ref()));
        }
        let name = name_of(&file.name)?;
        let about = about_of(&file.about)?;
        let topology = topology_of(&file.topology, file.bounds.outage.as_ref())?;
        let timing = timing_of(&file.timing)?;
        let bounds = Bounds {
            undelivered: single("undelivered", &file.bounds.undelivered)?,
            served: single("served", &file.bounds.served)?,
            refused: single("refused", &file.bounds.refused)?,
            rollback: single("rollback", &file.bounds.rollback)?,
            converge: single("converge", &file.bounds.converge)?,
            orphan: orphan_of(&file.topology, &topology, file.bounds.orphan.as_ref())?,
        };
        let lag = lag_of(file.topology.get_ref(), &timing)?;
        let heal_at = single("heal_at", &file.heal_at)?;
        let end_at = single("end_at", &file.end_at)?;
        let end_min = heal_at.plus(bounds.converge).plus(END_SLACK);
        if end_at < heal_at {
            return Err(Mistake::new(
                file.heal_at.span.clone(),
                "the heal comes after the end",
                "heal earlier",
            )
            .expected(format!("a time before `end_at`, {}", spell(end_at)))
            .got(spell(heal_at)));
        }
        if end_at < end_min {
            let remedy = "end later, heal earlier, or claim a smaller `converge`";
            return Err(Mistake::new(
                file.end_at.span.clone(),
                "`end_at` leaves no time to converge",
                remedy,
            )
            .expected(format!("at least heal_at + converge + {} = {}", spell(END_SLACK), spell(end_min)))
            .got(spell(end_at)));
        }
        let breaks = breaks_of(&file.breaks)?;
        let epsilon_broken = breaks.contains(&Assumption::ClockWithinEpsilon);
        let context =
            Context { topology: &topology, epsilon: timing.epsilon, epsilon_broken, heal_at, end_at };
        let floor = floor_of(file.floor.as_ref())?;
        let builds: Vec<BuildEntry> = file
            .build
            .iter()
            .map(|table| BuildEntry::parse(&context, floor, table))
            .collect::<Result<_, _>>()?;
        let clocks: Vec<ClockEntry> =
            file.clock.iter().map(|table| ClockEntry::parse(&context, table)).collect::<Result<_, _>>()?;
        let orders: Vec<OrderEntry> =
            file.order.iter().map(|table| OrderEntry::parse(&context, table)).collect::<Result<_, _>>()?;
        let faults: Vec<FaultEntry> =
            file.fault.iter().map(|table| FaultEntry::parse(&context, table)).collect::<Result<_, _>>()?;
        // What is below the last floor would never take part again: a swarm redeploys nothing as that.
        let floor_last = orders.iter().filter_map(OrderEntry::floor).fold(floor, Format::max);
        let swarm = file.swarm.as_ref().map(|table| swarm_of(table, heal_at, floor_last)).transpose()?;
        let drawn = file.swarm.as_ref().map(|table| &table.faults).zip(swarm.as_ref());
        breaks_something(&file.breaks, &clocks, &faults, drawn, timing.epsilon)?;
        let (network, store) = (latency("network", &file.network)?, latency("store", &file.store)?);
        let delays: Span = faults.iter().filter_map(FaultEntry::delay_max).fold(Span::ZERO, Span::plus);
        let delay_max = swarm.as_ref().map_or(delays, |swarm| delays.plus(swarm.delay_max(&timing)));
        lives_as_declared(file, &topology, &timing, delay_max.plus(network.max).plus(store.max))?;
        Ok(Scenario {
            name,
            about,
            expect: file.expect.as_ref().map_or(Ok(Verdict::Pass), names::verdict)?,
            breaks,
            incident: file.incident.as_ref().map(Incident::parse).transpose()?,
            digest,
            canaries: counted("canaries", &file.canaries, 0, topology.agents)?,
            network: Network { latency_min: network.min, latency_max: network.max },
            store: Store { latency_min: store.min, latency_max: store.max },
            heal_at: Instant::ZERO.plus(heal_at),
            end_at: Instant::ZERO.plus(end_at),
            topology,
            timing,
            bounds,
            floor,
            builds,
            lag,
            clocks,
            orders,
            faults,
            swarm,
        })
    }
}

/// A name that can stand on a command line and in a file name.
pub(crate) fn name_of(spanned: &Spanned<String>) -> Result<String, Mistake> {
    let name = spanned.get_ref();
    let fits = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-';
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(fits) || name.starts_with('-') {
        return Err(Mistake::new(spanned.span(), "`name` is no name", "choose a name like `zombie-rotator`")
            .expected(format!("1 to {NAME_MAX} of a-z, 0-9 and -, not beginning with -"))
            .got(name));
    }
    Ok(name.clone())
}

pub(crate) fn about_of(spanned: &Spanned<String>) -> Result<String, Mistake> {
    let about = spanned.get_ref().trim();
    if about.is_empty() || about.contains('\n') {
        return Err(Mistake::new(
            spanned.span(),
            "`about` says nothing",
            "say in one sentence what it teaches",
        )
        .expected("one line of text"));
    }
    Ok(about.to_owned())
}

fn timing_of(table: &TimingTable) -> Result<Timing, Mistake> {
    let or = |what: &str, words: &Option<Words>, default: Span| match words {
        None => Ok(default),
        Some(words) => single(what, words),
    };
    let default = Timing::default();
    let timing = Timing {
        epsilon: or("epsilon", &table.epsilon, default.epsilon)?,
        lease_ttl: or("lease_ttl", &table.lease_ttl, default.lease_ttl)?,
        grant_ttl: or("grant_ttl", &table.grant_ttl, default.grant_ttl)?,
        heartbeat: or("heartbeat", &table.heartbeat, default.heartbeat)?,
        poll: or("poll", &table.poll, default.poll)?,
        call_timeout: or("call_timeout", &table.call_timeout, default.call_timeout)?,
        visibility: or("visibility", &table.visibility, default.visibility)?,
        replication: or("replication", &table.replication, default.replication)?,
        rotation_period: or("rotation_period", &table.rotation_period, default.rotation_period)?,
        use_period: or("use_period", &table.use_period, default.use_period)?,
        actor_lifetime: or("actor_lifetime", &table.actor_lifetime, default.actor_lifetime)?,
    };
    // A period of zero would be an endless loop in no time.
    let periods = [
        ("lease_ttl", &table.lease_ttl, timing.lease_ttl),
        ("grant_ttl", &table.grant_ttl, timing.grant_ttl),
        ("heartbeat", &table.heartbeat, timing.heartbeat),
        ("poll", &table.poll, timing.poll),
        ("call_timeout", &table.call_timeout, timing.call_timeout),
        ("visibility", &table.visibility, timing.visibility),
        ("replication", &table.replication, timing.replication),
        ("use_period", &table.use_period, timing.use_period),
    ];
    for (what, words, span) in periods {
        if let (Some(words), true) = (words, span < PERIOD_MIN) {
            return Err(Mistake::new(
                words.span.clone(),
                format!("`{what}` is too short"),
                "write a longer one",
            )
            .expected(format!("at least {}", spell(PERIOD_MIN)))
            .got(spell(span)));
        }
    }
    Ok(timing)
}

fn swarm_of(table: &SwarmTable, heal_at: Span, floor: Format) -> Result<Swarm, Mistake> {
    let SwarmTable { faults, count, stability, window, roles } = table;
    let kinds = names::fault_kinds(faults)?;
    let drawn = Drawn::<u32>::parse("count", count)?;
    if drawn.max > SWARM_MAX {
        return Err(Mistake::new(count.span.clone(), "`count` is too large", "ask for fewer faults")
            .expected(format!("at most {SWARM_MAX}"))
            .got(drawn.max));
    }
    let stability_span = single("stability", stability)?;
    let window_span = match window {
        Some(words) => Drawn::<Span>::parse("window", words)?,
        None => Drawn { min: WINDOW_MIN.min(heal_at), max: heal_at },
    };
    let last = window_span.max.minus(stability_span);
    if window_span.max > heal_at || last <= window_span.min {
        let span = window.as_ref().map_or(stability.span.clone(), |words| words.span.clone());
        return Err(Mistake::new(span, "the swarm's window has no room", "widen `window`, or heal later")
            .expected(format!("a window longer than `stability`, ending by `heal_at`, {}", spell(heal_at)))
            .got(format!("{} to {}", spell(window_span.min), spell(window_span.max))));
    }
    let roles = match roles {
        Some(words) => names::roles(words)?,
        None => ROLES_HIT.to_vec(),
    };
    Ok(Swarm {
        kinds,
        count_min: drawn.min,
        count_max: drawn.max,
        stability: stability_span,
        from: Instant::ZERO.plus(window_span.min),
        until: Instant::ZERO.plus(window_span.max),
        roles,
        builds: Build::ALL.into_iter().filter(|build| build.highest() >= floor).collect(),
    })
}

/// What the current build speaks, if nothing is said.
fn floor_of(spanned: Option<&Spanned<i64>>) -> Result<Format, Mistake> {
    let Some(spanned) = spanned else { return Ok(Build::default().highest()) };
    let number = *spanned.get_ref();
    u8::try_from(number).ok().and_then(Format::from_number).ok_or_else(|| {
        Mistake::new(spanned.span(), "`floor` is no format", "name a format")
            .expected(format!("a number in {}..={}", Format::LOWEST.0, Format::HIGHEST.0))
            .got(number)
    })
}

/// Assumptions that a fault of this build can break.
fn breaks_of(words: &[Spanned<String>]) -> Result<Vec<Assumption>, Mistake> {
    let mut breaks = Vec::new();
    for word in words {
        let assumption = names::one("breaks", word, &BREAKABLE, Assumption::id)?;
        if breaks.contains(&assumption) {
            return Err(
                Mistake::new(word.span(), "`breaks` has a duplicate", "name it once").got(word.get_ref())
            );
        }
        breaks.push(assumption);
    }
    breaks.sort();
    Ok(breaks)
}

/// What the file leaves is said, and what is said is left: a word that would excuse, and is never
/// meant, hides what the file is about.
fn breaks_something(
    words: &[Spanned<String>],
    clocks: &[ClockEntry],
    faults: &[FaultEntry],
    swarm: Option<(&Words, &Swarm)>,
    epsilon: Span,
) -> Result<(), Mistake> {
    let base = clocks.iter().map(ClockEntry::offset_max).max().unwrap_or(Span::ZERO);
    let reached = faults.iter().filter_map(|fault| fault.offset_max(base));
    let largest = reached.max().unwrap_or(Span::ZERO).max(base);
    let mut left: Vec<(Assumption, Range<usize>)> =
        faults.iter().filter_map(|fault| Some((fault.leaves()?, fault.place()))).collect();
    for fault in faults.iter().filter(|fault| fault.offset_max(base).is_some_and(|off| off > epsilon)) {
        left.push((Assumption::ClockWithinEpsilon, fault.place()));
    }
    if let Some((words, swarm)) = swarm {
        let kinds = [
            (FaultKind::LyingSync, Assumption::FsyncHonest),
            (FaultKind::DiskRestore, Assumption::DisksKept),
        ];
        let drawn = kinds.into_iter().filter(|(kind, _)| swarm.kinds.contains(kind));
        left.extend(drawn.map(|(_, assumption)| (assumption, words.span.clone())));
    }
    let is_said = |assumption: &Assumption| words.iter().any(|word| word.get_ref() == assumption.id());
    if let Some((assumption, place)) = left.iter().find(|(assumption, _)| !is_said(assumption)) {
        let problem = format!("the fault leaves {}", assumption.id());
        let remedy = format!("weaken it, or say `breaks = [\"{}\"]`", assumption.id());
        return Err(Mistake::new(place.clone(), problem, remedy).expected("`breaks` to name what is left"));
    }
    let is_left = |id: &str| {
        let by_clocks = id == Assumption::ClockWithinEpsilon.id() && largest > epsilon;
        by_clocks || left.iter().any(|(assumption, _)| assumption.id() == id)
    };
    let Some(word) = words.iter().find(|word| !is_left(word.get_ref())) else { return Ok(()) };
    let problem = "`breaks` names an assumption that nothing here breaks";
    let mistake = |remedy: &str| Mistake::new(word.span(), problem, remedy);
    if word.get_ref() == Assumption::ClockWithinEpsilon.id() {
        return Err(mistake("remove it, or set a clock beyond ε")
            .expected(format!("a clock with an `offset` beyond {}", spell(epsilon)))
            .got(spell(largest)));
    }
    Err(mistake("remove it, or add the fault").expected("a fault that leaves it"))
}

/// Where the last write wins, holds and pauses that outlast the actor lifetime prove nothing: the one
/// thing that the target's protocol rests on would be missing. One call may meet all of them.
fn lives_as_declared(
    file: &ScenarioFile,
    topology: &Topology,
    timing: &Timing,
    delay_max: Span,
) -> Result<(), Mistake> {
    let lifetime = timing.actor_lifetime;
    if topology.adapter.enforcement == Enforcement::Fenced || delay_max <= lifetime {
        return Ok(());
    }
    let span = file.timing.actor_lifetime.as_ref().map_or(file.topology.span(), |words| words.span.clone());
    let remedy = "shorten the holds and pauses, or declare a longer `actor_lifetime`";
    Err(Mistake::new(span, "a call may outlive `actor_lifetime`", remedy)
        .expected(format!("holds, pauses and latencies of at most {} together", spell(lifetime)))
        .got(spell(delay_max)))
}

fn latency(what: &str, table: &LatencyTable) -> Result<Drawn<Span>, Mistake> {
    let drawn = Drawn::<Span>::parse("latency", &table.latency)?;
    if drawn.max > LATENCY_MAX {
        let problem = format!("the {what}'s `latency` is too long");
        return Err(Mistake::new(table.latency.span.clone(), problem, "write a shorter one")
            .expected(format!("at most {}", spell(LATENCY_MAX)))
            .got(spell(drawn.max)));
    }
    Ok(drawn)
}

/// A duration that is not drawn.
pub(crate) fn single(what: &str, words: &Words) -> Result<Span, Mistake> {
    let drawn = Drawn::<Span>::parse(what, words)?;
    if words.items.len() != 1 {
        return Err(Mistake::new(
            words.span.clone(),
            format!("`{what}` cannot be drawn"),
            "write one duration",
        )
        .expected("one duration")
        .got(format!("{} of them", words.items.len())));
    }
    Ok(drawn.min)
}

pub(crate) fn counted(what: &str, spanned: &Spanned<i64>, min: u16, max: u16) -> Result<u16, Mistake> {
    let number = *spanned.get_ref();
    u16::try_from(number).ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| {
        let span: Range<usize> = spanned.span();
        Mistake::new(span, format!("`{what}` is out of range"), "correct the number")
            .expected(format!("a whole number in {min}..={max}"))
            .got(number)
    })
}

/// Crashing the operator only takes orders away, and workloads keep nothing.
const ROLES_HIT: [RoleKind; 5] =
    [RoleKind::Authority, RoleKind::Rotator, RoleKind::Agent, RoleKind::Target, RoleKind::Replica];
/// No fault of this build leaves the others.
const BREAKABLE: [Assumption; 4] = [
    Assumption::ClockWithinEpsilon,
    Assumption::ClockRateTrue,
    Assumption::FsyncHonest,
    Assumption::DisksKept,
];
const NAME_MAX: usize = 40;
const SWARM_MAX: u32 = 200;
const END_SLACK: Span = Span::from_secs(5);
const WINDOW_MIN: Span = Span::from_secs(5);
const PERIOD_MIN: Span = Span::from_millis(1);
const LATENCY_MAX: Span = Span::from_secs(60);
