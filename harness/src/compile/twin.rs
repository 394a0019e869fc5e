//! Planted flaws of the machine by name, and which planted bug of the simulator is the same.

use crate::nearest::hint;
use tumbler_plan::Planted;
use tumbler_spec::machine::Mutation;

/// The planted bug that makes a run do what the flaw makes the machine do. None: the flaw is one of the
/// authority's guards, or of knowledge that a rotator's seam does not show, and has no twin.
pub const fn twin(flaw: Mutation) -> Option<Planted> {
    match flaw {
        Mutation::IgnoreFence => Some(Planted::TargetIgnoresFences),
        Mutation::RegenerateOnUnknown => Some(Planted::RotatorRegenerates),
        Mutation::AcknowledgeEarly => Some(Planted::AgentAcknowledgesUnstored),
        Mutation::ServeExpired => Some(Planted::AgentServesPastLease),
        Mutation::RetireUnsent | Mutation::RetireUnseen => Some(Planted::RotatorForgetsRetire),
        Mutation::ForgiveDebt | Mutation::SkipQuery => Some(Planted::RotatorForgetsRevocation),
        Mutation::PromiseEarly => Some(Planted::SendBeforePersist),
        Mutation::EffectBeforeIntent => Some(Planted::RotatorValidatesLate),
        Mutation::CompareReread => Some(Planted::AuthorityIgnoresEpoch),
        _ => None,
    }
}

/// The flaw of this name: its words, in lower case, joined by hyphens.
pub fn flaw(text: &str) -> Result<Mutation, String> {
    let names: Vec<(String, Mutation)> = Mutation::ALL.into_iter().map(|flaw| (name(flaw), flaw)).collect();
    match names.iter().find(|(name, _)| name == text) {
        Some((_, flaw)) => Ok(*flaw),
        None => {
            let known: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            let all = format!("known: {}", known.join(", "));
            Err(format!("`{text}` is no flaw of the machine{}", hint(text, known.iter().copied(), &all)))
        }
    }
}

pub fn name(flaw: Mutation) -> String {
    let mut name = String::new();
    for letter in format!("{flaw:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
