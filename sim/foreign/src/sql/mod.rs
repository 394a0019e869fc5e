//! A SQL server, as far as users and their passwords go.
//!
//! PostgreSQL's changes of users are part of a transaction; MySQL's and MariaDB's take effect at
//! once, and that is where functions break that were written for the other.
//!
//! What it deliberately does not do: tables, rows, locks (of two transactions that change one user,
//! the later commit wins), hosts (a user is `'name'@'%'`), or more of TLS than that it is there, or
//! fails for a moment.

pub mod statement;
pub mod token;

use crate::guest::Answer;
use serde_json::{Value, json};
use statement::{Options, Scalar, Statement};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::Instant;

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
}

/// The server.
#[derive(Clone, Debug)]
pub struct Server {
    pub engine: Engine,
    users: BTreeMap<String, User>,
    sessions: BTreeMap<u64, Session>,
    /// Until then, no TLS handshake succeeds.
    pub tls_down_until: Instant,
}

/// One user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    password: Option<String>,
    can_login: bool,
    is_superuser: bool,
    creates_roles: bool,
    roles: BTreeSet<String>,
    privileges: BTreeSet<String>,
    /// Seconds since the epoch of the calendar.
    valid_until: Option<u64>,
    tls: String,
}

#[derive(Clone, Debug)]
struct Session {
    user: String,
    tls: bool,
    /// What an open transaction has done; PostgreSQL only.
    open: Option<Transaction>,
    commits_itself: bool,
}

#[derive(Clone, Debug, Default)]
struct Transaction {
    done: Vec<Statement>,
    failed: bool,
}

/// What a user may do, for comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Means {
    pub privileges: BTreeSet<String>,
    pub tls: String,
}

type Users = BTreeMap<String, User>;
type Refused = (&'static str, &'static str, String);

impl Server {
    /// A server with an administrator and one application's user.
    pub fn new(engine: Engine, admin: (&str, &str), app: (&str, &str)) -> Server {
        let user = |password: &str, is_superuser: bool| User {
            password: Some(password.to_owned()),
            can_login: true,
            is_superuser,
            creates_roles: is_superuser,
            tls: if engine.is_postgres() { String::new() } else { "SSL".to_owned() },
            ..User::default()
        };
        let mut owner = user(app.1, false);
        owner.privileges.insert(if engine.is_postgres() {
            "SELECT, INSERT ON app.orders".to_owned()
        } else {
            "SELECT, INSERT ON `app`.*".to_owned()
        });
        let users = [(admin.0.to_owned(), user(admin.1, true)), (app.0.to_owned(), owner)].into();
        Server { engine, users, sessions: BTreeMap::new(), tls_down_until: Instant::ZERO }
    }

    /// Whether somebody with this name and password is let in, over TLS, at `now`.
    pub fn accepts(&self, now: Instant, name: &str, password: &str) -> bool {
        self.users.get(name).is_some_and(|user| user.lets_in(now, password))
    }

    /// Names of users that can log in.
    pub fn logins(&self) -> BTreeSet<&str> {
        let with = self.users.iter().filter(|(_, user)| user.can_login && user.password.is_some());
        with.map(|(name, _)| name.as_str()).collect()
    }

    /// What a user may do, by itself and by its roles.
    pub fn means(&self, name: &str) -> Means {
        let mut means = Means::default();
        let mut open = vec![name];
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(user) = self.users.get(name).filter(|_| seen.insert(name)) else { continue };
            means.privileges.extend(user.privileges.iter().cloned());
            open.extend(user.roles.iter().map(String::as_str));
        }
        means.tls = self.users.get(name).map(|user| user.tls.clone()).unwrap_or_default();
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
        let known = self.users.get(name);
        let needs_tls = known.is_some_and(|user| !matches!(user.tls.as_str(), "" | "NONE"));
        if !self.accepts(now, name, password) || needs_tls && !tls {
            let message = match self.engine {
                Engine::Postgres => format!("password authentication failed for user \"{name}\""),
                Engine::Mysql | Engine::Mariadb => {
                    format!("Access denied for user '{name}'@'%' (using password: YES)")
                }
            };
            return failed("auth", if self.engine.is_postgres() { "28P01" } else { "1045" }, message);
        }
        let session =
            Session { user: name.to_owned(), tls, open: None, commits_itself: !self.engine.is_postgres() };
        self.sessions.insert(id, session);
        Answer::Value(json!({ "tls": tls, "version": self.engine.version() }))
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

    /// Executes one statement in a session.
    pub fn execute(&mut self, now: Instant, id: u64, sql: &str) -> Answer {
        let Some(session) = self.sessions.get(&id) else { return gone(self.engine) };
        let Some(statement) = statement::parse(self.engine, sql) else {
            return Answer::error("Unsupported", "", format!("the world does not speak `{}`", head(sql)));
        };
        let user = session.user.clone();
        match statement {
            Statement::Begin => self.session(id).open = Some(Transaction::default()),
            Statement::Commit => return self.commit(id),
            Statement::Rollback => return self.rollback(id),
            statement => {
                let outcome = self.run(now, id, &user, statement);
                return outcome.unwrap_or_else(|(kind, code, message)| {
                    if let Some(open) = &mut self.session(id).open {
                        open.failed = true;
                    }
                    failed(kind, code, message)
                });
            }
        }
        done(0)
    }

    /// Makes what a transaction did last.
    pub fn commit(&mut self, id: u64) -> Answer {
        let Some(session) = self.sessions.get_mut(&id) else { return gone(self.engine) };
        let open = session.open.take().unwrap_or_default();
        if open.failed {
            return done(0);
        }
        let user = session.user.clone();
        let mut users = self.users.clone();
        for statement in &open.done {
            if let Err((kind, code, message)) = change(self.engine, &mut users, &user, statement) {
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

    fn run(&mut self, now: Instant, id: u64, user: &str, statement: Statement) -> Result<Answer, Refused> {
        let engine = self.engine;
        let session = self.session(id);
        if engine.is_postgres() && !session.commits_itself {
            session.open.get_or_insert_default();
        }
        let open = session.open.clone();
        if open.as_ref().is_some_and(|open| open.failed) {
            let why = "current transaction is aborted, commands ignored until end of transaction block";
            return Err(("aborted", "25P02", why.to_owned()));
        }
        // What the transaction did is seen in it and nowhere else.
        let mut seen = self.users.clone();
        for done in open.iter().flat_map(|open| &open.done) {
            change(engine, &mut seen, user, done)?;
        }
        match statement {
            Statement::Nothing => Ok(done(0)),
            Statement::Select(scalars) => Ok(scalar_row(now, engine, user, &scalars)),
            Statement::Users { columns, named } => Ok(user_rows(&seen, &columns, named.as_deref())),
            Statement::ShowGrants { user: of } => grants(&seen, of.as_deref().unwrap_or(user)),
            writes => {
                change(engine, &mut seen, user, &writes)?;
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
}

impl User {
    fn lets_in(&self, now: Instant, password: &str) -> bool {
        let valid = self.valid_until.is_none_or(|until| EPOCH + now.nanos() / 1_000_000_000 < until);
        self.can_login && valid && self.password.as_deref() == Some(password)
    }

    fn take(&mut self, options: &Options) -> Result<(), Refused> {
        let Options { password, login, superuser, createrole, valid_until, roles, tls } = options;
        if let Some(password) = password {
            self.password.clone_from(password);
        }
        self.can_login = login.unwrap_or(self.can_login);
        self.is_superuser = superuser.unwrap_or(self.is_superuser);
        self.creates_roles = createrole.unwrap_or(self.creates_roles);
        if let Some(until) = valid_until {
            self.valid_until = match until.as_str() {
                "infinity" => None,
                date => Some(seconds_of(date).ok_or_else(|| {
                    ("syntax", "22007", format!("invalid input syntax for type timestamp: \"{date}\""))
                })?),
            };
        }
        self.roles.extend(roles.iter().cloned());
        if let Some(tls) = tls {
            self.tls.clone_from(tls);
        }
        Ok(())
    }
}

/// Does to the users what a statement of `by` says.
fn change(engine: Engine, users: &mut Users, by: &str, statement: &Statement) -> Result<(), Refused> {
    let missing = |name: &str| match engine {
        Engine::Postgres => ("missing", "42704", format!("role \"{name}\" does not exist")),
        Engine::Mysql | Engine::Mariadb => ("missing", "1396", format!("Operation failed for '{name}'@'%'")),
    };
    let denied = || match engine {
        Engine::Postgres => ("denied", "42501", "permission denied".to_owned()),
        Engine::Mysql | Engine::Mariadb => ("denied", "1227", "Access denied".to_owned()),
    };
    let rules = users.get(by).is_some_and(|user| user.is_superuser || user.creates_roles);
    match statement {
        Statement::Create { user, options, exists_ok } => {
            rules.then_some(()).ok_or_else(denied)?;
            if users.contains_key(user) {
                let (code, message) = match engine {
                    Engine::Postgres => ("42710", format!("role \"{user}\" already exists")),
                    Engine::Mysql | Engine::Mariadb => {
                        ("1396", format!("Operation CREATE USER failed for '{user}'@'%'"))
                    }
                };
                return if *exists_ok { Ok(()) } else { Err(("exists", code, message)) };
            }
            if let Some(role) = options.roles.iter().find(|role| !users.contains_key(*role)) {
                return Err(missing(role));
            }
            let mut created = User::default();
            created.take(options)?;
            users.insert(user.clone(), created);
        }
        Statement::Alter { user, options } => {
            let name = user.as_deref().unwrap_or(by);
            let only_password =
                Options { password: options.password.clone(), ..Options::default() } == *options;
            users.contains_key(name).then_some(()).ok_or_else(|| missing(name))?;
            (rules || name == by && only_password).then_some(()).ok_or_else(denied)?;
            users.get_mut(name).expect("just looked up").take(options)?;
        }
        Statement::Drop { user, missing_ok } => {
            rules.then_some(()).ok_or_else(denied)?;
            if users.remove(user).is_none() && !missing_ok {
                return Err(missing(user));
            }
            users.values_mut().for_each(|other| {
                other.roles.remove(user);
            });
        }
        Statement::GrantRole { roles, to } => {
            rules.then_some(()).ok_or_else(denied)?;
            if let Some(role) = roles.iter().find(|role| !users.contains_key(*role)) {
                return Err(missing(role));
            }
            let user = users.get_mut(to).ok_or_else(|| missing(to))?;
            user.roles.extend(roles.iter().filter(|role| *role != to).cloned());
        }
        Statement::RevokeRole { roles, from } => {
            rules.then_some(()).ok_or_else(denied)?;
            let user = users.get_mut(from).ok_or_else(|| missing(from))?;
            roles.iter().for_each(|role| {
                user.roles.remove(role);
            });
        }
        Statement::Grant { privilege, to, tls, password } => {
            rules.then_some(()).ok_or_else(denied)?;
            if password.is_some() {
                let made = || User { can_login: true, ..User::default() };
                users.entry(to.clone()).or_insert_with(made).password.clone_from(password);
            }
            let user = users.get_mut(to).ok_or_else(|| missing(to))?;
            if !privilege.starts_with("USAGE ON") {
                user.privileges.insert(privilege.clone());
            }
            if let Some(tls) = tls {
                user.tls.clone_from(tls);
            }
        }
        Statement::Revoke { privilege, from } => {
            rules.then_some(()).ok_or_else(denied)?;
            users.get_mut(from).ok_or_else(|| missing(from))?.privileges.remove(privilege);
        }
        Statement::Begin
        | Statement::Commit
        | Statement::Rollback
        | Statement::Nothing
        | Statement::Select(_)
        | Statement::Users { .. }
        | Statement::ShowGrants { .. } => {}
    }
    Ok(())
}

fn scalar_row(now: Instant, engine: Engine, user: &str, scalars: &[Scalar]) -> Answer {
    let value = |scalar: &Scalar| match scalar {
        Scalar::Now => json!({ "timestamp": EPOCH * 1_000 + now.nanos() / 1_000_000 }),
        Scalar::Version => json!(engine.version()),
        Scalar::User => json!(if engine.is_postgres() { user.to_owned() } else { format!("{user}@%") }),
        Scalar::Number(number) => json!(number),
        Scalar::Text(text) => json!(text),
    };
    let names: Vec<String> = (1..=scalars.len()).map(|index| format!("column{index}")).collect();
    rows(names, vec![scalars.iter().map(value).collect()])
}

fn user_rows(users: &Users, columns: &[String], named: Option<&str>) -> Answer {
    let fits: Vec<_> = users.iter().filter(|(name, _)| named.is_none_or(|named| named == *name)).collect();
    if columns == ["count"] {
        return rows(columns.to_vec(), vec![vec![json!(fits.len())]]);
    }
    let cell = |column: &String, name: &str, user: &User| match column.as_str() {
        "rolname" | "usename" | "user" | "*" => json!(name),
        "host" => json!("%"),
        "rolcanlogin" => json!(user.can_login),
        "rolsuper" | "usesuper" => json!(user.is_superuser),
        "rolcreaterole" => json!(user.creates_roles),
        "ssl_type" => json!(match user.tls.as_str() {
            "SSL" => "ANY",
            "NONE" | "" => "",
            "X509" => "X509",
            _ => "SPECIFIED",
        }),
        "ssl_cipher" | "x509_issuer" | "x509_subject" => {
            let (_, word) = column.split_once('_').expect("each has one");
            let parts = user.tls.split(" AND ");
            let told = parts.filter_map(|part| part.split_once(' '));
            let mut told = told.filter(|(name, _)| name.eq_ignore_ascii_case(word));
            json!(told.next().map_or("", |(_, text)| text.trim_matches('\'')))
        }
        number => number.parse::<i64>().map_or(Value::Null, |number| json!(number)),
    };
    let row = |(name, user): (&String, &User)| columns.iter().map(|each| cell(each, name, user)).collect();
    rows(columns.to_vec(), fits.into_iter().map(row).collect())
}

fn grants(users: &Users, name: &str) -> Result<Answer, Refused> {
    let user = users
        .get(name)
        .ok_or_else(|| ("missing", "1141", format!("There is no such grant defined for user '{name}'")))?;
    let usage = format!("GRANT USAGE ON *.* TO `{name}`@`%`");
    let granted = user.privileges.iter().map(|privilege| format!("GRANT {privilege} TO `{name}`@`%`"));
    let lines = std::iter::once(usage).chain(granted).map(|line| vec![json!(line)]).collect();
    Ok(rows(vec!["Grants".to_owned()], lines))
}

fn rows(columns: Vec<String>, rows: Vec<Vec<Value>>) -> Answer {
    Answer::Value(json!({ "columns": columns, "rowcount": rows.len(), "rows": rows }))
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

/// `YYYY-MM-DD`, with or without a time of day, in UTC.
fn seconds_of(date: &str) -> Option<u64> {
    let (day, time) = date.split_once([' ', 'T']).unwrap_or((date, "00:00:00"));
    let mut parts = day.split('-').map(str::parse::<u64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let mut clock = time.get(..8)?.split(':').map(str::parse::<u64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    (year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(())?;
    // Days since the epoch, with years that begin in March: the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The calendar's second at which a run begins: 2030-01-01.
pub const EPOCH: u64 = 1_893_456_000;
const HEAD_WORDS: usize = 5;

#[cfg(test)]
mod tests;
