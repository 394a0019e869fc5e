//! What a `[[fault]]` does to a node's disk, clocks or process, with parameters that a seed draws.
//!
//! It deliberately knows neither victims nor times: those are read alike for every kind of fault.

use crate::entry::{Context, furthest, offset};
use crate::error::Mistake;
use crate::fault::{absent, misplaced};
use crate::file::{FaultTable, Words};
use crate::range::{Drawn, spell};
use tumbler_plan::{ClockHarm, DiskHarm, FaultAction, ProcessHarm, Stream, Until};
use tumbler_types::{Assumption, FaultKind, NodeId, RHO_PPM, Span};

/// A harm, before its parameters are drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Disk(DiskHarm),
    Restore { back: Drawn<Span> },
    Drift { ppm: Drawn<i64> },
    Freeze,
    Strobe { offset: Drawn<i64>, period: Drawn<Span> },
    Slow { lag: Drawn<Span> },
    CrashLoop { up: Drawn<Span>, down: Drawn<Span> },
    Reconfigure { period: Drawn<Span> },
}

impl Harm {
    /// The harm of this kind of fault; none if it is of another sort. Keys that it has not are refused.
    pub fn parse(context: &Context, table: &FaultTable, kind: FaultKind) -> Result<Option<Self>, Mistake> {
        let given = [
            ("back", &table.back),
            ("rate", &table.rate),
            ("period", &table.period),
            ("lag", &table.lag),
            ("up", &table.up),
            ("down", &table.down),
        ];
        let keys: &[&str] = match kind {
            FaultKind::DiskRestore => &["back"],
            FaultKind::ClockDrift => &["rate"],
            FaultKind::ClockStrobe | FaultKind::Reconfigure => &["period"],
            FaultKind::Slow => &["lag"],
            FaultKind::CrashLoop => &["up", "down"],
            _ => &[],
        };
        for (what, words) in given {
            match (words, keys.contains(&what)) {
                (Some(words), false) => return Err(misplaced(what, words.span.clone(), kind)),
                (None, true) => return Err(absent(what, table, meaning(what))),
                (Some(_), true) | (None, false) => {}
            }
        }
        let span = |what: &str, words: &Option<Words>| {
            positive(what, words.as_ref().expect("a key of this kind was found above"))
        };
        Ok(Some(match kind {
            FaultKind::TornWrite => Harm::Disk(DiskHarm::Torn),
            FaultKind::DiskFull => Harm::Disk(DiskHarm::Full),
            FaultKind::DiskStall => Harm::Disk(DiskHarm::Stall),
            FaultKind::DiskReorder => Harm::Disk(DiskHarm::Reorder),
            FaultKind::BitRot => Harm::Disk(DiskHarm::Rot),
            FaultKind::LyingSync => Harm::Disk(DiskHarm::Lie),
            FaultKind::DiskRestore => Harm::Restore { back: span("back", &table.back)? },
            FaultKind::ClockDrift => {
                let words = table.rate.as_ref().expect("a key of this kind was found above");
                Harm::Drift { ppm: Drawn::<i64>::parse_rate("rate", words)? }
            }
            FaultKind::ClockFreeze => Harm::Freeze,
            FaultKind::ClockStrobe => {
                let words =
                    table.offset.as_ref().ok_or_else(|| absent("offset", table, meaning("offset")))?;
                Harm::Strobe { offset: offset(context, words)?, period: span("period", &table.period)? }
            }
            FaultKind::Slow => Harm::Slow { lag: span("lag", &table.lag)? },
            FaultKind::CrashLoop => {
                Harm::CrashLoop { up: span("up", &table.up)?, down: span("down", &table.down)? }
            }
            FaultKind::Reconfigure => Harm::Reconfigure { period: span("period", &table.period)? },
            FaultKind::Partition
            | FaultKind::Crash
            | FaultKind::Pause
            | FaultKind::Hold
            | FaultKind::LoseReply
            | FaultKind::LoseRequest
            | FaultKind::ClockStep
            | FaultKind::FailPersist
            | FaultKind::Duplicate
            | FaultKind::Redeploy
            | FaultKind::Strip
            | FaultKind::Suspend
            | FaultKind::SlowLink
            | FaultKind::LossyLink
            | FaultKind::Corrupt
            | FaultKind::NarrowLink
            | FaultKind::HalfOpen
            | FaultKind::Reset => return Ok(None),
        }))
    }

    /// The longest time by which it can put off a call, beyond how long it stands; none if it does not.
    pub fn delay_max(&self) -> Option<Span> {
        match self {
            Harm::Disk(DiskHarm::Stall) => Some(Span::ZERO),
            // Inputs wait in line: as many as a few periods bring.
            Harm::Slow { lag } => Some(lag.max.times(LINE_MAX)),
            _ => None,
        }
    }

    /// How far from true time it can take a wall clock with the offset, over so long; none if it takes
    /// none there.
    pub fn offset_max(&self, base: Span, longest: Span) -> Option<Span> {
        let base = i64::try_from(base.nanos()).unwrap_or(i64::MAX);
        match self {
            Harm::Drift { ppm } => {
                let ppm =
                    i32::try_from(ppm.min.unsigned_abs().max(ppm.max.unsigned_abs())).unwrap_or(i32::MAX);
                Some(ClockHarm::Drift { ppm }.furthest(base, longest))
            }
            Harm::Freeze => Some(ClockHarm::Freeze.furthest(-base, longest)),
            Harm::Strobe { offset, .. } => Some(furthest(offset)),
            _ => None,
        }
    }

    /// What it leaves in each plan, whatever is drawn and whatever the clocks are.
    pub fn leaves(&self) -> Option<Assumption> {
        match self {
            Harm::Disk(DiskHarm::Lie) => Some(Assumption::FsyncHonest),
            Harm::Restore { .. } => Some(Assumption::DisksKept),
            Harm::Drift { ppm } => {
                let rate = ppm.min.unsigned_abs().max(ppm.max.unsigned_abs());
                (rate > u64::from(RHO_PPM)).then_some(Assumption::ClockRateTrue)
            }
            _ => None,
        }
    }

    pub fn draw(&self, stream: &mut Stream, node: NodeId, until: Until) -> FaultAction {
        let disk = |harm| FaultAction::Disk { node, harm, until };
        let clock = |harm| FaultAction::Clock { node, harm, until };
        let process = |harm| FaultAction::Process { node, harm, until };
        match self {
            Harm::Disk(harm) => disk(*harm),
            Harm::Restore { back } => disk(DiskHarm::Restore { back: back.draw(stream) }),
            Harm::Drift { ppm } => {
                let ppm = i32::try_from(ppm.draw(stream)).expect("a rate was read within its limits");
                clock(ClockHarm::Drift { ppm })
            }
            Harm::Freeze => clock(ClockHarm::Freeze),
            Harm::Strobe { offset, period } => {
                let offset_nanos = offset.draw(stream);
                clock(ClockHarm::Strobe { offset_nanos, period: period.draw(stream) })
            }
            Harm::Slow { lag } => process(ProcessHarm::Slow { lag: lag.draw(stream) }),
            Harm::CrashLoop { up, down } => {
                let up = up.draw(stream);
                process(ProcessHarm::CrashLoop { up, down: down.draw(stream) })
            }
            Harm::Reconfigure { period } => process(ProcessHarm::Reconfigure { period: period.draw(stream) }),
        }
    }
}

fn positive(what: &str, words: &Words) -> Result<Drawn<Span>, Mistake> {
    let drawn = Drawn::<Span>::parse(what, words)?;
    if drawn.min < SHORTEST {
        return Err(Mistake::new(words.span.clone(), format!("`{what}` is too short"), "write a longer one")
            .expected(format!("at least {}", spell(SHORTEST)))
            .got(spell(drawn.min)));
    }
    Ok(drawn)
}

fn meaning(key: &str) -> &'static str {
    match key {
        "back" => "how old the snapshot is",
        "rate" => "what the clocks gain, for example \"-150ppm\"",
        "offset" => "where it jumps to",
        "period" => "how long each turn or period is",
        "lag" => "how long each input takes",
        "up" => "how long it runs",
        _ => "how long it is down",
    }
}

const SHORTEST: Span = Span::from_millis(1);
/// Inputs that may wait in line at a starved node.
const LINE_MAX: u64 = 64;
