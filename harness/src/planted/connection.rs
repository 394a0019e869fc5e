//! Rotators that believe something of a connection: whose answer comes on it, and why it breaks.

use super::flaw::{Flaw, Out, call, returned};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{Mono, NodeId, Privileges, SecretId, Span, TimerId, Token};
use tumbler_wire::Frame;
use tumbler_wire::frame::{ApplyReply, LoginReply};

/// Gives a request up after a while and keeps its connection: the answer that comes late is read as that of
/// the next request, and so on for ever.
#[derive(Default)]
pub struct ReadsLateAnswer {
    peers: BTreeMap<Token, NodeId>,
    /// Requests that wait for an answer, per connection, in the order in which they were sent.
    waiting: BTreeMap<NodeId, VecDeque<Token>>,
    /// Answers that nobody has read.
    unread: BTreeMap<NodeId, VecDeque<Vec<u8>>>,
}

impl ReadsLateAnswer {
    /// Takes a request out of those that wait; none: it does not.
    fn give_up(&mut self, peer: NodeId, token: Token) -> Option<Token> {
        let waiting = self.waiting.get_mut(&peer)?;
        let index = waiting.iter().position(|each| *each == token)?;
        waiting.remove(index)
    }
}

impl Flaw for ReadsLateAnswer {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        match input {
            Input::Timer { timer: TimerId(timer) } if timer & IMPATIENCE != 0 => {
                let token = Token(u64::from(timer & !IMPATIENCE));
                let peer = *self.peers.get(&token)?;
                self.give_up(peer, token).map(|token| Input::Unknown { token })
            }
            Input::Returned { token, frame } => {
                let peer = self.peers.remove(&token)?;
                let unread = self.unread.entry(peer).or_default();
                unread.push_back(frame);
                let token = self.waiting.get_mut(&peer)?.pop_front()?;
                Some(Input::Returned { token, frame: unread.pop_front()? })
            }
            // The connection breaks, and what was on it with it.
            Input::Unknown { token } => {
                let peer = self.peers.remove(&token)?;
                self.give_up(peer, token).map(|token| Input::Unknown { token })
            }
            other => Some(other),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Effect::Call { token, to, .. } = &effect {
            self.peers.insert(*token, *to);
            self.waiting.entry(*to).or_default().push_back(*token);
            let number = u32::try_from(token.0).expect("a run's calls are few");
            let timer = TimerId(number | IMPATIENCE);
            out.push(Effect::SetTimer { timer, after: REQUEST_MAX });
        }
        out.push(effect);
    }
}

/// Takes a connection that breaks while it closes a principal for the proof that it is closed: whoever was
/// logged in is thrown out then. It looks no further.
pub struct TakesResetForDone {
    timeout: Span,
    closing: Out<(SecretId, Mono)>,
    testing: Out<SecretId>,
    believed: BTreeSet<SecretId>,
}

impl TakesResetForDone {
    pub fn new(timeout: Span) -> Self {
        let (closing, testing) = (Out::default(), Out::default());
        TakesResetForDone { timeout, closing, testing, believed: BTreeSet::new() }
    }
}

impl Flaw for TakesResetForDone {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let (closing, testing) = (self.closing.take(&input), self.testing.take(&input));
        match (&input, closing, testing) {
            (Input::Unknown { token }, Some((secret, sent)), _) if now.mono.since(sent) < self.timeout => {
                self.believed.insert(secret);
                returned(*token, ApplyReply { applied: true, last: None })
            }
            (Input::Returned { token, .. }, _, Some(secret)) if self.believed.contains(&secret) => {
                let (blue, green) = (Privileges::ALL, Privileges::ALL);
                returned(*token, LoginReply { refusal: Some(Refusal::WrongValue), blue, green })
            }
            _ => Some(input),
        }
    }

    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, _, Frame::ApplyRequest(request))) => {
                self.believed.remove(&request.secret);
                if request.value.is_empty() {
                    self.closing.put(token, (request.secret, now.mono));
                }
            }
            Some((token, _, Frame::LoginRequest(request))) => self.testing.put(token, request.secret),
            Some(_) | None => {}
        }
        out.push(effect);
    }
}

/// Longer than any exchange takes on a link that works.
const REQUEST_MAX: Span = Span::from_millis(300);
/// Marks the timers of the shell; a role's are as few as its secrets.
const IMPATIENCE: u32 = 1 << 31;
