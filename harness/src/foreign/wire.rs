//! Lines of the foreign protocol, version 1: `harness/FOREIGN.md` in code.
//!
//! It deliberately repairs nothing: a line that is not the page's is refused with what was expected.

use serde_json::{Value, json};
use tumbler_foreign::sql::EPOCH;
use tumbler_foreign::{Answer, Break, Call, Invoke, Said};
use tumbler_types::{Instant, Span};

/// The version that the page describes.
pub const PROTOCOL: u64 = 1;

/// The line that begins an invocation.
pub fn invoke(invoke: &Invoke) -> String {
    let Invoke { step, secret, token, now, life, entropy } = invoke;
    let entropy: String = entropy.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "invoke": {
        "protocol": PROTOCOL, "step": step.name(), "secret": secret, "token": token,
        "now": clock(*now), "life": life.nanos().to_string(), "entropy": entropy,
    }})
    .to_string()
}

/// The line that answers a call.
pub fn answer(now: Instant, answer: &Answer) -> String {
    let told = match answer {
        Answer::Value(value) => json!({ "now": clock(now), "value": value }),
        Answer::Error { kind, message, code } => {
            json!({ "now": clock(now), "error": { "kind": kind, "code": code, "message": message } })
        }
    };
    json!({ "answer": told }).to_string()
}

/// What a line of a guest says; one that says nothing that the page knows is a break.
pub fn said(line: &str) -> Said {
    read(line).unwrap_or_else(|why| Said::Broke(Break { why, at: None }))
}

fn read(line: &str) -> Result<Said, String> {
    let shown: String = line.chars().take(SHOWN).filter(|each| !each.is_control()).collect();
    let expected = || {
        format!(
            "expected a line with call, done, raised or broke, got `{shown}`; print for people to standard error"
        )
    };
    let value: Value = serde_json::from_str(line).map_err(|_| expected())?;
    let object = value.as_object().filter(|object| object.len() == 1).ok_or_else(expected)?;
    let (what, told) = object.iter().next().ok_or_else(expected)?;
    let text = |name: &str| {
        let found = told.get(name).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| format!("expected the text `{name}` in {what}"))
    };
    let at = match told.get("at") {
        None | Some(Value::Null) => None,
        Some(Value::String(at)) => Some(at.clone()),
        Some(_) => return Err(format!("expected the text `at`, or null, in {what}")),
    };
    let log = || {
        let lines = told.get("log").and_then(Value::as_array);
        let lines =
            lines.and_then(|lines| lines.iter().map(|line| line.as_str().map(str::to_owned)).collect());
        lines.ok_or_else(|| format!("expected the list `log` of texts in {what}; it may be empty"))
    };
    match what.as_str() {
        "call" => {
            let args = told.get("args").and_then(Value::as_object).cloned();
            let args = args.ok_or_else(|| "expected the object `args` in call".to_owned())?;
            Ok(Said::Called(Call { op: text("op")?, args, at, log: log()? }))
        }
        "done" => Ok(Said::Done { log: log()? }),
        "raised" => Ok(Said::Raised { kind: text("kind")?, message: text("message")?, at, log: log()? }),
        "broke" => Ok(Said::Broke(Break { why: text("why")?, at })),
        _ => Err(expected()),
    }
}

/// Nanoseconds of the calendar, as decimal text: no reader may round them.
fn clock(now: Instant) -> String {
    now.plus(Span::from_secs(EPOCH)).nanos().to_string()
}

const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_does_not_know_is_a_break_that_says_what_was_expected() {
        for (line, expect) in [
            ("hello", "got `hello`; print for people to standard error"),
            ("{}", "expected a line with call"),
            ("[1]", "expected a line with call"),
            (r#"{"call":{"args":{}}}"#, "expected the text `op` in call"),
            (r#"{"call":{"op":"x"}}"#, "expected the object `args` in call"),
            (r#"{"raised":{"kind":"x"}}"#, "expected the text `message` in raised"),
            (r#"{"shout":{}}"#, "expected a line with call"),
            (r#"{"done":{}}"#, "expected the list `log` of texts in done; it may be empty"),
            (r#"{"done":{"log":[1]}}"#, "expected the list `log` of texts in done"),
            (r#"{"call":{"op":"x","args":{}}}"#, "expected the list `log` of texts in call"),
            (r#"{"call":{"op":"x","args":{},"log":[],"at":7}}"#, "expected the text `at`, or null, in call"),
        ] {
            match said(line) {
                Said::Broke(broken) => assert!(broken.why.contains(expect), "{line}: {}", broken.why),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert_eq!(said(r#"{"done":{"log":[]}}"#), Said::Done { log: Vec::new() });
    }
}
