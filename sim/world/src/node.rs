//! A killable unit: its incarnation, clock, store, timers, and what waits for it.

use crate::engine::Due;
use crate::queue::Key;
use crate::store::Store;
use std::collections::VecDeque;
use tumbler_types::role::v1::{Effect, Input, Now};
use tumbler_types::{Build, Incarnation, Instant, Mono, NodeId, RoleKind, Span, TimerId, Wall};

/// Whether a node makes progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Down,
    Up,
    /// Memory kept, nothing executed; inputs wait.
    Paused,
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
    /// Wall clock minus true time, nanoseconds.
    pub offset: i64,
    /// What the offset returns to when a clock fault ends.
    pub offset_base: i64,
    pub booted_at: Instant,
    /// How long this incarnation has slept: its monotonic clock missed so much.
    pub slept: Span,
    pub asleep_since: Option<Instant>,
    /// Deadlines on the monotonic clock that came while it slept, with what it had slept when they were set.
    pub overslept: Vec<(Instant, Key, Due)>,
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
            offset,
            offset_base: offset,
            booted_at: Instant::ZERO,
            slept: Span::ZERO,
            asleep_since: None,
            overslept: Vec::new(),
            suspended: VecDeque::new(),
            waiting: VecDeque::new(),
            timer_ordinal: 0,
            wake_ordinal: 0,
            timers: Vec::new(),
        }
    }

    /// What the node's clocks show.
    pub fn clocks(&self, now: Instant) -> Now {
        let asleep = self.asleep_since.map_or(Span::ZERO, |since| now.since(since));
        let awake = now.since(self.booted_at).minus(self.slept).minus(asleep);
        Now { wall: Wall::at(now, self.offset), mono: Mono(awake.nanos()) }
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
        self.asleep_since = None;
        self.overslept.clear();
        self.suspended.clear();
        self.waiting.clear();
        self.timers.clear();
    }
}
