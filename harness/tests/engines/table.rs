//! What differs from real servers on purpose, row by row: each is tried on both sides.

use crate::mariadb::Mariadb;
use crate::postgres::Postgres;
use crate::{Ours, Seen, Side, Step};
use std::path::Path;
use tumbler_foreign::sql::Engine;

/// Why the two sides differ.
#[derive(Clone, Copy, Debug)]
enum Relation {
    /// The world refuses what a real server does: the run ends, and says at which statement.
    RefusedByName,
    /// What the world leaves out.
    NotModelled(&'static str),
}

use Relation::{NotModelled, RefusedByName};

struct Case {
    engine: Engine,
    name: &'static str,
    /// What administrators do before; the one in session 0, and the one in session 1.
    before: &'static [(usize, &'static str)],
    session: usize,
    sql: &'static str,
    /// What ours answers.
    ours: &'static str,
    /// What real servers answer, by release.
    real: &'static [&'static str],
    relation: Relation,
}

const CASES: &[Case] = &[
    Case {
        engine: Engine::Postgres,
        name: "`CREATEROLE` and roles of others",
        before: &[(0, "CREATE ROLE b LOGIN PASSWORD 'first' CREATEROLE")],
        session: 3,
        sql: "ALTER ROLE app PASSWORD 'second'",
        ours: "done",
        real: &["done", "42501"],
        relation: NotModelled("as 15; 16 asks for `ADMIN OPTION`"),
    },
    Case {
        engine: Engine::Postgres,
        name: "two transactions change one role",
        before: &[(0, "BEGIN"), (0, "ALTER ROLE app PASSWORD 'second'"), (1, "SET lock_timeout = '100ms'")],
        session: 1,
        sql: "ALTER ROLE app PASSWORD 'third'",
        ours: "done",
        real: &["55P03"],
        relation: NotModelled("locks: the later commit wins"),
    },
    Case {
        engine: Engine::Postgres,
        name: "a right on a table that is not there",
        before: &[],
        session: 0,
        sql: "GRANT SELECT ON app.nothing TO app",
        ours: "done",
        real: &["42P01"],
        relation: NotModelled("tables, schemas, databases"),
    },
    Case {
        engine: Engine::Postgres,
        name: "the rolling back of a part",
        before: &[(0, "BEGIN")],
        session: 0,
        sql: "SAVEPOINT here",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Postgres,
        name: "a password in its stored form",
        before: &[],
        session: 0,
        sql: "ALTER ROLE app PASSWORD 'md50123456789abcdef0123456789abcdef'",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Postgres,
        name: "`WITH GRANT OPTION`, `WITH ADMIN OPTION`",
        before: &[],
        session: 0,
        sql: "GRANT SELECT ON app.orders TO app WITH GRANT OPTION",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Postgres,
        name: "`SET ROLE`, `SET SESSION AUTHORIZATION`",
        before: &[],
        session: 0,
        sql: "SET ROLE app",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Postgres,
        name: "dates that are not in UTC",
        before: &[],
        session: 0,
        sql: "ALTER ROLE app VALID UNTIL '2099-01-01 00:00:00+05'",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "an account of one host",
        before: &[],
        session: 0,
        sql: "CREATE USER 'b'@'localhost' IDENTIFIED BY 'first'",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "several users in a statement",
        before: &[],
        session: 0,
        sql: "CREATE USER b, c",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "roles",
        before: &[],
        session: 0,
        sql: "CREATE ROLE b",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "a right on columns",
        before: &[],
        session: 0,
        sql: "GRANT SELECT (id) ON app.orders TO app",
        ours: "refused",
        real: &["done"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "other columns of `mysql.user`",
        before: &[],
        session: 0,
        sql: "SELECT * FROM mysql.user",
        ours: "refused",
        real: &["rows"],
        relation: RefusedByName,
    },
    Case {
        engine: Engine::Mariadb,
        name: "a right on a table that is not there",
        before: &[],
        session: 0,
        sql: "GRANT SELECT ON app.nothing TO app",
        ours: "done",
        real: &["1146"],
        relation: NotModelled("tables, databases"),
    },
];

/// What nobody compares here.
const NOT_COMPARED: &[(&str, &str, &str)] = &[
    ("MySQL", "all of it", "not compared: Debian has no MySQL; its manual says where it is not MariaDB"),
    ("all", "TLS, certificates of clients", "not compared: `REQUIRE` is met by any TLS"),
];

fn word(seen: &Seen) -> String {
    match seen {
        Seen::Rows { .. } => "rows".to_owned(),
        Seen::Done => "done".to_owned(),
        Seen::Refused(why) if why.starts_with("the world ") => "refused".to_owned(),
        Seen::Refused(code) => code.clone(),
        Seen::Nobody => "nobody".to_owned(),
    }
}

/// The last step's answer, after all before have been done.
fn answered(side: &mut dyn Side, case: &Case) -> String {
    let login =
        |session, user: &str| Step::Login { session, user: user.to_owned(), password: "first".to_owned() };
    for (session, user) in [(0, "admin"), (1, "admin"), (2, "app")] {
        assert_eq!(side.step(&login(session, user)), Seen::Done, "{}", case.name);
    }
    for (session, sql) in case.before {
        let step = Step::Execute { session: *session, sql: (*sql).to_owned() };
        assert_eq!(side.step(&step), Seen::Done, "{}: {sql}", case.name);
    }
    if case.session == 3 {
        assert_eq!(side.step(&login(3, "b")), Seen::Done, "{}", case.name);
    }
    word(&side.step(&Step::Execute { session: case.session, sql: case.sql.to_owned() }))
}

#[test]
fn what_differs_is_told_and_differs_so() {
    for case in CASES {
        let mut ours = Ours::new(case.engine, |_| false);
        assert_eq!(answered(&mut ours, case), case.ours, "{}", case.name);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FOREIGN.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(OPEN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(CLOSE).expect("the place ends");
    let meant = format!("{before}{OPEN}\n{}{CLOSE}{after}", table());
    if std::env::var_os("TUMBLER_BLESS").is_some() {
        std::fs::write(&path, &meant).expect("the page can be written");
        return;
    }
    assert!(page == meant, "harness/FOREIGN.md: run this with TUMBLER_BLESS=1, and read what has changed");
}

/// As PostgreSQL's and MariaDB's own tests: a server each, and sequences against it.
#[test]
fn real_servers_differ_as_it_is_told() {
    let mut postgres = Postgres::start();
    let mut mariadb = Mariadb::start();
    for case in CASES {
        let told = match (case.engine, &mut postgres, &mut mariadb) {
            (Engine::Postgres, Some(real), _) => {
                real.reset();
                let told = answered(real, case);
                let place = usize::from(real.major >= 16).min(case.real.len() - 1);
                assert_eq!(told, case.real[place], "{}", case.name);
                continue;
            }
            (Engine::Mariadb, _, Some(real)) => {
                real.reset();
                answered(real, case)
            }
            _ => continue,
        };
        assert_eq!(told, case.real[0], "{}", case.name);
    }
}

fn table() -> String {
    let mut text = "| server | what | here |\n|---|---|---|\n".to_owned();
    for Case { engine, name, relation, .. } in CASES {
        let server = if engine.is_postgres() { "PostgreSQL" } else { "MariaDB" };
        let here = match relation {
            RefusedByName => "stricter: refused by name".to_owned(),
            NotModelled(what) => format!("not modelled: {what}"),
        };
        text += &format!("| {server} | {name} | {here} |\n");
    }
    for (server, name, here) in NOT_COMPARED {
        text += &format!("| {server} | {name} | {here} |\n");
    }
    text
}

const OPEN: &str = "<!-- engines -->";
const CLOSE: &str = "<!-- /engines -->";
