//! One invocation, call by call, and what is done to its calls.

use super::*;

impl World<'_> {
    /// One invocation, to its end.
    pub(super) fn invoke(&mut self, step: Step, token: &str, rotation: u32, is_counted: bool) -> End {
        self.guest_next += 1;
        let invocation = Invocation {
            guest: self.guest_next,
            step,
            token: token.to_owned(),
            rotation,
            began: self.now,
            sessions: Vec::new(),
            calls: 0,
            is_counted,
        };
        let invoke = Invoke {
            step,
            secret: arn(SECRET),
            token: token.to_owned(),
            now: self.now,
            life: LIFE,
            entropy: self.entropy.bytes(),
        };
        self.record(&name(&invocation), format!("begins, token {}", short(token)), None);
        let said = self.guests.start(invocation.guest, &invoke);
        self.see_through(invocation, said)
    }

    pub(super) fn see_through(&mut self, mut invocation: Invocation, mut said: Said) -> End {
        loop {
            match said {
                Said::Called(call) => {
                    self.hear(&invocation, &call.log);
                    match self.called(&mut invocation, call) {
                        After::Answer(answer) => {
                            said = self.guests.answer(invocation.guest, self.now, &answer);
                        }
                        After::End(end) => return end,
                    }
                }
                said => return self.over(&invocation, said),
            }
        }
    }

    /// The last that an invocation says.
    pub(super) fn over(&mut self, invocation: &Invocation, said: Said) -> End {
        match said {
            Said::Called(call) => unreachable!("{} was called, and nothing is over", call.op),
            Said::Done { log } => {
                self.hear(invocation, &log);
                self.record(&name(invocation), "returns".to_owned(), None);
                self.drop_sessions(invocation);
                End::Returned
            }
            Said::Raised { kind, message, at, log } => {
                self.hear(invocation, &log);
                let place = at.map_or(String::new(), |at| format!(", {at}"));
                let shows = self.veil.shows(&message);
                let told = self.veil.cover(&format!("raises {kind}: {message}{place}"));
                self.record(&name(invocation), told.clone(), None);
                self.raised = Some(told);
                // The runtime writes what a function raises into its log.
                self.judge.listen(self.now, self.seq(), shows, "in an exception, and so in the log");
                self.drop_sessions(invocation);
                End::Failed
            }
            Said::Broke(broken) => {
                let place = broken.at.map_or(String::new(), |at| format!("{at}: "));
                let told = self.veil.cover(&format!("{place}{}", broken.why));
                self.record(&name(invocation), told.clone(), None);
                self.judge.broke(self.now, self.seq(), told);
                self.is_broken = true;
                End::Failed
            }
        }
    }

    /// Answers a call, or strikes it.
    pub(super) fn called(&mut self, invocation: &mut Invocation, call: Call) -> After {
        self.take_turns();
        self.now = self.now.plus(self.latency.span(LATENCY_MIN, LATENCY_MAX));
        invocation.calls += 1;
        if self.now.since(invocation.began) > LIFE {
            self.record(&name(invocation), "its life is over".to_owned(), None);
            return self.killed(invocation);
        }
        let strike = self.strike(invocation, &call);
        let told = self.told(&call);
        self.record(&name(invocation), told, strike.map(|strike| strike.kind));
        let Some(Strike { kind, rotation, .. }) = strike else {
            return self.answered(invocation, &call);
        };
        let successor = rotation + 1;
        match kind {
            StrikeKind::RequestLost => {
                self.cut(invocation, &call);
                After::Answer(broken(self.plan.engine, &call))
            }
            StrikeKind::ReplyLost => {
                self.apply(invocation, &call);
                self.cut(invocation, &call);
                After::Answer(broken(self.plan.engine, &call))
            }
            StrikeKind::KilledBefore => self.killed(invocation),
            StrikeKind::AppliedKilled => {
                self.apply(invocation, &call);
                self.killed(invocation)
            }
            StrikeKind::Never => {
                self.now = invocation.began.plus(LIFE);
                self.killed(invocation)
            }
            StrikeKind::Held => {
                self.now = invocation.began.plus(LIFE);
                self.guests.kill(invocation.guest);
                self.record(&name(invocation), "its life is over".to_owned(), None);
                let parked = Parked::Call { invocation: invocation.clone(), call };
                self.parked.push((successor, parked));
                After::End(End::Failed)
            }
            StrikeKind::Stale => {
                let answer = self.stale(&call);
                After::Answer(answer)
            }
            StrikeKind::Doubled => {
                self.invoke(invocation.step, &invocation.token.clone(), rotation, false);
                self.answered(invocation, &call)
            }
            StrikeKind::Paused => {
                let (step, token) = (invocation.step, invocation.token.clone());
                let parked = Parked::Process { invocation: invocation.clone(), call, stopped: self.seq() };
                self.parked.push((successor, parked));
                After::End(self.invoke(step, &token, rotation, false))
            }
            StrikeKind::Late => {
                let (step, token) = (invocation.step, invocation.token.clone());
                self.parked.push((successor, Parked::Delivery { step, token, rotation }));
                self.answered(invocation, &call)
            }
            StrikeKind::Interleaved => {
                let (step, token) = (invocation.step, invocation.token.clone());
                self.straggle(invocation.clone(), call, successor);
                After::End(self.invoke(step, &token, rotation, false))
            }
            StrikeKind::Cancelled => {
                self.store.cancel(SECRET);
                self.is_cancelled = true;
                self.record("operator", "cancels the rotation".to_owned(), None);
                self.remedy(&invocation.token.clone());
                self.answered(invocation, &call)
            }
            StrikeKind::TlsFails => {
                self.server.tls_down_until = self.now.plus(Span::from_secs(5));
                self.answered(invocation, &call)
            }
        }
    }

    /// Counts the call, and says what is to be done to it.
    pub(super) fn strike(&mut self, invocation: &Invocation, call: &Call) -> Option<Strike> {
        if !invocation.is_counted {
            return None;
        }
        let count = self.calls.entry(invocation.rotation).or_default();
        *count += 1;
        let (rotation, number) = (invocation.rotation, *count);
        let is_first = invocation.calls == 1;
        self.sites.push(Site {
            rotation,
            call: number,
            step: invocation.step,
            title: call.title(),
            at: call.at.clone(),
            strikes: StrikeKind::ALL.into_iter().filter(|kind| kind.fits(call, is_first)).collect(),
        });
        let found =
            self.plan.strikes.iter().find(|strike| (strike.rotation, strike.call) == (rotation, number));
        let strike = found.copied().filter(|strike| strike.kind.fits(call, is_first))?;
        self.fired.push(strike);
        self.judge.under_fault = true;
        Some(strike)
    }

    pub(super) fn answered(&mut self, invocation: &mut Invocation, call: &Call) -> After {
        let answer = self.apply(invocation, call);
        if let Answer::Error { kind, message, .. } = &answer
            && kind == "Unsupported"
        {
            let place = call.at.as_ref().map_or(String::new(), |at| format!("{at}: "));
            let told = self.veil.cover(&format!("{place}{message}; what it speaks is in harness/FOREIGN.md"));
            self.record(&name(invocation), told.clone(), None);
            self.judge.broke(self.now, self.seq(), told);
            self.is_broken = true;
            return self.killed(invocation);
        }
        if call.op == "sleep" && self.now.since(invocation.began) > LIFE {
            self.record(&name(invocation), "its life is over".to_owned(), None);
            return self.killed(invocation);
        }
        After::Answer(answer)
    }
}

pub(super) fn name(invocation: &Invocation) -> String {
    format!("{}-{}", invocation.step.short(), invocation.guest)
}

/// What a client library says when its connection breaks.
pub(super) fn broken(engine: Engine, call: &Call) -> Answer {
    match (call.op.split_once('.'), engine) {
        (Some(("sql", _)), Engine::Postgres) => {
            Answer::error("connection", "08006", "server closed the connection unexpectedly")
        }
        (Some(("sql", _)), Engine::Mysql | Engine::Mariadb) => {
            Answer::error("connection", "2013", "Lost connection to MySQL server during query")
        }
        _ => Answer::error("ReadTimeoutError", "", "Read timeout on endpoint URL"),
    }
}
