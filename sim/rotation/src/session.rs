//! The session: negotiates formats around a role, and refuses what is below the floor.
//!
//! A role writes frames with all that it has. The session brings each to the highest format that it
//! and the peer speak, seals it, and checks the seal of what comes back: an answer is bound to its
//! request, so that what a man in the middle strips off either one voids the exchange. There is no
//! way below the floor: a request in a lower format is answered with "unsupported", an answer in one
//! is as good as none.
//!
//! The floor is agreed once it is durable: in the authority's log, in an agent's or target's records,
//! which are written in the floor's format. Nodes that keep nothing learn it anew from each peer. A
//! node whose build cannot read its own disk, or hears of a floor above what it speaks, is *sealed*:
//! it does nothing until it restarts as another build.
//!
//! What it deliberately does not do: decide what a frame means.
//!
//! Upholds `no-downgrade`, and `durable-ack` across a downgrade.

use std::collections::{BTreeMap, VecDeque};
use tumbler_types::event::FrameKind;
use tumbler_types::role::v1::{Effect, Effects, Input, LogEntry, Now, Record, Role};
use tumbler_types::{Build, Command, Format, LogIndex, NodeId, RoleKind, Tag, Token, Topology};
use tumbler_wire::envelope::{HEADER, kind_of};
use tumbler_wire::frame::{OrderReply, Unsupported};
use tumbler_wire::record::{format_of, in_format};
use tumbler_wire::{Envelope, Frame, LogCommand};

/// Requests whose answers may still be due; beyond, the oldest can no longer be answered.
const ANSWERING_MAX: usize = 512;

/// A role that speaks with others through negotiated formats.
pub struct Session<R> {
    role: R,
    me: NodeId,
    build: Build,
    /// Whether it holds the log, and with it the say over the floor.
    is_authority: bool,
    /// Everyone whom the authority has to have heard of before it raises the floor.
    fleet: Vec<NodeId>,
    /// The highest floor that is durable here; without a disk, the highest heard of.
    floor: Format,
    keeps: bool,
    /// The highest floor heard of: enforced at once, written with the next record.
    heard: Format,
    is_sealed: bool,
    /// The highest format of each peer, as it last said itself.
    peers: BTreeMap<NodeId, Format>,
    asked: BTreeMap<Token, Asked>,
    answering: VecDeque<(Token, Answering)>,
    /// The next number to be used once: from this incarnation's entropy on.
    nonce: u64,
    /// Writes in progress, and the format that they make durable.
    writing: BTreeMap<Token, Format>,
}

/// A request that is out.
#[derive(Clone, Copy)]
struct Asked {
    to: NodeId,
    seal: Tag,
    format: Format,
}

/// A request that came in.
#[derive(Clone, Copy)]
struct Answering {
    seal: Tag,
    format: Format,
}

/// A frame that was let in.
struct Opened {
    envelope: Envelope,
    format: Format,
    seal: Tag,
    frame: Vec<u8>,
}

impl<R: Role> Session<R> {
    pub fn new(role: R, me: NodeId, topology: &Topology, build: Build) -> Self {
        let kind = topology.kind(me).map(|(kind, _)| kind);
        let is_authority = kind == Some(RoleKind::Authority);
        let fleet = topology.of_kind(RoleKind::Rotator).chain(topology.of_kind(RoleKind::Agent));
        Session {
            role,
            me,
            build,
            is_authority,
            fleet: if is_authority { fleet.collect() } else { Vec::new() },
            floor: Format::LOWEST,
            keeps: matches!(kind, Some(RoleKind::Authority | RoleKind::Agent | RoleKind::Target)),
            heard: Format::LOWEST,
            is_sealed: false,
            peers: BTreeMap::new(),
            asked: BTreeMap::new(),
            answering: VecDeque::new(),
            nonce: 0,
            writing: BTreeMap::new(),
        }
    }

    /// Nothing below this is spoken.
    fn enforced(&self) -> Format {
        self.floor.max(self.heard)
    }

    fn format_for(&self, peer: NodeId) -> Format {
        let theirs = self.peers.get(&peer).copied().unwrap_or(Format::HIGHEST);
        theirs.min(self.build.highest()).max(self.enforced())
    }

    fn once(&mut self) -> Tag {
        self.nonce = self.nonce.wrapping_add(1);
        Tag(self.nonce)
    }

    fn seal(&self, echo: Tag, frame: &[u8]) -> (Vec<u8>, Tag) {
        let (highest, floor) = (self.build.highest(), self.floor);
        Envelope { highest, floor, speaker: self.me, echo }.seal(frame)
    }

    /// Opens what came from `peer`, and learns what its envelope says. `None`: not sealed by it.
    fn open(&mut self, peer: NodeId, mut bytes: Vec<u8>) -> Option<Opened> {
        let (envelope, frame, seal) = Envelope::open(&bytes).ok()?;
        if envelope.speaker != peer {
            return None;
        }
        let format = format_of(frame)?;
        self.peers.insert(peer, envelope.highest);
        self.hear(envelope.floor);
        bytes.drain(..HEADER);
        Some(Opened { envelope, format, seal, frame: bytes })
    }

    fn hear(&mut self, floor: Format) {
        if self.is_authority {
            return;
        }
        self.heard = self.heard.max(floor);
        if !self.keeps {
            self.floor = self.heard;
        }
        self.is_sealed |= self.heard > self.build.highest();
    }

    fn speaks(&self, format: Format) -> bool {
        (self.enforced()..=self.build.highest()).contains(&format)
    }

    fn handle_boot(&mut self, disk: &[Record], log: &[LogEntry]) {
        let marks = disk.iter().map(|record| format_of(&record.bytes));
        let marks = marks.chain(log.iter().map(|entry| format_of(&entry.command)));
        self.floor = marks.flatten().max().unwrap_or(Format::LOWEST);
        self.is_sealed = self.floor > self.build.highest();
    }

    /// The answer for the role: `None` as soon as anything about it is not as it must be.
    fn answer(&mut self, token: Token, frame: Vec<u8>) -> Option<Vec<u8>> {
        let asked = self.asked.remove(&token)?;
        let opened = self.open(asked.to, frame)?;
        let fits = opened.envelope.echo == asked.seal
            && opened.format == asked.format
            && self.speaks(opened.format)
            && kind_of(&opened.frame) != FrameKind::Unsupported;
        fits.then_some(opened.frame)
    }

    /// The request for the role, or what to say instead; neither for one that nobody sealed.
    fn request(&mut self, call: Token, from: NodeId, frame: Vec<u8>) -> Result<Vec<u8>, Option<Effect>> {
        let Some(opened) = self.open(from, frame) else { return Err(None) };
        if self.is_sealed {
            return Err(None);
        }
        let Opened { envelope: _, format, seal, frame } = opened;
        if !self.speaks(format) || !is_whole(&frame, format) {
            return Err(Some(self.unsupported(call, seal)));
        }
        if self.answering.len() == ANSWERING_MAX {
            self.answering.pop_front();
        }
        self.answering.push_back((call, Answering { seal, format }));
        if self.is_authority && wanted_floor(&frame).is_some_and(|wanted| !self.may_raise(wanted)) {
            let refused = Frame::from(OrderReply { accepted: false, index: LogIndex(0) }).to_bytes();
            return Err(self.reply(call, refused));
        }
        Ok(frame)
    }

    /// Everyone in the fleet has said that it speaks the format, and this build does.
    fn may_raise(&self, wanted: Format) -> bool {
        let speaks = |node: &NodeId| self.peers.get(node).is_some_and(|highest| *highest >= wanted);
        wanted <= self.build.highest() && self.fleet.iter().all(speaks)
    }

    fn unsupported(&self, call: Token, seal: Tag) -> Effect {
        let mut frame = Frame::from(Unsupported {}).to_bytes();
        frame[0] = self.build.highest().0;
        Effect::Reply { call, frame: self.seal(seal, &frame).0 }
    }

    fn reply(&self, call: Token, frame: Vec<u8>) -> Option<Effect> {
        let (_, Answering { seal, format }) =
            self.answering.iter().rev().find(|(token, _)| *token == call).copied()?;
        if !self.speaks(format) {
            // The floor rose while the request waited, or by it.
            return Some(self.unsupported(call, seal));
        }
        let frame = Frame::in_format(frame, format).ok()?;
        Some(Effect::Reply { call, frame: self.seal(seal, &frame).0 })
    }

    /// What leaves instead of a role's effect.
    fn outgoing(&mut self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Call { token, to, frame, timeout } => {
                let format = self.format_for(to);
                // A frame that lacks what the format requires would be refused: the call times out.
                let frame = Frame::in_format(frame, format).unwrap_or_default();
                let once = self.once();
                let (frame, seal) = self.seal(once, &frame);
                self.asked.insert(token, Asked { to, seal, format });
                Some(Effect::Call { token, to, frame, timeout })
            }
            Effect::Reply { call, frame } => self.reply(call, frame),
            // Nobody answers a message, so nothing is known of who hears it: what all must speak.
            Effect::Send { to, frame } => {
                let frame = Frame::in_format(frame, self.enforced()).ok()?;
                let once = self.once();
                Some(Effect::Send { to, frame: self.seal(once, &frame).0 })
            }
            Effect::Persist { token, record, bytes } => {
                let format = self.enforced();
                self.writing.insert(token, format);
                Some(Effect::Persist { token, record, bytes: in_format(bytes, format) })
            }
            Effect::Propose { token, command } => {
                let raised = match LogCommand::from_bytes(&command) {
                    Ok(LogCommand { command: Command::RaiseFloor { floor }, .. }) => floor,
                    Ok(_) | Err(_) => Format::LOWEST,
                };
                Some(Effect::Propose { token, command: in_format(command, self.floor.max(raised)) })
            }
            Effect::SetTimer { .. } => Some(effect),
        }
    }

    /// What the role is told instead of an input, or what is done instead of telling it.
    fn incoming(&mut self, input: Input) -> Result<Input, Option<Effect>> {
        Ok(match input {
            Input::Boot { disk, log, entropy } => {
                self.handle_boot(&disk, &log);
                let (start, _) = entropy.split_first_chunk().expect("32 bytes hold eight");
                self.nonce = u64::from_le_bytes(*start);
                Input::Boot { disk, log, entropy }
            }
            Input::Returned { token, frame } => match self.answer(token, frame) {
                Some(frame) => Input::Returned { token, frame },
                None => Input::Unknown { token },
            },
            Input::Unknown { token } => {
                self.asked.remove(&token);
                Input::Unknown { token }
            }
            Input::Called { call, from, frame } => {
                let frame = self.request(call, from, frame)?;
                Input::Called { call, from, frame }
            }
            Input::Received { from, frame } => match self.open(from, frame) {
                Some(opened) if self.speaks(opened.format) => Input::Received { from, frame: opened.frame },
                Some(_) | None => return Err(None),
            },
            Input::Persisted { token } => {
                let format = self.writing.remove(&token).unwrap_or(Format::LOWEST);
                self.floor = self.floor.max(format);
                Input::Persisted { token }
            }
            Input::PersistFailed { token } => {
                self.writing.remove(&token);
                Input::PersistFailed { token }
            }
            Input::Committed { token, entry } => {
                let format = format_of(&entry.command).unwrap_or(Format::LOWEST);
                self.floor = self.floor.max(format);
                Input::Committed { token, entry }
            }
            Input::Timer { timer } => Input::Timer { timer },
        })
    }
}

/// A frame has what its format requires. Only frames that differ between formats are read for it.
fn is_whole(frame: &[u8], format: Format) -> bool {
    match kind_of(frame) {
        FrameKind::LeaseRequest | FrameKind::ConfirmRequest => {
            Frame::from_bytes(frame).is_ok_and(|frame| frame.required(format).is_ok())
        }
        _ => true,
    }
}

/// The floor that a request orders, if it does.
fn wanted_floor(frame: &[u8]) -> Option<Format> {
    if kind_of(frame) != FrameKind::OrderRequest {
        return None;
    }
    match Frame::from_bytes(frame) {
        Ok(Frame::OrderRequest(body)) => body.order.floor(),
        Ok(_) | Err(_) => None,
    }
}

impl<R: Role> Role for Session<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        if self.is_sealed {
            return Effects::new();
        }
        match self.incoming(input) {
            Ok(_) if self.is_sealed => Effects::new(),
            Ok(input) => {
                let effects = self.role.handle(now, input);
                effects.into_iter().filter_map(|effect| self.outgoing(effect)).collect()
            }
            Err(instead) => instead.into_iter().collect(),
        }
    }
}
