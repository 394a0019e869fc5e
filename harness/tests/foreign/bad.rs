//! Bad input: a clear message, with file and line where there is one, in bounded time.

use super::{flat, function, has, rotate, tumbler};
use std::path::Path;
use std::time::{Duration, Instant};

/// A function's source, and what is said of it.
const BROKEN: [(&str, &[&str]); 13] = [
    (
        "def lambda_handler(event, context):\n    while True:\n        pass\n",
        &["lambda_function.py:", "the function did not ask, return or raise for 1 s"],
    ),
    ("x = 1\n1 / 0\n", &["lambda_function.py:2: import of lambda_function.py raises ZeroDivisionError"]),
    (
        "def lambda_handler(event, context)\n",
        &["lambda_function.py:1: import of lambda_function.py raises SyntaxError"],
    ),
    (
        "import os\nos._exit(3)\n",
        &["import of lambda_function.py: the function ends its process (os._exit(3))"],
    ),
    (
        "import requests\n",
        &["lambda_function.py:1:", "no stand-in for the module `requests`", "there are stand-ins for boto3"],
    ),
    ("handler = 1\n", &["lambda_function.py has no function `lambda_handler(event, context)`"]),
    (
        "import socket\ndef lambda_handler(event, context):\n    socket.create_connection(('db', 1))\n",
        &["lambda_function.py:3: the function looks a host up"],
    ),
    (
        "import socket\ndef lambda_handler(event, context):\n    try:\n        socket.socket()\n    except Exception:\n        pass\n",
        &["lambda_function.py:4: the function opens a socket"],
    ),
    (
        "import subprocess\ndef lambda_handler(event, context):\n    subprocess.run(['true'])\n",
        &["lambda_function.py:3: the function starts a process"],
    ),
    (
        "import boto3\ndef lambda_handler(event, context):\n    boto3.client('s3')\n",
        &["lambda_function.py:3: no stand-in for boto3.client('s3'): there are secretsmanager and rds"],
    ),
    (
        "import boto3\ndef lambda_handler(event, context):\n    boto3.client('rds').delete_db_cluster()\n",
        &["lambda_function.py:3:", "no `client('rds').delete_db_cluster`", "harness/FOREIGN.md"],
    ),
    (
        "import psycopg2\ndef lambda_handler(event, context):\n    c = psycopg2.connect(host='orders.db.internal', \
         user='app', password='initial-app-credential')\n    c.cursor().execute(\"VACUUM FULL\")\n",
        &["lambda_function.py:4: the world does not speak `VACUUM FULL`"],
    ),
    (
        "import os\ndef lambda_handler(event, context):\n    os._exit(3)\n",
        &["lambda_function.py:3: the function ends its process (os._exit(3))"],
    ),
];

#[test]
fn a_function_that_is_broken_is_named_with_its_line_and_in_bounded_time() {
    if !has("python3") {
        return;
    }
    for (source, expect) in BROKEN {
        let folder = function(source);
        let began = Instant::now();
        let (text, code) = rotate("grid", folder.path(), &["--watchdog", "1"]);
        assert_eq!(code, Some(13), "{source}\n{text}");
        for part in expect {
            assert!(flat(&text).contains(part), "{source}: {part}\n{text}");
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{source}");
    }
}

#[test]
fn a_function_that_raises_without_any_fault_is_stalled_and_its_words_are_shown() {
    if !has("python3") {
        return;
    }
    let folder = function("def lambda_handler(event, context):\n    raise KeyError('username')\n");
    for (what, args) in
        [("grid", &[][..]), ("run", &["--seeds", "0..3"]), ("run", &["--strike", "1:1:request-lost"])]
    {
        let (text, code) = rotate(what, folder.path(), args);
        assert_eq!(code, Some(11), "{text}");
        for part in [
            "STALLED raises without any fault (converges)",
            "change: without any fault, an invocation raises KeyError: 'username', lambda_function.py:2: mend that \
             first",
        ] {
            assert!(flat(&text).contains(part), "{what} {args:?}: {part}\n{text}");
        }
        assert!(!text.contains("each step must succeed again"), "{text}");
    }
}

#[test]
fn what_a_function_prints_is_its_log_and_breaks_nothing() {
    if !has("python3") {
        return;
    }
    let careful =
        std::fs::read_to_string(super::example("careful").join("lambda_function.py")).expect("the example");
    let folder = function(&format!("print('{{\"done\": {{}}}}')\n{}", careful.replace(
        "    STEPS[event",
        "    print('{\"raised\": 1}', flush=True)\n    import sys, os; sys.stderr.write('x'); os.write(1, b'raw\\n')\n    STEPS[event",
    )));
    let (text, code) = rotate("run", folder.path(), &["--strike", "1:3:reply-lost"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_sweep_goes_on_past_a_function_that_hangs_under_some_faults() {
    if !has("python3") {
        return;
    }
    let careful =
        std::fs::read_to_string(super::example("careful").join("lambda_function.py")).expect("the example");
    let hangs = careful.replace(
        "def quoted(name):",
        "def quoted(name):\n    import time\n    while time.time() % 1000 > 500: pass\n",
    );
    let folder = function(&hangs);
    let out = tempfile::tempdir().expect("a scratch folder");
    let place = out.path().to_str().expect("UTF-8");
    let folder = folder.path().to_str().expect("UTF-8");
    let args =
        ["run", "--rotator", folder, "--seeds", "0..12", "--watchdog", "1", "--recheck", "0", "--out", place];
    let output = tumbler(out.path(), &args);
    let rows = std::fs::read_to_string(out.path().join("results.csv")).expect("the sweep wrote it");
    assert_eq!(rows.lines().count(), 13, "every seed has a row: {rows}");
    let count = |verdict: &str| rows.lines().filter(|row| row.contains(&format!(",{verdict},"))).count();
    assert!(count("crashed") > 0 && count("pass") > 0, "{rows}");
    assert_eq!(output.status.code(), Some(13));
}

#[cfg(unix)]
#[test]
fn a_program_that_does_not_speak_the_protocol_is_told_what_was_expected() {
    use std::os::unix::fs::PermissionsExt;
    for (script, expect) in [
        ("echo hello", "got `hello`; print for people to standard error"),
        (
            "echo '{\"call\": {\"op\": \"sql.fly\", \"args\": {}, \"log\": []}}'; cat >/dev/null",
            "no operation sql.fly",
        ),
        ("exit 4", "the program ended without a word: exit status: 4"),
        ("sleep 60", "the program did not ask or end for 1 s of real time"),
    ] {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let program = folder.path().join("rotator");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("the scratch folder takes files");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        let (text, code) = rotate("grid", folder.path(), &["--watchdog", "1"]);
        assert_eq!(code, Some(13), "{script}\n{text}");
        assert!(flat(&text).contains(expect), "{script}: {expect}\n{text}");
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let check = tumbler(out.path(), &["role-host", "--check", "echo hello"]);
    assert_eq!(check.status.code(), Some(10), "echo does not speak it");
}

#[test]
fn mistyped_arguments_are_told_from_findings() {
    let nowhere = Path::new("no-such-folder");
    for (what, args, expect) in [
        ("grid", &[][..], "expected a folder with lambda_function.py"),
        ("run", &["--engine", "oracle"], "expected one of postgres, mysql, mariadb"),
        ("run", &["--strike", "1:2:eaten"], "no fault `eaten`"),
        ("run", &["standard"], "cannot be used with"),
        ("grid", &["--layout", "reader", "--engine", "mariadb"], "there are no clusters of mariadb"),
    ] {
        let (text, code) = rotate(what, nowhere, args);
        assert_eq!(code, Some(2), "{text}");
        assert!(flat(&text).contains(expect), "{expect}\n{text}");
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    for args in [&["grid"][..], &["run", "--strike", "1:2:held"], &["grid", "standard", "--engine", "mysql"]]
    {
        assert_eq!(tumbler(out.path(), args).status.code(), Some(2), "{args:?}");
    }
    let (text, code) = rotate("grid", out.path(), &[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("expected lambda_function.py or an executable `rotator`"), "{text}");
}
