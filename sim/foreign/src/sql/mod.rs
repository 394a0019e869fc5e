//! A SQL server, as far as users and their passwords go.
//!
//! PostgreSQL's changes of users are part of a transaction; MySQL's and MariaDB's take effect at
//! once, and that is where functions break that were written for the other.
//!
//! What it deliberately does not do: tables, rows, locks (of two transactions that change one user,
//! the later commit wins), hosts (a user is `'name'@'%'`), or more of TLS than that it is there, or
//! fails for a moment.
//!
//! Invariant: a statement is answered as a real server answers it, or refused by name. PostgreSQL's and
//! MariaDB's answers are compared in `harness/tests/engines`; what differs stands in
//! `harness/FOREIGN.md`.

mod accounts;
mod catalogue;
mod date;
mod keyword;
mod native;
mod parse;
mod privilege;
mod roles;
mod statement;
mod token;
mod user;

use crate::guest::Answer;
use serde_json::json;
use statement::{Statement, Unread};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::Instant;
use user::{Acting, Password, Tls, User, Users, Validity};

/// Whose dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    Mysql,
    Mariadb,
}

impl Engine {
    pub const ALL: [Engine; 3] = [Engine::Postgres, Engine::Mysql, Engine::Mariadb];

    pub const fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Mysql => "mysql",
            Engine::Mariadb => "mariadb",
        }
    }

    pub const fn is_postgres(self) -> bool {
        matches!(self, Engine::Postgres)
    }

    pub const fn port(self) -> u16 {
        match self {
            Engine::Postgres => 5_432,
            Engine::Mysql | Engine::Mariadb => 3_306,
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL 16.4",
            Engine::Mysql => "8.0.39",
            Engine::Mariadb => "10.11.8-MariaDB",
        }
    }

    /// The version, without a name before it.
    fn number(self) -> &'static str {
        self.version().trim_start_matches("PostgreSQL ")
    }
}

/// The server.
#[derive(Clone, Debug)]
pub struct Server {
    pub engine: Engine,
    users: Users,
    sessions: BTreeMap<u64, Session>,
    /// Until then, no TLS handshake succeeds.
    pub tls_down_until: Instant,
}

#[derive(Clone, Debug)]
struct Session {
    by: Acting,
    /// The database that it was opened for.
    database: Option<String>,
    tls: bool,
    /// What an open transaction has done; PostgreSQL only.
    open: Option<Transaction>,
    commits_itself: bool,
}

#[derive(Clone, Debug, Default)]
struct Transaction {
    done: Vec<Statement>,
    failed: bool,
    /// Nobody asked for it: it ends with the last of the statements that were sent at once.
    is_implicit: bool,
}

/// What a user may do, for comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// Such as ``SELECT ON `app`.*``.
    pub privileges: BTreeSet<String>,
    pub tls: String,
}

/// Kind of the protocol's errors, the server's code, and what it says.
type Refused = (&'static str, &'static str, String);

impl Server {
    /// A server with an administrator and one application's user.
    pub fn new(engine: Engine, admin: (&str, &str), app: (&str, &str)) -> Server {
        let mut users = Users::default();
        for ((name, password), is_admin) in [(admin, true), (app, false)] {
            let user = User {
                password: Some(Password::Text(password.to_owned())),
                can_login: true,
                is_superuser: engine.is_postgres() && is_admin,
                tls: if engine.is_postgres() { Tls::None } else { Tls::Ssl },
                ..User::default()
            };
            users.add(name, user);
        }
        let root = Acting {
            name: admin.0.to_owned(),
            id: users.all[admin.0].id,
            everywhere: privilege::everything(engine),
        };
        let app = app.0;
        let told = match engine {
            Engine::Postgres => vec![format!("GRANT SELECT, INSERT ON app.orders TO \"{app}\"")],
            Engine::Mysql | Engine::Mariadb => vec![
                format!("GRANT ALL PRIVILEGES ON *.* TO `{}` WITH GRANT OPTION", admin.0),
                format!("GRANT SELECT, INSERT ON `app`.* TO `{app}`"),
            ],
        };
        for sql in told {
            for statement in parse::parse(engine, &sql).expect("our own statements are spoken here") {
                change(engine, &mut users, &root, &statement).expect("the administrator may grant");
            }
        }
        Server { engine, users, sessions: BTreeMap::new(), tls_down_until: Instant::ZERO }
    }

    /// Whether somebody with this name and password is let in, over TLS, at `now`.
    pub fn accepts(&self, now: Instant, name: &str, password: &str) -> bool {
        let lets_in = |user: &User| self.lets_in(user, now, password) && user.can_login && !user.is_locked;
        self.users.all.get(name).is_some_and(|user| lets_in(user) && !self.is_full(name, user))
    }

    /// Names of users that can log in.
    pub fn logins(&self) -> BTreeSet<&str> {
        let can = |user: &User| {
            user.can_login && !user.is_locked && (user.password.is_some() || !self.engine.is_postgres())
        };
        self.users.all.iter().filter(|(_, user)| can(user)).map(|(name, _)| name.as_str()).collect()
    }

    /// What a user may do, by itself and by its roles.
    pub fn means(&self, name: &str) -> Means {
        let mut means = Means::default();
        for user in self.users.with_roles(name).into_iter().map(|name| &self.users.all[name]) {
            for (object, held) in &user.privileges {
                means.privileges.extend(held.iter().map(|privilege| format!("{privilege} ON {object}")));
            }
        }
        means.tls = self.users.all.get(name).map(|user| user.tls.shown()).unwrap_or_default();
        means
    }

    /// Opens a session.
    pub fn connect(&mut self, now: Instant, id: u64, name: &str, password: &str, tls: bool) -> Answer {
        if tls && now < self.tls_down_until {
            return match self.engine {
                Engine::Postgres => {
                    failed("connection", "08006", "server does not support SSL, but SSL was required")
                }
                Engine::Mysql | Engine::Mariadb => {
                    failed("connection", "2026", "SSL connection error: handshake failed")
                }
            };
        }
        let known = self.users.all.get(name).filter(|user| self.lets_in(user, now, password));
        let Some(user) = known.filter(|user| tls || user.tls == Tls::None) else {
            let message = match self.engine {
                Engine::Postgres => format!("password authentication failed for user \"{name}\""),
                Engine::Mysql | Engine::Mariadb => {
                    format!("Access denied for user '{name}'@'%' (using password: YES)")
                }
            };
            return failed("auth", if self.engine.is_postgres() { "28P01" } else { "1045" }, message);
        };
        if !user.can_login {
            return failed("auth", "28000", format!("role \"{name}\" is not permitted to log in"));
        }
        if user.is_locked {
            let code = if self.engine == Engine::Mysql { "3118" } else { "4151" };
            return failed("auth", code, format!("Access denied for user '{name}'@'%'. Account is locked."));
        }
        if self.is_full(name, user) {
            return failed("refused", "53300", format!("too many connections for role \"{name}\""));
        }
        let everything =
            user.privileges.iter().find(|(object, _)| object.kind == privilege::Kind::Everything);
        let everywhere = everything.map(|(_, held)| held.clone()).unwrap_or_default();
        let by = Acting { name: name.to_owned(), id: user.id, everywhere };
        let session =
            Session { by, database: None, tls, open: None, commits_itself: !self.engine.is_postgres() };
        self.sessions.insert(id, session);
        Answer::Value(json!({ "tls": tls, "version": self.engine.version() }))
    }

    /// Names the database that a session was opened for.
    pub fn enter(&mut self, id: u64, database: &str) {
        if let (Some(session), false) = (self.sessions.get_mut(&id), database.is_empty()) {
            session.database = Some(database.to_owned());
        }
    }

    /// Whether a role has as many sessions as it may have.
    fn is_full(&self, name: &str, user: &User) -> bool {
        let open = || self.sessions.values().filter(|session| session.by.name == name).count() as u64;
        !user.is_superuser && user.connections.is_some_and(|limit| open() >= limit)
    }

    /// Whether a session is protected; none if it is gone.
    pub fn is_protected(&self, id: u64) -> Option<bool> {
        Some(self.sessions.get(&id)?.tls)
    }

    pub fn set_autocommit(&mut self, id: u64, on: bool) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.commits_itself = on || !self.engine.is_postgres();
        }
    }

    /// Ends a session; what it did not commit is gone.
    pub fn close(&mut self, id: u64) {
        self.sessions.remove(&id);
    }

    /// Executes what is sent at once in a session: all of it, or none. The last answer is told.
    pub fn execute(&mut self, now: Instant, id: u64, sql: &str) -> Answer {
        if !self.sessions.contains_key(&id) {
            return gone(self.engine);
        }
        let parsed = match parse::parse(self.engine, sql) {
            Err(Unread::Unknown) => {
                return Answer::error("Unsupported", "", format!("the world does not speak `{}`", head(sql)));
            }
            Err(Unread::Wrong(code, why)) => vec![Err(("syntax", code, why.to_owned()))],
            Ok(statements) => statements.into_iter().map(Ok).collect(),
        };
        let are_several = parsed.len() > 1;
        let mut last = done(0);
        for (index, statement) in parsed.into_iter().enumerate() {
            let session = self.session(id);
            if are_several {
                // A driver's BEGIN comes before the first, and no other.
                session.open.get_or_insert(Transaction {
                    is_implicit: session.commits_itself || index > 0,
                    ..Transaction::default()
                });
            }
            last = self.execute_one(now, id, statement);
            // It may have ended its own.
            if !self.sessions.contains_key(&id) {
                return last;
            }
            if matches!(last, Answer::Error { .. }) {
                let open = &mut self.session(id).open;
                *open = open.take().filter(|open| !open.is_implicit);
                return last;
            }
        }
        if self.session(id).open.as_ref().is_some_and(|open| open.is_implicit)
            && let refused @ Answer::Error { .. } = self.commit(id)
        {
            return refused;
        }
        last
    }

    fn execute_one(&mut self, now: Instant, id: u64, parsed: Result<Statement, Refused>) -> Answer {
        let postgres = self.engine.is_postgres();
        let session = self.session(id);
        if postgres && !session.commits_itself {
            session.open.get_or_insert_default();
        }
        let is_spoiled = session.open.as_ref().is_some_and(|open| open.failed);
        let outcome = match parsed {
            Err(wrong) => Err(wrong),
            Ok(Statement::Commit) => return self.commit(id),
            Ok(Statement::Rollback) => return self.rollback(id),
            Ok(_) if is_spoiled => {
                let why = "current transaction is aborted, commands ignored until end of transaction block";
                Err(("aborted", "25P02", why.to_owned()))
            }
            // A second one is only warned of.
            Ok(Statement::Begin) => {
                if postgres {
                    session.open.get_or_insert_default().is_implicit = false;
                }
                Ok(done(0))
            }
            Ok(statement) => self.run(now, id, statement),
        };
        outcome.unwrap_or_else(|(kind, code, message)| {
            if let Some(open) = &mut self.session(id).open {
                open.failed = true;
            }
            failed(kind, code, message)
        })
    }

    /// Makes what a transaction did last.
    pub fn commit(&mut self, id: u64) -> Answer {
        let Some(session) = self.sessions.get_mut(&id) else { return gone(self.engine) };
        let open = session.open.take().unwrap_or_default();
        if open.failed {
            return done(0);
        }
        let mut users = self.users.clone();
        for statement in &open.done {
            if let Err((kind, code, message)) = change(self.engine, &mut users, &session.by, statement) {
                return failed(kind, code, message);
            }
        }
        self.users = users;
        done(0)
    }

    pub fn rollback(&mut self, id: u64) -> Answer {
        let Some(session) = self.sessions.get_mut(&id) else { return gone(self.engine) };
        session.open = None;
        done(0)
    }

    fn session(&mut self, id: u64) -> &mut Session {
        self.sessions.get_mut(&id).expect("looked up before")
    }

    fn run(&mut self, now: Instant, id: u64, statement: Statement) -> Result<Answer, Refused> {
        let engine = self.engine;
        let Session { by, open, database, .. } = self.session(id).clone();
        // What the transaction did is seen in it and nowhere else.
        let mut seen = self.users.clone();
        for done in open.iter().flat_map(|open| &open.done) {
            change(engine, &mut seen, &by, done)?;
        }
        match statement {
            Statement::Nothing => Ok(done(0)),
            Statement::Select(asked) => {
                catalogue::scalars(now, engine, &seen, &by, (id, database.as_deref()), &asked)
            }
            Statement::Exists(asked, label) => catalogue::exists(engine, &seen, &by, &asked, &label),
            Statement::Terminate { user, spares_own, label } => {
                let is_superuser = seen.acting(&by).is_some_and(|acting| acting.is_superuser);
                let theirs = self.sessions.iter().filter(|(_, session)| session.by.name == user);
                let ids: Vec<u64> =
                    theirs.map(|(id, _)| *id).filter(|each| !spares_own || *each != id).collect();
                if !ids.is_empty() && !is_superuser && by.name != user {
                    return Err(("denied", "42501", "permission denied to terminate process".to_owned()));
                }
                ids.iter().for_each(|id| self.close(*id));
                if ids.contains(&id) {
                    let why = "terminating connection due to administrator command";
                    return Ok(failed("connection", "57P01", why));
                }
                let rows = vec![json!([true]); ids.len()];
                Ok(Answer::Value(json!({ "columns": [label], "rowcount": rows.len(), "rows": rows })))
            }
            Statement::Users(asked) => catalogue::lookup(engine, &seen, &by, &asked),
            Statement::ShowGrants { user } => catalogue::grants(engine, &seen, &by, user.as_deref()),
            writes => {
                change(engine, &mut seen, &by, &writes)?;
                if engine.is_postgres() && open.is_some() {
                    let open = self.session(id).open.as_mut().expect("opened above");
                    open.done.push(writes);
                } else {
                    self.users = seen;
                }
                Ok(done(0))
            }
        }
    }

    /// Whether the password is right and counts, and there has to be one.
    fn lets_in(&self, user: &User, now: Instant, password: &str) -> bool {
        let second = EPOCH + now.nanos() / 1_000_000_000;
        let is_valid = !matches!(user.valid, Validity::Until(until) if until <= second);
        is_valid
            && match &user.password {
                Some(known) => {
                    known.is(password) || user.retained.as_ref().is_some_and(|known| known.is(password))
                }
                None => !self.engine.is_postgres() && password.is_empty(),
            }
    }
}

/// Does to the users what a statement says.
fn change(engine: Engine, users: &mut Users, by: &Acting, statement: &Statement) -> Result<(), Refused> {
    match engine {
        Engine::Postgres => roles::change(users, by, statement),
        Engine::Mysql | Engine::Mariadb => accounts::change(engine, users, by, statement),
    }
}

fn done(count: u64) -> Answer {
    Answer::Value(json!({ "columns": [], "rowcount": count, "rows": [] }))
}

fn failed(kind: &str, code: &str, message: impl Into<String>) -> Answer {
    Answer::error(kind, code, message)
}

fn gone(engine: Engine) -> Answer {
    match engine {
        Engine::Postgres => failed("connection", "08006", "server closed the connection unexpectedly"),
        Engine::Mysql | Engine::Mariadb => {
            failed("connection", "2013", "Lost connection to MySQL server during query")
        }
    }
}

/// The statement's first words, without anything that may be a secret.
fn head(sql: &str) -> String {
    let words = sql.split_whitespace().take_while(|word| !word.contains(['\'', '"']));
    words.take(HEAD_WORDS).collect::<Vec<_>>().join(" ")
}

/// The calendar's second at which a run begins: 2030-01-01.
pub const EPOCH: u64 = 1_893_456_000;
const HEAD_WORDS: usize = 5;

#[cfg(test)]
mod tests;
