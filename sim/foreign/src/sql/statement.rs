//! Statements that rotation functions speak.
//!
//! What it deliberately does not do: stand for anything that the world would execute by halves. Such a
//! statement is refused by name.

use super::privilege::Object;
use super::user::{Options, Password, Tls};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    Begin,
    Commit,
    Rollback,
    /// Settings of the session: no effect here.
    Nothing,
    /// `FLUSH PRIVILEGES`.
    Flush,
    Select(Vec<(Scalar, String)>),
    /// A read of the catalogue of users.
    Users(Lookup),
    /// Whether such a read finds anybody, and how the column is called.
    Exists(Lookup, String),
    /// `pg_terminate_backend` of all sessions of a user, perhaps but for one's own.
    Terminate {
        user: String,
        spares_own: bool,
        label: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Create {
        user: String,
        options: Options,
        exists_ok: bool,
    },
    Alter {
        user: Option<String>,
        options: Options,
        missing_ok: bool,
    },
    /// MySQL's, which has rules of its own.
    SetPassword {
        user: Option<String>,
        password: Option<Password>,
        retains: bool,
    },
    Drop {
        user: String,
        missing_ok: bool,
    },
    GrantRole {
        roles: Vec<String>,
        to: Vec<String>,
    },
    RevokeRole {
        roles: Vec<String>,
        from: Vec<String>,
    },
    Grant {
        privileges: Vec<String>,
        on: Object,
        to: Vec<String>,
        /// MariaDB lets `GRANT` change these. `Some(None)` is an empty password.
        password: Option<Option<Password>>,
        tls: Option<Tls>,
    },
    Revoke {
        privileges: Vec<String>,
        on: Object,
        from: Vec<String>,
    },
    /// MySQL's `REVOKE ALL PRIVILEGES, GRANT OPTION`, or PostgreSQL's `DROP OWNED BY`.
    RevokeAll {
        from: String,
    },
    /// Nobody but administrators owns anything here.
    Reassign {
        from: String,
        to: String,
    },
    ShowGrants {
        user: Option<String>,
    },
}

/// A value that needs no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    Now,
    Version,
    User,
    /// MySQL's `USER()`: who asked to be let in, and from where.
    Caller,
    Database,
    Session,
    Truth(bool),
    Number(i64),
    Text(String),
}

/// A read of a table of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    pub table: Table,
    /// What is asked, and how its column is called.
    pub columns: Vec<(Column, String)>,
    /// Columns in `WHERE`, and what they must be.
    pub wanted: Vec<(String, String)>,
    pub limit: Option<usize>,
}

/// A table of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Roles,
    /// Those that can log in.
    User,
    /// As `Roles`, for superusers.
    Authid,
    /// As `User`, for superusers.
    Shadow,
    Mysql,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    Count,
    All,
    Named(String),
    Number(i64),
    Text(String),
}

/// Why there is no statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The world does not speak it.
    Unknown,
    /// No server of this dialect speaks it: code and reason.
    Wrong(&'static str, &'static str),
}
