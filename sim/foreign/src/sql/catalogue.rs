//! What servers tell of their users.
//!
//! What it deliberately does not do: show passwords in any form but MariaDB's `SHOW GRANTS`, or columns
//! that nothing here can answer. Those are refused by name; columns that no server has are an error as
//! the server's.

use super::native::native;
use super::parse::shortened;
use super::privilege::{Kind, OPTION, shown};
use super::statement::{Column, Lookup, Scalar, Table};
use super::user::{Acting, Password, Tls, User, Users, Validity};
use super::{EPOCH, Engine, Refused, accounts};
use crate::guest::Answer;
use serde_json::{Value, json};
use tumbler_types::Instant;

/// The row that a `SELECT` without a table gives.
pub(super) fn scalars(
    now: Instant,
    engine: Engine,
    users: &Users,
    by: &Acting,
    seat: (u64, Option<&str>),
    asked: &[(Scalar, String)],
) -> Result<Answer, Refused> {
    let mut row = Vec::new();
    for (scalar, _) in asked {
        row.push(match scalar {
            Scalar::Now => json!({ "timestamp": EPOCH * 1_000 + now.nanos() / 1_000_000 }),
            Scalar::Version => json!(engine.version()),
            Scalar::User if !engine.is_postgres() => json!(format!("{}@%", by.name)),
            Scalar::User if users.acting(by).is_some() => json!(by.name),
            Scalar::User => return Err(("missing", "42704", "invalid role OID".to_owned())),
            Scalar::Caller => json!(format!("{}@rotator.internal", by.name)),
            Scalar::Database => json!(seat.1),
            Scalar::Session => json!(seat.0),
            Scalar::Truth(is) if engine.is_postgres() => json!(is),
            Scalar::Truth(is) => json!(u8::from(*is)),
            Scalar::Number(number) => json!(number),
            Scalar::Text(text) => json!(text),
        });
    }
    Ok(rows(asked.iter().map(|(_, label)| label.clone()).collect(), vec![row]))
}

/// What a read of a table of users gives.
pub(super) fn lookup(
    engine: Engine,
    users: &Users,
    by: &Acting,
    everybody: &Lookup,
) -> Result<Answer, Refused> {
    let Lookup { table, columns, wanted, limit } = everybody;
    let is_superuser = users.acting(by).is_some_and(|user| user.is_superuser);
    // Which rights are wanting is told before which columns are, in MySQL; after, in PostgreSQL.
    if *table == Table::Mysql && !accounts::everywhere(by, "SELECT") {
        let why = format!("SELECT command denied to user '{}'@'%' for table `mysql`.`user`", by.name);
        return Err(("denied", "1142", why));
    }
    let mut asked: Vec<(Column, String)> = Vec::new();
    for (column, label) in columns {
        match column {
            Column::All if matches!(table, Table::Roles | Table::User) => {
                let named =
                    known(*table).iter().map(|name| (Column::Named((*name).to_owned()), (*name).to_owned()));
                asked.extend(named);
            }
            Column::All => return Err(untold("*")),
            column => asked.push((column.clone(), label.clone())),
        }
    }
    let named = asked.iter().filter_map(|(column, _)| match column {
        Column::Named(name) => Some(name),
        Column::Count | Column::All | Column::Number(_) | Column::Text(_) => None,
    });
    for name in named.chain(wanted.iter().map(|(name, _)| name)) {
        if !known(*table).contains(&name.as_str()) {
            if elsewhere(*table, name) {
                return Err(untold(name));
            }
            let code = if engine.is_postgres() { "42703" } else { "1054" };
            return Err(("missing", code, format!("column \"{name}\" does not exist")));
        }
    }
    if matches!(table, Table::Authid | Table::Shadow) && !is_superuser {
        return Err(("denied", "42501", "permission denied".to_owned()));
    }
    let mut found = Vec::new();
    for (name, user) in &users.all {
        let is_there = user.can_login || !matches!(table, Table::User | Table::Shadow);
        let mut fits = is_there;
        for (column, value) in wanted {
            fits &= match column.as_str() {
                "rolname" | "usename" => shortened(value) == *name,
                "user" => value == name,
                "host" => value == "%",
                other => return Err(untold(other)),
            };
        }
        if fits {
            found.push((name, user));
        }
    }
    let cells = |name: &str, user: &User| {
        let cell = |(column, _): &(Column, String)| match column {
            Column::Count => json!(found.len()),
            Column::Named(column) => cell(column, name, user),
            Column::Number(number) => json!(number),
            Column::Text(text) => json!(text),
            Column::All => Value::Null,
        };
        asked.iter().map(cell).collect::<Vec<_>>()
    };
    let mut told: Vec<Vec<Value>> = if asked.iter().any(|(column, _)| *column == Column::Count) {
        vec![cells("", &User::default())]
    } else {
        found.iter().map(|(name, user)| cells(name, user)).collect()
    };
    told.truncate(limit.unwrap_or(usize::MAX));
    Ok(rows(asked.into_iter().map(|(_, label)| label).collect(), told))
}

/// Whether a read of a table of users finds anybody.
pub(super) fn exists(
    engine: Engine,
    users: &Users,
    by: &Acting,
    asked: &Lookup,
    label: &str,
) -> Result<Answer, Refused> {
    let Answer::Value(found) = lookup(engine, users, by, asked)? else { unreachable!("errors are apart") };
    let is_there = found["rowcount"] != json!(0);
    let told = if engine.is_postgres() { json!(is_there) } else { json!(u8::from(is_there)) };
    Ok(rows(vec![label.to_owned()], vec![vec![told]]))
}

/// What `SHOW GRANTS` shows.
pub(super) fn grants(
    engine: Engine,
    users: &Users,
    by: &Acting,
    name: Option<&str>,
) -> Result<Answer, Refused> {
    let name = name.unwrap_or(&by.name);
    if name != by.name && !accounts::everywhere(by, "SELECT") {
        return Err(accounts::denied_database(by, "mysql"));
    }
    let none =
        || ("missing", "1141", format!("There is no such grant defined for user '{name}' on host '%'"));
    let user = users.all.get(name).ok_or_else(none)?;
    let to = format!("`{}`@`%`", name.replace('`', "``"));
    let option = |held: &std::collections::BTreeSet<&str>| {
        if held.contains(OPTION) { " WITH GRANT OPTION" } else { "" }
    };
    let mut first = format!("GRANT USAGE ON *.* TO {to}");
    let mut last = "";
    let mut lines = Vec::new();
    for (object, held) in &user.privileges {
        let line = format!("GRANT {} ON {object} TO {to}", shown(engine, object.kind, held));
        if object.kind == Kind::Everything {
            (first, last) = (line, option(held));
        } else {
            lines.push(line + option(held));
        }
    }
    if engine == Engine::Mariadb {
        let stored = match &user.password {
            Some(Password::Text(text)) => Some(native(text)),
            Some(Password::Native(form)) => Some(form.clone()),
            None => None,
        };
        first += &stored.map_or(String::new(), |form| format!(" IDENTIFIED BY PASSWORD '{form}'"));
        first +=
            &if user.tls == Tls::None { String::new() } else { format!(" REQUIRE {}", user.tls.shown()) };
    }
    lines.insert(0, first + last);
    Ok(rows(vec![format!("Grants for {name}@%")], lines.into_iter().map(|line| vec![json!(line)]).collect()))
}

fn cell(column: &str, name: &str, user: &User) -> Value {
    match column {
        "rolname" | "usename" | "user" => json!(name),
        "host" => json!("%"),
        "rolcanlogin" | "rolinherit" => json!(column == "rolinherit" || user.can_login),
        "rolsuper" | "usesuper" => json!(user.is_superuser),
        "rolcreaterole" => json!(user.creates_roles),
        "rolconnlimit" => user.connections.map_or(json!(-1), |limit| json!(limit)),
        "rolpassword" | "passwd" => json!("********"),
        "rolvaliduntil" | "valuntil" => match user.valid {
            Validity::Unsaid => Value::Null,
            Validity::Forever => json!("infinity"),
            Validity::Until(second) => json!({ "timestamp": second * 1_000 }),
        },
        "oid" | "usesysid" => json!(FIRST_ID + user.id),
        "ssl_type" => json!(match user.tls {
            Tls::None => "",
            Tls::Ssl => "ANY",
            Tls::X509 => "X509",
            Tls::Certificate { .. } => "SPECIFIED",
        }),
        "ssl_cipher" | "x509_issuer" | "x509_subject" => match &user.tls {
            Tls::Certificate { cipher, issuer, subject } => json!(match column {
                "ssl_cipher" => cipher,
                "x509_issuer" => issuer,
                _ => subject,
            }),
            Tls::None | Tls::Ssl | Tls::X509 => json!(""),
        },
        "rolconfig" | "useconfig" => Value::Null,
        // What else `known` lists are rights that nobody has here.
        _ => json!(false),
    }
}

/// The columns that can be answered, in the server's order.
fn known(table: Table) -> &'static [&'static str] {
    match table {
        Table::Roles => &[
            "rolname",
            "rolsuper",
            "rolinherit",
            "rolcreaterole",
            "rolcreatedb",
            "rolcanlogin",
            "rolreplication",
            "rolconnlimit",
            "rolpassword",
            "rolvaliduntil",
            "rolbypassrls",
            "rolconfig",
            "oid",
        ],
        Table::User => &[
            "usename",
            "usesysid",
            "usecreatedb",
            "usesuper",
            "userepl",
            "usebypassrls",
            "passwd",
            "valuntil",
            "useconfig",
        ],
        Table::Authid => &[
            "oid",
            "rolname",
            "rolsuper",
            "rolinherit",
            "rolcreaterole",
            "rolcreatedb",
            "rolcanlogin",
            "rolreplication",
            "rolbypassrls",
            "rolconnlimit",
            "rolvaliduntil",
        ],
        Table::Shadow => &[
            "usename",
            "usesysid",
            "usecreatedb",
            "usesuper",
            "userepl",
            "usebypassrls",
            "valuntil",
            "useconfig",
        ],
        Table::Mysql => &["host", "user", "ssl_type", "ssl_cipher", "x509_issuer", "x509_subject"],
    }
}

/// Columns that a real server has, and this one cannot answer.
fn elsewhere(table: Table, column: &str) -> bool {
    match table {
        Table::Roles | Table::User => matches!(column, "xmin" | "ctid" | "tableoid"),
        Table::Authid | Table::Shadow => {
            matches!(column, "rolpassword" | "passwd" | "xmin" | "ctid" | "tableoid")
        }
        Table::Mysql => {
            column.ends_with("_priv")
                || column.starts_with("max_")
                || column.starts_with("password")
                || matches!(
                    column,
                    "authentication_string"
                        | "plugin"
                        | "account_locked"
                        | "is_role"
                        | "default_role"
                        | "user_attributes"
                )
        }
    }
}

fn untold(column: &str) -> Refused {
    ("Unsupported", "", format!("the world cannot answer the column `{column}`"))
}

fn rows(columns: Vec<String>, rows: Vec<Vec<Value>>) -> Answer {
    Answer::Value(json!({ "columns": columns, "rowcount": rows.len(), "rows": rows }))
}

/// Numbers below are the server's own.
const FIRST_ID: u64 = 16_384;
