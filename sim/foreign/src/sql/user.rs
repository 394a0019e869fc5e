//! A user of the server, and what statements say of one.
//!
//! What a statement may do to whom is the dialects' business: `roles` is PostgreSQL's, `accounts` is
//! MySQL's and MariaDB's.

use super::native::native;
use super::privilege::Privileges;
use std::collections::{BTreeMap, BTreeSet};

/// Everybody, by name.
#[derive(Clone, Debug, Default)]
pub struct Users {
    pub all: BTreeMap<String, User>,
    next: u64,
}

impl Users {
    /// One more; whoever had the name before was another.
    pub fn add(&mut self, name: &str, user: User) {
        self.next += 1;
        self.all.insert(name.to_owned(), User { id: self.next, ..user });
    }

    /// The user that opened a session, unless it is gone. One of the same name made since is another.
    pub fn acting(&self, by: &Acting) -> Option<&User> {
        self.all.get(&by.name).filter(|user| user.id == by.id)
    }

    /// A user and all whose rights it has.
    pub fn with_roles<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut open = vec![name];
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(user) = self.all.get(name)
                && seen.insert(name)
            {
                open.extend(user.roles.iter().map(String::as_str));
            }
        }
        seen
    }
}

/// Who executes a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    pub name: String,
    pub id: u64,
    /// MySQL looks up what somebody may do everywhere when he logs in, and never again.
    pub everywhere: BTreeSet<&'static str>,
}

/// One user. It has no `Debug` that shows a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct User {
    pub id: u64,
    pub password: Option<Password>,
    /// MySQL's second one, which `RETAIN CURRENT PASSWORD` leaves: it opens the door, too.
    pub retained: Option<Password>,
    pub can_login: bool,
    /// MySQL's `ACCOUNT LOCK`.
    pub is_locked: bool,
    /// As many sessions as PostgreSQL lets it open at once.
    pub connections: Option<u64>,
    pub is_superuser: bool,
    pub creates_roles: bool,
    pub roles: BTreeSet<String>,
    pub privileges: Privileges,
    pub valid: Validity,
    pub tls: Tls,
}

impl std::fmt::Debug for User {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "User {}", self.id)
    }
}

/// A password as a statement gives it, or as a server keeps it.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    Text(String),
    /// MariaDB's stored form.
    Native(String),
}

impl Password {
    /// Whether this is the password that was given at a login.
    pub fn is(&self, given: &str) -> bool {
        match self {
            Password::Text(text) => text == given,
            Password::Native(stored) => stored.eq_ignore_ascii_case(&native(given)),
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Password")
    }
}

/// What a statement says of the password that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retain {
    /// `RETAIN CURRENT PASSWORD`: it becomes the second one.
    Current,
    /// `DISCARD OLD PASSWORD`: the second one goes.
    Discard,
}

/// How long a password counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    #[default]
    Unsaid,
    Forever,
    /// Seconds since 1970.
    Until(u64),
}

/// What `REQUIRE` asks of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    #[default]
    None,
    Ssl,
    X509,
    Certificate {
        cipher: String,
        issuer: String,
        subject: String,
    },
}

impl Tls {
    /// As `SHOW GRANTS` shows it; empty if nothing is asked.
    pub fn shown(&self) -> String {
        match self {
            Tls::None => String::new(),
            Tls::Ssl => "SSL".to_owned(),
            Tls::X509 => "X509".to_owned(),
            Tls::Certificate { cipher, issuer, subject } => {
                let parts = [("ISSUER", issuer), ("SUBJECT", subject), ("CIPHER", cipher)];
                let told = parts.iter().filter(|(_, value)| !value.is_empty());
                told.map(|(name, value)| format!("{name} '{value}'")).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// What `CREATE` and `ALTER` say of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `Some(None)`: the password is taken away.
    pub password: Option<Option<Password>>,
    pub login: Option<bool>,
    pub locked: Option<bool>,
    /// `Some(None)`: any number.
    pub connections: Option<Option<u64>>,
    pub superuser: Option<bool>,
    pub createrole: Option<bool>,
    pub valid_until: Option<String>,
    pub roles: Vec<String>,
    pub tls: Option<Tls>,
    /// What becomes of MySQL's second password.
    pub retain: Option<Retain>,
    /// `IDENTIFIED WITH`: a change of it would take the second password away.
    pub names_plugin: bool,
    /// Something was said that changes nothing here, and that only administrators may say.
    pub says_more: bool,
    /// One was said twice. PostgreSQL finds that after it has found the transaction sound.
    pub is_redundant: bool,
}
