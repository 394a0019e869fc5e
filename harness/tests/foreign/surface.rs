//! Functions that use all that published samples use: of boto3, three drivers, SQL, environment.

use super::{flat, has, rotate};
use std::path::Path;

/// One of `functions`, in a folder of its own, with what it imports.
fn of(name: &str) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/functions");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let copy = |source: &str, target: &str| {
        let to = folder.path().join(format!("{target}.py"));
        std::fs::copy(from.join(format!("{source}.py")), to).expect("the scratch folder takes files");
    };
    for part in ["contract", "postgres", "mysql", "single", "multi"] {
        copy(part, part);
    }
    copy(name, "lambda_function");
    folder
}

const ENGINES: [&str; 3] = ["postgres", "mysql", "mariadb"];
const LAYOUTS: [&str; 6] = ["plain", "tls", "managed", "cluster", "replica", "reader"];

#[test]
fn single_and_alternating_users_rotate_on_each_engine_and_layout() {
    if !has("python3") {
        return;
    }
    for engine in ENGINES {
        for users in ["single", "multi"] {
            let folder = of(&format!("{engine}_{users}"));
            for layout in LAYOUTS {
                let args = ["--engine", engine, "--layout", layout, "--strike", "1:1:request-lost"];
                let (text, code) = rotate("run", folder.path(), &args);
                let has_it = engine != "mariadb" || !["cluster", "reader"].contains(&layout);
                let (expect, saw) = match (has_it, users) {
                    (false, _) => (2, "there are no clusters of mariadb"),
                    (true, "single") => (0, "outage within the declared window"),
                    (true, _) => (0, ": retried"),
                };
                assert_eq!(code, Some(expect), "{engine} {users} {layout}\n{text}");
                assert!(flat(&text).contains(saw), "{engine} {users} {layout}\n{text}");
            }
        }
    }
}

/// A fallback to a connection without TLS is the secret's to forbid.
#[test]
fn a_secret_that_insists_on_tls_is_not_sent_without() {
    if !has("python3") {
        return;
    }
    let folder = of("postgres_multi");
    // The login as the pending user, which is refused, is tried once and not twice.
    for (layout, strike, code, saw) in [
        ("plain", "1:14:tls-fails", 10, "a secret is on a wire without TLS"),
        ("tls", "1:13:tls-fails", 0, ": retried"),
    ] {
        let (text, got) = rotate("run", folder.path(), &["--layout", layout, "--strike", strike]);
        assert_eq!(got, Some(code), "{layout}\n{text}");
        assert!(flat(&text).contains(saw), "{layout}\n{text}");
    }
}

/// The environment decides what a password is made of: with quotes and backslashes in it, a driver's
/// quoting is what holds.
#[test]
fn the_environment_reaches_the_function_and_its_replay_line() {
    if !has("python3") {
        return;
    }
    for engine in ENGINES {
        let folder = of(&format!("{engine}_multi"));
        let strike = ["--engine", engine, "--env", "EXCLUDE_CHARACTERS=", "--strike", "1:1:request-lost"];
        let (text, code) = rotate("run", folder.path(), &strike);
        assert_eq!(code, Some(0), "{engine}\n{text}");
        let args = ["--engine", engine, "--env", "PASSWORD_LENGTH=zero point", "--strike", "1:1:reply-lost"];
        let (text, code) = rotate("run", folder.path(), &args);
        assert_eq!(code, Some(11), "{engine}\n{text}");
        assert!(flat(&text).contains("raises ValueError: invalid literal for int()"), "{text}");
        assert!(flat(&text).contains("--env 'PASSWORD_LENGTH=zero point' --seeds 0..1"), "{text}");
    }
    let (text, code) = rotate("run", of("mysql_single").path(), &["--env", "=x"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("expected NAME=VALUE"), "{text}");
}
