//! What the nemesis does to one node's disk, clocks and process, and how it is undone.
//!
//! A harmed node goes on as long as its part lets it: a full disk fails records and stops a node that
//! cannot write its log, as a database does whose log has no room; a disk on which something rotted
//! hands out nothing, so that its node does not start before a good copy is back. While a node is
//! starved of disk or processor it counts as out of reach: nothing that has a bound is owed of it.
//!
//! It draws nothing while the run goes on but which bit rots and which unsynced writes a reordering
//! cache kept, each from a stream of that fault alone.

use crate::engine::{Due, Engine};
use crate::node::State;
use crate::queue::{Class, Key};
use crate::store::Survival;
use tumbler_plan::{ClockHarm, DiskHarm, ProcessHarm, Stream, StreamName};
use tumbler_types::{Event, FaultId, NodeId, RoleKind, Span};

impl Engine<'_> {
    pub fn disk_applies(&self, id: NodeId, harm: DiskHarm, is_write: bool) -> bool {
        let node = self.node(id);
        let is_up = node.state != State::Down;
        match harm {
            DiskHarm::Torn => is_write && is_up,
            DiskHarm::Full => !node.disk.full,
            DiskHarm::Stall => node.disk.stalled.is_none(),
            DiskHarm::Reorder => !node.disk.reorders,
            DiskHarm::Rot => node.store.holds_any(),
            DiskHarm::Lie => node.disk.lies_since.is_none(),
            DiskHarm::Restore { back: _ } => is_up,
        }
    }

    /// Begins a disk's harm. A torn write is torn by whoever executes it.
    pub fn harm_disk(&mut self, id: NodeId, fault: FaultId, harm: DiskHarm) {
        let now = self.now;
        match harm {
            DiskHarm::Torn => {}
            DiskHarm::Full => {
                self.node_mut(id).disk.full = true;
                self.node_mut(id).hindrances += 1;
            }
            DiskHarm::Stall => {
                self.node_mut(id).disk.stalled = Some(Vec::new());
                self.node_mut(id).hindrances += 1;
            }
            DiskHarm::Reorder => self.node_mut(id).disk.reorders = true,
            DiskHarm::Rot => {
                let entity = (u32::from(self.plan.entity(id).0), u32::from(fault.0));
                let mut stream = Stream::new(self.plan.seed, StreamName::Rot, entity, 0);
                self.node_mut(id).store.decay(&mut stream);
            }
            DiskHarm::Lie => self.node_mut(id).disk.lies_since = Some(now),
            DiskHarm::Restore { back } => {
                self.crash(id);
                self.node_mut(id).store.go_back(now.minus(back));
                self.reread(id);
            }
        }
    }

    pub fn heal_disk(&mut self, id: NodeId, harm: DiskHarm) {
        let now = self.now;
        match harm {
            DiskHarm::Torn | DiskHarm::Restore { back: _ } => self.boot_soon(id),
            DiskHarm::Full => {
                self.node_mut(id).disk.full = false;
                self.node_mut(id).hindrances -= 1;
                self.start_again(id);
            }
            DiskHarm::Stall => {
                self.node_mut(id).hindrances -= 1;
                for ordinal in self.node_mut(id).disk.stalled.take().into_iter().flatten() {
                    let key = Key::new(Class::Store, u32::from(id.0), ordinal);
                    self.queue.push(now, key, Due::Write { node: id, ordinal });
                }
            }
            DiskHarm::Reorder => self.node_mut(id).disk.reorders = false,
            DiskHarm::Rot => {
                self.node_mut(id).store.mend();
                self.start_again(id);
            }
            DiskHarm::Lie => self.node_mut(id).disk.lies_since = None,
        }
    }

    pub fn harm_process(&mut self, id: NodeId, index: usize, harm: ProcessHarm) {
        match harm {
            ProcessHarm::Slow { lag } => {
                self.node_mut(id).process.lag = lag;
                self.node_mut(id).hindrances += 1;
            }
            ProcessHarm::CrashLoop { up: _, down } => {
                self.node_mut(id).process.loops = true;
                self.crash(id);
                self.turn_in(index, down);
            }
            ProcessHarm::Reconfigure { period } => {
                self.crash(id);
                self.node_mut(id).process.period = Some(period);
                self.boot_soon(id);
            }
        }
    }

    pub fn process_applies(&self, id: NodeId, harm: ProcessHarm) -> bool {
        let node = self.node(id);
        let is_up = node.state == State::Up;
        match harm {
            ProcessHarm::Slow { lag: _ } => node.process.lag == Span::ZERO,
            ProcessHarm::CrashLoop { up: _, down: _ } => is_up && !node.process.loops,
            ProcessHarm::Reconfigure { period: _ } => is_up && node.process.period.is_none(),
        }
    }

    pub fn heal_process(&mut self, id: NodeId, harm: ProcessHarm) {
        match harm {
            ProcessHarm::Slow { lag: _ } => {
                self.node_mut(id).process.lag = Span::ZERO;
                self.node_mut(id).hindrances -= 1;
            }
            ProcessHarm::CrashLoop { up: _, down: _ } => {
                self.node_mut(id).process.loops = false;
                self.boot_soon(id);
            }
            ProcessHarm::Reconfigure { period: _ } => {
                self.node_mut(id).process.period = None;
                if self.node(id).state != State::Down {
                    self.crash(id);
                    self.boot_soon(id);
                }
            }
        }
    }

    /// A looping node's next crash, or its next start.
    pub fn turn(&mut self, index: usize) {
        let tumbler_plan::FaultAction::Process {
            node: id, harm: ProcessHarm::CrashLoop { up, down }, ..
        } = self.plan.faults[index].action
        else {
            unreachable!("only loops turn")
        };
        if !self.nemesis.is_standing(index) {
            return;
        }
        let is_down = self.node(id).state == State::Down;
        if is_down {
            self.boot_soon(id);
        } else {
            self.crash(id);
            self.update_reachability();
        }
        self.turn_in(index, if is_down { up } else { down });
    }

    fn turn_in(&mut self, index: usize, span: Span) {
        let ordinal = self.nemesis.next_turn(index);
        let key = Key::new(Class::Nemesis, u32::from(self.plan.faults[index].id.0), ordinal);
        self.queue.push(self.now.plus(span), key, Due::Turn(index));
    }

    pub fn harm_clock(&mut self, id: NodeId, harm: ClockHarm) {
        let now = self.now;
        self.node_mut(id).clocks.begin(now, harm);
        self.show_clock(id);
    }

    pub fn heal_clock(&mut self, id: NodeId) {
        let now = self.now;
        self.node_mut(id).clocks.end(now);
        self.show_clock(id);
    }

    fn show_clock(&mut self, id: NodeId) {
        let offset = self.node(id).clocks.offset_at(self.now);
        self.record(id, Event::ClockSet { offset });
    }

    /// Stops a node whose disk does not let it go on.
    pub fn stop(&mut self, id: NodeId) {
        self.crash(id);
        self.node_mut(id).disk.has_stopped = true;
        self.update_reachability();
    }

    fn start_again(&mut self, id: NodeId) {
        if std::mem::take(&mut self.node_mut(id).disk.has_stopped) {
            self.boot_soon(id);
        }
    }

    fn boot_soon(&mut self, id: NodeId) {
        let incarnation = self.node(id).incarnation;
        let key = Key::new(Class::Boot, u32::from(id.0), incarnation.0);
        self.queue.push(self.now, key, Due::Boot(id));
    }

    /// Which unsynced writes the disk keeps in a crash at this moment.
    pub fn survival(&self, id: NodeId) -> Survival {
        let node = self.node(id);
        if node.disk.lies_since.is_some() {
            return Survival::None;
        }
        if !node.disk.reorders {
            return Survival::First;
        }
        let entity = (u32::from(self.plan.entity(id).0), node.incarnation.0);
        Survival::Any(Box::new(Stream::new(self.plan.seed, StreamName::Reorder, entity, 0)))
    }

    /// The node's log is shorter than it was.
    pub fn reread(&mut self, id: NodeId) {
        let index = usize::from(id.0);
        if self.nodes[index].kind != RoleKind::Authority {
            return;
        }
        self.observer.rewind(self.nodes[index].store.log());
    }
}
