//! Stand-ins do what the drivers, the client library and a Lambda do, or refuse by name: never less, and never
//! something else. Each row is a sound function of one user, with a line more.

use super::{flat, function, has, rotate};

/// A rotation of one user; what a row adds stands where the password is set.
const SOUND: &str = r#"
import json, os
import boto3

client = boto3.client("secretsmanager")

def lambda_handler(event, context):
    arn, token = event["SecretId"], event["ClientRequestToken"]
    stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
    if "AWSCURRENT" in stages.get(token, []):
        return
    def read(**which):
        return json.loads(client.get_secret_value(SecretId=arn, **which)["SecretString"])
    if event["Step"] == "createSecret":
        try:
            read(VersionId=token, VersionStage="AWSPENDING")
        except client.exceptions.ResourceNotFoundException:
            secret = read(VersionStage="AWSCURRENT")
            secret["password"] = client.get_random_password(ExcludeCharacters="/@\"'\\\\%")["RandomPassword"]
            client.put_secret_value(SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(secret),
                                    VersionStages=["AWSPENDING"])
    elif event["Step"] == "setSecret":
        secret = read(VersionId=token, VersionStage="AWSPENDING")
        master = json.loads(client.get_secret_value(SecretId=secret["masterarn"])["SecretString"])
        conn = connect(secret, master)
        cur = conn.cursor()
        ADDED
        cur.execute("ALTER USER app " + VERB + " %s", (secret["password"],))
        conn.commit()
        conn.close()
    elif event["Step"] == "testSecret":
        secret = read(VersionId=token, VersionStage="AWSPENDING")
        connect(secret, secret).close()
    elif event["Step"] == "finishSecret":
        old = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token,
                                           RemoveFromVersionId=old)
"#;

const POSTGRES: &str = r#"
import psycopg2, psycopg2.errorcodes, psycopg2.errors, psycopg2.extras, psycopg2.pool, psycopg2.sql

VERB = "WITH PASSWORD"

def place(secret, who):
    return dict(host=secret["host"], port=secret["port"], dbname=secret["dbname"], user=who["username"],
                password=who["password"])

def connect(secret, who, **more):
    return psycopg2.connect(sslmode="require", **place(secret, who), **more)
"#;

const MYSQL: &str = r#"
import pymysql, pymysql.constants, pymysql.converters, pymysql.cursors

VERB = "IDENTIFIED BY"

def place(secret, who):
    return dict(host=secret["host"], port=int(secret["port"]), database=secret["dbname"], user=who["username"],
                password=who["password"])

def connect(secret, who, **more):
    return pymysql.connect(ssl={"ca": "/etc/pki/tls/cert.pem"}, **place(secret, who), **more)
"#;

/// Runs the sound function with a line more, and expects exit code and words.
#[track_caller]
fn check(engine: &str, added: &str, code: i32, says: &str) {
    let head = if engine == "postgres" { POSTGRES } else { MYSQL };
    let added = added.replace('\n', "\n        ");
    let folder = function(&format!("{head}{}", SOUND.replace("ADDED", &added)));
    let args = ["--engine", engine, "--strike", "2:1:request-lost"];
    let (text, got) = rotate("run", folder.path(), &args);
    assert_eq!(got, Some(code), "{engine}: {added}\n{text}");
    assert!(flat(&text).contains(says), "{engine}: {added}\n{says}\n{text}");
}

/// That nothing is swallowed: neither by the function, nor by another thread.
#[test]
fn what_is_refused_ends_the_run_whatever_the_function_does_with_it() {
    if !has("python3") {
        return;
    }
    let crashed = |added: &str, says: &str| check("postgres", added, 13, says);
    crashed("try: boto3.client('cloudwatch')\nexcept: pass", "no stand-in for boto3.client('cloudwatch')");
    crashed(
        "import threading\nt = threading.Thread(target=lambda: client.describe_secret(SecretId=arn))\nt.start(); t.join()",
        "from a second thread",
    );
    for changes in [
        "os.mkdir('made')",
        "os.rename('a', 'b')",
        "os.remove('a')",
        "os.symlink('a', 'b')",
        "os.truncate('a', 1)",
        "os.chmod('.', 0)",
        "import pathlib; pathlib.Path('a').unlink()",
        "import shutil; shutil.rmtree('a', ignore_errors=True); os.rmdir('a')",
    ] {
        crashed(&format!("try: {changes}\nexcept: pass"), "the function changes files");
    }
    crashed("open('made', 'w')", "the function writes a file");
    crashed("import sqlite3; sqlite3.connect('made')", "the function writes a file");
    crashed("os.kill(os.getppid(), 9)", "the function sends a signal (os.kill)");
    crashed("os._exit(3)", "the function ends its process (os._exit(3))");
    crashed("import asyncio; asyncio.run(asyncio.sleep(0))", "asyncio");
    crashed("import requests", "no stand-in for the module `requests`");
    crashed("cur.callproc('x')", "the stand-in's cursor has no `callproc`");
    crashed("conn.lobject()", "the stand-in's connection has no `lobject`");
    crashed("x = bytearray(3 << 30)", "more memory than there is");
}

#[test]
fn a_secret_is_found_wherever_the_log_would_have_it() {
    if !has("python3") {
        return;
    }
    let found = |added: &str| check("postgres", added, 10, "a secret is in the log");
    let log = "import logging; log = logging.getLogger()\npassword = secret['password']\n";
    for line in [
        "print(password)",
        "print('x' * 5000 + password)",
        "for _ in range(300): print('line')\nprint(password)",
        "log.warning('set %s', password)",
        "try: raise ValueError(password)\nexcept ValueError: log.exception('it failed')",
        "log.handlers[0].setFormatter(logging.Formatter('%(message)s %(secret)s'))\nlog.warning('x', extra={'secret': password})",
        "os.write(1, password.encode())",
        "import sys; print(password, file=sys.__stdout__)",
        "import sys; sys.stdout.buffer.write(password.encode())",
        "import sys; sys.stderr.writelines([password])",
        "if event['ClientRequestToken'][0] > 'z': pass\nelse:\n    try: raise KeyError(password)\n    except KeyError as error: raise RuntimeError('failed') from error",
    ] {
        found(&format!("{log}{line}"));
    }
    // A chain that is cut is not printed.
    check("postgres", "try: raise KeyError(secret['password'])\nexcept KeyError: pass", 0, "PASS");
}

#[test]
fn drivers_raise_what_they_raise_and_send_what_they_send() {
    if !has("python3") {
        return;
    }
    let raises = |engine: &str, added: &str, says: &str| check(engine, added, 11, &format!("raises {says}"));
    for (added, says) in [
        ("cur.execute('SELECT 1').fetchone()", "AttributeError: 'NoneType' object"),
        ("conn.execute('SELECT 1')", "AttributeError: 'Connection' object has no attribute 'execute'"),
        ("cur.execute('SET x = 1') if False else cur.fetchone()", "ProgrammingError: no results to fetch"),
        ("cur.close(); cur.execute('SELECT 1')", "InterfaceError: cursor already closed"),
        ("conn.close(); conn.cursor()", "InterfaceError: connection already closed"),
        (
            "cur.execute('SELECT 1'); conn.autocommit = True",
            "ProgrammingError: set_session cannot be used inside",
        ),
        ("connect(secret, master, foo=3)", "ProgrammingError: invalid dsn: invalid connection option"),
        (
            "psycopg2.connect(sslmode='verify-full', **place(secret, master))",
            "OperationalError: connection failed: root",
        ),
    ] {
        raises("postgres", added, says);
    }
    for (added, says) in [
        ("pymysql.connect('orders.db.internal')", "TypeError: connect() takes 0 positional arguments"),
        ("connect(secret, master, foo=3)", "TypeError: connect() got an unexpected keyword argument 'foo'"),
        ("pymysql.connect(host='x', port='3306')", "ValueError: port should be of type int"),
        ("pymysql.connect(ssl={'ca': 'none.pem'}, **place(secret, master))", "FileNotFoundError: [Errno 2]"),
        ("conn.close(); conn.close()", "Error: Already closed"),
        ("conn.close(); conn.cursor().execute('SELECT 1')", "InterfaceError: (0, '')"),
    ] {
        raises("mysql", added, says);
    }
    // Without TLS, whatever else is said of it.
    let bare = "conn = pymysql.connect(ssl={'ca': '/etc/pki/tls/cert.pem'}, ssl_disabled=True, **place(secret, master))\n\
                cur = conn.cursor()";
    // Here the administrator must have it.
    raises("mysql", bare, "OperationalError: (1045,");
    let bare = "os.environ['PGSSLMODE'] = 'disable'\nconn = psycopg2.connect(**place(secret, master))\ncur = conn.cursor()";
    check("postgres", bare, 10, "a secret is on a wire without TLS");
    // What is a client's own setting, or has nothing to end, is no call: the next one has its number.
    let own = "conn.commit(); conn.rollback(); conn.autocommit = True; conn.autocommit = False; conn.commit()\nassert False";
    check("postgres", own, 11, "raises AssertionError");
    let own = "with conn: pass\nassert not conn.open\nconn = connect(secret, master); cur = conn.cursor()";
    check("mysql", own, 0, "PASS");
    // A block of an autocommit connection is a transaction: what it did is taken back.
    let block = "conn.autocommit = True\ntry:\n    with conn:\n        cur.execute('ALTER USER app WITH PASSWORD %s', ('x',))\n        \
                 raise KeyError\nexcept KeyError: pass\nconnect(secret, read(VersionStage='AWSCURRENT')).close()";
    check("postgres", block, 0, "PASS");
}

#[test]
fn what_a_lambda_cannot_return_is_a_failure() {
    if !has("python3") {
        return;
    }
    for added in ["return object()", "import datetime; return {'at': datetime.datetime.now()}"] {
        check("postgres", added, 11, "raises Runtime.MarshalError: Unable to marshal response");
    }
    let folder = function("async def lambda_handler(event, context):\n    pass\n");
    let (text, code) = rotate("run", folder.path(), &["--strike", "2:1:request-lost"]);
    assert_eq!(code, Some(11), "{text}");
    assert!(flat(&text).contains("raises Runtime.MarshalError"), "{text}");
}

/// What teams use that no published sample does.
#[test]
fn more_of_the_drivers_is_there() {
    if !has("python3") {
        return;
    }
    for added in [
        "cur.execute('SELECT 1'); assert cur.description[0].name and next(cur) == (1,) and list(cur) == []",
        "cur.executemany('SELECT %s', [(1,), (2,)]); assert cur.fetchall() == [(2,)] and cur.rowcount == 1",
        "assert cur.mogrify('SELECT %s', ('x',)) == b\"SELECT 'x'\" and not cur.closed",
        "dict_cur = conn.cursor(cursor_factory=psycopg2.extras.DictCursor); dict_cur.execute('SELECT 1 AS one')\n\
         row = dict_cur.fetchone(); assert (row[0], row['one']) == (1, 1)",
        "named = conn.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor); named.execute('SELECT 1 AS one')\n\
         assert named.fetchone().one == 1",
        "from psycopg2 import sql\nassert isinstance(sql.Identifier('a'), sql.Composable)\n\
         cur.execute(sql.SQL('SELECT {}').format(sql.Literal('x'))); assert cur.fetchone() == ('x',)",
        "try: cur.execute('CREATE ROLE app')\nexcept psycopg2.errors.lookup('42710') as error:\n    \
         assert error.diag.sqlstate == psycopg2.errorcodes.DUPLICATE_OBJECT == error.pgcode; conn.rollback()",
        "pool = psycopg2.pool.SimpleConnectionPool(1, 2, sslmode='require', **place(secret, master))\n\
         one = pool.getconn(); pool.putconn(one); pool.closeall()",
        "assert conn.info.server_version >= 160000 and conn.get_transaction_status() == 0 and psycopg2.__version__",
        "psycopg2.connect('postgresql://%s:%s@%s:%s/%s?sslmode=require' % (master['username'], \
         __import__('urllib.parse').parse.quote(master['password']), secret['host'], secret['port'], secret['dbname'])).close()",
        "assert context.identity.cognito_identity_id is None and context.client_context is None",
        "cur.execute('SET application_name = %s', ('x',)); assert cur.rowcount == -1",
    ] {
        check("postgres", added, 0, "PASS");
    }
    for added in [
        "conn.ping(); conn.close(); conn.ping(reconnect=True); cur = conn.cursor()",
        "assert conn.escape('a') == \"'a'\" and not conn.get_autocommit() and conn.host == secret['host']",
        "named = conn.cursor(pymysql.cursors.DictCursor); named.execute('SELECT 1 AS one'); assert named.fetchone() == {'one': 1}",
        "pymysql.install_as_MySQLdb(); import MySQLdb; assert MySQLdb.connect is pymysql.connect",
        "try: cur.execute(\"CREATE USER 'app'@'%%' IDENTIFIED BY 'x'\", ())\nexcept pymysql.err.OperationalError as error:\n    \
         assert error.args[0] == pymysql.constants.ER.CANNOT_USER",
        "assert pymysql.converters.escape_string(\"a'b\") == \"a\\\\'b\" and pymysql.__version__",
    ] {
        check("mysql", added, 0, "PASS");
    }
}
