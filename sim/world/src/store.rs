//! A node's disk and log: writes are pending until they are durable, and a crash keeps durable bytes.
//!
//! Records are written atomically, in the order of the effects. At a crash a prefix of the pending
//! writes, drawn from the node's own stream, turns out to have reached the disk: a role that was
//! never told may still find its bytes.
//!
//! `Model:` torn writes, bit rot, full disks and reordering inside one node's writes are not here.

use std::collections::{BTreeMap, VecDeque};
use tumbler_plan::{Stream, StreamName};
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
}

/// One node's durable state, and what is on its way there.
pub struct Store {
    records: BTreeMap<RecordId, Vec<u8>>,
    log: Vec<LogEntry>,
    pending: VecDeque<Pending>,
    latency: Stream,
    torn: Stream,
    writes: u32,
    done_last: Instant,
}

impl Store {
    pub fn new(seed: u64, node: NodeId) -> Self {
        let entity = (u32::from(node.0), 0);
        Store {
            records: BTreeMap::new(),
            log: Vec::new(),
            pending: VecDeque::new(),
            latency: Stream::new(seed, StreamName::Store, entity, 0),
            torn: Stream::new(seed, StreamName::Torn, entity, 0),
            writes: 0,
            done_last: Instant::ZERO,
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
        self.pending.push_back(Pending { ordinal, token, write, told: false, fails: false });
        (done, ordinal)
    }

    pub fn pending_mut(&mut self, ordinal: u32) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.ordinal == ordinal)
    }

    /// Takes a pending write out, to be made durable or to fail. `None` if a crash took it.
    pub fn take(&mut self, ordinal: u32) -> Option<Pending> {
        let index = self.pending.iter().position(|pending| pending.ordinal == ordinal)?;
        self.pending.remove(index)
    }

    /// Makes a record durable.
    pub fn keep_record(&mut self, record: RecordId, bytes: Vec<u8>) {
        self.records.insert(record, bytes);
    }

    /// Makes a log entry durable, at the next index.
    pub fn keep_log(&mut self, at: Wall, command: Vec<u8>) -> &LogEntry {
        let index = LogIndex(u32::try_from(self.log.len()).expect("a run's log is short") + 1);
        self.log.push(LogEntry { index, at, command });
        self.log.last().expect("just pushed")
    }

    /// A crash: all pending writes end, the first few of them durable. Returns those.
    pub fn crash(&mut self) -> Vec<Pending> {
        let kept = self.torn.below(self.pending.len() as u64 + 1);
        let mut pending: Vec<Pending> = std::mem::take(&mut self.pending).into();
        // A write that a planted bug reported early is one that the disk lied about: it is lost.
        pending.truncate(usize::try_from(kept).expect("at most the number of pending writes"));
        pending.retain(|write| !write.told && !write.fails);
        pending
    }

    pub fn record(&self, record: RecordId) -> Option<&[u8]> {
        self.records.get(&record).map(Vec::as_slice)
    }

    pub fn entry(&self, index: LogIndex) -> Option<&LogEntry> {
        self.log.get(usize::try_from(index.0).ok()?.checked_sub(1)?)
    }

    pub fn log_length(&self) -> LogIndex {
        self.log.last().map_or(LogIndex(0), |entry| entry.index)
    }

    /// What a new incarnation finds.
    pub fn boot(&self) -> (Vec<Record>, Vec<LogEntry>) {
        let disk = self
            .records
            .iter()
            .map(|(record, bytes)| Record { record: *record, bytes: bytes.clone() })
            .collect();
        (disk, self.log.clone())
    }
}
