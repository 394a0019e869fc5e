//! A real MariaDB.

use crate::maria_client::Client;
use crate::maria_script::{self as script, NAMES};
use crate::real::{Running, Scratch, program, seat};
use crate::{Ours, Seen, Side, Step, agree, compared, reached};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tumbler_foreign::sql::Engine;

pub struct Mariadb {
    socket: PathBuf,
    root: Client,
    sessions: BTreeMap<usize, Client>,
    _running: Running,
    _scratch: Scratch,
}

impl Mariadb {
    /// None if its programs are not there.
    pub fn start() -> Option<Mariadb> {
        let install = program("mariadb-install-db", "MariaDB")?;
        let server = program("mariadbd", "MariaDB")?;
        let scratch = Scratch::new();
        let data = format!("--datadir={}", scratch.path().join("data").display());
        scratch.run(scratch.command(&install).args([
            "--no-defaults",
            &data,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]));
        let socket = scratch.path().join("s");
        let mut command = scratch.command(&server);
        command.args(["--no-defaults", &data, "--skip-networking", "--skip-name-resolve"]);
        command.args([
            "--innodb-buffer-pool-size=8M",
            "--innodb-flush-log-at-trx-commit=0",
            "--sync-binlog=0",
        ]);
        command.arg(format!("--socket={}", socket.display()));
        command.arg(format!("--pid-file={}", scratch.path().join("pid").display()));
        let mut root = None;
        let running = Running::start(command, None, || {
            root = Client::login(&socket, "root", "").ok().and_then(Result::ok);
            root.is_some()
        });
        let mut root = root.expect("it is up");
        // Anonymous users of this host would come before those of any.
        let Seen::Rows { rows, .. } =
            root.query("SELECT Host FROM mysql.user WHERE User = ''").expect("it answers")
        else {
            panic!()
        };
        let mut told: Vec<String> = rows.iter().map(|row| format!("DROP USER ''@'{}'", row[0])).collect();
        told.extend(["CREATE DATABASE app", "CREATE DATABASE other"].map(str::to_owned));
        told.extend(["orders", "lines"].map(|table| format!("CREATE TABLE app.`{table}` (id int)")));
        for sql in told {
            assert_eq!(root.query(&sql).expect("it answers"), Seen::Done, "{sql}");
        }
        Some(Mariadb { socket, root, sessions: BTreeMap::new(), _running: running, _scratch: scratch })
    }

    /// As a new server, with the two users that a world begins with.
    pub fn reset(&mut self) {
        self.sessions.clear();
        let Seen::Rows { rows, .. } = self.root.query(DROPS).expect("it answers") else { panic!() };
        let mut told: Vec<String> = rows.into_iter().flatten().collect();
        for sql in [
            "CREATE USER admin IDENTIFIED BY 'first'",
            "CREATE USER app IDENTIFIED BY 'first'",
            "GRANT ALL PRIVILEGES ON *.* TO admin WITH GRANT OPTION",
            "GRANT SELECT, INSERT ON app.* TO app",
        ] {
            told.push(sql.to_owned());
        }
        for sql in told {
            assert_eq!(self.root.query(&sql).expect("it answers"), Seen::Done, "{sql}");
        }
    }
}

impl Side for Mariadb {
    fn step(&mut self, step: &Step) -> Seen {
        match step {
            Step::Login { session, user, password } => {
                self.sessions.remove(session);
                let begun = Client::login(&self.socket, user, password).expect("it answers");
                seat(&mut self.sessions, *session, begun)
            }
            Step::Execute { session, sql } => match self.sessions.get_mut(session) {
                Some(client) => older(client.query(sql).expect("it answers")),
                None => Seen::Nobody,
            },
        }
    }

    fn rights(&mut self, names: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for name in names {
            let sql = format!("SHOW GRANTS FOR '{name}'");
            if let Seen::Rows { rows, .. } = older(self.root.query(&sql).expect("it answers")) {
                lines.extend(rows.into_iter().flatten());
            }
        }
        lines.sort();
        lines
    }
}

/// Without the right that came with MariaDB 11.
fn older(seen: Seen) -> Seen {
    match seen {
        Seen::Rows { columns, mut rows } => {
            for cell in rows.iter_mut().flatten().filter(|cell| cell.starts_with("GRANT ")) {
                *cell = cell.replace(", SHOW CREATE ROUTINE", "");
            }
            Seen::Rows { columns, rows }
        }
        other => other,
    }
}

#[test]
fn statements_are_answered_as_mariadb_answers_them() {
    let Some(mut real) = Mariadb::start() else { return };
    let mut met = BTreeMap::new();
    let mut failures = Vec::new();
    for seed in 0..SEQUENCES {
        real.reset();
        let steps = script::drawn(seed);
        let mut ours = Ours::new(Engine::Mariadb, |_| false);
        let outcome = compared(&steps, &mut ours, &mut real, NAMES, &mut met);
        failures.extend(outcome.err().map(|story| (seed, story)));
    }
    agree(&failures);
    reached("mariadb", SEQUENCES, &met, script::CODES);
}

/// What ends everybody whom a sequence made.
const DROPS: &str = "
    SELECT IF(is_role = 'Y', CONCAT('DROP ROLE `', User, '`'),
              CONCAT('DROP USER `', REPLACE(User, '`', '``'), '`@`', Host, '`'))
        FROM mysql.user WHERE User NOT IN ('root', 'mariadb.sys')";
const SEQUENCES: u64 = 200;
