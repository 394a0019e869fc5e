//! Which points each kind of fault may begin at.
//!
//! It deliberately reads no file: it says whether what was read fits.

use crate::error::Mistake;
use toml::Spanned;
use tumbler_plan::Point;
use tumbler_types::FaultKind;

/// What a kind of fault has to begin at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// A message, request or reply that leaves.
    Message,
    Request,
    Record,
    /// A record or a log entry.
    Write,
}

const fn needs(kind: FaultKind) -> Needs {
    match kind {
        FaultKind::Partition
        | FaultKind::Crash
        | FaultKind::Pause
        | FaultKind::ClockStep
        | FaultKind::Redeploy
        | FaultKind::Suspend
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
        | FaultKind::HalfOpen
        | FaultKind::Reset => Needs::Nothing,
        FaultKind::Hold | FaultKind::Duplicate | FaultKind::Strip => Needs::Message,
        FaultKind::LoseReply | FaultKind::LoseRequest => Needs::Request,
        FaultKind::FailPersist => Needs::Record,
        FaultKind::TornWrite => Needs::Write,
    }
}

/// Faults on one message or write have to name it.
pub(crate) fn needs_point(kind: FaultKind, spanned: &Spanned<String>) -> Result<(), Mistake> {
    if needs(kind) == Needs::Nothing {
        return Ok(());
    }
    let problem = format!("a {} needs a point, not a time", kind.name());
    let remedy = "replace `at` by a point; `after` gives the earliest time";
    Err(Mistake::new(spanned.span(), problem, remedy).expected(fitting(kind)))
}

pub(crate) fn fitting_point(
    kind: FaultKind,
    spanned: &Spanned<String>,
    points: &[Point],
) -> Result<(), Mistake> {
    let fits = |point: &Point| match needs(kind) {
        Needs::Nothing => true,
        Needs::Message => matches!(point, Point::Sending(_) | Point::Replying(_)),
        Needs::Request => matches!(point, Point::Sending(_)),
        Needs::Record => matches!(point, Point::PersistBegins),
        Needs::Write => matches!(point, Point::PersistBegins | Point::ProposeBegins),
    };
    if points.iter().all(fits) {
        return Ok(());
    }
    let problem = format!("a {} cannot begin at this point", kind.name());
    Err(Mistake::new(spanned.span(), problem, "choose another point, or another kind")
        .expected(fitting(kind)))
}

const fn fitting(kind: FaultKind) -> &'static str {
    match needs(kind) {
        Needs::Nothing => "`at`, or any point",
        Needs::Message => "`sending` or `replying`",
        Needs::Request => "`sending`",
        Needs::Record => "`point = \"persist-begins\"`",
        Needs::Write => "`point = \"persist-begins\"` or `\"propose-begins\"`",
    }
}
