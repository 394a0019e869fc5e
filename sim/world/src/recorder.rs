//! Numbers, digests and judges every observed event.

use crate::outcome::Options;
use tumbler_plan::DigestChain;
use tumbler_spec::{Judges, RecordView};
use tumbler_types::{Event, Instant, LogIndex, NodeId, Observed};

/// Where every event of a run goes, at the moment at which it happens.
pub struct Recorder {
    seq: u64,
    chain: Option<DigestChain>,
    judges: Option<Judges>,
    trace: Option<Vec<Observed>>,
    heartbeat: Option<fn(u64, Instant, NodeId)>,
}

impl Recorder {
    pub fn new(judges: Option<Judges>, options: &Options) -> Self {
        Recorder {
            seq: 0,
            chain: options.digest.then(DigestChain::new),
            judges,
            trace: options.keep_trace.then(Vec::new),
            heartbeat: options.heartbeat,
        }
    }

    pub fn record(&mut self, at: Instant, node: NodeId, event: Event) {
        let observed = Observed { seq: self.seq, at, node, event };
        self.seq += 1;
        if let Some(chain) = &mut self.chain {
            chain.push(&observed);
        }
        if let Some(judges) = &mut self.judges {
            judges.observe(&observed);
        }
        if let Some(trace) = &mut self.trace {
            trace.push(observed);
        }
        if let Some(heartbeat) = self.heartbeat
            && observed.seq.is_multiple_of(1024)
        {
            heartbeat(observed.seq, at, node);
        }
    }

    /// Shows the judges what a node believes, if they would learn from it. Nothing is recorded: a digest is
    /// the same without judges.
    pub fn look(
        &mut self,
        at: Instant,
        node: NodeId,
        index: LogIndex,
        view: impl FnOnce() -> Option<RecordView>,
    ) {
        let seq = self.seq.saturating_sub(1);
        if let Some(judges) = self.judges.as_mut().filter(|judges| judges.awaits_view(index))
            && let Some(view) = view()
        {
            judges.look(seq, at, node, &view);
        }
    }

    /// Number of events so far.
    pub fn events(&self) -> u64 {
        self.seq
    }

    pub fn into_parts(self) -> (DigestChain, Option<Judges>, Vec<Observed>) {
        (self.chain.unwrap_or_default(), self.judges, self.trace.unwrap_or_default())
    }
}
