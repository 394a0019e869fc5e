//! The swarm: which faults a seed gets, of which kinds, how strong and how long.
//!
//! It exists because one mix of everything hides what each fault alone would show: per seed only
//! some kinds exist at all, and each existing kind is short, middling or long in that seed.
//!
//! It deliberately runs nothing and reads no state: it draws a list of [`Fault`]s, whole, before the
//! run. Every fault begins in `from..until`; what still stands at the plan's `heal_at` ends there.
//!
//! Determinism: existence and strength of a kind, and each fault of a kind, have a stream of their
//! own, keyed by (kind, ordinal). A scenario that allows one more kind keeps the others' faults.
//!
//! Source: A. Groce and others, "Swarm testing" (ISSTA 2012); TigerBeetle's `options_swarm`.

mod table;

use self::table::{CUTS, HOLDABLE, LOSABLE_REPLIES, LOSABLE_REQUESTS, ROTATOR_REQUESTS, Side};
use crate::{
    ClockHarm, DiskHarm, Fault, FaultAction, LinkHarm, Pattern, Point, ProcessHarm, Share, Stream,
    StreamName, Trigger, Until,
};
use tumbler_types::event::FrameKind::{self, *};
use tumbler_types::{
    Build, FaultId, FaultKind, Instant, NodeId, Phase, RHO_PPM, RoleKind, SecretId, Span, Timing, Topology,
};

/// What a seed's faults are drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swarm {
    /// Kinds that may exist; each does in half of the seeds, at least one in every seed.
    pub kinds: Vec<FaultKind>,
    /// Number of faults, inclusive.
    pub count_min: u32,
    pub count_max: u32,
    /// Shortest time that a standing fault lasts.
    pub stability: Span,
    pub from: Instant,
    pub until: Instant,
    /// Whom crashes, pauses, clock steps and failed writes may hit.
    pub roles: Vec<RoleKind>,
    /// What nodes may be redeployed as.
    pub builds: Vec<Build>,
}

impl Swarm {
    /// The faults of a seed, named from `first` on. Pure.
    #[must_use]
    pub fn draw(&self, seed: u64, topology: &Topology, timing: &Timing, first: FaultId) -> Vec<Fault> {
        let drawn = self.disturbances(seed, topology, timing).into_iter();
        let ids = std::iter::successors(Some(first), |id| Some(id.next()));
        ids.zip(drawn).map(|(id, (trigger, action))| Fault { id, trigger, action }).collect()
    }

    /// The longest time by which all of a seed's faults together can put off one call.
    #[must_use]
    pub fn delay_max(&self, timing: &Timing) -> Span {
        if !self.kinds.iter().any(|kind| kind.puts_off()) {
            return Span::ZERO;
        }
        let longest = STRENGTHS.iter().copied().fold(self.stability, Span::max);
        longest.max(outlived(timing).times(6)).times(u64::from(self.count_max))
    }

    fn disturbances(&self, seed: u64, topology: &Topology, timing: &Timing) -> Vec<Disturbance> {
        let kinds = self.existing(seed);
        let mut slots = stream(seed, KIND_NONE, 0, Use::Slots);
        let spread = u64::from(self.count_max.saturating_sub(self.count_min));
        let count = u64::from(self.count_min) + slots.below(spread + 1);
        let mut ordinals = vec![0u32; kinds.len()];
        let mut faults = Vec::new();
        for _ in 0..count {
            let index = index_below(&mut slots, kinds.len());
            let Some(&kind) = kinds.get(index) else { continue };
            ordinals[index] += 1;
            let mut draw = Draw {
                swarm: self,
                topology,
                timing,
                longest: longest(seed, kind, self.stability),
                stream: stream(seed, kind as u32 + 1, ordinals[index], Use::Fault),
            };
            faults.extend(draw.fault(kind));
        }
        faults
    }

    /// The kinds that exist in a seed.
    fn existing(&self, seed: u64) -> Vec<FaultKind> {
        let exists = |kind: &FaultKind| stream(seed, *kind as u32 + 1, 0, Use::Exists).chance(1, 2);
        let mut kinds: Vec<FaultKind> = self.kinds.iter().copied().filter(exists).collect();
        if kinds.is_empty() {
            let index = index_below(&mut stream(seed, KIND_NONE, 0, Use::Exists), self.kinds.len());
            kinds.extend(self.kinds.get(index));
        }
        kinds
    }
}

/// A fault without its name.
type Disturbance = (Trigger, FaultAction);

/// Draws one fault from its own stream.
struct Draw<'a> {
    swarm: &'a Swarm,
    topology: &'a Topology,
    timing: &'a Timing,
    /// Longest duration of this kind in this seed.
    longest: Span,
    stream: Stream,
}

impl Draw<'_> {
    /// A fault of the kind; none if the topology has nobody whom it could hit.
    fn fault(&mut self, kind: FaultKind) -> Option<Disturbance> {
        match kind {
            FaultKind::Partition => self.partition(),
            FaultKind::Crash => self.crash(),
            FaultKind::Pause => self.pause(),
            FaultKind::Hold => self.hold(),
            FaultKind::LoseReply => self.loss(LOSABLE_REPLIES, FaultAction::LoseReply),
            FaultKind::LoseRequest => self.loss(LOSABLE_REQUESTS, FaultAction::LoseRequest),
            FaultKind::ClockStep => self.clock_step(),
            FaultKind::FailPersist => self.fail_persist(),
            FaultKind::Duplicate => self.duplicate(),
            FaultKind::Redeploy => self.redeploy(),
            FaultKind::Strip => self.strip(),
            FaultKind::Suspend => self.suspend(),
            FaultKind::TornWrite => self.torn_write(),
            FaultKind::DiskFull => self.disk(DiskHarm::Full),
            FaultKind::DiskStall => self.disk(DiskHarm::Stall),
            FaultKind::DiskReorder => self.disk(DiskHarm::Reorder),
            FaultKind::BitRot => self.disk(DiskHarm::Rot),
            FaultKind::LyingSync => self.disk(DiskHarm::Lie),
            FaultKind::DiskRestore => {
                let back = self.stream.span(self.swarm.stability, self.longest);
                self.disk(DiskHarm::Restore { back })
            }
            FaultKind::ClockDrift => self.clock_drift(),
            FaultKind::ClockFreeze => self.clock_freeze(),
            FaultKind::ClockStrobe => self.clock_strobe(),
            FaultKind::Slow => {
                let lag = self.stream.span(LAG_MIN, LAG_MAX);
                self.process(ProcessHarm::Slow { lag })
            }
            FaultKind::CrashLoop => {
                let up = self.stream.span(Span::from_millis(50), Span::from_secs(3));
                let down = self.stream.span(Span::from_millis(50), Span::from_secs(1));
                self.process(ProcessHarm::CrashLoop { up, down })
            }
            FaultKind::Reconfigure => {
                let period = self.stream.span(PERIOD_MIN, PERIOD_MAX);
                self.process(ProcessHarm::Reconfigure { period })
            }
            FaultKind::SlowLink => {
                let extra = self.stream.span(LAG_MIN, EXTRA_MAX);
                let share = self.share();
                self.link(LinkHarm::Slow { extra, share })
            }
            FaultKind::LossyLink => {
                let share = self.share();
                self.link(LinkHarm::Lossy { share })
            }
            FaultKind::Corrupt => {
                let share = self.share();
                self.link(LinkHarm::Corrupt { share })
            }
            FaultKind::NarrowLink => {
                let below = |stream: &mut Stream, limit| u32::try_from(stream.below(limit)).unwrap_or(0);
                let bytes_per_second = 500 + below(&mut self.stream, 5_000);
                let queue_bytes = 200 + below(&mut self.stream, 4_000);
                self.link(LinkHarm::Narrow { bytes_per_second, queue_bytes })
            }
            FaultKind::HalfOpen => self.link(LinkHarm::HalfOpen),
            FaultKind::Reset => {
                let (left, right, _) = self.sides()?;
                let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
                Some((trigger, FaultAction::Reset { left, right }))
            }
        }
    }

    /// Two groups of roles, whole roles or one node of them; one in three is one-way.
    fn partition(&mut self) -> Option<Disturbance> {
        let (left, right, symmetric) = self.sides()?;
        let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
        let until = self.lasting();
        Some((trigger, FaultAction::Partition { left, right, symmetric, until }))
    }

    /// Who is parted from whom, and whether both ways.
    fn sides(&mut self) -> Option<(Vec<NodeId>, Vec<NodeId>, bool)> {
        let &(left, right) = self.pick(CUTS)?;
        let left = self.side(left);
        let right = self.side(right);
        if left.is_empty() || right.is_empty() {
            return None;
        }
        let symmetric = self.stream.chance(2, 3);
        let (left, right) = if self.stream.chance(1, 2) { (left, right) } else { (right, left) };
        Some((left, right, symmetric))
    }

    /// Half-open goes one way: one side knows that the connection is gone.
    fn link(&mut self, harm: LinkHarm) -> Option<Disturbance> {
        let (left, right, symmetric) = self.sides()?;
        let symmetric = symmetric && harm != LinkHarm::HalfOpen;
        let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
        let until = self.lasting();
        Some((trigger, FaultAction::Link { left, right, symmetric, harm, until }))
    }

    fn share(&mut self) -> Share {
        let numerator = 1 + u32::try_from(self.stream.below(8)).expect("below 8");
        Share { numerator, denominator: 8 }
    }

    /// Two in three at a point where an effect begins or has just happened, the others at any time.
    fn crash(&mut self) -> Option<Disturbance> {
        let node = self.victim(&self.swarm.roles)?;
        let (role, _) = self.topology.kind(node)?;
        let trigger = match self.stream.below(6) {
            0 | 1 => self.at(),
            2 => self.entered(),
            _ => match self.pick(table::crash_points(role)) {
                None => self.at(),
                // The caller crashes just after its call was handled elsewhere.
                Some(&Point::Handled(frame)) if role == RoleKind::Rotator => {
                    self.on(Point::Handled(frame), None)
                }
                Some(&point) => self.on(point, Some(node)),
            },
        };
        let until = self.lasting();
        Some((trigger, FaultAction::Crash { node, until }))
    }

    /// Half of them make a zombie: a rotator that stops before a request, for longer than its lease.
    fn pause(&mut self) -> Option<Disturbance> {
        let zombie = self.stream.chance(1, 2) && self.swarm.roles.contains(&RoleKind::Rotator);
        if !zombie {
            let node = self.victim(&self.swarm.roles)?;
            let trigger = if self.stream.chance(1, 3) { self.entered() } else { self.at() };
            let until = self.lasting();
            return Some((trigger, FaultAction::Pause { node, until }));
        }
        let node = self.victim(&[RoleKind::Rotator])?;
        let frame = *self.pick(ROTATOR_REQUESTS)?;
        let trigger = self.on(Point::Sending(frame), Some(node));
        let until = self.past_succession();
        Some((trigger, FaultAction::Pause { node, until }))
    }

    /// Three in five hold a rotator's request beyond its successor's rotation.
    fn hold(&mut self) -> Option<Disturbance> {
        let (point, until) = if self.stream.chance(3, 5) {
            let frame = if self.stream.chance(2, 3) { ApplyRequest } else { *self.pick(ROTATOR_REQUESTS)? };
            (Point::Sending(frame), self.past_succession())
        } else {
            (*self.pick(HOLDABLE)?, self.lasting())
        };
        let trigger = self.on(point, None);
        Some((trigger, FaultAction::Hold { until }))
    }

    fn loss(&mut self, frames: &[FrameKind], action: FaultAction) -> Option<Disturbance> {
        let frame = *self.pick(frames)?;
        Some((self.on(Point::Sending(frame), None), action))
    }

    /// To any offset that the declared ε allows.
    fn clock_step(&mut self) -> Option<Disturbance> {
        let node = self.victim(&self.swarm.roles)?;
        let offset_nanos = offset(&mut self.stream, self.timing.epsilon);
        let trigger = self.at();
        let until = self.lasting();
        Some((trigger, FaultAction::ClockStep { node, offset_nanos, until }))
    }

    /// Half of them double a rotator's request, the others anything that can be held.
    fn duplicate(&mut self) -> Option<Disturbance> {
        let point = if self.stream.chance(1, 2) {
            Point::Sending(*self.pick(ROTATOR_REQUESTS)?)
        } else {
            *self.pick(HOLDABLE)?
        };
        Some((self.on(point, None), FaultAction::Duplicate))
    }

    /// As any build that may still take part, up or down; half of the time in the middle of a rotation.
    fn redeploy(&mut self) -> Option<Disturbance> {
        let node = self.victim(&self.swarm.roles)?;
        let build = *self.pick(&self.swarm.builds)?;
        let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
        let until = self.lasting();
        Some((trigger, FaultAction::Redeploy { node, build, until }))
    }

    /// A node, or all of its kind: a host that sleeps takes along whoever lives there.
    fn suspend(&mut self) -> Option<Disturbance> {
        let role = *self.pick(&self.swarm.roles)?;
        let all = self.stream.chance(1, 3);
        let nodes = if all { self.topology.of_kind(role).collect() } else { vec![self.victim(&[role])?] };
        let trigger = if self.stream.chance(1, 3) { self.entered() } else { self.at() };
        let until = if self.stream.chance(1, 2) { self.lasting() } else { self.past_succession() };
        (!nodes.is_empty()).then_some((trigger, FaultAction::Suspend { nodes, until }))
    }

    /// Half of them while a rotation is open, the others at any time.
    fn disk(&mut self, harm: DiskHarm) -> Option<Disturbance> {
        let node = self.victim(DISKS)?;
        let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
        let until = self.lasting();
        Some((trigger, FaultAction::Disk { node, harm, until }))
    }

    fn torn_write(&mut self) -> Option<Disturbance> {
        let node = self.victim(DISKS)?;
        let (role, _) = self.topology.kind(node)?;
        let point = if role == RoleKind::Authority { Point::ProposeBegins } else { Point::PersistBegins };
        let trigger = self.on(point, Some(node));
        let until = self.lasting();
        Some((trigger, FaultAction::Disk { node, harm: DiskHarm::Torn, until }))
    }

    fn clock(&mut self, harm: ClockHarm, until: Until) -> Option<Disturbance> {
        let node = self.victim(&self.swarm.roles)?;
        let trigger = self.at();
        Some((trigger, FaultAction::Clock { node, harm, until }))
    }

    /// At any rate that the declared ρ allows.
    fn clock_drift(&mut self) -> Option<Disturbance> {
        let rho = i64::from(RHO_PPM);
        let drawn = i64::try_from(self.stream.below(2 * u64::from(RHO_PPM) + 1)).unwrap_or(0) - rho;
        let ppm = i32::try_from(drawn).expect("within ρ either way");
        let until = self.lasting();
        self.clock(ClockHarm::Drift { ppm }, until)
    }

    /// As short as the declared ε asks for, whatever the offset from the start: a fifth of it.
    fn clock_freeze(&mut self) -> Option<Disturbance> {
        let longest = Span(self.timing.epsilon.nanos() / 5);
        let until = Until::After(self.stream.span(Span(longest.nanos() / 10), longest));
        self.clock(ClockHarm::Freeze, until)
    }

    fn clock_strobe(&mut self) -> Option<Disturbance> {
        let offset_nanos = offset(&mut self.stream, self.timing.epsilon);
        let period = self.stream.span(LAG_MIN, Span::from_secs(2));
        let until = self.lasting();
        self.clock(ClockHarm::Strobe { offset_nanos, period }, until)
    }

    fn process(&mut self, harm: ProcessHarm) -> Option<Disturbance> {
        let node = self.victim(&self.swarm.roles)?;
        let trigger = if self.stream.chance(1, 2) { self.entered() } else { self.at() };
        let until = self.lasting();
        Some((trigger, FaultAction::Process { node, harm, until }))
    }

    fn strip(&mut self) -> Option<Disturbance> {
        let point = if self.stream.chance(1, 2) {
            Point::Sending(*self.pick(ROTATOR_REQUESTS)?)
        } else {
            *self.pick(HOLDABLE)?
        };
        Some((self.on(point, None), FaultAction::Strip))
    }

    fn fail_persist(&mut self) -> Option<Disturbance> {
        let node = self.victim(&[RoleKind::Agent, RoleKind::Target])?;
        Some((self.on(Point::PersistBegins, Some(node)), FaultAction::FailPersist))
    }

    fn at(&mut self) -> Trigger {
        Trigger::At(self.instant())
    }

    /// At one of the next few occurrences; half of the time counted from the swarm's beginning.
    fn on(&mut self, point: Point, node: Option<NodeId>) -> Trigger {
        let early = self.stream.chance(1, 2);
        let late = self.instant();
        let nth = 1 + self.stream.below(NTH_MAX);
        Trigger::On {
            pattern: Pattern::new(self.met(point), node),
            nth: u32::try_from(nth).expect("at most NTH_MAX, which fits"),
            after: if early { self.swarm.from } else { late },
        }
    }

    /// The point that stands in its place where the target mints: other requests are made there.
    fn met(&self, point: Point) -> Point {
        if !self.topology.adapter.is_minting() {
            return point;
        }
        let frame = |frame| match frame {
            ApplyRequest => MintRequest,
            ApplyReply => MintReply,
            BeginRequest => AttemptRequest,
            ConfirmRequest => FillRequest,
            LeaseRequest => DeleteRequest,
            other => other,
        };
        match point {
            Point::Sending(kind) => Point::Sending(frame(kind)),
            Point::Sent(kind) => Point::Sent(frame(kind)),
            Point::Handled(kind) => Point::Handled(frame(kind)),
            Point::Replying(kind) => Point::Replying(frame(kind)),
            other => other,
        }
    }

    fn entered(&mut self) -> Trigger {
        let secret = self.secret();
        let index = index_below(&mut self.stream, Phase::ALL.len());
        let after = self.instant();
        let point = Point::Entered { secret, phase: Phase::ALL[index] };
        Trigger::On { pattern: Pattern::new(point, None), nth: 1, after }
    }

    /// Until a rotation has closed, by the successor; or for a while longer than a lease.
    fn past_succession(&mut self) -> Until {
        let secret = self.secret();
        let outlived = outlived(self.timing);
        let span = self.stream.span(outlived, outlived.times(4));
        if self.stream.chance(2, 3) {
            let point = Point::Entered { secret, phase: Phase::Idle };
            Until::On { pattern: Pattern::new(point, None), nth: 1, at_most: outlived.times(6) }
        } else {
            Until::After(span)
        }
    }

    fn lasting(&mut self) -> Until {
        Until::After(self.stream.span(self.swarm.stability, self.longest))
    }

    /// Somewhere in the swarm's interval, early enough that the shortest fault still fits.
    fn instant(&mut self) -> Instant {
        let last = self.swarm.until.minus(self.swarm.stability).max(self.swarm.from);
        self.swarm.from.plus(self.stream.span(Span::ZERO, last.since(self.swarm.from)))
    }

    fn secret(&mut self) -> SecretId {
        let secret = self.stream.below(u64::from(self.topology.secrets));
        SecretId(u16::try_from(secret).expect("below a 16-bit number"))
    }

    fn victim(&mut self, roles: &[RoleKind]) -> Option<NodeId> {
        let nodes: Vec<NodeId> = roles.iter().flat_map(|role| self.topology.of_kind(*role)).collect();
        self.pick(&nodes).copied()
    }

    /// One side of a cut: all nodes of its roles, or one node of its first role.
    fn side(&mut self, side: Side) -> Vec<NodeId> {
        match side {
            Side::All(roles) => roles.iter().flat_map(|role| self.topology.of_kind(*role)).collect(),
            Side::One(role) => self.victim(&[role]).into_iter().collect(),
        }
    }

    fn pick<'t, T>(&mut self, table: &'t [T]) -> Option<&'t T> {
        table.get(index_below(&mut self.stream, table.len()))
    }
}

/// Every point at which the swarm lets a node of a role crash.
pub fn crash_points() -> impl Iterator<Item = (RoleKind, Point)> {
    let of = |role| table::crash_points(role).iter().map(move |point| (role, *point));
    RoleKind::ALL.into_iter().flat_map(of)
}

/// A clock offset anywhere within ±ε, in one draw.
#[must_use]
pub fn offset(stream: &mut Stream, epsilon: Span) -> i64 {
    let half = i64::try_from(epsilon.nanos()).unwrap_or(i64::MAX / 2);
    let drawn = stream.span(Span::ZERO, epsilon.times(2)).nanos();
    i64::try_from(drawn).unwrap_or(i64::MAX).saturating_sub(half)
}

/// What a stream of the swarm is for; its `kind` in the key.
#[derive(Clone, Copy)]
enum Use {
    Slots = 16,
    Exists = 17,
    Strength = 18,
    Fault = 19,
}

fn stream(seed: u64, kind: u32, ordinal: u32, purpose: Use) -> Stream {
    Stream::new(seed, StreamName::Faults, (kind, ordinal), purpose as u32)
}

/// How long the kind may last in this seed: briefly, past a lease, or past a grant.
fn longest(seed: u64, kind: FaultKind, stability: Span) -> Span {
    let index = index_below(&mut stream(seed, kind as u32 + 1, 0, Use::Strength), STRENGTHS.len());
    STRENGTHS[index].max(stability)
}

fn index_below(stream: &mut Stream, length: usize) -> usize {
    usize::try_from(stream.below(length as u64)).expect("below a length")
}

/// After this long a lease can have been taken over.
const fn outlived(timing: &Timing) -> Span {
    timing.lease_ttl.plus(timing.epsilon.times(2))
}

/// Stands for "no kind" in a key: kinds count from 1 there.
const KIND_NONE: u32 = 0;

/// Requests of a rotation come one to a handful of times, so a later one would rarely fire.
const NTH_MAX: u64 = 3;

/// With the default timing a lease lasts 10 s and a grant 30 s.
const STRENGTHS: [Span; 3] = [Span::from_secs(3), Span::from_secs(15), Span::from_secs(45)];

/// Who keeps anything.
const DISKS: &[RoleKind] = &[RoleKind::Authority, RoleKind::Agent, RoleKind::Target];
/// What a starved node takes for one input.
const LAG_MIN: Span = Span::from_millis(5);
const LAG_MAX: Span = Span::from_millis(200);
/// What a slow link adds, at most.
const EXTRA_MAX: Span = Span::from_secs(2);
/// Periods of an older configuration.
const PERIOD_MIN: Span = Span::from_millis(200);
const PERIOD_MAX: Span = Span::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn swarm(kinds: &[FaultKind]) -> Swarm {
        Swarm {
            kinds: kinds.to_vec(),
            count_min: 1,
            count_max: 6,
            stability: Span::from_millis(500),
            from: Instant::ZERO.plus(Span::from_secs(5)),
            until: Instant::ZERO.plus(Span::from_secs(100)),
            roles: vec![RoleKind::Authority, RoleKind::Rotator, RoleKind::Agent, RoleKind::Target],
            builds: Build::ALL.to_vec(),
        }
    }

    fn draw(swarm: &Swarm, seed: u64) -> Vec<Fault> {
        let topology = Topology {
            rotators: 2,
            agents: 2,
            replicas: 1,
            workloads: 4,
            secrets: 1,
            adapter: Default::default(),
        };
        swarm.draw(seed, &topology, &Timing::default(), FaultId(3))
    }

    #[test]
    fn a_seed_draws_the_same_faults_again_and_most_seeds_lack_some_kind() {
        let swarm = swarm(&FaultKind::ALL);
        let mut lacking = [0; FaultKind::ALL.len()];
        for seed in 0..400 {
            let faults = draw(&swarm, seed);
            assert_eq!(faults, draw(&swarm, seed));
            assert!(!faults.is_empty() && faults.len() <= 6);
            assert!(faults.iter().zip(3..).all(|(fault, id)| fault.id == FaultId(id)));
            for (index, kind) in FaultKind::ALL.into_iter().enumerate() {
                lacking[index] += u32::from(faults.iter().all(|fault| fault.action.kind() != kind));
            }
        }
        assert!(lacking.iter().all(|count| (150..390).contains(count)), "{lacking:?}");
    }

    #[test]
    fn allowing_one_more_kind_keeps_what_the_others_first_fault_is() {
        let (narrow, wide) = (swarm(&[FaultKind::Crash]), swarm(&[FaultKind::Crash, FaultKind::Hold]));
        let first = |swarm: &Swarm, seed| {
            let crash = draw(swarm, seed).into_iter().find(|fault| fault.action.kind() == FaultKind::Crash);
            crash.map(|fault| (fault.trigger, fault.action))
        };
        let both: Vec<u64> = (0..200).filter(|seed| first(&wide, *seed).is_some()).collect();
        assert!(both.len() > 50);
        assert!(both.iter().all(|seed| first(&wide, *seed) == first(&narrow, *seed)));
    }

    #[test]
    fn drawn_offsets_stay_within_epsilon_and_reach_both_sides() {
        let epsilon = Span::from_millis(250);
        let mut stream = Stream::new(1, StreamName::Clocks, (0, 0), 0);
        let offsets: Vec<i64> = (0..1_000).map(|_| offset(&mut stream, epsilon)).collect();
        assert!(offsets.iter().all(|nanos| nanos.unsigned_abs() <= epsilon.nanos()));
        assert!(offsets.iter().any(|nanos| *nanos > 200_000_000));
        assert!(offsets.iter().any(|nanos| *nanos < -200_000_000));
    }
}
