//! What the swarm picks from: cuts, requests, and points worth a crash or a late arrival.
//!
//! Tables alone: it deliberately draws nothing.

use crate::Point;
use tumbler_types::RoleKind;
use tumbler_types::event::FrameKind::{self, *};

/// One side of a cut.
#[derive(Clone, Copy)]
pub(super) enum Side {
    All(&'static [RoleKind]),
    One(RoleKind),
}

/// Where the crash of a node cuts between two effects that could be confused.
pub(super) fn crash_points(role: RoleKind) -> &'static [Point] {
    match role {
        RoleKind::Rotator => &[
            Point::Sending(LeaseRequest),
            Point::Sending(BeginRequest),
            Point::Sending(ApplyRequest),
            Point::Sending(QueryRequest),
            Point::Sending(AdvanceRequest),
            Point::Sending(ConfirmRequest),
            Point::Handled(BeginRequest),
            Point::Handled(ApplyRequest),
            Point::Handled(AdvanceRequest),
        ],
        RoleKind::Authority => &[
            Point::ProposeBegins,
            Point::ProposeDone,
            Point::Handled(BeginRequest),
            Point::Handled(AdvanceRequest),
            Point::Handled(HeartbeatRequest),
            Point::Handled(OrderRequest),
            Point::Replying(RecordReply),
            Point::Replying(HeartbeatReply),
        ],
        RoleKind::Target => &[
            Point::PersistBegins,
            Point::PersistDone,
            Point::Handled(ApplyRequest),
            Point::Replying(ApplyReply),
        ],
        RoleKind::Agent => &[
            Point::PersistBegins,
            Point::PersistDone,
            Point::Sending(HeartbeatRequest),
            Point::Replying(GetReply),
        ],
        RoleKind::Replica => &[Point::Handled(Replicate), Point::Replying(LoginReply)],
        RoleKind::Workload | RoleKind::Operator => &[],
    }
}

pub(super) const CUTS: &[(Side, Side)] = &[
    (Side::One(RoleKind::Rotator), Side::All(&[RoleKind::Authority])),
    (Side::All(&[RoleKind::Rotator]), Side::All(&[RoleKind::Authority])),
    (Side::One(RoleKind::Rotator), Side::All(&[RoleKind::Target])),
    (Side::All(&[RoleKind::Rotator]), Side::All(&[RoleKind::Target])),
    (Side::One(RoleKind::Agent), Side::All(&[RoleKind::Authority])),
    (Side::All(&[RoleKind::Agent]), Side::All(&[RoleKind::Authority])),
    (Side::All(&[RoleKind::Target]), Side::All(&[RoleKind::Replica])),
    (Side::All(&[RoleKind::Authority]), Side::All(&[RoleKind::Rotator, RoleKind::Agent])),
    (Side::All(&[RoleKind::Target]), Side::All(&[RoleKind::Rotator, RoleKind::Replica])),
];

pub(super) const ROTATOR_REQUESTS: &[FrameKind] =
    &[LeaseRequest, BeginRequest, ApplyRequest, QueryRequest, AdvanceRequest, ConfirmRequest];

pub(super) const LOSABLE_REPLIES: &[FrameKind] = &[
    ApplyRequest,
    ApplyRequest,
    AdvanceRequest,
    BeginRequest,
    LeaseRequest,
    ConfirmRequest,
    QueryRequest,
    HeartbeatRequest,
];

pub(super) const LOSABLE_REQUESTS: &[FrameKind] = &[
    ApplyRequest,
    ApplyRequest,
    AdvanceRequest,
    BeginRequest,
    LeaseRequest,
    ConfirmRequest,
    HeartbeatRequest,
    Replicate,
];

/// Late arrivals that carry something older than what the receiver knows by then.
pub(super) const HOLDABLE: &[Point] = &[
    Point::Sending(HeartbeatRequest),
    Point::Sending(Replicate),
    Point::Sending(LoginRequest),
    Point::Sending(OrderRequest),
    Point::Replying(ApplyReply),
    Point::Replying(RecordReply),
    Point::Replying(HeartbeatReply),
];
