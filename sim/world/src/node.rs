//! A killable unit: its incarnation, clock, store, timers, and what waits for it.

use crate::clock::Clocks;
use crate::engine::Due;
use crate::queue::Key;
use crate::store::Store;
use std::collections::VecDeque;
use tumbler_types::role::v1::{Effect, Input, Now};
use tumbler_types::{Build, Incarnation, Instant, NodeId, RoleKind, Span, TimerId};

/// Whether a node makes progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Down,
    Up,
    /// Memory kept, nothing executed; inputs wait.
    Paused,
}

/// Standing harms of a node's disk.
#[derive(Default)]
pub struct Disk {
    pub full: bool,
    pub reorders: bool,
    /// Ordinals of writes whose time has come while it stalls.
    pub stalled: Option<Vec<u32>>,
    pub lies_since: Option<Instant>,
    /// The node is down because of it, and comes back when it is mended.
    pub has_stopped: bool,
}

/// Standing harms of a node's process.
#[derive(Default)]
pub struct Process {
    /// Time for each input.
    pub lag: Span,
    /// Until when inputs wait in line.
    pub busy_until: Instant,
    pub loops: bool,
    /// Periods of an older configuration.
    pub period: Option<Span>,
}

/// One node of the world. The role itself lives with the driver.
pub struct Node {
    pub id: NodeId,
    pub kind: RoleKind,
    pub state: State,
    /// What it runs as, from the next incarnation on.
    pub build: Build,
    pub incarnation: Incarnation,
    pub store: Store,
    pub clocks: Clocks,
    /// Deadlines on the monotonic clock that came while it slept.
    pub overslept: Vec<(Key, Due)>,
    pub disk: Disk,
    pub process: Process,
    /// Standing faults under which it works, but not as it should.
    pub hindrances: u16,
    /// Effects that a pause cut off; executed first at resume.
    pub suspended: VecDeque<Effect>,
    /// Inputs that arrived during a pause.
    pub waiting: VecDeque<Input>,
    pub timer_ordinal: u32,
    pub wake_ordinal: u32,
    /// Last tie ordinal armed per timer slot: an older one is stale.
    timers: Vec<(TimerId, u32)>,
}

impl Node {
    pub fn new(id: NodeId, kind: RoleKind, store: Store, build: Build, offset: i64) -> Self {
        Node {
            build,
            id,
            kind,
            state: State::Down,
            incarnation: Incarnation(0),
            store,
            clocks: Clocks::new(offset),
            overslept: Vec::new(),
            disk: Disk::default(),
            process: Process::default(),
            hindrances: 0,
            suspended: VecDeque::new(),
            waiting: VecDeque::new(),
            timer_ordinal: 0,
            wake_ordinal: 0,
            timers: Vec::new(),
        }
    }

    /// What the node's clocks show.
    pub fn clocks(&self, now: Instant) -> Now {
        Now { wall: self.clocks.wall(now), mono: self.clocks.mono(now) }
    }

    pub fn is_running(&self) -> bool {
        self.state == State::Up
    }

    /// Arms a timer slot; returns the ordinal that is now valid for it.
    pub fn arm(&mut self, timer: TimerId) -> u32 {
        let ordinal = self.timer_ordinal;
        self.timer_ordinal += 1;
        match self.timers.iter_mut().find(|(slot, _)| *slot == timer) {
            Some(slot) => slot.1 = ordinal,
            None => self.timers.push((timer, ordinal)),
        }
        ordinal
    }

    /// Whether this arming is the slot's last.
    pub fn is_armed(&self, timer: TimerId, ordinal: u32) -> bool {
        self.timers.contains(&(timer, ordinal))
    }

    /// Forgets everything volatile.
    pub fn forget(&mut self) {
        self.state = State::Down;
        self.clocks.asleep_since = None;
        self.overslept.clear();
        self.suspended.clear();
        self.waiting.clear();
        self.timers.clear();
    }
}
