//! Privileges: their names, what they can be granted on, and sets of them.
//!
//! It exists because the same rights can be granted in many spellings, one by one or all at once, and
//! are compared before and after.
//!
//! What it deliberately does not do: know which tables there are, columns, routines, or PostgreSQL's
//! `WITH GRANT OPTION`. Rights on all tables of a schema are one thing here, not one for each table.
//!
//! Source: the `GRANT` pages of PostgreSQL 15 and MariaDB 10.11.

use super::Engine;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What kind of thing a privilege is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// MySQL's `*.*`.
    Everything,
    Database,
    Schema,
    Table,
    Sequence,
    AllTables,
    AllSequences,
}

/// What a privilege is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    pub kind: Kind,
    /// As it is written after `ON`.
    pub name: String,
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// What a user may do, by object. An object stands here even if all on it was taken away again, as in
/// the tables of MySQL; PostgreSQL forgets it.
pub type Privileges = BTreeMap<Object, BTreeSet<&'static str>>;

/// Why names of privileges make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No privilege has this name.
    Unknown,
    /// There is such a privilege, on things of another kind.
    Misplaced,
}

/// The privileges that names stand for. MySQL's `GRANT OPTION` counts as one; `ALL` is without it.
pub fn named(engine: Engine, kind: Kind, names: &[String]) -> Result<BTreeSet<&'static str>, Unfit> {
    let fitting = order(engine, kind);
    let mut found = BTreeSet::new();
    for name in names {
        match name.as_str() {
            "ALL" | "ALL PRIVILEGES" => found.extend(fitting.iter().filter(|each| **each != OPTION)),
            "USAGE" if !engine.is_postgres() => {}
            name => {
                let name = match (engine, name) {
                    (Engine::Postgres, "TEMP") => "TEMPORARY",
                    (Engine::Mariadb, "REPLICATION CLIENT") => "BINLOG MONITOR",
                    (_, name) => name,
                };
                let is = |each: &&&'static str| **each == name;
                let is_elsewhere = KINDS.iter().any(|kind| order(engine, *kind).iter().any(|each| is(&each)));
                let unfit = if is_elsewhere { Unfit::Misplaced } else { Unfit::Unknown };
                found.insert(*fitting.iter().find(is).ok_or(unfit)?);
            }
        }
    }
    Ok(found)
}

/// As `SHOW GRANTS` shows them: in the server's order, or all at once.
pub fn shown(engine: Engine, kind: Kind, held: &BTreeSet<&'static str>) -> String {
    let order: Vec<_> = order(engine, kind).into_iter().filter(|each| *each != OPTION).collect();
    let found: Vec<_> = order.iter().copied().filter(|each| held.contains(each)).collect();
    match found.len() {
        0 => "USAGE".to_owned(),
        count if count == order.len() => "ALL PRIVILEGES".to_owned(),
        _ => found.join(", "),
    }
}

/// All rights on everything, with the right to hand them on.
pub fn everything(engine: Engine) -> BTreeSet<&'static str> {
    order(engine, Kind::Everything).into_iter().collect()
}

/// The privileges on things of a kind, in the order in which a server tells them.
fn order(engine: Engine, kind: Kind) -> Vec<&'static str> {
    let fits = |(name, marks): &(&'static str, &str)| {
        let is_here = match kind {
            Kind::Everything => true,
            Kind::Database => marks.contains('d'),
            Kind::Table => marks.contains('t'),
            Kind::Schema | Kind::Sequence | Kind::AllTables | Kind::AllSequences => false,
        };
        let is_his = match engine {
            Engine::Mysql => !marks.contains('M'),
            Engine::Mariadb => !marks.contains('Y'),
            Engine::Postgres => false,
        };
        (is_here && is_his).then_some(*name)
    };
    match (engine, kind) {
        (Engine::Mysql | Engine::Mariadb, _) => MYSQL.iter().filter_map(fits).collect(),
        (Engine::Postgres, Kind::Table | Kind::AllTables) => {
            vec!["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
        }
        (Engine::Postgres, Kind::Sequence | Kind::AllSequences) => vec!["USAGE", "SELECT", "UPDATE"],
        (Engine::Postgres, Kind::Schema) => vec!["USAGE", "CREATE"],
        (Engine::Postgres, Kind::Database) => vec!["CREATE", "TEMPORARY", "CONNECT"],
        (Engine::Postgres, Kind::Everything) => vec!["EXECUTE", "SET", "ALTER SYSTEM"],
    }
}

/// MySQL's right to hand on.
pub const OPTION: &str = "GRANT OPTION";

const KINDS: &[Kind] = &[Kind::Everything, Kind::Database, Kind::Schema, Kind::Table, Kind::Sequence];

/// All can be granted on `*.*`; `d` on a database, `t` on a table; `M` is MariaDB's, `Y` MySQL's.
const MYSQL: &[(&str, &str)] = &[
    ("SELECT", "dt"),
    ("INSERT", "dt"),
    ("UPDATE", "dt"),
    ("DELETE", "dt"),
    ("CREATE", "dt"),
    ("DROP", "dt"),
    ("RELOAD", ""),
    ("SHUTDOWN", ""),
    ("PROCESS", ""),
    ("FILE", ""),
    ("REFERENCES", "dt"),
    ("INDEX", "dt"),
    ("ALTER", "dt"),
    ("SHOW DATABASES", ""),
    ("SUPER", ""),
    ("CREATE TEMPORARY TABLES", "d"),
    ("LOCK TABLES", "d"),
    ("EXECUTE", "d"),
    ("REPLICATION SLAVE", ""),
    ("REPLICATION CLIENT", "Y"),
    ("BINLOG MONITOR", "M"),
    ("CREATE VIEW", "dt"),
    ("SHOW VIEW", "dt"),
    ("CREATE ROUTINE", "d"),
    ("ALTER ROUTINE", "d"),
    ("CREATE USER", ""),
    ("EVENT", "d"),
    ("TRIGGER", "dt"),
    ("CREATE TABLESPACE", ""),
    ("CREATE ROLE", "Y"),
    ("DROP ROLE", "Y"),
    ("DELETE HISTORY", "dtM"),
    ("SET USER", "M"),
    ("FEDERATED ADMIN", "M"),
    ("CONNECTION ADMIN", "M"),
    ("READ_ONLY ADMIN", "M"),
    ("REPLICATION SLAVE ADMIN", "M"),
    ("REPLICATION MASTER ADMIN", "M"),
    ("BINLOG ADMIN", "M"),
    ("BINLOG REPLAY", "M"),
    ("SLAVE MONITOR", "M"),
    (OPTION, "dt"),
];
