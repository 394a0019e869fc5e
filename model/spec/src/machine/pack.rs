//! A state in 32 bytes: what visited sets and queues hold.
//!
//! Invariant: `unpack(pack(s)) == s` for every canonical state within the limits, so that equal
//! packed states are equal states and nothing is hashed away.
//!
//! It deliberately packs no constant: paths, the clock, counters that canonical states have reset.

use super::{Held, Letter, Machine, NOW, Request, State, TTL, live, stopped};
use crate::ledger::{Grant, Holder, Lease, Report, Revocation, Slice, Stored, Version};
use crate::rule::Effect;
use tumbler_types::{
    Epoch, Fence, Instant, NodeId, Phase, Principal, Serial, Step, Tag, TxnId, VersionId, Wall,
};

/// A canonical state of one [`Machine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packed([u64; 4]);

impl Packed {
    /// One bit per [`super::Property`] broken on the way to this state, or in it.
    pub const fn broken(&self) -> u8 {
        self.0[0].to_le_bytes()[0]
    }

    /// The bits themselves, for a table that compares states and not their fingerprints.
    pub const fn words(&self) -> [u64; 4] {
        self.0
    }

    /// A state of which only the words went around. They must be those of a state of the machine at hand.
    pub const fn from_words(words: [u64; 4]) -> Packed {
        Packed(words)
    }
}

impl Machine {
    pub fn pack(&self, state: &State) -> Packed {
        let State { ledger: _, confirmed, held, replies, zombies, broken } = state;
        let mut bits = Writer::new();
        bits.put(u64::from(*broken), 8);
        pack_slice(state.slice(), &mut bits);
        bits.flag(*confirmed);
        match held {
            None => bits.put(0, 2),
            Some(Held::Call(effect)) => {
                bits.put(1, 2);
                pack_effect(*effect, &mut bits);
            }
            Some(Held::Letter { agent, letter }) => {
                bits.put(2, 2);
                bits.put(u64::from(*agent), 2);
                pack_letter(*letter, &mut bits);
            }
            Some(Held::Request { epoch, request }) => {
                bits.put(3, 2);
                bits.put(u64::from(epoch.0), 3);
                let (kind, what) = match request {
                    Request::Advance { from } => (0, *from as u64),
                    Request::ConfirmRefused { version } => (1, u64::from(version.0)),
                };
                bits.put(kind, 1);
                bits.put(what, 4);
            }
        }
        for reply in replies {
            bits.flag(reply.is_some());
            if let Some(reply) = reply {
                pack_report(*reply, &mut bits);
            }
        }
        bits.put(u64::from(*zombies), 2);
        bits.done()
    }

    pub fn unpack(&self, packed: &Packed) -> State {
        let mut state = self.initial().clone();
        self.unpack_into(packed, &mut state);
        state
    }

    /// The same into a state of this machine, whatever it was before.
    pub fn unpack_into(&self, packed: &Packed, state: &mut State) {
        let mut bits = Reader { words: packed.0, at: 0 };
        state.broken = bits.small(8);
        unpack_slice(state.slice_mut(), &mut bits);
        state.confirmed = bits.flag();
        state.held = match bits.get(2) {
            0 => None,
            1 => Some(Held::Call(unpack_effect(&mut bits))),
            2 => Some(Held::Letter { agent: bits.small(2), letter: unpack_letter(&mut bits) }),
            _ => {
                let epoch = Epoch(bits.count(3));
                let request = match bits.flag() {
                    false => Request::Advance { from: Phase::ALL[bits.index(4)] },
                    true => Request::ConfirmRefused { version: VersionId(bits.count(4)) },
                };
                Some(Held::Request { epoch, request })
            }
        };
        for reply in &mut state.replies {
            *reply = bits.flag().then(|| unpack_report(&mut bits));
        }
        state.zombies = bits.small(2);
    }
}

#[inline]
fn pack_slice(slice: &Slice, bits: &mut Writer) {
    let Slice {
        revision: _,
        phase,
        txn,
        current,
        previous,
        pending,
        lease,
        serial,
        ordered,
        floor: _,
        closed_at: _,
        quiet_from: _,
        begun: _,
        versions,
        accepted,
        privileges: _,
        fence,
        promised,
        applied,
        landed: _,
        holders,
        // Rotators mint here.
        attempt: _,
        minted: _,
        stray: _,
    } = slice;
    bits.put(*phase as u64, 4);
    bits.put(u64::from(txn.0), 3);
    for label in [current, previous, pending] {
        bits.put(u64::from(label.unwrap_or_default().0), 3);
    }
    bits.flag(lease.is_some());
    if let Some(Lease { rotator: _, epoch, until: _ }) = lease {
        bits.put(u64::from(epoch.0), 3);
    }
    bits.put(u64::from(serial.0), 2);
    bits.flag(*ordered);
    bits.put(versions.len() as u64, 3);
    // Ids count from 1 and the value of a version is its id.
    for Version { version: _, principal, value: _, revoked, owed } in versions {
        bits.put(principal.index() as u64, 1);
        bits.flag(revoked.is_some());
        if let Some(Revocation { at, serial }) = revoked {
            bits.flag(*at == NOW);
            bits.put(u64::from(serial.0), 2);
        }
        bits.flag(*owed);
    }
    for tag in accepted {
        bits.put(tag.0, 4);
    }
    pack_fence(*fence, bits);
    pack_fence(*promised, bits);
    bits.put(applied.len() as u64, 2);
    for (txn, tag) in applied {
        bits.put(u64::from(txn.0), 3);
        bits.put(tag.0, 4);
    }
    for holder in holders {
        pack_holder(holder, bits);
    }
}

#[inline]
fn unpack_slice(slice: &mut Slice, bits: &mut Reader) {
    slice.phase = Phase::ALL[bits.index(4)];
    slice.txn = TxnId(bits.count(3));
    let mut label = || Some(VersionId(bits.count(3))).filter(|version| version.0 != 0);
    (slice.current, slice.previous, slice.pending) = (label(), label(), label());
    slice.lease =
        bits.flag().then(|| Lease { rotator: NodeId(1), epoch: Epoch(bits.count(3)), until: Wall::ZERO });
    slice.serial = Serial(bits.count(2));
    slice.ordered = bits.flag();
    slice.versions.clear();
    for ordinal in 1..=bits.count(3) {
        let principal = Principal::ALL[bits.index(1)];
        let revoked = bits.flag().then(|| Revocation {
            at: if bits.flag() { NOW } else { Instant::ZERO },
            serial: Serial(bits.count(2)),
        });
        let (version, value, owed) = (VersionId(ordinal), Tag(u64::from(ordinal)), bits.flag());
        slice.versions.push(Version { version, principal, value, revoked, owed });
    }
    slice.accepted = [Tag(bits.get(4)), Tag(bits.get(4))];
    slice.fence = unpack_fence(bits);
    slice.promised = unpack_fence(bits);
    slice.applied.clear();
    for _ in 0..bits.count(2) {
        slice.applied.push((TxnId(bits.count(3)), Tag(bits.get(4))));
    }
    for holder in &mut slice.holders {
        unpack_holder(holder, bits);
    }
}

#[inline]
fn pack_holder(holder: &Holder, bits: &mut Writer) {
    let Holder { grants, acknowledged, stored, told: _ } = holder;
    bits.put(grants.len() as u64, 3);
    for Grant { version, until: _, at: _, ttl: _, ended } in grants {
        bits.put(u64::from(version.0), 3);
        bits.flag(*ended);
    }
    pack_report(*acknowledged, bits);
    let Stored { version, serial, until } = *stored;
    pack_report(Report { version, serial }, bits);
    bits.put(u64::from(until != Wall::ZERO) + u64::from(until == live()), 2);
}

#[inline]
fn unpack_holder(holder: &mut Holder, bits: &mut Reader) {
    holder.grants.clear();
    for _ in 0..bits.count(3) {
        let (version, ended) = (VersionId(bits.count(3)), bits.flag());
        holder.grants.push(Grant { version, until: live(), at: NOW, ttl: TTL, ended });
    }
    holder.acknowledged = unpack_report(bits);
    let Report { version, serial } = unpack_report(bits);
    let until = [Wall::ZERO, stopped(), live(), live()][bits.index(2)];
    holder.stored = Stored { version, serial, until };
}

#[inline]
fn pack_fence(fence: Option<Fence>, bits: &mut Writer) {
    bits.flag(fence.is_some());
    if let Some(Fence { epoch, txn, step }) = fence {
        bits.put(u64::from(epoch.0), 3);
        bits.put(u64::from(txn.0), 3);
        bits.put(u64::from(step.number()), 3);
    }
}

#[inline]
fn unpack_fence(bits: &mut Reader) -> Option<Fence> {
    bits.flag().then(|| {
        let (epoch, txn) = (Epoch(bits.count(3)), TxnId(bits.count(3)));
        let step = Step::from_number(bits.small(3)).expect("only steps were packed");
        Fence { epoch, txn, step }
    })
}

#[inline]
fn pack_effect(effect: Effect, bits: &mut Writer) {
    let Effect { fence, principal, value } = effect;
    pack_fence(Some(fence), bits);
    bits.put(principal.index() as u64, 1);
    bits.put(value.0, 4);
}

fn unpack_effect(bits: &mut Reader) -> Effect {
    let fence = unpack_fence(bits).expect("an effect has a fence");
    Effect { fence, principal: Principal::ALL[bits.index(1)], value: Tag(bits.get(4)) }
}

#[inline]
fn pack_letter(letter: Letter, bits: &mut Writer) {
    let Letter { report, is_fresh } = letter;
    pack_report(report, bits);
    bits.flag(is_fresh);
}

fn unpack_letter(bits: &mut Reader) -> Letter {
    Letter { report: unpack_report(bits), is_fresh: bits.flag() }
}

#[inline]
fn pack_report(report: Report, bits: &mut Writer) {
    let Report { version, serial } = report;
    bits.put(u64::from(version.0), 3);
    bits.put(u64::from(serial.0), 2);
}

#[inline]
fn unpack_report(bits: &mut Reader) -> Report {
    Report { version: VersionId(bits.count(3)), serial: Serial(bits.count(2)) }
}

struct Writer {
    words: [u64; 4],
    word: usize,
    /// Bits of the word under way.
    used: u32,
    open: u64,
}

impl Writer {
    const fn new() -> Self {
        Writer { words: [0; 4], word: 0, used: 0, open: 0 }
    }

    #[inline]
    fn flag(&mut self, value: bool) {
        self.put(u64::from(value), 1);
    }

    #[inline(always)]
    fn put(&mut self, value: u64, width: u32) {
        assert!(value >> width == 0, "a field of a state within its limits fits its width");
        self.open |= value << self.used;
        self.used += width;
        if self.used >= 64 {
            self.turn(value, width);
        }
    }

    /// The word is full: what of the field did not fit begins the next one.
    #[inline]
    fn turn(&mut self, value: u64, width: u32) {
        let word = self.words.get_mut(self.word).expect("a state within its limits fits 32 bytes");
        *word = self.open;
        self.word += 1;
        self.used -= 64;
        self.open = if self.used == 0 { 0 } else { value >> (width - self.used) };
    }

    fn done(mut self) -> Packed {
        if self.used > 0 {
            let (last, width) = (self.open, self.used);
            self.used = 64;
            self.turn(last, width);
        }
        Packed(self.words)
    }
}

struct Reader {
    words: [u64; 4],
    at: u32,
}

impl Reader {
    fn flag(&mut self) -> bool {
        self.get(1) == 1
    }

    #[inline]
    fn get(&mut self, width: u32) -> u64 {
        let (word, shift) = ((self.at / 64) as usize, self.at % 64);
        let mut value = self.words[word] >> shift;
        if shift + width > 64 {
            value |= self.words[word + 1] << (64 - shift);
        }
        self.at += width;
        value & ((1 << width) - 1)
    }

    fn count(&mut self, width: u32) -> u32 {
        u32::try_from(self.get(width)).expect("a field is narrower than 32 bits")
    }

    fn small(&mut self, width: u32) -> u8 {
        u8::try_from(self.get(width)).expect("a field is at most 8 bits wide")
    }

    fn index(&mut self, width: u32) -> usize {
        usize::from(self.small(width))
    }
}
