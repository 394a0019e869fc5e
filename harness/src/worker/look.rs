//! A worker looks inside a run: charts, exports, digests of prefixes, parts of a trace.
//!
//! What is made of a trace is made here, where it is, so that only what was asked for crosses the pipe.

use super::Work;
use crate::itf::itf;
use crate::job::{Done, Job, Look};
use crate::judgement;
use tumbler_plan::trace::v1;
use tumbler_plan::{Checkpoint, Fault, Plan};
use tumbler_reports::export::export;
use tumbler_reports::teller::named;
use tumbler_types::{FaultId, Observed};
use tumbler_world::{Options, Outcome, Realized};

impl Work<'_> {
    pub(super) fn look(&self, job: &Job, until: Option<u64>, look: &Look) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let outcome = match self.run(plan, &Options { keep_trace: true, until, ..self.options() }) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let report = judgement::report(name, plan, &outcome, self.settings.blind);
        let text = match look {
            Look::Explain { died: None } => tumbler_reports::explain(plan, &outcome.trace, &report),
            Look::States => Some(itf(plan, &outcome.trace)),
            Look::Export { form } => Some(export(&plan.topology, &outcome.trace, *form)),
            Look::Explain { died: Some(words) } => {
                let died = judgement::died(name, plan, words.clone());
                tumbler_reports::explain(plan, &outcome.trace, &died)
            }
        };
        Done { text, ..Done::of(*id, report) }
    }

    pub(super) fn chain(&self, job: &Job) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let outcome = match self.run(plan, &self.options()) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        Done {
            samples: chain(&outcome),
            ..Done::of(*id, judgement::report(name, plan, &outcome, self.settings.blind))
        }
    }

    /// The plan with what one fault of links did to single messages in the place of that fault.
    pub(super) fn realize(&self, job: &Job, fault: FaultId, first: FaultId) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let outcome = match self.run(plan, &Options { realize: true, ..self.options() }) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let single: Vec<&Realized> = outcome.realized.iter().filter(|each| each.fault == fault).collect();
        let mut done = Done::of(*id, judgement::report(name, plan, &outcome, self.settings.blind));
        if !(1..=SINGLE_MAX).contains(&single.len()) {
            return done;
        }
        let mut edited = plan.clone();
        edited.faults.retain(|each| each.id != fault);
        let ids = std::iter::successors(Some(first), |id| Some(id.next()));
        edited.faults.extend(ids.zip(single).map(|(id, Realized { fault: _, trigger, action })| Fault {
            id,
            trigger: *trigger,
            action: action.clone(),
        }));
        done.edited = Some(edited);
        done
    }

    pub(super) fn slice(&self, job: &Job, from: u64, to: u64) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let options = Options { keep_trace: true, until: Some(to), ..self.options() };
        let outcome = match self.run(plan, &options) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let lines = slice(plan, &outcome.trace, from, to);
        Done { lines, ..Done::of(*id, judgement::report(name, plan, &outcome, self.settings.blind)) }
    }
}

/// More single messages than this are no smaller than the fault that hit them.
const SINGLE_MAX: usize = 512;

/// A run's checkpoints, and one of the whole.
pub(super) fn chain(outcome: &Outcome) -> Vec<Checkpoint> {
    let whole = Checkpoint { events: outcome.events, at: outcome.end_at, digest: outcome.digest };
    outcome.checkpoints.iter().copied().chain([whole]).collect()
}

/// The exported events from one step to before another.
fn slice(plan: &Plan, trace: &[Observed], from: u64, to: u64) -> Vec<v1::Event> {
    let wanted = trace.iter().filter(|observed| (from..to).contains(&observed.seq));
    wanted.map(|observed| shown(plan, observed)).collect()
}

/// The exported event, other nodes in its fields by their names too.
pub(super) fn shown(plan: &Plan, observed: &Observed) -> v1::Event {
    let mut event = v1::Event::new(&plan.topology, observed);
    event.fields.values_mut().for_each(|value| *value = named(&plan.topology, value));
    event
}
