//! A node's disk and log: writes are pending until they are durable, and a crash keeps durable bytes.
//!
//! Records are written atomically, in the order of the effects. At a crash a prefix of the pending
//! writes, drawn from the node's own stream, turns out to have reached the disk: a role that was
//! never told may still find its bytes.
//!
//! Everything durable is written beside what it replaces and is in force once its checksum is right,
//! as a write-ahead log or a rename does it: a torn write is found at the next mount and dropped.
//! A durable image that has changed since is found too, and then nothing is handed out at all: what
//! is older might have been replaced long ago. Checksums are computed when something damages an
//! image, because those of sound ones are right by construction.
//!
//! `Model:` one device per node; a record is one image, however long it is.

use std::collections::{BTreeMap, VecDeque};
use tumbler_plan::{Planted, Stream, StreamName};
use tumbler_types::Tag;
use tumbler_types::role::v1::{LogEntry, Record};
use tumbler_types::{Instant, LogIndex, NodeId, RecordId, Span, Token, Wall};

/// A write that is not durable yet.
#[derive(Clone)]
pub enum Write {
    Record { record: RecordId, bytes: Vec<u8> },
    Log { at: Wall, command: Vec<u8> },
}

/// A pending write: whom to tell, and whether the role was told too early.
#[derive(Clone)]
pub struct Pending {
    pub ordinal: u32,
    pub token: Token,
    pub write: Write,
    /// The role has been told already, by a planted bug.
    pub told: bool,
    /// It fails when its time comes.
    pub fails: bool,
    /// It has had its turn in a starved node's line.
    pub has_waited: bool,
}

/// One node's durable state, and what is on its way there.
pub struct Store {
    records: BTreeMap<RecordId, Vec<u8>>,
    log: Vec<LogEntry>,
    pending: VecDeque<Pending>,
    latency: Stream,
    survival: Stream,
    writes: u32,
    done_last: Instant,
    /// A write that was cut off: where, what is there of it, and the checksum of the whole.
    torn: Option<(Option<RecordId>, Vec<u8>, Tag)>,
    rot: Option<Rot>,
    /// What each durable change replaced, oldest first, if a fault of the plan can bring it back.
    undo: Option<Vec<(Instant, Undo)>>,
    habit: Habit,
}

/// How a store writes and reads: soundly, or as a planted bug has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    Sound,
    /// A write goes over what it replaces.
    InPlace,
    /// Nobody looks at checksums.
    Unchecked,
}

/// A durable image that has changed.
struct Rot {
    place: Place,
    /// Of the image as it was written.
    sum: Tag,
    sound: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Record(RecordId),
    Entry(usize),
}

enum Undo {
    Record { record: RecordId, former: Option<Vec<u8>> },
    Entry,
}

impl Store {
    pub fn new(seed: u64, node: NodeId, planted: Option<Planted>) -> Self {
        let entity = (u32::from(node.0), 0);
        Store {
            records: BTreeMap::new(),
            log: Vec::new(),
            pending: VecDeque::new(),
            latency: Stream::new(seed, StreamName::Store, entity, 0),
            survival: Stream::new(seed, StreamName::Torn, entity, 0),
            writes: 0,
            done_last: Instant::ZERO,
            torn: None,
            rot: None,
            undo: None,
            habit: match planted {
                Some(Planted::StoreWritesInPlace) => Habit::InPlace,
                Some(Planted::StoreSkipsChecksum) => Habit::Unchecked,
                _ => Habit::Sound,
            },
        }
    }

    /// Queues a write and says when it will be durable, under which ordinal. Writes of one node
    /// become durable in order.
    pub fn begin(
        &mut self,
        now: Instant,
        min: Span,
        max: Span,
        token: Token,
        write: Write,
    ) -> (Instant, u32) {
        let ordinal = self.writes;
        self.writes += 1;
        let done = now.plus(self.latency.span(min, max)).max(self.done_last);
        self.done_last = done;
        self.pending.push_back(Pending {
            ordinal,
            token,
            write,
            told: false,
            fails: false,
            has_waited: false,
        });
        (done, ordinal)
    }

    pub fn pending_mut(&mut self, ordinal: u32) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.ordinal == ordinal)
    }

    pub fn is_to_wait(&self, ordinal: u32) -> bool {
        self.pending.iter().any(|pending| pending.ordinal == ordinal && !pending.has_waited)
    }

    /// Takes a pending write out, to be made durable or to fail. `None` if a crash took it.
    pub fn take(&mut self, ordinal: u32) -> Option<Pending> {
        let index = self.pending.iter().position(|pending| pending.ordinal == ordinal)?;
        self.pending.remove(index)
    }

    /// Makes a record durable.
    pub fn keep_record(&mut self, now: Instant, record: RecordId, bytes: Vec<u8>) {
        let former = self.records.insert(record, bytes);
        if self.rot.as_ref().is_some_and(|rot| rot.place == Place::Record(record)) {
            self.rot = None;
        }
        if let Some(undo) = &mut self.undo {
            undo.push((now, Undo::Record { record, former }));
        }
    }

    /// Makes a log entry durable, at the next index.
    pub fn keep_log(&mut self, now: Instant, at: Wall, command: Vec<u8>) -> &LogEntry {
        if let Some(undo) = &mut self.undo {
            undo.push((now, Undo::Entry));
        }
        let index = LogIndex(u32::try_from(self.log.len()).expect("a run's log is short") + 1);
        self.log.push(LogEntry { index, at, command });
        self.log.last().expect("just pushed")
    }

    /// A crash: all pending writes end, the first few of them durable. Returns those.
    pub fn crash(&mut self, survival: Survival) -> Vec<Pending> {
        let kept = self.survival.below(self.pending.len() as u64 + 1);
        let mut pending: Vec<Pending> = std::mem::take(&mut self.pending).into();
        match survival {
            // A write that a planted bug reported early is one that the disk lied about: it is lost.
            Survival::First => {
                pending.truncate(usize::try_from(kept).expect("at most the number of pending writes"));
            }
            // A log is read up to its first hole, so of its entries only the first survive.
            Survival::Any(mut stream) => {
                let mut has_hole = false;
                pending.retain(|write| {
                    let survives = stream.chance(1, 2);
                    let is_entry = matches!(write.write, Write::Log { .. });
                    has_hole |= is_entry && !survives;
                    survives && !(is_entry && has_hole)
                });
            }
            Survival::None => pending.clear(),
        }
        pending.retain(|write| !write.told && !write.fails);
        pending
    }

    pub fn record(&self, record: RecordId) -> Option<&[u8]> {
        self.records.get(&record).map(Vec::as_slice)
    }

    pub fn log_length(&self) -> LogIndex {
        self.log.last().map_or(LogIndex(0), |entry| entry.index)
    }

    /// Cuts the node's last write off in its middle. A crash follows.
    pub fn tear(&mut self) {
        let (place, mut bytes) = match self.pending.pop_back().map(|pending| pending.write) {
            Some(Write::Record { record, bytes }) => (Some(record), bytes),
            Some(Write::Log { at: _, command }) => (None, command),
            None => return,
        };
        let sum = sum_of(&bytes);
        bytes.truncate(bytes.len() / 2);
        self.torn = Some((place, bytes, sum));
    }

    /// Flips a bit of something durable. False if nothing is, or something has rotted already.
    pub fn decay(&mut self, stream: &mut Stream) -> bool {
        let count = self.records.len() + self.log.len();
        let pick = usize::try_from(stream.below(count as u64)).expect("below a length");
        let bit = stream.draw();
        if count == 0 || self.rot.is_some() {
            return false;
        }
        let (place, bytes) = match self.records.iter_mut().nth(pick) {
            Some((record, bytes)) => (Place::Record(*record), bytes),
            None => {
                let index = pick - self.records.len();
                (Place::Entry(index), &mut self.log[index].command)
            }
        };
        if bytes.is_empty() {
            return false;
        }
        self.rot = Some(Rot { place, sum: sum_of(bytes), sound: bytes.clone() });
        let bit = usize::try_from(bit % (bytes.len() as u64 * 8)).expect("below a length");
        bytes[bit / 8] ^= 1 << (bit % 8);
        true
    }

    /// Puts a good copy in the place of what has rotted.
    pub fn mend(&mut self) {
        let Some(Rot { place, sum: _, sound }) = self.rot.take() else { return };
        match place {
            Place::Record(record) => {
                self.records.insert(record, sound);
            }
            Place::Entry(index) => {
                if let Some(entry) = self.log.get_mut(index) {
                    entry.command = sound;
                }
            }
        }
    }

    /// From now on, what is replaced can be brought back.
    pub fn remember(&mut self) {
        self.undo = Some(Vec::new());
    }

    /// Everything that became durable after `then` is gone.
    pub fn go_back(&mut self, then: Instant) {
        self.mend();
        let undo = self.undo.as_mut().expect("a plan that goes back remembers");
        while let Some((_, change)) = undo.pop_if(|(at, _)| *at > then) {
            match change {
                Undo::Record { record, former: Some(bytes) } => {
                    self.records.insert(record, bytes);
                }
                Undo::Record { record, former: None } => {
                    self.records.remove(&record);
                }
                Undo::Entry => {
                    self.log.pop();
                }
            }
        }
    }

    pub fn holds_any(&self) -> bool {
        !self.records.is_empty() || !self.log.is_empty()
    }

    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// What a new incarnation finds; none if a durable image is not what was written.
    pub fn mount(&mut self) -> Option<(Vec<Record>, Vec<LogEntry>)> {
        // What was cut off never counted: the image beside it is in force.
        if let Some((place, bytes, sum)) = self.torn.take() {
            assert_ne!(sum_of(&bytes), sum, "half of a write has another checksum");
            if let (Some(record), Habit::InPlace) = (place, self.habit) {
                self.records.insert(record, bytes);
            }
        }
        if let (Some(Rot { place, sum, sound: _ }), true) = (&self.rot, self.habit != Habit::Unchecked) {
            let image = match place {
                Place::Record(record) => self.records.get(record),
                Place::Entry(index) => self.log.get(*index).map(|entry| &entry.command),
            };
            if image.is_some_and(|image| sum_of(image) != *sum) {
                return None;
            }
        }
        let disk = self
            .records
            .iter()
            .map(|(record, bytes)| Record { record: *record, bytes: bytes.clone() })
            .collect();
        Some((disk, self.log.clone()))
    }
}

/// Which unsynced writes survive a crash.
pub enum Survival {
    /// The first few.
    First,
    /// Any of them, by draws from this stream.
    Any(Box<Stream>),
    None,
}

fn sum_of(bytes: &[u8]) -> Tag {
    tumbler_wire::tag::tag_of(b"tumbler/image/v1", bytes)
}
