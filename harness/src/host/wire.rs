//! The lines between a run and a hosted role: protocol 1, as `harness/PROTOCOL.md` specifies it.
//!
//! It exists apart from [`tumbler_types::role::v1`] because the other end may be foreign code, or an
//! older build: many JSON readers hold numbers as doubles, so whatever may pass 2^53 travels as a
//! decimal string, and bytes travel as hexadecimal. The core's types stay as they are.
//!
//! What it deliberately does not do: know what a frame means, or show one. Lines hold secrets; no
//! error and no `Debug` output here quotes what a line says.
//!
//! `Invariant:` each conversion and its inverse name every field, so a new one is a compile error.

use super::text::{Decimal, Entropy, Hex};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Read};
use tumbler_types::role::v1;
use tumbler_types::{LogIndex, Mono, NodeId, RecordId, Span, TimerId, Token, Wall};

/// The version that both ends speak.
pub const PROTOCOL: u32 = 1;

/// To the host, a line each.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Hello(Hello),
    Handle(Handle),
}

/// The first request. The plan is parsed only once the protocol is known to be ours.
#[derive(Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub plan: serde_json::Value,
    pub node: NodeId,
}

/// One input, and what the node's clocks show.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handle {
    pub now: Now,
    pub input: Input,
}

/// From the host: one line per request.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `hello`.
    Ready { protocol: u32 },
    /// To `handle`, in contract order.
    Effects(Vec<Effect>),
    /// The role panicked, with this message; the host ends.
    Failed(String),
    /// The request made no sense, for this reason; the host ends.
    Refused(String),
}

/// [`v1::Now`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Now {
    wall: Decimal,
    mono: Decimal,
}

/// [`v1::Record`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    record: RecordId,
    bytes: Hex,
}

/// [`v1::LogEntry`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    index: LogIndex,
    at: Decimal,
    command: Hex,
}

/// [`v1::Input`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    Boot { disk: Vec<Record>, log: Vec<LogEntry>, entropy: Entropy },
    Persisted { token: Decimal },
    PersistFailed { token: Decimal },
    Returned { token: Decimal, frame: Hex },
    Unknown { token: Decimal },
    Committed { token: Option<Decimal>, entry: LogEntry },
    Received { from: NodeId, frame: Hex },
    Called { call: Decimal, from: NodeId, frame: Hex },
    Timer { timer: TimerId },
}

/// [`v1::Effect`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    Persist { token: Decimal, record: RecordId, bytes: Hex },
    Propose { token: Decimal, command: Hex },
    Send { to: NodeId, frame: Hex },
    Call { token: Decimal, to: NodeId, frame: Hex, timeout: Decimal },
    Reply { call: Decimal, frame: Hex },
    SetTimer { timer: TimerId, after: Decimal },
}

impl From<v1::Now> for Now {
    fn from(v1::Now { wall, mono }: v1::Now) -> Self {
        Now { wall: Decimal(wall.0), mono: Decimal(mono.0) }
    }
}

impl From<Now> for v1::Now {
    fn from(Now { wall, mono }: Now) -> Self {
        v1::Now { wall: Wall(wall.0), mono: Mono(mono.0) }
    }
}

impl From<v1::Record> for Record {
    fn from(v1::Record { record, bytes }: v1::Record) -> Self {
        Record { record, bytes: Hex(bytes) }
    }
}

impl From<Record> for v1::Record {
    fn from(Record { record, bytes: Hex(bytes) }: Record) -> Self {
        v1::Record { record, bytes }
    }
}

impl From<v1::LogEntry> for LogEntry {
    fn from(v1::LogEntry { index, at, command }: v1::LogEntry) -> Self {
        LogEntry { index, at: Decimal(at.0), command: Hex(command) }
    }
}

impl From<LogEntry> for v1::LogEntry {
    fn from(LogEntry { index, at, command: Hex(command) }: LogEntry) -> Self {
        v1::LogEntry { index, at: Wall(at.0), command }
    }
}

impl From<v1::Input> for Input {
    fn from(input: v1::Input) -> Self {
        use v1::Input as From;
        match input {
            From::Boot { disk, log, entropy } => Input::Boot {
                disk: disk.into_iter().map(Into::into).collect(),
                log: log.into_iter().map(Into::into).collect(),
                entropy: Entropy(entropy),
            },
            From::Persisted { token } => Input::Persisted { token: Decimal(token.0) },
            From::PersistFailed { token } => Input::PersistFailed { token: Decimal(token.0) },
            From::Returned { token, frame } => Input::Returned { token: Decimal(token.0), frame: Hex(frame) },
            From::Unknown { token } => Input::Unknown { token: Decimal(token.0) },
            From::Committed { token, entry } => {
                Input::Committed { token: token.map(|token| Decimal(token.0)), entry: entry.into() }
            }
            From::Received { from, frame } => Input::Received { from, frame: Hex(frame) },
            From::Called { call, from, frame } => {
                Input::Called { call: Decimal(call.0), from, frame: Hex(frame) }
            }
            From::Timer { timer } => Input::Timer { timer },
        }
    }
}

impl From<Input> for v1::Input {
    fn from(input: Input) -> Self {
        use v1::Input as To;
        match input {
            Input::Boot { disk, log, entropy: Entropy(entropy) } => To::Boot {
                disk: disk.into_iter().map(Into::into).collect(),
                log: log.into_iter().map(Into::into).collect(),
                entropy,
            },
            Input::Persisted { token } => To::Persisted { token: Token(token.0) },
            Input::PersistFailed { token } => To::PersistFailed { token: Token(token.0) },
            Input::Returned { token, frame: Hex(frame) } => To::Returned { token: Token(token.0), frame },
            Input::Unknown { token } => To::Unknown { token: Token(token.0) },
            Input::Committed { token, entry } => {
                To::Committed { token: token.map(|token| Token(token.0)), entry: entry.into() }
            }
            Input::Received { from, frame: Hex(frame) } => To::Received { from, frame },
            Input::Called { call, from, frame: Hex(frame) } => {
                To::Called { call: Token(call.0), from, frame }
            }
            Input::Timer { timer } => To::Timer { timer },
        }
    }
}

impl From<v1::Effect> for Effect {
    fn from(effect: v1::Effect) -> Self {
        use v1::Effect as From;
        match effect {
            From::Persist { token, record, bytes } => {
                Effect::Persist { token: Decimal(token.0), record, bytes: Hex(bytes) }
            }
            From::Propose { token, command } => {
                Effect::Propose { token: Decimal(token.0), command: Hex(command) }
            }
            From::Send { to, frame } => Effect::Send { to, frame: Hex(frame) },
            From::Call { token, to, frame, timeout } => {
                Effect::Call { token: Decimal(token.0), to, frame: Hex(frame), timeout: Decimal(timeout.0) }
            }
            From::Reply { call, frame } => Effect::Reply { call: Decimal(call.0), frame: Hex(frame) },
            From::SetTimer { timer, after } => Effect::SetTimer { timer, after: Decimal(after.0) },
        }
    }
}

impl From<Effect> for v1::Effect {
    fn from(effect: Effect) -> Self {
        use v1::Effect as To;
        match effect {
            Effect::Persist { token, record, bytes: Hex(bytes) } => {
                To::Persist { token: Token(token.0), record, bytes }
            }
            Effect::Propose { token, command: Hex(command) } => {
                To::Propose { token: Token(token.0), command }
            }
            Effect::Send { to, frame: Hex(frame) } => To::Send { to, frame },
            Effect::Call { token, to, frame: Hex(frame), timeout } => {
                To::Call { token: Token(token.0), to, frame, timeout: Span(timeout.0) }
            }
            Effect::Reply { call, frame: Hex(frame) } => To::Reply { call: Token(call.0), frame },
            Effect::SetTimer { timer, after } => To::SetTimer { timer, after: Span(after.0) },
        }
    }
}

/// Reads one line without its end into the buffer; false at the end of the stream.
pub fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    from.by_ref().take(LINE_MAX).read_until(b'\n', line)?;
    match line.pop() {
        Some(b'\n') => Ok(true),
        None => Ok(false),
        Some(_) if line.len() + 1 < LINE_MAX as usize => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the last line has no end"))
        }
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 64 MiB")),
    }
}

/// The line of a value, with its end.
pub fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("lines are plain data");
    line.push(b'\n');
    line
}

/// Where a line went wrong and what was expected there, without a word of what it said.
pub fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = text.rfind(" at line ").unwrap_or(text.len());
    let from = text[..place].rfind("expected").unwrap_or(0);
    let from = if error.is_data() { from } else { 0 };
    format!("column {}: {}", error.column(), &text[from..place])
}

/// A boot carries a whole log; nothing honest comes near this.
const LINE_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn there_and_back(input: &v1::Input) -> String {
        let text = serde_json::to_string(&Input::from(input.clone())).expect("plain data");
        let back: Input = serde_json::from_str(&text).expect("its own text");
        assert_eq!(&v1::Input::from(back), input, "{text}");
        text
    }

    #[test]
    fn every_input_and_effect_survives_the_pipe() {
        let entry = v1::LogEntry { index: LogIndex(1), at: Wall(u64::MAX), command: vec![3, 255] };
        let record = v1::Record { record: RecordId(u32::MAX), bytes: vec![] };
        let (token, from) = (Token(u64::MAX), NodeId(7));
        let inputs = [
            v1::Input::Boot { disk: vec![record], log: vec![entry.clone()], entropy: [7; 32] },
            v1::Input::Persisted { token },
            v1::Input::PersistFailed { token },
            v1::Input::Returned { token, frame: vec![0, 16] },
            v1::Input::Unknown { token },
            v1::Input::Committed { token: None, entry: entry.clone() },
            v1::Input::Committed { token: Some(token), entry },
            v1::Input::Received { from, frame: vec![1] },
            v1::Input::Called { call: token, from, frame: vec![] },
            v1::Input::Timer { timer: TimerId(4) },
        ];
        inputs.iter().for_each(|input| drop(there_and_back(input)));
        let effects = [
            v1::Effect::Persist { token, record: RecordId(2), bytes: vec![9; 40] },
            v1::Effect::Propose { token, command: vec![1] },
            v1::Effect::Send { to: from, frame: vec![2] },
            v1::Effect::Call { token, to: from, frame: vec![3], timeout: Span(u64::MAX) },
            v1::Effect::Reply { call: token, frame: vec![4] },
            v1::Effect::SetTimer { timer: TimerId(1), after: Span((1 << 53) + 1) },
        ];
        for effect in effects {
            let text = serde_json::to_string(&Effect::from(effect.clone())).expect("plain data");
            let back: Effect = serde_json::from_str(&text).expect("its own text");
            assert_eq!(v1::Effect::from(back), effect, "{text}");
        }
    }

    #[test]
    fn large_numbers_are_strings_and_bytes_are_hexadecimal() {
        let call = v1::Input::Called { call: Token(u64::MAX), from: NodeId(3), frame: vec![0, 171] };
        let expect = r#"{"called":{"call":"18446744073709551615","from":3,"frame":"00ab"}}"#;
        assert_eq!(there_and_back(&call), expect);
    }

    #[test]
    fn what_is_not_canonical_is_refused_without_quoting_it() {
        let secret = "5ec4e7";
        let decimal = "expected an unsigned decimal number below 2^64 in a string";
        let hex = "expected bytes in lower-case hexadecimal";
        let table = [
            (r#"{"persisted":{"token":7}}"#.to_owned(), decimal),
            (r#"{"persisted":{"token":"007"}}"#.to_owned(), decimal),
            (r#"{"persisted":{"token":"+7"}}"#.to_owned(), decimal),
            (r#"{"persisted":{"token":""}}"#.to_owned(), decimal),
            (r#"{"persisted":{"token":"18446744073709551616"}}"#.to_owned(), decimal),
            (format!(r#"{{"received":{{"from":1,"frame":"{secret}0"}}}}"#), hex),
            (format!(r#"{{"received":{{"from":1,"frame":"{secret}FF"}}}}"#), hex),
            (format!(r#"{{"received":{{"from":"{secret}","frame":""}}}}"#), "expected u16"),
            (format!(r#"{{"received":{{"from":1,"{secret}":""}}}}"#), "expected `from` or `frame`"),
            (format!(r#"{{"{secret}":{{}}}}"#), "expected one of `boot`"),
            (r#"{"received":{"from":1}}"#.to_owned(), "missing field `frame`"),
            (secret.to_owned(), "expected value"),
        ];
        for (text, expect) in table {
            let error = serde_json::from_str::<Input>(&text).err().expect("it is refused");
            let got = complaint(&error);
            assert!(got.contains(expect) && got.starts_with("column "), "{text}: {got}");
            assert!(!got.contains(secret), "{got}");
        }
    }

    #[test]
    fn lines_end_and_streams_end_at_a_line() {
        let mut stream: &[u8] = b"one\n\ntwo";
        let mut line = Vec::new();
        assert!(read_line(&mut stream, &mut line).expect("a line") && line == b"one");
        assert!(read_line(&mut stream, &mut line).expect("a line") && line.is_empty());
        assert!(read_line(&mut stream, &mut line).is_err());
        assert!(!read_line(&mut stream, &mut line).expect("the end"));
    }
}
