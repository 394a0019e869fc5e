//! A real PostgreSQL.

use crate::postgres_client::Client;
use crate::postgres_script::{self as script, NAMES};
use crate::real::{Running, Scratch, program, seat};
use crate::{Ours, Seen, Side, Step, agree, compared, reached};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tumbler_foreign::sql::Engine;

pub struct Postgres {
    socket: PathBuf,
    root: Client,
    sessions: BTreeMap<usize, Client>,
    pub major: u32,
    _running: Running,
    _scratch: Scratch,
}

impl Postgres {
    /// None if its programs are not there.
    pub fn start() -> Option<Postgres> {
        let initdb = program("initdb", "PostgreSQL")?;
        let (postgres, pg_ctl) = (program("postgres", "PostgreSQL")?, program("pg_ctl", "PostgreSQL")?);
        let scratch = Scratch::new();
        let data = scratch.path().join("data");
        let password = scratch.file("password", "root");
        scratch.run(
            scratch
                .command(&initdb)
                .arg("-D")
                .arg(&data)
                .args(["-U", ROOT, "-A", "password", "-E", "UTF8", "--locale=C", "--no-sync", "--pwfile"])
                .arg(password),
        );
        let mut server = scratch.command(&postgres);
        server.arg("-D").arg(&data).arg("-k").arg(scratch.path());
        let settings = [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "timezone=UTC",
            "lock_timeout=10s",
            "shared_buffers=16MB",
            "autovacuum=off",
            // Stored forms do not matter here, and this one costs a thousandth.
            "password_encryption=md5",
        ];
        settings.iter().for_each(|setting| {
            server.args(["-c", setting]);
        });
        let mut stop = scratch.command(&pg_ctl);
        stop.arg("-D").arg(&data).args(["-m", "immediate", "stop"]);
        let socket = scratch.path().join(".s.PGSQL.5432");
        let login = || Client::login(&socket, ROOT, "root").ok().and_then(Result::ok);
        let mut root = None;
        let running = Running::start(server, Some(stop), || {
            root = login();
            root.is_some()
        });
        let mut root = root.expect("it is up");
        let version = one(&mut root, "SHOW server_version_num");
        for sql in [
            "CREATE SCHEMA app",
            "CREATE TABLE app.orders (id int)",
            "CREATE TABLE orders (id int)",
            "CREATE TABLE lines (id int)",
            "CREATE SEQUENCE numbers",
            "CREATE SCHEMA vault",
            "CREATE DATABASE other",
            "REVOKE ALL ON DATABASE other FROM PUBLIC",
            "GRANT USAGE ON SCHEMA app TO PUBLIC",
        ] {
            assert_eq!(root.query(sql).expect("it answers"), Seen::Done, "{sql}");
        }
        let major = version.parse::<u32>().expect("a number") / 10_000;
        Some(Postgres {
            socket,
            root,
            sessions: BTreeMap::new(),
            major,
            _running: running,
            _scratch: scratch,
        })
    }

    /// As a new server, with the two users that a world begins with.
    pub fn reset(&mut self) {
        self.sessions.clear();
        let names = "SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^(pg_|root$)'";
        let Seen::Rows { rows, .. } = self.root.query(names).expect("it answers") else { panic!() };
        let names: Vec<String> = rows.into_iter().map(|mut row| row.remove(0)).collect();
        let mut told = Vec::new();
        if !names.is_empty() {
            told.push(format!("DROP OWNED BY {}", names.join(", ")));
            told.push(format!("DROP ROLE {}", names.join(", ")));
        }
        told.push("CREATE ROLE admin SUPERUSER LOGIN PASSWORD 'first'".to_owned());
        told.push("CREATE ROLE app LOGIN PASSWORD 'first'".to_owned());
        told.push("GRANT SELECT, INSERT ON app.orders TO app".to_owned());
        for sql in told {
            assert_eq!(self.root.query(&sql).expect("it answers"), Seen::Done, "{sql}");
        }
    }
}

impl Side for Postgres {
    fn step(&mut self, step: &Step) -> Seen {
        match step {
            Step::Login { session, user, password } => {
                self.sessions.remove(session);
                let begun = Client::login(&self.socket, user, password).expect("it answers");
                seat(&mut self.sessions, *session, begun)
            }
            Step::Execute { session, sql } => {
                let Some(client) = self.sessions.get_mut(session) else { return Seen::Nobody };
                // As a driver does that was not told to commit by itself.
                let ends = ["COMMIT", "ROLLBACK", "END", "ABORT"].iter().any(|word| sql.starts_with(word));
                if script::implicit(*session) && !client.is_open && !ends {
                    client.query("BEGIN").expect("it answers");
                }
                client.query(sql).expect("it answers")
            }
        }
    }

    fn rights(&mut self, names: &[&str]) -> Vec<String> {
        let Seen::Rows { rows, .. } = self.root.query(RIGHTS).expect("it answers") else { panic!() };
        let rows = rows.into_iter().filter(|row| names.contains(&row[0].as_str()));
        let mut lines: Vec<String> =
            rows.map(|row| format!("{}: {} ON {}", row[0], row[1], row[2])).collect();
        lines.sort();
        lines.dedup();
        lines
    }
}

fn one(client: &mut Client, sql: &str) -> String {
    match client.query(sql).expect("it answers") {
        Seen::Rows { mut rows, .. } => rows.remove(0).remove(0),
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn statements_are_answered_as_postgresql_answers_them() {
    let Some(mut real) = Postgres::start() else { return };
    let mut met = BTreeMap::new();
    let mut failures = Vec::new();
    for seed in 0..SEQUENCES {
        real.reset();
        let steps = script::drawn(seed, real.major);
        let mut ours = Ours::new(Engine::Postgres, script::implicit);
        let outcome = compared(&steps, &mut ours, &mut real, NAMES, &mut met);
        failures.extend(outcome.err().map(|story| (seed, story)));
    }
    agree(&failures);
    reached("postgresql", SEQUENCES, &met, script::CODES);
}

/// What everybody may do on what is not a table of the system, by itself and by its roles. What came with
/// 17 is not told.
const RIGHTS: &str = "
    WITH RECURSIVE held(member, role) AS (
        SELECT oid, oid FROM pg_authid
        UNION SELECT held.member, m.roleid FROM held JOIN pg_auth_members m ON m.member = held.role
    ), acls(object, acl) AS (
        SELECT CASE WHEN c.relkind = 'S' THEN 'SEQUENCE ' ELSE '' END
            || n.nspname || '.' || c.relname, c.relacl
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('public', 'app')
        UNION ALL SELECT 'SCHEMA ' || nspname, nspacl FROM pg_namespace WHERE nspname = 'vault'
        UNION ALL SELECT 'DATABASE ' || datname, datacl FROM pg_database WHERE datname = 'other'
    )
    SELECT r.rolname, a.privilege_type, acls.object
        FROM acls, aclexplode(acls.acl) a, held, pg_roles r
        WHERE a.grantee = held.role AND r.oid = held.member AND a.privilege_type <> 'MAINTAIN'";
const ROOT: &str = "root";
const SEQUENCES: u64 = 400;
