//! Sequences for PostgreSQL.
//!
//! Two transactions that write are never open at once: the world has no locks. Rights are on
//! tables that are there.

use crate::Step;
use crate::draw::Draw;

/// Everybody whom scripts name.
pub const NAMES: &[&str] = &["admin", "app", "app_clone", "b", "MiXed", "user", "a b\"c", "name"];
const PASSWORDS: &[&str] = &["first", "first", "second", "second", "it''s", "a\\b", ""];
const TABLES: &[&str] =
    &["public.orders", "public.lines", "TABLE public.orders", "app.orders", "\"public\".\"lines\""];
const OTHERS: &[&str] = &["SCHEMA vault", "DATABASE other", "SEQUENCE public.numbers"];

/// What must have come up, or the sequences show less than they seem to.
pub const CODES: &[&str] = &[
    "rows", "done", "0LP01", "22007", "22008", "25P02", "28000", "28P01", "2BP01", "42501", "42601", "42703",
    "42704", "42710", "42939", "55006",
];

/// Sessions that drivers open: a transaction begins with the first statement.
pub fn implicit(session: usize) -> bool {
    session >= 2
}

/// One sequence.
pub fn drawn(seed: u64, major: u32) -> Vec<Step> {
    let draw = &mut Draw::new(seed);
    let login = |session: usize, user: &str, password: &str| Step::Login {
        session,
        user: user.to_owned(),
        password: password.to_owned(),
    };
    let mut steps = vec![login(0, "admin", "first"), login(1, "app", "first"), login(2, "admin", "first")];
    let mut is_open = [false; 4];
    let mut writer = None;
    let count = 12 + draw.below(28);
    for _ in 0..count {
        let session = draw.pick(&[0, 0, 0, 1, 2, 2, 3]);
        if session == 3 || draw.one_in(12) {
            let session = if session == 3 { 3 } else { session };
            let user = if draw.one_in(2) { draw.pick(&NAMES[..4]) } else { draw.pick(NAMES) };
            let password = draw.pick(&["first", "first", "second", "it's", "a\\b"]);
            steps.push(login(session, user, password));
            is_open[session] = false;
            writer = writer.filter(|writer| *writer != session);
            if session != 3 {
                continue;
            }
        }
        is_open[session] |= implicit(session);
        let may_write = writer.is_none_or(|writer| writer == session);
        let sql = match draw.below(20) {
            0 | 1 => transaction(draw, session, &mut is_open, &mut writer),
            2..=4 => select(draw),
            // Some of them get so far as to wait for another's lock.
            5 if may_write => {
                writer = is_open[session].then_some(session);
                draw.pick(WRONG).to_owned()
            }
            6 => draw.pick(SETTINGS).to_owned(),
            _ if may_write => {
                writer = is_open[session].then_some(session);
                write(draw, major)
            }
            _ => select(draw),
        };
        let sql = match draw.below(24) {
            // Sent at once: that is one transaction, if none is open.
            0 if may_write && !is_open[session] => format!("{sql}; {}", draw.pick(AFTER)),
            1 => format!("{sql} -- so it's"),
            2 => format!("/* it's /* so */ */ {sql};"),
            _ => sql,
        };
        steps.push(Step::Execute { session, sql });
    }
    for name in NAMES {
        steps.push(login(4, name, draw.pick(&["first", "second", "it's"])));
    }
    steps
}

fn transaction(draw: &mut Draw, session: usize, is_open: &mut [bool], writer: &mut Option<usize>) -> String {
    let begins = !is_open[session] && !draw.one_in(4) || draw.one_in(8);
    if begins {
        is_open[session] = true;
        return draw.pick(&["BEGIN", "START TRANSACTION", "begin work"]).to_owned();
    }
    is_open[session] = false;
    *writer = writer.filter(|writer| *writer != session);
    draw.pick(&["COMMIT", "COMMIT", "ROLLBACK", "COMMIT WORK", "END", "ABORT"]).to_owned()
}

fn write(draw: &mut Draw, major: u32) -> String {
    let roles = |draw: &mut Draw| {
        draw.some(NAMES).into_iter().take(2).map(|name| quoted(draw, name)).collect::<Vec<_>>().join(", ")
    };
    let user = |draw: &mut Draw| {
        let name = draw.pick(NAMES);
        quoted(draw, name)
    };
    match draw.below(16) {
        0..=3 => {
            let what = draw.pick(&["ROLE", "USER"]);
            let into = if draw.one_in(5) { format!(" IN ROLE {}", roles(draw)) } else { String::new() };
            format!("CREATE {what} {}{}{into}", user(draw), options(draw, major))
        }
        4..=6 => {
            let what = draw.pick(&["ROLE", "USER"]);
            let whom = if draw.one_in(8) { "CURRENT_USER".to_owned() } else { user(draw) };
            format!("ALTER {what} {whom}{}", options(draw, major))
        }
        7 => format!("ALTER USER {} WITH PASSWORD {}", user(draw), text(draw)),
        8 | 9 => {
            let sure = draw.pick(&["", "", "IF EXISTS "]);
            format!("DROP {} {sure}{}", draw.pick(&["ROLE", "USER"]), user(draw))
        }
        10 | 11 => format!("GRANT {} TO {}", roles(draw), user(draw)),
        12 => format!("REVOKE {} FROM {}", roles(draw), user(draw)),
        13 | 14 => {
            let (object, names) = if draw.one_in(4) {
                let object = draw.pick(OTHERS);
                (object, &["USAGE", "CREATE", "CONNECT", "SELECT", "ALL", "TEMP"][..])
            } else {
                let object = draw.pick(TABLES);
                (object, &["SELECT", "INSERT", "UPDATE", "DELETE", "ALL PRIVILEGES", "TRIGGER", "USAGE"][..])
            };
            let names = draw.some(names).into_iter().take(3).filter(|name| !name.starts_with("ALL"));
            let names = names.collect::<Vec<_>>().join(", ");
            let names =
                if names.is_empty() { draw.pick(&["ALL", "ALL PRIVILEGES"]).to_owned() } else { names };
            let (verb, to) = draw.pick(&[("GRANT", "TO"), ("REVOKE", "FROM")]);
            format!("{verb} {names} ON {object} {to} {}", user(draw))
        }
        _ => match draw.below(2) {
            0 => format!("DROP OWNED BY {}", user(draw)),
            _ => format!("REASSIGN OWNED BY {} TO {}", user(draw), user(draw)),
        },
    }
}

fn options(draw: &mut Draw, major: u32) -> String {
    let mut told = Vec::new();
    if !draw.one_in(4) {
        told.push(format!("{}PASSWORD {}", draw.pick(&["", "", "ENCRYPTED "]), text(draw)));
    }
    for (option, other) in [("LOGIN", "NOLOGIN"), ("SUPERUSER", "NOSUPERUSER"), ("INHERIT", "NOCREATEDB")] {
        if draw.one_in(6) {
            told.push(draw.pick(&[option, option, other]).to_owned());
        }
    }
    // From 16 on, this reaches less far: see the table.
    if major < 16 && draw.one_in(6) {
        told.push(draw.pick(&["CREATEROLE", "NOCREATEROLE"]).to_owned());
    }
    if draw.one_in(8) {
        told.push(format!("VALID UNTIL '{}'", draw.pick(DATES)));
    }
    if draw.one_in(12) {
        told.push(draw.pick(&["CONNECTION LIMIT -1", "CONNECTION LIMIT 0", "CONNECTION LIMIT 7"]).to_owned());
    }
    if draw.one_in(20) {
        told.push(draw.pick(&["LOGIN", "PASSWORD 'second'", "FROB", "'x'", "PASSWORD NULL"]).to_owned());
    }
    let with = draw.pick(&["", " WITH"]);
    if told.is_empty() { String::new() } else { format!("{with} {}", told.join(" ")) }
}

fn select(draw: &mut Draw) -> String {
    let name = draw.pick(NAMES).replace('\'', "''");
    let more = draw.pick(&["", "", "", " LIMIT 1"]);
    match draw.below(10) {
        0 | 1 => format!("SELECT 1 FROM pg_roles WHERE rolname = '{name}'{more}"),
        2 => format!("SELECT usename, usesuper FROM pg_user WHERE usename = '{name}'{more}"),
        3 => format!("select count(*) from pg_catalog.pg_roles where rolname = '{name}'"),
        4 => format!("SELECT * FROM pg_user WHERE usename = '{name}'"),
        5 => format!(
            "SELECT rolname, rolcanlogin AS may, rolcreaterole, rolvaliduntil FROM pg_roles WHERE rolname = '{name}'"
        ),
        6 => format!("SELECT * FROM pg_roles WHERE rolname = '{name}'"),
        7 => format!(
            "SELECT 'x', rolsuper FROM {} WHERE rolname = '{name}'",
            draw.pick(&["pg_authid", "pg_roles"])
        ),
        8 => draw.pick(ODD).to_owned(),
        _ => {
            let text = draw.pick(TEXTS).replace('\'', "''");
            format!(
                "SELECT {}('{text}'{})",
                draw.pick(&["quote_ident", "quote_literal"]),
                draw.pick(&["", "::text"])
            )
        }
    }
}

/// A name as a careful function writes it, or without quotes where that is right, too.
fn quoted(draw: &mut Draw, name: &str) -> String {
    let is_plain = matches!(name, "admin" | "app" | "app_clone" | "b" | "name");
    match draw.below(3) {
        0 if is_plain => name.to_owned(),
        1 if is_plain => name.to_uppercase(),
        _ => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn text(draw: &mut Draw) -> String {
    let password = draw.pick(PASSWORDS);
    match draw.below(12) {
        0 => "NULL".to_owned(),
        1 => format!("E'{}'", password.replace('\\', "\\\\")),
        _ => format!("'{password}'"),
    }
}

const DATES: &[&str] = &[
    "2099-01-01",
    "2099-01-01 00:00:00",
    "2099-01-01T00:00:00Z",
    "2001-09-09 01:46:40+00",
    "infinity",
    "soon",
    "",
    "2030-02-30",
    "2030-13-01",
    "2030-01-01 25:00:00",
];
const TEXTS: &[&str] = &[
    "app", "App", "user", "name", "between", "it's", "a\\b", "a b", "\"x\"", "1a", "a1", "_a", "", "none",
    "läufer",
];
/// What is sent behind another statement.
const AFTER: &[&str] = &[
    "SELECT 1",
    "SELECT 1; ALTER ROLE b NOLOGIN",
    "ALTER ROLE app PASSWORD 'first'; DROP ROLE nobody",
    "COMMIT; DROP ROLE nobody",
    "ALTER ROLE app 'x'",
];
const SETTINGS: &[&str] = &[
    "SET search_path TO public",
    "SET TIME ZONE 'UTC'",
    "SET statement_timeout = 10000",
    "SET LOCAL lock_timeout = 9000",
    "SET client_encoding TO 'UTF8'",
];
const ODD: &[&str] = &[
    "SELECT now()",
    "SELECT NOW(), 1",
    "SELECT 1 AS one, 'x' AS \"Two\", 3",
    "SELECT current_user",
    "SELECT version()",
    "SELECT session_user, current_timestamp",
    "SELECT nothing FROM pg_roles",
    "SELECT rolname FROM pg_user",
    "SELECT usename FROM pg_shadow WHERE usename = 'app'",
    "SELECT count(*), 1 AS one FROM pg_user WHERE usename = 'app'",
    "SELECT 1 FROM pg_roles WHERE nothing = 'x'",
    "SELECT usename FROM pg_user WHERE usename = 'app' LIMIT 0",
    "SELECT EXISTS(SELECT 1 FROM pg_roles WHERE rolname = 'b')",
    "SELECT EXISTS (SELECT rolname FROM pg_user WHERE usename = 'b') AS found",
    "SELECT rolname FROM pg_roles WHERE rolname = 'b' ORDER BY rolname",
    "SELECT true, false AS \"no\"",
    "SELECT 1+1, 3 - 5",
    "SHOW server_version",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nobody' AND pid <> pg_backend_pid()",
];
/// What functions write that forget to quote, or take one dialect for another.
const WRONG: &[&str] = &[
    "ALTER ROLE app PASSWORD 'x",
    "ALTER ROLE app PASSWORD 'x'y",
    "ALTER ROLE app WITH PASSWORD 'a'b'c'",
    "CREATE ROLE user LOGIN",
    "CREATE USER select",
    "DROP ROLE table",
    "ALTER ROLE app IN ROLE admin",
    "ALTER ROLE app PASSWORD 'x' PASSWORD 'y'",
    "CREATE ROLE pg_own",
    "CREATE ROLE public",
    "CREATE USER \"none\"",
    "GRANT app TO grant",
    "GRANT FROB ON public.orders TO app",
    "CREATE ROLE b IN ROLE b",
    "ALTER ROLE 'app' PASSWORD 'x'",
    "CREATE USER 'app' PASSWORD 'x'",
    "ALTER USER app IDENTIFIED BY 'x'",
    "CREATE ROLE b FROB",
    "ALTER USER app WITH PASSWORD x",
    "ALTER USER app WITH PASSWORD x y",
    "ALTER USER app PASSWORD \"x\"",
    "CREATE USER b PASSWORD 12",
];
