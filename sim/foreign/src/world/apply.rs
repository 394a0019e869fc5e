//! What a call does to store and server.

use super::*;

impl World<'_> {
    /// Applies a call to store or server.
    pub(super) fn apply(&mut self, invocation: &mut Invocation, call: &Call) -> Answer {
        let answer = match call.op.split_once('.') {
            Some(("secretsmanager", _)) => self.apply_store(call),
            Some(("rds", _)) => self.plan.layout.handle_call(call, self.plan.engine),
            Some(("sql", op)) => self.apply_sql(invocation, op, call),
            _ if call.op == "sleep" => {
                let millis = call.args.get("millis").and_then(Value::as_u64).unwrap_or(0);
                self.now = self.now.plus(Span::from_millis(millis.min(SLEEP_MAX_MS)));
                Answer::Value(Value::Null)
            }
            _ => Answer::error("Unsupported", "", format!("the world has no operation {}", call.op)),
        };
        self.observe();
        answer
    }

    pub(super) fn apply_store(&mut self, call: &Call) -> Answer {
        let before = (!call.reads()).then(|| self.store.clone());
        let random =
            if call.op.ends_with("get_random_password") { letters(&mut self.entropy) } else { String::new() };
        let answer = self.store.handle_call(call, &random);
        if let Answer::Value(value) = &answer {
            if let Some(password) = value.get("RandomPassword").and_then(Value::as_str) {
                self.veil.hide(password);
            }
            if let Some((_, password)) = Some(call.text("SecretString")).and_then(credential) {
                self.veil.hide(&password);
            }
        }
        if let Some(before) = before.filter(|before| *before != self.store) {
            self.store_before = before;
        }
        answer
    }

    /// A read of a copy that has not yet heard of the last change.
    pub(super) fn stale(&mut self, call: &Call) -> Answer {
        match call.op.split_once('.') {
            Some(("secretsmanager", _)) => self.store_before.clone().handle_call(call, ""),
            _ => self.plan.layout.handle_call(call, self.plan.engine),
        }
    }

    pub(super) fn apply_sql(&mut self, invocation: &mut Invocation, op: &str, call: &Call) -> Answer {
        let number = call.args.get("connection").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let is_own = invocation.sessions.contains(&number);
        let id = if is_own { number } else { u64::MAX };
        let flag = |name: &str| call.args.get(name).and_then(Value::as_bool).unwrap_or(false);
        match op {
            "connect" => {
                if !self.plan.layout.has_host(call.text("host")) {
                    return Answer::error("connection", "08001", "could not translate host name to address");
                }
                self.session_next += 1;
                let id = self.session_next;
                self.veil.hide(call.text("password"));
                let (user, password) = (call.text("user"), call.text("password"));
                let answer = self.server.connect(self.now, id, user, password, flag("tls"));
                let Answer::Value(mut value) = answer else { return answer };
                self.server.enter(id, call.text("database"));
                invocation.sessions.push(id);
                value["connection"] = json!(id);
                Answer::Value(value)
            }
            "execute" => {
                let sql = call.text("sql");
                if let (Some(is_protected), true) = (self.server.is_protected(id), self.veil.shows(sql)) {
                    self.judge.listen(self.now, self.seq(), !is_protected, "on a wire without TLS");
                }
                // A client's own setting: it goes with the statement, and nothing else is sent for it.
                if let Some(on) = call.args.get("autocommit").and_then(Value::as_bool) {
                    self.server.set_autocommit(id, on);
                }
                self.server.execute(self.now, id, sql)
            }
            "ping" => self.server.execute(self.now, id, "SELECT 1"),
            "autocommit" => {
                self.server.set_autocommit(id, flag("on"));
                Answer::Value(Value::Null)
            }
            "commit" => self.server.commit(id),
            "rollback" => self.server.rollback(id),
            "close" => {
                self.server.close(id);
                Answer::Value(Value::Null)
            }
            _ => Answer::error("Unsupported", "", format!("the world has no operation {}", call.op)),
        }
    }

    /// The connection of a lost call is gone with it.
    pub(super) fn cut(&mut self, invocation: &Invocation, call: &Call) {
        if let Some(number) = call.args.get("connection").and_then(Value::as_u64)
            && invocation.sessions.contains(&number)
        {
            self.server.close(number);
        }
        self.now = self.now.plus(LOST);
    }

    pub(super) fn killed(&mut self, invocation: &Invocation) -> After {
        self.guests.kill(invocation.guest);
        self.drop_sessions(invocation);
        After::End(End::Failed)
    }

    pub(super) fn drop_sessions(&mut self, invocation: &Invocation) {
        invocation.sessions.iter().for_each(|id| self.server.close(*id));
    }

    pub(super) fn hear(&mut self, invocation: &Invocation, log: &[String]) {
        for line in log {
            let shows = self.veil.shows(line);
            if shows {
                let told = self.veil.cover(line);
                self.record(&invocation::name(invocation), format!("logs: {told}"), None);
            }
            self.judge.listen(self.now, self.seq(), shows, "in the log");
        }
    }
}

/// Letters of which a random password is made: all that the service has.
pub(super) fn letters(stream: &mut Stream) -> String {
    const ALPHABET: &[u8] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    let draw = |_| {
        let index = usize::try_from(stream.below(ALPHABET.len() as u64)).expect("a small index");
        char::from(ALPHABET[index])
    };
    (0..256).map(draw).collect()
}
