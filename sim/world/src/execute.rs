//! Executes a role's effects, in their order, up to the point at which a fault stops the node.

use crate::call::{Call, Calls};
use crate::engine::{Carries, Due, Engine, Message, Step};
use crate::link::Passage;
use crate::nemesis::{About, Disposition, Subject};
use crate::node::State;
use crate::observe::{Context, Entered};
use crate::queue::{Class, Key};
use crate::store::{Pending, Write};
use tumbler_plan::{Planted, Point};
use tumbler_types::event::{FrameKind, LossCause};
use tumbler_types::role::v1::{Effect, Effects, Input, LogEntry};
use tumbler_types::{Event, Instant, Mono, NodeId, Span, Token};

/// How much later than it said a lying disk writes.
const LIE: Span = Span::from_secs(20);

impl Engine<'_> {
    /// Executes effects in order. A crash drops what is left, a pause keeps it for the resume.
    pub fn execute(&mut self, id: NodeId, effects: Effects) {
        let incarnation = self.node(id).incarnation;
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            let point = match &effect {
                Effect::Send { frame, .. } | Effect::Call { frame, .. } => {
                    Some(Point::Sending(tumbler_wire::envelope::kind_of(frame)))
                }
                Effect::Reply { frame, .. } => Some(Point::Replying(tumbler_wire::envelope::kind_of(frame))),
                Effect::Persist { .. } => Some(Point::PersistBegins),
                Effect::Propose { .. } => Some(Point::ProposeBegins),
                Effect::SetTimer { .. } => None,
            };
            let about = if self.nemesis.watches() { self.about(&effect) } else { About::default() };
            let disposition = match point {
                Some(point) => {
                    let subject = match &effect {
                        Effect::Persist { .. } => Subject::Write,
                        Effect::Propose { .. } => Subject::Entry,
                        Effect::Call { .. } => Subject::Call,
                        _ => Subject::Message,
                    };
                    self.at_point(id, point, about, Some(subject))
                }
                None => Disposition::default(),
            };
            let node = self.node_mut(id);
            if node.state == State::Down || node.incarnation != incarnation {
                return;
            }
            if node.state == State::Paused {
                node.suspended.push_back(effect);
                node.suspended.extend(effects);
                return;
            }
            let is_write = matches!(effect, Effect::Persist { .. } | Effect::Propose { .. });
            self.execute_one(id, effect, disposition);
            if is_write {
                let node = self.node(id);
                if node.state == State::Down || node.incarnation != incarnation {
                    return;
                }
            }
            if let Some(Point::Sending(kind) | Point::Replying(kind)) = point {
                self.at_point(id, Point::Sent(kind), about, None);
                let node = self.node(id);
                if node.state == State::Down || node.incarnation != incarnation {
                    return;
                }
            }
        }
    }

    /// Whom an effect goes to, and, if some fault waits for one, the step that it asks for.
    fn about(&self, effect: &Effect) -> About {
        match effect {
            Effect::Send { to, frame } | Effect::Call { to, frame, .. } => {
                let context = self.nemesis.watches_steps().then(|| self.observer.context(frame));
                let step = match context {
                    Some(Context::Apply { fence, .. }) => Some(fence.step),
                    _ => None,
                };
                About { peer: Some(*to), step }
            }
            Effect::Reply { call, .. } => {
                let caller = self.calls.named_by(*call).map(|call| self.calls.get(call).caller);
                About { peer: caller, step: None }
            }
            Effect::Persist { .. } | Effect::Propose { .. } | Effect::SetTimer { .. } => About::default(),
        }
    }

    fn execute_one(&mut self, id: NodeId, effect: Effect, disposition: Disposition) {
        match effect {
            Effect::Persist { token, record, bytes } => {
                let tag = self.observer.frame_tag(&bytes);
                self.record(id, Event::PersistBegan { record, tag });
                let ordinal = self.begin_write(id, token, Write::Record { record, bytes });
                if disposition.tears {
                    self.tear(id);
                } else if disposition.fails || self.node(id).disk.full {
                    self.node_mut(id).store.pending_mut(ordinal).expect("just begun").fails = true;
                } else if self.is_planted(Planted::SendBeforePersist) {
                    self.tell_early(id, ordinal, token);
                }
            }
            Effect::Propose { token, command } => {
                let tag = self.observer.frame_tag(&command);
                self.record(id, Event::ProposeBegan { tag });
                let at = self.node(id).clocks(self.now).wall;
                self.begin_write(id, token, Write::Log { at, command });
                if disposition.tears {
                    self.tear(id);
                } else if self.node(id).disk.full {
                    // There is no answer to a log that cannot be written but to stop.
                    self.stop(id);
                }
            }
            Effect::Send { to, frame } => {
                let (kind, tag) = (tumbler_wire::envelope::kind_of(&frame), self.observer.frame_tag(&frame));
                self.record(id, Event::Sent { to, frame: kind, tag });
                self.transmit(id, to, frame, Carries::OneWay, disposition);
            }
            Effect::Call { token, to, frame, timeout } => {
                let (kind, tag) = (tumbler_wire::envelope::kind_of(&frame), self.observer.frame_tag(&frame));
                let context = self.observer.context(&frame);
                let call = self.calls.begin(Call {
                    caller: id,
                    callee: to,
                    incarnation: self.node(id).incarnation,
                    token,
                    context,
                    reply_lost: disposition.lose_reply,
                    done: false,
                    answers_left: if disposition.doubles { 2 } else { 1 },
                });
                self.record(id, Event::Called { call, to, frame: kind, tag });
                self.spoke(id, to, &frame);
                self.observer.called(id, &frame, self.now, &mut self.recorder);
                let (left, deadline) = self.deadline(id, timeout);
                self.queue.push(
                    self.now.plus(left),
                    Calls::timeout_key(call),
                    Due::CallTimeout { call, deadline },
                );
                self.transmit(id, to, frame, Carries::Request(call), disposition);
            }
            Effect::Reply { call, frame } => self.reply(id, call, frame, disposition),
            Effect::SetTimer { timer, after } => {
                let ordinal = self.node_mut(id).arm(timer);
                let key = Key::new(Class::Timer, u32::from(id.0), ordinal);
                let (left, deadline) = self.deadline(id, after);
                self.queue.push(self.now.plus(left), key, Due::Timer { node: id, timer, ordinal, deadline });
            }
        }
    }

    /// How long until the node's monotonic clock has gone on by so much, and what it shows then.
    fn deadline(&self, id: NodeId, after: Span) -> (Span, Mono) {
        let clocks = &self.node(id).clocks;
        let deadline = clocks.mono(self.now).plus(after);
        (clocks.until(self.now, deadline), deadline)
    }

    /// Half of the write just begun is on the disk, and its node is gone.
    fn tear(&mut self, id: NodeId) {
        self.node_mut(id).store.tear();
        self.crash(id);
        self.update_reachability();
    }

    fn reply(&mut self, id: NodeId, token: Token, frame: Vec<u8>, mut disposition: Disposition) {
        // A reply to a call that was never made, or one more than its requests, goes nowhere.
        let Some(call) = self.calls.named_by(token) else { return };
        let made = *self.calls.get(call);
        if made.callee != id || made.answers_left == 0 {
            return;
        }
        self.calls.get_mut(call).answers_left -= 1;
        let (kind, tag) = (tumbler_wire::envelope::kind_of(&frame), self.observer.frame_tag(&frame));
        self.record(id, Event::Replied { call, to: made.caller, frame: kind, tag });
        self.spoke(id, made.caller, &frame);
        self.observer.replied(id, made.caller, made.context, &frame, self.now, &mut self.recorder);
        disposition.lose |= made.reply_lost;
        self.transmit(id, made.caller, frame, Carries::Reply(call), disposition);
    }

    /// Records in which format the node speaks, and what it says of the floor, if either is new.
    fn spoke(&mut self, id: NodeId, peer: NodeId, frame: &[u8]) {
        let Ok((envelope, inner)) = tumbler_wire::Envelope::read(frame) else { return };
        let Some(format) = tumbler_wire::record::format_of(inner) else { return };
        // That a format is not spoken is said in whatever the speaker has.
        if tumbler_wire::envelope::kind_of(inner) == FrameKind::Unsupported {
            return;
        }
        let said = Some((format, envelope.floor));
        let place = usize::from(id.0) * self.nodes.len() + usize::from(peer.0);
        if self.spoken.get(place).is_some_and(|before| *before != said) {
            self.spoken[place] = said;
            self.record(id, Event::Spoke { peer, format, floor: envelope.floor });
        }
    }

    /// A new incarnation introduces itself anew.
    pub fn forget_speech(&mut self, id: NodeId) {
        let count = self.nodes.len();
        let first = usize::from(id.0) * count;
        self.spoken[first..first + count].fill(None);
    }

    fn transmit(
        &mut self,
        from: NodeId,
        to: NodeId,
        mut frame: Vec<u8>,
        carries: Carries,
        disposition: Disposition,
    ) {
        self.messages += 1;
        if disposition.strips {
            tumbler_wire::envelope::strip(&mut frame);
        }
        let kind = tumbler_wire::envelope::kind_of(&frame);
        let is_reply = matches!(carries, Carries::Reply(_));
        let meant = self.notes.as_mut().map(|notes| notes.count(self.now, [from, to], kind, is_reply));
        if usize::from(to.0) >= self.nodes.len() {
            self.record(from, Event::Lost { to, frame: kind, cause: LossCause::Down });
            return;
        }
        let (arrival, ordinal) = self.links.send(self.now, from, to);
        let incarnation = match carries {
            Carries::Reply(call) => self.calls.get(call).incarnation,
            Carries::OneWay | Carries::Request(_) => self.node(to).incarnation,
        };
        if disposition.lose {
            self.record(from, Event::Lost { to, frame: kind, cause: LossCause::Dropped });
            return;
        }
        if self.links.is_cut(from, to) {
            self.record(from, Event::Lost { to, frame: kind, cause: LossCause::Cut });
            return;
        }
        let mut did = Vec::new();
        let note = |fault, passing| {
            if meant.is_some() {
                did.push((fault, passing));
            }
        };
        let passage = self.links.pass(self.now, [from, to], arrival, &mut frame, note);
        if let (Some(notes), Some(meant)) = (&mut self.notes, meant) {
            notes.note(meant, did);
        }
        let (arrival, checksum) = match passage {
            Passage::Arrives { at, checksum } => (at, checksum),
            Passage::Lost(cause) => {
                self.record(from, Event::Lost { to, frame: kind, cause });
                return;
            }
        };
        let key = Key::new(Class::Link, self.links.entity(from, to), ordinal);
        let connection = self.links.connection(from, to);
        let message = Message { from, to, incarnation, frame, carries, connection, checksum };
        if disposition.doubles {
            self.double(arrival, &message);
        }
        match disposition.hold {
            Some(fault) => {
                self.record(from, Event::Held { to, frame: kind });
                self.nemesis.hold(fault, arrival.since(self.now), key, message);
            }
            None => self.queue.push(arrival, key, Due::Arrive(message)),
        }
    }

    /// A copy that leaves when the first arrives. It draws from the link's stream only now that the
    /// fault fires, so the run before it stays as it was; later messages of the link draw anew.
    fn double(&mut self, arrival: Instant, message: &Message) {
        let Message { from, to, .. } = *message;
        self.messages += 1;
        let (second, ordinal) = self.links.send(arrival, from, to);
        let key = Key::new(Class::Link, self.links.entity(from, to), ordinal);
        self.queue.push(second, key, Due::Arrive(message.clone()));
    }

    fn begin_write(&mut self, id: NodeId, token: Token, write: Write) -> u32 {
        let (now, latency) = (self.now, self.plan.store);
        let store = &mut self.node_mut(id).store;
        let (done, ordinal) = store.begin(now, latency.latency_min, latency.latency_max, token, write);
        self.queue.push(
            done,
            Key::new(Class::Store, u32::from(id.0), ordinal),
            Due::Write { node: id, ordinal },
        );
        ordinal
    }

    /// Planted: the driver completes a `Persist` at once.
    fn tell_early(&mut self, id: NodeId, ordinal: u32, token: Token) {
        let node = self.node_mut(id);
        node.store.pending_mut(ordinal).expect("just begun").told = true;
        let (incarnation, wake) = (node.incarnation, node.wake_ordinal);
        node.wake_ordinal += 1;
        let key = Key::new(Class::Wake, u32::from(id.0), wake);
        let input = Some(Input::Persisted { token });
        self.queue.push(self.now, key, Due::Wake { node: id, incarnation, input });
    }

    /// A write reached its time: it becomes durable, or fails; then the role is told.
    pub fn write_due(&mut self, id: NodeId, ordinal: u32) -> Step {
        if self.is_planted(Planted::LyingFsync) && self.lie(id, ordinal) {
            let pending = self.node_mut(id).store.pending_mut(ordinal).expect("it was just there");
            let token = pending.token;
            let Write::Record { record, .. } = &pending.write else {
                unreachable!("only records are lied about")
            };
            let record = *record;
            self.record(id, Event::Persisted { record });
            return self.offer(id, Input::Persisted { token });
        }
        // A starved node sees its own writes through in its line, and answers nothing from them before.
        if self.node(id).store.is_to_wait(ordinal)
            && let Some(turn) = self.line_up(id)
        {
            self.node_mut(id).store.pending_mut(ordinal).expect("it is to wait").has_waited = true;
            let key = Key::new(Class::Store, u32::from(id.0), ordinal);
            self.queue.push(turn, key, Due::Write { node: id, ordinal });
            return Step::Quiet;
        }
        if let Some(stalled) = &mut self.node_mut(id).disk.stalled {
            stalled.push(ordinal);
            return Step::Quiet;
        }
        let Some(pending) = self.node_mut(id).store.take(ordinal) else { return Step::Quiet };
        let (token, told, incarnation) = (pending.token, pending.told, self.node(id).incarnation);
        if pending.fails {
            let Write::Record { record, .. } = pending.write else { unreachable!("only records are failed") };
            self.record(id, Event::PersistFailed { record });
            return self.hand(id, Input::PersistFailed { token });
        }
        let point = match pending.write {
            Write::Record { .. } => Point::PersistDone,
            Write::Log { .. } => Point::ProposeDone,
        };
        let kept = self.keep(id, pending);
        self.at_point(id, point, About::default(), None);
        if told || self.node(id).state == State::Down || self.node(id).incarnation != incarnation {
            return Step::Quiet;
        }
        match kept {
            Kept::Record { record } => {
                self.record(id, Event::Persisted { record });
                self.hand(id, Input::Persisted { token })
            }
            // As it was written: what rots on the disk from here on does not change memory.
            Kept::Log { entry } => self.hand(id, Input::Committed { token: Some(token), entry }),
        }
    }

    /// Makes a write durable and observes what that means. A commit may fire `Entered` faults.
    pub fn keep(&mut self, id: NodeId, pending: Pending) -> Kept {
        let now = self.now;
        let index = usize::from(id.0);
        match pending.write {
            Write::Record { record, bytes } => {
                let node = &mut self.nodes[index];
                self.observer.kept_record(
                    id,
                    node.kind,
                    record,
                    &bytes,
                    node.store.record(record),
                    now,
                    &mut self.recorder,
                );
                node.store.keep_record(now, record, bytes);
                Kept::Record { record }
            }
            Write::Log { at, command } => {
                let entry = self.nodes[index].store.keep_log(now, at, command).clone();
                let floor = self.observer.floor();
                let entered = self.observer.kept_log(id, &entry, now, &mut self.recorder);
                if self.observer.floor() != floor {
                    self.update_reachability();
                }
                if let Some(Entered { secret, phase, by }) = entered {
                    let about = About { peer: by, step: None };
                    self.at_point(id, Point::Entered { secret, phase }, about, None);
                }
                Kept::Log { entry }
            }
        }
    }

    /// Planted: turns the write into a told one that is durable only later. False if it is no record.
    fn lie(&mut self, id: NodeId, ordinal: u32) -> bool {
        let Some(pending) = self.node_mut(id).store.pending_mut(ordinal) else { return false };
        if pending.told || pending.fails || matches!(pending.write, Write::Log { .. }) {
            return false;
        }
        pending.told = true;
        let key = Key::new(Class::Store, u32::from(id.0) | LATE, ordinal);
        self.queue.push(self.now.plus(LIE), key, Due::LateWrite { node: id, ordinal });
        true
    }

    pub fn late_write(&mut self, id: NodeId, ordinal: u32) {
        if let Some(pending) = self.node_mut(id).store.take(ordinal) {
            self.keep(id, pending);
        }
    }
}

/// What became durable.
pub enum Kept {
    Record { record: tumbler_types::RecordId },
    Log { entry: LogEntry },
}

/// Marks tie keys of late writes, which share ordinals with the writes that they follow.
const LATE: u32 = 1 << 20;
