//! The server, statement by statement.

use super::*;

fn server(engine: Engine) -> Server {
    let mut server = Server::new(engine, ("admin", "admin-password"), ("app", "app-password"));
    for (id, user, password) in [(1, "admin", "admin-password"), (2, "app", "app-password")] {
        assert!(matches!(server.connect(Instant::ZERO, id, user, password, true), Answer::Value(_)));
    }
    server
}

/// Executes in a session: the first cell of the first row, or the error's kind.
fn exec(server: &mut Server, id: u64, sql: &str) -> String {
    match server.execute(Instant::ZERO, id, sql) {
        Answer::Value(value) => value["rows"][0][0].to_string(),
        Answer::Error { kind, .. } => kind,
    }
}

#[test]
fn a_transaction_is_seen_by_others_when_it_commits() {
    let mut server = server(Engine::Postgres);
    assert_eq!(exec(&mut server, 1, "CREATE ROLE app_clone WITH LOGIN PASSWORD 'clone-password'"), "null");
    assert_eq!(exec(&mut server, 1, "GRANT app TO app_clone"), "null");
    assert_eq!(exec(&mut server, 1, "SELECT 1 FROM pg_roles WHERE rolname = 'app_clone'"), "1");
    assert_eq!(exec(&mut server, 2, "SELECT count(*) FROM pg_roles WHERE rolname = 'app_clone'"), "0");
    assert!(!server.accepts(Instant::ZERO, "app_clone", "clone-password"));
    server.commit(1);
    assert!(server.accepts(Instant::ZERO, "app_clone", "clone-password"));
    assert_eq!(server.means("app_clone"), server.means("app"));
}

#[test]
fn what_is_not_committed_goes_with_its_session_and_an_error_spoils_the_transaction() {
    let mut server = server(Engine::Postgres);
    exec(&mut server, 2, "ALTER USER app WITH PASSWORD 'second-password'");
    server.close(2);
    assert!(server.accepts(Instant::ZERO, "app", "app-password"));
    exec(&mut server, 1, "ALTER USER app PASSWORD 'third-password'");
    assert_eq!(exec(&mut server, 1, "ALTER USER nobody PASSWORD 'x'"), "missing");
    assert_eq!(exec(&mut server, 1, "SELECT NOW()"), "aborted");
    server.commit(1);
    assert!(server.accepts(Instant::ZERO, "app", "app-password"));
}

#[test]
fn changes_take_effect_at_once_where_there_is_no_transaction() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let mut server = server(engine);
        exec(&mut server, 1, "CREATE USER 'app_clone'@'%' IDENTIFIED BY 'clone-password'");
        assert!(server.accepts(Instant::ZERO, "app_clone", "clone-password"));
        assert_ne!(server.means("app_clone"), server.means("app"));
        exec(&mut server, 1, "GRANT SELECT, INSERT ON `app`.* TO 'app_clone'@'%'");
        exec(&mut server, 1, "ALTER USER 'app_clone'@'%' REQUIRE SSL");
        assert_eq!(server.means("app_clone"), server.means("app"));
        // MySQL 8 took `PASSWORD()` away; without it MariaDB takes the text for a stored form.
        let (ours, other) = match engine {
            Engine::Mysql => ("'second-password'", "PASSWORD('third-password')"),
            _ => ("PASSWORD('second-password')", "'third-password'"),
        };
        exec(&mut server, 2, &format!("SET PASSWORD = {ours}"));
        assert!(server.accepts(Instant::ZERO, "app", "second-password"));
        let refused = exec(&mut server, 1, &format!("SET PASSWORD FOR 'app' = {other}"));
        assert_eq!(refused, if engine == Engine::Mysql { "syntax" } else { "refused" });
        assert!(server.accepts(Instant::ZERO, "app", "second-password"));
        let Answer::Value(grants) = server.execute(Instant::ZERO, 1, "SHOW GRANTS FOR 'app'") else {
            panic!()
        };
        assert_eq!(grants["rows"][1][0], "GRANT SELECT, INSERT ON `app`.* TO `app`@`%`");
    }
}

#[test]
fn grants_that_are_shown_can_be_granted_as_they_are() {
    let mut server = server(Engine::Mysql);
    exec(&mut server, 1, "CREATE USER 'other' IDENTIFIED BY 'other-password'");
    let Answer::Value(shown) = server.execute(Instant::ZERO, 1, "SHOW GRANTS FOR 'app'") else { panic!() };
    for row in shown["rows"].as_array().expect("rows") {
        let (grant, _) = row[0].as_str().expect("text").split_once(" TO ").expect("a grant");
        assert_eq!(exec(&mut server, 1, &format!("{grant} TO 'other'")), "null");
    }
    assert_eq!(server.means("other").privileges, server.means("app").privileges);
}

#[test]
fn mariadb_makes_a_user_whom_a_grant_identifies() {
    let sql = "GRANT USAGE ON *.* TO 'app_clone' IDENTIFIED BY 'clone-password'";
    let mut maria = server(Engine::Mariadb);
    for password in ["clone-password", "other-password"] {
        assert_eq!(exec(&mut maria, 1, &sql.replace("clone-password", password)), "null");
        assert!(maria.accepts(Instant::ZERO, "app_clone", password));
    }
    assert_eq!(exec(&mut maria, 2, sql), "denied", "the application may not");
    assert_eq!(exec(&mut server(Engine::Mysql), 1, sql), "syntax", "version 8 has no such grant");
}

#[test]
fn what_a_certificate_must_say_is_read_back() {
    let mut server = server(Engine::Mysql);
    exec(&mut server, 1, "ALTER USER app@'%' REQUIRE CIPHER 'c' AND ISSUER '/CN=i' AND SUBJECT ''");
    let read = "SELECT ssl_type, ssl_cipher, x509_issuer, x509_subject FROM mysql.user WHERE User = 'app'";
    let Answer::Value(told) = server.execute(Instant::ZERO, 1, read) else { panic!() };
    assert_eq!(told["rows"][0], json!(["SPECIFIED", "c", "/CN=i", ""]));
}

#[test]
fn nobody_changes_others_without_the_right_to() {
    let mut server = server(Engine::Postgres);
    assert_eq!(exec(&mut server, 2, "CREATE ROLE x LOGIN PASSWORD 'some-password'"), "denied");
    server.rollback(2);
    assert_eq!(exec(&mut server, 2, "ALTER ROLE admin PASSWORD 'some-password'"), "denied");
    server.rollback(2);
    assert_eq!(exec(&mut server, 2, "ALTER ROLE app PASSWORD 'some-password'"), "null");
}

#[test]
fn a_statement_that_the_world_does_not_speak_is_refused_without_its_texts() {
    let mut server = server(Engine::Postgres);
    for sql in ["DELETE FROM pg_roles", "ALTER USER app SET search_path TO 'hush-hush'", "SET ROLE 'hush'"] {
        let Answer::Error { kind, message, .. } = server.execute(Instant::ZERO, 1, sql) else {
            panic!("{sql}")
        };
        assert_eq!(kind, "Unsupported");
        assert!(!message.contains("hush"), "{message}");
    }
}

#[test]
fn a_quote_that_is_missing_around_a_password_is_the_functions_own_error() {
    for (engine, sql) in [
        (Engine::Postgres, "ALTER USER app PASSWORD 'hush"),
        (Engine::Postgres, "ALTER USER app PASSWORD 'hush'hush'"),
        (Engine::Postgres, "ALTER USER app PASSWORD 'hush'hush''"),
        (Engine::Postgres, "ALTER ROLE user PASSWORD 'hush'"),
        (Engine::Mariadb, "ALTER USER app IDENTIFIED BY 'hush'hush'"),
        (Engine::Mysql, "ALTER USER app IDENTIFIED BY 'hush'hush''"),
    ] {
        let mut server = server(engine);
        let Answer::Error { kind, message, .. } = server.execute(Instant::ZERO, 1, sql) else {
            panic!("{sql}")
        };
        assert_eq!(kind, "syntax", "{sql}");
        assert!(!message.contains("hush"), "{message}");
    }
}

#[test]
fn a_login_ends_with_its_validity() {
    let mut server = server(Engine::Postgres);
    server.set_autocommit(1, true);
    exec(&mut server, 1, "ALTER ROLE app VALID UNTIL '2030-01-01 01:00:00'");
    assert!(server.accepts(Instant::ZERO, "app", "app-password"));
    let hour = Instant(3_600_000_000_000);
    assert!(!server.accepts(hour, "app", "app-password"));
    exec(&mut server, 1, "ALTER ROLE app VALID UNTIL 'infinity'");
    assert!(server.accepts(hour, "app", "app-password"));
}

#[test]
fn quote_functions_answer_as_the_server_would() {
    let mut server = server(Engine::Postgres);
    assert_eq!(exec(&mut server, 1, "SELECT quote_ident('app')"), "\"app\"");
    assert_eq!(exec(&mut server, 1, "SELECT quote_ident('App \"x\"')"), r#""\"App \"\"x\"\"\"""#);
    assert_eq!(exec(&mut server, 1, "SELECT quote_literal('it''s')"), "\"'it''s'\"");
}

#[test]
fn tls_that_fails_says_so_and_a_login_that_needs_it_is_refused_without() {
    let mut server = server(Engine::Mysql);
    server.tls_down_until = Instant(5);
    for (at, tls, expect) in
        [(Instant(4), true, "connection"), (Instant(5), true, ""), (Instant(5), false, "auth")]
    {
        let kind = match server.connect(at, 9, "app", "app-password", tls) {
            Answer::Value(_) => String::new(),
            Answer::Error { kind, .. } => kind,
        };
        assert_eq!(kind, expect);
    }
}

#[test]
fn mysql_keeps_a_second_password_until_it_is_discarded() {
    let mut server = server(Engine::Mysql);
    let opens = |server: &Server| {
        ["app-password", "second", "third"].map(|password| server.accepts(Instant::ZERO, "app", password))
    };
    let told = [
        ("ALTER USER 'app'@'%' IDENTIFIED BY 'second' RETAIN CURRENT PASSWORD", [true, true, false]),
        // Without a word about it, the second one stays.
        ("ALTER USER 'app'@'%' IDENTIFIED BY 'third'", [true, false, true]),
        ("ALTER USER app DISCARD OLD PASSWORD", [false, false, true]),
        ("SET PASSWORD FOR app = 'second' RETAIN CURRENT PASSWORD", [false, true, true]),
        // One takes the place of the other.
        ("ALTER USER app IDENTIFIED BY 'app-password' RETAIN CURRENT PASSWORD", [true, true, false]),
        ("ALTER USER app IDENTIFIED BY ''", [false, false, false]),
    ];
    for (sql, expect) in told {
        assert_eq!(exec(&mut server, 1, sql), "null", "{sql}");
        assert_eq!(opens(&server), expect, "{sql}");
    }
    let refused = |server: &mut Server, id, sql: &str| match server.execute(Instant::ZERO, id, sql) {
        Answer::Error { code, kind, .. } => format!("{kind} {code}"),
        Answer::Value(_) => "done".to_owned(),
    };
    for (sql, expect) in [
        ("ALTER USER app IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD", "refused 3878"),
        ("ALTER USER admin IDENTIFIED BY '' RETAIN CURRENT PASSWORD", "refused 3895"),
    ] {
        assert_eq!(refused(&mut server, 1, sql), expect, "{sql}");
    }
    // Who may change his own password may not keep the one before.
    let own = "ALTER USER app IDENTIFIED BY 'x'";
    assert_eq!(refused(&mut server, 2, &format!("{own} RETAIN CURRENT PASSWORD")), "denied 1227");
    assert_eq!(refused(&mut server, 2, own), "done");
}

#[test]
fn words_that_a_dialect_may_know_are_refused_by_name_and_others_are_errors() {
    for (engine, sql, expect) in [
        (Engine::Mysql, "ALTER USER app IDENTIFIED BY 'x' REPLACE 'y'", "Unsupported"),
        (Engine::Mysql, "ALTER USER app PASSWORD_LOCK_TIME 3", "Unsupported"),
        (Engine::Mysql, "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app", "Unsupported"),
        (Engine::Mysql, "ALTER USER app IDENTIFIED BY 'x'y", "syntax"),
        (Engine::Mysql, "ALTER USER app IDENTIFIED BY 'x'; SELECT 1", "syntax"),
        (Engine::Mariadb, "ALTER USER app IDENTIFIED BY 'x' RETAIN CURRENT PASSWORD", "syntax"),
        (Engine::Mariadb, "ALTER USER app DISCARD OLD PASSWORD", "syntax"),
        (Engine::Postgres, "ALTER ROLE app PASSWORD 'x'; VACUUM", "Unsupported"),
        (Engine::Postgres, "ALTER ROLE app PASSWORD 'x'; ALTER ROLE app 'y'", "syntax"),
        (Engine::Postgres, "ALTER ROLE app PASSWORD 'x'; SELECT 1", "1"),
        (Engine::Postgres, "SELECT 1 -- and 'so on", "1"),
        (Engine::Postgres, "/* a /* b */ c */ SELECT 1", "1"),
        (Engine::Postgres, "SELECT 1 /* open", "syntax"),
        (Engine::Mysql, "SELECT 1 # so", "1"),
        (Engine::Mysql, "/*! SELECT 1 */", "Unsupported"),
    ] {
        assert_eq!(exec(&mut server(engine), 1, sql), expect, "{sql}");
    }
}

#[test]
fn what_is_sent_to_postgresql_at_once_is_done_whole_or_not_at_all() {
    let accepts = |server: &Server, password| server.accepts(Instant::ZERO, "app", password);
    let mut server = server(Engine::Postgres);
    server.set_autocommit(1, true);
    exec(&mut server, 1, "ALTER ROLE app PASSWORD 'second'; SELECT 1;");
    assert!(accepts(&server, "second"));
    assert_eq!(exec(&mut server, 1, "ALTER ROLE app PASSWORD 'third'; DROP ROLE nobody"), "missing");
    assert!(accepts(&server, "second"), "nothing of it is left");
    assert_eq!(exec(&mut server, 1, "SELECT 1"), "1", "and no transaction is");
    exec(&mut server, 1, "ALTER ROLE app PASSWORD 'third'; COMMIT; DROP ROLE nobody");
    assert!(accepts(&server, "third"), "what was committed is");
    exec(&mut server, 1, "BEGIN; ALTER ROLE app PASSWORD 'fourth'");
    assert!(accepts(&server, "third"), "a transaction that was asked for stays open");
    server.commit(1);
    assert!(accepts(&server, "fourth"));
    server.set_autocommit(1, false);
    exec(&mut server, 1, "ALTER ROLE app PASSWORD 'fifth'; SELECT 1");
    assert!(accepts(&server, "fourth"), "drivers begin one without a word");
    server.rollback(1);
    assert!(accepts(&server, "fourth"));
    exec(&mut server, 1, "COMMIT; ALTER ROLE app PASSWORD 'fifth'; SELECT 1");
    assert!(accepts(&server, "fifth"), "and not again behind what ends it");
}

#[test]
fn what_rotations_ask_of_themselves_and_of_others_is_answered() {
    for (engine, sql, expect) in [
        (Engine::Postgres, "SELECT EXISTS(SELECT 1 FROM pg_roles WHERE rolname = 'app')", "true"),
        (Engine::Postgres, "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'x') AS is", "false"),
        (Engine::Postgres, "SELECT rolname FROM pg_roles ORDER BY rolname LIMIT 1", "\"admin\""),
        (Engine::Postgres, "SELECT true", "true"),
        (Engine::Postgres, "SELECT 1 + 2 - 4", "-1"),
        (Engine::Postgres, "SHOW server_version", "\"16.4\""),
        (Engine::Postgres, "SELECT current_database()", "\"app\""),
        (Engine::Mysql, "SELECT DATABASE(), USER()", "\"app\""),
        (Engine::Mysql, "SELECT @@version", "\"8.0.39\""),
        (Engine::Mysql, "SELECT CONNECTION_ID()", "1"),
        (Engine::Mysql, "SELECT EXISTS(SELECT 1 FROM mysql.user WHERE user = 'app')", "1"),
        (Engine::Mysql, "SHOW CREATE USER app", "Unsupported"),
        (Engine::Mysql, "ALTER USER app IDENTIFIED WITH 'caching_sha2_password' BY 'x'", "null"),
    ] {
        let mut server = server(engine);
        server.enter(1, "app");
        assert_eq!(exec(&mut server, 1, sql), expect, "{sql}");
    }
}

#[test]
fn sessions_are_ended_and_counted_and_accounts_locked_and_renamed() {
    let mut postgres = server(Engine::Postgres);
    postgres.set_autocommit(1, true);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND pid <> pg_backend_pid()";
    assert_eq!(exec(&mut postgres, 2, "SELECT 1"), "1");
    assert_eq!(exec(&mut postgres, 1, end), "true");
    assert_eq!(exec(&mut postgres, 2, "SELECT 1"), "connection");
    exec(&mut postgres, 1, "ALTER ROLE app CONNECTION LIMIT 0");
    assert!(!postgres.accepts(Instant::ZERO, "app", "app-password"));
    exec(&mut postgres, 1, "ALTER ROLE app CONNECTION LIMIT -1");
    assert!(postgres.accepts(Instant::ZERO, "app", "app-password"));
    exec(&mut postgres, 1, "BEGIN");
    exec(&mut postgres, 1, "ALTER ROLE app PASSWORD 'x'");
    exec(&mut postgres, 1, "ABORT");
    assert!(postgres.accepts(Instant::ZERO, "app", "app-password"));

    let mut mysql = server(Engine::Mysql);
    exec(&mut mysql, 1, "ALTER USER app ACCOUNT LOCK");
    assert!(!mysql.accepts(Instant::ZERO, "app", "app-password"));
    exec(&mut mysql, 1, "ALTER USER app ACCOUNT UNLOCK");
    assert_eq!(exec(&mut mysql, 1, "RENAME USER app TO other"), "null");
    assert!(mysql.accepts(Instant::ZERO, "other", "app-password"));
    assert_eq!(exec(&mut mysql, 1, "RENAME USER app TO third"), "refused");
    assert_eq!(exec(&mut mysql, 1, "RENAME USER other TO admin"), "refused");
    assert!(mysql.accepts(Instant::ZERO, "other", "app-password"), "a refusal takes nobody away");
}
